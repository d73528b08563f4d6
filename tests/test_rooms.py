"""The walls of the house: which room may import from which, and no circle of imports anywhere."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.runs import REPO, STAGES

PACKAGE = REPO / "workflow_scripts"

FLOORS = [
    ["semstat"],
    ["semstat.statistics", "semstat.models"],
    ["semstat.STAGE"],
    ["semstat.notebook"],
    ["running"],
    ["configuration"],
    ["models"],
    ["STAGE"],
    ["top"],
]
"""Rooms from the ground up; none imports from a floor above. `semstat` is the library's own
modules, `top` the commands that people type, STAGE any stage's room."""

AMONG_PHYSICS = {
    "attention": {"thermodynamics", "tokens"},
    "causes": {"training"},
    "comparisons": {"thermodynamics"},
    "criticality": {"generation", "thermodynamics"},
    "decoding": {"generation", "mechanics", "steering"},
    "periods": {"generation", "mechanics"},
    "steering": {"energies"},
    "tokens": {"generation"},
    "training": {"decoding", "generation"},
    "volumes": {"energies", "steering", "thermodynamics"},
}
"""Physics of other stages that a stage's physics may build on."""

AMONG_STAGES = {
    "attention": {"energies", "tokens"},
    "causes": {"training"},
    "comparisons": {"thermodynamics", "tokens"},
    "criticality": {"generation", "tokens"},
    "decoding": {"generation", "tokens"},
    "explorer": {"periods", "tokens"},
    "energies": {"tokens"},
    "generation": {"tokens"},
    "lenses": {"energies", "tokens"},
    "periods": {"energies", "tokens"},
    "steering": {"tokens"},
    "training": {"sources", "tokens"},
    "volumes": {"tokens"},
}
"""Rooms of other stages that a stage's commands may take from."""

PHYSICS_OF_OTHERS = {
    "causes": {"training"},
    "comparisons": {"thermodynamics"},
    "criticality": {"generation"},
    "decoding": {"generation"},
    "explorer": {"mechanics", "tokens"},
    "periods": {"energies", "tokens"},
    "training": {"tokens"},
    "volumes": {"thermodynamics"},
}
"""Physics of other stages that a stage's commands may use beside its own."""

SCHEMAS = ("tables.py", "columns.py")
"""What is open to the commands of every stage: they read each other's tables."""


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[Path]:
    """Files of the package that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1]
        base = base.joinpath(*node.module.split(".")) if node.module else base
        for alias in node.names:
            for module in (base / alias.name, base):
                if module.with_suffix(".py").is_file():
                    found.add(module.with_suffix(".py"))
                    break
    return found


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts == ("semstat", "notebook"):
        return "semstat.notebook"
    if parts[0] == "semstat":
        return "semstat" if len(parts) == 2 else f"semstat.{parts[1]}"
    return "top" if len(parts) == 1 else parts[0]


def floor_of(room: str) -> int:
    named = [i for i, rooms in enumerate(FLOORS) if room in rooms]
    stage = "semstat.STAGE" if room.startswith("semstat.") else "STAGE"
    return named[0] if named else next(i for i, rooms in enumerate(FLOORS) if stage in rooms)


def arrows():
    """(room, room, file, file) for each import from one room of another."""
    return sorted(
        (room_of(path), room_of(other), str(path.relative_to(PACKAGE)), other.name)
        for path in modules()
        for other in imported(path)
        if room_of(path) != room_of(other)
    )


def is_stage(room: str) -> bool:
    return not any(room in rooms for rooms in FLOORS)


def allowed(room: str, other: str, path: str, module: str) -> bool:
    if floor_of(other) != floor_of(room):
        below = floor_of(other) < floor_of(room)
        if not (below and is_stage(room) and other.startswith("semstat.") and is_stage(other)):
            # The configuration is one for all, and knows of no stage by name.
            return below
        stage, physics = room, other.removeprefix("semstat.")
        return module in SCHEMAS or physics in {stage} | PHYSICS_OF_OTHERS.get(stage, set())
    if room.startswith("semstat."):
        return other.removeprefix("semstat.") in AMONG_PHYSICS.get(
            room.removeprefix("semstat."), set()
        )
    return other in AMONG_STAGES.get(room, set())


def test_no_room_imports_from_above_or_from_a_neighbour_that_is_not_named():
    wrong = [arrow for arrow in arrows() if not allowed(*arrow)]
    assert not wrong, "\n".join(
        f"{path}: {room} may not import {other}" for room, other, path, _ in wrong
    )


def test_every_arrow_among_stages_is_there():
    """What the tables allow and nobody needs is a door to be walled up."""
    there = {(room, other) for room, other, *_ in arrows()}
    tables = [
        (f"semstat.{room}", f"semstat.{other}")
        for room, others in AMONG_PHYSICS.items()
        for other in others
    ]
    tables += [(room, other) for room, others in AMONG_STAGES.items() for other in others]
    tables += [
        (room, f"semstat.{other}") for room, others in PHYSICS_OF_OTHERS.items() for other in others
    ]
    assert set(tables) <= there, set(tables) - there


def test_no_module_is_in_a_circle():
    graph = {path: imported(path) for path in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


def test_no_room_is_in_a_circle():
    graph = {}
    for room, other, *_ in arrows():
        graph.setdefault(room, set()).add(other)
    list(TopologicalSorter(graph).static_order())


def test_imports_within_the_package_are_relative():
    """So that semstat works alone, installed under its own name."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.append(node.module)
            assert not any(name.split(".")[0] in ("workflow_scripts", "semstat") for name in names)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name_everywhere(stage):
    assert (PACKAGE / stage / "__init__.py").is_file()
    assert (PACKAGE / "semstat" / stage / "__init__.py").is_file()
    assert (REPO / "docs" / f"{stage}.md").is_file()
    assert list((REPO / "tests" / stage).glob("test_*.py"))
    assert f"rule {stage}:" in (REPO / "rules" / f"{stage}.smk").read_text()
    schema = REPO / "schemas" / f"{stage}.schema.yaml"
    assert schema.is_file() == (PACKAGE / stage / "configuration.py").is_file() or schema.is_file()


def test_every_schema_report_and_room_is_of_a_stage():
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert rooms - set(STAGES) == {"semstat", "running", "configuration", "models"}
    captions = {path.name for path in (REPO / "report").iterdir() if path.is_dir()}
    assert captions <= set(STAGES)
    functions = {path.stem for path in (REPO / "rules" / "functions").iterdir()}
    assert functions <= set(STAGES)


def test_the_shared_rules_are_short_and_know_no_stage():
    text = (REPO / "rules" / "common.smk").read_text()
    assert len(text.splitlines()) <= 150
    for stage in STAGES:
        assert f"results/{stage}" not in text


@pytest.mark.parametrize("folder", ["workflow_scripts", "tests", "benchmarks", "rules"])
def test_no_file_has_two_subjects(folder):
    long = [
        path.relative_to(REPO)
        for path in (REPO / folder).rglob("*")
        if path.suffix in (".py", ".smk") and len(path.read_text().splitlines()) > 400
    ]
    assert not long
