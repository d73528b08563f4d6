"""The tables in docs/tables, from which pages take the numbers of longer studies.

    python -m benchmarks.tables STAGE RESULTS

writes docs/tables/STAGE from the results of a finished study: `lenses` of config/lenses.yaml,
`repetition` of config/ensembles.yaml, `steering` of config.yaml, `decoding` and `criticality` of
config/decoding.yaml and config/criticality.yaml, `training-corpora` of config/corpora.yaml with its
target `decoding`, `training-barrier` of config/barrier.yaml, `training-families` of
config/families.yaml with `mechanics`, `causes` of config/causes.yaml, `periods` and
`periods-anomalies` of config/periods.yaml and config/anomalies.yaml, `volumes` of
config/volumes.yaml, `generation` of a study whose
datasets are `sotu` and, after its first 16 tokens, what the model writes at sampling temperatures
of 0 (`cold`), 0.5 (`cool`) and 1 (`warm`). With them goes the study's provenance.json:
configuration, commits, library versions.
tests/test_claims_of_studies.py holds pages to them.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from workflow_scripts.running.tabulate import tabulate
from workflow_scripts.semstat.periods.onsets import find_onset

MODEL = "model=smollm2-135m"
DIGITS = "%.4g"


def read(folder: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """All shards in a folder, or one file."""
    paths = sorted(folder.glob("*.parquet")) if folder.is_dir() else [folder]
    return pd.concat([pq.ParquetFile(path).read(columns).to_pandas() for path in paths])


def lenses(results: Path, out: Path) -> None:
    """Divergences, wells, and states that lie deep under either lens and under both."""
    tabulate([results / "lenses/smollm2-135m-tuned.parquet"], out=out / "divergence.csv")
    shutil.copyfile(results / "wells.csv", out / "wells.csv")
    rows = []
    for layer in pd.read_csv(out / "wells.csv").layer.unique():
        logit_s, tuned_s = (
            read(results / f"energies/{model}/dataset=sotu/layer={layer}", ["energy"]).energy
            for model in (MODEL, f"{MODEL}-tuned")
        )
        for energy, below in [(0.0, np.less), (-0.1, np.less_equal), (-0.5, np.less_equal)]:
            low_s, low_tuned_s = below(logit_s, energy), below(tuned_s, energy)
            both = int((low_s & low_tuned_s).sum())
            rows.append((layer, energy, int(low_s.sum()), int(low_tuned_s.sum()), both))
    columns = ["layer", "energy", "logit_lens", "tuned_lens", "both"]
    pd.DataFrame(rows, columns=columns).to_csv(out / "states_below.csv", index=False)


def repetition(results: Path, out: Path) -> None:
    """What happens as a token, and as a sentence, is repeated."""
    for unit in ("token", "sentence"):
        table = results / f"repetition/{MODEL}/dataset=sotu-{unit}.parquet"
        tabulate([table], out=out / f"{unit}.csv")


def steering(results: Path, out: Path) -> None:
    """What effects take."""
    shutil.copyfile(results / "steering/effects.csv", out / "effects.csv")


def decoding(results: Path, out: Path) -> None:
    """What methods of decoding do."""
    table = pd.read_csv(results / "decoding/decodings.csv")
    table.to_csv(out / "decodings.csv", index=False, float_format=DIGITS)


def generation(results: Path, out: Path) -> None:
    """Means over the states that each document's text after the prompt has."""
    rows = []
    for dataset in ("sotu", "cold", "cool", "warm"):
        energies = read(results / f"energies/{MODEL}/dataset={dataset}/layer=30")
        tokens = read(results / f"tokens/{MODEL}/dataset={dataset}")
        for doc, tokens_t in zip(tokens.doc, tokens.tokens, strict=True):
            # The prefix token stands at 0: the first token that the model writes is the 17th.
            of = energies[(energies.doc == doc) & (energies.position >= PROMPT)]
            grams = list(zip(*(tokens_t[1 + shift :] for shift in range(4)), strict=False))
            fresh = range(PROMPT - 3, len(grams))  # those that end in what is written
            rows.append(
                {
                    "dataset": dataset,
                    "doc": doc,
                    "states": len(of),
                    "mean_energy": of.energy.mean(),
                    "below_zero": (of.energy < 0).mean(),
                    "repeats_last": (of["last"] == of.correct).mean(),
                    "seen_4_grams": np.mean([grams[i] in grams[:i] for i in fresh]),
                    "surprisal": -of.log_p_correct.mean(),
                }
            )
    pd.DataFrame(rows).to_csv(out / "documents.csv", index=False, float_format=DIGITS)


def criticality(results: Path, out: Path) -> None:
    """What sweeps are like, and where they change."""
    for name in ("observables", "crossovers"):
        table = pd.read_csv(results / f"criticality/{name}.csv")
        table.to_csv(out / f"{name}.csv", index=False, float_format=DIGITS)


def training_corpora(results: Path, out: Path) -> None:
    """Groups of models, what they are like when they read and write, what differs, and wells."""
    for name in ("groups", "numbers", "doses"):
        table = pd.read_csv(results / f"training/{name}.csv")
        if name == "numbers":
            table = at_last_layer(table, "group", "dataset")
        table.to_csv(out / f"{name}.csv", index=False, float_format=DIGITS)
    wells = at_last_layer(pd.read_csv(results / "wells.csv"), "model")
    wells.to_csv(out / "wells.csv", index=False, float_format=DIGITS)


def training_barrier(results: Path, out: Path) -> None:
    """The same, with what differs in the numbers that are told."""
    training_corpora(results, out)
    doses = pd.read_csv(out / "doses.csv")
    told = doses.observable.isin(["surprisal", "energy", "omega", "rep_4", "looping"])
    doses[told].to_csv(out / "doses.csv", index=False)


def training_families(results: Path, out: Path) -> None:
    """The same, with what tells two models apart, and two members of the mechanics' family."""
    training_corpora(results, out)
    for name in ("mechanics", "mechanics_of_training"):
        table = at_last_layer(pd.read_csv(results / f"{name}.csv"), "model")
        member = (table.form == "energy") & (table.kinetic == "log_half_square")
        table = table[member & table.potential.isin(["surprisal", "entropy"])]
        table.to_csv(out / f"{name}.csv", index=False, float_format=DIGITS)
    shutil.copyfile(results / "comparisons.csv", out / "comparisons.csv")
    deepest(results, pd.read_csv(out / "wells.csv")).to_csv(out / "deepest.csv", index=False)


def deepest(results: Path, wells: pd.DataFrame) -> pd.DataFrame:
    """How many deep states each model has at its last layer, which of them the first has too, and
    after which line feeds stand."""
    rows = []
    first: dict[float, set[tuple[int, int]]] = {}
    for model, layer in wells[wells.dataset == "sotu"].set_index("model").layer.items():
        tokens = (results / f"models/{model}/tokenizer.json").read_text(encoding="utf-8")
        line_feed = json.loads(tokens)["model"]["vocab"]["Ċ"]
        folder = results / f"energies/model={model}/dataset=sotu/layer={layer}"
        states = read(folder, ["doc", "position", "last", "energy"])
        for energy in (-0.1, -0.5):
            low = states[states.energy <= energy]
            places = {*zip(low.doc, low.position, strict=True)}
            shared = len(places & first.setdefault(energy, places))
            feeds = int((low["last"] == line_feed).sum())
            rows.append((model, energy, len(low), low.doc.nunique(), shared, feeds))
    columns = ["model", "energy", "states", "documents", "shared_with_first", "after_line_feed"]
    return pd.DataFrame(rows, columns=columns)


def causes(results: Path, out: Path) -> None:
    """What causes do, what goes with low energy, wells, and states where text repeats itself."""
    table = pd.read_csv(results / "causes.csv")
    told = ["surprisal", "energy", "omega", "rep_4", "looping", "row_entropy", "sink", "induction"]
    table = table[table.observable.isin([*told, "stable_rank", "mean_cosine"])]
    table.to_csv(out / "causes.csv", index=False, float_format=DIGITS)
    attention = results / "attention"
    tabulate([attention / f"groups/{MODEL}/dataset=sotu.parquet"], out=out / "groups.csv")
    twins = [
        attention / f"associations/{of}/dataset=sotu.parquet" for of in (MODEL, f"{MODEL}-random")
    ]
    tabulate(twins, out=out / "associations.csv")
    tabulate(sorted(attention.glob("places/*/*.parquet")), out=out / "places.csv")
    tabulate(sorted(results.glob("wells/*/dataset=sotu.parquet")), out=out / "wells.csv")
    for name in ("groups", "associations", "places", "wells"):
        table = pd.read_csv(out / f"{name}.csv")
        if name in ("places", "wells"):
            table = at_last_layer(table, "model")
        if name == "places":
            repeated = table.dataset.isin(["one-token", "phrase", "written"])
            table = table[repeated & table.measure.isin([*told, "relative_norm"])]
        table.to_csv(out / f"{name}.csv", index=False, float_format=DIGITS)


def periods(results: Path, out: Path) -> None:
    """How often loops are preferred, by layer and on text by period; loops seen coming and found;
    wells on text."""
    table = pd.read_csv(results / "periods.csv")
    last = table.layer == table.groupby("model").layer.transform("max")
    table = table[table.period.isna() | (last & (table.dataset == "sotu"))]
    table.to_csv(out / "periods.csv", index=False, float_format=DIGITS)
    for name in ("onset_warnings", "found_periods"):
        table = at_last_layer(pd.read_csv(results / f"{name}.csv"), "model")
        table.to_csv(out / f"{name}.csv", index=False, float_format=DIGITS)
    tabulate(sorted(results.glob("wells/*/dataset=sotu.parquet")), out=out / "wells.csv")
    wells = at_last_layer(pd.read_csv(out / "wells.csv"), "model")
    wells.to_csv(out / "wells.csv", index=False, float_format=DIGITS)
    written_loops(results).to_csv(out / "loops.csv", index=False)


def written_loops(results: Path) -> pd.DataFrame:
    """The first loop of each text that a model wrote itself, and what it says, from its least token
    on, so that loops that are the same but for where they begin are."""
    rows = []
    for folder in sorted(results.glob("tokens/*/dataset=own-*")):
        model, dataset = (part.partition("=")[2] for part in folder.parts[-2:])
        if not (snapshot := results / f"models/{model}/tokenizer.json").exists():
            continue  # an entry with rivals, which takes what another one wrote
        tokenizer = Tokenizer.from_file(str(snapshot))
        for doc, tokens_t in read(folder)[["doc", "tokens"]].itertuples(index=False):
            if (onset := find_onset(tokens_t)) is not None:
                unit = tokens_t[onset.token : onset.token + onset.period]
                text = tokenizer.decode(np.roll(unit, -int(unit.argmin())))
                rows.append((model, dataset, doc, onset.token, onset.period, text))
    return pd.DataFrame(rows, columns=["model", "dataset", "doc", "onset", "period", "unit"])


def periods_anomalies(results: Path, out: Path) -> None:
    """How well scores tell spans that were replaced."""
    table = pd.read_csv(results / "anomalies.csv")
    table.to_csv(out / "anomalies.csv", index=False, float_format=DIGITS)


def volumes(results: Path, out: Path) -> None:
    """Wells under each measure, averaged and of each pair of tokens; those of text; distances."""
    for name in ("volumes", "volumes/pairs", "volumes/distances", "wells"):
        table = pd.read_csv(results / f"{name}.csv")
        table.to_csv(out / f"{Path(name).name}.csv", index=False, float_format=DIGITS)


def at_last_layer(table: pd.DataFrame, *of: str) -> pd.DataFrame:
    """Rows of the last layer of each model, or group and dataset, and those of no layer."""
    last = table.groupby([*of]).layer.transform("max")
    return table[table.layer.isna() | (table.layer == last)]


PROMPT = 16
"""Tokens of each document that the model goes on from."""

STAGES = {
    make.__name__.replace("_", "-"): make
    for make in (
        lenses,
        repetition,
        volumes,
        steering,
        decoding,
        generation,
        criticality,
        training_corpora,
        training_barrier,
        training_families,
        causes,
        periods,
        periods_anomalies,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("results", type=Path)
    given = parser.parse_args()
    out = Path("docs/tables") / given.stage
    out.mkdir(parents=True, exist_ok=True)
    STAGES[given.stage](given.results, out)
    shutil.copyfile(given.results / "provenance.json", out / "provenance.json")


if __name__ == "__main__":
    main()
