"""Averages of runs over prompts, against numbers that are known."""

import math

import numpy as np
import pytest

from tests.generation.written import (
    SIZES,
    found_schedule,
    positions_table,
    provenance,
    runs_table,
    write_files,
)
from workflow_scripts.generation.describe_runs import describe_runs
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.description import (
    Prompted,
    Windows,
    describe_condition,
    describe_entropies,
)
from workflow_scripts.semstat.generation.extrapolation import describe_marginals
from workflow_scripts.semstat.generation.tables import (
    ALL,
    CONDITIONS,
    ENTROPIES,
    FOUND_ON,
    HELD_OUT,
)
from workflow_scripts.semstat.tables import read_table

HELD = [False, False, True, True]

T_3 = 3.182446
"""Student's, 95%, of 3 degrees of freedom."""


def texts(positions, runs=3):
    """Four prompts' runs in which no bigram comes twice."""
    return np.arange(4 * runs * positions).reshape(4, runs, positions)


def by_group(rows):
    return {row["prompts"]: row for row in rows}


def conditions(marginal_dt, target=5.0, fit_to=60, token_drt=None, **given):
    positions = positions_table(marginal_dt, HELD, **given)
    token_drt = texts(np.shape(marginal_dt)[1]) if token_drt is None else token_drt
    runs = runs_table(token_drt, HELD)
    return by_group(describe_condition(Prompted.of(positions), runs, target, fit_to, 0.95))


def test_errors_from_a_target_are_those_of_each_prompt():
    position_t = np.arange(100)
    off_d = np.array([0.1, -0.2, 0.3, 0.4])
    # +a and −a by turns about an offset: the mean square is offset² + a².
    marginal_dt = 5 + off_d[:, None] + np.where(position_t % 2, 0.5, -0.5)
    marginal_dt[:, 60:] += 1
    error_dt = np.where(position_t < 60, 0.3, 0.1) * np.array([[1], [2], [3], [4]])
    rows = conditions(marginal_dt, error=error_dt)
    alone = [f"document {d}" for d in range(4)]
    assert list(rows) == [ALL, FOUND_ON, HELD_OUT, *alone]
    assert rows["document 1"]["bias_near"] == pytest.approx(-0.2)
    assert np.isnan(rows["document 1"]["bias_near_low"])
    rmse_d = np.sqrt(off_d**2 + 0.25)
    every = rows[ALL]
    assert every["rmse_near"] == pytest.approx(rmse_d.mean())
    half = T_3 * rmse_d.std(ddof=1) / 2
    assert every["rmse_near_high"] == pytest.approx(rmse_d.mean() + half, rel=1e-6)
    assert every["bias_near"] == pytest.approx(off_d.mean())
    assert every["bias_far"] == pytest.approx(off_d.mean() + 1)
    assert rows[HELD_OUT]["rmse_far"] == pytest.approx(np.sqrt((1 + off_d[2:]) ** 2 + 0.25).mean())
    assert rows[FOUND_ON]["floor_near"] == pytest.approx(0.45)
    assert rows[HELD_OUT]["floor_far"] == pytest.approx(0.35)
    assert (every["documents"], rows[HELD_OUT]["documents"]) == (4, 2)
    assert every["tokens"] == 4 * 3 * 100 and every["runs"] == 3


def test_noise_alone_comes_to_the_floor():
    rng = np.random.default_rng(0)
    marginal_dt = 5 + 0.3 * rng.standard_normal((4, 4000))
    every = conditions(marginal_dt, fit_to=2000, token_drt=texts(50))[ALL]
    assert every["rmse_near"] == pytest.approx(every["floor_near"], rel=0.03)
    assert abs(every["bias_far"]) < 4 * 0.3 / np.sqrt(4 * 2000)


def test_without_a_target_or_far_positions_there_is_no_number():
    every = conditions(np.full((4, 50), 5.0), target=None)[ALL]
    assert all(np.isnan(every[name]) for name in ("rmse_near", "bias_near", "rmse_far"))
    assert every["floor_near"] == pytest.approx(0.3)
    every = conditions(np.full((4, 50), 5.0))[ALL]
    assert every["rmse_near"] == 0 and np.isnan(every["rmse_far"]) and np.isnan(every["floor_far"])


def test_texts_that_come_to_loop_are_seen():
    token_drt = texts(400)
    token_drt[:, :2, 200:] = np.arange(200) % 7 + 10**6  # two runs of three loop from half way on
    every = conditions(np.full((4, 400), 5.0), token_drt=token_drt)[ALL]
    assert every["looping"] == pytest.approx(2 / 3)
    assert every["in_loops"] == pytest.approx(1 / 3)
    assert every["loop_onset"] == 201
    assert every["rep_4_drift"] == pytest.approx(2 / 3 * (1 - 7 / 77))
    again = 2 * (199 - 7) + 7  # bigrams of loops that have come before, the second run's all
    assert every["distinct_2"] == pytest.approx(1 - again / (3 * 399))
    whole = conditions(np.full((4, 400), 5.0))[ALL]
    assert (whole["looping"], whole["rep_4"], whole["distinct_2"]) == (0, 0, 1)
    assert np.isnan(whole["loop_onset"])


def test_drift_is_late_less_early():
    rising_t = np.linspace(0, 1, 500)
    early, late = Windows.of(500)
    assert (early.start, early.stop, late.start) == (50, 150, 400)
    rise = rising_t[late].mean() - rising_t[early].mean()
    positions = positions_table(np.full((4, 500), 5.0) + rising_t, HELD, conditional=2 - rising_t)
    runs = runs_table(texts(500), HELD, surprisal=3 * rising_t, energy=rising_t - 0.5)
    every = by_group(describe_condition(Prompted.of(positions), runs, None, 300, 0.95))[ALL]
    assert every["marginal_drift"] == pytest.approx(rise)
    assert every["conditional_drift"] == pytest.approx(-rise)
    assert every["surprisal_drift"] == pytest.approx(3 * rise, rel=1e-5)
    assert every["perplexity"] == pytest.approx(math.exp(1.5), rel=1e-5)
    assert every["below_zero"] == pytest.approx(0.5)
    assert every["energy"] == pytest.approx(0, abs=1e-6)


def test_entropies_by_position_are_means_over_prompts():
    rng = np.random.default_rng(1)
    marginal_dt, conditional_dt = 4 + rng.random((4, 6)), 2 + rng.random((4, 6))
    error_dt, runs_dt = rng.random((4, 6)), rng.integers(2, 30, (4, 6))
    given = {"conditional": conditional_dt, "error": error_dt, "runs": runs_dt}
    positions = positions_table(marginal_dt, HELD, docs=[7, 3, 9, 12], **given)
    prompted = Prompted.of(positions)
    rows = describe_entropies(prompted, SIZES, 0.95)
    held = [row for row in rows if row["prompts"] == HELD_OUT]
    assert [row["position"] for row in held] == [1, 2, 3, 4, 5, 6]
    part = slice(2, 4)
    t = 2
    assert held[t]["marginal"] == pytest.approx(marginal_dt[part, t].mean())
    difference_d = (marginal_dt - conditional_dt)[part, t]
    assert held[t]["divergence"] == pytest.approx(difference_d.mean())
    half = 12.706205 * difference_d.std(ddof=1) / np.sqrt(2)
    assert held[t]["divergence_low"] == pytest.approx(difference_d.mean() - half, rel=1e-6)
    cap = (conditional_dt[part, t] + np.log(runs_dt[part, t])).mean()
    assert held[t]["cap"] == pytest.approx(cap)
    assert held[t]["noise"] == pytest.approx(np.sqrt((error_dt[part, t] ** 2).mean()))
    assert held[t]["runs"] == runs_dt[part, t].mean()
    given = describe_marginals(
        marginal_dt[part],
        error_dt[part],
        conditional_dt[part],
        marginal_dt[part, :, None] - np.array([0.0, 0.2, 0.3, 0.5]),
        marginal_dt[part] + 1,
        tuple(SIZES),
        0.95,
    )
    for name, interval in zip(("marginal", "extrapolated", "cross"), given, strict=True):
        assert [held[t][name + end] for end in ("", "_low", "_high")] == pytest.approx(
            [bound[t] for bound in interval], nan_ok=True
        )


def test_an_upper_bound_that_one_prompt_has_not_is_none_of_the_mean():
    cross_dt = np.full((4, 2), 6.0)
    cross_dt[3, 1] = np.nan
    prompted = Prompted.of(positions_table(np.full((4, 2), 5.0), HELD, cross=cross_dt))
    first, second, *_ = describe_entropies(prompted, SIZES, 0.95)
    assert first["cross"] == 6 and np.isnan(second["cross"])


def test_prompts_whose_runs_have_ended_are_left_out():
    positions = positions_table([[5.0] * 4, [6.0] * 4, [7.0] * 4, [8.0] * 4], HELD)
    ends = positions.filter([True] * 14 + [False] * 2)  # the last prompt ends after two positions
    rows = describe_entropies(Prompted.of(ends), SIZES, 0.95)
    assert [row["documents"] for row in rows if row["prompts"] == ALL] == [4, 4, 3, 3]
    assert rows[1]["marginal"] == pytest.approx(6.5) and rows[2]["marginal"] == pytest.approx(6)


def test_one_prompt_is_refused():
    prompted = Prompted.of(positions_table([[5.0] * 4], [True]))
    with pytest.raises(InputError, match=r"one prompt .* take at least 2"):
        describe_entropies(prompted, SIZES, 0.95)


def test_a_single_held_out_prompt_has_no_interval():
    held = [False, True]
    prompted = Prompted.of(positions_table([[5.0] * 40, [6.0] * 40], held))
    runs = runs_table(texts(40)[:2], held)
    rows = by_group(describe_condition(prompted, runs, 5.0, 20, 0.95))
    assert rows[HELD_OUT]["bias_near"] == 1 and np.isnan(rows[HELD_OUT]["bias_near_low"])
    assert rows[ALL]["bias_near"] == 0.5


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path):
        def write(name, method="constant", **facts):
            table, runs = (
                positions_table(np.full((4, 100), 5.0), HELD),
                runs_table(texts(100), HELD),
            )
            return write_files(tmp_path, name, table, runs, provenance(method, **facts))

        return write

    @pytest.fixture
    def described(self, tmp_path):
        def describe(runs, positions, **options):
            out, entropies = tmp_path / "out.parquet", tmp_path / "entropies.parquet"
            paths = {"out": out, "entropies": entropies}
            describe_runs(runs=runs, positions=positions, condition="c", **paths, **options)
            assert read_table(entropies, ENTROPIES).num_rows == 3 * 100
            return read_table(out, CONDITIONS).to_pylist()

        return describe

    def test_target_and_cost_are_those_of_the_schedule(self, files, described):
        every, *_ = described(*files("a", "scheduled", schedule=found_schedule(target=4.5)))
        assert (every["method"], every["condition"]) == ("stepwise", "c")
        assert (every["target"], every["fit_to"], every["bias_near"]) == (4.5, 300, 0.5)
        assert (every["spent_tokens"], every["spent_seconds"]) == (3600, 12.5)

    def test_what_needs_no_schedule_costs_nothing(self, files, described):
        every, *_ = described(*files("a"), target=5.5, fit_to=10)
        assert (every["spent_tokens"], every["bias_far"], every["fit_to"]) == (0, -0.5, 10)
        assert described(*files("a"))[0]["target"] is None

    def test_another_target_is_refused(self, files, described):
        paths = files("a", "scheduled", schedule=found_schedule(target=4.5))
        with pytest.raises(InputError, match=r"to hold 4\.5 nats, not 5\.0"):
            described(*paths, target=5.0)

    def test_files_of_two_conditions_are_refused(self, files, described):
        runs, _ = files("a", sampling_temperature=1.0)
        _, positions = files("b", sampling_temperature=0.8)
        with pytest.raises(InputError, match=r"a\.runs.*differ in `method`"):
            described(runs, positions)

    def test_a_prompt_that_the_schedule_has_seen_is_not_held_out(self, files, described):
        paths = files("a", "scheduled", schedule=found_schedule(documents=[0, 1, 2]))
        with pytest.raises(InputError, match="document 2 is not held out"):
            described(*paths)
