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
