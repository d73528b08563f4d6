"""What the commands share that find a schedule of sampling temperatures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from ..models.loading import Running
from ..running.command import progress
from ..semstat.errors import InputError
from ..semstat.generation.runs import Method, Solver
from ..semstat.generation.schedule_file import ScheduleFile, write_schedule
from ..semstat.generation.smoothing import smooth
from ..semstat.provenance import Provenance
from .writing_runs import Prompts, Writing, gather

Array = NDArray[np.float64]

FIRST_RUN = 1_000_000
"""Number of the first run that schedules are found with; those that they are judged on begin at 0,
however many there are."""

HELD = 0.1
"""Nats from the target up to which a file of a schedule says that it was reached."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Aim:
    """What a schedule is to do.

    Parameters
    ----------
    target : marginal entropy to hold, nats.
    fit_to : positions that it is found on, the first; later ones have the last of these.
    out : JSON file of the schedule to make.
    """

    target: float
    fit_to: int = 300
    out: Path


class Search:
    """Prompts, runs and a model to find a schedule with, runs that are never written elsewhere.

    Attributes
    ----------
    tokens : forward tokens spent so far.
    at_once : generations that there is memory for side by side.
    """

    def __init__(self, running: Running, prompts: Prompts, aim: Aim) -> None:
        self.running, self.prompts, self.aim = running, prompts, aim
        self.steps = min(aim.fit_to, prompts.write)
        if self.steps < 1:
            raise InputError(
                f"generation.fit_to: a schedule cannot be found on {self.steps} positions; raise it"
            )
        self.taken = prompts.read(prompts.found_on)
        vocabulary = running.snapshot()["vocabulary"]
        if not 0 < aim.target < math.log(vocabulary):
            raise InputError(
                f"generation.target: {aim.target} nats; no distribution over {vocabulary} tokens "
                f"has more than ln {vocabulary} = {math.log(vocabulary):.2f}, and it must be above "
                f"0; change it"
            )
        self.writing = Writing(running, prompts)
        self.tokens = 0
        self.start = time.perf_counter()
        self.at_once = max(1, self.writing.prompts_at_once(self.steps) // prompts.found_on)

    def label(self, name: str) -> str:
        return f"{self.running.called} {self.taken.provenance['dataset']} {name}"

    def marginals(
        self, method: Method, times: int, advance: Callable[[int], object]
    ) -> tuple[Array, dict[str, NDArray[Any]]]:
        """Let every prompt be continued, `times` times side by side with the same random numbers.

        Returns
        -------
        (times, positions) marginal entropy on average over prompts, nats, and all numbers of runs.

        Raises
        ------
        InputError
            If there are positions that no run comes to.
        """
        group = list(range(len(self.taken.doc))) * times
        numbers = range(FIRST_RUN, FIRST_RUN + self.prompts.runs)
        steps = self.writing.write(self.taken, group, numbers, method, advance, self.steps)
        found = gather(steps)
        self.tokens += len(group) * len(numbers) * len(steps)
        entropy_kdt = found.prompts["entropy_d"].reshape(times, -1, len(steps))
        going_on_kt = np.isfinite(entropy_kdt).any(axis=1)
        if len(steps) < self.steps or not going_on_kt.all():
            raise InputError(
                f"generation.ends: all runs have ended before position {self.steps}, up to which a "
                f"schedule is to be found; lower `fit_to`, or set it to false"
            )
        # NaN is a prompt whose runs have all ended.
        return np.nanmean(entropy_kdt, axis=1), found.runs

    def write(
        self,
        schedule_t: Array,
        found_t: Array,
        marginal_t: Array,
        by: str,
        **facts: Any,
    ) -> None:
        """Write what was found, with what it cost.

        Parameters
        ----------
        schedule_t : (positions,) sampling temperatures to be used.
        found_t, marginal_t : (positions,) those that were used here, and what they came to.
        """
        solved = [
            (float(found), float(marginal), bool(abs(marginal - self.aim.target) <= HELD))
            for found, marginal in zip(found_t, marginal_t, strict=True)
        ]
        provenance = Provenance(
            model=self.running.snapshot(),
            tokens=self.taken.provenance,
            writing=self.prompts.said(),
            documents=self.taken.doc,
            target=self.aim.target,
            fit_to=self.steps,
            schedule=by,
            spent_tokens=self.tokens,
            spent_seconds=round(time.perf_counter() - self.start, 1),
            **facts,
            **self.writing.facts,
        ).then("found by", "torch", "transformers", "numpy", "scipy")
        write_schedule(self.aim.out, ScheduleFile(schedule_t.tolist(), solved, provenance))


def solve_while_writing(
    running: Running, prompts: Prompts, aim: Aim, method: Solver, by: str, **facts: Any
) -> None:
    """Find a schedule in one generation, and write it smoothed.

    Raises
    ------
    InputError
        If the marginal entropy comes to the target at fewer than half of the positions.
    """
    search = Search(running, prompts, aim)
    total = search.steps * prompts.found_on * prompts.runs
    with progress(search.label(by), "tokens", total) as bar:
        marginal_1t, runs = search.marginals(method, 1, bar.update)
    temperature_t = runs["sampling_temperature"][0, 0].astype(np.float64)
    check_reached(method.reached, marginal_1t[0], aim.target, prompts.runs)
    search.write(smooth(temperature_t), temperature_t, marginal_1t[0], by, **facts)


def check_reached(reached: Sequence[bool], marginal_t: Array, target: float, runs: int) -> None:
    """Refuse a target that cannot be held."""
    share = np.mean(reached)
    if share < 0.5:
        typical = np.median(marginal_t)
        raise InputError(
            f"generation.target: {target} nats were reached at {share:.0%} of the positions (the "
            f"marginal entropy came to {typical:.2f}; {runs} runs show at most ln {runs} = "
            f"{math.log(runs):.2f} more than the entropy of one): change it, or raise `runs`"
        )
