"""What a change of configuration or files makes run again: what depends on it, and nothing else.

By the jobs that a dry run announces, compared as sets, so that one too many fails as well as one
too few; and, where it matters most, by what a run does.
"""

import copy
import os
import re

import pytest
import yaml

from tests.running.jobs import (
    COMPARISONS,
    SUMMARY,
    WELLS,
    about,
    after_measuring,
    curves_and_figures,
    figures,
    shown,
)
from tests.runs import TINY_STUDY, Place, clone
from tests.tiny import save_tiny_model

MODELS = list(TINY_STUDY["models"])


@pytest.fixture
def study():
    return copy.deepcopy(TINY_STUDY)


def touch_all(*folders):
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and ".snakemake" not in path.parts:
                os.utime(path)


# Nothing.


def test_nothing_changed(finished):
    assert finished.would_run() == set()


def test_every_file_touched(altered):
    touch_all(altered.clone, altered.work)
    assert altered.would_run() == set()


def test_a_fresh_clone_beside_old_results(altered, tmp_path_factory):
    """At another path, with new dates, and with the results moved into it."""
    fresh = Place.under(tmp_path_factory.mktemp("elsewhere") / "deeper")
    clone(fresh.clone)
    altered.work.rename(fresh.work)
    assert fresh.would_run() == set()


def test_keys_of_the_yaml_reordered(altered, study):
    def reordered(value):
        if isinstance(value, dict):
            return {key: reordered(value[key]) for key in reversed(value)}
        return value

    for kind in ("models", "datasets"):  # their own order is that of lines in figures
        study[kind] = {name: reordered(entry) for name, entry in study[kind].items()}
    study = dict(reversed(study.items()))
    assert list(study) == list(TINY_STUDY)[::-1]
    assert altered.would_run(study=study) == set()


def test_where_and_with_what_it_runs(altered, study):
    study["measurement"]["device"] = "cpu"
    options = ["--cores=1", "--set-threads=measure_energies_tiny=1", "--set-resources"]
    options += ["measure_energies_tiny:batch_tokens=64", "measure_energies_tiny:slurm_partition=x"]
    options += ["count_states:mem_mb=100"]
    assert altered.would_run(*options, study=study) == set()


def test_a_default_written_out(altered, study):
    study["measurement"] |= {"dtype": "float32", "readout": "logit_lens", "attention": "auto"}
    study["datasets"]["text"]["text_column"] = "text"
    study["curves"] |= {"confidence": 0.95, "seed": 0}
    assert altered.would_run(study=study) == set()


# Science added or changed.


def test_a_model_added(altered, study, everything):
    save_tiny_model(altered.work / "inputs/other", seed=1)
    study["models"]["other"] = study["models"]["tiny"] | {"path": "inputs/other"}
    its_own = {re.sub(r"\btiny\b", "other", job) for job in about(everything, "tiny")}
    assert altered.would_run(study=study) == its_own | COMPARISONS


def test_a_shard_added(altered, study, everything):
    study["datasets"]["text"]["shards"] = 3
    new = {
        f"{what} shard 2{of}"
        for model in MODELS
        for what, of in [
            ("Tokenizing text,", f", for {model}"),
            (f"Measuring energies of {model} on text,", ""),
            (f"Counting states of {model} on text,", ""),
        ]
    }
    sums = {f"Estimating curves of {model} on text" for model in MODELS}
    planned = altered.would_run(study=study)
    texts = shown(about(everything, "text"))
    assert planned == new | sums | texts | figures(everything) | WELLS

    old = list((altered.work / "results/energies").rglob("*.parquet"))
    dates = [path.stat().st_mtime_ns for path in old]
    to_look_at = figures(planned) | texts | SUMMARY
    assert altered.run("results/wells.csv") == planned - to_look_at
    assert [path.stat().st_mtime_ns for path in old] == dates
    assert altered.would_run() == to_look_at


def test_a_dataset_added(altered, study, everything):
    study["datasets"]["text-again"] = study["datasets"]["text-shuffled"] | {"seed": 1}
    shuffled = about(everything, "text-shuffled")
    its_own = {job.replace("text-shuffled", "text-again") for job in shuffled}
    assert len(its_own) == 5 * len(MODELS)
    assert altered.would_run(study=study) == its_own | figures(everything) | WELLS


def test_a_layer_added(altered, study, everything):
    study["models"]["tiny-random"]["layers"] = [0, 1, 2, 3]
    own = about(after_measuring(everything), "tiny-random")
    assert altered.would_run(study=study) == own | COMPARISONS


def test_a_model_removed(altered, study):
    del study["models"]["tiny-random"]
    assert altered.would_run(study=study) == COMPARISONS


def test_more_resamples(altered, study, everything):
    study["curves"]["resamples"] = 60
    assert altered.would_run(study=study) == curves_and_figures(everything)


def test_another_context(altered, study, everything):
    study["models"]["tiny-random"]["context"] = 40
    own = about(after_measuring(everything), "tiny-random")
    assert altered.would_run(study=study) == own | COMPARISONS


def test_another_text(altered, everything):
    (altered.work / "inputs/texts/00.txt").write_text("something else altogether")
    planned = altered.would_run()
    assert planned == {job for job in everything if not job.startswith("Fetching model")}


def test_other_weights_at_the_same_path(altered, everything):
    save_tiny_model(altered.work / "inputs/tiny", seed=2)
    assert altered.would_run() == everything - {"Fetching corpus text"}


def test_a_result_lost(altered, everything):
    """One file of curves deleted: those of its ensemble, and the figures that show it."""
    (altered.work / "results/curves/model=tiny/dataset=text/layer=3.parquet").unlink()
    lost = {"Estimating curves of tiny on text", "Drawing curves across layers of tiny"}
    lost |= {"Drawing curves of tiny across datasets"} | COMPARISONS
    assert altered.would_run() == lost


def test_the_study_as_it_was_written(altered):
    """What the tests compare with is what the run has used."""
    assert yaml.safe_load((altered.work / "study.yaml").read_text()) == TINY_STUDY
