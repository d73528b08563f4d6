"""The command that tells which loops a model would rather close."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.periods import description
from ..semstat.periods.rivals import recent_tokens, tokens_elsewhere
from ..semstat.periods.tables import PERIODS
from ..semstat.provenance import Identity, Provenance
from ..semstat.tables import (
    open_table,
    provenance_of,
    read_table,
    remedy,
    table_of_rows,
    write_table,
)
from ..semstat.tokens.tables import TOKENS
from ..tokens.shards import Cut

NEEDED = ["doc", "position", "last", "energy"]

SAME = ("tokens", "layer", "context", "stride", "dtype", "attention")
"""What the provenance of both must say alike, so that their states are the same."""


def describe_periods(
    *,
    own: list[Path],
    null: list[Path],
    tokens: list[Path],
    confidence: float = 0.95,
    out: Path,
) -> None:
    """Tell how often a model would rather close a loop, by layer and period, beside the null.

    Parameters
    ----------
    own : loop energies, a Parquet file a layer and shard.
    null : those with the history of another place, in the same order.
    tokens : tokens of the dataset, a Parquet file a shard.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    if len(own) != len(null):
        raise InputError(
            f"--own and --null: {len(own)} and {len(null)} files; give one of each for every layer "
            f"and shard, in the same order"
        )
    shards = {path.name: path for path in tokens}
    found: dict[int, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    for pair in zip(own, null, strict=True):
        tables = [read_table(path, ENERGIES, NEEDED) for path in pair]
        first, second = (provenance_of(table.schema) for table in tables)
        differ = [key for key in SAME if first[key] != second[key]]
        if differ or first["rivals_of"]["periods"] != second["rivals_of"]["periods"]:
            what = differ[0] if differ else "longest period"
            raise InputError(f"{pair[1]}: of another {what} than {pair[0]}; {remedy(pair[1])}")
        if pair[0].name not in shards:
            raise InputError(f"--tokens: there are none of {pair[0].name}; give each shard's")
        read = shards[pair[0].name]
        columns = [
            {name: table[name].to_numpy() for name in NEEDED} | {"history": _history(read, of)}
            for table, of in zip(tables, (first, second), strict=True)
        ]
        found[int(first["layer"])].append((columns[0], columns[1]))
    of = Identity.of(first)
    rows = []
    for layer, pairs in sorted(found.items()):
        mine, other = (_together([pair[side] for pair in pairs]) for side in (0, 1))
        periods = first["rivals_of"]["periods"]
        head = {"model": of.model, "dataset": of.dataset, "layer": layer}
        rows += [
            head | row for row in description.describe_periods(mine, other, periods, confidence)
        ]
    first.pop("layer")
    said: Provenance = first.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows(rows, PERIODS), said)


def _together(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Columns of all shards, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _history(tokens: Path, provenance: Provenance) -> NDArray[np.int64]:
    """The tokens that each state's rival was chosen from, made again."""
    rivals = provenance["rivals_of"]
    periods: int = rivals["periods"]
    cut = Cut(context=provenance["context"], stride=provenance["stride"])
    choose: Callable[..., NDArray[np.int64]] = partial(recent_tokens, longest_period=periods)
    if rivals["history"] == "elsewhere":
        choose = partial(tokens_elsewhere, longest_period=periods, seed=rivals["seed"])
    return choose([*cut.windows(open_table(tokens, TOKENS))])


if __name__ == "__main__":
    run(describe_periods)
