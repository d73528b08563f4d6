"""Two runs of the benchmark side by side, as Markdown: means over the systems of a role.

python -m benchmarks.coverage.compared BEFORE.json AFTER.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .held import Row
from .printed import pooled

SHOWN = {
    "curves": ("S", "T", "T tail", "flagged gaps", "flagged jumps"),
    "wells": ("mean_energy", "below_zero", "below_minus_0.1", "depth", "width"),
    "differences": ("S_a − S_b", "T_a − T_b"),
    "distances": ("area level", "KS level", "area power", "KS power"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.coverage.compared", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    arguments = parser.parse_args()
    before, after = (
        json.loads(path.read_text(encoding="utf-8")) for path in (arguments.before, arguments.after)
    )
    for part in SHOWN:
        print(f"\n{compared(part, before, after)}")


def compared(part: str, before: list[Row], after: list[Row]) -> str:
    """A table of one part: a line a role and design, of the systems that both runs have."""
    known = {_of(row) for row in before} & {_of(row) for row in after}
    runs = [
        {
            (row["role"], row["documents"], row["quantity"]): row
            for row in pooled([row for row in rows if row["part"] == part and _of(row) in known])
        }
        for rows in (before, after)
    ]
    shown = [name for name in SHOWN[part] if any(key[2] == name for key in runs[1])]
    lines = [["systems", "documents", *shown], ["---"] * (2 + len(shown))]
    for role, documents in dict.fromkeys(key[:2] for key in runs[1]):
        keys = [(role, documents, name) for name in shown]
        cells = [" → ".join(cell(run.get(key)) for run in runs) for key in keys]
        lines.append([str(role), str(documents), *("" if x == " → " else x for x in cells)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(row: Row | None) -> str:
    """Share held ± standard error, at the worst energy, of bands; or how often."""
    if row is None:
        return ""
    if "share" in row:
        return f"{row['share']:.3f}±{row['share_se']:.3f}"
    if "held" not in row:
        return "null"
    parts = [f"{row['held']:.3f}±{row['held_se']:.3f}"]
    parts += [f"{row[name]:.2f}" for name in ("worst", "band") if name in row]
    given = f" ({row['given']:.0%})" if row["given"] < 0.995 else ""
    return ", ".join(parts) + given


def _of(row: Row) -> tuple[Any, ...]:
    return row["part"], row["system"], row["documents"], row["quantity"]


if __name__ == "__main__":
    main()
