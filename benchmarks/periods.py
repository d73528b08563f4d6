"""What do rivals cost: a readout with the last K tokens, beside one with the last token alone?

Both read the same random states through the same random unembedding, as `measure_windows` has it:
the last and the correct token are asked for, and with rivals K more columns of the same pass, from
which the likeliest is chosen; the histories that these are read off are made too. The two take
turns, and a ratio is the median over turns of neighbours in time: this holds on a machine whose
speed drifts. The default shape is that of SmolLM2-135M.

    python -m benchmarks.periods --out periods.json
    python -m benchmarks.periods --out periods.json --width 4096 --vocabulary 128256 --device cuda
"""

from __future__ import annotations

import json
import statistics
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workflow_scripts.running.command import progress, run
from workflow_scripts.semstat.energies.measure import _with_rival
from workflow_scripts.semstat.energies.readout import begin_read_out
from workflow_scripts.semstat.models.decoder import Decoder
from workflow_scripts.semstat.models.windows import Window
from workflow_scripts.semstat.periods.rivals import recent_tokens

from .energies import processor, timed


def periods(
    *,
    out: Path,
    longest: list[int] = [16, 64],  # noqa: B006  # read only; what the help shows
    width: int = 576,
    vocabulary: int = 49152,
    states: int = 2112,
    context: int = 264,
    device: str = "cpu",
    repeats: int = 9,
) -> None:
    """Time the readout of one layer, with rivals and without.

    Parameters
    ----------
    out : JSON file to make.
    longest : numbers of the last tokens that are looked at.
    width : of a state.
    vocabulary : tokens.
    states : of a batch, a multiple of `context`.
    context : states of a window.
    device : cpu or cuda.
    repeats : turns, after one that is not counted.
    """
    torch.manual_seed(0)
    unembedding = nn.Linear(width, vocabulary, bias=False, device=device).requires_grad_(False)
    nn.init.normal_(unembedding.weight, std=3 / width**0.5)  # as sharp as a trained model's
    unembedding.weight.data = unembedding.weight.bfloat16().float()  # or a GPU reads by tiles
    decoder = Decoder((), unembedding)
    q_sn = torch.randn(states, width, device=device)
    rng = np.random.default_rng(0)
    windows = [
        Window(doc, 0, rng.integers(vocabulary, size=context + 2, dtype=np.int32), 1)
        for doc in range(states // context)
    ]
    ids_wt = torch.from_numpy(np.array([window.tokens_t for window in windows])).long().to(device)
    wanted_s2 = torch.stack([ids_wt[:, 1:-1].flatten(), ids_wt[:, 2:].flatten()], dim=1)
    ways = {0: partial(_read, decoder, q_sn, wanted_s2)}
    for k in longest:
        ways[k] = partial(_read_rivals, decoder, q_sn, wanted_s2, windows, k)
    seconds: dict[int, list[float]] = {k: [] for k in ways}
    with progress("rivals beside none", "turns", repeats + 1) as bar:
        for turn in range(repeats + 1):
            for k, way in ways.items():
                took, _ = timed(way, torch.device(device))
                if turn:
                    seconds[k].append(took)
            bar.update(1)
    more = {k: [a / b - 1 for a, b in zip(seconds[k], seconds[0], strict=True)] for k in longest}
    report: dict[str, Any] = {
        "processor": processor() if device == "cpu" else torch.cuda.get_device_name(),
        "threads": torch.get_num_threads(),
        "width": width,
        "vocabulary": vocabulary,
        "states": len(wanted_s2),
        "states per second": {k: len(wanted_s2) / statistics.median(s) for k, s in seconds.items()},
        "more": {k: [statistics.median(of), min(of), max(of)] for k, of in more.items()},
    }
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for k, (median, low, high) in report["more"].items():
        print(f"K = {k}: {median:+.1%} ({low:+.1%} to {high:+.1%} over {repeats} turns)")


def _read(decoder: Decoder, q_sn: Tensor, wanted_sm: Tensor) -> None:
    _ = begin_read_out(decoder, q_sn, wanted_sm)().energy


def _read_rivals(
    decoder: Decoder, q_sn: Tensor, wanted_s2: Tensor, windows: list[Window], longest: int
) -> None:
    rival_sm = torch.from_numpy(recent_tokens(windows, longest)).to(q_sn.device)
    rival_sm = torch.where(rival_sm < 0, wanted_s2[:, 1:], rival_sm)
    wanted_sm = torch.cat([wanted_s2, rival_sm], dim=1)
    _, readout = _with_rival(begin_read_out(decoder, q_sn, wanted_sm)(), wanted_sm)
    _ = readout.energy


if __name__ == "__main__":
    run(periods)
