"""Mean and covariance of a model's own states, along their principal axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..models.decoder import LayeredModel
from ..models.windows import Window, batch_windows, pad_windows


class Axes(NamedTuple):
    """A mean and a covariance along orthonormal axes, of descending variance; float64.

    variance_n : (n,) of the states along each axis.
    mean_n : (n,) component of their mean.
    axis_nn : (axes, hidden) unit vectors.
    """

    variance_n: Tensor
    mean_n: Tensor
    axis_nn: Tensor


class Moments:
    """Sums over states, from which mean and covariance come; about a point near their mean.

    Parameters
    ----------
    hidden : dimensions of a state.
    """

    def __init__(self, hidden: int, device: torch.device) -> None:
        self.states = 0
        self.origin_n = torch.zeros(hidden, dtype=torch.float64, device=device)
        self.sum_n = torch.zeros_like(self.origin_n)
        self.sum_nn = torch.zeros((hidden, hidden), dtype=torch.float64, device=device)

    def add(self, q_sn: Tensor) -> None:
        """Take (states, hidden) more of them in."""
        q_sn = q_sn.double()
        if not self.states:
            self.origin_n = q_sn.mean(dim=0)
        apart_sn = q_sn - self.origin_n
        self.states += len(q_sn)
        self.sum_n += apart_sn.sum(dim=0)
        self.sum_nn += apart_sn.T @ apart_sn

    def axes(self) -> Axes:
        """Their principal axes.

        Raises
        ------
        ValueError
            If they are too few for a covariance.
        """
        hidden = len(self.sum_n)
        check_enough(self.states, hidden)
        apart_n = self.sum_n / self.states
        covariance_nn = self.sum_nn - self.states * torch.outer(apart_n, apart_n)
        variance_n, column_nn = torch.linalg.eigh(covariance_nn / (self.states - 1))
        axis_nn = column_nn.T.flip(0)
        mean_n = axis_nn @ (self.origin_n + apart_n)
        return Axes(variance_n.flip(0).clamp(min=0), mean_n, axis_nn)


def check_enough(states: int, hidden: int) -> None:
    """Refuse states too few for a covariance."""
    if states <= hidden:
        raise ValueError(
            f"{states} states have no covariance in {hidden} dimensions; take more documents, "
            f"{hidden + 1} states at least"
        )


def sum_states(
    model: LayeredModel,
    windows: Iterable[Window],
    layers: Sequence[int],
    batch_tokens: int,
    advance: Callable[[int], object] = lambda _states: None,
) -> dict[int, Moments]:
    """Sums over all scored states of windows, at each layer, by one pass through the body.

    Parameters
    ----------
    batch_tokens : positions in one forward pass.
    advance : called with the number of states that each batch has.

    Raises
    ------
    FloatingPointError
        If an activation is NaN or infinite.
    """
    held = list(windows)
    moments: dict[int, Moments] = {}
    for batch in batch_windows(held, batch_tokens):
        ids_bt, scored_bt = pad_windows([held[index] for index in batch])
        ids, scored = (torch.from_numpy(part).to(model.device) for part in (ids_bt, scored_bt))
        for layer, h_btn in model.hidden_states(ids[:, :-1], layers).items():
            q_sn = h_btn[scored]
            if not q_sn.isfinite().all():
                raise FloatingPointError(f"layer {layer}: NaN or infinite activation")
            moments.setdefault(layer, Moments(q_sn.shape[1], model.device)).add(q_sn)
        advance(int(scored_bt.sum()))
    return moments
