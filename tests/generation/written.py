"""Made-up tables of runs, as commands that let a model write make them."""

import numpy as np

from workflow_scripts.semstat.generation.columns import POSITIONS, RUNS
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import table_of, table_of_rows, write_table

SIZES = [30, 15, 10, 5]


def positions_table(marginal_dt, held_out_d, docs=None, **given):
    """A table POSITIONS of (prompts, positions) marginal entropies; the rest constant, or given."""
    marginal_dt = np.asarray(marginal_dt, dtype=np.float64)
    prompts, positions = marginal_dt.shape
    docs = range(prompts) if docs is None else docs
    step = np.array([0.0, 0.2, 0.3, 0.5])
    named = {
        "doc": np.repeat(list(docs), positions),
        "held_out": np.repeat(held_out_d, positions),
        "position": np.tile(np.arange(1, positions + 1), prompts),
        "runs": np.full(marginal_dt.size, SIZES[0]),
        "marginal": marginal_dt.ravel(),
        "subsets": list((marginal_dt[..., None] - step).reshape(-1, len(SIZES))),
    }
    rest = {"sampling_temperature": 1.0, "conditional": marginal_dt - 2, "error": 0.3}
    rest |= {"cross": marginal_dt + 1, "logit_variance": 4.0, "surprisal": 3.0, "energy": 0.2}
    for name, value in (rest | given).items():
        named[name] = np.broadcast_to(value, marginal_dt.shape).ravel()
    return table_of(named, POSITIONS)


def runs_table(token_drt, held_out_d, docs=None, ended=False, **given):
    """A table RUNS of (prompts, runs, positions) token ids, or lists of lists of lists."""
    rows = []
    docs = range(len(token_drt)) if docs is None else docs
    for doc, held_out, token_rt in zip(docs, held_out_d, token_drt, strict=True):
        for run, token_t in enumerate(token_rt, start=30):
            row = {"doc": doc, "run": run, "held_out": held_out, "ended": ended}
            rest = {"sampling_temperature": 1.0, "entropy": 2.0, "logit_variance": 4.0}
            rest |= {"surprisal": 3.0, "energy": 0.2} | given
            row |= {
                name: np.broadcast_to(value, len(token_t)).astype(np.float32)
                for name, value in rest.items()
            }
            rows.append(row | {"tokens": np.asarray(token_t, dtype=np.int32)})
    return table_of_rows(rows, RUNS)


def provenance(method, **facts):
    """What a file of runs says of itself."""
    return Provenance(
        model={"model": "m", "source": {"sha256": "0"}},
        tokens={"dataset": "d"},
        writing={"runs": 30, "prompts": 4, "found_on": 2},
        sizes=SIZES,
        method={"method": method} | facts,
    )


def found_schedule(**facts):
    """The provenance of a schedule."""
    return {
        "model": {"model": "m", "source": {"sha256": "0"}},
        "tokens": {"dataset": "d"},
        "schedule": "stepwise",
        "documents": [0, 1],
        "target": 5.0,
        "fit_to": 60,
        "spent_tokens": 3600,
        "spent_seconds": 12.5,
    } | facts


def write_files(folder, name, positions, runs, facts):
    """Write the two files of a condition; returns their paths, runs first."""
    paths = [folder / f"{name}.{kind}.parquet" for kind in ("runs", "positions")]
    for path, table in zip(paths, (runs, positions), strict=True):
        write_table(path, table, facts)
    return paths
