"""Loop energies, and those of their null, of the same states: joined row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.periods.rivals import recent_tokens, tokens_elsewhere
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, read_table, remedy
from ..semstat.tokens.tables import TOKENS
from ..tokens.shards import Cut

Columns = dict[str, NDArray[Any]]

SAME = ("tokens", "layer", "context", "stride", "dtype", "attention")
"""What the provenance of both must say alike, so that their states are the same."""

STATE = ["doc", "position", "correct"]
"""What states of one row have in common."""


class Layer(NamedTuple):
    """The states of one layer, all shards one after the other.

    own, null : (states,) columns asked for, `STATE`, `history`, (states, periods), the tokens that
        the rival was chosen from, and `copies` of a repeated unit, 0 where none is.
    plain : (states,) those of energies without rivals; None where none are given.
    provenance : of the first, without the layer.
    """

    layer: int
    own: Columns
    null: Columns
    plain: Columns | None
    provenance: Provenance

    @property
    def periods(self) -> int:
        """The longest period that is looked at."""
        periods: int = self.provenance["rivals_of"]["periods"]
        return periods


def read_layers(
    own: Sequence[Path],
    null: Sequence[Path],
    tokens: Sequence[Path],
    columns: Sequence[str],
    plain: Sequence[Path] = (),
) -> Iterator[Layer]:
    """The layers of one model on one dataset, ascending.

    Parameters
    ----------
    own : loop energies, a Parquet file a layer and shard.
    null : those with the history of another place, in the same order.
    tokens : tokens of the dataset, a Parquet file a shard.
    columns : of the energies table, to be read beside `STATE`.
    plain : energies without rivals, in the same order, or none.

    Raises
    ------
    InputError
        If files are missing, or are not of the same states.
    """
    _check_numbers(own, null, "--null")
    if plain:
        _check_numbers(own, plain, "--plain")
    shards = {path.name: path for path in tokens}
    files = defaultdict(list)
    for i, path in enumerate(own):
        layer = int(provenance_of(open_table(path, ENERGIES).schema_arrow)["layer"])
        files[layer].append((path, null[i], plain[i] if plain else None))
    needed = [*dict.fromkeys([*STATE, *columns])]
    for layer, paths in sorted(files.items()):
        parts: list[list[Columns]] = [[], [], []]
        for mine, other, without in paths:
            if mine.name not in shards:
                raise InputError(f"--tokens: there are none of {mine.name}; give each shard's")
            read = shards[mine.name]
            first, said = _read(mine, needed)
            second, beside = _read(other, needed)
            _check_same(mine, said, first, other, beside, second)
            if said["rivals_of"]["periods"] != beside["rivals_of"]["periods"]:
                raise InputError(f"{other}: of another longest period than {mine}; {remedy(other)}")
            copies = np.full(len(first["doc"]), said["tokens"].get("copies", 0))
            parts[0].append(first | {"history": _history(read, said), "copies": copies})
            parts[1].append(second | {"history": _history(read, beside), "copies": copies})
            if without is not None:
                third, alone = _read(without, needed)
                _check_same(mine, said, first, without, alone, third)
                parts[2].append(third)
        said.pop("layer")
        without_rivals = _together(parts[2]) if plain else None
        yield Layer(layer, _together(parts[0]), _together(parts[1]), without_rivals, said)


def documents_of(tokens: Sequence[Path]) -> dict[int, NDArray[np.int32]]:
    """Tokens of each document, the prefix token first."""
    tables = [read_table(path, TOKENS) for path in tokens]
    return {
        doc: tokens_t.values.to_numpy()
        for table in tables
        for doc, tokens_t in zip(table["doc"].to_pylist(), table["tokens"], strict=True)
    }


def _check_numbers(own: Sequence[Path], other: Sequence[Path], option: str) -> None:
    if len(own) != len(other):
        raise InputError(
            f"--own and {option}: {len(own)} and {len(other)} files; give one of each for every "
            f"layer and shard, in the same order"
        )


def _read(path: Path, needed: list[str]) -> tuple[Columns, Provenance]:
    table = read_table(path, ENERGIES, needed)
    return {name: table[name].to_numpy() for name in needed}, provenance_of(table.schema)


def _check_same(
    path: Path,
    said: Provenance,
    columns: Columns,
    other: Path,
    beside: Provenance,
    others: Columns,
) -> None:
    """Refuse what is not of the same states, which entries may have written themselves."""
    differ = [key for key in SAME if _unnamed(said[key]) != _unnamed(beside[key])]
    if not differ and not all(np.array_equal(columns[name], others[name]) for name in STATE):
        differ = ["text"]
    if differ:
        raise InputError(f"{other}: of another {differ[0]} than {path}; {remedy(other)}")


def _unnamed(said: object) -> object:
    """Provenance without the name of the entry that wrote: their texts are compared themselves."""
    if isinstance(said, Mapping) and isinstance(said.get("model"), Mapping):
        return {**said, "model": {k: v for k, v in said["model"].items() if k != "model"}}
    return said


def _together(parts: Sequence[Columns]) -> Columns:
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
