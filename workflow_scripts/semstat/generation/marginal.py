"""The entropy of the next token's distribution averaged over runs, from a finite number of runs.

R runs of a prompt have written different tokens, and each has its own distribution p_r of the next
one. Their mean p̄ = (1/R) Σ p_r estimates the distribution of the token at this position whatever
was written before, and H[p̄] its entropy H∞. As entropy is concave, H[p̄] is too low on average:
H[p̄] = (1/R) Σ H[p_r] + JSD, and the Jensen–Shannon divergence JSD, the information that a token
has about its run, is at most ln R. Runs that had no part in a mean give a bound from above (Gibbs'
inequality), −Σ p̄_A ln p̄_B with A and B disjoint. So on average over runs

    H[p̄] ≤ H∞ ≤ −Σ p̄_A ln p̄_B,

and means over fewer runs tell how the lower one rises (extrapolation.py).

Nothing here waits for a GPU, and all means over runs are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from ..models.thread_pool import side_by_side

Result = TypeVar("Result")

PARTS = (1, 2, 3, 6)
"""Into how many groups the runs are dealt."""


class Subsets(NamedTuple):
    """Groups of the runs of a prompt: of each size as many disjoint ones as there are runs for.

    sizes : descending, the first all runs.
    groups : of each size, how many.
    member_gr : (groups of all sizes, runs) 1 for the runs of a group, else 0.
    """

    sizes: tuple[int, ...]
    groups: tuple[int, ...]
    member_gr: Tensor

    @property
    def fold_gr(self) -> Tensor:
        """(smallest groups, runs): the folds of the cross-entropy."""
        return self.member_gr[-self.groups[-1] :]


class Marginal(NamedTuple):
    """Entropies of a position, nats, float64. NaN where undefined.

    entropy_d : (prompts,) H[p̄] of all runs.
    error_d : (prompts,) its standard error over runs; NaN for a single one.
    conditional_d : (prompts,) mean of the entropies of the runs' own distributions.
    subset_dz : (prompts, sizes) mean H[p̄] of the groups of each size, the first as `entropy_d`;
        NaN where a run has ended.
    cross_d : (prompts,) cross-entropy between each fold and all other runs, the upper bound;
        infinite where a fold has tokens that no other run can write.
    runs_d : (prompts,) runs that go on.
    """

    entropy_d: Tensor
    error_d: Tensor
    conditional_d: Tensor
    subset_dz: Tensor
    cross_d: Tensor
    runs_d: Tensor


def subsets(runs: int, device: torch.device | str = "cpu") -> Subsets:
    """All runs, halves, thirds and sixths of them, as far as whole runs allow; the rest unused.

    >>> subsets(30).sizes, subsets(30).groups
    ((30, 15, 10, 5), (1, 2, 3, 6))

    Raises
    ------
    ValueError
        For fewer than two runs.
    """
    if runs < 2:
        raise ValueError(f"a marginal entropy needs at least 2 runs, not {runs}")
    sizes = sorted({runs // parts for parts in PARTS if runs >= parts}, reverse=True)
    run_r = torch.arange(runs)
    member_gr = [(run_r // size)[None, :] == torch.arange(runs // size)[:, None] for size in sizes]
    groups = tuple(runs // size for size in sizes)
    return Subsets(tuple(sizes), groups, torch.cat(member_gr).float().to(device))


def measure_marginal(
    p_drv: Tensor,
    among: Subsets,
    conditional_dr: Tensor | None = None,
    alive_dr: Tensor | None = None,
) -> Marginal:
    """Entropies of the runs' mean distribution at one position, and what they lack.

    The standard error is that of the infinitesimal jackknife: to first order run r moves the
    entropy by (c_r − H[p̄])/R, with c_r = −Σ_v p_rv ln p̄_v, so that Var = Var_r(c_r)/R.

    Parameters
    ----------
    p_drv : (prompts, runs, vocabulary) the runs' distributions, float32 or float64; may be 0.
    among : `subsets` of as many runs, on the same device.
    conditional_dr : (prompts, runs) entropy of each run's own distribution, nats, where it is
        known; else it is computed.
    alive_dr : (prompts, runs) bool, runs that go on; all by default. Those that have ended count
        nowhere, but must be finite.
    """
    alive_dr = torch.ones_like(p_drv[..., 0]) if alive_dr is None else alive_dr.to(p_drv.dtype)
    if conditional_dr is None:
        conditional_dr = torch.stack([_entropy(p_rv) for p_rv in p_drv])
    if p_drv.is_cuda:
        return _measure(among, p_drv, conditional_dr, alive_dr)
    each = _by_prompt(lambda *of: _measure(among, *of), p_drv, conditional_dr, alive_dr)
    return Marginal(*map(torch.cat, zip(*each, strict=True)))


def _measure(among: Subsets, p_drv: Tensor, conditional_dr: Tensor, alive_dr: Tensor) -> Marginal:
    runs_d, folds = alive_dr.sum(dim=1), among.groups[-1]
    member_dgr = among.member_gr.to(p_drv.dtype) * alive_dr[:, None]
    other_dgr = alive_dr[:, None] - member_dgr[:, -folds:]
    sharing_dgr = torch.cat([member_dgr, other_dgr], dim=1)
    sharing_dgr = sharing_dgr / sharing_dgr.sum(dim=-1, keepdim=True).clamp(min=1)
    every_dgv = sharing_dgr @ p_drv
    mean_dgv, other_dgv = every_dgv[:, :-folds], every_dgv[:, -folds:]

    entropy_dg = _entropy(mean_dgv)
    entropy_d = entropy_dg[:, 0].masked_fill(runs_d == 0, torch.nan)
    by_size = [
        part_dg.mean(dim=1) for part_dg in torch.split(entropy_dg, list(among.groups), dim=1)
    ]
    has_ended_d1 = (alive_dr == 0).any(dim=1, keepdim=True)

    in_fold_dg = member_dgr[:, -folds:].sum(dim=-1)
    cross_dg = in_fold_dg * _cross_entropy(mean_dgv[:, -folds:], other_dgv)
    seen_dr = -(p_drv @ _log(mean_dgv[:, 0, :, None]))[..., 0].double()
    variance_d = (alive_dr * (seen_dr - entropy_d[:, None]) ** 2).sum(dim=1) / (runs_d - 1)
    return Marginal(
        entropy_d=entropy_d,
        error_d=(variance_d / runs_d).sqrt(),
        conditional_d=(alive_dr * conditional_dr).sum(dim=1).double() / runs_d,
        subset_dz=torch.stack(by_size, dim=1).masked_fill(has_ended_d1, torch.nan),
        cross_d=cross_dg.sum(dim=1) / in_fold_dg.sum(dim=1),
        runs_d=runs_d.long(),
    )


def _log(p: Tensor) -> Tensor:
    """ln p, finite at 0."""
    return p.clamp(min=torch.finfo(p.dtype).tiny).log_()


def _entropy(p: Tensor) -> Tensor:
    """H[p] over the last axis; five times as fast as torch.special.entr."""
    return -_log(p).mul_(p).sum(dim=-1, dtype=torch.float64)


def _cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """−Σ p ln q over the last axis; infinite where p has what q has not."""
    # 0 ln 0 is 0, but p ln 0 is −∞.
    term = q.log().mul_(p).nan_to_num_(nan=0.0, neginf=-torch.inf)
    return -term.sum(dim=-1, dtype=torch.float64)


def entropy_of_mean(p_drv: Tensor, alive_dr: Tensor) -> Tensor:
    """(prompts,) H[p̄] of the runs that go on, nats, float64; 0 of none.

    Parameters
    ----------
    p_drv, alive_dr : as in `measure_marginal`.
    """
    return _entropy(_summed(shares(alive_dr).to(p_drv), p_drv))


def entropy_at(shifted_drv: Tensor, sampling_temperature: float, alive_dr: Tensor) -> Tensor:
    """The same of softmax(logits / sampling temperature), one for all runs.

    Parameters
    ----------
    shifted_drv : (prompts, runs, vocabulary) logits less the highest of each run.
    alive_dr : as in `measure_marginal`.
    """

    def of_some(shifted_drv: Tensor, alive_dr: Tensor) -> Tensor:
        weight_drv = (shifted_drv / sampling_temperature).exp_()
        return _entropy(_summed(shares(alive_dr) / weight_drv.sum(dim=-1), weight_drv))

    return torch.cat(side_by_side(of_some, shifted_drv, alive_dr))


def shares(alive_dr: Tensor) -> Tensor:
    """(prompts, runs) weights of the runs that go on in the mean of their prompt."""
    return alive_dr / alive_dr.sum(dim=1, keepdim=True).clamp(min=1)


def marginal_slope(
    p_drv: Tensor,
    logits_drv: Tensor,
    sampling_temperature_d: Tensor,
    alive_dr: Tensor | None = None,
) -> Tensor:
    """Derivative of H[p̄] by the sampling temperature, the texts so far being what they are.

    dH[p̄]/dT = (1/(R T²)) Σ_r Cov_{p_r}(z_r, ln p̄), z being the logits and T the sampling
    temperature, from dp_rv/dT = p_rv (⟨z_r⟩ − z_rv)/T².

    Parameters
    ----------
    p_drv : (prompts, runs, vocabulary) softmax(logits / sampling temperature).
    logits_drv : (prompts, runs, vocabulary) finite, before the division.
    sampling_temperature_d : (prompts,) or one for all, positive.
    alive_dr : as in `measure_marginal`.

    Returns
    -------
    (prompts,) float64, nats.
    """
    alive_dr = torch.ones_like(p_drv[..., 0]) if alive_dr is None else alive_dr.to(p_drv.dtype)
    of = (p_drv, logits_drv, alive_dr)
    covariance_d = _covariance(*of) if p_drv.is_cuda else torch.cat(_by_prompt(_covariance, *of))
    return covariance_d / sampling_temperature_d**2


def _covariance(p_drv: Tensor, logits_drv: Tensor, alive_dr: Tensor) -> Tensor:
    """(prompts,) mean over runs of Cov_{p_r}(z_r, ln p̄)."""
    share_dr = shares(alive_dr)
    weighted_drv = p_drv * logits_drv
    mean_dr = weighted_drv.sum(dim=-1)
    moment_dv = _summed(share_dr, weighted_drv) - _summed(share_dr * mean_dr, p_drv)
    return (moment_dv * _log(_summed(share_dr, p_drv))).sum(dim=-1, dtype=torch.float64)


def _summed(weight_dr: Tensor, value_drv: Tensor) -> Tensor:
    return (weight_dr[:, None] @ value_drv)[:, 0]


def _by_prompt(function: Callable[..., Result], *of_d: Tensor) -> list[Result]:
    """The function of one prompt after the other.

    On a CPU that is four times as fast as of all at once: what is in between stays in its caches.
    """

    def share(*of_d: Tensor) -> list[Result]:
        return [function(*(part[None] for part in parts)) for parts in zip(*of_d, strict=True)]

    return [result for few in side_by_side(share, *of_d) for result in few]
