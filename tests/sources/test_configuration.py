"""Entries of models and corpora: where they come from, and what they take from each other."""

import os
from pathlib import Path

import pytest

from tests.configuration.studies import (
    CONFIG,
    HUB,
    LENS,
    NASTY,
    WHEEL,
    changed,
    check_sentence,
    model,
    sentence,
)
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.configuration import (
    architecture_of,
    corpus_origin,
    local_files,
    model_origin,
    random_twins,
    text_of,
)

OLD_HUB = HUB | {"revision": "main"}


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("models/a/sha256", "0" * 64, "unknown key; known keys: "),
        ("models/a/source", "s3", "'s3' is not one of pypi, hub, path, random"),
        ("models/a/prefix_token", "", "'' should be non-empty; Token put before every document"),
        ("models/a/prefix_token", "<s>\n", "'<s>\\n' is not allowed; Token put before every docum"),
        ("models/a/prefix_token", "a\0b", "'a\\x00b' is not allowed; Token put before every docu"),
        ("models/a/blocks", 6.0, "6.0 is not of type 'integer'; Number of blocks"),
        ("models/a/blocks", 0, "0 is less than the minimum of 1; Number of blocks"),
        ("models/a-random/like", "b", "'b' is not a model with weights; name one of a"),
        ("models/a-random/like", "a-random", "'a-random' is not a model with weights; name one "),
        ("datasets/nulls/text_column", "t", "unknown key; known keys: documents_per_shard, "),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    check_sentence(where, value, what)


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("models/a/source", ..., "models.a: `source` is missing"),
        ("models/a/prefix_token", ..., "models.a: `prefix_token` is missing"),
        ("models/b", {"source": "random"}, "models.b: `like` is missing"),
        ("models/b", model(**WHEEL), "models.b: `file` is missing"),
        ("models/b", model(**OLD_HUB), "models.b.revision: 'main' is not allowed; Full commit "),
        ("datasets/h", HUB | {"split": "train"}, "datasets.h: `documents` is missing"),
    ],
)
def test_a_mistake_in_an_entry_is_put_where_it_can_be_mended(where, value, expected):
    assert sentence(changed(where, value)).startswith(f"{expected}")


@pytest.mark.parametrize("value", [*NASTY, "../a"])
@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (WHEEL | {"file": "f"}, "package"),
        (WHEEL | {"file": "f"}, "version"),
        (WHEEL | {"file": "f"}, "sha256"),
        (HUB, "hub"),
        (HUB, "revision"),
    ],
)
def test_what_could_carry_a_command_is_refused(entry, key, value):
    config = changed("models/b", model(**entry | {key: value}))
    assert sentence(config).startswith(f"models.b.{key}: {value!r} is not allowed; ")


@pytest.mark.parametrize("value", [*sorted(set(NASTY) - {"a b", "--a"}), "a&b", "a>b", "a\\b"])
@pytest.mark.parametrize("where", ["models/a/path", "datasets/text/files"])
def test_a_file_name_that_could_carry_a_command_is_refused(where, value):
    found = sentence(changed(where, value))
    assert found.startswith(f"{where.replace('/', '.')}: {value!r} is not allowed; ")


@pytest.mark.parametrize("value", [value for value in NASTY if value and value != "{x}"])
def test_a_reference_to_what_could_carry_a_command_is_refused(value):
    for entry in (LENS, {}, HUB, {"source": "random"}):
        config = changed("models/b", entry | {"like": value})
        assert sentence(config).startswith(f"models.b.like: {value!r} is not ")


# What entries take from each other.


def test_a_random_model_inherits_all_but_the_source():
    config = changed("models/a/layers", [6, 0])
    config["models"]["a"] |= {"dtype": "bfloat16", "context": 512}
    config["models"]["a-random"]["context"] = 600
    found = resolve(config)["models"]
    assert found["a-random"]["context"] == 600
    assert "path" not in found["a-random"]
    same = {"blocks", "prefix_token", "layers", "dtype", "stride"}
    assert {key: found["a-random"][key] for key in same} == {key: found["a"][key] for key in same}
    assert (found["a-random"]["source"], found["a-random"]["seed"]) == ("random", 0)


CHAIN = {
    "half": {"like": "a", "dtype": "bfloat16", "layers": [0, 3]},
    "tuned": LENS | {"like": "half"},
    "plain": {"like": "tuned", "readout": "logit_lens", "context": 700},
    "twin": {"source": "random", "like": "tuned", "seed": 3},
    "twin-plain": {"like": "twin", "readout": "logit_lens"},
    "cousin": {"source": "random", "like": "twin"},
    "other": HUB | {"like": "plain", "blocks": 8},
}
"""Entries like each other, from `a` on."""


def test_an_entry_may_be_like_any_other():
    """It runs on the weights of that one, unless it has a source; the three questions are apart."""
    found = resolve(changed("models", dict(reversed((CONFIG["models"] | CHAIN).items()))))["models"]
    weights = {name: spec["weights"] for name, spec in found.items()}
    assert list(weights) == ["other", "cousin", "twin-plain", "twin", "plain", "tuned", "half",
                             "a-random", "a"]  # fmt: skip
    assert weights == {
        "a": "a", "a-random": "a-random", "half": "a", "tuned": "a", "plain": "a",
        "twin": "twin", "twin-plain": "twin", "cousin": "cousin", "other": "other",
    }  # fmt: skip
    lenses = {name for name, spec in found.items() if "lens" in spec}
    assert lenses == {"tuned", "twin", "cousin"}
    assert lenses == {name for name, spec in found.items() if spec["readout"] == "tuned_lens"}
    assert found["cousin"]["lens"] == {"train_on": "text", "train_documents": 8, "epochs": 1,
                                       "seed": 0}  # fmt: skip
    assert {found[name]["dtype"] for name in CHAIN} == {"bfloat16"}
    assert {name for name in CHAIN if found[name]["layers"] == [0, 3]} == set(CHAIN)
    assert found["other"]["blocks"] == 8 and found["other"]["context"] == 700
    assert found["other"]["prefix_token"] == found["a"]["prefix_token"]
    assert [found[name].get("seed") for name in ("twin", "twin-plain", "cousin")] == [3, None, 0]
    assert not [name for name in CHAIN if "path" in found[name]]
    assert "source" not in found["plain"] and found["plain"]["like"] == "tuned"


def test_a_random_model_is_drawn_for_the_architecture_of_another_one():
    chain = CHAIN | {"grandchild": {"source": "random", "like": "twin-plain"}}
    models = resolve(changed("models", CONFIG["models"] | chain))["models"]
    drawn = {name: architecture_of(name, models) for name in random_twins(models)}
    assert drawn == {"a-random": "a", "twin": "a", "cousin": "twin", "grandchild": "twin"}
    trained = {"a-random": "a", "twin": "tuned", "cousin": "tuned", "grandchild": "tuned"}
    assert random_twins(models) == trained


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"like": "b"}, ".like: 'b' is not a model to read out; name one of a, a-random"),
        ({"like": 3}, ".like: 3 is not of type 'string'; put what is written there in quotes"),
        (
            {"like": "a", "blocks": 6},
            ".blocks: an entry without a `source` cannot change it; leave it to a",
        ),
        (
            {"like": "a", "prefix_token": "<t>"},
            ".prefix_token: an entry without a `source` cannot change it; leave it to a",
        ),
        (
            {"source": "random", "like": "a", "blocks": 7},
            ".blocks: 7 are not the 6 of a, whose architecture it takes; leave it out",
        ),
        ({"like": "a", "path": "b"}, ".path: unknown key; "),
        ({"like": "a", "seed": 1}, ".seed: unknown key; "),
        (
            {"like": "a", "intervention": "all"},
            ".intervention: 'none' was expected; `none`, or a kind",
        ),
    ],
)
def test_a_mistake_in_an_entry_like_another_is_one_sentence(entry, expected):
    assert sentence(changed("models/b", entry)).startswith(f"models.b{expected}")


def test_entries_are_not_like_each_other_in_a_circle():
    circle = {"b": {"like": "d"}, "c": HUB | {"like": "b"}, "d": {"source": "random", "like": "c"}}
    found = sentence(changed("models", CONFIG["models"] | circle))
    assert found.endswith("; make one of them like a model that is none of these")
    assert found.startswith("models.") and ".like: " in found
    assert set(found.partition(".like: ")[2].partition(" are ")[0].split(", ")) == {"b", "c", "d"}


# What the rules ask.


def test_what_a_snapshot_and_a_corpus_depend_on():
    """No key but those of the source, and what is checked when the model arrives."""
    config = changed("models", CONFIG["models"] | CHAIN)
    config["datasets"]["hub"] = HUB | {"split": "train", "documents": 100, "shuffle_seed": 1}
    study = resolve(config)
    models, datasets = study["models"], study["datasets"]
    assert model_origin(models["a"]) == {"source": "path", "path": "a", "blocks": 6}
    twin = {"source": "random", "like": "a", "seed": 0, "blocks": 6}
    assert model_origin(models["a-random"]) == twin
    assert model_origin(models["other"]) == HUB | {"blocks": 8}
    text = {"text_column": "text", "min_characters": 1}
    assert corpus_origin(datasets["text"]) == {"source": "path", "files": "*.txt"} | text
    assert corpus_origin(datasets["hub"]) == config["datasets"]["hub"] | text


def test_the_text_of_a_dataset():
    datasets = resolve(CONFIG)["datasets"]
    assert {text_of(name, datasets) for name in datasets} == {"text"}


def test_local_files_are_listed_or_missed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["b.txt", "a.txt", "a/model.safetensors", "a/tokenizer.json"]:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    Path("a/config.json").write_text("{}")
    study = resolve(changed("models/like", {"like": "a"}))
    assert local_files("datasets", "text", study["datasets"]["text"]) == ["a.txt", "b.txt"]
    found = local_files("models", "a", study["models"]["a"])
    assert found == ["a/config.json", "a/model.safetensors", "a/tokenizer.json"]
    assert local_files("models", "a-random", study["models"]["a-random"]) == []
    assert local_files("models", "like", study["models"]["like"]) == []
    Path("a/model.safetensors").unlink()
    expected = r"^models\.a\.path: a holds no weights \(\*\.safetensors\) \(looked in .*\); corr"
    with pytest.raises(InputError, match=expected):
        local_files("models", "a", study["models"]["a"])
    missing = {"source": "path", "files": "c/*.txt"}
    with pytest.raises(InputError, match=r"^datasets\.text\.files: no file c/\*\.txt \(looked in "):
        local_files("datasets", "text", missing)


@pytest.mark.parametrize("name", ["a{x}.txt", "a\nb.txt", "a\x1bb.txt", "a\udce9b.txt"])
def test_a_file_that_snakemake_would_not_take_as_it_is_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    spec = {"source": "path", "files": "*.txt"}
    with pytest.raises(InputError, match=r"^datasets\.text\.files: 'a.*\.txt' holds braces, co"):
        local_files("datasets", "text", spec)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"num_hidden_layers": 12}', 12),
        ('{"n_layer": 12}', 12),
        ('{"num_hidden_layers": 1, "text_config": {"num_hidden_layers": 12}}', 12),
        ('{"num_hidden_layers": 6}', None),
        ('{"num_hidden_layers": 12, "n_layer": 6}', None),
        ('{"text_config": null}', None),
        ("[]", None),
        ("{", None),
    ],
)
def test_blocks_that_a_local_model_does_not_have(tmp_path, monkeypatch, content, says):
    """Before anything runs, and before a layer is said not to exist."""
    monkeypatch.chdir(tmp_path)
    Path("a").mkdir()
    Path("a/config.json").write_text(content)
    config = changed("models/a/layers", [6])
    if says is None:
        assert resolve(config)["models"]["a"]["blocks"] == 6
    else:
        config["models"]["a"]["layers"] = [12]
        assert sentence(config) == (
            f"models.a.blocks: the configuration says 6, but a/config.json says {says}; correct it"
        )


def files_of(tmp_path, monkeypatch, wanted):
    monkeypatch.chdir(tmp_path)
    return local_files("datasets", "text", {"source": "path", "files": wanted})


def test_a_glob_finds_files_not_folders(tmp_path, monkeypatch):
    (tmp_path / "texts/more.txt").mkdir(parents=True)
    (tmp_path / "texts/link.txt").symlink_to("-b.txt.gz")
    (tmp_path / "texts/-b.txt.gz").touch()
    found = files_of(tmp_path, monkeypatch, "texts/*")
    assert found == ["texts/-b.txt.gz", "texts/link.txt"] == files_of(tmp_path, monkeypatch, "**/*")
    monkeypatch.chdir(tmp_path / "texts")
    assert files_of(tmp_path / "texts", monkeypatch, "*.gz") == ["-b.txt.gz"]


ODD = {
    "broken link.txt": (
        lambda path: path.symlink_to("gone.txt"),
        "is a broken link; mend or remove",
    ),
    "pipe.txt": (os.mkfifo, "is no file; mend or remove it"),
    "a.json": (
        Path.touch,
        "holds no documents, which are read from .txt and .jsonl (also .gz or .z",
    ),
    "README": (Path.touch, "holds no documents, which are read from "),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_file_of_documents_is_named(tmp_path, monkeypatch, name):
    make, expected = ODD[name]
    make(tmp_path / name)
    (tmp_path / "z.txt").touch()
    with pytest.raises(InputError) as raised:
        files_of(tmp_path, monkeypatch, "*")
    assert str(raised.value).startswith(f"datasets.text.files: {name!r} {expected}")


def test_a_glob_that_finds_what_the_workflow_makes_is_refused(tmp_path, monkeypatch):
    (tmp_path / "results/corpora").mkdir(parents=True)
    (tmp_path / "results/corpora/text.parquet").touch()
    with pytest.raises(InputError, match=r"files: \*\*/\* also finds 'results/corpora/text\.pa"):
        files_of(tmp_path, monkeypatch, "**/*")
    assert len(files_of(tmp_path, monkeypatch, "results/*/*")) == 1


def test_a_file_of_the_future_is_refused(tmp_path, monkeypatch):
    """Snakemake would let the job run, and then remove what it made as older than that."""
    (tmp_path / "a.txt").touch()
    os.utime(tmp_path / "a.txt", (2e9, 4e9))
    with pytest.raises(InputError, match=r"files: 'a\.txt' is dated in the future, .*`touch`"):
        files_of(tmp_path, monkeypatch, "*")


def test_brackets_in_a_folders_name_are_told_how_to_write(tmp_path, monkeypatch):
    (tmp_path / "x[1]").mkdir()
    (tmp_path / "x[1]/a.txt").touch()
    with pytest.raises(InputError, match=r"correct the path, where `\[` is written `\[\[\]`$"):
        files_of(tmp_path, monkeypatch, "x[1]/*.txt")
    assert files_of(tmp_path, monkeypatch, "x[[]1]/*.txt") == ["x[1]/a.txt"]


def test_a_folder_is_no_glob(tmp_path, monkeypatch):
    (tmp_path / "texts").mkdir()
    with pytest.raises(InputError, match=r"files: texts/ is a folder; write texts/\*\.txt or so$"):
        files_of(tmp_path, monkeypatch, "texts/")
