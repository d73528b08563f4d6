"""The entries of models and corpora: where they come from, and what they take from each other.

A model entry answers three questions: where its weights come from (`source`), how its states are
read out (`readout`), and how it is run (`intervention`).
"""

from __future__ import annotations

import glob
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ..configuration.checks import check_name
from ..configuration.schema import Spec, keys_of, missing, schema
from ..semstat.errors import InputError
from ..semstat.sources.endings import SAID, ending_of
from .layout import model_files

AFTER: tuple[str, ...] = ()

BLOCKS = ("num_hidden_layers", "n_layer", "num_layers")
"""What the number of blocks is called in most models' config.json."""

SKEW = 60
"""Seconds by which the clocks of two machines may differ."""


def resolve(study: Spec) -> None:
    """Fill in what model entries leave out: from the one that they are `like`, and `measurement`.

    `weights` becomes the name of the entry whose snapshot one runs on: itself if it has a source,
    else that of the one that it is like.
    """
    models: dict[str, Spec] = study["models"]
    measurement = schema()["properties"]["measurement"]["default"] | study["measurement"]
    found: dict[str, Spec] = {}
    for name in _parents_first(models):
        spec = models[name]
        like = found[spec["like"]] if "like" in spec else {}
        found[name] = _entry(name, spec, like, measurement)
        if spec.get("source") == "path":
            _check_blocks(f"models.{name}.blocks", Path(spec["path"]), found[name]["blocks"])
    study["models"] = {name: found[name] for name in models}


def _parents_first(models: dict[str, Spec]) -> Iterator[str]:
    """Names of all entries, each after the one that it is like."""
    like = {name: spec["like"] for name, spec in models.items() if "like" in spec}
    for name, other in like.items():
        kind = "a model with weights" if "source" in models[name] else "a model to read out"
        fit = [model for model in models if model != name]
        check_name(f"models.{name}.like", other, fit, f"is not {kind}")
    order = TopologicalSorter({name: [like[name]] if name in like else [] for name in models})
    try:
        yield from order.static_order()
    except CycleError as error:
        circle = error.args[1]
        raise InputError(
            f"models.{circle[0]}.like: {', '.join(circle[:-1])} are each like another of them; "
            f"make one of them like a model that is none of these"
        ) from None


def _entry(name: str, spec: Spec, like: Spec, measurement: Spec) -> Spec:
    if like and "source" not in spec:
        _check_same_model(name, spec, like)
    if (
        "source" in spec
        and takes_architecture(spec)
        and spec.get("blocks", like["blocks"]) != like["blocks"]
    ):
        raise InputError(
            f"models.{name}.blocks: {spec['blocks']} are not the {like['blocks']} of "
            f"{spec['like']}, whose architecture it takes; leave it out"
        )
    own = {"source", "like", "weights", *_source_keys(like)}
    inherited = {key: value for key, value in like.items() if key not in own}
    found = measurement | inherited | _of_architecture(name, spec) | spec
    found["weights"] = name if "source" in spec else like["weights"]
    _settle_options(name, spec, found)
    return found


def _of_architecture(name: str, spec: Spec) -> Spec:
    """The blocks of an architecture that an entry brings with it."""
    architecture = spec.get("architecture", {})
    told = {architecture[key] for key in BLOCKS if key in architecture}
    if not architecture:
        return {}
    if not told:
        if "blocks" in spec:
            return {}
        raise InputError(
            f"models.{name}.architecture: does not say how many blocks there are; add "
            f"num_hidden_layers, or write models.{name}.blocks"
        )
    if len(told) > 1 or spec.get("blocks", *told) not in told:
        raise InputError(
            f"models.{name}.blocks: its architecture has {' and '.join(map(str, sorted(told)))}; "
            f"write one number, and in one place"
        )
    return {"blocks": told.pop()}


def _check_blocks(key: str, folder: Path, blocks: int) -> None:
    """Refuse another number of blocks than a local model's config.json tells, if it does."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        config = config.get("text_config", config)
        told = {config[name] for name in BLOCKS if name in config}
    except (OSError, ValueError, TypeError, AttributeError):
        return  # the job that reads the model says what is wrong with it
    if len(told) == 1 and blocks not in told:
        raise InputError(
            f"{key}: the configuration says {blocks}, but {folder / 'config.json'} says "
            f"{told.pop()}; correct it"
        )


def _check_same_model(name: str, spec: Spec, like: Spec) -> None:
    """What belongs to the weights is not for an entry that runs on those of another one."""
    readout = spec.get("readout", like["readout"])
    who = "a tuned lens" if readout == "tuned_lens" else "an entry without a `source`"
    for key in ("blocks", "prefix_token"):
        if key in spec:
            raise InputError(
                f"models.{name}.{key}: {who} cannot change it; leave it to {spec['like']}"
            )


def _settle_options(name: str, spec: Spec, found: Spec) -> None:
    """Keys that belong to one answer, `only_with` it: needed with it, and none with another."""
    for key, about in schema()["$defs"]["measurement"]["properties"].items():
        for question, answer in about.get("only_with", {}).items():
            if found[question] == answer:
                if key not in found:
                    raise InputError(missing(f"models.{name}", key))
            elif key in spec:
                raise InputError(
                    f"models.{name}.{key}: the {question} {found[question]} takes none; leave it "
                    f'out, or write "{question}: {answer}"'
                )
            else:
                found.pop(key, None)


def _source_keys(spec: Spec) -> set[str]:
    return keys_of("model", "source", spec["source"]) if "source" in spec else set()


# What other stages and the rules ask.


def takes_architecture(spec: Spec) -> bool:
    """Whether a model entry has the architecture of the one that it is `like`."""
    if "like" not in spec or "architecture" in spec:
        return False
    return "source" not in spec or "like" in keys_of("model", "source", spec["source"])


def model_origin(spec: Spec) -> Spec:
    """Keys of a model entry on which its snapshot depends: those of its source, and `blocks`."""
    return _only(spec, {"source", "blocks", *_source_keys(spec)})


def corpus_origin(spec: Spec) -> Spec:
    """Keys of a dataset of text on which its corpus depends: those of its source."""
    return _only(spec, {"source", *keys_of("dataset", "source", spec["source"])})


def _only(spec: Spec, keys: set[str]) -> Spec:
    return {key: value for key, value in spec.items() if key in keys}


def architecture_of(name: str, models: dict[str, Spec]) -> str:
    """Name of the entry whose snapshot has the weights of the one that a model is `like`."""
    weights: str = models[models[name]["like"]]["weights"]
    return weights


def random_twins(models: dict[str, Spec]) -> dict[str, str]:
    """Each `random` model to the one with trained weights that it is like."""
    twins = {}
    for name, spec in models.items():
        if spec.get("source") == "random":
            like = spec["like"]
            while models[models[like]["weights"]]["source"] == "random":
                like = models[like]["like"]
            twins[name] = like
    return twins


def text_of(name: str, datasets: dict[str, Spec]) -> str:
    """The dataset of text that a dataset is, or is made `of`."""
    text: str = datasets[name].get("of", name)
    return text


def local_files(kind: str, name: str, spec: Spec) -> list[str]:
    """Local files that a model or dataset is made from; none unless its source is `path`.

    Parameters
    ----------
    kind : "models" or "datasets".

    Raises
    ------
    InputError
        If there are none where there should be, one that cannot be taken, or not the whole of a
        model.
    """
    if spec.get("source") != "path":
        return []
    if kind == "datasets":
        key = "files"
        found = _files_of_documents(f"{kind}.{name}.{key}", spec["files"])
    else:
        key = "path"
        found = model_files(f"models.{name}.path", spec["path"])
    if not found:
        brackets = ", where `[` is written `[[]`" if "[" in spec["files"] else ""
        raise InputError(
            f"{kind}.{name}.files: no file {spec['files']} (looked in {Path.cwd()}); "
            f"correct the path{brackets}"
        )
    for path in found:
        if re.search(r"[{}\x00-\x1f\x7f\ud800-\udfff]", path):
            raise InputError(
                f"{kind}.{name}.{key}: {path!r} holds braces, control characters or bytes that are "
                f"not {sys.getfilesystemencoding()}, which Snakemake would not take as they are; "
                f"rename it"
            )
        if Path(path).stat().st_mtime > time.time() + SKEW:
            raise InputError(
                f"{kind}.{name}.{key}: {path!r} is dated in the future, so that what is made of it "
                f"would seem out of date; `touch` it, or set the clock"
            )
    return found


def _files_of_documents(key: str, wanted: str) -> list[str]:
    """Files that a glob finds; folders that it finds as well are none."""
    found = [path for path in map(Path, glob.glob(wanted, recursive=True)) if not path.is_dir()]
    if not found and Path(wanted).is_dir():
        raise InputError(f"{key}: {wanted} is a folder; write {wanted.rstrip('/')}/*.txt or so")
    for path in found:
        name = repr(str(path))
        if not path.is_file():
            what = "a broken link" if path.is_symlink() else "no file"
            raise InputError(f"{key}: {name} is {what}; mend or remove it")
        if not os.access(path, os.R_OK):
            raise InputError(f"{key}: {name} may not be read; change its permissions")
        if path.parts[0] == "results" != Path(wanted).parts[0]:
            raise InputError(
                f"{key}: {wanted} also finds {name}, which this workflow makes itself; write a "
                f"narrower glob"
            )
        if ending_of(path.name) is None:
            raise InputError(
                f"{key}: {name} holds no documents, which are read from {SAID}; rename it or write "
                f"a narrower glob"
            )
    return sorted(map(str, found))
