"""Sums over blocks of documents: those of shards add, and rows keep them."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts.semstat.thermodynamics.energy_grid import BLOCKS, energy_edges
from workflow_scripts.semstat.thermodynamics.states import from_table, merge, sum_states, to_rows
from workflow_scripts.semstat.thermodynamics.tables import STATES
from workflow_scripts.thermodynamics.count_states import whole_documents

EDGES = energy_edges()


def energies_table(documents=150, states=40, seed=0):
    """Columns of an energies table, with states of every kind."""
    rng = np.random.default_rng(seed)
    size = documents * states
    last, correct, top = rng.integers(4, size=(3, size), dtype=np.int32)
    energy = np.where(last == correct, 0, rng.uniform(-1, 1, size)).astype(np.float32)
    doc = np.repeat(np.arange(documents, dtype=np.int32), states)
    return {"doc": doc, "last": last, "correct": correct, "top": top, "energy": energy}


def part(column, chosen):
    return {name: values[chosen] for name, values in column.items()}


def assert_same(one, other):
    np.testing.assert_allclose(one.energy_sum_b, other.energy_sum_b, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(one.energy_min_b, other.energy_min_b)
    np.testing.assert_array_equal(one.stutters_b, other.stutters_b)
    for first, second in zip(one.counts, other.counts, strict=True):
        np.testing.assert_array_equal(first, second)
        assert first.dtype == second.dtype == np.int64


def test_sums_are_those_of_the_blocks_own_states():
    column = energies_table()
    sums = sum_states(column, EDGES)
    for block in (0, 21, 63):
        own = part(column, column["doc"] % BLOCKS == block)
        assert sums.states_b[block] == len(own["doc"])
        assert sums.energy_sum_b[block] == pytest.approx(own["energy"].sum(dtype=float))
        assert sums.energy_min_b[block] == own["energy"].min()
        wrongly = (own["top"] == own["last"]) & (own["top"] != own["correct"])
        assert sums.stutters_b[block] == wrongly.sum() > 0
        assert sums.counts.at_zero_b[block] == (own["last"] == own["correct"]).sum() > 0


@pytest.mark.parametrize("pieces", [2, 5])
def test_merging_shards_is_counting_at_once(pieces):
    column = energies_table()
    bounds = np.linspace(0, len(column["doc"]), pieces + 1).astype(int)
    shards = [
        sum_states(part(column, slice(*bound)), EDGES) for bound in itertools.pairwise(bounds)
    ]
    assert_same(merge(shards), sum_states(column, EDGES))
    assert_same(merge(shards[::-1]), sum_states(column, EDGES))


@pytest.mark.parametrize("documents", [1, 10, 150])
def test_rows_come_back(documents, tmp_path):
    by_layer = {layer: sum_states(energies_table(documents, seed=layer), EDGES) for layer in (0, 3)}
    rows = [row for layer, sums in by_layer.items() for row in to_rows(layer, sums)]
    assert len(rows) == 2 * min(documents, BLOCKS)
    table = pa.concat_tables(
        [pa.Table.from_pylist(rows[i : i + 7], schema=STATES) for i in range(0, len(rows), 7)]
    )
    for layer, sums in by_layer.items():
        assert_same(from_table(table, layer), sums)


def test_volume_is_the_edf_of_all_shards_at_every_edge():
    columns = [energies_table(seed=seed) for seed in range(2)]
    sums = merge(sum_states(column, EDGES) for column in columns)
    energy_s = np.concatenate([column["energy"] for column in columns]).astype(float)
    volume_e = sums.counts.counts_be.sum(axis=0).cumsum() / sums.states_b.sum()
    edf_e = np.searchsorted(np.sort(energy_s), EDGES, side="right") / len(energy_s)
    np.testing.assert_allclose(volume_e, edf_e, rtol=0, atol=1e-12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.01])
def test_an_energies_table_with_a_wrong_energy_is_refused(wrong):
    column = energies_table()
    column["energy"][17] = wrong
    with pytest.raises(ValueError, match=r"^energy \S+ is outside \[-1, 1\]$"):
        sum_states(column, EDGES)


@pytest.mark.parametrize("size", [1, 7, 40, 41, 1000])
def test_rows_are_cut_where_documents_end(size):
    """Squares of a document's states do not add: no piece may hold a part of one."""
    column = energies_table(documents=6)
    table = pa.table({"doc": column["doc"], "row": np.arange(len(column["doc"]))})
    pieces = list(whole_documents(table.slice(i, size) for i in range(0, len(table), size)))
    assert pa.concat_tables(pieces).equals(table)
    assert sum(len(set(piece["doc"].to_pylist())) for piece in pieces) == 6


def test_documents_out_of_order_are_refused():
    table = pa.table({"doc": [0, 1, 0]})
    with pytest.raises(ValueError, match="out of order"):
        list(whole_documents([table.slice(0, 2), table.slice(2)]))
