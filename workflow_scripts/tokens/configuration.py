"""The entries of datasets: their shards, and ensembles made of other ones."""

from __future__ import annotations

from collections.abc import Sequence

from ..configuration.checks import check_text
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("sources",)

NULLS = ("shuffled", "uniform")
"""Ensembles that show what there is to see where nothing is said."""


def resolve(study: Spec) -> None:
    """Fill in `tokens_per_document` from the dataset that one is made `of`.

    `repetitions` become a sorted list, with a shard each.
    """
    datasets: dict[str, Spec] = study["datasets"]
    study["datasets"] = {name: _dataset(name, datasets) for name in datasets}
    if not any(spec["measured"] for spec in datasets.values()):
        raise InputError("datasets: none of them is measured; leave `measured` out of one")


def _dataset(name: str, datasets: dict[str, Spec]) -> Spec:
    spec = datasets[name]
    if "of" in spec:
        check_text(f"datasets.{name}.of", spec["of"], datasets)
    text = datasets[spec.get("of", name)]
    wanted = spec["shards"] * spec["documents_per_shard"]
    if wanted > text.get("documents", wanted):
        raise InputError(
            f"datasets.{name}.shards: {spec['shards']} shards of {spec['documents_per_shard']} "
            f"documents need {wanted}, but only {text['documents']} are fetched; "
            f"raise `documents` or lower `shards`"
        )
    if wanted == 1:
        raise InputError(
            f"datasets.{name}.documents_per_shard: error bars come from the scatter between "
            f"documents, and one has none; take two at least, and 64 for good ones"
        )
    if is_repeated(spec):
        return {"tokens_per_document": None} | spec | _copies(name, spec)
    if spec.get("ensemble") == "injected":
        _check_injected(name, spec)
    if spec.get("ensemble") == "replaced":
        _check_replaced(name, spec, datasets)
    return {"tokens_per_document": text.get("tokens_per_document")} | spec


def _check_injected(name: str, spec: Spec) -> None:
    """Refuse numbers of copies out of order, and a rate that all of a text would not reach."""
    (fewest, most), rate = spec["copies"], spec["rate"]
    if fewest > most:
        raise InputError(
            f"datasets.{name}.copies: {fewest} is above {most}; give the fewest copies first"
        )
    if rate > most / (1 + most):
        raise InputError(
            f"datasets.{name}.rate: with at most {most} further copies of everything a share of "
            f"{most / (1 + most):.3g} is inserted, not {rate:g}; lower it or raise `copies`"
        )


def _check_replaced(name: str, spec: Spec, datasets: dict[str, Spec]) -> None:
    """Refuse spans that no document holds, units longer than they are, and passages of no text."""
    if "taken_from" in spec:
        check_text(f"datasets.{name}.taken_from", spec["taken_from"], datasets)
    most = min(spec["length"], spec["prefix_tokens"])
    if spec.get("unit", 1) > most:
        raise InputError(
            f"datasets.{name}.unit: {spec['unit']} tokens are more than stand before the first "
            f"span or fit into one; take at most {most}, or raise `length` and `prefix_tokens`"
        )
    needed = spec["prefix_tokens"] + (2 * spec["spans"] - 1) * spec["length"]
    tokens = datasets[spec["of"]].get("tokens_per_document", needed)
    if tokens < needed:
        raise InputError(
            f"datasets.{name}.spans: {spec['spans']} spans of {spec['length']} tokens, as far "
            f"apart, after {spec['prefix_tokens']} tokens of text need {needed}, and "
            f"datasets.{spec['of']}.tokens_per_document is {tokens}; raise that, or lower `spans`, "
            f"`length` or `prefix_tokens`"
        )


def _copies(name: str, spec: Spec) -> Spec:
    """Shards of a repetition: the same documents, with another number of copies each."""
    if spec["shards"] != 1:
        raise InputError(
            f"datasets.{name}.shards: a repetition has a shard for each of its `repetitions`; "
            f"leave it out and set those"
        )
    return {"repetitions": sorted(spec["repetitions"]), "shards": len(spec["repetitions"])}


# What the rules ask.


def check_local_files(text: str, files: Sequence[str], datasets: dict[str, Spec]) -> None:
    """Refuse more documents of a dataset than it has local text files, each of which is one.

    Raises
    ------
    InputError
        If it, or what is made of it, takes more.
    """
    if not files or not all(file.endswith((".txt", ".txt.gz")) for file in files):
        return
    for name, spec in datasets.items():
        wanted, size = documents_of(spec), spec["documents_per_shard"]
        if spec.get("of", name) == text and wanted > len(files):
            raise InputError(
                f"datasets.{name}.shards: {wanted // size} × {size} documents are asked "
                f"for, but {datasets[text]['files']} has {len(files)}; lower `shards` or "
                f"`documents_per_shard`"
            )


def documents_measured(text: str, datasets: dict[str, Spec]) -> int:
    """How many documents of a text, from the first on, some dataset measures."""
    same = [dataset for name, dataset in datasets.items() if dataset.get("of", name) == text]
    return max((documents_of(dataset) for dataset in same if dataset["measured"]), default=0)


def is_null(spec: Spec) -> bool:
    """Whether a dataset is a text's tokens without what they say."""
    return spec.get("ensemble") in NULLS


def is_repeated(spec: Spec) -> bool:
    """Whether each shard of a dataset holds the same documents, with more copies of a part."""
    return "repetitions" in spec


def documents_of(spec: Spec) -> int:
    """How many documents of its text a dataset takes; those of a repetition are in every shard."""
    shards = 1 if is_repeated(spec) else spec["shards"]
    documents: int = shards * spec["documents_per_shard"]
    return documents
