"""What texts of one sampling temperature are like, by length, as functions of which prompts count.

All is means over the texts of a prompt first; any draw of prompts then gives a number, so that one
set of draws, in common to all sampling temperatures, gives every interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..generation.loops import FEWEST_COPIES, find_loops, repetition
from ..generation.near_loops import Windows, find_windows
from ..thermodynamics.energy_grid import count_states, energy_edges
from ..thermodynamics.quantiles import Cumulated
from ..thermodynamics.states import BlockSums
from .correlation import OF_LENGTH, background, between, integrated_time, matches
from .crossings import Crossings, count_crossings, entering_rate
from .order import binder, central_moments, magnetisation

Array = NDArray[np.float64]

LEVEL = 1e-3
"""Ω at which the depth of the well of what is read is told."""

LONGEST_LAG = 256

LOOPS = ("looping", "near_looping", "in_loops", "in_near_loops")

NUMBERS = ("energy", "surprisal", "entropy", "logit_variance")
"""Of each token, from `columns.RUNS`."""

PLAIN = (
    *LOOPS,
    *("rep_4", "energy", "below_zero", "surprisal", "conditional", "marginal"),
    *("heat_capacity", "fisher"),
)
"""Observables that are means over texts."""


class Written(NamedTuple):
    """Texts of one length that were written at one sampling temperature.

    token_drt : (prompts, runs, positions) token ids.
    number : by name, those of `NUMBERS`, like them.
    marginal_dt : (prompts, positions) marginal entropy of a prompt's runs, nats.
    sampling_temperature : at least 0.
    """

    token_drt: NDArray[np.int64]
    number: Mapping[str, Array]
    marginal_dt: Array
    sampling_temperature: float

    def first(self, length: int) -> Written:
        """The first so many tokens of all of them."""
        number = {name: value_drt[..., :length] for name, value_drt in self.number.items()}
        return self._replace(
            token_drt=self.token_drt[..., :length],
            number=number,
            marginal_dt=self.marginal_dt[..., :length],
        )


@dataclass(frozen=True)
class Observed:
    """What texts of one length and sampling temperature are like, prompt by prompt.

    length : tokens of each.
    mean_d : by name, (prompts,) means over a prompt's runs.
    entered_dk, outside_dk : (prompts, periods) see `crossings.Crossings`; of periods that the
        shortest texts of the sweep can show.
    match_dk : (prompts, lags) see `correlation.matches`.
    pair_dd : (prompts, prompts) see `correlation.background`.
    energies : of the tokens, a block a prompt.
    """

    length: int
    mean_d: Mapping[str, Array]
    entered_dk: Array
    outside_dk: Array
    match_dk: Array
    pair_dd: Array
    energies: Cumulated

    def under(self, weight_rd: Array) -> dict[str, Array]:
        """Observables, by name (draws,), of prompts that are weighted so, each row adding to 1.

        NaN where there is none: of rates where nothing was exposed, and see `tables.OBSERVED`.
        """
        mean_r = {name: weight_rd @ value_d for name, value_d in self.mean_d.items()}
        found = {name: mean_r[name] for name in PLAIN}
        found["entering"] = entering_rate(weight_rd @ self.entered_dk, weight_rd @ self.outside_dk)
        with np.errstate(invalid="ignore", divide="ignore"):
            found["leaving"] = mean_r["left"] / mean_r["inside"]
        background_r = between(self.pair_dd, weight_rd)
        found["autocorrelation_time"] = integrated_time(weight_rd @ self.match_dk, background_r)
        second_r, fourth_r = central_moments(*(mean_r[f"energy_{power}"] for power in (1, 2, 3, 4)))
        found["energy_susceptibility"] = self.length * second_r
        found["energy_binder"] = binder(second_r, fourth_r)
        found["token_susceptibility"] = self.length * mean_r["second"]
        found["token_binder"] = binder(mean_r["second"], mean_r["fourth"])
        found["depth"] = self.energies.energy_at(LEVEL, weight_rd)
        return found


def observe(written: Written, lengths: Sequence[int]) -> list[Observed]:
    """What texts of one sampling temperature are like at each length."""
    windows_dr = [[find_windows(token_t) for token_t in token_rt] for token_rt in written.token_drt]
    longest = min(lengths) // FEWEST_COPIES
    return [_observe(written.first(length), length, windows_dr, longest) for length in lengths]


def _observe(
    written: Written, length: int, windows_dr: list[list[Windows]], longest: int
) -> Observed:
    prompts = len(written.token_drt)
    near = [[windows.within(length) for windows in of_doc] for of_doc in windows_dr]
    numbers = [
        [_of_text(*of_run) for of_run in zip(token_rt, of_doc, strict=True)]
        for token_rt, of_doc in zip(written.token_drt, near, strict=True)
    ]
    crossed = [[count_crossings(windows) for windows in of_doc] for of_doc in near]
    periods = slice(0, longest)

    def mean(of: Callable[[Crossings], Any]) -> Array:
        each = np.array([[of(of_run) for of_run in of_doc] for of_doc in crossed], dtype=np.float64)
        return np.asarray(each.mean(axis=1))

    mean_d = {
        name: np.array([np.mean([of_run[name] for of_run in of_doc]) for of_doc in numbers])
        for name in (*LOOPS, "rep_4")
    }
    mean_d |= {"left": mean(lambda of: of.left), "inside": mean(lambda of: of.inside)}
    mean_d |= dict(_of_numbers(written, length))
    place_drt, share_drv = _shares(written.token_drt)
    spins = magnetisation(share_drv)
    mean_d |= {"second": spins.second.mean(axis=1), "fourth": spins.fourth.mean(axis=1)}
    lags = min(LONGEST_LAG, length // OF_LENGTH)
    return Observed(
        length,
        mean_d,
        entered_dk=mean(lambda of: of.entered_k[periods]),
        outside_dk=mean(lambda of: of.outside_k[periods]),
        match_dk=np.array([matches(token_rt, lags) for token_rt in place_drt]),
        pair_dd=background(share_drv.mean(axis=1)),
        energies=_cumulated(written.number["energy"].reshape(prompts, -1)),
    )


def _of_text(token_t: NDArray[np.int64], windows: Windows) -> dict[str, float]:
    """Numbers of one text that are of its tokens."""
    exact, near = find_loops(token_t), windows.loops()
    return {
        "looping": float(exact.onset is not None),
        "near_looping": float(near.onset is not None),
        "in_loops": exact.share,
        "in_near_loops": near.share,
        "rep_4": repetition(token_t.tolist(), 4),
    }


def _of_numbers(written: Written, length: int) -> Iterator[tuple[str, Array]]:
    """(prompts,) numbers that are of what tokens were drawn from."""
    number, temperature = written.number, written.sampling_temperature
    for name, source in (("surprisal", "surprisal"), ("conditional", "entropy")):
        yield name, number[source].mean(axis=(1, 2))
    yield "marginal", written.marginal_dt.mean(axis=1)
    variance_d = number["logit_variance"].mean(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        known_d = np.where(temperature > 0, variance_d, np.nan)
        yield "heat_capacity", known_d / temperature**2 if temperature else known_d
        yield "fisher", length * known_d / temperature**4 if temperature else known_d
    energy_dr = number["energy"].mean(axis=2)
    yield "energy", energy_dr.mean(axis=1)
    yield "below_zero", (number["energy"] < 0).mean(axis=(1, 2))
    # About the mean: powers of what is small lose nothing to rounding.
    for power in (1, 2, 3, 4):
        yield f"energy_{power}", ((energy_dr - energy_dr.mean()) ** power).mean(axis=1)


def _shares(token_drt: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array]:
    """Tokens by their place among those that there are, and their shares in each text."""
    prompts, runs, length = token_drt.shape
    known_v, place = np.unique(token_drt, return_inverse=True)
    place_drt = place.reshape(token_drt.shape)
    row = np.arange(prompts * runs)[:, None]
    count = np.bincount(
        (row * len(known_v) + place_drt.reshape(prompts * runs, length)).ravel(),
        minlength=prompts * runs * len(known_v),
    )
    return place_drt, count.reshape(prompts, runs, -1) / length


def _cumulated(energy_ds: Array) -> Cumulated:
    """Energies as they are cumulated in the study of wells, a block a prompt."""
    edges_e = energy_edges()
    doc_s = np.repeat(np.arange(len(energy_ds)), energy_ds.shape[1])
    counts = count_states(energy_ds.ravel(), doc_s, edges_e)
    blocks = len(counts.counts_be)
    lowest_b = np.full(blocks, np.inf)
    lowest_b[: len(energy_ds)] = energy_ds.min(axis=1)
    nothing_b = np.zeros(blocks)
    sums = BlockSums(counts, nothing_b, lowest_b, nothing_b.astype(np.int64))
    return Cumulated.of(sums, edges_e)
