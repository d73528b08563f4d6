"""What docs/ say of studies that take longer than a test is what docs/tables hold of them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from tests.claims import Part, interval
from tests.runs import REPO

TABLES = REPO / "docs/tables"


def table(name: str, *index: str) -> pd.DataFrame:
    return pd.read_csv(TABLES / f"{name}.csv").set_index(list(index))


def study(name: str) -> dict:
    """Configuration of the last run that made what a table is of."""
    text = (TABLES / name / "provenance.json").read_text(encoding="utf-8")
    return json.loads(text)["runs"][-1]["config"]


def mean(values: pd.Series, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean with its Student interval."""
    half = student.ppf((1 + confidence) / 2, len(values) - 1) * values.sem()
    return values.mean(), values.mean() - half, values.mean() + half


@pytest.mark.parametrize("folder", sorted(TABLES.iterdir()), ids=lambda folder: folder.name)
def test_tables_tell_what_made_them(folder):
    runs = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["runs"]
    assert all({"config", "commit", "versions"} <= set(run) for run in runs)
    page = folder.name.partition("-")[0]  # of which there may be several studies
    assert (REPO / "docs" / f"{page}.md").is_file() and list(folder.glob("*.csv"))


def test_lenses():
    page = Part("docs/lenses.md", "## What it changes", "At *every* inner layer")
    divergence = table("lenses/divergence", "layer")
    wells = table("lenses/wells", "model", "layer")
    logit, tuned = wells.loc["smollm2-135m"], wells.loc["smollm2-135m-tuned"]
    first = divergence.loc[0]
    page.says("trained on {} states of {} State", first.trained_states, first.trained_documents)
    page.says("tested on {} of {} others", first.states, first.documents)
    page.says("energies on {} states of 64 more", logit.states[0])
    share = 100 * divergence.gain / divergence.logit_lens
    page.says("by {} to {}% of the divergence", share.min(), share.max())
    page.says("95% intervals over documents")
    page.says("| H < 0, logit → tuned | H ≤ −0.1 | H ≤ −0.5 | mean H |")
    for layer, of in divergence.iterrows():
        a, b = logit.loc[layer], tuned.loc[layer]
        both = [interval(of, "logit_lens"), interval(of, "tuned_lens")]
        shares = [a.below_zero, interval(b, "below_zero"), a["below_minus_0.1"]]
        shares += [b["below_minus_0.1"], a["below_minus_0.5"], interval(b, "below_minus_0.5")]
        row = f"| {layer} | {{}} | {{}} | {{}} → {{}} | {{}} → {{}} | {{}} → {{}} | {{}} → {{}} |"
        page.says(row, *both, *shares, a.mean_energy, b.mean_energy)
    output = tuned.loc[30]
    shares = [interval(output, "below_zero"), output["below_minus_0.1"]]
    shares += [interval(output, "below_minus_0.5"), output.mean_energy]
    page.says("| 30 | 0 | 0 | {} | {} | {} | {} |", *shares)
    page.is_checked()


def test_whose_the_well_is():
    page = Part("docs/lenses.md", "## Which part of an inner layer's well")
    below = table("lenses/states_below", "energy", "layer")
    tuned = table("lenses/wells", "model", "layer").loc["smollm2-135m-tuned"]
    output = tuned.loc[30]
    deep, shallow = below.loc[-0.5], below.loc[0.0]
    page.says("The deep well (H ≤ −0.5) is the lens's, wholly as far as {} states", output.states)
    assert (tuned["below_minus_0.5_low"] <= output["below_minus_0.5"]).all()
    times = (deep.logit_lens / deep.tuned_lens[30]).loc[5:25]
    page.says("{} to {} times as much at layers 5 to 25", times.min(), times.max())
    page.says("and {} at the embedding", deep.logit_lens[0] / output.states)
    page.says("at layers 5 and 10 none of the logit lens's lie that deep")
    assert (deep.both[[5, 10]] == 0).all()
    of_lens = 100 * (1 - shallow.tuned_lens / shallow.logit_lens)
    inner = of_lens.loc[5:25]
    page.says("(H < 0), {} to {}% is the lens's at layers 5 to 25", inner.min(), inner.max())
    page.says("({}% at layer 0)", of_lens[0])
    page.says("model's: {}, {}, {}, {}, {}, {} and {} of", *tuned.below_zero)
    assert tuned.below_zero.is_monotonic_decreasing
    too = 100 * (shallow.both / shallow.tuned_lens)
    page.says("{} to {}% of them lie", too.loc[5:25].min(), too.loc[5:25].max())
    page.says("below 0 under the logit lens too (all of them at layer 0)")
    assert too[0] == 100
    little = tuned["below_minus_0.1"].loc[5:25]
    page.says("At −0.1 the tuned lens leaves {} to {} from", little.min(), little.max())
    page.says("from layer 5 on, against {} at the output", interval(output, "below_minus_0.1"))
    assert (tuned["below_minus_0.1_low"].loc[5:25] <= output["below_minus_0.1_high"]).all()
    page.says("has more ({})", interval(tuned.loc[0], "below_minus_0.1"))
    page.is_checked()


def test_repetition():
    page = Part("docs/repetition.md", "## What was found")
    of_token = table("repetition/token", "layer", "copies")
    of_sentence = table("repetition/sentence", "layer", "copies").loc[30]
    page.says("SmolLM2-135M, {} State of the Union", of_token.documents.iloc[0])
    page.says("32 tokens before the unit, final layer, 95% intervals")
    page.says("| copies n of one token | ⟨H_n⟩ |")
    page.says("| p(copy) | share with H_n < 0 |")
    for copies, row in of_token.loc[30].iterrows():
        means = [row.p_continuation, row.p_last, row.p_copy]
        numbers = [interval(row, "energy"), *means, interval(row, "below_zero")]
        what = "1 (the text)" if copies == 1 else str(copies)
        page.says(f"| {what} | {{}} | {{}} | {{}} | {{}} | {{}} |", *numbers)
    inner = [interval(of_token.loc[layer, 32], "energy") for layer in (10, 20)]
    page.says("⟨H_32⟩ being {} at layer 10 and {} at layer 20", *inner)
    page.says("Layer 0 sees the last token alone")
    same = of_token.loc[0].energy
    assert same.max() - same.min() < 1e-6
    copied = [interval(of_sentence.loc[copies], "p_copy") for copies in (1, 2, 4)]
    page.says("from {} of the text itself to {} for a second and {} for a fourth", *copied)
    after = [interval(of_sentence.loc[copies], "energy") for copies in (1, 2, 4)]
    page.says("does not sink ({}, {}, {})", *after)
    page.is_checked()


def test_generation():
    page = Part("docs/generation.md", "### What was found", "## Runs, and the entropy")
    documents = table("generation/documents", "dataset")
    page.says("on {} tokens that it wrote", documents.loc["warm"].states.sum())
    page.says("after 16 tokens of each of {} addresses", len(documents.loc["warm"]))
    page.says("95%, Student over documents")
    page.says("| share with H < 0 | share with x_{t+1} = x_t | 4-grams seen before")
    rows = {"cold": "sampling temperature 0", "cool": "0.5", "warm": "1", "sotu": "the addresses"}
    names = ["mean_energy", "below_zero", "repeats_last", "seen_4_grams", "surprisal"]
    for dataset, what in rows.items():
        numbers = [mean(documents.loc[dataset, name]) for name in names]
        pairs = [(value, high - value) for value, _, high in numbers]
        said = ["{} ± {}"] * len(names)
        if not any(pairs[1]):
            said[1], pairs[1] = "{}", (0,)
        page.says(f"| {what} | {' | '.join(said)} |", *(x for pair in pairs for x in pair))
    page.says("At sampling temperature 1 the model's text has the energies of the addresses")
    page.says("(at sampling temperature 0 H ≥ 0 always), so H < 0 tells")
    assert (documents.loc["cold"].below_zero == 0).all()
    page.says("x_{t+1} = x_t where a writer does")
    page.is_checked()


def test_entropies_of_long_texts():
    page = Part("docs/generation.md", "### Which entropies explode", "- **In the first ten")
    conditions = table("generation/conditions", "condition", "prompts")
    names = ["conditional", "conditional_drift", "marginal", "rep_4", "rep_4_drift", "looping"]
    for temperature in ("0.8", "0.903", "1", "1.2"):
        name = f"at-{float(temperature):.3f}".rstrip("0") if temperature != "1" else "at-1.0"
        row = conditions.loc[name, "all"]
        said = [interval(row, number) for number in (*names, "perplexity")]
        form = ["{}"] * len(said)
        if not row.looping:
            form[5], said[5] = "{}", 0
        page.says(f"| {temperature} | {' | '.join(form)} |", *said)
    page.says("its tokens 101 to 300")
    page.says("at sampling temperature 1; a loop is an exact period of at most 128 tokens, three ")
    page.says("over 48 tokens at least")
    page.says("| marginal, 30 runs | rep-4 | its drift |")
    page.is_checked()


def test_many_runs_show_more():
    page = Part("docs/generation.md", "### How much thirty runs show", "In mixtures of known")
    runs = table("generation/many_runs", "runs")
    for number, row in runs.iterrows():
        page.says(f"| {number} | {{}} | {{}} | {{}} |", row.plain, row.extrapolated, row.upper)
    first, last = runs.loc[30], runs.loc[512]
    page.says("lack {} nats of what 512 and", last.extrapolated - first.plain)
    page.says("extrapolation adds {} of these", first.extrapolated - first.plain)
    page.says("512 runs of 300 tokens at sampling temperature 1 were")
    page.says("over positions 11 to 300, nats")
    page.is_checked()


def test_schedules_are_judged_on_other_runs_and_prompts():
    page = Part("docs/generation.md", "### Which schedule holds it", "(Nats. Error: root")
    schedules = table("generation/schedules", "schedule")
    found = {"`stepwise`": "stepwise", "`newton`, variance": "variance"}
    found |= {"`newton`, covariance": "covariance"}
    for said, name in found.items():
        row = schedules.loc[name]
        temperatures = [row[f"at_{position}"] for position in (1, 10, 100, 1000)]
        form = f"| {said} | {{}} | {{}}, {{}}, {{}}, {{}} | {{}} |"
        page.says(form, row.prompts, *temperatures, row.spent_tokens)
    row = schedules.loc["scipy"]
    form = "| `optimised`, 5 knots, 6 evaluations | {} | {}, {}, {} ({} from 300 on) | {} |"
    first = (row.at_1, row.at_10, row.at_100, row.at_300)
    page.says(form, row.prompts, *first, row.spent_tokens)
    row = schedules.loc["at-0.903"]
    page.says("| `optimised`, 1 knot | {} | {} | {} |", row.prompts, row.at_1, row.spent_tokens)
    page.says("temperature at position 1, 10, 100, 1,000 |")
    page.says("| bias at 1–300 | error (noise floor) | bias at 301–1,000 |")
    conditions = table("generation/conditions", "condition", "prompts")
    rows = {
        "0.8 | held out": ("at-0.8", "held out"),
        "best constant, 0.903 | held out": ("at-0.903", "held out"),
        "1 | held out": ("at-1.0", "held out"),
        "`newton`, variance | found on, other runs": ("variance", "found on"),
        "`newton`, variance | held out": ("variance", "held out"),
    }
    for said, key in rows.items():
        row = conditions.loc[key]
        near = interval(row, "bias_near"), row.rmse_near, row.floor_near
        far = interval(row, "bias_far"), row.rmse_far, row.floor_far
        page.says(f"| {said} | {{}} | {{}} ({{}}) | {{}} | {{}} ({{}}) |", *near, *far)
    page.is_checked()


def test_texts_under_a_schedule_beside_constants():
    page = Part("docs/generation.md", "### Are long texts better", "The last two are")
    row = table("generation/comparisons", "condition", "against").loc["variance", "marginal"]
    rows = {
        "rep-4": "rep_4",
        "share of tokens in loops": "in_loops",
        "distinct bigrams": "distinct_2",
        "surprisal at sampling temperature 1, nats": "surprisal",
        "drift of rep-4 along the text": "rep_4_drift",
        "drift of surprisal along the text, nats": "surprisal_drift",
    }
    for said, name in rows.items():
        page.says(f"| {said} | {{}} |", interval(row, name))
    page.says("(0.8, 0.903, 1 and 1.2, a monotone curve")
    page.is_checked()


def test_the_study_of_two_cores():
    page = Part("docs/generation.md", "### Two CPU cores", "What was not: other models")
    conditions = table("generation/cpu_conditions", "condition", "prompts")
    shown = {("stepwise", group): f" {group}" for group in ("found on", "held out")}
    names = [
        "at-0.6",
        "at-0.8",
        "at-1.0",
        "variance",
        "scipy",
        "online",
        "mirostat",
        "edt",
        "dynamic",
    ]
    shown |= {(name, "all"): "" for name in names}
    for (name, group), said in shown.items():
        row = conditions.loc[name, group]
        held = [interval(row, "bias_near"), row.rmse_near, row.floor_near]
        held += [interval(row, "bias_far"), row.rmse_far, row.floor_far]
        texts = [row.conditional, row.conditional_drift, row.rep_4, row.looping, row.spent_tokens]
        called = name.replace("at-", "constant ")
        form = f"| {called} | {{}}{said} | {{}} | {{}} ({{}}) | {{}} | {{}} ({{}}) | "
        page.says(form + "{} | {} | {} | {} | {} |", row.documents, *held, *texts)
    own = [conditions.loc[name, "all"] for name in ("mirostat", "variance")]
    page.says("`mirostat` and `variance`: {} and {} nats", *(row.conditional for row in own))
    page.says("{} and {} of the runs", *(row.looping for row in own))
    assert conditions.loc["online", "all"].looping == 0
    runs = {row.documents * row.runs for row in own}
    page.says("in {} runs each", *runs)
    far = conditions.loc["online", "all"].bias_far, -own[0].bias_far
    page.says("ends {} above the target and {} below", *far)
    page.says("runs of 1,000 tokens (56 minutes on two cores")
    page.says("bias at 1–300 | error (floor) | bias at 301–1,000 | error (floor) |")
    page.says("| its drift | rep-4 | runs with a loop |")
    page.says("found on 300 positions does")
    page.says("tell from 0, and")
    stepwise = conditions.loc["stepwise", "held out"]
    assert stepwise.bias_near_low < 0 < stepwise.bias_near_high
    assert stepwise.bias_far_low < 0 < stepwise.bias_far_high
    looping = [conditions.loc[name, "all"].looping for name in ("edt", "dynamic")]
    page.says("{} and {} of their runs loop", *looping)
    page.says("It is what the H100 had in bfloat16")
    page.is_checked()


EFFECTS = {"ln p(correct)": "correct", "ln p(last)": "last", "entropy": "entropy"}
SIGNS = {"correct": 1, "last": -1, "entropy": 1}


def test_steering():
    page = Part("docs/steering.md", "## Effect against norm", "## Limits")
    effects = table("steering/effects", "layer", "quantity", "effect")
    chosen = study("steering")["steering"][0]
    page.says("One state each of {} addresses", effects.documents.max())
    page.says("addresses (position {}), steered", chosen["position"])
    page.says("steered at layers {}, {} and {} of 30", *chosen["layers"])
    page.says("(95% intervals over documents)")

    def row(layer, quantity, size):
        return effects.loc[layer, quantity, SIGNS[quantity] * size]

    for layer in (10, 20, 30):
        orders = [interval(row(layer, quantity, 1), "order") for quantity in EFFECTS.values()]
        page.says(f"| {layer} | {{}} | {{}} | {{}} |", *orders)
        shares = [interval(row(layer, quantity, 1), "share", 100) for quantity in EFFECTS.values()]
        line = f"| {layer} |" + " {}% [{}, {}] |" * len(shares)
        page.says(line, *(x for share in shares for x in share))
    page.says("where 1 is what a first-order method must have")
    missed = [
        x
        for quantity, size in (("last", 1 / 16), ("last", 1), ("entropy", 1))
        for x in interval(row(20, quantity, size), "error", 100)
    ]
    page.says(
        "layer 20, {}% ({}–{}) for lowering ln p(last) by 1/16 nat and {}% ({}–{}) for 1 nat, "
        "but {}% ({}–{}) for raising the entropy by 1 nat",
        *missed,
    )
    page.says("‖δh‖ / ‖h‖ for 1 nat, with")
    beyond = effects.documents.max() - row(10, "correct", 1).documents
    page.says("In {} of the {} states ln p(correct) > −1", beyond, effects.documents.max())
    small = effects[np.isclose(np.abs(effects.index.get_level_values("effect")), 1 / 16)]
    page.says("{}–{} times the norm for 1/16 nat", small.random.min(), small.random.max())
    page.says("1/|cos| to the gradient, whose median is 36 in 576 dimensions")
    cosines = np.abs(np.random.default_rng(0).standard_normal(200_000)) / np.sqrt(576)
    assert np.median(1 / cosines) == pytest.approx(36, abs=0.5)
    page.says("for 1 nat of ln p(correct) at layer 10 one direction in twenty does")
    assert row(10, "correct", 1).random_reached == pytest.approx(1 / 20, abs=0.01)
    ascent = interval(row(20, "correct", 1 / 16), "ascent_norm")
    page.says("{} for ln p(correct) by 1/16 nat at layer 20", ascent)
    entropy = [row(layer, "entropy", 1) for layer in (10, 20)]
    page.says("to raise the entropy by 1 nat")
    norms = [interval(of, "ascent_norm") for of in entropy]
    page.says(
        "ends at {} of the norm of J⁺ with a line search at layer 10, and {} at layer 20", *norms
    )
    page.says("make up {} and {}:", *(interval(of, "aimed") for of in entropy))
    last = effects.loc[:, "last", :].xs(-1.0, level="effect")
    page.says("For ln p(last) by 1 nat all agree within {}%", 6)
    assert (abs(last[["aimed", "ascent_norm"]] - 1) < 0.06).all(axis=None)
    page.is_checked()


def test_decoding():
    page = Part("docs/decoding.md", "## An earlier, small study", "- Greedy is the cheapest")
    methods = table("decoding-early/decodings", "method")
    prompts = table("decoding-early/prompts", "method", "doc")
    of = {method: prompts.loc[method] for method in methods.index}
    chosen = study("decoding-early")["steering"][0]["decoding"]
    page.says("closes a {}-gram that the text already has", chosen["ngram"])
    page.says("or would be the third of its kind in a row")
    page.says('most often right: "\\n\\n", "100".')
    page.says("the state at layer {} is changed", chosen["layer"])
    page.says("that does not, down to {};", -chosen["margin"])
    page.says("nucleus sampling ({}), the", chosen["nucleus"])
    page.says("repetition penalty ({}),", chosen["penalty"])
    page.says("contrastive search (k = {}, α = {};", chosen["candidates"], chosen["alpha"])
    page.says(
        "their first {} tokens as prompts, {} tokens written",
        *(chosen[key] for key in ("prompt_tokens", "continue_by")),
    )
    page.says("h(t) − h(t−1)‖²) − ln p(x_{t+1}) at the last layer")
    page.says("| method | rep-1 | rep-4 | perplexity |")
    assert methods.prompts.unique().tolist() == [12]
    for method, row in methods.iterrows():
        rep_4 = [interval(row, "rep_4")] if row.rep_4 else [0]
        numbers = [interval(row, "rep_1"), *rep_4, interval(row, "perplexity")]
        numbers += [interval(row, "energy_fluctuation")]
        reread = "the same"
        if row.reread_fluctuation != row.energy_fluctuation:
            reread = "{}"
            numbers.append(interval(row, "reread_fluctuation"))
        page.says(f"| {method} | {{}} | {{}} | {{}} | {{}} | {reread} |", *numbers)
    steered = (100 * x for x in interval(methods.loc["steering"], "steered"))
    page.says("{}% [{}, {}] of the tokens were steered", *steered)

    def less(a, b, name, other=None):
        return mean(of[a][name] - of[b][other or name])

    page.says("Steering at layer 20 removes all repetition of 4-grams")
    cost = [less(method, "greedy", "surprisal") for method in ("steering", "penalty", "nucleus")]
    page.says("for {} nat [{}, {}] a token", *cost[0])
    page.says("the penalty pays {} nat, nucleus sampling {}", cost[1][0], cost[2][0])
    same = of["steering"].as_block
    page.says("In {} of {} prompts the two write the same tokens", same.sum(), len(same))
    page.says("(in one of them nothing stuttered)")
    assert (of["steering"].steered == 0).sum() == 1
    page.says("differ by {} nat [{}, {}].", *less("steering", "block", "surprisal"))
    steady = (-x for x in less("steering", "greedy", "energy_fluctuation"))
    value, high, low = steady
    page.says("less than greedy's, by {}, while", (value, low, high))
    page.says("more, by {}.", less("block", "greedy", "energy_fluctuation"))
    again = less("steering", "block", "reread_fluctuation")
    page.says("(difference {})", again)
    page.is_checked()
