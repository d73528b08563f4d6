"""A study of every kind of entry, and what a change of it is told."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.errors import InputError

CONFIG: dict[str, Any] = {
    "models": {
        "a": {"source": "path", "path": "a", "blocks": 6, "prefix_token": "<s>"},
        "a-random": {"source": "random", "like": "a"},
    },
    "datasets": {
        "text": {"source": "path", "files": "*.txt", "tokens_per_document": 9},
        "nulls": {"source": "ensemble", "of": "text", "ensemble": "uniform"},
        "again": {"source": "ensemble", "of": "text", "ensemble": "repeated"},
        "own": {
            "source": "generated",
            "of": "text",
            "prompt_tokens": 4,
            "sampling_temperature": 0.7,
        },
    },
}
WHEEL = {"source": "pypi", "package": "p", "version": "1.0", "sha256": "0" * 64}
HUB = {"source": "hub", "hub": "owner/name", "revision": "0" * 40}
TRAINING = {"train_on": "text", "train_documents": 8}
LENS: dict[str, Any] = {"like": "a", "readout": "tuned_lens", "lens": TRAINING}

FINAL = {"model": "a", "dataset": "text"}
FIRST = FINAL | {"layer": 0}

STEERING = {"model": "a", "dataset": "text", "layers": [4, 2], "position": 8}

NASTY = ["a b", "a'b", 'a"b', "$(id)", "`id`", "a;b", "a|b", "a\n", "\na", "a\0b", "", "--a", "{x}"]


def changed(where, value):
    """The configuration with one key set, or removed where the value is `...`."""
    config = copy.deepcopy(CONFIG)
    *path, key = where.split("/")
    entry = config
    for part in path:
        entry = entry.setdefault(part, {})
    if value is ...:
        del entry[key]
    else:
        entry[key] = value
    return config


def model(**entry):
    return {"blocks": 6, "prefix_token": "<s>", **entry}


def comparing(*pairs):
    return changed("comparisons", [list(pair) for pair in pairs])


def steering(*entries):
    return changed("steering", [STEERING | entry for entry in entries])


def sentence(config):
    """What a configuration is refused with."""
    with pytest.raises(InputError) as raised:
        resolve(config)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def check_sentence(where, value, what):
    """A mistake gets one sentence with file, key and remedy."""
    key = where.replace("/", ".")
    assert sentence(changed(where, value)).startswith(f"{key}: {what}")
