"""The schedule `optimised`: a few numbers, by scipy.optimize, from many generations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ...models.loading import Running
from ...running.command import progress, run
from ...semstat.generation.methods.schedule import Schedule
from ...semstat.generation.smoothing import knots as positions_of_knots
from ...semstat.generation.smoothing import through_knots
from ..finding import Aim, Search
from ..writing_runs import Prompts

Array = NDArray[np.float64]

BOUNDS = (0.1, 5.0)

DIFFERENCE = 0.05
"""Relative change of a sampling temperature by which slopes are found. The loss jumps where a
token changes, so that a small one would see noise."""


def optimised(
    *,
    running: Running,
    prompts: Prompts,
    aim: Aim,
    knots: int = 5,
    evaluations: int = 5,
    start: float = 1.0,
) -> None:
    """Minimise the mean squared error of the marginal entropy over a schedule through a few knots.

    Knots stand at even distances of ln position, with a monotone interpolation between; one knot
    is a constant. Each evaluation is a generation, with the same random numbers; those of a slope
    are written side by side. Solved by scipy.optimize.least_squares.

    Parameters
    ----------
    knots : sampling temperatures to be found.
    evaluations : of the loss, at most, those for slopes not counted: `knots` for each.
    start : sampling temperature to begin with.
    """
    search = Search(running, prompts, aim)
    at_q = positions_of_knots(knots, search.steps)
    each = search.steps * prompts.found_on * prompts.runs

    with progress(search.label("optimised"), "tokens", evaluations * (1 + len(at_q)) * each) as bar:

        def errors(temperatures: Iterable[Array]) -> list[Array]:
            """(positions,) of each vector of sampling temperatures at the knots."""
            found: list[Array] = []
            schedules = [through_knots(at_q, t_q, search.steps) for t_q in temperatures]
            for first in range(0, len(schedules), search.at_once):
                few = schedules[first : first + search.at_once]
                by_prompt = np.repeat(few, prompts.found_on, axis=0).T
                method = Schedule(torch.from_numpy(by_prompt))
                marginals, _ = search.marginals(method, len(few), bar.update)
                found += list(marginals - aim.target)
            return found

        def side_by_side(_function: Callable[[Array], Array], at: Iterable[Array]) -> list[Array]:
            return errors(at)

        found: Any = least_squares(
            lambda temperature_q: errors([temperature_q])[0],
            np.full(len(at_q), start),
            bounds=BOUNDS,
            diff_step=DIFFERENCE,
            max_nfev=evaluations,
            workers=side_by_side,
        )
    schedule_t = through_knots(at_q, found.x, search.steps)
    search.write(
        schedule_t,
        schedule_t,
        aim.target + found.fun,
        "optimised",
        knots=at_q.tolist(),
        loss=float(np.mean(found.fun**2)),
        ended=str(found.message),
    )


if __name__ == "__main__":
    run(optimised)
