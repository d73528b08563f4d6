"""The tuned lens: a readout that is fair to inner layers (Belrose et al., arXiv:2303.08112).

The logit lens decodes an inner layer's hidden state as if it were the last one's, though the layers
to come would have moved, turned and scaled it. The tuned lens lets one affine map a layer, the
translator h → h + A h + b, make up for what of that is the same for every state; A and b minimise
the Kullback–Leibler divergence from the model's final distribution to the one read out.

The authors' own package (github.com/AlignmentResearch/tuned-lens) has the same maps before the same
decode and the same divergence. What differs: the maps start at least squares from a layer's states
to the final ones, not at zero; Adam on standardised states goes on from there, not SGD with
Nesterov's momentum on the states as they are; a step is 512 states, not 2¹⁸. docs/lenses.md tells
what that is worth in few states. Both distributions are read out in float32, not bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..models.decoder import Decoder, LayeredModel
from ..models.windows import Window, batch_windows, pad_windows
from .translator import Lens, Translator

LOGIT_BYTES = {"cpu": 24 << 20, "cuda": 512 << 20}
"""Size of the logits that exist at a time: on a CPU about what its last-level cache holds."""

HELD_OUT = 4
"""One document in so many tests the lens, the others train it."""

STEP_STATES = 512
"""States of one step of the descent, at least, unless the windows run out."""

RIDGE = 1e-3
"""Of the least squares, in units of each dimension's variance."""

LEARNING_RATE = 3e-4
"""Of Adam, for the map between standardised states; falls linearly to 0."""


class _Moments:
    """Weighted moments of one layer's states h with themselves and with the final states y.

    A state has the weight ‖y‖⁻²: the final norm leaves y's direction only, so that errors count
    in proportion to its length.
    """

    def __init__(self, hidden: int, device: torch.device) -> None:
        self.hidden = hidden
        self.states = 0
        # Of (1, h) with (1, h, y).
        self.product_yy = torch.zeros(
            hidden + 1, 2 * hidden + 1, dtype=torch.float64, device=device
        )

    def add(self, h_sn: Tensor, y_sn: Tensor) -> None:
        self.states += len(h_sn)
        all_sy = torch.cat([torch.ones_like(h_sn[:, :1]), h_sn, y_sn], dim=1).double()
        all_sy /= y_sn.norm(dim=1, keepdim=True)
        self.product_yy += all_sy[:, : self.hidden + 1].T @ all_sy

    def _centred(self) -> tuple[Tensor, Tensor, Tensor]:
        """Mean of (h, y), covariance of h, and covariance of h with y."""
        n, total = self.hidden, self.product_yy[0, 0]
        mean_y = self.product_yy[0, 1:] / total
        covariance_ny = self.product_yy[1:, 1:] / total - torch.outer(mean_y[:n], mean_y)
        return mean_y, covariance_ny[:, :n], covariance_ny[:, n:]

    def standard(self) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and standard deviation of h by dimension, and the mean one of y."""
        n = self.hidden
        mean_y, covariance_nn, _ = self._centred()
        deviation_n = covariance_nn.diagonal().clamp(min=0).sqrt()
        deviation_n = deviation_n.clamp(min=1e-3 * deviation_n.mean().item())
        # The weighted squares of y add up to the number of states.
        variance = (self.states / self.product_yy[0, 0] - mean_y[n:] @ mean_y[n:]) / n
        return mean_y[:n].float(), deviation_n.float(), variance.sqrt().float()

    def least_squares(self) -> Translator:
        """The affine map of h that comes closest to y."""
        n = self.hidden
        mean_y, inner_nn, cross_nn = self._centred()
        ridge_n = RIDGE * inner_nn.diagonal().clamp(min=torch.finfo(torch.float32).tiny)
        map_nn = torch.linalg.solve(inner_nn + torch.diag(ridge_n), cross_nn).T
        bias_n = mean_y[n:] - map_nn @ mean_y[:n]
        weight_nn = map_nn - torch.eye(n, dtype=map_nn.dtype, device=map_nn.device)
        return Translator(weight_nn.float(), bias_n.float())


class _Learner(nn.Module):
    """A translator in training: h → T(h) + s·(A′ u + b′), with u the standardised h.

    T is where it starts. The descent sees the same problem whatever the layer's mean, scale and
    outlying dimensions are.

    Parameters
    ----------
    moments : of the states to be read out, and of the final states.
    """

    def __init__(self, moments: _Moments) -> None:
        super().__init__()
        self.start = moments.least_squares().requires_grad_(False)
        self.mean_n, self.deviation_n, self.scale = moments.standard()
        self.weight = nn.Parameter(torch.zeros_like(self.start.weight))
        self.bias = nn.Parameter(torch.zeros_like(self.start.bias))

    def forward(self, h_sn: Tensor) -> Tensor:
        u_sn = (h_sn - self.mean_n) / self.deviation_n
        learned_sn = nn.functional.linear(u_sn, self.weight, self.bias)
        translated_sn: Tensor = self.start(h_sn) + self.scale * learned_sn
        return translated_sn

    @torch.no_grad()
    def translator(self) -> Translator:
        """The same map of the states themselves."""
        weight_nn = self.scale * self.weight / self.deviation_n
        bias_n = self.scale * self.bias - weight_nn @ self.mean_n
        return Translator(self.start.weight + weight_nn, self.start.bias + bias_n)


class _Batch(NamedTuple):
    """Hidden states of some windows.

    window_s : (states,) index of each state's window.
    final_sn : (states, hidden) float32, at the last layer.
    inner : layer → (states, hidden) float32.
    """

    window_s: NDArray[np.int64]
    final_sn: Tensor
    inner: dict[int, Tensor]


def split_documents(documents: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of a lens's documents train it, and which are held out: every fourth.

    >>> split_documents(9)
    (array([0, 1, 2, 4, 5, 6, 8]), array([3, 7]))
    """
    index_d = np.arange(documents)
    held_out_d = index_d % HELD_OUT == HELD_OUT - 1
    return index_d[~held_out_d], index_d[held_out_d]


def train_lens(
    model: LayeredModel,
    windows: Sequence[Window],
    layers: Sequence[int],
    epochs: int,
    rng: np.random.Generator,
    advance: Callable[[int], object] = lambda _states: None,
) -> dict[int, Translator]:
    """Train a translator for each layer, all of them in the same passes through the body.

    A layer's translator does not depend on which other layers are trained. Memory grows neither
    with the windows nor with states × vocabulary.

    Parameters
    ----------
    model : not truncated: its last layer is the target.
    windows : to train on.
    layers : inner layers, below the last.
    epochs : passes through the windows.
    rng : draws their order.
    advance : called with the number of states of each step.

    Raises
    ------
    FloatingPointError
        If an activation or a divergence is NaN or infinite, naming its layer.
    """
    decoder = model.decoder.in_float32()
    steps = [step for _ in range(epochs) for step in _steps(windows, rng)]
    learners = {
        layer: _Learner(m) for layer, m in _moments(model, windows, layers, advance).items()
    }
    parameters = [
        p for learner in learners.values() for p in learner.parameters() if p.requires_grad
    ]
    adam = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    decay = torch.optim.lr_scheduler.LambdaLR(adam, lambda done: 1 - done / len(steps))
    for step in steps:
        batch = _hidden_states(model, [windows[i] for i in step], layers)
        _descend(decoder, learners, batch)
        adam.step()
        adam.zero_grad()
        decay.step()
        advance(len(batch.window_s))
    return {layer: learner.translator() for layer, learner in learners.items()}


def _moments(
    model: LayeredModel,
    windows: Sequence[Window],
    layers: Sequence[int],
    advance: Callable[[int], object],
) -> dict[int, _Moments]:
    moments: dict[int, _Moments] = {}
    for indices in batch_windows(windows, STEP_STATES):
        batch = _hidden_states(model, [windows[i] for i in indices], layers)
        for layer, h_sn in batch.inner.items():
            if layer not in moments:
                moments[layer] = _Moments(h_sn.shape[1], h_sn.device)
            moments[layer].add(h_sn, batch.final_sn)
        advance(len(batch.window_s))
    return moments


def _steps(windows: Sequence[Window], rng: np.random.Generator) -> Iterator[list[int]]:
    """Indices of the windows of each step of one epoch, in a random order."""
    step: list[int] = []
    for index in rng.permutation(len(windows)).tolist():
        step.append(index)
        if sum(windows[i].states for i in step) >= STEP_STATES:
            yield step
            step = []
    if step:
        yield step


def _hidden_states(model: LayeredModel, windows: Sequence[Window], layers: Sequence[int]) -> _Batch:
    ids_xt, scored_xt = pad_windows(windows)
    scored = torch.from_numpy(scored_xt).to(model.device)
    ids = torch.from_numpy(ids_xt[:, :-1]).to(model.device)
    final = model.n_blocks
    hidden = model.hidden_states(ids, [*layers, final])
    states = {layer: h_xtn[scored].float() for layer, h_xtn in hidden.items()}
    for layer, h_sn in states.items():
        if not h_sn.isfinite().all():
            raise FloatingPointError(f"layer {layer}: NaN or infinite activation")
    return _Batch(np.nonzero(scored_xt)[0], states[final], {k: states[k] for k in layers})


def _descend(decoder: Decoder, learners: Mapping[int, nn.Module], batch: _Batch) -> None:
    """Add to every learner's gradient that of its mean divergence over a batch."""
    states = len(batch.final_sn)
    for rows in _chunks(decoder, batch):
        log_p_sv = _log_probabilities(decoder, batch.final_sn[rows])
        p_sv = log_p_sv.exp()
        for layer, learner in learners.items():
            logits_sv = decoder.after(learner).logits(batch.inner[layer][rows])
            log_q_sv = logits_sv.detach().log_softmax(dim=-1)
            divergence_s = torch.linalg.vecdot(p_sv, log_p_sv - log_q_sv)
            if not divergence_s.isfinite().all():
                raise FloatingPointError(f"layer {layer}: the divergence became NaN or infinite")
            # ∂ KL(p ‖ q) / ∂ logits = q − p.
            torch.autograd.backward(logits_sv, log_q_sv.exp_().sub_(p_sv).div_(states))


def divergences(
    model: LayeredModel,
    windows: Sequence[Window],
    layers: Sequence[int],
    lens: Lens,
    batch_tokens: int,
    advance: Callable[[int], object] = lambda _states: None,
) -> dict[int, NDArray[np.float64]]:
    """Divergence of each window's states from the final distribution, under either lens.

    Returns
    -------
    layer → (windows, 2) sums over states of KL(p_final ‖ p_layer), nats: of the logit lens, and
    of the tuned lens.
    """
    decoder = model.decoder.in_float32()
    sums = {layer: np.zeros((len(windows), 2)) for layer in layers}
    for indices in batch_windows(windows, batch_tokens):
        batch = _hidden_states(model, [windows[i] for i in indices], layers)
        for rows in _chunks(decoder, batch):
            window_s = np.array(indices)[batch.window_s[rows]]
            log_p_sv = _log_probabilities(decoder, batch.final_sn[rows])
            p_sv = log_p_sv.exp()
            for layer in layers:
                for column, readout in enumerate((decoder, decoder.after(lens[layer]))):
                    log_q_sv = _log_probabilities(readout, batch.inner[layer][rows])
                    divergence_s = torch.linalg.vecdot(p_sv, log_p_sv - log_q_sv)
                    np.add.at(sums[layer][:, column], window_s, divergence_s.cpu().numpy())
        advance(len(batch.window_s))
    return sums


def _chunks(decoder: Decoder, batch: _Batch) -> Iterator[slice]:
    """Slices of states whose logits keep to `LOGIT_BYTES`."""
    states = len(batch.final_sn)
    size = max(1, LOGIT_BYTES[batch.final_sn.device.type] // (4 * decoder.vocabulary))
    for start in range(0, states, size):
        yield slice(start, start + size)


@torch.no_grad()
def _log_probabilities(decoder: Decoder, q_sn: Tensor) -> Tensor:
    return decoder.logits(q_sn).log_softmax(dim=-1)
