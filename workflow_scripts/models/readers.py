"""Readers of a whole model at some layers, and of how many texts there is memory for."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..semstat.errors import blamed_on
from ..semstat.models.architecture import ArchitectureError
from ..semstat.models.decoder import LayeredModel
from ..semstat.models.in_place import bytes_of_a_text
from ..semstat.models.replay import Reader
from .loading import Running

REMEMBERED = 3e9
"""Bytes of keys and values that are kept at a time on a CPU, where more texts at once are not much
faster."""


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


def texts_at_once(
    running: Running, reader: Reader, positions: int, *, copies: int = 1, gpu_share: float
) -> int:
    """Texts, each in so many copies, of whose keys and values there is room.

    Parameters
    ----------
    positions : tokens of a text.
    gpu_share : of a GPU's free memory that is theirs.
    """
    if running.batch_tokens:
        return max(1, running.batch_tokens // (copies * positions))
    device = reader.layered.device
    room = REMEMBERED if device.type == "cpu" else gpu_share * torch.cuda.mem_get_info(device)[0]
    return max(1, int(room // max(1, copies * bytes_of_a_text(reader, positions))))
