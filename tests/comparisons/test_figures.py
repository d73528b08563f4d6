"""The figure of a difference of synthetic curves."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from workflow_scripts.semstat.comparisons.figures import DIFFERENCE_PANELS, draw_difference
from workflow_scripts.semstat.figures import save
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges

EDGES = energy_edges()


def test_a_difference_is_drawn_solid_where_it_has_a_band():
    known = np.abs(EDGES) < 0.5
    columns = {"energy": EDGES}
    for name in DIFFERENCE_PANELS:
        columns[name] = np.where(EDGES < -0.9, np.nan, EDGES)
        for bound, half in (("", 0.1), ("_band", 0.2)):
            inside = known if bound else EDGES >= -0.9
            columns[f"{name}{bound}_low"] = np.where(inside, columns[name] - half, np.nan)
            columns[f"{name}{bound}_high"] = np.where(inside, columns[name] + half, np.nan)
    figure = draw_difference(columns, "a: one\nb: other")
    FigureCanvasAgg(figure).draw()
    assert figure.get_suptitle() == "a: one\nb: other"
    panels = np.reshape(figure.axes, (-1, 2))
    for beside, (name, label) in zip(panels, DIFFERENCE_PANELS.items(), strict=True):
        assert beside[0].get_ylabel() == label
        for axes in beside:
            assert len(axes.collections) == 2
            dotted, solid = axes.get_lines()[-2:]
            np.testing.assert_array_equal(
                dotted.get_ydata(), np.where(EDGES == 0, np.nan, columns[name])
            )
            np.testing.assert_array_equal(np.isfinite(solid.get_ydata()), known & (EDGES != 0))
            low, high = axes.get_ylim()
            assert low < -0.5 and high > 0.5


def test_a_difference_that_is_nowhere_defined_is_drawn_empty(tmp_path):
    nothing = np.full_like(EDGES, np.nan)
    columns = {f"{name}{bound}": nothing for name in DIFFERENCE_PANELS
               for bound in ("", "_low", "_high", "_band_low", "_band_high")}  # fmt: skip
    save(draw_difference(columns | {"energy": EDGES}, "none"), [str(tmp_path / "none.svg")])
    assert "none" in (tmp_path / "none.svg").read_text()
