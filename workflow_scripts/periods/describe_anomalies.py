"""The command that tells how well scores of states tell replaced spans."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..running.command import progress, run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.periods import anomalies
from ..semstat.periods.anomaly_tables import ANOMALIES
from ..semstat.provenance import Identity, Provenance
from ..semstat.tables import open_table, provenance_of, remedy, table_of_rows, write_table
from ..semstat.tokens.replaced import places
from ..semstat.tokens.tables import TOKENS
from .joining import (
    STATE,
    Columns,
    Documents,
    check_numbers,
    check_same,
    documents_of,
    read_states,
    together,
)

NEEDED = [*STATE, "log_p_correct", "energy", "speed", "normed_speed"]


def describe_anomalies(
    *,
    own: list[Path],
    loops: list[Path],
    tokens: list[Path],
    text: list[Path],
    draws: int = 20,
    seed: int = 0,
    confidence: float = 0.95,
    out: Path,
) -> None:
    """Tell how well surprisal, kinetic terms and energies tell the spans that were replaced.

    Parameters
    ----------
    own : energies of a dataset of replaced spans, a Parquet file a layer and shard.
    loops : its loop energies, in the same order.
    tokens : its tokens, a Parquet file a shard.
    text : tokens of the text that it was made of.
    draws : how often a score is dealt anew for the null.
    seed : seed of that.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    check_numbers(own, loops, "--loops")
    marks, recipe = _marks(tokens, _plain(text))
    layers: dict[int, list[tuple[Path, Path]]] = defaultdict(list)
    for pair in zip(own, loops, strict=True):
        layers[int(_provenance(pair[0])["layer"])].append(pair)
    rows = []
    with progress(out.stem, "layers", len(layers)) as bar:
        for layer, pairs in sorted(layers.items()):
            column = together([_read(*pair) for pair in pairs])
            rng = np.random.default_rng([seed, layer])
            found = anomalies.describe_anomalies(
                column, column["loop_energy"], marks, draws, confidence, rng
            )
            rows += [{"layer": layer} | row for row in found]
            bar.update()
    said = _provenance(own[0])
    of = Identity.of(said)
    kinds = {"kind": recipe["kind"], "taken_from": recipe.get("taken_from")}
    head = {"model": of.model, "dataset": of.dataset} | kinds
    said.pop("layer")
    made: Provenance = said.then(
        "described by", "numpy", "scipy", confidence=confidence, draws=draws, seed=seed
    )
    write_table(out, table_of_rows([head | row for row in rows], ANOMALIES), made)


def _read(own: Path, loops: Path) -> Columns:
    """Columns of one shard at a layer, and its loop energies.

    Raises
    ------
    InputError
        If these are of other states.
    """
    mine, said = read_states(own, NEEDED)
    other, beside = read_states(loops, [*STATE, "energy"])
    check_same(own, said, mine, loops, beside, other)
    return mine | {"loop_energy": other["energy"]}


def _provenance(path: Path, schema: pa.Schema = ENERGIES) -> Provenance:
    return provenance_of(open_table(path, schema).schema_arrow)


def _plain(text: list[Path]) -> Documents:
    """The tokens of each document of a text.

    Raises
    ------
    InputError
        If spans of them are replaced too.
    """
    if _provenance(text[-1], TOKENS).get("ensemble") == "replaced":
        raise InputError(f"{text[0]}: spans are replaced there too; give --text the text itself")
    return documents_of(text)


def _marks(tokens: list[Path], text: Documents) -> tuple[dict[int, anomalies.Marks], Provenance]:
    """Where the spans of each document are, found again, and how they were made.

    Raises
    ------
    InputError
        If a document is not its text with other tokens in these spans, and in no other place.
    """
    made, recipe = documents_of(tokens), _provenance(tokens[-1], TOKENS)
    if recipe["ensemble"] != "replaced":
        raise InputError(
            f"{tokens[0]}: no spans are replaced there; give a dataset of that ensemble"
        )
    length, first = recipe["length"], 1 + recipe["prefix_tokens"]
    marks = {}
    for doc, tokens_t in made.items():
        rng = np.random.default_rng([recipe["seed"], doc])
        begin_s = places(len(tokens_t), recipe["spans"], length, recipe["prefix_tokens"], rng)
        marks[doc] = anomalies.mark(len(tokens_t), begin_s, length, first)
        if doc not in text or not _is_replaced(tokens_t, text[doc], marks[doc]):
            raise InputError(
                f"{tokens[0]}: document {doc} is not that of --text with other tokens in the spans "
                f"that its seed gives; {remedy(tokens[0])}"
            )
    return marks, recipe


def _is_replaced(
    tokens_t: NDArray[np.int32], text_t: NDArray[np.int32], marks: anomalies.Marks
) -> bool:
    """Whether a document differs from its text in all replaced spans, and nowhere else."""
    if len(tokens_t) != len(text_t):
        return False
    changed_t = marks.span_t[tokens_t != text_t]
    return set(changed_t.tolist()) == set(range(marks.replaced))


if __name__ == "__main__":
    run(describe_anomalies)
