"""Conditions compared with constants of the same entropy, prompt by prompt."""

import numpy as np
import pytest

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.comparison import compare
from workflow_scripts.semstat.generation.condition_figures import draw_comparisons
from workflow_scripts.semstat.generation.tables import CONDITION_NUMBERS

OFF_D = np.array([0.02, 0.05, -0.01, 0.04])


def rows_of(name, method, marginal_d, extra_d=0.0, **given):
    """Rows of single prompts on a line that is each prompt's own, or beside it."""
    marginal_d = np.asarray(marginal_d, dtype=np.float64)
    rep_4_d = 1 + np.arange(4) - 0.1 * marginal_d + extra_d
    return [
        dict.fromkeys(CONDITION_NUMBERS, 0.0)
        | {"condition": name, "method": method, "prompts": f"document {d}"}
        | {"marginal": marginal, "conditional": marginal - 2, "rep_4": rep_4}
        | {"perplexity": np.exp(marginal / 2)}
        | given
        for d, (marginal, rep_4) in enumerate(zip(marginal_d, rep_4_d, strict=True))
    ]


def constants():
    at = {"hot": [6, 6, 7, 6], "cold": [3, 3.5, 3, 3], "warm": [5, 4, 5, 5]}
    return [row for name, marginal_d in at.items() for row in rows_of(name, "constant", marginal_d)]


def test_a_difference_is_from_the_line_of_the_same_prompt():
    held = rows_of("held", "stepwise", [4, 5, 5.5, 4.5], OFF_D, in_loops=0.3)
    whole = [held[0] | {"prompts": "all"}]  # rows of groups are not prompts
    *_, by_marginal, by_conditional = compare(constants() + held + whole, 0.95)
    assert (by_marginal["against"], by_conditional["against"]) == ("marginal", "conditional")
    assert by_marginal["documents"] == 4 and by_marginal["condition"] == "held"
    assert by_marginal["rep_4"] == pytest.approx(OFF_D.mean())
    half = 3.182446 * OFF_D.std(ddof=1) / 2  # Student's, 3 degrees of freedom
    assert by_marginal["rep_4_low"] == pytest.approx(OFF_D.mean() - half, rel=1e-6)
    assert by_marginal["in_loops"] == pytest.approx(0.3)
    assert by_marginal["surprisal"] == pytest.approx(0)
    assert by_conditional["rep_4"] == pytest.approx(by_marginal["rep_4"])


def test_prompts_beyond_the_constants_are_left_out():
    held = rows_of("held", "stepwise", [4, 2, 8, 4.5], OFF_D)
    *_, by_marginal, _ = compare(constants() + held, 0.95)
    assert by_marginal["documents"] == 2
    assert by_marginal["rep_4"] == pytest.approx(OFF_D[[0, 3]].mean())
    *_, none, _ = compare(constants() + rows_of("held", "stepwise", [9] * 4), 0.95)
    assert none["documents"] == 0 and np.isnan(none["rep_4"])


def test_prompts_that_constants_do_not_continue_are_left_out():
    of_two = [row for row in constants() if row["prompts"] in ("document 0", "document 3")]
    *_, by_marginal, _ = compare(of_two + rows_of("held", "stepwise", [4, 5, 5, 4.5], OFF_D), 0.95)
    assert by_marginal["documents"] == 2
    assert by_marginal["rep_4"] == pytest.approx(OFF_D[[0, 3]].mean())


def test_a_constant_between_others_tells_how_far_off_the_curve_is():
    bent = rows_of("warm", "constant", [5, 4, 5, 5], -0.03)
    rows = [row for row in constants() if row["condition"] != "warm"]
    first, second = compare(rows + bent, 0.95)
    assert (first["condition"], first["method"], second["against"]) == (
        "warm",
        "constant",
        "conditional",
    )
    assert first["rep_4"] == pytest.approx(-0.03) and first["documents"] == 4


def test_a_curve_through_three_constants_is_nearer_to_the_truth_than_a_chord():
    def rep_4(x):
        return np.exp(-x)

    def rows(name, method, x):
        return [row | {"rep_4": rep_4(x)} for row in rows_of(name, method, [x] * 4)]

    ends = rows("cold", "constant", 1.0) + rows("hot", "constant", 4.0)
    held = rows("held", "stepwise", 2.2)
    *_, chord, _ = compare(ends + held, 0.95)
    *_, curve, _ = compare(ends + rows("warm", "constant", 2.5) + held, 0.95)
    assert chord["rep_4"] < -0.1 and abs(curve["rep_4"]) < 0.025


def test_a_single_constant_is_no_line():
    rows = rows_of("one", "constant", [4] * 4) + rows_of("held", "stepwise", [4] * 4)
    with pytest.raises(InputError, match="1 constant sampling temperatures make no curve"):
        compare(rows, 0.95)


def test_two_constants_alone_are_refused():
    rows = [row for row in constants() if row["condition"] != "warm"]
    with pytest.raises(InputError, match="only constant sampling temperatures"):
        compare(rows, 0.95)


def test_differences_are_drawn_about_0():
    held = rows_of("held", "stepwise", [4, 5, 5.5, 4.5], OFF_D)
    axes = draw_comparisons(compare(constants() + held, 0.95), "m on d").axes[0]
    points = [line for line in axes.lines if len(line.get_xdata()) == 1]
    x = [line.get_xdata()[0] for line in points]
    assert x == pytest.approx([0, 0, OFF_D.mean(), OFF_D.mean()], abs=1e-12)
    assert points[0].get_color() == "0.5"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["held", "warm"]
