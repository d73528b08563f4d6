"""The schema of the energies table."""

from __future__ import annotations

import pyarrow as pa

from ..tables import LATER
from .columns import COLUMNS

ENERGIES = pa.schema(
    [
        pa.field(name, pa.from_numpy_dtype(kind), nullable, LATER if later else None)
        for name, kind, nullable, _, later in COLUMNS
    ]
)
"""One row a state, ordered by document and position; `columns.COLUMNS` says what each holds."""
