"""Which states are shown: the ends of all layers, whole documents, and no more than fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.semstat.explorer.selection import Tails, around, select

ENERGIES = st.lists(st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.5]), min_size=1, max_size=30)


def tails_of(energy_s, at_s, keep, pieces=3):
    """The tails of a layer whose states come in pieces."""
    tails = Tails(keep)
    for part in np.array_split(np.arange(len(at_s)), pieces):
        tails.add(energy_s[part], at_s[part])
    return tails


@settings(deadline=None)
@given(ENERGIES, st.integers(1, 40))
def test_no_state_of_an_end_is_left_out(energies, keep):
    energy_s = np.array(energies, dtype=np.float32)
    tails = tails_of(energy_s, np.arange(len(energies)), keep)
    ends = tails.ends(keep)
    assert tails.held(keep).tolist() == np.flatnonzero(ends.hold(energy_s)).tolist()
    lowest = sorted(energies)
    if keep >= len(energies):
        assert ends.hold(energy_s).all()
        return
    expected = [energy for energy in lowest if energy < lowest[keep]]
    assert sorted(energy_s[energy_s <= ends.low]) == expected
    highest = lowest[::-1]
    expected = [energy for energy in highest if energy > highest[keep]]
    assert sorted(energy_s[energy_s >= ends.high], reverse=True) == expected


def test_what_stands_around_a_state_is_of_its_document_and_has_the_next_token():
    start_d = np.array([0, 5, 12])
    near_n = around(np.array([1, 10]), start_d, neighbours=2)
    assert np.flatnonzero(near_n).tolist() == [1, 2, 3, 8, 9, 10, 11]
    assert np.flatnonzero(around(np.array([6]), start_d, neighbours=0)).tolist() == [6, 7]


def ensemble(documents=40, tokens=50, layers=3):
    rng = np.random.default_rng(1)
    start_d = np.arange(documents + 1) * tokens
    at_s = np.concatenate([np.arange(start + 1, start + tokens - 1) for start in start_d[:-1]])
    energy_ls = [rng.uniform(-1, 1, len(at_s)).astype(np.float32) for _ in range(layers)]
    return energy_ls, at_s, start_d


def chosen_of(energy_ls, at_s, start_d, tail, **options):
    return select([tails_of(e, at_s, tail) for e in energy_ls], start_d, tail=tail, **options)


def test_all_is_shown_where_there_is_room():
    energy_ls, at_s, start_d = ensemble()
    chosen = chosen_of(energy_ls, at_s, start_d, tail=5, neighbours=3, room=1e9, seed=0)
    assert chosen.drawn_d.all() and chosen.whole_d.all()
    assert chosen.shown_n.sum() == 40 * 49, "all but the prefix token of each"
    assert all(end.hold(energy).all() for end, energy in zip(chosen.ends, energy_ls, strict=True))


@pytest.mark.parametrize("room", [40_000, 60_000, 150_000])
def test_a_smaller_room_holds_the_ends_and_then_documents(room):
    energy_ls, at_s, start_d = ensemble()
    chosen = chosen_of(energy_ls, at_s, start_d, tail=64, neighbours=3, room=room, seed=0)
    held = [end.hold(energy) for end, energy in zip(chosen.ends, energy_ls, strict=True)]
    assert 0 < chosen.tail <= 64
    assert all(mask.sum() == 2 * chosen.tail for mask in held)
    assert chosen.shown_n[at_s[np.any(held, axis=0)]].all()
    assert (chosen.whole_d >= chosen.drawn_d).all()
    whole = np.repeat(chosen.whole_d, np.diff(start_d))
    whole[start_d[:-1]] = False
    assert chosen.shown_n[whole].all()
    assert 0 < chosen.drawn_d.sum() < 40
    again = chosen_of(energy_ls, at_s, start_d, tail=64, neighbours=3, room=room, seed=0)
    assert np.array_equal(again.drawn_d, chosen.drawn_d)


def test_documents_of_the_lowest_states_are_read_whole_as_far_as_they_fit():
    """First that of the lowest state of any layer, then of the second lowest."""
    energy_ls, at_s, start_d = ensemble()
    chosen = chosen_of(energy_ls, at_s, start_d, tail=8, neighbours=3, room=26_000, seed=0)
    lowest_lr = [at_s[np.argsort(energy_s)[: chosen.tail]] // 50 for energy_s in energy_ls]
    rank_d = {doc: min(list(row).index(doc) for row in lowest_lr if doc in row)
              for doc in np.unique(lowest_lr)}  # fmt: skip
    read = [doc for doc in rank_d if chosen.whole_d[doc] and not chosen.drawn_d[doc]]
    others = [doc for doc in rank_d if not chosen.whole_d[doc]]
    assert 3 <= len(read) < len(rank_d)
    assert max(rank_d[doc] for doc in read) <= min(rank_d[doc] for doc in others)


def test_documents_are_drawn_whatever_is_in_them():
    """Over seeds each is drawn as often as any other."""
    energy_ls, at_s, start_d = ensemble()
    drawn = sum(
        chosen_of(
            energy_ls, at_s, start_d, tail=4, neighbours=1, room=80_000, seed=seed
        ).drawn_d.astype(int)
        for seed in range(200)
    )
    share = drawn.sum() / 200 / 40
    spread = np.sqrt(200 * share * (1 - share))
    assert np.abs(drawn - 200 * share).max() < 4.5 * spread


def test_a_room_too_small_for_one_state_is_refused():
    with pytest.raises(ValueError, match="no room for one state"):
        chosen_of(*ensemble(), tail=8, neighbours=3, room=100, seed=0)
