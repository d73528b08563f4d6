"""Principal axes of a model's states, as the commands read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..semstat.provenance import digest
from ..semstat.tables import provenance_of, read_table
from ..semstat.volumes.axes import Axes
from ..semstat.volumes.columns import AXES


def read_axes(path: Path) -> tuple[Axes, str, dict[str, Any]]:
    """Principal axes of states, of which dataset they are, and what else to say of them."""
    table = read_table(path, AXES)
    said = provenance_of(table.schema)
    variance_n, mean_n = (table[name].to_numpy() for name in ("variance", "mean"))
    axis_nn = np.stack([axis.values.to_numpy() for axis in table["axis"]])
    axes = Axes(*(torch.from_numpy(part.copy()) for part in (variance_n, mean_n, axis_nn)))
    return axes, said["tokens"]["dataset"], {"states": said["states"], "axes": digest(path)}
