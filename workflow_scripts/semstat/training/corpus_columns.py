"""The table of what a corpus of tokens repeats."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

CORPUS_SHARES = ("rep_1", "rep_2", "rep_3", "rep_4", "repeated_share", "runs_share")

CORPUS_NUMBERS = (*CORPUS_SHARES, "mean_run")

CORPORA = pa.schema(
    columns(dataset=pa.string(), window=pa.int32(), windows=pa.int64())
    + columns(documents=pa.int64(), tokens=pa.int64(), distinct_tokens=pa.int64())
    + columns(runs=pa.int64())
    + columns(True, longest_run=pa.float64())
    + interval_fields(CORPUS_NUMBERS, nullable=CORPUS_NUMBERS)
)
"""One row a dataset; see `repetitions.describe_corpus`."""
