"""A training that is not finished: where it is remembered, and when."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import transformers
from accelerate.utils import broadcast_object_list
from safetensors.torch import save_model

from ..running.command import progress
from ..semstat.tables import completed

STATE = "trainer_state.json"
"""What the Trainer writes last of a checkpoint."""

RECIPE = "recipe.json"


class Unfinished:
    """Where a training is remembered that is not finished.

    Parameters
    ----------
    folder : of checkpoints; those of another recipe are removed.
    """

    def __init__(self, folder: Path, recipe: dict[str, Any]) -> None:
        self.folder = folder
        file = folder / RECIPE
        with suppress(OSError, ValueError):
            if json.loads(file.read_bytes()) == recipe:
                return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with completed(file) as (temporary,):
            temporary.write_text(json.dumps(recipe), encoding="utf-8")

    def last(self) -> str | None:
        """The last whole checkpoint; one that was not written to its end is removed."""
        found = sorted(self.folder.glob("checkpoint-*"), key=lambda path: -_step_of(path))
        for checkpoint in found:
            with suppress(OSError, ValueError):
                json.loads((checkpoint / STATE).read_bytes())
                return str(checkpoint)
            shutil.rmtree(checkpoint)
        return None

    def weights_after(self, step: int) -> Path:
        """Where the weights after so many updates are kept."""
        return self.folder / f"weights-{step}.safetensors"


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


class Clock(transformers.TrainerCallback):
    """Progress, checkpoints by the clock, and weights that are kept.

    A checkpoint is only made where the log gets a row, so that of sums for the next one nothing
    must be remembered.

    Parameters
    ----------
    called : name of the model.
    place : where checkpoints and weights are kept.
    keep : numbers of updates after which weights are.
    tokens : of an update.
    minutes : from one checkpoint to the next.
    """

    def __init__(
        self, called: str, place: Unfinished, keep: Collection[int], tokens: int, minutes: float
    ) -> None:
        self.place, self.keep, self.tokens, self.seconds = place, keep, tokens, 60 * minutes
        self.bar = progress(f"{called} training", "tokens")
        self.saved = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the bar where the training starts or goes on."""
        del args, control
        self.bar.disable |= not state.is_world_process_zero
        self.bar.reset(total=state.max_steps * self.tokens)
        self.bar.update(state.global_step * self.tokens)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Keep weights, ask for a row of the log at the end, and for a checkpoint in time."""
        self.bar.update(self.tokens)
        if state.global_step in self.keep and state.is_world_process_zero:
            with completed(self.place.weights_after(state.global_step)) as (temporary,):
                save_model(getattr(model, "module", model), str(temporary))
        control.should_log |= state.global_step == state.max_steps
        if state.global_step % args.logging_steps == 0 and self._is_due():
            control.should_save = True
            self.saved = time.monotonic()

    def _is_due(self) -> bool:
        """Whether a checkpoint is: by the clock of the first process, where there are several."""
        due = [time.monotonic() - self.saved >= self.seconds]
        broadcast_object_list(due)
        return due[0]

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self.bar.close()
