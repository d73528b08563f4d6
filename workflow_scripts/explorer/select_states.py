"""The command that selects the states of one ensemble which an explorer shows."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.energies.tables import ENERGIES as ENERGIES_SCHEMA
from ..semstat.errors import InputError, blamed_on
from ..semstat.explorer.selection import BASE64, Integers, Selection, select
from ..semstat.explorer.tables import CURVE_COLUMNS, LAYERS, POSITIONS, STATES
from ..semstat.provenance import Provenance
from ..semstat.tables import (
    open_table,
    provenance_of,
    read_table,
    remedy,
    table_of,
    table_of_rows,
    write_table,
)
from ..semstat.thermodynamics.tables import CURVES as CURVES_SCHEMA
from ..semstat.tokens.tables import TOKENS as TOKENS_SCHEMA

LISTED = ["energy", "last", "correct", "top", "log_p_last", "log_p_correct", "entropy"]

CURVE_POINT_BYTES = 4 * (1 + len(CURVE_COLUMNS)) + 1
"""Of a point of a curve in the page, before it is written as base64."""

SAME = ("model", "tokens", "layer", "context", "stride", "dtype", "attention", "readout")
"""What the provenance of a layer's energies and of its curve must say alike."""


class Tokens(NamedTuple):
    """The tokens of all documents of an ensemble, one document after the other.

    start : where each begins, by shard and document.
    start_d : (documents + 1,) the same, and where the last one ends.
    token_n : (tokens,) ids.
    provenance : of each shard.
    """

    start: dict[tuple[int, int], int]
    start_d: Integers
    token_n: NDArray[np.int32]
    provenance: dict[int, Provenance]


def select_states(
    *,
    energies: list[Path],
    tokens: list[Path],
    curves: list[Path],
    bytes: int,  # noqa: A002 -- the option's name
    tail: int,
    neighbours: int,
    seed: int = 0,
    layers_out: Path,
    positions_out: Path,
    states_out: Path,
) -> None:
    """Select the states of one model on one dataset that an explorer shows.

    Parameters
    ----------
    energies : energies, a Parquet file a layer and shard.
    tokens : tokens of each shard.
    curves : the curve of each layer.
    bytes : so many may take what is selected.
    tail : lowest and highest states of each layer that are all in, or fewer if they do not fit.
    neighbours : tokens shown on either side of these.
    seed : of the order in which whole documents are drawn.
    layers_out : Parquet file to make, a row a layer.
    positions_out : Parquet file to make, a row a token that is shown.
    states_out : Parquet file to make, a row a state that is listed.
    """
    read, files = _read_tokens(tokens), _by_layer(energies)
    at_s, energy_ls = _read_energies(files, read)
    rows = dict(_read_curve(path, files) for path in curves)
    if missing := files.keys() - rows.keys():
        raise InputError(f"--curves: there is none of layer {min(missing)}; give each layer's")
    shown = {layer: thinned(rows[layer], bytes / 4 / len(files)) for layer in files}
    room = bytes - sum(size_of(row) for row in shown.values())
    with blamed_on("explorer.megabytes", "raise it, or lower explorer.neighbours"):
        chosen = select(
            energy_ls, at_s, read.start_d, tail=tail, neighbours=neighbours, room=room, seed=seed
        )
    provenance = provenance_of(open_table(energies[0]).schema_arrow)
    provenance.pop("layer")
    provenance = provenance.then(
        "selected by",
        "numpy",
        "pyarrow",
        tail=chosen.tail,
        window=neighbours,
        seed=seed,
        documents=len(chosen.drawn_d),
        drawn=int(chosen.drawn_d.sum()),
    )
    layers = [
        {"layer": layer, "states": len(energy_s), "low": end.low, "high": end.high} | shown[layer]
        for layer, energy_s, end in zip(files, energy_ls, chosen.ends, strict=True)
    ]
    write_table(layers_out, table_of_rows(layers, LAYERS), provenance)
    write_table(positions_out, _positions(read, chosen, at_s, energy_ls), provenance)
    write_table(states_out, _states(files, read, chosen, at_s, energy_ls), provenance)


def _read_tokens(paths: list[Path]) -> Tokens:
    start, sizes, parts, provenance = {}, [0], [], {}
    for path in sorted(paths, key=_shard_of):
        table, shard = read_table(path, TOKENS_SCHEMA), _shard_of(path)
        provenance[shard] = provenance_of(table.schema)
        for doc, tokens_t in zip(table["doc"].to_pylist(), table["tokens"], strict=True):
            start[shard, doc] = sizes[-1]
            parts.append(tokens_t.values.to_numpy())
            sizes.append(sizes[-1] + len(parts[-1]))
    return Tokens(start, np.array(sizes), np.concatenate(parts), provenance)


def _by_layer(energies: list[Path]) -> dict[int, list[Path]]:
    """The shards of each layer, both ascending."""
    files = defaultdict(list)
    for path in sorted(energies, key=_shard_of):
        provenance = provenance_of(open_table(path, ENERGIES_SCHEMA).schema_arrow)
        files[int(provenance["layer"])].append(path)
    return dict(sorted(files.items()))


def _shard_of(path: Path) -> int:
    found = re.fullmatch(r"shard=(\d+)", path.stem)
    if not found:
        raise InputError(f"{path}: is no shard=N.parquet; give files as the workflow names them")
    return int(found[1])


def _read_energies(
    files: dict[int, list[Path]], read: Tokens
) -> tuple[Integers, list[NDArray[np.float32]]]:
    """(states,) where each stands among the tokens, the same at all layers; and H at each layer."""
    at_s: Integers | None = None
    energy_ls = []
    for paths in files.values():
        shards = [_read_shard(path, read) for path in paths]
        here_s = np.concatenate([at for at, _ in shards])
        energy_ls.append(np.concatenate([energy_s for _, energy_s in shards]))
        if at_s is not None and not np.array_equal(at_s, here_s):
            raise InputError(
                f"{paths[0]}: holds other states than other layers; {remedy(paths[0])}"
            )
        at_s = here_s
    if at_s is None:
        raise InputError("--energies: there are none; give a file for each layer and shard")
    return at_s, energy_ls


def _read_shard(path: Path, read: Tokens) -> tuple[Integers, NDArray[np.float32]]:
    shard = _shard_of(path)
    table = read_table(path, ENERGIES_SCHEMA, ["doc", "position", "correct", "energy"])
    provenance = provenance_of(table.schema)
    if shard not in read.provenance:
        raise InputError(f"--tokens: there are none of {path}; give each shard's")
    start_s = [read.start.get((shard, doc), -1) for doc in table["doc"].to_pylist()]
    at_s = np.array(start_s, dtype=np.int64) + table["position"].to_numpy()
    next_s = np.minimum(at_s + 1, len(read.token_n) - 1)
    same = provenance["tokens"] == read.provenance[shard] and -1 not in start_s
    if not same or not np.array_equal(read.token_n[next_s], table["correct"].to_numpy()):
        raise InputError(f"{path}: is of other tokens than those that are there; {remedy(path)}")
    return at_s, table["energy"].to_numpy()


def _read_curve(path: Path, files: dict[int, list[Path]]) -> tuple[int, dict[str, Any]]:
    """The layer of a curve, and what `LAYERS` holds of it."""
    table = read_table(path, CURVES_SCHEMA)
    provenance = provenance_of(table.schema)
    layer = int(provenance["layer"])
    if layer not in files:
        raise InputError(
            f"{path}: no energies are given of layer {layer}; give them, or leave it out"
        )
    source = provenance_of(open_table(files[layer][-1]).schema_arrow)
    differ = [key for key in SAME if source.get(key) != provenance.get(key)]
    if differ or provenance.get("shards") != len(files[layer]):
        what = differ[0] if differ else "number of shards"
        raise InputError(f"{path}: is of another {what} than the energies; {remedy(path)}")
    lists = {name: table[name].to_pylist() for name in ("energy", *CURVE_COLUMNS, "extrapolated")}
    return layer, lists


def size_of(curve: dict[str, list[Any]]) -> float:
    """Bytes that a curve takes in the page."""
    return CURVE_POINT_BYTES * BASE64 * len(curve["energy"])


def thinned(curve: dict[str, list[Any]], room: float) -> dict[str, list[Any]]:
    """A curve at fewer points of its grid, so that it fits; its first and last one stay."""
    points = len(curve["energy"])
    fitting = max(2, min(points, int(room / size_of(curve) * points)))
    kept = np.unique(np.linspace(0, points - 1, fitting).round().astype(int)).tolist()
    return {name: [column[at] for at in kept] for name, column in curve.items()}


def _positions(
    read: Tokens, chosen: Selection, at_s: Integers, energy_ls: list[NDArray[np.float32]]
) -> pa.Table:
    n = np.flatnonzero(chosen.shown_n)
    doc_n = np.searchsorted(read.start_d, n, side="right") - 1
    named_d = np.array(list(read.start), dtype=np.int32).reshape(-1, 2)
    row_n = np.full(len(read.token_n), -1)
    row_n[n] = np.arange(len(n))
    energy_nl = np.full((len(n), len(energy_ls)), np.nan, dtype=np.float32)
    shown_s = chosen.shown_n[at_s]
    for at, energy_s in enumerate(energy_ls):
        energy_nl[row_n[at_s[shown_s]], at] = energy_s[shown_s]
    named = {
        "shard": named_d[doc_n, 0],
        "doc": named_d[doc_n, 1],
        "position": (n - read.start_d[doc_n]).astype(np.int32),
        "token": read.token_n[n],
        "drawn": chosen.drawn_d[doc_n],
        "energies": _rows_of(energy_nl),
    }
    return table_of(named, POSITIONS)


def _rows_of(energy_nl: NDArray[np.float32]) -> pa.Array:
    """A list a row, with null for NaN."""
    flat = pa.array(energy_nl.ravel(), pa.float32(), from_pandas=True)
    offsets = np.arange(len(energy_nl) + 1, dtype=np.int32) * energy_nl.shape[1]
    return pa.ListArray.from_arrays(offsets, flat)


def _states(
    files: dict[int, list[Path]],
    read: Tokens,
    chosen: Selection,
    at_s: Integers,
    energy_ls: list[NDArray[np.float32]],
) -> pa.Table:
    row_n = np.cumsum(chosen.shown_n) - 1
    doc_s = np.searchsorted(read.start_d, at_s, side="right") - 1
    parts = []
    for (layer, paths), energy_s, end in zip(files.items(), energy_ls, chosen.ends, strict=True):
        listed = np.flatnonzero(chosen.drawn_d[doc_s] | end.hold(energy_s))
        listed = listed[np.lexsort((at_s[listed], energy_s[listed]))]
        table = pa.concat_tables([read_table(path, ENERGIES_SCHEMA, LISTED) for path in paths])
        named = {name: table[name].to_numpy()[listed] for name in LISTED}
        named["layer"] = np.full(len(listed), layer, dtype=np.int32)
        named["at"] = row_n[at_s[listed]].astype(np.int32)
        parts.append(table_of(named, STATES))
    return pa.concat_tables(parts)


if __name__ == "__main__":
    run(select_states)
