"""The table of a corpus."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

CORPUS = pa.schema(columns(doc=pa.int32(), text=pa.string()))
"""One row a document."""
