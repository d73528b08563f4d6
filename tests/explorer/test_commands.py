"""The tables that the page is made of: what they hold of the energies, and what is refused."""

import json
import re
import tracemalloc
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from tests.explorer.made import Made, write
from workflow_scripts.explorer import reading
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.explorer.tables import LAYERS, POSITIONS, STATES
from workflow_scripts.semstat.periods.anomalies import scores
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.thermodynamics.tables import CURVES
from workflow_scripts.semstat.tokens.tables import TOKENS

TEXTS = [f"we the people of this union, {n}, read and vote and sleep € too" for n in range(20)]


@pytest.fixture
def made(tmp_path):
    return Made(tmp_path, TEXTS)


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.S)[1])


def columns(path, schema):
    return read_table(path, schema).to_pydict()


@pytest.mark.parametrize("room", [{"bytes": 10**8}, {"bytes": 90_000, "tail": 30}])
def test_tables_hold_what_the_energies_say(made, room):
    paths = made.select("tiny", **room)
    tokens = columns(made.path("tokens", "tiny", "/shard=0"), TOKENS)
    text = dict(zip(tokens["doc"], tokens["tokens"], strict=True))
    place = columns(paths["positions"], POSITIONS)
    at = list(zip(place["doc"], place["position"], strict=True))
    assert at == sorted(set(at))
    assert place["token"] == [text[doc][position] for doc, position in at]
    states = columns(paths["states"], STATES)
    layers = read_table(paths["layers"], LAYERS).to_pylist()
    for row, said in enumerate(layers):
        energies = columns(
            made.path("energies", "tiny", f"/layer={said['layer']}/shard=0"), ENERGIES
        )
        found = dict(zip(zip(energies["doc"], energies["position"], strict=True), zip(
            *(energies[name] for name in ("energy", "last", "correct", "top", "log_p_last")),
            strict=True), strict=True))  # fmt: skip
        assert said["states"] == len(found)
        for where, energies_l in zip(at, place["energies"], strict=True):
            assert energies_l[row] == found.get(where, (None,))[0]
        mine = [s for s, layer in enumerate(states["layer"]) if layer == said["layer"]]
        listed = [at[states["at"][s]] for s in mine]
        for s, where in zip(mine, listed, strict=True):
            said_of = tuple(
                states[name][s] for name in ("energy", "last", "correct", "top", "log_p_last")
            )
            assert said_of == found[where]
        energy = [states["energy"][s] for s in mine]
        assert energy == sorted(energy)
        drawn = {doc for doc, whole in zip(place["doc"], place["drawn"], strict=True) if whole}
        wanted = {
            where
            for where, (energy, *_) in found.items()
            if where[0] in drawn or energy <= said["low"] or energy >= said["high"]
        }
        assert set(listed) == wanted
    if len(room) > 1:
        assert len(states["layer"]) < sum(said["states"] for said in layers)


def test_the_top_token_has_its_probability_unless_energies_are_older(tmp_path):
    for older in (False, True):
        made = Made(tmp_path / str(older), TEXTS, older=older)
        states = read_table(made.select("tiny")["states"], STATES)
        log_p_s = states["log_p_top"].to_numpy()
        if older:
            assert states["log_p_top"].null_count == len(states)
        else:
            energies = columns(made.path("energies", "tiny", "/layer=0/shard=0"), ENERGIES)
            order_s = np.argsort(energies["energy"], kind="stable")
            assert log_p_s[: len(order_s)].tolist() == [energies["log_p_top"][s] for s in order_s]
        assert states["kinetic"].null_count == len(states), "no scores are asked for"
        data = data_of(made.page())
        assert ("log_p_top" in data["groups"][0]["models"][0]["layers"][0]) is not older


def test_scores_are_those_that_anomalies_are_told_by(made):
    states = columns(made.select("tiny", scored=True)["states"], STATES)
    row = 0
    for layer in made.layers:
        own = read_table(made.path("energies", "tiny", f"/layer={layer}/shard=0"), ENERGIES)
        path = made.path("energies", "tiny-loops", f"/layer={layer}/shard=0")
        own = {name: own[name].to_numpy() for name in own.column_names}
        loop_energy_s = read_table(path, ENERGIES)["energy"].to_numpy()
        order_s = np.argsort(own["energy"], kind="stable")
        expected = scores(own, loop_energy_s)
        here = slice(row, row + len(order_s))
        row += len(order_s)
        for name, sign in (("kinetic", 1), ("normed_kinetic", 1), ("loop_energy", -1)):
            found = sign * np.array(states[name][here], dtype=float)
            wanted = np.where(np.isfinite(expected[name]), expected[name], np.nan)[order_s]
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6, err_msg=name)


def test_loops_of_other_states_are_refused(made):
    path = made.path("energies", "tiny-loops", "/layer=2/shard=0")
    table = read_table(path, ENERGIES)
    write_table(path, table.slice(1), provenance_of(table.schema))
    with pytest.raises(InputError, match=r"tiny-loops.*of another text than"):
        made.select("tiny", scored=True)
    with pytest.raises(InputError, match=r"^--loops: are not of the layers and shards"):
        made.select("tiny", loops=[path])


POOLS = []
"""Pools that were used: what was taken from one may be given back after a test."""


@pytest.fixture
def peak():
    """Calls a function, and tells how many bytes it held at once, numpy's and pyarrow's."""

    def peak(call):
        before = pa.default_memory_pool()
        pool = pa.proxy_memory_pool(before)
        POOLS.append(pool)
        pa.set_memory_pool(pool)
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1] + pool.max_memory()
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(before)

    return peak


def test_memory_does_not_grow_with_layers_nor_much_with_states(tmp_path, peak, monkeypatch):
    """What is shown has the same room; else there are some bytes of each token, whatever layers."""
    monkeypatch.setattr(reading, "PIECE", 1 << 12)
    texts = [TEXTS[n % 20] * 4 for n in range(160)]
    tokens = sum(len(text.encode()) for text in texts)
    of_few, of_many, of_half = (
        peak(partial(made.select, "tiny", bytes=90_000, tail=20))
        for made in (
            Made(tmp_path / "few", texts, layers=range(2)),
            Made(tmp_path / "many", texts, layers=range(8)),
            Made(tmp_path / "half", texts[:80], layers=range(2)),
        )
    )
    assert of_many - of_few < tokens * 6, "H of the six layers more would take four times as much"
    assert of_few - of_half < tokens / 2 * 64


def test_a_curve_of_many_points_is_thinned_to_its_part_of_the_room(made):
    paths = made.select("tiny", bytes=8_000, tail=10)
    for row in read_table(paths["layers"], LAYERS).to_pylist():
        assert 2 <= len(row["energy"]) < 41
        assert (row["energy"][0], row["energy"][-1]) == (-1, 1)


def test_models_of_one_text_share_it_and_others_do_not(tmp_path):
    made = Made(tmp_path / "one", TEXTS, models=["tiny", "other"])
    other = Made(tmp_path / "two", TEXTS[::-1], models=["third"])
    tables = [of.select(model) for of in (made, other) for model in of.models]
    models = [of.results / "models" / model for of in (made, other) for model in of.models]
    data = data_of(write(tmp_path / "page.html", tables, models, 10))
    assert [[model["name"] for model in group["models"]] for group in data["groups"]] == [
        ["tiny", "other"],
        ["third"],
    ]
    assert all(model["rows"] is None for group in data["groups"] for model in group["models"])


def altered(path, schema, change):
    """Write a table again, with another provenance."""
    table = read_table(path, schema)
    provenance = provenance_of(table.schema)
    change(provenance)
    write_table(path, table, provenance)


def test_what_does_not_belong_together_is_refused_in_one_sentence(made):
    energies = made.path("energies", "tiny", "/layer=2/shard=0")
    curve = made.path("curves", "tiny", "/layer=2")

    altered(curve, CURVES, lambda of: of.update(stride=12))
    with pytest.raises(InputError, match="is of another stride than the energies; delete it"):
        made.select("tiny")
    altered(curve, CURVES, lambda of: of.update(stride=24, shards=2))
    with pytest.raises(InputError, match="is of another number of shards than the energies"):
        made.select("tiny")
    altered(curve, CURVES, lambda of: of.update(shards=1))
    altered(energies, ENERGIES, lambda of: of["tokens"].update(seed=1))
    with pytest.raises(InputError, match="is of other tokens than those that are there"):
        made.select("tiny")
    altered(energies, ENERGIES, lambda of: of["tokens"].pop("seed"))
    table = read_table(energies, ENERGIES)
    write_table(energies, table.slice(1), provenance_of(table.schema))
    with pytest.raises(InputError, match="holds other states than other layers"):
        made.select("tiny")
    write_table(energies, table, provenance_of(table.schema))
    made.select("tiny")
    curve.unlink()
    with pytest.raises(InputError, match="no such file; run snakemake"):
        made.select("tiny")


def test_a_layer_without_a_curve_and_a_room_too_small_are_refused(made):
    with pytest.raises(InputError, match=r"--curves: there is none of layer 2; give each layer's"):
        made.select("tiny", curves=[made.path("curves", "tiny", "/layer=0")])
    with pytest.raises(InputError, match=r"^explorer\.megabytes: .* no room .*; raise it"):
        made.select("tiny", bytes=100)
    with pytest.raises(
        InputError, match=r"explorer\.megabytes: the page takes \d\.\d MB, beyond 0"
    ):
        made.page(megabytes=0)
    assert not (made.results / "explorer.html").exists()


def test_tables_of_two_selections_are_no_page(made):
    first = made.select("tiny")
    tables = {kind: path.rename(path.with_suffix(".old")) for kind, path in first.items()}
    second = made.select("tiny", seed=1)
    mixed = second | {"states": tables["states"]}
    with pytest.raises(InputError, match="was not selected with"):
        write(made.results / "x.html", [mixed], [made.results / "models/tiny"], 10)


def test_half_precision_holds_what_is_shown_of_it():
    """H around a state is kept in 16 bits: within a thousandth of itself."""
    energy = np.geomspace(1e-4, 1, 1000)
    assert np.abs(energy.astype(np.float16) / energy - 1).max() < 1e-3
