"""The tiny study with prompts to continue by methods of decoding."""

from __future__ import annotations

import copy
from typing import Any

from tests.runs import TINY_STUDY

PAIR = "model=tiny/dataset=text"

DECODING: dict[str, Any] = {
    "model": "tiny",
    "dataset": "text",
    "prompts": 8,
    "prompt_tokens": 12,
    "write": 16,
    "conditions": {
        "greedy": {"method": "greedy"},
        "block": {"method": "block", "ngram": 2},
        "steering": {"method": "steering", "layer": 2, "ngram": 2},
        "penalty": {"method": "penalty", "penalty": [1.0, 1.3]},
        "contrastive": {"method": "contrastive"},
        "nucleus": {"method": "nucleus", "mass": [0.9, 0.5]},
        "beams": {"method": "beams", "beams": 2},
    },
}


def continued_study() -> dict[str, Any]:
    return copy.deepcopy(TINY_STUDY) | {"decoding": [copy.deepcopy(DECODING)]}
