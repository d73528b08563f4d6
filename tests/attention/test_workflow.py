"""The stage through the real command line: its tables, its figures, and what reruns."""

import copy
import csv

import numpy as np
import pytest

from tests.results import energies_path
from tests.runs import TINY_STUDY
from workflow_scripts.attention.joining import copies_by_shard, read_layer
from workflow_scripts.semstat.attention.columns import ATTENTION
from workflow_scripts.semstat.attention.tables import ASSOCIATIONS, GROUPS, PLACES, SUMS, VOLUMES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table

ENTRY = {"model": ["tiny", "tiny-random"], "dataset": "text", "quantiles": 3, "draws": 20}
STUDY = copy.deepcopy(TINY_STUDY) | {"attention": [ENTRY]}
LAYERS = TINY_STUDY["measurement"]["layers"]
FIGURES = {"groups", "entropies", "associations", "map", "places"}


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """The finished tiny study, with attention beside it."""
    place = finished.copy(tmp_path_factory.mktemp("attention"))
    assert place.would_run(study=STUDY) == set(), "attention is no part of the default target"
    jobs = place.run("attention", study=STUDY)
    assert "Measuring attention of tiny on text, shard 1" in jobs
    assert not any(job.startswith("Measuring energies") for job in jobs)
    return place


def attention_path(place, layer, shard, model="tiny"):
    folder = f"results/attention/states/model={model}/dataset=text/layer={layer}"
    return place.work / folder / f"shard={shard}.parquet"


def tokens_paths(place):
    folder = place.work / "results/tokens/model=tiny/dataset=text"
    return [folder / f"shard={shard}.parquet" for shard in (0, 1)]


def table(place, kind, schema, model="tiny"):
    path = f"results/attention/{kind}/model={model}/dataset=text.parquet"
    return read_table(place.work / path, schema)


@pytest.mark.parametrize("layer", LAYERS)
def test_rows_join_the_energies_one_to_one(place, layer):
    pairs = [
        (
            energies_path(place.work / "results", "tiny", "text", layer, shard),
            attention_path(place, layer, shard),
        )
        for shard in (0, 1)
    ]
    columns, provenance = read_layer(pairs, copies_by_shard(tokens_paths(place)))
    assert provenance["layer"] == layer and provenance["heads"] is None
    assert len(columns["sink"]) == len(columns["energy"]) > 500
    assert np.isfinite(columns["stable_rank"]).mean() > 0.9
    assert np.isfinite(columns["sink"]).all() == (layer > 0)
    assert np.isnan(columns["unspent"]).all()
    if layer:
        total = columns["sink"] + columns["itself"]
        assert ((total > 0) & (columns["row_entropy"] <= 1)).all()


def test_files_of_other_states_are_refused(place, tmp_path):
    energies = energies_path(place.work / "results", "tiny", "text", 1, 0)
    with pytest.raises(InputError, match=r"shard=1\.parquet: of another \w+ than .*cannot be jo"):
        read_layer([(energies, attention_path(place, 1, 1))], {})
    own = read_table(attention_path(place, 1, 0), ATTENTION)
    provenance = provenance_of(own.schema)
    for rows, facts, what in [
        (own.slice(1), provenance, "states"),
        (own, provenance | {"context": 7}, "context"),
    ]:
        write_table(tmp_path / "other.parquet", rows, facts)
        with pytest.raises(InputError, match=f"of another {what} than"):
            read_layer([(energies, tmp_path / "other.parquet")], {})
    with pytest.raises(InputError, match=r"there are none of shard=0\.parquet; give each shard's"):
        read_layer([(energies, attention_path(place, 1, 0))], {})


def test_what_goes_with_low_energy_is_told_at_each_layer(place):
    for model in ("tiny", "tiny-random"):
        groups = table(place, "groups", GROUPS, model).to_pylist()
        assert {row["layer"] for row in groups} == set(LAYERS)
        assert {row["measure"] for row in groups if row["layer"] == 0} == {
            *("stable_rank", "rank_residual", "mean_cosine", "norm")
        }
        for row in groups:
            assert row["below_zero_low"] <= row["below_zero"] <= row["below_zero_high"]
            assert row["least"] <= row["mean"] <= row["most"]
        of_sink = [r for r in groups if (r["layer"], r["measure"]) == (3, "sink")]
        assert [row["group"] for row in of_sink] == [1, 2, 3]
        assert sum(row["states"] for row in of_sink) == sum(
            read_table(attention_path(place, 3, shard, model)).num_rows for shard in (0, 1)
        )
        volumes = table(place, "volumes", VOLUMES, model).to_pylist()
        assert {row["energy"] for row in volumes} >= {0.0}
        for row in table(place, "associations", ASSOCIATIONS, model).to_pylist():
            assert row["partial"] is None or -1 <= row["partial_low"] <= row["partial_high"] <= 1


def test_places_and_sums_are_of_all_states(place):
    states = sum(
        read_table(attention_path(place, 3, shard), ATTENTION).num_rows for shard in (0, 1)
    )
    placed = [
        row
        for row in table(place, "places", PLACES).to_pylist()
        if (row["layer"], row["measure"]) == (3, "energy")
    ]
    assert sum(row["states"] for row in placed) == states
    assert {row["place"] for row in placed} >= {"elsewhere"}
    sums = table(place, "sums", SUMS).to_pylist()
    of_layer = [row for row in sums if row["layer"] == 3]
    assert sum(row["sink_states"] for row in of_layer) == states
    read = [read_table(attention_path(place, 3, shard), ATTENTION)["sink"] for shard in (0, 1)]
    assert sum(row["sink"] for row in of_layer) == pytest.approx(
        sum(float(np.sum(column.to_numpy(), dtype=np.float64)) for column in read)
    )
    assert {row["sink_states"] for row in sums if row["layer"] == 0} == {0}


def test_numbers_and_figures_are_put_together(place):
    for name in ("groups", "associations", "places"):
        with (place.work / f"results/attention/{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["model"] for row in rows} == {"tiny", "tiny-random"}
    for model in ("tiny", "tiny-random"):
        folder = place.work / f"results/figures/attention/model={model}/dataset=text"
        for suffix in ("svg", "pdf"):
            found = {path.stem for path in folder.glob(f"*.{suffix}")}
            assert found == FIGURES
    own = (place.work / "results/figures/attention/model=tiny/dataset=text/map.svg").stat()
    twin = (place.work / "results/figures/attention/model=tiny-random/dataset=text/map.svg").stat()
    assert own.st_size > twin.st_size, "the twin is drawn beside its model"


def test_only_what_depends_on_a_change_runs_again(place):
    assert place.would_run("attention", study=STUDY) == set()
    other = copy.deepcopy(STUDY)
    other["attention"][0]["quantiles"] = 4
    jobs = place.would_run("attention", study=other)
    assert "Describing what goes with low energy of tiny on text" in jobs
    assert not any(job.startswith("Measuring") for job in jobs)
    other["attention"][0]["heads"] = [1]
    jobs = place.would_run("attention", study=other)
    assert "Measuring attention of tiny on text, shard 0" in jobs
    assert not any(job.startswith("Measuring energies") for job in jobs)


def test_a_pair_that_is_not_named_and_a_head_that_is_not_there_are_one_sentence(place):
    target = "results/attention/groups/model=tiny/dataset=text-shuffled.parquet"
    said = place.snakemake("--dry-run", target, study=STUDY)
    assert said.code == 1
    assert "tiny on text-shuffled is not measured; add an entry to `attention`" in said.text
    study = copy.deepcopy(STUDY)
    study["attention"][0]["heads"] = [1, 4]
    target = str(attention_path(place, 1, 0).relative_to(place.work))
    said = place.snakemake("--cores", "1", target, study=study)
    assert said.code == 1
    (error,) = {line for line in said.text.splitlines() if line.startswith("error: ")}
    assert error == (
        "error: attention (model tiny): head 4 does not exist (heads are 0 to 3); correct `heads`"
    )
