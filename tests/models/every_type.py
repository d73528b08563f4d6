"""A tiny model of every causal type that transformers knows, and what becomes of it here.

`python -m tests.models.every_type` writes the table of docs/model_types.md again.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from tests.models.tiny_configurations import CHANGES, FROM_THE_REST, SMALL
from tests.runs import REPO
from workflow_scripts.models.loading import Running, load
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader
from workflow_scripts.semstat.models.windows import Window

TYPES: dict[str, str] = dict(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
"""Model type → class, as transformers' own mapping has them."""

TOLERANCES = {"float32": 1e-4, "bfloat16": 0.1, "float16": 0.02}
"""Of ln p(correct) − ln p(last), at nine states of ten; at all of them in float32."""

POSITIONS = 60

HEAD = "| type | class | energies | in | read token by token, at layers |\n|---|---|---|---|---|\n"

PAGE = REPO / "docs" / "model_types.md"


def tiny_config(model_type: str) -> Any:
    """A tiny configuration of a type."""
    return _shrunk(CONFIG_MAPPING[model_type], CHANGES.get(model_type, {}))


def _shrunk(kind: Any, changes: dict[str, Any]) -> Any:
    fields = {name for cls in kind.__mro__ for name in getattr(cls, "__annotations__", {})}
    fields |= set(kind.attribute_map)
    chosen = {name: size for name, size in SMALL.items() if name in fields}
    for alias, name in kind.attribute_map.items():
        if name in chosen:
            chosen.pop(alias, None)
    for name in FROM_THE_REST:
        own = name in fields and name not in kind.attribute_map
        if own and not isinstance(getattr(kind, name, None), property):
            chosen[name] = None
    chosen |= {
        name: _shrunk(part, changes.get(name, {})) for name, part in _parts(kind, changes).items()
    }
    return kind(
        **(changes | chosen | {k: v for k, v in changes.items() if k not in kind.sub_configs})
    )


def _parts(kind: Any, changes: dict[str, Any]) -> dict[str, Any]:
    """Configurations that one of a kind is made of, by name."""
    if not kind.sub_configs:
        return {}
    parts = {}
    for name, sub in kind.sub_configs.items():
        spec = kind.sub_configs_defaults.get(name)
        if sub is AutoConfig and (spec is None or spec.model_type is None):
            continue
        parts[name] = CONFIG_MAPPING[spec.model_type] if sub is AutoConfig else sub
    return parts


class Row(NamedTuple):
    """What becomes of one type of model.

    energies : "exact", "exact up to …", or the sentence that refuses it.
    dtypes : in which it is so.
    layers : at which it is read token by token, or the sentence that says why not.
    """

    model_type: str
    made: str
    energies: str
    dtypes: str
    layers: str


def save_tiny(model_type: str, folder: Path) -> Path:
    """Save a tiny model of a type, every parameter of it random; weights that fit nothing if
    transformers itself makes none."""
    config = tiny_config(model_type)
    config.save_pretrained(folder)
    try:
        model = AutoModelForCausalLM.from_config(config).eval()
    except Exception:  # loading it is to say so
        save_file({"x": torch.zeros(1)}, folder / "model.safetensors", {"format": "pt"})
        return folder
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            centre = 1.0 if parameter.dim() == 1 else 0.0
            parameter.copy_(centre + 0.2 * torch.randn(parameter.shape, generator=generator))
    model.save_pretrained(folder)
    return folder


def examine(model_type: str, folder: Path) -> Row:
    """Save a tiny model of a type and put it through everything, in every dtype."""
    snapshot = save_tiny(model_type, folder)
    found = {dtype: _examine(model_type, snapshot, dtype) for dtype in TOLERANCES}
    energies, layers = found["float32"]
    alike = [dtype for dtype, cells in found.items() if cells[0] == energies]
    assert layers == found["bfloat16"][1] or "bfloat16" not in alike, found
    return Row(model_type, TYPES[model_type], energies, ", ".join(alike), layers)


def render(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = HEAD.splitlines()
    for row in rows:
        exact = row.energies.startswith("exact")
        energies = row.energies if exact else f"refused: {row.energies}"
        cells = [
            f"`{row.model_type}`",
            f"`{row.made}`",
            energies,
            row.dtypes if exact else "",
            row.layers,
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _examine(model_type: str, snapshot: Path, dtype: str) -> tuple[str, str]:
    running = Running(model=snapshot, name=model_type, dtype=dtype, device="cpu")
    positions, said = POSITIONS, "exact"
    try:
        layered, _ = load(running, positions, "context")
    except InputError as error:
        limit = re.search(r"lower context to (\d+)$", str(error))
        if limit is None:
            return _sentence(error), ""
        positions, said = int(limit[1]), f"exact up to a limit: {_sentence(error)}"
        layered, _ = load(running, positions, "context")
    assert worst_error(layered, positions, dtype) < TOLERANCES[dtype], (model_type, dtype)
    return said, _layers(layered, positions) if dtype != "float16" else ""


def _sentence(error: InputError) -> str:
    """What an error says after the names of key and class, on any machine."""
    text = re.sub(r"^(models\.\S+: )?(\w+: )?", "", str(error))
    return re.sub(
        r"(?<![\d.])(\d+\.\d+(e-?\d+)?|\d+e[+-]\d+|\d+(?= of (its|their) norm))(?!\d|\.\d)",
        "…",
        text,
    )


_MEASURED = re.compile(
    r"(?<![\d.])(\d+\.\d+(e-?\d+)?|\d+e[+-]\d+|\d+(?= of (its|their) norm))(?!\d|\.\d)"
)


def worst_error(layered: LayeredModel, positions: int, dtype: str) -> float:
    """Largest error of ln p(correct) − ln p(last) against the model's own logits of each window
    alone; in half precision, where rounding moves a choice of experts, the ninth decile."""
    generator = np.random.default_rng(0)
    windows = [
        Window(doc, 0, generator.integers(1, 257, length + 1).astype(np.int32), 1)
        for doc, length in enumerate((positions, positions, 2 * positions // 3, positions // 3, 5))
    ]
    last = layered.n_blocks
    columns = [found[last] for found in measure_windows(layered, windows, [last], 1000)]
    found = np.concatenate([each["log_p_correct"] - each["log_p_last"] for each in columns])
    error = np.abs(found - np.concatenate([*_own(layered.model, windows)]))
    return float(error.max() if dtype == "float32" else np.quantile(error, 0.9))


def _own(model: Any, windows: list[Window]) -> Iterator[NDArray[np.float32]]:
    for window in windows:
        token_t = torch.from_numpy(window.tokens_t.astype(np.int64))
        with torch.inference_mode():
            logits_tv = model(input_ids=token_t[None, :-1], use_cache=False).logits[0].float()
        log_p_tv = logits_tv.log_softmax(-1)
        correct, last = (log_p_tv.gather(1, t[:, None])[:, 0] for t in (token_t[1:], token_t[:-1]))
        yield (correct - last)[window.first :].numpy()


def _layers(layered: LayeredModel, positions: int) -> str:
    """Where a model is read token by token, right from the first token on."""
    last = layered.n_blocks
    try:
        reader = Reader(layered, last)
    except InputError as error:
        return _sentence(error)
    assert _error_of_reading(reader, positions) < 1e-3 or layered.eps > 1e-6
    try:
        for layer in (0, last // 2):
            Reader(layered, layer)
    except InputError as error:
        return f"the last: {_sentence(error)}"
    return "all"


def _error_of_reading(reader: Reader, positions: int) -> float:
    """Largest error of a log-probability over some steps through the cache."""
    generator = torch.Generator().manual_seed(1)
    ids_xt = torch.randint(1, 257, (2, positions // 2), generator=generator)
    with torch.no_grad():
        own = reader.layered.model(input_ids=ids_xt, use_cache=False).logits.float()
    own_xtv = own.log_softmax(-1)
    moment, worst = reader.start(ids_xt[:, :5])[0], 0.0
    for step in range(5, ids_xt.shape[1]):
        error = reader.log_p(moment.top_xn) - own_xtv[:, step - 1]
        worst = max(worst, error.abs().max().item())
        moment = reader.read(ids_xt[:, step : step + 1], moment.after)
    return worst


def main() -> None:
    """Write the table of the page again."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [examine(model_type, Path(folder) / model_type) for model_type in sorted(TYPES)]
    before, after = PAGE.read_text(encoding="utf-8").split(HEAD)
    rest = after.split("\n\n", 1)[1:]
    PAGE.write_text("\n\n".join([before + render(rows).rstrip("\n"), *rest]), encoding="utf-8")


if __name__ == "__main__":
    main()
