"""The second method against exact volumes, in units of its own error, and against the first."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from tests.volumes.systems import cap, height, trace
from workflow_scripts.semstat.volumes.entropy import Entropy, entropy, of_repeats
from workflow_scripts.semstat.volumes.flat_histogram import Flat, flat_histogram
from workflow_scripts.semstat.volumes.gaussian import Gaussian
from workflow_scripts.semstat.volumes.sphere import Sphere

torch.set_num_threads(1)
RUNS = 6


def repeated(space, energy_of, energy_e, moves=500):
    found = [
        flat_histogram(
            space, energy_of, energy_e, 64, moves, moves, torch.Generator().manual_seed(seed)
        )
        for seed in range(RUNS)
    ]
    return Entropy(*(np.stack(part) for part in zip(*found, strict=True)))


@pytest.mark.parametrize(
    ("space", "exact", "energy_e"),
    [
        (Sphere(8, torch.float64), lambda e: cap(8, e), np.linspace(-0.9, 0.5, 15)),
        (Gaussian(3, torch.float64), stats.norm.logcdf, np.linspace(-4.5, 1.0, 12)),
    ],
    ids=["cap", "gaussian"],
)
def test_exact_volumes(space, exact, energy_e):
    each = repeated(space, height, energy_e)
    exact_e = exact(energy_e)
    assert exact_e[0] < -7
    z_re = (each.value - exact_e) / each.stderr
    assert np.isfinite(z_re).all()
    # Energies of one run share its errors.
    assert (abs(z_re.mean(axis=0)) < 3.9 / np.sqrt(RUNS)).all()
    assert 0.5 < z_re.std() < 1.6
    assert (each.stderr < 0.5).all()


def test_both_methods_agree_on_an_energy_of_no_symmetry():
    space = Sphere(4, torch.float64)

    def energy_of(q_sn, run_s):
        twisted = q_sn[:, 0] * q_sn[:, 1] + q_sn[:, 2] ** 3 - 0.3 * q_sn[:, 3]
        return torch.minimum(twisted, q_sn[:, 1] - 0.2).double()

    energy_e = np.linspace(-1.18, 0.0, 12)
    flat = of_repeats(repeated(space, energy_of, energy_e, 250))
    nested = of_repeats(
        entropy(trace(space, energy_of, 16, walkers=64, culled=16, moves=4, target=-1.18), energy_e)
    )
    assert flat.value[0] < -6
    assert (abs(flat.value - nested.value) < 4 * np.hypot(flat.stderr, nested.stderr)).all()


def test_cells_hold_their_upper_edges():
    edges = torch.tensor([-1.0, 0.0], dtype=torch.float64)
    flat = Flat(torch.zeros(4, dtype=torch.int64), edges, torch.tensor([-5.0, 0.0, 1.0]))
    energy_s = torch.tensor([-1.0, -0.5, 0.0, 0.1], dtype=torch.float64)
    assert flat.cell(energy_s).tolist() == [0, 1, 1, 2]
    weight_s = flat.weight(energy_s)
    assert weight_s[0] / weight_s[3] == pytest.approx(np.exp(6))


def test_what_is_never_reached_is_nothing():
    found = flat_histogram(
        Sphere(3, torch.float64), height, [-2.0, 0.0], 8, 20, 20, torch.Generator().manual_seed(0)
    )
    assert np.isnan(found.value[0]) and found.value[1] == pytest.approx(np.log(0.5), abs=0.5)
