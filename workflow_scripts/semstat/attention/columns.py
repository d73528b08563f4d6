"""Columns of the attention table."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

OF_ROWS = ("row_entropy", "sink", "itself", "before", "induction", "unspent")
"""Measures of a state's row of attention, means over heads; shares may overlap.

row_entropy : entropy of the row, over ln of the number of tokens that it may attend to.
sink : share on the first token that the model sees.
itself : share on the state's own token, the last one.
before : share on the token before it.
induction : share on tokens that followed earlier copies of the last one; null where there is none.
unspent : share on no token, of layers that have sinks beside the tokens.
"""

OF_WINDOWS = ("stable_rank", "rank_residual", "mean_cosine")
"""Measures of the layer's states in the window that a state was measured in.

stable_rank : ‖X‖_F² / ‖X‖₂², from 1.
rank_residual : ‖X − 1·mean(X)‖ / ‖X‖ with ‖·‖ = √(‖·‖₁‖·‖_∞); 0 where all states are one.
mean_cosine : mean cosine between two of them.
"""

RELATIVE_NORM = "relative_norm"
"""‖x‖ of the state over that of the first one that the model sees, at this layer."""

MEASURES = (*OF_ROWS, *OF_WINDOWS, RELATIVE_NORM)

ATTENTION = pa.schema(
    columns(doc=pa.int32(), position=pa.int32())
    + columns(nullable=True, **dict.fromkeys(MEASURES, pa.float32()))
)
"""One row a state, those of the energies table in its order; null where there is no such thing:
at layer 0, at layers without attention, at the first token that the model sees."""
