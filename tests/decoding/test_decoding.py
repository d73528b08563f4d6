"""Methods of decoding against transformers' own and against recomputation without a cache."""

import numpy as np
import pytest
import torch
import transformers

from tests.tiny import VOCABULARY, tiny_model
from workflow_scripts.semstat.decoding import decoding
from workflow_scripts.semstat.decoding.description import describe_methods
from workflow_scripts.semstat.decoding.measures import energy_fluctuation, repetition
from workflow_scripts.semstat.generation.writing import Texts, begin, continue_texts, draw_uniform
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader

STEPS = 24
PROMPTS = torch.randint(1, VOCABULARY, (5, 8), generator=torch.Generator().manual_seed(0))
FAMILIES = ["Llama", "GPT-2", "Mistral", "Gemma 3", "BLOOM"]


def loaded(family="Llama", scale=0.15):
    return LayeredModel(tiny_model(family, scale=scale).requires_grad_(False))


def written(layered, method, layer=None, steps=STEPS):
    reader = Reader(layered, layered.n_blocks if layer is None else layer)
    return continue_texts(reader, PROMPTS, steps, method)


def of_transformers(layered, **options):
    options = {"max_new_tokens": STEPS, "do_sample": False, "eos_token_id": None} | options
    config = transformers.GenerationConfig(**options, pad_token_id=0)
    return layered.model.generate(PROMPTS, generation_config=config)[:, PROMPTS.shape[1] :]


def logits_of(layered, ids):
    with torch.no_grad():
        return layered.model(ids, use_cache=False).logits


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_and_repetition_penalty_are_those_of_transformers(family):
    layered = loaded(family)
    found = written(layered, decoding.greedy())
    assert torch.equal(found.token_bs, of_transformers(layered))
    assert not found.steered_bs.any()
    penalised = written(layered, decoding.repetition_penalty(1.3))
    assert torch.equal(penalised.token_bs, of_transformers(layered, repetition_penalty=1.3))
    assert not torch.equal(penalised.token_bs, found.token_bs)


def test_what_is_recorded_is_what_the_whole_text_gives():
    layered = loaded()
    found = written(layered, decoding.greedy())
    ids = torch.cat([PROMPTS, found.token_bs], dim=1)
    log_p = logits_of(layered, ids[:, :-1])[:, PROMPTS.shape[1] - 1 :].log_softmax(-1)
    expected = -log_p.gather(-1, found.token_bs[..., None])[..., 0]
    torch.testing.assert_close(found.surprisal_bs, expected, rtol=1e-4, atol=1e-4)
    top = layered.hidden_states(ids[:, :-1], [layered.n_blocks])[layered.n_blocks]
    torch.testing.assert_close(found.top_btn, top, rtol=1e-4, atol=1e-4)


def test_the_nucleus_is_the_smallest_set_that_holds_the_mass():
    logits = torch.randn(20, 50, generator=torch.Generator().manual_seed(0)) * 2
    for mass in (0.1, 0.5, 0.9, 1.0):
        for kept, p in zip(
            decoding.nucleus(logits, mass), logits.double().softmax(-1), strict=True
        ):
            ranked = p.sort(descending=True).values
            fewest = 1 + int((ranked.cumsum(0) < mass - 1e-9).sum())
            assert kept.sum() == min(fewest, 50)
            assert p[kept].min() >= p[~kept].max() if not kept.all() else mass == 1.0
        warped = transformers.TopPLogitsWarper(mass)(None, logits)
        assert torch.equal(decoding.nucleus(logits, mass), warped.isfinite())


def test_the_nucleus_is_drawn_from_as_its_probabilities_say():
    layered = loaded(scale=0.1)
    reader = Reader(layered, layered.n_blocks)
    draws = 4000
    texts = begin(reader, PROMPTS[:1].expand(draws, -1))
    uniform = torch.from_numpy(np.random.default_rng(0).random((draws, 1)))
    tokens = decoding.Nucleus(0.6, uniform)(reader, texts).token_b
    logits = logits_of(layered, PROMPTS[:1])[:, -1].double()
    p = logits.softmax(-1)[0] * decoding.nucleus(logits, 0.6)[0]
    expected = (draws * p / p.sum()).numpy()
    counts = np.bincount(tokens, minlength=VOCABULARY)
    assert (counts[expected == 0] == 0).all()
    often = expected > 5
    chi_squared = np.sum((counts - expected)[often] ** 2 / expected[often])
    assert abs(chi_squared - often.sum()) < 4 * np.sqrt(2 * often.sum())


@pytest.mark.parametrize("family", FAMILIES)
def test_contrastive_search_is_what_it_is_without_a_cache(family):
    layered, alpha, candidates = loaded(family), 0.6, 4
    found = written(layered, decoding.Contrastive(alpha, candidates), steps=10).token_bs
    reader = Reader(layered, layered.n_blocks)

    def outputs(ids):
        return reader.output(layered.hidden_states(ids, [layered.n_blocks])[layered.n_blocks])[0]

    for prompt, tokens in zip(PROMPTS[:3], found[:3], strict=True):
        ids = prompt[None]
        for token in tokens:
            p = logits_of(layered, ids)[0, -1].softmax(-1)
            past = outputs(ids)
            scores = {}
            for candidate in p.topk(candidates).indices:
                own = outputs(torch.cat([ids, candidate[None, None]], dim=1))[-1]
                alike = torch.cosine_similarity(own[None], past, dim=-1).max()
                scores[int(candidate)] = float((1 - alpha) * p[candidate] - alpha * alike)
            best = max(scores, key=scores.get)
            assert scores[int(token)] == pytest.approx(scores[best], abs=1e-5)
            ids = torch.cat([ids, token[None, None]], dim=1)


def test_what_stutters_closes_an_ngram_or_is_third_in_a_row():
    ids = torch.tensor([[7, 1, 2, 3, 9, 1, 2, 3, 4, 1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 6, 6]])
    for ngram, expected in [(4, [{9, 4}, {6}]), (2, [{9, 4}, {6, 7}]), (13, [set(), {6}])]:
        found = decoding.stuttering(ids, 20, ngram)
        assert [set(row.nonzero()[:, 0].tolist()) for row in found] == expected


def stuttering_by_loop(ids, token, ngram):
    grams = [tuple(ids[i : i + ngram]) for i in range(len(ids) - ngram + 1)]
    return ids[-2:] == [token, token] or (*ids[1 - ngram :], token) in grams


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_steering_leaves_no_stutter_and_does_not_change_a_text_before_the_first(layer):
    layered = loaded(scale=0.25)
    plain = written(layered, decoding.greedy())
    found = written(layered, decoding.SteerAway(3, 0.5, budget=10.0), layer)
    assert 0 < found.steered_bs.sum() < found.steered_bs.numel()
    rows = zip(PROMPTS, plain.token_bs, found.token_bs, found.steered_bs, strict=True)
    for prompt, unsteered, tokens, steered in rows:
        ids = prompt.tolist()
        first = int(steered.nonzero()[0]) if steered.any() else STEPS
        assert tokens[:first].tolist() == unsteered[:first].tolist()
        if steered.any():
            text = ids + unsteered[: first + 1].tolist()
            assert stuttering_by_loop(text[:-1], text[-1], 3), "greedy would have stuttered here"
        for token in tokens.tolist():
            assert not stuttering_by_loop(ids, token, 3)
            ids.append(token)


def test_steering_by_no_more_than_a_budget_may_leave_a_stutter():
    layered = loaded(scale=0.25)
    found = written(layered, decoding.SteerAway(3, 0.5, budget=1e-6), 1)
    assert torch.equal(found.token_bs, written(layered, decoding.greedy()).token_bs)


def test_steering_the_top_layer_writes_what_blocking_writes():
    """Nothing above the top layer remembers the change, so only the choice is another one."""
    layered = loaded(scale=0.25)
    blocked = written(layered, decoding.stutter_block(3))
    found = written(layered, decoding.SteerAway(3, 0.5, budget=10.0), layered.n_blocks)
    assert torch.equal(found.token_bs, blocked.token_bs)
    plain_bs = ~found.steered_bs
    surprisal_s = blocked.surprisal_bs[plain_bs]
    torch.testing.assert_close(found.surprisal_bs[plain_bs], surprisal_s, rtol=1e-4, atol=1e-4)
    below = written(layered, decoding.SteerAway(3, 0.5, budget=10.0), 1)
    if torch.equal(below.token_bs, blocked.token_bs):
        assert (below.surprisal_bs[plain_bs] - surprisal_s).abs().max() > 1e-2, "it is remembered"


def test_one_steered_choice_wins_by_the_margin():
    layered = loaded(scale=0.25)
    reader = Reader(layered, 1)
    loop = torch.tensor([[5, 6, 7, 5, 6]])
    logits = logits_of(layered, loop)[0, -1]
    twice = torch.cat([loop, logits.argmax()[None, None], loop], dim=1)
    choice = decoding.SteerAway(3, 0.8, budget=10.0)(reader, begin(reader, twice))
    stutters = decoding.stuttering(twice, VOCABULARY, 3)
    p = choice.logits_bv.softmax(-1)
    if choice.steered_b.item():
        odds = (p[stutters].sum() / p[~stutters].max()).log()
        assert odds <= -0.8 + 0.1 + 1e-3


def test_generate_of_transformers_steers_by_this_loop():
    layered = loaded(scale=0.25)
    loop = decoding.SteeredGenerate(layered, 1, ngram=3, margin=0.5, budget=10.0)
    options = {"max_new_tokens": STEPS, "do_sample": False, "pad_token_id": 0}
    found = layered.model.generate(PROMPTS, custom_generate=loop, eos_token_id=None, **options)
    expected = written(layered, decoding.SteerAway(3, 0.5, budget=10.0), 1).token_bs
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
    loop = decoding.SteeredGenerate(layered, 1)
    with pytest.raises(ValueError, match=expected):
        layered.model.generate(PROMPTS, custom_generate=loop, max_new_tokens=2, **options)
    with pytest.raises(ValueError, match=r"^this decoding loop was made for another model"):
        tiny_model().generate(PROMPTS, custom_generate=loop, max_new_tokens=2, do_sample=False)


def test_rep_n_and_the_fluctuation_of_the_energy():
    assert repetition([1, 2, 3, 4, 5], 1) == 0
    assert repetition([1] * 10, 1) == pytest.approx(0.9)
    assert repetition([1, 2, 3, 4] * 3, 4) == pytest.approx(1 - 4 / 9)
    assert repetition([1, 2], 4) == 0
    rng = np.random.default_rng(0)
    hidden, surprisal = rng.standard_normal((2, 9, 5)), rng.random((2, 4))
    for found, h, v in zip(energy_fluctuation(hidden, surprisal), hidden, surprisal, strict=True):
        energies = [np.log(0.5 * np.sum((h[t] - h[t - 1]) ** 2)) + v[t - 5] for t in range(5, 9)]
        assert found == pytest.approx(np.std(energies, ddof=1) / abs(np.mean(energies)))


def test_means_of_methods_have_students_intervals_over_prompts():
    rng = np.random.default_rng(0)
    rows = [
        {"method": method, "rep_1": a, "rep_4": b, "surprisal": c, "energy_fluctuation": d}
        | {"reread_fluctuation": e, "steered": [True, False], "tokens_per_second": 3.0}
        for method in ("one", "other")
        for a, b, c, d, e in rng.random((7, 5))
    ]
    one, other = describe_methods(rows, 0.9)
    assert [one["method"], other["method"]] == ["one", "other"] and one["prompts"] == 7
    values = np.array([row["surprisal"] for row in rows[:7]])
    half = 1.943180 * values.std(ddof=1) / np.sqrt(7)  # Student's t, 6 degrees of freedom
    assert one["perplexity"] == pytest.approx(np.exp(values.mean()))
    assert one["perplexity_high"] == pytest.approx(np.exp(values.mean() + half))
    assert one["steered"] == one["steered_low"] == 0.5
    assert one["tokens_per_second"] == 3.0


def test_uniform_numbers_belong_to_their_document():
    layered = loaded(scale=0.1)
    reader = Reader(layered, layered.n_blocks)

    def drawn(rows):
        uniform = torch.tensor(np.array([draw_uniform(0, row, 6) for row in rows]))
        method = decoding.Nucleus(0.9, uniform)
        return continue_texts(reader, PROMPTS[rows], 6, method).token_bs.tolist()

    assert drawn([0, 1, 2])[2] == drawn([2])[0]
    assert isinstance(begin(reader, PROMPTS), Texts)
