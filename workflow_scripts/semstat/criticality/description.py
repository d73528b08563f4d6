"""Observables of a sweep with their intervals, and the sampling temperatures where they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.curve import Interval
from ..tables import interval_columns
from .crossovers import falls_through_zero, peak, steepest
from .estimates import draw_prompts, interval_over_prompts
from .observables import LOOPS, Observed
from .tables import BALANCE, CROSSING, DIVERSITIES, HALVES, OBSERVED, PEAKS, STEEPEST

Array = NDArray[np.float64]

PEAKED = (
    *("heat_capacity", "fisher", "energy_susceptibility", "token_susceptibility"),
    "autocorrelation_time",
)

HALVED = ("looping", "near_looping")

STEEP = ("in_near_loops", "rep_4", "energy", "below_zero", "depth")

CUMULANTS = ("energy_binder", "token_binder")


class Sweep(NamedTuple):
    """Observables of every draw of prompts.

    temperature_o : sampling temperatures, ascending.
    lengths : ascending.
    value : by name, (lengths, draws, sampling temperatures); the first draw is all prompts alike.
    prompts, texts : how many there are at each.
    different_o : (sampling temperatures,) texts, no two the same: at 0 one a prompt.
    exposed : of the rates by name, (lengths, sampling temperatures) tokens of these texts at which
        it could have been seen; of loops entered, at the period where these are fewest.
    """

    temperature_o: Array
    lengths: Sequence[int]
    value: Mapping[str, Array]
    prompts: int
    texts: int
    different_o: NDArray[np.int64]
    exposed: Mapping[str, Array]


def sweep(
    observed: Sequence[Sequence[Observed]],
    temperature_o: Array,
    texts: int,
    resamples: int,
    rng: np.random.Generator,
) -> Sweep:
    """Put together what texts are like at each sampling temperature, (temperatures, lengths)."""
    prompts = len(observed[0][0].match_dk)
    weight_rd = draw_prompts(prompts, resamples, rng)
    under = [[at.under(weight_rd) for at in row] for row in observed]
    value = {
        name: np.array([[at[name] for at in row] for row in under]).transpose(1, 2, 0)
        for name in OBSERVED
    }
    outside = [[at.outside_dk.mean(axis=0).min() for at in row] for row in observed]
    inside = [[at.mean_d["inside"].mean() for at in row] for row in observed]
    different_o = np.where(temperature_o > 0, texts, prompts)
    exposed = {
        "entering": different_o * np.array(outside).T,
        "leaving": different_o * np.array(inside).T,
    }
    lengths = [at.length for at in observed[0]]
    return Sweep(temperature_o, lengths, value, prompts, texts, different_o, exposed)


def describe_observables(of: Sweep, confidence: float) -> list[dict[str, Any]]:
    """Rows, one a length and sampling temperature, with value, `_low` and `_high` of

    looping, near_looping : share of texts with an exact loop, or with one of near-copies.
    in_loops, in_near_loops : share of tokens in one.
    entering, leaving : rates, 1/token: entries into near-loops over tokens outside, and exits over
        tokens inside; see `crossings.Crossings`. Of periods that the shortest length can show.
    rep_4 : share of 4-grams that the text already has.
    energy : mean H of tokens under the model's own distribution; below_zero : Ω(0⁻), the share
        below 0; depth : the energy at which Ω reaches `observables.LEVEL`.
    surprisal : mean −ln p of tokens under it, nats.
    conditional, marginal : mean entropies of what tokens are drawn from, nats: of a text by itself,
        and of the mean over a prompt's runs, which is capped at conditional + ln runs.
    autocorrelation_time : tokens; see `correlation`.
    heat_capacity : c = E Var_p(z)/T² a token, T being the sampling temperature and z the logits.
    fisher : Fisher information of whole texts about the sampling temperature, E Σ Var_p(z)/T⁴.
    energy_susceptibility, token_susceptibility : length · Var(m), m being the mean energy of a
        text, or the magnetisation of its tokens (see `order`).
    energy_binder, token_binder : 1 − ⟨m⁴⟩/(3⟨m²⟩²), about the mean over texts.

    Null where there is none: heat capacity and Fisher information at 0, rates where nothing was
    exposed. Intervals are over prompts; where no text has a loop, or each, those of shares are the
    exact binomial ones for so many texts, and where nothing happened those of rates are Poisson's;
    at 0, where all texts of a prompt are the same, for so many prompts.
    """
    rows = []
    for h, length in enumerate(of.lengths):
        for o, temperature in enumerate(of.temperature_o.tolist()):
            row = {"sampling_temperature": temperature, "length": length}
            row |= {"prompts": of.prompts, "texts": of.texts}
            numbers = {
                name: _bounded(
                    name,
                    interval_over_prompts(of.value[name][h, :, o], of.prompts, confidence),
                    of,
                    (h, o),
                    (1 - confidence) / 2,
                )
                for name in OBSERVED
            }
            rows.append(row | interval_columns(numbers))
    return rows


def _bounded(
    name: str, found: Interval[float], of: Sweep, at: tuple[int, int], outside: float
) -> Interval[float]:
    """The interval of a number that no draw of prompts can change, since nothing happened."""
    if name in LOOPS and round(found.value, 12) in (0.0, 1.0):
        far = 1 - outside ** (1 / of.different_o[at[1]])
        return found._replace(low=1 - far) if found.value else found._replace(high=far)
    if name in of.exposed and found.value == 0:
        return found._replace(low=0.0, high=-np.log(outside) / of.exposed[name][at])
    return found


def describe_crossovers(of: Sweep, confidence: float) -> list[dict[str, Any]]:
    """Rows, one an observable and length: where along the sweep something changes, and `how`:

    peak : the observable is largest there.
    steepest : it changes fastest there.
    half : half of the texts loop.
    balance : the rates of entering and of leaving loops are equal.
    crossing : the Binder cumulant is that of the next shorter length; above, it falls with length.

    With value, `_low` and `_high` over prompts: `sampling_temperature`; `drift`, how far it is from
    that of the shortest length; and the `conditional` and `marginal` entropies of texts of this
    length there. `found` is the share of draws of prompts that have such a place; null where all
    prompts together have none.
    """
    rows = []
    for observable, how, place_hr in _places(of):
        shortest = len(of.lengths) - len(place_hr)
        for h, place_r in enumerate(place_hr, shortest):
            row = {"observable": observable, "how": how, "length": of.lengths[h]}
            row["found"] = float(np.mean(~np.isnan(place_r[1:])))
            drift_r = place_r - place_hr[0] if h > shortest else np.full_like(place_r, np.nan)
            draws = {"sampling_temperature": place_r, "drift": drift_r}
            draws |= {name: _at(of, of.value[name][h], place_r) for name in DIVERSITIES}
            numbers = {
                name: interval_over_prompts(value_r, of.prompts, confidence)
                for name, value_r in draws.items()
            }
            rows.append(row | interval_columns(numbers))
    return rows


def _places(of: Sweep) -> Iterator[tuple[str, str, list[Array]]]:
    """(draws,) places of each length, or of the longer ones."""
    temperature_o, value = of.temperature_o, of.value
    for name in PEAKED:
        yield name, PEAKS, [peak(value_ro, temperature_o) for value_ro in value[name]]
    for name in STEEP:
        yield name, STEEPEST, [steepest(value_ro, temperature_o) for value_ro in value[name]]
    for name in HALVED:
        halves = [falls_through_zero(value_ro - 0.5, temperature_o) for value_ro in value[name]]
        yield name, HALVES, halves
    with np.errstate(invalid="ignore"):
        excess = (value["entering"] - value["leaving"]) / (value["entering"] + value["leaving"])
    yield "entering", BALANCE, [falls_through_zero(each_ro, temperature_o) for each_ro in excess]
    for name in CUMULANTS:
        rises = np.diff(value[name], axis=0)
        yield name, CROSSING, [falls_through_zero(each_ro, temperature_o) for each_ro in rises]


def _at(of: Sweep, value_ro: Array, place_r: Array) -> Array:
    """(draws,) a function of the sampling temperature at a place, linear between neighbours."""
    pairs = zip(place_r, value_ro, strict=True)
    return np.array([np.interp(place, of.temperature_o, value_o) for place, value_o in pairs])
