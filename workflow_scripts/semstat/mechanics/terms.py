"""Momentum point-perplexity mechanics: do a kinetic and a potential term of text compensate?

After Tomaz, Rosenblatt, Jones & de Lucena, "Momentum Point-Perplexity Mechanics in Large Language
Models" (arXiv 2508.08492), whose abstract names the quantities but not their normalisations. What
stands here is a reconstruction: a family of kinetic terms K of the velocity v(t) = h(t) − h(t−1),
of potential terms V of the next-token distribution, and of what they combine to.

A small coefficient of variation is no conservation: a large constant plus noise has one too. A
quantity K + V is conserved when its terms compensate, Var(K + V) < Var K + Var V, and do so beyond
null models that keep both terms and break their pairing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kinetic import KINETIC, LOGARITHMIC, kinetic_terms

Array = NDArray[np.float64]
Column = NDArray[Any]

POTENTIAL = ("surprisal", "entropy", "perplexity", "point_perplexity")
"""Potential terms; see `potential_terms`."""

FORMS = ("energy", "lagrangian", "log_energy")
"""K + V, K − V and ln(K + V). The logarithmic kinetic terms make the other logarithmic forms:
ln(½‖v‖²) ± surprisal = ln(½‖v‖² · point perplexity^±1), and so with entropy and perplexity."""

MEMBERS = list(itertools.product(FORMS, KINETIC, POTENTIAL))
"""Every combination of terms, in the order of the arrays' axes."""

PLACES = {"before_norm": "", "after_norm": "normed_"}
"""Where the velocity is taken, and what the names of its columns begin with."""

FIRST_POSITION = 2
"""The first state with a velocity from text to text: before it lies the prefix token, whose hidden
state is that of an attention sink, hundreds of times as long as the others."""

FEWEST_STATES = 3
"""States that a document needs, so that a variance about a trend has a meaning."""


def potential_terms(log_p_t: Array, entropy_t: Array) -> Array:
    """−ln p(x_{t+1}), the entropy of p, and their exponentials.

    The latter are the perplexity of the distribution and the point perplexity, 1/p(x_{t+1}), of the
    token that came.

    Returns
    -------
    (potential, states) in the order of `POTENTIAL`.
    """
    return np.stack([-log_p_t, entropy_t, np.exp(entropy_t), np.exp(-log_p_t)])


class Terms(NamedTuple):
    """Kinetic and potential terms of the states of one document.

    position_t : (states,) positions.
    kinetic_kt : (kinetic, states) in the order of `KINETIC`.
    potential_pt : (potential, states) in the order of `POTENTIAL`.
    """

    position_t: Array
    kinetic_kt: Array
    potential_pt: Array

    def kinetic(self, name: str) -> Array:
        """(states,) one kinetic term."""
        kinetic_t: Array = self.kinetic_kt[KINETIC.index(name)]
        return kinetic_t

    def potential(self, name: str) -> Array:
        """(states,) one potential term."""
        potential_t: Array = self.potential_pt[POTENTIAL.index(name)]
        return potential_t

    def combined(self) -> Array:
        """(forms, kinetic, potential, states) in the order of `FORMS`; NaN where undefined."""
        kinetic_kpt, potential_kpt = self.kinetic_kt[:, None], self.potential_pt[None]
        energy_kpt = kinetic_kpt + potential_kpt
        positive_kpt = np.where(LOGARITHMIC[:, None, None], np.nan, energy_kpt)
        return np.stack([energy_kpt, kinetic_kpt - potential_kpt, np.log(positive_kpt)])


def terms_of(column: Mapping[str, Column], speed_t: Column, hidden: int) -> Terms | None:
    """Terms of one document, or None where it is too short or one of them does not vary.

    Parameters
    ----------
    column : (states,) position, log_p_correct and entropy.
    speed_t : (states,) ‖v‖, NaN where unknown. States that do not move are left out: there
        the logarithm has no value.
    hidden : dimensions of the hidden states.
    """
    used_t = np.isfinite(speed_t) & (speed_t > 0) & (column["position"] >= FIRST_POSITION)
    if used_t.sum() < FEWEST_STATES:
        return None
    v_t, log_p_t, entropy_t = (
        x[used_t].astype(np.float64) for x in (speed_t, column["log_p_correct"], column["entropy"])
    )
    terms = Terms(
        column["position"][used_t].astype(np.float64),
        kinetic_terms(v_t, hidden),
        potential_terms(log_p_t, entropy_t),
    )
    varies = all((np.ptp(x, axis=1) > 0).all() for x in (terms.kinetic_kt, terms.potential_pt))
    return terms if varies else None


def documents_of(column: Mapping[str, Column]) -> Iterator[dict[str, Column]]:
    """The columns of each document, from (states,) columns ordered by document."""
    cuts = np.flatnonzero(np.diff(column["doc"])) + 1
    pieces = {name: np.split(x, cuts) for name, x in column.items()}
    for document in range(len(cuts) + 1):
        yield {name: x[document] for name, x in pieces.items()}
