"""Defaults stand once: a command that has one for a key of the configuration has the schema's."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from workflow_scripts.configuration.schema import SCHEMAS, schema
from workflow_scripts.running.code import PACKAGE

Defaults = dict[str, list[Any]]

NO_STAGES = ("configuration", "running", "semstat")


def defaults_in(part: Any) -> Iterator[tuple[str, Any]]:
    """Keys that a part of the schema has defaults for, with these."""
    if isinstance(part, list):
        for item in part:
            yield from defaults_in(item)
    elif isinstance(part, dict):
        for key, about in part.get("properties", {}).items():
            if isinstance(about, dict) and isinstance(about.get("default"), dict):
                yield from about["default"].items()
            elif isinstance(about, dict) and "default" in about:
                yield key, about["default"]
            elif about == {"$ref": "#/$defs/seed"}:
                yield key, schema()["$defs"]["seed"]["default"]
        for item in part.values():
            yield from defaults_in(item)


def defaults_of_stages() -> dict[str, Defaults]:
    found: dict[str, Defaults] = {}
    for file in SCHEMAS.glob("*.schema.yaml"):
        stage = file.name.partition(".")[0]
        of_stage = found.setdefault(stage, {})
        for key, default in defaults_in([*yaml.safe_load_all(file.read_text())]):
            if key == stage and default == []:
                continue  # the stage's entries: no option of a command, whatever one is called
            if default not in of_stage.setdefault(key, []):
                of_stage[key].append(default)
    return found


def allowed(stage: str, key: str, stages: dict[str, Defaults]) -> list[Any]:
    """Defaults of a key: those of the stage, or those on which all others that have it agree."""
    if key in stages.get(stage, {}):
        return stages[stage][key]
    elsewhere = [default for of_stage in stages.values() for default in of_stage.get(key, [])]
    return elsewhere[:1] if all(default == elsewhere[0] for default in elsewhere) else []


def commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Stage and function of every command that is a function named like its module."""
    for path in sorted(PACKAGE.glob("*/*.py")):
        stage = path.parent.name
        functions = [node for node in ast.parse(path.read_bytes()).body
                     if isinstance(node, ast.FunctionDef) and node.name == path.stem]  # fmt: skip
        if functions and stage not in NO_STAGES:
            module = importlib.import_module(f"workflow_scripts.{stage}.{path.stem}")
            yield stage, getattr(module, path.stem)


def options(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Options that have a default, with it; those of a dataclass or named tuple among them."""
    hints = typing.get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        if inspect.isclass(hint) and (dataclasses.is_dataclass(hint) or hasattr(hint, "_fields")):
            yield from options(hint)
        elif parameter.default is not inspect.Parameter.empty:
            default = parameter.default
            yield name, list(default) if isinstance(default, tuple) else default


def mismatches(stage: str, function: Callable[..., Any]) -> list[str]:
    """What a command's defaults differ in from the schema's."""
    stages = defaults_of_stages()
    return [
        f"{stage}.{function.__name__}: {name} is {default!r}, in the schema {found[0]!r}"
        for name, default in options(function)
        if (found := allowed(stage, name, stages)) and default not in found
    ]


def test_every_command_has_the_defaults_of_the_schema():
    assert [line for stage, function in commands() for line in mismatches(stage, function)] == []


def test_a_default_that_differs_is_found():
    @dataclasses.dataclass
    class Run:
        dtype: str = "float32"
        context: int = 99

    class Bars(NamedTuple):
        confidence: float = 0.9

    def steer_toys(effects: tuple[float, ...] = (0.1, 1.0), documents: int = 16, other: int = 5,
                   seed: int = 1, model: str = "m"): ...  # fmt: skip

    def run_toys(*, run: Run, bars: Bars, prompt_tokens: int = 3): ...

    # `get_type_hints` looks for names among those of the module.
    run_toys.__annotations__ |= {"run": Run, "bars": Bars}
    assert mismatches("steering", steer_toys) == [
        "steering.steer_toys: effects is [0.1, 1.0], in the schema [0.0625, 0.25, 1.0]",
        "steering.steer_toys: seed is 1, in the schema 0",
    ]
    assert mismatches("energies", run_toys) == [
        "energies.run_toys: context is 99, in the schema 1024",
        "energies.run_toys: confidence is 0.9, in the schema 0.95",
    ]
    assert len(mismatches("decoding", run_toys)) == 3
    assert mismatches("generation", run_toys)[-1].endswith("prompt_tokens is 3, in the schema 16")
