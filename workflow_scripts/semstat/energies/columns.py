"""Columns of the energies table, a row each: its schema and its size follow from them.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column of the energies table.

    name : of the column.
    type : int32 or float32, as numpy and Arrow name them.
    nullable : whether a state may have none.
    meaning : what it holds, as the README has it.
    later : whether files that were written before there was such a column are read none the less.
    """

    name: str
    type: str
    nullable: bool
    meaning: str
    later: bool = False


COLUMNS = (
    Column("doc", "int32", False, "document"),
    Column("position", "int32", False, "index t of the last token in it; 1 is the first of text"),
    Column("last", "int32", False, "token id x_t"),
    Column("correct", "int32", False, "token id x_{t+1}"),
    Column("log_p_last", "float32", False, "log-probability of the last token, nats"),
    Column("log_p_correct", "float32", False, "log-probability of the correct token, nats"),
    Column("energy", "float32", False, "H = p(correct) − p(last), exactly 0 where last = correct"),
    Column("entropy", "float32", False, "entropy of the next-token distribution, nats"),
    Column("top", "int32", False, "its most probable token"),
    Column("norm", "float32", False, "‖h(t)‖ of the residual stream"),
    Column(
        "speed",
        "float32",
        True,
        "‖h(t) − h(t−1)‖, at the first token of text from the prefix token; null where a window "
        "begins without overlap",
    ),
    Column("shuffled_speed", "float32", True, "the speed with a window's positions shuffled"),
    Column("normed_speed", "float32", True, "the speed after the final norm"),
    Column("normed_shuffled_speed", "float32", True, "the shuffled speed after the final norm"),
    Column("log_p_top", "float32", True, "log-probability of the most probable token, nats", True),
)
