"""A locale that is not UTF-8, a home that is not there, folders that cannot be written."""

import os
import shutil
import subprocess

import pyarrow.parquet as pq
import pytest
import yaml

from tests.running.test_faults import small_disk
from tests.runs import NO_NETWORK, REPO, TINY_STUDY, changed, command, complaint, said, snakemake

TARGET = "results/tokens/model=tiny/dataset=text/shard=0.parquet"
ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""What Python calls the C locale if it may not take it for UTF-8."""


@pytest.fixture(scope="module")
def latin_1(tmp_path_factory):
    """The environment of a locale of Western Europe before UTF-8."""
    folder = tmp_path_factory.mktemp("locales")
    if not shutil.which("localedef"):
        pytest.skip("localedef is not there, which makes a locale")
    made = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", folder / "en_US.ISO-8859-1"]
    if subprocess.run(made, capture_output=True).returncode:
        pytest.skip("localedef makes no locale here")
    return {"LC_ALL": "en_US.ISO-8859-1", "LOCPATH": str(folder), "PYTHONUTF8": "0"}


@pytest.fixture
def place(pristine, tmp_path):
    return pristine.copy(tmp_path)


def run(place, *arguments, **environment):
    return snakemake(
        *arguments,
        "--cores=2",
        TARGET,
        directory=place.work,
        configfile=place.work / "study.yaml",
        repo=place.clone,
        environment=NO_NETWORK | environment,
    )


def write(place, study):
    text = f"# Ω 🙂\n{yaml.safe_dump(study, sort_keys=False, allow_unicode=True)}"
    (place.work / "study.yaml").write_text(text, encoding="utf-8")


TEXT = "Ωmega, élan 🙂 and so on"


@pytest.mark.parametrize("locale", ["ascii", "latin-1"])
def test_a_run_in_another_locale(place, locale, request):
    """Configuration, schema, text and tokens; in the second also a name that is not its own."""
    write(place, TINY_STUDY)
    environment = ASCII if locale == "ascii" else request.getfixturevalue("latin_1")
    name = "00.txt" if locale == "ascii" else "00 Ω.txt"
    (place.work / "inputs/texts/00.txt").unlink()
    (place.work / f"inputs/texts/{name}").write_text(TEXT, encoding="utf-8")
    ran = run(place, **environment)
    assert ran.code == 0, ran.text
    assert (place.work / "logs/read_local_corpus/text.log").is_file()
    assert (
        pq.ParquetFile(place.work / "results/corpora/text.parquet").read()["text"][0].as_py()
        == TEXT
    )
    assert len(pq.ParquetFile(place.work / TARGET).read()["tokens"][0]) == 1 + len(TEXT.encode())


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (
            "models/tiny/prefix_token",
            "<｜begin▁of▁sentence｜>",
            r"it holds '\uff5c', which commands cannot be told in this locale (iso8859-1); run ",
        ),
        (
            "datasets/text/min_characters",
            0,
            "datasets.text.min_characters: 0 is less than the mini",
        ),
    ],
)
def test_what_a_locale_has_no_letters_for_is_one_sentence(place, latin_1, key, value, expected):
    write(place, changed(key, value))
    ran = run(place, "--dry-run", **latin_1)
    assert ran.code == 1 and "Traceback" not in ran.text
    assert f"{place.work}/study.yaml: {expected}" in ran.text


@pytest.mark.parametrize("name", ["results", "logs"])
def test_a_file_where_a_folder_belongs(place, name):
    (place.work / name).touch()
    ran = run(place)
    assert ran.code == 1 and "Traceback" not in ran.text
    assert f"\n{place.work / name}: no folder, where one belongs; move it elsewhere\n" in ran.text


def test_results_that_may_not_be_written(place):
    """A run is told at once, a command by hand when it writes; looking is permitted."""
    results = place.work / "results"
    results.mkdir()
    with small_disk(results, "1m,ro"):
        assert run(place, "--dry-run").code == 0
        ran = run(place)
        assert ran.code == 1 and "Traceback" not in ran.text and "Execute" not in ran.text
        assert f"\n{results}: may not be written; change its permissions, or work else" in ran.text
        files = sorted((place.work / "inputs/texts").glob("*.txt"))
        given = ["--name=text", "--files=*", f"--out={results}/a.parquet", "--", *files]
        told = command("sources.read_local_corpus", *given, cwd=place.work)
        complaint(told, "error: not permitted ([Errno 30] Read-only file system: ", "run snakemake")


def test_a_home_that_cannot_be_made(tmp_path):
    """Snakemake would not even begin to read the workflow."""
    home = {"HOME": "/proc/nothing", "XDG_CACHE_HOME": ""}
    ran = said(["make", "-C", REPO, "run"], tmp_path, os.environ | home)
    assert ran.code == 2
    sentence = (
        "error: /proc/nothing/.cache: Snakemake keeps a cache there, and it cannot be made; set"
    )
    assert sentence in ran.text and "Traceback" not in ran.text
    there = command("verify", cwd=tmp_path, **home)
    complaint(
        there, "error: snakemake cannot plan this study: FileNotFoundError: [Errno 2] No such"
    )
