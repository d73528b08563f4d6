"""The Hamiltonian against its definition, and its derivatives."""

import pytest
import torch

from workflow_scripts.semstat.energies.hamiltonian import energy

LOG_P = [(-1e-4, -1.00001e-4), (-50, -50.001), (-900, -1000), (-2e5, -1e5), (0, -300)]
"""Where the difference cancels, and where both probabilities underflow."""


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_energy_keeps_its_digits_and_its_sign(dtype):
    correct_s, last_s = torch.tensor(LOG_P, dtype=dtype).T
    found = energy(torch.cat([correct_s, last_s]), torch.cat([last_s, correct_s]))
    assert found.dtype == dtype
    correct_s, last_s = correct_s.double(), last_s.double()
    exact = correct_s.exp() * -torch.expm1(last_s - correct_s)
    resolved = torch.tensor([True, True, False, False, True])
    torch.testing.assert_close(found[:5][resolved].double(), exact[resolved], rtol=1e-6, atol=0)
    assert found[:5].sign().tolist() == [1, 1, 1, -1, 1]
    assert torch.equal(found[5:], -found[:5])


def test_what_is_impossible_has_no_probability():
    never = -torch.inf
    correct_s = torch.tensor([never, never, -1.0, torch.nan, -1.0])
    last_s = torch.tensor([never, -1.0, never, -1.0, torch.nan])
    p = torch.tensor(-1.0).exp()
    torch.testing.assert_close(energy(correct_s, last_s)[:3], torch.stack([0 * p, -p, p]))
    assert not energy(correct_s, last_s)[0].signbit()
    assert energy(correct_s, last_s)[3:].isnan().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_its_derivatives_are_the_probabilities(dtype):
    """By either logarithm, and where both are equal too."""
    log_p = [(-1, -2), (-2, -1), (-0.5, -0.5), (0, -300), (-300, 0), (-1e-3, -1.001e-3)]
    correct_s, last_s = torch.tensor(log_p, dtype=dtype).T.clone().requires_grad_()
    found = torch.autograd.grad(energy(correct_s, last_s).sum(), (correct_s, last_s))
    torch.testing.assert_close(found, (correct_s.exp(), -last_s.exp()))
