"""Systems that only judge. Set no constant on them, tune nothing by them.

Their names tell nothing of their shapes, so that tables of results may be shown to whoever works on
the statistics.
"""

from __future__ import annotations

from dataclasses import replace

from workflow_scripts.semstat.statistics.closed_forms import beta, log_uniform, uniform

from .systems import (
    System,
    as_system,
    logistic_normal,
    magnitudes,
    mixture,
    on,
    power_law,
    with_zeros,
)


def judge_systems() -> list[System]:
    """As varied as `systems.set_on_systems`, and at least as hard."""
    return [
        # Log-distributed |E|: 2 decades, 12 with a bump in ln |E|, 7 and a spike.
        mixture("judge 1", (0.4, magnitudes(-1, 1e-4, 1, logistic_normal(-0.5, 0.7))),
                (0.6, magnitudes(1, 1e-4, 1, logistic_normal(1, 0.9)))),
        mixture("judge 2", (0.08, magnitudes(-1, 1e-12, 1, beta(3, 5))),
                (0.72, magnitudes(1, 1e-12, 1, beta(2, 2))),
                (0.2, magnitudes(1, 1e-4, 1e-3, beta(3, 3)))),
        mixture("judge 3", (0.25, magnitudes(-1, 1e-9, 1, logistic_normal(1, 1.5))),
                (0.45, magnitudes(1, 1e-9, 1, logistic_normal(0, 2))),
                (0.3, on(0.9, 1, beta(1.5, 0.3)))),
        # A deep dip before a narrow spike.
        mixture("judge 4", (0.55, on(-1, 0.8, beta(1.5, 3))), (0.45, on(0.93, 1, beta(2.5, 0.35))),
                (0.03, on(-1, 1, uniform()))),
        # Two bumps, two or three cells of the grid wide, one on each side.
        mixture("judge 5", (0.85, on(-1, 1, beta(1.3, 1.8))), (0.06, on(-0.46, -0.34, beta(3, 3))),
                (0.09, on(0.53, 0.7, beta(3, 3)))),
        # Gaps: of ten cells below zero with steep sides, a wide one, one around 0 with a jump.
        mixture("judge 6", (0.4, on(-1, -0.5, beta(2, 1))),
                (0.6, on(-0.17782794100389228, 1, beta(1, 2.5)))),
        mixture("judge 7", (0.3, on(-1, -0.45, beta(2, 2))), (0.2, on(0.3, 0.5, beta(1, 1))),
                (0.5, on(0.5, 1, beta(1.5, 0.6)))),
        mixture("judge 8", (0.25, on(-1, -0.05, beta(3, 1))), (0.75, on(0.05, 1, beta(1, 1.5)))),
        # Jumps: up by 20 and down by 2 and 8.
        mixture("judge 9", (0.7, uniform()), (0.3, on(0.25, 0.30, uniform()))),
        mixture("judge 10", (0.7, on(-1, 0.1, beta(1.5, 1))), (0.15, on(0.1, 0.6, uniform())),
                (0.15, on(0.6, 1, beta(1, 0.7)))),
        # Tails: logistic-normal, wide and narrow; power laws below zero.
        as_system(replace(logistic_normal(-0.4, 2.4), name="judge 11")),
        mixture("judge 12", (0.3, logistic_normal(2.5, 0.8)), (0.7, logistic_normal(0.2, 0.5))),
        mixture("judge 13", (0.1, power_law(0.6, 0.005)),
                (0.9, magnitudes(1, 1e-3, 1, beta(2, 2)))),
        mixture("judge 14", (0.3, power_law(4, 0.1)), (0.7, on(0, 1, beta(0.7, 1.2)))),
        # Layers with an atom; documents of four kinds.
        with_zeros(
            mixture("judge 15", (0.6, magnitudes(1, 1e-9, 1e-2, beta(2, 2))),
                    (0.15, power_law(2, 0.05)), (0.25, on(0.3, 1, beta(2, 0.6)))),
            0.2),
        mixture("judge 16", (0.3, log_uniform(9, 0.4)), (0.3, logistic_normal(3, 1)),
                (0.2, beta(3, 6)), (0.2, on(-0.8, 0.5, beta(5, 4)))),
    ]  # fmt: skip
