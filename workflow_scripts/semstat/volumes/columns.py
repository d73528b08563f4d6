"""What jobs write that run a model to sample volumes."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns


def _lists(**kinds: pa.DataType) -> list[pa.Field]:
    return columns(
        **{name: pa.list_(pa.field("item", kind, False)) for name, kind in kinds.items()}
    )


RUNS = pa.schema(
    columns(pair=pa.int32(), doc=pa.int32(), position=pa.int32())
    + columns(last=pa.int32(), correct=pa.int32())
    + columns(ended=pa.string(), reached=pa.float64(), evaluations=pa.int64())
    + columns(aligned_last=pa.float64(), aligned_correct=pa.float64(), stable_rank=pa.float64())
    + _lists(energy=pa.float64(), parent=pa.int32(), rank=pa.int32(), overlap=pa.float32())
)
"""One row a pair of tokens, of which there is one run: how it ended, and of each death what `Trace`
has of it. Alignments and stable rank are those of the walkers at its end, below `reached`."""

AXES = pa.schema(columns(variance=pa.float64(), mean=pa.float64()) + _lists(axis=pa.float64()))
"""One row a principal axis of a model's states, of descending variance; see `axes.Axes`."""
