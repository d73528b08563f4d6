"""The command that writes texts without a model, at one sampling temperature of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ..generation.writing_runs import Into, gather, positions_table, runs_table
from ..running.command import progress, run
from ..semstat.criticality.chains import CHAINS, Chain
from ..semstat.errors import InputError
from ..semstat.generation.columns import POSITIONS, RUNS
from ..semstat.generation.marginal import subsets
from ..semstat.generation.methods.schedule import constant
from ..semstat.generation.runs import Runs, draw_uniform_runs, write_runs
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table, table_writers
from ..semstat.tokens.tables import TOKENS
from ..tokens.shards import Beginnings
from .sweeping import SweptPrompts

TEXTS_AT_ONCE = 64


def write_null(
    *,
    prompts: SweptPrompts,
    into: Into,
    counts: list[Path],
    model: str,
    null: Literal["frequencies", "bigrams"],
    sampling_temperature: float,
    threads: int | None = None,
) -> None:
    """Write texts without a model, at one sampling temperature of a sweep.

    Parameters
    ----------
    counts : tokens that the null is counted on, a Parquet file a shard.
    model : name of the model whose tokens they are.
    null : tokens as frequent as there, each by itself, or each after the last one.
    sampling_temperature : tokens are drawn from softmax(z / sampling_temperature), z being the
        logarithm of a frequency; 0 takes the most probable one.
    threads : CPU threads (default: all).
    """
    if threads:
        torch.set_num_threads(threads)
    taken = prompts.read(prompts.prompts)
    tables = [read_table(path, TOKENS) for path in counts]
    chain = CHAINS[null](
        [token_t.values.to_numpy()[1:] for table in tables for token_t in table["tokens"]]
    )
    counted = provenance_of(tables[0].schema)
    prompt_dt = torch.from_numpy(_places(chain, taken, str(counted["dataset"])))
    provenance = Provenance(
        model={"model": model},
        null={"null": null, "counted_on": counted},
        tokens=taken.provenance,
        writing=prompts.said(),
        sizes=subsets(prompts.runs).sizes,
        method={"method": "constant", "sampling_temperature": sampling_temperature},
    ).then("written by", "torch", "numpy", "pyarrow")
    size = max(1, TEXTS_AT_ONCE // prompts.runs)
    total = prompts.prompts * prompts.runs * prompts.write
    with (
        progress(f"{null} {taken.provenance['dataset']} {into.out.stem}", "tokens", total) as bar,
        table_writers([into.out], RUNS, [provenance]) as (of_runs,),
        table_writers([into.positions], POSITIONS, [provenance]) as (of_positions,),
    ):
        for first in range(0, prompts.prompts, size):
            doc = taken.doc[first : first + size]
            numbers = range(prompts.runs)
            uniform_drt = np.array(
                [draw_uniform_runs(prompts.seed, number, numbers, prompts.write) for number in doc]
            )
            method = constant(sampling_temperature)
            runs = Runs(
                chain, prompt_dt[first : first + size], torch.from_numpy(uniform_drt), method
            )
            found = gather(write_runs(runs, bar.update))
            found.runs["token"] = chain.token_v[found.runs["token"]]
            docs = [(number, True) for number in doc]
            of_runs.write_table(runs_table(docs, numbers, found, []))
            of_positions.write_table(positions_table(docs, found))


def _places(chain: Chain, taken: Beginnings, counted_on: str) -> np.ndarray:
    """(prompts, 1) places of the last tokens of prompts, which is all that a null sees of them."""
    last_d1 = taken.ids_dt[:, -1:]
    known_d = np.isin(last_d1[:, 0], chain.token_v)
    if not known_d.all():
        raise InputError(
            f"criticality.counted_on: document {taken.doc[int(np.argmin(known_d))]} has a token "
            f"in its prompt that {counted_on} lacks, so no null can go on from it; name a dataset "
            f"that has the documents of the prompts"
        )
    return chain.places(last_d1)


if __name__ == "__main__":
    run(write_null)
