"""The commands on a tiny model: what they write, what they refuse, and that they go on."""

import random
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors import safe_open

from tests.runs import NO_NETWORK, REPO, command, complaint
from tests.tiny import tiny_model
from tests.volumes.sampled import (
    HIDDEN,
    LAYER,
    SETTINGS,
    make_place,
    run,
    running,
    sampling,
    words_of,
)
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.tables import provenance_of, read_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.semstat.volumes.columns import AXES, RUNS
from workflow_scripts.semstat.volumes.nested_sampling import NestedSampling
from workflow_scripts.semstat.volumes.tables import CURVES, ENTROPIES, PAIRS, VOLUMES
from workflow_scripts.volumes import sampling as sampling_module
from workflow_scripts.volumes.describe_volumes import describe_volumes
from workflow_scripts.volumes.measure_axes import measure_axes
from workflow_scripts.volumes.plot_volumes import plot_volumes
from workflow_scripts.volumes.spaces.gaussian import gaussian
from workflow_scripts.volumes.spaces.inner_gaussian import inner_gaussian
from workflow_scripts.volumes.spaces.inner_sphere import inner_sphere
from workflow_scripts.volumes.spaces.sphere import sphere
from workflow_scripts.volumes.spaces.tokens import tokens

torch.set_num_threads(1)

CUT = {"context": 32, "stride": 16}

MEASURES = {
    "sphere": "uniform directions",
    "gaussian": "normal, with mean and covariance of the states of text",
    "likeliest": "uniform directions",
    "inner_sphere": "uniform directions with the norm of each pair's state; the blocks above go on",
    "inner_gaussian": "normal, like the states of text; the blocks above go on, after each pair's "
    "history",
    "tokens": "uniform over the vocabulary: the last 2 tokens of each pair's history",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = make_place(tmp_path_factory.mktemp("volumes"))
    out = [place / f"axes-{layer}.parquet" for layer in (1, LAYER)]
    run(measure_axes, running(place) | CUT | {"layers": [1, LAYER], "out": out})
    return place


@pytest.fixture(scope="module")
def runs(place):
    """Runs of all spaces in two groups of pairs, and against the likeliest other token."""
    made = {}
    inner = {"layer": 1, "axes": place / "axes-1.parquet"}
    for name, space, more in (
        ("sphere", sphere, {}),
        ("inner_sphere", inner_sphere, {"layer": 1}),
        ("inner_gaussian", inner_gaussian, inner),
        ("tokens", tokens, {}),
        ("gaussian", gaussian, {"axes": place / f"axes-{LAYER}.parquet"}),
        ("likeliest", sphere, {"against": "likeliest"}),
    ):
        made[name] = [place / f"{name}-{first}.parquet" for first in (0, 3)]
        for first, out in zip((0, 3), made[name], strict=True):
            run(space, sampling(place, out, first_pair=first, **more))
    return made


# Axes.


def test_axes_are_those_of_the_states_of_text(place, tmp_path):
    """Where every document fits into a window, mean and covariance are those of plain passes."""
    out = tmp_path / "axes.parquet"
    run(measure_axes, running(place) | {"context": 64, "stride": 64, "layers": [2], "out": out})
    table, model = read_table(out, AXES), LayeredModel(tiny_model())
    state_sn = torch.cat(
        [
            model.hidden_states(torch.tensor([tokens.as_py()[:-1]]), [2])[2][0, 1:].double()
            for tokens in read_table(place / "tokens.parquet", TOKENS)["tokens"]
        ]
    ).numpy()
    assert len(state_sn) == provenance_of(table.schema)["states"]
    axis_nn = np.stack([axis.values.to_numpy() for axis in table["axis"]])
    mean_n, variance_n = (table[name].to_numpy() for name in ("mean", "variance"))
    np.testing.assert_allclose(mean_n @ axis_nn, state_sn.mean(axis=0), atol=1e-5)
    covariance_nn = axis_nn.T * variance_n @ axis_nn
    np.testing.assert_allclose(covariance_nn, np.cov(state_sn.T), atol=1e-4)


# Runs.


def test_each_pair_is_of_a_document_of_its_own(place, runs):
    documents = dict(
        zip(*read_table(place / "tokens.parquet", TOKENS).to_pydict().values(), strict=True)
    )
    rows = [row for path in runs["sphere"] for row in read_table(path, RUNS).to_pylist()]
    assert [row["pair"] for row in rows] == list(range(6))
    assert len({row["doc"] for row in rows}) == 6
    for row in rows:
        at = row["position"]
        assert documents[row["doc"]][at : at + 2] == [row["last"], row["correct"]]
        assert row["last"] != row["correct"]
        assert (np.diff(row["energy"]) <= 0).all() and row["reached"] <= row["energy"][-1]
        assert len(row["energy"]) == len(row["rank"]) == len(row["parent"]) == len(row["overlap"])
        assert row["ended"] in ("depth", "target") and row["evaluations"] > SETTINGS["walkers"]
        assert 1 <= row["stable_rank"] <= SETTINGS["walkers"]
    alike = [
        [(row["last"], row["correct"]) for row in read_table(runs[name][0], RUNS).to_pylist()]
        for name in runs
    ]
    assert all(pairs == alike[0] for pairs in alike)


@pytest.mark.parametrize("name", MEASURES)
def test_a_file_says_its_measure(runs, name):
    said = provenance_of(read_table(runs[name][0], RUNS).schema)
    assert said["measure"] == MEASURES[name]
    assert said["sampling"]["against"] == ("likeliest" if name == "likeliest" else "correct")
    assert (
        said["layer"] == (1 if name.startswith("inner") else LAYER)
        and said["sampling"]["walkers"] == SETTINGS["walkers"]
    )


class Stopped(Exception):  # noqa: N818
    """What stops a job in its middle."""


def bytes_of(path):
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "space", "layer", "more"),
    [
        ("gaussian", gaussian, LAYER, {"axes"}),
        ("inner_gaussian", inner_gaussian, 1, {"axes"}),
        ("tokens", tokens, LAYER, {}),
    ],
)
def test_what_was_stopped_goes_on_and_ends_with_the_same_bytes(
    name, space, layer, more, place, runs, tmp_path, monkeypatch
):
    out = tmp_path / "again.parquet"
    options = sampling(place, out, layer=layer, save_minutes=0)
    options |= {key: place / f"{key}-{layer}.parquet" for key in more}
    step, steps = NestedSampling.step, []

    def stops(self):
        if len(steps) in (3, 7):
            steps.append("stopped")
            raise Stopped
        steps.append("taken")
        step(self)

    monkeypatch.setattr(NestedSampling, "step", stops)
    for _ in range(2):
        with pytest.raises(Stopped):
            run(space, options)
        assert not out.exists() and options["unfinished"].exists()
    run(space, options)
    assert bytes_of(out) == bytes_of(runs[name][0])
    assert not options["unfinished"].exists()
    whole = len(read_table(out, RUNS)["energy"][0]) // SETTINGS["culled"]
    assert steps.count("taken") == whole


def test_another_recipe_does_not_go_on_from_it(place, runs, tmp_path, monkeypatch):
    out = tmp_path / "again.parquet"
    options = sampling(place, out, save_minutes=0)
    with monkeypatch.context() as patch:
        patch.setattr(sampling_module, "_table", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(sphere, options | {"seed": 1})
    assert options["unfinished"].exists()
    run(sphere, options)
    assert bytes_of(out) == bytes_of(runs["sphere"][0])


def test_what_is_remembered_of_another_kind_is_passed_over(place, runs, tmp_path):
    out = tmp_path / "again.parquet"
    options = sampling(place, out)
    options["unfinished"].write_bytes(b"{")
    run(sphere, options)
    assert bytes_of(out) == bytes_of(runs["sphere"][0])


def test_sigkill_at_two_moments(place, tmp_path):
    more = {"walkers": 32, "culled": 4, "depth": 12.0, "save_minutes": 0}
    whole, out = tmp_path / "whole.parquet", tmp_path / "killed.parquet"
    run(sphere, sampling(place, whole, **more))
    options = sampling(place, out, **more)
    words = [sys.executable, "-m", "workflow_scripts.volumes.spaces.sphere", *words_of(options)]
    environment = {**NO_NETWORK, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"}
    seen = 0
    for kill in range(2):
        running = subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)
        while running.poll() is None and deaths_in(options["unfinished"]) <= seen:
            time.sleep(0.005)
        time.sleep(random.Random(kill).uniform(0, 0.05))  # noqa: S311
        running.kill()
        assert running.wait() == -9, "it had ended before it was killed"
        assert not out.exists()
        seen = deaths_in(options["unfinished"])
    run(sphere, options)
    assert bytes_of(out) == bytes_of(whole)


def deaths_in(path):
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        return file.get_slice("energy").get_shape()[1]


# What is refused.


def test_more_pairs_than_documents(place, tmp_path):
    with pytest.raises(InputError, match=r"^volumes\.pairs: 9 pairs .* and 8 have one; take at mo"):
        run(sphere, sampling(place, tmp_path / "out.parquet", first_pair=6))


def test_more_culled_than_half(place, tmp_path):
    with pytest.raises(InputError, match=r"^volumes: culled: 9 of 16 walkers can't die .* 1 to 8"):
        run(sphere, sampling(place, tmp_path / "out.parquet", culled=9))


def test_a_model_that_has_no_sphere(tmp_path):
    place = make_place(tmp_path / "opt", "OPT, 350m")
    said = command(
        "volumes.spaces.sphere", *words_of(sampling(place, tmp_path / "out.parquet")), cwd=tmp_path
    )
    complaint(said, "volumes.spaces: sphere: the decode of this model depends on the norm", "gauss")


def test_fewer_states_than_dimensions(tmp_path):
    place = make_place(tmp_path / "short", documents=1)
    tokens = read_table(place / "tokens.parquet", TOKENS)
    states = len(tokens["tokens"][0]) - 2
    options = running(place) | CUT | {"layers": 1, "out": tmp_path / "axes.parquet"}
    if states > HIDDEN:
        run(measure_axes, options)
        return
    with pytest.raises(InputError, match=r"^volumes\.spaces: gaussian: \d+ states have no covaria"):
        run(measure_axes, options)


# Tables and figures.


@pytest.fixture(scope="module")
def described(place, runs):
    made = {}
    for name, paths in runs.items():
        kinds = ("entropies", "curves", "pairs", "out")
        made[name] = {kind: place / f"{name}-{kind}.parquet" for kind in kinds}
        call(describe_volumes, [*map(str, paths), *words_of(made[name])])
    return made


@pytest.mark.parametrize("name", ["sphere", "gaussian", "likeliest", "tokens"])
def test_pairs_have_curves_and_the_average_is_theirs(described, name):
    entropies, curves = (
        read_table(described[name][kind], schema).to_pandas()
        for kind, schema in (("entropies", ENTROPIES), ("curves", CURVES))
    )
    each = entropies.pivot(index="energy", columns="pair", values="entropy")
    assert each.shape[1] == 6 and (each.dropna().diff().dropna() >= 0).all().all()
    assert (entropies.entropy_low <= entropies.entropy).loc[entropies.entropy.notna()].all()
    assert list(curves.energy) == list(each.index)
    assert (curves.reached == each.notna().sum(axis=1).to_numpy()).all()
    known = curves.reached == 6
    hot = entropies.pivot(index="energy", columns="pair", values="temperature")
    told = hot.notna().all(axis=1).to_numpy()
    typical = (6 / (1 / hot).sum(axis=1))[told]
    assert told.any() and not told[~known.to_numpy()].any()
    np.testing.assert_allclose(curves.typical_temperature[told], typical)
    assert (curves.typical_temperature_low[told] < curves.typical_temperature_high[told]).all()
    np.testing.assert_allclose(
        curves.entropy[known], np.log(np.exp(each).mean(axis=1)[known.to_numpy()]), atol=1e-12
    )
    np.testing.assert_allclose(curves.typical[known], each.mean(axis=1)[known.to_numpy()])
    assert curves.entropy[~known].isna().all() and curves.entropy_low[~known].isna().all()
    assert (curves.typical_high[~known] < -0.5).all() and (curves.typical_high <= 0).all()
    omega = np.exp(each[known.to_numpy()])
    effective = omega.sum(axis=1) ** 2 / (omega**2).sum(axis=1)
    np.testing.assert_allclose(curves.effective_pairs[known], effective)
    few = curves.effective_pairs < 3
    assert (curves.entropy_high.isna() == few).all()
    assert curves.temperature_low[few].isna().all()


@pytest.mark.parametrize("name", ["sphere", "gaussian", "likeliest"])
def test_wells_are_told(described, name):
    (row,) = read_table(described[name]["out"], VOLUMES).to_pylist()
    pairs = read_table(described[name]["pairs"], PAIRS).to_pylist()
    assert row["pairs"] == len(pairs) == 6 and row["walkers"] == SETTINGS["walkers"]
    assert row["evaluations"] == sum(pair["evaluations"] for pair in pairs)
    assert {pair["measure"] for pair in pairs} == {row["measure"]}
    reached = sum(pair["entropy_below_minus_0.5"] is not None for pair in pairs)
    assert row["reached"] == reached and row["text_below_zero"] is None
    below = [pair["entropy_below_zero"] for pair in pairs]
    if name == "likeliest":  # deeper than runs were to go: bounds, and no number
        assert None in below and row["entropy_below_zero"] is row["typical_below_zero_low"] is None
        assert row["typical_below_zero_high"] <= row["entropy_below_zero_high"] < -1
    else:
        assert row["typical_below_zero"] == pytest.approx(np.mean(below))
        assert row["typical_below_zero"] <= row["entropy_below_zero"] < 0
    assert row["stable_rank"] == pytest.approx(np.mean([pair["stable_rank"] for pair in pairs]))


def test_files_of_two_spaces_are_no_curve(runs, tmp_path):
    paths = [runs["sphere"][0], runs["gaussian"][1]]
    out = {kind: tmp_path / kind for kind in ("entropies", "curves", "pairs", "out")}
    with pytest.raises(InputError, match=r"sampled otherwise than .*; give files of one space"):
        call(describe_volumes, [*map(str, paths), *words_of(out)])


def test_a_figure_names_each_measure(described, tmp_path):
    out = {kind: tmp_path / f"entropy.{kind}" for kind in ("svg", "pdf")}
    files = {
        option: [described[name][kind] for name in described if not name.startswith("inner")]
        for option, kind in (("volumes", "curves"), ("entropies", "entropies"))
    }
    run(plot_volumes, files | {"curves": []} | out)
    assert all(path.stat().st_size > 1000 for path in out.values())
