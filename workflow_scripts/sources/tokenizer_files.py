"""The tokenizer of a folder in the layout of the hub, as its files have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers
from tokenizers import AddedToken, Tokenizer


def load_tokenizer(folder: Path) -> Tokenizer:
    """What tokenizer.json holds; without one, what transformers makes of the vocabulary there.

    tokenizer.json is read as it is, with the tokens that its companions add: transformers' own
    classes may take the vocabulary alone and split text their own way (its issues 45812 and 45920:
    other token ids for Granite, OLMo 2, distilled DeepSeek and more). What is for training is left
    out: dropout of merges, truncation, padding.

    Raises
    ------
    ValueError
        If its companions name a token by an id that tokenizer.json gives to another one.
    Exception
        Anything, where files are damaged, missing or of no fast tokenizer.
    """
    file = folder / "tokenizer.json"
    if file.is_file():
        tokenizer = Tokenizer.from_file(str(file))
        _add_tokens(tokenizer, folder)
    else:
        loaded = transformers.AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
        tokenizer = loaded.backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if getattr(tokenizer.model, "dropout", None):
        tokenizer.model.dropout = None
    return tokenizer


def with_chat_template(tokenizer: Tokenizer, folder: Path) -> Any:
    """transformers' tokenizer around that of a folder, with chat template and special tokens."""
    there = (folder / "tokenizer.json").is_file()
    loads: Any = transformers.PreTrainedTokenizerFast if there else transformers.AutoTokenizer
    around = loads.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    around._tokenizer = tokenizer
    return around


def _add_tokens(tokenizer: Tokenizer, folder: Path) -> None:
    """Add what added_tokens.json and tokenizer_config.json name beyond tokenizer.json."""
    added = _read(folder / "added_tokens.json")
    told = _read(folder / "tokenizer_config.json").get("added_tokens_decoder", {})
    named = {number: {"content": content} for content, number in added.items()}
    named |= {int(number): token for number, token in told.items()}
    for number, token in sorted(named.items()):
        content = token["content"]
        if tokenizer.token_to_id(content) is None:
            tokenizer.add_tokens([AddedToken(**token)])
        if tokenizer.token_to_id(content) != number:
            raise ValueError(
                f"{content!r} is token {number} in tokenizer_config.json or added_tokens.json, "
                f"and token {tokenizer.token_to_id(content)} by tokenizer.json"
            )


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found
