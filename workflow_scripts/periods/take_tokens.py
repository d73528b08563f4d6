"""The command that takes what another entry of the same model has written."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.tables import provenance_of, read_table, write_table
from ..semstat.tokens.tables import TOKENS


def take_tokens(tokens: Path, /, *, name: str, out: Path) -> None:
    """Take the tokens of a shard that another entry wrote, which differs in rivals alone.

    Parameters
    ----------
    tokens : Parquet file of the other's.
    name : of the entry in the configuration.
    out : Parquet file to make.
    """
    table = read_table(tokens, TOKENS)
    said = provenance_of(table.schema)
    write_table(out, table, said | {"model": said["model"] | {"model": name}})


if __name__ == "__main__":
    run(take_tokens)
