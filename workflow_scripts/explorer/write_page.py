"""The command that writes the explorer's page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.explorer.page import make_page, packed
from ..semstat.explorer.tables import CURVE_COLUMNS, LAYERS, POSITIONS, SCORES, STATES
from ..semstat.provenance import Identity, Provenance, digest
from ..semstat.tables import completed, provenance_of, read_table, remedy
from ..tokens.tokenizers import tokenizer_of
from .pieces import Pieces

PLACE = ("shard", "doc", "position")

Places = NDArray[np.int64]


class Ensemble(NamedTuple):
    """What is shown of one model on one dataset.

    place_n : (tokens, 3) shard, document and position of each token shown, ascending.
    tokenizer : digest of the tokenizer's file.
    """

    identity: Identity
    provenance: Provenance
    snapshot: Path
    tokenizer: str
    layers: pa.Table
    positions: pa.Table
    states: pa.Table
    place_n: Places


def write_page(
    *,
    layers: list[Path],
    positions: list[Path],
    states: list[Path],
    models: list[Path],
    page: list[Path],
    megabytes: int,
    out: Path,
) -> None:
    """Write one HTML file that shows states of all models on all datasets, and opens by itself.

    Parameters
    ----------
    layers : layers of each model on each dataset.
    positions : tokens that are shown of each, in the same order.
    states : states that are listed of each, in the same order.
    models : snapshot of each one's model, in the same order.
    page : what the page is made of: an HTML file, a CSS file, and scripts in their order.
    megabytes : so large may it be.
    out : HTML file to make.
    """
    ensembles = [_read(*paths) for paths in zip(layers, positions, states, models, strict=True)]
    groups: list[list[Ensemble]] = []
    for ensemble in ensembles:
        same = next((group for group in groups if _of_one_text(group[0], ensemble)), None)
        if same:
            same.append(ensemble)
        else:
            groups.append([ensemble])
    parts = {kind: [path for path in page if path.suffix == kind] for kind in (".html", ".css")}
    (template,), (style,) = parts.values()
    scripts = [path.read_text(encoding="utf-8") for path in page if path.suffix == ".js"]
    script = "(function () {\n'use strict';\n" + "\n".join(scripts) + "\n}());\n"
    data = {"groups": [_group(group) for group in groups]}
    text = make_page(
        template.read_text(encoding="utf-8"), style.read_text(encoding="utf-8"), script, data
    ).encode("utf-8")
    if len(text) > megabytes * 10**6:
        raise InputError(
            f"explorer.megabytes: the page takes {len(text) / 1e6:.1f} MB, beyond {megabytes}; "
            f"raise it to {-(-len(text) // 10**6)}"
        )
    with completed(out) as (temporary,):
        temporary.write_bytes(text)


def _read(layers: Path, positions: Path, states: Path, snapshot: Path) -> Ensemble:
    of_layers = read_table(layers, LAYERS)
    shown, listed = read_table(positions, POSITIONS), read_table(states, STATES)
    provenance = provenance_of(of_layers.schema)
    for path, table in ((positions, shown), (states, listed)):
        if provenance_of(table.schema) != provenance:
            raise InputError(f"{path}: was not selected with {layers}; {remedy(path)}")
    place_n = np.stack([shown[name].to_numpy() for name in PLACE], axis=1).astype(np.int64)
    tokenizer = digest(snapshot / "tokenizer.json")
    identity = Identity.of(provenance)
    return Ensemble(identity, provenance, snapshot, tokenizer, of_layers, shown, listed, place_n)


def _of_one_text(one: Ensemble, other: Ensemble) -> bool:
    """Whether two models have read the same tokens, so that their states can stand side by side."""
    same = (one.identity.dataset, one.tokenizer, one.provenance["tokens"])
    if same != (other.identity.dataset, other.tokenizer, other.provenance["tokens"]):
        return False
    both = [np.column_stack([each.place_n, each.positions["token"]]) for each in (one, other)]
    token_n = np.unique(np.concatenate(both), axis=0)
    return len(np.unique(token_n[:, :3], axis=0)) == len(token_n)


def _group(group: list[Ensemble]) -> dict[str, Any]:
    """A text, and all models on it."""
    place_n = np.unique(np.concatenate([one.place_n for one in group]), axis=0)
    token_n = np.empty(len(place_n), dtype=np.int64)
    whole_n, replaced_n = np.zeros((2, len(place_n)), dtype=bool)
    rows = [_rows_in(place_n, one.place_n) for one in group]
    for one, row_n in zip(group, rows, strict=True):
        token_n[row_n] = one.positions["token"].to_numpy()
        whole_n[row_n] |= one.positions["whole"].to_numpy()
        replaced_n[row_n] |= one.positions["replaced"].to_numpy()
    pieces = Pieces(tokenizer_of(group[0].snapshot))
    wanted = [one.states[name].to_numpy() for one in group for name in ("last", "correct", "top")]
    ids = np.unique(np.concatenate([token_n, *wanted]))
    labels = [pieces.label(int(token)) for token in ids]
    said = _said_in_rows(place_n, token_n, pieces)
    differ = {
        str(n): text
        for n, (text, at) in enumerate(zip(said, np.searchsorted(ids, token_n), strict=True))
        if text != labels[at]
    }
    first = np.any(np.diff(place_n[:, :2], axis=0, prepend=-1) != 0, axis=1)
    start_d = np.flatnonzero(first)
    return {
        "dataset": group[0].identity.dataset,
        "labels": labels,
        "documents": {
            "shard": place_n[start_d, 0].tolist(),
            "doc": place_n[start_d, 1].tolist(),
            "start": [*start_d.tolist(), len(place_n)],
            "whole": whole_n[start_d].astype(int).tolist(),
        },
        "position": packed(place_n[:, 2], "u4"),
        "token": packed(np.searchsorted(ids, token_n), "u4"),
        "replaced": packed(replaced_n, "u1") if replaced_n.any() else None,
        "pieces": differ,
        "models": [
            _model(one, ids, row_n)
            | {"rows": None if len(row_n) == len(place_n) else packed(row_n, "u4")}
            for one, row_n in zip(group, rows, strict=True)
        ],
    }


def _rows_in(place_n: Places, of_n: Places) -> NDArray[np.int64]:
    """Where each of some places stands among all of them, which are ascending."""
    together = np.concatenate([place_n, of_n])
    _, named = np.unique(together, axis=0, return_inverse=True)
    rows: NDArray[np.int64] = named.reshape(-1)[len(place_n) :]
    return rows


def _said_in_rows(place_n: Places, token_n: Places, pieces: Pieces) -> Iterable[str]:
    """What each token says, by runs of those that follow each other."""
    follows = np.all(np.diff(place_n, axis=0) == [0, 0, 1], axis=1)
    for run_n in np.split(token_n, np.flatnonzero(~follows) + 1):
        yield from pieces.row(run_n.tolist())


def _model(one: Ensemble, ids: Places, row_n: Places) -> dict[str, Any]:
    """A model on a text: its layers, on the tokens that are shown of it."""
    energies = one.positions["energies"].combine_chunks().flatten()
    energy_nl = energies.to_numpy(zero_copy_only=False).reshape(len(row_n), -1)
    layer_s = one.states["layer"].to_numpy()
    layers = []
    for at, row in enumerate(one.layers.to_pylist()):
        begin, end = np.searchsorted(layer_s, [row["layer"], row["layer"] + 1])
        listed = one.states.slice(begin, end - begin)
        columns = {name: listed[name].to_numpy() for name in STATES.names}
        told = [name for name in ("log_p_top", *SCORES) if listed[name].null_count < len(listed)]
        layers.append(
            {
                **{name: row[name] for name in ("layer", "states", "low", "high")},
                "listed": len(listed),
                "curve": {
                    name: packed(np.array(row[name], dtype=np.float64), "f4")
                    for name in ("energy", *CURVE_COLUMNS)
                },
                "extrapolated": packed(row["extrapolated"], "u1"),
                "field": packed(energy_nl[:, at], "f2"),
                "at": packed(row_n[columns["at"]], "u4"),
                "energy": packed(columns["energy"], "f4"),
                "entropy": packed(columns["entropy"], "f2"),
                **{
                    name: packed(np.searchsorted(ids, columns[name]), "u4")
                    for name in ("last", "correct", "top")
                },
                **{name: packed(columns[name], "f4") for name in ("log_p_last", "log_p_correct")},
                **{name: packed(columns[name], "f4") for name in told},
            }
        )
    said = one.provenance
    made = {key: said.get(key) for key in ("readout", "dtype", "context", "stride", "attention")}
    made |= {"source": said["model"].get("source"), "commit": said["selected by"]["commit"]}
    facts = {key: said[key] for key in ("tail", "window", "seed", "documents", "drawn", "whole")}
    return {"name": one.identity.model, "made": made, "rule": facts, "layers": layers}


if __name__ == "__main__":
    run(write_page)
