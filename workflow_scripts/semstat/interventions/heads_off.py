"""The intervention `heads_off`: heads of attention that contribute nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..models.intervening import OfAttention, require


@dataclass(frozen=True)
class HeadsOff(OfAttention):
    """What a head gives is 0 where the model's output map reads it; a bias of that map stays.

    Parameters
    ----------
    heads : as (layer, head).

    Raises
    ------
    ValueError
        If none is named.
    """

    recomputes: ClassVar[bool] = False
    heads: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.heads), "heads: none is named; name one as [layer, head]")

    def silences(self) -> bool:
        return True
