"""Steer states of real text at some layers, and measure what each way of doing so achieves.

One state a document: that of the token at --position. At each layer, ln p of the correct next token
(up), ln p of the last one (down) and the entropy (up) are moved by each of --effects nats: by the
least-norm change J⁺Δ as it is and with a line search, by random directions, and by gradient ascent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..running import command
from ..semstat.models.replay import Reader
from ..semstat.provenance import software
from ..semstat.steering.columns import STEERED_STATES
from ..semstat.steering.effects import SIGNS, measure_effects, targets
from ..semstat.tables import table_of, write_table
from . import beginnings


def main() -> None:
    parser = command.parser(__doc__)
    beginnings.add_options(parser)
    parser.add_argument("--layers", required=True, nargs="+", type=int, help="0 is the embedding")
    parser.add_argument("--documents", type=int, default=16, help="documents, of one state each")
    parser.add_argument("--position", type=int, default=64, help="index of the state's last token")
    parser.add_argument("--quantities", nargs="+", choices=SIGNS, default=list(SIGNS))
    parser.add_argument("--effects", nargs="+", type=float, default=[0.1, 1.0], help="in nats")
    parser.add_argument("--directions", type=int, default=3, help="random directions a state")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    documents = beginnings.read_beginnings(arguments, arguments.documents, arguments.position + 1)
    layered, run, snapshot = beginnings.load_whole(arguments, arguments.position + 1)
    by_layer = beginnings.readers(arguments.model.name, layered, arguments.layers)
    ids_bt = documents.ids_bt.to(layered.device)
    effects = sorted(arguments.effects)
    total = len(ids_bt) * len(by_layer) * len(arguments.quantities) * len(effects)
    label = f"{arguments.model.name} {arguments.dataset}"
    parts: list[dict[str, Any]] = []
    with command.progress(label, "states", total) as bar:
        for layer, reader in by_layer.items():
            moment, _ = reader.start(ids_bt[:, :-1])
            direction_rbn = _directions(arguments, documents.doc, reader)
            quantities = targets(
                arguments.quantities, ids_bt[:, -1], ids_bt[:, -2], reader.decoder.vocabulary
            )
            for quantity, target in quantities.items():
                measured = measure_effects(
                    reader, moment, target, effects, direction_rbn, bar.update
                )
                shape = measured["effect"].shape
                head = {
                    "layer": np.full(shape, layer),
                    "quantity": np.full(shape, quantity),
                    "doc": np.broadcast_to(documents.doc, shape),
                }
                parts.append(head | measured)
    columns = {
        name: np.concatenate([part[name].ravel() for part in parts])
        for name in STEERED_STATES.names
    }
    columns["reachable"] = columns["reachable"].astype(bool)
    provenance = {
        "model": snapshot,
        "tokens": documents.provenance,
        "position": arguments.position,
        "directions": arguments.directions,
        "seed": arguments.seed,
    }
    provenance |= run | software("torch", "transformers", "numpy", "pyarrow")
    write_table(arguments.out, table_of(columns, STEERED_STATES), provenance)


def _directions(arguments: Any, doc: list[int], reader: Reader) -> torch.Tensor:
    """(directions, documents, hidden) unit vectors, each document's own whatever is beside it."""
    n = reader.layered.model.config.get_text_config().hidden_size
    drawn = [
        np.random.default_rng([arguments.seed, reader.layer, number]).standard_normal(
            (arguments.directions, n)
        )
        for number in doc
    ]
    direction_rbn = torch.from_numpy(np.stack(drawn, axis=1))
    unit_rbn = torch.nn.functional.normalize(direction_rbn, dim=-1)
    return unit_rbn.to(reader.layered.device, reader.layered.model.dtype)


if __name__ == "__main__":
    command.run(main)
