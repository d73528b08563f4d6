"""Averages over prompts."""

import numpy as np
import pytest
from scipy.stats import binomtest

from workflow_scripts.semstat.decoding.columns import CONTINUATIONS
from workflow_scripts.semstat.decoding.description import MEANS, SHARES, describe_continuations
from workflow_scripts.semstat.decoding.tables import DECODINGS


def made(condition, value, prompts):
    """Rows with random numbers."""
    rng = np.random.default_rng([prompts, int(10 * value)])
    for doc in range(prompts):
        row = {"condition": condition, "method": "m", "parameter": "p", "value": value, "doc": doc}
        row |= dict.fromkeys(("prompt", "continuation"), "") | {"tokens": [1, 2]}
        row |= {name: rng.random() for name in CONTINUATIONS.names if name not in row}
        yield row | {"looping": doc < 2, "steered": [True, False], "tokens_per_second": 3.0}


def test_means_of_values_have_students_intervals_over_prompts():
    rows = [*made("one", 0.5, 7), *made("one", 0.9, 7), *made("other", 0.5, 7)]
    one, hotter, other = describe_continuations(rows, 0.9)
    assert [row["condition"] for row in (one, hotter, other)] == ["one", "one", "other"]
    assert [row["value"] for row in (one, hotter, other)] == [0.5, 0.9, 0.5]
    assert {*one, "model", "dataset"} == set(DECODINGS.names) and one["prompts"] == 7
    values = np.array([row["surprisal"] for row in rows[7:14]])
    half = 1.943180 * values.std(ddof=1) / np.sqrt(7)  # Student's t, 6 degrees of freedom
    assert hotter["perplexity"] == pytest.approx(np.exp(values.mean()))
    assert hotter["perplexity_high"] == pytest.approx(np.exp(values.mean() + half))
    for name in (*MEANS, *SHARES):
        mean = np.mean([np.mean(row[name]) for row in rows[:7]])
        assert one[name] == pytest.approx(mean)
        assert one[f"{name}_low"] <= one[name] <= one[f"{name}_high"]
    assert one["looping"] == pytest.approx(2 / 7)
    assert one["steered"] == one["steered_low"] == 0.5
    assert one["tokens_per_second"] == 3.0


@pytest.mark.parametrize("number", [0, 1, 3, 8])
def test_the_share_that_loops_has_an_exact_interval(number):
    rows = [row | {"looping": row["doc"] < number} for row in made("one", 0.5, 8)]
    (found,) = describe_continuations(rows, 0.95)
    exact = binomtest(number, 8).proportion_ci(0.95, method="exact")
    expected = (number / 8, exact.low, exact.high)
    assert [found[f"looping{part}"] for part in ("", "_low", "_high")] == pytest.approx(expected)
