"""Made-up tables of a sweep: texts that loop below a sampling temperature."""

import numpy as np

from workflow_scripts.semstat.criticality.tables import (
    BALANCE,
    CHANGED,
    CROSSING,
    HALVES,
    OBSERVED,
    PEAKS,
)
from workflow_scripts.semstat.tables import interval_columns

LENGTHS = (128, 256, 512, 1024)

TEMPERATURES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1, 1.25, 1.5, 2.0)

KINDS = (
    *((name, PEAKS) for name in ("heat_capacity", "fisher", "energy_susceptibility")),
    *((name, PEAKS) for name in ("token_susceptibility", "autocorrelation_time")),
    *((name, HALVES) for name in ("looping", "near_looping")),
    ("entering", BALANCE),
    *((name, CROSSING) for name in ("energy_binder", "token_binder")),
)


def head(by="model", model="smollm2-135m", dataset="sotu"):
    return {"model": model, "dataset": dataset, "by": by}


def observables(middle=0.8, lengths=LENGTHS, temperatures=TEMPERATURES, **of):
    """Rows of an observables table: half of the texts of 512 tokens loop at `middle`."""
    rows = []
    for length in lengths:
        for t in temperatures:
            number = _numbers(t, length, middle + 0.05 * np.log2(length / 512))
            known = {name: (v, v - w, v + w) for name, (v, w) in number.items()}
            known["entering"] = _rate(known["entering"], length)
            row = head(**of) | {"sampling_temperature": t, "length": length}
            rows.append(row | {"prompts": 10, "texts": 60} | interval_columns(known))
    return rows


def _rate(rate, length):
    """Nothing happens that would not happen once in sixty texts: then the interval is Poisson's."""
    return rate if rate[0] > 1 / (60 * length) else (0.0, 0.0, 3.7 / (60 * length))


def _numbers(t, length, middle):
    """Value and half an interval of each observable."""
    loops = 1 / (1 + np.exp((t - middle) / 0.06))
    bump = np.exp(-(((t - middle) / 0.15) ** 2) / 2)
    nan = float("nan")
    found = {
        "looping": (0.9 * loops, 0.1 * bump),
        "near_looping": (loops, 0.1 * bump),
        "in_loops": (0.7 * loops, 0.1 * bump),
        "in_near_loops": (0.8 * loops, 0.1 * bump),
        "entering": (loops * 0.01, 0.002 * loops),
        "leaving": (0.02 * np.exp(-3 * (1 - t)) if loops > 1e-3 else nan, 0.001),
        "rep_4": (0.9 * loops, 0.05 * bump),
        "energy": (0.8 - 0.5 * t / 2, 0.03),
        "below_zero": (0.2 * t / 2, 0.02),
        "depth": (-0.2 - 0.1 * t if t > 0.3 else nan, 0.03),
        "surprisal": (0.2 + 3 * t**2, 0.1),
        "conditional": (3 * t**2, 0.1 * t),
        "marginal": (min(3 * t**2 + 0.5, 8), 0.1 * t),
        "autocorrelation_time": (1 + length / 8 * loops, 0.2 + length / 40 * bump),
        "heat_capacity": (1 + 4 * bump if t else nan, 0.4),
        "fisher": (length * (1 + 4 * bump) / t**2 if t else nan, 0.1 * length / max(t, 0.1) ** 2),
        "energy_susceptibility": (0.1 + length / 100 * bump, 0.02 + length / 400 * bump),
        "energy_binder": (0.5 * loops - length / 100 * bump, 0.1 + length / 400 * bump),
        "token_susceptibility": (0.1 + length / 60 * loops, 0.02 + length / 400 * bump),
        "token_binder": (0.5 * loops - 0.01, 0.1),
    }
    return {name: found[name] for name in OBSERVED}


def crossovers(middle=0.8, lengths=LENGTHS, without=(), unsure=(), **of):
    """Rows of a crossovers table; some observables have no place, or in too few draws."""
    rows = []
    for observable, how in KINDS:
        for h, length in enumerate(lengths):
            if how == CROSSING and not h:
                continue
            place = middle + 0.05 * np.log2(length / 512)
            numbers = dict.fromkeys(CHANGED, (place, place - 0.06, place + 0.08))
            if observable in unsure:
                numbers = dict.fromkeys(CHANGED, (place, float("nan"), float("nan")))
            if observable in without:
                numbers = dict.fromkeys(CHANGED, (float("nan"),) * 3)
            share = 0.0 if observable in without else 0.2 if observable in unsure else 1.0
            row = head(**of) | {"observable": observable, "how": how, "length": length}
            rows.append(row | {"found": share} | interval_columns(numbers))
    return rows
