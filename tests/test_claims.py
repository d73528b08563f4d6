"""What README and docs/ say of the default study is what it gives, run here from end to end."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest

from tests.claims import Part, interval
from tests.runs import REPO
from workflow_scripts.semstat.thermodynamics.energy_grid import (
    BLOCKS,
    PER_DECADE,
    SMALLEST,
    energy_edges,
)

MODEL, TWIN, TEXT = "smollm2-135m", "smollm2-135m-random", "sotu"
FINAL = 30


OF_DEFINITIONS = "|".join(
    [
        r"H near [01]|[EH] [<=] 0|(?:above|below|to|of|Left of|layer|excludes) 0|\([01]\)",
        r"near −1|elow 1 |−0\.[15]",
        r"S = −5 means that one state in e⁵ ≈ 150|Ω reaches 0\.001|fewer than 20 effective|95% ",
        r"h\(t\) − h\(t−1\)|arXiv 2508\.08492|rep-[24]|4-grams|Ω\(0⁻\)",
        r"lie near 0|ln\(1/states\)|S at 0|10⁻⁶|\(0 to 1\)",
    ]
)
"""Numbers in captions that hold for every study."""

SHOW_INNER_LAYERS = ["workflow", "comparisons/comparison", "comparisons/comparisons"]
SHOW_INNER_LAYERS += [f"mechanics/{name}" for name in ("cv", "mechanics", "variance_ratio")]
SHOW_INNER_LAYERS += ["mechanics/mechanics_of_training", "repetition/repetition"]
SHOW_INNER_LAYERS += [f"thermodynamics/{name}" for name in ("across_layers", "layer_map", "wells")]
SHOW_INNER_LAYERS += ["thermodynamics/well_figures"]


@pytest.fixture(scope="module")
def wells(default_study):
    keys = ["model", "dataset", "layer"]
    return pd.read_csv(default_study / "wells.csv").set_index(keys).sort_index()


@pytest.fixture(scope="module")
def tuned():
    """Wells of the same model on the same text through the tuned lens, as checked in."""
    table = pd.read_csv(REPO / "docs/tables/lenses/wells.csv")
    return table[table.model == f"{MODEL}-tuned"].set_index("layer")


@pytest.fixture(scope="module")
def mechanics(default_study):
    keys = ["model", "dataset", "layer", "place", "form", "kinetic", "potential"]
    table = pd.read_csv(default_study / "mechanics.csv")
    table["conserved"] = table.conserved.astype(str).str.lower() == "true"
    return table.set_index(keys).sort_index()


@pytest.fixture(scope="module")
def log_energy(mechanics):
    """Rows of ln(½‖v‖²) + a potential term, by model, dataset, layer, place and potential."""
    return mechanics.xs(("energy", "log_half_square"), level=["form", "kinetic"])


def energies(default_study, model, dataset, layer):
    folder = default_study / f"energies/model={model}/dataset={dataset}/layer={layer}"
    return ds.dataset(folder).to_table(columns=["energy"])["energy"].to_numpy().astype(float)


def test_findings(default_study, wells, tuned, log_energy):
    page = Part("docs/findings.md", "## Is there a well", "## What does repeating do?")
    own = wells.loc[MODEL, TEXT]
    page.says("on {} states of the State of the Union addresses", own.states[0])
    page.says("the embedding (layer 0)")
    page.says("The states with E < 0 are the *repetition well*")
    page.says("| layer | H ≤ −0.5, logit lens | tuned lens | H < 0, logit lens")

    for layer in (0, 10, 20):
        numbers = [
            interval(row, name)
            for name in ("below_minus_0.5", "below_zero", "mean_energy")
            for row in (own.loc[layer], tuned.loc[layer])
        ]
        page.says(f"| {layer} | {{}} | {{}} | {{}} | {{}} | {{}} | {{}} |", *numbers)
        assert own.states[layer] == tuned.states[layer]
    output = [
        interval(own.loc[FINAL], name) for name in ("below_minus_0.5", "below_zero", "mean_energy")
    ]
    page.says("| 30, the output | {} | the same | {} | the same | {} | the same |", *output)
    for name in ("below_minus_0.5", "below_zero", "mean_energy"):
        assert interval(own.loc[FINAL], name) == interval(tuned.loc[FINAL], name)
    page.says("95% intervals")
    # Of the deep wells nothing is left beyond what the output has; of the shallow ones a part is.
    for layer in (0, 10, 20):
        assert tuned["below_minus_0.5_low"][layer] <= own["below_minus_0.5"][FINAL]
    lens = [100 * (1 - tuned.below_zero[layer] / own.below_zero[layer]) for layer in (0, 10, 20)]
    page.says("Of the shallow wells (H < 0) the lens makes {}%, {}% and {}%", *lens)
    falling = [tuned.below_zero[layer] for layer in (0, 10, 20, FINAL)]
    assert falling == sorted(falling, reverse=True)

    twin = wells.loc[TWIN, TEXT, FINAL]
    page.says("all |H| are below 10⁻⁴, {}% of them negative", 100 * twin.below_zero)
    assert np.abs(energies(default_study, TWIN, TEXT, FINAL)).max() < 1e-4
    last = wells.xs((MODEL, FINAL), level=["model", "layer"])
    kinds = ["sotu-shuffled", "sotu-uniform", "sotu"]
    page.says("{}% of its states have H < 0 at the final layer", 100 * last.below_zero[kinds[0]])
    page.says("random tokens {}%, against {}% on text", *(100 * last.below_zero[kinds[1:]]))
    deep = 100 * last["below_minus_0.1"][kinds]
    page.says("deep: {}% and {}% at or below −0.1, against {}%", *deep)

    at_last = log_energy.xs((TEXT, FINAL), level=["dataset", "layer"])
    random, trained = at_last.loc[TWIN, "before_norm"], at_last.loc[MODEL]
    both = ["surprisal", "entropy"]
    page.says("by {} to {}% of its size", *sorted(100 * random.cv[both]))
    assert (random.cv[both] < trained.loc["before_norm"].cv[both]).all()
    cancelled = 100 * (1 - trained.variance_ratio.loc[:, both])
    page.says("by {} to {}% of their variance", cancelled.min(), cancelled.max())
    assert trained.conserved.loc[:, both].all()
    page.is_checked()


def test_readme(wells):
    """Its figures of trained models are held to tables in tests/training/test_claims.py."""
    readme = Part("README.md", "## What it shows", "Repetition in the corpus makes")
    last = wells.xs((MODEL, FINAL), level=["model", "layer"])
    readme.says("on {} states of the State of the Union addresses", last.states[TEXT])
    readme.says("the embedding (layer 0)")
    readme.says("The states with E < 0 are the *repetition well*")
    readme.says("At the output {}% of the states are in it", 100 * last.below_zero[TEXT])
    readme.says("{}% have H ≤ −0.1", 100 * last["below_minus_0.1"][TEXT])
    null = [100 * last.below_zero[f"{TEXT}-{kind}"] for kind in ("shuffled", "uniform")]
    readme.says("shuffled {}% are in it, and with random tokens {}%", *null)
    readme.is_checked()


def test_captions_say_no_number_of_a_study():
    """They stand under every study's figures: what they say has to hold for all of these."""
    for caption in sorted((REPO / "report").rglob("*.rst")):
        text = " ".join(caption.read_text(encoding="utf-8").split())
        text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|<style>.*?</style>", "", text)
        left = re.sub(OF_DEFINITIONS, "", text)
        assert not re.findall(r".{0,40}\d.{0,20}", left), caption.name


@pytest.mark.parametrize("caption", SHOW_INNER_LAYERS)
def test_captions_of_inner_layers_say_that_a_lens_shows_them(caption):
    assert "lens" in (REPO / f"report/{caption}.rst").read_text(encoding="utf-8")


def test_energies_page(default_study):
    page = Part("docs/energies.md", "Probabilities are carried as logarithms", "**Windows.**")
    page.says("on random tokens their median is below 10⁻¹⁵ at layers 10 and 20")
    for layer in (10, 20):
        assert np.median(np.abs(energies(default_study, MODEL, "sotu-uniform", layer))) < 1e-15


# The page of mechanics.


def ratio(row):
    return interval(row, "variance_ratio")


def test_mechanics_table(log_energy):
    found = Part("docs/mechanics.md", "## What was found", "![Variance ratio")
    at_last = log_energy.xs((TEXT, FINAL), level=["dataset", "layer"])
    found.says("on {} documents", at_last.documents.iloc[0])
    found.says("(160 tokens each)")
    before = [at_last.loc[model, "before_norm"] for model in (MODEL, TWIN)]
    after = [at_last.loc[model, "after_norm"] for model in (MODEL, TWIN)]
    for term in ("surprisal", "entropy"):
        rows = [of.loc[term] for of in before]
        found.says(f"| cv of K + {term} | {{}} | {{}} |", *(interval(row, "cv") for row in rows))
        apart = f"| … if K and {term} knew nothing of each other | {{}} | {{}} |"
        found.says(apart, *(row.cv_shuffled for row in rows))
        line = f"| Var(K + {term}) / (Var K + Var {term}) | {{}} | {{}} |"
        found.says(line, *map(ratio, rows))
    line = "| after the final norm, the same two | {}, {} | {}, {} |"
    of_entropy, of_random = after[0].loc["entropy"], after[1].variance_ratio["entropy"]
    surprisal = [ratio(of.loc["surprisal"]) for of in after]
    found.says(line, surprisal[0], ratio(of_entropy), surprisal[1], of_random)
    means = [[of.kinetic_mean["surprisal"], of.potential_mean["surprisal"]] for of in before]
    found.says("| mean K, mean surprisal | {}, {} | {}, {} |", *means[0], *means[1])
    found.is_checked()


def test_mechanics_findings(default_study, mechanics, log_energy):
    found = Part("docs/mechanics.md", "- **The ordering", "## In four families")
    last = log_energy.xs(FINAL, level="layer")
    trained, random = last.loc[MODEL, TEXT], last.loc[TWIN, TEXT]
    both = ["surprisal", "entropy"]
    share = random.cv["before_norm"][both] / trained.cv["before_norm"][both]
    found.says("{} to {} times as large with random weights", *sorted(share))
    found.says(
        "its variance ratio with entropy is {}", random.variance_ratio["before_norm", both[1]]
    )
    found.says("uniform over {} tokens", 49_152)
    found.says("near ln 49,152 = {}", math.log(49_152))
    correlation = [trained.correlation[place, "entropy"] for place in ("before_norm", "after_norm")]
    found.says("is {} before and {} after the final norm", *correlation)

    def cancelled(rows, term):
        ratios = rows.variance_ratio.loc[:, term]
        return 100 * (1 - ratios.max()), 100 * (1 - ratios.min())

    found.says("{} to {}% of the variance cancels", *cancelled(trained, "entropy"))
    found.says("({} to {}% with surprisal)", *cancelled(trained, "surprisal"))
    assert trained.conserved.loc[:, both].all()
    inner = {layer: log_energy.loc[MODEL, TEXT].xs(layer, level="layer") for layer in (0, 10, 20)}
    found.says("at layer 20, {} to {}%, and", *cancelled(inner[20], "entropy"))
    found.says("{} to {}% with surprisal, pass the nulls", *cancelled(inner[20], "surprisal"))
    found.says("at layers 0 and 10 neither term does")
    assert inner[20].conserved.loc[:, both].all()
    assert not any(inner[layer].conserved.loc[:, both].any() for layer in (0, 10))
    found.says("for which the ratio would be 0")

    shuffled, uniform = last.loc[MODEL, "sotu-shuffled"], last.loc[MODEL, "sotu-uniform"]
    found.says("has a ratio above 1 ({})", ratio(shuffled.loc["before_norm", "surprisal"]))
    entropy = shuffled.loc["before_norm", "entropy"]
    found.says("explains ({} against {})", entropy.variance_ratio, entropy.ratio_order)
    entropy = uniform.loc["after_norm", "entropy"]
    found.says("({} for K + entropy after the norm", ratio(entropy))
    found.says("beyond a null at {})", entropy.ratio_order)
    assert entropy.conserved

    training = pd.read_csv(default_study / "mechanics_of_training.csv")
    of = "layer == 30 and place == 'after_norm' and form == 'energy' and dataset == 'sotu'"
    ((_, row),) = training.query(
        of + "and kinetic == 'log_half_square' and potential == 'entropy'"
    ).iterrows()
    found.says("is higher by {}, entropy", interval(row, "kinetic_mean_difference"))
    lower, low, high = (-x for x in interval(row, "potential_mean_difference"))
    found.says("entropy lower by {} nats", (lower, high, low))
    found.says("within a document higher by {}", interval(row, "sd_difference"))

    on_text = mechanics.xs((TEXT, "energy"), level=["dataset", "form"])
    passed = on_text.conserved.groupby(["model", "layer"]).agg(["sum", "size"])
    found.says("Of the {} energies a layer (4 kinetic and 4", passed["size"].max())
    found.says("{} pass all nulls at layer 20 and {} at", *passed["sum"][MODEL][[20, 30]])
    found.says("at layer 30, and none or one at the layers below")
    assert set(passed["sum"][MODEL][[0, 10]]) == {0, 1}
    found.says("have ratios within 0.001 of 1 at the last layer")
    unscaled = on_text.variance_ratio[MODEL, FINAL, "before_norm", "half_square"]
    assert (abs(unscaled[["surprisal", "entropy", "perplexity"]] - 1) < 1e-3).all()
    found.says("K is 10⁵, V is {}", trained.potential_mean["before_norm", "surprisal"])
    assert 1e5 < on_text.kinetic_mean[MODEL, FINAL, "before_norm", "half_square"].iloc[0] < 1e6
    found.says("Lagrangians K − V have ratios above 1 wherever")
    pairs = mechanics.variance_ratio.unstack("form")
    assert (pairs.energy + pairs.lagrangian - 2).abs().max() < 2e-3
    found.says("No member has a ratio under 0.8 on text")
    assert mechanics.xs((MODEL, TEXT)).variance_ratio.min() > 0.8
    drifts = [trained.loc["before_norm", term] for term in both]
    said = "({} and {} over 160 tokens)"
    found.says(said, *(interval(row, "drift") for row in drifts))
    drifts = [random.loc["before_norm", term] for term in both]
    found.says("they grow by {} and {}.", *(interval(row, "drift") for row in drifts))

    by_chance = on_text.loc[TWIN][on_text.loc[TWIN].conserved]
    found.says("of the 32 × 4 energies of the random model on text {} pass", len(by_chance))
    at_first = by_chance.variance_ratio[0]
    assert len(at_first) == 8 and len(by_chance) == 8 + len(by_chance.loc[FINAL])
    found.says("eight of them at layer 0 with ratios from {} to {}", at_first.min(), at_first.max())
    found.says("three at the last layer with a ratio of 0.980")
    assert len(by_chance.loc[FINAL]) == 3
    assert by_chance.variance_ratio[FINAL].round(3).tolist() == [0.98] * 3
    bound = by_chance.loc[FINAL][["shuffled_low", "shifted_low"]].min(axis=1)
    found.says("bound for chance is {} or {}", bound.min(), bound.max())
    away = [
        (1 - row.variance_ratio) / (1 - row.shuffled_low)
        for _, row in trained.loc[(slice(None), both), :].iterrows()
    ]
    found.says("lie {} (surprisal) to {} (entropy) half-widths", min(away), max(away))
    found.says("away from 1.")
    found.says("Intervals are Student's over documents, 95%")
    found.is_checked()


def test_thermodynamics_page():
    page = Part("docs/thermodynamics.md", "## Counting", "## Estimates and their errors")
    edges_e = energy_edges()
    page.says("a fixed grid of {} points, symmetric about 0", len(edges_e))
    page.says("{} points a decade of |E| from 10⁻⁶ to ½", PER_DECADE)
    page.says("and {} a decade of 1 − |E| from ½ to 10⁻⁶", PER_DECADE)
    assert SMALLEST == 1e-6
    page.says("0, ±0.1, ±0.5 and ±1 are grid points")
    assert {0, 0.1, -0.1, 0.5, -0.5, 1, -1} <= set(edges_e)
    page.says("(document number modulo {})", BLOCKS)
    page.says("Up to {} documents each is a block of its own", BLOCKS)
    page.says("cell 0 holds H ≤ −1")
    page.says("the atom at H = 0 is counted apart")
    page.says("E_{e−1} < H")
    page.says("10⁹ states take as much memory as 10³")
    page.is_checked()
