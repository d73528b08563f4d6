"""The whole workflow on a real SLURM, undisturbed and through a bad night."""

from __future__ import annotations

import os
import re
import shutil
from typing import NamedTuple

import pytest
import yaml
from filelock import FileLock

from tests.runs import REPO, TINY_STUDY, TOKEN, Place, announced
from tests.slurm.cluster import (
    ONE_AT_A_TIME,
    Cluster,
    Run,
    assert_nothing_left,
    obstacle,
    place_for,
    start_run,
    tables,
    text_alone,
)
from tests.slurm.night import bad_night
from workflow_scripts.running.slurm_jobs import RUNS, orphans


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A real SLURM, started for this file and stopped after it; one at a time on a machine."""
    if reason := obstacle():
        if os.environ.get("REQUIRE_SLURM"):
            pytest.fail(f"REQUIRE_SLURM is set, but {reason}")
        pytest.skip(reason)
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    with FileLock(ONE_AT_A_TIME):
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


# Undisturbed.


CURVES = "curves_estimate_curves_smollm2-135m_estimate_curves_tiny"
"""Group of jobs that make curves."""


class Whole(NamedTuple):
    place: Place
    run: Run
    jobs: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def whole(cluster, pristine, smollm2, tmp_path_factory):
    """A run of the whole graph: a tiny random model and SmolLM2, on one short shard."""
    study = text_alone(TINY_STUDY)
    study["datasets"]["text"]["shards"] = 1
    study["models"].pop("tiny-random")
    entry = yaml.safe_load((REPO / "config.yaml").read_text())["models"]["smollm2-135m"]
    study["models"]["smollm2-135m"] = entry | {"layers": [0, 15, 30]}
    place = place_for(pristine, tmp_path_factory.mktemp("whole"), study)
    models = place.work / "results/models"
    shutil.copytree(smollm2, models / "smollm2-135m", copy_function=os.link)
    run = start_run(place, "--verbose", HF_TOKEN=TOKEN)
    assert run.end() == 0, run.text
    return Whole(place, run, cluster.jobs())


def test_every_table_is_that_of_a_local_run(whole, tmp_path_factory):
    place = whole.place.copy(tmp_path_factory.mktemp("local"))
    computed = tables(whole.place)
    assert len(computed) > 10
    for path in (place.work / "results").iterdir():
        if path.name not in ("models", "corpora"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    place.run("results/wells.csv")  # all but the figures
    assert tables(place) == computed


def test_all_jobs_succeeded_and_left_nothing(whole):
    assert {job["JobState"] for job in whole.jobs.values()} == {"COMPLETED"}
    assert_nothing_left(whole.place)


def test_gpu_rules_alone_ask_for_a_gpu(whole):
    for job in whole.jobs.values():
        measures = job["Comment"].startswith("rule_measure_energies")
        assert ("gres:gpu:a100:1" in str(job.values())) == measures, job


def test_a_larger_model_asks_for_more(whole):
    memory = {
        job["Comment"].partition("_wildcards")[0]: int(job["MinMemoryNode"].rstrip("M"))
        for job in whole.jobs.values()
        if "measure" in job["Comment"]
    }
    tiny, smollm2 = (
        memory["rule_measure_energies_tiny"],
        memory["rule_measure_energies_smollm2-135m"],
    )
    # 134.5 M parameters in float32: once in the file, once loaded.
    assert smollm2 - tiny == pytest.approx(2 * 4 * 134.5, rel=0.05)


def test_small_jobs_go_in_groups_and_figures_stay_here(whole):
    rules = sorted(job["Comment"].partition("_wildcards")[0] for job in whole.jobs.values())
    groups = ["counts_count_states", f"{CURVES}_show_lowest_states", "tokens_tokenize_corpus"]
    measures = ["measure_energies_smollm2-135m", "measure_energies_tiny"]
    assert rules == [f"rule_{name}" for name in sorted(groups + measures)]
    assert (whole.place.work / "results" / "figures" / "wells" / "dataset=text.svg").exists()


def test_each_job_has_its_log(whole):
    logs = {path.stem for path in (whole.place.work / "logs" / "slurm").rglob("*.log")}
    assert logs == set(whole.jobs)


def test_a_token_of_the_hub_is_in_no_log(whole):
    """Although jobs that are told to be verbose log their environment."""
    written = [path for path in whole.place.work.rglob("*") if path.is_file()]
    assert any(b"environment" in path.read_bytes() for path in written if "slurm" in path.parts)
    assert [path for path in written if TOKEN.encode() in path.read_bytes()] == []


def test_an_edited_estimator_reruns_what_depends_on_it_and_then_nothing(whole, cluster, tmp_path):
    """The digest of its code stands in the command of the jobs, here as on one machine."""
    place = whole.place.copy(tmp_path)
    code = place.clone / "workflow_scripts/semstat/statistics/block_errors.py"
    code.write_text(f"{code.read_text()}\nEDITED = 1\n")
    before = set(cluster.jobs())
    run = start_run(place)
    assert run.end() == 0, run.text
    (submitted,) = (job for number, job in cluster.jobs().items() if number not in before)
    assert submitted["Comment"].partition("_wildcards")[0] == f"rule_{CURVES}"
    models = ("tiny", "smollm2-135m")
    figures = {f"Drawing curves across layers of {model}" for model in models}
    figures |= {f"Drawing curves of {model} across datasets" for model in models}
    figures |= {"Drawing curves across models", "Drawing repetition wells"}
    curves = {f"Estimating curves of {model} on text" for model in models}
    tables_of_all = {"Tabulating repetition wells", "Tabulating what was found"}
    assert announced(run.text) == curves | figures | tables_of_all
    assert tables(place) == tables(whole.place)

    again = start_run(place)
    assert again.end() == 0, again.text
    assert "Nothing to be done" in again.text
    assert set(cluster.jobs()) == before | {submitted["JobId"]}


def test_an_account_that_slurm_does_not_know_is_one_sentence(cluster, pristine, tmp_path):
    """Not a run that waits for ever for a group that was never submitted.

    This cluster keeps no accounts, so what lists them is a stand-in.
    """
    place = place_for(pristine, tmp_path / "place", text_alone(TINY_STUDY))
    profile = place.clone / "profiles/slurm/config.yaml"
    profile.write_text(profile.read_text().replace('account: ""', "account: nobody"))
    (tmp_path / "sacctmgr").write_text("#!/bin/sh\necho physics\n")
    (tmp_path / "sacctmgr").chmod(0o755)
    run = start_run(place, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert run.end() == 1
    assert "account 'nobody' in the profile: " in run.text
    assert "physics" in run.text, "what there is instead"
    assert "Traceback" not in run.text
    assert not (place.work / "logs/slurm").exists(), "nothing was submitted"


# A bad night.


@pytest.fixture(scope="module")
def night(cluster, pristine, tmp_path_factory):
    place = place_for(pristine, tmp_path_factory.mktemp("night"), text_alone(TINY_STUDY))
    return bad_night(cluster, place, tmp_path_factory.mktemp("failed"))


def test_the_night_ends_with_the_same_bytes(night, finished):
    undisturbed = tables(finished)
    computed = tables(night.place)
    assert len(computed) > 10
    for path, content in computed.items():
        assert content == undisturbed[path], path


def test_the_night_leaves_nothing(night):
    assert_nothing_left(night.place)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("fail", "FAILED"),
        ("kill", "FAILED"),
        ("cancel", "CANCELLED"),
        ("interrupt", "CANCELLED"),
        ("down", "NODE_FAIL"),
        ("slurmd", "NODE_FAIL"),
        ("double", "COMPLETED"),
        ("time", "TIMEOUT"),
        ("orphan", "CANCELLED"),
    ],
)
def test_each_fault_has_happened(night, fault, state):
    assert night.jobs[night.hit[fault]]["JobState"] == state


def test_a_retry_asks_for_more_memory(night):
    tokens = [job for job in night.jobs.values() if "tokenize_corpus" in job["Comment"]]
    asked = [(job["MinMemoryNode"], job["JobState"]) for job in tokens]
    assert asked[0][0] == "150M"
    assert asked[0][1] in ("FAILED", "OUT_OF_MEMORY")
    assert asked[-1] == (f"{150 * len(asked)}M", "COMPLETED")


def test_the_logs_of_a_failed_job_are_shown(night):
    shown = re.findall(r"Logfile (\S+)", night.seen["said"])
    short_of_memory = next(iter(night.jobs))
    assert any(path.endswith(f"/{short_of_memory}.log:") for path in shown), "SLURM's own"
    assert any(path.startswith("logs/measure_energies/") for path in shown), "the command's"


def test_a_job_sees_its_gpu_alone(night):
    assert night.seen["devices"] in ("0", "1")


def test_signals_end_the_main_process_with_an_error(night):
    assert night.seen["interrupt"] not in (0, None)
    assert night.seen["terminate"] not in (0, None)


def test_orphans_are_cancelled_and_nobody_elses_jobs(night):
    assert night.hit["orphan"] in night.seen["orphans"], "it goes on without its main process"
    ended = r"recover: ended SLURM job (\d+) \((.*)\), which the dead run left behind"
    cancelled = dict(re.findall(ended, night.seen["recovered"]))
    assert list(cancelled) == night.seen["orphans"]
    assert all("estimate_curves" in comment for comment in cancelled.values())
    assert "recover: removed the lock" in night.seen["recovered"]
    assert night.seen["left"] == [night.seen["stranger"]]


def test_where_no_run_was_there_are_no_orphans(tmp_path):
    assert orphans(tmp_path) == {}


def test_jobs_of_the_folder_that_this_is_a_copy_of_are_no_orphans(cluster, tmp_path):
    run = "a-run-elsewhere"
    job = cluster.ask("sbatch", "--parsable", f"--job-name={run}", "--hold", "--wrap=true").strip()
    record = tmp_path / RUNS
    record.parent.mkdir()
    record.write_text(f"{run} /elsewhere\n")
    assert orphans(tmp_path) == {}
    record.write_text(f"{run} {tmp_path}\n")
    assert list(orphans(tmp_path)) == [job]
    cluster.ask("scancel", job)
