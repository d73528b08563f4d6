"""Loop energies, and those of their null, layer by layer, with the tokens that rivals were of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.periods.rivals import recent_tokens, tokens_elsewhere
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, remedy
from ..semstat.tokens.tables import TOKENS
from ..tokens.shards import Cut
from .joining import STATE, Columns, check_numbers, check_same, read_states, together


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
    check_numbers(own, null, "--null")
    if plain:
        check_numbers(own, plain, "--plain")
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
            first, said = read_states(mine, needed)
            second, beside = read_states(other, needed)
            check_same(mine, said, first, other, beside, second)
            if said["rivals_of"]["periods"] != beside["rivals_of"]["periods"]:
                raise InputError(f"{other}: of another longest period than {mine}; {remedy(other)}")
            copies = np.full(len(first["doc"]), said["tokens"].get("copies", 0))
            parts[0].append(first | {"history": _history(read, said), "copies": copies})
            parts[1].append(second | {"history": _history(read, beside), "copies": copies})
            if without is not None:
                third, alone = read_states(without, needed)
                check_same(mine, said, first, without, alone, third)
                parts[2].append(third)
        said.pop("layer")
        without_rivals = together(parts[2]) if plain else None
        yield Layer(layer, together(parts[0]), together(parts[1]), without_rivals, said)


def _history(tokens: Path, provenance: Provenance) -> NDArray[np.int64]:
    """The tokens that each state's rival was chosen from, made again."""
    rivals = provenance["rivals_of"]
    periods: int = rivals["periods"]
    cut = Cut(context=provenance["context"], stride=provenance["stride"])
    choose: Callable[..., NDArray[np.int64]] = partial(recent_tokens, longest_period=periods)
    if rivals["history"] == "elsewhere":
        choose = partial(tokens_elsewhere, longest_period=periods, seed=rivals["seed"])
    return choose([*cut.windows(open_table(tokens, TOKENS))])
