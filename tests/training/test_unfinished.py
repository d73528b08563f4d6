"""A training that is killed goes on, and ends with the same bytes."""

import json
import random
import shutil
import subprocess
import sys
import time

import pytest

from tests.runs import NO_NETWORK, REPO
from tests.training.fitted import (
    DROPPING,
    STEP,
    UPDATES,
    Place,
    fit,
    fit_words,
    made_by,
)
from workflow_scripts.training.unfinished import STATE, Clock, Unfinished


@pytest.fixture(scope="module", params=["llama", "dropout"])
def place(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    return Place.made(folder, DROPPING) if request.param == "dropout" else Place.made(folder)


class Stopped(Exception):  # noqa: N818
    """What stops a training in its middle."""


def stopped(monkeypatch, place, out, after, **options):
    """Train, and be stopped after so many updates."""
    plain = Clock.on_step_end

    def on_step_end(self, args, state, control, **more):
        if state.global_step == after:
            raise Stopped
        plain(self, args, state, control, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Clock, "on_step_end", on_step_end)
        with pytest.raises(Stopped):
            fit(place, out, **options)
    return sorted(path.name for path in (out / "unfinished").glob("checkpoint-*"))


KEEPING = {"checkpoints": [2 * STEP, 6 * STEP], "save_minutes": 0}


@pytest.fixture(scope="module")
def undisturbed(place, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    return made_by(fit(place, out, **KEEPING))


def test_it_goes_on_where_it_was_and_ends_with_the_same_bytes(
    place, undisturbed, tmp_path, monkeypatch
):
    assert stopped(monkeypatch, place, tmp_path, 4, **KEEPING) == [
        "checkpoint-2",
        "checkpoint-3",
    ]
    assert not (tmp_path / "model").exists() and not (tmp_path / "log.parquet").exists()
    last = stopped(monkeypatch, place, tmp_path, 7, **KEEPING)[-1]
    (tmp_path / "unfinished" / last / STATE).write_text("{")
    assert made_by(fit(place, tmp_path, **KEEPING)) == undisturbed
    assert not (tmp_path / "unfinished").exists()


def test_another_recipe_does_not_go_on_from_it(place, undisturbed, tmp_path, monkeypatch):
    options = KEEPING | {"learning_rate": 0.1}
    stopped(monkeypatch, place, tmp_path, 5, **options)
    assert made_by(fit(place, tmp_path, **KEEPING)) == undisturbed


def test_a_checkpoint_that_was_not_written_to_its_end_is_passed_over(tmp_path):
    folder = tmp_path / "unfinished"
    unfinished = Unfinished(folder, {"seed": 0})
    assert unfinished.last() is None
    for step in (9, 10, 100):
        (folder / f"checkpoint-{step}").mkdir()
        (folder / f"checkpoint-{step}" / STATE).write_text("{}" if step < 100 else "")
    assert unfinished.last() == str(folder / "checkpoint-10")
    assert not (folder / "checkpoint-100").exists()
    assert Unfinished(folder, {"seed": 0}).last() == str(folder / "checkpoint-10")
    assert Unfinished(folder, {"seed": 1}).last() is None
    assert json.loads((folder / "recipe.json").read_text()) == {"seed": 1}
    (folder / "recipe.json").write_text("{")
    (folder / "checkpoint-1").mkdir()
    assert Unfinished(folder, {"seed": 1}).last() is None


def test_sigkill_at_two_moments(tmp_path):
    place, out = Place.made(tmp_path, DROPPING), tmp_path / "killed"
    more = {"train_tokens": 5 * UPDATES * STEP, "save_minutes": 0, "batch_tokens": 32}
    whole = tmp_path / "whole"
    expected = made_by(fit(place, whole, **more))
    command = [sys.executable, "-m", "workflow_scripts.training.objectives.cross_entropy"]
    command += fit_words(place, out, **more)
    environment = {**NO_NETWORK, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"}
    seen = 0
    for kill in range(2):
        running = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while running.poll() is None and newest(out) <= seen + 3:
            time.sleep(0.01)
        time.sleep(random.Random(kill).uniform(0, 0.1))  # noqa: S311
        running.kill()
        assert running.wait() == -9, "it had ended before it was killed"
        assert not (out / "model").exists()
        seen = newest(out)
    assert made_by(fit(place, out, **more)) == expected
    shutil.rmtree(out)


def newest(out):
    found = (out / "unfinished").glob(f"checkpoint-*/{STATE}")
    return max((int(path.parent.name.rpartition("-")[2]) for path in found), default=0)
