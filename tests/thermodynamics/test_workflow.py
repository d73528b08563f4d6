"""Counts, curves and wells of the tiny study, against its energies."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from tests.results import DATASETS, ENSEMBLES, LAYERS, read_curves, read_energies
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges
from workflow_scripts.semstat.thermodynamics.tables import (
    CANONICAL,
    SIGNALS,
    WELL_NUMBERS,
)


@pytest.fixture(scope="module")
def results(finished):
    return finished.work / "results"


def test_counts_merge_to_the_states_of_all_shards(results):
    for model, dataset in ENSEMBLES:
        tables = [
            pq.ParquetFile(
                results / f"states/model={model}/dataset={dataset}/shard={shard}.parquet"
            ).read()
            for shard in range(DATASETS[dataset])
        ]
        rows = pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pylist()
        for layer in LAYERS:
            column = read_energies(results, model, dataset, layer)
            energy = column["energy"].astype(np.float64)
            of_layer = [row for row in rows if row["layer"] == layer]
            assert sum(row["states"] for row in of_layer) == len(energy)
            assert {row["block"] for row in of_layer} == set(column["doc"] % 64)
            merged = np.sum([row["counts"] for row in of_layer], axis=0)
            cells = np.searchsorted(energy_edges(), energy, side="left")
            assert merged.tolist() == np.bincount(cells, minlength=len(merged)).tolist()
            assert sum(row["at_zero"] for row in of_layer) == np.sum(energy == 0)
            assert min(row["energy_min"] for row in of_layer) == energy.min()
            total = sum(row["energy_sum"] for row in of_layer)
            assert total == pytest.approx(energy.sum(), rel=1e-12)
            stutters = (column["top"] == column["last"]) & (column["last"] != column["correct"])
            assert sum(row["stutters"] for row in of_layer) == stutters.sum()


def test_volume_is_the_empirical_distribution_function(results):
    for model, dataset in ENSEMBLES:
        for layer in LAYERS:
            energy = np.sort(read_energies(results, model, dataset, layer)["energy"])
            curves = read_curves(results, model, dataset, layer)
            grid = curves["energy"].to_numpy()
            expected = np.searchsorted(energy.astype(np.float64), grid, side="right") / len(energy)
            found = curves["volume"].to_numpy()
            assert np.abs(found - expected).max() <= 1e-12
            assert (grid[0], grid[-1], found[-1]) == (-1, 1, 1)


def test_curves_are_finite_or_null(results):
    nulls = 0
    for model, dataset in ENSEMBLES:
        for layer in LAYERS:
            curves = read_curves(results, model, dataset, layer)
            for name in curves.column_names:
                values = curves[name].drop_null().to_numpy(zero_copy_only=False)
                assert np.isfinite(values.astype(float)).all(), (model, dataset, layer, name)
                nulls += curves[name].null_count
            assert curves["energy"].null_count == curves["volume"].null_count == 0
            value, low, high = (
                curves[f"volume{bound}"].to_numpy() for bound in ("", "_low", "_high")
            )
            assert np.all(low <= value + 1e-12)
            assert np.all(value <= high + 1e-12)
    assert nulls > 0, "S is undefined where no state lies"


def test_the_entropy_is_the_logarithm_of_the_volume(results):
    curves = read_curves(results, "tiny", "text", 3)
    volume = curves["volume"].to_numpy()
    entropy = curves["entropy"].to_numpy(zero_copy_only=False)
    assert np.abs(np.exp(entropy[volume > 0]) - volume[volume > 0]).max() < 1e-12
    below = entropy[(volume == 0) & np.isfinite(entropy)]
    assert np.all(np.diff(below) > 0), "below the lowest state S falls on"
    assert np.all(below < entropy[volume > 0][0])
    temperature = curves["temperature"].to_numpy(zero_copy_only=False)
    density = curves["density"].to_numpy(zero_copy_only=False)
    defined = np.isfinite(temperature) & (volume > 0.1)
    assert defined.sum() > 10
    ratio = volume[defined] / density[defined]
    assert np.abs(temperature[defined] / ratio - 1).max() < 1e-9


def test_the_table_of_wells(results):
    table = csv.read_csv(results / "wells.csv")
    bounded = [name + bound for name in WELL_NUMBERS for bound in ("", "_low", "_high")]
    columns = ["model", "dataset", "layer", "states", "effective_states", *bounded, "deepest"]
    assert table.column_names == columns
    rows = table.to_pylist()
    keys = {(row["model"], row["dataset"], row["layer"]) for row in rows}
    assert keys == {(*of, layer) for of in ENSEMBLES for layer in LAYERS}
    assert len(rows) == len(keys)
    for row in rows:
        column = read_energies(results, row["model"], row["dataset"], row["layer"])
        energy = column["energy"].astype(np.float64)
        stutters = (column["top"] == column["last"]) & (column["last"] != column["correct"])
        expected = {
            "mean_energy": energy.mean(),
            "below_zero": np.mean(energy < 0),
            "below_minus_0.1": np.mean(energy <= -0.1),
            "below_minus_0.5": np.mean(energy <= -0.5),
            "lowest_energy": energy.min(),
            "stutters": stutters.mean(),
            "at_zero": np.mean(energy == 0),
        }
        assert row["states"] == len(energy)
        assert {*expected, "depth", "width"} == set(WELL_NUMBERS)
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, rel=1e-3, abs=1e-12), name
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"], name
        grid = energy_edges()
        # Where the count of states reaches its quarters.
        quartiles = np.quantile(energy[energy < 0], [0.25, 0.75], method="inverted_cdf")
        cells = np.searchsorted(grid, quartiles)
        assert row["width"] == pytest.approx(
            np.diff(grid[cells])[0], abs=np.diff(grid)[cells].sum()
        )
        assert row["states"] < 1000 and row["depth"] is None and row["deepest"] is None


def test_canonical_averages_and_signals_are_targets(altered):
    canonical = "results/canonical/model=tiny/dataset=text/layer=3.parquet"
    signals = "results/signals/model=tiny/dataset=text.parquet"
    done = altered.run(canonical, signals)
    assert done == {
        "Reweighting states of tiny on text, layer 3",
        "Searching the entropy of tiny on text for signals",
    }
    jobs = altered.would_run("results/signals.csv")
    assert len(jobs) == len(ENSEMBLES) and "Tabulating signals" in jobs

    table = pq.ParquetFile(altered.work / canonical).read()
    assert table.schema.equals(CANONICAL)
    beta = table["inverse_temperature"].to_numpy()
    energy = read_energies(altered.work / "results", "tiny", "text", 3)["energy"].astype(float)
    weight = np.exp(-beta[:, None] * energy)
    exact = {
        "log_partition": np.log(weight.mean(axis=1)),
        "mean_energy": (weight * energy).sum(axis=1) / weight.sum(axis=1),
    }
    near = np.abs(beta) * np.abs(energy).max() <= 1  # where the cells of the grid do not tell
    assert near.sum() > 100 and (np.diff(beta) > 0).all()
    for name, values in exact.items():
        found = table[name].to_numpy()[near]
        np.testing.assert_allclose(found, values[near], atol=0.03 * np.abs(values[near]).max())
    assert pq.ParquetFile(altered.work / signals).schema_arrow.equals(SIGNALS)


def test_any_table_becomes_a_csv_file_by_name(altered):
    path = "results/curves/model=tiny/dataset=text/layer=3"
    assert altered.run(f"{path}.csv") == {f"Making {path}.parquet a CSV file"}
    made, table = (
        pyarrow.csv.read_csv(altered.work / f"{path}.csv"),
        pq.ParquetFile(altered.work / f"{path}.parquet").read(),
    )
    assert made.column_names == table.column_names
    for name in ("energy", "volume", "entropy_high"):
        np.testing.assert_allclose(made[name].to_numpy(), table[name].to_numpy(), rtol=1e-8)
    assert len(np.unique(made["energy"].to_numpy())) == len(made), "no two points are one"
