"""A source that is refused, as a user of Snakemake sees it."""

from tests.runs import changed


def test_a_failed_job_shows_its_sentence(pristine, tmp_path_factory):
    """In the terminal and in the rule's log; what does not depend on it is still made."""
    place = pristine.copy(tmp_path_factory.mktemp("bad"))
    study = changed("models/tiny/blocks", 4)
    del study["models"]["tiny-random"]
    said = place.snakemake("--cores=2", study=study)
    sentence = "error: models.tiny.blocks: the configuration says 4, the model has 3; correct it"
    assert said.code == 1
    assert said.text.splitlines().count(sentence) >= 1, said.text
    assert "Traceback" not in said.text
    assert (place.work / "logs/copy_local_model/tiny.log").read_text().splitlines()[-1] == sentence
    assert (place.work / "results/corpora/text.parquet").is_file()
    assert not (place.work / "results/models/tiny/SHA256SUMS").exists()
