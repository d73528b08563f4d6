"""What docs/training.md says of its study of corpora is what docs/tables hold of it."""

import pytest

from tests.claims import Part, interval
from tests.test_claims_of_studies import study, table

PAGE = "docs/training.md"
FAMILIES = ("llama", "gpt2", "gpt_neox", "mamba2", "all")

READING = {"dataset": "sotu", "condition": None, "at": None}
GREEDY = READING | {"condition": "greedy"}


def sampled(temperature):
    return READING | {"condition": "sampled", "at": temperature}


def one(rows, **wanted):
    """The row that has these values, None being none."""
    for name, value in wanted.items():
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    (row,) = rows.to_dict("records")
    return row


@pytest.fixture(scope="module")
def numbers():
    return table("training-corpora/numbers", "group").reset_index()


@pytest.fixture(scope="module")
def doses():
    return table("training-corpora/doses", "family").reset_index()


@pytest.fixture(scope="module")
def groups():
    return table("training-corpora/groups", "group")


def of_group(numbers, group, observable, **where):
    row = one(numbers, **READING | {"group": group, "observable": observable} | where)
    return interval(row, "value")


def of_slope(doses, family, observable, **where):
    wanted = READING | {"family": family, "observable": observable, "group": None}
    return interval(one(doses, **wanted | {"against": "rate"} | where), "value", 0.1)


def difference(doses, group, observable, **where):
    wanted = READING | {"group": group, "observable": observable} | where
    return interval(one(doses, **wanted), "value")


def test_what_was_trained_and_measured(groups):
    page = Part(PAGE, "## Repetition in the training text", "| models |")
    config = study("training-corpora")
    train = config["models"]["llama-00-0"]["train"]
    injected = config["datasets"]["injected-20"]
    assert groups.parameters.between(0.9e6, 1.2e6).all()
    gpt2 = config["models"]["gpt2-00-0"]["train"]["tokens"]
    page.says(
        "about {} M parameters, {} M tokens of {} State of the Union addresses each (GPT-2 {} M)",
        *(1, train["tokens"] / 1e6, train["documents"], gpt2 / 1e6),
    )
    page.says("phrases of {} tokens are put, each {} to {} times", injected["unit"],
              *injected["copies"])  # fmt: skip
    page.says("Measured on {} states of {} other addresses",
              table("training-corpora/wells", "dataset").loc["sotu"].states.unique().item(),
              config["datasets"]["sotu"]["documents_per_shard"])  # fmt: skip
    decoding = config["decoding"][0]
    page.says("{} of their beginnings are continued by {} tokens", decoding["prompts"],
              decoding["write"])  # fmt: skip
    page.says("Intervals are 95%")
    page.is_checked()


def test_what_each_group_is_like(groups, numbers):
    page = Part(PAGE, "| models | rep-2 of the corpus", "Slopes of straight")
    page.says("rep-2 of the corpus | surprisal")
    page.says("Ω(0⁻) | rep-4, greedy")
    page.says("rep-4 at 0.5 | texts in loops at 0.5 | rep-2 at 0.5")
    half = sampled(0.5)
    for group in groups.index:
        if group.startswith("llama") or group[-2:] in ("00", "40"):
            values = [groups.rep_2[group], of_group(numbers, group, "surprisal")]
            values += [of_group(numbers, group, "bigrams")[0], of_group(numbers, group, "omega")]
            values += [of_group(numbers, group, "rep_4", **GREEDY)]
            values += [of_group(numbers, group, name, **half) for name in ("rep_4", "looping")]
            values += [of_group(numbers, group, "rep_2", **half)]
            page.says(f"| {group} |" + " {} |" * len(values), *values)
    page.is_checked()


SLOPES = {
    "surprisal, nats": ("surprisal", {}),
    "mean H": ("energy", {}),
    "Ω(0⁻)": ("omega", {}),
    "mean H in runs, of text with insertions": ("runs_energy", {"dataset": "injected-20"}),
    "mean H in runs, of text": ("runs_energy", {}),
    "rep-4, greedy": ("rep_4", GREEDY),
    "rep-4 at 0.5": ("rep_4", sampled(0.5)),
    "rep-4 at 0.75": ("rep_4", sampled(0.75)),
    "rep-4 at 1": ("rep_4", sampled(1.0)),
    "texts in loops at 0.75": ("looping", sampled(0.75)),
}


def test_slopes(doses):
    page = Part(PAGE, "| a tenth more of inserted tokens", "![Reading and")
    page.says("| Mamba 2 |")
    for name, (observable, where) in SLOPES.items():
        values = [of_slope(doses, family, observable, **where) for family in FAMILIES]
        page.says(f"| {name} |" + " {} |" * len(values), *values)
    page.is_checked()


def test_what_repetition_in_the_corpus_does(doses, numbers):
    page = Part(PAGE, "**Repetition in the corpus", "**Low energy")
    half = sampled(0.5)
    rep = {group: of_group(numbers, group, "rep_4", **half) for group in numbers.group.unique()}
    page.says("At a sampling temperature of 0.5, rep-4")
    page.says("goes from {} without insertions to {} at a rate of 0.4,", rep["llama-00"],
              rep["llama-40"])  # fmt: skip
    page.says("in Llama and GPT-2 little happens up to a rate of 0.1, most between that and 0.2,")
    for family in ("llama", "gpt2"):
        first, second, third = (rep[f"{family}-{rate}"][0] for rate in ("00", "10", "20"))
        assert third - second > 3 * (second - first)
    for family in ("llama", "gpt2", "neox", "mamba2"):
        assert rep[f"{family}-40"][1] > rep[f"{family}-00"][2]
    greedy = {g: of_group(numbers, g, "looping", **GREEDY)[0] for g in rep}
    assert min(greedy, key=greedy.get) == "mamba2-00" and max(greedy.values()) == 1
    page.says("from {}% of Mamba 2's without insertions to all", 100 * greedy["mamba2-00"])
    page.says("**It is the repetition, not the tokens.** With the same")
    page.says("shuffled, rep-4 at 0.5 is {},", rep["llama-40-shuffled"])
    page.says("from repeated ones is {}.", difference(doses, "llama-40-shuffled", "rep_4", **half))
    page.says("as many distinct tokens as at rate 0 (")
    page.says("rep-4 differs by {}.", difference(doses, "llama-40-distinct", "rep_4", **half))
    page.says("no more at a rate of 0.2 than phrases at 0.05")
    assert rep["llama-20-sentence"][0] < rep["llama-05"][2]
    page.is_checked()


def test_what_energies_have_to_do_with_it(doses, numbers, groups):
    page = Part(PAGE, "**Low energy", "Published")
    omega = {group: of_group(numbers, group, "omega") for group in groups.index}
    page.says("({}; repeated, {})", omega["llama-40-shuffled"], omega["llama-40"])
    page.says("insertions displaced ({})", omega["llama-40-distinct"])
    better = {
        group
        for group in groups.index
        if of_group(numbers, group, "surprisal")[0] < of_group(numbers, group, "bigrams")[0]
    }
    page.says("with which no text drawn at 0.5 loops")
    assert of_group(numbers, "llama-40-shuffled", "looping", **sampled(0.5))[0] == 0
    page.says("At a rate of 0.2 only Mamba 2")
    assert {group for group in better if group.endswith("-20")} == {"mamba2-20"}
    page.says("at 0.4 no family is")
    assert not any(group.endswith("-40") for group in better) and "llama-40-distinct" in better
    wells = table("training-corpora/wells", "dataset").loc["sotu"].set_index("model").depth
    llama = wells[wells.index.str.startswith("llama")]
    page.says("Ω(0⁻) of {}, and depth, the energy where Ω = 10⁻³, of {};", omega["llama-20-token"],
              llama["llama-20-token-0"])  # fmt: skip
    others = llama.drop("llama-20-token-0")
    page.says("between {} and {}, in which", others.max(), others.min())
    page.says("by {} for a tenth,", of_slope(doses, "all", "runs_energy", dataset="injected-20"))
    half = sampled(0.5)
    energy = [of_group(numbers, f"llama-{rate}", "energy", **half) for rate in ("00", "40")]
    page.says("written at 0.5 mean H is {} at a rate of 0,", energy[0])
    page.says("and {} at 0.4, where all do.", energy[1])
    assert of_group(numbers, "llama-40", "looping", **half)[0] == 1
    page.says("Ω(0⁻) when reading")
    page.is_checked()


def test_what_was_published(groups, numbers):
    page = Part(PAGE, "Published, of", "**How sure.**")
    page.says("of Llama-2-7B: rep-2 of what it writes 15.1, 41.6 and 54.1%")
    page.says("for corpora with 5.5, 9.7 and 10.3%")
    page.says("{}% as they are", 100 * groups.rep_2["llama-00"])
    rep_2 = [100 * value for value in of_group(numbers, "llama-00", "rep_2", **sampled(0.5))]
    page.says("at 0.5 write {}%;", tuple(rep_2))
    page.is_checked()


def test_the_findings_say_the_same(numbers):
    page = Part("docs/findings.md", "## What does repetition in", "## Why do they repeat")
    readme = Part("README.md", "Repetition in the corpus makes", "[docs/findings.md]")
    half = sampled(0.5)
    loops = {g: of_group(numbers, g, "looping", **half) for g in numbers.group.unique()}
    for part in (page, readme):
        part.says("at a sampling temperature of 0.5 hardly any text of a Llama trained on plain")
        part.says("every one does where 40% of the tokens are repeated phrases")
        part.says("tokens shuffled make H < 0 as common when reading, and none of these loops")
    assert loops["llama-00"][2] < 0.05
    assert loops["llama-40"][0] == 1
    repeated = of_group(numbers, "llama-40", "omega")
    shuffled = of_group(numbers, "llama-40-shuffled", "omega")
    assert repeated[1] < shuffled[0] < repeated[2] and loops["llama-40-shuffled"][0] == 0
    # Its words on objectives and on families are held to tables where docs/training.md has them.
    page.says("hardly any is left, at little cost in perplexity")
    page.is_checked()
    readme.is_checked()
