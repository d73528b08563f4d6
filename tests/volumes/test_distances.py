"""How far wells are: against a fine grid, exact half-spaces, and nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from tests.tiny import tiny_model
from tests.volumes.sampled import HIDDEN, LAYER, make_place, run, running
from tests.volumes.test_decoded import PAIRS, decoder_of, like, text_states
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.models.decoder import Decoder, LayeredModel
from workflow_scripts.semstat.tables import provenance_of, read_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.semstat.volumes.decoded import Decoded, DecodedEnergy
from workflow_scripts.semstat.volumes.directions import directions
from workflow_scripts.semstat.volumes.distance_columns import DISTANCES as POINTS
from workflow_scripts.semstat.volumes.distances import Chart, distances, within
from workflow_scripts.semstat.volumes.gaussian import Gaussian
from workflow_scripts.semstat.volumes.nearness import describe_distances
from workflow_scripts.semstat.volumes.pairs import draw_pairs
from workflow_scripts.semstat.volumes.tables import DISTANCES
from workflow_scripts.volumes import describe_distances as describing
from workflow_scripts.volumes.measure_axes import measure_axes
from workflow_scripts.volumes.measure_distances import measure_distances

torch.set_num_threads(1)


def small_decoder(hidden, norm, seed=0, vocabulary=8, size=2.5):
    torch.manual_seed(seed)
    unembedding = nn.Linear(hidden, vocabulary, bias=False)
    unembedding.weight.data = size * torch.randn(vocabulary, hidden)
    tail = () if norm is None else (norm(hidden),)
    for module in tail:
        module.weight.data = 1 + 0.3 * torch.randn(hidden)
    return Decoder(tuple(module.requires_grad_(False) for module in tail),
                   unembedding.requires_grad_(False))  # fmt: skip


@pytest.mark.parametrize("norm, hidden", [(nn.RMSNorm, 3), (nn.LayerNorm, 4)])
def test_on_a_sphere_the_nearest_point_is_that_of_a_fine_grid(norm, hidden):
    """Of points of a sphere in three dimensions, less than 0.01 radians apart."""
    found, nearest = [], []
    for seed in range(3):
        decoder = small_decoder(hidden, norm, seed)
        decoded = directions(decoder, hidden)
        chart = Chart.of(decoded)
        assert chart.unit == "radians" and chart.dimensions == 3
        generator = torch.Generator().manual_seed(seed)
        x_sn, grid_sn = (decoded.space.draw(n, generator) for n in (40, 200_000))
        for pair in ([0, 1], [6, 3], [2, 5]):
            pair_12 = torch.tensor([pair])
            energy_of = DecodedEnergy(decoder, decoded, pair_12)
            energy_s = energy_of(grid_sn, torch.zeros(len(grid_sn), dtype=torch.int64))
            well_sn = grid_sn[energy_s <= -0.5]
            if not len(well_sn):
                continue
            nearest.append(torch.arccos((x_sn @ well_sn.T).clamp(-1, 1)).min(dim=1).values)
            found.append(distances(decoder, chart, x_sn, pair_12.expand(40, 2)))
    found, nearest = torch.cat(found), torch.cat(nearest)
    assert len(found) >= 100 and found.isfinite().all()
    assert (found > nearest - 0.01).all(), "shorter than the shortest path"
    assert (found < 1.03 * nearest + 0.01).double().mean() > 0.9, "not the nearest point"


def half_space(dimensions=5, size=1.0):
    """Two tokens whose logits are linear: H ≤ E is a half-space."""
    decoder = small_decoder(dimensions, None, vocabulary=2, size=size)
    return decoder, Chart.of(Decoded(Gaussian(dimensions), lambda z_sn, _run_s: z_sn))


@pytest.mark.parametrize("energy", [-0.5, -0.05, -0.9])
def test_a_half_space_is_as_far_as_it_is(energy):
    decoder, chart = half_space()
    assert chart.unit == "standard deviations"
    z_sn = chart.decoded.space.draw(50, torch.Generator().manual_seed(1))
    pair_s2 = torch.tensor([[0, 1]]).expand(50, 2)
    apart_n = decoder.unembedding.weight[0] - decoder.unembedding.weight[1]
    border = np.log((1 - energy) / (1 + energy))  # of the log-odds: H = −tanh(odds / 2)
    exact_s = ((border - z_sn @ apart_n) / apart_n.norm()).clamp(min=0).double()
    found_s = distances(decoder, chart, z_sn, pair_s2, energy)
    assert ((found_s == 0) == (exact_s == 0)).all()
    assert torch.allclose(found_s, exact_s, atol=0.03 / float(apart_n.norm()))
    assert (found_s >= exact_s - 1e-5).all() and 5 < (exact_s > 0).sum() < 50


def test_where_there_is_no_well_none_is_found():
    decoder = small_decoder(4, nn.RMSNorm, size=0.05)
    chart = Chart.of(directions(decoder, 4))
    x_sn = chart.decoded.space.draw(6, torch.Generator().manual_seed(0))
    assert distances(decoder, chart, x_sn, torch.tensor([[0, 1]]).expand(6, 2)).isnan().all()


@pytest.mark.parametrize("energy", [-0.5, -0.02, -0.8])
def test_the_border_is_where_h_is_the_energy(energy):
    decoder = small_decoder(6, nn.RMSNorm)
    decoded = directions(decoder, 6)
    x_sn = decoded.space.draw(4000, torch.Generator().manual_seed(0))
    pair_s2 = torch.tensor([[0, 1]]).expand(4000, 2)
    energy_s = DecodedEnergy(decoder, decoded, pair_s2)(x_sn, torch.arange(4000))
    depth_s = within(decoder, pair_s2, energy)(decoded.state_of(x_sn, None))[:, 0]
    clear_s = (energy_s - energy).abs() > 1e-5
    assert ((depth_s > 0) == (energy_s < energy))[clear_s].all()
    assert 50 < (depth_s > 0).sum() < 3900


@pytest.mark.parametrize("family", ["Llama", "GPT-2"])
def test_states_have_their_points(family):
    decoder = decoder_of(family)
    state_sn = text_states(states=400)
    for decoded in (directions(decoder, HIDDEN), like(state_sn)):
        chart = Chart.of(decoded)
        energy_of = DecodedEnergy(decoder, decoded, PAIRS[:1])
        there_s, of_text_s = (
            energy_of(chart.points_of(q_sn), torch.zeros(400, dtype=torch.int64))
            for q_sn in (chart.state_of(chart.points_of(state_sn)), state_sn)
        )
        expected = DecodedEnergy(
            decoder, Decoded(decoded.space, lambda q_sn, _run_s: q_sn), PAIRS[:1]
        )(state_sn, torch.zeros(400, dtype=torch.int64))
        assert torch.allclose(of_text_s, expected, atol=1e-4)
        assert torch.allclose(there_s, expected, atol=1e-4)


# The command.


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = make_place(tmp_path_factory.mktemp("distances"))
    options = {"context": 32, "stride": 16, "layers": [1, LAYER]}
    out = [place / f"axes-{layer}.parquet" for layer in (1, LAYER)]
    run(measure_axes, running(place) | options | {"out": out})
    return place


def options_of(place, out, **more):
    cut = {"context": 6, "stride": 3, "layer": LAYER, "spaces": ["sphere", "gaussian"]}
    axes = {"axes": place / f"axes-{LAYER}.parquet"}
    given = {"pairs": 4, "starts": 10, "energy": -0.004, "out": out}
    return running(place) | cut | axes | given | more


def test_the_command_starts_where_text_is(place, tmp_path):
    """More states are wanted than there are other documents; windows are shorter than those."""
    out = tmp_path / "points.parquet"
    run(measure_distances, options_of(place, out, context=64, stride=64))
    table = read_table(out, POINTS)
    rows = table.to_pylist()
    assert len(rows) == 2 * 4 * 21
    tokens = read_table(place / "tokens.parquet", TOKENS).to_pydict()
    drawn = draw_pairs([np.array(ids) for ids in tokens["tokens"]], 4, 0, 4)
    model = LayeredModel(tiny_model())
    chart = Chart.of(directions(model.decoder.in_float32(), HIDDEN))
    for number in range(4):
        mine = [row for row in rows if row["pair"] == number and row["space"] == "sphere"]
        assert [row["start"] for row in mine] == ["own"] + ["text"] * 10 + ["random"] * 10
        document, at = drawn.document_r[number], drawn.position_r[number]
        assert {row["doc"] for row in mine} == {tokens["doc"][document]}
        ids = torch.tensor([tokens["tokens"][document][: at + 1]])
        q_1n = model.hidden_states(ids, [LAYER])[LAYER][:, -1].clone()
        pair_12 = torch.from_numpy(drawn.ids_r2[number : number + 1])
        (own,) = distances(model.decoder, chart, chart.points_of(q_1n), pair_12, -0.004)
        assert mine[0]["distance"] == pytest.approx(float(own), rel=0.01, abs=1e-4)
    assert provenance_of(table.schema)["energy"] == -0.004
    again = tmp_path / "again.parquet"
    run(measure_distances, options_of(place, again, context=64, stride=64))
    assert again.read_bytes() == out.read_bytes()


def test_distances_are_described(place, tmp_path):
    points, out = tmp_path / "points.parquet", tmp_path / "distances.parquet"
    run(measure_distances, options_of(place, points))
    call(describing.describe_distances, [str(points), "--out", str(out)])
    rows = read_table(out, DISTANCES).to_pylist()
    assert [(row["space"], row["unit"]) for row in rows] == [
        ("sphere", "radians"),
        ("gaussian", "standard deviations"),
    ]
    for row in rows:
        assert (row["pairs"], row["starts"], row["layer"]) == (4, 10, LAYER)
        assert row["reached_own"] == row["reached_text"] == row["reached_random"] == 1
        assert 0 < row["nearest_text"] < row["text"] and row["own_low"] < row["own"]
        assert 0 < row["nearest_random"] < row["random"] < 10


def test_a_well_of_no_energy(place, tmp_path):
    with pytest.raises(InputError, match=r"^--energy: 0\.0 is of no well; take one between -1 and"):
        run(measure_distances, options_of(place, tmp_path / "out.parquet", energy=0.0))


def test_a_space_without_its_axes(place, tmp_path):
    options = options_of(place, tmp_path / "out.parquet")
    del options["axes"]
    with pytest.raises(InputError, match=r"^volumes\.spaces: gaussian: has no axes; give --axes"):
        run(measure_distances, options)


# Averages.


def test_text_that_is_nothing_special_is_no_nearer():
    """Of 400 groups of pairs, 95% of the intervals hold one half and the mean."""
    rng = np.random.default_rng(0)
    held = {"text_nearer": 0, "own": 0}
    for _ in range(400):
        own_r, text_rs, random_rs = (rng.gamma(4, size=size) for size in (12, (12, 8), (12, 8)))
        row = describe_distances(own_r, text_rs, random_rs, 0.95)
        for name, exact in (("text_nearer", 0.5), ("own", 4.0)):
            held[name] += row[name].low <= exact <= row[name].high
    for inside in held.values():
        assert stats.binomtest(inside, 400, 0.95).pvalue > 1e-3
    row = describe_distances(own_r / 10, text_rs / 10, random_rs, 0.95)
    assert row["text_nearer"].low > 0.9 and row["own_nearer"].low > 0.9


def test_what_is_not_found_is_farther_than_all():
    own_r, text_rs = np.array([1.0, np.nan]), np.array([[1.0, 2.0, np.nan], [3.0, 5.0, 4.0]])
    row = describe_distances(own_r, text_rs, np.full((2, 3), np.nan), 0.95)
    assert (row["reached_own"], row["reached_text"], row["reached_random"]) == (0.5, 5 / 6, 0)
    assert np.isnan(row["own"].value) and np.isnan(row["nearest_random"].low)
    assert row["text"].value == 3 and row["nearest_text"].value == 2
    assert row["text_nearer"].value == pytest.approx((5 / 6 + 1) / 2)  # ties count half
    assert row["own_nearer"].value == pytest.approx((1 + 0.5) / 2)
