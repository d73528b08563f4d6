"""Slopes and differences between groups: exact lines, coverage, and the command on files."""

import json

import numpy as np
import pytest
from scipy.special import stdtrit

from tests.training.trained import FACTS, group, injected
from workflow_scripts.running.command import call
from workflow_scripts.semstat.decoding.columns import CONTINUATIONS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.statistics.several import Number
from workflow_scripts.semstat.tables import read_table, table_of, write_table
from workflow_scripts.semstat.training.corpus_columns import CORPORA
from workflow_scripts.semstat.training.doses import describe_doses
from workflow_scripts.semstat.training.observables import Place
from workflow_scripts.semstat.training.tables import ALL, DOSES, GROUPS, NUMBERS, SUMS
from workflow_scripts.training.compare_models import compare_models

DOCUMENTS = np.arange(20)

PLACE = Place("d", 4, None, None, "omega")


def number(value_d):
    return Number.per(value_d, np.ones(len(DOCUMENTS)), DOCUMENTS)


def grown(groups, of_group, rng=None, of_models=0.0, of_documents=0.0):
    """Rows of doses of models, three a group, whose numbers are a function of the group."""
    rng = rng or np.random.default_rng(0)
    shared_d = of_documents * rng.standard_normal(len(DOCUMENTS))
    listed = [each | {"models": [f"{each['group']}-{i}" for i in range(3)]} for each in groups]
    numbers = {
        model: {PLACE: number(of_group(each) + of_models * rng.standard_normal() + shared_d)}
        for each in listed
        for model in each["models"]
    }
    return describe_doses(listed, numbers, 0.95)


def found(rows, **given):
    (row,) = (row for row in rows if given.items() <= row.items())
    return row


def test_the_slope_of_an_exact_line_is_its_own():
    groups = injected(families=("llama", "gpt2"))
    level = {"llama": 0.1, "gpt2": 0.7}
    rows = grown(groups, lambda each: level[each["family"]] + 0.5 * each["rate"])
    for family, models in (("llama", 15), ("gpt2", 15), (ALL, 30)):
        for against in ("rate", "rep_2"):
            row = found(rows, family=family, against=against, group=None)
            assert row["value"] == pytest.approx(0.5) and row["models"] == models
            assert row["dataset"] == "d" and row["observable"] == "omega"
    assert found(rows, group="llama-20-token", against="llama-20")["value"] == pytest.approx(0)


def test_all_together_have_an_intercept_each():
    """Families whose levels rise with their rates have no common slope."""
    groups = injected(("a",), (0, 0.1)) + injected(("b",), (0.3, 0.4))
    groups = [each for each in groups if not each["control"]]
    rows = grown(groups, lambda each: float(each["family"] == "b"))
    assert found(rows, family=ALL, against="rate")["value"] == pytest.approx(0)


def test_the_interval_of_a_slope_holds_it():
    rng = np.random.default_rng(5)
    groups = injected(("llama",), (0, 0.2, 0.4))[:3]
    held = []
    for _ in range(300):
        rows = grown(groups, lambda each: 0.5 * each["rate"], rng, 0.1, 1.0)
        row = found(rows, against="rate")
        held.append(row["value_low"] <= 0.5 <= row["value_high"])
    assert 0.91 < np.mean(held) < 0.985


def test_documents_that_move_all_models_alike_do_not_blur_a_slope():
    rows = grown(injected(("llama",)), lambda each: 0.5 * each["rate"], None, 0.001, 10.0)
    row = found(rows, against="rate", group=None)
    assert 0 < row["value_high"] - row["value_low"] < 0.02


def test_a_curve_has_a_wider_slope_than_a_line():
    straight, bent = (
        found(grown(injected(("llama",))[:5], lambda each, p=p: each["rate"] ** p), against="rate")
        for p in (1, 4)
    )
    assert np.isnan(straight["value_low"]) or straight["value_high"] - straight["value_low"] < 1e-9
    assert bent["value_high"] - bent["value_low"] > 0.01


def test_one_rate_has_no_slope():
    assert not grown([group("a", rate=0.0), group("b", rate=None)], lambda each: 1.0)


def test_reading_is_that_of_the_final_layer_of_each_model():
    groups = injected(("llama",), (0, 0.4))[:2]
    listed = [each | {"models": [each["group"]]} for each in groups]
    value_d = np.random.default_rng(0).standard_normal(len(DOCUMENTS))
    numbers = {
        each["group"]: {
            PLACE._replace(layer=layer): number(layer + value_d) for layer in (0, 4 + 2 * i)
        }
        for i, each in enumerate(groups)
    }
    (row,) = (row for row in describe_doses(listed, numbers, 0.95) if row["against"] == "rate")
    assert row["value"] == pytest.approx(2 / 0.4)


def test_other_objectives_differ_from_cross_entropy_and_that_from_the_model_before():
    like = {"family": "before", "like": "before"}
    barrier = {"kind": "energy_barrier", "strength": 3.0}
    groups = [
        group("before", family="before", objective=None, settings="{}", rate=None),
        group("plain", set_to={"kind": "cross_entropy"}, **like),
        group("barrier", set_to=barrier, **like),
        group("longer", set_to=barrier, **like),
    ]
    settings = json.loads(groups[3]["settings"]) | {"tokens": 7}
    groups[3]["settings"] = json.dumps(settings)
    level = {"before": 1.0, "plain": 3.0, "barrier": 7.0, "longer": 9.0}
    rows = grown(groups, lambda each: level[each["group"]])
    said = {(row["group"], row["against"]): round(row["value"], 9) for row in rows}
    assert said == {("plain", "before"): 2.0, ("barrier", "plain"): 4.0}


def test_families_differ_in_the_same_training_by_the_scatter_of_all_seeds():
    """Of two families with a seed each, a third one tells how far a seed takes a model."""
    groups = [
        group(name, family=name, seeds=seeds) for name, seeds in (("a", 3), ("b", 1), ("c", 1))
    ]
    groups.append(group("d", family="d", seeds=1))
    groups[3]["settings"] = json.dumps(json.loads(groups[3]["settings"]) | {"tokens": 7})
    listed = [
        each | {"models": [f"{each['group']}-{i}" for i in range(each["seeds"])]} for each in groups
    ]
    of_model = {"a-0": 0.9, "a-1": 1.0, "a-2": 1.1, "b-0": 2.0, "c-0": 4.0, "d-0": 8.0}
    numbers = {
        model: {PLACE: number(np.full(len(DOCUMENTS), value))} for model, value in of_model.items()
    }
    rows = describe_doses(listed, numbers, 0.95)
    said = {(row["group"], row["against"]): (row["models"], row["value"]) for row in rows}
    assert said == {
        ("b", "a"): (4, pytest.approx(1.0)),
        ("c", "a"): (4, pytest.approx(3.0)),
        ("c", "b"): (2, pytest.approx(2.0)),
    }
    row = found(rows, group="c", against="b")
    half = stdtrit(2, 0.975) * 0.1 * np.sqrt(2)
    assert row["value_high"] - row["value"] == pytest.approx(half)


@pytest.fixture
def files(tmp_path):
    """Sums, continuations and corpora of two groups."""
    rng = np.random.default_rng(0)
    groups = [group("a", rate=0.0), group("b", rate=0.4)]
    listed = [each | {"models": [f"{each['group']}-{i}" for i in range(2)]} for each in groups]
    paths = {"sums": [], "continuations": [], "corpora": []}
    for each in listed:
        for model in each["models"]:
            said = Provenance(FACTS | {"model": {"model": model, "parameters": 7}})
            column = {name: rng.uniform(1, 2, 6) for name in SUMS.names}
            column |= {"layer": np.full(6, 4), "doc": np.arange(6)}
            column["states"] += 2
            paths["sums"].append(tmp_path / f"{model}-sums.parquet")
            write_table(paths["sums"][-1], table_of(column, SUMS), said)
            written = {field.name: [_some(field.type)] * 4 for field in CONTINUATIONS}
            written |= {"doc": np.arange(4), "rep_4": rng.uniform(0, 1, 4), "looping": [True] * 4}
            written |= {"condition": ["greedy"] * 4, "value": [None] * 4}
            paths["continuations"].append(tmp_path / f"{model}-continuations.parquet")
            write_table(paths["continuations"][-1], table_of(written, CONTINUATIONS), said)
        corpus = {field.name: [_some(field.type)] for field in CORPORA}
        corpus |= {"rep_2": [0.2 + each["rate"]]}
        paths["corpora"].append(tmp_path / f"{each['models'][0]}.parquet")
        write_table(paths["corpora"][-1], table_of(corpus, CORPORA), {})
    return tmp_path, listed, paths


def _some(kind):
    return "x" if str(kind) == "string" else [] if str(kind).startswith("list") else 0


def compare(folder, groups, paths):
    words = [*paths["sums"], "--groups", json.dumps(groups)]
    words += [word for key in ("continuations", "corpora") if paths[key]
              for word in (f"--{key}", *paths[key])]  # fmt: skip
    for name in ("groups", "numbers", "doses"):
        words += [f"--out-{name}", folder / f"{name}.parquet"]
    call(compare_models, [str(word) for word in words])
    schemas = {"groups": GROUPS, "numbers": NUMBERS, "doses": DOSES}
    return {
        name: read_table(folder / f"{name}.parquet", schema).to_pylist()
        for name, schema in schemas.items()
    }


def test_the_command_makes_three_tables(files):
    folder, groups, paths = files
    tables = compare(folder, groups, paths)
    assert [row["models"] for row in tables["groups"]] == ["a-0,a-1", "b-0,b-1"]
    assert [row["rep_2"] for row in tables["groups"]] == [0.2, pytest.approx(0.6)]
    assert {row["parameters"] for row in tables["groups"]} == {7}
    looping = found(tables["numbers"], group="a", observable="looping")
    assert looping["value"] == looping["value_high"] == 1.0
    assert looping["value_low"] == pytest.approx(0.025 ** (1 / 4)), "of four prompts"
    assert found(tables["numbers"], group="b", observable="omega")["layer"] == 4
    slope = found(tables["doses"], observable="rep_4", against="rep_2")
    values = [found(tables["numbers"], group=g, observable="rep_4")["value"] for g in "ab"]
    assert slope["value"] == pytest.approx((values[1] - values[0]) / 0.4)


def test_the_command_does_without_what_there_is_not(files):
    folder, groups, paths = files
    tables = compare(folder, groups, paths | {"continuations": [], "corpora": []})
    assert {row["against"] for row in tables["doses"]} == {"rate"}
    assert all(row["condition"] is None for row in tables["numbers"])
    assert tables["groups"][0]["rep_2"] is None


def test_the_command_refuses_missing_and_double_files(files):
    folder, groups, paths = files
    with pytest.raises(InputError, match="there are no sums of b-1; give its files too"):
        compare(folder, groups, paths | {"sums": paths["sums"][:-1]})
    with pytest.raises(InputError, match="a-0 has these numbers already; give each file once"):
        compare(folder, groups, paths | {"sums": paths["sums"][:1] * 2})
