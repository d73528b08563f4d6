"""DITTO: a phrase that is repeated again and again is to become less probable each time.

Xu et al., "Learning to break the loop", arXiv:2206.02369. In half of the updates a phrase fills
the window, over and over, and

    L = −⟨ln(1 − |p_n − γ p_{n−1}|)⟩

over its copies from the second on, where p_n is the probability of a token in the n-th copy and
p_{n−1}, held fixed, of the same token one copy before. In the other half the loss is cross entropy.

Theirs repeats a sentence, known by its full stop, after the sentence before it; ours a stretch of
the window, at a drawn place and of a drawn length, whatever stands there, after nothing. So the
first token of the second copy is left out: its forerunner begins the window, and has no
probability. What is drawn hangs on the window's tokens alone.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .cross_entropy import cross_entropy
from .log_probabilities import log_complement
from .objective import Batch, Objective, Write, require


@dataclass(frozen=True)
class Ditto(Objective):
    """Cross entropy on text; on windows of one phrase, less of it with each copy.

    Parameters
    ----------
    factor : γ, by which a copy is to be less probable than the one before; 0.5 in the paper.
    shortest, longest : bounds of a phrase, tokens, both included.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    factor: float = 0.5
    shortest: int = 4
    longest: int = 32

    def __post_init__(self) -> None:
        require(0 <= self.factor <= 1, f"factor: {self.factor} is not between 0 and 1")
        require(self.shortest > 0, f"shortest: a phrase of {self.shortest} tokens is none")
        require(
            self.shortest <= self.longest,
            f"longest: {self.longest} is below the shortest phrase, {self.shortest}",
        )

    @property
    def rewrites(self) -> int:
        return 2

    def rewrite(self, ids_xt: Tensor, write: Write) -> Batch:  # noqa: ARG002
        """Windows of a phrase of their own; the same window always gets the same one."""
        tokens = ids_xt.shape[1]
        if tokens < 2 * self.longest:
            raise ValueError(
                f"longest: windows of {tokens} tokens don't hold a phrase of {self.longest} twice; "
                "give a longer sequence or a shorter phrase"
            )
        drawn = [self._draw(ids_t.cpu().numpy().tobytes(), tokens) for ids_t in ids_xt]
        first_x1, length_x1 = torch.tensor(drawn, device=ids_xt.device).T[..., None]
        place_t = torch.arange(tokens, device=ids_xt.device)
        phrases_xt = ids_xt.gather(1, first_x1 + place_t % length_x1)
        marked_xt = place_t[:-1] >= length_x1
        return Batch(phrases_xt, torch.ones_like(marked_xt), marked_xt)

    def _draw(self, seed: bytes, tokens: int) -> tuple[int, int]:
        """Where the phrase begins, and its length."""
        rng = np.random.default_rng(zlib.crc32(seed))
        length = int(rng.integers(self.shortest, self.longest, endpoint=True))
        return int(rng.integers(0, tokens - length, endpoint=True)), length

    def loss(self, batch: Batch, log_p_xtm: Tensor) -> Tensor:
        if batch.marked_xt is None:
            return cross_entropy(log_p_xtm)
        p_xt = log_p_xtm[..., 0].exp()
        # The states before the marked ones are those of the first copy.
        length_x1 = (~batch.marked_xt).sum(dim=1, keepdim=True)
        place_t = torch.arange(p_xt.shape[1], device=p_xt.device)
        before_xt = p_xt.detach().gather(1, (place_t - length_x1).clamp(min=0))
        off_xt = -log_complement((p_xt - self.factor * before_xt).abs())
        return off_xt[batch.marked_xt].mean()
