"""The figure of one text: its tokens, and the energy of each state between two of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..figures import Figure, house_style

STATES_A_ROW = (18, 32)
"""States side by side: as many as the colour bar is wide, to as many as a page is; a longer text
goes on below."""

LABEL = 16
"""Characters shown of a token."""

INVISIBLE = str.maketrans({"\n": "↵", "\r": "↵", "\t": "⇥"})


def draw_tokens(
    tokens: Sequence[str], layers: Sequence[int], energy_ls: NDArray[np.floating], title: str
) -> Figure:
    """Draw the energy of each state of a text at each layer, as a map of layer × text.

    A state is a cell between two tokens: the last one, which it would repeat, stands at its left
    edge, and the correct next one at its right.

    Parameters
    ----------
    tokens : (states + 1,) the text, token by token.
    layers : layers, ascending, not necessarily adjacent; each gets a row of the same height.
    energy_ls : (layers, states) energies H in [−1, 1].
    """
    states = len(tokens) - 1
    rows = -(-states // STATES_A_ROW[1])
    wide = -(-states // rows)
    labels = [_label(token) for token in tokens]
    labels_r = [labels[first : first + wide + 1] for first in range(0, states, wide)]
    letters = sum(max(map(len, of_row)) for of_row in labels_r)
    high = max(0.36, min(0.17 * len(layers), 1.2 + 0.02 * len(layers)))
    size = (0.7 + 0.155 * max(wide, STATES_A_ROW[0]), 1.1 + rows * (0.12 + high) + 0.07 * letters)
    with house_style():
        figure = Figure(figsize=size)
        panels = figure.subplots(rows, squeeze=False)[:, 0]
        for row, (axes, of_row) in enumerate(zip(panels, labels_r, strict=True)):
            mesh = axes.pcolormesh(
                np.arange(len(of_row)),
                np.arange(len(layers) + 1) - 0.5,
                energy_ls[:, row * wide : (row + 1) * wide],
                cmap="RdBu",
                vmin=-1,
                vmax=1,
                rasterized=True,
            )
            _text_axis(axes, of_row, max(wide, STATES_A_ROW[0]))
            ticks = range(0, len(layers), max(1, len(layers) // 6))
            axes.set_yticks(list(ticks), [str(layers[tick]) for tick in ticks])
            axes.set_ylabel("layer")
        panels[0].set_title(title, loc="left")
        figure.colorbar(
            mesh, ax=panels, location="bottom", shrink=2.4 / figure.get_figwidth(), aspect=24,
            pad=0.02, ticks=[-1, -0.5, 0, 0.5, 1],
            label="energy  $H = p(\\mathrm{correct}) - p(\\mathrm{last})$  [probability]\n"
            "of the state between last and next token",
        )  # fmt: skip
    return figure


def _text_axis(axes: Axes, labels: Sequence[str], wide: int) -> None:
    """Tokens at the edges of cells, in an axis as wide as the others are."""
    axes.set_xlim(0, wide)
    axes.set_xticks(range(len(labels)), labels)
    axes.tick_params(axis="x", labelrotation=90, length=2)
    for text in axes.get_xticklabels():
        text.set_parse_math(False)  # a dollar sign is a token, and begins no formula
    axes.spines["bottom"].set_bounds(0, len(labels) - 1)


def _label(token: str) -> str:
    """A token as one sees it: line ends and spaces by signs, if it is nothing else."""
    seen = token.translate(INVISIBLE)
    label = seen.strip() or "␣" * len(seen)
    return label if len(label) <= LABEL else label[: LABEL - 1] + "…"
