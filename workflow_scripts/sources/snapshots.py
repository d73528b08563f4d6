"""Snapshots of models: one layout, checked and written whole, whatever the source."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import transformers

from ..semstat.errors import InputError, first_line
from ..semstat.provenance import Provenance, digest
from ..semstat.tables import write_json

DATA = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
"""What a snapshot holds beside its provenance and the digests of these."""

log = logging.getLogger(__name__)


def write_snapshot(
    name: str, source: dict[str, Any], model: Any, tokenizer: Any, blocks: int, out: Path
) -> None:
    """Check one model against what the configuration says of it, and save it.

    Parameters
    ----------
    name : of the model in the configuration.
    source : keys of its entry that say where it comes from.
    model, tokenizer : as loaded from there, the latter transformers' own.
    blocks : as many as the configuration says.
    out : folder to make.

    Raises
    ------
    InputError
        If the model has another number of blocks.
    """
    config = model.config.get_text_config()
    if config.num_hidden_layers != blocks:
        raise InputError(
            f"models.{name}.blocks: the configuration says {blocks}, "
            f"the model has {config.num_hidden_layers}; correct it"
        )
    provenance = Provenance(
        model=name,
        source=source | {"blocks": blocks},
        architecture=type(model).__name__,
        parameters=model.num_parameters(),
        vocabulary=config.vocab_size,
        hidden=config.hidden_size,
    )
    _save(model, tokenizer, provenance.then("saved by", "torch", "transformers", "tokenizers"), out)
    log.info("saved %s (%.0f million parameters)", out, provenance["parameters"] / 1e6)


def _save(model: Any, tokenizer: Any, provenance: Provenance, out: Path) -> None:
    """Write a snapshot beside its place, then move it in, its digests last."""
    prefix = f".{out.name}.{os.getpid()}."
    with tempfile.TemporaryDirectory(".tmp", prefix, _made(out.parent)) as folder:
        made = Path(folder)
        model.save_pretrained(made, max_shard_size="1TB")
        tokenizer.backend_tokenizer.save(str(made / "tokenizer.json"))
        write_json(made / "tokenizer_config.json", _chat_settings(tokenizer))
        (made / "model.safetensors").chmod(0o644)
        write_json(made / "provenance.json", provenance)
        digests = [f"{digest(made / file)}  {file}\n" for file in DATA]
        (made / "SHA256SUMS").write_text("".join(digests), encoding="utf-8")
        _made(out)
        for file in [*DATA, "provenance.json", "SHA256SUMS"]:
            (made / file).replace(out / file)


def _chat_settings(tokenizer: Any) -> dict[str, Any]:
    """The chat template of a tokenizer, and special tokens by the names that it has for them."""
    named = {key: str(token) for key, token in tokenizer.special_tokens_map.items()}
    return {"chat_template": tokenizer.chat_template} | named


def load_folder(key: str, folder: Path) -> tuple[Any, Any]:
    """Load a local folder in the layout of the hub: model and tokenizer.

    Parameters
    ----------
    key : where the configuration asks for it, to name in an error.

    Raises
    ------
    InputError
        If it does not hold the whole of a model that can be loaded safely.
    """
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise InputError(
            f"{key}: {folder} does not hold config.json and *.safetensors "
            f"(pickled weights such as pytorch_model.bin are never loaded)"
        )
    transformers.logging.set_verbosity_error()
    safely: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype="auto", use_safetensors=True, output_loading_info=True, **safely
        )
        model, found = loaded
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **safely)
        _ = tokenizer.backend_tokenizer  # which only fast ones have
    except Exception as error:
        # transformers raises anything where a file is damaged, missing or of a strange model.
        raise InputError(
            f"{key}: {folder} cannot be loaded as a causal language model with a fast tokenizer "
            f"({first_line(error)}); fetch it again or correct it"
        ) from error
    if found["missing_keys"]:
        raise InputError(
            f"{key}: the weights of {folder} lack {min(found['missing_keys'])} (and "
            f"{len(found['missing_keys']) - 1} more), so they would be random; mend its config.json"
        )
    return model, tokenizer


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
