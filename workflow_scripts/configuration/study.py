"""The study: a configuration checked, filled with defaults, and resolved stage by stage.

Imported by the Snakefile, hence by every cluster job: nothing heavy here, nor in configuration.py
of any stage, which no command imports.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from ..semstat.errors import InputError
from .files import misread
from .names import check_names
from .schema import Spec, check

ROOMS = Path(__file__).parents[1]


def resolve(config: Any) -> Spec:
    """The configuration with every default and every inherited key filled in.

    What a stage's keys come to is told by `resolve` in its own configuration.py.

    Parameters
    ----------
    config : as read from YAML; not changed.

    Raises
    ------
    InputError
        One sentence with key and remedy.
    """
    study: Spec = copy.deepcopy(config)
    for stage in stages():
        if hasattr(stage, "refuse_old"):
            stage.refuse_old(study)
    check(study)
    check_names(study)
    for stage in stages():
        stage.resolve(study)
    return study


@cache
def stages() -> tuple[ModuleType, ...]:
    """configuration.py of every stage that has one, each after those that its `AFTER` names.

    Such a module has `resolve(study)`, which changes the study in place, and may have
    `refuse_old(config)`, which sees the configuration before the schema does: to tell in one
    sentence what to write instead of keys that are no more.
    """
    rooms = sorted(file.parent.name for file in ROOMS.glob("*/configuration.py"))
    found = {room: import_module(f"..{room}.configuration", __package__) for room in rooms}
    order = TopologicalSorter({room: stage.AFTER for room, stage in found.items()})
    return tuple(found[room] for room in order.static_order())


def read_overrides(overrides: Mapping[str, Any]) -> Spec:
    """The values of `--config` as a file would have them: Snakemake leaves text inside {} and [].

    Parameters
    ----------
    overrides : the values of `--config`.

    Raises
    ------
    InputError
        If a shell would read one otherwise: Snakemake passes `--config` on to jobs unquoted. Or if
        YAML would.
    """
    for key, value in overrides.items():
        if set(repr(value)) & set('$`"\\!'):
            raise InputError(
                f"--config {key}: `$`, quotes, backslashes and the like would reach a shell; "
                f"write it into a file and give that as --configfile"
            )
    return {key: _typed(f"--config {key}", value) for key, value in overrides.items()}


def _typed(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _typed(f"{key}.{name}", item) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(key, item) for item in value]
    if not isinstance(value, str):
        return value
    if (number := misread(value)) is not None:
        raise InputError(f"{key}: YAML reads {value} as {number}; write that")
    try:
        found = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return found if isinstance(found, int | float | bool) else value
