"""Groups by quantiles against sums written out, and which measure is found to matter."""

from itertools import pairwise

import numpy as np
import pytest

from tests.attention.made import states
from workflow_scripts.semstat.attention.description import describe_associations, describe_groups
from workflow_scripts.semstat.attention.tables import (
    ASSOCIATIONS,
    GROUPS,
    OUTCOMES,
    STUDIED,
    VOLUMES,
)
from workflow_scripts.semstat.tables import table_of_rows

HEAD = {"model": "m", "dataset": "d", "layer": 3}


@pytest.fixture(scope="module")
def column():
    return states()


@pytest.fixture(scope="module")
def described(column):
    return describe_groups(column, 4, 0.95)


def test_groups_are_of_states_between_quantiles(column, described):
    groups, volumes = described
    table_of_rows([HEAD | row for row in groups], GROUPS)
    table_of_rows([HEAD | row for row in volumes], VOLUMES)
    assert {row["measure"] for row in groups} == set(STUDIED) - {"unspent"}
    for measure in ("sink", "induction", "norm"):
        value_s = column[measure].astype(np.float64)
        there_s = np.isfinite(value_s)
        bounds = [-np.inf, *np.quantile(value_s[there_s], [0.25, 0.5, 0.75]), np.inf]
        rows = [row for row in groups if row["measure"] == measure]
        assert [(row["group"], row["groups"]) for row in rows] == [(n, 4) for n in range(1, 5)]
        for row, low, high in zip(rows, bounds, bounds[1:], strict=False):
            chosen = (value_s > low) & (value_s <= high)
            energy_s = column["energy"][chosen].astype(np.float64)
            assert row["states"] == chosen.sum() and row["documents"] == 12
            assert row["mean"] == pytest.approx(value_s[chosen].mean())
            assert row["mean_energy"] == pytest.approx(energy_s.mean())
            assert row["below_zero"] == pytest.approx(np.mean(energy_s < 0))
            assert row["below_minus_0.5"] == pytest.approx(np.mean(energy_s <= -0.5))
            assert row["surprisal"] == pytest.approx(-column["log_p_correct"][chosen].mean())
            own = {
                found["energy"]: found["volume"]
                for found in volumes
                if (found["measure"], found["group"]) == (measure, row["group"])
            }
            for energy in list(own)[::7]:
                assert own[energy] == pytest.approx(np.mean(energy_s <= energy)), energy
            assert 0.0 in own


def test_energy_falls_with_the_sink_by_more_than_its_intervals(described):
    rows = [row for row in described[0] if row["measure"] == "sink"]
    for less, more in pairwise(rows):
        assert less["mean_energy_low"] > more["mean_energy_high"]
    assert rows[0]["below_zero_high"] < rows[-1]["below_zero_low"]


def test_equal_values_are_in_one_group(column):
    tied = dict(column, sink=np.where(column["sink"] < 0.8, 0, column["sink"]))
    rows = [row for row in describe_groups(tied, 4, 0.95)[0] if row["measure"] == "sink"]
    assert [row["groups"] for row in rows] == [2, 2]
    assert (rows[0]["least"], rows[0]["most"]) == (0, 0)
    assert rows[0]["states"] == np.sum(tied["sink"] == 0)


def test_the_measure_that_matters_is_found_and_no_other(column):
    rows = describe_associations(column, 100, np.random.default_rng(0), 0.95)
    table = table_of_rows([HEAD | row for row in rows], ASSOCIATIONS)
    assert table.num_rows == len(OUTCOMES) * (len(STUDIED) - 1)
    for row in rows:
        p = row["shifted_p"], row["shuffled_p"]
        if row["measure"] == "sink":
            assert p == (1 / 101, 1 / 101)
            if row["outcome"] == "energy":
                assert row["partial_high"] < -0.5 and row["partial"] < row["shifted_low"]
            else:
                assert row["partial_low"] > 0.5 and row["partial"] > row["shifted_high"]
        elif row["measure"] == "stable_rank":
            assert np.isnan(p).all(), "it is the same all through a document"
        else:
            assert abs(row["partial"]) < 0.25
    shares = [row["states"] for row in rows if row["measure"] == "induction"]
    assert set(shares) == {int(np.isfinite(column["induction"]).sum())}


def test_too_few_documents_for_groups_are_told(column):
    first = {name: values[column["doc"] < 1] for name, values in column.items()}
    with pytest.raises(ValueError, match=r"^by row_entropy, group 1: all states are in one block"):
        describe_groups(first, 2, 0.95)
