"""Which systems meet which designs: every system a few, every design a few systems."""

from __future__ import annotations

from dataclasses import replace

from ..designs import SPREAD, Design
from ..roles import by_role
from .curves import study_curves
from .held import Row
from .pairs import study_differences, study_distances
from .study import Study
from .wells import study_wells

EVERY_SYSTEM = (Design(250), Design(32, SPREAD))
"""Designs that every system meets."""

DESIGNS = (
    Design(250, correlation=0.0), Design(64), Design(64, correlation=0.4), Design(16), Design(8),
    Design(250, SPREAD), Design(64, SPREAD, 0.0), Design(64, SPREAD), Design(64, SPREAD, 0.4),
    Design(16, SPREAD), Design(8, SPREAD),
    Design(64, kinds=0.3), Design(16, SPREAD, kinds=0.3),
)  # fmt: skip
"""Designs that the systems of `EVERY_DESIGN` meet."""

EVERY_DESIGN = (
    "log layer, 4 decades", "power law below 0, 1.5", "three kinds",
    "judge 1", "judge 12", "judge 16",
)  # fmt: skip
"""Three systems that constants may be set on, and three that judge; all are mixtures."""

WELLS_LENGTH = 128
"""States a document: enough, with 8 of them, for a depth."""

DIFFERENCES = (
    (Design(64), Design(64)), (Design(64, SPREAD), Design(64, SPREAD)),
    (Design(16, SPREAD), Design(16, SPREAD)), (Design(64, SPREAD), Design(16, SPREAD)),
    (Design(256, SPREAD), Design(64, SPREAD)),
)  # fmt: skip
"""Designs of a and b, unpaired."""

PAIRED = (Design(64), Design(64, SPREAD), Design(16, SPREAD))

OF_DIFFERENCES = ("three kinds", "judge 12")

RATIOS = ((8, 8), (16, 16), (64, 64), (256, 64), (250, 16), (1280, 64), (800, 8))
"""Documents of a and b whose distance is tested."""

OF_DISTANCES = "three kinds"

CHEAPER = {"curves": 1, "differences": 1, "wells": 4, "distances": 10}
"""Data sets of each part for one of curves."""

RUN = {
    "curves": study_curves, "wells": study_wells,
    "differences": study_differences, "distances": study_distances,
}  # fmt: skip


def studies(
    parts: list[str], systems: list[str], data_sets: int, estimator: str, seed: int
) -> list[Study]:
    """The studies of these parts, on systems whose name contains one of these."""
    planned = [
        replace(study, data_sets=data_sets * CHEAPER[study.part], estimator=estimator, seed=seed)
        for part in parts
        for study in _PLANS[part]()
    ]
    return [s for s in planned if any(part in s.system for part in systems)]


def run(study: Study) -> list[Row]:
    """Rows of results, with what they are of."""
    what = {
        "part": study.part, "role": study.role, "system": study.system,
        "documents": study.documents,
    }  # fmt: skip
    return [what | row for row in RUN[study.part](study)]


def _curves() -> list[Study]:
    all_systems = [system.name for systems in by_role().values() for system in systems]
    return [
        *(Study("curves", name, design) for design in EVERY_SYSTEM for name in all_systems),
        *(Study("curves", name, design) for design in DESIGNS for name in EVERY_DESIGN),
    ]


def _wells() -> list[Study]:
    designs = [design for design in DESIGNS if design.documents <= 64]
    return [
        Study("wells", name, replace(design, length=WELLS_LENGTH))
        for design in designs
        for name in EVERY_DESIGN
    ]


def _differences() -> list[Study]:
    return [
        *(Study("differences", s, a, b) for a, b in DIFFERENCES for s in OF_DIFFERENCES),
        *(Study("differences", s, a, a, paired=True) for a in PAIRED for s in OF_DIFFERENCES),
    ]


def _distances() -> list[Study]:
    planned = []
    for a, b in RATIOS:
        for spread in (0.0, SPREAD):
            for correlation in (0.1, 0.4):
                both = Design(a, spread, correlation), Design(b, spread, correlation)
                planned.append(Study("distances", OF_DISTANCES, *both))
            both = Design(a, spread), Design(b, spread)
            planned.append(Study("distances", OF_DISTANCES, *both, power=True))
    for documents in (8, 16, 64):
        both = Design(documents, SPREAD), Design(documents, SPREAD)
        for power in (False, True):
            planned.append(Study("distances", OF_DISTANCES, *both, paired=True, power=power))
    return planned


_PLANS = {
    "curves": _curves, "wells": _wells, "differences": _differences, "distances": _distances,
}  # fmt: skip
