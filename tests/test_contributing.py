"""docs/contributing.md: a recipe needs the files that it lists, and only what it says reruns.

The page's own blocks of code are put into a clone. A block says where: in a new file, at the end of
one, or before or after the first line that holds some text.
"""

from __future__ import annotations

import copy
import hashlib
import re
import shlex
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import transformers
import yaml
from safetensors.torch import load_file

from tests.runs import CHECKED, NO_NETWORK, REPO, SOURCES, TINY_STUDY, Place, clone, said

PAGE = (REPO / "docs/contributing.md").read_text()
FENCED = re.compile(r"^(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)

TINY_NAMES = {"smollm2-135m": "tiny", "sotu": "text", "documents_per_shard: 26": ""}
"""What the page's studies are called in the tiny one."""

MODELS, DATASETS = list(TINY_STUDY["models"]), list(TINY_STUDY["datasets"])


class Recipe(NamedTuple):
    """A section of the page.

    files : that it lists.
    blocks : how each is put into a clone, and its text.
    study : what is then configured.
    """

    files: list[str]
    blocks: list[tuple[dict[str, str], str]]
    study: dict[str, Any]

    @classmethod
    def of(cls, title: str) -> Recipe:
        (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
        blocks, study = [], {}
        for found in FENCED.finditer(section):
            language, *words = shlex.split(found["info"])
            if words:
                blocks.append((dict(word.partition("=")[::2] for word in words), found["text"]))
            elif language == "yaml":
                study |= yaml.safe_load(tiny(found["text"]))
        return cls(re.findall(r"^- `([^`]+)`", section, re.M), blocks, study)

    def cook(self, folder: Path) -> None:
        """Put its blocks into a clone."""
        for how, text in self.blocks:
            path = folder / how.pop("title")
            if not how:
                assert not path.exists(), path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                continue
            ((way, anchor),) = how.items()
            lines = path.read_text().splitlines(keepends=True)
            at = len(lines)
            if way != "append":
                there = [number for number, line in enumerate(lines) if anchor in line]
                at = there[0] + {"before": 0, "after": 1}[way]
            path.write_text("".join([*lines[:at], text, *lines[at:]]))

    def added(self) -> dict[str, Any]:
        """The tiny study with what is configured."""
        study = copy.deepcopy(TINY_STUDY)
        for key, entries in self.study.items():
            study[key] |= entries
        return study


def tiny(text: str) -> str:
    for real, name in TINY_NAMES.items():
        text = text.replace(real, name)
    return text


TITLES = re.findall(r"^## (Add .*)$", PAGE, re.M)


@pytest.fixture
def place(altered) -> Place:
    """A finished run of the tiny study beside a clone that has the repository's tests and pages."""
    clone(altered.clone, CHECKED)
    return altered


def starting(jobs: set[str], *words: str) -> set[str]:
    return {job for job in jobs if job.startswith(words)}


def check(place: Place, *command: str) -> None:
    """Run one of the checks in the clone."""
    run = said([sys.executable, "-m", *command], place.clone, NO_NETWORK)
    assert run.code == 0, run.text


def files_in(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def test_every_recipe_has_a_test():
    kinds = ["an ensemble", "a source of models", "an intervention", "an objective", "a column"]
    kinds += ["a figure", "a stage"]
    assert [f"Add {kind}" for kind in kinds] == TITLES


@pytest.mark.parametrize("title", TITLES)
def test_a_recipe_changes_the_files_that_it_lists_in_good_style(title, tmp_path):
    place, recipe = Place.under(tmp_path), Recipe.of(title)
    clone(place.clone, [*SOURCES, *CHECKED])
    before = files_in(place.clone)
    recipe.cook(place.clone)
    changed = [name for name, found in files_in(place.clone).items() if before.get(name) != found]
    assert sorted(recipe.files) == sorted(changed)
    python = [name for name in changed if name.endswith(".py")]
    check(place, "ruff", "check", "--no-cache", *python)
    check(place, "ruff", "format", "--check", "--no-cache", *python)
    rules = [name for name in changed if name.endswith((".smk", "Snakefile"))]
    if rules:
        check(place, "snakefmt", "--check", *rules)
        check(place, "snakemake", "--lint")


def test_add_an_ensemble(place, everything):
    recipe = Recipe.of("Add an ensemble")
    assert len(recipe.files) == 1
    recipe.cook(place.clone)
    assert place.would_run() == set()

    study = recipe.added()
    (name,) = set(study["datasets"]) - set(DATASETS)
    study["datasets"][name]["documents_per_shard"] = 4
    planned = place.would_run(study=study)
    like_it = {job for job in everything if "text-shuffled" in job} - starting(everything, "Draw")
    assert planned - everything == {job.replace("text-shuffled", name) for job in like_it}
    assert planned & everything == starting(everything, "Drawing", "Tabulating")

    ran = place.run(f"results/wells/model=tiny/dataset={name}.parquet")
    assert ran <= planned - everything and all("tiny" in job for job in ran)
    path = "results/tokens/model=tiny/dataset={}/shard=0.parquet"
    text, made = (
        pq.ParquetFile(place.work / path.format(dataset)).read()["tokens"].to_pylist()
        for dataset in ("text", name)
    )
    assert len(text) == len(made) == 4
    for before, after in zip(text, made, strict=True):
        assert before != after and before[0] == after[0]
        begins = range(1, len(before) - 1)
        assert after[1:] in [before[1 + first :] + before[1 : 1 + first] for first in begins]


def test_add_a_source_of_models(place, everything):
    recipe = Recipe.of("Add a source of models")
    recipe.cook(place.clone)
    assert place.would_run() == set()

    study = recipe.added()
    (name,) = set(study["models"]) - set(MODELS)
    planned = place.would_run(study=study)
    its_own = {job for job in everything if "tiny-random" in job}
    assert planned - everything == {job.replace("tiny-random", name) for job in its_own}
    assert planned & everything <= starting(everything, "Drawing", "Tabulating")

    assert place.run(f"results/models/{name}/SHA256SUMS") == {f"Fetching model {name}"}
    models = place.work / "results/models"
    whole, half = (load_file(models / model / "model.safetensors") for model in ("tiny", name))
    assert whole.keys() == half.keys()
    assert all(torch.equal(0.5 * weights, half[key]) for key, weights in whole.items())


def test_add_an_intervention(place, everything):
    recipe = Recipe.of("Add an intervention")
    recipe.cook(place.clone)
    assert place.would_run() == set()

    study = recipe.added()
    (name,) = set(study["models"]) - set(MODELS)
    planned = place.would_run(study=study)
    its_own = {job.replace("tiny-random", name) for job in everything if "tiny-random" in job}
    assert planned - everything == its_own - {f"Fetching model {name}"}
    assert planned & everything <= starting(everything, "Drawing", "Tabulating")

    path = "results/energies/model={}/dataset=text/layer=3/shard=0.parquet"
    place.run(path.format(name))
    plain, dilated = (
        pq.ParquetFile(place.work / path.format(model)).read().to_pandas()
        for model in ("tiny", name)
    )
    assert plain.correct.equals(dilated.correct) and not plain.energy.equals(dilated.energy)
    tests = ["tests/interventions/test_configuration.py", "tests/test_rooms.py"]
    check(place, "pytest", "-q", "-p", "no:cacheprovider", *tests)


OF_TRAINED = ("Summing energies", "Comparing trained", "Describing what", "Drawing training")
OF_TRAINED += ("Tabulating groups", "Tabulating what trained", "Tabulating how they change")
"""How jobs begin that tell what trained models are like."""


def test_add_an_objective(place, everything):
    recipe = Recipe.of("Add an objective")
    recipe.cook(place.clone)
    assert place.would_run() == set()

    study = recipe.added()
    (name,) = set(study["models"]) - set(MODELS)
    study["models"][name]["train"] |= {"documents": 4, "tokens": 64, "sequence": 16, "batch": 2}
    planned = place.would_run(study=study)
    its_own = {job.replace("tiny-random", name) for job in everything if "tiny-random" in job}
    trained = {f"Tokenizing text to train {name}", f"Training {name}"}
    told = starting(planned, *OF_TRAINED)
    assert f"Summing energies of {name} over documents of text" in told
    assert planned - everything - told == its_own - {f"Fetching model {name}"} | trained
    assert planned & everything <= starting(everything, "Drawing", "Tabulating")

    assert place.run(f"results/models/{name}/SHA256SUMS") == trained
    results = place.work / "results"
    log = pq.ParquetFile(results / f"training/logs/{name}.parquet").read()
    assert len(log) == 2 and log["loss"][0].as_py() < log["surprisal"][0].as_py()
    check(place, "pytest", "-q", "-p", "no:cacheprovider", "tests/configuration/test_defaults.py")


def test_add_a_column(place, everything):
    Recipe.of("Add a column").cook(place.clone)
    assert place.would_run() == everything - starting(everything, "Fetching", "Tokenizing")

    path = "results/{}/model=tiny/dataset=text/{}shard=0.parquet"
    energies, tokens = path.format("energies", "layer=3/"), path.format("tokens", "")
    assert place.run(energies) == {"Measuring energies of tiny on text, shard 0"}
    found = pq.ParquetFile(place.work / energies).read()
    first = TINY_STUDY["measurement"]["context"]
    ids_t = pq.ParquetFile(place.work / tokens).read()["tokens"][0].as_py()[:first]
    model = transformers.AutoModelForCausalLM.from_pretrained(place.work / "results/models/tiny")
    with torch.no_grad():
        normed_tn = model.eval().model(torch.tensor([ids_t])).last_hidden_state[0]
    states = found["normed_norm"].to_numpy()[: len(ids_t) - 2]
    assert found["position"].to_pylist()[: len(states)] == list(range(1, len(ids_t) - 1))
    np.testing.assert_allclose(states, normed_tn[1:-1].norm(dim=1), rtol=1e-5)
    check(place, "pytest", "-q", "-p", "no:cacheprovider", "tests/energies/test_columns.py")


def test_add_a_figure(place, everything):
    Recipe.of("Add a figure").cook(place.clone)
    new = {"Drawing lowest energies"}
    assert place.would_run() == starting(everything, "Drawing") | new

    svg = "results/figures/lowest_energy/dataset=text.svg"
    assert place.run(svg) == new
    drawn = (place.work / svg).read_text()
    assert "lowest energy" in drawn and all(model in drawn for model in MODELS)


def test_add_a_stage(place):
    recipe = Recipe.of("Add a stage")
    elsewhere = {name for name in recipe.files if "surprise" not in name}
    assert elsewhere == {"Snakefile", "config.yaml", "CHANGELOG.md"} | {
        f"docs/{page}.md" for page in ("stages", "results")
    }
    recipe.cook(place.clone)
    study = TINY_STUDY | {"surprise": {"least_states": 2}}
    ensembles = [(model, dataset) for model in MODELS for dataset in DATASETS]
    new = {f"Averaging the surprisal of {model} on {dataset}" for model, dataset in ensembles}
    assert (
        place.would_run() == place.would_run("surprise", study=study) == {*new, "Drawing surprise"}
    )

    for kind, name in (("models", "tiny"), ("datasets", "text")):
        study = study | {kind: {name: TINY_STUDY[kind][name]}}
    ran = place.run("surprise", study=study)
    assert ran == {"Averaging the surprisal of tiny on text", "Drawing surprise"}
    results = place.work / "results"
    found = pq.ParquetFile(results / "surprise/model=tiny/dataset=text.parquet").read().to_pandas()
    assert len(found) == 3 * 8 and set(found["layer"]) == {0, 1, 3}
    shard = pq.ParquetFile(
        results / "energies/model=tiny/dataset=text/layer=1/shard=1.parquet"
    ).read()
    means = shard.to_pandas().groupby("doc").log_p_correct.agg(["mean", "size"])
    rows = found[(found.layer == 1) & found.doc.isin(means.index)]
    np.testing.assert_allclose(rows.surprisal, -means["mean"], rtol=1e-5)
    np.testing.assert_array_equal(rows.states, means["size"])
    assert (results / "figures/surprise/dataset=text.pdf").is_file()

    refused = place.snakemake("-n", study=study | {"surprise": {"least_state": 2}})
    assert "surprise.least_state: unknown key; did you mean `least_states`?" in refused.text
    check(place, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_rooms.py", "tests/surprise")
