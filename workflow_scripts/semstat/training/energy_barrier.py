"""The energy barrier: cross entropy, and a price on states whose energy is low.

    L = −⟨ln p(correct)⟩ + λ ⟨φ((H* − H) / w)⟩,    H = p(correct) − p(last),

the second mean over states that have an energy. φ(u) is ln(1 + e^u) or max(0, u)². With s = λ φ′ /
(w · states), and p of the whole vocabulary, the gradient of the second term in the logits is

    dL/dz_v = −s (p_c [v = c] − p_l [v = l] − H p_v),

and in log-odds, H = z_c − z_l, it is −s ([v = c] − [v = l]), which no p makes small.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from .continuations import On, OnContinuations, mean_of_marked
from .cross_entropy import cross_entropy
from .objective import Batch, require, require_strength
from .recent import recent

Shape = Literal["softplus", "squared_hinge"]


@dataclass(frozen=True)
class EnergyBarrier(OnContinuations):
    """Cross entropy and a barrier against low energies.

    On continuations it acts on marked tokens alone, without cross entropy. There the written token
    is the one to leave, and the runner-up to it takes the correct one's place: H = p(second) −
    p(written), never above 0.

    Parameters
    ----------
    strength : weight λ of the barrier, nats.
    threshold : H*, in the units of H.
    width : w, in the units of H; by default one that suits probabilities, and 1 suits log-odds.
    shape : φ.
    periods : the energy's rival is the most probable of so many last tokens that are not the
        correct one, of the window's text; 1 is the last token alone. Without any H = 0, as it is
        where the last token is the correct one.
    in_log_odds : whether H is ln p(correct) − ln p(rival), nats, a difference of logits.
    acts_on : where the barrier acts.
    prefix : tokens of a text that the model continues, where it acts on continuations.
    written : tokens that the model writes then.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    strength: float = 1.0
    threshold: float = 0.0
    width: float = 0.05
    shape: Shape = "softplus"
    periods: int = 1
    in_log_odds: bool = False
    acts_on: On = "text"
    prefix: int = 50
    written: int = 100

    def __post_init__(self) -> None:
        require_strength(self.strength)
        require(isfinite(self.threshold), f"threshold: {self.threshold} is no number")
        require(0 < self.width < inf, f"width: {self.width} is not a number above 0")
        shapes = get_args(Shape)
        require(self.shape in shapes, f"shape: {self.shape!r} is none of {', '.join(shapes)}")
        require(self.periods > 0, f"periods: {self.periods} is below 1")
        self.require_continuations()

    def wanted(self, batch: Batch) -> Tensor:
        if batch.second_xt is not None:
            return torch.stack([batch.correct_xt, batch.last_xt, batch.second_xt], dim=-1)
        ids_xtk = recent(batch, self.periods).ids_xtk
        return torch.cat([batch.correct_xt[..., None], ids_xtk], dim=-1)

    def loss(self, batch: Batch, log_p_xtm: Tensor) -> Tensor:
        if batch.second_xt is not None:
            barrier_xt = self.barrier(log_p_xtm[..., 2], log_p_xtm[..., 0])
            return self.strength * mean_of_marked(batch, barrier_xt, self.written)
        entropy = cross_entropy(log_p_xtm)
        if self.acts_on == "continuations":
            return entropy
        correct_xt = log_p_xtm[..., 0]
        wrong_xtk = recent(batch, self.periods).wrong_xtk
        rival_xt = log_p_xtm[..., 1:].masked_fill(~wrong_xtk, -torch.inf).amax(dim=-1)
        rival_xt = torch.where(wrong_xtk.any(dim=-1), rival_xt, correct_xt)
        barrier_xt = self.barrier(correct_xt, rival_xt).masked_fill(~batch.text_xt, 0.0)
        return entropy + self.strength * barrier_xt.sum() / batch.text_xt.sum().clamp(min=1)

    def barrier(self, correct_xt: Tensor, rival_xt: Tensor) -> Tensor:
        """φ((H* − H) / w) of ln p of the correct token and of its rival."""
        if not self.in_log_odds:
            correct_xt, rival_xt = correct_xt.exp(), rival_xt.exp()
        depth_xt = (self.threshold - correct_xt + rival_xt) / self.width
        return softplus(depth_xt) if self.shape == "softplus" else relu(depth_xt).square()
