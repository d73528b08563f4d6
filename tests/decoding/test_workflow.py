"""Decoding through the real command line: its own target, its tables, and what reruns."""

import copy
import csv

import pyarrow.parquet as pq
import pytest
import torch

from tests.decoding.continued import PAIR, continued_study
from tests.tiny import tiny_model
from workflow_scripts.semstat.decoding.columns import CONTINUATIONS
from workflow_scripts.semstat.decoding.tables import DECODINGS
from workflow_scripts.semstat.generation.loops import repetition
from workflow_scripts.semstat.tables import provenance_of, read_table

POINTS = {
    "greedy": [None],
    "block": [2.0],
    "steering": [1.0],
    "penalty": [1.0, 1.3],
    "contrastive": [0.6],
    "nucleus": [0.5, 0.9],
    "beams": [2.0],
}
"""Values of each condition."""

DRAWING = {
    "Drawing what decodings of text by tiny trade",
    "Drawing repetition by tiny on text against entropy",
    "Drawing costs of decodings of text by tiny",
}
"""Jobs of figures."""


@pytest.fixture(scope="module")
def study():
    return continued_study()


@pytest.fixture(scope="module")
def place(finished, study, tmp_path_factory):
    """The finished tiny study, with decoding run beside it."""
    place = finished.copy(tmp_path_factory.mktemp("decoded"))
    assert place.would_run(study=study) == set(), "decoding is no part of the default target"
    jobs = place.run("decoding", study=study)
    assert jobs == {
        *(f"Continuing prompts of text by tiny, {name}" for name in POINTS),
        *(f"Describing prompts of text continued by tiny, {name}" for name in POINTS),
        "Putting continuations by tiny beside prompts of text",
        *DRAWING,
        "Tabulating decodings",
    }
    return place


def rows_of(place, kind, condition, schema):
    path = place.work / f"results/decoding/{kind}/{PAIR}/condition={condition}.parquet"
    return read_table(path, schema).to_pylist()


@pytest.mark.parametrize("name", POINTS)
def test_continuations_are_saved_with_their_prompts(place, name):
    rows = rows_of(place, "continuations", name, CONTINUATIONS)
    assert [(row["value"], row["doc"]) for row in rows] == [
        (value, doc) for value in POINTS[name] for doc in range(8)
    ]
    for row in rows:
        text = (place.work / f"inputs/texts/{row['doc']:02d}.txt").read_text()
        assert row["prompt"] == text[:12], "the tiny tokenizer's tokens are bytes"
        assert len(row["tokens"]) == len(row["steered"]) == 16
        assert row["rep_4"] == pytest.approx(repetition(row["tokens"], 4))
        assert row["condition"] == row["method"] == name
        assert any(row["steered"]) <= (name == "steering")
        assert (row["drawn_entropy"] > 0) == (name == "nucleus")
        reread = pytest.approx(row["reread_fluctuation"], rel=1e-5)
        assert row["energy_fluctuation"] == reread or any(row["steered"])


def test_greedy_text_is_that_of_the_model_and_so_are_its_numbers(place):
    greedy = rows_of(place, "continuations", "greedy", CONTINUATIONS)[0]
    prompt = pq.ParquetFile(place.work / f"results/tokens/{PAIR}/shard=0.parquet").read()
    ids = torch.tensor([prompt["tokens"][0].as_py()[:13]])
    model = tiny_model()
    with torch.no_grad():
        # The prefix token is also the padding token, which would be masked.
        seen = {"attention_mask": torch.ones_like(ids), "eos_token_id": None}
        own = model.generate(ids, max_new_tokens=16, do_sample=False, **seen)
        assert own[0, 13:].tolist() == greedy["tokens"]
        p = model(own).logits[0, 12:-1].double().softmax(-1)
    chosen, last = (p.gather(1, token[:, None]) for token in (own[0, 13:], own[0, 12:-1]))
    assert greedy["surprisal"] == pytest.approx(-chosen.log().mean().item(), rel=1e-3)
    assert greedy["energy"] == pytest.approx((chosen - last).mean().item(), rel=1e-3)
    assert greedy["below_zero"] == (chosen < last).double().mean().item()
    assert greedy["entropy"] == pytest.approx(torch.special.entr(p).sum(-1).mean().item(), rel=1e-3)
    (one, *_) = rows_of(place, "continuations", "penalty", CONTINUATIONS)
    assert one["value"] == 1.0 and one["tokens"] == greedy["tokens"], "1 penalises nothing"


def test_texts_stand_below_each_other_prompt_by_prompt(place):
    with (place.work / f"results/decoding/texts/{PAIR}.csv").open(newline="") as file:
        readable = list(csv.DictReader(file))
    of_doc = [name for name, values in POINTS.items() for _ in values]
    assert [row["condition"] for row in readable] == of_doc * 8
    assert [row["doc"] for row in readable[:: len(of_doc)]] == [str(doc) for doc in range(8)]
    nucleus = rows_of(place, "continuations", "nucleus", CONTINUATIONS)
    assert {row["continuation"] for row in readable if row["condition"] == "nucleus"} == {
        row["continuation"] for row in nucleus
    }


def test_methods_are_described_and_put_together(place):
    for name, values in POINTS.items():
        described = rows_of(place, "decodings", name, DECODINGS)
        assert [row["value"] for row in described] == values
        assert {row["prompts"] for row in described} == {8}
    with (place.work / "results/decoding/decodings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["condition"] for row in rows] == [
        name for name, values in POINTS.items() for _ in values
    ]


def test_everything_says_what_made_it(place):
    for kind in ("continuations", "decodings"):
        path = place.work / f"results/decoding/{kind}/{PAIR}/condition=nucleus.parquet"
        provenance = provenance_of(pq.ParquetFile(path).schema_arrow)
        assert provenance["model"]["model"] == "tiny" and provenance["tokens"]["dataset"] == "text"
        assert provenance["dtype"] == "float32" and "commit" in provenance["written by"]
        assert provenance["method"]["mass"] == [0.5, 0.9]
    for name in ("tradeoffs", "doses", "costs"):
        for suffix in ("svg", "pdf"):
            figure = place.work / f"results/figures/decoding/{PAIR}/{name}.{suffix}"
            assert figure.stat().st_size > 3000


def test_only_what_depends_on_a_change_runs_again(place, study):
    together = {
        "Putting continuations by tiny beside prompts of text",
        *DRAWING,
        "Tabulating decodings",
    }

    def of(name):
        return {
            f"Continuing prompts of text by tiny, {name}",
            f"Describing prompts of text continued by tiny, {name}",
        }

    assert place.would_run("decoding", study=study) == set()
    other = copy.deepcopy(study)
    conditions = other["decoding"][0]["conditions"]
    conditions["nucleus"]["mass"] = [0.5, 0.9]
    assert place.would_run("decoding", study=other) == set(), "order means nothing"
    conditions["nucleus"]["mass"] = [0.5, 0.9, 0.95]
    assert place.would_run("decoding", study=other) == of("nucleus") | together
    other = copy.deepcopy(study)
    other["decoding"][0]["conditions"]["tail"] = {"method": "min_p"}
    assert place.would_run("decoding", study=other) == of("tail") | together


def test_a_pair_that_is_not_continued_is_one_sentence(place, study):
    target = "results/figures/decoding/model=tiny-random/dataset=text/tradeoffs.svg"
    said = place.snakemake("--dry-run", target, study=study)
    assert said.code == 1
    assert "tiny-random on text is not continued; add an entry to `decoding`" in said.text
