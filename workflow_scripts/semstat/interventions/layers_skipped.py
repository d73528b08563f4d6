"""The intervention `layers_skipped`: a control of damage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..models.architecture import ArchitectureError, first_of
from ..models.intervening import Intervention, blocks_at, check_layers, require


@dataclass(frozen=True)
class LayersSkipped(Intervention):
    """Layers that pass on the hidden state that they are given.

    They run, since keys that they remember tell a cache how long the text is, and what they make of
    the state is dropped: an intervened model takes no less time.

    Parameters
    ----------
    layers : which.

    Raises
    ------
    ValueError
        If none is named.
    """

    layers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.layers), "layers: none is named; name one")

    def check(self, config: Any) -> None:
        check_layers(self.layers, config)

    def apply(self, model: Any) -> None:
        for block in blocks_at(model, self.layers):
            block.register_forward_hook(_pass_on, with_kwargs=True)


def _pass_on(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
    given = args[0] if args else kwargs["hidden_states"]
    if first_of(output).shape != given.shape:
        raise ArchitectureError(
            f"{type(block).__name__}: gives a state of another shape than it takes, so it cannot "
            f"be left out; take another model"
        )
    return given if isinstance(output, Tensor) else type(output)([given, *output[1:]])
