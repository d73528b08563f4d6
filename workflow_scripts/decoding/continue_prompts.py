"""The command that lets a model continue prompts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import torch
from cyclopts import Parameter
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from ..models.loading import Running, finite, load
from ..models.readers import readers
from ..running.command import progress, run
from ..semstat.decoding.columns import CONTINUATIONS
from ..semstat.decoding.contrastive import Contrastive
from ..semstat.decoding.greedy import greedy
from ..semstat.decoding.measures import energy_fluctuation
from ..semstat.decoding.nucleus import nucleus_sampling
from ..semstat.decoding.repetition_penalty import repetition_penalty
from ..semstat.decoding.steer_away import SteerAway
from ..semstat.decoding.stutter_block import stutter_block
from ..semstat.generation.loops import repetition
from ..semstat.generation.sampling import draw_uniform
from ..semstat.generation.writing import Continuation, Method, continue_texts
from ..semstat.models.replay import Reader
from ..semstat.provenance import Provenance
from ..semstat.tables import completed, write_table
from ..tokens.shards import read_beginnings


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the methods are set to.

    Parameters
    ----------
    layer : layer at which to steer.
    ngram : tokens of a repetition that counts as stuttering, beside three of one token in a row.
    margin : log-odds, nats, by which steering makes another token win.
    budget : largest change of a hidden state as a share of its norm.
    penalty : repetition penalty, at least 1.
    alpha : weight of the similarity in contrastive search.
    candidates : most probable tokens among which contrastive search chooses.
    nucleus : probability that nucleus sampling keeps.
    """

    layer: int
    ngram: int = 4
    margin: float = 1.0
    budget: float = 1.0
    penalty: float = 1.2
    alpha: float = 0.6
    candidates: int = 4
    nucleus: float = 0.95

    def methods(self, uniform_xt: Tensor) -> dict[str, Method]:
        """Methods of choosing the next token, by name."""
        return {
            "greedy": greedy(),
            "block": stutter_block(self.ngram),
            "steering": SteerAway(self.ngram, self.margin, self.budget),
            "penalty": repetition_penalty(self.penalty),
            "contrastive": Contrastive(self.alpha, self.candidates),
            "nucleus": nucleus_sampling(self.nucleus, uniform_xt),
        }


def continue_prompts(
    *,
    running: Running,
    tokens: list[Path],
    settings: Settings,
    prompts: int = 12,
    prompt_tokens: int = 32,
    continue_by: int = 48,
    seed: int = 0,
    out: Path,
    csv: Path,
) -> None:
    """Let a model continue prompts of real text by six methods, and measure what each one writes.

    greedy: the most probable token. block: the most probable one that neither closes a repeated
    n-gram nor is the third of its kind in a row. steering: the same, by the least change of the
    hidden state at one layer that makes another token win. penalty: greedy with a repetition
    penalty. contrastive: contrastive search. nucleus: nucleus sampling.

    Parameters
    ----------
    tokens : the model's tokens, a Parquet file a shard.
    prompts : documents whose beginnings are continued.
    prompt_tokens : tokens of each, the prefix token not counted.
    continue_by : tokens to write.
    seed : seed of what is sampled.
    out : Parquet file to make.
    csv : the same, to be read by people.
    """
    remedy = (
        "lower `prompts` or `prompt_tokens` of its entry under `steering`, or raise the dataset's "
        "`shards`"
    )
    taken = read_beginnings(tokens, prompts, prompt_tokens, remedy)
    positions = taken.ids_dt.shape[1] + continue_by
    layered, facts = load(running, positions, "steering.decoding.continue_by")
    top = layered.n_blocks
    reader = readers(running.called, layered, [top, settings.layer])
    uniform_xt = np.array([draw_uniform(seed, doc, continue_by) for doc in taken.doc])
    prompt_xt = torch.from_numpy(taken.ids_dt).to(layered.device)
    tokenizer = Tokenizer.from_file(str(running.model / "tokenizer.json"))
    methods = settings.methods(torch.from_numpy(uniform_xt).to(layered.device))
    rows: list[dict[str, Any]] = []
    label, total = f"{running.called} {taken.provenance['dataset']}", uniform_xt.size
    with progress(label, "tokens", len(methods) * total) as bar:
        for name, method in methods.items():
            chosen = reader[settings.layer if name == "steering" else top]
            with finite(running):
                written, speed = _write(chosen, prompt_xt, continue_by, method, bar.update)
            numbers = _describe(reader[top], prompt_xt, written)
            for at, (doc, tokens_t) in enumerate(zip(taken.doc, written.token_xt, strict=True)):
                row = {"doc": doc, "method": name, "tokens": tokens_t.tolist()}
                row["prompt"] = tokenizer.decode(taken.ids_dt[at, 1:].tolist())
                row["continuation"] = _decode(tokenizer, tokens_t)
                row |= {key: float(value_x[at]) for key, value_x in numbers.items()}
                row["steered"] = written.steered_xt[at].tolist()
                rows.append(row | {"tokens_per_second": speed})
    provenance = Provenance(
        model=running.snapshot(),
        tokens=taken.provenance,
        prompt_tokens=prompt_tokens,
        seed=seed,
        methods=asdict(settings),
        **facts,
    ).then("written by", "torch", "transformers", "tokenizers", "numpy", "pyarrow")
    table = pa.Table.from_pylist(rows, schema=CONTINUATIONS)
    write_table(out, table, provenance)
    _write_csv(csv, table)


def _write(
    reader: Reader,
    prompt_xt: Tensor,
    continue_by: int,
    method: Method,
    advance: Callable[[int], object],
) -> tuple[Continuation, float]:
    """What a method writes, and how many tokens a second."""
    start = time.perf_counter()
    written = continue_texts(reader, prompt_xt, continue_by, method, advance)
    tokens = written.token_xt.cpu().numel()  # waits for the device
    return written, tokens / (time.perf_counter() - start)


def _describe(reader: Reader, prompt_xt: Tensor, written: Continuation) -> dict[str, Any]:
    """(prompts,) numbers of the continuations, by name."""
    token_xt = written.token_xt.tolist()
    reread = _reread(reader, prompt_xt, written) if written.steered_xt.any() else written
    return {
        "rep_1": [repetition(tokens_t, 1) for tokens_t in token_xt],
        "rep_4": [repetition(tokens_t, 4) for tokens_t in token_xt],
        "surprisal": reread.surprisal_xt.double().mean(dim=1),
        "energy_fluctuation": _fluctuation(written),
        "reread_fluctuation": _fluctuation(reread),
    }


def _fluctuation(written: Continuation) -> NDArray[np.float64]:
    return energy_fluctuation(
        written.top_xtn.double().cpu().numpy(), written.surprisal_xt.double().cpu().numpy()
    )


def _reread(reader: Reader, prompt_xt: Tensor, written: Continuation) -> Continuation:
    """The same texts as the model reads them, nothing steered."""
    steps = written.token_xt.shape[1]
    moment, past = reader.start(torch.cat([prompt_xt, written.token_xt[:, :-1]], dim=1))
    top_xtn = torch.cat([*past, moment.top_xn[:, None]], dim=1)
    with torch.no_grad():
        rows = [
            -reader.log_p(top_tn).gather(1, token_t[:, None])[:, 0]
            for top_tn, token_t in zip(top_xtn[:, -steps:], written.token_xt, strict=True)
        ]
    return written._replace(surprisal_xt=torch.stack(rows), top_xtn=top_xtn)


def _decode(tokenizer: Tokenizer, tokens_t: Tensor) -> str:
    return str(tokenizer.decode(tokens_t.tolist(), skip_special_tokens=False))


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
    run(continue_prompts)
