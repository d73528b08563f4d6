"""The table of docs/model_types.md is what the code does, type by type."""

import pytest

from tests.models.every_type import HEAD, PAGE, TYPES, examine, render

TABLE = PAGE.read_text(encoding="utf-8").split(HEAD)[1].split("\n\n")[0].splitlines()


def test_the_table_has_every_type_that_transformers_knows():
    assert [line.split("`")[1] for line in TABLE] == sorted(TYPES)


@pytest.mark.filterwarnings("ignore")  # of 189 types some warn of themselves
@pytest.mark.parametrize("model_type", sorted(TYPES))
def test_a_type_is_exact_or_refused_as_the_table_says(model_type, tmp_path):
    (line,) = render([examine(model_type, tmp_path)]).removeprefix(HEAD).splitlines()
    assert line == TABLE[sorted(TYPES).index(model_type)]
