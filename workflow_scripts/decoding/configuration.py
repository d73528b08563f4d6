"""The key `decoding` of what is steered: how its prompts are continued."""

from __future__ import annotations

from ..configuration.checks import check_layer, check_limit, documents_limit, tokens_limit
from ..configuration.schema import Spec, schema

AFTER = ("steering",)


def resolve(study: Spec) -> None:
    """Check that there are such a layer and such prompts."""
    for at, spec in enumerate(study["steering"]):
        where, decoding = f"steering.{at}.decoding", spec["decoding"]
        check_layer(f"{where}.layer", decoding["layer"], spec["model"], study["models"])
        name, dataset = spec["dataset"], study["datasets"][spec["dataset"]]
        tokens = decoding["prompt_tokens"]
        check_limit(f"{where}.prompts", decoding["prompts"], name, documents_limit(dataset))
        check_limit(f"{where}.prompt_tokens", tokens, name, tokens_limit(dataset))


# What the rules ask.


def decoding_keys() -> list[str]:
    """Keys that say how prompts are continued."""
    return list(schema()["$defs"]["decoding"]["properties"])
