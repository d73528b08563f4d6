"""Going back against the same by loops over texts, tokens and the vocabulary, without a cache."""

import numpy as np
import pytest
import torch

from tests.decoding.methods import FAMILIES, PROMPTS, STEPS, loaded, logits_of, processed, written
from tests.models.test_replay import of_type
from tests.tiny import tiny_model
from workflow_scripts.semstat.decoding.going_back import GoBack
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.loops import repetition
from workflow_scripts.semstat.generation.sampling import draw_uniform, next_tokens
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader

UNIFORM = torch.tensor(np.array([draw_uniform(0, doc, STEPS) for doc in range(len(PROMPTS))]))


def went(layered, prompts=PROMPTS, steps=STEPS, uniform=UNIFORM, **rule):
    rule = {"watch": "margin", "ngram": 3, "patience": 6} | rule
    return GoBack(uniform_xt=uniform, **rule)(Reader(layered, layered.n_blocks), prompts, steps)


class ByLoops:
    """One text."""

    def __init__(self, layered, rule):
        self.layered = layered
        self.ngram, self.sampling_temperature = 3, 0.0
        vars(self).update(rule)

    def write(self, ids, uniform, fixed):
        """Tokens, what is watched, and (probability, place, token) of what else there was."""
        tokens, watched, others = [], [], []
        for place, u in enumerate(uniform):
            logits = logits_of(self.layered, torch.tensor([ids + tokens]))[:, -1]
            token = int(next_tokens(logits, self.sampling_temperature, u[None]))
            token = fixed[place] if place < len(fixed) else token
            p = logits[0].double().softmax(-1).tolist()
            text = ids + tokens
            grams = {tuple(text[i : i + self.ngram]) for i in range(len(text) - self.ngram + 1)}
            stutters = [
                text[-2:] == [c, c] or (*text[1 - self.ngram :], c) in grams for c in range(len(p))
            ]
            sound = [0 if bad else p_c for p_c, bad in zip(p, stutters, strict=True)]
            bad = [p_c if bad else 0 for p_c, bad in zip(p, stutters, strict=True)]
            energy = p[token] - p[text[-1]]
            watched.append(energy if self.watch == "energy" else max(sound) - max(bad))
            others += [(p_c, place, c) for c, p_c in enumerate(sound) if p_c and c != token]
            tokens.append(token)
        return tokens, float(np.mean(watched)), others

    def text(self, prompt, steps, uniform):
        ids, times = list(prompt), 0
        for start in range(0, steps, self.patience):
            numbers = uniform[start : min(start + self.patience, steps)]
            first, mean, others = self.write(ids, numbers, [])
            best, whole = first, len(numbers) == self.patience
            early = [other for other in others if other[1] < self.patience / 2]
            for branch, (_, place, token) in enumerate(sorted(early)[::-1][: self.branches]):
                if mean >= self.threshold or not whole:
                    break
                fresh = (numbers + (branch + 1) * (5**0.5 - 1) / 2) % 1
                tokens, again, _ = self.write(ids, fresh, [*first[:place], token])
                best, mean = (tokens, again) if again > mean else (best, mean)
                times += 1
            ids += best
        return ids[len(prompt) :], times


def assert_as_by_loops(layered, rule, prompts=PROMPTS, steps=STEPS - 2):
    """The last window is one that is cut short. Returns how often each text went back."""
    found = went(layered, prompts, steps, **rule)
    by_loops = ByLoops(layered, {"patience": 6} | rule)
    for x, prompt in enumerate(prompts.tolist()):
        tokens, times = by_loops.text(prompt, steps, UNIFORM[x])
        assert (found.token_xt[x].tolist(), int(found.went_back_x[x])) == (tokens, times)
    assert torch.equal(found.written_x, steps + by_loops.patience * found.went_back_x)
    return found.went_back_x


@pytest.mark.parametrize("sampling_temperature", [0.0, 0.3])
@pytest.mark.parametrize("watch", ["margin", "energy"])
@pytest.mark.parametrize("family", FAMILIES)
def test_going_back_is_what_it_is_by_loops(family, watch, sampling_temperature):
    threshold = {"GPT-2": 0.05, "BLOOM": 0.02}.get(family, 0.1)
    rule = {"watch": watch, "threshold": threshold, "branches": 3}
    rule["sampling_temperature"] = sampling_temperature
    times_x = assert_as_by_loops(loaded(family, scale=0.25), rule)
    assert len(set(times_x.tolist())) > 1, "some go back more often than others"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model_type", "threshold"),
    [("mamba", 0.05), ("mamba2", 0.05), ("qwen3_next", 0.2), ("lfm2", 0.01), ("jamba", 0.05)],
)
def test_recurrent_states_go_back_too(model_type, threshold):
    layered = LayeredModel(of_type(model_type))
    rule = {"watch": "energy", "threshold": threshold, "branches": 3, "patience": 4}
    assert len(set(assert_as_by_loops(layered, rule).tolist())) > 1


@pytest.mark.parametrize("patience", [2, 5, 22])
def test_windows_of_any_length(patience):
    rule = {"watch": "margin", "threshold": 0.12, "branches": 2, "patience": patience}
    assert assert_as_by_loops(loaded(scale=0.25), rule).any()


@pytest.mark.parametrize("vocabulary", [1, 2, 3])
def test_as_few_tokens_as_there_may_be(vocabulary):
    model = tiny_model(vocab_size=vocabulary, pad_token_id=None).requires_grad_(False)
    rule = {"watch": "margin", "threshold": 1.0, "branches": 4, "patience": 3}
    times_x = assert_as_by_loops(LayeredModel(model), rule, torch.tensor([[0], [vocabulary - 1]]))
    assert times_x.any() == (vocabulary > 1), "of one token there is no other"


@pytest.mark.parametrize("watch", ["energy", "margin"])
@pytest.mark.parametrize("sampling_temperature", [0.0, 0.8])
def test_below_everything_nobody_goes_back(watch, sampling_temperature):
    layered = loaded(scale=0.25)
    rule = {"watch": watch, "sampling_temperature": sampling_temperature}
    plain = written(layered, processed(sampling_temperature=sampling_temperature)).token_xt
    for threshold in (-1.1, -1):
        found = went(layered, threshold=threshold, **rule)
        assert torch.equal(found.token_xt, plain)
        assert found.written_x.tolist() == [STEPS] * len(PROMPTS)
    found = went(layered, threshold=0.6, **rule)
    assert not torch.equal(found.token_xt, plain)
    assert torch.equal(found.token_xt, went(layered, threshold=0.6, **rule).token_xt)


def test_what_is_written_in_all_is_what_the_model_reads(monkeypatch):
    layered, read = loaded(scale=0.25), []
    plain = Reader.read
    monkeypatch.setattr(
        Reader, "read", lambda self, ids, cache: read.append(len(ids)) or plain(self, ids, cache)
    )
    reader = Reader(layered, layered.n_blocks)
    read.clear()
    found = GoBack("margin", 0.5, UNIFORM, 6, 4, 3)(reader, PROMPTS, STEPS)
    assert sum(read[1:]) == found.written_x.sum() > STEPS * len(PROMPTS)


def test_it_leaves_loops():
    """A model that repeats itself most of the time, first against loops over its texts."""
    layered = loaded("Llama, tied")
    rule = {"watch": "margin", "threshold": 0.0, "branches": 3}
    assert len(set(assert_as_by_loops(layered, rule).tolist())) > 1
    uniform = torch.zeros(len(PROMPTS), 54).double()
    never, always = (
        np.mean([repetition(tokens, 3) for tokens in found.token_xt.tolist()])
        for found in (went(layered, PROMPTS, 54, uniform, threshold=x) for x in (-1, 0.0))
    )
    assert never > 0.7 and always < never / 2


def test_progress_is_told_of_what_stays():
    told = []
    layered = loaded()
    GoBack("margin", 1.0, UNIFORM, 7)(Reader(layered, layered.n_blocks), PROMPTS, 20, told.append)
    assert told == [35, 35, 30]


def test_a_window_longer_than_the_text_is_refused():
    expected = r"^decoding: with a patience of 25 tokens no text of 24 is ever judged; lower `pat"
    with pytest.raises(InputError, match=expected):
        went(loaded(), threshold=0.0, patience=25)
