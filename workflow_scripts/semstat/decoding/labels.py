"""Short labels beside points, placed where they cover least."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALL = 5.5
"""Points of such a label."""

GAP = 3.0
"""Points between a label and its point."""

TURNS = 12
"""Directions that are tried."""

RINGS = (1.0, 2.0, 3.5, 5.0)
"""Distances that are tried, in gaps."""


class Label(NamedTuple):
    """What is to be written at a place, in the data's coordinates."""

    x: float
    y: float
    text: str
    color: Any


def place_labels(axes: Axes, labels: Sequence[Label], lines: Sequence[Array]) -> None:
    """Write labels beside their points where they cover the fewest labels, points and lines.

    The layout of the figure must be found: what is covered is measured on the page.

    Parameters
    ----------
    lines : (points, 2) each, through points that are drawn.
    """
    drawn = [_filled(axes.transData.transform(line_p2)) for line_p2 in lines]
    drawn_p2 = np.concatenate([np.empty((0, 2)), *drawn])
    inside = axes.get_window_extent()
    taken: list[Bbox] = []
    for label in labels:
        text = axes.annotate(
            label.text,
            (label.x, label.y),
            (0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            color=label.color,
        )
        text.set_in_layout(False)
        at, pixels = text.get_window_extent(), axes.figure.dpi / 72

        def covered(offset: Array, at: Bbox = at, pixels: float = pixels) -> float:
            box = at.translated(*(offset * pixels))
            out = not (inside.contains(*box.min) and inside.contains(*box.max))
            distance = float(np.hypot(*offset))
            points = box.padded(pixels).count_contains(drawn_p2)
            return 20 * box.count_overlaps(taken) + points + 100 * out + 0.05 * distance

        best = min(_offsets(at.width / pixels, at.height / pixels), key=covered)
        text.set_position((best[0], best[1]))
        taken.append(at.translated(*(best * pixels)))


def _filled(line_p2: Array) -> Array:
    """Points along a line, three pixels from each other."""
    pieces = [line_p2[:1]]
    for start, end in pairwise(line_p2):
        steps = max(1, int(np.hypot(*(end - start)) / 3))
        pieces.append(start + (end - start) * np.linspace(0, 1, steps + 1)[1:, None])
    return np.concatenate(pieces)


def _offsets(width: float, height: float) -> list[Array]:
    """Where the middle of a label of this size may lie, from its point, all in points."""
    angles = 2 * np.pi * np.arange(TURNS) / TURNS
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    half = np.array([width, height]) / 2
    return [way * (half + GAP * ring) for ring in RINGS for way in ways]
