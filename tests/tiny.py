"""Tiny random models of every family, with a tokenizer of bytes: offline, in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

torch.set_num_threads(1)  # more only get into each other's way at this size

PREFIX = "<|endoftext|>"
BLOCKS = 3
VOCABULARY = 257
"""The prefix token, id 0, and the 256 bytes."""

_GENERAL: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
_GROUPED = _GENERAL | {"num_key_value_heads": 2}
_OPT = _GENERAL | {"ffn_dim": 48}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("LlamaConfig", _GROUPED),
    "Llama, tied": ("LlamaConfig", _GROUPED | {"tie_word_embeddings": True}),
    "Mistral": ("MistralConfig", _GROUPED | {"sliding_window": 8}),
    "Mixtral": ("MixtralConfig", _GROUPED),
    "Qwen2": ("Qwen2Config", _GROUPED),
    "Qwen3": ("Qwen3Config", _GROUPED | {"head_dim": 8}),
    "GPT-2": ("GPT2Config", _GENERAL),
    "GPT-Neo": (
        "GPTNeoConfig",
        _GENERAL
        | {"num_hidden_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]},
    ),
    "GPT-J": ("GPTJConfig", _GENERAL | {"rotary_dim": 4}),
    "GPT-NeoX": ("GPTNeoXConfig", _GENERAL),
    "OPT": ("OPTConfig", _OPT),
    "OPT, 350m": (
        "OPTConfig",
        _OPT | {"word_embed_proj_dim": 16, "do_layer_norm_before": False},
    ),
    "Phi": ("PhiConfig", _GENERAL),
    "Phi-3": ("Phi3Config", _GROUPED),
    "Gemma": ("GemmaConfig", _GROUPED | {"head_dim": 8}),
    "Gemma 2": ("Gemma2Config", _GROUPED | {"head_dim": 8, "final_logit_softcapping": 0.5}),
    "Gemma 3": ("Gemma3TextConfig", _GROUPED | {"head_dim": 8}),
    "Falcon": ("FalconConfig", _GENERAL | {"alibi": True}),
    "Falcon, rotary": ("FalconConfig", _GENERAL | {"alibi": False}),
    "BLOOM": ("BloomConfig", _GENERAL),
    "OLMo 2": ("Olmo2Config", _GROUPED),
    "Granite": ("GraniteConfig", _GROUPED | {"logits_scaling": 7.0}),
    "Cohere": ("CohereConfig", _GROUPED | {"logit_scale": 0.3}),
    "Cohere 2": ("Cohere2Config", _GROUPED | {"logit_scale": 0.3}),
    "StableLM": ("StableLmConfig", _GROUPED),
}
"""Family → the name of its transformers configuration, and that of a tiny one of it."""


def tiny_model(family: str = "Llama", seed: int = 0, scale: float = 0.3, **changes: Any) -> Any:
    """A tiny model in evaluation mode, every parameter of it random.

    Norms and biases are random too, so that one left out would show; `scale` spreads the weights
    wide enough for the model to be sure of something.
    """
    name, options = FAMILIES[family]
    config = getattr(transformers, name)(**(options | changes))
    generator = torch.Generator().manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            centre = 1.0 if parameter.dim() == 1 else 0.0
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(centre + scale * noise)
    return model


def tiny_tokenizer() -> Any:
    """A tokenizer whose tokens are bytes, after the prefix token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {PREFIX: 0} | {byte: i for i, byte in enumerate(alphabet, start=1)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=PREFIX, eos_token=PREFIX
    )


def save_tiny_model(folder: str | Path, seed: int = 0, family: str = "Llama") -> Path:
    """Save a tiny model as a local folder: configuration, safetensors and tokenizer."""
    folder = Path(folder)
    tiny_model(family, seed).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder
