"""What stands in a user's environment and folder does not reach the numbers."""

import os
import sys
from pathlib import Path

from tests.runs import NO_NETWORK, said
from workflow_scripts.running.jobs import UNWANTED, prepare_environment

SHADOWS = ["datasets", "numpy", "random", "semstat", "tokenizers", "types"]


def test_files_named_like_modules_and_stripped_docstrings(pristine, tmp_path):
    place = pristine.copy(tmp_path)
    for name in SHADOWS:
        (place.work / f"{name}.py").write_text("raise SystemExit('taken for a module')\n")
    command = [Path(sys.executable).with_name("snakemake"), f"--snakefile={place.clone}/Snakefile"]
    command += ["--configfile=study.yaml", "--cores=2", "--"]
    command += ["results/tokens/model=tiny/dataset=text-shuffled/shard=0.parquet"]
    found = said(command, place.work, NO_NETWORK | {"PYTHONOPTIMIZE": "2"})
    assert found.code == 0 and "taken for" not in found.text, found.text


def test_float32_is_float32(monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for variable in UNWANTED:
        os.environ[variable] = "1"
    prepare_environment()
    assert not set(UNWANTED) & set(os.environ) and os.environ["PYTHONSAFEPATH"] == "1"
