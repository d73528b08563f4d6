"""How near nested sampling comes to the speed of the readout, on a real model.

python -m benchmarks.volume_speed results/models/smollm2-135m

Energies a second of nested sampling on uniform directions of the last layer, over those of the
readout alone on batches as wide as a step begins with (pairs × culled), in turns in one process, so
that both meet the same machine. Needs a quiet one.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from workflow_scripts.models.loading import Running, load
from workflow_scripts.semstat.models.causality import SHORTEST
from workflow_scripts.semstat.volumes.decoded import DecodedEnergy
from workflow_scripts.semstat.volumes.directions import directions
from workflow_scripts.semstat.volumes.nested_sampling import NestedSampling
from workflow_scripts.semstat.volumes.trace import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a snapshot, as results/models/… has them")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--walkers", type=int, default=256)
    parser.add_argument("--culled", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--steps", type=int, default=6, help="of each width, in turns")
    arguments = parser.parse_args()
    running = Running(
        model=arguments.model, device=arguments.device, threads=arguments.threads
    )  # fmt: skip
    layered, _ = load(running, SHORTEST, "positions")
    decoder, device = layered.decoder.in_float32(), layered.device
    decoded = directions(decoder, running.snapshot()["hidden"])
    generator = torch.Generator(device).manual_seed(0)
    pair_r2 = torch.randint(
        decoder.vocabulary, (arguments.pairs, 2), generator=generator, device=device
    )
    energy_of = DecodedEnergy(decoder, decoded, pair_r2)
    print(
        "| batch | energies a second | of the readout alone | share | evaluations a nat and walker"
    )
    print("|---:|---:|---:|---:|---:|")
    for culled in arguments.culled:
        settings = Settings(arguments.walkers, culled, 8)
        sampling = NestedSampling.begin(
            decoded.space, energy_of, settings, arguments.pairs, generator
        )
        width, begun = arguments.pairs * culled, sampling.evaluations_r.sum().item()
        q_sn = decoded.space.draw(width, generator)
        run_s = torch.arange(width, device=device) % arguments.pairs
        sampled = alone = 0.0
        for _ in range(arguments.steps):
            sampled += seconds(sampling.step, device)
            alone += seconds(lambda q_sn=q_sn, run_s=run_s: energy_of(q_sn, run_s), device)
        found = sampling.evaluations_r.sum().item() - begun
        rate, floor = found / sampled, arguments.steps * width / alone
        cost = found / arguments.pairs / arguments.walkers / (arguments.steps * settings.nats)
        print(
            f"| {width} | {rate:.0f} | {floor:.0f} | {rate / floor:.2f} | {cost:.0f} |", flush=True
        )


def seconds(act, device: torch.device) -> float:  # type: ignore[no-untyped-def]
    """How long it takes."""
    began = time.perf_counter()
    act()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
