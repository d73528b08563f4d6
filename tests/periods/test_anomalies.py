"""Anomalies: which states are, closed forms of how well they are told, the real command line."""

import copy
import csv

import numpy as np
import pytest
from scipy.special import ndtr

from tests.configuration.studies import sentence
from tests.results import energies_path
from tests.runs import TINY_STUDY
from workflow_scripts.configuration.study import resolve
from workflow_scripts.periods.describe_anomalies import describe_anomalies as command
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.periods.anomalies import NONE, describe_anomalies, mark, scores
from workflow_scripts.semstat.periods.anomaly_figures import draw_anomalies
from workflow_scripts.semstat.periods.anomaly_tables import ANOMALIES, SCORES
from workflow_scripts.semstat.tables import provenance_of, read_table, table_of_rows
from workflow_scripts.semstat.tokens.replaced import places
from workflow_scripts.semstat.tokens.tables import TOKENS

SPANS, LENGTH, PREFIX, TOKENS_OF = 3, 8, 10, 120
SHIFT = 0.8


def test_marks_are_the_spans_and_as_long_ones_beside_them():
    for seed in range(50):
        begin_s = places(TOKENS_OF, SPANS, LENGTH, PREFIX, np.random.default_rng(seed))
        marks = mark(TOKENS_OF, begin_s, LENGTH, 1 + PREFIX)
        spans, counts = np.unique(marks.span_t[marks.span_t != NONE], return_counts=True)
        assert spans.tolist() == list(range(len(spans))) and (counts == LENGTH).all()
        assert (marks.span_t[: 1 + PREFIX] == NONE).all()
        for span in spans:
            stands = np.flatnonzero(marks.span_t == span)
            assert np.ptp(stands) == LENGTH - 1, "tokens side by side"
            assert (stands[0] in begin_s) == (span < marks.replaced)
        left = (marks.span_t[1 + PREFIX :] == NONE).sum()
        assert left < LENGTH * (SPANS + 1)


def study(seed=0, documents=24, shift=SHIFT):
    """States of unit normal surprisal, larger by a shift where the next token was replaced."""
    rng = np.random.default_rng(seed)
    states = TOKENS_OF - 2
    begins = [places(TOKENS_OF, SPANS, LENGTH, PREFIX, rng) for _ in range(documents)]
    marks = {doc: mark(TOKENS_OF, begin, LENGTH, 1 + PREFIX) for doc, begin in enumerate(begins)}
    position = np.tile(np.arange(1, states + 1), documents)
    doc = np.repeat(np.arange(documents), states)
    span = np.concatenate([of.span_t[2:] for of in marks.values()])
    anomaly = (span != NONE) & (span < SPANS)
    surprisal = rng.normal(size=len(doc)) + shift * anomaly
    own = {
        "doc": doc,
        "position": position,
        "log_p_correct": -surprisal,
        "energy": rng.normal(size=len(doc)),
        "speed": np.exp(rng.normal(size=len(doc))),
        "normed_speed": np.exp(rng.normal(size=len(doc)) + shift * anomaly),
    }
    return own, rng.normal(size=len(doc)), marks, anomaly


def described(own, loops, marks, draws=2):
    rows = describe_anomalies(own, loops, marks, draws, 0.95, np.random.default_rng(0))
    assert [(row["of"], row["score"]) for row in rows] == [
        (of, score) for of in ("state", "span") for score in SCORES
    ]
    return {(row["of"], row["score"]): row for row in rows}


def test_areas_are_their_closed_forms():
    """Of states Φ(Δ/√2), of means of L states Φ(√L Δ/√2); of independent scores nothing."""
    own, loops, marks, _ = study(1, 400)
    rows = described(own, loops, marks)
    expected = {
        "surprisal": SHIFT,
        "kinetic": 0.0,
        "normed_kinetic": SHIFT,
        "energy": 0.0,
        "loop_energy": 0.0,
    }
    for score, shift in expected.items():
        for of, length in (("state", 1), ("span", LENGTH)):
            row = rows[of, score]
            assert row["area"] == pytest.approx(ndtr(np.sqrt(length / 2) * shift), abs=0.015)
            assert row["area_low"] < row["area"] < row["area_high"]
    both, alone = ndtr(SHIFT), ndtr(SHIFT / np.sqrt(2))
    assert rows["state", "normed_kinetic"]["beyond"] == pytest.approx(both - alone, abs=0.01)
    for score in ("kinetic", "energy", "loop_energy"):
        assert rows["state", score]["beyond"] == pytest.approx(0, abs=0.003)
    assert np.isnan(rows["state", "surprisal"]["gain"])


def test_states_are_those_whose_next_token_lies_where_spans_may():
    own, loops, marks, anomaly = study(2)
    rows = described(own, loops, marks)
    compared = own["position"] + 1 >= 1 + PREFIX
    row = rows["state", "surprisal"]
    assert row["anomalies"] == anomaly.sum() == 24 * SPANS * LENGTH
    assert row["others"] == (compared & ~anomaly).sum() and row["documents"] == 24
    assert rows["span", "surprisal"]["anomalies"] == 24 * SPANS
    surprisal = -own["log_p_correct"]
    pairs = surprisal[anomaly][:, None] > surprisal[compared & ~anomaly]
    assert row["area"] == pytest.approx(pairs.mean())


def test_states_that_do_not_move_are_left_out():
    own, loops, marks, anomaly = study(3)
    still = np.flatnonzero(anomaly)[:5]
    own["speed"][still] = 0
    own["normed_speed"][still[:1] + 1] = np.nan
    row = described(own, loops, marks)["state", "surprisal"]
    assert row["anomalies"] == anomaly.sum() - 5
    own["speed"][:] = 0
    row = described(own, loops, marks)["span", "energy"]
    assert row["anomalies"] == 0 and np.isnan([row["area"], row["beyond"]]).all()


def test_scores_are_those_of_the_mechanics():
    own, loops, *_ = study(4)
    found = scores(own, loops)
    np.testing.assert_allclose(found["kinetic"], np.log(own["speed"] ** 2 / 2))
    plus = np.log(own["normed_speed"] ** 2 / 2) - own["log_p_correct"]
    np.testing.assert_allclose(found["normed_kinetic_and_surprisal"], plus)
    np.testing.assert_allclose(found["probability"], -np.exp(own["log_p_correct"]))
    np.testing.assert_array_equal(found["energy"], -own["energy"])
    np.testing.assert_array_equal(found["loop_energy"], -loops)


def test_the_figure_has_a_point_a_dataset_and_score():
    rows = [
        {"model": "m", "dataset": dataset, "layer": layer, "kind": "other", "taken_from": None}
        | row
        for layer in (0, 6)
        for seed, dataset in enumerate(("one", "two"))
        for row in described(*study(seed)[:3]).values()
    ]
    assert table_of_rows(rows, ANOMALIES).num_rows == len(rows)
    panels = [(of, number) for of in ("state", "span") for number in ("area", "beyond")]
    for axes, (kind, number) in zip(draw_anomalies(rows, "m").axes, panels, strict=True):
        points = [line.get_xdata() for line in axes.lines if line.get_marker() == "o"]
        for found, score in zip(points, SCORES, strict=True):
            of = [r[number] for r in rows if (r["layer"], r["of"], r["score"]) == (6, kind, score)]
            np.testing.assert_allclose(found, of)


# The command line.

REPLACED = {
    "source": "ensemble",
    "of": "text",
    "ensemble": "replaced",
    "kind": "uniform",
    "spans": 2,
    "length": 4,
    "prefix_tokens": 6,
    "documents_per_shard": 4,
    "shards": 2,
}
STUDY = copy.deepcopy(TINY_STUDY)
STUDY["models"]["loops"] = {"like": "tiny", "rivals": {"periods": 6}}
STUDY["datasets"] |= {
    "replaced": REPLACED,
    "copied": REPLACED | {"kind": "repeated", "unit": 2},
    "passages": REPLACED | {"kind": "other", "taken_from": "text"},
}
PAIR = {"model": "tiny", "loops": "loops"}
STUDY["anomalies"] = [PAIR | {"dataset": name, "draws": 2} for name in ("replaced", "copied")]


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    place = finished.copy(tmp_path_factory.mktemp("anomalies"))
    assert not any("text, shard" in job and "tiny" in job for job in place.would_run(study=STUDY))
    passages = "results/tokens/model=tiny/dataset=passages/shard=0.parquet"
    place.run("results/anomalies.csv", *FIGURES, passages, study=STUDY)
    return place


FIGURES = [f"results/figures/periods/model=tiny/anomalies.{kind}" for kind in ("svg", "pdf")]


def tokens(place, dataset, model="tiny"):
    folder = place.work / f"results/tokens/model={model}/dataset={dataset}"
    return [folder / f"shard={shard}.parquet" for shard in (0, 1)]


def documents(place, dataset):
    tables = [read_table(path, TOKENS).to_pydict() for path in tokens(place, dataset)]
    return {k: v for t in tables for k, v in zip(t["doc"], t["tokens"], strict=True)}


def states(place, layer):
    paths = [
        energies_path(place.work / "results", "tiny", "replaced", layer, shard) for shard in (0, 1)
    ]
    tables = [read_table(path, ENERGIES) for path in paths]
    return {
        name: np.concatenate([table[name].to_numpy(zero_copy_only=False) for table in tables])
        for name in ("doc", "position", "log_p_correct")
    }


def test_the_table_is_of_the_states_whose_next_token_was_replaced(place):
    path = place.work / "results/anomalies/model=tiny/dataset=replaced.parquet"
    table = read_table(path, ANOMALIES)
    rows = {(row["layer"], row["of"], row["score"]): row for row in table.to_pylist()}
    layers = TINY_STUDY["measurement"]["layers"]
    assert len(rows) == len(layers) * 2 * len(SCORES)
    assert provenance_of(table.schema)["tokens"]["kind"] == "uniform"
    made, text = (documents(place, name) for name in ("replaced", "text"))
    of = states(place, layers[-1])
    changed = np.array(
        [made[d][p + 1] != text[d][p + 1] for d, p in zip(of["doc"], of["position"], strict=True)]
    )
    row = rows[layers[-1], "state", "surprisal"]
    assert row["anomalies"] == 8 * 2 * 4 and row["documents"] == 8
    # A drawn token may be the one that stood there.
    assert 0.9 * row["anomalies"] < changed.sum() <= row["anomalies"]
    surprisal, compared = -of["log_p_correct"], of["position"] >= 6
    pairs = surprisal[changed][:, None] > surprisal[compared & ~changed]
    assert row["area"] == pytest.approx(pairs.mean(), abs=0.03)
    assert rows[layers[-1], "span", "surprisal"]["anomalies"] == 8 * 2


def test_all_pairs_are_in_one_table_and_figures_are_drawn(place):
    with (place.work / "results/anomalies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["dataset"], row["kind"]) for row in rows} == {
        ("replaced", "uniform"),
        ("copied", "repeated"),
    }
    assert all((place.work / path).stat().st_size for path in FIGURES)


def test_passages_are_of_the_corpus_that_is_named(place):
    said = provenance_of(read_table(tokens(place, "passages")[0], TOKENS).schema)
    assert (said["kind"], said["taken_from"]) == ("other", "text")


def test_tokens_that_are_not_the_text_with_its_spans_replaced_are_refused(place, tmp_path):
    layer = TINY_STUDY["measurement"]["layers"][-1]
    own, loops = (
        [energies_path(place.work / "results", model, "replaced", layer, n) for n in (0, 1)]
        for model in ("tiny", "loops")
    )
    made, text = tokens(place, "replaced"), tokens(place, "text")
    out = tmp_path / "out.parquet"
    wrong = [
        (made, tokens(place, "copied"), "spans are replaced there too; give --text the text"),
        (made, tokens(place, "text-shuffled")[:1], "document 0 is not that of --text with other"),
        (made, text[:1], r"document 4 is not that of --text"),
        (text, text, "no spans are replaced there; give a dataset of that ensemble"),
    ]
    for tokens_, text_, said in wrong:
        with pytest.raises(InputError, match=said):
            command(own=own, loops=loops, tokens=tokens_, text=text_, out=out)
    with pytest.raises(InputError, match="--own and --loops: 2 and 1 files; "):
        command(own=own, loops=loops[:1], tokens=made, text=text, out=out)
    with pytest.raises(InputError, match="of another tokens than"):
        other = [energies_path(place.work / "results", "loops", "copied", layer, n) for n in (0, 1)]
        command(own=own, loops=other, tokens=made, text=text, out=out)
    assert not out.exists()


# The configuration.


def entry(**changed):
    config = copy.deepcopy(STUDY)
    config["models"]["other-place"] = {
        "like": "tiny",
        "rivals": {"periods": 6, "history": "elsewhere"},
    }
    config["models"]["short"] = {"like": "tiny", "rivals": {"periods": 6}, "context": 40}
    config["models"]["of-random"] = {"like": "tiny-random", "rivals": {"periods": 6}}
    config["datasets"]["few"] = REPLACED | {"shards": 1}
    config["datasets"]["many"] = REPLACED | {"shards": 3}
    config["models"]["tiny"]["path"] = "."
    config["anomalies"] = [PAIR | {"dataset": "replaced"} | changed]
    return config


def test_defaults():
    (spec,) = resolve(entry())["anomalies"]
    assert (spec["draws"], spec["seed"]) == (20, 0)


@pytest.mark.parametrize("loops", ["tiny", "other-place", "short", "of-random", "nope"])
def test_loops_are_of_the_same_states(loops):
    assert sentence(entry(loops=loops)) == (
        f"anomalies.0.loops: {loops!r} is not tiny but for `rivals` of its own history; "
        f"name one of loops"
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"model": "nope"}, "anomalies.0.model: 'nope' is not one of the models; name one of "),
        ({"model": "loops"}, "anomalies.0.loops: 'loops' is not loops but for `rivals` of its "),
        (
            {"dataset": "text"},
            "anomalies.0.dataset: 'text' is not a dataset whose `ensemble` is `replaced`; ",
        ),
        (
            {"dataset": "few"},
            "anomalies.0.dataset: few has 4 documents, and error bars come from the "
            "scatter between 8 or more; raise datasets.few.documents_per_shard",
        ),
        (
            {"dataset": "many"},
            "anomalies.0.dataset: many has 12 documents, and text, with which they are "
            "compared, 8; raise datasets.text.shards, or lower datasets.many.shards",
        ),
        ({"draws": 0}, "anomalies.0.draws: 0 is less than the minimum of 1; How often a score is "),
    ],
)
def test_a_mistake_in_an_entry_gets_one_sentence(changed, expected):
    assert sentence(entry(**changed)).startswith(expected)
