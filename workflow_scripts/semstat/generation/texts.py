"""What each run is like by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .loops import find_loops, repetition


def describe_texts(
    rows: Sequence[Mapping[str, Any]], decode: Callable[[list[int]], str]
) -> list[dict[str, Any]]:
    """Numbers of single texts.

    Parameters
    ----------
    rows : of `RUNS`.
    decode : the tokenizer's, of token ids.

    Returns
    -------
    A row a run, with the columns of `tables.TEXTS`:

    tokens : how many were written.
    loop_onset, loop_period : position (from 1) at which the first loop begins, and its period,
        tokens; None without one (see `loops`).
    ends_in_loop, in_loops : whether the text ends in a loop, and the share of tokens in one.
    rep_1, rep_2, rep_4 : share of n-grams that the text already has.
    surprisal, energy : mean over tokens, of the model's own distribution: −ln p, nats, and H;
        `below_zero` is the share of tokens with H < 0.
    text : what the tokens say, special ones by their names.
    """
    return [_describe(row, decode) for row in rows]


def _describe(row: Mapping[str, Any], decode: Callable[[list[int]], str]) -> dict[str, Any]:
    tokens = list(row["tokens"])
    loops = find_loops(tokens)
    energy_t = np.asarray(row["energy"], dtype=np.float64)
    return {
        **{name: row[name] for name in ("doc", "run", "held_out", "ended")},
        "tokens": len(tokens),
        "loop_onset": None if loops.onset is None else loops.onset + 1,
        "loop_period": loops.period,
        "ends_in_loop": loops.ends,
        "in_loops": loops.share,
        **{f"rep_{n}": repetition(tokens, n) for n in (1, 2, 4)},
        "surprisal": float(np.mean(row["surprisal"], dtype=np.float64)),
        "energy": float(energy_t.mean()),
        "below_zero": float((energy_t < 0).mean()),
        "text": decode(tokens),
    }
