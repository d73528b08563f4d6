"""What is simulated: a part of the benchmark, on a system, by a design of documents."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from ..designs import Design
from ..roles import named
from ..systems import System


@dataclass(frozen=True)
class Study:
    """One cell of the benchmark; small, so that it can be sent to another process.

    part : of the benchmark.
    system : its name.
    design : of the documents of the ensemble, or of ensemble a.
    other : of those of ensemble b, where there is one.
    paired : whether a and b are two layers of the same documents.
    power : whether b is shifted: a test should see that. Else it should not.
    data_sets : how many.
    estimator : name of the estimator of curves, see `curves.INTERVALS`.
    seed : of all random numbers, with what the study is.
    """

    part: str
    system: str
    design: Design
    other: Design | None = None
    paired: bool = False
    power: bool = False
    data_sets: int = 100
    estimator: str = "ours"
    seed: int = 0

    @property
    def of(self) -> System:
        return named(self.system)[1]

    @property
    def role(self) -> str:
        return named(self.system)[0]

    @property
    def documents(self) -> str:
        """Names the design or designs."""
        if self.other is None:
            return self.design.name
        against = "paired" if self.paired else f"against {self.other.documents}"
        return f"{self.design.name}; {against}"

    def generators(self) -> tuple[np.random.Generator, np.random.Generator]:
        """One that draws data sets, and one for the estimators: the same data for any estimator."""
        what = crc32(f"{self.part} {self.system} {self.documents} {self.power}".encode())
        drawing, estimating = np.random.SeedSequence([self.seed, what]).spawn(2)
        return np.random.default_rng(drawing), np.random.default_rng(estimating)
