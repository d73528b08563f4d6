"""Order parameters of a text, their susceptibility and their Binder cumulant.

Tokens are taken for spins: each kind of token has a sign at random, σ_v = ±1, and the magnetisation
of a text is m = Σ_v σ_v δ_v, where δ_v is the share of v in the text less its share in texts of
other prompts. Its mean is 0 where texts know nothing of each other. Averaged over all σ, exactly,

    ⟨m²⟩ = Σ δ_v²,   ⟨m⁴⟩ = 3 (Σ δ_v²)² − 2 Σ δ_v⁴,

so no signs are drawn. U₄ = 1 − ⟨m⁴⟩ / (3⟨m²⟩²) is 0 for texts of many independent tokens, 2/3 for
texts that repeat one token each, 2/(3k) for loops of k tokens, and negative where some texts loop
and others do not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Spins(NamedTuple):
    """Moments of the magnetisation of texts, averaged over signs.

    second, fourth : ⟨m²⟩ and ⟨m⁴⟩.
    """

    second: Array
    fourth: Array


def magnetisation(share_drv: Array) -> Spins:
    """(prompts, runs) moments of the magnetisation of each text.

    Parameters
    ----------
    share_drv : (prompts, runs, vocabulary) shares of tokens in each text; two prompts at least.
    """
    of_prompt_dv = share_drv.mean(axis=1)
    others_dv = (of_prompt_dv.sum(axis=0) - of_prompt_dv) / (len(of_prompt_dv) - 1)
    square_drv = np.square(share_drv - others_dv[:, None])
    second_dr = square_drv.sum(axis=2)
    return Spins(second_dr, 3 * second_dr**2 - 2 * np.square(square_drv).sum(axis=2))


def central_moments(
    first: Array, second: Array, third: Array, fourth: Array
) -> tuple[Array, Array]:
    """Second and fourth moment about the mean, from the first four moments about any number."""
    about = second - first**2
    return about, fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4


def binder(second: Array, fourth: Array) -> Array:
    """U₄ = 1 − ⟨m⁴⟩ / (3⟨m²⟩²); NaN where nothing varies."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cumulant: Array = 1 - fourth / (3 * second**2)
    return np.where(second > NOTHING, cumulant, np.nan)


NOTHING = 1e-20
"""A variance that is rounding alone."""
