"""Snapshots of models: one layout, checked and written whole, whatever the source."""

from __future__ import annotations

import logging
import os
import tempfile
from functools import reduce
from pathlib import Path
from typing import Any

import torch
import transformers

from ..semstat.errors import InputError, blamed_on
from ..semstat.models.architecture import ArchitectureError, find_blocks
from ..semstat.provenance import Provenance, digest
from ..semstat.tables import write_json
from .weights import check_finite

DATA = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
"""What a snapshot holds beside its provenance and the digests of these."""

log = logging.getLogger(__name__)


def write_snapshot(
    name: str,
    source: dict[str, Any],
    model: Any,
    tokenizer: Any,
    blocks: int,
    out: Path,
    **facts: Any,
) -> None:
    """Check one model against what the configuration says of it, save it, and load it back.

    Parameters
    ----------
    name : of the model in the configuration.
    source : keys of its entry that say where it comes from.
    model, tokenizer : as loaded from there, the latter transformers' own.
    blocks : as many as the configuration says.
    out : folder to make.
    facts : more for the provenance, by name.

    Raises
    ------
    InputError
        If the model has another number of blocks or none, weights that are none, or does not load
        back as it is.
    """
    config = model.config.get_text_config()
    with blamed_on(f"models.{name}", "", ArchitectureError):
        found = len(find_blocks(model))
    if found != blocks:
        raise InputError(
            f"models.{name}.blocks: the configuration says {blocks}, the model has {found}; "
            f"correct it"
        )
    check_finite(f"models.{name}", model)
    provenance = Provenance(
        model=name,
        source=source | {"blocks": blocks},
        architecture=type(model).__name__,
        parameters=model.num_parameters(),
        vocabulary=config.vocab_size,
        hidden=config.hidden_size,
        precision=_precision(model),
        **facts,
    )
    _save(model, tokenizer, provenance.then("saved by", "torch", "transformers", "tokenizers"), out)
    log.info("saved %s (%.0f million parameters)", out, provenance["parameters"] / 1e6)


def _precision(model: Any) -> list[str]:
    """Formats of the weights."""
    return sorted({str(weight.dtype).removeprefix("torch.") for weight in model.parameters()})


def _save(model: Any, tokenizer: Any, provenance: Provenance, out: Path) -> None:
    """Write a snapshot beside its place, then move it in, its digests last."""
    prefix = f".{out.name}.{os.getpid()}."
    with tempfile.TemporaryDirectory(".tmp", prefix, _made(out.parent)) as folder:
        made = Path(folder)
        # Under the names that it has here: the original ones may be those of quantised weights.
        model.save_pretrained(made, max_shard_size="1TB", save_original_format=False)
        _check_loads_back(f"models.{provenance['model']}", model, made)
        tokenizer.backend_tokenizer.save(str(made / "tokenizer.json"))
        write_json(made / "tokenizer_config.json", _chat_settings(tokenizer))
        (made / "model.safetensors").chmod(0o644)
        write_json(made / "provenance.json", provenance)
        digests = [f"{digest(made / file)}  {file}\n" for file in DATA]
        (made / "SHA256SUMS").write_text("".join(digests), encoding="utf-8")
        _made(out)
        for file in [*DATA, "provenance.json", "SHA256SUMS"]:
            (made / file).replace(out / file)


def _check_loads_back(key: str, model: Any, made: Path) -> None:
    """Load what was saved, and compare it with what it was saved from, tensor by tensor."""
    widest = reduce(torch.promote_types, {weight.dtype for weight in model.parameters()})
    loaded = transformers.AutoModelForCausalLM.from_pretrained(
        made, dtype=widest, use_safetensors=True, local_files_only=True
    )
    back = _tensors(loaded)
    for name, tensor in _tensors(model).items():
        if name not in back or not torch.equal(tensor.to(back[name].dtype), back[name]):
            raise InputError(
                f"{key}: {name} of this {type(model).__name__} is not saved as it is by "
                f"transformers {transformers.__version__}; take another model"
            )


def _chat_settings(tokenizer: Any) -> dict[str, Any]:
    """The chat template of a tokenizer, and special tokens by the names that it has for them."""
    named = {key: str(token) for key, token in tokenizer.special_tokens_map.items()}
    return {"chat_template": tokenizer.chat_template} | named


def _tensors(model: Any) -> dict[str, torch.Tensor]:
    """Parameters and buffers, also those that are computed from the configuration."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
