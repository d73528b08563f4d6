"""The command that samples the last tokens of real texts."""

from __future__ import annotations

import torch

from ...models.loading import Running
from ...running.command import run
from ...semstat.volumes.decoded import Decoded
from ...semstat.volumes.read_tokens import ReadTokens
from ...tokens.tokenizers import tokenizer_of
from ...tokens.vocabulary import ordinary_tokens
from ..sampling import Given, Into, Sampled, sample

MEASURE = "uniform over the vocabulary: the last {} tokens of each pair's history"


def tokens(*, running: Running, sampled: Sampled, into: Into) -> None:
    """Sample volumes over a model's input: the last tokens of real texts, each uniform.

    Over all tokens of language that the model knows, as the ensemble `uniform` draws them.
    """
    number = sampled.last_tokens
    tokenizer, vocabulary = tokenizer_of(running.model), running.snapshot()["vocabulary"]
    ordinary_v = torch.from_numpy(ordinary_tokens(tokenizer, vocabulary).nonzero()[0])

    def read(given: Given) -> Decoded:
        reader, at_once = given.reader(given.layered.n_blocks)
        ids_v = ordinary_v.to(given.layered.device)
        return ReadTokens.begin(
            reader, given.texts, given.correct_r, ids_v, number, at_once
        ).decoded()

    sample(running, sampled, into, "tokens", MEASURE.format(number), read)


if __name__ == "__main__":
    run(tokens)
