"""Texts of a sweep as the commands take them that write them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cyclopts import Parameter

from ..generation.writing_runs import Prompts


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SweptPrompts(Prompts):
    """What is written, and after what.

    Parameters
    ----------
    tokens : the model's tokens of a dataset, a Parquet file a shard.
    prompts : documents whose beginnings are continued.
    prompt_tokens : tokens of each, the prefix token not counted.
    runs : texts written after each.
    write : tokens of each text, the longest of `lengths`.
    found_on, ends : see the methods of stage generation.
    seed : seed of what is drawn; what a run draws depends on the prompt's and its own number only.
    """

    asked_by: ClassVar = "criticality"
    length_key: ClassVar = "lengths"

    tokens: list[Path]
    prompts: int = 10
    runs: int = 6
    write: int = 1024
