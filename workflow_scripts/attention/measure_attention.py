"""The command that measures attention."""

from __future__ import annotations

from pathlib import Path

from ..energies.measuring import load_for, open_tokens
from ..models.loading import Running, finite
from ..running.command import progress, run
from ..semstat.attention import measure
from ..semstat.attention.columns import ATTENTION
from ..semstat.attention.watching import check_weights
from ..semstat.errors import InputError, blamed_on
from ..semstat.models.architecture import ArchitectureError
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, table_of, table_writers
from ..tokens.shards import Cut


def measure_attention(
    *,
    running: Running,
    cut: Cut = Cut(),
    tokens: Path,
    layers: list[int],
    heads: list[int] | None = None,
    out: list[Path],
) -> None:
    """Measure the attention of every state of one shard, at every layer asked for.

    Memory does not grow with the shard, and no map of attention is kept.

    Parameters
    ----------
    tokens : Parquet file of one shard.
    layers : layers to measure; 0 is the embedding, which has ranks and no attention.
    heads : heads of each layer over which means are taken (default: all).
    out : Parquet files to make, one a layer.
    """
    shard = open_tokens(tokens, layers, out)
    model, states, snapshot, facts = load_for(running, cut, tokens, shard, layers)
    try:
        with blamed_on(f"attention (model {running.called})", "correct `heads`"):
            given = check_weights(model, layers, heads)
    except ArchitectureError as error:
        raise InputError(f"{running.key}: {error}") from error
    shared = Provenance(
        model=snapshot,
        tokens=provenance_of(shard.schema_arrow),
        context=cut.context,
        stride=cut.stride,
        heads=heads,
        **facts,
    ).then("measured by", "torch", "transformers", "numpy", "pyarrow")
    label = f"{running.called} {shared['tokens']['dataset']} {tokens.stem}"
    provenances = [shared | {"layer": layer} for layer in layers]
    with (
        progress(label, "states", total=states) as bar,
        table_writers(out, ATTENTION, provenances) as writers,
        finite(running),
    ):
        at_once = running.positions_at_once(model.device)
        for by_layer in measure.measure_attention(
            model, cut.windows(shard), layers, at_once, bar.update, heads, given
        ):
            for writer, layer in zip(writers, layers, strict=True):
                writer.write_table(table_of(by_layer[layer], ATTENTION))


if __name__ == "__main__":
    run(measure_attention)
