"""Where a training starts that has no weights to start from: an architecture and a tokenizer."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from ..semstat.errors import InputError, first_line


def configuration_of(
    key: str, architecture: dict[str, Any], vocabulary: int, prefix: int
) -> transformers.PreTrainedConfig:
    """transformers' configuration of an architecture for a tokenizer.

    Parameters
    ----------
    key : where the configuration gives the architecture.
    architecture : model_type, and what its configuration class takes.
    vocabulary : tokens of the tokenizer.
    prefix : the token before every document.

    Raises
    ------
    InputError
        If there is no such type, it takes no such key or value, or has another vocabulary.
    """
    about = {name: value for name, value in architecture.items() if name != "model_type"}
    kind = architecture["model_type"]
    if kind not in transformers.CONFIG_MAPPING:
        advice = _did_you_mean(kind, transformers.CONFIG_MAPPING, "name one, such as llama")
        raise InputError(
            f"{key}.model_type: transformers {transformers.__version__} has no {kind!r}; {advice}"
        )
    made: type[transformers.PreTrainedConfig] = transformers.CONFIG_MAPPING[kind]
    known = {field.name for field in dataclasses.fields(made)} | set(made.attribute_map)
    for name in about:
        if name not in known:
            advice = _did_you_mean(name, known, "leave it out")
            raise InputError(f"{key}.{name}: {made.__name__} takes no such key; {advice}")
    if about.get("vocab_size", vocabulary) != vocabulary:
        raise InputError(
            f"{key}.vocab_size: {about['vocab_size']} is not the {vocabulary} tokens of its "
            f"tokenizer; leave it out"
        )
    told: dict[str, Any] = {"vocab_size": vocabulary, "pad_token_id": None}
    told |= {"bos_token_id": prefix, "eos_token_id": prefix}
    try:
        return made(**about | {name: value for name, value in told.items() if name in known})
    except Exception as error:
        # A configuration class may raise anything where a value does not suit it.
        said = " ".join(str(error).split()) or first_line(error)
        raise InputError(f"{key}: {made.__name__} refuses it ({said}); correct it") from error


def _did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else otherwise


def train_tokenizer(
    key: str, texts: Iterable[str], vocabulary: int, prefix: str
) -> transformers.PreTrainedTokenizerFast:
    """A byte-level BPE of some texts, whose first token is the prefix token.

    Raises
    ------
    InputError
        If the texts do not give so many tokens, or the prefix token may come of one.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if len(tokenizer.pre_tokenizer.pre_tokenize_str(prefix)) == 1:
        raise InputError(
            f"{key.rpartition('.')[0]}.prefix_token: {prefix!r} is one word, which a text may have "
            f"as a token; write one such as <|endoftext|>"
        )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[prefix],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() < vocabulary:
        raise InputError(
            f"{key}.vocabulary: the texts give {tokenizer.get_vocab_size()} tokens, not "
            f"{vocabulary}; lower it, or raise {key}.documents"
        )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=prefix, eos_token=prefix
    )
