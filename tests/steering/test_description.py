"""Averages of what steering achieves, on states whose numbers are known."""

import numpy as np
import pytest

from workflow_scripts.semstat.steering.description import describe_effects


def test_the_order_of_the_error_and_the_ratios_of_norms():
    """States whose error is 0.3·effect^1.5, and whose norms are in known ratios."""
    rows = [
        {"layer": 1, "quantity": "last", "doc": doc, "effect": -effect, "before": -5.0}
        | {"state_norm": 10.0, "slope": 1.0, "reachable": True, "random_reached": 0.5}
        | {"linear": -effect * (1 + 0.3 * effect**1.5), "norm": effect * (1 + doc)}
        | {"aimed_norm": 0.9 * effect * (1 + doc), "ascent_path": 1.2 * effect * (1 + doc)}
        | {"ascent_norm": 1.1 * effect * (1 + doc), "random_norm": None}
        for effect in (0.05, 0.1, 0.4)
        for doc in range(4)
    ]
    described = describe_effects(rows, 0.95)
    assert [row["effect"] for row in described] == [-0.05, -0.1, -0.4]
    for row in described:
        assert row["order"] == pytest.approx(1.5) == row["order_low"]
        assert row["error"] == pytest.approx(0.3 * abs(row["effect"]) ** 1.5)
        assert row["share"] == pytest.approx(abs(row["effect"]) * 24**0.25 / 10)
        assert row["aimed"] == pytest.approx(0.9) and row["ascent_path"] == pytest.approx(1.2)
        assert np.isnan(row["random"]) and row["random_reached"] == 0.5
