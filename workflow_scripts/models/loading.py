"""Models as the commands that run them take them: options, loading, what to say of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
import transformers
from cyclopts import Parameter
from safetensors import SafetensorError

from ..semstat.errors import InputError, blamed_on, first_line
from ..semstat.models.architecture import ArchitectureError, longest_text
from ..semstat.models.decoder import LayeredModel
from ..semstat.models.windows import BATCH_TOKENS

log = logging.getLogger(__name__)

INTERVENTIONS = "..semstat.interventions"
"""Where each kind has its module. They are loaded by name, so that their code is code of no
command; that of a kind has its digest in the option of jobs that run under it."""


class Intervention(Protocol):
    """What is changed in a model while it runs; semstat/models/intervening.py says how."""

    def check(self, config: Any) -> None: ...

    def apply(self, model: Any) -> None: ...


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Running:
    """Which model runs, and how.

    Parameters
    ----------
    model : snapshot of the model.
    name : its name in the configuration (default: that of the snapshot).
    dtype : precision of its body; readouts are always float32.
    attention : implementation of attention; `auto` leaves it to transformers.
    intervention : what is changed in the model: `none`, or as JSON its `kind`, the parameters of
        that and, where rules say it, the digest of its code.
    device : where it runs; `auto` takes a GPU if there is one.
    threads : CPU threads (default: all).
    batch_tokens : positions computed or remembered at once (default: 2,048 on a CPU, 16,384 on a
        GPU).
    """

    model: Path
    name: str = ""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    attention: str = "auto"
    intervention: str = "none"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int | None = None
    batch_tokens: int = 0

    @property
    def called(self) -> str:
        """Name of the model."""
        return self.name or self.model.name

    @property
    def key(self) -> str:
        """Where the configuration speaks of it."""
        return f"models.{self.called}"

    def positions_at_once(self, device: torch.device) -> int:
        """Positions in one forward pass."""
        return self.batch_tokens or BATCH_TOKENS[device.type]

    def snapshot(self) -> dict[str, Any]:
        """What the snapshot says of itself."""
        said: dict[str, Any] = json.loads(
            (self.model / "provenance.json").read_text(encoding="utf-8")
        )
        return said | {"model": self.called}


def load(running: Running, positions: int, key: str) -> tuple[LayeredModel, dict[str, Any]]:
    """The model, ready on its device, and how it is run: device, dtype and attention.

    Parameters
    ----------
    positions : as many as it is to see at once.
    key : of the configuration, that asks for so many.

    Raises
    ------
    InputError
        If it cannot be run so: one sentence with key and remedy.
    """
    loaded, facts = load_weights(running, positions, key)
    try:
        model = LayeredModel(loaded.requires_grad_(False), positions, key)
    except ArchitectureError as error:
        raise InputError(f"{running.key}: {error}") from error
    log.info("%s on %s, %s attention", *(facts[key] for key in ("dtype", "device", "attention")))
    return model, facts


def load_weights(running: Running, positions: int, key: str) -> tuple[Any, dict[str, Any]]:
    """transformers' own model on its device, to train, and how it is run; as `load` otherwise."""
    if running.threads:
        torch.set_num_threads(running.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    config = transformers.AutoConfig.from_pretrained(running.model, local_files_only=True)
    _check_positions(running, config, positions, key)
    intervention, said = _intervention(running)
    with _blamed_on_intervention(running):
        intervention.check(config)
    device = _device(running)
    attention = None if running.attention == "auto" else running.attention
    try:
        told: Any = transformers.AutoModelForCausalLM.from_pretrained(
            running.model,
            dtype=getattr(torch, running.dtype),
            attn_implementation=attention,
            use_safetensors=True,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # they are told of below
            output_loading_info=True,
        )
    except SafetensorError as error:
        raise InputError(
            f"{running.model / 'model.safetensors'}: damaged ({error}); "
            f"delete the folder {running.model} and run snakemake again"
        ) from error
    except Exception as error:
        # transformers raises anything where a configuration, or what is installed, does not suit.
        raise InputError(_no_model(running, error)) from error
    loaded, found = told
    _check_keys(running, found)
    _check_range(running, loaded)
    facts = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "dtype": running.dtype,
        "attention": loaded.config._attn_implementation,
        **said,
    }
    model = loaded.eval().to(device)
    with _blamed_on_intervention(running):
        intervention.apply(model)
    return model, facts


class _Nothing:
    """The intervention of a model that runs as it is."""

    def check(self, config: Any) -> None: ...

    def apply(self, model: Any) -> None: ...


def _intervention(running: Running) -> tuple[Intervention, dict[str, Any]]:
    """What is changed in a model, and what its provenance says of it: nothing of one as it is."""
    if running.intervention == "none":
        return _Nothing(), {}
    key = f"{running.key}.intervention"
    try:
        keys = json.loads(running.intervention)
        kind, _ = keys["kind"], keys.pop("code", None)
        module = import_module(f"{INTERVENTIONS}.{kind}", __package__)
        make = getattr(module, "".join(word.title() for word in kind.split("_")))
    except (ValueError, LookupError, TypeError, AttributeError, ImportError) as error:
        raise InputError(
            f"{key}: {running.intervention} names no intervention ({first_line(error)}); see "
            f"docs/interventions.md"
        ) from error
    parameters = {name: _frozen(value) for name, value in keys.items() if name != "kind"}
    try:
        with _blamed_on_intervention(running):
            return make(**parameters), {"intervention": keys}
    except TypeError as error:
        raise InputError(f"{key}: {first_line(error)}; see docs/interventions.md") from error


def _frozen(value: Any) -> Any:
    """Lists of JSON as tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@contextmanager
def _blamed_on_intervention(running: Running) -> Iterator[None]:
    """Say of which intervention an error is: of one of its keys, or of what it acts on."""
    key = f"{running.key}.intervention"
    try:
        yield
    except ArchitectureError as error:
        raise InputError(f"{key}: {error}") from error
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{key}.{first_line(error)}") from error


def _check_keys(running: Running, found: dict[str, Any]) -> None:
    """Check that the model is the snapshot's: what is not there would be random numbers."""
    wrong = {
        "lacks": found["missing_keys"],
        "holds beside the model": found["unexpected_keys"],
        "has in another shape": {name for name, *_ in found["mismatched_keys"]},
    }
    for what, names in wrong.items():
        if names:
            raise InputError(
                f"{running.model / 'model.safetensors'}: {what} {min(names)}, so it is not of the "
                f"config.json beside it; delete the folder {running.model} and run snakemake again"
            )


def _check_range(running: Running, loaded: Any) -> None:
    """Check that the precision asked for holds the weights: beyond 65,504, float16 has infinity."""
    for name, weight in loaded.named_parameters():
        if weight.dtype != torch.float16 or not weight.numel():
            continue
        if not all(map(torch.isfinite, torch.aminmax(weight))):
            raise InputError(
                f"{running.key}.dtype: float16 does not hold the weights, of which {name} exceeds "
                f"65,504; set it to float32 or bfloat16"
            )


def _no_model(running: Running, error: Exception) -> str:
    """Why transformers makes no model of a snapshot."""
    if running.attention != "auto":
        return (
            f"{running.key}.attention: {running.attention!r} does not work here "
            f"({first_line(error)}); set it to auto"
        )
    install = isinstance(error, ImportError)
    said = first_line(error).split(". ")[0] if install else first_line(error)
    return (
        f"{running.key}: transformers {transformers.__version__} makes no causal language model of "
        f"it ({said}); {'install that, or ' if install else ''}take another model"
    )


def _check_positions(running: Running, config: Any, positions: int, key: str) -> None:
    limit = longest_text(config)
    if limit and positions > limit:
        raise InputError(
            f"{key}: {positions} positions are more than the {limit} that {running.called} was "
            f"made for; lower it"
        )


def _device(running: Running) -> str:
    device = running.device
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"{running.key}.device: cuda is not available here "
            f"(torch {torch.__version__}); set it to auto or cpu"
        )
    return device


@contextmanager
def finite(running: Running) -> Iterator[None]:
    """Blame NaN and infinite activations on the precision that the model runs in."""
    remedy = "set its dtype to float32, or bfloat16 on a GPU"
    with blamed_on(running.key, remedy, FloatingPointError):
        yield
