"""The decoding loop for transformers' own generate."""

import pytest
import torch

from tests.decoding.methods import PROMPTS, STEPS, loaded, written
from tests.tiny import tiny_model
from workflow_scripts.semstat.decoding.steer_away import SteerAway
from workflow_scripts.semstat.decoding.steered_generate import SteeredGenerate


def test_generate_of_transformers_steers_by_this_loop():
    layered = loaded(scale=0.25)
    loop = SteeredGenerate(layered, 1, ngram=3, margin=0.5, budget=10.0)
    options = {"max_new_tokens": STEPS, "do_sample": False, "pad_token_id": 0}
    found = layered.model.generate(PROMPTS, custom_generate=loop, eos_token_id=None, **options)
    expected = written(layered, SteerAway(3, 0.5, budget=10.0), 1).token_xt
    assert torch.equal(found[:, PROMPTS.shape[1] :], expected)
    assert torch.equal(found[:, : PROMPTS.shape[1]], PROMPTS)

    ends = int(expected[0, 5])
    stopped = layered.model.generate(PROMPTS, custom_generate=loop, eos_token_id=ends, **options)
    for tokens, whole in zip(stopped[:, PROMPTS.shape[1] :].tolist(), expected, strict=True):
        own = whole.tolist()
        length = own.index(ends) + 1 if ends in own else len(own)
        assert tokens[:length] == own[:length][: len(tokens)]
        assert set(tokens[length:]) <= {0}

    banned = layered.model.generate(
        PROMPTS, custom_generate=loop, eos_token_id=None, suppress_tokens=[ends], **options
    )
    assert ends not in banned[:, PROMPTS.shape[1] :]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"do_sample": True}, "^steering is greedy; set do_sample to False and num_beams to 1$"),
        ({"attention_mask": torch.tensor([[0] + [1] * 7] * 5)}, "^prompts of one length are want"),
    ],
)
def test_what_the_loop_cannot_do_is_refused(options, expected):
    layered = loaded()
    loop = SteeredGenerate(layered, 1)
    with pytest.raises(ValueError, match=expected):
        layered.model.generate(PROMPTS, custom_generate=loop, max_new_tokens=2, **options)
    with pytest.raises(ValueError, match=r"^this decoding loop was made for another model"):
        tiny_model().generate(PROMPTS, custom_generate=loop, max_new_tokens=2, do_sample=False)
