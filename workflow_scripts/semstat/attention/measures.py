"""What a row of attention, and the states of a window, are like."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from .columns import OF_ROWS, OF_WINDOWS
from .weights import Rows


def measure_rows(attention: Iterable[Rows], ids_xt: Tensor) -> Tensor:
    """`OF_ROWS`, of the attention of one layer; no map is kept. Of the heads the mean is taken.

    Parameters
    ----------
    attention : all rows, in order.
    ids_xt : (windows, positions) the tokens that it attends to.

    Returns
    -------
    (measures, windows, positions) NaN where there is no such thing.
    """
    # A key follows a copy of what stands before it.
    follows_xt = torch.nn.functional.pad(ids_xt[:, :-1], (1, 0), value=-1)
    key_k = torch.arange(ids_xt.shape[1], device=ids_xt.device)
    parts = []
    for rows in attention:
        query_q = rows.query_q
        weight_xqk = rows.weight_xhqk.mean(dim=1)
        copy_xqk = ids_xt[:, query_q, None] == follows_xt[:, None]
        copy_xqk &= key_k <= query_q[:, None]
        length_xhq = rows.length_xhq.expand(rows.entropy_xhq.shape)
        row_entropy_xhq = (rows.entropy_xhq / length_xhq.log()).clamp(0, 1)
        itself_xq = _at(weight_xqk, query_q)
        found = {
            "row_entropy": _where(length_xhq > 1, row_entropy_xhq).mean(dim=1),
            "sink": weight_xqk[:, :, 0],
            "itself": itself_xq,
            "before": _where(query_q > 0, _at(weight_xqk, (query_q - 1).clamp(min=0))),
            "induction": _where(copy_xqk.any(dim=-1), (weight_xqk * copy_xqk).sum(dim=-1)),
            "unspent": torch.full_like(itself_xq, torch.nan)
            if rows.unspent_xhq is None
            else rows.unspent_xhq.mean(dim=1),
        }
        parts.append(torch.stack([found[name].float() for name in OF_ROWS]))
    return torch.cat(parts, dim=-1)


def measure_states(h_xtn: Tensor, length_x: list[int]) -> Tensor:
    """`OF_WINDOWS`, of the states of one layer, window by window.

    The first token that a model sees is left out: its state is often as large as all others
    together, and would be all that a rank tells.

    Parameters
    ----------
    h_xtn : (windows, positions, hidden) states.
    length_x : positions of each that are no padding.

    Returns
    -------
    (measures, windows) NaN where there are fewer than two such states.
    """
    each = [_rank(h_tn[1:length].float()) for h_tn, length in zip(h_xtn, length_x, strict=True)]
    return torch.stack(each, dim=1)


def _rank(h_tn: Tensor) -> Tensor:
    states = len(h_tn)
    if states < 2:
        return h_tn.new_full((len(OF_WINDOWS),), torch.nan)
    # Norms are relative, so that squares of large states do not overflow.
    h_tn = h_tn / h_tn.abs().max().clamp(min=torch.finfo(h_tn.dtype).tiny)
    wide = h_tn.shape[1] > states
    gram = h_tn @ h_tn.T if wide else h_tn.T @ h_tn
    largest = torch.linalg.eigvalsh(gram)[-1]
    unit_tn = torch.nn.functional.normalize(h_tn, dim=-1)
    mean_n = unit_tn.sum(dim=0)
    cosine = ((mean_n @ mean_n) - (unit_tn * unit_tn).sum()) / (states * (states - 1))
    found = {
        "stable_rank": h_tn.square().sum() / largest,
        "rank_residual": _size(h_tn - h_tn.mean(dim=0)) / _size(h_tn),
        "mean_cosine": cosine,
    }
    return torch.stack([found[name] for name in OF_WINDOWS])


def _size(x_tn: Tensor) -> Tensor:
    """√(‖x‖₁‖x‖_∞), of the largest sums of magnitudes over columns and rows."""
    size_tn = x_tn.abs()
    return (size_tn.sum(dim=0).max() * size_tn.sum(dim=1).max()).sqrt()


def _at(weight_xqk: Tensor, key_q: Tensor) -> Tensor:
    """(windows, rows) what each row spends on one key."""
    return weight_xqk.gather(2, key_q.expand(len(weight_xqk), -1)[:, :, None]).squeeze(2)


def _where(there: Tensor, x: Tensor) -> Tensor:
    return x.masked_fill(~there, torch.nan)
