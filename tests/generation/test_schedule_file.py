"""Files of schedules, and the schedule in transformers' own generate."""

import json

import numpy as np
import pytest
import torch
from transformers import LogitsProcessorList

from tests.tiny import tiny_model
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.schedule_file import (
    ScheduleFile,
    read_schedule,
    write_schedule,
)
from workflow_scripts.semstat.generation.scheduled_temperature import ScheduledTemperature
from workflow_scripts.semstat.provenance import Provenance

MODEL = {"model": "tiny", "vocabulary": 257, "source": {"sha256": "0a"}}

FOUND = ScheduleFile(
    [1.3, 0.1 + 0.2, 1e-3], [(1.5, 4.0, True), (0.05, 3.2, False)], Provenance(model=MODEL)
)


def test_a_file_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "s.json"
    write_schedule(path, FOUND)
    assert read_schedule(path) == FOUND
    assert read_schedule(path, MODEL | {"model": "another name of the same"}) == FOUND


def test_a_schedule_of_another_model_is_refused(tmp_path):
    path = tmp_path / "s.json"
    write_schedule(path, FOUND)
    other = MODEL | {"model": "other", "source": {"sha256": "0b"}}
    with pytest.raises(InputError, match=r"^.*s\.json: a schedule of tiny, not of other; a sch"):
        read_schedule(path, other)


def without(key):
    def change(said):
        del said[key]

    return change


@pytest.mark.parametrize(
    "change",
    [
        without("form"),
        without("solved"),
        without("provenance"),
        without("sampling_temperature"),
        lambda said: said.update(form="semantic-statistics schedule 2"),
        lambda said: said.update(sampling_temperature=[]),
        lambda said: said.update(sampling_temperature=[1.0, -0.1]),
        lambda said: said.update(sampling_temperature=[1.0, float("inf")]),
        lambda said: said.update(sampling_temperature=[1.0, float("nan")]),
        lambda said: said.update(sampling_temperature=["hot"]),
        lambda said: said.update(sampling_temperature=1.0),
        lambda said: said.update(solved=[[1.0, 2.0]]),
        lambda said: said.update(provenance={}),
        lambda said: said.update(provenance=[]),
        lambda said: said.update(provenance={"model": "tiny"}),
    ],
)
def test_what_is_no_schedule_is_refused(tmp_path, change):
    path = tmp_path / "s.json"
    write_schedule(path, FOUND)
    said = json.loads(path.read_text(encoding="utf-8"))
    change(said)
    path.write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(InputError, match=r"^.*s\.json: not a schedule of sampling temperatures; "):
        read_schedule(path, MODEL)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "null", "doc,run\n1,2\n"])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "s.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"not a schedule of sampling temperatures"):
        read_schedule(path)
    path.write_bytes(b"PAR1\xff\xfe")
    with pytest.raises(InputError, match=r"not a schedule of sampling temperatures"):
        read_schedule(path)


@pytest.mark.parametrize("sampling_temperature", [[0.0], [1.0, -1.0]])
def test_a_sampling_temperature_that_divides_nothing_is_refused(sampling_temperature):
    with pytest.raises(ValueError, match=r"^sampling temperatures must be positive; for 0 set do"):
        ScheduledTemperature(sampling_temperature, prompt_tokens=1)


def test_a_text_shorter_than_its_prompt_is_refused():
    processor = ScheduledTemperature([1.0, 2.0], prompt_tokens=4)
    with pytest.raises(ValueError, match=r"^the text has 3 tokens, and its prompt 4$"):
        processor(torch.zeros((1, 3), dtype=torch.long), torch.zeros(1, 5))


PROMPTS = torch.tensor([[0, 5, 9, 200], [0, 6, 1, 8]])
SCHEDULE = [2.0, 0.4, 1.0, 1.5, 0.7]
EVERYTHING = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "pad_token_id": 0}


def test_generate_of_transformers_draws_by_the_schedule():
    """Scores that are drawn from are the logits over the sampling temperature, at each position."""
    model = tiny_model(scale=0.2)
    torch.manual_seed(0)
    found = model.generate(
        PROMPTS,
        attention_mask=torch.ones_like(PROMPTS),
        logits_processor=LogitsProcessorList([ScheduledTemperature(SCHEDULE, 4)]),
        max_new_tokens=8,
        eos_token_id=None,
        output_scores=True,
        return_dict_in_generate=True,
        **EVERYTHING,
    )
    with torch.no_grad():
        logits_xtv = model(found.sequences).logits[:, 3:-1]
    drawn = np.append(SCHEDULE, [SCHEDULE[-1]] * 3)
    for t, scores_xv in enumerate(found.scores):
        expected_xv = logits_xtv[:, t] / drawn[t]
        torch.testing.assert_close(scores_xv, expected_xv.float(), rtol=1e-4, atol=1e-4)


def test_generate_of_transformers_writes_tokens_as_often_as_ours():
    """4,000 texts of two tokens: chi-square of the second against its exact distribution."""
    model = tiny_model(scale=0.2)
    with torch.no_grad():
        first_v = (model(PROMPTS[:1]).logits[0, -1] / SCHEDULE[0]).softmax(-1)
        texts = torch.cat([PROMPTS[:1].expand(257, -1), torch.arange(257)[:, None]], dim=1)
        second_vv = (model(texts).logits[:, -1] / SCHEDULE[1]).softmax(-1)
    expected_v = 4000 * (first_v @ second_vv).double().numpy()
    torch.manual_seed(0)
    found = model.generate(
        PROMPTS[:1].expand(4000, -1),
        attention_mask=torch.ones(4000, 4),
        logits_processor=LogitsProcessorList([ScheduledTemperature(SCHEDULE, 4)]),
        max_new_tokens=2,
        eos_token_id=None,
        **EVERYTHING,
    )
    count_v = np.bincount(found[:, 5], minlength=257)
    often_v = expected_v > 5
    chi_squared = np.sum((count_v - expected_v)[often_v] ** 2 / expected_v[often_v])
    assert often_v.sum() > 20
    assert abs(chi_squared - often_v.sum()) < 4 * np.sqrt(2 * often_v.sum())
