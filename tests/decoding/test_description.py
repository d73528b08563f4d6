"""Averages of methods over prompts."""

import numpy as np
import pytest

from workflow_scripts.semstat.decoding.description import describe_methods


def test_means_of_methods_have_students_intervals_over_prompts():
    rng = np.random.default_rng(0)
    rows = [
        {"method": method, "rep_1": a, "rep_4": b, "surprisal": c, "energy_fluctuation": d}
        | {"reread_fluctuation": e, "steered": [True, False], "tokens_per_second": 3.0}
        for method in ("one", "other")
        for a, b, c, d, e in rng.random((7, 5))
    ]
    one, other = describe_methods(rows, 0.9)
    assert [one["method"], other["method"]] == ["one", "other"] and one["prompts"] == 7
    values = np.array([row["surprisal"] for row in rows[:7]])
    half = 1.943180 * values.std(ddof=1) / np.sqrt(7)  # Student's t, 6 degrees of freedom
    assert one["perplexity"] == pytest.approx(np.exp(values.mean()))
    assert one["perplexity_high"] == pytest.approx(np.exp(values.mean() + half))
    assert one["steered"] == one["steered_low"] == 0.5
    assert one["tokens_per_second"] == 3.0
