"""The last tokens of real texts as a model reads them, and which others would be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache

from ..models.architecture import ArchitectureError
from ..models.caches import growing, read_on, rows_of
from ..models.replay import Reader
from .decoded import Decoded
from .histories import of_each_run
from .last_tokens import LastTokens


@dataclass(frozen=True)
class ReadTokens:
    """Token ids after the history of each run, and the guide that proposes others.

    It proposes tokens that raise ln p(last token) to first order: by its slope at a site's
    embedding, and at the last site by what the model says of each token, p(v)·exp(slope), as
    arXiv:2410.13211 samples a model's input.

    reader : of the model at its last layer.
    before : of each run's text, what is remembered of all but the tokens that vary.
    correct_r : (runs,) correct tokens.
    ordinary_v : (ids,) tokens that may stand there, of which points of the space are indices.
    embedding_vd : (ids, d) their embeddings.
    tokens : how many of them vary.
    at_once : texts for whose keys and values there is room.
    """

    reader: Reader
    before: Sequence[Cache]
    correct_r: Tensor
    ordinary_v: Tensor
    embedding_vd: Tensor
    tokens: int
    at_once: int

    @classmethod
    def begin(
        cls,
        reader: Reader,
        texts: Sequence[Tensor],
        correct_r: Tensor,
        ordinary_v: Tensor,
        tokens: int,
        at_once: int,
    ) -> ReadTokens:
        """After all but the last tokens of texts, (tokens,) each."""
        with torch.no_grad():
            embedding_vd = reader.layered.model.get_input_embeddings()(ordinary_v).float()
        before = [reader.start(ids_t[None, :-tokens])[0].after for ids_t in texts]
        return cls(reader, before, correct_r, ordinary_v, embedding_vd, tokens, at_once)

    def decoded(self) -> Decoded:
        """The space of these tokens: uniform, and what the model makes of them."""
        space = LastTokens(len(self.ordinary_v), self.tokens, self)
        return Decoded(space, self._top, self._tokens_of)

    def look(self, ids_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states, n·d + hidden) slopes of ln p(last token), and the last block's output.

        Raises
        ------
        ArchitectureError
            If the model does not embed its tokens once.
        """

        def of(run: int, rows: Tensor) -> Tensor:
            token_xn = self.ordinary_v[ids_sn[rows]]
            with torch.enable_grad(), _embedded(self.reader.layered.model) as leaves:
                top_xn = self._read(run, token_xn)
                if len(leaves) != 1:
                    raise ArchitectureError(
                        f"it embeds its tokens {len(leaves)} times, so that proposals can't follow "
                        f"one slope, and its input can't be sampled"
                    )
                last = self.reader.log_p(top_xn).gather(1, token_xn[:, -1:]).sum()
                (slope_xnd,) = torch.autograd.grad(last, leaves)
            return torch.cat([slope_xnd.flatten(1).float(), top_xn.detach().float()], dim=1)

        return of_each_run(run_s, self.at_once, of)

    @torch.no_grad()
    def log_weight(self, seen_sm: Tensor, site_s: Tensor) -> Tensor:
        """(states, ids) what ln p(last token) would gain from each, to first order."""
        slope_snd = seen_sm[:, : self._slopes].reshape(len(seen_sm), self.tokens, -1)
        slope_sd = slope_snd[torch.arange(len(site_s), device=site_s.device), site_s]
        gain_sv: Tensor = slope_sd @ self.embedding_vd.T
        at_last = (site_s == self.tokens - 1).nonzero()[:, 0]
        said_xv = self.reader.log_p(seen_sm[at_last, self._slopes :])
        gain_sv[at_last] += said_xv[:, self.ordinary_v].float()
        return gain_sv

    @property
    def _slopes(self) -> int:
        return self.tokens * self.embedding_vd.shape[1]

    @torch.no_grad()
    def _top(self, ids_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states, hidden) the last block's output at the last token."""

        def of(run: int, rows: Tensor) -> Tensor:
            return self._read(run, self.ordinary_v[ids_sn[rows]])

        return of_each_run(run_s, self.at_once, of)

    def _tokens_of(self, ids_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states, 2) last and correct token."""
        return torch.stack([self.ordinary_v[ids_sn[:, -1]], self.correct_r[run_s]], dim=1)

    def _read(self, run: int, token_xn: Tensor) -> Tensor:
        """(texts, hidden) the last block's output after a history and some more tokens."""
        layered = self.reader.layered
        row_x = torch.zeros(len(token_xn), dtype=torch.long, device=token_xn.device)
        cache, last = rows_of(self.before[run], row_x), layered.n_blocks
        with layered.recorded([last]) as record, growing(token_xn.device):
            read_on(layered.model.base_model, token_xn, cache, layered.numbered)
            return record.states.pop(last)[:, -1]


@contextmanager
def _embedded(model: Any) -> Iterator[list[Tensor]]:
    """Have the embeddings of a pass be what gradients end at."""
    leaves: list[Tensor] = []

    def keep(_module: nn.Module, _args: Any, output: Tensor) -> Tensor:
        leaves.append(output.detach().requires_grad_())
        return leaves[-1]

    handle = model.get_input_embeddings().register_forward_hook(keep)
    try:
        yield leaves
    finally:
        handle.remove()
