"""Sweeps of chains described: intervals hold closed forms, bounds where nothing happened."""

import numpy as np
import pytest

from tests.criticality.written import chain_of, write
from workflow_scripts.semstat.criticality.description import (
    describe_crossovers,
    describe_observables,
    sweep,
)
from workflow_scripts.semstat.criticality.observables import observe

TEMPERATURES = np.array([0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0])
LENGTHS = (64, 128, 256)


def swept(chain, prompts=6, runs=4, temperatures=TEMPERATURES, lengths=LENGTHS, seed=0):
    observed = [
        observe(write(chain, o, prompts, runs, max(lengths), seed), lengths) for o in temperatures
    ]
    rng = np.random.default_rng(seed)
    return sweep(observed, np.array(temperatures), prompts * runs, 200, rng)


@pytest.fixture(scope="module")
def of_bigrams():
    return swept(chain_of("bigrams", kinds=6))


def row_of(rows, **keys):
    found = [row for row in rows if all(row[key] == value for key, value in keys.items())]
    assert len(found) == 1
    return found[0]


def test_a_row_a_length_and_sampling_temperature(of_bigrams):
    rows = describe_observables(of_bigrams, 0.95)
    assert len(rows) == len(LENGTHS) * len(TEMPERATURES)
    for row in rows:
        assert (row["prompts"], row["texts"]) == (6, 24)
        for name in ("looping", "in_loops", "rep_4", "energy", "conditional"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]


def test_cold_texts_loop_and_hot_ones_do_not(of_bigrams):
    rows = describe_observables(of_bigrams, 0.95)
    cold = row_of(rows, sampling_temperature=0.0, length=256)
    hot = row_of(rows, sampling_temperature=2.0, length=256)
    assert cold["looping"] == pytest.approx(1) and hot["looping"] == 0
    # Exact binomial bounds of 24 texts; at 0 the texts of each of 6 prompts are the same.
    assert cold["looping_low"] == pytest.approx(0.025 ** (1 / 6))
    assert hot["looping_high"] == pytest.approx(1 - 0.025 ** (1 / 24))


def test_what_never_happened_has_the_bound_of_poisson(of_bigrams):
    cold = row_of(describe_observables(of_bigrams, 0.95), sampling_temperature=0.0, length=256)
    exposed = of_bigrams.exposed["leaving"][2, 0]
    assert cold["leaving"] == 0
    assert cold["leaving_high"] == pytest.approx(-np.log(0.025) / exposed)
    assert 6 * 100 < exposed < 6 * 256


def test_half_of_the_texts_loop_where_it_says(of_bigrams):
    rows = describe_crossovers(of_bigrams, 0.95)
    for h, length in enumerate(LENGTHS):
        row = row_of(rows, observable="looping", how="half", length=length)
        share = of_bigrams.value["looping"][h, 0]
        assert np.interp(row["sampling_temperature"], TEMPERATURES, share) == pytest.approx(0.5)
        low, high = row["sampling_temperature_low"], row["sampling_temperature_high"]
        assert low <= row["sampling_temperature"] <= high
        conditional = of_bigrams.value["conditional"][h, 0]
        at = np.interp(row["sampling_temperature"], TEMPERATURES, conditional)
        assert row["conditional"] == pytest.approx(at)


def test_longer_texts_loop_at_higher_sampling_temperatures(of_bigrams):
    """A rate of entering makes every text loop in time: no critical temperature of the share."""
    rows = describe_crossovers(of_bigrams, 0.95)
    longest = row_of(rows, observable="looping", how="half", length=256)
    shortest = row_of(rows, observable="looping", how="half", length=64)
    assert longest["drift"] == pytest.approx(
        longest["sampling_temperature"] - shortest["sampling_temperature"]
    )
    assert longest["drift_low"] > 0
    assert np.isnan(shortest["drift"])


def test_heat_capacity_of_frequencies_peaks_where_its_closed_form_does():
    chain = chain_of("frequencies")
    temperatures = np.linspace(0.2, 2, 19)
    log_f = chain.log_frequency_v.double().numpy()
    fine = np.linspace(0.2, 2, 2000)
    p = np.exp(log_f[None] / fine[:, None])
    p /= p.sum(axis=1, keepdims=True)
    heat = ((p * log_f**2).sum(1) - (p * log_f).sum(1) ** 2) / fine**2
    found = swept(chain, temperatures=temperatures, lengths=(64, 128))
    row = row_of(
        describe_crossovers(found, 0.95), observable="heat_capacity", how="peak", length=128
    )
    assert row["sampling_temperature"] == pytest.approx(fine[np.argmax(heat)], abs=0.02)
    assert row["found"] == 1 and row["drift"] == pytest.approx(0, abs=1e-6)


def test_a_crossing_is_told_from_the_second_length_on(of_bigrams):
    rows = describe_crossovers(of_bigrams, 0.95)
    lengths = [row["length"] for row in rows if row["how"] == "crossing"]
    assert lengths == [128, 256, 128, 256]


def test_intervals_hold_what_many_texts_show():
    """Each of many small sweeps against a large one."""
    chain = chain_of("bigrams", kinds=30)
    temperature = np.array([0.7])
    truth = swept(chain, prompts=60, runs=20, temperatures=temperature, lengths=(48, 96), seed=99)
    names = ("rep_4", "conditional", "heat_capacity", "energy")
    held = {name: [] for name in names}
    for seed in range(60):
        small = swept(
            chain, prompts=8, runs=2, temperatures=temperature, lengths=(48, 96), seed=seed
        )
        row = row_of(describe_observables(small, 0.95), sampling_temperature=0.7, length=96)
        for name in names:
            held[name].append(
                row[f"{name}_low"] <= truth.value[name][1, 0, 0] <= row[f"{name}_high"]
            )
    for name, of_name in held.items():
        assert np.mean(of_name) >= 0.87, (name, np.mean(of_name))
