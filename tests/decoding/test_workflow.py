"""Decoding through the real command line: its own target, its tables, and what reruns."""

import copy
import csv

import pyarrow.parquet as pq
import pytest
import torch

from tests.steering.steered import PAIR, rows_of, runner, steered_study
from tests.tiny import tiny_model
from workflow_scripts.decoding.continue_prompts import continue_prompts
from workflow_scripts.semstat.decoding.columns import CONTINUATIONS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.loops import repetition
from workflow_scripts.semstat.tables import provenance_of, read_table

METHODS = ["greedy", "block", "steering", "penalty", "contrastive", "nucleus"]


@pytest.fixture(scope="module")
def study():
    return steered_study()


@pytest.fixture(scope="module")
def place(finished, study, tmp_path_factory):
    """The finished tiny study, with decoding run beside it."""
    place = finished.copy(tmp_path_factory.mktemp("decoded"))
    assert place.would_run(study=study) == set(), "decoding is no part of the default target"
    jobs = place.run("decoding", study=study)
    assert jobs == {
        "Continuing prompts of text by tiny",
        "Describing decodings of text by tiny",
        "Drawing decodings of text by tiny",
        "Tabulating decodings",
    }
    return place


def test_continuations_are_saved_with_their_prompts(place):
    rows = rows_of(place, "decoding/continuations")
    assert [row["method"] for row in rows[::5]] == METHODS and len(rows) == 5 * len(METHODS)
    model = tiny_model()
    for row in rows:
        text = (place.work / f"inputs/texts/{row['doc']:02d}.txt").read_text()
        assert row["prompt"] == text[:12], "the tiny tokenizer's tokens are bytes"
        assert len(row["tokens"]) == len(row["steered"]) == 16
        assert row["rep_4"] == pytest.approx(repetition(row["tokens"], 4))
        assert any(row["steered"]) <= (row["method"] == "steering")
    greedy = rows[0]
    prompt = pq.ParquetFile(place.work / f"results/tokens/{PAIR}/shard=0.parquet").read()
    ids = torch.tensor([prompt["tokens"][0].as_py()[:13]])
    with torch.no_grad():
        # The prefix token is also the padding token, which would be masked.
        seen = {"attention_mask": torch.ones_like(ids), "eos_token_id": None}
        own = model.generate(ids, max_new_tokens=16, do_sample=False, **seen)
        assert own[0, 13:].tolist() == greedy["tokens"]
        log_p = model(own).logits[0].log_softmax(-1)[12:-1].gather(1, own[0, 13:, None])
    assert greedy["surprisal"] == pytest.approx(-log_p.mean().item(), rel=1e-3)
    with (place.work / f"results/decoding/texts/{PAIR}.csv").open(newline="") as file:
        readable = list(csv.DictReader(file))
    assert [row["method"] for row in readable[:6]] == METHODS
    assert {row["continuation"] for row in readable} == {row["continuation"] for row in rows}


def test_methods_are_described_and_put_together(place):
    described = rows_of(place, "decoding/decodings")
    assert [row["method"] for row in described] == METHODS
    with (place.work / "results/decoding/decodings.csv").open(newline="") as file:
        assert [row["method"] for row in csv.DictReader(file)] == METHODS


def test_everything_says_what_made_it(place):
    for kind in ("continuations", "decodings"):
        path = place.work / f"results/decoding/{kind}/{PAIR}.parquet"
        provenance = provenance_of(pq.ParquetFile(path).schema_arrow)
        assert provenance["model"]["model"] == "tiny" and provenance["tokens"]["dataset"] == "text"
        assert provenance["dtype"] == "float32" and "commit" in provenance["written by"]
    for suffix in ("svg", "pdf"):
        figure = place.work / f"results/figures/decoding/{PAIR}/decodings.{suffix}"
        assert figure.stat().st_size > 3000


def test_only_what_depends_on_a_change_runs_again(place, study):
    assert place.would_run("decoding", study=study) == set()
    other = copy.deepcopy(study)
    other["steering"][0]["effects"] = [0.01, 0.3]
    assert place.would_run("decoding", study=other) == set()
    other["steering"][0]["decoding"]["margin"] = 2.0
    jobs = place.would_run("decoding", study=other)
    assert "Continuing prompts of text by tiny" in jobs
    assert "Steering states of tiny on text" not in jobs


def test_a_pair_that_is_not_steered_is_one_sentence(place, study):
    target = "results/figures/decoding/model=tiny-random/dataset=text/decodings.svg"
    said = place.snakemake("--dry-run", target, study=study)
    assert said.code == 1
    assert "tiny-random on text is not steered; add an entry to `steering`" in said.text


@pytest.fixture
def run(tmp_path):
    return runner(tmp_path)


def test_short_documents_are_passed_over(run, tmp_path):
    options = ["--layer", 1, "--prompts", 2, "--prompt-tokens", 8, "--continue-by", 6]
    folder = run(continue_prompts, *options, "--csv", tmp_path / "out.csv")
    assert len(read_table(folder / "out.parquet", CONTINUATIONS)) == 2 * len(METHODS)


TOO_LONG = "69 positions are more than the 64 that tiny was made for; lower it"
TOO_FEW = "datasets.text: 2 documents have 8 tokens, and 3 of them are wanted; lower `prompts` or "


@pytest.mark.parametrize(
    ("prompts", "continue_by", "expected"),
    [(2, 60, f"^steering.decoding.continue_by: {TOO_LONG}"), (3, 6, f"^{TOO_FEW}")],
)
def test_what_cannot_be_continued_is_one_sentence(run, tmp_path, prompts, continue_by, expected):
    options = ["--layer", 1, "--prompts", prompts, "--prompt-tokens", 8]
    options += ["--continue-by", continue_by, "--csv", tmp_path / "out.csv"]
    with pytest.raises(InputError, match=expected):
        run(continue_prompts, *options)
    assert not (tmp_path / "out.parquet").exists()
