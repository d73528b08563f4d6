"""The nucleus against its definition and transformers' own, and draws from it."""

import numpy as np
import torch
import transformers

from tests.decoding.methods import PROMPTS, loaded, logits_of
from tests.tiny import VOCABULARY
from workflow_scripts.semstat.decoding.nucleus import nucleus, nucleus_sampling
from workflow_scripts.semstat.generation.sampling import draw_uniform
from workflow_scripts.semstat.generation.writing import Texts, begin, continue_texts
from workflow_scripts.semstat.models.replay import Reader


def test_the_nucleus_is_the_smallest_set_that_holds_the_mass():
    logits = torch.randn(20, 50, generator=torch.Generator().manual_seed(0)) * 2
    for mass in (0.1, 0.5, 0.9, 1.0):
        for kept, p in zip(nucleus(logits, mass), logits.double().softmax(-1), strict=True):
            ranked = p.sort(descending=True).values
            fewest = 1 + int((ranked.cumsum(0) < mass - 1e-9).sum())
            assert kept.sum() == min(fewest, 50)
            assert p[kept].min() >= p[~kept].max() if not kept.all() else mass == 1.0
        warped = transformers.TopPLogitsWarper(mass)(None, logits)
        assert torch.equal(nucleus(logits, mass), warped.isfinite())


def test_the_nucleus_is_drawn_from_as_its_probabilities_say():
    layered = loaded(scale=0.1)
    reader = Reader(layered, layered.n_blocks)
    draws = 4000
    texts = begin(reader, PROMPTS[:1].expand(draws, -1))
    uniform = torch.from_numpy(np.random.default_rng(0).random((draws, 1)))
    tokens = nucleus_sampling(0.6, uniform)(reader, texts).token_x
    logits = logits_of(layered, PROMPTS[:1])[:, -1].double()
    p = logits.softmax(-1)[0] * nucleus(logits, 0.6)[0]
    expected = (draws * p / p.sum()).numpy()
    counts = np.bincount(tokens, minlength=VOCABULARY)
    assert (counts[expected == 0] == 0).all()
    often = expected > 5
    chi_squared = np.sum((counts - expected)[often] ** 2 / expected[often])
    assert abs(chi_squared - often.sum()) < 4 * np.sqrt(2 * often.sum())


def test_uniform_numbers_belong_to_their_document():
    layered = loaded(scale=0.1)
    reader = Reader(layered, layered.n_blocks)

    def drawn(rows):
        uniform = torch.tensor(np.array([draw_uniform(0, row, 6) for row in rows]))
        method = nucleus_sampling(0.9, uniform)
        return continue_texts(reader, PROMPTS[rows], 6, method).token_xt.tolist()

    assert drawn([0, 1, 2])[2] == drawn([2])[0]
    assert isinstance(begin(reader, PROMPTS), Texts)
