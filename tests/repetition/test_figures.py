"""The figure of a repetition."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tests.repetition.test_description import made
from workflow_scripts.semstat.repetition.description import describe_repetition
from workflow_scripts.semstat.repetition.figures import draw_repetition


def test_the_figure_has_a_line_and_a_band_a_layer_and_nothing_overlaps():
    rng = np.random.default_rng(0)
    columns_n = {copies: made(copies, rng) for copies in (4, 1, 2)}
    rows = [
        {"layer": layer} | row
        for layer in (0, 8, 16)
        for row in describe_repetition(columns_n, 0.95)
    ]
    figure = draw_repetition(rows, "tiny, text: a token repeated")
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["0", "8", "16"]
    for axes, name in zip(figure.axes, ("energy", "p_copy"), strict=True):
        lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 3]
        assert len(lines) == len(axes.collections) == 3
        for line in lines:
            expected = [row[name] for row in rows[:3]]
            np.testing.assert_array_equal(line.get_ydata(), np.array(expected, dtype=float))
        assert not legend.get_window_extent().overlaps(axes.get_tightbbox())
    labels = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert labels == ["1", "2", "4"]
