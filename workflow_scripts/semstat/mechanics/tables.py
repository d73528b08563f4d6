"""The tables of mechanics: sums over documents, which add, and what they tell."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

MEMBER = ("form", "kinetic", "potential")
"""Columns that say which combination of terms a row is of."""

PAIRING_NULLS = ("shuffled", "shifted")
"""Nulls that pair a document's own terms anew: in any order, and shifted against each other."""

VELOCITY_NULLS = ("order", "embedding")
"""Nulls that take K from another velocity: across shuffled token order, and of the embeddings."""

NULLS = PAIRING_NULLS + VELOCITY_NULLS

MECHANICS_NUMBERS = (
    "mean",
    "sd",
    "cv",
    "drift",
    "kinetic_mean",
    "potential_mean",
    "correlation",
    "variance_ratio",
    "cv_shuffled",
    "cv_order",
    "cv_embedding",
    "ratio_order",
    "ratio_embedding",
    "beyond_order",
    "beyond_embedding",
)
"""What is averaged over documents; see `numbers.document_numbers`."""

NULL_VARIANCES = tuple(f"{null}_variance" for null in PAIRING_NULLS)
"""Variances of a document's variance ratio when its terms are paired anew."""

IDENTITY = columns(
    layer=pa.int32(), place=pa.string(), form=pa.string(), kinetic=pa.string(),
    potential=pa.string(), documents=pa.int64(), left_out=pa.int64(),
)  # fmt: skip

TRAJECTORIES = pa.schema(
    IDENTITY
    + columns(
        nullable=True,
        **{f"{name}_sum": pa.float64() for name in MECHANICS_NUMBERS + NULL_VARIANCES},
        **{f"{name}_squares": pa.float64() for name in MECHANICS_NUMBERS},
    )
)
"""Sums over the documents of one shard, which add; null where undefined."""

MECHANICS = pa.schema(
    columns(model=pa.string(), dataset=pa.string())
    + IDENTITY
    + interval_fields(MECHANICS_NUMBERS, nullable=MECHANICS_NUMBERS)
    + columns(
        nullable=True,
        **{f"{null}_{bound}": pa.float64() for null in PAIRING_NULLS for bound in ("low", "high")},
        **{f"below_{null}": pa.bool_() for null in NULLS},
        conserved=pa.bool_(),
    )
)
"""One row a combination of terms. `shuffled_low` … `shifted_high` bound what its variance ratio
would be by chance; `below_…` says whether it is less than each null model makes it."""
