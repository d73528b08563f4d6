"""Mechanics through the whole command line, from the energies of a finished run."""

import base64
import copy
import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.runs import TINY_STUDY, command, complaint
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.mechanics.numbers import document_numbers
from workflow_scripts.semstat.mechanics.tables import MECHANICS
from workflow_scripts.semstat.mechanics.terms import PLACES, documents_of
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table

MODELS, LAYERS = list(TINY_STUDY["models"]), TINY_STUDY["measurement"]["layers"]
FOUND = "results/mechanics/model={}/dataset=text.parquet"
FIGURES = "results/figures/mechanics"
MEASURED = "results/energies/model={}/dataset=text/layer={}/shard={}.parquet"


@pytest.fixture(scope="module")
def study():
    """The tiny study of its text alone."""
    study = copy.deepcopy(TINY_STUDY)
    study["datasets"] = {"text": study["datasets"]["text"]}
    return study


@pytest.fixture(scope="module")
def place(finished, study, tmp_path_factory):
    place = finished.copy(tmp_path_factory.mktemp("mechanics"))
    jobs = place.run("mechanics", study=study)
    assert jobs == {
        *(f"Summing trajectories of {m} on text, shard {s}" for m in MODELS for s in range(2)),
        "Describing mechanics",
        "Tabulating mechanics",
        "Contrasting the mechanics of trained and random models",
        "Drawing mechanics",
        "Drawing trajectories of tiny on text",
    }, "nothing is measured again"
    return place


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_numbers_are_averages_over_all_documents_of_all_shards(place):
    energies = {
        layer: [
            read_table(place.work / MEASURED.format("tiny", layer, shard), ENERGIES)
            for shard in range(2)
        ]
        for layer in LAYERS
    }
    table = read_table(place.work / FOUND.format("tiny"), MECHANICS)
    hidden = provenance_of(table.schema)["model"]["hidden"]
    rows = table.to_pylist()
    assert {(row["layer"], row["place"]) for row in rows} == {
        (layer, at) for layer in LAYERS for at in PLACES
    }
    for layer in LAYERS:
        numbers = []
        for measured, embedded in zip(energies[layer], energies[0], strict=True):
            column = {name: measured[name].to_numpy() for name in measured.column_names}
            if layer:
                column["normed_embedding_speed"] = embedded["normed_speed"].to_numpy()
            found = [document_numbers(d, "after_norm", hidden) for d in documents_of(column)]
            numbers += [of for of in found if of is not None]
        [row] = [
            row for row in rows
            if (row["layer"], row["place"], row["form"]) == (layer, "after_norm", "lagrangian")
            and (row["kinetic"], row["potential"]) == ("log_speed", "entropy")
        ]  # fmt: skip
        assert row["documents"] == len(numbers) > 4
        for name in ("mean", "cv", "drift", "variance_ratio", "ratio_order", "ratio_embedding"):
            value = np.mean([of[name][1, 3, 1] for of in numbers])
            assert row[name] == (None if np.isnan(value) else pytest.approx(value)), name
        assert (row["ratio_embedding"] is None) == (layer == 0)


def test_tables_hold_every_model_and_the_contrast_of_the_trained_with_its_twin(place):
    rows = rows_of(place.work / "results/mechanics.csv")
    tables = [pq.read_table(place.work / FOUND.format(model)) for model in MODELS]
    assert len(rows) == sum(map(len, tables))
    assert [row["model"] for row in rows] == [m for t in tables for m in t["model"].to_pylist()]
    contrast = rows_of(place.work / "results/mechanics_of_training.csv")
    assert len(contrast) == len(tables[0])
    for row, trained, random in zip(contrast, *(t.to_pylist() for t in tables), strict=True):
        assert (row["model"], row["random"]) == ("tiny", "tiny-random")
        difference = trained["cv"] - random["cv"]
        assert float(row["cv_difference"]) == pytest.approx(difference, rel=1e-3, abs=1e-3)
        half = np.hypot(*(of["cv_high"] - of["cv"] for of in (trained, random)))
        high = float(row["cv_difference_high"])
        assert high - difference == pytest.approx(half, rel=2e-3, abs=1e-3)


def test_figures_are_drawn_of_every_dataset_and_of_every_trained_model(place):
    made = {
        str(path.relative_to(place.work / FIGURES)) for path in (place.work / FIGURES).rglob("*.*")
    }
    figures = ["variance_ratio/dataset=text", "cv/dataset=text"]
    figures.append("trajectories/model=tiny/dataset=text")
    assert made == {f"{figure}.{kind}" for figure in figures for kind in ("svg", "pdf")}
    svg = (place.work / FIGURES / "trajectories/model=tiny/dataset=text.svg").read_text()
    assert "tiny, layer 3" in svg and "tiny-random, layer 3" in svg


def test_the_report_of_the_target_has_its_tables_and_figures(place, study):
    said = place.snakemake("mechanics", "--report", "results/mechanics.html", study=study)
    assert said.code == 0, said.text
    report = (place.work / "results/mechanics.html").read_text()
    for name in ("mechanics.csv", "mechanics_of_training.csv"):
        content = (place.work / "results" / name).read_bytes()
        assert base64.b64encode(content).decode() in report
    # Variance ratio, cv, and the trajectories of the only model with trained weights.
    assert report.count("data:image/svg+xml;charset=utf8;filename=dataset=text.svg") == 3


def test_another_layer_or_the_estimators_leave_the_sums_as_they_are(place, study):
    """What is told of the sums may change without reading the energies again."""
    study = copy.deepcopy(study)
    study["curves"]["confidence"] = 0.9
    jobs = place.would_run("mechanics", study=study)
    assert "Describing mechanics" in jobs
    assert not any(job.startswith(("Summing", "Measuring")) for job in jobs)


def test_documents_that_are_too_short_are_one_sentence(place, tmp_path):
    path = tmp_path / "energies.parquet"
    table = read_table(place.work / MEASURED.format("tiny", 3, 0), ENERGIES)
    short = table.filter(np.array(table["position"]) < 4)
    write_table(path, short.replace_schema_metadata(), provenance_of(table.schema))
    sums = tmp_path / "sums.parquet"
    assert command("mechanics.sum_trajectories", path, "--out", sums, cwd=tmp_path).code == 0
    said = command(
        "mechanics.describe_mechanics", sums, "--out", tmp_path / "out.parquet", cwd=tmp_path
    )
    complaint(said, "datasets.text", "layer 3", "tokens_per_document")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["energies.parquet", "sums.parquet"]
