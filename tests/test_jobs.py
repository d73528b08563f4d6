"""A command's source files are what it imports, so that an edit reruns what depends on it."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_scripts.jobs import PACKAGE, code_inputs

ROOT = PACKAGE.parent
COMMANDS = sorted(
    path.stem
    for path in PACKAGE.glob("*.py")
    if "__main__" in path.read_text() and path.stem != "__init__"
)


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


MEASURING = ["decoder", "readout", "measure", "windows", "tables", "errors", "provenance"]
ESTIMATING = ["curves", "block_errors", "log_density", "states", "energy_grid", "wells", "figures"]


def names(command):
    return {path.removeprefix("workflow_scripts/") for path in code_inputs(command)}


def test_all_commands_are_found():
    assert {"measure_energies", "count_states", "estimate_curves", "plot_curves"} <= set(COMMANDS)


LOADED = """
import importlib, json, sys
loaded = {}
for command in sys.argv[1:]:
    for name in [name for name in sys.modules if name.startswith("workflow_scripts")]:
        del sys.modules[name]
    importlib.import_module(f"workflow_scripts.{command}")
    loaded[command] = [m.__file__ for n, m in sys.modules.items() if n.startswith("workflow_s")]
print(json.dumps(loaded))
"""


def test_what_python_loads_is_what_is_listed():
    """The walk over imports against the interpreter's own account of what it loaded."""
    run = [sys.executable, "-c", LOADED, *COMMANDS]
    loaded = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    for command, files in loaded.items():
        paths = {str(Path(file).relative_to(ROOT)) for file in files}
        assert {path for path in paths if "__init__" not in path} == set(code_inputs(command))


def test_the_gpu_stage_depends_on_its_modules_and_not_on_the_estimators():
    found = names("measure_energies")
    wanted = {"measure_energies.py", "command.py", *(f"semstat/{name}.py" for name in MEASURING)}
    assert wanted <= found
    for command in ("measure_energies", "train_lens", "generate_tokens"):
        assert not names(command) & {f"semstat/{name}.py" for name in ESTIMATING}


@pytest.mark.parametrize(
    "command", ["count_states", "estimate_curves", "plot_curves", "tabulate_divergence"]
)
def test_what_comes_after_the_gpu_stage_does_not_depend_on_it(command):
    assert not names(command) & {f"semstat/{name}.py" for name in ["decoder", "readout", "measure"]}
    imported = {
        alias.name.partition(".")[0]
        for path in code_inputs(command)
        for node in ast.walk(ast.parse(Path(path).read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "torch" not in imported and "transformers" not in imported


def test_figures_do_not_depend_on_how_curves_are_estimated():
    for command in ("plot_curves", "plot_layer_map"):
        assert not names(command) & {"semstat/curves.py", "semstat/wells.py", "semstat/states.py"}
        assert "semstat/figures.py" in names(command)


def test_paths_follow_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    paths = code_inputs("count_states")
    assert paths == sorted(paths)
    assert all(Path(path).is_file() and not Path(path).is_absolute() for path in paths)


def test_an_unknown_command_is_an_error():
    with pytest.raises(FileNotFoundError, match="no_such_command"):
        code_inputs("no_such_command")
