"""Causes that the configuration may name, and those that it may not."""

import copy

import pytest

from tests.runs import TINY_STUDY
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.errors import InputError

PLAIN = {"cause": "weights", "dataset": "text", "doses": {"tiny": 0, "tiny-random": 1}}
WRITTEN = {"cause": "heat", "dataset": "text", "model": "tiny", "condition": "sampled"}
DECODING = {
    "model": "tiny",
    "dataset": "text",
    "prompts": 8,
    "write": 8,
    "conditions": {
        "sampled": {"method": "sampling", "sampling_temperature": [0.5, 1]},
        "greedy": {"method": "sampling", "sampling_temperature": 0},
    },
}


def study(*causes):
    given = copy.deepcopy(TINY_STUDY) | {"decoding": [copy.deepcopy(DECODING)]}
    return resolve(given | {"causes": copy.deepcopy([*causes])})


def test_causes_are_of_models_or_of_a_condition():
    causes = study(PLAIN | {"beside": ["other"]}, PLAIN | {"cause": "other"}, WRITTEN)["causes"]
    assert [cause["beside"] for cause in causes] == [["other"], [], []]
    assert study()["causes"] == []


@pytest.mark.parametrize(
    ("causes", "said"),
    [
        ([PLAIN, PLAIN], r"causes\.1\.cause: 'weights' is the name of another one"),
        ([PLAIN | {"dataset": "none"}], r"causes\.0\.dataset: 'none' is not one of the datasets"),
        (
            [PLAIN | {"doses": {"tiny": 0, "big": 1}}],
            r"causes\.0\.doses: 'big' is not one of the m",
        ),
        ([PLAIN | {"doses": {"tiny": 1, "tiny-random": 1}}], r"causes\.0\.doses: all are the same"),
        ([PLAIN | {"beside": ["none"]}], r"causes\.0\.beside: 'none' is not one of the causes"),
        ([PLAIN | {"beside": ["weights"]}], r"causes\.0\.beside: weights is this cause itself"),
        ([PLAIN | {"beside": ["heat"]}, WRITTEN], r"beside: heat is a condition of writing"),
        ([WRITTEN | {"beside": ["weights"]}, PLAIN], r"beside: heat is a condition of writing"),
        ([WRITTEN | {"condition": "none"}], r"condition: 'none' is none under which decoding lets"),
        ([WRITTEN | {"condition": "greedy"}], r"condition: greedy is no curve, so it has one dose"),
        ([WRITTEN | {"model": "tiny-random"}], r"lets tiny-random continue text"),
        ([WRITTEN | {"doses": PLAIN["doses"]}], r"causes\.0"),
        ([{"cause": "x", "dataset": "text"}], r"causes\.0"),
    ],
)
def test_wrong_causes_are_one_sentence(causes, said):
    with pytest.raises(InputError, match=said) as error:
        study(*causes)
    assert "\n" not in str(error.value)
