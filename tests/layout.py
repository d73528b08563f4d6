"""What stands in each other's way in a figure."""

from __future__ import annotations

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg

LONG = "an-organisation-of-many-words/a-model-of-a-very-long-name-13b-instruct".ljust(100, "0")


def crowded(figure):
    """What lies outside of a figure, or over something else, in words; none if all is legible."""
    FigureCanvasAgg(figure).draw()
    boxes = {
        f"axes {i} {axes.get_title(loc='left')!r}": axes.get_tightbbox()
        for i, axes in enumerate(figure.axes)
        if axes.get_visible() and axes.axison
    }
    boxes |= {f"legend {i}": of.get_window_extent() for i, of in enumerate(figure.legends)}
    if figure._suptitle is not None:
        boxes["title"] = figure._suptitle.get_window_extent()
    inside = figure.bbox.padded(1)
    found = [
        f"{name} is outside"
        for name, box in boxes.items()
        if box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1
    ]
    for (a, one), (b, other) in itertools.combinations(boxes.items(), 2):
        if one.padded(-1).overlaps(other):
            found.append(f"{a} is over {b}")
    for name, axes in zip(boxes, figure.axes, strict=False):
        for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
            shown = [tick.get_window_extent() for tick in ticks if tick.get_text()]
            if any(a.padded(-1).overlaps(b) for a, b in itertools.combinations(shown, 2)):
                found.append(f"tick labels of {name} are over each other")
    return found
