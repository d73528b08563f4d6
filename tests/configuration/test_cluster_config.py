"""The study that a user of a cluster starts from: nothing of it is fetched here."""

import re

import pytest
import yaml

from tests.runs import REPO, announced, snakemake
from workflow_scripts.configuration.study import resolve

CLUSTER = REPO / "config" / "cluster.yaml"


@pytest.fixture(scope="module")
def study():
    return resolve(yaml.safe_load(CLUSTER.read_text()))


def test_it_covers_many_models_of_many_families(study):
    models = study["models"]
    assert len(models) >= 18
    families = {re.split(r"[-_.\d]", name)[0].lower() for name in models}
    assert len(families) >= 5, families
    pinned = [spec for spec in models.values() if spec["source"] != "random"]
    assert all(re.fullmatch("[0-9a-f]{40}", spec["revision"]) for spec in pinned)
    pins = [(spec["hub"], spec["revision"]) for spec in pinned]
    assert len(set(pins)) == len(pins), "two entries name one model"


def test_it_reads_out_first_and_last_layer_of_each(study):
    for name, spec in study["models"].items():
        assert spec["layers"][0] == 0, name
        assert spec["layers"][-1] == spec["blocks"], name
        assert len(spec["layers"]) >= 4, name


def test_its_graph_is_known_before_anything_is_fetched(study, tmp_path):
    said = snakemake("--dry-run", directory=tmp_path, configfile=CLUSTER)
    assert said.code == 0, said.text
    jobs = announced(said.text)
    for model in study["models"]:
        for dataset, spec in study["datasets"].items():
            for shard in range(spec["shards"]):
                assert f"Measuring energies of {model} on {dataset}, shard {shard}" in jobs
    assert len([job for job in jobs if job.startswith("Fetching model")]) == len(study["models"])
    assert {path.name for path in tmp_path.iterdir()} <= {".snakemake", "logs"}
