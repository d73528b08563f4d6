"""Inflection-point analysis finds the transitions that closed forms have, and no others."""

import numpy as np
import pytest

from workflow_scripts.semstat.statistics.closed_forms import (
    ClosedForm,
    beta,
    convex_dip,
    log_uniform,
    oscillators,
    uniform,
)
from workflow_scripts.semstat.thermodynamics.energy_grid import BLOCKS, StateCounts, energy_edges
from workflow_scripts.semstat.thermodynamics.inflection import find_signals

EDGES = energy_edges()
FIRST_ORDER = convex_dip(depth=0.8, phase=0.6, tilt=5.0)
SECOND_ORDER = convex_dip(depth=4.0, phase=0.9, tilt=2.0, stiffness=24.0)


def signals_of(system: ClosedForm, seed: int, states: float = 1e6):
    """Signals in independent states, drawn as counts."""
    rng = np.random.default_rng(seed)
    share_e = np.diff(system.volume(EDGES), prepend=0.0)
    counts_be = rng.multinomial(int(states / BLOCKS), np.clip(share_e, 0, 1), size=BLOCKS)
    return find_signals(
        StateCounts(counts_be, np.zeros(BLOCKS, np.int64), counts_be.sum(axis=1)), EDGES, rng
    )


@pytest.mark.parametrize("seed", range(3))
def test_backbending_is_of_first_order(seed):
    found = [s for s in signals_of(FIRST_ORDER, seed) if s.significant and not s.dependent]
    assert [signal.order for signal in found] == [1]
    (signal,) = found
    at = -0.6 / np.sqrt(3)
    assert signal.energy_low - 0.06 <= at <= signal.energy_high + 0.06
    assert signal.value == pytest.approx(FIRST_ORDER.slope(at), rel=0.1)
    assert signal.score > 5


@pytest.mark.parametrize("seed", range(3))
def test_an_inflection_without_backbending_is_of_second_order(seed):
    found = [s for s in signals_of(SECOND_ORDER, seed) if s.significant]
    assert [(signal.order, signal.dependent) for signal in found] == [(2, False)]
    (signal,) = found
    assert signal.energy_low - 0.06 <= 0 <= signal.energy_high + 0.06
    assert signal.value < 0


@pytest.mark.parametrize(
    "system",
    [uniform(), oscillators(10), log_uniform()],
    ids=lambda system: system.name,
)
def test_no_transition_is_found_where_there_is_none(system):
    false = [s for seed in range(4) for s in signals_of(system, seed, 1e5) if s.significant]
    assert false == []


def test_two_hard_edges_make_one_signal_of_second_order():
    """γ = −1/(1 + E)² − 4/(1 − E)² of Beta(2, 5) is greatest where (1 − E)/(1 + E) = 4^(1/3)."""
    found = [s for s in signals_of(beta(2, 5), 0, 1e6) if s.significant]
    assert [(signal.order, signal.dependent) for signal in found] == [(2, False)]
    at = (1 - 4 ** (1 / 3)) / (1 + 4 ** (1 / 3))
    assert found[0].energy_low - 0.06 <= at <= found[0].energy_high + 0.06


def test_few_states_show_no_transition():
    assert not any(signal.significant for signal in signals_of(FIRST_ORDER, 0, states=1000))


def test_no_states_are_refused():
    nothing_b = np.zeros(BLOCKS, np.int64)
    empty = StateCounts(np.zeros((BLOCKS, len(EDGES)), np.int64), nothing_b, nothing_b)
    with pytest.raises(ValueError, match="no states"):
        find_signals(empty, EDGES, np.random.default_rng(0))
