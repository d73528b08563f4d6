"""How far a way of steering goes until it has an effect."""

import numpy as np

from workflow_scripts.semstat.steering.effects import first_crossing


def test_the_first_crossing_is_interpolated():
    value = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, -1.0], [3.0, 1.0, -2.0]])
    along = np.array([[0.0] * 3, [1.0] * 3, [2.0] * 3])
    found = first_crossing([0.5, 2.0], value, along)
    np.testing.assert_allclose(found, [[0.5, 0.25, np.nan], [1.5, 1.0, np.nan]])
