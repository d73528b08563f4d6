"""Trainings: windows, the log, the schedule, what is kept, and what is refused."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from tests.training.fitted import (
    BATCH,
    DROPPING,
    MEASURED,
    SEQUENCE,
    STEP,
    UPDATES,
    Place,
    fit,
    load,
    log_of,
    made_by,
    tokenized,
    weights_of,
    words,
)
from workflow_scripts.energies.measure_energies import measure_energies
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.tables import provenance_of, read_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.semstat.training.packing import mix, pack
from workflow_scripts.training.take_checkpoint import take_checkpoint


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place.made(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def plain(place, tmp_path_factory):
    """A model trained by cross entropy, with its weights kept at two times."""
    out = tmp_path_factory.mktemp("plain")
    return fit(place, out, checkpoints=[3 * STEP, UPDATES * STEP])


def same(one, other, **near):
    return all(
        torch.allclose(weights, other[name], **near) if near else torch.equal(weights, other[name])
        for name, weights in one.items()
    )


# Windows.


@given(st.lists(st.integers(2, 9), min_size=1, max_size=6), st.integers(1, 8))
def test_each_token_but_the_first_is_predicted_once(lengths, sequence):
    tokens_t = np.arange(sum(lengths), dtype=np.int32)
    window_xt = pack(np.split(tokens_t, np.cumsum(lengths)[:-1]), sequence)
    correct_t = window_xt[:, 1:].ravel()
    np.testing.assert_array_equal(correct_t, tokens_t[1 : len(correct_t) + 1])
    np.testing.assert_array_equal(window_xt[:, :-1].ravel(), correct_t - 1)
    assert len(tokens_t) - 1 - len(correct_t) < sequence


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.floats(0.1, 5)), min_size=1, max_size=4),
    st.integers(1, 60),
    st.integers(0, 9),
)
def test_sources_give_their_shares_and_each_window_comes_as_often(sources, wanted, seed):
    windows_i, share_i = zip(*sources, strict=True)
    order_x = mix(windows_i, share_i, wanted, np.random.default_rng(seed))
    assert len(order_x) == wanted
    times = np.bincount(order_x, minlength=sum(windows_i))
    of_sources = np.split(times, np.cumsum(windows_i)[:-1])
    for times_x, share in zip(of_sources, share_i, strict=True):
        assert abs(times_x.sum() - wanted * share / sum(share_i)) <= 1
        assert times_x.max() - times_x.min() <= 1


def test_a_round_has_each_window_before_any_comes_again():
    order_x = mix([5], [1.0], 15, np.random.default_rng(0))
    rounds = order_x.reshape(3, 5)
    assert (np.sort(rounds) == np.arange(5)).all()
    assert len({tuple(each) for each in rounds.tolist()}) == 3


# The log.


def test_the_log_begins_with_the_cross_entropy_of_the_start(place, plain):
    documents = read_table(place.tokens, TOKENS)["tokens"]
    window_xt = pack([tokens.values.to_numpy() for tokens in documents], SEQUENCE)
    order_x = mix([len(window_xt)], [1.0], UPDATES * BATCH, np.random.default_rng(0))
    ids_xt = torch.from_numpy(window_xt[order_x[:BATCH]].astype(np.int64))
    last_xt, correct_xt = ids_xt[:, :-1], ids_xt[:, 1:]
    with torch.no_grad():
        logits_xtv = load(place.start)(last_xt).logits
    log = log_of(plain)
    expected = cross_entropy(logits_xtv.flatten(0, 1), correct_xt.flatten())
    assert log["loss"][0] == pytest.approx(float(expected), rel=1e-5)
    p_xtv = logits_xtv.softmax(-1)
    p_correct_xt, p_last_xt = (
        p_xtv.gather(-1, ids[..., None])[..., 0] for ids in (correct_xt, last_xt)
    )
    text_xt = last_xt != 0
    assert not text_xt.all(), "no window with a prefix token"
    energy_s = (p_correct_xt - p_last_xt)[text_xt]
    assert log["surprisal"][0] == pytest.approx(float(-p_correct_xt[text_xt].log().mean()), 1e-5)
    assert log["energy"][0] == pytest.approx(float(energy_s.mean()), rel=1e-4)
    assert log["below_zero"][0] == pytest.approx(float((energy_s < 0).float().mean()))
    assert log["loss"][-1] < log["loss"][0] - 0.1, "it has learnt nothing"


def test_rows_are_means_of_the_updates_since_the_row_before(place, plain, tmp_path):
    few, every = log_of(fit(place, tmp_path, log_every=3)), log_of(plain)
    assert few["step"].tolist() == [1, 3, 6, 8]
    assert (few["tokens"] == STEP * few["step"]).all()
    for name in ("loss", "surprisal"):
        for before, row in ((1, 1), (3, 2), (6, 3)):
            mean = every[name][before : few["step"][row]].mean()
            assert few[name][row] == pytest.approx(mean, rel=2e-3), (name, row)
    assert same(weights_of(tmp_path / "model"), weights_of(plain / "model"))


@pytest.mark.parametrize("warmup", [0, 0.25, 1])
def test_the_learning_rate_rises_linearly_and_falls_as_a_cosine(place, tmp_path, warmup):
    found = log_of(fit(place, tmp_path, warmup=warmup, learning_rate=0.01))["learning_rate"]
    rising = round(warmup * UPDATES)
    expected = [
        update / rising
        if update < rising
        else (1 + math.cos(math.pi * (update - rising) / (UPDATES - rising))) / 2
        for update in range(UPDATES)
    ]
    np.testing.assert_allclose(found, 0.01 * np.array(expected), rtol=1e-6)


# Ways to the same weights.


def test_windows_that_do_not_fit_at_once_make_no_difference(place, plain, tmp_path):
    fit(place, tmp_path, batch_tokens=SEQUENCE)
    near = {"rtol": 1e-4, "atol": 1e-5}
    assert same(weights_of(tmp_path / "model"), weights_of(plain / "model"), **near)
    np.testing.assert_allclose(log_of(tmp_path)["loss"], log_of(plain)["loss"], rtol=1e-5)


def test_weights_that_are_kept_become_a_model(plain, tmp_path):
    folders = {}
    for name, tokens in (("early", 3 * STEP), ("end", UPDATES * STEP)):
        folders[name] = tmp_path / name
        given_ = {"name": name, "like": plain / "model", "tokens": tokens, "blocks": 2}
        given_ |= {"kept": plain / "kept.safetensors", "out": folders[name]}
        call(take_checkpoint, words(given_))
    end = weights_of(plain / "model")
    assert same(weights_of(folders["end"]), end)
    assert not same(weights_of(folders["early"]), end)
    said = json.loads((folders["early"] / "provenance.json").read_text())
    assert (said["source"]["source"], said["source"]["tokens"]) == ("checkpoint", 3 * STEP)
    assert [on["first_document"] for on in said["trained_on"]] == [MEASURED]
    with pytest.raises(
        InputError, match=r"kept\.safetensors: holds no weights after 7 tokens; del"
    ):
        call(take_checkpoint, words(given_ | {"tokens": 7}))


def test_a_mixture_with_an_ensemble(place, tmp_path):
    injected = tokenized(tmp_path / "injected.parquet", place.corpus, place.start, rate=0.3)
    fit(place, tmp_path, tokens=[place.tokens, injected], shares=[0.75, 0.25])
    said = json.loads((tmp_path / "model/provenance.json").read_text())
    assert [on["first_document"] for on in said["trained_on"]] == [MEASURED, MEASURED]
    assert said["train"]["shares"] == [0.75, 0.25]
    assert provenance_of(read_table(injected, TOKENS).schema)["ensemble"] == "injected"


def test_a_model_that_is_trained_on_remembers_what_it_was_trained_on_before(place, plain, tmp_path):
    fit(place._replace(start=plain / "model"), tmp_path, name="n")
    said = json.loads((tmp_path / "model/provenance.json").read_text())
    assert said["model"] == "n" and said["started from"]["model"] == "n"
    assert len(said["trained_on"]) == 2


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("energy_barrier", {"strength": 3.0, "acts_on": "both", "prefix": 6, "written": 8}),
        ("unlikelihood", {"acts_on": "continuations", "prefix": 6, "written": 8}),
        ("contrastive", {"recent": 4}),
        ("ditto", {"longest": 6}),
    ],
)
def test_every_objective_trains(place, tmp_path, kind, more):
    log = log_of(fit(place, tmp_path, kind, log_every=2, **more))
    assert log["step"].tolist() == [1, 2, 4, 6, 8] and np.isfinite(log["loss"]).all()
    told = np.isfinite(log["energy"])
    assert told.tolist() == [True, kind == "contrastive", True, True, True], "row 2 is rewritten"
    said = json.loads((tmp_path / "model/provenance.json").read_text())["train"]["objective"]
    assert said["kind"] == kind and {key: said[key] for key in more} == more


# Bad input.


def test_a_loss_that_is_no_number_is_refused(place, tmp_path):
    with pytest.raises(
        InputError,
        match=r"^models\.m\.train: the loss is (nan|inf) after \d+ updates; lower ",
    ):
        fit(place, tmp_path, learning_rate=1e30, checkpoints=STEP)
    assert {path.name for path in tmp_path.iterdir()} <= {"unfinished"}


def test_what_a_model_was_trained_on_is_not_measured(place, plain, tmp_path):
    shard = tokenized(
        tmp_path / "tokens.parquet", place.corpus, plain / "model", beyond=0, documents_per_shard=9
    )
    given_ = {"model": plain / "model", "context": 16, "stride": 16, "tokens": shard}
    given_ |= {"layers": 2, "out": tmp_path / "energies.parquet", "device": "cpu"}
    with pytest.raises(
        InputError, match=r"document 11 is one of those that model was trained on \("
    ):
        call(measure_energies, words(given_))
    assert not (tmp_path / "energies.parquet").exists()


def test_too_little_for_a_window(place, tmp_path):
    few = {"documents_per_shard": 1, "tokens_per_document": 4}
    short = tokenized(tmp_path / "tokens.parquet", place.corpus, place.start, **few)
    with pytest.raises(
        InputError, match=r"make no window of 16 tokens; raise models\.m\.train\.do"
    ):
        fit(place, tmp_path, tokens=short)


def test_more_positions_than_the_model_has(place, tmp_path):
    with pytest.raises(
        InputError, match=r"^models\.m\.train\.sequence: 65 positions are more than"
    ):
        fit(place, tmp_path, sequence=65)


def test_more_to_write_than_the_model_reads(tmp_path):
    """GPT-2 has no position for it."""
    place = Place.made(tmp_path, DROPPING | {"n_positions": 24})
    with pytest.raises(
        InputError, match=r"^models\.m\.train\.objective\.written: 26 positions are"
    ):
        fit(place, tmp_path / "o", "unlikelihood", acts_on="continuations", prefix=16, written=10)


def test_a_training_makes_the_same_bytes_again(place, plain, tmp_path):
    fit(place, tmp_path, checkpoints=[3 * STEP, UPDATES * STEP])
    assert made_by(tmp_path) == made_by(plain)
