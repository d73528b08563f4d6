"""Triton kernels of the fused readout; what they compute, and how exactly: fused_readout.py.

Logits are in units of ln 2 here (t = l / ln 2, p ∝ 2^t): GPUs raise 2, not e, to a power. Each
kernel works on the states rows[0] … rows[count − 1] of x, which are numbered by i elsewhere; count
is read from the device, so that the host need not know it. Offsets are in 64 bits: vocabulary × n′
may pass 2³¹.
"""

from __future__ import annotations

import triton
import triton.language as tl

NOTHING = tl.constexpr(-1e38)
"""Stands for −∞, which would make NaN of differences."""


@triton.jit
def split_states(
    x_sn,
    rows_i,
    count,
    terms_in,
    unit_i,
    lost_i,
    width,
    WIDTH: tl.constexpr,
    TERMS: tl.constexpr,
):
    """Write one state, scaled by a power of two, as a sum of float16 terms.

    x_sn : (states, width) float32. terms_in : (states, TERMS, WIDTH) float16, zero beyond `width`.
    unit_i : (states,) float32, what one of the scaled state is worth.
    lost_i : (states,) float32, ‖state − its terms‖.
    """
    i = tl.program_id(0).to(tl.int64)
    if i >= tl.load(count):
        return
    n = tl.arange(0, triton.next_power_of_2(WIDTH))
    x_n = tl.load(x_sn + tl.load(rows_i + i).to(tl.int64) * width + n, mask=n < width, other=0.0)
    # The largest component goes to 2¹⁴ … 2¹⁵: below float16's largest number, 65,504.
    largest = tl.max(tl.abs(x_n), axis=0)
    exponent = (largest.to(tl.int32, bitcast=True) >> 23) & 0xFF
    exponent = tl.minimum(tl.maximum(268 - exponent, 1), 253)
    x_n *= (exponent << 23).to(tl.float32, bitcast=True)
    unit = ((254 - exponent) << 23).to(tl.float32, bitcast=True)
    tl.store(unit_i + i, unit)
    for term in tl.static_range(TERMS):
        term_n = x_n.to(tl.float16)
        tl.store(terms_in + (i * TERMS + term) * WIDTH + n, term_n, mask=n < WIDTH)
        x_n -= term_n.to(tl.float32)
    tl.store(lost_i + i, tl.sqrt(tl.sum(x_n * x_n, axis=0)) * unit)


@triton.jit
def _shape(dot, unit, bias, scale, soft_cap, HAS_CAP: tl.constexpr):
    """Logits, in units of ln 2, of products of scaled states and weights."""
    logit = (dot * unit + bias) * scale
    if HAS_CAP:
        # tanh(y) = 1 − 2 / (exp(2y) + 1), whose exponential may overflow to ∞ but never to NaN.
        logit = soft_cap * (1.0 - 2.0 / (tl.exp2(logit * (2.8853900817779268 / soft_cap)) + 1.0))
    return logit * 1.4426950408889634


@triton.jit
def scan_vocabulary(
    terms,
    weights,
    norm_v,
    bias_v,
    unit_i,
    highest_ij,
    token_ij,
    rest_ij,
    moment_ij,
    reach_ij,
    count,
    vocabulary,
    stretch,
    weight_unit,
    scale,
    soft_cap,
    WIDTH: tl.constexpr,
    TERMS: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    HAS_CAP: tl.constexpr,
    BULK: tl.constexpr,
    BLOCK_S: tl.constexpr,
    BLOCK_V: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Reduce the logits of a block of states over one stretch of the vocabulary, tile by tile.

    Programs are numbered by block within its group, stretch, and group: those that run side by side
    share some blocks and some stretches, so that states and weights come from the cache.

    terms : (states, TERMS × WIDTH) float16; weights : (vocabulary, WIDTH) float16, of which one is
        worth `weight_unit`. Of both, if BULK, descriptors, by which tiles are copied in bulk. What
        lies beyond the last state or token is read as something else, and not used.
    highest_ij, token_ij : (states, stretches) highest t of a stretch, the first token that has it.
    rest_ij, moment_ij, reach_ij : sums over its other tokens of 2^(t − highest), of that times
    t − highest, and of that times the norm of the token's weights.
    """
    states = tl.load(count)
    first = (tl.program_id(2) * tl.num_programs(0) + tl.program_id(0)) * BLOCK_S
    if first >= states:
        return
    i = first + tl.arange(0, BLOCK_S)
    begin = tl.program_id(1) * stretch
    end = tl.minimum(begin + stretch, vocabulary)
    n = tl.arange(0, BLOCK_N)
    row_i = tl.minimum(tl.arange(0, BLOCK_S), states - 1 - first)
    unit_i = tl.load(unit_i + first + row_i) * weight_unit
    if not BULK:
        x_pointers = terms + first.to(tl.int64) * (TERMS * WIDTH)
        x_pointers += row_i[:, None] * (TERMS * WIDTH) + n[None, :]
        tile_vn = weights + begin.to(tl.int64) * WIDTH

    highest_i = tl.full((BLOCK_S,), NOTHING, tl.float32)
    token_i = tl.zeros((BLOCK_S,), tl.int32)
    total_i = tl.zeros((BLOCK_S,), tl.float32)
    moment_i = tl.zeros((BLOCK_S,), tl.float32)
    reach_i = tl.zeros((BLOCK_S,), tl.float32)
    for tile in range(begin, end, BLOCK_V):
        v = tile + tl.arange(0, BLOCK_V)
        row_v = tl.minimum(tl.arange(0, BLOCK_V), vocabulary - 1 - tile)
        if not BULK:
            w_pointers = tile_vn + row_v[None, :] * WIDTH + n[:, None]
        dot_iv = tl.zeros((BLOCK_S, BLOCK_V), tl.float32)
        for term in tl.static_range(TERMS):
            for k in range(0, WIDTH, BLOCK_N):
                if BULK:
                    x_in, w_in = terms.load([first, term * WIDTH + k]), weights.load([tile, k]).T
                else:
                    x_in, w_in = tl.load(x_pointers + term * WIDTH + k), tl.load(w_pointers + k)
                dot_iv = tl.dot(x_in, w_in, dot_iv)
        bias_i = tl.load(bias_v + tile + row_v)[None, :] if HAS_BIAS else 0.0
        t_iv = _shape(dot_iv, unit_i[:, None], bias_i, scale, soft_cap, HAS_CAP)
        t_iv = tl.where(v[None, :] < end, t_iv, 2 * NOTHING)

        peak_i = tl.max(t_iv, axis=1)
        place_i = tl.min(tl.where(t_iv == peak_i[:, None], v[None, :], vocabulary), axis=1)
        token_i = tl.where(peak_i > highest_i, place_i, token_i)
        raised_i = tl.maximum(highest_i, peak_i)
        fade_i = tl.exp2(highest_i - raised_i)
        moment_i = fade_i * (moment_i + total_i * (highest_i - raised_i))
        t_iv -= raised_i[:, None]
        weight_iv = tl.exp2(t_iv)
        total_i = fade_i * total_i + tl.sum(weight_iv, axis=1)
        norm_iv = tl.load(norm_v + tile + row_v)[None, :]
        reach_i = fade_i * reach_i + tl.sum(weight_iv * norm_iv, axis=1)
        moment_i += tl.sum(weight_iv * t_iv, axis=1)
        highest_i = raised_i
        if not BULK:
            tile_vn += BLOCK_V * WIDTH

    at_i = i.to(tl.int64) * tl.num_programs(1) + tl.program_id(1)
    tl.store(highest_ij + at_i, highest_i, mask=i < states)
    tl.store(token_ij + at_i, token_i, mask=i < states)
    tl.store(rest_ij + at_i, total_i - 1.0, mask=i < states)
    tl.store(moment_ij + at_i, moment_i, mask=i < states)
    reach_i -= tl.load(norm_v + token_i)
    tl.store(reach_ij + at_i, reach_i, mask=i < states)


@triton.jit
def settle_states(
    x_sn,
    rows_i,
    count,
    terms_in,
    weight_vn,
    norm_v,
    bias_v,
    unit_i,
    highest_ij,
    token_ij,
    rest_ij,
    moment_ij,
    reach_ij,
    wanted_sm,
    log_p_sm,
    entropy_s,
    top_s,
    log_p_top_s,
    doubtful_i,
    doubtful,
    lost_i,
    tolerance,
    vocabulary,
    stretch,
    weight_unit,
    scale,
    soft_cap,
    width,
    WIDTH: tl.constexpr,
    TERMS: tl.constexpr,
    STRETCHES: tl.constexpr,
    WANTED: tl.constexpr,
    PLACES: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    HAS_CAP: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Merge one state's stretches, the logits that matter most computed anew in float32.

    Those are of each stretch's highest token (the first `STRETCHES` of `PLACES` places c), and of
    the `WANTED` tokens asked for (the next places), the last and the correct one first.

    wanted_sm : (states, WANTED) int32 tokens. log_p_sm : (states, WANTED) float32, nats.
    entropy_s : (states,) float32, nats. top_s : (states,) int32. log_p_top_s : (states,) float32,
        nats.
    doubtful_i, doubtful : (states,) int32 and (1,) int32, those whose H may be off by more than
    `tolerance`, in no order, and their number.
    """
    i = tl.program_id(0).to(tl.int64)
    if i >= tl.load(count):
        return
    state = tl.load(rows_i + i).to(tl.int64)
    unit = tl.load(unit_i + i)
    c = tl.arange(0, PLACES)
    at_c = i * STRETCHES + c
    # A stretch beyond the vocabulary is empty.
    held_c = (c < STRETCHES) & (c * stretch < vocabulary)
    highest_c = tl.load(highest_ij + at_c, mask=held_c, other=NOTHING)
    rest_c = tl.load(rest_ij + at_c, mask=held_c, other=0.0)
    moment_c = tl.load(moment_ij + at_c, mask=held_c, other=0.0)
    wanted_c = (c >= STRETCHES) & (c < STRETCHES + WANTED)
    wanted_at_c = state * WANTED + (c - STRETCHES)
    token_c = tl.load(token_ij + at_c, mask=held_c, other=0)
    token_c += tl.load(wanted_sm + wanted_at_c, mask=wanted_c, other=0)
    used_c = held_c | (wanted_c & (token_c >= 0) & (token_c < vocabulary))

    exact_c = tl.zeros((PLACES,), tl.float32)
    rounded_c = tl.zeros((PLACES,), tl.float32)
    for k in range(0, WIDTH, BLOCK_N):
        n = k + tl.arange(0, BLOCK_N)
        x_n = tl.load(x_sn + state * width + n, mask=n < width, other=0.0) / unit
        terms_n = tl.zeros((BLOCK_N,), tl.float32)
        for term in tl.static_range(TERMS):
            at_n = (i * TERMS + term) * WIDTH + n
            terms_n += tl.load(terms_in + at_n, mask=n < WIDTH, other=0.0).to(tl.float32)
        at_cn = token_c.to(tl.int64)[:, None] * WIDTH + n[None, :]
        read_cn = used_c[:, None] & (n < WIDTH)[None, :]
        w_cn = tl.load(weight_vn + at_cn, mask=read_cn, other=0.0).to(tl.float32)
        exact_c += tl.sum(w_cn * x_n[None, :], axis=1)
        rounded_c += tl.sum(w_cn * terms_n[None, :], axis=1)
    bias_c = tl.load(bias_v + token_c, mask=used_c, other=0.0) if HAS_BIAS else 0.0
    exact_c = _shape(exact_c, unit * weight_unit, bias_c, scale, soft_cap, HAS_CAP)
    rounded_c = _shape(rounded_c, unit * weight_unit, bias_c, scale, soft_cap, HAS_CAP)

    # A token asked for replaces what the scan added for it, unless it stands in an earlier place:
    # as the highest of its stretch, or asked for twice.
    again_cd = (token_c[:, None] == token_c[None, :]) & (c[None, :] < c[:, None])
    again_cd = again_cd & used_c[None, :]
    counted_c = used_c & (tl.max(again_cd.to(tl.int32), axis=1) == 0)
    extra_c = wanted_c & counted_c
    exact_c = tl.where(used_c, exact_c, NOTHING)
    top_t = tl.max(exact_c, axis=0)
    origin = tl.maximum(top_t, tl.max(highest_c, axis=0))
    share_c = tl.exp2(highest_c - origin)
    removed_c = tl.where(extra_c, tl.exp2(rounded_c - origin), 0.0)
    added_c = tl.where(counted_c, tl.exp2(exact_c - origin), 0.0)
    rest = tl.maximum(tl.sum(rest_c * share_c - removed_c, axis=0), 0.0, tl.PropagateNan.ALL)
    total = rest + tl.sum(added_c, axis=0)
    moment_c = share_c * (moment_c + rest_c * (highest_c - origin))
    moment_c += added_c * (exact_c - origin) - removed_c * (rounded_c - origin)
    mean = tl.sum(moment_c, axis=0) / total
    normaliser = tl.log2(total)

    ln2 = 0.6931471805599453
    t_c = exact_c - (origin + normaliser)
    tl.store(log_p_sm + wanted_at_c, tl.where(used_c, t_c * ln2, float("-inf")), mask=wanted_c)
    entropy = (normaliser - mean) * ln2
    # Rounding can leave a certain distribution with an entropy of −1e-7.
    tl.store(entropy_s + state, tl.where(entropy < 0, 0.0, entropy))
    tl.store(top_s + state, tl.min(tl.where(exact_c == top_t, token_c, vocabulary), axis=0))
    tl.store(log_p_top_s + state, (top_t - (origin + normaliser)) * ln2)

    # |ΔH| ≤ |H| · Σ over the other tokens of p ‖w‖ · ‖what was lost of the state‖.
    norm_c = tl.load(norm_v + token_c, mask=used_c, other=0.0)
    reach_c = tl.load(reach_ij + at_c, mask=held_c, other=0.0) * share_c - removed_c * norm_c
    p_c = tl.exp2(t_c)
    p_last = tl.sum(tl.where(c == STRETCHES, p_c, 0.0), axis=0)
    p_correct = tl.sum(tl.where(c == STRETCHES + 1, p_c, 0.0), axis=0)
    energy = tl.abs(p_correct - p_last)
    error = tl.sum(reach_c, axis=0) / total * tl.load(lost_i + i) * tl.abs(scale)
    if energy * error > tolerance:
        tl.store(doubtful_i + tl.atomic_add(doubtful, 1), state.to(tl.int32))


BLOCKS = [
    {"BLOCK_S": 128, "BLOCK_V": 256, "BLOCK_N": 64, "num_warps": 8, "num_stages": 4},
    {"BLOCK_S": 128, "BLOCK_V": 128, "BLOCK_N": 64, "num_warps": 4, "num_stages": 3},
    {"BLOCK_S": 128, "BLOCK_V": 128, "BLOCK_N": 32, "num_warps": 8, "num_stages": 4},
]
"""Shapes that the first batch is tried with: for compute capability 9.0, 9.0 and 8.0."""

OPTIONS = ("num_warps", "num_stages")


def describe_tiles(arguments):
    """Have the descriptors, if they are such, copy tiles of the shape that is tried."""
    if arguments["BULK"]:
        arguments["terms"].block_shape = [arguments["BLOCK_S"], arguments["BLOCK_N"]]
        arguments["weights"].block_shape = [arguments["BLOCK_V"], arguments["BLOCK_N"]]


tuned_scan = triton.autotune(
    [
        triton.Config(
            {name: size for name, size in blocks.items() if name not in OPTIONS},
            **{name: blocks[name] for name in OPTIONS},
            pre_hook=describe_tiles,
        )
        for blocks in BLOCKS
    ],
    key=["WIDTH", "HAS_BIAS", "HAS_CAP"],
)(scan_vocabulary)
