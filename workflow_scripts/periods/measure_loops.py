"""The command that measures loop energies."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from ..energies.measuring import measure_shard, open_tokens
from ..models.loading import Running
from ..running.command import run
from ..semstat.energies.measure import Rivals
from ..semstat.periods.rivals import recent_tokens, tokens_elsewhere
from ..tokens.shards import Cut

History = Literal["own", "elsewhere"]


def measure_loops(
    *,
    running: Running,
    cut: Cut = Cut(),
    tokens: Path,
    layers: list[int],
    periods: int,
    history: History = "own",
    seed: int = 0,
    out: list[Path],
) -> None:
    """Measure one shard as `measure_energies` does, with the likeliest recent token for the last.

    The last token of a state is then the most probable of its last ones that is not the correct
    token; where there is none it is the correct token itself, and H is 0.

    Parameters
    ----------
    tokens : Parquet file of one shard.
    layers : layers to read out; 0 is the embedding.
    periods : how many of the last tokens are looked at.
    history : whose they are: the state's own, or those of another place of the window.
    seed : seed of which place that is.
    out : Parquet files to make, one a layer.
    """
    shard = open_tokens(tokens, layers, out)
    rivals: Rivals = partial(recent_tokens, longest_period=periods)
    facts: dict[str, object] = {"periods": periods, "history": history}
    if history == "elsewhere":
        rivals = partial(tokens_elsewhere, longest_period=periods, seed=seed)
        facts["seed"] = seed
    measure_shard(
        running, cut, tokens, shard, layers, out, "logit_lens", rivals=rivals, rivals_of=facts
    )


if __name__ == "__main__":
    run(measure_loops)
