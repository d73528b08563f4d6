"""What docs/periods.md says of its studies is what docs/tables hold of them."""

import pandas as pd
import pytest

from tests.claims import Part, interval
from tests.test_claims_of_studies import study, table

PAGE = "docs/periods.md"

KINDS = {
    "shuffled": "shuffled tokens",
    "uniform": "random tokens",
    "other": "another address",
    "repeated": "four tokens, four times",
    "source-code": "source code",
}

SUM = "normed_kinetic_and_surprisal"


LOOPS = "smollm2-135m-loops"

MODELS = {
    LOOPS: "SmolLM2",
    f"{LOOPS}-64": "SmolLM2, K = 64",
    "smollm2-135m-random-loops": "its random twin",
    "llama-00-0-loops": "Llama",
    "gpt2-00-0-loops": "GPT-2",
    "neox-00-0-loops": "GPT-NeoX",
    "mamba2-00-0-loops": "Mamba 2, a state space",
    "llama-40-0-loops": "Llama, repetitive corpus",
}


@pytest.fixture(scope="module")
def periods() -> pd.DataFrame:
    return table("periods/periods", "model", "dataset", "layer").sort_index()


def test_what_wells_longer_loops_have(periods):
    page = Part(PAGE, "[periods.yaml](../config/periods.yaml)", "**Text is not repeated")
    config = study("periods")
    sotu, own = (config["datasets"][name] for name in ("sotu", "own-cold"))
    injected = config["datasets"]["injected-40"]
    page.says("families of about 1 M parameters")
    page.says("{}% of which are phrases of {} tokens", 100 * injected["rate"], injected["unit"])
    size = (sotu["documents_per_shard"], sotu["tokens_per_document"])
    page.says("on {} State of the Union addresses of {} tokens", *size)
    written = [own[key] for key in ("documents_per_shard", "tokens_per_document", "prompt_tokens")]
    page.says("on {} texts of {} tokens that each wrote itself after {} tokens", *written)
    at = [config["datasets"][f"own-{name}"]["sampling_temperature"] for name in ("cold", "warm")]
    page.says("sampling temperatures of {} and {}. 95% intervals", *at)
    wells = table("periods/wells", "model")
    page.says("| K = 16, final layer | H < 0 | loop energy < 0 | its null | beyond "
              "| loop energy ≤ −0.5 | its null |")  # fmt: skip
    shares = []
    for model, words in MODELS.items():
        row = last_layer(periods, model)
        plain = model.partition("-loops")[0]
        values = [interval(wells.loc[plain], "below_zero")]
        values += [interval(row, name) for name in ("share", "null", "beyond")]
        deep = [interval(wells.loc[name], "below_minus_0.5") for name in (model, f"{model}-null")]
        if deep[0][0]:
            page.says(f"| {words} | {{}} | {{}} | {{}} | {{}} | {{}} | {{}} |", *values, *deep)
            apart = deep[0][1] > deep[1][2]
            assert apart == (model == "llama-40-0-loops")
        else:
            bounds = [high for *_, high in deep]
            row = f"| {words} | {{}} | {{}} | {{}} | {{}} | 0 [0, {{}}] | 0 [0, {{}}] |"
            page.says(row, *values, *bounds)
        if "random" not in model:
            shares.append(100 * values[1][0])
    page.says("At {} to {}% of states", min(shares), max(shares))
    page.says("SmolLM2 has {} at its final layer,", interval(last_layer(periods, LOOPS), "beyond"))
    inner = [all_periods(periods, LOOPS).loc[layer] for layer in (10, 20)]
    said = [interval(row, "beyond") for row in inner]
    page.says("at layers 10 and 20 there is nothing: {} and {}.", *said)
    page.is_checked()


def all_periods(periods, model):
    rows = periods.loc[(model, "sotu")]
    return rows[rows.period.isna()]


def last_layer(periods, model):
    return all_periods(periods, model).iloc[-1]


def by_period(periods, model):
    rows = periods.loc[(model, "sotu")]
    return rows[rows.period.notna()].set_index("period")


def test_which_periods_are_preferred(periods):
    page = Part(PAGE, "**Text is not repeated", "**A period that is put in")
    of = {model: by_period(periods, model) for model in MODELS}
    page.says("At periods 1 and 2 all trained models")
    for model, rows in of.items():
        assert "random" in model or (rows.beyond_high[[1, 2]] < 0).all()
    smollm2 = of[LOOPS]
    page.says("(SmolLM2: {} and {}):", *(interval(smollm2.loc[k], "beyond") for k in (1, 2)))
    most = smollm2.beyond.idxmax()
    assert most == 3
    page.says("What SmolLM2 has")
    page.says("periods from 3 on, {} at most;", interval(smollm2.loc[most], "beyond"))
    random = of["smollm2-135m-random-loops"]
    assert (random.beyond_low > 0).sum() == 1
    page.says("alone is preferred, {}.", interval(random.loc[1], "beyond"))
    phrases = of["llama-40-0-loops"]
    assert phrases.index[phrases.beyond_low > 0].tolist() == [8]
    page.says(
        "null at period 8, the length of its phrases, by {},", interval(phrases.loc[8], "beyond")
    )
    page.says("is there by {}.", interval(of["llama-00-0-loops"].loc[8], "beyond"))
    page.is_checked()


def test_which_periods_are_found():
    page = Part(PAGE, "**A period that is put in", "**In loops that models wrote")
    found = table("periods/found_periods", "model", "dataset", "copies").sort_index()

    def of(model, unit, copies):
        return interval(found.loc[(model, f"sotu-{unit}", copies)], "found")

    page.says("for SmolLM2, the unit's first in {} of the documents,", of(LOOPS, "eight", 1))
    page.says("after two in {}, after four in {};", *(of(LOOPS, "eight", n) for n in (2, 4)))
    repetitive = "llama-40-0-loops"
    page.says("found in {} after two copies", of(repetitive, "eight", 2))
    plain = [
        model for model in MODELS if model.split("-")[0] in ("llama", "gpt2", "neox", "mamba2")
    ]
    plain.remove(repetitive)
    most = max(found.found[(model, "sotu-eight")].max() for model in plain)
    page.says("in more than {} of them", most)
    page.says("from four copies on, {}, and {} after eight.",
              *(of(LOOPS, "token", copies) for copies in (4, 8)))  # fmt: skip
    page.is_checked()


def test_whether_onsets_are_seen_coming():
    page = Part(PAGE, "**In loops that models wrote", "## Anomalies")
    loops = table("periods/loops", "model", "dataset")
    long, repetitive = f"{LOOPS}-64", "llama-40-0-loops"
    cold = {model: loops.loc[(model, "own-cold")] for model in loops.index.unique("model")}
    smollm2 = cold["smollm2-135m"]
    assert len(smollm2) == smollm2.unit.nunique() == 32 and smollm2.period.max() <= 64
    page.says("SmolLM2 went into 32 loops of up to 64 tokens at 0.3")
    found = table("periods/found_periods", "model", "dataset", "copies").sort_index()
    (row,) = found.loc[(long, "own-cold")].to_dict("records")
    page.says("({}, null {}).", interval(row, "found"), interval(row, "null"))
    warnings = table("periods/onset_warnings", "model", "dataset", "observable").sort_index()

    def area(model, observable, of="area"):
        return interval(warnings.loc[(model, "own-cold", observable)], of)

    page.says("ROC of {}, H with {},", area(long, "loop_energy"), area(long, "energy"))
    page.says("the probability of the likeliest recent token with {},", area(long, "p_closing"))
    page.says("of another place with {}:", area(long, "p_closing", "null_area"))
    onsets = warnings.onsets[(repetitive, "own-cold", "loop_energy")]
    page.says("with {} loops: {}.", onsets, area(repetitive, "loop_energy"))
    page.says("of 16 periods and five layers some lie beyond 0 by")
    llama, neox, gpt2 = (cold[f"{family}-00-0"] for family in ("llama", "neox", "gpt2"))
    page.says("Llama are {} times one of {} phrases", len(llama), llama.unit.nunique())
    page.says("GPT-NeoX {} times one of {},", len(neox), neox.unit.nunique())
    page.says("those of GPT-2 {} times the same", len(gpt2))
    assert gpt2.unit.nunique() == 1
    page.says("p(rival), {})", area("llama-00-0-loops", "p_rival"))
    page.says("With K = 64 the null")
    page.is_checked()


@pytest.fixture(scope="module")
def anomalies() -> pd.DataFrame:
    rows = table("periods-anomalies/anomalies", "of", "dataset", "score")
    return rows[rows.layer == rows.layer.max()].sort_index()


def test_what_anomalies_were_found(anomalies):
    page = Part(PAGE, "### What anomalies were found", "**What H adds")
    config = study("periods-anomalies")
    sotu, spans = config["datasets"]["sotu"], config["datasets"]["shuffled"]
    size = (sotu["documents_per_shard"], sotu["tokens_per_document"])
    page.says("{} State of the Union addresses of {} tokens", *size)
    assert spans["spans"] == 3
    page.says("spans of {} tokens are replaced", spans["length"])
    assert set(anomalies.documents) == {sotu["documents_per_shard"]}
    page.says("95% intervals")
    for dataset, words in KINDS.items():
        states = [("state", dataset, score) for score in ("surprisal", "normed_kinetic", SUM)]
        whole = [("span", dataset, score) for score in ("surprisal", SUM, "energy")]
        values = [interval(anomalies.loc[of], "area") for of in [*states, *whole]]
        if dataset == "uniform":
            assert all(area == 1 for area, *_ in values[3:])
            page.says(f"| {words} | {{}} | {{}} | {{}} | 1 | 1 | 1 |", *values[:3])
        else:
            page.says(f"| {words} | {{}} | {{}} | {{}} | {{}} | {{}} | {{}} |", *values)
    beyond = {kind: interval(anomalies.loc["state", kind, SUM], "beyond") for kind in KINDS}
    page.says("no more than 0.001 where spans are shuffled or random")
    assert beyond["shuffled"][0] < 0.001 and beyond["uniform"][0] < 0.001
    page.says("and {} where they are another's.", beyond["other"])
    page.says("and the sum adds {}.", beyond["repeated"])
    page.says("SmolLM2 finds source code as likely as the addresses")
    kinetic = interval(anomalies.loc["state", "source-code", "normed_kinetic"], "beyond")
    page.says("the sum adds {} to surprisal, ln K alone {}:", beyond["source-code"], kinetic)
    for dataset in ("shuffled", "uniform", "other"):
        areas = anomalies.loc["state", dataset].area
        assert areas[SUM] < areas.surprisal
    page.is_checked()


def test_what_energies_add(anomalies):
    page = Part(PAGE, "**What H adds")

    def beyond(*of):
        return interval(anomalies.loc[of], "beyond")

    of_states = [beyond("state", of, "energy") for of in ("shuffled", "source-code")]
    page.says("Of states H adds {} where they are shuffled and {} in code.", *of_states)
    for score, words in (
        ("energy", "spans it adds {} in code and {} where"),
        ("probability", "nearly the same: {} and {}."),
    ):
        page.says(words, *(beyond("span", of, score) for of in ("source-code", "repeated")))
    page.says("adds {} to surprisal of shuffled states", beyond("state", "shuffled", "loop_energy"))
    page.says("wrong order, and {} in code.", beyond("state", "source-code", "loop_energy"))
    page.says("One model, {} documents", anomalies.documents.iloc[0])
    page.says("there are {} gains", anomalies.beyond.notna().sum())
    page.says("far enough from 0")
    page.is_checked()
