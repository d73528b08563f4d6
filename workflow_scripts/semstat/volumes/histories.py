"""What a model makes of other states at an inner layer, each after a real history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.architecture import ArchitectureError
from ..models.caches import fork, growing, rows_of
from ..models.replay import Moment, Reader, blamed_on_its_code
from .decoded import Decoded

SAME = 1e-3
"""By how much, of its norm, what the model makes of a state may depend on what is beside it."""


def of_each_run(run_s: Tensor, at_once: int, of: Callable[[int, Tensor], Tensor]) -> Tensor:
    """(states, …) a function of each run and indices of its states, at most so many at a time."""
    row_s = [
        (run, rows)
        for run in sorted(set(run_s.tolist()))
        for rows in (run_s == run).nonzero()[:, 0].split(at_once)
    ]
    parts = torch.cat([of(run, rows) for run, rows in row_s])
    return parts[torch.cat([rows for _, rows in row_s]).argsort()]


@dataclass(frozen=True)
class Histories:
    """The blocks above a layer, after the history of each run.

    reader : of the model at that layer.
    moments : of the last token of each run's text.
    at_once : states for whose keys and values there is room.

    Raises
    ------
    ArchitectureError
        If the blocks make something else of a state when others are beside it.
    """

    reader: Reader
    moments: Sequence[Moment]
    at_once: int

    def __post_init__(self) -> None:
        with blamed_on_its_code(
            self.reader.layered.model, "can't be sampled there after a history; its energies"
        ):
            self._check()

    @classmethod
    def read(cls, reader: Reader, texts: Sequence[Tensor], at_once: int) -> Histories:
        """Those of texts, (tokens,) each."""
        return cls(reader, [reader.start(ids_t[None])[0] for ids_t in texts], at_once)

    @property
    def state_rn(self) -> Tensor:
        """(runs, hidden) the texts' own states at the layer."""
        return torch.cat([moment.state_xn for moment in self.moments])

    @torch.inference_mode()
    def __call__(self, state_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states, hidden) what the last block makes of states at the layer."""

        def of(run: int, rows: Tensor) -> Tensor:
            moment = _widened(self.moments[run], self.reader.layer, len(rows))
            state_xn = state_sn[rows].to(moment.state_xn.dtype)
            with growing(state_xn.device):
                return self.reader.replay(moment, state_xn)[0]

        return of_each_run(run_s, self.at_once, of)

    def _check(self) -> None:
        own_1n = self.moments[0].state_xn
        noise_sn = torch.randn((3, own_1n.shape[1]), generator=torch.Generator().manual_seed(0))
        state_sn = own_1n + 0.1 * own_1n.std() * noise_sn.to(own_1n)
        run_s = torch.zeros(3, dtype=torch.long, device=own_1n.device)
        whole_sn = self(state_sn, run_s)
        alone_sn = torch.cat([self(state_sn[at : at + 1], run_s[:1]) for at in range(3)])
        apart_s = (whole_sn - alone_sn).norm(dim=1) / alone_sn.norm(dim=1)
        if not bool((apart_s <= SAME).all()):
            raise ArchitectureError(
                f"what its blocks above layer {self.reader.layer} make of a state moves by "
                f"{float(apart_s.max()):.2g} of its norm when others are beside it"
            )


def _widened(moment: Moment, layer: int, states: int) -> Moment:
    """The moment of one text as that of so many; only what the blocks above the layer remember."""
    if states == 1:
        return moment
    above = fork(moment.before)
    above.layers = above.layers[layer:]
    row_s = torch.zeros(states, dtype=torch.long, device=moment.state_xn.device)
    before = fork(moment.before)
    before.layers = [*before.layers[:layer], *rows_of(above, row_s).layers]
    return moment._replace(before=before)


def replayed(states: Decoded, histories: Histories) -> Decoded:
    """A space of states at a layer, from which the blocks above it go on after a history."""
    return Decoded(states.space, lambda x_sn, run_s: histories(states.state_of(x_sn, run_s), run_s))
