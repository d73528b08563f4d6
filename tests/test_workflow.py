"""The whole graph, end to end, offline, in a folder away from the clone."""

import base64
import json
import re
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import transformers
from pyarrow import csv
from scipy.stats import wasserstein_distance

from tests.runs import TINY_STUDY
from tests.tiny import PREFIX
from workflow_scripts.semstat.comparisons.tables import COMPARISON
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges
from workflow_scripts.semstat.thermodynamics.tables import (
    CANONICAL,
    CURVE_QUANTITIES,
    CURVES,
    SIGNALS,
    WELL_NUMBERS,
)

MODELS = list(TINY_STUDY["models"])
DATASETS = {name: spec.get("shards", 1) for name, spec in TINY_STUDY["datasets"].items()}
LAYERS = TINY_STUDY["measurement"]["layers"]
CONTEXT, STRIDE = TINY_STUDY["measurement"]["context"], TINY_STUDY["measurement"]["stride"]
ENSEMBLES = [(model, dataset) for model in MODELS for dataset in DATASETS]
SHARDS = [(*of, shard) for of in ENSEMBLES for shard in range(DATASETS[of[1]])]

ENERGIES = {
    "doc": "int32",
    "position": "int32",
    "last": "int32",
    "correct": "int32",
    "log_p_last": "float",
    "log_p_correct": "float",
    "energy": "float",
    "entropy": "float",
    "top": "int32",
    "norm": "float",
    "speed": "float",
    "shuffled_speed": "float",
    "normed_speed": "float",
    "normed_shuffled_speed": "float",
}


@pytest.fixture(scope="module")
def results(finished):
    return finished.work / "results"


def tokens_path(results, model, dataset, shard):
    return results / f"tokens/model={model}/dataset={dataset}/shard={shard}.parquet"


def energies_path(results, model, dataset, layer, shard):
    folder = f"energies/model={model}/dataset={dataset}/layer={layer}"
    return results / folder / f"shard={shard}.parquet"


def read_energies(results, model, dataset, layer):
    """All shards of one layer of one ensemble, as columns."""
    paths = [
        energies_path(results, model, dataset, layer, shard) for shard in range(DATASETS[dataset])
    ]
    table = pa.concat_tables(pq.ParquetFile(path).read() for path in paths)
    return {name: table[name].to_numpy() for name in table.column_names}


def read_curves(results, model, dataset, layer):
    path = results / f"curves/model={model}/dataset={dataset}/layer={layer}.parquet"
    return pq.ParquetFile(path).read()


def schema_of(path):
    schema = pq.ParquetFile(path).schema_arrow
    lists = pa.types.is_list
    return {
        field.name: f"list<{field.type.value_type}>" if lists(field.type) else str(field.type)
        for field in schema
    }


def provenance(path):
    return json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"semantic-statistics"])


# Files.


def test_every_file_is_there_and_no_other(results):
    found = {path.relative_to(results) for path in results.rglob("*") if path.is_file()}
    found = {str(path) for path in found if path.parts[0] != ".records"}
    snapshot = ["config.json", "model.safetensors", "tokenizer.json", "provenance.json"]
    wanted = {f"models/{model}/{name}" for model in MODELS for name in [*snapshot, "SHA256SUMS"]}
    wanted |= {"corpora/text.parquet", "wells.csv", "provenance.json"}
    for kind in ("tokens", "states"):
        wanted |= {f"{kind}/model={m}/dataset={d}/shard={s}.parquet" for m, d, s in SHARDS}
    for layer in LAYERS:
        wanted |= {
            f"energies/model={m}/dataset={d}/layer={layer}/shard={s}.parquet" for m, d, s in SHARDS
        }
        wanted |= {f"curves/model={m}/dataset={d}/layer={layer}.parquet" for m, d in ENSEMBLES}
    wanted |= {f"wells/model={m}/dataset={d}.parquet" for m, d in ENSEMBLES}
    folders = [f"across_layers/model={m}/dataset={d}" for m, d in ENSEMBLES]
    folders += [f"across_models/dataset={d}" for d in DATASETS]
    folders += [f"across_datasets/model={m}" for m in MODELS]
    quantities = ("entropy", "temperature", "density")
    figures = [f"figures/{folder}/{quantity}" for folder in folders for quantity in quantities]
    figures += [f"figures/layer_map/model={m}/dataset={d}" for m, d in ENSEMBLES]
    figures += [f"figures/wells/dataset={d}" for d in DATASETS]
    wanted |= {f"{figure}.{kind}" for figure in figures for kind in ("svg", "pdf")}
    assert found - {"report.html"} == wanted


def test_tables_have_the_columns_of_the_design(results):
    assert schema_of(results / "corpora/text.parquet") == {"doc": "int32", "text": "string"}
    for of in SHARDS:
        tokens = schema_of(tokens_path(results, *of))
        assert tokens == {"doc": "int32", "tokens": "list<int32>"}
    for model, dataset, shard in SHARDS:
        for layer in LAYERS:
            path = energies_path(results, model, dataset, layer, shard)
            assert schema_of(path) == ENERGIES
            table = pq.ParquetFile(path).read()
            assert all(table[name].null_count == 0 for name in ENERGIES), "windows overlap"
            order = list(zip(table["doc"].to_pylist(), table["position"].to_pylist(), strict=True))
            assert order == sorted(set(order))
    wanted = {"energy"}
    for quantity in CURVE_QUANTITIES:
        wanted |= {quantity, f"{quantity}_low", f"{quantity}_high"}
    for model, dataset in ENSEMBLES:
        for layer in LAYERS:
            curves = read_curves(results, model, dataset, layer)
            assert curves.schema.equals(CURVES)
            assert wanted <= set(curves.column_names)
            assert {str(curves.schema.field(name).type) for name in wanted} == {"double"}
            grid = curves["energy"].to_numpy()
            assert np.all(np.diff(grid) > 0)


def test_partitions_are_columns(results):
    """Read as one tree, with model, dataset and layer from the folder names."""
    table = pq.read_table(results / "energies", columns=["model", "dataset", "layer", "energy"])
    groups = table.group_by(["model", "dataset", "layer"]).aggregate([("energy", "count")])
    assert len(groups) == len(ENSEMBLES) * len(LAYERS)


def test_every_table_tells_how_it_was_made(results, finished):
    commits = set()
    for model, dataset, shard in SHARDS:
        for layer in LAYERS:
            found = provenance(energies_path(results, model, dataset, layer, shard))
            assert found["model"]["model"] == model
            assert found["model"]["source"]["source"] == TINY_STUDY["models"][model]["source"]
            assert found["tokens"]["dataset"] == dataset
            assert found["tokens"]["prefix_token"] == PREFIX
            assert found["tokens"]["ensemble"] == TINY_STUDY["datasets"][dataset].get("ensemble")
            assert found["layer"] == layer
            assert (found["dtype"], found["readout"]) == ("float32", "logit_lens")
            assert (found["context"], found["stride"]) == (CONTEXT, STRIDE)
            assert found["attention"] in ("sdpa", "eager")
            assert found["device"]
            assert found["versions"]["torch"] == torch.__version__
            assert found["versions"]["transformers"] == transformers.__version__
            commits.add(found["commit"])
    assert commits == {"unknown"}, "the clone of these tests is no git checkout"
    others = [path for kind in ("corpora", "tokens", "states", "curves", "wells")
              for path in (results / kind).rglob("*.parquet")]  # fmt: skip
    for path in others:
        assert provenance(path), path
    for model in MODELS:
        found = json.loads((results / f"models/{model}/provenance.json").read_text())
        assert found["model"] == model
        assert found["parameters"] > 1000


def test_log_files_name_their_job(finished):
    for _, dataset, shard in SHARDS:
        log = finished.work / f"logs/measure_energies/model=tiny/{dataset}/{shard}.log"
        assert "states" in log.read_text()


# Numbers.


def plain_energies(results, model, dataset, shard):
    """H at the final layer by the plainest route there is: the model's own softmax in float64.

    Returns (doc, position) → (last, correct, energy, entropy, top).
    """
    plain = transformers.AutoModelForCausalLM.from_pretrained(
        results / "models" / model, dtype=torch.float64
    ).eval()
    rows = pq.ParquetFile(tokens_path(results, model, dataset, shard)).read().to_pylist()
    expected = {}
    for row in rows:
        tokens, scored = row["tokens"], 1
        for start in range(0, len(tokens) - 1, STRIDE):
            ids = tokens[start : start + CONTEXT]
            with torch.inference_mode():
                p = plain(torch.tensor([ids])).logits[0].softmax(-1)
            for t in range(scored, min(start + CONTEXT, len(tokens) - 1)):
                p_t, last, correct = p[t - start], tokens[t], tokens[t + 1]
                energy = float(p_t[correct] - p_t[last])
                entropy = float(-(p_t * p_t.log()).sum())
                expected[row["doc"], t] = (last, correct, energy, entropy, int(p_t.argmax()))
            scored = min(start + CONTEXT, len(tokens) - 1)
    return expected


@pytest.mark.parametrize(
    ("model", "dataset", "shard"),
    [("tiny", "text", 1), ("tiny", "text-uniform", 0), ("tiny-random", "text", 0)],
)
def test_energies_are_those_of_a_plain_softmax(results, model, dataset, shard):
    expected = plain_energies(results, model, dataset, shard)
    assert max(position for _, position in expected) >= CONTEXT, "a document needs two windows"
    path = energies_path(results, model, dataset, LAYERS[-1], shard)
    rows = pq.ParquetFile(path).read().to_pylist()
    assert [(row["doc"], row["position"]) for row in rows] == list(expected)
    for row in rows:
        last, correct, energy, entropy, top = expected[row["doc"], row["position"]]
        assert (row["last"], row["correct"], row["top"]) == (last, correct, top)
        assert row["energy"] == pytest.approx(energy, abs=2e-6)
        assert row["entropy"] == pytest.approx(entropy, abs=2e-5)
        assert row["energy"] == 0 or last != correct
        difference = np.exp(row["log_p_correct"]) - np.exp(row["log_p_last"])
        assert difference == pytest.approx(energy, abs=2e-6)


def test_ensembles_are_what_they_are_called(results):
    def documents(dataset):
        rows = pq.ParquetFile(tokens_path(results, "tiny", dataset, 0)).read().to_pylist()
        return {row["doc"]: row["tokens"] for row in rows}

    text, shuffled, uniform = (documents(dataset) for dataset in DATASETS)
    assert set(text) == set(shuffled) == set(uniform) == set(range(4))
    for doc, tokens in text.items():
        assert tokens[0] == shuffled[doc][0] == uniform[doc][0] == 0
        assert tokens != shuffled[doc]
        assert sorted(tokens) == sorted(shuffled[doc])
        assert len(tokens) == len(uniform[doc])
    assert len({token for tokens in uniform.values() for token in tokens}) > 100
    assert len({token for tokens in text.values() for token in tokens}) < 40


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


# Comparisons.


@pytest.fixture(scope="module")
def compared(finished, tmp_path_factory):
    """The tiny study with two pairs to compare, run on."""
    place = finished.copy(tmp_path_factory.mktemp("compared"))
    place.run(study=TINY_STUDY | {"comparisons": PAIRS})
    return place


PAIRS = [
    [
        {"model": "tiny", "dataset": "text", "layer": 0},
        {"model": "tiny-random", "dataset": "text", "layer": 1},
    ],
    [
        {"model": "tiny", "dataset": "text"},
        {"model": "tiny", "dataset": "text-shuffled", "layer": "final"},
    ],
]
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


def test_canonical_averages_and_signals_are_targets(compared):
    canonical = "results/canonical/model=tiny/dataset=text/layer=3.parquet"
    signals = "results/signals/model=tiny/dataset=text.parquet"
    done = compared.run(canonical, signals)
    assert done == {
        "Reweighting states of tiny on text, layer 3",
        "Searching the entropy of tiny on text for signals",
    }
    jobs = compared.would_run("results/signals.csv")
    assert len(jobs) == len(ENSEMBLES) and "Tabulating signals" in jobs

    table = pq.ParquetFile(compared.work / canonical).read()
    assert table.schema.equals(CANONICAL)
    beta = table["inverse_temperature"].to_numpy()
    energy = read_energies(compared.work / "results", "tiny", "text", 3)["energy"].astype(float)
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
    assert pq.ParquetFile(compared.work / signals).schema_arrow.equals(SIGNALS)


def test_pairs_in_the_configuration_are_targets(compared):
    figures = compared.work / "results/figures/comparisons"
    wanted = {pair_path(figures, a, b, kind) for a, b, _ in COMPARED for kind in ("svg", "pdf")}
    assert {path for path in figures.rglob("*") if path.is_file()} == wanted
    assert compared.would_run() == set()


# Figures and report.


def test_figures_are_drawings(compared):
    results = compared.work / "results"
    for path in (results / "figures").rglob("*.svg"):
        text = path.read_text()
        assert text.startswith("<?xml")
        assert text.count("<path") > 20, path
        assert len(text) > 10_000, path
    for path in (results / "figures").rglob("*.pdf"):
        content = path.read_bytes()
        assert content.startswith(b"%PDF-")
        assert b"%%EOF" in content[-32:]
        streams = re.findall(rb"stream\r?\n(.*?)endstream", content, flags=re.DOTALL)
        drawn = max(len(zlib.decompress(stream)) for stream in streams if stream[:1] == b"\x78")
        assert drawn > 2_000, path


def test_the_report_is_one_file_with_captions_and_the_table(compared):
    said = compared.snakemake("--report", "results/report.html")
    assert said.code == 0, said.text
    report = (compared.work / "results/report.html").read_text()
    for source in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', report):
        assert source.startswith("data:"), f"the report needs {source[:80]}"
    text = re.sub(r"(\\n|\s)+", " ", report)
    of_other_targets = {"repetition", "trajectories", "effects", "decodings", "texts"}
    captions = [
        caption
        for caption in (compared.clone / "report").glob("*.rst")
        if caption.stem not in of_other_targets and not caption.stem.startswith("mechanics")
    ]
    assert len(captions) == 9
    for caption in captions:
        # What a caption says between names and formulas, as the report must say it.
        phrases = re.findall(r"(?:\w+ ){5,}\w+", re.sub(r"\s+", " ", caption.read_text()))
        assert phrases, f"{caption.name} explains nothing"
        assert phrases[-1] in text, f"{caption.name} is not in the report"
    assert "snakemake.wildcards" not in text
    for category in ("Across models", "Across layers", "Comparisons"):
        assert category in report
    for name in ("wells.csv", "comparisons.csv"):
        table = (compared.work / "results" / name).read_bytes()
        assert base64.b64encode(table).decode() in report
    figures = {path.name for path in (compared.work / "results/figures").rglob("*.svg")}
    for name in figures:
        assert f"data:image/svg+xml;charset=utf8;filename={name}" in report


def test_a_finished_run_has_nothing_to_do(altered):
    before = {path: path.stat().st_mtime_ns for path in (altered.work / "results").rglob("*")}
    assert altered.run() == set()
    after = {path: path.stat().st_mtime_ns for path in (altered.work / "results").rglob("*")}
    assert after == before
