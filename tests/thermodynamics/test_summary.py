"""What is said of wells: every answer there is, beside which null, in lines that fit a terminal."""

import json
import re
from math import nan

import numpy as np
import pytest
from docutils.core import publish_parts

from tests.runs import command, complaint
from tests.thermodynamics.test_wells import EDGES, columns
from workflow_scripts.semstat.statistics.curve import Interval
from workflow_scripts.semstat.tables import interval_columns, table_of_rows, write_table
from workflow_scripts.semstat.thermodynamics.states import sum_states
from workflow_scripts.semstat.thermodynamics.summary import (
    ROWS,
    SENTENCES,
    WIDTH,
    Ensemble,
    Found,
    summarise,
)
from workflow_scripts.semstat.thermodynamics.tables import WELLS
from workflow_scripts.semstat.thermodynamics.verdicts import (
    SHALLOWEST,
    Beside,
    Verdict,
    beside,
    depth_of,
    verdict,
)
from workflow_scripts.semstat.thermodynamics.wells import LEVEL, describe_wells

DEEP, SHALLOW = Interval(-0.3, -0.9, -0.1), Interval(-1e-5, -2e-5, -1e-6)
BETWEEN, UNKNOWN = Interval(-0.02, -0.1, -0.005), Interval(nan, nan, nan)


def found(depth, layer=30, states=5000, deepest_l=None, **more):
    return Found(layer, 30, "logit_lens", states, depth, deepest_l or {}, **more)


def said(found_of, null_models=None, null_datasets=None):
    """The summary of ensembles, with its lines joined; each of these has to fit a terminal."""
    of = {Ensemble(*name): facts for name, facts in found_of.items()}
    text = summarise(of, null_models or {}, null_datasets or {}, 0.95)
    assert all(len(line) <= WIDTH for line in text.splitlines()), text
    assert text == text.strip() + "\n"
    return " ".join(text.split())


# What counts as a well.


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (DEEP, Verdict.WELL),
        (Interval(-0.3, -0.9, SHALLOWEST), Verdict.WELL),
        (SHALLOW, Verdict.NONE),
        (BETWEEN, Verdict.UNDECIDED),
        (Interval(-0.5, -1.0, -0.009), Verdict.UNDECIDED),
        (Interval(-0.001, SHALLOWEST, 0.0), Verdict.UNDECIDED),
        (UNKNOWN, Verdict.UNDECIDED),
    ],
)
def test_a_well_is_there_where_all_of_the_interval_of_depth_says_so(depth, expected):
    assert verdict(depth) == expected


def test_depth_of_a_row_without_one():
    row = dict.fromkeys(["depth", "depth_low", "depth_high"])
    assert all(np.isnan(depth_of(row)))
    assert depth_of(interval_columns({"depth": DEEP})) == DEEP


@pytest.mark.parametrize(
    ("depth", "other", "expected"),
    [
        (DEEP, SHALLOW, Beside.DEEPER),
        (SHALLOW, DEEP, Beside.SHALLOWER),
        (DEEP, BETWEEN, Beside.UNDECIDED),
        (DEEP, DEEP, Beside.UNDECIDED),
        (UNKNOWN, DEEP, Beside.UNDECIDED),
        (DEEP, UNKNOWN, Beside.UNDECIDED),
    ],
)
def test_depths_are_told_apart_where_intervals_are(depth, other, expected):
    assert beside(depth, other) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, Verdict.NONE), (LEVEL, Verdict.UNDECIDED), (0.02, Verdict.WELL)],
)
def test_verdicts_are_of_the_share_of_states_that_lie_as_low(share, expected):
    """On states that are there: none, one in 1,000, and one in 50 of them at −0.4."""
    energy_s = np.full(64 * 250, 0.3)
    energy_s[: round(share * energy_s.size)] = -0.4
    energy_ds = np.random.default_rng(0).permutation(energy_s).reshape(64, 250)
    sums = sum_states(columns(energy_ds), EDGES)
    [number], _ = describe_wells([sums], EDGES, np.random.default_rng(0), 20)
    assert verdict(number["depth"]) == expected


def test_wrong_verdicts_are_as_rare_as_the_confidence_says():
    """Where just one state in 1,000 lies at the line, either answer may come in 2.5% of samples."""
    verdicts = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        energy_ds = np.where(rng.random((50, 200)) < LEVEL, -0.4, 0.3)
        sums = sum_states(columns(energy_ds), EDGES)
        [number], _ = describe_wells([sums], EDGES, rng, 2)
        verdicts.append(verdict(number["depth"]))
    assert verdicts.count(Verdict.UNDECIDED) >= 0.85 * len(verdicts)


# What is said of it.


def test_a_well_beside_its_nulls():
    of_layers = {0: 1.0, 30: 0.0}
    text = said(
        {
            ("m", "text"): found(DEEP, deepest_l=of_layers),
            ("m", "mixed"): found(Interval(-0.99, -1, -0.95), deepest_l=of_layers),
            ("r", "text"): found(SHALLOW, deepest_l={0: 0.4, 30: 0.6}, random=True),
        },
        {"r": "m"},
        {"mixed": "text"},
    )
    assert (
        "m on text: a repetition well at the final layer, 30. One state in 1,000 lies at or below "
        "H = −0.300 [−0.900, −0.100]. Of all layers measured the deepest is layer 0, in 100% of "
        "resamples of the documents, as the logit lens reads it. Null models: mixed has a well "
        "(deeper); its random twin r has none (shallower). The well is not told to be deeper than "
        "that of mixed. "
    ) in text
    assert "- text yes −0.300 [−0.900, −0.100] 0 (100%) – " in text
    assert "r, 30 - text no −0.000 [−0.000, −0.000] 30 (60%) shallower" in text


def test_a_well_that_untrained_weights_have_too_is_said_to_be_one():
    """As an untrained Mamba 2 has: it passes the line, and what training adds is not told."""
    untrained = Interval(-0.020, -0.021, -0.017)
    text = said(
        {("m", "text"): found(DEEP), ("r", "text"): found(untrained, random=True)}, {"r": "m"}
    )
    assert "has a well (shallower)." in text and "not told to be deeper" not in text
    alike = {("m", "text"): found(untrained), ("r", "text"): found(untrained, random=True)}
    text = said(alike, {"r": "m"})
    assert (
        "its random twin r has a well (not told apart). The well is not told to be deeper" in text
    )
    assert "than that of r." in text
    assert "−0.01 is a convention, which untrained models may pass: read a well beside" in text
    none = {("m", "text"): found(SHALLOW), ("r", "text"): found(SHALLOW, random=True)}
    assert "not told to be deeper" not in said(none, {"r": "m"})


def test_of_many_it_is_said_how_many_are_deeper_than_their_nulls():
    many = {("m", f"t{n}"): found(DEEP) for n in range(SENTENCES + 1)}
    many |= {("r", f"t{n}"): found(SHALLOW if n else DEEP, random=True) for n in range(3)}
    text = said(many, {"r": "m"})
    assert "Of the 3 wells that have a null, 2 are told to be deeper." in text


def test_no_well_and_no_null():
    text = said({("m", "text"): found(SHALLOW, deepest_l={0: 0.0, 30: 1.0})})
    assert "m on text: no repetition well at the final layer, 30." in text
    assert "H = −0.000 [−0.000, −0.000], above −0.01." in text
    assert "the deepest is layer 30, in 100% of resamples of the documents. This study" in text
    assert "This study has no null model of it." in text
    assert "as a null" not in text and "A null is" not in text


def test_what_is_not_decided():
    text = said({("m", "text"): found(BETWEEN, deepest_l={0: 0.55, 30: 0.45})})
    assert "m on text: not decided whether there is a repetition well at the final layer" in text
    assert "H = −0.020 [−0.100, −0.005], which may be on either side of −0.01." in text
    assert "Which layer lies deepest is not decided; most often it is layer 0, in 55% of" in text
    assert "- text not decided −0.020 [−0.100, −0.005] 0 (55%)" in text


def test_no_depth_of_few_states():
    text = said({("m", "text"): found(UNKNOWN, states=546)})
    assert "not decided whether there is a repetition well" in text
    assert "Its 546 states are too few to tell its depth, which takes 1,000." in text
    assert "- text not decided – –" in text
    assert "nan" not in text and "deepest is layer" not in text


def test_a_layer_that_is_not_the_output_is_a_lens_s():
    text = said({("m", "text"): found(DEEP, layer=20)})
    assert "at layer 20 of 30, the last one measured, as the logit lens reads it." in text
    assert "m, 20 of 30 - text yes" in text


def test_loop_energies_are_said_to_be_some():
    text = said({("m", "text"): found(DEEP, rivals=16)})
    assert "(For the last token stands the likeliest of the last 16.)" in text


def test_a_null_of_what_is_not_measured_stands_for_itself():
    text = said({("m", "mixed"): found(DEEP)}, {}, {"mixed": "text"})
    assert "m on mixed: a repetition well" in text


def test_of_many_only_their_number_is_said_in_words():
    many = {("m", f"t{n}"): found((DEEP, SHALLOW, BETWEEN)[n % 3]) for n in range(ROWS + 4)}
    text = said(many)
    assert (
        "Of 34 models × datasets, nulls aside, 12 have a repetition well at the last layer "
        "measured, 11 have none, and of 11 it is not decided."
    ) in text
    assert text.count(" [−") == ROWS
    assert f"These are {ROWS} of {ROWS + 4}; results/wells.csv has all of them." in text
    few = dict(list(many.items())[:SENTENCES])
    assert said(few).count("at the final layer") == SENTENCES


@pytest.mark.parametrize("name", ["x" * 100, "a_", "a_-b__", "m.1-b_c"])
def test_names_of_all_kinds_make_a_table(name):
    """Read by what the report is made with, which says what it does not like in the page."""
    facts = {Ensemble(name, name): found(DEEP), Ensemble("n", name): found(SHALLOW)}
    text = summarise(facts, {"n": name}, {}, 0.95)
    assert len(name) > WIDTH or all(len(line) <= WIDTH for line in text.splitlines())
    page = publish_parts(text, writer="html", settings_overrides={"halt_level": 2})
    cells = re.findall(r"<td.*?</td>", page["html_body"], re.DOTALL)
    assert len(cells) == 5 * 4
    assert "system-message" not in page["html_body"] and "<a " not in page["html_body"]


# The command.


def write_wells(folder, model, dataset, depth_l, **source):
    numbers = {name: Interval(0.1, 0.0, 0.2) for name in ("mean_energy", "lowest_energy")}
    rest = ("below_zero", "below_minus_0.1", "below_minus_0.5", "stutters", "at_zero", "width")
    numbers |= dict.fromkeys(rest, Interval(0.1, 0.0, 0.2))
    rows = [
        {"model": model, "dataset": dataset, "layer": layer, "states": 5000}
        | {"effective_states": 100.0, "deepest": deepest}
        | interval_columns(numbers | {"depth": depth})
        for layer, (depth, deepest) in depth_l.items()
    ]
    made = {"model": {"model": model, "source": {"blocks": 3, "source": "path"} | source}}
    made |= {"tokens": {"dataset": dataset}, "readout": "tuned_lens"}
    path = folder / f"model={model}" / f"dataset={dataset}.parquet"
    write_table(path, table_of_rows(rows, WELLS), made)
    return path


def test_the_command_reads_tables(tmp_path):
    paths = [
        write_wells(tmp_path, "m", "text", {0: (DEEP, 1.0), 3: (DEEP, 0.0)}),
        write_wells(tmp_path, "r", "text", {0: (SHALLOW, nan), 3: (UNKNOWN, nan)}, source="random"),
    ]
    options = ["--null-models", json.dumps({"r": "m"}), "--out", tmp_path / "s.rst"]
    run = command("thermodynamics.summarise_wells", *paths, *options, cwd=tmp_path)
    assert run.code == 0, run.text
    text = " ".join((tmp_path / "s.rst").read_text().split())
    assert "m on text: a repetition well at the final layer, 3." in text
    assert "the deepest is layer 0, in 100% of resamples of the documents, as the tuned" in text
    assert "Null models: its random twin r is not decided (not told apart)." in text
    paths[0].write_bytes(b"no table")
    complaint(
        command("thermodynamics.summarise_wells", *paths, *options, cwd=tmp_path),
        str(paths[0]),
        "not a whole Parquet file",
        "delete it",
    )
