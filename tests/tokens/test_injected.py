"""Repetitions put into text: so many tokens, right after what they repeat, and nothing else."""

import numpy as np
import pytest
from tokenizers import Tokenizer

from tests.configuration.studies import CONFIG, changed, sentence
from tests.tokens.conftest import TEXTS
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.tokens.injected import injected, sentences, units_of_tokens
from workflow_scripts.tokens.ensembles.injected import injected as command
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

TEXT = np.arange(1001, dtype=np.int32)
"""No token twice, so that whatever stands twice was inserted."""

ENDS = np.random.default_rng(8).random(1001) < 0.1
KINDS = [1, 3, 8, "sentence"]
RATES = [0.05, 0.2, 0.5, 0.8]


def inject(unit=1, rate=0.2, seed=0, copies=(1, 8), text=TEXT, **options):
    rng = np.random.default_rng(seed)
    unit_u2 = sentences(ENDS) if unit == "sentence" else units_of_tokens(text, unit, rng)
    return injected(text, unit_u2, rate, copies, rng, **options)


def runs_of(token_t):
    """(first token, tokens, times) of each repeated unit of a text that has no token twice itself.

    By brute force: a token's next places tell how long the unit is.
    """
    found, t = [], 0
    while t < len(token_t):
        again = np.flatnonzero(token_t[t + 1 :] == token_t[t])
        if not len(again):
            t += 1
            continue
        size = int(again[0]) + 1
        times = len(again) + 1
        unit_t = token_t[t : t + size]
        np.testing.assert_array_equal(token_t[t : t + size * times], np.tile(unit_t, times))
        assert len(set(unit_t.tolist())) == size
        found.append((int(unit_t[0]), size, times))
        t += size * times
    return found


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("unit", KINDS)
def test_so_many_tokens_are_inserted_and_without_them_it_is_the_text(unit, rate):
    token_t, inserted_t = inject(unit, rate)
    np.testing.assert_array_equal(token_t[~inserted_t], TEXT)
    longest = np.diff(sentences(ENDS)).max() if unit == "sentence" else unit
    assert abs(inserted_t.sum() - rate / (1 - rate) * 1000) < max(longest, 1.5)
    assert token_t.dtype == np.int32 and not inserted_t[0]


def test_the_rate_is_right_on_average_where_a_unit_is_longer_than_what_is_wanted():
    inserted = [inject(50, 0.03, seed, text=TEXT[:801]).inserted_t.sum() for seed in range(400)]
    assert set(inserted) == {0, 50}
    wanted = round(0.03 / 0.97 * 800)
    assert abs(np.mean(inserted) - wanted) < 4 * np.std(inserted) / 20


@pytest.mark.parametrize("unit", KINDS)
def test_each_unit_stands_right_after_itself_so_many_times(unit):
    token_t, inserted_t = inject(unit, 0.5)
    runs = runs_of(token_t)
    assert sum(size * (times - 1) for _, size, times in runs) == inserted_t.sum()
    begins = [begin for begin, _, _ in runs]
    assert len(set(begins)) == len(begins), "no unit is taken twice"
    if unit == "sentence":
        assert {(b, b + size) for b, size, _ in runs} <= {tuple(u) for u in sentences(ENDS)}
    else:
        assert {size for _, size, _ in runs} == {unit}
        assert len({begin % unit for begin in begins}) == 1, "all from one offset on"


def test_numbers_of_copies_are_drawn_alike():
    text = np.arange(40001, dtype=np.int32)
    times = np.array([times - 1 for *_, times in runs_of(inject(4, 0.3, text=text).token_t)])
    counts = np.bincount(times, minlength=9)[1:]
    expected = counts.sum() / 8
    assert len(counts) == 8 and counts.sum() > 900
    assert ((counts - expected) ** 2 / expected).sum() < 7 + 4 * np.sqrt(14)


def test_places_are_drawn_alike_over_the_text_and_offsets_too():
    begins = [[b for b, *_ in runs_of(inject(5, 0.3, seed).token_t)] for seed in range(60)]
    assert {begin[0] % 5 for begin in begins} == set(range(5))
    mean = np.mean(np.concatenate(begins))
    assert abs(mean - 500) < 4 * 1000 / np.sqrt(12 * sum(map(len, begins)))


def test_more_copies_than_were_drawn_where_all_units_would_else_be_too_few():
    token_t, inserted_t = inject(2, 0.88, copies=(1, 8))
    np.testing.assert_array_equal(token_t[~inserted_t], TEXT)
    assert abs(inserted_t.mean() - 0.88) < 0.001
    assert max(times for *_, times in runs_of(token_t)) == 9


@pytest.mark.parametrize("unit", KINDS)
def test_a_rate_of_0_is_the_text_itself(unit):
    for shuffled in (False, True):
        token_t, inserted_t = inject(unit, 0.0, shuffled=shuffled)
        np.testing.assert_array_equal(token_t, TEXT)
        assert not inserted_t.any()


@pytest.mark.parametrize("most", [None, 700])
@pytest.mark.parametrize("unit", KINDS)
def test_the_control_has_the_same_tokens_at_the_same_places_in_another_order(unit, most):
    token_t, inserted_t = inject(unit, 0.4, most_tokens=most)
    control_t, of_control_t = inject(unit, 0.4, most_tokens=most, shuffled=True)
    np.testing.assert_array_equal(of_control_t, inserted_t)
    np.testing.assert_array_equal(control_t[~inserted_t], token_t[~inserted_t])
    np.testing.assert_array_equal(np.sort(control_t[inserted_t]), np.sort(token_t[inserted_t]))
    # By chance a token comes before itself with about the share that one has of those inserted.
    assert np.mean(control_t[1:] == control_t[:-1]) < 0.02
    assert (control_t != token_t).mean() > 0.35


@pytest.mark.parametrize(("unit", "within"), [(1, 0.5), (3, 3), (8, 8), ("sentence", 60)])
@pytest.mark.parametrize("rate", RATES)
def test_the_end_of_the_text_makes_way(unit, within, rate):
    token_t, inserted_t = inject(unit, rate, most_tokens=1000)
    text_t = token_t[~inserted_t]
    np.testing.assert_array_equal(text_t, TEXT[: len(text_t)])
    assert len(token_t) == 1001
    assert abs(inserted_t.sum() - rate * 1000) <= within
    short_t = inject(unit, rate, most_tokens=10_000).token_t
    np.testing.assert_array_equal(short_t, inject(unit, rate).token_t)


def test_a_text_is_its_seeds():
    found = [inject(3, 0.3, seed).token_t.tolist() for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_long_sentences_are_no_units_and_the_prefix_token_ends_none():
    ends_t = np.zeros(100, dtype=np.bool_)
    ends_t[[0, 10, 74, 90, 98]] = True
    assert sentences(ends_t).tolist() == [[1, 11], [11, 75], [75, 91], [91, 99]]
    ends_t[74] = False
    assert sentences(ends_t).tolist() == [[1, 11], [91, 99]]


@pytest.mark.parametrize(("size", "rate"), [(11, 0.9), (2, 0.5), (6, 0.8)])
def test_too_few_units(size, rate):
    with pytest.raises(ValueError, match=r"^has \d units of \d+ tokens in all, and \d+ tokens are"):
        inject(3, rate, text=TEXT[:size], copies=(1, 2))


# The command.


def made(shard, number, *options, texts=TEXTS):
    return shard(command, number, *options, texts=texts, ensemble="injected")


@pytest.mark.parametrize("unit", [1, 3])
def test_a_document_does_not_depend_on_the_shards(shard, unit):
    options = ["--rate", 0.3, "--unit", unit]
    plain, found = shard(tokenize_corpus, 2), made(shard, 2, "--seed", 3, *options)
    assert found == made(shard, 2, "--seed", 3, *options)
    assert found != made(shard, 2, "--seed", 4, *options)
    assert found == made(shard, 2, "--seed", 3, *options, texts=["", "", "", "", *TEXTS[4:]])
    alike = made(shard, 0, *options, texts=TEXTS[5:] * 2)
    assert alike[0] != alike[1], "every document has random numbers of its own"
    for doc, tokens in found.items():
        assert len(tokens) - 1 == pytest.approx((len(plain[doc]) - 1) / 0.7, abs=unit)
    assert made(shard, 2, "--rate", 0) == plain


def test_it_has_as_many_tokens_as_a_document_may(shard):
    cut = shard(tokenize_corpus, 2, "--tokens-per-document", 40)
    options = ["--rate", 0.25, "--tokens-per-document", 40, "--copies", 2, 3]
    found = made(shard, 2, *options)
    control = made(shard, 2, *options, "--shuffled")
    for doc, tokens in found.items():
        assert len(tokens) == len(cut[doc]) == 41
        assert sorted(tokens) == sorted(control[doc]) and tokens != control[doc]


SENTENCES = ["One. Two! And a third, longer one? Rest", "No end. Here is one. More"]


def test_sentences_are_repeated_whole(shard, snapshot):
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    options = ["--rate", 0.4, "--unit", "sentence", "--copies", 1, 1]
    found = made(shard, 0, *options, texts=SENTENCES)
    wholes = [["One.", " Two!", " And a third, longer one?"], ["No end.", " Here is one."]]
    for tokens, text, units in zip(found.values(), SENTENCES, wholes, strict=True):
        said = tokenizer.decode(tokens[1:])
        doubled = {unit for unit in units if unit * 2 in said}
        assert doubled and said == "".join(u * (1 + (u in doubled)) for u in units) + text[-5:]


def test_a_text_without_sentences_is_refused(shard):
    expected = (
        r"^datasets\.x: document 0 of \S* has 0 units of 0 tokens in all, and 3 tokens are to be "
        r"inserted in at most 8 copies of each; lower datasets\.x\.rate, take a smaller unit, "
        r"raise datasets\.x\.copies or datasets\.x\.tokens_per_document, or leave "
        r"short documents out \(min_characters\)$"
    )
    with pytest.raises(InputError, match=expected):
        made(shard, 0, "--rate", 0.2, "--unit", "sentence", texts=["No end at all", "Neither"])


# The configuration.

ENTRY = {"source": "ensemble", "of": "text", "ensemble": "injected"}


def test_an_entry_and_its_defaults():
    study = resolve(changed("datasets/more", ENTRY | {"rate": 0.2}))
    spec = study["datasets"]["more"]
    assert (spec["unit"], spec["copies"], spec["shuffled"], spec["seed"]) == (1, [1, 8], False, 0)
    assert spec["tokens_per_document"] == CONFIG["datasets"]["text"].get("tokens_per_document")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "datasets.more: `rate` is missing"),
        ({"rate": 1}, "datasets.more.rate: 1 "),
        ({"rate": -0.1}, "datasets.more.rate: -0.1 is less than the minimum of 0; "),
        ({"rate": 0.1, "unit": "word"}, "datasets.more.unit: 'word' is not allowed here; "),
        ({"rate": 0.1, "copies": [8]}, "datasets.more.copies: [8] is too short; "),
        ({"rate": 0.1, "copies": [8, 1]}, "datasets.more.copies: 8 is above 1; give the fewest "),
        (
            {"rate": 0.9},
            "datasets.more.rate: with at most 8 further copies of everything a share of 0.889 is "
            "inserted, not 0.9; lower it or raise `copies`",
        ),
        ({"rate": 0.1, "prefix_tokens": 3}, "datasets.more.prefix_tokens: unknown key; "),
    ],
)
def test_a_mistake_in_an_entry_gets_one_sentence(keys, expected):
    assert sentence(changed("datasets/more", ENTRY | keys)).startswith(expected)
