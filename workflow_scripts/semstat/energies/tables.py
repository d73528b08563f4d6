"""The schema of the energies table."""

from __future__ import annotations

import pyarrow as pa

from .columns import COLUMNS

ENERGIES = pa.schema(
    [pa.field(name, pa.from_numpy_dtype(kind), nullable) for name, kind, nullable, _ in COLUMNS]
)
"""One row a state, ordered by document and position; `columns.COLUMNS` says what each holds."""
