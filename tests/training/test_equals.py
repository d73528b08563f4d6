"""Groups beside each other's lines at equal surprisal: exact ones, and intervals that hold."""

import numpy as np
import pytest

from tests.training.trained import cured, group
from workflow_scripts.semstat.statistics.beside import beside_line
from workflow_scripts.semstat.statistics.several import Number
from workflow_scripts.semstat.training.doses import describe_doses
from workflow_scripts.semstat.training.observables import Place
from workflow_scripts.semstat.training.strengths import lines_of_strength

DOCUMENTS = np.arange(24)
PLACE = Place("d", None, "sampled", 0.7, "rep_4")
READING = Place("d", None, None, None, "surprisal")
SEEDS = {"plain": 3, "low": 1, "high": 3, "other": 1}


def number(value_d):
    return Number.per(value_d, np.ones(len(DOCUMENTS)), DOCUMENTS)


def groups_of(*names, seeds=SEEDS):
    return [
        {"group": name, "models": [f"{name}-{i}" for i in range(seeds[name])]} for name in names
    ]


def of_groups(groups, values, noise=lambda: (0.0, 0.0)):
    """Numbers of models, from (surprisal, observable) of each group."""
    numbers = {}
    for each in groups:
        for model in each["models"]:
            s_d, y_d = (
                value + np.broadcast_to(moved, len(DOCUMENTS))
                for value, moved in zip(values[each["group"]], noise(), strict=True)
            )
            numbers[model] = {READING: number(s_d), PLACE: number(y_d)}
    return numbers


def beside(values, noise=lambda: (0.0, 0.0), seeds=SEEDS):
    family = groups_of("plain", "low", "high", "other", seeds=seeds)
    numbers = of_groups(family, values, noise)
    pairs = {}
    for each in family:
        of_models = [numbers[model] for model in each["models"]]
        pairs[each["group"]] = [(of[READING], of[PLACE]) for of in of_models]
    return beside_line("other", ["plain", "low", "high"], pairs, 0.95)


LINE = {"plain": (3.0, 0.9), "high": (3.4, 0.1), "low": (3.2, 0.5)}


@pytest.mark.parametrize("at, there", [(3.1, 0.7), (3.2, 0.5), (3.35, 0.2)])
def test_on_a_straight_line_it_is_what_a_group_lies_above_it(at, there):
    found = beside(LINE | {"other": (at, there + 0.05)})
    assert found.value.value == pytest.approx(0.05) and found.surprisal == pytest.approx(at)
    assert found.models == (1 + 3 + 1 if at <= 3.2 else 1 + 1 + 3)


def test_beyond_the_line_nothing_is_said():
    assert beside(LINE | {"other": (2.9, 0.5)}) is None
    assert beside(LINE | {"other": (3.5, 0.5)}) is None


def test_a_line_that_is_one_point_says_nothing():
    assert beside(dict.fromkeys(SEEDS, (3.0, 0.5))) is None


def test_documents_that_are_hard_for_all_do_not_blur_it():
    """What moves every model's surprisal and repetition alike moves no difference."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((2, len(DOCUMENTS)))
    blurred = beside(LINE | {"other": (3.1, 0.75)}, lambda: (shared[0], shared[1]))
    assert blurred.value.value == pytest.approx(0.05)
    assert np.isnan(blurred.value.low), "nothing but rounding is left"


def test_the_interval_holds_the_difference_with_noise_in_both():
    rng = np.random.default_rng(3)

    def noise():
        of_seeds = np.multiply((0.01, 0.02), rng.standard_normal(2))
        return of_seeds[:, None] + 0.05 * rng.standard_normal((2, len(DOCUMENTS)))

    held = []
    for _ in range(400):
        found = beside(LINE | {"other": (3.1, 0.75)}, noise).value
        held.append(found.low <= 0.05 <= found.high)
    assert 0.91 < np.mean(held) < 0.99


def test_scatter_over_seeds_is_that_of_the_whole_family():
    """A group of one seed has an interval over seeds, if others have several."""
    rng = np.random.default_rng(1)
    several = beside(LINE | {"other": (3.1, 0.75)}, lambda: (0.0, 0.1 * rng.standard_normal()))
    assert several.value.high - several.value.low > 0.1


def test_every_objective_stands_beside_all_others_lines():
    groups = cured()
    strength = {each["group"]: each["strength"] or 0.0 for each in groups}
    listed = [each | {"models": [each["group"]]} for each in groups]
    values = {name: (3 + 0.1 * s, 0.9 - 0.05 * s) for name, s in strength.items()}
    numbers = of_groups(listed, values)
    rows = [row for row in describe_doses(listed, numbers, 0.95) if row["surprisal"] is not None]
    lines = lines_of_strength(groups)
    line_of = {each["group"]: label for label, line in lines.items() for each in line}
    assert len(lines) == 7 and {row["against"] for row in rows} == {
        label for label in lines if not label.startswith(("cross entropy", "ditto"))
    }, "a line from one surprisal to another is needed"
    assert {row["observable"] for row in rows} == {"rep_4"}
    for row in rows:
        assert row["against"] != line_of[row["group"]]
        assert row["value"] == pytest.approx(0, abs=1e-9)
        assert row["surprisal"] == pytest.approx(values[row["group"]][0])
    strong = {row["group"] for row in rows if strength[row["group"]] == 10.0}
    assert len(strong) == 5 and len([row for row in rows if row["group"] in strong]) == 5 * 4


def test_else_than_the_objective_all_is_the_same():
    """What is trained on more tokens has no plain model to begin its line at."""
    like = {"family": "before", "like": "before"}
    groups = [
        group("plain", set_to={"kind": "cross_entropy"}, **like),
        *(
            group(f"{kind}-{s}", set_to={"kind": kind, "strength": s}, **like)
            for kind in ("energy_barrier", "unlikelihood")
            for s in (1.0, 3.0)
        ),
    ]
    for each in groups[3:]:
        each["settings"] = each["settings"].replace('"tokens": 1000', '"tokens": 2000')
    listed = [each | {"models": [each["group"]]} for each in groups]
    numbers = of_groups(listed, {each["group"]: (3 + i, 0.5) for i, each in enumerate(groups)})
    assert not [row for row in describe_doses(listed, numbers, 0.95) if row["surprisal"]]
