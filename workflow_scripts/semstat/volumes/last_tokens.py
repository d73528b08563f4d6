"""The space `tokens`: some token ids, each uniform over the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from .walkers import EnergyOf, Moved, Weights, evaluate

UNGUIDED = 0.5
"""Share of the proposals that are uniform: nowhere is left out, however wrong a guide is."""


class Guide(Protocol):
    """Which tokens may lower the energy: proposals, that moves correct for."""

    def look(self, ids_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states, m) what it needs to know of states."""

    def log_weight(self, seen_sm: Tensor, site_s: Tensor) -> Tensor:
        """(states, vocabulary) log-weights of tokens that could stand at a site of each."""


class _Proposals(NamedTuple):
    """Of tokens at a site of each state: log-probabilities, but for the uniform ones."""

    guided_sv: Tensor

    def draw(self, generator: torch.Generator) -> Tensor:
        """(states,) token ids."""
        states, vocabulary = self.guided_sv.shape
        shape, device = (states,), self.guided_sv.device
        uniform_s = torch.randint(vocabulary, shape, generator=generator, device=device)
        guided_s = torch.multinomial(self.guided_sv.exp(), 1, generator=generator)[:, 0]
        at_s = torch.rand(shape, generator=generator, dtype=torch.float64, device=device)
        return torch.where(at_s < UNGUIDED, uniform_s, guided_s)

    def log_p(self, id_s: Tensor) -> Tensor:
        """(states,) float64 log-probabilities of being proposed."""
        guided_s = self.guided_sv.gather(1, id_s[:, None])[:, 0].double() + log(1 - UNGUIDED)
        uniform = log(UNGUIDED / self.guided_sv.shape[1])
        return torch.logaddexp(guided_s, torch.full_like(guided_s, uniform))


@dataclass(frozen=True)
class LastTokens:
    """n token ids, independent and uniform over the vocabulary.

    A move proposes another token at one place, and is taken by the rule of Metropolis and Hastings,
    so that any guide may draw it.

    Parameters
    ----------
    vocabulary : number of tokens.
    tokens : n.
    guide : where proposals come from, half of the time; all are uniform without one.
    """

    vocabulary: int
    tokens: int
    guide: Guide | None = None

    def draw(self, states: int, generator: torch.Generator) -> Tensor:
        """(states, n) int64."""
        shape, device = (states, self.tokens), generator.device
        return torch.randint(self.vocabulary, shape, generator=generator, device=device)

    def move(
        self,
        q_sn: Tensor,
        energy_s: Tensor,
        bound: Weights,
        energy_of: EnergyOf,
        moves: int,
        generator: torch.Generator,
    ) -> Moved:
        from_sn, q_sn, energy_s = q_sn, q_sn.clone(), energy_s.clone()
        states = torch.arange(len(q_sn), device=q_sn.device)
        seen_sm = self._look(q_sn, bound.run_s)
        for _ in range(moves):
            site_s = torch.randint(
                self.tokens, states.shape, generator=generator, device=q_sn.device
            )
            there = self._proposals(seen_sm, site_s)
            id_s = there.draw(generator)
            other_sn = q_sn.clone()
            other_sn[states, site_s] = id_s
            found_s = evaluate(energy_of, other_sn, bound.run_s)
            seen_there_sm = seen_sm.clone()
            # Of a state that the bound forbids nothing more is asked.
            may = (bound.weight(found_s) > 0).nonzero()[:, 0]
            if len(may):
                seen_there_sm[may] = self._look(other_sn[may], bound.run_s[may])
            back = self._proposals(seen_there_sm, site_s)
            ratio_s = bound.weight(found_s) / bound.weight(energy_s)
            ratio_s *= (back.log_p(q_sn[states, site_s]) - there.log_p(id_s)).exp()
            chance_s = torch.rand(
                ratio_s.shape, generator=generator, dtype=torch.float64, device=q_sn.device
            )
            taken = (chance_s < ratio_s).nonzero()[:, 0]
            q_sn[taken], energy_s[taken] = other_sn[taken], found_s[taken]
            seen_sm[taken] = seen_there_sm[taken]
        same_s = (from_sn == q_sn).double().mean(dim=1)
        evaluations_s = torch.full_like(bound.run_s, moves)
        return Moved(q_sn, energy_s, same_s, evaluations_s)

    def _look(self, ids_sn: Tensor, run_s: Tensor) -> Tensor:
        if self.guide is None:
            return torch.empty((len(ids_sn), 0), device=ids_sn.device)
        return self.guide.look(ids_sn, run_s)

    def _proposals(self, seen_sm: Tensor, site_s: Tensor) -> _Proposals:
        if self.guide is None:
            shape = (len(seen_sm), self.vocabulary)
            return _Proposals(seen_sm.new_full(shape, -log(self.vocabulary)))
        return _Proposals(self.guide.log_weight(seen_sm, site_s).log_softmax(dim=1))
