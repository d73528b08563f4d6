"""The readout by tiles of logits, on any device."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..models.decoder import Decoder
from ..models.thread_pool import thread_pool
from .hamiltonian import energy

TILE = {"cpu": (1056, 512), "cuda": (8192, 32768)}
"""States × tokens whose logits exist at a time.

On a CPU each thread has a tile of its own, which stays in its caches. (1,056 and not 1,024: rows a
power of two apart fall on the same lines of a cache.)
"""

SHARES = 32
"""Parts of the vocabulary that threads read by themselves."""


class StateReadout(NamedTuple):
    """What is read out of each state.

    log_p : (states, wanted) log-probabilities of the tokens asked for, nats.
    entropy : (states,) of the next-token distribution, nats.
    top : (states,) int32, its most probable token, of several the first.
    log_p_top : (states,) log-probability of that one, nats.
    """

    log_p: Tensor
    entropy: Tensor
    top: Tensor
    log_p_top: Tensor

    @property
    def energy(self) -> Tensor:
        """(states,) H, probability, of the first two tokens asked for: the last and the correct."""
        return energy(self.log_p[:, 1], self.log_p[:, 0])


class TileReadout(NamedTuple):
    """What is read out of each state over some of the vocabulary; fields are (…, states) but one.

    highest, top : highest logit, and its token.
    normaliser : Σ exp(logit − highest).
    mean : Σ exp(logit − highest) (logit − highest).
    wanted : (…, states, wanted) logits of those tokens asked for that are among these, else −∞.
    """

    highest: Tensor
    top: Tensor
    normaliser: Tensor
    mean: Tensor
    wanted: Tensor

    def merged(self) -> TileReadout:
        """Those over all parts of the vocabulary, from (parts, states)."""
        highest_s, part_s = self.highest.max(dim=0)
        lower_ps = self.highest - highest_s
        weight_ps = lower_ps.exp()
        return TileReadout(
            highest_s,
            self.top.gather(0, part_s[None])[0],
            (weight_ps * self.normaliser).sum(dim=0),
            (weight_ps * (self.mean + lower_ps * self.normaliser)).sum(dim=0),
            self.wanted.amax(dim=0),
        )


def read_out_by_tiles(decoder: Decoder, q_sn: Tensor, wanted_sm: Tensor) -> StateReadout:
    """The readout by tiles, as `begin_read_out_by_tiles` begins it."""
    return begin_read_out_by_tiles(decoder, q_sn, wanted_sm)()


def begin_read_out_by_tiles(
    decoder: Decoder, q_sn: Tensor, wanted_sm: Tensor
) -> Callable[[], StateReadout]:
    """Begin what `readout.begin_read_out` begins, tile by tile.

    Logits exist for one tile at a time, so that memory grows neither with the number of states
    nor with the vocabulary.
    """
    states = TILE[q_sn.device.type][0]
    chunks = [slice(first, first + states) for first in range(0, len(q_sn), states)]
    wanted_sm = wanted_sm.long().contiguous()  # as the compiled pass takes them
    with torch.inference_mode():
        parts = [_begin_chunk(decoder, q_sn[chunk], wanted_sm[chunk]) for chunk in chunks]

    @torch.inference_mode()
    def end() -> StateReadout:
        columns = zip(*(part() for part in parts), strict=True)
        return StateReadout(*(torch.cat(column) for column in columns))

    return end


def _begin_chunk(decoder: Decoder, q_sn: Tensor, wanted_sm: Tensor) -> Callable[[], StateReadout]:
    """Read one chunk of states; on a CPU each thread takes a share of tiles, and then another."""
    x_sn = decoder.normed(q_sn.float())
    width = TILE[x_sn.device.type][1]
    tiles = [
        slice(first, min(first + width, decoder.vocabulary))
        for first in range(0, decoder.vocabulary, width)
    ]
    threads = torch.get_num_threads() if x_sn.device.type == "cpu" else 1
    # As many whatever the threads, so that sums do not depend on them; in the order of the tokens,
    # so that of equal logits the first is the top.
    number = min(SHARES, len(tiles))
    bounds = [i * len(tiles) // number for i in range(number + 1)]
    shares = [tiles[first:end] for first, end in pairwise(bounds)]

    def read(share: list[slice]) -> list[TileReadout]:
        return _read_tiles(decoder, x_sn, wanted_sm, share)

    found = map(read, shares) if threads == 1 else thread_pool(threads).map(read, shares)
    return lambda: _settle([part for share in found for part in share])


def _settle(parts: list[TileReadout]) -> StateReadout:
    """What the parts of the vocabulary say together."""
    whole = TileReadout(*(torch.stack(part) for part in zip(*parts, strict=True))).merged()
    log_normaliser_s = whole.normaliser.log()
    return StateReadout(
        whole.wanted - whole.highest[:, None] - log_normaliser_s[:, None],
        # Rounding can leave a certain distribution with an entropy of −1e-7.
        (log_normaliser_s - whole.mean / whole.normaliser).clamp(min=0),
        whole.top.int(),
        -log_normaliser_s,
    )


@torch.inference_mode()
def _read_tiles(
    decoder: Decoder, x_sn: Tensor, wanted_sm: Tensor, tiles: list[slice]
) -> list[TileReadout]:
    """Read tiles of the vocabulary, one after the other."""
    if x_sn.device.type == "cpu":
        return [_read_tiles_on_cpu(decoder, x_sn, wanted_sm, tiles)]
    return [_read_tile(decoder.unembed(x_sn, tile), tile.start, wanted_sm) for tile in tiles]


class _Own(threading.local):
    """What each thread keeps: room for a tile of logits, as fresh pages take their time."""

    buffer = torch.empty(0)


_own = _Own()


def _read_tiles_on_cpu(
    decoder: Decoder, x_sn: Tensor, wanted_sm: Tensor, tiles: list[slice]
) -> TileReadout:
    from .cpu_readout import accumulate  # numba takes half a second to import

    states = len(x_sn)
    needed = states * (tiles[0].stop - tiles[0].start)
    if len(_own.buffer) < needed:
        _own.buffer = torch.empty(needed)
    # numpy's, which keep Python's lock; threads would wait for it after each operation of torch.
    sums_3s = np.zeros((3, states), dtype=np.float32)
    sums_3s[0] = -np.inf
    top_s = np.zeros(states, dtype=np.int64)
    tokens_sm = wanted_sm.numpy()
    logit_sm = np.full(tokens_sm.shape, -np.inf, dtype=np.float32)
    for tile in tiles:
        out = _own.buffer[: states * (tile.stop - tile.start)].view(states, -1)
        logits_sv = decoder.unembed(x_sn, tile, out=out)
        accumulate(logits_sv.numpy(), tile.start, tokens_sm, sums_3s, top_s, logit_sm)
    highest_s, normaliser_s, mean_s = torch.from_numpy(sums_3s)
    top = torch.from_numpy(top_s)
    return TileReadout(highest_s, top, normaliser_s, mean_s, torch.from_numpy(logit_sm))


def _read_tile(logits_sv: Tensor, first: int, wanted_sm: Tensor) -> TileReadout:
    """Read one tile by torch's own operations; overwrites the logits."""
    here_sm = wanted_sm - first
    tokens = logits_sv.shape[1]
    outside_sm = (here_sm < 0) | (here_sm >= tokens)
    logit_sm = logits_sv.gather(1, here_sm.clamp(0, tokens - 1))
    logit_sm = logit_sm.masked_fill(outside_sm, -torch.inf)
    highest_s, top_s = logits_sv.max(dim=1)
    logits_sv -= highest_s[:, None]
    weight_sv = logits_sv.exp()
    return TileReadout(
        highest_s,
        first + top_s,
        weight_sv.sum(dim=1),
        weight_sv.mul_(logits_sv).sum(dim=1),
        logit_sm,
    )
