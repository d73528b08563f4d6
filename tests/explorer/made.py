"""Results of models that there are not, on given texts: tokens, energies, curves and their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.runs import REPO
from tests.tiny import PREFIX, VOCABULARY, tiny_tokenizer
from workflow_scripts.explorer.select_states import select_states
from workflow_scripts.explorer.write_page import write_page
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.tables import table_of, write_table
from workflow_scripts.semstat.thermodynamics.tables import CURVE_QUANTITIES, CURVES
from workflow_scripts.semstat.tokens.tables import TOKENS

PAGE = REPO / "workflow_scripts/explorer/page"
SCRIPTS = ["numbers.js", "text.js", "charts.js", "states.js", "document.js", "main.js"]

HOSTILE = (
    "</script><script>window.hacked = 1</script> <img src=x onerror=window.hacked=1> €🙂 & so on"
)
PLAIN = "we the people of this union read vote sleep too 1776 "

SETTINGS = {"context": 48, "stride": 24, "dtype": "float32", "attention": "sdpa"}
SETTINGS |= {"readout": "logit_lens"}


class Made:
    """Results in a folder.

    Parameters
    ----------
    folder : where they are made.
    texts : a document each.
    models : names.
    layers : of each model.
    older : whether energies are as they were before p of the top token was one of their columns.
    made_by : what tokens tell of their ensemble.
    """

    def __init__(
        self,
        folder: Path,
        texts: Sequence[str],
        models: Sequence[str] = ("tiny",),
        layers: Sequence[int] = (0, 2),
        older: bool = False,
        made_by: Mapping[str, object] | None = None,
    ) -> None:
        self.older, self.made_by = older, made_by or {}
        self.results, self.layers, self.models = folder / "results", layers, models
        tokenizer = tiny_tokenizer()
        tokens = [[0, *tokenizer(text, add_special_tokens=False)["input_ids"]] for text in texts]
        for seed, model in enumerate(models):
            tokenizer.save_pretrained(self.results / "models" / model)
            self._write(model, tokens, np.random.default_rng(seed))

    def path(self, kind: str, model: str, rest: str = "") -> Path:
        return self.results / f"{kind}/model={model}/dataset=text{rest}.parquet"

    def _write(self, model: str, tokens: list[list[int]], rng: np.random.Generator) -> None:
        of = {"dataset": "text", "prefix_token": PREFIX} | self.made_by
        docs = pa.Table.from_pydict({"doc": range(len(tokens)), "tokens": tokens}, schema=TOKENS)
        write_table(self.path("tokens", model, "/shard=0"), docs, of)
        states = [(d, t) for d, row in enumerate(tokens) for t in range(1, len(row) - 1)]
        doc_s, position_s = np.array(states).T
        last_s = np.array([tokens[d][t] for d, t in states])
        correct_s = np.array([tokens[d][t + 1] for d, t in states])
        for layer in self.layers:
            said = {"model": {"model": model}, "tokens": of, "layer": layer} | SETTINGS
            p_s2 = rng.dirichlet([0.2, 0.2, 2.0], size=len(states))[:, :2].astype(np.float32)
            p_s2[last_s == correct_s, 1] = p_s2[last_s == correct_s, 0]
            energy_s = p_s2[:, 1] - p_s2[:, 0]
            columns = {
                "doc": doc_s,
                "position": position_s,
                "last": last_s,
                "correct": correct_s,
                "log_p_last": np.log(np.maximum(p_s2[:, 0], 1e-30)),
                "log_p_correct": np.log(np.maximum(p_s2[:, 1], 1e-30)),
                "energy": energy_s,
                "entropy": rng.uniform(0, 5, len(states)),
                "top": rng.integers(0, VOCABULARY, len(states)),
                "norm": np.ones(len(states)),
            }
            columns |= {"log_p_top": np.log(np.maximum(p_s2.max(axis=1), 0.5))}
            columns |= {
                name: rng.exponential(size=len(states)) for name in ("speed", "normed_speed")
            }
            columns["speed"][3] = np.nan  # a state that does not move
            rest = {name: np.ones(len(states)) for name in ENERGIES.names if name not in columns}
            table = table_of(columns | rest, ENERGIES)
            path = self.path("energies", model, f"/layer={layer}/shard=0")
            write_table(path, table.drop_columns(["log_p_top"]) if self.older else table, said)
            rivals = columns | rest | {"energy": energy_s - rng.uniform(0, 0.1, len(states))}
            path = self.path("energies", f"{model}-loops", f"/layer={layer}/shard=0")
            loops = said | {"model": {"model": f"{model}-loops"}}
            write_table(path, table_of(rivals, ENERGIES), loops)
            self._write_curve(model, layer, energy_s, said | {"shards": 1})

    def _write_curve(self, model, layer, energy_s, said) -> None:
        grid_e = np.linspace(-1, 1, 41)
        volume_e = np.searchsorted(np.sort(energy_s), grid_e, side="right") / len(energy_s)
        value_e = np.where(volume_e > 0, volume_e, np.nan)
        columns = {"energy": grid_e, "extrapolated": grid_e < -0.9}
        for name in CURVE_QUANTITIES:
            of_e = np.log(value_e) if "entropy" in name else value_e
            columns |= {name: of_e, f"{name}_low": of_e, f"{name}_high": of_e}
            columns |= {f"{name}_band_low": of_e * 0.9, f"{name}_band_high": of_e * 1.1}
        path = self.path("curves", model, f"/layer={layer}")
        write_table(path, table_of(columns, CURVES), said)

    def select(self, model: str, **changes) -> dict[str, Path]:
        """The tables of the states that are shown."""
        out = {
            kind: self.path(f"explorer/{kind}", model) for kind in ("layers", "positions", "states")
        }
        given = {
            "energies": [
                self.path("energies", model, f"/layer={layer}/shard=0") for layer in self.layers
            ],
            "tokens": [self.path("tokens", model, "/shard=0")],
            "curves": [self.path("curves", model, f"/layer={layer}") for layer in self.layers],
        }
        if changes.pop("scored", False):
            given["loops"] = [
                self.path("energies", f"{model}-loops", f"/layer={layer}/shard=0")
                for layer in self.layers
            ]
        given |= {name: changes.pop(name) for name in given if name in changes}
        options = {"bytes": 10**8, "tail": 50, "neighbours": 6} | changes
        select_states(**given, **{f"{kind}_out": path for kind, path in out.items()}, **options)
        return out

    def page(self, megabytes: int = 100, **changes) -> Path:
        """The page, of all models."""
        tables = [self.select(model, **changes) for model in self.models]
        return write(
            self.results / "explorer.html",
            tables,
            [self.results / "models" / model for model in self.models],
            megabytes,
        )


def write(out: Path, tables: list[dict[str, Path]], models: list[Path], megabytes: int) -> Path:
    """Write a page as the workflow does."""
    parts = {kind: [of[kind] for of in tables] for kind in ("layers", "positions", "states")}
    page = [PAGE / name for name in ("page.html", "page.css", *SCRIPTS)]
    write_page(**parts, models=models, page=page, megabytes=megabytes, out=out)
    return out
