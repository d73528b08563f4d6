"""Marginal entropies of one position against closed forms and known mixtures."""

import numpy as np
import pytest
import torch

from tests.generation.mixtures import MIXTURES
from workflow_scripts.semstat.generation.marginal import (
    marginal_slope,
    measure_marginal,
    subsets,
)


def softmax_runs(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    logits_drv = 3 * torch.randn(*shape, generator=generator, dtype=torch.float64)
    return logits_drv, torch.softmax(logits_drv, dim=-1)


@pytest.mark.parametrize("runs", [2, 3, 7, 8, 30, 100])
def test_groups_are_disjoint_and_of_one_size(runs):
    among = subsets(runs)
    begin = 0
    for size, groups in zip(among.sizes, among.groups, strict=True):
        member_gr = among.member_gr[begin : begin + groups]
        assert (member_gr.sum(dim=1) == size).all() and (member_gr.sum(dim=0) <= 1).all()
        assert runs - groups * size < size
        begin += groups
    assert among.sizes[0] == runs and among.groups[-1] >= 2 and begin == len(among.member_gr)
    assert torch.equal(among.fold_gr, among.member_gr[-among.groups[-1] :])


def test_one_run_has_no_marginal():
    with pytest.raises(ValueError, match="at least 2 runs, not 1"):
        subsets(1)


@pytest.mark.parametrize("runs", [2, 5, 30])
def test_equal_and_disjoint_runs(runs):
    _, p_d1v = softmax_runs(0, 3, 1, 40)
    found = measure_marginal(p_d1v.expand(3, runs, 40), subsets(runs))
    entropy_d = torch.special.entr(p_d1v[:, 0]).sum(dim=-1)
    for value in (found.entropy_d, found.conditional_d, found.cross_d, *found.subset_dz.T):
        assert torch.allclose(value, entropy_d)
    assert (found.error_d < 1e-12).all()
    p_drv = torch.zeros(1, runs, runs, 40, dtype=torch.float64)
    p_drv[:, range(runs), range(runs)] = p_d1v[:1]
    found = measure_marginal(p_drv.flatten(2), subsets(runs))
    assert torch.allclose(found.conditional_d, entropy_d[:1])
    logs = torch.tensor(subsets(runs).sizes, dtype=torch.float64).log()
    assert torch.allclose(found.subset_dz, entropy_d[:1] + logs)
    assert torch.allclose(found.entropy_d, entropy_d[:1] + np.log(runs))
    assert found.cross_d.isinf().all()


def test_the_slope_is_that_of_finite_differences():
    logits_drv, _ = softmax_runs(1, 2, 6, 200)
    temperature_d = torch.tensor([0.7, 1.3], dtype=torch.float64)
    alive_dr = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])

    def entropy_d(shift):
        p_drv = torch.softmax(logits_drv / (temperature_d + shift)[:, None, None], dim=-1)
        return measure_marginal(p_drv, subsets(6), alive_dr=alive_dr).entropy_d

    p_drv = torch.softmax(logits_drv / temperature_d[:, None, None], dim=-1)
    slope_d = marginal_slope(p_drv, logits_drv, temperature_d, alive_dr)
    assert torch.allclose(slope_d, (entropy_d(1e-5) - entropy_d(-1e-5)) / 2e-5, rtol=1e-7)
    single_d = marginal_slope(p_drv.float(), logits_drv.float() + 20, temperature_d, alive_dr)
    assert torch.allclose(single_d, slope_d, rtol=1e-4)


@pytest.mark.parametrize("name", ["nearly equal", "alike", "few tokens"])
@pytest.mark.parametrize("runs", [8, 30])
def test_bounds_and_errors_on_mixtures(name, runs):
    draw, exact = MIXTURES[name]
    batches = 300
    p_drv = torch.from_numpy(draw(np.random.default_rng(runs), batches, runs))
    found = measure_marginal(p_drv, subsets(runs))
    below_d, above_d = exact - found.entropy_d, found.cross_d - exact
    for gap_d in (below_d, above_d):
        assert gap_d.mean() > 3 * gap_d.std() / batches**0.5
    # Fewer runs, a lower entropy; a single one, the conditional entropy.
    mean_z = found.subset_dz.mean(dim=0)
    assert (mean_z.diff() < 0).all() and found.conditional_d.mean() <= mean_z[-1] + 1e-12
    # Few runs do not show all of their scatter.
    ratio = found.error_d.square().mean().sqrt() / found.entropy_d.std()
    assert (0.7 if runs == 8 else 0.85) < ratio < 1.15
    if runs == 30:
        z_d = (found.entropy_d - found.entropy_d.mean()) / found.error_d
        assert 0.9 < z_d.std() < 1.2 and abs(z_d.mean()) < 0.3


def test_ended_runs_count_nowhere():
    _, p_drv = softmax_runs(2, 2, 12, 50)
    alive_dr = torch.ones(2, 12, dtype=torch.bool)
    alive_dr[1, [0, 3, 7]] = False
    p_drv[1, [0, 3, 7]] = 1.0
    found = measure_marginal(p_drv, subsets(12), alive_dr=alive_dr)
    all_alive = measure_marginal(p_drv[:1], subsets(12))
    for value_d, expected_d in zip(found, all_alive, strict=True):
        assert torch.allclose(value_d[:1], expected_d)
    rest_rv = p_drv[1, alive_dr[1]]
    entropy = torch.special.entr(rest_rv.mean(dim=0)).sum()
    assert torch.allclose(found.entropy_d[1], entropy)
    assert torch.allclose(found.conditional_d[1], torch.special.entr(rest_rv).sum(dim=1).mean())
    assert found.subset_dz[1].isnan().all() and found.runs_d.tolist() == [12, 9]
    assert found.cross_d[1] > entropy and found.error_d[1].isfinite()


def test_hardly_any_run_left():
    _, p_drv = softmax_runs(3, 2, 4, 10)
    alive_dr = torch.tensor([[True, False, False, False], [False] * 4])
    found = measure_marginal(p_drv, subsets(4), alive_dr=alive_dr)
    assert torch.allclose(found.entropy_d[0], found.conditional_d[0])
    assert found.cross_d[0].isinf() and found.error_d[0].isnan()
    for value_d in (found.entropy_d, found.conditional_d, found.cross_d, found.error_d):
        assert value_d[1].isnan()


def test_single_precision_and_zeros():
    _, p_drv = softmax_runs(4, 2, 30, 49_152)
    p_drv = torch.where(p_drv > 1e-7, p_drv, 0.0)
    p_drv = p_drv / p_drv.sum(dim=-1, keepdim=True)
    double, single = (measure_marginal(p, subsets(30)) for p in (p_drv, p_drv.float()))
    for value_d, expected_d in zip(single[:4], double[:4], strict=True):
        assert value_d.dtype == torch.float64
        assert torch.allclose(value_d, expected_d, atol=1e-5)
