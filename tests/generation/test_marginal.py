"""Marginal entropies of one position against closed forms and known mixtures."""

import numpy as np
import pytest
import torch

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
