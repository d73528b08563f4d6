"""Docstrings of the library as Sphinx wants them.

They are plain text: names in `backticks`, parts that are underlined, lines `name : what it is`, and
formulas indented. None of their other signs is markup.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

FIELD = re.compile(r"^([\w.…*]+(?:(?:, | … )[\w.…*]+)*) : (.*)$")
CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def restructured(lines: list[str]) -> list[str]:
    """A docstring as reStructuredText.

    >>> restructured(["ln p_t of `x`.", "", "Parameters", "---", "x : (states,) |h|."])[:3]
    ['ln p\\\\_t of ``x``.', '', '.. rubric:: Parameters']
    """
    made: list[str] = []
    for block in _blocks(lines):
        if len(block) > 1 and re.fullmatch(r"-{3,}", block[1]):
            made += [f".. rubric:: {block[0]}", ""]
            block = block[2:]
        if not block:
            continue
        if block[0].startswith(">>>"):
            made += block
        elif block[0].startswith(" "):
            made += ["::", "", *("    " + line for line in block)]
        else:
            made += _prose(block)
        made.append("")
    return made


def _blocks(lines: list[str]) -> list[list[str]]:
    """Lines between empty ones; what is indented beyond an empty line stays together."""
    blocks: list[list[str]] = []
    fresh = True
    for line in lines:
        if not line.strip():
            fresh = True
        elif fresh and line.startswith(" ") and blocks and blocks[-1][0].startswith(" "):
            blocks[-1] += ["", line]
            fresh = False
        elif fresh:
            blocks.append([line])
            fresh = False
        else:
            blocks[-1].append(line)
    return blocks


def _prose(block: list[str]) -> list[str]:
    """A paragraph, a list, or lines that say what names are, in which no sign is markup."""
    lines: list[str] = []
    in_field = False
    for line in block:
        field = FIELD.match(line)
        if field:
            lines += [f"\0{field[1]}", f"    {field[2]}"]
        else:
            lines += ["", line] if in_field and not line.startswith(" ") else [line]
        in_field = bool(field) or (in_field and line.startswith(" "))
    text = "\n".join(lines)
    parts = CODE.split(text)
    for place in range(0, len(parts), 3):
        parts[place] = re.sub(r"([\\*|_`])", r"\\\1", parts[place])
    plain, code = parts[::3], [f"``{part}``" for part in parts[2::3]]
    text = plain[0] + "".join(a + b for a, b in zip(code, plain[1:], strict=True))
    return re.sub(r"^\0(.*)$", r"**\1**", text, flags=re.M).split("\n")


def _process(
    _app: Sphinx, _what: str, _name: str, _of: Any, _options: Any, lines: list[str]
) -> None:
    lines[:] = restructured(lines)


def _skip(_app: Sphinx, _what: str, _name: str, member: Any, _skip: bool, _options: Any) -> Any:
    """Leave out what a NamedTuple says of its fields by itself."""
    return True if type(member).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
