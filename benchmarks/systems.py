"""Systems shaped like the energies of real models, all exact: for benchmarks that judge estimates.

A system is a mixture of closed forms, each moved to where it belongs: an interval of energies, or
the logarithm of |E| on one side of 0. Constants of the statistics may be set on `all_systems` and
on those of `set_on_systems` here; those of `judge_systems.judge_systems` only judge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workflow_scripts.semstat.statistics.closed_forms import (
    ClosedForm,
    beta,
    log_uniform,
    uniform,
    with_atom,
)

Array = NDArray[np.float64]

ROUNDS = 60
"""Of Newton's method or bisection at most, which is all the bits of an energy."""


@dataclass(frozen=True)
class System(ClosedForm):
    """A mixture that knows its parts.

    support : energies at which the density of a part begins or ends, where ρ may jump; ascending.
    parts, weights : what it is a mixture of; documents may differ in how much of each they have.
    atom : share of states at 0 exactly.
    """

    support: tuple[float, ...] = ()
    parts: tuple[ClosedForm, ...] = ()
    weights: tuple[float, ...] = ()
    atom: float = 0.0


def as_system(form: ClosedForm) -> System:
    """A closed form without parts, whose atom is what Ω gains at 0."""
    if isinstance(form, System):
        return form
    below, at = form.volume(np.array([-1e-300, 0.0]))
    return System(**_fields(form), atom=max(float(at - below), 0.0))


def _fields(form: ClosedForm) -> dict[str, Any]:
    return {field.name: getattr(form, field.name) for field in fields(ClosedForm)}


def moved(
    form: ClosedForm,
    ends: tuple[float, float],
    to: Callable[[Array], Array],
    back: Callable[[Array], Array],
    speed: Callable[[Array], Array],
    bend: Callable[[Array], Array],
) -> System:
    """A closed form on [−1, 1] in another coordinate.

    Parameters
    ----------
    ends : energies that −1 and 1 become.
    to, back : x in [−1, 1] → E, ascending, and its inverse.
    speed, bend : dx/dE and d ln(dx/dE)/dE.
    """

    def inside(e: Array) -> tuple[Any, Array]:
        e = np.asarray(e, dtype=np.float64)
        return (ends[0] < e) & (e < ends[1]), np.clip(e, *ends)

    def volume(e: Array) -> Any:
        return form.volume(np.clip(back(inside(e)[1]), -1, 1))

    def density(e: Array) -> Any:
        within, e = inside(e)
        x = np.where(within, back(e), 0.0)
        return np.where(within, form.density(x) * speed(e), 0.0)

    def slope(e: Array) -> Any:
        within, e = inside(e)
        x = np.where(within, back(e), 0.0)
        return np.where(within, form.slope(x) * speed(e) + bend(e), 0.0)

    def quantile(p: Array) -> Any:
        return np.clip(to(form.quantile(p)), *ends)

    name = f"{form.name} on [{ends[0]:g}, {ends[1]:g}]"
    return System(name, volume, density, slope, quantile, support=ends)


def on(low: float, high: float, form: ClosedForm) -> System:
    """A closed form squeezed from [−1, 1] into [low, high]."""
    half, middle = (high - low) / 2, (high + low) / 2
    return moved(
        form,
        (low, high),
        lambda x: middle + half * x,
        lambda e: (e - middle) / half,
        lambda e: np.full(np.shape(e), 1 / half),
        lambda e: np.zeros(np.shape(e)),
    )


def magnitudes(side: int, smallest: float, largest: float, form: ClosedForm) -> System:
    """ln |E| is distributed as the form is, stretched from [−1, 1] to the sizes that are named.

    Parameters
    ----------
    side : −1 or 1, the sign of E; energies ascend with x on either.
    """
    length = np.log(largest / smallest) / 2
    middle = np.log(largest * smallest) / 2
    ends = (smallest, largest) if side > 0 else (-largest, -smallest)
    return moved(
        form,
        ends,
        lambda x: side * np.exp(middle + side * length * x),
        lambda e: side * (np.log(np.abs(e)) - middle) / length,
        lambda e: 1 / (np.abs(e) * length),
        lambda e: -1 / e,
    )


def logistic_normal(mean: float, deviation: float) -> ClosedForm:
    """ln((1 + E)/(1 − E)) is normal."""

    def score(e: Array) -> Any:
        e = np.asarray(e, dtype=np.float64)
        with np.errstate(divide="ignore"):
            return (np.log1p(e) - np.log1p(-e) - mean) / deviation

    def density(e: Array) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            normal = np.exp(-(score(e) ** 2) / 2) / np.sqrt(2 * np.pi)
            return np.where(np.abs(e) < 1, normal * 2 / deviation / (1 - np.square(e)), 0.0)

    return ClosedForm(
        f"logistic-normal({mean:g}, {deviation:g})",
        volume=lambda e: special.ndtr(score(e)),
        density=density,
        slope=lambda e: 2 * (e - score(e) / deviation) / (1 - e**2),
        quantile=lambda p: np.tanh((mean + deviation * special.ndtri(p)) / 2),
    )


def power_law(index: float, scale: float) -> System:
    """Pr[H ≤ E] ∝ (1 + |E|/scale)^−index for E < 0, cut off at −1: a Lomax tail below zero."""
    last = (1 + 1 / scale) ** -index

    def reach(e: Array) -> Any:
        return 1 + np.abs(np.clip(e, -1, 0)) / scale

    def quantile(p: Array) -> Any:
        return -scale * np.expm1(-np.log(last + np.asarray(p) * (1 - last)) / index)

    return System(
        f"power law({index:g}, {scale:g})",
        volume=lambda e: (reach(e) ** -index - last) / (1 - last),
        density=lambda e: np.where(
            (np.asarray(e) > -1) & (np.asarray(e) < 0),
            index / scale * reach(e) ** (-index - 1) / (1 - last),
            0.0,
        ),
        slope=lambda e: (index + 1) / scale / reach(e),
        quantile=lambda p: np.clip(quantile(p), -1.0, 0.0),
        support=(-1.0, 0.0),
    )


def mixture(name: str, *weighted: tuple[float, ClosedForm]) -> System:
    """So much of each form; the weights are made to add up to 1."""
    total = sum(weight for weight, _ in weighted)
    weights = tuple(weight / total for weight, _ in weighted)
    parts = tuple(as_system(form) for _, form in weighted)

    def summed(values: list[Array]) -> Any:
        return sum(w * value for w, value in zip(weights, values, strict=True))

    def volume(e: Array) -> Any:
        return summed([part.volume(e) for part in parts])

    def density(e: Array) -> Any:
        return summed([part.density(e) for part in parts])

    def slope(e: Array) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return summed([part.density(e) * part.slope(e) for part in parts]) / density(e)

    support = sorted({e for part in parts for e in part.support if abs(e) < 1})
    share = np.concatenate([[0.0], _shares(), [1.0]])
    table = np.unique(np.concatenate([part.quantile(share) for part in parts]))
    return System(
        name, volume, density, slope, _inverse(volume, density, table),
        support=tuple(support), parts=parts, weights=weights,
        atom=sum(w * part.atom for w, part in zip(weights, parts, strict=True)),
    )  # fmt: skip


def _shares() -> Array:
    """Shares of states, dense at both ends."""
    tail = np.geomspace(1e-14, 0.01, 600)
    return np.unique(np.concatenate([tail, np.linspace(0.01, 0.99, 2000), 1 - tail]))


def _inverse(
    volume: Callable[[Array], Any], density: Callable[[Array], Any], table: Array
) -> Callable[[Array], Any]:
    """The quantile function, by Newton's method within a bracket from a table of energies."""
    reached = volume(table)

    def quantile(p: Array) -> Any:
        p = np.asarray(p, dtype=np.float64)
        wanted = np.clip(p.ravel(), reached[0], reached[-1])
        end = np.clip(np.searchsorted(reached, wanted), 1, len(table) - 1)
        low, high = table[end - 1], table[end]
        gained = reached[end] - reached[end - 1]
        part = np.divide(wanted - reached[end - 1], gained, np.zeros(len(end)), where=gained > 0)
        energy = low + part * (high - low)
        todo = np.arange(len(energy))
        for _ in range(ROUNDS):
            here, target = energy[todo], wanted[todo]
            excess = volume(here) - target
            low[todo] = np.where(excess < 0, here, low[todo])
            high[todo] = np.where(excess > 0, here, high[todo])
            with np.errstate(divide="ignore", invalid="ignore"):
                stepped = here - excess / density(here)
            between = (stepped > low[todo]) & (stepped < high[todo])
            following = np.where(between, stepped, (low[todo] + high[todo]) / 2)
            off = (np.abs(excess) > 1e-15 + 1e-13 * target) & (low[todo] < high[todo])
            energy[todo[off]] = following[off]
            todo = todo[off]
            if not len(todo):
                break
        return energy.reshape(p.shape)

    return quantile


def with_zeros(system: System, atom: float) -> System:
    """A system that is at energy 0 exactly with probability `atom`, else as given."""
    whole = with_atom(system, atom)
    return System(**{**_fields(whole), "name": system.name}, support=system.support, atom=atom)


def mean_energy(system: ClosedForm) -> float:
    """⟨H⟩ = ∫ E dΩ, by Gauss–Legendre in the share of states, in cells that crowd at both ends."""
    if isinstance(system, System) and system.parts:
        weighted = zip(system.weights, system.parts, strict=True)
        return sum(weight * mean_energy(part) for weight, part in weighted)
    node, weight = np.polynomial.legendre.leggauss(8)
    edge = np.concatenate([[0.0], _shares(), [1.0]])
    width = np.diff(edge)
    share = edge[:-1, None] + width[:, None] * (node + 1) / 2
    return float(np.sum((system.quantile(share) @ weight) * width) / 2)


def set_on_systems() -> list[System]:
    """Shaped like models' energies; constants may be set on them."""
    return [
        mixture("log layer, 4 decades",
                (0.3, magnitudes(-1, 1e-6, 1, logistic_normal(-0.5, 1))),
                (0.7, magnitudes(1, 1e-6, 1, logistic_normal(0.3, 1)))),
        mixture("log layer, 10 decades",
                (0.15, magnitudes(-1, 1e-12, 1, logistic_normal(-0.5, 1.5))),
                (0.85, magnitudes(1, 1e-12, 1, logistic_normal(0.5, 1.2)))),
        mixture("spike at 1", (0.6, beta(2, 3)), (0.4, on(0.8, 1, beta(2, 0.4)))),
        mixture("dip before a spike", (0.7, on(-1, 0.9, beta(2, 3))),
                (0.3, on(0.85, 1, beta(2, 0.5)))),
        mixture("narrow bump", (0.93, beta(2, 2)), (0.07, on(0.26, 0.34, beta(4, 4)))),
        mixture("gap at 0.3", (0.5, on(-1, 0.17782794100389228, beta(1.5, 1))),
                (0.5, on(0.5, 1, beta(1, 1.3)))),
        mixture("gap around 0", (0.35, magnitudes(-1, 1e-3, 1, beta(2, 2))),
                (0.65, magnitudes(1, 1e-2, 1, beta(1, 2)))),
        mixture("jump at -0.2", (0.15, on(-1, -0.2, beta(2, 1))), (0.85, on(-0.2, 1, beta(1, 2)))),
        mixture("jumps at 0.05 and 0.2", (0.6, uniform()), (0.4, on(0.05, 0.2, uniform()))),
        as_system(logistic_normal(0.5, 1.6)),
        mixture("power law below 0, 1.5", (0.2, power_law(1.5, 0.02)),
                (0.8, on(0, 1, beta(1.2, 1.5)))),
        mixture("divergence above 0", (0.3, on(-1, 0, beta(1.5, 1))),
                (0.7, on(0, 1, beta(0.5, 1)))),
        with_zeros(
            mixture("two layers and an atom", (0.5, magnitudes(1, 1e-9, 1e-1, beta(3, 3))),
                    (0.1, magnitudes(-1, 1e-9, 1, beta(3, 2))), (0.4, on(-0.2, 1, beta(3, 1.5)))),
            0.05),
        mixture("three kinds", (0.4, beta(6, 3)), (0.35, logistic_normal(-1, 1)),
                (0.25, log_uniform(8))),
    ]  # fmt: skip
