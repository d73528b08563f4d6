"""Numbers of mechanics against closed forms and brute force over all pairings."""

import itertools

import numpy as np
import pytest
from scipy.stats import pearsonr

from workflow_scripts.semstat.mechanics.kinetic import KINETIC
from workflow_scripts.semstat.mechanics.numbers import document_numbers
from workflow_scripts.semstat.mechanics.tables import MECHANICS_NUMBERS
from workflow_scripts.semstat.mechanics.terms import FORMS, POTENTIAL, terms_of

HIDDEN = 8
SHAPE = (len(FORMS), len(KINETIC), len(POTENTIAL))
ENERGY = FORMS.index("energy")
LAGRANGIAN = FORMS.index("lagrangian")
LOG_ENERGY = FORMS.index("log_energy")


def member(form, kinetic, potential):
    return FORMS.index(form), KINETIC.index(kinetic), POTENTIAL.index(potential)


def document(states=40, seed=0, **columns):
    """A document of `states` states with a velocity from text to text, and the two before them."""
    rng = np.random.default_rng(seed)
    length = states + 2
    column = {
        "doc": np.full(length, 3, np.int32),
        "position": np.arange(length, dtype=np.int32),
        "log_p_correct": -rng.exponential(2.0, length).astype(np.float32),
        "entropy": rng.uniform(0.1, 6.0, length).astype(np.float32),
        "speed": rng.lognormal(2.0, 0.5, length).astype(np.float32),
        "shuffled_speed": rng.lognormal(2.0, 0.5, length).astype(np.float32),
        "normed_speed": rng.lognormal(1.0, 0.1, length).astype(np.float32),
        "normed_shuffled_speed": rng.lognormal(1.0, 0.1, length).astype(np.float32),
    } | columns
    for name in column:
        if name.endswith("speed"):
            column[name][0] = np.nan
    return column


@pytest.mark.parametrize(("place", "prefix"), [("before_norm", ""), ("after_norm", "normed_")])
def test_every_member_is_its_formula(place, prefix):
    column = document()
    found = document_numbers(column, place, HIDDEN)
    used = {name: x[2:].astype(float) for name, x in column.items()}
    v = used[f"{prefix}speed"]
    kinetic = {
        "half_square": v**2 / 2,
        "half_square_per_dimension": v**2 / 2 / HIDDEN,
        "log_half_square": np.log(v**2 / 2),
        "log_speed": np.log(v),
    }
    potential = {
        "surprisal": -used["log_p_correct"],
        "entropy": used["entropy"],
        "perplexity": np.exp(used["entropy"]),
        "point_perplexity": 1 / np.exp(used["log_p_correct"]),
    }
    assert tuple(kinetic) == KINETIC and tuple(potential) == POTENTIAL
    for k, p in itertools.product(kinetic, potential):
        k_t, v_t = kinetic[k], potential[p]
        for form, x in [("energy", k_t + v_t), ("lagrangian", k_t - v_t)]:
            at = member(form, k, p)
            unpaired = np.var(k_t, ddof=1) + np.var(v_t, ddof=1)
            assert found["mean"][at] == pytest.approx(x.mean())
            assert found["sd"][at] == pytest.approx(x.std(ddof=1))
            assert found["cv"][at] == pytest.approx(x.std(ddof=1) / abs(x.mean()))
            assert found["cv_shuffled"][at] == pytest.approx(unpaired**0.5 / abs(x.mean()))
            assert found["variance_ratio"][at] == pytest.approx(np.var(x, ddof=1) / unpaired)
            slope = np.polynomial.Polynomial.fit(used["position"], x, 1).convert().coef[1]
            assert found["drift"][at] == pytest.approx(slope * (len(x) - 1), rel=1e-6)
            assert found["correlation"][at] == pytest.approx(pearsonr(k_t, v_t).statistic)
            assert found["kinetic_mean"][at] == pytest.approx(k_t.mean())
            assert found["potential_mean"][at] == pytest.approx(v_t.mean())
        at = member("log_energy", k, p)
        if k.startswith("log"):
            assert np.isnan(found["cv"][at])
        else:
            assert found["mean"][at] == pytest.approx(np.log(k_t + v_t).mean())
            assert found["cv"][at] == pytest.approx(
                np.log(k_t + v_t).std(ddof=1) / abs(np.log(k_t + v_t).mean())
            )
        assert np.isnan(found["variance_ratio"][at])


def test_null_variances_are_those_of_all_pairings_and_of_all_shifts():
    column = document(states=6)
    found = document_numbers(column, "before_norm", HIDDEN)
    terms = terms_of(column, column["speed"], HIDDEN)
    orders = {
        "shuffled_variance": list(itertools.permutations(range(6))),
        "shifted_variance": [np.roll(np.arange(6), s) for s in range(6)],
    }
    for name, null in orders.items():
        for k, p in itertools.product(range(len(KINETIC)), range(len(POTENTIAL))):
            k_t, v_t = terms.kinetic_kt[k], terms.potential_pt[p]
            sums = k_t[np.array(null)] + v_t
            ratio = sums.var(axis=1, ddof=1) / (k_t.var(ddof=1) + v_t.var(ddof=1))
            assert ratio.mean() == pytest.approx(1)
            for form in (ENERGY, LAGRANGIAN):
                assert found[name][form, k, p] == pytest.approx(ratio.var(), rel=1e-6)


def test_a_conserved_energy_has_variance_ratio_zero_and_its_lagrangian_twice_the_terms():
    """ln(½v²) = 7 − surprisal, exactly."""
    column = document()
    column["speed"] = np.sqrt(2 * np.exp(7.0 + column["log_p_correct"].astype(float)))
    found = document_numbers(column, "before_norm", HIDDEN)
    conserved = member("energy", "log_half_square", "surprisal")
    assert found["mean"][conserved] == pytest.approx(7)
    assert found["cv"][conserved] < 1e-6
    assert found["variance_ratio"][conserved] < 1e-12
    assert found["correlation"][conserved] == pytest.approx(-1)
    assert found["variance_ratio"][member("lagrangian", "log_half_square", "surprisal")] == (
        pytest.approx(2)
    )
    assert found["beyond_order"][conserved] < -0.5


def test_nulls_are_the_same_numbers_of_another_velocity():
    column = document()
    column["embedding_speed"] = np.roll(column["speed"], 5)
    found = document_numbers(column, "before_norm", HIDDEN)
    for null, speed in [("order", "shuffled_speed"), ("embedding", "embedding_speed")]:
        alone = document_numbers(column | {"speed": column[speed]}, "before_norm", HIDDEN)
        np.testing.assert_array_equal(found[f"cv_{null}"], alone["cv"])
        np.testing.assert_array_equal(found[f"ratio_{null}"], alone["variance_ratio"])
        beyond = found["variance_ratio"] - alone["variance_ratio"]
        np.testing.assert_allclose(found[f"beyond_{null}"], beyond)


def test_without_layer_0_the_embedding_null_is_undefined_and_nothing_else():
    found = document_numbers(document(), "after_norm", HIDDEN)
    unknown = {name for name, value in found.items() if np.isnan(value[ENERGY]).all()}
    assert unknown == {"cv_embedding", "ratio_embedding", "beyond_embedding"}
    assert set(MECHANICS_NUMBERS) < set(found) and all(x.shape == SHAPE for x in found.values())


def test_the_velocity_from_the_prefix_token_does_not_count():
    column = document()
    numbers = document_numbers(column, "before_norm", HIDDEN)
    column["speed"] = column["speed"].copy()
    column["speed"][1] = 1e6
    again = document_numbers(column, "before_norm", HIDDEN)
    np.testing.assert_array_equal(numbers["cv"], again["cv"])


def test_states_without_a_known_velocity_or_that_do_not_move_are_left_out():
    column = document()
    kept = np.delete(np.arange(42), [10, 20])
    shorter = {name: x[kept] for name, x in column.items()}
    column["speed"][10], column["speed"][20] = np.nan, 0.0
    whole, parts = (document_numbers(x, "before_norm", HIDDEN) for x in (column, shorter))
    np.testing.assert_array_equal(whole["mean"], parts["mean"])
    np.testing.assert_array_equal(whole["drift"], parts["drift"])


@pytest.mark.parametrize(
    "column",
    [
        document(states=2),
        document(speed=np.full(42, 3.0, np.float32)),
        document(shuffled_speed=np.full(42, np.nan, np.float32)),
        document(entropy=np.zeros(42, np.float32)),
    ],
    ids=["short", "constant speed", "no other order", "constant potential"],
)
def test_a_document_that_is_too_short_or_does_not_vary_has_no_numbers(column):
    assert document_numbers(column, "before_norm", HIDDEN) is None
