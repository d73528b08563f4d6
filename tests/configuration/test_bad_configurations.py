"""Bad configurations, given to the real command line: one sentence each, and nothing is run."""

import shutil

import pytest

from tests.runs import changed


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("measurement/contxt", 48, ["measurement.contxt: unknown key", "`context`"]),
        ("models/tiny/seed", 48, ["models.tiny.seed: unknown key", "known keys"]),
        ("models/tiny/layers", [0, 4], ["models.tiny.layers: layer 4", "layers 0 to 3"]),
        ("models/tiny/path", "no/model", ["models.tiny.path: no folder no/model", "correct"]),
        ("datasets/text/files", "no/*.txt", ["datasets.text.files: no file no/*.txt", "correct"]),
        ("models/tiny", {"source": "path", "path": "x"}, ["models.tiny: `blocks` is missing"]),
    ],
    ids=["unknown key", "foreign key", "layer", "model file", "corpus files", "missing key"],
)
def test_a_wrong_configuration_stops_everything(pristine, tmp_path, key, value, words):
    place = pristine._replace(work=tmp_path)
    shutil.copytree(pristine.work / "inputs", tmp_path / "inputs")
    said = place.snakemake("--cores=1", study=changed(key, value))
    assert said.code != 0
    assert "Traceback" not in said.text
    (sentence,) = (line for line in said.text.splitlines() if words[0] in line)
    assert sentence.startswith(f"{tmp_path / 'study.yaml'}: "), sentence
    for word in words:
        assert word in sentence
    assert len(said.text.strip().splitlines()) <= 5, said.text
    assert not (tmp_path / "results").exists()


def test_a_configuration_that_is_no_yaml(pristine, tmp_path):
    said = pristine._replace(work=tmp_path).snakemake("--cores=1", study="models: [")
    assert said.code != 0
    assert "Traceback" not in said.text
    assert "Config file is not valid" in said.text
