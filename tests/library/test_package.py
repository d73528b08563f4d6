"""What pip installs: semstat alone, typed, light, and sure of what it is."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from tests.runs import REPO

PYPROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
SEMSTAT = REPO / "workflow_scripts" / "semstat"
PACKAGED = ["pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "workflow_scripts", "tests"]


def python(*arguments: str | Path, cwd: Path, check: bool = True, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PIP_NO_INDEX": "1", "PYTHONPATH": ""} | environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 or not check, run.stdout + run.stderr
    return run.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    python("-m", "pip", *arguments, "--no-deps", "--no-build-isolation", "--quiet", cwd=cwd)


@pytest.fixture(scope="session")
def source(once: Callable[..., Path]) -> Path:
    """A copy of the checkout: building leaves folders in its source."""

    def fill(folder: Path) -> None:
        for name in PACKAGED:
            if (REPO / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")
                shutil.copytree(REPO / name, folder / name, ignore=ignored)
            else:
                shutil.copyfile(REPO / name, folder / name)

    return once("package", lambda folder: (folder.mkdir(), fill(folder)))


@pytest.fixture(scope="session")
def wheel(source: Path, once: Callable[..., Path]) -> Path:
    folder = once("wheel", lambda folder: pip("wheel", source, "--wheel-dir", folder, cwd=source))
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(wheel: Path, once: Callable[..., Path]) -> Path:
    """The library in a folder of a virtual environment, which lies in a repository of its user."""

    def fill(folder: Path) -> None:
        folder.mkdir()
        user = ["-c", "user.name=user", "-c", "user.email=user@example.org"]
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
        commit = ["git", *user, "commit", "--quiet", "--allow-empty", "--message=theirs"]
        subprocess.run(commit, cwd=folder, check=True)
        pip("install", wheel, "--target", folder / "venv" / "site-packages", cwd=folder)

    return once("user", fill) / "venv" / "site-packages"


def test_the_version_stands_in_one_place(wheel: Path) -> None:
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text())
    changes = (REPO / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] – (\d{4}-\d{2}-\d{2})$", changes, re.MULTILINE)
    assert released[0] == (PROJECT["version"], citation["date-released"])
    assert citation["version"] == PROJECT["version"]
    assert wheel.name == f"semantic_statistics-{PROJECT['version']}-py3-none-any.whl"


def test_the_wheel_holds_the_library_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    code = {name for name in names if ".dist-info/" not in name}
    expected = {path for pattern in ("*.py", "py.typed") for path in SEMSTAT.rglob(pattern)}
    assert code == {path.relative_to(SEMSTAT.parent).as_posix() for path in expected}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_distribution_holds_no_tests_and_no_commands(source: Path) -> None:
    code = "from setuptools import build_meta; print(build_meta.build_sdist('dist'))"
    made = python("-c", code, cwd=source).split()[-1]
    listed = subprocess.run(
        ["tar", "tzf", source / "dist" / made], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files = [name.partition("/")[2] for name in listed if not name.endswith("/")]
    assert "workflow_scripts/semstat/py.typed" in files and "LICENSE" in files
    scripts = [name for name in files if name.endswith(".py")]
    assert scripts and all(name.startswith("workflow_scripts/semstat/") for name in scripts)


def test_it_is_built_here_as_anywhere() -> None:
    (builder,) = PYPROJECT["build-system"]["requires"]
    assert f"\n{builder} " in (REPO / "envs/requirements-dev.txt").read_text()
    assert version("setuptools") == builder.partition("==")[2]


def test_dependencies_are_what_it_imports_and_what_is_tested() -> None:
    imported: set[str] = set()
    for path in SEMSTAT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).split(".")[0])
    needed = {
        requirement.name: requirement for requirement in map(Requirement, PROJECT["dependencies"])
    }
    optional = {"triton"}  # torch's CUDA build brings it
    assert imported - set(sys.stdlib_module_names) - optional == set(needed)
    pinned = dict(
        re.findall(r"^(\w+)==([\w.]+)", (REPO / "envs/requirements.txt").read_text(), re.M)
    )
    for name, requirement in needed.items():
        assert requirement.specifier.contains(pinned[name])
        (bound,) = requirement.specifier
        assert Version(pinned[name]).release[:2] == Version(bound.version).release


@pytest.mark.parametrize("package", ["semstat", "workflow_scripts.semstat"])
def test_curves_need_neither_torch_nor_matplotlib(package: str, installed: Path) -> None:
    place = installed if package == "semstat" else REPO
    code = f"""
import sys, {package}, {package}.notebook, {package}.provenance
from {package}.notebook import curves_of
curves = curves_of([-0.5, -0.2, 0.0, 0.1, 0.3, 0.7], [0, 0, 0, 1, 1, 1])
heavy = {{"torch", "transformers", "matplotlib", "numba", "pandas"}}
print(curves.states, sorted(heavy & set(sys.modules)))
print(sys.modules[{package!r}].__file__)
"""
    said = python("-c", code, cwd=installed.parent, PYTHONPATH=str(place)).splitlines()
    assert said[0] == "6 []"
    assert Path(said[1]).is_relative_to(place)


def test_every_module_imports_under_its_installed_name(installed: Path) -> None:
    """No import in it goes through the workflow's package."""
    code = """
import importlib, pkgutil, sys, semstat
for module in pkgutil.walk_packages(semstat.__path__, "semstat."):
    if not module.name.endswith("_kernels"):  # Triton's, which need a GPU's torch
        importlib.import_module(module.name)
print("workflow_scripts" in sys.modules)
"""
    assert python("-c", code, cwd=installed, PYTHONPATH=str(installed)).strip() == "False"


SOFTWARE = "from {package}.provenance import software; print(software()['commit'])"


def test_installed_it_says_its_version_and_not_the_commit_of_its_users(installed: Path) -> None:
    said = python(
        "-c", SOFTWARE.format(package="semstat"), cwd=installed, PYTHONPATH=str(installed)
    )
    assert said.strip() == f"version {PROJECT['version']}"


def test_installed_from_a_repository_it_says_the_commit_that_pip_fetched(
    installed: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "site-packages"
    shutil.copytree(installed, copy)
    (information,) = copy.glob("*.dist-info")
    source: dict[str, Any] = {"url": "https://example.org/it.git"}
    source["vcs_info"] = {"vcs": "git", "commit_id": "c0ffee" * 6}
    (information / "direct_url.json").write_text(json.dumps(source))
    code = SOFTWARE.format(package="semstat")
    assert python("-c", code, cwd=tmp_path, PYTHONPATH=str(copy)).strip() == "c0ffee" * 6


def test_a_copy_without_git_knows_no_commit_whatever_is_installed(
    source: Path, installed: Path, tmp_path: Path
) -> None:
    shutil.copytree(source / "workflow_scripts", tmp_path / "workflow_scripts")
    code = SOFTWARE.format(package="workflow_scripts.semstat")
    path = os.pathsep.join(map(str, [tmp_path, installed]))
    assert python("-c", code, cwd=tmp_path, PYTHONPATH=path).strip() == "unknown"


def test_an_editable_install_gives_the_checkout_and_no_room_of_commands(
    source: Path, tmp_path: Path
) -> None:
    pip("install", "--editable", source, "--prefix", tmp_path, cwd=tmp_path)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    code = f"""
import importlib.util, site
site.addsitedir({str(site)!r})
import semstat
print(semstat.__file__, [n for n in ("energies", "running") if importlib.util.find_spec(n)])
"""
    said = python("-c", code, cwd=tmp_path).strip()
    assert said == f"{source / 'workflow_scripts/semstat/__init__.py'} []"


def test_a_script_that_uses_it_is_checked_against_its_types(
    installed: Path, tmp_path: Path
) -> None:
    """In a virtual environment where it is installed; py.typed tells mypy to look into it."""
    python("-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    (site,) = tmp_path.glob("venv/lib/python*/site-packages")
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (site / "libraries.pth").write_text("\n".join([str(installed), *libraries]))
    script = tmp_path / "script.py"
    script.write_text(
        "from semstat.notebook import curves_of, plot_curves\n"
        "curves = curves_of([0.1, 0.2], [0, 1])\n"
        "reveal_type(curves.entropy.value)\n"
        "plot_curves(curves)\n"
    )
    settings = tmp_path / "mypy.ini"
    settings.write_text("[mypy]\nstrict = true\n[mypy-torch.*]\nfollow_imports = skip\n")
    checker = ["-m", "mypy", f"--config-file={settings}", f"--cache-dir={tmp_path / 'cache'}"]
    interpreter = f"--python-executable={tmp_path / 'venv/bin/python'}"
    said = python(*checker, interpreter, script, cwd=tmp_path, check=False)
    assert re.search(r'script.py:3: note: Revealed type is "numpy.ndarray', said), said
    assert re.search(r'script.py:4: error: .*plot_curves.* incompatible type "Curves"', said), said
    assert "Found 1 error in 1 file" in said
