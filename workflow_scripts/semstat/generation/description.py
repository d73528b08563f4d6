"""What runs of a condition are like on average over prompts, with intervals.

Prompts are the unit: runs of one prompt share it, and positions of a run follow from each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import InputError
from ..statistics.curve import Interval
from ..tables import floats, interval_columns
from .extrapolation import describe_marginals, mean_over_prompts
from .loops import distinct, find_loops, repetition
from .tables import ALL, ALONE, CONDITION_NUMBERS, FOUND_ON, HELD_OUT

Array = NDArray[np.float64]

SHARES = ("below_zero", "rep_4", "distinct_2", "looping", "in_loops", "ended")
"""Numbers between 0 and 1, whose intervals end there."""

NONNEGATIVE = (
    *("rmse_near", "rmse_far", "floor_near", "floor_far"),
    *("marginal", "conditional", "perplexity", "loop_onset"),
)
"""Numbers not below 0, whose intervals end there; so is the logarithm of the perplexity."""


class Windows(NamedTuple):
    """Two pieces of a text, of a fifth of it each, that are compared to see it drift.

    The first tenth is in neither: there the prompt still tells what comes.
    """

    early: slice
    late: slice

    @classmethod
    def of(cls, length: int) -> Windows:
        """Those of texts of so many tokens.

        >>> Windows.of(1000)
        Windows(early=slice(100, 300, None), late=slice(800, 1000, None))
        """
        fifth, first = length // 5, length // 10
        return cls(slice(first, first + fifth), slice(length - fifth, length))


class Prompted(NamedTuple):
    """Entropies by position, a row a prompt.

    doc_d : (prompts,) which documents.
    held_out_d : (prompts,) bool, whether no schedule was found on them.
    numbers : by the names of `POSITIONS`, (prompts, positions); NaN where fewer than two runs go
        on. The cross-entropy is infinite where it is no bound.
    subset_dtz : (prompts, positions, sizes) as `marginal.Marginal` has them.
    """

    doc_d: NDArray[np.int64]
    held_out_d: NDArray[np.bool_]
    numbers: dict[str, Array]
    subset_dtz: Array

    @classmethod
    def of(cls, positions: pa.Table) -> Prompted:
        """From a table `POSITIONS`."""
        column = floats(positions.drop_columns(["subsets"]))
        flat = positions["subsets"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        column["cross"] = np.where(np.isnan(column["cross"]), np.inf, column["cross"])
        doc_d, first_d, d = np.unique(column["doc"], return_index=True, return_inverse=True)
        t = column["position"].astype(np.int64) - 1

        def placed(value: Array) -> Array:
            room = np.full((len(doc_d), t.max() + 1, *value.shape[1:]), np.nan)
            room[d, t] = value
            return room

        return cls(
            doc_d.astype(np.int64),
            column["held_out"][first_d] > 0,
            {name: placed(value) for name, value in column.items()},
            placed(flat.reshape(len(d), -1).astype(np.float64)),
        )

    def groups(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Groups of prompts that there are, and which belong to them.

        Raises
        ------
        InputError
            If there is one prompt only.
        """
        if len(self.doc_d) < 2:
            raise InputError(
                "generation.prompts: one prompt has no interval over prompts; take at least 2"
            )
        every_d = np.ones_like(self.held_out_d)
        parts = {ALL: every_d, FOUND_ON: ~self.held_out_d, HELD_OUT: self.held_out_d}
        return ((name, part_d) for name, part_d in parts.items() if part_d.any())


def describe_entropies(
    prompted: Prompted, sizes: Sequence[int], confidence: float
) -> list[dict[str, Any]]:
    """Entropies by position on average over prompts, with Student's intervals over these.

    Parameters
    ----------
    sizes : of the groups of runs that the extrapolation goes by, descending, the first all runs.

    Returns
    -------
    A row a group of prompts and position: `documents` that have two runs there, `runs` that go on
    on average, and with value, `_low` and `_high`, nats where nothing else is said,

    marginal, extrapolated, cross : see `extrapolation.Marginals`; `cross` is the upper bound. Of a
        single prompt the intervals are over runs; those of all else are null.
    conditional : mean entropy of what a run is drawn from.
    divergence : marginal − conditional.
    cap : conditional + ln runs, above which no marginal entropy can be.
    logit_variance, surprisal, energy, sampling_temperature : as in `POSITIONS`.
    noise : standard error over runs of one prompt's marginal entropy, root mean square.
    """
    rows = []
    for name, part_d in prompted.groups():
        number = {key: value_dt[part_d] for key, value_dt in prompted.numbers.items()}
        marginals = describe_marginals(
            number["marginal"],
            number["error"],
            number["conditional"],
            prompted.subset_dtz[part_d],
            number["cross"],
            tuple(sizes),
            confidence,
        )
        averaged = {
            "divergence": number["marginal"] - number["conditional"],
            "cap": number["conditional"] + np.log(number["runs"]),
        }
        for key in ("conditional", "logit_variance", "surprisal", "energy", "sampling_temperature"):
            averaged[key] = number[key]
        curves: dict[str, Any] = {
            key: mean_over_prompts(of_dt, confidence) for key, of_dt in averaged.items()
        }
        curves |= zip(("marginal", "extrapolated", "cross"), marginals, strict=True)
        has_dt = ~np.isnan(number["marginal"])
        square_t = mean_over_prompts(number["error"] ** 2, confidence).value
        column: dict[str, Any] = interval_columns(curves) | {
            "documents": has_dt.sum(axis=0),
            "runs": mean_over_prompts(number["runs"], confidence).value,
            "noise": np.sqrt(square_t),
            "position": np.arange(has_dt.shape[1]) + 1,
        }
        for t in np.flatnonzero(has_dt.any(axis=0)):
            rows.append({"prompts": name} | {key: of_t[t] for key, of_t in column.items()})
    return rows


def describe_condition(
    prompted: Prompted,
    runs: pa.Table,
    target: float | None,
    fit_to: int,
    confidence: float,
) -> list[dict[str, Any]]:
    """What a condition writes and how well it holds a target, on average over prompts.

    Parameters
    ----------
    prompted : entropies by position.
    runs : a table `RUNS`, of the same runs.
    target : marginal entropy to hold, nats; none by default.
    fit_to : positions 1 to this one are near, the others far.

    Returns
    -------
    A row a group of prompts, and one a prompt by itself, which has no bounds: `documents`, `runs`
    of each, `tokens` of all; and with value, `_low` and `_high`, null where there is none, means
    over prompts of

    rmse_near, rmse_far : √mean (H − target)² over positions of a prompt, H being its marginal
        entropy of so many runs.
    bias_near, bias_far : mean of H − target.
    floor_near, floor_far : √mean error², error being the standard error of H over runs: the rmse
        that the noise of so many runs comes to when nothing else is wrong.
    sampling_temperature, marginal, conditional : mean over positions.
    perplexity : exp of the mean surprisal of tokens, at sampling temperature 1.
    energy : mean H of tokens; `below_zero` is the share of them with H < 0.
    rep_4 : mean over runs. distinct_2 : distinct bigrams over bigrams, of a prompt's runs together.
    looping : share of runs with a loop; in_loops : share of tokens in one.
    loop_onset : position at which the first loop begins, mean over the runs that have one.
    ended : share of runs that ended before they had to.
    marginal_drift, conditional_drift, surprisal_drift, rep_4_drift : what they are in the late
        window, less that in the early one (see `Windows`); the latter two of runs that go all the
        way.
    """
    texts = _texts_by_prompt(runs)
    length = max(len(tokens) for of_doc in texts.values() for tokens in of_doc["tokens"])
    numbers = [
        _texts(texts[doc], length) | _entropies(prompted, d, target, fit_to, length)
        for d, doc in enumerate(prompted.doc_d.tolist())
    ]
    value_dz = np.array([[of_doc[name] for name in CONDITION_NUMBERS] for of_doc in numbers])
    written_d = np.array(
        [sum(map(len, texts[doc]["tokens"])) for doc in prompted.doc_d.tolist()], dtype=np.int64
    )
    runs_of_each = max(len(of_doc["tokens"]) for of_doc in texts.values())
    rows = []
    alone = zip((f"{ALONE} {doc}" for doc in prompted.doc_d), np.eye(len(numbers)) > 0, strict=True)
    for name, part_d in [*prompted.groups(), *alone]:
        head: dict[str, Any] = {"prompts": name, "documents": int(part_d.sum())}
        head |= {"runs": runs_of_each, "tokens": int(written_d[part_d].sum())}
        means = mean_over_prompts(value_dz[part_d], confidence)
        rows.append(head | interval_columns(dict(_finished(means))))
    return rows


def _finished(means: Interval[Array]) -> Iterator[tuple[str, Interval[float]]]:
    """Numbers by name, on the scale that they are given on."""
    for name, *parts in zip(CONDITION_NUMBERS, *(part.tolist() for part in means), strict=True):
        if name in SHARES + NONNEGATIVE:
            parts = np.clip(parts, 0.0, 1.0 if name in SHARES else None).tolist()
        if name == "perplexity":
            parts = np.exp(parts).tolist()
        yield name, Interval(*parts)


def _entropies(
    prompted: Prompted, d: int, target: float | None, fit_to: int, length: int
) -> dict[str, float]:
    """Numbers of one prompt that are of its entropies."""
    marginal_t, error_t = prompted.numbers["marginal"][d], prompted.numbers["error"][d]
    off_t = marginal_t - (np.nan if target is None else target)
    found = {}
    for name, part in (("near", slice(0, fit_to)), ("far", slice(fit_to, None))):
        found[f"rmse_{name}"] = np.sqrt(_mean(off_t[part] ** 2))
        found[f"bias_{name}"] = _mean(off_t[part])
        found[f"floor_{name}"] = np.sqrt(_mean(error_t[part] ** 2))
    for name in ("sampling_temperature", "marginal", "conditional"):
        found[name] = _mean(prompted.numbers[name][d])
    early, late = Windows.of(length)
    for name in ("marginal", "conditional"):
        of_t = prompted.numbers[name][d]
        found[f"{name}_drift"] = _mean(of_t[late]) - _mean(of_t[early])
    return found


def _texts(of_doc: Mapping[str, list[NDArray[Any]]], length: int) -> dict[str, float]:
    """Numbers of one prompt that are of its texts."""
    tokens_r, surprisal_r = of_doc["tokens"], of_doc["surprisal"]
    energy = np.concatenate(of_doc["energy"])
    loops = [find_loops(token_t) for token_t in tokens_r]
    onsets = [loop.onset + 1.0 for loop in loops if loop.onset is not None]
    sizes_r = [len(token_t) for token_t in tokens_r]
    early, late = Windows.of(length)
    whole = [r for r, size in enumerate(sizes_r) if size == length]
    return {
        "perplexity": float(np.mean(np.concatenate(surprisal_r), dtype=np.float64)),
        "energy": float(np.mean(energy, dtype=np.float64)),
        "below_zero": float(np.mean(energy < 0)),
        "rep_4": float(np.mean([repetition(token_t.tolist(), 4) for token_t in tokens_r])),
        "distinct_2": distinct([token_t.tolist() for token_t in tokens_r], 2),
        "looping": len(onsets) / len(loops),
        "in_loops": float(np.average([loop.share for loop in loops], weights=sizes_r)),
        "loop_onset": _mean(np.array(onsets)),
        "ended": float(np.mean(of_doc["ended"])),
        "surprisal_drift": _mean(
            np.array([surprisal_r[r][late].mean() - surprisal_r[r][early].mean() for r in whole])
        ),
        "rep_4_drift": _mean(
            np.array(
                [
                    repetition(tokens_r[r][late].tolist(), 4)
                    - repetition(tokens_r[r][early].tolist(), 4)
                    for r in whole
                ]
            )
        ),
    }


def _texts_by_prompt(runs: pa.Table) -> dict[int, dict[str, list[Any]]]:
    """Columns of the runs of each document, lists as arrays."""
    names = ("tokens", "surprisal", "energy")
    texts: dict[int, dict[str, list[Any]]] = {}
    for doc, ended, *lists in zip(*(runs[name] for name in ("doc", "ended", *names)), strict=True):
        of_doc = texts.setdefault(doc.as_py(), {name: [] for name in ("ended", *names)})
        of_doc["ended"].append(ended.as_py())
        for name, of_run in zip(names, lists, strict=True):
            of_doc[name].append(of_run.values.to_numpy())
    return texts


def _mean(value: NDArray[np.floating]) -> float:
    """Of what is known; NaN where nothing is."""
    known = value[~np.isnan(value)]
    return float(np.mean(known, dtype=np.float64)) if len(known) else float("nan")
