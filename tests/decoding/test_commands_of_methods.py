"""Commands that continue prompts by a method, from files to files."""

import pytest

from tests.steering.steered import runner
from tests.tiny import tiny_model
from workflow_scripts.decoding.continuing import points
from workflow_scripts.decoding.methods.beams import beams
from workflow_scripts.decoding.methods.contrastive import contrastive
from workflow_scripts.decoding.methods.dry import dry
from workflow_scripts.decoding.methods.energy_guard import energy_guard
from workflow_scripts.decoding.methods.go_back import go_back
from workflow_scripts.decoding.methods.greedy import greedy
from workflow_scripts.decoding.methods.nucleus import nucleus
from workflow_scripts.decoding.methods.sampling import sampling
from workflow_scripts.decoding.methods.steering import steering
from workflow_scripts.semstat.decoding.columns import CONTINUATIONS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.tables import provenance_of, read_table

SHAPE = ["--prompts", 2, "--prompt-tokens", 8, "--write", 24, "--condition", "one"]


@pytest.fixture
def write(tmp_path):
    """Rows of what a command writes, with a model that repeats itself now and then."""
    run = runner(tmp_path)
    tiny_model(scale=0.1).save_pretrained(tmp_path / "tiny")

    def rows(command, *options, shape=SHAPE):
        path = run(command, *shape, *options) / "out.parquet"
        return read_table(path, CONTINUATIONS).to_pylist()

    return rows


def but_speed(rows):
    return [{key: row[key] for key in row if key != "tokens_per_second"} for row in rows]


def test_short_documents_are_passed_over(write):
    assert [row["doc"] for row in write(greedy)] == [0, 1]


@pytest.mark.parametrize(
    ("command", "options", "values"),
    [
        (nucleus, ["--mass"], [0.3, 0.6, 0.9]),
        (sampling, ["--sampling-temperature"], [0, 0.5, 2]),
        (dry, ["--allowed-length=1", "--multiplier"], [0.1, 9]),
        (contrastive, ["--alpha"], [0.2, 0.9]),
        (contrastive, ["--alpha=0.9", "--candidates"], [2, 7]),
        (steering, ["--layer=1", "--ngram=2", "--margin"], [0.1, 9]),
        (beams, ["--beams"], [2, 5]),
        (energy_guard, ["--periods=3", "--threshold"], [-0.05, 0, 0.5]),
        (energy_guard, ["--threshold=0.001", "--sampling-temperature=0", "--periods"], [1, 16]),
        (go_back, ["--watch=margin", "--ngram=2", "--threshold"], [-1, 0.05, 0.5]),
        (go_back, ["--watch=energy", "--threshold=0.1", "--branches"], [1, 4]),
    ],
)
def test_each_value_of_a_curve_is_what_it_is_alone(write, command, options, values):
    together = write(command, *options, *values)
    assert [(row["value"], row["doc"]) for row in together] == [
        (value, doc) for value in values for doc in (0, 1)
    ]
    assert {row["parameter"] for row in together} == {options[-1].strip("-").replace("-", "_")}
    alone = [row for value in values for row in write(command, *options, value)]
    for row, other in zip(together, alone, strict=True):
        assert row["tokens"] == other["tokens"] and row["looping"] == other["looping"]
        for name in ("surprisal", "entropy", "energy", "drawn_entropy", "reread_fluctuation"):
            assert row[name] == pytest.approx(other[name], rel=1e-4, abs=1e-6)
    assert len({tuple(row["tokens"]) for row in together}) > 2, (
        "the values differ in what is written"
    )


def test_random_numbers_are_those_of_the_prompt_whatever_draws(write):
    """A method that cuts nothing off writes what sampling writes, for each of its values."""
    sampled = write(sampling, "--sampling-temperature", 0.7, 1)
    whole = write(nucleus, "--mass=1", "--sampling-temperature", 0.7, 1)
    assert [row["tokens"] for row in sampled] == [row["tokens"] for row in whole]
    first = write(sampling, shape=["--prompts", 1, *SHAPE[2:]])
    assert but_speed(first)[0]["tokens"] == sampled[2]["tokens"]
    other = write(sampling, "--seed=1")
    assert [row["tokens"] for row in other] != [row["tokens"] for row in sampled[2:]]


def test_smaller_batches_change_no_text(write):
    one_by_one, together = (
        write(sampling, *options) for options in (["--batch-tokens=1"], ["--batch-tokens=10000"])
    )
    assert [row["tokens"] for row in one_by_one] == [row["tokens"] for row in together]


def test_greedy_has_no_parameter_and_draws_nothing(write, tmp_path):
    plain, cold = write(greedy), write(sampling, "--sampling-temperature=0")
    assert [row["tokens"] for row in plain] == [row["tokens"] for row in cold]
    assert all(row["parameter"] is None and row["value"] is None for row in plain)
    assert all(row["drawn_entropy"] == 0 for row in plain + cold)
    told = provenance_of(read_table(tmp_path / "out.parquet").schema)
    assert told["method"] == {
        "method": "sampling",
        "layer": None,
        "sampling_temperature": [0.0],
    }


def test_what_steering_writes_is_measured_as_it_is_without(write):
    steered, top = (
        write(steering, f"--layer={layer}", "--ngram=2", "--budget=10") for layer in (1, 3)
    )
    for row in steered + top:
        assert any(row["steered"])
        assert row["energy_fluctuation"] != row["reread_fluctuation"]


def test_a_curve_is_over_what_has_several_values_or_comes_first():
    assert [point.value for point in points({"a": [1, 2], "b": [3]})] == [1, 2]
    assert [point[:2] for point in points({"a": [1], "b": [3, 4]})] == [("b", 3), ("b", 4)]
    assert points({"a": [1], "b": [3]}) == [("a", 1.0, {"a": 1, "b": 3})]
    assert points({}) == [(None, None, {})]
    with pytest.raises(InputError, match=r"^decoding: a and b have several values each, and a con"):
        points({"a": [1, 2], "b": [3, 4]})


TOO_LONG = "69 positions are more than the 64 that tiny was made for; lower it"
TOO_FEW = "datasets.text: 2 documents have 8 tokens, and 3 of them are wanted; lower `prompts` or "


@pytest.mark.parametrize(
    ("prompts", "length", "expected"),
    [(2, 60, f"^decoding.write: {TOO_LONG}"), (3, 6, f"^{TOO_FEW}")],
)
def test_what_cannot_be_continued_is_one_sentence(write, tmp_path, prompts, length, expected):
    shape = ["--prompts", prompts, "--prompt-tokens", 8, "--write", length, "--condition", "one"]
    with pytest.raises(InputError, match=expected):
        write(greedy, shape=shape)
    assert not (tmp_path / "out.parquet").exists()


def test_a_layer_that_is_not_there_is_one_sentence(write):
    with pytest.raises(InputError, match=r"layer 4 does not exist \(the model has layers 0 to 3\)"):
        write(steering, "--layer=4")
