"""Runs: many texts that a model writes after each of some prompts, and what they are drawn from.

All runs of all prompts take a step together. Of the probabilities of a step only sums are kept, so
that memory grows with runs and positions as keys and values do, and by nothing of the size of the
vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers.cache_utils import Cache

from ..models.in_place import in_place
from ..models.replay import Moment
from ..models.thread_pool import side_by_side
from .marginal import Marginal, measure_marginal, subsets
from .sampling import draw

COLDEST, HOTTEST = 0.05, 20.0
"""Sampling temperatures among which methods seek one."""

AS_GOOD_AS_0 = 1e-30
"""Sampling temperature at which float32 logits tell which ones are the largest, and no more."""


def draw_uniform_runs(seed: int, doc: int, runs: range, steps: int) -> NDArray[np.float64]:
    """(runs, steps) uniform numbers in [0, 1): a run's, whatever else is written beside it."""
    return np.array([np.random.default_rng([seed, doc, run]).random(steps) for run in runs])


class Look(NamedTuple):
    """The model's own next tokens, as a method of choosing finds them.

    shifted_drv : (prompts, runs, vocabulary) logits less the highest of each run, float32.
    log_normaliser_dr : ln Σ exp of them.
    entropy_dr : of the model's own distribution, which is that at sampling temperature 1, nats.
    alive_dr : bool, runs that have not ended; of the others nothing holds.
    """

    shifted_drv: Tensor
    log_normaliser_dr: Tensor
    entropy_dr: Tensor
    alive_dr: Tensor


class Step(NamedTuple):
    """One token of each run, and what it was drawn from.

    Of the distribution that was drawn from, after whatever was cut off it:

    sampling_temperature, entropy : (prompts, runs); entropy in nats.
    logit_variance : (prompts, runs) variance of the logits under it.
    marginal : of the mean distribution of a prompt's runs.

    Of the model's own distribution:

    surprisal : (prompts, runs) −ln p of the token, nats.
    energy : (prompts, runs) H = p(token) − p(last token).

    alive : (prompts, runs) bool, whether the run had not ended before; of the others nothing holds.
    """

    token: Tensor
    alive: Tensor
    sampling_temperature: Tensor
    entropy: Tensor
    logit_variance: Tensor
    surprisal: Tensor
    energy: Tensor
    marginal: Marginal


class Method(ABC):
    """A way of choosing the next token of each run: softmax(logits / sampling temperature).

    A method may remember what it saw; one is made for each group of prompts.
    """

    @abstractmethod
    def sampling_temperature(self, step: int, look: Look) -> Tensor:
        """(prompts, runs), or what broadcasts to it, of step 0, 1, …"""

    def kept(self, _look: Look) -> Tensor | None:
        """(prompts, runs, vocabulary) bool, the tokens not cut off; None for all."""
        return None

    def observe(self, step: Step, p_drv: Tensor) -> None:  # noqa: B027
        """See what a step came to, with the probabilities that it was drawn from.

        They are overwritten by the next step.
        """


class Solver(Method):
    """A method that finds the sampling temperature of each position while it writes.

    Attributes
    ----------
    reached : of each position so far, whether it found what it looked for.
    """

    def __init__(self) -> None:
        self.reached: list[bool] = []


class Reads(Protocol):
    """What runs ask of a model: see `replay.Reader`, which is one."""

    def start(self, prompt_xt: Tensor, /) -> tuple[Moment, list[Tensor]]: ...

    def read_in_place(self, token_x1: Tensor, caches: Sequence[Cache], /) -> Tensor: ...

    def logits(self, top_xn: Tensor, /) -> Tensor: ...


class Runs:
    """Texts under way: some runs of each of some prompts.

    Parameters
    ----------
    reader : of the model, at its top layer.
    prompt_dt : (prompts, tokens) token ids, at least one each; read once for all runs.
    uniform_drt : (prompts, runs, steps) numbers in [0, 1), one for each token to write, float64.
    method : how tokens are chosen.
    end_tokens : token ids that end a run; none lets every run go on.
    """

    def __init__(
        self,
        reader: Reads,
        prompt_dt: Tensor,
        uniform_drt: Tensor,
        method: Method,
        end_tokens: Sequence[int] = (),
    ) -> None:
        self.reader, self.method = reader, method
        self.end_token_c = torch.tensor(end_tokens, dtype=torch.long, device=prompt_dt.device)
        prompts, self.runs, self.steps = uniform_drt.shape
        self.uniform_tdr = iter(uniform_drt.permute(2, 0, 1))
        moment, _ = reader.start(prompt_dt)
        row_x = torch.arange(prompts, device=prompt_dt.device).repeat_interleave(self.runs)
        room = prompt_dt.shape[1] + self.steps
        shares = min(torch.get_num_threads(), len(row_x)) if row_x.device.type == "cpu" else 1
        self.caches = [in_place(moment.after, few_x, room) for few_x in row_x.tensor_split(shares)]
        self.top_xn = moment.top_xn[row_x]
        self.token_dr = prompt_dt[:, -1:].expand(prompts, self.runs)
        self.alive_dr = torch.ones_like(self.token_dr, dtype=torch.bool)
        self.among = subsets(self.runs, prompt_dt.device)
        self.kept: list[Tensor] = []
        self.written = 0

    def step(self) -> Step:
        """Write one token of each run."""
        with torch.no_grad():
            if self.written:
                self.top_xn = self.reader.read_in_place(self.token_dr.reshape(-1, 1), self.caches)
            logits_xv = self.reader.logits(self.top_xn)
            step = self._choose(logits_xv.view(*self.token_dr.shape, -1))
        self.token_dr = step.token
        if len(self.end_token_c):
            self.alive_dr = self.alive_dr & ~torch.isin(step.token, self.end_token_c)
        self.written += 1
        return step

    def _choose(self, logits_drv: Tensor) -> Step:
        # Kept from step to step: to take so much memory anew costs as much as what is done in it.
        self.kept = self.kept or [torch.empty_like(logits_drv) for _ in range(2)]
        look = look_at(logits_drv, self.alive_dr, self.kept[0])
        # It is NaN wherever a logit is NaN or infinite.
        if not look.entropy_dr.isfinite().all():
            raise FloatingPointError("NaN or infinite logits")
        temperature_dr = self.method.sampling_temperature(self.written, look)
        temperature_dr = temperature_dr.expand(look.entropy_dr.shape)
        kept_drv = self.method.kept(look)
        p_drv, entropy_dr, variance_dr = soften(
            look.shifted_drv, temperature_dr, kept_drv, self.kept
        )
        drawn = side_by_side(draw, p_drv.flatten(0, 1), next(self.uniform_tdr).flatten())
        token_dr = torch.cat(drawn).view_as(entropy_dr)

        def log_p(token_dr: Tensor) -> Tensor:
            chosen_dr = look.shifted_drv.gather(2, token_dr[..., None])[..., 0]
            return chosen_dr - look.log_normaliser_dr

        step = Step(
            token=token_dr,
            alive=self.alive_dr,
            sampling_temperature=temperature_dr,
            entropy=entropy_dr,
            logit_variance=variance_dr,
            surprisal=-log_p(token_dr),
            energy=log_p(token_dr).exp() - log_p(self.token_dr).exp(),
            marginal=measure_marginal(p_drv, self.among, entropy_dr, self.alive_dr),
        )
        self.method.observe(step, p_drv)
        return step


def look_at(logits_drv: Tensor, alive_dr: Tensor, scratch_drv: Tensor | None = None) -> Look:
    """The model's own distribution of the next token of each run.

    Parameters
    ----------
    logits_drv : (prompts, runs, vocabulary), which become those of the look.
    scratch_drv : a tensor of this shape to compute in; a new one by default.
    """
    scratch_drv = torch.empty_like(logits_drv) if scratch_drv is None else scratch_drv

    def look(shifted_drv: Tensor, weight_drv: Tensor) -> tuple[Tensor, Tensor]:
        shifted_drv -= shifted_drv.amax(dim=-1, keepdim=True)
        torch.exp(shifted_drv, out=weight_drv)
        sum_dr = weight_drv.sum(dim=-1)
        entropy_dr = sum_dr.log() - (weight_drv.mul_(shifted_drv)).sum(dim=-1) / sum_dr
        return sum_dr.log(), entropy_dr

    found = side_by_side(look, logits_drv, scratch_drv, dim=1)
    log_normaliser_dr, entropy_dr = (torch.cat(each, dim=1) for each in zip(*found, strict=True))
    return Look(logits_drv, log_normaliser_dr, entropy_dr, alive_dr)


def soften(
    shifted_drv: Tensor,
    temperature_dr: Tensor,
    kept_drv: Tensor | None = None,
    room: Sequence[Tensor] = (),
) -> tuple[Tensor, Tensor, Tensor]:
    """softmax(logits / sampling temperature), among some tokens if wanted, and its moments.

    Parameters
    ----------
    shifted_drv : (prompts, runs, vocabulary) logits less the highest of each run.
    temperature_dr : (prompts, runs) sampling temperatures; 0 leaves the most probable token, or
        those that share the highest logit.
    kept_drv : (prompts, runs, vocabulary) bool, the tokens to draw from.
    room : two tensors like `shifted_drv`, for the probabilities and to compute in; new ones by
        default.

    Returns
    -------
    probabilities, their entropy in nats, and the variance of the logits under them.
    """
    p_drv, scratch_drv = room or (torch.empty_like(shifted_drv) for _ in range(2))

    def share(
        p_drv: Tensor,
        moment_drv: Tensor,
        shifted_drv: Tensor,
        temperature_dr: Tensor,
        *kept: Tensor,
    ) -> tuple[Tensor, Tensor]:
        torch.div(shifted_drv, temperature_dr[..., None], out=p_drv).exp_()
        for kept_drv in kept:
            p_drv.mul_(kept_drv)
        sum_dr = p_drv.sum(dim=-1)
        p_drv /= sum_dr[..., None]
        torch.mul(p_drv, shifted_drv, out=moment_drv)
        mean_dr = moment_drv.sum(dim=-1)
        square_dr = moment_drv.mul_(shifted_drv).sum(dim=-1)
        entropy_dr = sum_dr.log() - mean_dr / temperature_dr
        return entropy_dr, (square_dr - mean_dr.square()).clamp(min=0)

    kept = [] if kept_drv is None else [kept_drv]
    temperature_dr = temperature_dr.clamp(min=AS_GOOD_AS_0)
    found = side_by_side(share, p_drv, scratch_drv, shifted_drv, temperature_dr, *kept, dim=1)
    entropy_dr, variance_dr = (torch.cat(each, dim=1) for each in zip(*found, strict=True))
    return p_drv, entropy_dr, variance_dr


def write_runs(runs: Runs, advance: Callable[[int], object] = lambda _tokens: None) -> list[Step]:
    """All steps of all runs, or those until all have ended."""
    steps = []
    for _ in range(runs.steps):
        steps.append(runs.step())
        advance(runs.alive_dr.numel())
        if len(runs.end_token_c) and not runs.alive_dr.any():
            break
    return steps
