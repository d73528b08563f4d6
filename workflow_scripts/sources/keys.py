"""Tensors of a model and those of its files: each has the other, or it is said which has not."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..semstat.errors import InputError
from .weights import Header

BESIDE = re.compile(r"(^|\.)(mtp(_\w+)?|(vision|visual|image|audio|multi_modal|mm_)\w*)\.")
"""Modules that predict further tokens from the last block's output, which only decoding uses, and
those that bring pictures and sound into a model of text."""

LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.")

MASKS = re.compile(r"(^|\.)(attn|attention)\.(masked_)?bias$")
"""Causal masks, which old checkpoints hold."""

log = logging.getLogger(__name__)


def check_keys(
    key: str,
    what: str,
    found: Mapping[str, Any],
    config: Any,
    headers: Mapping[str, Header] = MappingProxyType({}),
    remedy: str = "correct config.json, or fetch the files again",
) -> None:
    """Check that every tensor of a model was in its files, and every tensor there has a place.

    Let through is what cannot change a number: blocks that look ahead, towers for pictures and
    sound, masks.

    Parameters
    ----------
    what : the files, in words.
    found : missing_keys, unexpected_keys and mismatched_keys, as transformers tells them.
    headers : of the tensors; may lack some.
    remedy : what to do, as a command.

    Raises
    ------
    InputError
        If not.
    """
    if found["missing_keys"]:
        lacking = _some(found["missing_keys"])
        raise InputError(f"{key}: {what} lack {lacking}, so they would be random; {remedy}")
    if found["mismatched_keys"]:
        name, there, wanted = min(found["mismatched_keys"])
        raise InputError(
            f"{key}: {what} hold {name} of shape {tuple(there)}, where the model has "
            f"{tuple(wanted)}; {remedy}"
        )
    left = {name for name in found["unexpected_keys"] if _harmless(name, config, headers)}
    if strange := set(found["unexpected_keys"]) - left:
        raise InputError(
            f"{key}: {what} hold {_some(strange)}, which the model has no place for; {remedy}"
        )
    if left:
        log.info("left out what does not change the text's probabilities: %s", _some(left))


def _some(names: set[str]) -> str:
    """
    >>> _some({"b", "a", "c"})
    'a (and 2 more)'
    """
    return min(names) + (f" (and {len(names) - 1} more)" if len(names) > 1 else "")


def _harmless(name: str, config: Any, headers: Mapping[str, Header]) -> bool:
    if BESIDE.search(name):
        return True
    if MASKS.search(name):
        header = headers.get(name)
        return header is not None and (header.shape in ((), (1,)) or header.shape[:-2] == (1, 1))
    return any(_looks_ahead(layer, config, headers) for layer in LAYER.findall(name))


def _looks_ahead(layer: str, config: Any, headers: Mapping[str, Header]) -> bool:
    """Whether a layer comes after the last block, and joins a state with the next token's."""
    after = int(layer) >= config.get_text_config().num_hidden_layers
    return after and any(f"layers.{layer}.eh_proj." in name for name in headers)


def check_names(key: str, what: str, model: Any, headers: Mapping[str, Header]) -> None:
    """Check that no tensor is there under two names, with and without that of the model's body.

    transformers takes either, and of two one without a word.

    Raises
    ------
    InputError
        If one is.
    """
    body = f"{model.base_model_prefix}."
    first: dict[str, str] = {}
    for name in sorted(headers):
        short = name
        while short.startswith(body):
            short = short.removeprefix(body)
        if first.setdefault(short, name) != name:
            raise InputError(
                f"{key}: {what} hold {first[short]} and {name}, of which one would be taken "
                f"without a word; remove the one that is not of this model"
            )


def check_ties(key: str, what: str, model: Any) -> None:
    """Check that what config.json ties is one tensor: two that differ would be another model.

    Raises
    ------
    InputError
        If transformers has left them apart, as it does where the files hold both.
    """
    meant = model.get_expanded_tied_weights_keys(all_submodels=True)
    if apart := set(meant) - set(model.all_tied_weights_keys):
        name = min(apart)
        raise InputError(
            f"{key}: {what} hold {name} and {meant[name]}, which differ, while config.json ties "
            f"them; set tie_word_embeddings to false there if the weights are right"
        )
