"""A bad night on a cluster: a run meets one fault after the other, and is recovered."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.runs import Place
from tests.slurm.cluster import Attempt, Cluster, Run, attempts, start_run, until
from workflow_scripts.recover import tidy
from workflow_scripts.semstat.errors import InputError


class Night(NamedTuple):
    """What was done, and what was seen of it."""

    place: Place
    jobs: dict[str, dict[str, str]]
    hit: dict[str, str]
    seen: dict[str, Any]


def bad_night(cluster: Cluster, place: Place, failed: Path) -> Night:
    """One study that suffers every fault in turn, is recovered, and ends.

    Parameters
    ----------
    place : where it is, nothing run yet.
    failed : a folder for the first fault.
    """
    shell = shell_that_fails_once(failed)
    before = set(cluster.jobs())
    hit: dict[str, str] = {}
    seen: dict[str, Any] = {}

    # Too little memory at first for a group of small jobs.
    wanted = ("results/wells.csv", "--set-resources", "tokenize_corpus:mem_mb=150 * attempt")

    def start() -> Run:
        return start_run(place, *wanted, PATH=f"{shell.parent}:{os.environ['PATH']}")

    def victim(fault: str, command: str = "measure_energies") -> Attempt:
        """A command in a job that nothing has happened to yet, held, or it may end too soon."""

        def held() -> Attempt | None:
            fresh = (found for found in attempts(place, command) if found.job not in hit.values())
            for attempt in fresh:
                with suppress(psutil.NoSuchProcess):
                    attempt.process.suspend()
                    return attempt
            return None

        attempt: Attempt = until(held, f"{command} for {fault}")
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
    victim("slurmd")
    cluster.kill_slurmd()
    ended("slurmd")
    cluster.start_slurmd()

    # The user unlocks and runs again while a job of the dead run goes on.
    orphan = victim("double")
    run.end(signal.SIGKILL)
    assert place.snakemake("--unlock").code == 0
    run = start()

    def replaced() -> bool:
        twins = [found for found in attempts(place, "measure_energies") if found.job != orphan.job]
        return bool(orphan.outputs) and orphan.outputs in [twin.outputs for twin in twins]

    until(replaced, "a replacement")
    orphan.process.resume()
    victim("terminate", "count_states").process.resume()  # what was submitted goes on
    seen["terminate"] = run.end(signal.SIGTERM)
    until(lambda: not cluster.queue(), "a terminated run's jobs have ended")

    run = start()
    attempt = victim("time", "estimate_curves")
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
case "$*" in *"-- energies.measure_energies"*)
    mkdir "{folder}/once" 2> /dev/null && echo "$SLURM_JOB_ID" > "{folder}/job" && exit 3;;
esac
exec {shutil.which("bash")} "$@"
"""
    )
    shell.chmod(0o755)
    return shell


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""
