"""A guard on the energy: what is by so much less probable than repeating is refused."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import LogitsProcessor


class EnergyGuard(LogitsProcessor):
    """Refuses next tokens whose energy is below a threshold, as a processor of transformers.

    The energy of a state, H = p(correct) − p(last), wants the correct next token. While a text is
    written nobody knows it, and each candidate c takes its place:

        H_K(c) = p(c) − max over k = 1 … K of p(x_{t+1−k}),

    the second term being the probability of the likeliest repetition, of the last token or of one
    up to K tokens ago. A text shorter than K has that many.

    - Threshold −1: nothing is refused, since no H_K is lower.
    - Below or at 0: a truncation, which keeps what has at least the probability of repeating plus
      the threshold. The likeliest repetition, of energy 0, is never refused: the surer the model is
      of it, the fewer others stay. The most probable token stays.
    - Above 0: repeating one of the last K tokens is refused always, since none of them is more
      probable than the likeliest of them; so is whatever is not likelier by the threshold. Where no
      token is left, the most probable one that is not among the last K is taken; where these are
      all that there are, the most probable one of them.

    H_K is that of the logits as they come, at sampling temperature 1: the guard must stand before a
    warper by sampling temperature, as `model.generate(logits_processor=[…])` puts it. After one it
    judges by the probabilities at that sampling temperature. Padding counts as text, and what
    processors before it have refused has probability 0.

    Parameters
    ----------
    threshold : lowest energy that is not refused, −1 to 1.
    periods : K, at least 1.

    Raises
    ------
    ValueError
        If the threshold or the periods are none of these.
    """

    def __init__(self, threshold: float, periods: int = 1) -> None:
        if not isinstance(threshold, int | float) or not -1 <= threshold <= 1:
            raise ValueError(
                f"threshold {threshold} is no difference of probabilities; set it from -1 to 1"
            )
        if not isinstance(periods, int) or periods < 1:
            raise ValueError(f"periods {periods} is no number of tokens; set it to at least 1")
        self.threshold, self.periods = threshold, periods

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """(texts, vocabulary) the logits, −∞ for what is refused."""
        recent_xk = input_ids[:, -self.periods :]
        kept_xv = candidate_energy(recent_xk, scores) >= self.threshold
        none_x1 = ~kept_xv.any(dim=1, keepdim=True)
        if none_x1.any():
            others_xv = scores.scatter(1, recent_xk, -torch.inf)
            logit_x1, other_x1 = others_xv.max(dim=1, keepdim=True)
            best_x1 = torch.where(logit_x1 > -torch.inf, other_x1, scores.argmax(1, keepdim=True))
            kept_xv.scatter_(1, best_x1, none_x1 | kept_xv.gather(1, best_x1))
        return scores.masked_fill(~kept_xv, -torch.inf)


def candidate_energy(recent_xk: Tensor, logits_xv: Tensor) -> Tensor:
    """(texts, vocabulary) float64, the energy that each token would have as the next one.

    Exactly 0 of two tokens of equal logits.

    Parameters
    ----------
    recent_xk : (texts, K) ids of the last tokens.
    """
    p_xv = torch.softmax(logits_xv.double(), dim=-1)
    return p_xv - p_xv.gather(1, recent_xk).amax(dim=1, keepdim=True)
