"""What docs/training.md and docs/mechanics.md say of four families is what docs/tables hold."""

import pytest

from tests.claims import Part, interval
from tests.test_claims_of_studies import study, table
from tests.training.test_claims import one

FOLDER = "training-families"
FIRST = {"llama": "llama-00-0", "gpt2": "gpt2-00-0", "neox": "neox-00-0", "mamba2": "mamba2-00-0"}
"""Of each family, with its first seed."""

NAMES = {"llama": "Llama", "gpt2": "GPT-2", "neox": "GPT-NeoX", "mamba2": "Mamba 2"}
WAY = ("start", "50k", "200k", "800k")
SOTU = {"dataset": "sotu"}


def of_family(family):
    """Its models along training."""
    return [f"{family}-{at}" for at in WAY] + [FIRST[family]]


def rows(name):
    return table(f"{FOLDER}/{name}", "dataset").reset_index()


@pytest.fixture(scope="module")
def wells():
    found = rows("wells")
    return found[found.dataset == "sotu"].set_index("model")


@pytest.fixture(scope="module")
def deepest():
    return table(f"{FOLDER}/deepest", "model", "energy")


def after_norm(potential, dataset="sotu"):
    found = rows("mechanics")
    wanted = {"dataset": dataset, "place": "after_norm", "potential": potential}
    for name, value in wanted.items():
        found = found[found[name] == value]
    return found.set_index("model")


def test_what_was_trained():
    page = Part("docs/training.md", "## Architectures side by side", "| models |")
    config = study(FOLDER)
    tokens = {model: config["models"][f"{model}-0"]["train"]["tokens"] for model in
              ("llama-00", "neox-00", "mamba2-00", "gpt2-equal", "gpt2-00")}  # fmt: skip
    assert len({*tokens.values()} - {tokens["gpt2-00"]}) == 1
    page.says("once on {} M, since", tokens["gpt2-00"] / 1e6)
    page.says("Ω = 10⁻³")
    page.is_checked()


def test_families_at_their_last_layer(wells):
    page = Part("docs/training.md", "| models | surprisal, nats | mean H", "**Once trained")
    page.says("Ω(0⁻) | Ω(−0.1) | Ω(−½) | depth |")
    numbers = rows("numbers")
    order = []
    for group in ("mamba2-00", "llama-00", "neox-00", "gpt2-00", "gpt2-equal"):
        of = {name: interval(one(numbers, **SOTU, group=group, observable=name), "value")
              for name in ("surprisal", "energy", "omega")}  # fmt: skip
        order.append((of["surprisal"][0], of["omega"][0]))
        well = wells.loc[f"{group}-0"]
        values = [*of.values(), interval(well, "below_minus_0.1")]
        values += [interval(well, "below_minus_0.5"), interval(well, "depth")]
        page.says(f"| {group} |" + " {} |" * len(values), *values)
    assert order == sorted(order) and [omega for _, omega in order] == sorted(
        omega for _, omega in order
    ), "Ω(0⁻) stands in the order of the surprisal"
    page.is_checked()


def test_the_bottom_is_the_same(wells, deepest):
    page = Part("docs/training.md", "**Once trained", "**A well is an age")
    deep = deepest.xs(-0.5, level="energy")
    trained = deep.loc[[*FIRST.values()]]
    page.says("Below −½ lie {} to {} of {} states in each", trained.states.min(),
              trained.states.max(), wells.states.unique().item())  # fmt: skip
    llama, gpt2, neox, mamba2 = (trained.loc[FIRST[family]] for family in FIRST)
    page.says("of the {} of Llama's, GPT-2 and GPT-NeoX have {} and Mamba 2 has all.",
              llama.states, gpt2.shared_with_first)  # fmt: skip
    assert neox.shared_with_first == gpt2.shared_with_first
    assert mamba2.shared_with_first == llama.states
    page.says("Ten are line feeds")
    assert all(of.after_line_feed >= 10 for of in (llama, gpt2, neox, mamba2))
    assert llama.after_line_feed == mamba2.after_line_feed == 10
    page.says("Ω = 10⁻³")
    page.is_checked()


def test_along_training(wells, deepest):
    page = Part("docs/training.md", "**A well is an age", "**Ω(0⁻) goes")
    begun = 100 * wells.below_zero[[f"{family}-start" for family in FIRST]]
    page.says("have H < 0 in {} to {}% of all states", begun.min(), begun.max())
    page.says("| tokens | Llama: Ω(−0.1), depth |")
    marks = ("0", "50 k", "200 k", "800 k", "all")
    for i, mark in enumerate(marks):
        values = []
        for family in FIRST:
            well = wells.loc[of_family(family)[i]]
            values += [well["below_minus_0.1"], well.depth]
        page.says(f"| {mark} |" + " {}, {} |" * 4, *values)
    low = deepest.xs(-0.1, level="energy")
    page.says("At 50 k tokens all of GPT-2's {} states below −0.1 are line feeds",
              low.states["gpt2-50k"])  # fmt: skip
    for model in ("gpt2-50k", "neox-50k"):
        assert low.states[model] == low.after_line_feed[model] == 251
    page.says("GPT-2 has them still at 800 k")
    assert low.after_line_feed["gpt2-800k"] == 251
    others = [low.states[f"{family}-800k"] for family in ("llama", "neox", "mamba2")]
    assert max(others) < 40 and max(low.after_line_feed[["llama-800k", "neox-800k"]]) == 10
    page.says("on 1.8 M tokens to the end it keeps {}, at", low.states["gpt2-equal-0"])
    page.says("GPT-NeoX had at 800 k tokens with {}.", low.states["neox-800k"])
    surprisal = after_norm("surprisal").potential_mean
    assert abs(surprisal["gpt2-equal-0"] - surprisal["neox-800k"]) < 0.1
    page.is_checked()


def test_differences_with_seeds_as_the_unit():
    page = Part("docs/training.md", "**Ω(0⁻) goes", "What the third source")
    doses = rows("doses")
    groups = {"Llama": "llama-00", "GPT-NeoX": "neox-00", "Mamba 2": "mamba2-00",
              "GPT-2": "gpt2-equal"}  # fmt: skip
    page.says("| surprisal, nats | mean H | Ω(0⁻) |")
    page.says("Ω(0⁻) goes with the loss")
    lines, values = [], []
    for a, b in (("GPT-NeoX", "Llama"), ("Mamba 2", "Llama"), ("GPT-2", "Llama"),
                 ("Mamba 2", "GPT-NeoX"), ("GPT-2", "GPT-NeoX"), ("GPT-2", "Mamba 2")):  # fmt: skip
        pair = SOTU | {"group": groups[a], "against": groups[b]}
        values += [interval(one(doses, **pair, observable=name), "value")
                   for name in ("surprisal", "energy", "omega")]  # fmt: skip
        lines.append(f"| {a} − {b} | {{}} | {{}} | {{}} |")
    page.says(" ".join(lines), *values)
    compared = table(f"{FOLDER}/comparisons", "model_a", "model_b")
    page.says("all six pairs of families apart (p = {}, the least there is)", compared.area_p.max())
    assert compared.area_p.nunique() == 1 and compared.area_p.min() == pytest.approx(1 / 5000)
    seeds = compared.area.filter(regex="llama-00-[12]").sort_values()
    families = compared.loc[[(a, b) for a, b in compared.index if {a, b} <= {*FIRST.values()}]].area
    assert len(seeds) == 2 and len(families) == 6
    page.says("is {} and {} from seed to seed, {} to {} between families.", *seeds,
              families.min(), families.max())  # fmt: skip
    page.is_checked()


def test_mechanics_along_training():
    page = Part("docs/mechanics.md", "## In four families", "![Variance ratios of four")
    entropy = after_norm("entropy")
    page.says("{} documents of {} states", entropy.documents.unique().item(),
              rows("wells").states.iloc[0] / entropy.documents.iloc[0])  # fmt: skip
    page.says("mean ln(½‖v‖²)")
    last = dict.fromkeys(FIRST, "1.8 M") | {"gpt2": "3 M"}
    lines, values = [], []
    for family, name in NAMES.items():
        for model, mark in zip(of_family(family), ("0", "50 k", "200 k", "800 k", last[family]),
                               strict=True):  # fmt: skip
            of = entropy.loc[model]
            values += [of.kinetic_mean, of.potential_mean, of.sd, of.cv]
            values += [interval(of, "variance_ratio")]
            row = f"| {name if mark == '0' else ''} | {mark} |" + " {} |" * 5
            lines.append(f"{row} {'yes' if of.conserved else 'no'} |")
    page.says(" ".join(lines), *values)
    page.is_checked()


def test_what_holds_in_all_families():
    page = Part("docs/mechanics.md", '- **"Random weights conserve', "## The family")
    entropy, surprisal = after_norm("entropy"), after_norm("surprisal")
    starts = {family: f"{family}-start" for family in FIRST}
    times = [entropy.cv[FIRST[of]] / entropy.cv[starts[of]] for of in FIRST]
    page.says("The cv of the starts is {} to {} times smaller", min(times), max(times))
    at_start = entropy.loc[[*starts.values()]]
    assert (abs(at_start.cv / at_start.cv_shuffled - 1) < 0.01).all()
    page.says("is {} to {}.", at_start.variance_ratio.min(), at_start.variance_ratio.max())
    page.says("At 200 k tokens no family's")
    page.says("at 800 k three do")
    for mark, passing in (("200k", 0), ("800k", 3)):
        assert entropy.conserved[[f"{family}-{mark}" for family in FIRST]].sum() == passing
    trained = entropy.loc[[*FIRST.values()]]
    assert trained.conserved.all()
    page.says("{} to {}% of the variance cancels in every one",
              100 * (1 - trained.variance_ratio.max()),
              100 * (1 - trained.variance_ratio.min()))  # fmt: skip
    seeds = entropy.variance_ratio[[f"llama-00-{seed}" for seed in range(3)]]
    page.says("Llama's three seeds have {} to {}.", seeds.min(), seeds.max())
    equal = entropy.loc["gpt2-equal-0"]
    page.says("a ratio of {} that shuffled velocities explain", interval(equal, "variance_ratio"))
    assert equal.below_shifted and not equal.below_order
    of_surprisal = surprisal.loc[[*FIRST.values()]]
    page.says("With surprisal {} to {}% cancels", 100 * (1 - of_surprisal.variance_ratio.max()),
              100 * (1 - of_surprisal.variance_ratio.min()))  # fmt: skip
    assert not of_surprisal.conserved["gpt2-00-0"] and of_surprisal.conserved.sum() == 3
    begun = surprisal.loc[["gpt2-start", "neox-start"]]
    assert begun.conserved.all() and surprisal.conserved[[*starts.values()]].sum() == 2
    page.says("by {} and {}%", *(100 * (1 - begun.variance_ratio)))
    way = entropy.loc[[f"{of}-{at}" for of in FIRST for at in ("50k", "200k")]]
    page.says("down to {}, which shuffled", way.variance_ratio.min())
    assert not way.below_order[way.variance_ratio.idxmin()]
    page.says("either side of 1")
    assert way.variance_ratio.max() > 1
    shuffled = after_norm("entropy", "sotu-shuffled").loc[[*FIRST.values()]]
    page.says("the ratios are {} to {}", shuffled.variance_ratio.min(),
              shuffled.variance_ratio.max())  # fmt: skip
    assert (shuffled.conserved == of_surprisal.conserved).all()
    contrast = table(f"{FOLDER}/mechanics_of_training", "model").query(
        "dataset == 'sotu' and place == 'after_norm'"
    )
    change = contrast[contrast.potential == "entropy"].loc[[*FIRST.values()]]
    faster = change.kinetic_mean_difference
    page.says("(by {}, {} and {}), Mamba 2", faster["llama-00-0"], faster["neox-00-0"],
              faster["gpt2-00-0"])  # fmt: skip
    slower = [-value for value in interval(change.loc["mamba2-00-0"], "kinetic_mean_difference")]
    page.says("slower by {};", (slower[0], slower[2], slower[1]))
    for family in FIRST:
        speed = entropy.kinetic_mean[of_family(family)]
        assert speed.iloc[1] < speed.iloc[0]
    page.says("entropy falls by {} to {} nats", -change.potential_mean_difference.max(),
              -change.potential_mean_difference.min())  # fmt: skip
    page.says("rises by {} to {})", change.sd_difference.min(), change.sd_difference.max())
    page.is_checked()
