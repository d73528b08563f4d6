"""A well's numbers are those of its states; intervals hold the truth as often as they say."""

import numpy as np
import pytest
from scipy.stats import binomtest

from workflow_scripts.semstat.statistics.closed_forms import beta, uniform, with_atom
from workflow_scripts.semstat.thermodynamics.energy_grid import SMALLEST, energy_edges
from workflow_scripts.semstat.thermodynamics.states import sum_states
from workflow_scripts.semstat.thermodynamics.tables import WELL_NUMBERS
from workflow_scripts.semstat.thermodynamics.wells import LEVEL, describe_wells, lowest_interval

EDGES = energy_edges()
DEPTH = 0.7
MEAN_SHARE = 0.2


def columns(energy_ds, seed=0):
    """An energies table of documents d and their states s; H = 0 where last = correct."""
    documents, states = energy_ds.shape
    energy = energy_ds.ravel().astype(np.float32)
    rng = np.random.default_rng(seed)
    top, last = rng.integers(3, size=(2, energy.size))
    return {
        "doc": np.repeat(np.arange(documents), states),
        "energy": energy,
        "top": top,
        "last": last,
        "correct": np.where(energy == 0, last, last + 1),
    }


def well(energy_ds, confidence=0.95):
    return wells([energy_ds], confidence)[0][0]


def wells(energy_lds, confidence=0.95, resamples=60):
    """Wells of layers whose states are of the same documents, and which is the deepest."""
    sums_l = [sum_states(columns(energy_ds), EDGES) for energy_ds in energy_lds]
    return describe_wells(sums_l, EDGES, np.random.default_rng(0), resamples, confidence)


def sampled(system, seed, documents=64, states=100):
    energy_s, _ = system.sample(np.random.default_rng(seed), documents, states, 0.1)
    return energy_s.reshape(documents, states)


def correlated(rng, documents=128, states=20):
    """Documents that differ in the share of their states at −DEPTH; the others are at +0.3."""
    share_d = rng.beta(1, 1 / MEAN_SHARE - 1, size=documents)
    return np.where(rng.random((documents, states)) < share_d[:, None], -DEPTH, 0.3)


def test_values_are_those_of_the_states():
    rng = np.random.default_rng(0)
    energy_ds = np.round(rng.uniform(-1, 1, (90, 30)), 1).astype(np.float32)
    column, found = columns(energy_ds), well(energy_ds)
    energy_s = column["energy"].astype(float)
    stutters_s = (column["top"] == column["last"]) & (column["last"] != column["correct"])
    edge = -0.1, -0.5  # float32 energies of −0.1 lie below the edge −0.1, as they should
    exact = {
        "mean_energy": energy_s.mean(),
        "lowest_energy": energy_s.min(),
        "below_zero": (energy_s < 0).mean(),
        "below_minus_0.1": (energy_s <= edge[0]).mean(),
        "below_minus_0.5": (energy_s <= edge[1]).mean(),
        "stutters": stutters_s.mean(),
        "at_zero": (energy_s == 0).mean(),
    }
    assert tuple(found) == WELL_NUMBERS == (*exact, "depth", "width")
    for name, exact_value in exact.items():
        value, low, high = found[name]
        assert value == pytest.approx(exact_value, abs=1e-12), name
        assert low <= value <= high and (low < high or name == "lowest_energy"), name


def test_depth_and_width_are_quantiles_of_the_states():
    """To within the grid, which is finer than the gaps between these states are wide."""
    rng = np.random.default_rng(3)
    energy_ds = np.round(rng.uniform(-1, 1, (90, 40)), 3)
    found = well(energy_ds)
    energy_s = np.sort(energy_ds.ravel())
    in_well_s = energy_s[energy_s < 0]
    depth = np.quantile(energy_s, LEVEL, method="inverted_cdf")
    width = np.subtract(*np.quantile(in_well_s, [0.75, 0.25]))
    for name, exact in (("depth", depth), ("width", width)):
        value, low, high = found[name]
        cell = np.diff(EDGES)[np.searchsorted(EDGES, exact) - 1]
        assert value == pytest.approx(exact, abs=2 * cell), name
        assert low <= value <= high and low < high, name


def energies_of(rng):
    """Documents of a few states that lie anywhere, crowd together, or nearly all above 0."""
    documents, states = rng.integers(2, 90), rng.integers(2, 40)
    energy_ds = rng.uniform(-1, 1, (documents, states))
    energy_ds = np.sign(energy_ds) * np.abs(energy_ds) ** rng.choice([0.1, 1, 10, 100])
    above_ds = rng.random(energy_ds.shape) < rng.choice([0, 0.9, 0.999])
    return np.where(above_ds, np.abs(energy_ds), energy_ds).astype(np.float32).astype(float)


def test_depth_and_width_lie_where_the_states_do():
    """Never below the lowest state, nor outside the cell of the state that they are read off.

    Their bounds may lie where no state is, within the energies there are.
    """
    rng = np.random.default_rng(0)
    told = {"depth": 0, "width": 0}
    for _ in range(100):
        energy_ds = energies_of(rng)
        found, energy_s = well(energy_ds), np.sort(energy_ds.ravel())
        in_well_s = energy_s[energy_s < 0]

        def between(states_s, share, lowest=energy_s[0]):
            exact = np.quantile(states_s, share, method="inverted_cdf")
            edge = np.searchsorted(EDGES, exact)
            return max(lowest, EDGES[max(edge - 1, 0)]), EDGES[edge]

        if len(energy_s) * LEVEL >= 1:
            told["depth"] += 1
            low, high = between(energy_s, LEVEL)
            assert low <= found["depth"].value <= high
            assert -1 <= found["depth"].low <= found["depth"].value <= found["depth"].high <= 1
        if len(in_well_s) and np.quantile(in_well_s, 0.25, method="inverted_cdf") <= -SMALLEST:
            told["width"] += 1
            low_1, high_1 = between(in_well_s, 0.25)
            low_3, high_3 = between(in_well_s, 0.75)
            assert max(0, low_3 - high_1) <= found["width"].value <= high_3 - low_1
            value, low, high = found["width"]
            in_two_documents = ((energy_ds < 0).any(axis=1)).sum() > 1
            assert (
                0 <= low <= value <= high <= 1 if in_two_documents else np.isnan([low, high]).all()
            )
        else:
            assert np.isnan(found["width"]).all()
    assert min(told.values()) > 30


def test_states_that_are_known_are_read_off_as_they_are():
    """The lowest state of each block is known, whatever the cell that it is counted in."""
    rng = np.random.default_rng(0)
    energy_ds = rng.uniform(0.2, 1, (60, 50)).astype(np.float32).astype(float)
    energy_ds[:40, 7] = rng.uniform(-0.3, -0.29, 40).astype(np.float32)
    found, below_s = well(energy_ds), np.sort(energy_ds[:40, 7])
    assert found["lowest_energy"].value == below_s[0]
    assert found["depth"].value == below_s[2]
    assert found["width"].value == below_s[29] - below_s[9]
    energy_ds[1:40, 7] = 0.5
    assert well(energy_ds)["width"].value == 0


def test_a_width_that_the_grid_does_not_resolve_is_not_told():
    """States at −10⁻¹² are in one cell with those at −10⁻⁶; a few lower ones change nothing."""
    energy_ds = np.full((60, 50), -1e-12)
    energy_ds[:, 0] = -0.4
    found = well(energy_ds)
    assert np.isnan(found["width"]).all()
    assert found["depth"].value == pytest.approx(-0.4)
    energy_ds[:, :20] = -0.4
    assert well(energy_ds)["width"].value == pytest.approx(0.4, abs=0.02)


def test_depth_and_width_have_the_exact_values_within_their_intervals():
    system = with_atom(beta(2, 5), 0.1)
    mass = beta(2, 5).volume(0.0)
    exact = {
        "depth": float(system.quantile(np.array(LEVEL))),
        "width": float(np.diff(beta(2, 5).quantile(np.array([0.25, 0.75]) * mass))[0]),
    }
    held = dict.fromkeys(exact, 0)
    for seed in range(40):
        (found,), _ = wells([sampled(system, seed, states=300)], resamples=200)
        for name, truth in exact.items():
            _, low, high = found[name]
            held[name] += low <= truth <= high
    assert all(count >= 32 for count in held.values()), held


def test_depth_and_width_are_undefined_where_too_few_states_tell():
    few = np.random.default_rng(0).uniform(0.1, 1, (9, 10))
    (found,), deepest_l = wells([few])
    assert np.isnan([*found["depth"], *found["width"]]).all()
    assert np.isnan(deepest_l).all()
    in_one_document = few.copy()
    in_one_document[0, 0] = -0.5
    (found,), _ = wells([in_one_document])
    assert found["width"].value == 0 and np.isnan(found["width"][1:]).all()


def test_the_deepest_layer_is_found():
    of_layers = [sampled(beta(a, 5), 7) for a in (4, 1, 3)]
    found, deepest_l = wells(of_layers)
    assert deepest_l.tolist() == [0, 1, 0]
    assert found[1]["depth"][2] < found[2]["depth"][1]


def test_layers_alike_share_the_deepest_well():
    """Resampled in common: a layer and its copy, slightly deeper, are told apart all the same."""
    energy_ds = sampled(uniform(), 1)
    _, deepest_l = wells([energy_ds / 2, energy_ds / 2 - 0.02])
    assert deepest_l.tolist() == [0, 1]
    _, deepest_l = wells([energy_ds, sampled(uniform(), 2)])
    assert deepest_l.sum() == pytest.approx(1) and 0.05 < deepest_l[0] < 0.95


def test_layers_that_are_equal_share_alike():
    energy_ds = sampled(uniform(), 1)
    _, deepest_l = wells([energy_ds, energy_ds, energy_ds / 2])
    assert deepest_l.tolist() == [0.5, 0.5, 0]


def test_layers_of_other_documents_are_refused():
    energy_ds = sampled(uniform(), 1)
    with pytest.raises(ValueError, match="same documents"):
        wells([energy_ds, energy_ds[:30]])


def test_intervals_hold_the_truth_and_count_documents_not_states():
    rng = np.random.default_rng(1)
    truth = {"below_minus_0.5": MEAN_SHARE, "mean_energy": 0.3 - MEAN_SHARE * (DEPTH + 0.3)}
    runs = 300
    held, standard = dict.fromkeys(truth, 0), []
    for _ in range(runs):
        found = well(correlated(rng))
        for name, exact in truth.items():
            value, low, high = found[name]
            held[name] += low <= exact <= high
        value, low, high = found["mean_energy"]
        standard.append((value - truth["mean_energy"]) / ((high - low) / 2 / 1.998))
    for count in held.values():
        assert binomtest(count, runs, 0.95).pvalue > 1e-3
    # Were the states independent, z would scatter by √(design effect) = 2.1.
    assert abs(np.mean(standard)) < 4 / np.sqrt(runs)
    assert np.std(standard) == pytest.approx(1, abs=0.15)


def test_a_wider_confidence_gives_a_wider_interval():
    energy_ds = correlated(np.random.default_rng(0))
    narrow, wide = well(energy_ds, 0.5), well(energy_ds, 0.99)
    for name in ("mean_energy", "below_minus_0.5", "stutters"):
        assert wide[name][1] < narrow[name][1] <= narrow[name][2] < wide[name][2]


def test_what_was_never_seen_has_the_exact_binomial_bound():
    """Independent states: as many as there are."""
    rng = np.random.default_rng(0)
    found = well(rng.uniform(0.01, 1, (640, 10)))
    for name in ("below_zero", "below_minus_0.1", "below_minus_0.5", "at_zero"):
        value, low, high = found[name]
        exact = binomtest(0, 6400).proportion_ci(0.95, method="exact").high
        assert (value, low) == (0, 0)
        assert high == pytest.approx(exact, rel=0.35) and high >= exact * (1 - 1e-9)
    always = well(rng.uniform(-1, -0.6, (640, 10)))["below_minus_0.5"]
    assert always[0] == always[2] == 1 and 1 - always[1] == pytest.approx(exact, rel=0.35)


def test_the_bound_of_what_was_never_seen_widens_with_correlation():
    rng = np.random.default_rng(0)
    alone = rng.uniform(0.01, 1, (640, 10))
    together = np.repeat(alone[:, :1], 10, axis=1)
    assert well(together)["below_zero"][2] > 5 * well(alone)["below_zero"][2]


@pytest.mark.parametrize("blocks", [2, 5, 64])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_lowest_energy_is_bounded_as_by_the_bootstrap(blocks, confidence):
    rng = np.random.default_rng(0)
    lowest_b = rng.uniform(-1, 0, blocks)
    resampled = rng.choice(lowest_b, size=(20_000, blocks)).min(axis=1)
    value, low, high = lowest_interval(lowest_b, confidence)
    assert value == low == lowest_b.min()
    assert (resampled <= high).mean() >= confidence - 0.01
    assert (resampled < high).mean() < confidence + 0.01
