"""A real SLURM for tests, the workflow's runs on it, and what can befall them."""

from __future__ import annotations

import copy
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import yaml

from tests.runs import NO_NETWORK, Place
from workflow_scripts.running.jobs import Job

HERE = Path(__file__).parent

USER_EDITS = {"partition": "tests", "gpu_partition": "tests", "gpu_model": "a100"}
"""What a user of this cluster edits in profiles/slurm/config.yaml."""

INSTALLED = Path("/etc/slurm/slurm.conf")
"""What tells every command where the cluster is; while ours is up, a link to its own."""

ONE_AT_A_TIME = Path(tempfile.gettempdir(), "slurm-of-semantic-statistics.lock")
"""Held while ours is up: another run of these tests on this machine would stop it."""

PATIENCE = 240.0
"""Seconds to wait for anything before a test fails; on an idle machine all takes less than 30."""


def obstacle() -> str | None:
    """Why no cluster can be started here, if none can."""
    if os.getuid() != 0:
        return "starting SLURM takes root"
    if shutil.which("apt-get") is None:
        return "SLURM is installed from Debian's packages, and this is no Debian"
    if INSTALLED.exists() and not INSTALLED.is_symlink():
        return f"{INSTALLED} is there: this machine has a SLURM of its own"
    return None


def until(found: Callable[[], Any], what: str) -> Any:
    """Whatever is found, as soon as it is something."""
    deadline = time.monotonic() + PATIENCE
    while not (result := found()):
        assert time.monotonic() < deadline, f"{what}: nothing after {PATIENCE} s"
        time.sleep(0.1)
    return result


STARTED: list[subprocess.Popen[bytes]] = []
"""Main processes of runs."""


class Cluster:
    """A SLURM of one node, whose daemons' files lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> None:
        started = subprocess.run(
            [HERE / "start.sh", self.folder], capture_output=True, text=True, check=False
        )
        assert started.returncode == 0, started.stdout + started.stderr

    def stop(self) -> None:
        for process in STARTED:  # those of a test that has failed
            process.kill()
            process.wait()
        subprocess.run([HERE / "stop.sh", self.folder], check=True)

    def ask(self, *command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def jobs(self) -> dict[str, dict[str, str]]:
        """All jobs there have been, by number: the fields that scontrol shows."""
        shown = self.ask("scontrol", "show", "jobs", "--oneliner").splitlines()
        fields = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in shown if "JobId=" in line]
        return {job["JobId"]: job for job in fields}

    def queue(self) -> list[str]:
        """Numbers of jobs that have not ended."""
        return self.ask("squeue", "--noheader", "--format=%i").split()

    def node(self, state: str) -> None:
        name = self.ask("sinfo", "--noheader", "--format=%n").strip()
        self.ask("scontrol", "update", f"nodename={name}", f"state={state}", "reason=test")

    def resume(self) -> None:
        """Take the node back into service, unless it has registered by itself."""

        def serves() -> bool:
            try:
                state = self.ask("sinfo", "--noheader", "--format=%T")
            except subprocess.CalledProcessError:  # the controller is starting
                return False
            if state.startswith("d"):  # drained, draining, down
                with suppress(subprocess.CalledProcessError):
                    self.node("resume")
            return not state.startswith("d")

        until(serves, "the node serves again")

    def stop_controller(self) -> None:
        pid = int((self.folder / "pid" / "slurmctld.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        until(lambda: not psutil.pid_exists(pid), "the controller has ended")

    def start_controller(self) -> None:
        self.ask("slurmctld")
        self.resume()

    def kill_slurmd(self) -> None:
        pid = int((self.folder / "pid" / "slurmd.pid").read_text())
        os.kill(pid, signal.SIGKILL)

    def start_slurmd(self) -> None:
        self.ask("slurmd")
        self.resume()


class Attempt(NamedTuple):
    """A command of the workflow that is running, the SLURM job it runs in, and what it makes."""

    process: psutil.Process
    job: str
    outputs: list[str]


class Run(NamedTuple):
    """A main process, and the file that it prints to."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def text(self) -> str:
        return self.log.read_text()

    def end(self, signal_number: int | None = None) -> int:
        """The exit status, after a signal if one is given."""
        if signal_number is not None:
            self.process.send_signal(signal_number)
        try:
            return self.process.wait(3 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"a run does not end:\n{self.text}") from None


def edit_profile(place: Place) -> None:
    """What the user of this cluster does, and nothing else."""
    path = place.clone / "profiles" / "slurm" / "config.yaml"
    text = path.read_text()
    for name, value in USER_EDITS.items():
        text, edits = re.subn(rf"(?m)^  {name}: \S+", f"  {name}: {value}", text, count=1)
        assert edits == 1, name
    path.write_text(text)


def text_alone(study: dict[str, Any]) -> dict[str, Any]:
    study = copy.deepcopy(study)
    study["datasets"] = {"text": study["datasets"]["text"]}
    return study


def place_for(pristine: Place, folder: Path, study: dict[str, Any]) -> Place:
    place = pristine.copy(folder)
    edit_profile(place)
    (place.work / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return place


def start_run(
    place: Place,
    *arguments: str,
    program: tuple[str, ...] = (str(HERE / "snakemake"),),
    **variables: str,
) -> Run:
    """Start the workflow on the cluster, as a user does in the folder of the study.

    But for a driver that looks at the queue every second, unless another program is named.
    """
    command = [sys.executable, *program, "--nocolor"]
    command += [f"--snakefile={place.clone / 'Snakefile'}", "--configfile=study.yaml"]
    # This node's cores: the third number that a user of so small a cluster would change.
    command += [f"--profile={place.clone / 'profiles' / 'slurm'}", "--cores=2", *arguments]
    log = place.work / f"{len(list(place.work.glob('*.run.log')))}.run.log"
    environment = os.environ | NO_NETWORK | variables
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=place.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    STARTED.append(process)
    return Run(process, log)


def attempts(place: Place, command: str) -> list[Attempt]:
    """Where a command of the workflow runs at the moment: the Python that computes."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            module = line[2] if line[1:2] == ["-m"] else ""
            ours = module.startswith("workflow_scripts.") and Path(process.cwd()) == place.work
            if ours and any(command in part for part in line):
                found.append(Attempt(process, process.environ()["SLURM_JOB_ID"], outputs(process)))
        except (psutil.Error, KeyError):
            continue
    return sorted(found, key=lambda attempt: int(attempt.job))


def outputs(process: psutil.Process) -> list[str]:
    """What a command makes, by the shell that gives it its words."""
    lines = [part for parent in process.parents() for part in parent.cmdline()]
    return next((job.outputs for line in lines if (job := Job.planned(line))), [])


def assert_nothing_left(place: Place) -> None:
    """No unfinished file, no lock, no mark of an incomplete output."""
    unfinished = list((place.work / "results").rglob("*.tmp"))
    assert not unfinished, unfinished
    for folder in ("locks", "incomplete"):
        left = list((place.work / ".snakemake" / folder).glob("*"))
        assert not left, left


def tables(place: Place) -> dict[str, bytes]:
    """Every Parquet file of a run, by its path."""
    results = place.work / "results"
    return {
        str(path.relative_to(results)): path.read_bytes() for path in results.rglob("*.parquet")
    }
