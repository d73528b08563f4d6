"""What pages say in numbers, held against the tables that the numbers are of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.runs import REPO

NUMBER = r"[−-]?\d[\d,]*(?:\.\d+)?"
INTERVAL = rf"({NUMBER}) \[({NUMBER}), ({NUMBER})\]"

NO_CLAIM = re.compile(
    r"```.*?```|`[^`]*`|\]\([^)]*\)|<!--.*?-->|arXiv[:\s][\d.]+|SmolLM2-135M|GPT-2|Mamba 2"
    r"|float\d+|bfloat16|10\.\d{4}/\S+|\b(?:19|20)\d\d\b",
    re.DOTALL,
)
"""What holds digits without saying anything: code, links, names, sources."""

ROUNDED = 0.6
"""Units of the last digit by which a number may be off that comes from a rounded one."""


class Part:
    """A part of a page, from one phrase to another, and how far its numbers have been checked."""

    def __init__(self, page: str | Path, start: str = "", end: str = "") -> None:
        text = (REPO / page).read_text(encoding="utf-8")
        text = text[text.index(start) :]
        text = text[: text.index(end, len(start))] if end else text
        self.page, self.text = page, _claims(text)
        self.unchecked = {place.start() for place in re.finditer(r"\d", self.text)}

    def says(self, phrase: str, *values: Any) -> None:
        """Assert that the part has this phrase, with these values where it has `{}`.

        A value is a number, or (value, low, high), which is written `value [low, high]`. Each is to
        be said to its last digit.
        """
        numbers: list[float] = []
        pattern = re.escape(_claims(phrase))
        for value in values:
            numbers += value if isinstance(value, tuple) else (value,)
            written = INTERVAL if isinstance(value, tuple) else f"({NUMBER})"
            pattern = pattern.replace(r"\{\}", written, 1)
        found = list(re.finditer(pattern, self.text))
        assert found, f"{self.page} does not say: {phrase}"
        for said in found:
            for group, number in zip(said.groups(), numbers, strict=True):
                assert agrees(group, number), f"{self.page}: {said[0]!r} should have {number:.6g}"
            self.unchecked -= set(range(*said.span()))

    def is_checked(self) -> None:
        """Assert that no number is left that no phrase was of."""
        left = sorted(self.unchecked)
        said = [self.text[max(0, place - 60) : place + 30] for place in left]
        assert not left, f"{self.page}: " + "\n".join(said)


def _claims(text: str) -> str:
    """In one line, without what claims nothing."""
    return " ".join(NO_CLAIM.sub(" ", text).split())


def agrees(said: str, value: float) -> bool:
    """Whether a number as it is written is this one, rounded; a bare 0 is 0 exactly.

    >>> [agrees(said, 0.0493) for said in ("0.05", "0.049", "0.050", "−0.05", "0")]
    [True, True, False, False, False]
    """
    if said == "0":
        return value == 0
    decimals = len(said.partition(".")[2])
    number = float(said.replace("−", "-").replace(",", ""))
    return abs(number - value) <= ROUNDED * 10**-decimals


def interval(row: Mapping[str, Any], name: str, scale: float = 1) -> tuple[float, float, float]:
    """A number of a table's row with its bounds."""
    return tuple(scale * float(row[name + bound]) for bound in ("", "_low", "_high"))
