"""What describe_sweep refuses, in one sentence: files that are of no one sweep, and odd lengths."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.criticality.written import chain_of
from workflow_scripts.criticality.describe_sweep import describe_sweep
from workflow_scripts.generation.writing_runs import gather, positions_table, runs_table
from workflow_scripts.semstat.criticality.tables import CROSSOVERS, OBSERVABLES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.methods.schedule import constant
from workflow_scripts.semstat.generation.runs import Runs, draw_uniform_runs, write_runs
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import read_table, write_table

PROMPTS, RUNS, WRITTEN = 6, 2, 60


@pytest.fixture(scope="module")
def tables():
    """Texts at three sampling temperatures, as the commands write them."""
    chain, prompt_dt = chain_of("bigrams", kinds=6), torch.arange(PROMPTS)[:, None]
    uniform = [draw_uniform_runs(0, d, range(RUNS), WRITTEN) for d in range(PROMPTS)]
    uniform_drt = torch.from_numpy(np.array(uniform))
    docs, found = [(d, True) for d in range(PROMPTS)], {}
    for temperature in (0.0, 0.5, 1.0):
        steps = gather(write_runs(Runs(chain, prompt_dt, uniform_drt, constant(temperature))))
        written = runs_table(docs, range(RUNS), steps, []), positions_table(docs, steps)
        found[temperature] = written
    return found


def describe(folder, tables, lengths=(48, 60)):
    """Rows of the sweep of (sampling temperature, texts, entropies)."""
    files = {"runs": [], "positions": []}
    for at, (temperature, *pair) in enumerate(tables):
        said = Provenance(
            model={"model": "a"},
            tokens={"dataset": "text"},
            writing={"prompts": PROMPTS, "runs": RUNS},
            method={"sampling_temperature": temperature},
        )
        for kind, table in zip(files, pair, strict=True):
            files[kind].append(folder / f"{kind}_{at}.parquet")
            write_table(files[kind][-1], table, said)
    made = {"out": folder / "observables.parquet", "crossovers": folder / "crossovers.parquet"}
    describe_sweep(**files, model="a", by="bigrams", lengths=list(lengths), resamples=50, **made)
    rows = read_table(made["crossovers"], CROSSOVERS).to_pylist()
    return read_table(made["out"], OBSERVABLES).to_pylist(), rows


def test_lengths_are_described_shortest_first_whatever_their_order(tables, tmp_path):
    every = [(temperature, *pair) for temperature, pair in tables.items()]
    rows, places = describe(tmp_path, every[::-1], (60, 48, 60))
    assert [(row["length"], row["sampling_temperature"]) for row in rows] == [
        (length, temperature) for length in (48, 60) for temperature in (0.0, 0.5, 1.0)
    ]
    assert {row["length"] for row in places if row["how"] == "crossing"} == {60}


@pytest.mark.parametrize("lengths", [(48, 61), (47, 60)])
def test_lengths_that_texts_or_loops_do_not_have_are_refused(tables, tmp_path, lengths):
    every = [(temperature, *pair) for temperature, pair in tables.items()]
    with pytest.raises(InputError, match=r"has texts of 60 tokens, and lengths of .* 48, .* to 60"):
        describe(tmp_path, every, lengths)


def test_a_sampling_temperature_comes_once(tables, tmp_path):
    every = [(temperature, *pair) for temperature, pair in tables.items()]
    with pytest.raises(InputError, match=r"sampling temperature 0\.5 once more; give one file"):
        describe(tmp_path, [*every, every[1]])


@pytest.mark.parametrize("fault", ["runs", "length"])
def test_texts_of_unequal_number_or_length_are_refused(tables, tmp_path, fault):
    runs, positions = tables[0.5]
    if fault == "runs":  # the total fits
        doc = runs["doc"].to_numpy().copy()
        doc[1] = 1
        runs = runs.set_column(0, runs.schema.field("doc"), pa.array(doc))
    else:
        tokens = runs["tokens"].to_pylist()
        tokens[3] += [1]
        at = runs.schema.get_field_index("tokens")
        field = runs.schema.field(at)
        runs = runs.set_column(at, field, pa.array(tokens, field.type))
    with pytest.raises(InputError, match="texts of unequal number or length; write them anew"):
        describe(tmp_path, [(0.5, runs, positions)])
