"""Numbers of groups of models: intervals hold what they say, and groups are the configuration's."""

import copy
import json

import numpy as np
import pytest
import yaml
from scipy.special import stdtrit
from scipy.stats import binomtest

from tests.runs import REPO
from tests.training.trained import READ
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.statistics.curve import Interval
from workflow_scripts.semstat.statistics.several import Number, combine
from workflow_scripts.semstat.training.doses import describe_groups
from workflow_scripts.semstat.training.observables import (
    KEPT,
    Place,
    bounded,
    of_reading,
    of_writing,
)
from workflow_scripts.semstat.training.tables import SUMMED
from workflow_scripts.training.groups import groups_of

SEEDS = (3, 24)
"""Seeds and documents."""


def numbers(value_md):
    """Numbers of models that have so much of each document."""
    documents = np.arange(value_md.shape[1])
    return [Number.per(value_d, np.ones(len(documents)), documents) for value_d in value_md]


def mean(value_md, confidence=0.95):
    [interval] = combine(numbers(value_md), np.ones((len(value_md), 1)), confidence)
    return interval


def drawn(rng, of_seeds, of_documents, of_both, shape=SEEDS):
    """Values whose true mean is 0, of models and documents that scatter so much."""
    seeds, documents = shape
    return (
        of_seeds * rng.standard_normal((seeds, 1))
        + of_documents * rng.standard_normal((1, documents))
        + of_both * rng.standard_normal(shape)
    )


def percentiles(value_md, rng, draws=200):
    """The usual interval: seeds and then documents drawn again, the same for all seeds."""
    weights = [
        rng.multinomial(size, np.full(size, 1 / size), size=draws) / size for size in value_md.shape
    ]
    return np.quantile(np.einsum("rm,md,rd->r", weights[0], value_md, weights[1]), [0.025, 0.975])


@pytest.mark.parametrize(
    "scatter", [(1, 0, 0.5), (1, 3, 1), (0.2, 3, 1), (0, 1, 1)], ids=["seeds", "both", "docs", "no"]
)
def test_intervals_over_seeds_and_documents_hold_the_mean(scatter):
    rng = np.random.default_rng(1)
    held = [
        interval.low <= 0 <= interval.high
        for interval in (mean(drawn(rng, *scatter)) for _ in range(600))
    ]
    assert 0.92 < np.mean(held) < 0.99


def test_percentiles_of_three_seeds_are_too_narrow():
    """The reason why intervals are not made so."""
    rng = np.random.default_rng(2)
    held = []
    for _ in range(300):
        low, high = percentiles(drawn(rng, 1, 0, 0.5), rng)
        held.append(low <= 0 <= high)
    assert 0.65 < np.mean(held) < 0.85


def test_the_interval_of_one_model_is_students_over_documents():
    value_d = np.random.default_rng(3).standard_normal(10)
    half = stdtrit(9, 0.975) * value_d.std(ddof=1) / np.sqrt(10)
    np.testing.assert_allclose(
        mean(value_d[None]), [value_d.mean(), value_d.mean() - half, value_d.mean() + half]
    )


def test_the_interval_of_models_that_documents_do_not_move_is_students_over_models():
    value_m = np.array([1.0, 2.0, 4.0])
    half = stdtrit(2, 0.95) * value_m.std(ddof=1) / np.sqrt(3)
    found = mean(np.repeat(value_m[:, None], 5, axis=1), 0.9)
    np.testing.assert_allclose(found, [7 / 3, 7 / 3 - half, 7 / 3 + half])


def test_a_number_without_any_scatter_has_no_interval():
    value, low, high = mean(np.full((2, 5), 0.3))
    assert value == pytest.approx(0.3) and np.isnan([low, high]).all()
    design_ma = np.column_stack([np.ones(3), [0.05, 0.1, 0.4]])
    _, slope = combine(numbers(np.full((3, 5), 0.9)), design_ma, 0.95)
    assert slope.value == 0 and np.isnan(slope.low)


def test_a_ratio_is_that_of_sums_and_a_document_moves_it_by_what_it_is_off():
    sum_d, count_d = np.array([6.0, 1.0, 0.0, 5.0]), np.array([4.0, 2.0, 0.0, 4.0])
    number = Number.per(sum_d, count_d, np.array([3, 5, 7, 8]))
    assert number.value == 1.2 and number.doc_d.tolist() == [3, 5, 8]
    off_d = (sum_d - 1.2 * count_d)[count_d > 0] / 10
    # Leverage makes them larger, the more so the longer the document.
    assert (number.moved_d / off_d > 1).all() and number.freedom < 2
    assert np.isnan(Number.per(sum_d, 0 * count_d, np.arange(4)).value)
    [interval] = combine([Number.per(sum_d[:1], count_d[:1], np.array([3]))], np.ones((1, 1)), 0.95)
    assert interval.value == 1.5 and np.isnan(interval.low), "one document tells of no other"


def test_documents_that_only_one_model_has_move_it_alone():
    value_d = np.array([1.0, 2.0, 4.0, 3.0])
    one = Number.per(value_d, np.ones(4), np.arange(4))
    other = Number.per(value_d, np.ones(4), np.arange(4) + 4)
    [apart], [same] = (combine([one, of], np.ones((2, 1)), 0.95) for of in (other, one))
    assert apart.high - apart.low == pytest.approx((same.high - same.low) / np.sqrt(2))


def test_what_documents_have_in_common_cancels_in_a_difference():
    rng = np.random.default_rng(4)
    shared_d = 10 * rng.standard_normal((1, 30))
    value_md = shared_d + 0.1 * rng.standard_normal((4, 30)) + np.array([[0], [0], [1], [1]])
    design_ma = np.column_stack([np.ones(4), [0, 0, 1, 1]])
    level, difference = combine(numbers(value_md), design_ma, 0.95)
    assert abs(difference.value - 1) < difference.high - difference.value < 0.3
    assert level.high - level.low > 5


def test_a_share_stays_between_0_and_1():
    assert bounded("runs_omega", Interval(0.9, 0.7, 1.1), 8, 0.95) == Interval(0.9, 0.7, 1.0)
    assert bounded("energy", Interval(0.9, 0.7, 1.1), 8, 0.95).high == 1.1
    assert np.isnan(bounded("rep_4", Interval(0.0, np.nan, np.nan), 8, 0.95).high)
    for looping in (0, 8):
        exact = binomtest(looping, 8).proportion_ci(0.95)
        found = bounded("looping", Interval(looping / 8, np.nan, np.nan), 8, 0.95)
        np.testing.assert_allclose(found[1:], [exact.low, exact.high], atol=1e-12)


def reading(seed):
    """Columns of sums of two layers and four documents."""
    rng = np.random.default_rng(seed)
    sums = {name: rng.uniform(1, 2, 8) for name in SUMMED}
    sums |= {f"runs_{name}": 0.3 * value for name, value in sums.items()}
    sums["runs_energy"] = 0.1 * sums["energy"]
    doc = np.tile(np.arange(4), 2)
    return sums | {"layer": np.repeat([0, 3], 4), "doc": doc}


def test_observables_of_reading_are_ratios_of_sums():
    sums = reading(0)
    found = of_reading("d", sums)
    at = sums["layer"] == 3
    total = {name: column[at].sum() for name, column in sums.items()}
    value = {
        name: found[Place("d", 3, None, None, name)].value for name in READ if name in READ[2:]
    }
    assert value["omega"] == pytest.approx(total["below_zero"] / total["states"])
    assert value["runs_energy"] == pytest.approx(total["runs_energy"] / total["runs_states"])
    others = total["states"] - total["runs_states"]
    assert value["else_energy"] == pytest.approx((total["energy"] - total["runs_energy"]) / others)
    assert len(found) == 2 * 12


def test_observables_of_writing_are_means_over_prompts():
    rows = [
        {"condition": "s", "value": at, "doc": doc, "tokens": [1, 2] * doc}
        | dict.fromkeys(KEPT, doc * at)
        for at in (0.5, 1.0)
        for doc in (2, 3)
    ]
    found = of_writing("d", rows)
    assert found[Place("d", None, "s", 0.5, "rep_4")].value == 1.25
    assert found[Place("d", None, "s", 1.0, "looping")].doc_d.tolist() == [2, 3]
    # 1 2 1 2 has two of three pairs for the first time, and 1 2 1 2 1 2 two of five.
    assert found[Place("d", None, "s", 0.5, "rep_2")].value == pytest.approx((1 / 3 + 3 / 5) / 2)


def test_rows_of_groups_are_means_over_their_models():
    of_models = {f"m{seed}": of_reading("d", reading(seed)) for seed in range(3)}
    groups = [{"group": "a", "models": ["m0", "m1"]}, {"group": "b", "models": ["m2"]}]
    rows = describe_groups(groups, of_models, 0.95)
    place = {"dataset": "d", "layer": 0, "condition": None, "at": None}

    def value(group, observable):
        wanted = place | {"group": group, "observable": observable}
        (row,) = (row for row in rows if wanted.items() <= row.items())
        return row["value"], row["value_low"], row["value_high"]

    each = [of_models[f"m{i}"][Place("d", 0, None, None, "surprisal")].value for i in range(3)]
    assert value("a", "surprisal")[0] == pytest.approx(np.mean(each[:2]))
    np.testing.assert_allclose(value("b", "perplexity"), np.exp(value("b", "surprisal")))
    assert len(rows) == 2 * 2 * 13


LLAMA = {"model_type": "llama", "hidden_size": 8}


def entry(dataset="text", seed=0, like=None, **train):
    """A resolved entry of a model that is trained."""
    said = {"dataset": {dataset: 1.0}, "tokens": 100, "objective": {"kind": "cross_entropy"}}
    start = {"like": like} if like else {"architecture": LLAMA, "tokenizer": {"vocabulary": 300}}
    return start | {"source": "trained", "train": said | train | {"seed": seed}}


DATASETS = {"text": {"source": "path"}} | {
    f"{kind}-{rate}": {"source": "ensemble", "ensemble": "injected", "of": "text", "unit": 8}
    | {"rate": rate / 10, "copies": [1, 8], "seed": 0, "shuffled": kind == "shuffled"}
    for kind in ("plain", "shuffled")
    for rate in (2, 4)
}


def grouped(models):
    untouched = copy.deepcopy(models)
    groups = {group["group"]: group for group in groups_of(models, DATASETS)}
    assert models == untouched
    return groups


def test_groups_are_models_that_differ_in_seeds_alone_called_by_what_names_share():
    groups = grouped(
        {
            "a-0": entry(),
            "other": {"source": "path"},
            "a-1": entry(seed=1),
            "b": entry(tokens=200),
            "c-7": entry("plain-2", seed=7),
        }
    )
    assert {name: group["models"] for name, group in groups.items()} == {
        "a": ["a-0", "a-1"],
        "b": ["b"],
        "c": ["c-7"],
    }
    assert [group["rate"] for group in groups.values()] == [0.0, 0.0, 0.2]
    assert all(group["family"] == "llama" and group["like"] is None for group in groups.values())
    assert "seed" not in json.loads(groups["c"]["settings"])


def test_weights_kept_on_the_way_make_no_group_apart():
    line = {"a-0": entry(checkpoints=[50]), "a-1": entry(seed=1, checkpoints=[]),
            "b-0": entry("plain-2", checkpoints=[])}  # fmt: skip
    groups = grouped(line)
    assert groups["a"]["models"] == ["a-0", "a-1"]
    assert not any(group["control"] for group in groups.values())


def test_the_study_of_corpora_has_its_line_from_text_without_insertions():
    study = yaml.safe_load((REPO / "config/corpora.yaml").read_text(encoding="utf-8"))
    resolved = resolve(study)
    rates = {}
    for group in groups_of(resolved["models"], resolved["datasets"]):
        if not group["control"]:
            rates.setdefault(group["family"], {})[group["rate"]] = len(group["models"])
    line = dict.fromkeys((0, 0.05, 0.1, 0.2, 0.4), 1)
    assert rates == dict.fromkeys(("gpt2", "gpt_neox", "mamba2"), line) | {
        "llama": dict.fromkeys(line, 3)
    }


def test_names_that_are_taken_or_share_nothing_leave_the_first_name():
    groups = grouped({"a": entry(tokens=7), "a-0": entry(), "x": entry("plain-4"),
                      "y": entry("plain-4", seed=1)})  # fmt: skip
    assert [*groups] == ["a", "a-0", "x"]


def test_what_models_were_before_is_a_group_and_seeds_of_starts_make_no_other():
    barrier = {"kind": "energy_barrier", "strength": 3.0}
    groups = grouped(
        {
            "tuned-0": entry(like="given", objective=barrier),
            "again-0": entry(like="fresh-0"),
            "again-1": entry(like="fresh-1", seed=1),
            "given": {"source": "pypi"},
            "fresh-0": entry(),
            "fresh-1": entry(seed=1),
        }
    )
    assert groups["again"]["models"] == ["again-0", "again-1"]
    assert groups["again"]["like"] == groups["again"]["family"] == "fresh"
    assert groups["tuned"]["family"] == "given" and groups["tuned"]["strength"] == 3.0
    before = groups["given"]
    assert before["objective"] is None and before["tokens"] == 0 and before["rate"] is None


def test_controls_differ_from_the_line_of_most_rates_in_more_than_the_rate():
    groups = grouped(
        {
            "shuffled-40": entry("shuffled-4"),
            "00": entry(),
            "20": entry("plain-2"),
            "40": entry("plain-4"),
            "40-longer": entry("plain-4", tokens=170),
            "both": entry() | {"train": entry()["train"] | {"dataset": {"text": 1, "plain-4": 1}}},
        }
    )
    controls = {name for name, group in groups.items() if group["control"]}
    assert controls == {"shuffled-40", "40-longer"}
    assert groups["both"]["rate"] is None and groups["both"]["trained_on"] == "text+plain-4"


def test_architectures_of_one_type_are_families_of_their_own():
    larger = entry() | {"architecture": LLAMA | {"hidden_size": 16}}
    groups = grouped(
        {"a": entry(), "b": larger, "c": larger | {"train": entry("plain-2")["train"]}}
    )
    assert [group["family"] for group in groups.values()] == ["llama", "llama (2)", "llama (2)"]
