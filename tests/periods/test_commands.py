"""The commands on what a tiny model writes and reads, in this process."""

import json
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.runs import write_texts
from tests.tiny import PREFIX, VOCABULARY, tiny_model, tiny_tokenizer
from workflow_scripts.energies.measure_energies import measure_energies
from workflow_scripts.generation.generate_tokens import generate_tokens
from workflow_scripts.periods.describe_found import describe_found
from workflow_scripts.periods.describe_onsets import describe_onsets
from workflow_scripts.periods.measure_loops import measure_loops
from workflow_scripts.periods.plot_found import plot_found
from workflow_scripts.periods.plot_onsets import plot_onsets
from workflow_scripts.periods.take_tokens import take_tokens
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.periods.onset_tables import FOUND, ONSETS, WARNINGS
from workflow_scripts.semstat.periods.onsets import LAGS, find_onset
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.tokens.ensembles.repeated import repeated

PERIODS, LENGTH = 16, 200
LAYERS = (0, 3)
DOCUMENTS = 8
COPIES = (1, 4)
DATASETS = {"own": 1, "units": len(COPIES)}
"""And their shards."""

HISTORIES = {"loops": "own", "null": "elsewhere"}
RIVALS = {name: ["--periods", PERIODS, "--history", of] for name, of in HISTORIES.items()}


def save_looping_model(folder):
    """A model whose blocks hardly matter, so that one token says the next, and soon one before."""
    model = tiny_model(scale=0.003, max_position_embeddings=LENGTH + 1)
    with torch.no_grad():
        model.lm_head.weight *= 200  # and that is sure of it
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def run(command, *words):
    call(command, [str(word) for word in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with tokens/ENTRY/DATASET/SHARD and energies/ENTRY/DATASET/LAYER/SHARD."""
    folder = tmp_path_factory.mktemp("periods")
    snapshot = save_looping_model(folder / "tiny")
    said = {"vocabulary": VOCABULARY, "model": "tiny"}
    (snapshot / "provenance.json").write_text(json.dumps(said))
    write_texts(folder / "texts", DOCUMENTS)
    files = enumerate(sorted((folder / "texts").iterdir()))
    texts = [f"{number} {path.read_text()}" for number, path in files]
    corpus = folder / "corpus.parquet"
    table = pa.Table.from_pydict({"doc": range(DOCUMENTS), "text": texts}, schema=CORPUS)
    write_table(corpus, table, {"dataset": "text"})
    shared = ["--model", snapshot, "--corpus", corpus, "--prefix-token", PREFIX]
    shared += ["--documents-per-shard", DOCUMENTS, "--shard", 0]
    written = tokens(folder, "tiny", "own")[0]
    options = ["--prompt-tokens", 4, "--tokens-per-document", LENGTH, "--sampling-temperature", 0]
    options += ["--device", "cpu", "--out", written]
    run(generate_tokens, *shared, "--dataset", "own", *options)
    for name in RIVALS:
        run(take_tokens, written, "--name", name, "--out", tokens(folder, name, "own")[0])
        for copies, path in zip(COPIES, tokens(folder, name, "units"), strict=True):
            options = ["--prefix-tokens", 8, "--unit", 3, "--copies", copies, "--out", path]
            run(repeated, *shared, "--dataset", "units", *options)
    for name, dataset in (("tiny", "own"), *product(RIVALS, DATASETS)):
        command = measure_loops if name in RIVALS else measure_energies
        for shard in tokens(folder, name, dataset):
            out = [folder / f"energies/{name}/{dataset}/{layer}/{shard.name}" for layer in LAYERS]
            words = ["--model", snapshot, "--name", name, "--device", "cpu", "--tokens", shard]
            words += [
                "--layers",
                *LAYERS,
                "--context",
                LENGTH,
                "--stride",
                LENGTH,
                *RIVALS.get(name, []),
            ]
            run(command, *words, "--out", *out)
    return folder


def tokens(folder, name, dataset):
    return [folder / f"tokens/{name}/{dataset}/{n}.parquet" for n in range(DATASETS[dataset])]


def energies(folder, name, dataset):
    parts = product(LAYERS, tokens(folder, name, dataset))
    return [folder / f"energies/{name}/{dataset}/{layer}/{shard.name}" for layer, shard in parts]


def describe(command, folder, dataset, *options, null=None):
    words = ["--own", *energies(folder, "loops", dataset)]
    words += ["--null", *(null or energies(folder, "null", dataset))]
    words += ["--tokens", *tokens(folder, "loops", dataset), *options]
    run(command, *words)


@pytest.fixture(scope="module")
def told(place):
    """Tables of the loops that were written: with H, and without."""
    plain = ["--plain", *energies(place, "tiny", "own")]
    tables = []
    for name, options in (("with", plain), ("without", [])):
        paths = [place / f"{name}/{table}.parquet" for table in ("onsets", "warnings")]
        options = [*options, "--out", paths[0], "--warnings", paths[1]]
        describe(describe_onsets, place, "own", *options)
        tables.append(
            [read_table(path, of) for path, of in zip(paths, (ONSETS, WARNINGS), strict=True)]
        )
    return tables


def onsets(folder):
    written = read_table(tokens(folder, "tiny", "own")[0], TOKENS)["tokens"].to_pylist()
    found = [find_onset(np.array(tokens_t)) for tokens_t in written]
    return [onset for onset in found if onset and onset.period <= PERIODS]


def test_what_an_entry_wrote_others_take(place):
    first, *others = (read_table(tokens(place, name, "own")[0]) for name in ("tiny", *RIVALS))
    for other, name in zip(others, RIVALS, strict=True):
        assert other.equals(first)
        said, mine = provenance_of(first.schema), provenance_of(other.schema)
        assert mine.pop("model") == said.pop("model") | {"model": name}
        assert mine == said


def test_onsets_are_told_by_layer_observable_and_lag(place, told):
    found = told[0][0].to_pylist()
    assert {(row["layer"], row["lag"]) for row in found} == {*product(LAYERS, LAGS)}
    planted = onsets(place)
    assert planted, "the tiny model goes round in circles"
    at_once = [row for row in found if row["lag"] == 0]
    assert {row["documents"] for row in at_once} == {len(planted)}
    assert all(row["value"] is not None for row in at_once)
    final = [row for row in found if row["layer"] == LAYERS[-1] and row["documents"]]
    for row in final:
        if row["observable"] in ("energy", "loop_energy"):
            assert row["value"] >= -1e-6, "what is greedy chose the most probable token"
        if row["observable"] == "closes" and row["lag"] in (-1, 0):
            assert row["value"] == 1, "and copies"
    assert {row["onsets"] for row in told[0][1].to_pylist()} == {len(planted)}
    rows = [row for row in found if row["observable"] != "energy"]
    assert told[1][0].to_pylist() == rows, "H is told where an entry without rivals is given"
    svg, pdf = place / "onsets.svg", place / "onsets.pdf"
    run(plot_onsets, place / "with/onsets.parquet", "--svg", svg, "--pdf", pdf)
    assert svg.stat().st_size and pdf.stat().st_size


def test_periods_are_found_in_loops_that_were_written(place):
    out = place / "found.parquet"
    describe(describe_found, place, "own", "--out", out)
    *_, final = read_table(out, FOUND).to_pylist()
    assert (final["documents"], final["copies"]) == (len(onsets(place)), None)
    assert final["found"] == 1, "greedy text is what is most probable"


def test_periods_of_units_are_told_by_copies(place):
    out = place / "units.parquet"
    describe(describe_found, place, "units", "--out", out)
    found = read_table(out, FOUND).to_pylist()
    assert [(row["layer"], row["copies"]) for row in found] == [*product(LAYERS, COPIES)]
    assert all(row["documents"] == DOCUMENTS and 0 <= row["found"] <= 1 for row in found)
    svg, pdf = place / "found.svg", place / "found.pdf"
    run(plot_found, out, "--svg", svg, "--pdf", pdf)
    assert svg.stat().st_size and pdf.stat().st_size


def test_other_files_are_one_sentence(place):
    out = ["--out", place / "no.parquet"]
    both = [*out, "--warnings", place / "none.parquet"]
    units = energies(place, "null", "units")
    for command, dataset, options, null, words in (
        (describe_onsets, "units", both, None, "is of no `generated` dataset"),
        (describe_found, "own", out, units[:2], "of another tokens than"),
        (describe_found, "own", out, units[:1], "2 and 1 files; give one of each"),
        (describe_onsets, "own", [*both, "--plain", units[0]], None, "--own and --plain"),
        (describe_found, "own", out, energies(place, "null", "own")[::-1], "of another layer"),
    ):
        with pytest.raises(InputError, match=words) as error:
            describe(command, place, dataset, *options, null=null)
        assert "\n" not in str(error.value)
    assert not (place / "no.parquet").exists()
