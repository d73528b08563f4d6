"""Steering through the real command line: its own target, its tables, and what reruns."""

import copy
import csv
import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.runs import TINY_STUDY
from tests.tiny import VOCABULARY, save_tiny_model, tiny_model
from workflow_scripts.decoding import continue_prompts
from workflow_scripts.semstat.decoding.columns import CONTINUATIONS
from workflow_scripts.semstat.decoding.measures import repetition
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.steering.columns import STEERED_STATES
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.steering import steer_states

PAIR = "model=tiny/dataset=text"
STEERING = {
    "model": "tiny",
    "dataset": "text",
    "layers": [1, 3],
    "documents": 6,
    "position": 9,
    "quantities": ["correct", "entropy"],
    "effects": [0.01, 0.2],
    "directions": 2,
    "decoding": {"layer": 2, "prompts": 5, "prompt_tokens": 12, "continue_by": 16, "ngram": 2},
}
METHODS = ["greedy", "block", "steering", "penalty", "contrastive", "nucleus"]


@pytest.fixture(scope="module")
def study():
    return copy.deepcopy(TINY_STUDY) | {"steering": [copy.deepcopy(STEERING)]}


@pytest.fixture(scope="module")
def place(finished, study, tmp_path_factory):
    """The finished tiny study, with steering run beside it."""
    place = finished.copy(tmp_path_factory.mktemp("steered"))
    assert place.would_run(study=study) == set(), "steering is no part of the default target"
    jobs = place.run("steering", study=study)
    assert jobs == {
        "Steering states of tiny on text",
        "Describing steering: effects of tiny on text",
        "Drawing steering: effects of tiny on text",
        "Continuing prompts of text by tiny",
        "Describing steering: decodings of tiny on text",
        "Drawing steering: decodings of tiny on text",
        "Tabulating steering: effects",
        "Tabulating steering: decodings",
    }
    return place


def rows_of(place, kind):
    path = place.work / f"results/steering/{kind}/{PAIR}.parquet"
    return pq.ParquetFile(path).read().to_pylist()


def test_states_are_steered_as_far_as_is_asked(place):
    rows = rows_of(place, "states")
    assert len(rows) == 2 * 2 * 6 * 2, "layers, quantities, documents, effects"
    assert {row["quantity"] for row in rows} == {"correct", "entropy"}
    small = [row for row in rows if row["reachable"] and row["effect"] == 0.01]
    errors = [abs(row["linear"] / row["effect"] - 1) for row in small]
    assert len(small) > 20 and np.median(errors) < 0.05
    for row in small:
        if row["norm"] is not None:
            assert row["norm"] == pytest.approx(row["effect"] / row["slope"], rel=0.5)
            assert row["ascent_norm"] is None or row["ascent_norm"] > 0.5 * row["norm"]
            assert row["random_norm"] is None or row["random_norm"] > 0.9 * row["norm"]
    beyond = [row for row in rows if row["quantity"] == "correct" and row["before"] > -0.2]
    for row in beyond:
        assert row["reachable"] == (row["before"] + row["effect"] < 0)


def test_the_table_and_its_averages(place):
    (rows, described) = rows_of(place, "states"), rows_of(place, "effects")
    assert len(described) == 2 * 2 * 2
    for row in described:
        chosen = [
            other["norm"] / other["state_norm"]
            for other in rows
            if all(other[key] == row[key] for key in ("layer", "quantity", "effect"))
            and other["norm"] is not None
        ]
        assert row["share"] == pytest.approx(np.exp(np.mean(np.log(chosen))))
        assert row["share_low"] < row["share"] < row["share_high"]
    with (place.work / "results/steering/effects.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(described)


def test_continuations_are_saved_with_their_prompts(place):
    rows = rows_of(place, "continuations")
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
    with (place.work / f"results/steering/texts/{PAIR}.csv").open(newline="") as file:
        readable = list(csv.DictReader(file))
    assert [row["method"] for row in readable[:6]] == METHODS
    assert {row["continuation"] for row in readable} == {row["continuation"] for row in rows}


def test_everything_says_what_made_it(place):
    for kind in ("states", "effects", "continuations", "decodings"):
        path = place.work / f"results/steering/{kind}/{PAIR}.parquet"
        provenance = provenance_of(pq.ParquetFile(path).schema_arrow)
        assert provenance["model"]["model"] == "tiny" and provenance["tokens"]["dataset"] == "text"
        assert provenance["dtype"] == "float32" and "commit" in provenance
    for name in ("effects", "decodings"):
        for suffix in ("svg", "pdf"):
            figure = place.work / f"results/figures/steering/{PAIR}/{name}.{suffix}"
            assert figure.stat().st_size > 3000


def test_only_what_depends_on_a_change_runs_again(place, study):
    assert place.would_run("steering", study=study) == set()
    other = copy.deepcopy(study)
    other["steering"][0]["effects"] = [0.2, 0.01]
    assert place.would_run("steering", study=other) == set(), "order means nothing"
    other["steering"][0]["effects"] = [0.01, 0.3]
    jobs = place.would_run("steering", study=other)
    assert "Steering states of tiny on text" in jobs
    assert "Continuing prompts of text by tiny" not in jobs
    other = copy.deepcopy(study)
    other["steering"][0]["decoding"]["margin"] = 2.0
    jobs = place.would_run("steering", study=other)
    assert "Continuing prompts of text by tiny" in jobs
    assert "Steering states of tiny on text" not in jobs


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """Command-line arguments of a snapshot and a shard of tokens; runs a command on them."""
    snapshot = save_tiny_model(tmp_path / "tiny")
    (snapshot / "provenance.json").write_text(json.dumps({"vocabulary": VOCABULARY}))
    tokens = [list(range(1, 40)), list(range(2, 50)), [0, 1]]
    table = pa.Table.from_pydict({"doc": [0, 1, 2], "tokens": tokens}, schema=TOKENS)
    write_table(tmp_path / "tokens.parquet", table, {"dataset": "text"})
    given = ["--model", snapshot, "--tokens", tmp_path / "tokens.parquet", "--dataset", "text"]
    given += ["--device", "cpu", "--out", tmp_path / "out.parquet"]

    def run(command, *options):
        monkeypatch.setattr(sys, "argv", [command.__name__, *map(str, [*given, *options])])
        command.main()
        return tmp_path

    return run


def test_short_documents_are_passed_over_and_numbers_do_not_depend_on_the_others(inputs):
    options = ["--layers", 2, "--position", 9, "--effects", 0.1, "--quantities", "last"]
    folder = inputs(steer_states, *options, "--documents", 2)
    both = read_table(folder / "out.parquet", STEERED_STATES).to_pylist()
    inputs(steer_states, *options, "--documents", 1)
    (alone,) = read_table(folder / "out.parquet", STEERED_STATES).to_pylist()
    assert [row["doc"] for row in both] == [0, 1]
    assert alone["norm"] == pytest.approx(both[0]["norm"], rel=1e-3)
    assert both[0]["effect"] == -0.1, "the last token's probability is lowered"
    options = ["--layer", 1, "--prompts", 2, "--prompt-tokens", 8, "--continue-by", 6]
    inputs(continue_prompts, *options, "--csv", folder / "out.csv")
    assert len(read_table(folder / "out.parquet", CONTINUATIONS)) == 2 * len(METHODS)


@pytest.mark.parametrize(
    ("command", "options", "expected"),
    [
        (steer_states, ["--layers", 4, "--documents", 1, "--position", 9], "^steering: layer 4 d"),
        (steer_states, ["--layers", 1, "--documents", 3, "--position", 9], "text: 2 documents hav"),
        (
            continue_prompts,
            ["--layer", 1, "--prompts", 2, "--prompt-tokens", 8, "--continue-by", 60],
            "^steering: 69 tokens are more than the 64 positions that tiny was made for; lower ",
        ),
    ],
)
def test_what_cannot_be_steered_is_one_sentence(inputs, tmp_path, command, options, expected):
    more = ["--csv", tmp_path / "out.csv"] if command is continue_prompts else []
    with pytest.raises(InputError, match=expected):
        inputs(command, *options, *more)
    assert not (tmp_path / "out.parquet").exists()
