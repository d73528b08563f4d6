"""The command that measures how a model's states of text are spread."""

from __future__ import annotations

from pathlib import Path

from ..models.loading import Running, finite, load
from ..running.command import progress, run
from ..semstat.errors import InputError, blamed_on
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, table_of, table_writers
from ..semstat.tokens.tables import TOKENS
from ..semstat.volumes.axes import Axes, check_enough, sum_states
from ..semstat.volumes.columns import AXES
from ..tokens.shards import Cut, check_tokens


def measure_axes(
    *, running: Running, cut: Cut = Cut(), tokens: list[Path], layers: list[int], out: list[Path]
) -> None:
    """Measure mean and covariance of a model's states of a dataset, at some layers, by one pass.

    Parameters
    ----------
    tokens : the model's tokens of the dataset, a Parquet file a shard.
    layers : layers to measure; 0 is the embedding.
    out : Parquet files of principal axes to make, one a layer.
    """
    if len(layers) != len(out):
        raise InputError(
            f"--layers and --out: {len(layers)} layers and {len(out)} files; give a file for each"
        )
    snapshot = running.snapshot()
    shards = [open_table(path, TOKENS) for path in tokens]
    counted = [
        check_tokens(path, shard, snapshot["vocabulary"])
        for path, shard in zip(tokens, shards, strict=True)
    ]
    states, hidden = sum(counted), snapshot["hidden"]
    provenance = Provenance(model=snapshot, tokens=provenance_of(shards[0].schema_arrow))
    remedy = f"raise datasets.{provenance['tokens']['dataset']}.shards"
    with blamed_on("volumes.spaces: gaussian", remedy):
        check_enough(states, hidden)
    model, facts = load(running, cut.context, f"{running.key}.context")
    model.truncate(max(layers))
    label = f"{running.called} {provenance['tokens']['dataset']} axes"
    with progress(label, "states", states) as bar, finite(running):
        windows = (window for shard in shards for window in cut.windows(shard))
        moments = sum_states(
            model, windows, layers, running.positions_at_once(model.device), bar.update
        )
    said = {"states": states, "context": cut.context, "stride": cut.stride, **facts}
    provenance = provenance.then("measured by", "torch", "transformers", "pyarrow", **said)
    provenances = [provenance | {"layer": layer} for layer in layers]
    with table_writers(out, AXES, provenances) as writers:
        for writer, layer in zip(writers, layers, strict=True):
            writer.write_table(table_of(_columns(moments[layer].axes()), AXES))


def _columns(axes: Axes) -> dict[str, object]:
    variance_n, mean_n, axis_nn = (part.cpu().numpy() for part in axes)
    return {"variance": variance_n, "mean": mean_n, "axis": list(axis_nn)}


if __name__ == "__main__":
    run(measure_axes)
