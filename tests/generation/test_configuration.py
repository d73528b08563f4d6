"""What a model is to write itself: datasets, and conditions of runs."""

import copy
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from tests.configuration.studies import CONFIG, changed, check_sentence, sentence
from workflow_scripts.configuration.study import resolve
from workflow_scripts.generation import methods, schedules
from workflow_scripts.generation.configuration import (
    is_generated,
    own_options,
    schedule_options,
)


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("datasets/own/of", "nulls", "'nulls' is not a dataset of text; name one of text"),
        ("datasets/own/temperature", 1, "unknown key; did you mean `sampling_temperature`?"),
        ("datasets/own/sampling_temperature", -1, "-1 is less than the minimum of 0; Tokens are "),
        ("datasets/own/sampling_temperature", "hot", "'hot' is not of type 'number'; Tokens are "),
        ("datasets/own/sampling_temperature", float("inf"), "inf is not of type 'number'; "),
        ("datasets/own/sampling_temperature", 1e-308, "logits divided by 1e-308 may be no numbers"),
        ("datasets/own/sampling_temperature", 10**400, "1000"),
        ("datasets/own/prompt_tokens", 9, "9 leave none of 9 tokens to write; lower it or raise "),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    check_sentence(where, value, what)


def test_greedy_text_from_nothing_would_be_one_document():
    config = changed("datasets/own/prompt_tokens", 0)
    config["datasets"]["own"]["sampling_temperature"] = 0
    expected = "datasets.own.sampling_temperature: without a prompt, 0 would write one document "
    assert sentence(config).startswith(expected)


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("datasets/own/sampling_temperature", ..., "datasets.own: `sampling_temperature` is miss"),
        (
            "datasets/text/tokens_per_document",
            ...,
            "datasets.own.tokens_per_document: how much to write is not said, neither here nor in "
            "text; add it",
        ),
    ],
)
def test_a_mistake_in_an_entry_is_put_where_it_can_be_mended(where, value, expected):
    assert sentence(changed(where, value)).startswith(f"{expected}")


def test_which_datasets_are_generated():
    datasets = resolve(CONFIG)["datasets"]
    assert [name for name, spec in datasets.items() if is_generated(spec)] == ["own"]


WARM = {"method": "constant", "sampling_temperature": 1}


def writing(conditions=None, **study):
    """The configuration with something to write."""
    spec = {"model": "a", "dataset": "text", "prompt_tokens": 4}
    spec |= {"conditions": conditions or {"warm": WARM}}
    return copy.deepcopy(CONFIG | {"generation": [spec | study]})


STEPWISE = {"held": {"method": "scheduled", "schedule": "stepwise"}}


def test_a_condition_takes_from_its_study_what_it_does_not_say():
    (spec,) = resolve(writing({"warm": WARM | {"prompts": 3}} | STEPWISE, target=4.5))["generation"]
    assert spec["runs"] == 30 and spec["write"] == 1000 and spec["ends"] is False
    conditions = spec["conditions"]
    assert (conditions["warm"]["prompts"], conditions["held"]["prompts"]) == (3, 8)
    assert conditions["held"]["fit_to"] == 300


def test_every_method_and_every_way_to_find_a_schedule_has_what_it_takes_in_the_schema():
    """What a condition may say is what its command takes, with the same defaults."""
    needed = {"constant": {"sampling_temperature": 1.0}, "online": {"hold": 3.0}}
    needed["scheduled"] = {"schedule": "stepwise"}
    common = {"running", "prompts", "into", "schedule", "aim"}
    folder = Path(methods.__file__).parent
    for name in (file.stem for file in folder.glob("*.py") if file.stem != "__init__"):
        condition = {"method": name} | needed.get(name, {})
        (spec,) = resolve(writing({"one": condition}, target=4.0))["generation"]
        check_defaults(f"methods.{name}", spec["conditions"]["one"], own_options, common)
    folder = Path(schedules.__file__).parent
    for name in (file.stem for file in folder.glob("*.py") if file.stem != "__init__"):
        condition = {"method": "scheduled", "schedule": name}
        (spec,) = resolve(writing({"one": condition}, target=4.0))["generation"]
        check_defaults(f"schedules.{name}", spec["conditions"]["one"], schedule_options, common)


def check_defaults(command, condition, keys_of, common):
    module = import_module(f"workflow_scripts.generation.{command}")
    function = getattr(module, command.rpartition(".")[2])
    taken = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in common
    }
    assert set(keys_of(condition)) == set(taken), command
    for name, default in taken.items():
        assert default in (condition[name], inspect.Parameter.empty, 1.0), (command, name)


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ({"model": "b"}, ".model: 'b' is not one of the models; name one of a, a-random"),
        ({"dataset": "nulls"}, ".dataset: 'nulls' is not a dataset of text; name one of text"),
        ({"runs": 1}, ".runs: 1 is less than the minimum of 2; Texts written after each prompt"),
        ({"prompts": 101}, ".prompts: 101 is more than the 100 documents of text; lower it (or "),
        ({"prompt_tokens": 10}, ".prompt_tokens: 10 is more than the 9 that text allows; lower it"),
        ({"found_on": 200}, ".prompts: 200 is more than the 100 documents of text; lower it (or "),
        ({"target": 0}, ".target: 0 is less than or equal to the minimum of 0; Marginal entropy "),
        ({"conditions": {"a b": WARM}}, ".conditions: the name 'a b' is not allowed"),
        (
            {"conditions": {"0.8": WARM}},
            ".conditions.0.8: pandas, polars or DuckDB would read this",
        ),
        ({"conditions": {"a": WARM, "A": WARM}}, ".conditions.A: differs from a in case only"),
    ],
)
def test_what_cannot_be_written_is_refused(study, expected):
    assert sentence(writing(**study)).startswith(f"generation.0{expected}")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"method": "hot"}, ".method: 'hot' is not one of constant, dynamic_temperature, edt, mir"),
        ({"method": "constant"}, ": `sampling_temperature` is missing"),
        ({"method": "constant", "sampling_temperature": 1e-9}, ".sampling_temperature: logits div"),
        (WARM | {"temperature": 1}, ".temperature: unknown key; did you mean `samp"),
        ({"method": "online"}, ": `hold` is missing"),
        ({"method": "online", "hold": 3, "batch": 31}, ".batch: 31 is more than the 30 `runs` of "),
        ({"method": "dynamic_temperature", "coldest": 2}, ".coldest: 2 is above `hottest`, which "),
        ({"method": "scheduled", "schedule": "x"}, ".schedule: 'x' is not one of newton, optimis"),
        ({"method": "scheduled", "schedule": "stepwise"}, ".schedule: what it is to hold is not "),
    ],
)
def test_a_condition_that_means_nothing_is_refused(condition, expected):
    said = sentence(writing({"one": condition}))
    assert said.startswith(f"generation.0.conditions.one{expected}"), said


def test_a_schedule_is_found_on_no_more_than_is_written():
    said = sentence(writing(STEPWISE, target=4.0, fit_to=1001))
    assert said.startswith("generation.0.conditions.held.fit_to: 1001 is more than the 1000 tokens")


def test_one_entry_a_pair():
    config = writing()
    config["generation"] *= 2
    assert sentence(config).startswith("generation.1: the same model and dataset as generation.0")
