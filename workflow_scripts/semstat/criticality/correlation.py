"""How far tokens of a text tell of each other: their autocorrelation, and its time.

Tokens are vectors of one 1 among zeros. The connected autocorrelation at lag k is

    C(k) = Pr[x_{t+k} = x_t] − b,   C(0) = 1 − b,

b being the chance that a token of one prompt's texts equals one of another prompt's. Independent
tokens have C(k) = 0 at every lag but 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

OF_LENGTH = 4
"""Lags go up to this part of a text."""


def matches(token_rt: NDArray[np.integer], lags: int) -> Array:
    """(lags,) share of places of some texts at which the token of 1, 2, … places on is the same."""
    return np.array([np.mean(token_rt[:, k:] == token_rt[:, :-k]) for k in range(1, lags + 1)])


def background(share_dv: Array) -> Array:
    """(prompts, prompts) chance that tokens of two prompts' texts are the same.

    Parameters
    ----------
    share_dv : (prompts, vocabulary) shares of tokens in the texts of each prompt.
    """
    pair_dd: Array = share_dv @ share_dv.T
    return pair_dd


def between(pair_dd: Array, weight_rd: Array) -> Array:
    """(draws,) mean of a background over pairs of different prompts that are weighted so."""
    other_dd = pair_dd * ~np.eye(len(pair_dd), dtype=np.bool_)
    pairs_r = weight_rd.sum(axis=1) ** 2 - np.square(weight_rd).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        chance_r: Array = np.einsum("rd,de,re->r", weight_rd, other_dd, weight_rd) / pairs_r
    return chance_r


def integrated_time(match_rk: Array, background_r: Array) -> Array:
    """(draws,) τ = 1 + 2 Σ C(k)/C(0), tokens: so many count as one.

    The sum is over all lags that there are, and no window ends it where it seems to have converged:
    in a loop nothing correlates before its period. A correlation that lasts longer makes τ a lower
    bound. 1 for independent tokens; NaN where all tokens are the same.

    Parameters
    ----------
    match_rk : (draws, lags) as `matches` has them.
    background_r : (draws,) b.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation_rk = (match_rk - background_r[:, None]) / (1 - background_r[:, None])
    time_r: Array = 1 + 2 * correlation_rk.sum(axis=1)
    return np.where(background_r < 1, time_r, np.nan)
