"""How nearly conserved each combination of kinetic and potential terms is along one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .tables import MECHANICS_NUMBERS
from .terms import PLACES, Column, Terms, terms_of

Array = NDArray[np.float64]

NULL_SPEEDS = {"order": "shuffled_speed", "embedding": "embedding_speed"}
"""Other velocities for the same states: columns, after the beginning that `PLACES` gives them."""

Numbers = dict[str, Array]
"""By name, (forms, kinetic, potential) arrays."""


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
    variances = _Variances.of(terms)
    unknown = np.full_like(variances.unpaired, np.nan)
    numbers = dict.fromkeys(MECHANICS_NUMBERS, unknown)
    numbers |= _conservation(terms, variances) | _pairing(terms, variances)
    for null, kind in NULL_SPEEDS.items():
        if (speed_t := column.get(f"{PLACES[place]}{kind}")) is not None:
            terms = terms_of(column, speed_t, hidden)
            if terms is None:
                return None
            found = _conservation(terms, _Variances.of(terms))
            numbers |= {f"cv_{null}": found["cv"], f"ratio_{null}": found["variance_ratio"]}
            numbers[f"beyond_{null}"] = numbers["variance_ratio"] - found["variance_ratio"]
    return numbers


class _Variances(NamedTuple):
    """Variances of the terms along a document.

    kinetic_k, potential_p : Var K of each kinetic term, and Var V of each potential one.
    unpaired : (forms, kinetic, potential) Var K + Var V; NaN of the form that is no sum.
    """

    kinetic_k: Array
    potential_p: Array
    unpaired: Array

    @classmethod
    def of(cls, terms: Terms) -> _Variances:
        variance_k = terms.kinetic_kt.var(axis=1, ddof=1)
        variance_p = terms.potential_pt.var(axis=1, ddof=1)
        total_kp = variance_k[:, None] + variance_p
        unpaired = np.stack([total_kp, total_kp, np.full_like(total_kp, np.nan)])
        return cls(variance_k, variance_p, unpaired)


def _conservation(terms: Terms, variances: _Variances) -> Numbers:
    combined = terms.combined()
    centred_t = terms.position_t - terms.position_t.mean()
    span = np.ptp(terms.position_t)
    mean, variance = combined.mean(axis=-1), combined.var(axis=-1, ddof=1)
    return {
        "mean": mean,
        "sd": np.sqrt(variance),
        "cv": np.sqrt(variance) / np.abs(mean),
        "cv_shuffled": np.sqrt(variances.unpaired) / np.abs(mean),
        "drift": combined @ (centred_t * span / (centred_t @ centred_t)),
        "variance_ratio": variance / variances.unpaired,
    }


def _pairing(terms: Terms, variances: _Variances) -> Numbers:
    """What the pairing of K and V is worth, and what it would be worth by chance.

    Over all pairings Cov(K, V) has mean 0 and variance Var K Var V / (n − 1) exactly; over all
    circular shifts mean 0 and a variance that the power spectra give (Parseval).
    """
    states = len(terms.position_t)
    k_kt, v_pt = (x - x.mean(axis=1, keepdims=True) for x in (terms.kinetic_kt, terms.potential_pt))
    product_kp = variances.kinetic_k[:, None] * variances.potential_p
    # Of as many frequencies as positions.
    power_kt, power_pt = (np.abs(np.fft.fft(x)) ** 2 for x in (k_kt, v_pt))
    shifted_kp = power_kt @ power_pt.T / (states * (states - 1)) ** 2
    covariance_kp = k_kt @ v_pt.T / (states - 1)

    per_covariance = 2 / variances.unpaired
    shape = per_covariance.shape
    return {
        "kinetic_mean": np.broadcast_to(terms.kinetic_kt.mean(axis=1)[:, None], shape),
        "potential_mean": np.broadcast_to(terms.potential_pt.mean(axis=1), shape),
        "correlation": np.broadcast_to(covariance_kp / np.sqrt(product_kp), shape),
        # Roots first: the square of a large variance has no floating-point number.
        "shuffled_variance": (per_covariance * np.sqrt(product_kp / (states - 1))) ** 2,
        "shifted_variance": (per_covariance * np.sqrt(shifted_kp)) ** 2,
    }
