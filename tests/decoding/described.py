"""Made-up tables of decodings: about what a small model's are."""

import numpy as np

from workflow_scripts.semstat.decoding.description import SHARES
from workflow_scripts.semstat.decoding.tables import DECODING_NUMBERS, DECODINGS
from workflow_scripts.semstat.tables import interval_columns, table_of_rows

CURVES = {
    "greedy": ("greedy", None, [None]),
    "beams": ("beams", "beams", [2, 4]),
    "sampling": ("sampling", "sampling_temperature", [0, 0.3, 0.5, 0.7, 0.85, 1.0]),
    "nucleus": ("nucleus", "mass", [0.5, 0.7, 0.8, 0.9, 0.95]),
    "min-p": ("min_p", "share", [0.02, 0.05, 0.1, 0.2, 0.4]),
    "typical": ("typical", "mass", [0.2, 0.5, 0.8, 0.95]),
    "top-k": ("top_k", "candidates", [3, 10, 20, 50, 200]),
    "no-repeat": ("no_repeat", "ngram", [2, 3, 4, 6]),
    "penalty": ("penalty", "penalty", [1.05, 1.1, 1.2, 1.4]),
    "dry": ("dry", "multiplier", [0.2, 0.4, 0.8, 1.6]),
    "block": ("block", "ngram", [2, 4, 8]),
    "contrastive": ("contrastive", "alpha", [0.2, 0.4, 0.6]),
    "steering": ("steering", "margin", [0.5, 1.0, 2.0]),
    "guard": ("energy_guard", "threshold", [-1, -0.3, -0.1, -0.03, -0.01, 0, 0.001, 0.1, 0.5]),
    "guard-16": ("energy_guard", "threshold", [-0.3, -0.1, -0.03, -0.01, 0, 0.001, 0.1, 0.5]),
    "guard-greedy": ("energy_guard", "periods", [1, 4, 16, 64]),
    "back-energy": ("go_back", "threshold", [0.1, 0.3, 0.5, 0.7]),
    "back-margin": ("go_back", "threshold", [-0.5, -0.2, 0, 0.2]),
    "own": ("a_new_method", "strength", [1, 2]),
}
"""Method, parameter and values of conditions."""

CUTS = ("sampling", "nucleus", "min_p", "typical", "top_k")

SLOW = {"contrastive": 0.4, "beams": 0.25, "steering": 0.15, "energy_guard": 0.8, "go_back": 0.3}
"""Speeds of methods, over greedy decoding's."""


def decodings(curves=CURVES, model="smollm2-135m", dataset="sotu", wide=1.0, **given):
    """Rows of a decodings table: the further along a curve, the more surprising, and fewer loops.

    Parameters
    ----------
    wide : factor of the widths of intervals.
    given : numbers that are the same in all rows.
    """
    head = {"model": model, "dataset": dataset}
    rows = []
    for place, (condition, (method, parameter, values)) in enumerate(curves.items()):
        for i, value in enumerate(values):
            along = (i + 1) / len(values) if value is not None else 0.0
            number = _numbers(method, along, place) | given
            row = head | {"condition": condition, "method": method}
            row |= {"parameter": parameter, "value": value, "prompts": 32}
            bounded = {name: _bounds(name, number[name], wide) for name in DECODING_NUMBERS}
            rows.append(row | interval_columns(bounded) | _speed(method, along, given))
    return table_of_rows(rows, DECODINGS).to_pylist()


def _numbers(method, along, place):
    """Numbers of a row: so far along its curve, of so many conditions before it."""
    own = 0.5 * np.sin(2 * place)
    drawn = 2.6 * along**2 if method in CUTS else 1.5 * along if method == "energy_guard" else 0.0
    surprisal = 1.0 + (2.2 + own) * along**1.5
    loops = 0.8 * np.exp(-(4 + 4 * own) * along)
    number = dict.fromkeys(DECODING_NUMBERS, 0.1)
    return number | {
        "rep_4": 0.8 * loops,
        "in_loops": 0.7 * loops,
        "looping": loops,
        "perplexity": np.exp(surprisal),
        "entropy": 0.3 + 0.9 * surprisal,
        # Sampling at 0 takes a maximum too.
        "drawn_entropy": drawn if method != "sampling" or along > 0.2 else 0.0,
    }


def _bounds(name, value, wide):
    if name == "perplexity":
        return value, value * 0.88**wide, value / 0.88**wide
    if name == "drawn_entropy" and not value:
        return value, value, value
    half = wide * (0.02 + 0.1 * value)
    most = 1.0 if name in SHARES else np.inf
    return value, max(value - half, 0.0), min(value + half, most)


def _speed(method, along, given):
    speed = 40.0 * SLOW.get(method, 0.95 - 0.05 * along) / (1 + along * (method in SLOW))
    return {
        "tokens_per_second": given.get("tokens_per_second", speed if method != "greedy" else 40)
    }
