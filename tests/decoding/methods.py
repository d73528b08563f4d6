"""What the tests of all methods share: tiny models, prompts, and what others make of them."""

import numpy as np
import torch
import transformers

from tests.tiny import VOCABULARY, tiny_model
from workflow_scripts.semstat.decoding.processed import Processed, unchanged
from workflow_scripts.semstat.generation.sampling import draw_uniform
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


def of_transformers(layered, custom_generate=None, **options):
    options = {"max_new_tokens": STEPS, "do_sample": False, "eos_token_id": None} | options
    config = transformers.GenerationConfig(**options, pad_token_id=0)
    own = {"custom_generate": custom_generate} if custom_generate else {}
    whole = layered.model.generate(PROMPTS, generation_config=config, **own)
    return whole[:, PROMPTS.shape[1] :]


def processed(process=unchanged, sampling_temperature=0.0, cut=unchanged, seed=0):
    """A method that processes logits; the numbers that it draws with are those of the prompts."""
    uniform = [draw_uniform(seed, doc, STEPS) for doc in range(len(PROMPTS))]
    return Processed(sampling_temperature, torch.tensor(np.array(uniform)), process, cut)


def greedy():
    return processed()


def logits_of(layered, ids):
    with torch.no_grad():
        return layered.model(ids, use_cache=False).logits
