"""The readout on a GPU: every state's reductions over the vocabulary, without writing logits out.

No maintained kernel gives them: torch's `linear_cross_entropy` and Liger's return the loss alone,
from chunks of written logits; cut-cross-entropy returns the log-normaliser of states rounded to the
weights' dtype; none returns entropy and highest token. So there are three Triton kernels
(readout_kernels.py): states are split into float16 terms, matrix units reduce their logits over
`STRETCHES` stretches of the vocabulary, and what comes of each stretch is merged.

How exact that is. Float16 rounds to a relative u = 2⁻¹¹. Its smallest step is far below any weight
or component that matters: both are scaled by powers of two, their largest to 2¹⁴ … 2¹⁵.

- Weights in bfloat16 or float16 are exact; others are not read out here.
- k terms hold a component to a relative uᵏ, so the logit of token v is off by δ(v) = w(v)·(x −
  terms); float32 sums over n′ products add about n′/16 roundings of 2⁻²³ of the partial sums:
  relative 4e-6 at n′ = 576 and 6e-5 at 8,192, if all have one sign.
- The logits of the tokens asked for, of which H takes two, and the highest of each stretch are
  computed anew from the states in float32. Then, with M the share of all other tokens and δ̄ the
  mean of δ over them,

      Δ ln Z = M δ̄,    |ΔH| = |H| |Δ ln Z| ≤ |H| ‖x − terms‖ Σ p(v) ‖w(v)‖,

  to first order in δ (Cauchy and Schwarz; the sum is over the other tokens; a soft cap lowers it).
- One term: that bound is evaluated for each state, and where it is above `TOLERANCE` the state is
  read out again with two. In SmolLM2-135M with bfloat16 weights, 768 states at each of 6 layers
  (float16 rounding alone, in float64), |ΔH| without that came to 1.9e-3; among the states that
  pass, which are 99% at layer 0, 87 to 91% at layers 5 to 25, 73% at layer 29 and 58% at the last,
  to 1.7e-4, with a mean below 1e-5.
- Two terms: |H| M ≤ 1/4, since H is a difference of shares that M does not count, so that |ΔH| is
  below 2⁻²⁴ ‖x‖ max‖w‖: 6e-5 where the norms multiply to 1,000.
- Where a distribution is flat, and H small, one term leaves log-probabilities off by M |δ̄| and the
  entropy likewise: each by 1e-2 nats at the most in the states above, and 1e-3 in the mean.
"""

from __future__ import annotations

import logging
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ..models.decoder import Decoder
from .tiles import StateReadout, read_out_by_tiles

STRETCHES = 16
"""Parts of the vocabulary that are reduced apart: enough programs also for few states."""

GROUP = 32
"""Blocks of states that are reduced over one stretch together: with those of the next stretches
they fill a GPU, and stay in its cache, which those of all states would not."""

TOLERANCE = 9e-4
"""Bound on the error of H above which a state is read out again with two terms."""

AGREEMENT = {"energy": 1e-3, "log_p": 2e-2, "log_p_top": 2e-2, "entropy": 2e-2}
"""By how much each may differ from the readout by tiles before the fused one is refused: H by
little more than its bound, the others by twice what one term was seen to leave."""

log = logging.getLogger(__name__)
Blocks = dict[str, int]


class Weights(NamedTuple):
    """An unembedding in float16.

    weight_vn : (vocabulary, n′ rounded up to 64) float16, contiguous, zero beyond n′.
    unit : what one of it is worth, a power of two.
    norm_v : (vocabulary,) float32, norm of each token's weights.
    bias_v : (vocabulary,) float32, or None.
    """

    weight_vn: Tensor
    unit: float
    norm_v: Tensor
    bias_v: Tensor | None


_trusted: WeakKeyDictionary[nn.Linear, Weights | None] = WeakKeyDictionary()


def read_out_fused(decoder: Decoder, q_sn: Tensor, wanted_sm: Tensor) -> StateReadout | None:
    """The readout, or None where `readout.begin_read_out` has to do by tiles: nothing ends a run.

    The first states of each unembedding are read out both ways; where they disagree, or the
    kernels do not run here, one warning says so and the fused readout is not tried again.

    Parameters
    ----------
    decoder, q_sn, wanted_sm : as `readout.begin_read_out` takes them.
    """
    unembedding = decoder.unembedding
    try:
        known = unembedding in _trusted
        weights = _trusted[unembedding] if known else half_weights(unembedding)
        readout = None
        if weights is not None:
            readout = _fused(decoder, weights, q_sn, wanted_sm)
            if not known:
                _check(readout, read_out_by_tiles(decoder, q_sn[:64], wanted_sm[:64]))
        _trusted[unembedding] = weights
        return readout
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        # Whatever a compiler or driver raises: the readout by tiles is slower, and always there.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        log.warning("reading out by tiles, the fused readout does not work here: %s", reason)
        _trusted[unembedding] = None
        return None


def half_weights(unembedding: nn.Linear) -> Weights | None:
    """The unembedding in float16, scaled by a power of two; None where that loses anything.

    What it may lose is 2⁻³⁰ of the largest weight.
    """
    weight_vn = unembedding.weight.detach()
    largest = max(abs(float(extreme)) for extreme in weight_vn.aminmax())
    if not 0 < largest < float("inf"):
        return None
    scale = 2.0 ** (15 - int(torch.frexp(torch.tensor(largest)).exponent))
    vocabulary, width = weight_vn.shape
    half_vn = weight_vn.new_zeros((vocabulary, -(-width // 64) * 64), dtype=torch.float16)
    norm_v = weight_vn.new_empty(vocabulary, dtype=torch.float32)
    # By slices: copies of a large unembedding in float32 would not fit.
    for start in range(0, vocabulary, 8192):
        rows = slice(start, start + 8192)
        scaled_vn = weight_vn[rows].float() * scale
        half_vn[rows, :width] = scaled_vn
        norm_v[rows] = torch.linalg.vector_norm(scaled_vn, dim=1) / scale
        if float((half_vn[rows, :width].float() - scaled_vn).abs().max()) > 2.0**-15:
            return None
    bias_v = None if unembedding.bias is None else unembedding.bias.detach().float()
    return Weights(half_vn, 1 / scale, norm_v, bias_v)


def _check(found: StateReadout, expected: StateReadout) -> None:
    """Refuse what the kernels made of states of which the first are read by tiles too.

    The most probable token is not compared: rounding may choose between two of nearly the same
    probability.
    """
    for name, allowed in AGREEMENT.items():
        theirs_s = getattr(expected, name)
        ours_s = getattr(found, name)[: len(theirs_s)]
        error = float((ours_s - theirs_s).abs().nan_to_num(0.0).max())
        if error > allowed or not torch.equal(ours_s.isfinite(), theirs_s.isfinite()):
            raise ArithmeticError(f"{name} differs by {error:.2g} from the readout by tiles")


def _fused(decoder: Decoder, weights: Weights, q_sn: Tensor, wanted_sm: Tensor) -> StateReadout:
    with torch.inference_mode():
        x_sn = decoder.normed(q_sn.float())
        return reduce_logits(
            x_sn, weights, wanted_sm, scale=decoder.scale, soft_cap=decoder.soft_cap
        )


def _programs(blocks: int) -> tuple[int, int, int]:
    """Of the scan, for so many blocks of states: blocks of a group, stretches, and groups."""
    return min(blocks, GROUP), STRETCHES, -(-blocks // GROUP)


def reduce_logits(
    x_sn: Tensor,
    weights: Weights,
    wanted_sm: Tensor,
    *,
    scale: float = 1.0,
    soft_cap: float | None = None,
    terms: int = 0,
    blocks: Blocks | None = None,
    bulk: bool | None = None,
) -> StateReadout:
    """Reductions of each state's logits over the vocabulary; the host waits for nothing.

    Parameters
    ----------
    x_sn : (states, n′) float32, what the unembedding reads.
    wanted_sm : (states, wanted) tokens, x_t and x_{t+1} first.
    terms : float16 terms of a state; 0 is one, and two where one is not enough.
    blocks : states, tokens and components of a tile, and warps and stages of a program; by default
        the fastest of `readout_kernels.BLOCKS` on this GPU.
    bulk : whether tiles are copied in bulk; by default where the GPU can (compute capability 9.0).
    """
    from triton import next_power_of_2
    from triton.tools.tensor_descriptor import TensorDescriptor

    from .readout_kernels import scan_vocabulary, settle_states, split_states, tuned_scan

    if bulk is None:
        nvidia = x_sn.is_cuda and torch.version.cuda is not None
        bulk = nvidia and torch.cuda.get_device_capability(x_sn.device) >= (9, 0)
    x_sn = x_sn.contiguous()
    (states, width), wanted = x_sn.shape, wanted_sm.shape[1]
    vocabulary, padded = weights.weight_vn.shape
    unit_blocks = 256 if blocks is None else blocks["BLOCK_V"]
    stretch = -(-vocabulary // (STRETCHES * unit_blocks)) * unit_blocks
    bias_v = weights.weight_vn if weights.bias_v is None else weights.bias_v  # not read
    wanted_sm = wanted_sm.int().contiguous()
    # Each on its own, and so aligned: Triton compiles anew for what is aligned otherwise.
    log_p_sm = x_sn.new_empty(wanted_sm.shape)
    entropy_s, log_p_top_s = (x_sn.new_empty(states) for _ in range(2))
    highest_ij, rest_ij, moment_ij, reach_ij = x_sn.new_empty((4, states, STRETCHES)).unbind()
    token_ij = wanted_sm.new_empty((states, STRETCHES))
    top_s, doubtful_i = (wanted_sm.new_empty(states) for _ in range(2))
    doubtful = wanted_sm.new_zeros(1)
    shape = {"HAS_BIAS": weights.bias_v is not None, "HAS_CAP": soft_cap is not None}
    factors = (weights.unit, scale, 1.0 if soft_cap is None else soft_cap)

    def read(rows_i: Tensor, count: Tensor, terms: int, tolerance: float) -> None:
        terms_in = x_sn.new_empty((states, terms, padded), dtype=torch.float16)
        unit_i, lost_i = (x_sn.new_empty(states) for _ in range(2))
        sizes = {"WIDTH": padded, "TERMS": terms}
        split_states[(states,)](x_sn, rows_i, count, terms_in, unit_i, lost_i, width, **sizes)
        reduced = (
            *(weights.norm_v, bias_v, unit_i),
            *(highest_ij, token_ij, rest_ij, moment_ij, reach_ij),
        )
        scan, tile = (tuned_scan, {}) if blocks is None else (scan_vocabulary, blocks)
        operands = (terms_in.flatten(1), weights.weight_vn)
        if bulk:
            # Those that are tried give the descriptors the shapes of their tiles.
            sides = (tile.get("BLOCK_S", 1), tile.get("BLOCK_V", 1))
            tiles = [[side, tile.get("BLOCK_N", 64)] for side in sides]
            operands = tuple(map(TensorDescriptor.from_tensor, operands, tiles))
        scan[lambda meta: _programs(-(-states // meta["BLOCK_S"]))](
            *(*operands, *reduced, count, vocabulary, stretch, *factors),
            **(sizes | shape | tile),
            BULK=bulk,
        )
        settle_states[(states,)](
            *(x_sn, rows_i, count, terms_in, weights.weight_vn, *reduced),
            *(wanted_sm, log_p_sm, entropy_s, top_s, log_p_top_s),
            *(doubtful_i, doubtful, lost_i, tolerance),
            *(vocabulary, stretch, *factors, width),
            **sizes,
            **shape,
            STRETCHES=STRETCHES,
            WANTED=wanted,
            PLACES=next_power_of_2(STRETCHES + wanted),
            BLOCK_N=64,
        )

    everyone_i = torch.arange(states, dtype=torch.int32, device=x_sn.device)
    number = torch.full((1,), states, dtype=torch.int32, device=x_sn.device)
    read(everyone_i, number, max(terms, 1), TOLERANCE if terms == 0 else float("inf"))
    if terms == 0:
        read(doubtful_i, doubtful.clone(), 2, float("inf"))
    return StateReadout(log_p_sm, entropy_s, top_s, log_p_top_s)
