"""What docs/causes.md says of its study is what docs/tables hold of it."""

import pandas as pd
import pytest

from tests.claims import Part, interval
from tests.test_claims_of_studies import study, table
from tests.training.test_claims import one

FOLDER = "causes"
PAGE = "docs/causes.md"

NOISE, SKIPPED, WINDOW = "noise on weights", "skipped layers", "shorter window"
SHARP, FLAT = "sharper attention", "flatter attention"
CORPUS, SHUFFLED = "repetition in the corpus", "the same shuffled"
BLOCKED = "shorter window, repetitive corpus"

READING = (None, None)
GREEDY = ("greedy", None)


def at(temperature):
    return ("sampled", temperature)


def at_last_layer(name):
    return table(f"{FOLDER}/{name}", "model").reset_index()


@pytest.fixture(scope="module")
def causes():
    return table(f"{FOLDER}/causes", "cause").reset_index()


def row(causes, cause, dose, observable, where=READING, against=None):
    """The one row of a cause at a dose; without one, of its slope."""
    condition, value = where
    wanted = {"condition": condition, "at": value, "dose": dose, "against": against}
    return one(causes, cause=cause, observable=observable, **wanted)


def number(*of):
    return interval(row(*of), "value")


def less(of):
    """The same the other way round."""
    value, low, high = of
    return (-value, -high, -low)


def test_what_was_measured(causes):
    page = Part(PAGE, "[config/causes.yaml]", "![Ω(0⁻)")
    config = study(FOLDER)
    sotu = config["datasets"]["sotu"]
    large, small = (config["decoding"][i] for i in (0, -1))
    page.says(
        "on {} State of the Union addresses of {} tokens ({} states)",
        *(sotu["documents_per_shard"], sotu["tokens_per_document"]),
        at_last_layer("wells").states.unique().item(),
    )
    page.says("{} of their beginnings continued by {} tokens;", large["prompts"], large["write"])
    page.says("about 1 M parameters")
    page.says("each on {} other", config["models"]["llama-00-0"]["train"]["documents"])
    page.says("{} beginnings continued by {} tokens", small["prompts"], small["write"])
    page.says("Intervals are 95%")
    page.says("rep-4 is the share of 4-grams")
    page.is_checked()


def test_what_goes_with_low_energy():
    page = Part(PAGE, "Of a state's attention at the final", "Nor does repetition take")
    rows = table(f"{FOLDER}/associations", "model").reset_index()
    rows = rows[(rows.layer == rows.layer.max()) & (rows.outcome == "below_zero")]
    of = {
        model: rows[rows.model == model].set_index("measure")
        for model in ("smollm2-135m", "smollm2-135m-random")
    }

    def partial(measure, model="smollm2-135m"):
        return interval(of[model].loc[measure], "partial")

    page.says("whether H < 0,")
    page.says("1[H < 0] with the entropy of the row is {},", partial("row_entropy"))
    page.says("first token {}, with", partial("sink"))
    page.says("what followed copies {};", partial("induction"))
    page.says("token before, {}.", partial("before"))
    measures = ["row_entropy", "sink", "itself", "before", "induction", "stable_rank",
                "rank_residual", "mean_cosine"]  # fmt: skip
    assert of["smollm2-135m"].partial[measures].abs().idxmax() == "before"
    random = of["smollm2-135m-random"].partial[measures].abs().idxmax()
    page.says("reaches {}.", partial(random, "smollm2-135m-random"))
    page.is_checked()


def test_what_states_are_like_in_repetitions(causes):
    page = Part(PAGE, "Nor does repetition take", "### Collapse makes")
    places = table(f"{FOLDER}/places", "model", "dataset", "place", "measure")
    repetitions = study(FOLDER)["datasets"]["one-token"]["repetitions"]

    def value(dataset, place, measure, copies):
        rows = places.loc[("smollm2-135m", dataset, place, measure)].set_index("copies")
        return interval(rows.loc[copies], "value")

    def of_token(*of):
        return value("one-token", "token", *of)

    def of_phrase(*of):
        return value("written", "phrase", *of)

    page.says("stands {} times in a row", max(repetitions))
    norm = "relative_norm"
    page.says("({} of the first token's at its first copy, {} from the 64th on)",
              of_token(norm, 1), of_token(norm, 64))  # fmt: skip
    page.says("for the copies: {} → {},", of_token("sink", 1), of_token("sink", 64))
    page.says("what followed copies {} at the second copy → {}.",
              of_token("induction", 2), of_token("induction", 64))  # fmt: skip
    page.says("but higher, {} in the first copy and {} from the 16th on,",
              of_phrase("energy", 1), of_phrase("energy", 16))  # fmt: skip
    page.says("with {} and {} of attention", of_phrase("sink", 1), of_phrase("sink", 16))
    page.says("costs {} nats", number(causes, "no sink", None, "surprisal"))
    page.says("moves Ω(0⁻) by {}.", number(causes, "no sink", None, "omega"))
    page.is_checked()


def test_what_scaled_attention_does(causes):
    page = Part(PAGE, "Attention logits of all layers", "- *Sharper* attention,")
    page.says("| Ω(0⁻) | less noise | rep-4, greedy | less noise | rep-4 at 0.5 | less noise |")
    for beta in (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5):
        cause = FLAT if beta < 1 else SHARP
        values = [row(causes, cause, beta, name)["value"] for name in ("row_entropy", "surprisal")]
        places = [("omega", READING), ("rep_4", GREEDY), ("rep_4", at(0.5))]
        line = f"| {beta} | {{}} | {{}} |"
        for name, where in places:
            values.append(number(causes, cause, beta, name, where))
            if beta == 1:
                line += " {} | |"
            else:
                values.append(number(causes, cause, beta, name, where, NOISE))
                line += " {} | {} |"
        page.says(line, *values)
    page.is_checked()


def test_what_is_left_beside_other_damage(causes):
    page = Part(PAGE, "- *Sharper* attention,", "### Repetition in the corpus makes")
    page.says("H < 0 more common, but up to β = 3 no more")
    for beta in (1.5, 2, 3):
        assert row(causes, SHARP, beta, "omega", READING, NOISE)["value_low"] <= 0
    page.says("(at β = 3 by {}).", less(number(causes, SHARP, 3, "omega", READING, WINDOW)))
    beside = [
        less(number(causes, SHARP, 3, "rep_4", GREEDY, null)) for null in (NOISE, SKIPPED, WINDOW)
    ]
    page.says(
        "at β = 3 in greedy rep-4 by {} than noise, {} than skipped layers, {} than a", *beside
    )
    for null in (NOISE, SKIPPED, WINDOW):
        assert row(causes, SHARP, 3, "rep_4", at(0.5), null)["value_high"] < 0
    page.says("(β = ½: by {})", number(causes, FLAT, 0.5, "rep_4", GREEDY, SKIPPED))
    page.says("short window (by {}).", number(causes, FLAT, 0.5, "rep_4", GREEDY, WINDOW))
    wells = at_last_layer("wells").set_index("model")
    deep = [
        interval(wells.loc[name], "below_minus_0.5")
        for name in ("smollm2-135m", "beta-3", "window-8")
    ]
    page.says("Ω(−½) is {} as the model is, {} at β = 3, and {} in a window of 8 tokens", *deep)
    assert wells["below_minus_0.5"].idxmax() == "window-8"
    one = "threefold in one layer"
    layers = [1, 2, 4, 8, 12, 16, 20, 25, 30]
    of = {layer: number(causes, one, layer, "omega") for layer in layers}
    most = max(layers[1:], key=lambda layer: of[layer])
    page.says("alone, Ω(0⁻) rises to {} in layer 1, beyond noise by {},",
              of[1], number(causes, one, 1, "omega", READING, NOISE))  # fmt: skip
    page.says("and in no other of eight layers above {};", of[most])
    page.says("in layer 20 it is below noise, by {}.",
              less(number(causes, one, 20, "omega", READING, NOISE)))  # fmt: skip
    page.says("So Ω(0⁻) when")
    page.is_checked()


def test_what_repetition_in_the_corpus_does(causes):
    page = Part(PAGE, "Phrases of 8 tokens", "### The sampling temperature acts")
    injected = study(FOLDER)["datasets"]["injected-40"]
    loops = at(0.5)
    page.says("Phrases of {} tokens, again and again, are {} of", injected["unit"],
              injected["rate"])  # fmt: skip
    page.says("sampling temperature of 0.5, and on Ω(0⁻)")
    first, last = (number(causes, CORPUS, dose, "looping", loops) for dose in (0, 0.4))
    page.says("corpus 0 → 0.4 loops +{} {} → {}", last[0] - first[0], first, last)
    page.says("the same tokens shuffled loops 0.00 {}",
              number(causes, SHUFFLED, 0.4, "looping", loops))  # fmt: skip
    omega = [number(causes, CORPUS, dose, "omega") for dose in (0, 0.4)]
    page.says("corpus → low energy Ω(0⁻) {} → {}; shuffled {}", omega[0][0], omega[1][0],
              row(causes, SHUFFLED, 0.4, "omega")["value"])  # fmt: skip
    page.says("falls from {} to {} by training on repetition, and to {} on the same",
              *(number(causes, CORPUS, dose, "row_entropy") for dose in (0, 0.4)),
              number(causes, SHUFFLED, 0.4, "row_entropy"))  # fmt: skip
    for window, words in ((16, ", sees one"), (8, ", sees none"), (4, "")):
        page.says(f"corpus 0.4, window of {window}{words} loops {{}}",
                  number(causes, BLOCKED, 1 / window, "looping", loops))  # fmt: skip
    surprisal, omega = (
        [number(causes, BLOCKED, dose, name) for dose in (0, 1 / 8)]
        for name in ("surprisal", "omega")
    )
    page.says("({} and {} nats)", *(of[0] for of in surprisal))
    page.says("(Ω(0⁻) {} and {}):", *omega)
    assert omega[1][0] > omega[0][0]
    page.says("a phrase of 8 tokens has its copy 8 back, and the last of 8 keys is 7 back")
    scaled = [
        number(causes, "attention scaled, repetitive corpus", dose, "rep_4", at(0.75))
        for dose in (1, 0.5)
    ]
    page.says("rep-4 at 0.75 goes from {} to {},", *scaled)
    page.says("rep-4 is {} in a window of 8.", number(causes, BLOCKED, 1 / 8, "rep_4", GREEDY))
    page.is_checked()


def test_what_the_sampling_temperature_does(causes):
    page = Part(PAGE, "temperature 0.5 → 1 ", "### So")
    name = "sampling temperature"
    for words, cause in (
        ("temperature 0.5 → 1 rep-4 of a repetitive corpus", f"{name}, repetitive corpus"),
        ("the same, no copy in sight rep-4", f"{name}, repetitive corpus, window of 4"),
        ("plain corpus rep-4", f"{name}, plain corpus"),
        (" rep-4", name),
    ):
        rows = [number(causes, cause, dose, "rep_4", ("sampled", None)) for dose in (0.5, 1)]
        if cause == name:
            page.says("0.000 [0.000, 0.001] rep-4 {} → {}", *rows)
        else:
            page.says(words + " {} → {}", *rows)
    page.is_checked()


def test_what_comes_of_it(causes):
    page = Part(PAGE, "| explanation | on these models |")
    loops = causes[(causes.observable == "looping") & causes.against.isna() & causes.dose.notna()]
    warm = pd.concat([loops[loops["at"] == 1.0], loops[loops["at"].isna() & (loops.dose == 1.0)
                      & loops.cause.str.startswith("sampling")]])  # fmt: skip
    page.says("at a temperature of 1 no more than {} of the texts", warm.value.max())
    low = [row(causes, NOISE, 0.3, "omega")["value"], row(causes, FLAT, 0.25, "omega")["value"]]
    many = [
        row(causes, NOISE, 0.3, "rep_4", GREEDY)["value"],
        row(causes, FLAT, 0.25, "rep_4", GREEDY)["value"],
    ]
    page.says("(Ω(0⁻) {} and {}, greedy rep-4 {} and {}, by noise of 0.3 and", *low, *many)
    page.is_checked()
