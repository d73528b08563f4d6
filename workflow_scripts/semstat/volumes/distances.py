"""How far a state is from a well: the shortest path that is found, in a space's own coordinates.

Wanted is the least shift v with f(v) ≥ 0, where f is how deep in the well what is shifted lies. As
`steering.steer` does when it aims anew, each step turns to J⁺(−f + Jv), the least-norm solution of
the constraint linearised at the last v; but it goes a part of the way only, since all of it leaps
to and fro where several tokens rival the last one and f has corners. Where it comes to rest ‖v‖ is
stationary on the border. A shift that leads into the well is no shorter than the shortest one: what
is found is an upper bound of the distance.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..models.decoder import Decoder
from ..steering.steering import Function, jacobian, least_norm
from .decoded import Decoded
from .sphere import Sphere

STEPS = 150
"""Jacobians that a path takes at most."""

PATIENCE = 25
"""Steps without a shift that is shorter by `GAIN` of it, after which a path has ended."""

GAIN = 1e-3

MARGIN = 0.02
"""Nats by which paths aim deeper than the border."""

STRIDE = 0.3
"""Longest step: radians, or of the norm that a point of standard normal components has."""


class Chart(NamedTuple):
    """Points of a space for states, and what shifts of them lead to.

    decoded : the space, and the states that its points stand for: a linear map of them, whose
        columns are perpendicular to each other, but for a shift.
    dimensions : n of the space.
    is_sphere : whether distances are angles, radians; else norms, standard deviations.
    """

    decoded: Decoded
    dimensions: int
    is_sphere: bool

    @classmethod
    def of(cls, decoded: Decoded) -> Chart:
        dimensions = decoded.space.draw(1, torch.Generator()).shape[1]
        return cls(decoded, dimensions, isinstance(decoded.space, Sphere))

    @property
    def unit(self) -> str:
        """Of distances."""
        return "radians" if self.is_sphere else "standard deviations"

    @property
    def stride(self) -> float:
        """The longest step of a path."""
        return STRIDE * (1.0 if self.is_sphere else math.sqrt(self.dimensions))

    def state_of(self, x_sn: Tensor) -> Tensor:
        """(states, hidden) that points stand for."""
        return self.decoded.state_of(x_sn, torch.zeros_like(x_sn[:, 0], dtype=torch.int64))

    def points_of(self, q_sn: Tensor) -> Tensor:
        """(states, n) points that stand for (states, hidden) states.

        What the space has no place for is left out: their norm, or where they have no spread.
        """
        unit_nn = torch.eye(self.dimensions, device=q_sn.device)
        origin_1n = self.state_of(torch.zeros_like(unit_nn[:1])).double()
        axis_nn = self.state_of(unit_nn).double() - origin_1n
        x_sn = (q_sn.double() - origin_1n) @ axis_nn.T / axis_nn.square().sum(dim=1)
        return (normalize(x_sn, dim=1) if self.is_sphere else x_sn).float()

    def shifted(self, x_sn: Tensor, v_sn: Tensor) -> Tensor:
        """Points as far away as shifts are long; on a sphere along great circles.

        Parameters
        ----------
        v_sn : (points, n) shifts; on a sphere, what is tangent of them counts.
        """
        if not self.is_sphere:
            return x_sn + v_sn
        v_sn = v_sn - (v_sn * x_sn).sum(dim=1, keepdim=True) * x_sn
        # So much that it has a slope at 0.
        angle_s1 = (v_sn.square().sum(dim=1, keepdim=True) + 1e-20).sqrt()
        return x_sn * angle_s1.cos() + v_sn * angle_s1.sin() / angle_s1


def within(decoder: Decoder, pair_s2: Tensor, energy: float) -> Function:
    """How deep (states, hidden) states lie in the well H ≤ −ε, nats; (states, 1), 0 at its border.

    ln p(last) − ln[(1 + ε)/ε · p(correct) + Σ p(other)] + ln[(1 − ε)/ε]: log-odds, whose slope does
    not vanish where p(last) does, as that of H would.

    Parameters
    ----------
    pair_s2 : (states, 2) last and correct token of each.
    energy : −ε, between −1 and 0.
    """
    last_s1, correct_s1 = pair_s2[:, :1], pair_s2[:, 1:]
    heavier, nats = math.log((1 - energy) / -energy), math.log((1 + energy) / -energy)

    def depth(q_sn: Tensor) -> Tensor:
        logits_sv = decoder.logits(q_sn)
        others_sv = logits_sv.scatter(1, last_s1, -torch.inf)
        others_sv = others_sv.scatter_add(1, correct_s1, torch.full_like(logits_sv[:, :1], heavier))
        return logits_sv.gather(1, last_s1) - others_sv.logsumexp(dim=1, keepdim=True) + nats

    return depth


def distances(
    decoder: Decoder, chart: Chart, x_sn: Tensor, pair_s2: Tensor, energy: float = -0.5
) -> Tensor:
    """(points,) how far the well H ≤ E is found from each point: 0 in it, NaN if it is not found.

    Parameters
    ----------
    decoder : in float32.
    x_sn : (points, n) of the chart.
    pair_s2 : (points, 2) last and correct token of each.
    energy : E, between −1 and 0.
    """
    nearest_s = torch.full((len(x_sn),), torch.inf, device=x_sn.device)
    share_s, idle_s = torch.full_like(nearest_s, 0.5), torch.zeros_like(nearest_s)
    v_sn, step_sn = torch.zeros_like(x_sn), torch.zeros_like(x_sn)
    going = torch.arange(len(x_sn), device=x_sn.device)
    for _ in range(STEPS):
        if not len(going):
            break
        depth = within(decoder, pair_s2[going], energy)
        from_sn = x_sn[going]

        def after(v_sn: Tensor, depth: Function = depth, from_sn: Tensor = from_sn) -> Tensor:
            return depth(chart.state_of(chart.shifted(from_sn, v_sn)))

        shift_sn, before_sn = v_sn[going], step_sn[going]
        depth_s1, j_s1n = jacobian(after, shift_sn)

        norm_s, best_s = shift_sn.norm(dim=1), nearest_s[going]
        nearer_s = (depth_s1[:, 0] >= 0) & (norm_s < best_s)
        idle_s[going] = torch.where(
            nearer_s & ~(norm_s > (1 - GAIN) * best_s), 0, idle_s[going] + 1
        )
        nearest_s[going] = torch.where(nearer_s, norm_s, best_s)

        along_s1 = (j_s1n @ shift_sn[..., None])[..., 0]
        forth_sn = least_norm(j_s1n, MARGIN - depth_s1 + along_s1) - shift_sn
        turned_s = (forth_sn * before_sn).sum(dim=1) < 0
        part_s = torch.where(turned_s, share_s[going] / 2, (1.2 * share_s[going]).clamp(max=1.0))
        share_s[going], step_sn[going] = part_s, forth_sn
        length_s = (part_s * forth_sn.norm(dim=1)).clamp(min=1e-30)
        v_sn[going] += (part_s * (chart.stride / length_s).clamp(max=1.0))[:, None] * forth_sn

        there_s = nearest_s[going].isfinite() & (idle_s[going] >= PATIENCE)
        going = going[~there_s & (nearest_s[going] > 0)]
    return nearest_s.double().where(nearest_s.isfinite(), torch.nan)
