"""Documents as they are: of unequal lengths, few or many, correlated within, of different kinds.

States of a document share a standard normal (a Gaussian copula), so each is distributed as the
system whatever the correlation. Documents may also differ in how much of each part of a mixture
they have. As kind and length are independent, the truth is the system in either case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workflow_scripts.semstat.thermodynamics.energy_grid import (
    StateCounts,
    count_states,
)
from workflow_scripts.semstat.thermodynamics.states import BlockSums, sum_states

from .systems import System

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

SPREAD = 1.3
"""Standard deviation of the logarithm of the lengths of documents as they are."""

SHARES, NODES = 400, 60
"""Energies, and nodes of Gauss–Hermite quadrature, for the correlation within documents."""


class Sample(NamedTuple):
    """States of one data set.

    energy_s : (states,) H.
    doc_s : (states,) document of each.
    """

    energy_s: Array
    doc_s: Integers


@dataclass(frozen=True)
class Design:
    """How states come in documents.

    documents : how many.
    spread : standard deviation of the logarithm of a document's length; 0 for equal lengths.
    correlation : of the normals of two states of a document.
    kinds : intraclass correlation of belonging to a part of the mixture, in [0, 1): documents draw
        their weights from a Dirichlet distribution about the mixture's.
    length : mean states a document.
    """

    documents: int
    spread: float = 0.0
    correlation: float = 0.1
    kinds: float = 0.0
    length: int = 64

    @property
    def name(self) -> str:
        lengths = "log-normal" if self.spread else "equal"
        kinds = f", kinds {self.kinds:g}" if self.kinds else ""
        states = "" if self.length == 64 else f" × {self.length}"
        return f"{self.documents}{states} {lengths}, {self.correlation:g}{kinds}"

    def lengths(self, rng: np.random.Generator) -> Integers:
        """(documents,) states of each, at least 1."""
        normal_d = self.spread * rng.standard_normal(self.documents)
        length_d = np.rint(self.length * np.exp(normal_d - self.spread**2 / 2))
        return np.asarray(np.maximum(length_d, 1), dtype=np.int64)

    def sample(self, system: System, rng: np.random.Generator, shift: float = 0.0) -> Sample:
        """One data set; `shift` moves the normals of all its states."""
        return self.samples([system], rng, [shift])[0]

    def samples(
        self, systems: list[System], rng: np.random.Generator, shifts: list[float] | None = None
    ) -> list[Sample]:
        """Data sets of several systems on the same documents, which do the same to each."""
        doc_s = np.repeat(np.arange(self.documents), self.lengths(rng))
        shared_d = np.sqrt(self.correlation) * rng.standard_normal(self.documents)
        sets = []
        for system, shift in zip(systems, shifts or [0.0] * len(systems), strict=True):
            own_s = np.sqrt(1 - self.correlation) * rng.standard_normal(len(doc_s))
            share_s = special.ndtr(shared_d[doc_s] + own_s + shift)
            energy_s = self._energies(system, share_s, doc_s, rng)
            sets.append(Sample(np.clip(energy_s, -1.0, 1.0), doc_s))
        return sets

    def _energies(
        self, system: System, share_s: Array, doc_s: Integers, rng: np.random.Generator
    ) -> Array:
        if not self.kinds:
            return np.asarray(system.quantile(share_s))
        if not system.parts:
            raise ValueError(f"{system.name} has no parts in which documents could differ")
        concentration = 1 / self.kinds - 1
        weight_dk = rng.dirichlet(concentration * np.array(system.weights), self.documents)
        reached_sk = np.cumsum(weight_dk, axis=1)[doc_s, :-1]
        kind_s = np.sum(rng.random((len(doc_s), 1)) > reached_sk, axis=1)
        energy_s = np.empty(len(doc_s))
        for kind, part in enumerate(system.parts):
            energy_s[kind_s == kind] = part.quantile(share_s[kind_s == kind])
        return energy_s

    def alike(self, system: System) -> float:
        """Intraclass correlation of H ≤ E within a document, pooled over energies even in Ω.

        Given what a document shares, each of its states is below E by itself; two of them are of
        kinds k and l with probability w_k w_l (1 − kinds), or of one kind with w_k kinds.
        """
        energy_e = system.quantile((np.arange(SHARES) + 0.5) / SHARES)
        share_e = system.volume(energy_e)
        parts = system.parts if self.kinds else (system,)
        weight_k = np.array(system.weights if self.kinds else (1.0,))[:, None, None]
        normal_ke = special.ndtri(np.array([part.volume(energy_e) for part in parts]))
        shared_z, weight_z = np.polynomial.hermite_e.hermegauss(NODES)
        below_kez = special.ndtr(
            (normal_ke[..., None] - np.sqrt(self.correlation) * shared_z)
            / np.sqrt(1 - self.correlation)
        )
        of_all_ez = np.sum(weight_k * below_kez, axis=0)
        of_one_ez = np.sum(weight_k * below_kez**2, axis=0)
        both_ez = (1 - self.kinds) * of_all_ez**2 + self.kinds * of_one_ez
        both_e = both_ez @ weight_z / weight_z.sum()
        return float(np.sum(both_e - share_e**2) / np.sum(share_e * (1 - share_e)))

    def worth(self, system: System) -> float:
        """Independent states that tell as much about Ω, on average over data sets.

        States over 1 + r (Σn²/Σn − 1), with the intraclass correlation r.
        """
        rng, alike = np.random.default_rng(0), max(self.alike(system), 0.0)
        lengths = [self.lengths(rng).astype(np.float64) for _ in range(100)]
        worth = [n.sum() / (1 + alike * (np.sum(n**2) / n.sum() - 1)) for n in lengths]
        return float(np.mean(worth))


def counted(sample: Sample, edges_e: Array) -> StateCounts:
    """A data set, counted."""
    return count_states(sample.energy_s, sample.doc_s, edges_e)


def summed(sample: Sample, rare: float, edges_e: Array) -> BlockSums:
    """What wells are described from; states at or below the energy `rare` count as stutters."""
    rare_s = sample.energy_s <= rare
    zero_s = np.zeros(len(rare_s), dtype=np.int64)
    columns = {"doc": sample.doc_s, "energy": sample.energy_s, "last": zero_s}
    return sum_states(columns | {"correct": zero_s + 1, "top": zero_s + ~rare_s}, edges_e)
