"""Curves tables as the plotting commands take them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..semstat.tables import provenance_of, read_table
from ..semstat.thermodynamics.tables import CURVES


def read_curves(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Which ensemble a curves table is of, and its columns, with NaN for null."""
    table = read_table(path, CURVES)
    provenance = provenance_of(table.schema)
    identity = {
        "model": provenance["model"]["model"],
        "dataset": provenance["tokens"]["dataset"],
        "layer": provenance["layer"],
    }
    return identity, floats(table)


def floats(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    """The columns of a table of numbers, with NaN for null."""
    return {
        name: table[name].to_numpy(zero_copy_only=False).astype(np.float64)
        for name in table.column_names
    }
