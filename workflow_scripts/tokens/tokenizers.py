"""A model's tokenizer, as it reads documents: texts, and conversations by its chat template."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from tokenizers import Tokenizer
from tokenizers.models import BPE, Unigram

from ..semstat.errors import InputError, first_line

UNHEARD = "\U0010ffff" * 3
"""Begins the names of tokens that no text shall match: three characters that Unicode never has."""

TODAY = datetime(2024, 7, 26)
"""What chat templates that write today's date are told: that which Llama 3.1's has without one."""


def tokenizer_of(model: Path) -> Tokenizer:
    """The tokenizer of a snapshot, which neither cuts nor pads."""
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()  # tokenizer.json may ask for both
    tokenizer.no_padding()
    return tokenizer


def special_tokens(tokenizer: Tokenizer) -> dict[str, int]:
    """The special tokens of a tokenizer, in the order of their ids."""
    added = sorted(tokenizer.get_added_tokens_decoder().items())
    return {token.content: number for number, token in added if token.special}


def text_reader(tokenizer: Tokenizer, special_tokens_in_text: bool) -> Callable[[str], list[int]]:
    """What makes a text tokens, none put around it.

    Parameters
    ----------
    special_tokens_in_text : whether a special token's name in a text is that token; else it is
        read as any other text is.

    Returns
    -------
    a function that raises ValueError where the tokenizer has no other tokens for such a name, or
    none for a character.
    """
    dropped = _dropped(tokenizer)

    def ids_of(text: str, tokenizer: Tokenizer) -> list[int]:
        if letter := dropped(text):
            raise ValueError(f"holds {letter!r}, for which the tokenizer has no token at all")
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    if special_tokens_in_text:
        return lambda text: ids_of(text, tokenizer)
    special = special_tokens(tokenizer)

    @cache  # made only if a text holds such a name: a large vocabulary takes seconds
    def plain() -> tuple[Tokenizer, int | None]:
        return _without_special_tokens(tokenizer, special), unknown_token(tokenizer)

    def read(text: str) -> list[int]:
        named = {special[name] for name in special if name in text}
        if not named:
            return ids_of(text, tokenizer)
        hidden, unknown = plain()
        ids = ids_of(text, hidden)
        if found := (named - {unknown}).intersection(ids):
            name = tokenizer.id_to_token(min(found))
            raise ValueError(f"holds {name!r}, which the tokenizer takes for the special token")
        return ids

    return read


def unknown_token(tokenizer: Tokenizer) -> int | None:
    """Id of the token that stands for whatever a tokenizer does not know, if it has one."""
    model = tokenizer.model
    if isinstance(model, Unigram):
        number: int | None = json.loads(tokenizer.to_str())["model"]["unk_id"]
        return number
    return tokenizer.token_to_id(model.unk_token) if model.unk_token else None


def _dropped(tokenizer: Tokenizer) -> Callable[[str], str]:
    """What finds the first character of a text, spaces aside, that a tokenizer would leave out.

    A BPE does so in silence that has neither an unknown token nor the bytes.
    """
    model, normalizer, splitter = tokenizer.model, tokenizer.normalizer, tokenizer.pre_tokenizer
    if not isinstance(model, BPE) or model.unk_token or model.byte_fallback:
        return lambda _text: ""
    if splitter and b"ByteLevel" in splitter.__getstate__():
        return lambda _text: ""
    prefix, suffix = model.continuing_subword_prefix or "", model.end_of_word_suffix or ""

    def first(text: str) -> str:
        text = normalizer.normalize_str(text) if normalizer else text
        words = splitter.pre_tokenize_str(text) if splitter else [(text, ())]
        for letter in dict.fromkeys("".join(word for word, _ in words)):
            pieces = (letter, prefix + letter, letter + suffix, prefix + letter + suffix)
            if not letter.isspace() and not any(model.token_to_id(p) is not None for p in pieces):
                return letter
        return ""

    return first


def _without_special_tokens(tokenizer: Tokenizer, special: dict[str, int]) -> Tokenizer:
    """A tokenizer that reads their names as text.

    It does not look for added tokens that are special. But a Unigram model, as of SentencePiece,
    takes whatever stands in its vocabulary: there they get names that no text holds.
    """
    content = json.loads(tokenizer.to_str())
    model = content["model"]
    if model["type"] == "Unigram":
        for name, number in special.items():
            if number < len(model["vocab"]) and model["vocab"][number][0] == name:
                model["vocab"][number][0] = UNHEARD + name
        for token in content["added_tokens"]:
            token["content"] = UNHEARD * token["special"] + token["content"]
    plain = Tokenizer.from_str(json.dumps(content))
    plain.encode_special_tokens = True
    return plain


def chat_reader(model: Path, special_tokens_in_text: bool) -> Callable[[str], list[int]]:
    """What makes a conversation, a JSON list of messages, tokens by a snapshot's chat template.

    transformers runs the template in Jinja's sandbox; special tokens' names in the messages are
    text, unless they are to be special, and those of the template are not.

    Returns
    -------
    a function that raises ValueError where the template refuses a conversation.

    Raises
    ------
    InputError
        If there is no template.
    """
    from transformers import PreTrainedTokenizerFast  # takes seconds to import

    tokenizer: Any = PreTrainedTokenizerFast.from_pretrained(model, local_files_only=True)
    if not tokenizer.chat_template:
        raise InputError(
            f"models.{model.name}: its tokenizer has no chat template to read conversations by; "
            f"take a model that has one, or a dataset of text"
        )

    def read(messages: str) -> list[int]:
        try:
            with _one_day():
                ids: list[int] = tokenizer.apply_chat_template(
                    json.loads(messages),
                    sanitize_control_tokens=not special_tokens_in_text,
                    return_dict=False,
                )
        except Exception as error:
            # A template may raise anything.
            raise ValueError(
                f"is not what the chat template takes ({first_line(error)})"
            ) from error
        return ids

    return read


@contextmanager
def _one_day() -> Iterator[None]:
    """Let templates that write today's date make the same tokens tomorrow."""

    class Day(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return TODAY.replace(tzinfo=tz)

    with mock.patch("transformers.utils.chat_template_utils.datetime", Day):
        yield
