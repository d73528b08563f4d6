"""The command that steers states."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ..models.loading import Running, load
from ..models.readers import readers
from ..running.command import progress, run
from ..semstat.provenance import Provenance
from ..semstat.steering.columns import STEERED_STATES
from ..semstat.steering.effects import measure_effects, targets
from ..semstat.tables import table_of, write_table
from ..tokens.shards import read_beginnings

DEFAULT_EFFECTS = [0.0625, 0.25, 1.0]
DEFAULT_QUANTITIES: list[Literal["correct", "last", "entropy"]] = ["correct", "last", "entropy"]


def steer_states(
    *,
    running: Running,
    tokens: list[Path],
    layers: list[int],
    documents: int = 16,
    position: int = 64,
    quantities: list[Literal["correct", "last", "entropy"]] = DEFAULT_QUANTITIES,
    effects: list[float] = DEFAULT_EFFECTS,
    directions: int = 3,
    seed: int = 0,
    out: Path,
) -> None:
    """Steer states of real text at some layers, and measure what each way of doing so achieves.

    One state a document: that of the token at --position. At each layer, ln p of the correct next
    token (up), ln p of the last one (down) and the entropy (up) are moved by each of --effects
    nats: by the least-norm change J⁺Δ as it is and with a line search, by random directions, and by
    gradient ascent.

    Parameters
    ----------
    tokens : the model's tokens, a Parquet file a shard.
    layers : layers at which states are steered; 0 is the embedding.
    documents : documents of which one state each is steered.
    position : index of the last token of that state; 0 is the prefix token.
    quantities : what is moved.
    effects : by how many nats.
    directions : random directions to try beside each.
    seed : seed of the random directions.
    out : Parquet file to make.
    """
    remedy = (
        "lower `documents` or `position` of its entry under `steering`, or raise the dataset's "
        "`shards`"
    )
    taken = read_beginnings(tokens, documents, position + 1, remedy)
    layered, facts = load(running, position + 1, "steering.position")
    by_layer = readers(running.called, layered, layers)
    ids_xt = torch.from_numpy(taken.ids_dt).to(layered.device)
    ascending = sorted(effects)
    total = len(ids_xt) * len(by_layer) * len(quantities) * len(ascending)
    parts: list[dict[str, Any]] = []
    with progress(f"{running.called} {taken.provenance['dataset']}", "states", total) as bar:
        for layer, reader in by_layer.items():
            moment, _ = reader.start(ids_xt[:, :-1])
            direction_rxn = _directions(directions, seed, taken.doc, layer, moment.state_xn)
            wanted = targets(quantities, ids_xt[:, -1], ids_xt[:, -2], reader.decoder.vocabulary)
            for quantity, target in wanted.items():
                measured = measure_effects(
                    reader, moment, target, ascending, direction_rxn, bar.update
                )
                shape = measured["effect"].shape
                head = {
                    "layer": np.full(shape, layer),
                    "quantity": np.full(shape, quantity),
                    "doc": np.broadcast_to(taken.doc, shape),
                }
                parts.append(head | measured)
    columns = {
        name: np.concatenate([part[name].ravel() for part in parts])
        for name in STEERED_STATES.names
    }
    columns["reachable"] = columns["reachable"].astype(bool)
    provenance = Provenance(
        model=running.snapshot(),
        tokens=taken.provenance,
        position=position,
        directions=directions,
        seed=seed,
        **facts,
    ).then("steered by", "torch", "transformers", "numpy", "pyarrow")
    write_table(out, table_of(columns, STEERED_STATES), provenance)


def _directions(
    directions: int, seed: int, doc: list[int], layer: int, state_xn: torch.Tensor
) -> torch.Tensor:
    """(directions, documents, hidden) unit vectors, each document's own whatever is beside it."""
    shape = (directions, state_xn.shape[-1])
    drawn = [np.random.default_rng([seed, layer, number]).standard_normal(shape) for number in doc]
    direction_rxn = torch.from_numpy(np.stack(drawn, axis=1))
    return torch.nn.functional.normalize(direction_rxn, dim=-1).to(state_xn)


if __name__ == "__main__":
    run(steer_states)
