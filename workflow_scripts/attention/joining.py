"""Attention and energies of the same states, joined row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..semstat.attention.columns import ATTENTION, MEASURES
from ..semstat.attention.places import copies_so_far
from ..semstat.attention.tables import OF_PHRASE, OF_TOKEN
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, read_table, remedy
from ..semstat.tokens.tables import TOKENS

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


def copies_by_shard(tokens: Sequence[Path]) -> dict[str, dict[int, dict[str, NDArray[np.int64]]]]:
    """What each document of each shard repeats, see `copies_so_far`, by the shard's file name."""
    found = {}
    for path in tokens:
        table = read_table(path, TOKENS)
        documents = zip(table["doc"].to_pylist(), table["tokens"], strict=True)
        found[path.name] = {
            doc: copies_so_far(tokens_t.values.to_numpy()[1:]) for doc, tokens_t in documents
        }
    return found


def read_layer(
    pairs: Sequence[tuple[Path, Path]],
    copies: Mapping[str, Mapping[int, Mapping[str, NDArray[np.int64]]]],
) -> tuple[Columns, Provenance]:
    """Columns of all shards of one layer, and the attention's provenance.

    Beside those of the two tables there are `frequency`, `surprisal`, and copies so far by kind.

    Parameters
    ----------
    pairs : energies and attention of each shard.
    copies : of `copies_by_shard`.

    Raises
    ------
    InputError
        If the two tables are not of the same states in the same order, or a shard's tokens are not
        given.
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
        shard = {name: of_energies[name].to_numpy() for name in OF_ENERGIES}
        shard |= {name: of_attention[name].to_numpy(zero_copy_only=False) for name in MEASURES}
        if energies.name not in copies:
            raise InputError(f"--tokens: there are none of {energies.name}; give each shard's")
        shards.append(shard | _copies(shard, copies[energies.name]))
    columns = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
    if np.any(np.diff(columns["doc"]) < 0):  # shards of the same documents, in more and more copies
        order_s = np.argsort(columns["doc"], kind="stable")
        columns = {name: column[order_s] for name, column in columns.items()}
    _, token_s, times = np.unique(columns["last"], return_inverse=True, return_counts=True)
    columns["surprisal"] = -columns["log_p_correct"].astype(np.float64)
    return columns | {"frequency": times[token_s]}, provenance


def _copies(
    shard: Columns, copies: Mapping[int, Mapping[str, NDArray[np.int64]]]
) -> dict[str, NDArray[np.int64]]:
    """(states,) copies so far by kind; the prefix token, which stands at 0, is in none."""
    found = {kind: np.zeros(len(shard["doc"]), dtype=np.int64) for kind in (OF_TOKEN, OF_PHRASE)}
    for doc in np.unique(shard["doc"]).tolist():
        of_doc_s = np.flatnonzero((shard["doc"] == doc) & (shard["position"] > 0))
        for kind, copies_s in found.items():
            copies_s[of_doc_s] = copies[doc][kind][shard["position"][of_doc_s] - 1]
    return found
