"""The most probable token after logits are processed: what some methods of decoding share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ..generation.writing import Choice, Texts
from ..models.replay import Reader

Process = Callable[[Tensor, Tensor], Tensor]
"""(texts, tokens) ids and (texts, vocabulary) logits → logits, as a transformers processor is."""


class Processed:
    """The most probable token after a processor has had its way with the logits."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        logits_xv = reader.logits(texts.moment.top_xn)
        token_x = self.process(texts.ids_xt, logits_xv).argmax(dim=-1)
        return Choice(token_x, logits_xv, texts.moment)
