"""Jobs of the tiny study, by the messages that announce them."""

from __future__ import annotations

import re

SUMMARY = {"Tabulating what was found"}
WELLS = SUMMARY | {"Tabulating repetition wells", "Drawing repetition wells"}
COMPARISONS = WELLS | {"Drawing curves across models"}
"""What shows all models on all datasets."""


def about(jobs: set[str], *names: str) -> set[str]:
    """Jobs whose messages hold every name as a whole word."""

    def holds(job: str, name: str) -> bool:
        return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", job) is not None

    return {job for job in jobs if all(holds(job, name) for name in names)}


def figures(jobs: set[str]) -> set[str]:
    return {job for job in jobs if job.startswith("Drawing")}


def shown(jobs: set[str]) -> set[str]:
    """What shows states as text."""
    return {job for job in jobs if job.startswith("Showing")}


def curves_and_figures(jobs: set[str]) -> set[str]:
    return figures(jobs) | {
        job for job in jobs if job.startswith(("Estimating curves", "Tabulating"))
    }


def after_measuring(jobs: set[str]) -> set[str]:
    return {job for job in jobs if not job.startswith(("Fetching", "Tokenizing"))}


def after_tokenizing(jobs: set[str]) -> set[str]:
    return {job for job in jobs if not job.startswith("Fetching")}


def after_counting(jobs: set[str]) -> set[str]:
    return curves_and_figures(jobs) | {job for job in jobs if job.startswith("Counting")}


def from_tokens_of(jobs: set[str], dataset: str) -> set[str]:
    """All that depends on the tokens of one dataset; every figure shows all datasets."""
    return after_tokenizing(about(jobs, dataset)) | figures(jobs) | WELLS
