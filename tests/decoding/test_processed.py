"""Methods that process logits against transformers' own, and the numbers of what they write."""

import numpy as np
import pytest
import torch
from transformers import (
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from tests.decoding.methods import (
    FAMILIES,
    PROMPTS,
    STEPS,
    greedy,
    loaded,
    logits_of,
    of_transformers,
    processed,
    written,
)
from tests.tiny import VOCABULARY
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.sampling import draw, draw_uniform
from workflow_scripts.semstat.generation.writing import begin, continue_texts, reread
from workflow_scripts.semstat.models.replay import Reader

REFUSING = {
    "repetition_penalty": (1.3, RepetitionPenaltyLogitsProcessor(1.3)),
    "no_repeat_ngram_size": (2, NoRepeatNGramLogitsProcessor(2)),
}
CUTTING = {
    "top_p": (0.6, TopPLogitsWarper(0.6)),
    "min_p": (0.2, MinPLogitsWarper(0.2)),
    "typical_p": (0.6, TypicalLogitsWarper(0.6)),
    "top_k": (5, TopKLogitsWarper(5)),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_takes_a_maximum_writes_what_transformers_writes(family):
    layered = loaded(family)
    plain = written(layered, greedy())
    assert torch.equal(plain.token_xt, of_transformers(layered))
    assert not plain.steered_xt.any() and not plain.drawn_entropy_xt.any()
    for name, (value, process) in REFUSING.items():
        found = written(layered, processed(process))
        assert torch.equal(found.token_xt, of_transformers(layered, **{name: value}))
    assert not torch.equal(found.token_xt, plain.token_xt)


def drawing(uniform_xt):
    """A decoding loop for transformers that draws with these numbers from what it is given."""

    def loop(model, input_ids, logits_processor, **_others):
        for uniform_x in uniform_xt.T:
            logits_xv = logits_of_model(model, input_ids)
            p_xv = logits_processor(input_ids, logits_xv).softmax(dim=-1)
            input_ids = torch.cat([input_ids, draw(p_xv, uniform_x)[:, None]], dim=1)
        return input_ids

    def logits_of_model(model, input_ids):
        with torch.no_grad():
            return model(input_ids, use_cache=False).logits[:, -1]

    return loop


@pytest.mark.parametrize("name", [*CUTTING, *REFUSING])
@pytest.mark.parametrize("sampling_temperature", [1.0, 0.7])
def test_what_draws_draws_from_what_transformers_would(name, sampling_temperature):
    """The processors of `generate`, in its order, on logits of the whole text."""
    layered = loaded()
    uniform_xt = torch.tensor(np.array([draw_uniform(0, doc, STEPS) for doc in range(5)]))
    value, processor = (CUTTING | REFUSING)[name]
    options = {"do_sample": True, "temperature": sampling_temperature, "top_k": 0} | {name: value}
    expected = of_transformers(layered, custom_generate=drawing(uniform_xt), **options)
    kinds = {"process" if name in REFUSING else "cut": processor}
    method = processed(sampling_temperature=sampling_temperature, **kinds)
    found = written(layered, method)
    assert torch.equal(found.token_xt, expected)
    plain = written(layered, processed(sampling_temperature=sampling_temperature))
    assert not torch.equal(found.token_xt, plain.token_xt), "it changes something"
    if name in CUTTING:
        assert found.drawn_entropy_xt.mean() < plain.drawn_entropy_xt.mean()


def test_what_is_cut_off_is_never_drawn_and_the_rest_as_its_probabilities_say():
    layered = loaded(scale=0.1)
    reader = Reader(layered, layered.n_blocks)
    draws = 4000
    texts = begin(reader, PROMPTS[:1].expand(draws, -1))
    uniform = torch.from_numpy(np.random.default_rng(0).random((draws, 1)))
    method = processed(cut=TopPLogitsWarper(0.6), sampling_temperature=1.0)
    method.uniform = iter(uniform.T)
    choice = method(reader, texts)
    logits = logits_of(layered, PROMPTS[:1])[:, -1]
    p = TopPLogitsWarper(0.6)(None, logits).double().softmax(-1)[0]
    assert choice.drawn_entropy_x[0] == pytest.approx(torch.special.entr(p).sum().item(), rel=1e-4)
    expected = (draws * p).numpy()
    counts = np.bincount(choice.token_x, minlength=VOCABULARY)
    assert (counts[expected == 0] == 0).all()
    often = expected > 5
    chi_squared = np.sum((counts - expected)[often] ** 2 / expected[often])
    assert abs(chi_squared - often.sum()) < 4 * np.sqrt(2 * often.sum())


def test_what_is_recorded_is_what_the_whole_text_gives():
    layered = loaded()
    found = written(layered, processed(sampling_temperature=0.5))
    ids = torch.cat([PROMPTS, found.token_xt], dim=1)
    log_p = logits_of(layered, ids[:, :-1])[:, PROMPTS.shape[1] - 1 :].double().log_softmax(-1)
    p_token, p_last = (
        log_p.gather(-1, token[..., None])[..., 0]
        for token in (found.token_xt, ids[:, PROMPTS.shape[1] - 1 : -1])
    )
    near = {"rtol": 1e-4, "atol": 1e-4, "check_dtype": False}
    torch.testing.assert_close(found.surprisal_xt, -p_token, **near)
    torch.testing.assert_close(found.energy_xt, p_token.exp() - p_last.exp(), **near)
    torch.testing.assert_close(found.entropy_xt, torch.special.entr(log_p.exp()).sum(-1), **near)
    drawn = (log_p / 0.5).softmax(-1)
    torch.testing.assert_close(found.drawn_entropy_xt, torch.special.entr(drawn).sum(-1), **near)
    top = layered.hidden_states(ids[:, :-1], [layered.n_blocks])[layered.n_blocks]
    torch.testing.assert_close(found.top_xtn, top, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_reread_has_the_numbers_with_which_it_was_written(family):
    layered = loaded(family)
    found = written(layered, processed(sampling_temperature=1.0))
    again = reread(Reader(layered, layered.n_blocks), PROMPTS, found.token_xt)
    for name in ("surprisal_xt", "entropy_xt", "energy_xt", "top_xtn"):
        one, other = getattr(found, name), getattr(again, name)
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-4)
    assert not again.drawn_entropy_xt.any() and torch.equal(again.token_xt, found.token_xt)


def test_uniform_numbers_belong_to_their_document():
    layered = loaded(scale=0.1)
    reader = Reader(layered, layered.n_blocks)

    def drawn(rows):
        method = processed(sampling_temperature=1.0)
        uniform = torch.tensor(np.array([draw_uniform(0, row, 6) for row in rows]))
        method.uniform = iter(uniform.T)
        return continue_texts(reader, PROMPTS[rows], 6, method).token_xt.tolist()

    assert drawn([0, 1, 2])[2] == drawn([2])[0]


def test_a_method_that_refuses_every_token_is_told_of():
    layered = loaded()

    def refuse(_ids_xt, logits_xv):
        return torch.full_like(logits_xv, -torch.inf)

    for sampling_temperature in (0.0, 1.0):
        with pytest.raises(InputError, match=r"^decoding: after 8 tokens of a text the method ref"):
            written(layered, processed(refuse, sampling_temperature))


def test_logits_that_are_no_numbers_are_told_of():
    layered = loaded()
    with torch.no_grad():
        layered.model.lm_head.weight[3] = torch.nan
    with pytest.raises(FloatingPointError, match="NaN or infinite logits"):
        written(layered, greedy())
