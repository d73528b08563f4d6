"""The schema: put together of a file a stage, and the sentence that each mistake gets."""

import copy
import json
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.configuration.studies import CONFIG, NASTY, changed, check_sentence, sentence
from tests.runs import REPO
from workflow_scripts.configuration.schema import SCHEMAS, read_schema, schema
from workflow_scripts.semstat.errors import InputError


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("modles", {}, "unknown key; did you mean `models`?"),
        ("models", {}, "{} should be non-empty; Model name, as it appears in paths and figures, "),
        ("models", None, "None is not of type 'object'; Model name, "),
        ("models/a", None, "None is not of type 'object'; "),
        ("models/a/threads", 4, "unknown key; known keys: attention, blocks, context, device, "),
        ("datasets", {}, "{} should be non-empty; Dataset name, "),
        (
            "curves/seed",
            2**63,
            "9223372036854775808 is greater than the maximum of 92233720368547758",
        ),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    check_sentence(where, value, what)


def test_what_is_missing_is_named():
    assert sentence(changed("models", ...)).startswith("(top level): `models` is missing")


@pytest.mark.parametrize("config", [None, [], "text", 3])
def test_a_file_that_is_no_mapping_is_refused(config):
    assert sentence(config).startswith("(top level): ")


@pytest.mark.parametrize(
    "name", [*NASTY, "../a", "..", ".a", "a/b", "a\\b", "é", "a" * 101, 1, True]
)
@pytest.mark.parametrize("kind", ["models", "datasets"])
def test_a_name_that_is_not_fit_for_a_path_is_refused(kind, name):
    entry = CONFIG[kind]["a" if kind == "models" else "text"]
    config = copy.deepcopy(CONFIG)
    config[kind][name] = entry
    found = sentence(config)
    assert found.startswith(f"{kind}: ")
    assert "Letters, digits, dot, hyphen and underscore" in found


# Put together.


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.schema.yaml").write_text(text)
    return read_schema(folder)


def test_a_file_adds_to_what_others_say(tmp_path):
    """A key, a definition, a branch, a member of an enum; a document of a file likewise."""
    found = write(
        tmp_path,
        config="properties: {a: {type: object}}\n$defs: {e: {enum: [x], allOf: [{if: 1}]}}",
        b="properties: {b: {type: array}}\n---\n$defs: {e: {enum: [y]}}\n---\n"
        "$defs: {e: {enum: [z], allOf: [{if: 2}]}, f: {}}",
        a="$defs: {e: {enum: [w]}}\nproperties: {a: {type: object}}",
    )
    assert found == {
        "properties": {"a": {"type": "object"}, "b": {"type": "array"}},
        "$defs": {"e": {"enum": ["x", "w", "y", "z"], "allOf": [{"if": 1}, {"if": 2}]}, "f": {}},
    }


@pytest.mark.parametrize("other", ["{type: array}", "[1]", "3"])
def test_two_files_that_set_one_thing_differently(tmp_path, other):
    with pytest.raises(InputError, match=r"^\S*/b\.schema\.yaml: properties\.a.*keep one of the "):
        write(tmp_path, config="properties: {a: {type: object}}", b=f"properties: {{a: {other}}}")


def test_the_whole_is_a_schema_and_each_file_a_part_of_it():
    Draft202012Validator.check_schema(schema())
    for file in SCHEMAS.glob("*.schema.yaml"):
        for part in yaml.safe_load_all(file.read_text()):
            assert part.keys() <= schema().keys(), file.name
    for name, definition in schema()["$defs"].items():
        assert f"#/$defs/{name}" in json.dumps(schema()), f"nothing refers to {name}: {definition}"


def test_an_editor_gets_the_whole():
    command = [sys.executable, "-m", "workflow_scripts.configuration.schema"]
    said = subprocess.run(command, cwd=REPO, capture_output=True, check=True)
    assert json.loads(said.stdout) == schema()
