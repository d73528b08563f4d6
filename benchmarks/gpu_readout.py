"""How fast and how exact is the fused readout on a GPU, beside that by tiles and a softmax?

    python -m benchmarks.gpu_readout
    python -m benchmarks.gpu_readout --shapes 576x49152 4096x128256 --states 16384

Weights and states are random, in bfloat16 and float32, as sharp as a trained model's: logits of a
standard deviation of 3. Two tokens a state are asked for, or 17. Times are medians of
`triton.testing.do_bench`, of the readout of one layer, final norm left out.
"""

from __future__ import annotations

import argparse
import sys

import torch
from torch import Tensor, nn

from workflow_scripts.semstat.energies.tiles import StateReadout, read_out_by_tiles
from workflow_scripts.semstat.models.decoder import Decoder

SHAPES = ["576x49152", "2048x49152", "2048x151936", "4096x128256"]
"""n′ × vocabulary: SmolLM2-135M, SmolLM2-1.7B, Qwen3-1.7B, Llama-3.1-8B."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=SHAPES, help="n′ x vocabulary")
    parser.add_argument("--states", type=int, default=16384, help="states of a batch")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit(f"a CUDA GPU is needed, and torch {torch.__version__} finds none here")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {arguments.states} states")
    print(
        f"{'shape':>12} {'max|ΔH|':>8} {'mean|ΔH|':>9} {'bf16 TFLOP/s':>13} "
        f"{'fused, ms':>10} {'of that rate':>12} {'one term':>9} {'two terms':>9} "
        f"{'17 tokens':>9} {'by tiles':>9} {'softmax':>9}"
    )
    for shape in arguments.shapes:
        width, vocabulary = map(int, shape.split("x"))
        report(shape, *case(arguments.states, width, vocabulary))


def case(states: int, width: int, vocabulary: int) -> tuple[Decoder, Tensor, Tensor]:
    """A decoder, states, and last and correct tokens; every other one is the most probable."""
    torch.manual_seed(0)
    unembedding = nn.Linear(width, vocabulary, bias=False, device="cuda", dtype=torch.bfloat16)
    nn.init.normal_(unembedding.weight, std=3 / width**0.5)
    decoder = Decoder((), unembedding.requires_grad_(False).float())
    x_sn = torch.randn(states, width, device="cuda")
    wanted_s2 = torch.randint(vocabulary, (states, 2), device="cuda")
    for rows in torch.arange(1, states, 2, device="cuda").split(1024):
        wanted_s2[rows, 1] = decoder.logits(x_sn[rows]).argmax(-1)
    return decoder, x_sn, wanted_s2


def report(shape: str, decoder: Decoder, x_sn: Tensor, wanted_s2: Tensor) -> None:
    """One line: errors of H, then times; those after the fused one as multiples of it."""
    from triton.testing import do_bench

    from workflow_scripts.semstat.energies.fused_readout import half_weights, reduce_logits

    weights = half_weights(decoder.unembedding)
    assert weights is not None  # noqa: S101
    half_vn = decoder.unembedding.weight.bfloat16()
    half_sn = x_sn.bfloat16()

    def fused(terms: int = 0) -> StateReadout:
        return reduce_logits(x_sn, weights, wanted_s2, terms=terms)

    def milliseconds(work: object) -> float:
        return float(do_bench(work, return_mode="median"))

    further_sm = torch.randint(decoder.vocabulary, (len(x_sn), 15), device="cuda")
    wanted_sm = torch.cat([wanted_s2, further_sm], dim=1)
    error_s = errors(decoder, x_sn, wanted_s2, fused())
    product = milliseconds(lambda: half_sn[:4096] @ half_vn.T)
    rate = 2 * min(4096, len(x_sn)) * half_vn.numel() / product * 1e3
    ours = milliseconds(fused)
    floor = 2 * len(x_sn) * half_vn.numel() / rate * 1e3
    others = [
        milliseconds(lambda: fused(1)),
        milliseconds(lambda: fused(2)),
        milliseconds(lambda: reduce_logits(x_sn, weights, wanted_sm)),
        milliseconds(lambda: read_out_by_tiles(decoder, x_sn, wanted_s2)),
        milliseconds(lambda: plain(half_sn, half_vn, wanted_s2)),
    ]
    ratios = " ".join(f"{other / ours:8.2f}×" for other in others)
    print(
        f"{shape:>12} {error_s.max():8.1e} {error_s.mean():9.1e} {rate / 1e12:13.0f} "
        f"{ours:10.2f} {floor / ours:12.0%} {ratios}",
        flush=True,
    )


def errors(decoder: Decoder, x_sn: Tensor, wanted_s2: Tensor, found: StateReadout) -> Tensor:
    """|ΔH| of 1,024 states against float64."""
    few = slice(0, 1024)
    logits_sv = x_sn[few].double() @ decoder.unembedding.weight.double().T
    p_s2 = logits_sv.gather(1, wanted_s2[few]).sub(logits_sv.logsumexp(1, keepdim=True)).exp()
    return (found.energy[few] - (p_s2[:, 1] - p_s2[:, 0])).abs()


def plain(half_sn: Tensor, half_vn: Tensor, wanted_s2: Tensor) -> None:
    """What one would write: a softmax of the bfloat16 logits, in float32, by batches that fit."""
    for rows in torch.arange(len(half_sn), device="cuda").split(2048):
        log_p_sv = (half_sn[rows] @ half_vn.T).float().log_softmax(-1)
        log_p_sv.gather(1, wanted_s2[rows])
        torch.special.entr(log_p_sv.exp()).sum(-1), log_p_sv.argmax(-1)


if __name__ == "__main__":
    main()
