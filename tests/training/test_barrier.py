"""What docs/training.md says of its study of objectives is what docs/tables hold of it."""

import pytest

from tests.claims import Part, interval
from tests.test_claims_of_studies import study, table
from tests.training.test_claims import one

FOLDER = "training-barrier"
PAGE = "docs/training.md"
READING = {"dataset": "sotu", "condition": None, "at": None}


def writing(temperature):
    return READING | {"condition": "sampled", "at": temperature}


GREEDY = writing(0)


@pytest.fixture(scope="module")
def numbers():
    return table(f"{FOLDER}/numbers", "group").reset_index()


@pytest.fixture(scope="module")
def doses():
    return table(f"{FOLDER}/doses", "family").reset_index()


@pytest.fixture(scope="module")
def groups():
    return table(f"{FOLDER}/groups", "group")


def of_group(numbers, group, observable, where=READING):
    return interval(one(numbers, **where | {"group": group, "observable": observable}), "value")


def beside(doses, group, line, observable, where=GREEDY):
    """The group's value less that of a line at its surprisal."""
    rows = doses[doses.surprisal.notna()]
    wanted = where | {"group": group, "against": line, "observable": observable}
    return interval(one(rows, **wanted), "value")


def less_plain(doses, group, observable, where=GREEDY):
    """The group's value less that of cross entropy in else the same training."""
    rows = doses[doses.surprisal.isna()]
    wanted = where | {"group": group, "against": "plain", "observable": observable}
    return interval(one(rows, **wanted), "value")


CONTINUATIONS = "energy barrier, acts on continuations, periods 1, threshold 0.2, width 0.1"
BARRIER = "energy barrier, acts on text, periods 1, threshold 0.0, width 0.05"
LONGER = "energy barrier, acts on text, periods 16, threshold 0.0, width 0.05"
LINES = (BARRIER, LONGER, "unlikelihood, acts on text", "contrastive", "ditto, factor 0.3",
         "ditto, factor 0.7")  # fmt: skip


def test_what_was_trained(groups):
    page = Part(PAGE, "## Objectives against loops", "| models | surprisal, nats | perplexity")
    config = study(FOLDER)
    train = config["models"]["plain-0"]["train"]
    page.says("on {} tokens of {} State of the Union", train["tokens"], train["documents"])
    page.says("Read are {} states of {} other addresses",
              table(f"{FOLDER}/wells", "model").states.unique().item(),
              config["datasets"]["sotu"]["documents_per_shard"])  # fmt: skip
    decoding = config["decoding"][0]
    page.says("{} of their beginnings are continued by {} tokens", decoding["prompts"],
              decoding["write"])  # fmt: skip
    objective = config["models"]["energy-30-0"]["train"]["objective"]
    assert (objective["kind"], objective["strength"]) == ("energy_barrier", 30)
    assert (objective["threshold"], objective["width"], objective["periods"]) == (0, 0.05, 1)
    page.says("three seeds of cross entropy and of each barrier's λ = 30.")
    assert {name for name in groups.index if groups.seeds[name] == 3} == {
        *("plain", "energy-30", "periods-30", "own-30")
    }
    page.says("(H* = 0, w = 0.05)")
    page.says("that of {} periods",
              config["models"]["periods-3-0"]["train"]["objective"]["periods"])  # fmt: skip
    page.says("over {} tokens", config["models"]["contrast-1-0"]["train"]["objective"]["recent"])
    page.says("Intervals are 95%")
    page.says('low H, "like')
    page.is_checked()


def test_what_each_group_is_like(groups, numbers):
    page = Part(PAGE, "| models | surprisal, nats | perplexity", "![Repetition against")
    page.says("Ω(0⁻) |")
    page.says("rep-4, greedy |")
    page.says("rep-4 at 0.7 |")
    for group in groups.index:
        values = [of_group(numbers, group, "surprisal"), of_group(numbers, group, "perplexity")[0]]
        values += [of_group(numbers, group, name) for name in ("omega", "energy")]
        values += [
            of_group(numbers, group, name, GREEDY) for name in ("rep_4", "looping", "energy")
        ]
        values += [of_group(numbers, group, "rep_4", writing(0.7))]
        page.says(f"| {group} |" + " {} |" * len(values), *values)
    page.is_checked()


def test_whether_raising_h_stops_loops(numbers, doses):
    page = Part(PAGE, "**Raising H on text", "**A barrier that sees")
    omega = {group: of_group(numbers, group, "omega") for group in numbers.group.unique()}
    page.says("Ω(0⁻) {} at λ = 3 from {},", omega["energy-3"], omega["plain"])
    page.says("at λ = 30 rep-4")
    difference = less_plain(doses, "energy-30", "rep_4")
    page.says("differs from cross entropy's by {}, at", difference)
    assert difference[1] < 0 < difference[2]
    page.says("a price of {} nats", less_plain(doses, "energy-30", "surprisal", READING))
    page.says("furthest, to {}, and", omega["contrast-10"])
    assert min(omega, key=omega.get) == "contrast-10"
    page.says(
        "rep-4 is still {} where its λ is 1", of_group(numbers, "contrast-1", "rep_4", GREEDY)
    )
    page.says("and Ω(0⁻) has more than halved, to {}.", omega["contrast-1"])
    assert omega["contrast-1"][0] < omega["plain"][0] / 2
    page.says("greedy texts, {} by cross entropy, against {} on text",
              of_group(numbers, "plain", "energy", GREEDY),
              of_group(numbers, "plain", "energy"))  # fmt: skip
    page.says("barrier of period 1 lets")
    page.says("H of period 1 is high")
    depth = table(f"{FOLDER}/wells", "model").depth
    seeds = [[depth[f"{name}-{seed}"] for seed in range(3)] for name in ("energy-30", "plain")]
    page.says("depth, where Ω = 10⁻³, is {} to {} in its seeds at λ = 30, {} to {} in those of",
              *(of(each) for each in seeds for of in (max, min)))  # fmt: skip
    page.says("Ω(0⁻) furthest")
    page.is_checked()


def test_what_longer_periods_cost(numbers, doses):
    page = Part(PAGE, "**A barrier that sees", "**A barrier on what")
    value, low, high = less_plain(doses, "periods-3", "rep_4")
    page.says("With 16 periods rep-4 falls by {} at λ = 3,", (-value, -high, -low))
    page.says("for {} nats,", less_plain(doses, "periods-3", "surprisal", READING))
    page.says("and to {} at λ = 30,", of_group(numbers, "periods-30", "rep_4", GREEDY))
    page.says("for {}. Text", less_plain(doses, "periods-30", "surprisal", READING))
    page.is_checked()


def test_what_a_barrier_on_continuations_does(numbers, doses):
    page = Part(PAGE, "**A barrier on what", "**Beside the peers.**")
    page.says("At λ = 0.03 no greedy text loops any more ({}; cross entropy, {}),",
              of_group(numbers, "own-0.03", "looping", GREEDY),
              of_group(numbers, "plain", "looping", GREEDY))  # fmt: skip
    assert of_group(numbers, "own-0.03", "looping", GREEDY)[0] == 0
    page.says("rep-4 differs by {}, for {} nats;", less_plain(doses, "own-0.03", "rep_4"),
              less_plain(doses, "own-0.03", "surprisal", READING))  # fmt: skip
    page.says("at λ = 3 by {}, for {}.", less_plain(doses, "own-3", "rep_4"),
              less_plain(doses, "own-3", "surprisal", READING))  # fmt: skip
    page.says("Ω(0⁻) does not move ({})", of_group(numbers, "own-0.03", "omega"))
    page.says("falls to {} and {}.", *(of_group(numbers, name, "energy", GREEDY)
                                       for name in ("own-0.03", "own-3")))  # fmt: skip
    page.is_checked()


def test_at_equal_perplexity(numbers, doses):
    page = Part(PAGE, "**Beside the peers.**", "**How sure.** One model")
    page.says("Greedy rep-4 less")
    page.says("| barrier, 16 periods |")
    page.says("DITTO, γ = 0.3 | DITTO, γ = 0.7 |")
    there = {(row.group, row.against) for row in doses[doses.surprisal.notna()].itertuples()}
    for group in ("own-0.03", "own-0.3", "own-3", "own-30"):
        found = [beside(doses, group, line, "rep_4") for line in LINES if (group, line) in there]
        cells = [" {} |" if (group, line) in there else " – |" for line in LINES]
        page.says(f"| {group} |" + "".join(cells), *found)
        for line in LINES:
            if (group, line) not in there:
                continue
            _, low, high = beside(doses, group, line, "rep_4")
            if "ditto" in line:
                assert low < 0 < high, "cannot be told apart"
            elif "unlikelihood" not in line or group in ("own-3", "own-30"):
                assert high < 0
    page.says("where λ is 3 or more")
    at_07 = {name: of_group(numbers, name, "rep_4", writing(0.7)) for name in ("plain", "own-0.03")}
    page.says("temperature of 0.7, hardly any text of any of them loops, and rep-4 is {}",
              at_07["plain"])  # fmt: skip
    page.says("by cross entropy and {} by", at_07["own-0.03"])
    trained = [name for name in numbers.group.unique() if name != "smollm2-135m"]
    assert max(of_group(numbers, name, "looping", writing(0.7))[0] for name in trained) < 0.04
    page.says("at 1 there is nothing")
    assert max(of_group(numbers, name, "rep_4", writing(1))[0] for name in trained) < 0.01
    wells = table(f"{FOLDER}/wells", "model")
    page.says("cut to norm 1: λ = 3 and 30 gave")
    assert wells.mean_energy["own-3-0"] == wells.mean_energy["own-30-0"]
    page.is_checked()
