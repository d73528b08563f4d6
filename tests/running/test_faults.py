"""Runs that are killed, starved, doubled or lied to, and what recovery makes of them.

Faults come from outside: signals, a full file system, programs earlier on the PATH. Whatever
happens, the results are byte for byte those of a run that nothing disturbed, and nothing is left
behind.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pytest

from tests.runs import NO_NETWORK, Place, Said, command, complaint, said
from workflow_scripts.running.run_lock import LOCK

SEED = 20261123

TARGET = "results/wells/model=tiny/dataset=text.parquet"
"""What needs every stage but the figures: nine jobs, seven of them after the sources."""

HITS = 20
"""How often the run is killed."""


def digests(results: Path) -> dict[str, str]:
    """Every file of a folder, hidden ones too, with its digest."""
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in results.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def undisturbed(finished) -> dict[str, str]:
    """Digests of the files that the target needs, from the run that nothing disturbed."""
    whole = digests(finished.work / "results")
    of_target = ("models/tiny/", "corpora/text.", "wells/model=tiny/dataset=text.")
    needed = ["provenance.json"]
    for name in whole:
        result = name.removeprefix(".records/")
        if result.startswith(of_target) or (
            "model=tiny/dataset=text/" in result and not result.startswith("figures/")
        ):
            needed.append(name)
    results, records = 5 + 1 + 1 + 2 * (1 + 3 + 1) + 3, 1 + 1 + 1 + 2 * 3
    assert len(needed) == results + records + 1
    return {name: whole[name] for name in needed}


@pytest.fixture
def place(finished, undisturbed, tmp_path) -> Place:
    """A clone and the sources that the target needs, nothing made of them yet."""
    place = finished.copy(tmp_path)
    forget(place)
    return place


def forget(place: Place) -> None:
    """Remove whatever is made of the model and the text."""
    results = place.work / "results"
    for path in [*results.iterdir(), *(results / ".records").iterdir()]:
        if path.name not in ("models", "corpora", ".records"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for models in (results / "models", results / ".records/models"):
        shutil.rmtree(models / "tiny-random", ignore_errors=True)


def command_line(place: Place, program: str, *options: str) -> list[str]:
    line = [sys.executable, "-m", program, f"--snakefile={place.clone / 'Snakefile'}"]
    line += [f"--directory={place.work}", f"--configfile={place.work / 'study.yaml'}"]
    return [*line, "--nocolor", "--cores=2", *options]


def environment(place: Place) -> dict[str, str]:
    return NO_NETWORK | {"PYTHONPATH": str(place.clone), "PYTHONUNBUFFERED": "1"}


SNAKEMAKE, RECOVER = "snakemake", "workflow_scripts.recover"


def start(
    place: Place, program: str, *options: str, says: str = "said.txt", **variables: str
) -> subprocess.Popen[bytes]:
    """Start a run that writes what it says to a file, in a process group of its own."""
    with (place.work.parent / says).open("wb") as file:
        return subprocess.Popen(
            command_line(place, program, *options),
            cwd=place.work.parent,
            env=os.environ | environment(place) | variables,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def what_it_said(place: Place, file: str = "said.txt") -> str:
    return (place.work.parent / file).read_text(errors="replace")


def run(place: Place, program: str, *options: str) -> Said:
    line = command_line(place, program, *options)
    return said(line, place.work.parent, environment(place))


def left_behind(place: Place) -> list[str]:
    """What no run may leave: locks, marks of incomplete files, unfinished files, processes."""
    state = place.work / ".snakemake"
    files = [*(state / "locks").glob("*"), *(state / "incomplete").rglob("*")]
    files += [*state.glob("shell_tmp.*"), *(place.work / "results").rglob(".*.tmp")]
    return [str(path) for path in files] + [str(process) for process in processes_of(place)]


def processes_of(place: Place) -> list[psutil.Process]:
    """Living processes that work in the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(place.work) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def check_whole(place: Place, undisturbed: dict[str, str]) -> None:
    assert digests(place.work / "results") == undisturbed
    assert left_behind(place) == []


# Killed.


class Blow(NamedTuple):
    """A signal, to the main process or to all, so long after it has said so many lines."""

    signal: signal.Signals
    to_all: bool
    lines: int
    seconds: float

    def strike(self, place: Place, process: subprocess.Popen[bytes]) -> bool:
        """Whether it hit before the process had ended by itself."""
        deadline = time.monotonic() + 300
        while what_it_said(place).count("\n") < self.lines and process.poll() is None:
            assert time.monotonic() < deadline, what_it_said(place)
            time.sleep(0.01)
        time.sleep(self.seconds)
        if process.poll() is not None:
            return False
        (os.killpg if self.to_all else os.kill)(process.pid, self.signal)
        process.wait(timeout=300)
        return True


def blows() -> Iterator[Blow]:
    """Random moments: SIGINT as a terminal sends it, SIGTERM to the main process, SIGKILL to it
    (its jobs go on) or to all (as when a machine goes down)."""
    rng = np.random.default_rng(SEED)
    kinds = [
        (signal.SIGINT, True),
        (signal.SIGTERM, False),
        (signal.SIGKILL, False),
        (signal.SIGKILL, True),
    ]
    while True:
        for kind in rng.permutation(len(kinds)):
            yield Blow(*kinds[kind], int(rng.integers(0, 60)), float(rng.uniform(0, 1)))


def test_killed_at_random_moments_and_recovered(pristine, undisturbed, tmp_path):
    """Killed, recovered, the recovery killed, and so on; what is finished begins anew."""
    place = pristine.copy(tmp_path)
    hits, finished = 0, 0
    for number, blow in enumerate(blows()):
        program = RECOVER if (place.work / ".snakemake/log").is_dir() else SNAKEMAKE
        process = start(place, program, TARGET)
        hit = blow.strike(place, process)
        print(f"{number}: {program}, {blow}: {'hit' if hit else 'ended before'}")
        if hit:
            hits += 1
            if blow.signal != signal.SIGKILL:
                assert processes_of(place) == [], what_it_said(place)
        else:
            assert process.returncode == 0, what_it_said(place)
            check_whole(place, undisturbed)
            forget(place)
            finished += 1
        if hits == HITS:
            break
    recovered = run(place, RECOVER, TARGET)
    assert recovered.code == 0, recovered.text
    check_whole(place, undisturbed)
    print(f"{hits} hits; finished {finished} times between them")


def test_an_orphan_and_its_replacement_write_at_once(place, undisturbed):
    """As when a user unlocks and runs again while jobs of the dead run go on."""
    energies = place.work / "results/energies"
    process = start(place, SNAKEMAKE, TARGET)
    (unfinished, *_) = wait_for(lambda: list(energies.rglob(".*.tmp")), place)
    orphan = psutil.Process(int(unfinished.name.split(".")[-2]))
    orphan.suspend()
    process.kill()
    process.wait()
    assert run(place, SNAKEMAKE, "--unlock").code == 0
    process = start(place, SNAKEMAKE, "--rerun-incomplete", TARGET)
    twin = unfinished.name.replace(f".{orphan.pid}.", ".*.")
    both = wait_for(lambda: len(list(unfinished.parent.glob(twin))) == 2, place)
    orphan.resume()
    assert both and process.wait(timeout=300) == 0, what_it_said(place)
    wait_for(lambda: not processes_of(place), place)
    check_whole(place, undisturbed)


def wait_for(condition: Callable[[], Any], place: Place, seconds: float = 300) -> Any:
    """What the condition returns, once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what_it_said(place)
        time.sleep(0.002)
    return found


# Failing.


def test_a_job_that_fails_once(place, undisturbed, tmp_path):
    """The second time it is asked, the shell of the measurements works."""
    shell = tmp_path / "bash"
    shell.write_text(
        f"""#!/bin/sh
case "$*" in *measure_energies*) mkdir "{tmp_path}/failed" 2> /dev/null && exit 3;; esac
exec {shutil.which("bash")} "$@"
"""
    )
    shell.chmod(0o755)
    process = start(place, SNAKEMAKE, TARGET, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert process.wait(timeout=300) == 1
    assert "Error in rule measure_energies_tiny" in what_it_said(place)
    assert left_behind(place) == []
    assert set(digests(place.work / "results").items()) < set(undisturbed.items())
    recovered = run(place, RECOVER, TARGET)
    assert recovered.code == 0, recovered.text
    check_whole(place, undisturbed)


def test_a_command_run_by_hand(place, finished, undisturbed):
    """Recovery leaves it alone; told to end, as a cluster does, it removes its unfinished files."""
    results, sources = place.work / "results", finished.work / "results"
    out = [results / f"mine/{layer}.parquet" for layer in (0, 3)]
    line = [sys.executable, "-m", "workflow_scripts.energies.measure_energies"]
    line += [f"--model={sources}/models/tiny"]
    line += [f"--tokens={sources}/tokens/model=tiny/dataset=text/shard=0.parquet"]
    line += ["--context=48", "--stride=24", "--layers", "0", "3", "--out", *map(str, out)]
    process = subprocess.Popen(line, env=os.environ | environment(place), cwd=place.work)
    unfinished = wait_for(lambda: list(results.glob("mine/.*.tmp")), place)
    os.kill(process.pid, signal.SIGSTOP)
    recovered = run(place, RECOVER, TARGET)
    assert recovered.code == 0, recovered.text
    assert all(path.exists() for path in unfinished)
    process.terminate()
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait(timeout=300) == 128 + signal.SIGTERM
    assert list((results / "mine").iterdir()) == []


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of that size in the folder's place."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    why = "is not root" if os.geteuid() else ""
    if not why and subprocess.run(mount, capture_output=True).returncode:
        why = "may not mount a file system"
    if why:
        assert "CI" not in os.environ, f"CI {why}, which this test needs"
        pytest.skip(f"{why}, which a full disk needs")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk(finished, undisturbed, tmp_path):
    """The whole folder is on it, so that Snakemake's records have no room either."""
    (tmp_path / "work").mkdir()
    with small_disk(tmp_path / "work", "64m"):
        place = finished.copy(tmp_path)
        forget(place)
        ballast, disk = place.work / "ballast", os.statvfs(place.work)
        ballast.write_bytes(bytes(disk.f_bavail * disk.f_bsize - ROOM))
        process = start(place, SNAKEMAKE, TARGET)
        assert process.wait(timeout=300) != 0, what_it_said(place)
        assert "No space left on device" in what_it_said(place)
        assert set(digests(place.work / "results").items()) < set(undisturbed.items())
        ballast.unlink()
        recovered = run(place, RECOVER, TARGET)
        assert recovered.code == 0, recovered.text
        check_whole(place, undisturbed)


ROOM = 250_000
"""Bytes left on the full disk: for tokens and some energies."""


# Doubled.


def test_two_runs_at_once(place, undisturbed):
    """One runs and the other is refused; and so is a recovery, while the one is alive."""
    both = {name: start(place, SNAKEMAKE, TARGET, says=name) for name in ("one.txt", "other.txt")}
    wait_for(lambda: any(process.poll() is not None for process in both.values()), place)
    refused, alive = sorted(both, key=lambda name: both[name].poll() is None)
    assert both[refused].returncode == 1, what_it_said(place, refused)
    assert "cannot be locked" in what_it_said(place, refused)
    recovery = run(place, RECOVER, TARGET)
    complaint(recovery, str(place.work), f"a run is alive here (process {both[alive].pid} on")
    assert both[alive].wait(timeout=300) == 0, what_it_said(place, alive)
    check_whole(place, undisturbed)


def test_two_runs_of_different_files(place, undisturbed):
    """Snakemake would let both work, and the first to end tidy up after the other."""
    other = "results/tokens/model=tiny-random/dataset=text/shard=0.parquet"
    process = start(place, SNAKEMAKE, TARGET)
    (unfinished, *_) = wait_for(lambda: list(place.work.glob("results/energies/**/.*.tmp")), place)
    writer = psutil.Process(int(unfinished.name.split(".")[-2]))
    writer.suspend()
    refused = run(place, SNAKEMAKE, other)
    assert refused.code == 1
    assert f"a run is alive here (process {process.pid} on" in refused.text
    assert unfinished.exists()
    writer.resume()
    assert process.wait(timeout=300) == 0, what_it_said(place)
    check_whole(place, undisturbed)


def test_a_look_at_what_recovery_would_do(place, undisturbed):
    """With -n it ends nothing and removes nothing."""
    process = start(place, SNAKEMAKE, TARGET)
    (unfinished, *_) = wait_for(lambda: list(place.work.glob("results/energies/**/.*.tmp")), place)
    orphan = psutil.Process(int(unfinished.name.split(".")[-2]))
    orphan.suspend()
    process.kill()
    process.wait()
    looked = run(place, RECOVER, "-n", TARGET)
    assert looked.code == 0, looked.text
    assert f"would have ended measure_energies (process {orphan.pid})" in looked.text
    assert "would have removed the lock" in looked.text
    assert "This was a dry-run" in looked.text
    assert orphan.is_running() and unfinished.exists()
    assert list((place.work / ".snakemake/locks").iterdir())
    recovered = run(place, RECOVER, TARGET)
    assert recovered.code == 0, recovered.text
    check_whole(place, undisturbed)


def test_a_run_on_another_machine_may_be_alive(place):
    """Which may not show here; where there is no lock of Snakemake's, it has ended."""
    (place.work / LOCK).write_text("elsewhere 1234")
    locks = place.work / ".snakemake/locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text(f"{TARGET}\n")
    refused = run(place, RECOVER, TARGET)
    complaint(refused, "the run was started on elsewhere", str(place.work / LOCK))
    (place.work / LOCK).unlink()
    recovered = run(place, RECOVER, TARGET)
    assert recovered.code == 0 and "removed the lock" in recovered.text
    assert not list(locks.glob("*"))


def test_a_folder_without_a_run_is_none_to_recover(pristine, tmp_path):
    refused = command("recover", "--directory", tmp_path, cwd=pristine.work)
    complaint(refused, f"{tmp_path}: Snakemake has never run here", "--directory")


# Lied to.


def test_a_result_damaged_by_hand(altered):
    """The next run finds it by itself, names it, and tells what remakes it."""
    damaged = "energies/model=tiny/dataset=text/layer=1/shard=1.parquet"
    path, before = altered.work / "results" / damaged, digests(altered.work / "results")
    path.write_bytes(path.read_bytes()[:1000])
    found = altered.snakemake("--cores=1", TARGET)
    assert found.code == 1, found.text
    assert f"error: results/{damaged}: not a whole Parquet file" in found.text
    assert f"`rm 'results/{damaged}' && snakemake 'results/{damaged}' --" in found.text
    assert f" --cores=1 {TARGET}`" in found.text, "as this run was started"
    path.unlink()
    # By name: what is made of it is there and as old as before, so nothing else asks for it.
    altered.run(f"results/{damaged}", TARGET)
    assert digests(altered.work / "results") == before


def test_a_result_overwritten_by_another(altered):
    """It is whole, and of the right columns, but not what its name says."""
    other = "energies/model=tiny-random/dataset=text/layer=1/shard=1.parquet"
    damaged = "energies/model=tiny/dataset=text/layer=1/shard=1.parquet"
    path = altered.work / "results" / damaged
    path.write_bytes((altered.work / "results" / other).read_bytes())
    found = altered.snakemake("--cores=1", TARGET)
    assert found.code == 1, found.text
    assert f"error: results/{damaged}: holds model tiny-random, not tiny; delete it" in found.text
