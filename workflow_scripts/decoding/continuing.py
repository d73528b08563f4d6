"""Prompts as the commands take them that let a model continue them by one method or another."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from cyclopts import Parameter
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from ..models.loading import Running, finite, load
from ..models.readers import readers, texts_at_once
from ..running.command import progress
from ..semstat.decoding.columns import CONTINUATIONS
from ..semstat.decoding.measures import energy_fluctuation
from ..semstat.decoding.processed import Processed, unchanged
from ..semstat.errors import InputError
from ..semstat.generation.loops import find_loops, repetition
from ..semstat.generation.sampling import draw_uniform
from ..semstat.generation.writing import Continuation, Method, continue_texts, reread
from ..semstat.models.packed import pack
from ..semstat.models.replay import Reader
from ..semstat.provenance import Provenance
from ..semstat.tables import table_of_rows, write_table
from ..tokens.shards import Beginnings, read_beginnings

GPU_SHARE = 0.2
"""Of a GPU's free memory, for keys and values of a step."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What is continued.

    Parameters
    ----------
    tokens : the model's tokens of a dataset, a Parquet file a shard.
    prompts : documents whose beginnings are continued.
    prompt_tokens : tokens of each, the prefix token not counted.
    write : tokens to write.
    seed : seed of what is drawn; a prompt's own numbers, whatever the method.
    """

    tokens: list[Path]
    prompts: int = 32
    prompt_tokens: int = 32
    write: int = 256
    seed: int = 0

    def said(self) -> dict[str, Any]:
        """All of it but the files, for the provenance."""
        return {key: value for key, value in asdict(self).items() if key != "tokens"}

    def read(self) -> Beginnings:
        """The first tokens of the first so many documents.

        Raises
        ------
        InputError
            If so many have not so many tokens.
        """
        remedy = (
            "lower `prompts` or `prompt_tokens` of its entry under `decoding`, or raise the "
            "dataset's `shards`"
        )
        return read_beginnings(self.tokens, self.prompts, self.prompt_tokens, remedy)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Into:
    """What is made.

    Parameters
    ----------
    condition : name of it.
    out : Parquet file of continuations to make.
    """

    condition: str
    out: Path


class Writer(Protocol):
    """Writes whole texts: with their numbers, or tokens alone, (texts, steps), to be reread."""

    def __call__(
        self, reader: Reader, prompt_xt: Tensor, steps: int, advance: Callable[[int], object]
    ) -> Continuation | Tensor: ...


Settings = Mapping[str, Sequence[Any]]
"""Values of each of a method's parameters by name; of one parameter at most there are several."""

Make = Callable[..., Writer]
"""Makes a writer of (texts, steps) uniform numbers and a value of each parameter by name."""


class Point(NamedTuple):
    """One value of the parameter over which a condition is a curve, and what is set with it."""

    parameter: str | None
    value: float | None
    settings: dict[str, Any]


def points(settings: Settings) -> list[Point]:
    """The points of a curve: over the parameter that has several values, else the first.

    Raises
    ------
    InputError
        If several parameters have several values.

    >>> [point.value for point in points({"mass": [0.5, 0.9], "sampling_temperature": [1.0]})]
    [0.5, 0.9]
    """
    several = [name for name, values in settings.items() if len(values) > 1]
    if len(several) > 1:
        raise InputError(
            f"decoding: {several[0]} and {several[1]} have several values each, and a condition is "
            f"a curve over one parameter; make several conditions of it"
        )
    over = next(iter(several or settings), None)
    return [
        Point(over, float(chosen[over]) if over else None, chosen)
        for values in itertools.product(*settings.values())
        for chosen in [dict(zip(settings, values, strict=True))]
    ]


def continue_by(
    running: Running,
    prompts: Prompts,
    into: Into,
    method: str,
    make: Make,
    settings: Settings,
    layer: int | None = None,
    copies: int = 1,
) -> None:
    """Let a model continue all prompts by one method, once with each value, and measure the texts.

    Parameters
    ----------
    method : name of the method.
    make : makes a writer, for each value and each group of prompts a new one.
    settings : what it is set to; noted in the provenance.
    layer : at which it steers; none by default.
    copies : texts that it remembers at a time for each prompt.
    """
    curve = points(settings)
    continuing = Continuing(running, prompts, layer, copies)
    rows: list[dict[str, Any]] = []
    label = f"{running.called} {continuing.taken.provenance['dataset']} {into.condition}"
    with (
        progress(label, "tokens", len(curve) * prompts.prompts * prompts.write) as bar,
        finite(running),
    ):
        for point in curve:
            said: dict[str, Any] = {"parameter": point.parameter, "value": point.value}
            said |= {"condition": into.condition, "method": method}
            texts = continuing.texts(partial(make, **point.settings), bar.update)
            rows += [said | text for text in texts]
    provenance = Provenance(
        model=running.snapshot(),
        tokens=continuing.taken.provenance,
        continuing=prompts.said(),
        method={"method": method, "layer": layer}
        | {name: list(values) for name, values in settings.items()},
        **continuing.facts,
    ).then("written by", "torch", "transformers", "tokenizers", "numpy", "pyarrow")
    write_table(into.out, table_of_rows(rows, CONTINUATIONS), provenance)


class Continuing:
    """A model that continues prompts, as many at a time as there is memory for."""

    def __init__(self, running: Running, prompts: Prompts, layer: int | None, copies: int) -> None:
        self.taken, self.write = prompts.read(), prompts.write
        self.key, self.copies = running.key, copies
        positions = 1 + prompts.prompt_tokens + prompts.write
        layered, self.facts = load(running, positions, "decoding.write")
        if layer is None:
            pack(layered.model)  # what has no gradients then
        top = layered.n_blocks
        at = readers(running.called, layered, [top, top if layer is None else layer])
        self.reader, self.chosen = at[top], at[top if layer is None else layer]
        self.at_once = texts_at_once(
            running, self.reader, positions, copies=copies, gpu_share=GPU_SHARE
        )
        self.tokenizer = Tokenizer.from_file(str(running.model / "tokenizer.json"))
        uniform = [draw_uniform(prompts.seed, doc, prompts.write) for doc in self.taken.doc]
        self.uniform_dt = torch.from_numpy(np.array(uniform)).to(layered.device)
        self.prompt_dt = torch.from_numpy(self.taken.ids_dt).to(layered.device)

    def texts(
        self, make: Callable[[Tensor], Writer], advance: Callable[[int], object]
    ) -> Iterator[dict[str, Any]]:
        """A continuation of each prompt, with its numbers by name."""
        for few_d in torch.split(torch.arange(len(self.prompt_dt)), self.at_once):
            writer, prompt_xt = make(self.uniform_dt[few_d]), self.prompt_dt[few_d]
            start = time.perf_counter()
            with self._enough_memory(len(few_d)):
                found = writer(self.chosen, prompt_xt, self.write, advance)
                token_xt = (found if isinstance(found, Tensor) else found.token_xt).cpu()  # waits
                speed = {"tokens_per_second": token_xt.numel() / (time.perf_counter() - start)}
                described = list(describe(self.reader, prompt_xt, found))
            for d, numbers in zip(few_d.tolist(), described, strict=True):
                yield speed | self._said(d, numbers["tokens"]) | numbers

    @contextmanager
    def _enough_memory(self, texts: int) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError as error:
            size = texts * self.copies * (self.prompt_dt.shape[1] + self.write)
            raise InputError(
                f"{self.key}: out of GPU memory with {texts} prompts at a time; lower batch_tokens "
                f"(set-resources in profiles/) below {size}"
            ) from error

    def _said(self, d: int, tokens: list[int]) -> dict[str, Any]:
        decode = self.tokenizer.decode
        return {
            "doc": self.taken.doc[d],
            "prompt": decode(self.taken.ids_dt[d, 1:].tolist()),
            "continuation": decode(tokens, skip_special_tokens=False),
        }


def write_by(method: Method) -> Writer:
    """A writer that chooses token by token."""

    def write(
        reader: Reader, prompt_xt: Tensor, steps: int, advance: Callable[[int], object]
    ) -> Continuation:
        return continue_texts(reader, prompt_xt, steps, method, advance)

    return write


def processing(process: Callable[..., Any]) -> Make:
    """Of what penalises or refuses tokens, as `Processed` takes it, made of its parameters."""

    def make(uniform_xt: Tensor, sampling_temperature: float = 0.0, **own: Any) -> Writer:
        return write_by(Processed(sampling_temperature, uniform_xt, process(*own.values())))

    return make


def cutting(cut: Callable[..., Any]) -> Make:
    """Of what says among which tokens to draw, as `Processed` takes it, made of its parameters."""

    def make(uniform_xt: Tensor, sampling_temperature: float, **own: Any) -> Writer:
        processed = Processed(sampling_temperature, uniform_xt, unchanged, cut(*own.values()))
        return write_by(processed)

    return make


def describe(
    reader: Reader, prompt_xt: Tensor, found: Continuation | Tensor
) -> Iterator[dict[str, Any]]:
    """Tokens and numbers of each continuation, by name.

    Parameters
    ----------
    reader : at the top layer.
    """
    if isinstance(found, Tensor):
        found = reread(reader, prompt_xt, found)
    read = found
    if found.steered_xt.any():
        read = reread(reader, prompt_xt, found.token_xt)
    means = {
        "surprisal": read.surprisal_xt,
        "entropy": read.entropy_xt,
        "energy": read.energy_xt,
        "below_zero": read.energy_xt < 0,
        "drawn_entropy": found.drawn_entropy_xt,
    }
    mean_x = {name: number_xt.double().mean(dim=1).tolist() for name, number_xt in means.items()}
    mean_x["energy_fluctuation"] = _fluctuation(found).tolist()
    mean_x["reread_fluctuation"] = _fluctuation(read).tolist()
    steered = found.steered_xt.tolist()
    for x, token_t in enumerate(found.token_xt.tolist()):
        loops = find_loops(token_t)
        yield {
            "tokens": token_t,
            "steered": steered[x],
            "rep_1": repetition(token_t, 1),
            "rep_4": repetition(token_t, 4),
            "looping": loops.onset is not None,
            "in_loops": loops.share,
        } | {name: number_x[x] for name, number_x in mean_x.items()}


def _fluctuation(written: Continuation) -> NDArray[np.float64]:
    return energy_fluctuation(
        written.top_xtn.double().cpu().numpy(), written.surprisal_xt.double().cpu().numpy()
    )
