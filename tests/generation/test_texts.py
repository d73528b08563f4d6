"""What each run is like by itself, against texts whose loops are known."""

import numpy as np
import pytest

from workflow_scripts.semstat.generation.tables import TEXTS
from workflow_scripts.semstat.generation.texts import describe_texts


def row(tokens, energy):
    number = {"doc": 3, "run": 1, "held_out": True, "ended": False, "tokens": tokens}
    return number | {"surprisal": np.full(len(tokens), 2.0), "energy": energy}


def test_a_loop_is_found_where_it_was_put():
    before, loop = list(range(100, 110)), [1, 2, 3, 4] * 20
    tokens = before + loop
    (found,) = describe_texts([row(tokens, np.linspace(-0.1, 0.9, 90))], lambda ids: f"{len(ids)}")
    assert set(found) == set(TEXTS.names)
    assert (found["loop_onset"], found["loop_period"], found["ends_in_loop"]) == (11, 4, True)
    assert found["in_loops"] == pytest.approx(80 / 90)
    assert found["rep_1"] == pytest.approx(1 - 14 / 90)
    assert found["rep_4"] == pytest.approx(1 - (10 + 4) / 87)
    assert found["surprisal"] == 2.0 and found["below_zero"] == pytest.approx(9 / 90)
    assert found["text"] == "90"


def test_a_text_without_loops_has_none():
    (found,) = describe_texts([row(list(range(60)), np.zeros(60))], str)
    assert found["loop_onset"] is None and found["loop_period"] is None
    assert (found["in_loops"], found["rep_1"], found["below_zero"]) == (0, 0, 0)
