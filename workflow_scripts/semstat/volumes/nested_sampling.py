"""Nested sampling: the volume Ω(E) = Pr[H ≤ E] under any measure, down to hundreds of nats.

K walkers are distributed by the measure under a bound on H. At a step the c highest of them die,
one after the other; each leaves of the volume a share that is the largest of n uniform numbers,
where n are alive: ln Ω falls by 1/n on average (Skilling, Bayesian Analysis 1, 833, 2006; in
statistics the Nelson–Aalen estimate of a cumulative hazard, in physics the density of states by
Pártay, Bartók, Csányi, J. Phys. Chem. B 114, 10502, 2010). Copies of c others then take their
places, moved under the new bound.

Several runs go side by side, each with walkers, bound and end of its own, so that batches are wide.
The upper side, Pr[H ≥ E], is the lower one of −H.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .trace import DEPTH, EVALUATIONS, GOES_ON, PLATEAU, TARGET, Settings, Trace
from .walkers import Bound, EnergyOf, Space, evaluate

HELD = ("q_rwn", "energy_rw", "label_rw", "evaluations_r", "ended_r")
DEATHS = {
    "energy": torch.float64,
    "parent": torch.int64,
    "rank": torch.int64,
    "overlap": torch.float32,
}
"""What a state holds, beside its generator: of the walkers, and of each death."""


@dataclass
class NestedSampling:
    """Runs of nested sampling side by side, between two steps.

    Parameters
    ----------
    space : what walkers are drawn from and moved in.
    energy_of : of states, each of a run.
    q_rwn : (runs, walkers, n) states.
    energy_rw : (runs, walkers) float64, their energies.
    label_rw : (runs, walkers) float64, what breaks ties of energies; see `Bound`.
    generator : of all that is random from here on.
    evaluations_r, ended_r : (runs,) as `Trace` has them.
    steps : what each step has added to a trace, as `DEATHS` names it, (runs, culled) on the host;
        of several steps at once where they were read back.
    """

    space: Space
    energy_of: EnergyOf
    settings: Settings
    q_rwn: Tensor
    energy_rw: Tensor
    label_rw: Tensor
    generator: torch.Generator
    evaluations_r: Tensor
    ended_r: Tensor
    steps: list[tuple[Tensor, ...]]

    @classmethod
    def begin(
        cls,
        space: Space,
        energy_of: EnergyOf,
        settings: Settings,
        runs: int,
        generator: torch.Generator,
    ) -> NestedSampling:
        """Walkers of some runs, drawn from the measure itself."""
        walkers, device = settings.walkers, generator.device
        q_sn = space.draw(runs * walkers, generator)
        run_s = torch.arange(runs, device=device).repeat_interleave(walkers)
        sampling = cls(
            space,
            energy_of,
            settings,
            q_sn.view(runs, walkers, -1),
            evaluate(energy_of, q_sn, run_s).view(runs, walkers),
            _uniform((runs, walkers), generator),
            generator,
            torch.full((runs,), walkers, device=device),
            torch.full((runs,), GOES_ON, device=device),
            [tuple(torch.empty((runs, 0), dtype=kind) for kind in DEATHS.values())],
        )
        sampling._end(torch.full_like(sampling.energy_rw[:, 0], np.inf))
        return sampling

    @property
    def goes_on(self) -> bool:
        """Whether any run has not ended."""
        return bool((self.ended_r == GOES_ON).any())

    @property
    def taken(self) -> int:
        """Steps that were taken."""
        return sum(energy_rc.shape[1] for energy_rc, *_ in self.steps) // self.settings.culled

    @property
    def trace(self) -> Trace:
        """What there is so far."""
        ends = (self.energy_rw.amax(dim=1), self.evaluations_r, self.ended_r)
        parts = (part.cpu().numpy() for part in (*self._deaths().values(), *ends))
        return Trace(self.settings, *parts)

    def step(self) -> None:
        """Let the highest walkers of each run that goes on die, and copies of others replace them.

        Raises
        ------
        FloatingPointError
            If an energy is NaN or infinite.
        """
        settings, culled = self.settings, self.settings.culled
        on_r = (self.ended_r == GOES_ON).nonzero()[:, 0]
        order_rw = _order(self.energy_rw[on_r], self.label_rw[on_r])
        dying_rc = order_rw[:, settings.walkers - culled :].flip(1)
        staying_rw = order_rw[:, : settings.walkers - culled]
        row_r1 = on_r[:, None]
        died_rc, lowest_r1 = self.energy_rw[row_r1, dying_rc], dying_rc[:, -1:]
        bound = Bound(
            row_r1.expand_as(dying_rc).flatten(),
            self.energy_rw[row_r1, lowest_r1].expand_as(dying_rc).flatten(),
            self.label_rw[row_r1, lowest_r1].expand_as(dying_rc).flatten(),
        )
        # Different origins, so that copies have as little as possible in common.
        chance_rw = _uniform(tuple(staying_rw.shape), self.generator)
        parent_rc = chance_rw.argsort(dim=1)[:, :culled]
        origin_rc = staying_rw.gather(1, parent_rc)
        moved = self.space.move(
            self.q_rwn[row_r1, origin_rc].flatten(0, 1),
            self.energy_rw[row_r1, origin_rc].flatten(),
            bound,
            self.energy_of,
            settings.moves,
            self.generator,
        )
        energy_rc = moved.energy_s.view_as(dying_rc)
        weight_rc = bound.weight(moved.energy_s).view_as(dying_rc)
        label_rc = weight_rc * _uniform(tuple(dying_rc.shape), self.generator)
        rank_rc = _rank(
            self.energy_rw[row_r1, staying_rw],
            self.label_rw[row_r1, staying_rw],
            energy_rc,
            label_rc,
        )
        self.q_rwn[row_r1, dying_rc] = moved.q_sn.view(*dying_rc.shape, -1)
        self.energy_rw[row_r1, dying_rc] = energy_rc
        self.label_rw[row_r1, dying_rc] = label_rc
        self.evaluations_r[on_r] += moved.evaluations_s.view_as(dying_rc).sum(dim=1)
        found = (died_rc, parent_rc, rank_rc, moved.overlap_s.view_as(dying_rc).float())
        self.steps.append(tuple(self._of_all(on_r, part_rc) for part_rc in found))
        limit_r = torch.full_like(self.energy_rw[:, 0], -np.inf)
        limit_r[on_r] = died_rc[:, -1]
        self._end(limit_r)

    def _of_all(self, on_r: Tensor, part_rc: Tensor) -> Tensor:
        """(runs, culled) what was found of the runs that go on, and of the others nothing."""
        nothing = np.nan if part_rc.is_floating_point() else -1
        all_rc = part_rc.new_full((len(self.q_rwn), self.settings.culled), nothing)
        all_rc[on_r] = part_rc
        return all_rc.cpu()

    def _end(self, limit_r: Tensor) -> None:
        """End those runs that have got where they should, or can't go on."""
        settings = self.settings
        ends = {
            EVALUATIONS: self.evaluations_r >= settings.evaluations,
            DEPTH: torch.full_like(limit_r, self._nats()) >= settings.depth,
            PLATEAU: self.energy_rw.amax(dim=1) == self.energy_rw.amin(dim=1),
            TARGET: limit_r <= settings.target,
        }
        goes_on_r = self.ended_r == GOES_ON
        for how, ends_r in ends.items():  # of several, the last
            self.ended_r[goes_on_r & ends_r] = how

    def _nats(self) -> float:
        """By how much ln Ω has fallen in runs that go on, on average."""
        return self.taken * self.settings.nats

    def state(self) -> dict[str, Tensor]:
        """All that is needed to go on with the same numbers, on the host."""
        held = {name: getattr(self, name).cpu() for name in HELD}
        return held | self._deaths() | {"generator": self.generator.get_state()}

    def _deaths(self) -> dict[str, Tensor]:
        """Each (runs, deaths), of all steps."""
        parts = (torch.cat(part, dim=1) for part in zip(*self.steps, strict=True))
        return dict(zip(DEATHS, parts, strict=True))

    @classmethod
    def resume(
        cls,
        space: Space,
        energy_of: EnergyOf,
        settings: Settings,
        state: dict[str, Tensor],
        device: torch.device,
    ) -> NestedSampling:
        """What had that `state`, on a device."""
        generator = torch.Generator(device)
        generator.set_state(state["generator"])
        held = {name: state[name].to(device) for name in HELD}
        steps = [tuple(state[name] for name in DEATHS)]
        return cls(space, energy_of, settings, **held, generator=generator, steps=steps)


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)


def _order(energy_rw: Tensor, label_rw: Tensor) -> Tensor:
    """(runs, walkers) their indices, by energy and then by label."""
    by_label_rw = label_rw.argsort(dim=1)
    by_energy_rw = energy_rw.gather(1, by_label_rw).argsort(dim=1, stable=True)
    return by_label_rw.gather(1, by_energy_rw)


def _rank(energy_rw: Tensor, label_rw: Tensor, energy_rc: Tensor, label_rc: Tensor) -> Tensor:
    """(runs, culled) how many walkers are below each of the others."""
    energy_rcw, label_rcw = energy_rw[:, None], label_rw[:, None]
    below = energy_rcw < energy_rc[..., None]
    tied = (energy_rcw == energy_rc[..., None]) & (label_rcw < label_rc[..., None])
    return (below | tied).sum(dim=2)
