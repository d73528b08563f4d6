"""Llama, GPT-2 and GPT-NeoX written out, attention summed key by key, and what is changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu, silu

Sees = Callable[[int, int], bool]


@dataclass
class Change:
    """What is changed: β by (layer, head), heads off, keys that queries see, layers left out."""

    scale: Callable[[int, int], float] = lambda _layer, _head: 1.0
    off: set[tuple[int, int]] = field(default_factory=set)
    sees: Sees = lambda _q, _k: True
    skipped: set[int] = field(default_factory=set)


def attend(q_htc: Tensor, k_htc: Tensor, v_htc: Tensor, layer: int, change: Change) -> Tensor:
    """(positions, heads · components) one text's attention; several heads share keys and values."""
    heads, length, width = q_htc.shape
    shared = heads // len(k_htc)
    out_thc = torch.zeros(length, heads, width, dtype=q_htc.dtype)
    for h in range(heads):
        if (layer, h) in change.off:
            continue
        for t in range(length):
            seen = [s for s in range(t + 1) if change.sees(t, s)]
            logits = [q_htc[h, t] @ k_htc[h // shared, s] / math.sqrt(width) for s in seen]
            weights = torch.softmax(change.scale(layer, h) * torch.stack(logits), dim=0)
            for weight, s in zip(weights, seen, strict=True):
                out_thc[t, h] += weight * v_htc[h // shared, s]
    return out_thc.flatten(1)


def rotated(x_htc: Tensor, components: int) -> Tensor:
    """Rotary positions on the first components of each head."""
    turned, rest = x_htc[..., :components], x_htc[..., components:]
    half = components // 2
    frequency = 10000.0 ** -(torch.arange(half, dtype=x_htc.dtype) / half)
    angle = torch.arange(x_htc.shape[1], dtype=x_htc.dtype)[:, None] * frequency
    a, b = turned[..., :half], turned[..., half:]
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([a * cos - b * sin, b * cos + a * sin, rest], dim=-1)


def by_heads(x_tn: Tensor, heads: int) -> Tensor:
    return x_tn.unflatten(1, (heads, -1)).transpose(0, 1)


def rms_norm(x_tn: Tensor, norm: Any) -> Tensor:
    return (
        norm.weight * x_tn / (x_tn.square().mean(-1, keepdim=True) + norm.variance_epsilon).sqrt()
    )


def llama(model: Any, ids_t: Tensor, change: Change) -> Tensor:
    heads, shared = model.config.num_attention_heads, model.config.num_key_value_heads
    x_tn = model.model.embed_tokens.weight[ids_t]
    for layer, block in enumerate(model.model.layers, start=1):
        if layer in change.skipped:
            continue
        h, own = rms_norm(x_tn, block.input_layernorm), block.self_attn
        q = by_heads(own.q_proj(h), heads)
        k, v = by_heads(own.k_proj(h), shared), by_heads(own.v_proj(h), shared)
        width = q.shape[-1]
        found = attend(rotated(q, width), rotated(k, width), v, layer, change)
        x_tn = x_tn + own.o_proj(found)
        h, mlp = rms_norm(x_tn, block.post_attention_layernorm), block.mlp
        x_tn = x_tn + mlp.down_proj(silu(mlp.gate_proj(h)) * mlp.up_proj(h))
    return model.lm_head(rms_norm(x_tn, model.model.norm))


def gpt2(model: Any, ids_t: Tensor, change: Change) -> Tensor:
    body, heads = model.transformer, model.config.n_head
    x_tn = body.wte.weight[ids_t] + body.wpe.weight[: len(ids_t)]
    for layer, block in enumerate(body.h, start=1):
        if layer in change.skipped:
            continue
        h, own = block.ln_1(x_tn), block.attn
        q, k, v = (h @ own.c_attn.weight + own.c_attn.bias).chunk(3, dim=-1)
        found = attend(*(by_heads(part, heads) for part in (q, k, v)), layer, change)
        x_tn = x_tn + found @ own.c_proj.weight + own.c_proj.bias
        h, mlp = block.ln_2(x_tn), block.mlp
        h = gelu(h @ mlp.c_fc.weight + mlp.c_fc.bias, approximate="tanh")
        x_tn = x_tn + h @ mlp.c_proj.weight + mlp.c_proj.bias
    return model.lm_head(body.ln_f(x_tn))


def gpt_neox(model: Any, ids_t: Tensor, change: Change) -> Tensor:
    body, heads = model.gpt_neox, model.config.num_attention_heads
    x_tn = body.embed_in.weight[ids_t]
    for layer, block in enumerate(body.layers, start=1):
        if layer in change.skipped:
            continue
        own, h = block.attention, block.input_layernorm(x_tn)
        q, k, v = by_heads(own.query_key_value(h), heads).chunk(3, dim=-1)
        turned = q.shape[-1] // 4
        found = attend(rotated(q, turned), rotated(k, turned), v, layer, change)
        h, mlp = block.post_attention_layernorm(x_tn), block.mlp
        h = mlp.dense_4h_to_h(gelu(mlp.dense_h_to_4h(h)))
        x_tn = x_tn + own.dense(found) + h
    head = getattr(model, "embed_out", None) or model.lm_head
    return head(body.final_layer_norm(x_tn))


LOGITS: dict[str, Callable[[Any, Tensor, Change], Tensor]] = {
    "Llama": llama,
    "GPT-2": gpt2,
    "GPT-NeoX": gpt_neox,
}
"""Family → (positions, vocabulary) logits of one text."""
