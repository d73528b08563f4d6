"""Whether a state depends on nothing that comes after it, nor on the texts beside it.

Windows of unequal length are padded at the end and computed in batches, so a state must be the same
alone, in a batch, and before other tokens. What a model does may change where a text outgrows a
number of its configuration: a sliding window, the keys that sparse attention keeps, the length it
was first trained on. So texts of twice as many positions are tried for each such number that the
texts to be read exceed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .architecture import ArchitectureError, text_config

States = Callable[[Tensor], Tensor]

SHORTEST = 16
"""Positions of the text that every model is tried on."""

_REACH = re.compile(r"window|chunk|top_?k|local|block_size|budget|original_max|extent|floor")
"""Names of configuration keys whose numbers are positions at which attention changes."""


class _Moved(NamedTuple):
    """How far states move, relative to their norm: (positions,) each.

    future : when the tokens after them are others.
    noise : when nothing is another, which kernels that are not deterministic do.
    length : when there are fewer tokens after them, or a text beside theirs.
    """

    future: Tensor
    noise: Tensor
    length: Tensor


def check_causality(
    config: Any, states: States, vocabulary: int, eps: float, positions: int, key: str
) -> None:
    """Check the final states of texts of up to so many positions.

    Other tokens after a state leave it as it is to the bit, except that they round what experts
    make of it otherwise; so do a text beside it, or a shorter one. In float32 no state may move by
    more than √ε; in half precision, where rounding moves the choice of experts of some tokens, not
    half of them may. Without experts, half of them may not even move by a part of ε.

    Parameters
    ----------
    config : of the model.
    states : (texts, positions) token ids → (texts, positions, n′) final states, in one pass.
    vocabulary : tokens to make texts of.
    eps : ε of the numbers that the blocks compute with.
    positions : as many as the texts to be read have at most.
    key : what to lower where shorter texts are fine.

    Raises
    ------
    ArchitectureError
        If states move, naming from how many positions on.
    """
    kept = keys_kept(config)
    if kept and positions > kept:
        raise ArchitectureError(
            f"its sparse attention keeps {kept} keys of a longer text, and of those that score "
            f"alike the ones that torch.topk picks depend on the text's length, so its energies "
            f"would depend on what comes later; lower {key} to {kept}"
        )
    fine = 0
    for length in lengths_to_try(config, positions):
        moved = _moved(states, _texts(vocabulary, length))
        if what := _what_moves(moved, eps, _has_experts(config)):
            remedy = f"lower {key} to {fine}" if fine else _REMEDY
            raise ArchitectureError(
                f"{what} in a text of {length} positions, so its energies would depend on what "
                f"comes later; {remedy}"
            )
        fine = length


def _what_moves(moved: _Moved, eps: float, experts: bool) -> str:
    """What moves states by how much; nothing if they move by rounding only."""
    tolerance = math.sqrt(eps)
    for what, moved_t in (("other tokens", moved.future), ("more tokens", moved.length)):
        most = furthest(moved_t, eps)
        if most > tolerance:
            return f"{what} after a state move it by {most:.2g} of its norm"
    most, noise = moved.future.median().item(), moved.noise.median().item()
    if not experts and most > max(eps / 8, 1e-5, 4 * noise):
        return f"other tokens after a state move it by {most:.2g} of its norm"
    return ""


_REMEDY = "take a causal model (of an encoder, one whose config.json has is_decoder: true)"


def lengths_to_try(config: Any, positions: int) -> list[int]:
    """Lengths of texts, ascending, that show how a model treats texts of up to so many positions.

    >>> from transformers import MistralConfig
    >>> lengths_to_try(MistralConfig(sliding_window=512), 4096)
    [16, 1024]
    """
    reaches = {reach for reach in _reaches(text_config(config)) if 2 * reach > SHORTEST}
    doubled = {min(2 * reach, positions) for reach in reaches if reach < positions}
    return sorted({min(SHORTEST, positions)} | doubled)


def keys_kept(config: Any) -> int | None:
    """Up to how many positions the sparse attention of DeepSeek keeps all keys; None without it.

    Its scores are sums of rectified products, so many are exactly 0. Where keys are pooled first,
    each is one of several positions.
    """
    config = text_config(config)
    kept: int | None = getattr(config, "index_topk", None)
    rates = getattr(config, "compress_rates", None) or {}
    return kept and kept * min([rate for rate in rates.values() if rate > 1], default=1)


def _reaches(config: Any) -> Iterator[int]:
    """Numbers of a configuration at which attention may change."""
    values = config if isinstance(config, dict) else vars(config)
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _reaches(value)
        elif isinstance(value, int) and _REACH.search(str(name)):
            yield value


def _has_experts(config: Any) -> bool:
    numbers = vars(text_config(config)).items()
    return any("expert" in name and isinstance(n, int) and n > 1 for name, n in numbers)


def _texts(vocabulary: int, length: int) -> Tensor:
    """(2, length) random tokens; the first three quarters are the same in both."""
    generator = torch.Generator().manual_seed(length)
    ids_bt = torch.randint(vocabulary, (2, length), generator=generator)
    ids_bt[1, : _most(length)] = ids_bt[0, : _most(length)]
    return ids_bt


def _most(length: int) -> int:
    """Three quarters: beyond what a text of it outgrows, where a half is within."""
    return max(1, 3 * length // 4)


def _moved(states: States, ids_bt: Tensor) -> _Moved:
    most, half = _most(ids_bt.shape[1]), max(1, ids_bt.shape[1] // 2)
    ((one,), (again,), (other,)) = (states(ids_bt[[row]])[:, :most] for row in (0, 0, 1))
    beside = states(torch.stack([ids_bt[0, :most], ids_bt[1, -most:]]))[0]
    short = states(ids_bt[:1, :half])[0]
    length_t = distance(one, beside)
    length_t[:half] = torch.maximum(length_t[:half], distance(one[:half], short))
    return _Moved(distance(other, one), distance(again, one), length_t)


def furthest(moved_t: Tensor, eps: float) -> float:
    """The move that counts: the largest, but in half precision that of half of the positions.

    There rounded logits move single states far.
    """
    return (moved_t.max() if eps < 1e-6 else moved_t.median()).item()


def distance(one_tn: Tensor, other_tn: Tensor) -> Tensor:
    """(positions,) ‖a − b‖ / ‖b‖; 0 where a number is not finite, which is found elsewhere."""
    moved_t: Tensor = torch.linalg.vector_norm(one_tn.float() - other_tn.float(), dim=-1)
    moved_t = moved_t / torch.linalg.vector_norm(other_tn.float(), dim=-1)
    return moved_t.nan_to_num(0.0, 0.0)
