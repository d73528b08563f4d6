"""Results as tables to read, and as files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import numpy as np

from ..roles import ROLES
from .held import Row

LEGEND = """\
Of 95% intervals: share that hold the truth ± standard error of the simulation, / share at the worst
energy, | share of bands that hold all of it. (n%): share of intervals that are given at all, if not
all. Of flags, tests and `deepest`: how often ± standard error.
"""


def cell(row: Row | None) -> str:
    """One quantity of one system and design."""
    if row is None:
        return ""
    if "share" in row:
        return f"{row['share']:.3f}±{row['share_se']:.3f}"
    text = f"{row['held']:.3f}±{row['held_se']:.3f}" if "held" in row else "not given"
    if "worst" in row:
        text += f"/{row['worst']:.2f}"
    if "band" in row:
        text += f"|{row['band']:.2f}"
    if row["given"] < 0.995:
        text += f" ({row['given']:.0%})"
    return text


def tables(rows: list[Row]) -> str:
    """A table a part: a line a system and design, and lines for all systems of a role."""
    texts = [LEGEND]
    for part, of_part in groupby(rows, key=lambda row: row["part"]):
        found = list(of_part)
        texts.append(f"\n== {part} ==\n{_table(found)}")
        if part in ("curves", "wells"):
            texts.append(f"\n== {part}, all systems of a role ==\n{_table(pooled(found))}")
    return "\n".join(texts)


def _table(rows: list[Row]) -> str:
    quantities = list(dict.fromkeys(row["quantity"] for row in rows))
    lines = [["role", "system", "documents", *quantities]]
    by_line: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        key = (str(row["role"]), str(row["system"]), str(row["documents"]))
        by_line.setdefault(key, {})[row["quantity"]] = row
    for what, found in by_line.items():
        lines.append([*what, *(cell(found.get(quantity)) for quantity in quantities)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def pooled(rows: list[Row]) -> list[Row]:
    """Of all systems of a role by one design: means, and the worst of them.

    A mean of shares has the root of the summed squares of standard errors over their number.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["documents"], row["role"], row["quantity"]), []).append(row)
    means = []
    for (documents, role, quantity), of_group in groups.items():
        what = {"part": of_group[0]["part"], "role": role, "documents": documents}
        mean = {**what, "system": "all", "quantity": quantity}
        for name in ("share", "held", "band", "given", "error"):
            having = [row for row in of_group if name in row]
            if having:
                mean[name] = float(np.mean([row[name] for row in having]))
                errors = [row.get(f"{name}_se", 0.0) for row in having]
                mean[f"{name}_se"] = float(np.linalg.norm(errors) / len(having))
        worst = min((r for r in of_group if "worst" in r), key=lambda r: r["worst"], default={})
        means.append(mean | {key: worst[key] for key in ("worst", "worst_se") if key in worst})
    return sorted(means, key=lambda row: ROLES.index(row["role"]))


def write(rows: list[Row], out: Path) -> None:
    """The rows as OUT.json and OUT.csv, and the tables as OUT.txt."""
    text = json.dumps(rows, indent=1, ensure_ascii=False)
    out.with_suffix(".json").write_text(text, encoding="utf-8")
    out.with_suffix(".txt").write_text(tables(rows), encoding="utf-8")
    with out.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _columns(rows))
        writer.writeheader()
        writer.writerows(rows)


def _columns(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))
