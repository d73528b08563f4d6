"""A source that is refused, as a user of Snakemake sees it."""

from tests.runs import TINY_STUDY


def test_a_failed_job_shows_its_sentence(pristine, tmp_path_factory):
    """In the terminal and in the rule's log; what does not depend on it is still made."""
    place = pristine.copy(tmp_path_factory.mktemp("bad"))
    (place.work / "inputs/tiny/tokenizer.json").write_text("{")
    study = TINY_STUDY | {"models": {"tiny": TINY_STUDY["models"]["tiny"]}}
    said = place.snakemake("--cores=2", study=study)
    sentence = (place.work / "logs/copy_local_model/tiny.log").read_text().splitlines()[-1]
    assert sentence.startswith(
        "error: models.tiny.path: inputs/tiny cannot be loaded as a fast tok"
    )
    assert said.code == 1
    assert said.text.splitlines().count(sentence) >= 1, said.text
    assert "Traceback" not in said.text
    assert (place.work / "results/corpora/text.parquet").is_file()
    assert not (place.work / "results/models/tiny/SHA256SUMS").exists()
