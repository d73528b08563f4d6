"""Configuration files as they are written: what YAML would drop, or take for something else.

Snakemake reads them into plain values, where a key that was written twice is there once, and 010 is
8. So the run's main process looks at the files themselves; its jobs need not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from ..semstat.errors import InputError
from .schema import Loader

KEYS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

NO_DECIMAL = re.compile(r"[-+]?0[\d_]+|.*:.*")
"""Numbers to YAML that mean another one than they look like: 010 is octal, 1:30 is 90."""


def check_files(paths: Iterable[str | Path]) -> None:
    """Refuse files of which something would be lost or misread.

    Parameters
    ----------
    paths : YAML or JSON, as Snakemake has read them; a pipe is left alone.

    Raises
    ------
    InputError
        If a key is written twice in one place, a key is no text, or a number means another one.
    """
    for path in map(Path, paths):
        if path.is_file():
            try:
                root = yaml.compose(path.read_bytes(), Loader)
            except yaml.YAMLError:  # JSON that is no YAML
                continue
            for complaint in _complaints(root, (), set()):
                raise InputError(f"{path}: {complaint}")


def misread(text: str) -> float | None:
    """What YAML takes a text for, if that is a number which means another one.

    >>> misread("010"), misread("1:30"), misread("10"), misread("sotu")
    (8, 90, None, None)
    """
    value = yaml.safe_load(text) if NO_DECIMAL.fullmatch(text) else None
    return value if isinstance(value, int | float) else None


def _complaints(node: Any, where: tuple[str, ...], seen: set[int]) -> Iterator[str]:
    if node is None or id(node) in seen:  # an empty file; what an alias names
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        yield from _complaints_on_keys(node, where)
        for key, value in node.value:
            yield from _complaints(value, (*where, str(key.value)), seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _complaints(value, (*where, str(index)), seen)
    elif node.tag in NUMBERS and (value := misread(node.value)) is not None:
        yield (
            f"{'.'.join(where)}: in line {_line(node)} YAML reads {node.value} as {value}; write "
            f"that, or '{node.value}' in quotes if it is no number"
        )


def _complaints_on_keys(node: Any, where: tuple[str, ...]) -> Iterator[str]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        name, line = str(key.value), _line(key)
        path = ".".join((*where, name))
        if name in lines:
            yield (
                f"{path}: is written twice, in lines {lines[name]} and {line}, and only the last "
                f"would count; rename or remove one"
            )
        if key.tag not in KEYS:
            yield f"{path}: YAML takes the key in line {line} for no text; write '{name}' in quotes"
        lines[name] = line


def _line(node: Any) -> int:
    """Its line in the file, from 1."""
    return int(node.start_mark.line) + 1
