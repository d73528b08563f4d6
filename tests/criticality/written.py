"""Texts of a sweep, written by chains of a few kinds of tokens."""

import numpy as np
import torch

from workflow_scripts.semstat.criticality.chains import Bigrams, Frequencies
from workflow_scripts.semstat.criticality.observables import NUMBERS, Written
from workflow_scripts.semstat.generation.methods.schedule import constant
from workflow_scripts.semstat.generation.runs import Runs, draw_uniform_runs, write_runs


def documents(kinds=200, tokens=8000, seed=0):
    law = 1 / np.arange(1, kinds + 1)
    rng = np.random.default_rng(seed)
    return [rng.choice(kinds, size=tokens // 4, p=law / law.sum()) for _ in range(4)]


def chain_of(name, **texts):
    return {"frequencies": Frequencies, "bigrams": Bigrams}[name](documents(**texts))


def write(chain, temperature, prompts=6, runs=4, length=128, seed=0):
    """What a chain writes at a sampling temperature."""
    uniform = np.array([draw_uniform_runs(seed, d, range(runs), length) for d in range(prompts)])
    prompt = torch.arange(prompts)[:, None] % len(chain.token_v)
    steps = write_runs(Runs(chain, prompt, torch.from_numpy(uniform), constant(temperature)))

    def stacked(name):
        return torch.stack([getattr(step, name) for step in steps], dim=2).numpy()

    number = {name: stacked(name).astype(np.float32).astype(np.float64) for name in NUMBERS}
    marginal = torch.stack([step.marginal.entropy_d for step in steps], dim=1).numpy()
    return Written(stacked("token"), number, marginal, temperature)
