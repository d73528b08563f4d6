"""The benchmark of coverage counts what it says, and runs."""

import csv
import json

import numpy as np
import pytest

from benchmarks.coverage.__main__ import simulate
from benchmarks.coverage.compared import compared
from benchmarks.coverage.curves import INTERVALS, judged, places
from benchmarks.coverage.held import average, bands, binomial_error, intervals
from benchmarks.coverage.pairs import half_seen
from benchmarks.coverage.plan import CHEAPER, run, studies
from benchmarks.coverage.printed import pooled, tables, write
from benchmarks.coverage.study import Study
from benchmarks.designs import SPREAD, Design
from benchmarks.roles import by_role, named
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges

EDGES = energy_edges()
NAN = np.nan


def test_what_an_interval_holds_is_counted_where_it_is_given():
    low_dj = np.array([[0.0, NAN, 2.0], [0.0, NAN, 0.0], [2.0, NAN, 0.0], [0.0, 0.0, NAN]])
    row = intervals(low_dj, low_dj + 1, np.array([0.5, 0.5, 0.5]))
    assert row["held"] == pytest.approx(6 / 8)
    assert row["given"] == pytest.approx(8 / 12)
    assert row["worst"] == pytest.approx(2 / 3)
    assert row["data sets"] == 4
    assert "held" not in intervals(np.full((2, 1), NAN), np.full((2, 1), NAN), np.array([0.0]))


def test_a_bound_that_is_missing_is_no_claim():
    row = intervals(np.array([[1.0], [1.0]]), np.array([[NAN], [2.0]]), np.array([np.inf]))
    assert (row["held"], row["given"]) == (0.5, 1.0)


def test_standard_errors_are_those_of_independent_data_sets():
    rng = np.random.default_rng(0)
    exact_j = np.zeros(3)
    held, errors = [], []
    for _ in range(400):
        middle_dj = np.repeat(rng.standard_normal((50, 1)), 3, axis=1)
        row = intervals(middle_dj - 1, middle_dj + 1, exact_j)
        held.append(row["held"])
        errors.append(row["held_se"])
    assert np.mean(errors) == pytest.approx(np.std(held), rel=0.1)
    assert np.mean(errors) == pytest.approx(binomial_error(0.683, 50), rel=0.05)


def test_a_band_holds_all_or_nothing():
    low_dj = np.array([[0.0, 0.0], [0.0, 2.0], [NAN, 0.0], [NAN, NAN]])
    row = bands(low_dj, low_dj + 1, np.array([0.5, 0.5]))
    assert row["band"] == pytest.approx(2 / 3)


def test_an_average_is_of_what_is_finite():
    row = average("error", np.array([[1.0, 3.0], [NAN, 2.0], [np.inf, NAN]]))
    assert row["error"] == pytest.approx(2)
    assert average("error", np.array([[NAN]])) == {}


def test_gaps_and_jumps_are_where_they_are():
    gap = places(named("gap at 0.3")[1], EDGES)
    np.testing.assert_allclose(EDGES[gap.undefined], [0.17782794, 0.5])
    assert EDGES[gap.gap].min() == pytest.approx(0.2, abs=0.001)
    assert EDGES[gap.gap].max() == pytest.approx(0.447, abs=0.001)
    assert not gap.jump.any()
    jump = places(named("jump at -0.2")[1], EDGES)
    np.testing.assert_allclose(EDGES[jump.jump], [-0.22387, -0.19953], atol=1e-4)
    assert not jump.gap.any()
    for system in by_role()["textbook"][:5]:
        assert not np.any(places(system, EDGES))


def test_energies_are_judged_where_states_lie_on_either_side():
    uniform = by_role()["textbook"][0]
    many, few = (EDGES[judged(uniform, worth, EDGES)] for worth in (4000, 20))
    assert (many.min(), many.max()) == (
        pytest.approx(-0.99, abs=0.01),
        pytest.approx(0.99, abs=0.01),
    )
    assert (few.min(), few.max()) == (-0.5, 0.5)
    assert 0 not in many


def test_a_shift_is_that_of_a_mean_that_is_seen_in_half_of_the_data_sets():
    alone = Study(
        "distances", "three kinds", Design(64, correlation=0.0), Design(16, correlation=0.0)
    )
    assert half_seen(alone) == pytest.approx(1.96 * np.sqrt((1 / 64 + 1 / 16) / 64))
    together = Study("distances", "three kinds", Design(64), Design(64), paired=True)
    assert half_seen(together) == pytest.approx(1.96 * np.sqrt(0.9 * 2 / 64 / 64))


def test_every_system_and_every_design_is_planned():
    planned = studies(list(CHEAPER), [""], 100, "ours", 0)
    assert len(set(planned)) == len(planned)
    assert {study.system for study in planned} == {s.name for of in by_role().values() for s in of}
    documents = {study.design.documents for study in planned}
    assert documents >= {8, 16, 32, 64, 250}
    assert {study.design.spread for study in planned} == {0.0, SPREAD}
    assert {study.design.correlation for study in planned} >= {0.0, 0.1, 0.4}
    assert any(study.design.kinds for study in planned)
    fits = sum(s.data_sets * (1 + (s.part == "differences")) for s in planned
               if s.part in ("curves", "differences"))  # fmt: skip
    assert fits <= 20_000


TINY = [
    Study("curves", "gap at 0.3", Design(16, SPREAD), data_sets=2),
    Study("wells", "three kinds", Design(8, SPREAD, length=128), data_sets=3),
    Study("differences", "three kinds", Design(64), Design(16), data_sets=2),
    Study("differences", "three kinds", Design(16, SPREAD), Design(16, SPREAD), True, data_sets=2),
    Study("distances", "three kinds", Design(16), Design(8), data_sets=3),
    Study("distances", "three kinds", Design(8), Design(8), True, True, data_sets=3),
]


@pytest.fixture(scope="module")
def rows():
    return [row for study in TINY for row in run(study)]


def test_every_part_has_its_quantities(rows):
    of_part = {part: {row["quantity"] for row in rows if row["part"] == part} for part in CHEAPER}
    assert of_part["curves"] >= {"S", "T", "S_B", "T sparse", "flagged gaps"}
    assert of_part["wells"] >= {"mean_energy", "below_zero", "stutters", "depth", "deepest"}
    assert of_part["differences"] == {"S_a − S_b", "T_a − T_b", "ln T_a/T_b"}
    assert of_part["distances"] == {"area level", "KS level", "area power", "KS power"}
    shares = [row[key] for row in rows for key in ("held", "band", "share") if key in row]
    assert shares and all(0 <= share <= 1 for share in shares)


def test_results_are_printed_and_written(rows, tmp_path):
    text = tables(rows)
    for word in ("three kinds", "16 log-normal, 0.1", "against 16", "paired", "gap at 0.3", "±"):
        assert word in text
    write(rows, tmp_path / "coverage")
    assert json.loads((tmp_path / "coverage.json").read_text(encoding="utf-8")) == rows
    with (tmp_path / "coverage.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)


def test_systems_of_a_role_are_pooled():
    row = {"part": "curves", "role": "set on", "documents": "8", "quantity": "T", "given": 1.0}
    each = [row | {"system": s, "held": h, "held_se": 0.03, "worst": w} for s, h, w in
            (("a", 0.9, 0.6), ("b", 0.8, 0.7))]  # fmt: skip
    (mean,) = pooled(each)
    assert (mean["held"], mean["worst"]) == (pytest.approx(0.85), 0.6)
    assert mean["held_se"] == pytest.approx(0.03 / np.sqrt(2))


def test_data_sets_are_the_same_for_any_estimator_and_process():
    study = Study("curves", "three kinds", Design(8), data_sets=1)
    (here, there) = run(study), simulate([study], jobs=1)
    # A process of its own has one thread for linear algebra, and other last bits.
    for one, other in zip(here, there, strict=True):
        assert one == {
            name: pytest.approx(value) if isinstance(value, float) else value
            for name, value in other.items()
        }
    bare = run(Study("curves", "three kinds", Design(8), data_sets=1, estimator="no bias"))
    assert bare[1]["error"] == here[1]["error"]
    assert bare[1]["width"] <= here[1]["width"]
    assert set(INTERVALS) == {"ours", "no bias", "all bias", "percentile"}


def test_two_runs_are_compared_on_the_systems_that_both_have():
    what = {"part": "curves", "role": "judge", "documents": "8 equal, 0", "quantity": "T"}
    rows = [
        what | {"system": f"judge {number}", "held": held, "held_se": 0.03, "given": 1.0}
        for number, held in ((1, 0.5), (2, 0.7), (3, 0.9))
    ]
    table = compared("curves", rows[:2], [row | {"held": 0.95} for row in rows[1:]])
    assert table.splitlines()[2:] == ["| judge | 8 equal, 0 | 0.700±0.030 → 0.950±0.030 |"]
