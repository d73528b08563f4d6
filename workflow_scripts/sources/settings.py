"""What config.json says twice or by half, and what of it is no part of a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..semstat.errors import InputError

ROTARY = ("rope_scaling", "rope_parameters")
"""Keys of rotary frequencies, up to version 4 of transformers and since."""

SAME: dict[Any, str] = {"mrope": "default", "su": "longrope"}
"""Older names of ways to scale rotary frequencies."""


def check_rotary(key: str, path: str, config: dict[str, Any]) -> None:
    """Check that config.json says one thing of rotary frequencies.

    Versions 4 and 5 of transformers write them in other places, and take one of two without a word.

    Raises
    ------
    InputError
        If two of its keys differ, one is out of use, or a factor is given without the way to scale
        by it.
    """
    for part in _parts(config):
        if "rope_pct" in part and "partial_rotary_factor" not in part:
            raise InputError(
                f"{key}: {path} says rope_pct, an old key that transformers passes over; call it "
                f"partial_rotary_factor"
            )
        said = [found for name in ROTARY if isinstance(found := part.get(name), dict)]
        for found in said:
            if "factor" in found and not {"type", "rope_type"} & found.keys():
                raise InputError(
                    f"{key}: {path} scales rotary frequencies by a factor of {found['factor']} and "
                    f"does not say how, so they would not be scaled; add the rope_type to it"
                )
        kinds = [found.get(name) for found in said for name in ("type", "rope_type")]
        _check_one(key, path, "rope_type", [SAME.get(kind, kind) for kind in kinds])
        _check_one(key, path, "factor", [found.get("factor") for found in said])
        if said:
            thetas = [found.get("rope_theta") for found in [part, *said]]
            _check_one(key, path, "rope_theta", thetas)


def _check_one(key: str, path: str, name: str, values: list[Any]) -> None:
    told = [value for value in values if value is not None]
    if other := [value for value in told if value != told[0]]:
        raise InputError(
            f"{key}: {path} gives two values of {name}, {told[0]} and {other[0]}, of which one "
            f"would be taken without a word; remove the wrong one"
        )


def _parts(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield config
    for value in config.values():
        if isinstance(value, dict):
            yield from _parts(value)


def forget_how_to_run(config: Any) -> None:
    """Forget what config.json says of how a model runs and what it returns: here that is asked for.

    Parameters
    ----------
    config : transformers' own; it is changed.
    """
    parts = [config, *(getattr(config, name, None) for name in config.sub_configs)]
    for part in filter(None, parts):
        part.return_dict = True
        part.output_attentions = False
        part.output_hidden_states = False
        part._attn_implementation = None
