"""Model entries that the workflow trains."""

from __future__ import annotations

import math

from ..configuration.checks import check_name, check_text
from ..configuration.schema import Spec
from ..semstat.errors import InputError
from ..tokens.configuration import documents_measured

AFTER = ("sources", "tokens")

POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")
"""What the longest text is called in most models' config.json."""

OF_FIT = ("sequence", "batch", "learning_rate", "warmup", "weight_decay", "precision", "log_every")
"""Keys of `train` that are options of the command of the same names, beside `seed`."""


def resolve(study: Spec) -> None:
    """`dataset` of each training becomes shares by dataset, and `checkpoints` ascending.

    An entry gets `measured_documents`, which it may not be trained on: those of the same text that
    some dataset measures, by the name of the text.
    """
    models, datasets = study["models"], study["datasets"]
    for name, spec in trained_of(models).items():
        _resolve(f"models.{name}", spec, datasets)
    for name, spec in models.items():
        if spec.get("source") == "checkpoint":
            _check_checkpoint(f"models.{name}", spec, models)


def _resolve(where: str, spec: Spec, datasets: dict[str, Spec]) -> None:
    train = spec["train"]
    named = train["dataset"]
    train["dataset"] = {named: 1.0} if isinstance(named, str) else named
    spec["measured_documents"] = {}
    for dataset in train["dataset"]:
        fit = [name for name, other in datasets.items() if other["source"] != "generated"]
        why = "is not a dataset of text, nor an ensemble made of one"
        check_name(f"{where}.train.dataset", dataset, fit, why)
        text = datasets[dataset].get("of", dataset)
        _leave_some(spec, text, f"{where}.train.documents", train["documents"], datasets)
    if "tokenizer" in spec:
        made_of = spec["tokenizer"]["made_of"]
        check_text(f"{where}.tokenizer.made_of", made_of, datasets)
        documents = spec["tokenizer"]["documents"]
        _leave_some(spec, made_of, f"{where}.tokenizer.documents", documents, datasets)
    _check_architecture(where, spec)
    _check_length(where, train)


def _leave_some(spec: Spec, text: str, key: str, wanted: int, datasets: dict[str, Spec]) -> None:
    """Leave the documents of a text to measure that some dataset does."""
    measured = documents_measured(text, datasets)
    fetched = datasets[text].get("documents", math.inf)
    if measured + wanted > fetched:
        raise InputError(
            f"{key}: {wanted} beside the {measured} that are measured are more than the {fetched} "
            f"documents of {text} that are fetched; lower it, or raise datasets.{text}.documents"
        )
    spec["measured_documents"][text] = measured


def _check_architecture(where: str, spec: Spec) -> None:
    """Refuse a tokenizer of another vocabulary, and one for weights that have theirs."""
    if "architecture" not in spec:
        if "tokenizer" in spec:
            raise InputError(
                f"{where}.tokenizer: the weights of {spec['like']} know only its own tokens; leave "
                f"it out, or give an `architecture` to train from fresh weights"
            )
        return
    architecture = spec["architecture"]
    vocabulary = spec.get("tokenizer", {}).get("vocabulary")
    told = architecture.get("vocab_size", vocabulary)
    if vocabulary and told != vocabulary:
        raise InputError(
            f"{where}.architecture.vocab_size: {told} is not the {vocabulary} of its tokenizer; "
            f"leave it out"
        )
    longest = [architecture[key] for key in POSITIONS if key in architecture]
    if longest and spec["train"]["sequence"] > longest[0]:
        raise InputError(
            f"{where}.train.sequence: {spec['train']['sequence']} tokens are more than the "
            f"{longest[0]} positions of its architecture; lower it"
        )


def _check_length(where: str, train: Spec) -> None:
    step = train["sequence"] * train["batch"]
    if train["tokens"] < step:
        raise InputError(
            f"{where}.train.tokens: {train['tokens']} are fewer than those of one update, "
            f"{train['batch']} × {train['sequence']}; raise it"
        )
    train["checkpoints"] = sorted(train["checkpoints"])
    for tokens in train["checkpoints"]:
        if not step <= tokens <= train["tokens"]:
            raise InputError(
                f"{where}.train.checkpoints: {tokens} tokens are not between one update's {step} "
                f"and the {train['tokens']} that it is trained on; correct it"
            )


def _check_checkpoint(where: str, spec: Spec, models: dict[str, Spec]) -> None:
    check_name(f"{where}.like", spec["like"], trained_of(models), "is not trained here")
    kept = models[spec["like"]]["train"]["checkpoints"]
    if spec["tokens"] not in kept:
        raise InputError(
            f"{where}.tokens: {spec['tokens']} is not among the checkpoints of {spec['like']} "
            f"({', '.join(map(str, kept)) or 'there are none'}); add it to "
            f"models.{spec['like']}.train.checkpoints"
        )


# What the rules ask.


def trained_of(models: dict[str, Spec]) -> dict[str, Spec]:
    """The entries that the workflow trains."""
    return {name: spec for name, spec in models.items() if spec.get("source") == "trained"}


def objective_options(spec: Spec) -> list[str]:
    """Keys of an entry's objective that are options of its command, in a fixed order."""
    return sorted(spec["train"]["objective"].keys() - {"kind"})
