"""A command's code is what it imports and does, so that an edit reruns what depends on it."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_scripts.running import code
from workflow_scripts.running.code import PACKAGE, SPEECH, code_of, digest_of_code

ROOT = PACKAGE.parent
COMMANDS = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if "\n    run(" in path.read_text()
)

RUNNING_A_MODEL = {
    "attention.measure_attention",
    "energies.measure_energies",
    "lenses.measure_through_lens",
    "lenses.train_lens",
    "periods.measure_loops",
    "generation.generate_tokens",
    "criticality.write_texts",
    "criticality.write_null",  # written by what writes a model's texts
    "steering.steer_states",
}
CUTTING = {"periods.describe_periods", "periods.describe_onsets", "periods.describe_found"}
"""What cuts windows once more, to find in which place of one a rival was; the energies that it
takes are measured anew by the same edit."""

METHODS = {command for command in COMMANDS if ".methods." in command}
SCHEDULES = {command for command in COMMANDS if command.startswith("generation.schedules.")}
OBJECTIVES = {command for command in COMMANDS if command.startswith("training.objectives.")}
SPACES = {command for command in COMMANDS if command.startswith("volumes.spaces.")}
OF_SPHERES = {command for command in SPACES if command.endswith("sphere")}
OF_STATES = {command for command in SPACES if command.endswith("gaussian")}
RUNNING_A_MODEL |= METHODS | SCHEDULES | OBJECTIVES | SPACES
RUNNING_A_MODEL |= {"volumes.measure_axes", "volumes.measure_distances"}
STARTING = {"training.draw_start", "training.take_checkpoint"}
"""What makes a snapshot beside the sources and the trainings."""
FETCHING = {command for command in COMMANDS if command.startswith("sources.")}
TOKENIZING = {"tokens.tokenize_corpus"} | {
    command for command in COMMANDS if command.startswith("tokens.ensembles.")
}
DRAWING = {command for command in COMMANDS if ".plot_" in command}


def names(command):
    return {path.removeprefix("workflow_scripts/") for path in code_of(command)}


def test_all_commands_are_found():
    assert set(COMMANDS) >= RUNNING_A_MODEL and len(FETCHING) >= 7
    assert {"thermodynamics.count_states", "running.tabulate"} <= set(COMMANDS)
    assert {"tokens.ensembles.shuffled", "thermodynamics.plot_curves"} <= set(COMMANDS)


# What is listed.


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
    f"workflow_scripts/semstat/energies/{name}.py"
    for name in ("cpu_readout", "fused_readout", "readout_kernels", "speed_kernel")
}
"""Imported by what needs them, since numba and Triton take long to load."""


def test_what_python_loads_is_what_is_listed():
    """The walk over imports against the interpreter's own account of what it loaded."""
    run = [sys.executable, "-c", LOADED, *COMMANDS]
    loaded = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    unlisted = {f"workflow_scripts/{name}" for name in SPEECH}
    for command, files in loaded.items():
        paths = {str(Path(file).relative_to(ROOT)) for file in files}
        assert paths - unlisted == set(code_of(command)) - LOADED_LATER, command


def test_no_package_binds_names():
    """A package's own code is hashed like any other; it is a docstring and nothing else."""
    for path in PACKAGE.rglob("__init__.py"):
        (docstring,) = ast.parse(path.read_text()).body
        assert isinstance(docstring.value.value, str)


def test_what_comes_before_an_error_bar_or_a_figure_depends_on_none():
    """Editing an estimator or a figure reruns no job that fetches, tokenizes or runs a model."""
    for command in RUNNING_A_MODEL | FETCHING | TOKENIZING | STARTING:
        for name in names(command):
            assert not name.startswith(("semstat/statistics/", "semstat/thermodynamics/")), command
            assert not name.endswith(("figures.py", "/description.py", "/tables.py")) or name in {
                "semstat/tables.py",
                "semstat/sources/tables.py",
                "semstat/tokens/tables.py",
                "semstat/energies/tables.py",
            }, (command, name)


@pytest.mark.parametrize("command", sorted(FETCHING))
def test_a_source_depends_on_no_other(command):
    others = {f"{other.replace('.', '/')}.py" for other in FETCHING - {command}}
    assert not names(command) & others
    assert "semstat/tokens/tables.py" not in names(command)
    assert "semstat/energies/tables.py" not in names(command)


def test_an_ensemble_depends_on_no_other():
    for command in TOKENIZING:
        assert len({name for name in names(command) if "/ensembles/" in name} - {INIT}) <= 1


@pytest.mark.parametrize("room", ["methods", "schedules"])
def test_a_method_of_writing_depends_on_no_other(room):
    for command in METHODS if room == "methods" else SCHEDULES:
        stage = command.partition(".")[0]
        parts = {f"{stage}/{room}", f"semstat/{stage}/{room}"}
        found = [path for name in names(command) if str((path := Path(name)).parent) in parts]
        assert {path.parent for path in found} and len(found) <= 4, command
        for part in parts:
            own = {path for path in found if str(path.parent) == part} - {Path(part, "__init__.py")}
            assert len(own) <= 1, (command, own)


INIT = "tokens/ensembles/__init__.py"


def test_an_objective_of_training_depends_on_no_other():
    kinds = {command.rpartition(".")[2] for command in OBJECTIVES}
    for command in OBJECTIVES:
        stems = {Path(name).stem for name in names(command)}
        assert stems & kinds <= {command.rpartition(".")[2], "cross_entropy"}, command


def test_energies_by_the_logit_lens_depend_on_no_lens():
    assert not {name for name in names("energies.measure_energies") if "lenses" in name}


def test_figures_and_tables_do_not_depend_on_how_their_numbers_are_estimated():
    estimators = ("block_errors", "curves", "wells", "description", "conservation", "comparison")
    for command in DRAWING | {"running.tabulate"}:
        found = {name.rpartition("/")[2].removesuffix(".py") for name in names(command)}
        assert not found & set(estimators), command
    assert not {name for name in names("running.tabulate") if "/tables.py" in name} - {
        "semstat/tables.py"
    }


def test_what_comes_after_the_gpu_stage_does_not_depend_on_it():
    """Editing how a model is run reruns no count, curve, table or figure by itself."""
    for command in set(COMMANDS) - RUNNING_A_MODEL - FETCHING - TOKENIZING - STARTING:
        running = {"semstat/models/decoder.py", "semstat/models/replay.py", "models/loading.py"}
        running |= {f"semstat/energies/{name}.py" for name in ("measure", "readout", "tiles")}
        assert not names(command) & running, command
        imported = {
            alias.name.partition(".")[0]
            for path in code_of(command)
            for node in ast.walk(ast.parse((ROOT / path).read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert "torch" not in imported and "transformers" not in imported, command


HEAVY = {"torch", "transformers", "safetensors", "scipy.stats", "pandas"}


def test_start_up_loads_nothing_that_a_table_does_not_need():
    """Nor scipy.stats, half a second in which to look up two quantiles."""
    light = [*DRAWING, "running.tabulate", "running.record_job"]
    light += [command for command in COMMANDS if command.split(".")[1].startswith(("count", "sum"))]
    light += [command for command in COMMANDS if ".describe_" in command or "curves" in command]
    imports = ", ".join(f"workflow_scripts.{command}" for command in light)
    run = [
        sys.executable,
        "-c",
        f"import sys, {imports}; print(sorted({HEAVY} & {{*sys.modules}}))",
    ]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"


# What an edit changes.


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package, and the digests of its commands."""
    folder = tmp_path_factory.mktemp("clone") / PACKAGE.name
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code, "PACKAGE", folder)
        yield folder, digests()
    forget()


@pytest.fixture
def package(copy):
    """The copy, to be edited; what is edited is put back."""
    folder, _ = copy
    yield folder
    for path in EDITED:
        shutil.copyfile(PACKAGE / path.relative_to(folder), path)
    EDITED.clear()


EDITED: list[Path] = []


def forget():
    digest_of_code.cache_clear()
    code._read.cache_clear()


def digests():
    forget()
    return {command: digest_of_code(command) for command in COMMANDS}


def edited(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    EDITED.append(path)
    path.write_text(text.replace(old, new, 1))


EDIT = ("from __future__", "EDITED = 1\nfrom __future__")


@pytest.fixture
def changed_by(copy, package):
    """Tells the commands whose digests an edit changes."""

    def changed(name, old, new):
        edited(package / name, old, new)
        before, after = copy[1], digests()
        return {command for command in COMMANDS if before[command] != after[command]}

    return changed


def test_the_digest_is_that_of_the_files_wherever_the_checkout_lies(copy, monkeypatch):
    there = copy[1]
    monkeypatch.setattr(code, "PACKAGE", PACKAGE)
    assert digests() == there
    assert len(set(there.values())) == len(COMMANDS)


SAID = {
    "a comment": ("running/records.py", "from __future__", "# said\nfrom __future__"),
    "a docstring": ("semstat/models/decoder.py", "Everything is read off", "All is read off"),
    "an attribute's docstring": ("models/loading.py", "Positions in one forward", "Tokens in one"),
    "an error's sentence": ("models/loading.py", "set it to auto or cpu", "set it to cpu"),
    "a key to blame": ("models/loading.py", "blamed_on(running.key,", "blamed_on('models',"),
    "a remedy": ("models/loading.py", "set its dtype to float32, or", "take float32, or"),
    "a log line": ("semstat/energies/measure.py", "going on with %d tokens", "now %d tokens"),
    "how a command speaks": ("running/command.py", '"unit_scale": True', '"unit_scale": False'),
    "layout": ("semstat/energies/measure.py", "\n\ndef ", "\n\n\n\ndef "),
}


@pytest.mark.parametrize("what", SAID)
def test_what_the_code_only_says_changes_nothing(changed_by, what):
    name, old, new = SAID[what]
    assert changed_by(name, old, new) == set()


EDITS = {
    "an estimator": "semstat/statistics/block_errors.py",
    "curves": "semstat/thermodynamics/curves.py",
    "error bars of steering": "semstat/steering/description.py",
    "error bars of decoding": "semstat/decoding/description.py",
    "a figure": "semstat/figures.py",
    "columns of curves": "semstat/thermodynamics/tables.py",
    "columns of effects": "semstat/steering/tables.py",
    "columns of decodings": "semstat/decoding/tables.py",
}


@pytest.mark.parametrize("what", EDITS)
def test_what_a_model_job_does_not_use_reruns_none(changed_by, what):
    found = changed_by(EDITS[what], *EDIT)
    assert found, "nothing depends on it"
    assert not found & (RUNNING_A_MODEL | FETCHING | TOKENIZING)


PLUGS = {
    "sources/fetch_hub_model.py": {"sources.fetch_hub_model"},
    "sources/stream_hub_corpus.py": {"sources.stream_hub_corpus"},
    "tokens/ensembles/uniform.py": {"tokens.ensembles.uniform"},
    "semstat/tokens/uniform.py": {"tokens.ensembles.uniform"},
    "generation/generate_tokens.py": {"generation.generate_tokens"},
    "decoding/methods/nucleus.py": {"decoding.methods.nucleus"},
    "semstat/decoding/dry.py": {"decoding.methods.dry"},
    "semstat/decoding/beams.py": {"decoding.methods.beams"},
    "training/objectives/ditto.py": {"training.objectives.ditto"},
    "semstat/training/unlikelihood.py": {"training.objectives.unlikelihood"},
    "semstat/training/packing.py": OBJECTIVES,
    "training/starts.py": {"training.draw_start"},
    "lenses/measure_through_lens.py": {"lenses.measure_through_lens"},
    "semstat/volumes/sphere.py": OF_SPHERES | {"volumes.measure_distances"},
    "semstat/volumes/like_states.py": OF_STATES | {"volumes.measure_distances"},
    "semstat/volumes/last_tokens.py": {"volumes.spaces.tokens"},
    "semstat/volumes/distances.py": {"volumes.measure_distances"},
    "semstat/volumes/nested_sampling.py": SPACES,
    "semstat/volumes/axes.py": OF_STATES | {"volumes.measure_axes", "volumes.measure_distances"},
    "semstat/sources/tables.py": {c for c in FETCHING if "corpus" in c}
    | TOKENIZING
    | {"generation.generate_tokens", "training.draw_start"},
}
"""What an edit of a plug, or of a table's columns, changes, and nothing else."""


@pytest.mark.parametrize("name", PLUGS)
def test_a_plug_reruns_its_own_jobs(changed_by, name):
    assert changed_by(name, *EDIT) == PLUGS[name]


def test_a_column_of_the_energies_is_no_matter_of_models_and_corpora(changed_by):
    found = changed_by("semstat/energies/tables.py", *EDIT)
    assert {"energies.measure_energies", "thermodynamics.count_states"} <= found
    assert not found & (FETCHING | TOKENIZING)


@pytest.mark.parametrize(
    ("name", "more"), [("decoder", set()), ("windows", CUTTING)], ids=["decoder", "windows"]
)
def test_an_edit_of_what_a_model_job_does_reruns_it(changed_by, name, more):
    assert changed_by(f"semstat/models/{name}.py", *EDIT) == RUNNING_A_MODEL | more


def test_an_edit_reverted_is_none(changed_by):
    name = "semstat/energies/readout.py"
    assert changed_by(name, *EDIT)
    assert changed_by(name, "EDITED = 1\n", "") == set()


# What cannot be found is an error.


def test_an_unknown_command_is_an_error():
    with pytest.raises(ModuleNotFoundError, match="no_such_command"):
        code_of("thermodynamics.no_such_command")


@pytest.mark.parametrize(
    "line",
    [
        "from ..semstat.nowhere import x",
        "from ..semstat import nowhere",
        "from . import nowhere",
        "import workflow_scripts.nowhere",
        "from workflow_scripts.nowhere import x",
    ],
)
def test_an_import_of_what_is_not_there_is_an_error(package, line):
    path = package / "thermodynamics/count_states.py"
    edited(path, "from pathlib", f"{line}\nfrom pathlib")
    forget()
    with pytest.raises(ModuleNotFoundError, match=r"count_states\.py.*nowhere"):
        code_of("thermodynamics.count_states")


@pytest.mark.parametrize(
    "line", ["import workflow_scripts.verify", "from workflow_scripts import verify"]
)
def test_an_absolute_import_is_followed(package, line):
    path = package / "thermodynamics/count_states.py"
    edited(path, "from pathlib", f"{line}\nfrom pathlib")
    forget()
    assert "workflow_scripts/verify.py" in code_of("thermodynamics.count_states")


def test_code_of_an_init_file_counts(changed_by):
    found = changed_by("semstat/__init__.py", '"""', 'EDITED = 1\n"""')
    assert found == set(COMMANDS)
