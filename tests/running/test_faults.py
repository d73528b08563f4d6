"""Runs that are killed, starved or lied to, and what recovery makes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pytest

from tests.running.disturbed import (
    RECOVER,
    SNAKEMAKE,
    TARGET,
    check_whole,
    digests,
    environment,
    faulty_bash,
    forget,
    left_behind,
    processes_of,
    run,
    start,
    wait_for,
    what_it_said,
)
from tests.runs import Place

SEED = 20261123

HITS = 12
"""How often the run is killed."""


# Killed.


class Blow(NamedTuple):
    """A signal, to the main process or to all, so long after it has said so many lines."""

    signal: signal.Signals
    to_all: bool
    lines: int
    seconds: float

    def strike(self, place: Place, process: subprocess.Popen[bytes]) -> signal.Signals | None:
        """What ended the process, unless it had ended by itself.

        Where SIGTERM comes as a job is finished, Snakemake's handler waits for a lock that its own
        thread holds (9.27.1, `JobScheduler.exit_gracefully`). A user kills it then.
        """
        deadline = time.monotonic() + 300
        while what_it_said(place).count("\n") < self.lines and process.poll() is None:
            assert time.monotonic() < deadline, what_it_said(place)
            time.sleep(0.01)
        time.sleep(self.seconds)
        if process.poll() is not None:
            return None
        (os.killpg if self.to_all else os.kill)(process.pid, self.signal)
        try:
            process.wait(timeout=300)
        except subprocess.TimeoutExpired:
            if self.signal != signal.SIGTERM:
                raise
            process.kill()
            process.wait()
            return signal.SIGKILL
        return self.signal


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
            yield Blow(*kinds[kind], int(rng.integers(0, 15)), float(rng.uniform(0, 1)))


def test_killed_at_random_moments_and_recovered(pristine, undisturbed, tmp_path):
    """Killed, recovered, the recovery killed, and so on; what is finished begins anew."""
    place = pristine.copy(tmp_path)
    hits, finished = 0, 0
    for number, blow in enumerate(blows()):
        program = RECOVER if (place.work / ".snakemake/log").is_dir() else SNAKEMAKE
        process = start(place, program, TARGET)
        ended_by = blow.strike(place, process)
        print(f"{number}: {program}, {blow}: ended by {ended_by or 'itself'}")
        if ended_by:
            hits += 1
            # A recovery may be stopped before it has ended what the dead run left behind.
            began = program == SNAKEMAKE or "running what is incomplete" in what_it_said(place)
            if began and ended_by != signal.SIGKILL:
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


# Failing.


def test_a_job_that_fails_once(place, undisturbed, tmp_path):
    """The second time it is asked, the shell of the measurements works."""
    fails = f'mkdir "{tmp_path}/failed" 2> /dev/null && exit 3'
    path = faulty_bash(tmp_path / "bin", f'case "$*" in *measure_energies*) {fails};; esac')
    process = start(place, SNAKEMAKE, TARGET, PATH=path)
    assert process.wait(timeout=300) == 1
    assert "failed: Measuring energies of tiny on text" in what_it_said(place)
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


def test_code_edited_while_a_run_goes_on(place, undisturbed, tmp_path):
    """Jobs that were planned with the old code do not run with the new; the next run's do."""
    code = place.clone / "workflow_scripts/thermodynamics/count_states.py"
    edits = f'mkdir "{tmp_path}/edited" 2> /dev/null && echo "EDITED = 1" >> "{code}"'
    path = faulty_bash(tmp_path / "bin", f'case "$*" in *count_states*) {edits};; esac')
    process = start(place, SNAKEMAKE, TARGET, PATH=path)
    assert process.wait(timeout=300) == 1
    refused = "error: thermodynamics.count_states: its code was edited after this job was planned"
    assert refused in what_it_said(place)
    assert left_behind(place) == []
    assert set(digests(place.work / "results").items()) < set(undisturbed.items())
    again = run(place, SNAKEMAKE, TARGET)
    assert again.code == 0, again.text
    made = digests(place.work / "results")
    assert made.keys() == undisturbed.keys() and left_behind(place) == []
    recorded = ".records/states/model=tiny/dataset=text/shard={}.parquet.json"
    other = {name for name in made if made[name] != undisturbed[name]}
    assert other == {"provenance.json", recorded.format(0), recorded.format(1)}
