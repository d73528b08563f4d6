"""Bounds do not depend on how many threads compute them."""

import os
import subprocess
import sys

import numpy as np

from tests.runs import REPO

ESTIMATE = """
import sys
import numpy as np
from workflow_scripts.semstat.statistics.closed_forms import oscillators
from workflow_scripts.semstat.thermodynamics.curves import estimate_curves
from workflow_scripts.semstat.thermodynamics.energy_grid import count_states, energy_edges

energy_s, doc_s = oscillators(10).sample(np.random.default_rng(3), 64, 64, 0.1)
counts = count_states(energy_s, doc_s, energy_edges())
curves = estimate_curves(counts, energy_edges(), np.random.default_rng(0), 50)
np.savez(sys.argv[1], **curves.columns())
"""


def test_bands_are_those_of_one_thread(tmp_path):
    def estimated(threads):
        out = tmp_path / f"{threads}.npz"
        threading = {f"{library}_NUM_THREADS": threads for library in ("OMP", "OPENBLAS", "MKL")}
        environment = os.environ | threading | {"PYTHONPATH": str(REPO)}
        subprocess.run([sys.executable, "-c", ESTIMATE, out], check=True, env=environment)
        return np.load(out)

    one, two = estimated("1"), estimated("2")
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-6, err_msg=name)
