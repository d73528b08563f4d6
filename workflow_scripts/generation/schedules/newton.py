"""The schedule `newton`: one Newton step a position, by a slope that is there anyway."""

from __future__ import annotations

from typing import Literal

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods.stepwise import Newton
from ..finding import Aim, solve_while_writing
from ..writing_runs import Prompts


def newton(
    *,
    running: Running,
    prompts: Prompts,
    aim: Aim,
    slope: Literal["variance", "covariance"] = "variance",
) -> None:
    """Follow the target from position to position by one Newton step each.

    Parameters
    ----------
    slope : of the entropy by the sampling temperature: Var(z)/T³ of single runs, which is a proxy,
        or by covariances that of the marginal entropy.
    """
    method = Newton(aim.target, slope)
    solve_while_writing(running, prompts, aim, method, "newton", slope=slope)


if __name__ == "__main__":
    run(newton)
