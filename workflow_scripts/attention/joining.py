"""Attention and energies of the same states, joined row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..semstat.attention.columns import ATTENTION, MEASURES
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, read_table, remedy

Columns = dict[str, NDArray[Any]]

OF_ENERGIES = ["doc", "position", "last", "correct", "log_p_correct", "energy", "entropy"]
OF_ENERGIES += ["top", "norm"]

SAME = ("model", "tokens", "layer", "context", "stride", "dtype", "attention")
"""What the provenance of both must say alike, so that their states are the same."""


def by_layer(
    energies: Sequence[Path], attention: Sequence[Path]
) -> dict[int, list[tuple[Path, Path]]]:
    """Files of the shards of each layer: energies, and attention.

    Raises
    ------
    InputError
        If there is not one of the other for each.
    """
    if len(energies) != len(attention):
        raise InputError(
            f"--energies and --attention: {len(energies)} and {len(attention)} files; give one of "
            f"each for every layer and shard, in the same order"
        )
    files = defaultdict(list)
    for pair in zip(energies, attention, strict=True):
        provenance = provenance_of(open_table(pair[0], ENERGIES).schema_arrow)
        files[int(provenance["layer"])].append(pair)
    return dict(sorted(files.items()))


def read_layer(pairs: Sequence[tuple[Path, Path]]) -> tuple[Columns, Provenance]:
    """Columns of all shards of one layer, `frequency` among them, and the attention's provenance.

    Raises
    ------
    InputError
        If the two tables are not of the same states in the same order.
    """
    shards = []
    for energies, attention in pairs:
        of_energies = read_table(energies, ENERGIES, OF_ENERGIES)
        of_attention = read_table(attention, ATTENTION)
        provenance = provenance_of(of_attention.schema)
        said = provenance_of(of_energies.schema)
        differ = [key for key in SAME if said[key] != provenance[key]]
        if not differ and not all(
            of_energies[name].equals(of_attention[name]) for name in ("doc", "position")
        ):
            differ = ["states"]
        if differ:
            raise InputError(
                f"{attention}: of another {differ[0]} than {energies}, so their states cannot be "
                f"joined; {remedy(attention)}"
            )
        shards.append(
            {name: of_energies[name].to_numpy() for name in OF_ENERGIES}
            | {name: of_attention[name].to_numpy(zero_copy_only=False) for name in MEASURES}
        )
    columns = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
    if np.any(np.diff(columns["doc"]) < 0):  # shards of the same documents, in more and more copies
        order_s = np.argsort(columns["doc"], kind="stable")
        columns = {name: column[order_s] for name, column in columns.items()}
    _, token_s, times = np.unique(columns["last"], return_inverse=True, return_counts=True)
    return columns | {"frequency": times[token_s]}, provenance
