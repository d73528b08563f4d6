"""Moves leave the measure under a bound as it is, on plateaus too."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from workflow_scripts.semstat.volumes.gaussian import Gaussian
from workflow_scripts.semstat.volumes.sphere import Sphere
from workflow_scripts.semstat.volumes.walkers import Bound

torch.set_num_threads(1)
STATES = 20_000


def bowl(q_sn, run_s):
    """An energy that is flat where the first component is small."""
    return torch.relu(q_sn[:, 0].abs() - 0.3).double() + 0.5 * q_sn[:, 1].double().clamp(min=0)


@pytest.mark.parametrize("space", [Sphere(3, torch.float64), Gaussian(3, torch.float64)])
@pytest.mark.parametrize("limit, label", [(0.2, 0.5), (0.0, 0.4)])
def test_what_is_distributed_as_it_should_be_stays_so(space, limit, label):
    generator = torch.Generator().manual_seed(0)
    q_sn = space.draw(8 * STATES, generator)
    energy_s = bowl(q_sn, None)
    run_s = torch.zeros(len(q_sn), dtype=torch.int64)
    limit_s, label_s = (torch.full_like(energy_s, part) for part in (limit, label))
    bound = Bound(run_s, limit_s, label_s)
    chance_s = torch.rand(len(q_sn), generator=generator, dtype=torch.float64)
    allowed = (chance_s < bound.weight(energy_s)).nonzero()[:, 0]
    first, rest = allowed.chunk(2)
    moved = space.move(q_sn[first], energy_s[first], bound.of(first), bowl, 2, generator)
    assert torch.equal(moved.energy_s, bowl(moved.q_sn, None)) or torch.allclose(
        moved.energy_s, bowl(moved.q_sn, None), atol=1e-12
    )
    assert (moved.energy_s <= limit).all()
    assert (moved.evaluations_s >= 2).all() and (moved.q_sn != q_sn[first]).any(dim=1).all()
    for part in range(3):
        assert stats.ks_2samp(moved.q_sn[:, part], q_sn[rest, part]).pvalue > 1e-3
    assert stats.ks_2samp(moved.energy_s, energy_s[rest]).pvalue > 1e-3


def test_a_bracket_that_cannot_be_divided_leaves_a_state_where_it_is():
    """An energy that allows nothing but the state itself, as rounding may make it."""
    space, generator = Sphere(3), torch.Generator().manual_seed(0)
    q_sn = space.draw(4, generator)
    energy_s = torch.zeros(4, dtype=torch.float64)
    bound = Bound(torch.arange(4), torch.ones_like(energy_s), torch.ones_like(energy_s))
    moved = space.move(
        q_sn, energy_s, bound, lambda x_sn, run_s: torch.full((len(x_sn),), 2.0), 3, generator
    )
    assert torch.allclose(moved.q_sn, q_sn) and (moved.energy_s == 0).all()
    assert (moved.evaluations_s < 3 * 200).all()


def test_directions_on_a_sphere_are_tangents():
    space, generator = Sphere(50, torch.float64), torch.Generator().manual_seed(0)
    q_sn = space.draw(100, generator)
    v_sn = space._directions(q_sn, generator)
    assert torch.allclose((v_sn * q_sn).sum(dim=1), torch.zeros(100, dtype=torch.float64))
    assert torch.allclose(v_sn.norm(dim=1), torch.ones(100, dtype=torch.float64))
