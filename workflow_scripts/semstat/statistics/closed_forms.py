"""Systems whose curves are known in closed form, to test estimates against.

Each is given by its phase-space volume Ω, density ρ without the atom at 0, slope d ln ρ/dE and
quantiles, on energies in [−1, 1]; T = Ω/ρ and T_B = 1/slope follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Exact = Callable[[Any], Any]
"""Of (energies,) float64, or of shares of states; Any, as scipy.special is not typed."""


@dataclass(frozen=True)
class ClosedForm:
    """A system on [−1, 1].

    volume : E → Ω(E) = Pr[H ≤ E].
    density : E → dΩ/dE off the atom.
    slope : E → d ln ρ/dE = 1/T_B.
    quantile : p → the energy at which Ω reaches p.
    """

    name: str
    volume: Exact
    density: Exact
    slope: Exact
    quantile: Exact

    def temperature(self, energy: Array) -> Array:
        """T = Ω/ρ, probability."""
        temperature: Array = self.volume(energy) / self.density(energy)
        return temperature

    def sample(
        self,
        rng: np.random.Generator,
        documents: int,
        states: int,
        correlation: float = 0.0,
    ) -> tuple[Array, NDArray[np.int64]]:
        """Energies of `states` states in each of `documents` documents, and their documents.

        States of a document are exchangeable, with a Gaussian copula of the given correlation: each
        is distributed as the system is, whatever the correlation.
        """
        shared = np.sqrt(correlation) * rng.standard_normal((documents, 1))
        own = np.sqrt(1 - correlation) * rng.standard_normal((documents, states))
        energy = self.quantile(special.ndtr(shared + own).ravel())
        return np.clip(energy, -1.0, 1.0), np.repeat(np.arange(documents), states)


def beta(a: float, b: float, name: str | None = None) -> ClosedForm:
    """(1 + H)/2 has a Beta(a, b) distribution; ρ diverges at −1 if a < 1, at 1 if b < 1."""
    logarithm = special.betaln(a, b) + (a + b - 1) * np.log(2)
    return ClosedForm(
        name or f"beta({a:g}, {b:g})",
        volume=lambda e: special.betainc(a, b, (1 + e) / 2),
        density=lambda e: np.exp(
            special.xlogy(a - 1, 1 + e) + special.xlogy(b - 1, 1 - e) - logarithm
        ),
        slope=lambda e: (a - 1) / (1 + e) - (b - 1) / (1 - e),
        quantile=lambda p: 2 * special.betaincinv(a, b, p) - 1,
    )


def uniform() -> ClosedForm:
    """ρ = 1/2, T = E + 1."""
    return beta(1, 1, "uniform")


def oscillators(freedoms: int) -> ClosedForm:
    """`freedoms` quadratic degrees of freedom (an ideal gas; half as many oscillators).

    With the energy E + 1 above the ground state, Ω = ((E + 1)/2)^{N/2} and T = 2(E + 1)/N.
    """
    return beta(freedoms / 2, 1, f"oscillators(N={freedoms})")


def with_atom(smooth: ClosedForm, atom: float) -> ClosedForm:
    """A system that is at energy 0 exactly with probability `atom`, else as `smooth`."""
    below = float(smooth.volume(np.zeros(1))[0]) * (1 - atom)

    def quantile(p: Array) -> Any:
        rest = np.where(p < below, p, np.maximum(p - atom, below)) / (1 - atom)
        return np.where((p >= below) & (p < below + atom), 0.0, smooth.quantile(rest))

    return ClosedForm(
        f"{smooth.name} + atom({atom:g})",
        volume=lambda e: (1 - atom) * smooth.volume(e) + atom * (e >= 0),
        density=lambda e: (1 - atom) * smooth.density(e),
        slope=smooth.slope,
        quantile=quantile,
    )


def log_uniform(decades: float = 8.0, below: float = 0.2) -> ClosedForm:
    """ρ ∝ 1/|E| over `decades` decades up to 1, a share `below` of it at negative energies.

    What inner layers look like: energies of every magnitude, mostly positive, a jump at 0.
    """
    length = decades * np.log(10)

    def inner(e: Array) -> Any:
        """Share of |H| ≤ |E|."""
        return np.clip(1 + np.log(np.maximum(np.abs(e), 1e-300)) / length, 0, 1)

    def quantile(p: Array) -> Any:
        negative = -np.exp(-length * np.clip(p / below, 0, 1))
        positive = np.exp(length * (np.clip((p - below) / (1 - below), 0, 1) - 1))
        return np.where(p < below, negative, positive)

    return ClosedForm(
        f"log-uniform({decades:g} decades)",
        volume=lambda e: np.where(e < 0, below * (1 - inner(e)), below + (1 - below) * inner(e)),
        density=lambda e: np.where(e < 0, below, 1 - below) * (inner(e) > 0) / np.abs(e) / length,
        slope=lambda e: -1 / e,
        quantile=quantile,
    )


def from_log_density(name: str, log_density: Exact, slope: Exact, cells: int = 4000) -> ClosedForm:
    """A system of any bounded ρ ∝ exp(log_density), integrated by Gauss–Legendre in each cell."""
    node, weight = np.polynomial.legendre.leggauss(8)
    edge = np.linspace(-1, 1, cells + 1)

    def integral(low: Array, high: Array) -> Array:
        at = low[..., None] + (high - low)[..., None] * (node + 1) / 2
        part: Array = (np.exp(log_density(at)) @ weight) * (high - low) / 2
        return part

    cumulated = np.concatenate([[0.0], np.cumsum(integral(edge[:-1], edge[1:]))])
    total = cumulated[-1]

    def volume(e: Array) -> Any:
        cell = np.clip(np.searchsorted(edge, e, side="right") - 1, 0, cells - 1)
        return (cumulated[cell] + integral(edge[cell], np.asarray(e))) / total

    return ClosedForm(
        name,
        volume=volume,
        density=lambda e: np.exp(log_density(e)) / total,
        slope=slope,
        quantile=lambda p: np.interp(p, cumulated / total, edge),
    )


def two_state(spins: int = 20) -> ClosedForm:
    """N two-state spins: ρ ∝ Γ(N + 1)/(Γ(n₊ + 1) Γ(n₋ + 1)), n± = N(1 ± E)/2.

    More energy means more spins up. T_B is positive below E = 0 and negative above: a bounded
    spectrum has negative surface temperatures, while T = Ω/ρ is never negative.
    """

    def log_density(e: Array) -> Any:
        up, down = spins * (1 + e) / 2, spins * (1 - e) / 2
        return -special.gammaln(up + 1) - special.gammaln(down + 1)

    def slope(e: Array) -> Any:
        up, down = spins * (1 + e) / 2, spins * (1 - e) / 2
        return spins / 2 * (special.digamma(down + 1) - special.digamma(up + 1))

    return from_log_density(f"two-state(N={spins})", log_density, slope)


def convex_dip(
    depth: float = 1.5, phase: float = 0.55, tilt: float = 0.0, stiffness: float = 0.0
) -> ClosedForm:
    """S_B = tilt E − stiffness E²/2 − depth (E²/phase² − 1)²: two phases near ±phase.

    Where S_B is convex, E² < (phase²/3) (1 − stiffness phase²/(4 depth)), a system of two
    coexisting phases has negative heat capacity: the microcanonical signature of a transition of
    first order. A stiffness above 4 depth/phase² leaves S_B concave and d²S_B/dE² with a negative
    maximum at 0: the signature of second order. The tilt sets the temperature.
    """
    return from_log_density(
        f"convex dip({depth:g})",
        lambda e: tilt * e - stiffness * e**2 / 2 - depth * ((e / phase) ** 2 - 1) ** 2,
        lambda e: tilt - stiffness * e - 4 * depth * e / phase**2 * ((e / phase) ** 2 - 1),
    )


def all_systems() -> list[ClosedForm]:
    """One of each kind, hard ones included."""
    return [
        uniform(), beta(0.5, 0.5), beta(2, 5), beta(0.3, 3), oscillators(10),
        with_atom(uniform(), 0.1), log_uniform(), two_state(), convex_dip(),
    ]  # fmt: skip
