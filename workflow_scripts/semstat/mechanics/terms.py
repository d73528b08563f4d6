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

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Column = NDArray[Any]

KINETIC = ("half_square", "half_square_per_dimension", "log_half_square", "log_speed")
"""Kinetic terms; see `kinetic_terms`."""

POTENTIAL = ("surprisal", "entropy", "perplexity", "point_perplexity")
"""Potential terms; see `potential_terms`."""

FORMS = ("energy", "lagrangian", "log_energy")
"""K + V, K − V and ln(K + V). The logarithmic kinetic terms make the other logarithmic forms:
ln(½‖v‖²) ± surprisal = ln(½‖v‖² · point perplexity^±1), and so with entropy and perplexity."""

LOGARITHMIC = np.array([name.startswith("log") for name in KINETIC])
"""(kinetic,) which K may be negative, so that ln(K + V) is left out."""

PLACES = {"before_norm": "", "after_norm": "normed_"}
"""Where the velocity is taken, and what the names of its columns begin with."""

NULL_SPEEDS = {"order": "shuffled_speed", "embedding": "embedding_speed"}
"""Other velocities for the same states: columns, after the beginning that `PLACES` gives them."""

FIRST_POSITION = 2
"""The first state with a velocity from text to text: before it lies the prefix token, whose hidden
state is that of an attention sink, hundreds of times as long as the others."""

FEWEST_STATES = 3
"""States that a document needs, so that a variance about a trend has a meaning."""

NUMBERS = (
    "mean",
    "sd",
    "cv",
    "drift",
    "kinetic_mean",
    "potential_mean",
    "correlation",
    "variance_ratio",
    "cv_shuffled",
    "cv_order",
    "cv_embedding",
    "ratio_order",
    "ratio_embedding",
    "beyond_order",
    "beyond_embedding",
)
"""What is averaged over documents; see `document_numbers`."""

NULL_VARIANCES = ("shuffled_variance", "shifted_variance")
"""Variances of a document's variance ratio when its terms are paired anew."""

Numbers = dict[str, Array]
"""By name, (forms, kinetic, potential) arrays."""


def kinetic_terms(speed_t: Array, hidden: int) -> Array:
    """½‖v‖², ½‖v‖²/N, ln(½‖v‖²) and ln‖v‖ of the speed ‖v‖ and of N hidden dimensions.

    Returns
    -------
    (kinetic, states) in the order of `KINETIC`.
    """
    half_square_t = speed_t**2 / 2
    return np.stack([half_square_t, half_square_t / hidden, np.log(half_square_t), np.log(speed_t)])


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


def document_numbers(column: Mapping[str, Column], place: str, hidden: int) -> Numbers | None:
    """How nearly conserved each combination of terms is along one document.

    Parameters
    ----------
    column : (states,) columns of an energies table, of one document at one layer; besides, where
        known, `embedding_speed` and `normed_embedding_speed`: the speeds at layer 0.
    place : a key of `PLACES`.
    hidden : dimensions of the hidden states.

    Returns
    -------
    None where `terms_of` is None; else (forms, kinetic, potential) arrays, NaN where undefined:

    mean, sd : of the combination along the document, in its unit.
    cv : sd / |mean|.
    drift : change along the document by a straight line through all states, in its unit.
    kinetic_mean, potential_mean : of K and of V.
    correlation : of K and V.
    variance_ratio : Var(K ± V) / (Var K + Var V); 1 if the two know nothing of each other.
    cv_shuffled : the cv expected when K and V are shuffled against each other.
    cv_order, ratio_order : cv and variance ratio with the velocity across shuffled token order.
    cv_embedding, ratio_embedding : the same with the velocity of the token embeddings.
    beyond_order, beyond_embedding : variance_ratio less that of the null; below 0 if K of the
        real velocity compensates V better.
    shuffled_variance, shifted_variance : variance of variance_ratio over all pairings of K with V,
        and over all circular shifts of K against V, which keep the correlations along each.
    """
    terms = terms_of(column, column[f"{PLACES[place]}speed"], hidden)
    if terms is None:
        return None
    unknown = np.full((len(FORMS), len(KINETIC), len(POTENTIAL)), np.nan)
    numbers = dict.fromkeys(NUMBERS, unknown) | _conservation(terms) | _pairing(terms)
    for null, kind in NULL_SPEEDS.items():
        if (speed_t := column.get(f"{PLACES[place]}{kind}")) is not None:
            terms = terms_of(column, speed_t, hidden)
            if terms is None:
                return None
            found = _conservation(terms)
            numbers |= {f"cv_{null}": found["cv"], f"ratio_{null}": found["variance_ratio"]}
            numbers[f"beyond_{null}"] = numbers["variance_ratio"] - found["variance_ratio"]
    return numbers


def _conservation(terms: Terms) -> Numbers:
    combined = terms.combined()
    centred_t = terms.position_t - terms.position_t.mean()
    span = np.ptp(terms.position_t)
    mean, variance = combined.mean(axis=-1), combined.var(axis=-1, ddof=1)
    unpaired = _unpaired(terms)
    return {
        "mean": mean,
        "sd": np.sqrt(variance),
        "cv": np.sqrt(variance) / np.abs(mean),
        "cv_shuffled": np.sqrt(unpaired) / np.abs(mean),
        "drift": combined @ (centred_t * span / (centred_t @ centred_t)),
        "variance_ratio": variance / unpaired,
    }


def _unpaired(terms: Terms) -> Array:
    """(forms, kinetic, potential) Var K + Var V; NaN of the form that is no sum."""
    variance_k, variance_p = (x.var(axis=1, ddof=1) for x in terms[1:])
    total_kp = variance_k[:, None] + variance_p
    return np.stack([total_kp, total_kp, np.full_like(total_kp, np.nan)])


def _pairing(terms: Terms) -> Numbers:
    """What the pairing of K and V is worth, and what it would be worth by chance.

    Over all pairings Cov(K, V) has mean 0 and variance Var K Var V / (n − 1) exactly; over all
    circular shifts mean 0 and a variance that the power spectra give (Parseval).
    """
    states = len(terms.position_t)
    k_kt, v_pt = (x - x.mean(axis=1, keepdims=True) for x in terms[1:])
    variance_k, variance_p = (x.var(axis=1, ddof=1) for x in terms[1:])
    product_kp = variance_k[:, None] * variance_p
    power_kf, power_pf = (np.abs(np.fft.fft(x)) ** 2 for x in (k_kt, v_pt))
    shifted_kp = power_kf @ power_pf.T / (states * (states - 1)) ** 2
    covariance_kp = k_kt @ v_pt.T / (states - 1)

    per_covariance = 2 / _unpaired(terms)
    shape = per_covariance.shape
    return {
        "kinetic_mean": np.broadcast_to(terms.kinetic_kt.mean(axis=1)[:, None], shape),
        "potential_mean": np.broadcast_to(terms.potential_pt.mean(axis=1), shape),
        "correlation": np.broadcast_to(covariance_kp / np.sqrt(product_kp), shape),
        # Roots first: the square of a large variance has no floating-point number.
        "shuffled_variance": (per_covariance * np.sqrt(product_kp / (states - 1))) ** 2,
        "shifted_variance": (per_covariance * np.sqrt(shifted_kp)) ** 2,
    }


def split_documents(column: Mapping[str, Column]) -> Iterator[dict[str, Column]]:
    """The columns of each document, from (states,) columns ordered by document."""
    cuts = np.flatnonzero(np.diff(column["doc"])) + 1
    pieces = {name: np.split(x, cuts) for name, x in column.items()}
    for document in range(len(cuts) + 1):
        yield {name: x[document] for name, x in pieces.items()}
