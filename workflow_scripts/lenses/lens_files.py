"""Tuned lenses on disk: safetensors with their provenance in the metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..semstat.errors import InputError
from ..semstat.lenses.translator import Lens, Translator
from ..semstat.provenance import Provenance
from ..semstat.tables import PROVENANCE, completed, remedy


def write_lens(path: Path, lens: Lens, provenance: Provenance) -> None:
    """Write A and b of every layer, in float32, or nothing.

    Parameters
    ----------
    provenance : with the number of `blocks` of the model.
    """
    tensors = {
        f"layer.{layer}.{name}": tensor.detach().cpu().contiguous()
        for layer, translator in lens.items()
        for name, tensor in translator.named_parameters()
    }
    metadata = {PROVENANCE.decode(): json.dumps(provenance, sort_keys=True)}
    with completed(path) as (temporary,):
        save_file(tensors, temporary, metadata)
        temporary.chmod(0o644)


def read_lens(path: Path, layers: Sequence[int]) -> tuple[Lens, Provenance]:
    """Translators of the layers asked for, and their provenance; the last layer has none.

    Raises
    ------
    InputError
        If the file is damaged or lacks a layer.
    """
    try:
        with safe_open(path, framework="pt") as file:
            provenance = Provenance(json.loads(file.metadata()[PROVENANCE.decode()]))
            names = set(file.keys())
            inner = [layer for layer in layers if layer != provenance["blocks"]]
            for layer in inner:
                if f"layer.{layer}.weight" not in names:
                    raise InputError(
                        f"{path}: holds no translator of layer {layer}; {remedy(path)}"
                    )
            lens = {
                layer: Translator(
                    file.get_tensor(f"layer.{layer}.weight"), file.get_tensor(f"layer.{layer}.bias")
                )
                for layer in inner
            }
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; run snakemake to make it") from error
    except (SafetensorError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a whole tuned lens ({error}); {remedy(path)}") from error
    return lens, provenance
