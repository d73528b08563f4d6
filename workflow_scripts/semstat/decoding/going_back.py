"""Writing that goes back where a text is stuck, and takes another branch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from ..errors import InputError
from ..generation.sampling import next_tokens
from ..models.caches import rows_of, with_rows
from ..models.replay import Reader
from .stuttering import stuttering

_GOLDEN = (5**0.5 - 1) / 2

Watch = Literal["energy", "margin"]


class Rewritten(NamedTuple):
    """What was written after prompts, in S steps.

    token_xt : (texts, S) token ids.
    went_back_x : (texts,) how often each text went back.
    written_x : (texts,) tokens written in all, those that did not stay among them.
    """

    token_xt: Tensor
    went_back_x: Tensor
    written_x: Tensor


class _Texts(NamedTuple):
    """Texts of one length: (texts, tokens) ids, what the model remembers, and its last output."""

    ids_xt: Tensor
    cache: Cache
    top_xn: Tensor

    def rows(self, row_x: Tensor) -> _Texts:
        return _Texts(self.ids_xt[row_x], rows_of(self.cache, row_x), self.top_xn[row_x])

    def with_rows(self, row_x: Tensor, other: _Texts) -> _Texts:
        return _Texts(
            self.ids_xt.index_copy(0, row_x, other.ids_xt),
            with_rows(self.cache, row_x, other.cache),
            self.top_xn.index_copy(0, row_x, other.top_xn),
        )


class _Window(NamedTuple):
    """Texts after so many more tokens.

    watched_xt : (texts, tokens) what is watched, at each of them.
    other_p_xtb, other_xtb : (texts, tokens, branches) the most probable tokens that were not taken
        and do not stutter, and their probabilities: 0 where there is none.
    """

    texts: _Texts
    watched_xt: Tensor
    other_p_xtb: Tensor
    other_xtb: Tensor


@dataclass(frozen=True)
class GoBack:
    """Writes texts in windows of some tokens, and goes back where one is stuck.

    Stuck is a text where the mean of what is watched is below the threshold in a window. What is
    watched is

    - the energy, p(token) − p(token before it), of the tokens that were written, or
    - the margin, p(best next token that does not stutter) − p(best one that does), of which nobody
      has to write anything: see `stuttering`.

    A stuck text goes back to the beginning of the window and is written anew, another token taken
    at one place in the window's first half: of all tokens there that were not taken and do not
    stutter the most probable one, then the second most probable, and so on. What comes before the
    place stays; what comes after it is chosen anew. The first branch that is not stuck is taken, or
    else, of all that were written, the one with the highest mean.

    A window that the steps cut short is not judged.

    Parameters
    ----------
    watch : what is watched.
    threshold : probability; at −1 or below no text is ever stuck.
    uniform_xt : (texts, steps) float64, in [0, 1), on the model's device. The b-th branch takes
        (u + b (√5 − 1) / 2) mod 1 for u, which is uniform too, and another number in each.
    patience : tokens of a window, at least 2: by what follows the place it is judged.
    branches : most to take of a window.
    ngram : tokens of a repetition that counts as stuttering, beside three of one token in a row.
    sampling_temperature : tokens are drawn from softmax(logits / sampling temperature); 0 takes the
        most probable one.
    """

    watch: Watch
    threshold: float
    uniform_xt: Tensor
    patience: int = 8
    branches: int = 4
    ngram: int = 4
    sampling_temperature: float = 0.0

    def __call__(
        self,
        reader: Reader,
        prompt_xt: Tensor,
        steps: int,
        advance: Callable[[int], object] = lambda _tokens: None,
    ) -> Rewritten:
        """Continue prompts of one length by so many tokens.

        Parameters
        ----------
        prompt_xt : (texts, tokens) token ids, at least one each, on the model's device.
        advance : called with the number of tokens that each window has left.

        Raises
        ------
        InputError
            If a window is longer than what is written.
        """
        if self.patience > steps:
            raise InputError(
                f"decoding: with a patience of {self.patience} tokens no text of {steps} is ever "
                f"judged; lower `patience`, or write more"
            )
        moment, _ = reader.start(prompt_xt)
        texts = _Texts(prompt_xt, moment.after, moment.top_xn)
        went_back_x = torch.zeros_like(prompt_xt[:, 0])
        with torch.no_grad():
            for uniform_xt in torch.split(self.uniform_xt[:, :steps], self.patience, dim=1):
                window = self._write(reader, texts, uniform_xt)
                if uniform_xt.shape[1] == self.patience:
                    texts, times_x = self._leave(reader, texts, window, uniform_xt)
                    went_back_x += times_x
                else:
                    texts = window.texts
                advance(uniform_xt.numel())
        token_xt = texts.ids_xt[:, prompt_xt.shape[1] :]
        return Rewritten(token_xt, went_back_x, steps + self.patience * went_back_x)

    def _write(
        self, reader: Reader, texts: _Texts, uniform_xt: Tensor, fixed_xt: Tensor | None = None
    ) -> _Window:
        """Write a token for each number, or take that of `fixed_xt` where it is not negative."""
        steps = []
        for at, uniform_x in enumerate(uniform_xt.T):
            logits_xv = reader.logits(texts.top_xn)
            token_x = next_tokens(logits_xv, self.sampling_temperature, uniform_x)
            if fixed_xt is not None:
                token_x = torch.where(fixed_xt[:, at] < 0, token_x, fixed_xt[:, at])
            steps.append(self._look(texts.ids_xt, logits_xv, token_x))
            moment = reader.read(token_x[:, None], texts.cache)
            ids_xt = torch.cat([texts.ids_xt, token_x[:, None]], dim=1)
            texts = _Texts(ids_xt, moment.after, moment.top_xn)
        return _Window(texts, *(torch.stack(each, dim=1) for each in zip(*steps, strict=True)))

    def _look(
        self, ids_xt: Tensor, logits_xv: Tensor, token_x: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What is watched at a token, and what else might have been written there."""
        p_xv = torch.softmax(logits_xv.double(), dim=-1)
        stutters_xv = stuttering(ids_xt, p_xv.shape[1], self.ngram)
        sound_xv = p_xv.masked_fill(stutters_xv, 0)
        if self.watch == "energy":
            p_x2 = p_xv.gather(1, torch.stack([token_x, ids_xt[:, -1]], dim=1))
            watched_x = p_x2[:, 0] - p_x2[:, 1]
        else:
            watched_x = sound_xv.amax(dim=1) - p_xv.masked_fill(~stutters_xv, 0).amax(dim=1)
        others_xv = sound_xv.scatter(1, token_x[:, None], 0)
        return watched_x, *others_xv.topk(min(self.branches, p_xv.shape[1]), dim=1)

    def _leave(
        self, reader: Reader, texts: _Texts, window: _Window, uniform_xt: Tensor
    ) -> tuple[_Texts, Tensor]:
        """The texts after a window, those that are stuck on another branch; and branches tried."""
        half, each = (self.patience + 1) // 2, window.other_xtb.shape[2]
        p_xb, at_xb = window.other_p_xtb[:, :half].flatten(1).topk(min(self.branches, half * each))
        token_xt = window.texts.ids_xt[:, -self.patience :]
        place_t = torch.arange(self.patience, device=token_xt.device)
        kept, mean_x = window.texts, window.watched_xt.mean(dim=1)
        times_x = torch.zeros_like(token_xt[:, 0])
        for branch, (p_x, at_x) in enumerate(zip(p_xb.T, at_xb.T, strict=True), start=1):
            row_x = ((mean_x < self.threshold) & (p_x > 0)).nonzero()[:, 0]
            if not len(row_x):
                break
            place_x1 = at_x[row_x, None] // each
            fixed_xt = token_xt[row_x].masked_fill(place_t > place_x1, -1)
            other_x = window.other_xtb.flatten(1)[row_x, at_x[row_x]]
            fixed_xt.scatter_(1, place_x1, other_x[:, None])
            fresh_xt = (uniform_xt[row_x] + branch * _GOLDEN) % 1
            again = self._write(reader, texts.rows(row_x), fresh_xt, fixed_xt)
            again_x = again.watched_xt.mean(dim=1)
            better_x = (again_x > mean_x[row_x]).nonzero()[:, 0]
            kept = kept.with_rows(row_x[better_x], again.texts.rows(better_x))
            mean_x[row_x[better_x]] = again_x[better_x]
            times_x[row_x] += 1
        return kept, times_x
