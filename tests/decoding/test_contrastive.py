"""Contrastive search against recomputation without a cache."""

import pytest
import torch

from tests.decoding.methods import FAMILIES, PROMPTS, loaded, logits_of, written
from workflow_scripts.semstat.decoding.contrastive import Contrastive
from workflow_scripts.semstat.models.replay import Reader


@pytest.mark.parametrize("family", FAMILIES)
def test_contrastive_search_is_what_it_is_without_a_cache(family):
    layered, alpha, candidates = loaded(family), 0.6, 4
    found = written(layered, Contrastive(alpha, candidates), steps=10).token_xt
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
