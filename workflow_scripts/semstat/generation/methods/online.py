"""Control of the entropy of texts while they are written, by proportion and integral."""

from __future__ import annotations

import torch
from torch import Tensor

from ..marginal import entropy_of_mean
from ..runs import COLDEST, HOTTEST, Look, Method, Step


class Online(Method):
    """Move ln sampling temperature by what the entropy lacks now, and by what it lacked so far.

    Of a single text it is the entropy of its own distribution; of a small batch, the runs of one
    prompt taken so many at a time, that of their mean. With e = hold − entropy of the last step,
    ln T = P e + I Σ e.

    Parameters
    ----------
    hold : entropy to hold, nats.
    batch : runs that are controlled together; those left over form a smaller one.
    proportion, integral : P and I, 1/nat.
    """

    def __init__(
        self, hold: float, batch: int = 1, proportion: float = 0.02, integral: float = 0.005
    ) -> None:
        self.hold, self.batch = hold, batch
        self.proportion, self.integral = proportion, integral
        self.lacking_dr: Tensor | None = None
        self.total_dr: Tensor | None = None

    def sampling_temperature(self, _step: int, look: Look) -> Tensor:
        if self.lacking_dr is None or self.total_dr is None:
            self.lacking_dr = self.total_dr = torch.zeros_like(look.entropy_dr)
        log_dr = self.proportion * self.lacking_dr + self.integral * self.total_dr
        return log_dr.exp().clamp(COLDEST, HOTTEST)

    def observe(self, step: Step, p_drv: Tensor) -> None:
        if self.batch == 1:
            entropy_dr = step.entropy
        else:
            parts = [torch.split(value, self.batch, dim=1) for value in (p_drv, step.alive)]
            each = [
                entropy_of_mean(few_drv, alive_dr)[:, None].expand(alive_dr.shape).to(step.entropy)
                for few_drv, alive_dr in zip(*parts, strict=True)
            ]
            entropy_dr = torch.cat(each, dim=1)
        self.lacking_dr = self.hold - entropy_dr
        assert self.total_dr is not None  # noqa: S101
        bound = torch.tensor([COLDEST, HOTTEST]).log() / self.integral
        # What no sampling temperature mends is not added up.
        self.total_dr = (self.total_dr + self.lacking_dr).clamp(*bound.tolist())
