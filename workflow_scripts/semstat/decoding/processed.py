"""The next token of processed logits: what most methods of decoding are.

They come in the order in which transformers has them: what refuses or penalises tokens, then the
sampling temperature, then what cuts off the tail.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import InputError
from ..generation.sampling import draw
from ..generation.writing import Choice, Texts
from ..models.replay import Reader

Process = Callable[[Tensor, Tensor], Tensor]
"""(texts, tokens) ids and (texts, vocabulary) logits → new logits, −∞ for a token that is out: as a
processor of transformers is."""


def unchanged(_ids_xt: Tensor, logits_xv: Tensor) -> Tensor:
    """Logits as they are."""
    return logits_xv


class Processed:
    """A token drawn from softmax(cut(process(logits) / sampling temperature)).

    Parameters
    ----------
    sampling_temperature : 0 takes the most probable token, and draws nothing.
    uniform_xt : (texts, steps) float64, in [0, 1), on the model's device.
    process : penalises or refuses tokens.
    cut : says among which to draw.
    """

    def __init__(
        self,
        sampling_temperature: float,
        uniform_xt: Tensor,
        process: Process = unchanged,
        cut: Process = unchanged,
    ) -> None:
        self.sampling_temperature = sampling_temperature
        self.process, self.cut = process, cut
        self.uniform = iter(uniform_xt.T)

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        """Choose the next token of each text.

        Raises
        ------
        FloatingPointError
            If a logit of the model is NaN or infinite.
        InputError
            If no token is left.
        """
        logits_xv = reader.logits(texts.moment.top_xn)
        if not logits_xv.isfinite().all():
            raise FloatingPointError("NaN or infinite logits")
        uniform_x = next(self.uniform)
        left_xv = self.process(texts.ids_xt, logits_xv)
        if left_xv.amax(dim=-1).isneginf().any():
            raise InputError(
                f"decoding: after {texts.ids_xt.shape[1]} tokens of a text the method refuses "
                f"every token that there is; have it refuse less, or write less"
            )
        if self.sampling_temperature == 0:
            return Choice(left_xv.argmax(dim=-1), logits_xv, texts.moment)
        p_xv = self.cut(texts.ids_xt, left_xv / self.sampling_temperature).softmax(dim=-1)
        entropy_x = torch.special.entr(p_xv).sum(dim=-1)
        token_x = draw(p_xv, uniform_x)
        return Choice(token_x, logits_xv, texts.moment, drawn_entropy_x=entropy_x)
