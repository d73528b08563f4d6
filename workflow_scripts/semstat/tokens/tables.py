"""The table of a shard's tokens."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

TOKENS = pa.schema(columns(doc=pa.int32(), tokens=pa.list_(pa.field("item", pa.int32(), False))))
"""One row a document; its first token is the prefix token."""
