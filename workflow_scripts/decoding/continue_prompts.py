"""Let a model continue prompts of real text by six methods, and measure what each one writes.

greedy: the most probable token. block: the most probable one that neither closes a repeated n-gram
nor is the third of its kind in a row. steering: the same, by the least change of the hidden state
at one layer that makes another token win. penalty: greedy with a repetition penalty. contrastive:
contrastive search. nucleus: nucleus sampling.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from ..running import command
from ..semstat.decoding.columns import CONTINUATIONS
from ..semstat.decoding.contrastive import Contrastive
from ..semstat.decoding.greedy import greedy
from ..semstat.decoding.measures import energy_fluctuation, repetition
from ..semstat.decoding.nucleus import nucleus_sampling
from ..semstat.decoding.repetition_penalty import repetition_penalty
from ..semstat.decoding.steer_away import SteerAway
from ..semstat.decoding.stutter_block import stutter_block
from ..semstat.errors import InputError
from ..semstat.generation.sampling import draw_uniform
from ..semstat.generation.writing import Continuation, Method, continue_texts
from ..semstat.models.replay import Reader
from ..semstat.provenance import software
from ..semstat.tables import completed, write_table
from ..steering import beginnings

SETTINGS = ("layer", "ngram", "margin", "budget", "penalty", "alpha", "candidates", "nucleus")


def main() -> None:
    parser = command.parser(__doc__)
    beginnings.add_options(parser)
    _add_settings(parser)
    parser.add_argument(
        "--prompts", type=int, default=12, help="documents whose beginnings to take"
    )
    parser.add_argument("--prompt-tokens", type=int, default=32, help="tokens of each")
    parser.add_argument("--continue-by", type=int, default=48, help="tokens to write")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    parser.add_argument("--csv", required=True, type=Path, help="the same, to be read by people")
    arguments = parser.parse_args()

    prompts = beginnings.read_beginnings(arguments, arguments.prompts, arguments.prompt_tokens)
    positions = prompts.ids_bt.shape[1] + arguments.continue_by
    layered, run, snapshot = beginnings.load_whole(arguments, positions)
    top = layered.n_blocks
    reader = beginnings.readers(arguments.model.name, layered, [top, arguments.layer])
    uniform = [draw_uniform(arguments.seed, doc, arguments.continue_by) for doc in prompts.doc]
    uniform_bs = torch.from_numpy(np.array(uniform)).to(layered.device)
    prompt_bt = prompts.ids_bt.to(layered.device)
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    methods = _methods(arguments, uniform_bs)
    rows: list[dict[str, Any]] = []
    label = f"{arguments.model.name} {arguments.dataset}"
    with command.progress(label, "tokens", len(methods) * uniform_bs.numel()) as bar:
        for name, method in methods.items():
            chosen = reader[arguments.layer if name == "steering" else top]
            written, speed = _write(arguments, chosen, prompt_bt, method, bar.update)
            numbers = _describe(reader[top], prompt_bt, written)
            for at, (doc, tokens_s) in enumerate(zip(prompts.doc, written.token_bs, strict=True)):
                row = {"doc": doc, "method": name, "tokens": tokens_s.tolist()}
                row["prompt"] = tokenizer.decode(prompts.ids_bt[at, 1:].tolist())
                row["continuation"] = _decode(tokenizer, tokens_s)
                row |= {key: float(value_b[at]) for key, value_b in numbers.items()}
                row["steered"] = written.steered_bs[at].tolist()
                rows.append(row | {"tokens_per_second": speed})
    provenance = {
        "model": snapshot,
        "tokens": prompts.provenance,
        "prompt_tokens": arguments.prompt_tokens,
        "seed": arguments.seed,
        "methods": {key: getattr(arguments, key) for key in SETTINGS},
    }
    provenance |= run | software("torch", "transformers", "tokenizers", "numpy", "pyarrow")
    table = pa.Table.from_pylist(rows, schema=CONTINUATIONS)
    write_table(arguments.out, table, provenance)
    _write_csv(arguments.csv, table)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--layer", required=True, type=int, help="layer at which to steer")
    parser.add_argument("--ngram", type=int, default=4, help="tokens of a repetition that counts")
    parser.add_argument("--margin", type=float, default=1.0, help="by which another wins, nats")
    parser.add_argument("--budget", type=float, default=1.0, help="largest ‖δh‖ over ‖h‖")
    parser.add_argument("--penalty", type=float, default=1.2, help="of tokens that were there")
    parser.add_argument("--alpha", type=float, default=0.6, help="of contrastive search")
    parser.add_argument("--candidates", type=int, default=4, help="of contrastive search")
    parser.add_argument("--nucleus", type=float, default=0.95, help="probability that is kept")


def _methods(arguments: argparse.Namespace, uniform_bs: Tensor) -> dict[str, Method]:
    return {
        "greedy": greedy(),
        "block": stutter_block(arguments.ngram),
        "steering": SteerAway(arguments.ngram, arguments.margin, arguments.budget),
        "penalty": repetition_penalty(arguments.penalty),
        "contrastive": Contrastive(arguments.alpha, arguments.candidates),
        "nucleus": nucleus_sampling(arguments.nucleus, uniform_bs),
    }


def _write(
    arguments: argparse.Namespace,
    reader: Reader,
    prompt_bt: Tensor,
    method: Method,
    advance: Callable[[int], object],
) -> tuple[Continuation, float]:
    """What a method writes, and how many tokens a second."""
    start = time.perf_counter()
    try:
        written = continue_texts(reader, prompt_bt, arguments.continue_by, method, advance)
    except FloatingPointError as error:
        raise InputError(
            f"models.{arguments.model.name}: {error}; set its dtype to float32, "
            f"or bfloat16 on a GPU"
        ) from error
    tokens = written.token_bs.cpu().numel()  # waits for the device
    return written, tokens / (time.perf_counter() - start)


def _describe(reader: Reader, prompt_bt: Tensor, written: Continuation) -> dict[str, Any]:
    """(prompts,) numbers of the continuations, by name."""
    token_bs = written.token_bs.tolist()
    reread = _reread(reader, prompt_bt, written) if written.steered_bs.any() else written
    return {
        "rep_1": [repetition(tokens_s, 1) for tokens_s in token_bs],
        "rep_4": [repetition(tokens_s, 4) for tokens_s in token_bs],
        "surprisal": reread.surprisal_bs.double().mean(dim=1),
        "energy_fluctuation": _fluctuation(written),
        "reread_fluctuation": _fluctuation(reread),
    }


def _fluctuation(written: Continuation) -> NDArray[np.float64]:
    return energy_fluctuation(
        written.top_btn.double().cpu().numpy(), written.surprisal_bs.double().cpu().numpy()
    )


def _reread(reader: Reader, prompt_bt: Tensor, written: Continuation) -> Continuation:
    """The same texts as the model reads them, nothing steered."""
    steps = written.token_bs.shape[1]
    moment, past = reader.start(torch.cat([prompt_bt, written.token_bs[:, :-1]], dim=1))
    top_btn = torch.cat([*past, moment.top_bn[:, None]], dim=1)
    with torch.no_grad():
        rows = [
            -reader.log_p(top_sn).gather(1, token_s[:, None])[:, 0]
            for top_sn, token_s in zip(top_btn[:, -steps:], written.token_bs, strict=True)
        ]
    return written._replace(surprisal_bs=torch.stack(rows), top_btn=top_btn)


def _decode(tokenizer: Tokenizer, tokens_s: Tensor) -> str:
    return str(tokenizer.decode(tokens_s.tolist(), skip_special_tokens=False))


def _write_csv(path: Path, table: pa.Table) -> None:
    """The texts, prompt by prompt, each method below the other, with their main numbers."""
    rows = sorted(table.to_pylist(), key=lambda row: row["doc"])
    readable = [
        {
            "doc": row["doc"],
            "prompt": row["prompt"],
            "method": row["method"],
            "continuation": row["continuation"],
            "rep_4": round(row["rep_4"], 3),
            "perplexity": round(float(np.exp(row["surprisal"])), 2),
            "steered_tokens": sum(row["steered"]),
        }
        for row in rows
    ]
    with completed(path) as (temporary,):
        pyarrow.csv.write_csv(pa.Table.from_pylist(readable), temporary)


if __name__ == "__main__":
    command.run(main)
