"""The method `dynamic_temperature`: hotter where the model is less sure."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods.dynamic_temperature import DynamicTemperature
from ..writing_runs import Into, Prompts, write_condition


def dynamic_temperature(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    coldest: float = 0.5,
    hottest: float = 1.5,
    exponent: float = 1.0,
) -> None:
    """Let a model write at a sampling temperature between two, by its entropy over the greatest.

    Parameters
    ----------
    coldest : sampling temperature where the model is sure.
    hottest : that where it is as unsure as can be.
    exponent : of entropy / ln vocabulary, by which it goes from one to the other.
    """
    write_condition(
        running,
        prompts,
        into,
        "dynamic_temperature",
        DynamicTemperature,
        coldest=coldest,
        hottest=hottest,
        exponent=exponent,
    )


if __name__ == "__main__":
    run(dynamic_temperature)
