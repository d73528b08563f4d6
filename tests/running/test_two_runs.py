"""Runs that meet another in their folder, alive or dead, and recovery that must not."""

from __future__ import annotations

import psutil

from tests.running.disturbed import (
    RECOVER,
    SNAKEMAKE,
    TARGET,
    check_whole,
    run,
    start,
    wait_for,
    what_it_said,
)
from tests.runs import command, complaint
from workflow_scripts.running.run_lock import LOCK


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
    assert f"would have ended energies.measure_energies (process {orphan.pid})" in looked.text
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
