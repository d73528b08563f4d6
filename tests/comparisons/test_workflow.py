"""Comparisons of the tiny study's ensembles, against their energies and curves."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from scipy.stats import wasserstein_distance

from tests.results import provenance, read_curves, read_energies
from workflow_scripts.semstat.comparisons.tables import COMPARISON
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges

COMPARED = [
    (("tiny", "text", 0), ("tiny-random", "text", 1), True),
    (("tiny", "text", 3), ("tiny", "text-shuffled", 3), False),
]
"""What is compared, and whether it is of the same documents: eight of text, four of shuffled."""


def test_comparisons_are_those_of_the_states(compared):
    results = compared.work / "results"
    rows = csv.read_csv(results / "comparisons.csv").to_pylist()
    assert len(rows) == len(COMPARED)
    for row, (a, b, paired) in zip(rows, COMPARED, strict=True):
        keys = ("model", "dataset", "layer")
        assert tuple(row[f"{key}_{side}"] for side in "ab" for key in keys) == (*a, *b)
        assert row["paired"] == paired
        energy = [read_energies(results, *of)["energy"].astype(np.float64) for of in (a, b)]
        assert [row["states_a"], row["states_b"]] == [len(energy[0]), len(energy[1])]
        grid = energy_edges()
        volume = [np.searchsorted(np.sort(e), grid, side="right") / len(e) for e in energy]
        apart = np.abs(volume[0] - volume[1])
        assert row["kolmogorov_smirnov"] == pytest.approx(apart.max(), rel=1e-3)
        assert row["area"] == pytest.approx(np.sum(apart[:-1] * np.diff(grid)), rel=1e-3)
        assert row["area"] == pytest.approx(wasserstein_distance(*energy), rel=0.2, abs=0.01)
        assert 0 < row["area_p"] <= 1 and 0 < row["kolmogorov_smirnov_p"] <= 1


def test_differences_are_those_of_the_curves(compared):
    results = compared.work / "results"
    for a, b, _ in COMPARED:
        path = pair_path(results / "comparisons", a, b, "parquet")
        table = pq.ParquetFile(path).read()
        assert table.schema.equals(COMPARISON)
        found = provenance(path)
        assert [found[side]["model"]["model"] for side in "ab"] == [a[0], b[0]]
        curve_a, curve_b = (read_curves(results, *of) for of in (a, b))

        def column(name, of):
            return of[name].to_numpy(zero_copy_only=False)

        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = column("volume", curve_a) / column("volume", curve_b)
            entropy = np.where((ratio > 0) & np.isfinite(ratio), np.log(ratio), np.nan)
        np.testing.assert_allclose(column("entropy_difference", table), entropy, atol=1e-12)
        temperature = [column("temperature", of) for of in (curve_a, curve_b)]
        found = column("temperature_difference", table)
        np.testing.assert_allclose(found, temperature[0] - temperature[1], rtol=1e-6, atol=1e-9)
        found = column("log_temperature_ratio", table)
        np.testing.assert_allclose(found, np.log(temperature[0] / temperature[1]), atol=1e-9)


def pair_path(folder, a, b, kind):
    parts = [f"{key}_{side}={value}" for side, of in (("a", a), ("b", b))
             for key, value in zip(("model", "dataset", "layer"), of, strict=True)]  # fmt: skip
    return folder.joinpath(*parts[:-1], f"{parts[-1]}.{kind}")


def test_any_two_ensembles_are_a_target(compared):
    """By name, without the configuration; one that is not measured is refused in one sentence."""
    of = [("tiny", "text", 1), ("tiny", "text-uniform", 3)]
    target = str(pair_path(compared.work / "results/distances", *of, "parquet"))
    assert compared.would_run(target.removeprefix(f"{compared.work}/")) == {
        "Comparing tiny on text, layer 1, with tiny on text-uniform, layer 3"
    }
    target = target.replace("layer_a=1", "layer_a=2").removeprefix(f"{compared.work}/")
    said = compared.snakemake("--dry-run", target)
    assert said.code == 1
    assert "layer 2 of tiny is not measured; take one of [0, 1, 3]" in said.text


def test_pairs_in_the_configuration_are_targets(compared):
    figures = compared.work / "results/figures/comparisons"
    wanted = {pair_path(figures, a, b, kind) for a, b, _ in COMPARED for kind in ("svg", "pdf")}
    assert {path for path in figures.rglob("*") if path.is_file()} == wanted
    assert compared.would_run() == set()
