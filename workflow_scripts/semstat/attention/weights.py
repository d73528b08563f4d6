"""The attention weights of one layer, from what its attention function is given.

transformers' attention interface hands queries, keys and a mask to a function that need not make
weights, as flash attention does not. Here they are made again, a few rows at a time, in float32 or
better. Whether they are those that the layer used is told by what they make of its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..models.attention_calls import for_each_head, scaling_of
from ..models.causality import distance

AT_ONCE = {"cpu": 1 << 20, "cuda": 1 << 26}
"""Weights that are made at once, unless one row of them is more."""


class Call(NamedTuple):
    """What an attention function is given.

    module : the layer's attention.
    query_xhqn, key_xhkn : (windows, heads, positions, dimensions); there may be fewer heads of
        keys, each of which then serves several of queries.
    value_xhkn : as keys, with dimensions of their own.
    mask : None, which is causal; or booleans, true where attention may go; or what is added to
        logits. (windows or 1, heads or 1, queries, keys).
    options : scaling, softcap, s_aux, sliding_window and position_bias are heeded.
    """

    module: nn.Module
    query_xhqn: Tensor
    key_xhkn: Tensor
    value_xhkn: Tensor
    mask: Tensor | None
    options: Mapping[str, Any]

    def rows(self, heads: list[int] | None = None) -> Iterator[Rows]:
        """Rows of its maps, some at a time: `attention_rows`."""
        return attention_rows(self, heads)


class Rows(NamedTuple):
    """Some rows of attention maps.

    query_q : which queries they are of.
    weight_xhqk : what each spends on each token; sums to 1 where nothing is left unspent.
    entropy_xhq : of how a row is shared out among tokens, nats.
    length_xhq : tokens that each may attend to; of one window or head where it is alike in all.
    unspent_xhq : what goes to no token, where the layer has sinks of its own beside the tokens.
    """

    query_q: Tensor
    weight_xhqk: Tensor
    entropy_xhq: Tensor
    length_xhq: Tensor
    unspent_xhq: Tensor | None


class Given(NamedTuple):
    """Maps of a layer, as a model gives them out that attends by code of its own.

    weight_xhqk : (windows, heads, queries, keys), each row a distribution.
    """

    weight_xhqk: Tensor

    def rows(self, heads: list[int] | None = None) -> Iterator[Rows]:
        """All rows at once; a token of which no head sees anything is taken for masked."""
        weight_xhqk = self.weight_xhqk[:, _chosen(self.weight_xhqk.shape[1], heads)]
        weight_xhqk = weight_xhqk.to(torch.promote_types(weight_xhqk.dtype, torch.float32))
        query_q = torch.arange(weight_xhqk.shape[2], device=weight_xhqk.device)
        entropy_xhq = torch.special.entr(weight_xhqk).sum(dim=-1)
        length_xhq = (self.weight_xhqk > 0).any(dim=1, keepdim=True).sum(dim=-1)
        yield Rows(query_q, weight_xhqk, entropy_xhq, length_xhq, None)


def attention_rows(call: Call, heads: list[int] | None = None) -> Iterator[Rows]:
    """The attention of one layer, some rows at a time.

    A_ij = softmax_j(c·tanh(q_i·k_j·scaling/c) + b_ij), over the tokens that the mask allows, with
    the soft cap c and bias b if there are any; with a sink of logit s, its share is left unspent.

    Parameters
    ----------
    heads : those wanted; all by default.

    Raises
    ------
    ValueError
        If there is no such head.
    """
    query_xhqn = call.query_xhqn
    key_xhkn = for_each_head(query_xhqn, call.key_xhkn, torch.float32)
    windows, all_heads, queries, _ = query_xhqn.shape
    chosen = _chosen(all_heads, heads)
    if heads is not None:
        query_xhqn, key_xhkn = query_xhqn[:, heads], key_xhkn[:, heads]
    sink_h = call.options.get("s_aux")
    keys = key_xhkn.shape[2]
    step = max(1, AT_ONCE.get(query_xhqn.device.type, 1 << 20) // (windows * len(chosen) * keys))
    for first in range(0, queries, step):
        query_q = torch.arange(first, min(first + step, queries), device=query_xhqn.device)
        logit_xhqk = query_xhqn[:, :, query_q].to(key_xhkn) @ key_xhkn.transpose(2, 3)
        logit_xhqk *= scaling_of(query_xhqn, call.options)
        if (cap := call.options.get("softcap")) is not None:
            logit_xhqk = logit_xhqk.div_(cap).tanh_().mul_(cap)
        allowed_xhqk = _mask(call, logit_xhqk, query_q, chosen)
        yield _softmax(
            query_q, logit_xhqk, allowed_xhqk, None if sink_h is None else sink_h.flatten()[chosen]
        )


def _chosen(all_heads: int, heads: list[int] | None) -> list[int]:
    """The heads that are wanted, all by default; ValueError if there is no such head."""
    chosen = list(range(all_heads)) if heads is None else heads
    if max(chosen) >= all_heads:
        raise ValueError(f"head {max(chosen)} does not exist (heads are 0 to {all_heads - 1})")
    return chosen


def error_of_output(call: Call, output_xqhn: Tensor) -> Tensor:
    """How far the weights miss what the layer's own function made of its values.

    Parameters
    ----------
    output_xqhn : (windows, queries, heads, dimensions) that.

    Returns
    -------
    (queries,) relative to its norm, the largest of all windows.
    """
    value_xhkn = for_each_head(call.query_xhqn, call.value_xhkn, torch.float32)
    made_xhqn = torch.cat([rows.weight_xhqk @ value_xhkn for rows in attention_rows(call)], dim=2)
    made_xqn = made_xhqn.transpose(1, 2).flatten(2)
    return distance(made_xqn, output_xqhn.reshape(made_xqn.shape)).amax(dim=0)


def _mask(call: Call, logit_xhqk: Tensor, query_q: Tensor, heads: list[int]) -> Tensor:
    """Add biases to logits; which keys are allowed, (windows or 1, heads or 1, rows, keys)."""
    keys, mask = logit_xhqk.shape[-1], call.mask
    if (bias := call.options.get("position_bias")) is not None:
        logit_xhqk += _of_heads(bias, heads)[:, :, query_q, :keys]
    if mask is None:
        # The last query is the last key's, whatever was read before.
        place_q = query_q[:, None] + (keys - call.query_xhqn.shape[2])
        key_k = torch.arange(keys, device=query_q.device)
        causal_qk = key_k <= place_q
        if (window := call.options.get("sliding_window")) is not None:
            causal_qk &= key_k > place_q - window
        return causal_qk[None, None]
    mask_xhqk = _of_heads(mask, heads)[:, :, query_q, :keys]
    if mask.dtype == torch.bool:
        return mask_xhqk
    logit_xhqk += mask_xhqk
    return mask_xhqk > torch.finfo(mask.dtype).min / 2


def _of_heads(x_xhqk: Tensor, heads: list[int]) -> Tensor:
    return x_xhqk if x_xhqk.shape[1] == 1 else x_xhqk[:, heads]


def _softmax(
    query_q: Tensor, logit_xhqk: Tensor, allowed_xhqk: Tensor, sink_h: Tensor | None
) -> Rows:
    logit_xhqk = logit_xhqk.masked_fill_(~allowed_xhqk, torch.finfo(logit_xhqk.dtype).min)
    most_xhq1 = logit_xhqk.amax(dim=-1, keepdim=True)
    logit_xhqk -= most_xhq1
    weight_xhqk = logit_xhqk.exp()
    total_xhq1 = weight_xhqk.sum(dim=-1, keepdim=True)
    weight_xhqk /= total_xhq1
    # −Σ A ln A; where nothing is spent the logit is finite, so that nothing times it is 0.
    mean_xhq = torch.linalg.vecdot(weight_xhqk, logit_xhqk)
    entropy_xhq = total_xhq1.log().squeeze(-1) - mean_xhq
    length_xhq = allowed_xhqk.sum(dim=-1)
    if sink_h is None:
        return Rows(query_q, weight_xhqk, entropy_xhq, length_xhq, None)
    log_total_xhq1 = most_xhq1 + total_xhq1.log()
    unspent_xhq1 = torch.sigmoid(sink_h.to(log_total_xhq1)[:, None, None] - log_total_xhq1)
    weight_xhqk *= 1 - unspent_xhq1
    return Rows(query_q, weight_xhqk, entropy_xhq, length_xhq, unspent_xhq1.squeeze(-1))
