"""What an edit of the code makes run again: what depends on it, and nothing else.

By the jobs that a dry run announces, compared as sets, so that one too many fails as well as one
too few; and by what a run does. (test_code.py has it command by command, by their digests.)
"""

import subprocess
import sys

import pytest

from tests.running.jobs import (
    COMPARISONS,
    SUMMARY,
    about,
    after_counting,
    after_measuring,
    after_tokenizing,
    curves_and_figures,
    figures,
    from_tokens_of,
)
from tests.running.test_code import SAID


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def edit_code(place, name):
    """Have a file of workflow_scripts/ do something else, which changes no result."""
    path = place.clone / "workflow_scripts" / name
    path.write_text(f"{path.read_text()}\nEDITED = 1\n")
    return path


EDITS = {
    # Sources, ensembles and other plugs.
    "sources/copy_local_model.py": lambda jobs: jobs - {"Fetching corpus text"},
    "sources/draw_random_model.py": lambda jobs: about(jobs, "tiny-random") | COMPARISONS,
    "sources/read_local_corpus.py": lambda jobs: {
        job for job in jobs if not job.startswith("Fetching model")
    },
    "tokens/tokenize_corpus.py": lambda jobs: from_tokens_of(jobs, "text"),
    "tokens/ensembles/shuffled.py": lambda jobs: from_tokens_of(jobs, "text-shuffled"),
    "tokens/documents.py": after_tokenizing,
    # What runs a model.
    "semstat/energies/readout.py": after_measuring,
    "semstat/models/decoder.py": after_measuring,
    "semstat/models/windows.py": after_measuring,
    # Estimators.
    "semstat/statistics/block_errors.py": curves_and_figures,
    "semstat/thermodynamics/curves.py": curves_and_figures,
    "semstat/thermodynamics/wells.py": curves_and_figures,
    # Figures and tables.
    "semstat/figures.py": figures,
    "thermodynamics/plot_curves.py": lambda jobs: {
        job for job in jobs if job.startswith("Drawing curves")
    },
    "running/tabulate.py": lambda jobs: about(jobs, "Tabulating") - SUMMARY,
    # Schemas.
    "semstat/tokens/tables.py": after_tokenizing,
    "semstat/energies/columns.py": after_measuring,
    "semstat/thermodynamics/tables.py": after_counting,
}
"""What runs again when a file of workflow_scripts/ is edited."""


@pytest.mark.parametrize("name", EDITS)
def test_code_edited(altered, everything, name):
    edit_code(altered, name)
    assert altered.would_run() == EDITS[name](everything)


OF_OTHERS = [
    "configuration/study.py",
    "decoding/continuing.py",
    "generation/generate_tokens.py",
    "lenses/measure_through_lens.py",
    "running/jobs.py",
    "running/records.py",
    "semstat/lenses/tuned_lens.py",
    "semstat/mechanics/conservation.py",
    "semstat/steering/tables.py",
    "sources/fetch_hub_model.py",
    "sources/stream_hub_corpus.py",
    "tokens/ensembles/repeated.py",
]
"""Sources, ensembles, stages and machinery that no job of the tiny study is made by."""


def test_code_of_another_source_ensemble_or_stage_edited(altered):
    for name in OF_OTHERS:
        edit_code(altered, name)
    assert altered.would_run() == set()


def test_what_the_code_only_says_edited(altered):
    """Comments, docstrings, errors' sentences, log lines, layout."""
    for name, old, new in SAID.values():
        edit(altered.clone / "workflow_scripts" / name, old, new)
    assert altered.would_run() == set()
    assert altered.run() == set()


def test_code_reformatted(altered):
    path = altered.clone / "workflow_scripts"
    before = (path / "semstat/models/decoder.py").read_text()
    reformat = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=60", path]
    subprocess.run(reformat, check=True, capture_output=True)
    assert (path / "semstat/models/decoder.py").read_text() != before
    assert altered.would_run() == set()


def test_an_edit_reverted(altered):
    path = edit_code(altered, "semstat/energies/readout.py")
    edit(path, "\nEDITED = 1\n", "")
    assert altered.would_run() == set()


def test_an_edited_command_run(altered):
    """Its digest stands in the shell command, by which Snakemake tells."""
    edit_code(altered, "thermodynamics/plot_wells.py")
    assert altered.would_run() == {"Drawing repetition wells"}
    assert altered.run() == {"Drawing repetition wells"}
    assert altered.run() == set()


def test_an_edited_estimator_run(altered, everything):
    """Nothing is measured again; and nothing drawn, since the numbers are what they were."""
    edit_code(altered, "semstat/statistics/block_errors.py")
    energies = list((altered.work / "results/energies").rglob("*.parquet"))
    dates = [path.stat().st_mtime_ns for path in energies]
    found = altered.run("results/wells.csv")
    assert found == curves_and_figures(everything) - figures(everything) - SUMMARY
    assert [path.stat().st_mtime_ns for path in energies] == dates
    assert altered.would_run() == set()
