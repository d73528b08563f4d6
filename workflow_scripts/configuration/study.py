"""The configuration: checked against its schema, filled with defaults, and cross-checked.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import copy
import difflib
import glob
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from ..semstat.errors import InputError
from ..steering.configuration import resolve_steering

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"

Spec = dict[str, Any]

MADE = ("ensemble", "generated")
"""Sources of datasets that are made of another one."""

DERIVED = {"random": {"random", "tuned_lens"}, "tuned_lens": {"tuned_lens"}}
"""Sources of a model that are made from another one, and the sources which that may not have."""


def resolve(config: Spec) -> Spec:
    """The configuration with every default and every inherited key filled in.

    Model entries take what they leave out from `measurement` (`random` and `tuned_lens` ones from
    the model they are `like`), what is made `of` a dataset takes `tokens_per_document` from it, and
    a repetition has a shard for each of its `repetitions`. These and `layers` become sorted lists,
    a comparison's `layer` a number. A tuned lens gets `readout: tuned_lens` and
    `measured_documents`, the documents of its corpus that some dataset measures.

    Parameters
    ----------
    config : as read from YAML; not changed.

    Raises
    ------
    InputError
        One sentence with key and remedy.
    """
    config = copy.deepcopy(config)
    errors = sorted(_validator().iter_errors(config), key=_relevance)
    if errors:
        raise InputError(_sentence(errors[0]))
    measurement = _schema()["properties"]["measurement"]["default"] | config["measurement"]
    models, datasets = config["models"], config["datasets"]
    config["datasets"] = {key: _dataset(key, datasets) for key in datasets}
    config["models"] = {key: _model(key, models, measurement) for key in models}
    for key, spec in config["models"].items():
        if spec["source"] == "tuned_lens":
            spec["measured_documents"] = _measured_documents(key, spec, config["datasets"])
    config["comparisons"] = _comparisons(config)
    for at, spec in enumerate(config["steering"]):
        _check_text(f"steering.{at}.dataset", spec["dataset"], config["datasets"])
    config["steering"] = resolve_steering(config)
    return config


def check_overrides(overrides: Mapping[str, Any]) -> None:
    """Refuse what a shell would read otherwise: Snakemake passes `--config` on to jobs unquoted.

    Parameters
    ----------
    overrides : the values of `--config`.

    Raises
    ------
    InputError
        One sentence with key and remedy.
    """
    for key, value in overrides.items():
        if set(repr(value)) & set('$`"\\!'):
            raise InputError(
                f"--config {key}: `$`, quotes, backslashes and the like would reach a shell; "
                f"write it into a file and give that as --configfile"
            )


def local_files(kind: str, name: str, spec: Spec) -> list[str]:
    """Local files that a model or dataset is made from; none unless its source is `path`.

    Parameters
    ----------
    kind : "models" or "datasets".

    Raises
    ------
    InputError
        If there are none where there should be.
    """
    if spec["source"] != "path":
        return []
    if kind == "datasets":
        key, wanted = "files", spec["files"]
        found = sorted(glob.glob(wanted, recursive=True))
    else:
        key, wanted = "path", f"{spec['path']}/config.json and {spec['path']}/*.safetensors"
        weights = sorted(glob.glob(f"{glob.escape(spec['path'])}/*.safetensors"))
        found = [path for path in [f"{spec['path']}/config.json"] if Path(path).is_file()]
        found = [*found, *weights] if found and weights else []
    if not found:
        raise InputError(
            f"{kind}.{name}.{key}: no file {wanted} (looked in {Path.cwd()}); correct the path"
        )
    for path in found:
        if re.search(r"[{}\x00-\x1f\x7f]", path):
            raise InputError(
                f"{kind}.{name}.{key}: {path!r} holds braces or control characters, which "
                f"Snakemake would not take as they are; rename it"
            )
    return found


def documents_of(dataset: Spec) -> int:
    """How many documents of its text a dataset takes; those of a repetition are in every shard."""
    shards = 1 if dataset.get("ensemble") == "repeated" else dataset["shards"]
    documents: int = shards * dataset["documents_per_shard"]
    return documents


def canonical(spec: Spec) -> str:
    """One string for one meaning: the order of keys in the YAML must not rerun a job."""
    return json.dumps(spec, sort_keys=True)


def _model(name: str, models: dict[str, Spec], measurement: Spec) -> Spec:
    spec = models[name]
    if spec["source"] in DERIVED:
        spec = _like(name, models) | spec
    spec = measurement | spec
    if spec["source"] == "tuned_lens":
        spec["readout"] = "tuned_lens"
    spec["layers"] = _layers(name, spec)
    if spec["source"] == "tuned_lens" and spec["layers"][0] == spec["blocks"]:
        raise InputError(
            f"models.{name}.layers: the last layer needs no lens; add one below {spec['blocks']}"
        )
    if spec["stride"] > spec["context"]:
        raise InputError(
            f"models.{name}.stride: {spec['stride']} is larger than the context of "
            f"{spec['context']} tokens, so states would be left out; lower it"
        )
    return spec


def _like(name: str, models: dict[str, Spec]) -> Spec:
    """What an entry takes from the model it is `like`: all but the source."""
    spec = models[name]
    unfit = DERIVED[spec["source"]]
    like = models.get(spec["like"])
    if like is None or like["source"] in unfit:
        fit = [key for key, model in models.items() if model["source"] not in unfit]
        kind = "a model with weights" if "random" in unfit else "a model to read out"
        raise InputError(
            f"models.{name}.like: {spec['like']!r} is not {kind}; "
            f"name one of {', '.join(fit) or '(there is none)'}"
        )
    if spec["source"] == "tuned_lens":
        for key in ("blocks", "prefix_token", "readout"):
            if key in spec:
                raise InputError(
                    f"models.{name}.{key}: a tuned lens cannot change it; "
                    f"leave it to {spec['like']}"
                )
    if like["source"] in DERIVED:
        like = _like(spec["like"], models) | like
    origin = _source_keys(like["source"])
    return {key: value for key, value in like.items() if key not in origin}


def _measured_documents(name: str, spec: Spec, datasets: dict[str, Spec]) -> int:
    """How many documents of a lens's corpus are measured, which it may therefore not train on."""
    _check_text(f"models.{name}.train_on", spec["train_on"], datasets)
    measured = max(
        documents_of(dataset)
        for key, dataset in datasets.items()
        if dataset.get("of", key) == spec["train_on"]
    )
    fetched = datasets[spec["train_on"]].get("documents", math.inf)
    if measured + spec["train_documents"] > fetched:
        raise InputError(
            f"models.{name}.train_documents: {spec['train_documents']} beside the {measured} that "
            f"are measured are more than the {fetched} documents of {spec['train_on']} that are "
            f"fetched; lower it, or raise datasets.{spec['train_on']}.documents"
        )
    return measured


def _layers(name: str, spec: Spec) -> list[int]:
    layers, blocks = spec["layers"], spec["blocks"]
    if layers == "all":
        return list(range(blocks + 1))
    if isinstance(layers, dict):
        return sorted({*range(0, blocks, layers["every"]), blocks})
    for layer in layers:
        if layer > blocks:
            raise InputError(
                f"models.{name}.layers: layer {layer} does not exist "
                f"(the model has layers 0 to {blocks})"
            )
    return sorted(layers)


def _dataset(name: str, datasets: dict[str, Spec]) -> Spec:
    spec = datasets[name]
    corpus = spec
    if spec["source"] in MADE:
        _check_text(f"datasets.{name}.of", spec["of"], datasets)
        corpus = datasets[spec["of"]]
    wanted = spec["shards"] * spec["documents_per_shard"]
    if wanted > corpus.get("documents", wanted):
        raise InputError(
            f"datasets.{name}.shards: {spec['shards']} shards of {spec['documents_per_shard']} "
            f"documents need {wanted}, but only {corpus['documents']} are fetched; "
            f"raise `documents` or lower `shards`"
        )
    if spec.get("ensemble") == "repeated":
        return {"tokens_per_document": None} | spec | _copies(name, spec)
    spec = {"tokens_per_document": corpus.get("tokens_per_document")} | spec
    if spec["source"] == "generated":
        _check_lengths(name, spec)
    return spec


def _copies(name: str, spec: Spec) -> Spec:
    """Shards of a repetition: the same documents, with another number of copies each."""
    if spec["shards"] != 1:
        raise InputError(
            f"datasets.{name}.shards: a repetition has a shard for each of its `repetitions`; "
            f"leave it out and set those"
        )
    return {"repetitions": sorted(spec["repetitions"]), "shards": len(spec["repetitions"])}


def _check_lengths(name: str, spec: Spec) -> None:
    tokens, prompt = spec["tokens_per_document"], spec["prompt_tokens"]
    if tokens is None:
        raise InputError(
            f"datasets.{name}.tokens_per_document: how much to write is not said, neither here nor "
            f"in {spec['of']}; add it"
        )
    if prompt >= tokens:
        raise InputError(
            f"datasets.{name}.prompt_tokens: {prompt} leave none of {tokens} tokens to write; "
            f"lower it or raise `tokens_per_document`"
        )


def _comparisons(study: Spec) -> list[list[Spec]]:
    pairs: list[list[Spec]] = []
    for at, pair in enumerate(study["comparisons"]):
        where = f"comparisons.{at}"
        a, b = (_chosen(f"{where}.{side}", chosen, study) for side, chosen in enumerate(pair))
        if a == b:
            raise InputError(f"{where}: compares an ensemble with itself; change one of the two")
        if [a, b] in pairs:
            raise InputError(f"{where}: the same as comparisons.{pairs.index([a, b])}; remove it")
        pairs.append([a, b])
    return pairs


def _chosen(where: str, chosen: Spec, study: Spec) -> Spec:
    """One ensemble of a comparison, its layer as a number."""
    for key in ("model", "dataset"):
        names = study[f"{key}s"]
        if chosen[key] not in names:
            raise InputError(
                f"{where}.{key}: {chosen[key]!r} is not one of the {key}s; "
                f"name one of {', '.join(names)}"
            )
    layers = study["models"][chosen["model"]]["layers"]
    layer = layers[-1] if chosen["layer"] == "final" else chosen["layer"]
    if layer not in layers:
        raise InputError(
            f"{where}.layer: layer {layer} of {chosen['model']} is not measured; "
            f"add it to the model's `layers` or name one of {', '.join(map(str, layers))}"
        )
    return chosen | {"layer": layer}


def _check_text(key: str, name: str, datasets: dict[str, Spec]) -> None:
    texts = [text for text, dataset in datasets.items() if dataset["source"] not in MADE]
    if name not in texts:
        raise InputError(
            f"{key}: {name!r} is not a dataset of text; "
            f"name one of {', '.join(texts) or '(there is none)'}"
        )


def _source_keys(source: str) -> set[str]:
    """Keys of a model entry that say where its weights come from."""
    branches = _schema()["$defs"]["model"]["allOf"]
    return {
        key
        for branch in branches
        if branch.get("if", {}).get("properties", {}).get("source", {}).get("const") == source
        for key in branch["then"]["properties"]
    } | {"source"}


@cache
def _schema() -> Spec:
    schema: Spec = yaml.safe_load(SCHEMA.read_text())
    return schema


@cache
def _validator() -> Draft202012Validator:
    """A validator that also fills in defaults, as the jsonschema FAQ shows.

    Its numbers are finite and its integers are ints: JSON Schema calls 2.0 one, `range` does not.
    """
    check_properties = Draft202012Validator.VALIDATORS["properties"]
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    )

    def fill(validator: Any, properties: Spec, instance: Any, schema: Spec) -> Iterator[Any]:
        if isinstance(instance, dict):
            for key, subschema in properties.items():
                if "default" in subschema:
                    instance.setdefault(key, copy.deepcopy(subschema["default"]))
                elif subschema.get("$ref") == "#/$defs/seed":
                    instance.setdefault(key, 0)
        yield from check_properties(validator, properties, instance, schema)

    return extend(Draft202012Validator, {"properties": fill}, type_checker=types)(_schema())


def _relevance(error: ValidationError) -> tuple[bool, int]:
    """Unknown keys last: a wrong `source` makes every key of that source look unknown."""
    return error.validator == "unevaluatedProperties", -len(error.absolute_path)


def _sentence(error: ValidationError) -> str:
    """What is wrong, where, and what would be right."""
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        return _unknown_key(error, where)
    where = where or "(top level)"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        about = _describe(missing)
        return f"{where}: `{missing}` is missing{about}"
    if error.validator == "enum":
        allowed = ", ".join(map(str, error.validator_value))
        return f"{where}: {error.instance!r} is not one of {allowed}"
    if error.validator == "oneOf":
        return f"{where}: {error.instance!r} is not allowed here; {_hint(error)}"
    if error.validator == "pattern":
        name = "propertyNames" in error.absolute_schema_path
        key = f"{where}: the name" if name else f"{where}:"
        return f"{key} {error.instance!r} is not allowed; {_hint(error)}"
    return f"{where}: {error.message}; {_hint(error)}"


def _unknown_key(error: ValidationError, where: str) -> str:
    known = _known_keys(error.schema, error.instance)
    unknown = next(key for key in error.instance if key not in known)
    close = difflib.get_close_matches(str(unknown), known, n=1)
    advice = f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(sorted(known))}"
    return f"{where + '.' if where else ''}{unknown}: unknown key; {advice}"


def _known_keys(schema: Spec, instance: Any) -> set[str]:
    """Keys that a schema allows in this instance, through its references and conditions."""
    if "$ref" in schema:
        target = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
        schema = target | {key: value for key, value in schema.items() if key != "$ref"}
    known = set(schema.get("properties", {}))
    for branch in schema.get("allOf", []):
        if "if" in branch:
            holds = _validator().evolve(schema=branch["if"]).is_valid(instance)
            branch = branch.get("then" if holds else "else", {})
        known |= _known_keys(branch, instance)
    return known


def _describe(key: str) -> str:
    description = _schema()["$defs"].get(key, {}).get("description")
    return f" ({description.strip().rstrip('.')})" if description else ""


def _hint(error: ValidationError) -> str:
    description = error.schema.get("description", "see schemas/config.schema.yaml")
    return str(description).strip().rstrip(".")
