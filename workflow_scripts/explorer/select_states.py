"""The command that selects the states of one ensemble which an explorer shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..running.command import progress, run
from ..semstat.errors import InputError, blamed_on
from ..semstat.explorer.selection import (
    BASE64,
    STATE_BYTES,
    Ends,
    Mask,
    Selection,
    Tails,
    select,
)
from ..semstat.explorer.tables import CURVE_COLUMNS, LAYERS, POSITIONS, SCORES, STATES
from ..semstat.mechanics.kinetic import log_half_square
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
from .reading import Columns, Tokens, by_layer, pieces_of, read_tokens

LISTED = ["energy", "last", "correct", "top", "log_p_last", "log_p_correct", "log_p_top", "entropy"]

SPEEDS = {"kinetic": "speed", "normed_kinetic": "normed_speed"}
"""Columns of the energies that ln K is made of."""

SCORE_BYTES = 4 * len(SCORES)
"""Of a state's scores in the page, before they are written as base64."""

CURVE_POINT_BYTES = 4 * (1 + len(CURVE_COLUMNS)) + 1
"""Of a point of a curve in the page, before it is written as base64."""

SAME = ("model", "tokens", "layer", "context", "stride", "dtype", "attention", "readout")
"""What the provenance of a layer's energies and of its curve must say alike."""

Files = Mapping[int, Sequence[Path]]


def select_states(
    *,
    energies: list[Path],
    tokens: list[Path],
    curves: list[Path],
    loops: tuple[Path, ...] = (),
    bytes: int,  # noqa: A002 -- the option's name
    tail: int,
    neighbours: int,
    seed: int = 0,
    layers_out: Path,
    positions_out: Path,
    states_out: Path,
) -> None:
    """Select the states of one model on one dataset that an explorer shows.

    Energies are read twice, piece by piece: what is held of them is what is shown, and the ends.

    Parameters
    ----------
    energies : energies, a Parquet file a layer and shard.
    tokens : tokens of each shard.
    curves : the curve of each layer.
    loops : loop energies of the same states, where scores of anomalies are shown.
    bytes : so many may take what is selected.
    tail : lowest and highest states of each layer that are all in, or fewer if they do not fit.
    neighbours : tokens shown on either side of these.
    seed : of the order in which whole documents are drawn.
    layers_out : Parquet file to make, a row a layer.
    positions_out : Parquet file to make, a row a token that is shown.
    states_out : Parquet file to make, a row a state that is listed.
    """
    read, files = read_tokens(tokens), by_layer(energies)
    scored = by_layer(loops)
    if not files:
        raise InputError("--energies: there are none; give a file for each layer and shard")
    if loops and {k: len(v) for k, v in scored.items()} != {k: len(v) for k, v in files.items()}:
        raise InputError(
            "--loops: are not of the layers and shards of --energies; give one of each"
        )
    tails = {layer: Tails(tail) for layer in files}
    with progress(states_out.stem, "layers", 2 * len(files)) as bar:
        state_n = np.zeros(len(read.token_n), dtype=bool)
        for layer, paths in files.items():
            _find_tails(paths, read, tails[layer], state_n, first=layer == min(files))
            bar.update()
        rows = dict(_read_curve(path, files) for path in curves)
        if missing := files.keys() - rows.keys():
            raise InputError(f"--curves: there is none of layer {min(missing)}; give each layer's")
        shown = {layer: thinned(rows[layer], bytes / 4 / len(files)) for layer in files}
        room = bytes - sum(size_of(row) for row in shown.values())
        with blamed_on("explorer.megabytes", "raise it, or lower explorer.neighbours"):
            chosen = select(
                list(tails.values()),
                read.start_d,
                tail=tail,
                neighbours=neighbours,
                room=room,
                seed=seed,
                state_bytes=STATE_BYTES + (SCORE_BYTES if loops else 0),
            )
        row_n = np.cumsum(chosen.shown_n, dtype=np.int32) - 1
        energy_nl = np.full((chosen.shown_n.sum(), len(files)), np.nan, dtype=np.float32)
        states = []
        for at, (layer, paths) in enumerate(files.items()):
            whose = (paths, scored.get(layer, ()), read, chosen, chosen.ends[at])
            listed = _states(*whose, row_n, energy_nl[:, at])
            layer_s = np.full(len(listed["at"]), layer, dtype=np.int32)
            states.append(table_of(listed | {"layer": layer_s}, STATES))
            bar.update()
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
        whole=int(chosen.whole_d.sum()),
    )
    layers = [
        {"layer": layer, "states": tails[layer].states, "low": end.low, "high": end.high}
        | shown[layer]
        for layer, end in zip(files, chosen.ends, strict=True)
    ]
    write_table(layers_out, table_of_rows(layers, LAYERS), provenance)
    write_table(positions_out, _positions(read, chosen, energy_nl), provenance)
    write_table(states_out, pa.concat_tables(states), provenance)


def _find_tails(
    paths: Sequence[Path], read: Tokens, tails: Tails, state_n: Mask, first: bool
) -> None:
    """Find the ends of a layer, and that its states are those of the layer before.

    Parameters
    ----------
    state_n : (tokens,) whether a state ends in each; filled in by the first layer.
    """
    done = 0
    for at_s, columns in pieces_of(paths, read, ["energy"]):
        if first:
            state_n[at_s] = True
        here_s = done + np.flatnonzero(state_n[done : at_s[-1] + 1])
        if not np.array_equal(here_s, at_s):
            break
        done = int(at_s[-1]) + 1
        tails.add(columns["energy"], at_s)
    if tails.states != state_n.sum():
        raise InputError(f"{paths[0]}: holds other states than other layers; {remedy(paths[0])}")


def _read_curve(path: Path, files: Files) -> tuple[int, dict[str, Any]]:
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


def _positions(read: Tokens, chosen: Selection, energy_nl: NDArray[np.float32]) -> pa.Table:
    n = np.flatnonzero(chosen.shown_n)
    doc_n = np.searchsorted(read.start_d, n, side="right") - 1
    named = {
        "shard": read.shard_d[doc_n],
        "doc": read.doc_d[doc_n],
        "position": (n - read.start_d[doc_n]).astype(np.int32),
        "token": read.token_n[n],
        "drawn": chosen.drawn_d[doc_n],
        "whole": chosen.whole_d[doc_n],
        "replaced": read.replaced()[n],
        "energies": _rows_of(energy_nl),
    }
    return table_of(named, POSITIONS)


def _rows_of(energy_nl: NDArray[np.float32]) -> pa.Array:
    """A list a row, with null for NaN."""
    flat = pa.array(energy_nl.ravel(), pa.float32(), from_pandas=True)
    offsets = np.arange(len(energy_nl) + 1, dtype=np.int32) * energy_nl.shape[1]
    return pa.ListArray.from_arrays(offsets, flat)


def _states(
    paths: Sequence[Path],
    loops: Sequence[Path],
    read: Tokens,
    chosen: Selection,
    end: Ends,
    row_n: NDArray[np.int32],
    energy_n: NDArray[np.float32],
) -> dict[str, NDArray[Any]]:
    """The states of a layer that are listed: columns of `STATES` but for the layer.

    Parameters
    ----------
    row_n : (tokens,) row of each token that is shown.
    energy_n : (tokens shown,) to be filled: H of the state that ends in each.
    """
    parts = []
    for at_s, columns in pieces_of(paths, read, [*LISTED, *SPEEDS.values()], loops):
        shown_s = chosen.shown_n[at_s]
        energy_n[row_n[at_s[shown_s]]] = columns["energy"][shown_s]
        doc_s = np.searchsorted(read.start_d, at_s, side="right") - 1
        listed_s = chosen.drawn_d[doc_s] | end.hold(columns["energy"])
        scores = _scores(columns) if loops else {}
        part = {name: columns[name] for name in LISTED} | scores | {"at": row_n[at_s]}
        parts.append({name: column_s[listed_s] for name, column_s in part.items()})
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order_s = np.lexsort((found["at"], found["energy"]))
    none = np.full(len(order_s), np.nan)
    return dict.fromkeys(SCORES, none) | {name: part[order_s] for name, part in found.items()}


def _scores(columns: Columns) -> Columns:
    """What anomalies are told by besides p(correct) and H; NaN where a state does not move."""
    with np.errstate(divide="ignore"):
        found = {
            name: log_half_square(columns[speed].astype(np.float64) ** 2)
            for name, speed in SPEEDS.items()
        }
    finite = {name: np.where(np.isfinite(of_s), of_s, np.nan) for name, of_s in found.items()}
    return finite | {"loop_energy": columns["loop_energy"]}


if __name__ == "__main__":
    run(select_states)
