"""The table of a corpus."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

CORPUS = pa.schema(columns(doc=pa.int32(), text=pa.string()))
"""One row a document."""

CHATS = pa.schema(columns(doc=pa.int32(), messages=pa.string()))
"""The same, where documents are conversations: each a JSON list of messages, which a model's own
chat template makes a text."""
