"""A repeated and a generated dataset through the whole command line, each one more entry."""

import copy
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import transformers

from tests.runs import TINY_STUDY
from workflow_scripts.repetition.describe_repetition import describe_repetition
from workflow_scripts.running.command import call
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.repetition.tables import REPETITION
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table

LAYERS = TINY_STUDY["measurement"]["layers"]
COPIES, PREFIX, UNIT = [1, 5], 3, 2
FIGURE = "results/figures/repetition/model=tiny/dataset=text-repeated.svg"
GENERATED = "results/tokens/model=tiny-random/dataset=text-generated/shard=1.parquet"


@pytest.fixture(scope="module")
def study():
    study = copy.deepcopy(TINY_STUDY)
    study["datasets"]["text-repeated"] = {
        "source": "ensemble",
        "of": "text",
        "ensemble": "repeated",
        "prefix_tokens": PREFIX,
        "unit": UNIT,
        "repetitions": COPIES,
        "documents_per_shard": 4,
    }
    study["datasets"]["text-generated"] = {
        "source": "generated",
        "of": "text",
        "prompt_tokens": 5,
        "sampling_temperature": 0.7,
        "tokens_per_document": 20,
        "documents_per_shard": 4,
        "shards": 2,
    }
    return study


@pytest.fixture(scope="module")
def place(finished, study, tmp_path_factory):
    """The finished tiny study, with the two datasets added and some of their results made."""
    place = finished.copy(tmp_path_factory.mktemp("added"))
    announced = place.would_run(study=study)
    of_repetition = {f"text-repeated, shard {shard}" for shard in range(len(COPIES))}
    for model in TINY_STUDY["models"]:
        assert {f"Measuring energies of {model} on {of}" for of in of_repetition} <= announced
        assert f"Generating text-generated, shard 1, by {model}" in announced
        assert f"Tokenizing text-generated, shard 0, for {model}" not in announced
        assert f"Drawing the repetition of text-repeated by {model}" in announced
        assert f"Drawing the repetition of text by {model}" not in announced
    assert not any(job.startswith("Fetching") for job in announced)
    jobs = place.run(FIGURE, GENERATED, study=study)
    assert jobs == {f"Tokenizing {of}, for tiny" for of in of_repetition} | {
        f"Measuring energies of tiny on {of}" for of in of_repetition
    } | {
        "Generating text-generated, shard 1, by tiny-random",
        "Describing the repetition of text-repeated by tiny",
        "Drawing the repetition of text-repeated by tiny",
    }  # fmt: skip
    return place


@pytest.mark.parametrize("key", ["prompt_tokens", "sampling_temperature"])
def test_a_zero_is_said_to_the_commands(place, study, key):
    """Their own defaults are others."""
    study = copy.deepcopy(study)
    study["datasets"]["text-generated"][key] = 0
    said = place.snakemake("--dry-run", "--printshellcmds", GENERATED, study=study)
    assert said.code == 0, said.text
    for words in (f"--{key.replace('_', '-')}=0", "--seed=0"):
        assert words in said.text


def documents(place, model, dataset, shard):
    path = place.work / f"results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet"
    return dict(zip(*pq.ParquetFile(path).read().to_pydict().values(), strict=True))


def test_the_repetition_is_that_of_the_models_own_softmax(place):
    path = place.work / "results/repetition/model=tiny/dataset=text-repeated.parquet"
    file = pq.ParquetFile(path)
    assert file.schema_arrow.remove_metadata().equals(REPETITION)
    rows = {(row["layer"], row["copies"]): row for row in file.read().to_pylist()}
    assert set(rows) == {(layer, copies) for layer in LAYERS for copies in COPIES}
    plain = transformers.AutoModelForCausalLM.from_pretrained(
        place.work / "results/models/tiny", dtype=torch.float64
    ).eval()
    text = documents(place, "tiny", "text", 0)
    for shard, copies in enumerate(COPIES):
        energies, copied = [], []
        for doc, tokens in documents(place, "tiny", "text-repeated", shard).items():
            whole = text[doc]
            unit = whole[1 + PREFIX :][:UNIT]
            start, after = whole[: 1 + PREFIX], whole[1 + PREFIX + UNIT]
            assert tokens == [*start, *unit * copies, after]
            with torch.inference_mode():
                *_, p_before, p_within, p = plain(torch.tensor([tokens[:-1]])).logits[0].softmax(-1)
            energies.append(float(p[after] - p[unit[-1]]))
            copied.append(float(p_before[unit[0]] + p_within[unit[1]]) / 2)
        row = rows[LAYERS[-1], copies]
        assert row["documents"] == 4
        assert row["energy"] == pytest.approx(np.mean(energies), abs=2e-6)
        assert row["below_zero"] == np.mean(np.array(energies) < 0)
        assert row["p_copy"] == pytest.approx(np.mean(copied), abs=2e-6)


def test_one_copy_is_the_text_itself(place):
    def energies(dataset):
        path = f"results/energies/model=tiny/dataset={dataset}/layer=1/shard=0.parquet"
        table = pq.ParquetFile(place.work / path).read()
        states = zip(table["doc"].to_pylist(), table["position"].to_pylist(), strict=True)
        return dict(zip(states, table["energy"].to_pylist(), strict=True))

    whole, found = energies("text"), energies("text-repeated")
    assert len(found) == 4 * (PREFIX + UNIT)
    assert found == pytest.approx({state: whole[state] for state in found}, abs=1e-7)


def test_a_model_writes_its_own_text_after_the_prompts(place):
    found = documents(place, "tiny-random", "text-generated", 1)
    text = documents(place, "tiny", "text", 1)
    assert list(found) == list(text) == [4, 5, 6, 7]
    for doc, tokens in found.items():
        assert len(tokens) == 21
        assert tokens[:6] == text[doc][:6] and tokens[6:] != text[doc][6:21]
    metadata = pq.ParquetFile(place.work / GENERATED).schema_arrow.metadata
    provenance = json.loads(metadata[b"semantic-statistics"])
    assert (provenance["sampling_temperature"], provenance["seed"]) == (0.7, 0)
    assert provenance["model"]["model"] == "tiny-random"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"context": 4},
            r"^datasets\.text-repeated\.repetitions: 1 copies take 6 positions, but a model sees "
            r"only 4 at once; lower it or raise measurement\.context$",
        ),
        (
            {"tokens": {"dataset": "text", "ensemble": None}},
            r"energies\.parquet: is of no `repeated` dataset; ",
        ),
        (
            {},
            r"^datasets\.text-repeated: one number of copies does not tell how long a unit is; "
            r"give it more documents \(documents_per_shard\) or more numbers of copies "
            r"\(repetitions\)$",
        ),
    ],
)
def test_what_gives_no_table_is_one_sentence(place, changes, expected, tmp_path):
    path = "results/energies/model=tiny/dataset=text-repeated/layer=1/shard=0.parquet"
    table = read_table(place.work / path, ENERGIES)
    out = tmp_path / "energies.parquet"
    write_table(out, table, provenance_of(table.schema) | changes)
    with pytest.raises(InputError, match=expected):
        call(describe_repetition, [str(out), "--out", str(tmp_path / "table.parquet")])
    assert not (tmp_path / "table.parquet").exists()
