"""The bound on H's error that benchmarks/mixed_precision.py derives, on states made to be hard."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from benchmarks.mixed_precision import ROUNDING, errors, rounded

WIDTH, VOCABULARY, STATES = 96, 500, 64


def unembedding() -> Tensor:
    return rounded(torch.randn(VOCABULARY, WIDTH, generator=torch.Generator().manual_seed(0)))


def hard_states(weight_vn: Tensor, size: float) -> Tensor:
    """States that bfloat16 rounds towards a token each: what is lost has one sign along w(v)."""
    generator = torch.Generator().manual_seed(1)
    x_sn = rounded(size * torch.randn(STATES, WIDTH, generator=generator))
    towards_sn = weight_vn[torch.arange(STATES) + 100].sign()
    # Just under half a step of bfloat16, which has 8 bits.
    return x_sn + 0.49 * towards_sn * 2.0 ** (torch.frexp(x_sn).exponent - 8)


def tokens(seed: int) -> Tensor:
    return torch.randint(VOCABULARY, (STATES,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("head", [0, 16])
@pytest.mark.parametrize("columns", [0, 8])
@pytest.mark.parametrize("size", [0.01, 0.1, 0.3, 1.0])
def test_no_error_is_above_its_bound(size: float, columns: int, head: int) -> None:
    weight_vn = unembedding()
    x_sn = hard_states(weight_vn, size)
    found_s, bound_s = errors(weight_vn, x_sn, tokens(2), tokens(3), columns, head)
    assert (found_s <= bound_s).all()


def test_without_the_bound_the_errors_would_be_seen() -> None:
    weight_vn = unembedding()
    x_sn = hard_states(weight_vn, 0.3)
    likely_s = (x_sn @ weight_vn.T).argmax(dim=1)
    found_s, bound_s = errors(weight_vn, x_sn, tokens(2), likely_s, columns=0, head=0)
    assert found_s.max() > 100 * ROUNDING
    assert (bound_s < 0.2).all()


@pytest.mark.parametrize("head", [0, 16])
@pytest.mark.parametrize("size", [30.0, 1e3, 1e4, 1e25])
def test_the_bound_of_huge_states_is_a_number_or_infinite(size: float, head: int) -> None:
    weight_vn = unembedding()
    weight_vn[7] = 0
    last_s, correct_s = tokens(2), tokens(3)
    correct_s[:8] = last_s[:8]
    x_sn = hard_states(weight_vn, size)
    found_s, bound_s = errors(weight_vn, x_sn, last_s, correct_s, columns=0, head=head)
    assert (found_s <= bound_s).all(), "nor is one of them NaN"


def test_what_is_recomputed_is_exact() -> None:
    weight_vn = unembedding()
    x_sn = hard_states(weight_vn, 0.3)
    found_s, _ = errors(weight_vn, x_sn, tokens(2), tokens(3), columns=0, head=VOCABULARY)
    assert found_s.max() < 1e-12


def test_further_columns_carry_outlier_dimensions() -> None:
    weight_vn = unembedding()
    x_sn = hard_states(weight_vn, 0.1)
    x_sn[:, :4] *= 50
    likely_s = (x_sn @ weight_vn.T).argmax(dim=1)
    without_s, _ = errors(weight_vn, x_sn, tokens(2), likely_s, columns=0, head=16)
    with_s, _ = errors(weight_vn, x_sn, tokens(2), likely_s, columns=4, head=16)
    assert with_s.mean() < without_s.mean() / 10


@pytest.mark.parametrize("rounded_up", [False, True])
def test_the_bound_is_nearly_reached(rounded_up: bool) -> None:
    """A token as likely as the correct one, whose weights are parallel to what rounding lost."""
    lost = 0.49 * 2.0**-7 * (-1 if rounded_up else 1)
    x_sn = torch.full((1, WIDTH), 1 + lost)
    weight_vn = torch.zeros(8, WIDTH)
    parallel, correct, last = 0, 1, 2
    weight_vn[parallel] = 0.125
    weight_vn[correct, ::2] = 0.25
    found_s, bound_s = errors(
        weight_vn, x_sn, torch.tensor([last]), torch.tensor([correct]), columns=0, head=0
    )
    assert found_s <= bound_s
    assert found_s > 0.9 * bound_s
