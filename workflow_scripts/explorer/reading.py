"""Energies and tokens of one ensemble, piece by piece: what is held does not grow with layers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..periods.joining import STATE, check_same
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError, blamed_on
from ..semstat.explorer.selection import Integers, Mask
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, read_table, remedy, with_later
from ..semstat.tokens.replaced import places
from ..semstat.tokens.tables import TOKENS

PIECE = 1 << 16
"""States that are held of a file at a time."""

Columns = dict[str, NDArray[Any]]


class Tokens(NamedTuple):
    """The tokens of all documents of an ensemble, one document after the other.

    shard_d, doc_d : (documents,) of each, ascending.
    start_d : (documents + 1,) where each begins, and where the last one ends.
    token_n : (tokens,) ids.
    provenance : of each shard.
    """

    shard_d: NDArray[np.int32]
    doc_d: NDArray[np.int32]
    start_d: Integers
    token_n: NDArray[np.int32]
    provenance: dict[int, Provenance]

    def place(
        self, shard: int, doc_s: NDArray[np.int32], position_s: NDArray[np.int32]
    ) -> Integers:
        """(states,) where tokens of a shard stand among all, or −1 if it has no such document."""
        first, end = np.searchsorted(self.shard_d, [shard, shard + 1])
        at_s = np.searchsorted(self.doc_d[first:end], doc_s)
        known_s = at_s < end - first
        at_s = first + np.where(known_s, at_s, 0)
        known_s &= self.doc_d[at_s] == doc_s
        return np.where(known_s, self.start_d[at_s] + position_s, -1)

    def replaced(self) -> Mask:
        """(tokens,) those in the place of the text's own, as ensemble `replaced` has them."""
        replaced_n = np.zeros(len(self.token_n), dtype=bool)
        for shard, doc, start, end in zip(
            self.shard_d, self.doc_d, self.start_d, self.start_d[1:], strict=False
        ):
            made = self.provenance[int(shard)]
            if made.get("ensemble") != "replaced":
                continue
            rng, length = np.random.default_rng([made["seed"], doc]), made["length"]
            begin_s = places(end - start, made["spans"], length, made["prefix_tokens"], rng)
            replaced_n[start + (begin_s[:, None] + np.arange(length)).ravel()] = True
        return replaced_n


def read_tokens(paths: Sequence[Path]) -> Tokens:
    """The tokens of all shards."""
    parts, provenance = [], {}
    for path in sorted(paths, key=shard_of):
        table, shard = read_table(path, TOKENS), shard_of(path)
        provenance[shard] = provenance_of(table.schema)
        tokens = table["tokens"].combine_chunks()
        sizes_d = tokens.value_lengths().to_numpy()
        parts.append((np.full(len(sizes_d), shard), table["doc"].to_numpy(), sizes_d, tokens))
    shard_d, doc_d, sizes_d = (np.concatenate(part) for part in list(zip(*parts, strict=True))[:3])
    token_n = np.concatenate([tokens.flatten().to_numpy() for *_, tokens in parts])
    start_d = np.concatenate([[0], np.cumsum(sizes_d, dtype=np.int64)])
    return Tokens(shard_d.astype(np.int32), doc_d, start_d, token_n, provenance)


def by_layer(energies: Sequence[Path]) -> dict[int, list[Path]]:
    """The shards of each layer, both ascending."""
    files = defaultdict(list)
    for path in sorted(energies, key=shard_of):
        provenance = provenance_of(open_table(path, ENERGIES).schema_arrow)
        files[int(provenance["layer"])].append(path)
    return dict(sorted(files.items()))


def shard_of(path: Path) -> int:
    found = re.fullmatch(r"shard=(\d+)", path.stem)
    if not found:
        raise InputError(f"{path}: is no shard=N.parquet; give files as the workflow names them")
    return int(found[1])


def pieces_of(
    paths: Sequence[Path], tokens: Tokens, names: Sequence[str], loops: Sequence[Path] = ()
) -> Iterator[tuple[Integers, Columns]]:
    """The states of one layer, piece by piece.

    Parameters
    ----------
    paths : of its shards.
    names : columns that are wanted.
    loops : loop energies of the same states, a file for each, whose H is `loop_energy`.

    Yields
    ------
    (states,) where their last tokens stand, and their columns by name.

    Raises
    ------
    InputError
        If they are of other tokens, or other states.
    """
    wanted = [*dict.fromkeys([*STATE, *names])]
    others: Sequence[Path | None] = loops or [None] * len(paths)
    for path, other in zip(paths, others, strict=True):
        shard, said = shard_of(path), provenance_of(open_table(path).schema_arrow)
        if shard not in tokens.provenance:
            raise InputError(f"--tokens: there are none of {path}; give each shard's")
        same = said["tokens"] == tokens.provenance[shard]
        beside = _pieces(other, [*STATE, "energy"]) if other else None
        about = provenance_of(open_table(other).schema_arrow) if other else None
        for columns in _pieces(path, wanted):
            at_s = tokens.place(shard, columns["doc"], columns["position"])
            next_s = np.minimum(at_s + 1, len(tokens.token_n) - 1)
            known = same and -1 not in at_s
            if not known or not np.array_equal(tokens.token_n[next_s], columns["correct"]):
                raise InputError(
                    f"{path}: is of other tokens than those that are there; {remedy(path)}"
                )
            if other and beside and about:
                of_loops = next(beside, {name: np.empty(0) for name in (*STATE, "energy")})
                check_same(path, said, columns, other, about, of_loops)
                columns["loop_energy"] = of_loops["energy"]
            yield at_s, columns


def _pieces(path: Path, names: Sequence[str]) -> Iterator[Columns]:
    file = open_table(path, ENERGIES)
    with blamed_on(str(path), remedy(path), pa.ArrowInvalid, OSError):
        for batch in file.iter_batches(batch_size=PIECE, columns=names):
            table = with_later(pa.Table.from_batches([batch]), ENERGIES, names)
            yield {name: table[name].to_numpy() for name in names}
