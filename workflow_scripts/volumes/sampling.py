"""Sampling the volumes of some pairs of tokens: what the commands share that have a space each.

A job that was killed goes on from where it was remembered last, and ends with the same bytes as one
that was not (on a CPU; on a GPU kernels may add in another order).
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from cyclopts import Parameter
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..models.loading import Running, finite, load
from ..models.readers import readers, texts_at_once
from ..running.command import progress
from ..semstat.errors import blamed_on
from ..semstat.models.architecture import ArchitectureError
from ..semstat.models.causality import SHORTEST
from ..semstat.models.decoder import Decoder, LayeredModel
from ..semstat.models.replay import Reader
from ..semstat.provenance import Provenance, digest
from ..semstat.tables import (
    completed,
    open_table,
    provenance_of,
    table_of_rows,
    write_table,
)
from ..semstat.tokens.tables import TOKENS
from ..semstat.volumes.columns import RUNS
from ..semstat.volumes.decoded import Decoded, DecodedEnergy, LikeliestEnergy
from ..semstat.volumes.filled import directions_of
from ..semstat.volumes.nested_sampling import DEATHS, NestedSampling
from ..semstat.volumes.pairs import Pairs, draw_pairs
from ..semstat.volumes.trace import ENDS, Settings, Trace
from ..semstat.volumes.walkers import EnergyOf
from ..tokens.shards import check_tokens

log = logging.getLogger(__name__)

ENERGIES: dict[str, Callable[..., EnergyOf]] = {
    "correct": DecodedEnergy,
    "likeliest": LikeliestEnergy,
}
"""Of states, by what the last token is held against."""

GPU_SHARE = 0.25
"""Of a GPU's free memory, for keys and values of histories."""

RECIPE = "recipe"
"""Key in the metadata of what is remembered: what it is of."""


class Drawn(NamedTuple):
    """Pairs of tokens, and where they are from.

    doc_r : (pairs,) the number of each one's document in the corpus.
    texts : of each pair, the tokens of its document up to its last one.
    provenance : of the tokens.
    """

    pairs: Pairs
    doc_r: NDArray[np.int64]
    texts: list[torch.Tensor]
    provenance: Provenance


class Given(NamedTuple):
    """What a space may be made of.

    decoder : of the model, in float32.
    hidden : components of a state.
    layer : whose states are sampled.
    texts : (tokens,) of each pair, its last token the last of them.
    correct_r : (pairs,) correct tokens.
    """

    running: Running
    layered: LayeredModel
    decoder: Decoder
    hidden: int
    layer: int
    texts: list[torch.Tensor]
    correct_r: torch.Tensor

    def reader(self, layer: int) -> tuple[Reader, int]:
        """A reader at a layer, and of how many of its texts there is memory for at a time.

        Raises
        ------
        InputError
            If the model can't be run from there.
        """
        reader = readers(self.running.called, self.layered, [layer])[layer]
        longest = max(map(len, self.texts))
        return reader, texts_at_once(self.running, reader, longest, gpu_share=GPU_SHARE)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Sampled:
    """Of what volumes are sampled, and how.

    Parameters
    ----------
    tokens : the model's tokens of a dataset, a Parquet file a shard, which pairs are drawn from.
    layer : layer whose states are sampled.
    against : what the last token is held against: the `correct` one, or the `likeliest` of all
        others.
    first_pair : number of the first pair that is sampled here.
    pairs : how many are, a document each.
    walkers : of each pair.
    culled : walkers that die at a step.
    moves : by which a copy leaves its origin.
    bottom : energy at which a pair's run ends.
    depth : nats by which ln Ω has fallen when it ends at last.
    seed : seed of pairs and walkers.
    last_tokens : of each pair's history, its last token the last of them, that `tokens` varies; a
        pair has as many in all spaces, so that pairs are the same in all.
    """

    tokens: list[Path]
    layer: int
    against: Literal["correct", "likeliest"] = "correct"
    first_pair: int = 0
    pairs: int = 16
    walkers: int = 256
    culled: int = 64
    moves: int = 8
    bottom: float = -0.5
    depth: float = 60.0
    seed: int = 0
    last_tokens: int = 4

    def said(self) -> dict[str, Any]:
        """All of it but the files, for the provenance."""
        return {key: value for key, value in asdict(self).items() if key != "tokens"}

    @property
    def settings(self) -> Settings:
        """Those of nested sampling.

        Raises
        ------
        InputError
            If they do not go together.
        """
        with blamed_on("volumes"):
            return Settings(self.walkers, self.culled, self.moves, self.bottom, self.depth)

    def generator(self, device: torch.device) -> torch.Generator:
        """Random numbers of these pairs' walkers, whatever other jobs draw."""
        drawn = np.random.SeedSequence([self.seed, self.first_pair]).generate_state(1, np.uint64)
        return torch.Generator(device).manual_seed(int(drawn[0] >> np.uint64(1)))

    def read(self, vocabulary: int) -> Drawn:
        """The pairs, drawn from the tokens.

        Raises
        ------
        InputError
            If there are too few documents, or the tokens are not the model's.
        """
        doc, ids = [], []
        for path in self.tokens:
            shard = open_table(path, TOKENS)
            check_tokens(path, shard, vocabulary)
            table = shard.read()
            doc += table["doc"].to_pylist()
            ids += [tokens.values.to_numpy() for tokens in table["tokens"]]
        with blamed_on("volumes.pairs"):
            drawn = draw_pairs(ids, self.first_pair + self.pairs, self.seed, self.last_tokens)
        own = Pairs(*(part[self.first_pair :] for part in drawn))
        texts = [
            torch.from_numpy(ids[document][: position + 1].astype(np.int64))
            for document, position in zip(own.document_r, own.position_r, strict=True)
        ]
        return Drawn(own, np.array(doc)[own.document_r], texts, provenance_of(shard.schema_arrow))


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Into:
    """What is made.

    Parameters
    ----------
    out : Parquet file of runs to make.
    unfinished : safetensors file in which they are remembered until they are finished.
    save_minutes : time from one remembered state to the next.
    """

    out: Path
    unfinished: Path
    save_minutes: float = 2.0


def sample(
    running: Running,
    sampled: Sampled,
    into: Into,
    space: str,
    measure: str,
    decoded_of: Callable[[Given], Decoded],
    **facts: Any,
) -> None:
    """Sample the volume Ω(E) of each pair of tokens under a measure, and note each death.

    Parameters
    ----------
    space : its name.
    measure : in words, for files and figures.
    decoded_of : makes the space.
    facts : more for the provenance, by name.

    Raises
    ------
    InputError
        If the model has no such space, or there are too few documents.
    """
    settings, snapshot = sampled.settings, running.snapshot()
    pairs, doc_r, texts, tokens = sampled.read(snapshot["vocabulary"])
    longest = max(SHORTEST, *map(len, texts))
    layered, run = load(running, longest, f"datasets.{tokens['dataset']}.tokens_per_document")
    decoder, device = layered.decoder.in_float32(), layered.device
    pair_r2 = torch.from_numpy(pairs.ids_r2).to(device)
    texts = [text_t.to(device) for text_t in texts]
    with blamed_on("volumes.spaces"), blamed_on(running.key, "", ArchitectureError):
        decoded = decoded_of(
            Given(
                running, layered, decoder, snapshot["hidden"], sampled.layer, texts, pair_r2[:, 1]
            )
        )
    energy_of = ENERGIES[sampled.against](decoder, decoded, pair_r2)
    provenance = Provenance(
        model=snapshot,
        tokens=tokens,
        layer=sampled.layer,
        space=space,
        measure=measure,
        sampling=sampled.said(),
        **run,
        **facts,
    )
    recipe = json.dumps(provenance | {"files": list(map(digest, sampled.tokens))}, sort_keys=True)
    held = _remembered(into.unfinished, recipe)
    with finite(running):
        if held is None:
            generator = sampled.generator(device)
            sampling = NestedSampling.begin(
                decoded.space, energy_of, settings, len(pair_r2), generator
            )
        else:
            sampling = NestedSampling.resume(decoded.space, energy_of, settings, held, device)
        label = f"{running.called} {tokens['dataset']} layer {sampled.layer} {space}"
        saved = time.monotonic()
        for _ in _steps(sampling, settings, label):
            if time.monotonic() - saved >= 60 * into.save_minutes:
                _remember(into.unfinished, recipe, sampling)
                saved = time.monotonic()
        filled = directions_of(decoder, decoded, sampling.q_rwn, pair_r2)
    of_pairs = {"pair": sampled.first_pair + np.arange(sampled.pairs), "doc": doc_r}
    of_pairs |= {"position": pairs.position_r}
    of_pairs |= dict(zip(("last", "correct"), pairs.ids_r2.T, strict=True))
    of_pairs |= {name: part.cpu().numpy() for name, part in filled._asdict().items()}
    provenance = provenance.then("sampled by", "torch", "transformers", "numpy", "pyarrow")
    write_table(into.out, _table(of_pairs, sampling.trace), provenance)
    into.unfinished.unlink(missing_ok=True)


def _steps(sampling: NestedSampling, settings: Settings, label: str) -> Iterator[None]:
    """Let runs take their steps, and show how deep they are, and where the highest one is."""
    most = math.ceil(settings.depth / settings.nats)
    with progress(label, "steps", most) as bar:
        bar.update(sampling.taken)
        while sampling.goes_on:
            sampling.step()
            bar.set_postfix(E=f"{float(sampling.energy_rw.max()):.2g}", refresh=False)
            bar.update(1)
            yield


def _remember(path: Path, recipe: str, sampling: NestedSampling) -> None:
    state = {name: part.contiguous() for name, part in sampling.state().items()}
    with completed(path) as (temporary,):
        save_file(state, temporary, {RECIPE: recipe})


def _remembered(path: Path, recipe: str) -> dict[str, torch.Tensor] | None:
    """What was remembered of this very recipe, if anything."""
    with suppress(OSError, SafetensorError), safe_open(path, "pt") as file:
        if (file.metadata() or {}).get(RECIPE) == recipe:
            log.info("going on from %s", path)
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return None


def _table(of_pairs: dict[str, NDArray[Any]], trace: Trace) -> pa.Table:
    """A row a pair: what it is, and its deaths."""
    rows = []
    for run, ended in enumerate(trace.ended_r):
        real_z = trace.rank_rz[run] >= 0
        row = {name: part_r[run] for name, part_r in of_pairs.items()}
        row |= {"ended": ENDS[ended], "reached": trace.reached_r[run]}
        row |= {"evaluations": trace.evaluations_r[run]}
        row |= {name: getattr(trace, f"{name}_rz")[run, real_z] for name in DEATHS}
        rows.append(row)
    return table_of_rows(rows, RUNS)
