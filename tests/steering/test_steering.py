"""Steering: exact Jacobians, least norms, finite changes, and what is out of reach."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from tests.tiny import FAMILIES, VOCABULARY, tiny_model
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader
from workflow_scripts.semstat.steering.functionals import (
    Functional,
    entropy,
    hamiltonian,
    joint,
    log_odds,
    log_probability,
    surprisal,
)
from workflow_scripts.semstat.steering.steering import (
    UnreachableError,
    ascend,
    check_reachable,
    jacobian,
    least_norm,
    reachable,
    search,
    steer,
)

IDS = torch.randint(1, VOCABULARY, (4, 12), generator=torch.Generator().manual_seed(0))
TOKEN = torch.tensor([5, 60, 7, 200])
ENERGY = hamiltonian(TOKEN, IDS[:, -1])


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def at_layer(layer, family="Llama", functional=None, dtype=torch.float32):
    """The functional of the hidden states at a layer of a tiny model, and these."""
    layered = LayeredModel(tiny_model(family, scale=0.15).to(dtype).requires_grad_(False))
    reader = Reader(layered, layer)
    moment, _ = reader.start(IDS)
    functional = functional or joint(log_probability(TOKEN), entropy(VOCABULARY), ENERGY)
    return reader.function(moment, functional), moment.state_xn


@pytest.mark.parametrize("family", FAMILIES)
def test_the_jacobian_is_that_of_automatic_differentiation(family):
    function, state = at_layer(1, family)
    value, found = jacobian(function, state)
    torch.testing.assert_close(value, function(state))
    whole = torch.autograd.functional.jacobian(function, state)  # (texts, m, texts, hidden)
    own = torch.stack([whole[b, :, b] for b in range(len(IDS))])
    torch.testing.assert_close(found, own, rtol=1e-4, atol=1e-6)
    elsewhere = whole.abs().sum() - own.abs().sum()
    assert elsewhere <= 1e-4 * own.abs().sum(), "each text depends on its own state alone"


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("layer", [0, 2, 3])
def test_the_jacobian_is_that_of_torch_func(layer):
    function, state = at_layer(layer)
    _, found = jacobian(function, state)
    whole = torch.func.jacrev(function)(state)
    expected = torch.stack([whole[b, :, b] for b in range(len(IDS))])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("family", ["GPT-2", "GPT-NeoX", "OPT", "Falcon", "StableLM"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_jacobian_is_that_of_finite_differences(family, layer):
    """In float64, of families whose norms compute in the model's dtype."""
    function, state = at_layer(layer, family, dtype=torch.float64)
    _, found = jacobian(function, state)
    for seed in range(3):
        direction = normal(*state.shape, seed=seed)
        step = 1e-5
        with torch.no_grad():
            ahead, behind = function(state + step * direction), function(state - step * direction)
        expected = (ahead - behind) / (2 * step)
        torch.testing.assert_close(
            (found @ direction[..., None])[..., 0], expected, rtol=1e-5, atol=1e-7
        )


def test_the_least_norm_of_a_linear_system():
    """Against the pseudo-inverse, and against a constrained optimiser."""
    j = normal(3, 2, 7)
    change = normal(3, 2, seed=1)
    shift = least_norm(j, change)
    torch.testing.assert_close(shift, (torch.linalg.pinv(j) @ change[..., None])[..., 0])
    torch.testing.assert_close((j @ shift[..., None])[..., 0], change)
    for j_mn, change_m, shift_n in zip(j.numpy(), change.numpy(), shift.numpy(), strict=True):
        best = minimize(
            lambda x: x @ x,
            np.zeros(7),
            jac=lambda x: 2 * x,
            constraints={"type": "eq", "fun": lambda x, j=j_mn, c=change_m: j @ x - c},
        )
        np.testing.assert_allclose(shift_n, best.x, atol=1e-6)


def test_what_depends_on_each_other_is_met_as_well_as_can_be():
    row = normal(1, 1, 5)
    j = torch.cat([row, 2 * row], dim=1)
    consistent = least_norm(j, torch.tensor([[1.0, 2.0]], dtype=torch.float64))
    torch.testing.assert_close(
        (j @ consistent[..., None])[0, :, 0], torch.tensor([1.0, 2.0]).double()
    )
    assert least_norm(torch.zeros(1, 1, 5), torch.ones(1, 1)).abs().max() == 0


def linear(weight_mn):
    return lambda state_xn: state_xn @ weight_mn.mT


@pytest.mark.parametrize("m", [1, 3])
def test_a_linear_function_is_steered_exactly_at_once(m):
    weight, state, change = normal(m, 9), normal(4, 9, seed=1), normal(4, m, seed=2)
    found = steer(linear(weight), state, change)
    expected = change @ torch.linalg.pinv(weight).mT
    torch.testing.assert_close(found.shift_xn, expected)
    torch.testing.assert_close(found.after_xm, found.before_xm + change)
    assert found.reached_x.all() and found.explain() == ""


def test_the_finite_change_of_a_sphere_is_known():
    """f = ‖h‖²: the least change that makes it four times as large is h itself."""
    state = normal(5, 6)
    square = state.square().sum(dim=-1, keepdim=True)
    found = steer(lambda h: h.square().sum(dim=-1, keepdim=True), state, 3 * square, tolerance=1e-6)
    torch.testing.assert_close(found.shift_xn, state, rtol=1e-5, atol=1e-5)


def test_aiming_anew_finds_the_nearest_point_of_a_curved_level():
    """f = x²/4 + y² from 1.25 to 0.4: the nearest point, by brute force over angles."""
    state = torch.tensor([[1.0, 1.0]], dtype=torch.float64)
    level = 0.4

    def function(h):
        return (h.square() * torch.tensor([0.25, 1.0])).sum(dim=-1, keepdim=True)

    change = level - function(state)
    angle = torch.linspace(0, 2 * math.pi, 100_000, dtype=torch.float64)
    ellipse = math.sqrt(level) * torch.stack([2 * angle.cos(), angle.sin()], dim=1)
    nearest = (ellipse - state).norm(dim=1).min()
    once = steer(function, state, change, tolerance=1e-5)
    anew = steer(function, state, change, tolerance=1e-5, aims=12)
    assert once.reached_x.all() and anew.reached_x.all()
    assert once.norm_x[0] > 1.001 * nearest
    assert anew.norm_x[0] == pytest.approx(nearest.item(), rel=1e-3)


@pytest.mark.parametrize("family", ["Llama", "GPT-2", "Gemma 3", "Mixtral"])
@pytest.mark.parametrize("layer", [1, 3])
def test_a_finite_change_is_reached_and_no_random_direction_is_shorter(family, layer):
    function, state = at_layer(layer, family, log_probability(TOKEN))
    change = torch.full((len(IDS), 1), 0.7)
    found = steer(function, state, change, aims=3)
    assert found.reached_x.all()
    with torch.no_grad():
        own = function(state + found.shift_xn)
    torch.testing.assert_close(own, found.after_xm)
    assert (own - found.before_xm - change).abs().max() <= 0.01 * 0.7 + 1e-5
    for seed in range(20):
        direction = normal(*state.shape, seed=seed).float()
        direction *= found.norm_x[:, None] / direction.norm(dim=-1, keepdim=True)
        with torch.no_grad():
            by_chance = function(state + direction) - found.before_xm
        assert (by_chance < 0.9 * change).all()


def test_a_constrained_optimiser_finds_nothing_shorter():
    function, state = at_layer(1, "GPT-2", log_probability(TOKEN), torch.float64)
    change = torch.full((len(IDS), 1), 0.7, dtype=torch.float64)
    found = steer(function, state, change, tolerance=1e-4, aims=6)

    def gap(x):
        shifted = state.clone()
        shifted[0] += torch.from_numpy(x)
        with torch.no_grad():
            return float((function(shifted) - found.before_xm - change)[0, 0])

    def slope(x):
        shifted = state.clone()
        shifted[0] += torch.from_numpy(x)
        return jacobian(function, shifted)[1][0, 0].numpy()

    best = minimize(
        lambda x: x @ x,
        found.shift_xn[0].numpy() + 0.01,
        jac=lambda x: 2 * x,
        constraints={"type": "eq", "fun": gap, "jac": slope},
        options={"ftol": 1e-12},
    )
    assert best.success
    assert found.norm_x[0] == pytest.approx(np.linalg.norm(best.x), rel=5e-3)


def test_several_quantities_at_once():
    functional = joint(log_probability(TOKEN), entropy(VOCABULARY))
    function, state = at_layer(2, functional=functional)
    change = torch.tensor([[0.3, -0.05]]).expand(len(IDS), -1)
    found = steer(function, state, change, aims=5)
    assert found.reached_x.all()
    assert (found.missing_xm.norm(dim=-1) <= 0.01 * change.norm(dim=-1) + 1e-5).all()
    held = torch.stack([change[:, 0], torch.zeros(len(IDS))], dim=1)
    raised = steer(function, state, held, aims=5)
    assert raised.reached_x.all()
    assert (raised.after_xm - raised.before_xm)[:, 1].abs().max() < 0.01, "the entropy is held"


def test_the_error_of_the_prediction_is_in_proportion_to_the_step():
    function, state = at_layer(1, "GPT-2", log_probability(TOKEN), torch.float64)
    before, j = jacobian(function, state)
    steps = np.geomspace(1e-4, 1e-2, 5)
    errors = []
    for step in steps:
        change = torch.full_like(before, step)
        with torch.no_grad():
            achieved = function(state + least_norm(j, change)) - before
        errors.append((achieved / change - 1).abs()[:, 0].numpy())
    slopes = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    np.testing.assert_allclose(slopes, 1, atol=0.1)


def test_a_norm_budget_is_kept_and_what_is_missing_is_said():
    function, state = at_layer(1, functional=log_probability(TOKEN))
    change = torch.full((len(IDS), 1), 1.0)
    free = steer(function, state, change)
    share = free.norm_x / state.norm(dim=-1)
    budget = 0.5 * share.min().item()
    kept = steer(function, state, change, budget=budget)
    assert not kept.reached_x.any()
    assert (kept.norm_x <= budget * state.norm(dim=-1) * (1 + 1e-5)).all()
    assert (kept.missing_xm > 0.1).all() and (kept.after_xm > kept.before_xm).all()
    short = f"by up to {kept.missing_xm.max().item():.3g}: raise the norm budget, ask for less"
    assert kept.explain().startswith("4 of 4 states fall short, ") and short in kept.explain()


def test_rows_that_nothing_is_asked_of_are_left_alone():
    function, state = at_layer(1, functional=log_probability(TOKEN))
    change = torch.tensor([[0.5], [0.0], [0.5], [0.0]])
    found = steer(function, state, change)
    assert found.norm_x[[1, 3]].abs().max() == 0 and (found.norm_x[[0, 2]] > 0).all()
    assert found.reached_x.all()


def test_what_no_state_can_bring_about_is_refused():
    value = torch.tensor([[-0.5], [-3.0]])
    one = torch.ones(2, 1)
    target = log_probability(TOKEN[:2])
    assert reachable(target, value, one).tolist() == [[False], [True]]
    check_reachable(target, value, 0.4 * one)
    with pytest.raises(UnreachableError, match=r"^ln p of the target cannot become 0\.5: it l"):
        check_reachable(target, value, one)
    with pytest.raises(UnreachableError, match=r"entropy cannot become 6: .* between 0 and 5\.5"):
        check_reachable(entropy(VOCABULARY), 5 * one, one)


def test_a_search_that_never_arrives_says_so():
    """tanh saturates at 1."""
    state = normal(3, 4)
    found = steer(lambda h: h.sum(dim=-1, keepdim=True).tanh(), state, torch.full((3, 1), 5.0))
    assert not found.reached_x.any()
    assert (found.missing_xm > 2.9).all() and found.shift_xn.isfinite().all()


@pytest.mark.parametrize("token", [-1, VOCABULARY])
def test_a_target_outside_the_vocabulary_is_one_sentence(token):
    for functional in (log_probability, surprisal):
        with pytest.raises(InputError, match=rf"^target token {token} lies outside the vocabulary"):
            at_layer(3, functional=functional(torch.full((4,), token)))[0](normal(4, 32).float())


def test_the_functionals_are_what_they_are_named():
    log_p = normal(3, 6).log_softmax(-1)
    p = log_p.exp()
    token, last = torch.tensor([1, 2, 3]), torch.tensor([0, 2, 5])
    rows = torch.arange(3)
    torch.testing.assert_close(log_probability(token)(log_p)[:, 0], log_p[rows, token])
    torch.testing.assert_close(surprisal(token)(log_p)[:, 0], -log_p[rows, token])
    several = torch.stack([token, last], dim=1)
    torch.testing.assert_close(log_probability(several)(log_p)[:, 1], log_p[rows, last])
    torch.testing.assert_close(
        entropy(6)(log_p)[:, 0], torch.distributions.Categorical(p).entropy()
    )
    torch.testing.assert_close(
        hamiltonian(token, last)(log_p)[:, 0], p[rows, token] - p[rows, last]
    )
    stutters = torch.zeros(3, 6, dtype=torch.bool)
    stutters[:, [0, 4]] = True
    odds = ((p[:, 0] + p[:, 4]) / p[rows, token]).log()
    torch.testing.assert_close(log_odds(stutters, token)(log_p)[:, 0], odds)
    own = Functional("p of the first", lambda log_p_xv: log_p_xv[:, :1].exp(), 0.0, 1.0)
    torch.testing.assert_close(joint(own, entropy(6))(log_p)[:, 0], p[:, 0])


def test_gradient_ascent_walks_as_far_as_it_says():
    function, state = at_layer(2, functional=log_probability(TOKEN))
    step = torch.full((len(IDS),), 0.02)
    up = ascend(function, state, 1.0, step, 5)
    assert (up.value_qx.diff(dim=0) > 0).all()
    assert (ascend(function, state, -1.0, step, 5).value_qx.diff(dim=0) < 0).all()
    torch.testing.assert_close(up.distance_qx[1], step, rtol=1e-3, atol=1e-4)
    assert (up.distance_qx[-1] <= 5 * step * (1 + 1e-4)).all()


def test_a_search_along_a_given_direction_finds_the_first_crossing():
    state = torch.zeros(1, 2, dtype=torch.float64)
    along = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found = search(
        lambda h: h[:, :1] ** 3,
        state,
        torch.zeros(1, 1, dtype=torch.float64),
        torch.full((1, 1), 8.0, dtype=torch.float64),
        along,
        torch.tensor([math.inf]),
        1e-8,
    )
    assert found.shift_xn[0].tolist() == pytest.approx([2.0, 0.0], abs=1e-6)
