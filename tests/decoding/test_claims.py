"""What docs/decoding.md says of its study is what docs/tables hold of it."""

import pandas as pd

from tests.claims import Part, interval
from tests.runs import REPO
from tests.test_claims_of_studies import study, table

PAGE = "docs/decoding.md"


def decodings() -> pd.DataFrame:
    """Rows by condition and value, that of greedy, which has none, being 0."""
    every = table("decoding/decodings", "condition").reset_index()
    every["value"] = every.value.fillna(0.0)
    return every.set_index(["condition", "value"])


def test_what_was_written():
    page = Part(PAGE, "## What was found", "### What refusing")
    (spec,) = study("decoding")["decoding"]
    page.says(
        "the first {} tokens of {} addresses, {} tokens each",
        *(spec[key] for key in ("prompt_tokens", "prompts", "write")),
    )
    page.says("with 95% intervals over prompts")
    page.says("| condition | value | rep-4 | texts")
    every = decodings()
    for condition, said in _rows():
        row = every.loc[condition, float(said.replace("−", "-") or 0)]
        alone = row.rep_4_low == row.rep_4_high == 0
        numbers = [0 if alone else _clipped(interval(row, "rep_4"))]
        numbers += [interval(row, "looping"), interval(row, "perplexity")]
        numbers += [row.drawn_entropy, row.entropy]
        page.says(f"| {condition} | {said} | {{}} | {{}} | {{}} | {{}} | {{}} |", *numbers)
    page.is_checked()


def _rows() -> list[tuple[str, str]]:
    """Conditions and values of the rows that the page shows."""
    text = (REPO / PAGE).read_text(encoding="utf-8")
    cells = [line.split("|")[1:3] for line in text.splitlines() if line.count("|") == 8]
    known = {condition for condition, _ in decodings().index}
    return [(name.strip(), value.strip()) for name, value in cells if name.strip() in known]


def _clipped(number: tuple[float, float, float]) -> tuple[float, float, float]:
    value, low, high = number
    return value, max(low, 0.0), high


def test_what_refusing_low_energy_does():
    page = Part(PAGE, "### What refusing", "### Low-entropy")
    every = decodings()
    guard, wide = every.loc["guard"], every.loc["guard-16"]
    page.says("From −1, which is sampling at 1, to 0 the guard")
    assert guard.loc[-1.0].perplexity == every.loc["sampling", 1.0].perplexity
    page.says("goes from {} to {} and", guard.loc[-1.0].perplexity, guard.loc[0.0].perplexity)
    page.says("rep-4 from {} to {}.", guard.loc[-1.0].rep_4, guard.loc[0.0].rep_4)
    nucleus = every.loc["nucleus"]
    page.says("name: 0.9 and 0.95 have as much")
    assert nucleus.loc[0.9].perplexity < guard.loc[0.0].perplexity < nucleus.loc[0.95].perplexity
    assert nucleus.loc[0.9].rep_4 < guard.loc[0.0].rep_4
    page.says("At a threshold of 0 what is less probable")
    page.says(
        "Drawn at 1, no text loops; with the guard {} of them do",
        interval(wide.loc[0.0], "looping"),
    )
    page.says("even at −0.1 {}.", interval(wide.loc[-0.1], "looping"))
    page.says("**Above 0 it refuses")
    page.says("At 0.001 its repetition")
    page.says("at 0.5 it writes what the greedy guard writes")
    same = ["rep_4", "perplexity", "looping", "energy"]
    assert (guard.loc[0.5, same] == every.loc[("guard-greedy", 1.0), same]).all()
    greedy = every.loc["greedy", 0.0]
    banned = every.loc["guard-greedy"].looping
    page.says("at 1 to 16 periods the texts loop")
    page.says(
        "({} to {} of them, greedy {})",
        banned[[1.0, 4.0, 16.0]].min(),
        banned.max(),
        greedy.looping,
    )
    far, back = every.loc["guard-greedy", 64.0], every.loc["back-margin", 0.0]
    page.says("and at 64 they pay {} times the perplexity", far.perplexity / back.perplexity)
    assert 1.9 < far.rep_4 / back.rep_4 < 2.2
    energy = every.loc["back-energy"]
    page.says("does not help**: {} of the texts loop at", *energy.looping.unique())
    page.says("no loop in {} texts", back.prompts)
    assert (every.loc["back-margin"].looping == 0).all()
    page.says(
        "rep-4 is {} at a perplexity of {},", interval(back, "rep_4"), interval(back, "perplexity")
    )
    dry = every.loc["dry", 0.8]
    page.says(
        "DRY's {} at {} (multiplier 0.8)", interval(dry, "rep_4"), interval(dry, "perplexity")
    )
    page.is_checked()


def test_low_entropy_as_a_cause():
    page = Part(PAGE, "### Low-entropy", "What was not: people")
    every = decodings()
    greedy, beams = every.loc["greedy", 0.0], every.loc["beams", 4.0]
    page.says(
        "greedy {} of the texts, beams {}.", interval(greedy, "looping"), interval(beams, "looping")
    )
    sampled = every.loc["sampling"]
    page.says("sampling at {}, {}, {}, {} and {} draws", *sampled.index)
    page.says("draws from {}, {}, {}, {} and {} nats", *sampled.drawn_entropy)
    page.says("and {}, {}, {}, {} and none of the", *sampled.looping.iloc[:4])
    assert sampled.looping.iloc[4] == 0
    nucleus, three = every.loc["nucleus", 0.5], every.loc["top-k", 3.0]
    page.says("At the same 0.5 nats half")
    page.says(
        "({} nats, {}) and one of {}",
        nucleus.drawn_entropy,
        interval(nucleus, "looping"),
        three.prompts,
    )
    page.says("({} nats, {});", three.drawn_entropy, interval(three, "looping"))
    refusing = every.loc[["dry", "no-repeat", "block"]]
    assert (refusing.looping == 0).all()
    page.says("(DRY, no repeated n-grams, block: bound {})", refusing.looping_high.max())
    page.says(
        "{} nats in greedy's loops, {} to {} where the same",
        greedy.entropy,
        refusing.entropy.min(),
        refusing.entropy.max(),
    )
    page.says("{} in text drawn at 1:", sampled.entropy.iloc[-1])
    page.is_checked()
