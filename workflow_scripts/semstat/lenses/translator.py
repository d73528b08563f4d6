"""The affine maps of a tuned lens, as its readout applies them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class Translator(nn.Module):
    """h → h + A h + b: what a tuned lens makes of one layer's hidden states before their decode.

    Parameters
    ----------
    weight_nn : (hidden, hidden) A.
    bias_n : (hidden,) b.
    """

    def __init__(self, weight_nn: Tensor, bias_n: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight_nn)
        self.bias = nn.Parameter(bias_n)

    def forward(self, h_sn: Tensor) -> Tensor:
        return h_sn + nn.functional.linear(h_sn, self.weight, self.bias)


Lens = Mapping[int, Translator]
"""Layer → its translator. The final layer needs none: its readout is the model's own."""
