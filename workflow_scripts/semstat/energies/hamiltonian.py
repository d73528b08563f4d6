"""The Hamiltonian of a state: how much likelier the correct next token is than the last one."""

from __future__ import annotations

import torch
from torch import Tensor


def energy(log_p_correct_s: Tensor, log_p_last_s: Tensor) -> Tensor:
    """Energy H(q) = p(correct next token) − p(last token) of each state.

    Zero exactly where the two log-probabilities are equal, as they are when the correct token is
    the last one; elsewhere its sign survives even where both probabilities underflow. Computed in
    float64, and differentiable everywhere: ∂H/∂ln p is p(correct) and −p(last).

    Parameters
    ----------
    log_p_correct_s, log_p_last_s : (states,) natural logarithms, of one dtype.

    Returns
    -------
    (states,) in [−1, 1], probability, in that dtype.
    """
    correct_s, last_s = log_p_correct_s.double(), log_p_last_s.double()
    above_s = correct_s >= last_s
    higher_s = torch.where(above_s, correct_s, last_s)
    lower_s = torch.where(above_s, last_s, correct_s)
    # Two impossible tokens are as likely as each other, though −∞ − (−∞) is no number.
    apart_s = torch.where(higher_s == -torch.inf, 0.0, lower_s - higher_s)
    # exp(a) − exp(b) without cancellation where a ≈ b.
    size_s = -higher_s.exp() * torch.expm1(apart_s)
    smallest = torch.finfo(log_p_correct_s.dtype).tiny
    size_s = torch.where(lower_s == higher_s, size_s, size_s.clamp(min=smallest))
    # 0 is added so that no −0 is left.
    return torch.where(above_s, size_s, -size_s).to(log_p_correct_s.dtype) + 0.0
