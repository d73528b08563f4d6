"""Model entries that the workflow trains."""

from __future__ import annotations

import math

from ..configuration.checks import check_name, check_text
from ..configuration.schema import Spec
from ..semstat.errors import InputError
from ..sources.configuration import takes_architecture
from ..tokens.configuration import documents_measured

AFTER = ("sources", "tokens")

POSITIONS = ("max_position_embeddings", "n_positions")
"""What the longest text is called in most models' config.json."""

OF_FIT = ("sequence", "batch", "learning_rate", "warmup", "weight_decay", "precision", "log_every")
"""Keys of `train` that are options of the command of the same names, beside `seed`."""


def resolve(study: Spec) -> None:
    """`dataset` of each training becomes shares by dataset, and `checkpoints` ascending.

    An entry gets `held_out`, the documents that it may not be trained on: how many of a text, from
    the first on, some dataset measures, by the name of the text.
    """
    models, datasets = study["models"], study["datasets"]
    for name, spec in trained_of(models).items():
        where = f"models.{name}"
        _check_data(where, spec, datasets)
        _check_tokenizer(where, spec)
        _check_updates(where, spec["train"])
        _check_positions(f"{where}.train.sequence", spec["train"]["sequence"], spec, models)
        _check_objective(f"{where}.train", spec, models)
    for name, spec in models.items():
        if spec.get("source") == "checkpoint":
            _check_checkpoint(f"models.{name}", spec, models)
        _check_positions(f"models.{name}.context", spec["context"], spec, models)


def _check_data(where: str, spec: Spec, datasets: dict[str, Spec]) -> None:
    """Refuse datasets that are none of text, and documents that are measured."""
    train = spec["train"]
    named = train["dataset"]
    train["dataset"] = {named: 1.0} if isinstance(named, str) else named
    spec["held_out"] = {}
    for dataset in train["dataset"]:
        fit = [name for name, other in datasets.items() if other["source"] != "generated"]
        why = "is not a dataset of text, nor an ensemble made of one"
        check_name(f"{where}.train.dataset", dataset, fit, why)
        text = datasets[dataset].get("of", dataset)
        _hold_out(spec, text, f"{where}.train.documents", train["documents"], datasets)
    if "tokenizer" in spec:
        made_of = spec["tokenizer"]["made_of"]
        check_text(f"{where}.tokenizer.made_of", made_of, datasets)
        documents = spec["tokenizer"]["documents"]
        _hold_out(spec, made_of, f"{where}.tokenizer.documents", documents, datasets)


def _hold_out(spec: Spec, text: str, key: str, wanted: int, datasets: dict[str, Spec]) -> None:
    """Hold out the documents of a text that some dataset measures."""
    measured = documents_measured(text, datasets)
    fetched = datasets[text].get("documents", math.inf)
    if measured + wanted > fetched:
        raise InputError(
            f"{key}: {wanted} beside the {measured} that are measured are more than the {fetched} "
            f"documents of {text} that are fetched; lower it, or raise datasets.{text}.documents"
        )
    spec["held_out"][text] = measured


def _check_tokenizer(where: str, spec: Spec) -> None:
    """Refuse a tokenizer of another vocabulary, and one for weights that have theirs."""
    if "architecture" not in spec:
        if "tokenizer" in spec:
            raise InputError(
                f"{where}.tokenizer: the weights of {spec['like']} know only its own tokens; leave "
                f"it out, or give an `architecture` to train from fresh weights"
            )
        return
    vocabulary = spec.get("tokenizer", {}).get("vocabulary")
    told = spec["architecture"].get("vocab_size", vocabulary)
    if vocabulary and told != vocabulary:
        raise InputError(
            f"{where}.architecture.vocab_size: {told} is not the {vocabulary} of its tokenizer; "
            f"leave it out"
        )


def _check_updates(where: str, train: Spec) -> None:
    """Refuse what makes no update, or two checkpoints of one; checkpoints become ascending."""
    step = train["sequence"] * train["batch"]
    updates = train["tokens"] // step
    if not updates:
        raise InputError(
            f"{where}.train.tokens: {train['tokens']} are fewer than those of one update, "
            f"{train['batch']} × {train['sequence']}; raise it"
        )
    known: dict[int, int] = {}
    train["checkpoints"] = sorted(train["checkpoints"])
    for tokens in train["checkpoints"]:
        if not step <= tokens <= train["tokens"]:
            raise InputError(
                f"{where}.train.checkpoints: {tokens} tokens are not between one update's {step} "
                f"and the {train['tokens']} that it is trained on; correct it"
            )
        if (before := known.setdefault(tokens // step, tokens)) != tokens:
            raise InputError(
                f"{where}.train.checkpoints: {before} and {tokens} tokens end in the same update, "
                f"of {step} tokens; leave one of them out"
            )
    whole = sum(train["dataset"].values())
    for dataset, share in train["dataset"].items():
        if share / whole * updates * train["batch"] < 1:
            raise InputError(
                f"{where}.train.dataset.{dataset}: a share of {share:g} in {whole:g} is less than "
                f"one of the {updates * train['batch']} windows; raise it, or leave it out"
            )


def _check_objective(where: str, spec: Spec, models: dict[str, Spec]) -> None:
    """Refuse phrases and beginnings that no window holds, and more written than a model reads."""
    objective, sequence = spec["train"]["objective"], spec["train"]["sequence"]
    shortest, longest = objective.get("shortest", 0), objective.get("longest", 0)
    if shortest > longest:
        raise InputError(
            f"{where}.objective.shortest: {shortest} is above the longest phrase, {longest}; "
            f"lower it, or raise `longest`"
        )
    if 2 * longest > sequence:
        raise InputError(
            f"{where}.objective.longest: a window of {sequence} tokens has no room for a phrase of "
            f"{longest} twice; lower it, or raise train.sequence"
        )
    if objective.get("acts_on", "text") == "text":
        return
    prefix, written = objective["prefix"], objective["written"]
    if prefix > sequence:
        raise InputError(
            f"{where}.objective.prefix: {prefix} tokens are more than the {sequence} of a window; "
            f"lower it, or raise train.sequence"
        )
    _check_positions(f"{where}.objective.written", prefix + written, spec, models)


def _check_positions(key: str, wanted: int, spec: Spec, models: dict[str, Spec]) -> None:
    """Refuse more positions than the architecture of a model says that it has, where it is here."""
    architecture = _architecture_of(spec, models)
    longest = next((architecture[name] for name in POSITIONS if name in architecture), math.inf)
    if wanted > longest:
        raise InputError(
            f"{key}: {wanted} tokens are more than the {longest} positions of its architecture; "
            f"lower it"
        )


def _architecture_of(spec: Spec, models: dict[str, Spec]) -> Spec:
    """The architecture that some entry gives for a model; empty if it comes with its weights."""
    while takes_architecture(spec):
        spec = models[spec["like"]]
    architecture: Spec = spec.get("architecture", {})
    return architecture


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
