"""The whole graph, end to end, offline, in a folder away from the clone."""

import base64
import json
import re
import zlib
from html import unescape
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import transformers

from tests.results import (
    CONTEXT,
    DATASETS,
    ENSEMBLES,
    LAYERS,
    MODELS,
    SHARDS,
    STRIDE,
    energies_path,
    provenance,
    read_curves,
    tokens_path,
)
from tests.runs import REPO, STAGES, TINY_STUDY, announced, snakemake
from tests.tiny import PREFIX
from workflow_scripts.semstat.thermodynamics.tables import CURVE_QUANTITIES, CURVES

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
    "log_p_top": "float",
}


@pytest.fixture(scope="module")
def results(finished):
    return finished.work / "results"


def schema_of(path):
    schema = pq.ParquetFile(path).schema_arrow
    lists = pa.types.is_list
    return {
        field.name: f"list<{field.type.value_type}>" if lists(field.type) else str(field.type)
        for field in schema
    }


# Files.


def test_every_file_is_there_and_no_other(results):
    found = {path.relative_to(results) for path in results.rglob("*") if path.is_file()}
    found = {str(path) for path in found if path.parts[0] != ".records"}
    snapshot = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    snapshot += ["provenance.json"]
    wanted = {f"models/{model}/{name}" for model in MODELS for name in [*snapshot, "SHA256SUMS"]}
    wanted |= {"corpora/text.parquet", "wells.csv", "summary.rst", "provenance.json"}
    for kind in ("tokens", "states"):
        wanted |= {f"{kind}/model={m}/dataset={d}/shard={s}.parquet" for m, d, s in SHARDS}
    for layer in LAYERS:
        wanted |= {
            f"energies/model={m}/dataset={d}/layer={layer}/shard={s}.parquet" for m, d, s in SHARDS
        }
        wanted |= {f"curves/model={m}/dataset={d}/layer={layer}.parquet" for m, d in ENSEMBLES}
    wanted |= {f"wells/model={m}/dataset={d}.parquet" for m, d in ENSEMBLES}
    wanted |= {f"lowest/model={m}/dataset={d}.html" for m, d in ENSEMBLES}
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
            versions = found["measured by"]["versions"]
            assert versions["torch"] == torch.__version__
            assert versions["transformers"] == transformers.__version__
            commits.add(found["measured by"]["commit"])
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
        assert "float32 on cpu" in log.read_text()


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


def test_the_report_is_one_file_with_captions_and_the_table(compared, tmp_path):
    compared = compared.copy(tmp_path)
    said = compared.snakemake("--report", "results/report.html")
    assert said.code == 0, said.text
    report = (compared.work / "results/report.html").read_text()
    for source in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', report):
        assert source.startswith("data:"), f"the report needs {source[:80]}"
    text = re.sub(r"(\\n|\s)+", " ", report)
    of_other_targets = {"repetition", "mechanics", "steering", "decoding", "generation"}
    of_other_targets |= {"attention", "causes", "criticality", "periods", "training", "volumes"}
    captions = [
        caption
        for caption in (compared.clone / "report").rglob("*.rst")
        if caption.parent.name not in of_other_targets
    ]
    assert len(captions) == 10
    for caption in captions:
        if caption.name == "workflow.rst":
            continue  # what it says hangs on what was run; see below
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


def start_page(place, *arguments):
    """What the report begins with, as HTML."""
    said = place.snakemake(*arguments, "--report", "results/report.html")
    assert said.code == 0, said.text
    report = (place.work / "results/report.html").read_text()
    return json.loads(re.search(r"var workflow_desc = (.*);\n", report)[1])


def test_the_report_answers_first_and_shows_every_figure_at_a_click(compared, tmp_path):
    place = compared.copy(tmp_path)
    page = start_page(place)
    text = " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.S)).split())
    assert "system-message" not in page and "{%" not in page
    summary = (place.work / "results/summary.rst").read_text()
    assert text.startswith(" ".join(summary.replace("=", "").split("\n\n")[0].split()))
    first_words = " ".join(summary.split("\n\n")[1].split())
    assert "tiny on text: not decided" in first_words and first_words in text
    named = ["Repetition wells", "Across models", "Across layers", "Layer × energy"]
    named += ["Text or random tokens", "Comparisons", "Lowest states"]
    assert re.findall(r"<summary>(.*?)</summary>", page)[:-1] == named
    linked = {unquote(path) for path in re.findall(r"resultPath: (.*?)\}\)", page)}
    results = place.work / "results"
    shown = [*(results / "figures").rglob("*.svg"), *(results / "lowest").rglob("*.html")]
    assert linked == {json.dumps(str(path.relative_to(place.work))) for path in shown}
    assert '"results/wells.csv"' in unquote(page)
    for target in ("Mechanics", "Generation", "Criticality"):
        assert target not in text.partition("What made it")[0]
    assert '"code":' in text.partition("What made it")[2]


def test_a_finished_run_has_nothing_to_do(altered):
    before = {path: path.stat().st_mtime_ns for path in (altered.work / "results").rglob("*")}
    assert altered.run() == set()
    after = {path: path.stat().st_mtime_ns for path in (altered.work / "results").rglob("*")}
    assert after == before


def test_every_stage_is_a_target(finished):
    """All but these two are part of the finished run, or have nothing to do in this study."""
    stages = set(STAGES) - {"mechanics", "explorer"}
    said = finished.snakemake("--dry-run", *sorted(stages))
    assert said.code == 0, said.text
    assert announced(said.text) == set()


@pytest.mark.parametrize("target", ["all", "mechanics"])
def test_only_those_who_ask_for_it_steer(tmp_path, target):
    """The default configuration tells how to steer, which takes minutes of its own."""
    said = snakemake("--dry-run", target, directory=tmp_path, configfile=REPO / "config.yaml")
    assert said.code == 0, said.text
    jobs = announced(said.text)
    assert any(job.startswith("Measuring energies") for job in jobs)
    assert not any(word in job for job in jobs for word in ("teer", "ontinu", "decod"))
