"""What the tests of all methods share: tiny models, prompts, and what others make of them."""

import torch
import transformers

from tests.tiny import VOCABULARY, tiny_model
from workflow_scripts.semstat.generation.writing import continue_texts
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
