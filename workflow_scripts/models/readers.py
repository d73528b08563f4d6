"""Readers of a whole model at some layers, as the commands take them that steer."""

from __future__ import annotations

from collections.abc import Sequence

from ..semstat.errors import blamed_on
from ..semstat.models.architecture import ArchitectureError
from ..semstat.models.decoder import LayeredModel
from ..semstat.models.replay import Reader


def readers(model: str, layered: LayeredModel, layers: Sequence[int]) -> dict[int, Reader]:
    """A reader at each layer.

    Parameters
    ----------
    model : its name in the configuration.

    Raises
    ------
    InputError
        If there is no such layer, or the model cannot be steered there.
    """
    with (
        blamed_on(f"steering (model {model})", "name one of its layers"),
        blamed_on(f"models.{model}", "", ArchitectureError),
    ):
        return {layer: Reader(layered, layer) for layer in layers}
