"""Where the states of a document begin.

Apart from windows, so that an edit of these tokenizes nothing anew.
"""

from __future__ import annotations

FIRST_STATE = 1
"""Position of a document's first state: its first token of text, after the prefix token."""

FEWEST_TOKENS = FIRST_STATE + 2
"""Of a document that has a state: the prefix token, a last and a correct token."""
