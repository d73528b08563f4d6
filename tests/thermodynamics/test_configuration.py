"""Error bars of the curves."""

import pytest

from tests.configuration.studies import check_sentence


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("curves/resamples", 3, "3 is less than the minimum of 50; Draws of "),
        ("curves/confidence", float("nan"), "nan is not of type 'number'; Coverage "),
        ("curves/confidence", 1, "1 is greater than or equal to the maximum of 1; Coverage "),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    check_sentence(where, value, what)
