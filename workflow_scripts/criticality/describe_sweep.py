"""The command that describes a sweep of the sampling temperature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..running.command import progress, run
from ..semstat.criticality.description import describe_crossovers, describe_observables, sweep
from ..semstat.criticality.observables import NUMBERS, Written, observe
from ..semstat.criticality.tables import CROSSOVERS, OBSERVABLES
from ..semstat.errors import InputError
from ..semstat.generation.columns import POSITIONS, RUNS
from ..semstat.generation.loops import FEWEST_TOKENS
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table

SAME = ("model", "null", "tokens", "writing")
"""What the provenance of all files of a sweep must say alike."""


def describe_sweep(
    *,
    runs: list[Path],
    positions: list[Path],
    model: str,
    by: str,
    lengths: list[int],
    resamples: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
    out: Path,
    crossovers: Path,
) -> None:
    """Describe a sweep of the sampling temperature: observables by length, and where they change.

    Parameters
    ----------
    runs : Parquet files of texts, one a sampling temperature.
    positions : Parquet files of their entropies by position, in the same order.
    model : name of the model whose sweep it is.
    by : who wrote: `model`, or a null.
    lengths : tokens, of the beginnings of texts that are described.
    resamples : draws of prompts for the intervals.
    confidence : coverage of intervals.
    seed : seed of these draws.
    out : Parquet file of observables to make.
    crossovers : Parquet file of where they change to make.
    """
    provenance, temperatures, observed = _read(runs, positions, sorted(set(lengths)))
    order = np.argsort(temperatures)
    writing = provenance["writing"]
    found = sweep(
        [observed[o] for o in order],
        np.array(temperatures)[order],
        writing["prompts"] * writing["runs"],
        resamples,
        np.random.default_rng(seed),
    )
    head = {"model": model, "dataset": provenance["tokens"]["dataset"], "by": by}
    said = Provenance(
        {key: provenance.get(key) for key in SAME}, sampling_temperatures=sorted(temperatures)
    ).then("described by", "numpy", "scipy", confidence=confidence, resamples=resamples, seed=seed)
    for path, rows, schema in (
        (out, describe_observables(found, confidence), OBSERVABLES),
        (crossovers, describe_crossovers(found, confidence), CROSSOVERS),
    ):
        write_table(path, table_of_rows([head | row for row in rows], schema), said)


def _read(
    runs: list[Path], positions: list[Path], lengths: list[int]
) -> tuple[Provenance, list[float], list[Any]]:
    """Provenance, and by file the sampling temperature and what its texts are like."""
    first: Provenance | None = None
    temperatures, observed = [], []
    with progress("sweep", "sampling temperatures", len(runs)) as bar:
        for path, other in zip(runs, positions, strict=True):
            table, position_table = read_table(path, RUNS), read_table(other, POSITIONS)
            provenance = provenance_of(table.schema)
            first = first or provenance
            for key in SAME:
                if provenance.get(key) != first.get(key):
                    raise InputError(
                        f"{path}: not of the sweep of {runs[0]}, which differs in `{key}`; give "
                        f"the files of one sweep"
                    )
            if provenance != provenance_of(position_table.schema):
                raise InputError(f"{other}: not the entropies of {path}; give both in one order")
            temperature = float(provenance["method"]["sampling_temperature"])
            if temperature in temperatures:
                raise InputError(
                    f"{path}: sampling temperature {temperature:g} once more; give one file of each"
                )
            temperatures.append(temperature)
            written = _written(path, table, position_table, temperature)
            _check_lengths(path, lengths, written.token_drt.shape[2])
            observed.append(observe(written, lengths))
            bar.update(1)
    assert first is not None  # noqa: S101
    return first, temperatures, observed


def _check_lengths(path: Path, lengths: list[int], written: int) -> None:
    """Refuse lengths, ascending, that texts do not have, or that no loop fits in."""
    if not FEWEST_TOKENS <= lengths[0] <= lengths[-1] <= written:
        asked = ", ".join(map(str, lengths))
        raise InputError(
            f"{path}: has texts of {written} tokens, and lengths of {asked} are asked for; give "
            f"lengths from {FEWEST_TOKENS}, which a loop takes, to {written}"
        )


def _written(path: Path, runs: pa.Table, positions: pa.Table, temperature: float) -> Written:
    doc_d, runs_d = np.unique(runs["doc"].to_numpy(), return_counts=True)
    shortest, length = np.sort(pc.list_value_length(runs["tokens"]).to_numpy())[[0, -1]].tolist()
    unequal = len(set(runs_d.tolist())) > 1 or shortest < length
    if unequal or positions.num_rows != len(doc_d) * length:
        raise InputError(f"{path}: texts of unequal number or length; write them anew")

    def placed(name: str) -> NDArray[Any]:
        flat: NDArray[Any] = runs[name].combine_chunks().flatten().to_numpy()
        return flat.reshape(len(doc_d), -1, length)

    number = {name: placed(name).astype(np.float64) for name in NUMBERS}
    marginal_dt = positions["marginal"].to_numpy().reshape(len(doc_d), length)
    return Written(placed("tokens").astype(np.int64), number, marginal_dt, temperature)


if __name__ == "__main__":
    run(describe_sweep)
