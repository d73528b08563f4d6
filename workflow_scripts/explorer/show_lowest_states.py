"""The command that shows the lowest states of one ensemble in their text."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from ..running.command import run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.provenance import Identity
from ..semstat.tables import completed, open_table, provenance_of, read_table, remedy
from ..semstat.tokens.tables import TOKENS
from ..tokens.tokenizers import tokenizer_of
from .pieces import Pieces

LISTED = ["doc", "position", "last", "correct", "top", "log_p_last", "log_p_correct", "energy"]

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 2em; max-width: 75em }}
table {{ border-collapse: collapse }}
th {{ text-align: left }}
td, th {{ padding: .3em 1em .3em 0; vertical-align: top; border-bottom: 1px solid #8884 }}
.text {{ overflow-wrap: anywhere }}
b {{ border: 1px solid; border-radius: 3px; padding: 0 2px }}
u {{ text-underline-offset: 3px }}
</style></head><body>
<h1>{title}</h1>
<p>{about}</p>
<table><thead><tr><th>H</th><th>p(last)</th><th>p(correct)</th><th>likeliest</th><th>text</th></tr>
</thead><tbody>
{rows}
</tbody></table></body></html>
"""


def show_lowest_states(
    *,
    energies: list[Path],
    tokens: list[Path],
    model: Path,
    states: int = 20,
    before: int = 24,
    out: Path,
) -> None:
    """Show the lowest states of one model on one dataset at one layer, in their text.

    Parameters
    ----------
    energies : energies of the layer, a Parquet file a shard.
    tokens : tokens of each shard, in the same order.
    model : snapshot whose tokenizer tells what tokens say.
    states : how many to show.
    before : tokens of the text shown before each.
    out : HTML file to make.
    """
    if len(tokens) != len(energies):
        raise InputError("--tokens: give a file for each of --energies, in the same order")
    of, dataset, layer = Identity.of(provenance_of(open_table(energies[0]).schema_arrow))
    listed = [
        row | {"shard": shard}
        for shard, path in enumerate(energies)
        for row in _lowest(path, states)
    ]
    listed = sorted(listed, key=lambda row: (row["energy"], row["shard"], row["doc"]))[:states]
    pieces = Pieces(tokenizer_of(model))
    texts: dict[int, dict[int, list[int]]] = {}
    for shard in {row["shard"] for row in listed}:
        table = read_table(tokens[shard], TOKENS)
        texts[shard] = dict(zip(table["doc"].to_pylist(), table["tokens"].to_pylist(), strict=True))
    rows = []
    for row in listed:
        text = texts[row["shard"]].get(row["doc"], [])
        at = row["position"]
        if text[at + 1 : at + 2] != [row["correct"]]:
            path = energies[row["shard"]]
            raise InputError(
                f"{path}: is of other tokens than those that are there; {remedy(path)}"
            )
        rows.append(_row(row, text[max(0, at - before) : at + 1], pieces))
    page = PAGE.format(
        title=escape(f"The lowest states of {of} on {dataset}, layer {layer}"),
        about="The token just read has a frame, the correct next one a line. Where H < 0, the "
        "model would rather say the former once more than say the latter.",
        rows="\n".join(rows),
    )
    with completed(out) as (temporary,):
        temporary.write_text(page, encoding="utf-8")


def _lowest(path: Path, states: int) -> list[dict[str, Any]]:
    """The lowest states of one shard, of which no more stays in memory."""
    table = read_table(path, ENERGIES, LISTED)
    lowest = pc.select_k_unstable(table, states, [("energy", "ascending")])
    rows: list[dict[str, Any]] = table.take(lowest).to_pylist()
    return rows


def _row(row: dict[str, Any], read: list[int], pieces: Pieces) -> str:
    before = "".join(pieces.row(read)[:-1])
    last, correct = (_label(token, pieces) for token in (read[-1], row["correct"]))
    text = f'<td class="text">{_shown(before)}<b>{last}</b> <u>{correct}</u></td>'
    cells = [f"{row['energy']:.3f}".replace("-", "−")]
    cells += [f"{100 * math.exp(row[f'log_p_{name}']):.1f}%" for name in ("last", "correct")]
    cells += [_label(row["top"], pieces)]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}{text}</tr>"


def _label(token: int, pieces: Pieces) -> str:
    label = pieces.label(token)
    if not label.strip(" \t"):
        label = label.replace(" ", "␣").replace("\t", "⇥")
    return _shown(label)


def _shown(text: str) -> str:
    """Text as data, never markup; ends of lines as signs."""
    return escape(text).replace("\r", "").replace("\n", "⏎")


if __name__ == "__main__":
    run(show_lowest_states)
