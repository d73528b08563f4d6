"""The whole workflow on a real SLURM, undisturbed and through a bad night."""

from __future__ import annotations

import copy
import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.runs import REPO, TINY_STUDY, TOKEN, Place
from tests.slurm.cluster import (
    Attempt,
    Cluster,
    Run,
    assert_nothing_left,
    attempts,
    edit_profile,
    obstacle,
    start_run,
    tables,
    until,
)
from workflow_scripts.recover import tidy
from workflow_scripts.running.slurm_jobs import RUNS, orphans
from workflow_scripts.semstat.errors import InputError


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A real SLURM, started for this file and stopped after it."""
    if reason := obstacle():
        if os.environ.get("REQUIRE_SLURM"):
            pytest.fail(f"REQUIRE_SLURM is set, but {reason}")
        pytest.skip(reason)
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def text_alone(study: dict[str, Any]) -> dict[str, Any]:
    study = copy.deepcopy(study)
    study["datasets"] = {"text": study["datasets"]["text"]}
    return study


def place_for(pristine: Place, folder: Path, study: dict[str, Any]) -> Place:
    place = pristine.copy(folder)
    edit_profile(place)
    (place.work / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return place


# Undisturbed.


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
    groups = ["counts_count_states", "curves_estimate_curves_smollm2-135m_estimate_curves_tiny"]
    groups += ["tokens_tokenize_corpus"]
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


class Night(NamedTuple):
    """What was done, and what was seen of it."""

    place: Place
    jobs: dict[str, dict[str, str]]
    hit: dict[str, str]
    seen: dict[str, Any]


@pytest.fixture(scope="module")
def night(cluster, pristine, tmp_path_factory):
    """One study that suffers every fault in turn, is recovered, and ends."""
    place = place_for(pristine, tmp_path_factory.mktemp("night"), text_alone(TINY_STUDY))
    failed = tmp_path_factory.mktemp("failed")
    shell = shell_that_fails_once(failed)
    before = set(cluster.jobs())
    hit: dict[str, str] = {}
    seen: dict[str, Any] = {}

    # Too little memory at first for a group of small jobs.
    wanted = ("results/wells.csv", "--set-resources", "tokenize_corpus:mem_mb=150 * attempt")

    def start() -> Run:
        return start_run(place, *wanted, PATH=f"{shell.parent}:{os.environ['PATH']}")

    def victim(fault: str, command: str = "measure_energies") -> Attempt:
        """A command that is running, in a job that nothing has happened to yet."""

        def fresh() -> list[Attempt]:
            return [found for found in attempts(place, command) if found.job not in hit.values()]

        attempt: Attempt = until(fresh, f"{command} for {fault}")[0]
        hit[fault] = attempt.job
        return attempt

    def ended(fault: str) -> None:
        until(lambda: hit[fault] not in cluster.queue(), f"the end of the job hit by {fault}")

    run = start()
    hit["fail"] = until(lambda: text_of(failed / "job"), "a command that fails").strip()
    attempt = victim("kill")
    seen["devices"] = attempt.process.environ().get("CUDA_VISIBLE_DEVICES")
    attempt.process.kill()  # the command alone: its job fails
    cluster.ask("scancel", victim("cancel").job)
    victim("interrupt")
    seen["interrupt"] = run.end(signal.SIGINT)
    seen["said"] = run.text
    until(lambda: not cluster.queue(), "an interrupted run's jobs are gone")

    cluster.node("drain")
    run = start()
    until(lambda: "DRAINED" in cluster.ask("squeue", "-h", "-o", "%r").upper(), "a job that waits")
    cluster.resume()
    victim("down")
    cluster.node("down")
    ended("down")
    cluster.resume()
    attempt = victim("slurmd")
    attempt.process.suspend()  # or it may end before its node is missed
    cluster.kill_slurmd()
    ended("slurmd")
    cluster.start_slurmd()

    # The user unlocks and runs again while a job of the dead run goes on.
    orphan = victim("double")
    orphan.process.suspend()
    run.end(signal.SIGKILL)
    assert place.snakemake("--unlock").code == 0
    run = start()

    def replaced() -> bool:
        twins = [found for found in attempts(place, "measure_energies") if found.job != orphan.job]
        return orphan.output in [twin.output for twin in twins]

    until(replaced, "a replacement")
    orphan.process.resume()
    victim("terminate", "count_states")
    seen["terminate"] = run.end(signal.SIGTERM)
    until(lambda: not cluster.queue(), "a terminated run's jobs have ended")

    run = start()
    attempt = victim("time", "estimate_curves")
    attempt.process.suspend()
    cluster.stop_controller()
    time.sleep(10)  # looks that fail; were the job forgotten, nobody would try it again
    cluster.start_controller()
    cluster.ask("scontrol", "update", f"jobid={attempt.job}", "EndTime=now+1")
    ended("time")
    victim("orphan", "estimate_curves")
    with pytest.raises(InputError, match="a run is alive here"):
        tidy(place.work)
    run.end(signal.SIGKILL)
    seen["orphans"] = cluster.queue()
    stranger = cluster.ask(
        "sbatch", "--parsable", "--comment=stranger", "--output=/dev/null", "--wrap=sleep 600"
    ).strip()

    # What `make recover ARGS=…` runs.
    soon = "--slurm-init-seconds-before-status-checks=2"
    recover = ("-m", "workflow_scripts.recover")
    run = start_run(place, *wanted, soon, program=recover, PYTHONPATH=str(place.clone))
    assert run.end() == 0, run.text
    seen["recovered"] = run.text
    seen["left"] = cluster.queue()
    cluster.ask("scancel", stranger)
    jobs = {number: job for number, job in cluster.jobs().items() if number not in before}
    return Night(place, jobs, hit, seen | {"stranger": stranger})


def shell_that_fails_once(folder: Path) -> Path:
    """A bash that, the first time it is to measure, exits with an error and notes in which job."""
    shell = folder / "bin" / "bash"
    shell.parent.mkdir()
    shell.write_text(
        f"""#!/bin/sh
case "$*" in *"-- measure_energies"*)
    mkdir "{folder}/once" 2> /dev/null && echo "$SLURM_JOB_ID" > "{folder}/job" && exit 3;;
esac
exec {shutil.which("bash")} "$@"
"""
    )
    shell.chmod(0o755)
    return shell


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


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
