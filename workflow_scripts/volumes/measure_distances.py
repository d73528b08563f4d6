"""The command that measures how far states of text are from wells, and random points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..models.loading import Running, finite, load
from ..running.command import progress, run
from ..semstat.errors import InputError, blamed_on
from ..semstat.models.decoder import Decoder, LayeredModel
from ..semstat.models.first_state import FIRST_STATE
from ..semstat.models.windows import Window, batch_windows, cut_windows, pad_windows
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, table_of, write_table
from ..semstat.tokens.tables import TOKENS
from ..semstat.volumes.directions import directions
from ..semstat.volumes.distance_columns import DISTANCES, STARTS
from ..semstat.volumes.distances import Chart, distances
from ..semstat.volumes.like_states import like_states
from ..semstat.volumes.pairs import draw_pairs
from ..tokens.shards import Cut, check_tokens
from .axes_file import read_axes

AT_ONCE = 128
"""Points whose paths go side by side, and so whose logits exist at a time."""

Place = tuple[int, int]
"""Which of the documents, and the position in it."""


class Text(NamedTuple):
    """Documents.

    doc : their numbers in the corpus.
    ids : their tokens, the prefix token first.
    """

    doc: list[int]
    ids: list[NDArray[np.int32]]
    provenance: Provenance


def measure_distances(
    *,
    running: Running,
    cut: Cut = Cut(),
    tokens: list[Path],
    layer: int,
    spaces: list[Literal["sphere", "gaussian"]],
    axes: Path | None = None,
    pairs: int = 16,
    starts: int = 16,
    energy: float = -0.5,
    last_tokens: int = 4,
    seed: int = 0,
    out: Path,
) -> None:
    """Measure how far the well of each pair of tokens is, in some spaces, at one layer.

    It is looked for from the pair's own state of text, from other states of text, each of a
    document of its own as far as there are as many, and, as their null, from random points of the
    space. States are read out by the logit lens.

    Parameters
    ----------
    tokens : the model's tokens of the dataset, a Parquet file a shard, which pairs are drawn from.
    layer : layer of the states.
    spaces : in whose coordinates distances are measured.
    axes : Parquet file of the principal axes of the states at that layer; `gaussian` needs it.
    pairs : how many, those of the same seed that are sampled.
    starts : other states of text, and random points, for each pair.
    energy : wells are where H is at most that.
    last_tokens : as they were told who sampled these pairs.
    seed : seed of pairs, of states and of points.
    out : Parquet file to make.
    """
    if not -1 < energy < 0:
        raise InputError(f"--energy: {energy} is of no well; take one between -1 and 0")
    snapshot = running.snapshot()
    text = _read(tokens, snapshot["vocabulary"])
    with blamed_on("volumes.pairs"):
        drawn = draw_pairs(text.ids, pairs, seed, last_tokens)
    own = list(zip(drawn.document_r.tolist(), drawn.position_r.tolist(), strict=True))
    others = [
        _other_places(text.ids, place, starts, np.random.default_rng([seed, number]))
        for number, place in enumerate(own)
    ]
    model, facts = load(running, cut.context, f"{running.key}.context")
    decoder = model.decoder.in_float32()
    charts = {space: _chart(space, decoder, snapshot["hidden"], axes) for space in spaces}
    model.truncate(layer)
    places = [place for number in range(pairs) for place in (own[number], *others[number])]
    start_p = np.repeat(STARTS, [1, starts, starts])
    pair_s2 = torch.from_numpy(drawn.ids_r2).to(model.device).repeat_interleave(len(start_p), 0)
    found_s: list[NDArray[np.float64]] = []
    label, total = f"{running.called} {text.provenance['dataset']}", len(charts) * len(pair_s2)
    with finite(running), progress(label, "points", total) as bar:
        q_sn = _states(model, layer, text, cut, places, running.positions_at_once(model.device))
        for chart in charts.values():
            generator = torch.Generator(model.device).manual_seed(seed)
            random_sn = chart.decoded.space.draw(pairs * starts, generator)
            parts = (part_sn.chunk(pairs) for part_sn in (chart.points_of(q_sn), random_sn))
            x_sn = torch.cat([torch.cat(of_pair) for of_pair in zip(*parts, strict=True)])
            batches = (torch.split(part, AT_ONCE) for part in (x_sn, pair_s2))
            for some_sn, some_s2 in zip(*batches, strict=True):
                found_s.append(distances(decoder, chart, some_sn, some_s2, energy).cpu().numpy())
                bar.update(len(found_s[-1]))
    of_space = {
        "pair": np.repeat(np.arange(pairs), len(start_p)),
        "doc": np.repeat(np.array(text.doc)[drawn.document_r], len(start_p)),
        "start": np.tile(start_p, pairs),
    }
    columns = {name: np.tile(part_s, len(charts)) for name, part_s in of_space.items()}
    columns["space"] = np.repeat(list(charts), len(pair_s2))
    columns["unit"] = np.repeat([chart.unit for chart in charts.values()], len(pair_s2))
    columns["distance"] = np.concatenate(found_s)
    provenance = Provenance(
        model=snapshot, tokens=text.provenance, layer=layer, energy=energy, seed=seed, **facts
    ).then("measured by", "torch", "transformers", "numpy", "pyarrow")
    write_table(out, table_of(columns, DISTANCES), provenance)


def _read(tokens: list[Path], vocabulary: int) -> Text:
    doc, ids = [], []
    for path in tokens:
        shard = open_table(path, TOKENS)
        check_tokens(path, shard, vocabulary)
        table = shard.read()
        doc += table["doc"].to_pylist()
        ids += [tokens_t.values.to_numpy() for tokens_t in table["tokens"]]
    return Text(doc, ids, provenance_of(shard.schema_arrow))


def _other_places(
    ids: Sequence[NDArray[np.int32]], own: Place, places: int, rng: np.random.Generator
) -> list[Place]:
    """Where other states of text stand: each of another document, as long as there are any."""
    found: list[Place] = []
    while len(found) < places:
        for document in rng.permutation(len(ids)):
            at = int(rng.integers(FIRST_STATE, len(ids[document]) - 1))
            if document != own[0] or len(ids) == 1:
                found.append((int(document), at))
    return found[:places]


def _states(
    model: LayeredModel, layer: int, text: Text, cut: Cut, places: list[Place], batch_tokens: int
) -> torch.Tensor:
    """(places, hidden) states, of the windows in which they are scored."""
    wanted: dict[int, set[int]] = {}
    for document, at in places:
        wanted.setdefault(document, set()).add(at)
    windows = [
        window
        for document, positions in sorted(wanted.items())
        for window in cut_windows(document, text.ids[document], cut.context, cut.stride)
        if positions & set(_scored(window))
    ]
    found: dict[Place, torch.Tensor] = {}
    for batch in batch_windows(windows, batch_tokens):
        ids_bt, _ = pad_windows([windows[index] for index in batch])
        ids = torch.from_numpy(ids_bt[:, :-1]).to(model.device)
        for index, q_tn in zip(batch, model.hidden_states(ids, [layer])[layer], strict=True):
            window = windows[index]
            for at in wanted[window.doc] & set(_scored(window)):
                found[window.doc, at] = q_tn[at - window.start].float()
    return torch.stack([found[place] for place in places])


def _scored(window: Window) -> range:
    """Positions in its document of the states that are scored in a window."""
    return range(window.start + window.first, window.start + window.positions)


def _chart(space: str, decoder: Decoder, hidden: int, axes: Path | None) -> Chart:
    with blamed_on("volumes.spaces"):
        if space == "sphere":
            return Chart.of(directions(decoder, hidden))
        if axes is None:
            raise ValueError("gaussian: has no axes; give --axes, or take sphere")
        return Chart.of(like_states(read_axes(axes)[0], decoder.unembedding.weight.device))


if __name__ == "__main__":
    run(measure_distances)
