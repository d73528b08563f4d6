"""Linear maps whose weights lie in memory as oneDNN wants them, for products with few states.

torch's own product of float32 matrices on a CPU is MKL's, which puts the weights in order anew each
time, and on CPUs of other makers than its own leaves the widest instructions unused. On an AMD EPYC
with AVX-512 oneDNN's with weights in order is 3 times as fast for 30 states, and twice for 512; it
rounds as float32 does, in another order of summation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PackedLinear(nn.Linear):
    """A linear map that holds its weights twice: as they were, and packed. It has no gradient."""

    packed: Tensor

    def product(self, x_sn: Tensor) -> Tensor:
        """(…, out) without the bias."""
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x_sn, self.packed, None, "none", [], "")
        return found

    def forward(self, x_sn: Tensor) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise(
            x_sn, self.packed, self.bias, "none", [], ""
        )
        return found


def pack(module: nn.Module) -> None:
    """Pack the linear maps of a module that run in float32 on a CPU; the others stay.

    Its weights must not require gradients.
    """
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not there or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return
    for linear in module.modules():
        if type(linear) is not nn.Linear or linear.weight.requires_grad:
            continue
        if linear.weight.dtype == torch.float32 and linear.weight.device.type == "cpu":
            packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
            linear.__class__ = PackedLinear
            object.__setattr__(linear, "packed", packed)
