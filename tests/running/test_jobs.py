"""A command's source files are what it imports, so that an edit reruns what depends on it."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_scripts.running import jobs
from workflow_scripts.running.jobs import PACKAGE, code_of, digest_of_code

ROOT = PACKAGE.parent
COMMANDS = sorted(
    path.stem
    for path in PACKAGE.glob("*.py")
    if "__main__" in path.read_text() and path.stem != "__init__"
)


MEASURING = ["decoder", "readout", "measure", "windows", "tables", "errors", "provenance"]
ESTIMATING = ["curves", "block_errors", "log_density", "states", "energy_grid", "wells", "figures"]


def names(command):
    return {path.removeprefix("workflow_scripts/") for path in code_of(command)}


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

LOADED_LATER = {
    f"workflow_scripts/semstat/{name}.py"
    for name in ("cpu_readout", "fused_readout", "readout_kernels")
}
"""Imported by the readout that needs them, since numba and Triton take long to load."""


def test_what_python_loads_is_what_is_listed():
    """The walk over imports against the interpreter's own account of what it loaded."""
    run = [sys.executable, "-c", LOADED, *COMMANDS]
    loaded = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    for command, files in loaded.items():
        paths = {str(Path(file).relative_to(ROOT)) for file in files}
        listed = set(code_of(command))
        assert {path for path in paths if "__init__" not in path} == listed - LOADED_LATER


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
        for path in code_of(command)
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "torch" not in imported and "transformers" not in imported


WITHOUT_A_MODEL = ["record_job", "count_states", "estimate_curves", "tabulate", "compare_curves"]
WITHOUT_A_MODEL += ["describe_mechanics", "sum_trajectories", "plot_curves", "plot_wells"]


def test_start_up_loads_nothing_that_a_table_does_not_need():
    """Nor scipy.stats, half a second in which to look up two quantiles."""
    heavy = "{'torch', 'transformers', 'safetensors', 'scipy.stats', 'pandas'}"
    imports = ", ".join(f"workflow_scripts.{command}" for command in WITHOUT_A_MODEL)
    run = [
        sys.executable,
        "-c",
        f"import sys, {imports}; print(sorted({heavy} & {{*sys.modules}}))",
    ]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_figures_do_not_depend_on_how_curves_are_estimated():
    for command in ("plot_curves", "plot_layer_map"):
        assert not names(command) & {"semstat/curves.py", "semstat/wells.py", "semstat/states.py"}
        assert "semstat/figures.py" in names(command)


def test_the_digest_is_that_of_the_files_wherever_the_checkout_lies(monkeypatch, tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "clone" / PACKAGE.name)
    here = {command: digest_of_code(command) for command in ("count_states", "plot_wells")}
    assert here["count_states"] != here["plot_wells"]
    monkeypatch.setattr(jobs, "PACKAGE", tmp_path / "clone" / PACKAGE.name)

    def there():
        digest_of_code.cache_clear()
        return {command: digest_of_code(command) for command in here}

    assert there() == here
    with (jobs.PACKAGE / "semstat/states.py").open("a") as file:  # the one uses it, the other not
        file.write("# edited")
    edited = there()
    assert edited["count_states"] != here["count_states"]
    assert edited["plot_wells"] == here["plot_wells"]
    digest_of_code.cache_clear()


def test_an_unknown_command_is_an_error():
    with pytest.raises(FileNotFoundError, match="no_such_command"):
        code_of("no_such_command")
