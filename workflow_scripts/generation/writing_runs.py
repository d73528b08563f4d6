"""Runs of prompts as the commands take them that let a model write by one method or another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import torch
import transformers
from cyclopts import Parameter
from numpy.typing import NDArray

from ..models.loading import Running, finite, load
from ..models.readers import readers, texts_at_once
from ..running.command import progress
from ..semstat.errors import InputError
from ..semstat.generation.columns import POSITIONS, RUNS
from ..semstat.generation.marginal import Marginal, subsets
from ..semstat.generation.runs import (
    Method,
    Runs,
    Step,
    draw_uniform_runs,
    write_runs,
)
from ..semstat.models.packed import pack
from ..semstat.provenance import Provenance
from ..semstat.tables import table_of, table_of_rows, table_writers
from ..tokens.shards import Beginnings, read_beginnings

log = logging.getLogger(__name__)

GPU_SHARE = 0.4
"""Of a GPU's free memory, for keys and values."""

NUMBERS = ("sampling_temperature", "entropy", "logit_variance", "surprisal", "energy")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What is written, and after what.

    Parameters
    ----------
    tokens : the model's tokens of a dataset, a Parquet file a shard.
    prompts : documents whose beginnings are continued.
    prompt_tokens : tokens of each, the prefix token not counted; 0 for none.
    runs : texts written after each.
    write : tokens of each text.
    found_on : prompts, the first, that schedules are found on; the others are held out.
    ends : end a text at the model's own end-of-text token, and not go on.
    seed : seed of what is drawn; what a run draws depends on the prompt's and its own number only.
    """

    asked_by: ClassVar = "generation"
    length_key: ClassVar = "write"

    tokens: list[Path]
    prompts: int = 8
    prompt_tokens: int = 32
    runs: int = 30
    write: int = 1000
    found_on: int = 4
    ends: bool = False
    seed: int = 0

    @property
    def write_key(self) -> str:
        """Key of the configuration that says how much is written."""
        return f"{self.asked_by}.{self.length_key}"

    def said(self) -> dict[str, Any]:
        """All of it but the files, for the provenance."""
        return {key: value for key, value in asdict(self).items() if key != "tokens"}

    def positions(self, written: int) -> int:
        """Those of a text of which so much is written: the prefix token, the prompt, and that."""
        return 1 + self.prompt_tokens + written

    def read(self, documents: int) -> Beginnings:
        """The first tokens of the first so many documents.

        Raises
        ------
        InputError
            If so many have not so many tokens, or there are too few runs.
        """
        if self.runs < 2:
            raise InputError(
                f"{self.asked_by}.runs: {self.runs} runs have no marginal entropy; take at least 2"
            )
        if min(documents, self.write) < 1:
            raise InputError(
                f"{self.write_key}: {self.write} tokens after each of {documents} prompts are "
                f"nothing to write; take at least 1 of each"
            )
        remedy = (
            f"lower `prompts` or `prompt_tokens` of its entry under `{self.asked_by}`, or raise "
            f"the dataset's `shards` or `tokens_per_document`"
        )
        return read_beginnings(self.tokens, documents, self.prompt_tokens, remedy)


class Writing:
    """A model that writes runs, as many prompts at a time as there is memory for."""

    def __init__(self, running: Running, prompts: Prompts) -> None:
        self.end_tokens = _end_tokens(running) if prompts.ends else []
        layered, self.facts = load(running, prompts.positions(prompts.write), prompts.write_key)
        pack(layered.model)
        self.running, self.prompts = running, prompts
        self.reader = readers(running.called, layered, [layered.n_blocks])[layered.n_blocks]
        self.device = layered.device

    def prompts_at_once(self, written: int) -> int:
        """Prompts of whose runs, so many tokens long, there is memory for keys and values."""
        positions, runs = self.prompts.positions(written), self.prompts.runs
        return texts_at_once(self.running, self.reader, positions, copies=runs, gpu_share=GPU_SHARE)

    def groups(self, documents: int) -> list[range]:
        """Prompts that are written together."""
        size = self.prompts_at_once(self.prompts.write)
        firsts = range(0, documents, size)
        return [range(first, min(first + size, documents)) for first in firsts]

    def write(
        self,
        taken: Beginnings,
        group: Sequence[int],
        numbers: range,
        method: Method,
        advance: Callable[[int], object],
        steps: int | None = None,
    ) -> list[Step]:
        """Runs of some prompts.

        Parameters
        ----------
        group : which of the prompts; one may be named several times.
        numbers : of the runs.
        steps : tokens to write; all by default.
        """
        prompts = self.prompts
        drawn = [
            draw_uniform_runs(prompts.seed, taken.doc[d], numbers, prompts.write)[:, :steps]
            for d in group
        ]
        prompt_dt = torch.from_numpy(taken.ids_dt[list(group)]).to(self.device)
        uniform_drt = torch.from_numpy(np.array(drawn)).to(self.device)
        label = f"models.{self.running.called}"
        try:
            with finite(self.running):
                runs = Runs(self.reader, prompt_dt, uniform_drt, method, self.end_tokens)
                return write_runs(runs, advance)
        except torch.OutOfMemoryError as error:
            size = len(group) * len(numbers) * (prompt_dt.shape[1] + uniform_drt.shape[2])
            raise InputError(
                f"{label}: out of GPU memory with {len(group)} prompts at a time; lower "
                f"batch_tokens (set-resources in profiles/) below {size}, or `runs`"
            ) from error


def _end_tokens(running: Running) -> list[int]:
    """Tokens that end a text, as the model's own configuration has them."""
    config = transformers.AutoConfig.from_pretrained(running.model, local_files_only=True)
    ends = config.get_text_config().eos_token_id
    if ends is None:
        raise InputError(
            f"generation.ends: the configuration of {running.called} names no end-of-text token "
            f"(eos_token_id); set it to false"
        )
    return ends if isinstance(ends, list) else [ends]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Into:
    """What is made.

    Parameters
    ----------
    out : Parquet file of runs to make.
    positions : Parquet file of entropies by position to make.
    """

    out: Path
    positions: Path


def write_condition(
    running: Running,
    prompts: Prompts,
    into: Into,
    method: str,
    make: Callable[..., Method],
    **settings: Any,
) -> None:
    """Let a model write all runs of all prompts by one method, and note what they were drawn from.

    Schedules are found with runs of other numbers: those written here are 0, 1, …, so that a run is
    what it is however many there are.

    Parameters
    ----------
    method : name of the method.
    make : makes it of what it is set to, for each group of prompts a new one.
    settings : what it is set to; noted in the provenance.
    """
    taken = prompts.read(prompts.prompts)
    writing = Writing(running, prompts)
    numbers = range(prompts.runs)
    start = time.perf_counter()
    provenance = Provenance(
        model=running.snapshot(),
        tokens=taken.provenance,
        writing=prompts.said(),
        sizes=subsets(prompts.runs).sizes,
        method={"method": method} | settings,
        **writing.facts,
    ).then("written by", "torch", "transformers", "numpy", "scipy", "pyarrow")
    total = prompts.prompts * prompts.runs * prompts.write
    label = f"{running.called} {taken.provenance['dataset']} {into.out.stem}"
    with (
        progress(label, "tokens", total) as bar,
        table_writers([into.out], RUNS, [provenance]) as (of_runs,),
        table_writers([into.positions], POSITIONS, [provenance]) as (of_positions,),
    ):
        for group in writing.groups(len(taken.doc)):
            found = gather(writing.write(taken, group, numbers, make(**settings), bar.update))
            docs = [(taken.doc[d], d >= prompts.found_on) for d in group]
            of_runs.write_table(runs_table(docs, numbers, found, writing.end_tokens))
            of_positions.write_table(positions_table(docs, found))
    log.info("%.0f tokens a second", total / (time.perf_counter() - start))


class Gathered(NamedTuple):
    """The steps of runs, one array a number: (prompts, runs, positions), or (prompts, positions).

    Of runs that have ended what follows is there, and means nothing.
    """

    runs: dict[str, NDArray[Any]]
    prompts: dict[str, NDArray[Any]]


def gather(steps: list[Step]) -> Gathered:
    """Put steps together; waits for the device."""
    runs = {
        name: torch.stack([getattr(step, name) for step in steps], dim=2).cpu().numpy()
        for name in ("token", "alive", *NUMBERS)
    }
    prompts = {
        name: torch.stack([getattr(step.marginal, name) for step in steps], dim=1).cpu().numpy()
        for name in Marginal._fields
    }
    return Gathered(runs, prompts)


def runs_table(
    docs: list[tuple[int, bool]], numbers: range, found: Gathered, end_tokens: Sequence[int]
) -> pa.Table:
    """Rows of runs."""
    lengths_dr = found.runs["alive"].sum(axis=2)
    rows = []
    for d, (doc, held_out) in enumerate(docs):
        for r, run in enumerate(numbers):
            length = int(lengths_dr[d, r])
            row: dict[str, Any] = {"doc": doc, "run": run, "held_out": held_out}
            row["ended"] = found.runs["token"][d, r, length - 1] in end_tokens
            row["tokens"] = found.runs["token"][d, r, :length].astype(np.int32)
            row |= {name: found.runs[name][d, r, :length].astype(np.float32) for name in NUMBERS}
            rows.append(row)
    return table_of_rows(rows, RUNS)


def positions_table(docs: list[tuple[int, bool]], found: Gathered) -> pa.Table:
    """Rows of positions: those at which two runs of a prompt at least go on."""
    tables = []
    alive_drt = found.runs["alive"]
    averaged = {
        name: np.ma.masked_array(found.runs[name], ~alive_drt).mean(axis=1, dtype=np.float64)
        for name in POSITIONS.names
        if name in NUMBERS
    }
    for d, (doc, held_out) in enumerate(docs):
        many_t = np.flatnonzero(found.prompts["runs_d"][d] >= 2)
        of = {name: value_dt[d][many_t] for name, value_dt in found.prompts.items()}
        cross_t = np.where(np.isfinite(of["cross_d"]), of["cross_d"], np.nan)
        named = {
            "doc": np.full(len(many_t), doc),
            "held_out": np.full(len(many_t), held_out),
            "position": many_t + 1,
            "runs": of["runs_d"],
            "marginal": of["entropy_d"],
            "error": of["error_d"],
            "cross": cross_t,
            "conditional": of["conditional_d"],
            "subsets": list(of["subset_dz"]),
        }
        named |= {name: mean_dt.data[d, many_t] for name, mean_dt in averaged.items()}
        tables.append(table_of(named, POSITIONS))
    return pa.concat_tables(tables)
