"""Triton kernel of norms and speeds: each state and those before it, read once."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def measure_speeds(h_tn, before_t, found_3t, positions, width, WIDTH: tl.constexpr):
    """Norm, speed and shuffled speed of one state.

    h_tn : (windows × positions, width) any float dtype.
    before_t : (windows × positions,) int64, the position before in the shuffled order.
    found_3t : (3, windows × positions) float32, `speeds.norm_and_speeds` has the meanings.
    """
    t = tl.program_id(0).to(tl.int64)
    states = tl.num_programs(0)
    position = t % positions
    before = tl.load(before_t + t)
    n = tl.arange(0, WIDTH)
    held = n < width
    # A window's first state stands for the one before it, which is not there.
    at_n = (t - (position > 0)) * width + n
    shuffled_at_n = (t - position + before) * width + n
    h_n = tl.load(h_tn + t * width + n, mask=held, other=0.0).to(tl.float32)
    step_n = h_n - tl.load(h_tn + at_n, mask=held, other=0.0).to(tl.float32)
    shuffled_n = h_n - tl.load(h_tn + shuffled_at_n, mask=held, other=0.0).to(tl.float32)
    norm = tl.sqrt(tl.sum(h_n * h_n, axis=0))
    speed = tl.sqrt(tl.sum(step_n * step_n, axis=0))
    shuffled = tl.sqrt(tl.sum(shuffled_n * shuffled_n, axis=0))
    tl.store(found_3t + t, norm)
    tl.store(found_3t + states + t, tl.where(position > 0, speed, float("nan")))
    shuffled = tl.where(before != position, shuffled, float("nan"))
    tl.store(found_3t + 2 * states + t, shuffled)
