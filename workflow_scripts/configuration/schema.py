"""The schema of the configuration, a file a stage, and the sentence that each mistake gets.

Imported by the Snakefile, hence by every cluster job: nothing heavy here. The schema is YAML and no
classes of pydantic: the sentences and the refusals of signs of the shell stand on it.

`python -m workflow_scripts.configuration.schema > schema.json` writes it as one, for an editor.
"""

from __future__ import annotations

import copy
import difflib
import json
import math
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from ..semstat.errors import InputError

PACKAGE = Path(__file__).parents[1]
SCHEMAS = PACKAGE.parent / "schemas"

FRAME = "config.schema.yaml"

Spec = dict[str, Any]

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML has it: of the time that a job spends here the other would take half."""


def check(config: Any) -> None:
    """Compare a configuration with the schema, and fill in defaults.

    Parameters
    ----------
    config : as read from YAML; changed in place.

    Raises
    ------
    InputError
        One sentence with key and remedy, if it is not what the schema says.
    """
    errors = sorted(_validator().iter_errors(config), key=_relevance)
    if errors:
        raise InputError(_sentence(errors[0]))


@cache
def schema() -> Spec:
    """The schema of all stages."""
    return read_schema(SCHEMAS)


def read_schema(folder: Path) -> Spec:
    """Put together the schema of a folder: the frame, then a file a stage, in alphabetical order.

    Mappings are merged, and lists are put one after the other, so that a file can add a key, a
    branch of `allOf` or a member of an `enum` to what others say. So can each document of a file.

    Raises
    ------
    InputError
        If two of them set one thing differently.
    """
    files = sorted(folder.glob("*.schema.yaml"), key=lambda file: (file.name != FRAME, file.name))
    whole: Spec = {}
    for file in files:
        for document in yaml.load_all(file.read_bytes(), Loader):
            _merge(whole, document, f"{folder.name}/{file.name}: ")
    _list_modules(whole)
    _allow_lists(whole)
    return whole


def _list_modules(part: Any) -> None:
    """Make `modules_in: a folder of workflow_scripts` an enum of the modules there.

    So what such a key may be is what there is a file of, and adding one is adding a file.
    """
    if isinstance(part, list):
        for item in part:
            _list_modules(item)
    elif isinstance(part, dict):
        if isinstance(folder := part.get("modules_in"), str):
            files = (PACKAGE / folder).glob("*.py")
            part["enum"] = sorted(file.stem for file in files if file.stem != "__init__")
        for item in part.values():
            _list_modules(item)


def _allow_lists(part: Any) -> None:
    """Let what is `or_list: true` be a list of such values instead, none of them twice."""
    if isinstance(part, list):
        for item in part:
            _allow_lists(item)
    elif isinstance(part, dict):
        for item in part.values():
            _allow_lists(item)
        if part.pop("or_list", False):
            about = {"description": part["description"]}
            one = {key: part.pop(key) for key in [*part] if key not in ("default", "description")}
            several = {"items": one | about, "minItems": 1, "uniqueItems": True}
            part |= {"if": {"type": "array"}, "then": several | about, "else": one | about}


def keys_of(entry: str, key: str, answer: str) -> set[str]:
    """Keys that an entry has because it answers a question in one way.

    Parameters
    ----------
    entry : "model" or "dataset".
    key : of the question, such as "source".
    answer : such as "hub".
    """
    return {
        known
        for branch in schema()["$defs"][entry]["allOf"]
        if branch.get("if", {}).get("properties") == {key: {"const": answer}}
        for known in _known_keys(branch["then"], {})
    }


def missing(where: str, key: str) -> str:
    """The sentence on a key that is not there."""
    description = schema()["$defs"].get(key, {}).get("description")
    about = f" ({description.strip().rstrip('.')})" if description else ""
    return f"{where}: `{key}` is missing{about}"


def _merge(whole: Spec, part: Spec, where: str) -> None:
    for key, new in part.items():
        old = whole.setdefault(key, new)
        if old is new or old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            _merge(old, new, f"{where}{key}.")
        elif isinstance(old, list) and isinstance(new, list):
            whole[key] = old + new
        else:
            raise InputError(
                f"{where}{key}: {new!r}, and {old!r} in a file before it; keep one of the two"
            )


@cache
def _validator() -> Draft202012Validator:
    """A validator that also fills in defaults, as the jsonschema FAQ shows.

    Its numbers are finite and its integers are ints: JSON Schema calls 2.0 one, `range` does not.
    """
    check_properties = Draft202012Validator.VALIDATORS["properties"]
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int and _is_finite(value),
            "number": lambda _, value: type(value) in (int, float) and _is_finite(value),
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

    return extend(Draft202012Validator, {"properties": fill}, type_checker=types)(schema())


def _is_finite(value: float) -> bool:
    """Whether it is a number of float64, which an integer of 400 digits is not."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


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
        return missing(where, next(k for k in error.validator_value if k not in error.instance))
    if error.validator == "enum":
        allowed = ", ".join(map(str, error.validator_value))
        return f"{where}: {error.instance!r} is not one of {allowed}"
    if error.validator == "oneOf":
        return f"{where}: {error.instance!r} is not allowed here; {_hint(error)}"
    if error.validator == "pattern":
        name = "propertyNames" in error.absolute_schema_path
        key = f"{where}: the name" if name else f"{where}:"
        return f"{key} {error.instance!r} is not allowed; {_hint(error)}"
    remedy = _as_meant(error)
    hint = f"{remedy} ({_hint(error)})" if remedy else _hint(error)
    return f"{where}: {error.message}; {hint}"


def _unknown_key(error: ValidationError, where: str) -> str:
    known = _known_keys(error.schema, error.instance)
    unknown = next(key for key in error.instance if key not in known)
    close = difflib.get_close_matches(str(unknown), known, n=1)
    advice = f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(sorted(known))}"
    return f"{where + '.' if where else ''}{unknown}: unknown key; {advice}"


def _known_keys(part: Spec, instance: Any) -> set[str]:
    """Keys that a part of the schema allows in this instance, through references and conditions."""
    known = set(part.get("properties", {}))
    if "$ref" in part:
        known |= _known_keys(schema()["$defs"][part["$ref"].rpartition("/")[2]], instance)
    for branch in part.get("allOf", []):
        if "if" in branch:
            holds = _validator().evolve(schema=branch["if"]).is_valid(instance)
            branch = branch.get("then" if holds else "else", {})
        known |= _known_keys(branch, instance)
    return known


def _as_meant(error: ValidationError) -> str:
    """How to write what YAML reads otherwise than it is meant: no, 1.10, a date as text, 1e-3."""
    wanted, value = error.validator_value, error.instance
    if wanted == "string" and not isinstance(value, list | dict):
        return "put what is written there in quotes"
    if wanted in ("number", "integer") and isinstance(value, str):
        with suppress(ValueError, OverflowError):
            number = float(value)
            if wanted == "integer":
                if not number.is_integer():
                    return ""
                number = int(number)
            return f"write {yaml.safe_dump(number).split()[0]}"
    return ""


def _hint(error: ValidationError) -> str:
    description = error.schema.get("description", "see schemas/")
    return str(description).strip().rstrip(".")


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2, ensure_ascii=False))
