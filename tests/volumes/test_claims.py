"""What docs/volumes.md says of its study is what docs/tables hold of it."""

import numpy as np
import pytest

from tests.claims import Part, interval
from tests.test_claims_of_studies import study, table

PAGE = "docs/volumes.md"

MODEL, TWIN = "smollm2-135m", "smollm2-135m-random"
WELL = "below_minus_0.5"


@pytest.fixture(scope="module")
def volumes():
    return table("volumes/volumes", "model", "layer", "space").sort_index()


@pytest.fixture(scope="module")
def pairs():
    return table("volumes/pairs", "model", "layer", "space").sort_index()


@pytest.fixture(scope="module")
def distances():
    return table("volumes/distances", "model", "layer", "space").sort_index()


def nats_of(pairs, *which):
    """ln Ω of the well of each pair that has got there."""
    return pairs.loc[which, f"entropy_{WELL}"].dropna()


def test_how_deep_wells_are(volumes, pairs):
    page = Part(PAGE, "[volumes.yaml](../config/volumes.yaml), SmolLM2", "**How much room a well")
    config = study("volumes")
    entry, twin = config["volumes"][:2]
    page.says("of {} tokens: {} pairs", config["datasets"]["sotu"]["tokens_per_document"], 12)
    page.says("and {} walkers, {} pairs of its random twin", entry["walkers"], twin["pairs"])
    assert entry["pairs"] == 12
    page.says("95% intervals over pairs")
    page.says("ln Ω(H ≤ −½)")
    for space, words in (
        ("sphere", "uniform directions"),
        ("gaussian", "normal, like the states of text"),
    ):
        row, nats_r = volumes.loc[(MODEL, 30, space)], nats_of(pairs, MODEL, 30, space)
        assert len(nats_r) == row.reached == 12 and np.isnan(row[f"entropy_{WELL}_high"])
        mean = (row[f"entropy_{WELL}"], row[f"entropy_{WELL}_low"])
        values = (interval(row, f"typical_{WELL}"), *mean, nats_r.min(), nats_r.max())
        page.says(f"| {words} | {{}} | {{}}, at least {{}} | {{}} to {{}} |", *values)
    page.says("| states of text | | {} | |", interval(row, f"text_{WELL}"))
    of_twin = volumes.loc[TWIN]
    assert (of_twin.reached == 0).all() and (of_twin[f"typical_{WELL}_high"] < -20.5).all()
    assert (of_twin[f"entropy_{WELL}_high"] < -20.5).all()
    page.says("| random twin, either measure | below {} | below {} | no pair above |", -20.5, -20.5)
    page.is_checked()


def test_whose_wells_have_room(volumes, pairs):
    page = Part(PAGE, "**How much room a well", "**Language keeps out")
    rows = pairs.loc[(MODEL, 30, "sphere")].set_index("last")[f"entropy_{WELL}"]
    ends = {" and": 284, ".": 30, " to": 288, " the": 260, " in": 281}
    common = -rows.loc[list(ends.values())]
    page.says("it has {} to {} nats for", common.min(), common.max())
    page.says('{} for " Republicans"', -rows.loc[21068])
    assert rows.idxmin() == 21068
    effective = [
        volumes.loc[(MODEL, 30, space), f"effective_pairs_{WELL}"]
        for space in ("sphere", "gaussian")
    ]
    page.says("({} and {} of 12 effective ones)", *effective)
    page.is_checked()


def test_where_language_is(volumes):
    page = Part(PAGE, "**Language keeps out", "**The untrained model")
    page.says("keeps out of H < 0")
    rows = [volumes.loc[(MODEL, 30, space)] for space in ("sphere", "gaussian")]
    shares = [np.exp(row.entropy_below_zero) for row in rows]
    page.says("in {} of uniform directions and {} of normal states", *shares)
    page.says("but in {} of the states of text", np.exp(rows[0].text_below_zero))
    page.says("H ≤ −½ holds in about as much of text")
    text_low, text_high = (rows[0][f"text_{WELL}_{bound}"] for bound in ("low", "high"))
    assert text_low < rows[0][f"entropy_{WELL}"] < text_high
    page.says("at least e^{}: the interval of text ends at e^{}.",
              rows[1][f"entropy_{WELL}_low"], text_high)  # fmt: skip
    assert rows[1][f"entropy_{WELL}_low"] > text_high
    page.is_checked()


def test_the_untrained_model(pairs):
    page = Part(PAGE, "**The untrained model", "**Which directions")
    rows = pairs.loc[(TWIN, 30, "sphere")]
    assert (rows.ended == "depth").all()
    page.says("Going down {} nats takes H to {} in uniform", 20.6, rows.reached.min())
    page.is_checked()


def test_directions(volumes):
    page = Part(PAGE, "**Which directions", "**How far text")
    row = volumes.loc[(MODEL, 30, "sphere")]
    page.says("below H = −½, the cosine")
    page.says("unembedding is {} (in uniform directions 0 ± {})", row.aligned_last, 576**-0.5)
    page.says("with the correct token's {};", row.aligned_correct)
    page.says("the stable rank of {} of them is {}, where", row.walkers, row.stable_rank)
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((20, 64, 576))
    draws /= np.linalg.norm(draws, axis=-1, keepdims=True)
    uniform = 64 / np.linalg.svd(draws, compute_uv=False)[:, 0] ** 2
    page.says("where {} uniform directions have about {}:", 64, uniform.mean())
    page.is_checked()


def test_how_far_wells_are(distances):
    page = Part(PAGE, "**How far text is from it", "**Inner layers")
    row = distances.loc[(MODEL, 30, "sphere")]
    ends = [interval(row, name) for name in ("text", "random", "text_nearer")]
    page.says(
        "the well of a pair is {} radians, from a random direction {}; text is nearer with the "
        "chance {}.", *ends,
    )  # fmt: skip
    row = distances.loc[(MODEL, 30, "gaussian")]
    ends = [interval(row, name) for name in ("text", "random", "text_nearer")]
    page.says("it is {} from text and {} from random points, the chance {}:", *ends)
    row = distances.loc[(TWIN, 30, "sphere")]
    page.says("it is {} radians from text, {} from random directions.",
              *(interval(row, name) for name in ("text", "random")))  # fmt: skip
    page.is_checked()


def test_inner_layers(volumes, pairs):
    page = Part(PAGE, "**Inner layers.**", "**Input tokens")
    lens = [volumes.loc[(MODEL, layer, "gaussian")] for layer in (10, 20)]
    page.says("normal distribution of layers 10 and 20")
    page.says("{} and {} nats to beyond 40, which {} and {} of 12 pairs reach",
              *(nats_of(pairs, MODEL, layer, "gaussian").max() for layer in (10, 20)),
              *(row.reached for row in lens))  # fmt: skip
    page.says("text has {} and {} there", *(interval(row, f"text_{WELL}") for row in lens))
    directions, normal = (
        nats_of(pairs, MODEL, 20, space) for space in ("inner_sphere", "inner_gaussian")
    )
    page.says("Where the blocks above layer 20 go on, after the real history, within 12 nats")
    page.says("{} of 6 pairs reach H ≤ −½ in uniform directions (at {} to {})",
              len(directions), directions.min(), directions.max())  # fmt: skip
    page.says("and {} of normal states ({} and {});", len(normal), *np.sort(normal))
    inner = pairs.loc[[(MODEL, 20, space) for space in ("inner_sphere", "inner_gaussian")]]
    ended = inner[inner.ended == "depth"].reached
    assert len(inner) == 12 and len(ended) == 12 - len(directions) - len(normal)
    page.says("the others end between {} and {}.", ended.min(), ended.max())
    page.is_checked()


def test_input_tokens(volumes, pairs):
    page = Part(PAGE, "**Input tokens.**", "![S(E)")
    row, rows = volumes.loc[(MODEL, 30, "tokens")], pairs.loc[(MODEL, 30, "tokens")]
    assert row.reached == 0 and row[f"entropy_{WELL}_high"] < -12
    assert study("volumes")["volumes"][-1]["last_tokens"] == 4
    page.says("{} nats take H to {} to {} ({} pairs, {} walkers;",
              12, rows.reached.max(), rows.reached.min(), len(rows), row.walkers)  # fmt: skip
    larger = np.sqrt((1 + row.memory) / (1 - row.memory))
    page.says("memory {}, so errors are {} times as large as said)", row.memory, larger)
    page.says("wells of H ≤ −½ lie deeper")
    page.is_checked()
