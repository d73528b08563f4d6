"""The lowest states in their text, as the report shows them."""

import re
from html import unescape

import pytest

from tests.explorer.made import Made
from workflow_scripts.explorer.show_lowest_states import show_lowest_states
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.tables import provenance_of, read_table, table_of, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS

TEXTS = [f"we the <script>alert({n})</script> & people € of\nthis union" for n in range(12)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("made"), TEXTS)


def show(made, **changes):
    out = made.results / "lowest.html"
    show_lowest_states(
        **{
            "energies": [made.path("energies", "tiny", "/layer=2/shard=0")],
            "tokens": [made.path("tokens", "tiny", "/shard=0")],
            "model": made.results / "models/tiny",
            "out": out,
        }
        | changes
    )
    return out.read_text()


def test_they_are_the_lowest_in_order_and_in_their_text(made):
    page = show(made, states=9, before=500)
    table = read_table(made.path("energies", "tiny", "/layer=2/shard=0"), ENERGIES).to_pylist()
    rows = sorted(table, key=lambda row: row["energy"])[:9]
    cells = [re.findall(r"<td.*?>(.*?)</td>", line) for line in re.findall("<tr><td.*", page)]
    assert [float(of[0].replace("−", "-")) for of in cells] == [round(r["energy"], 3) for r in rows]
    assert "tiny on text, layer 2" in page
    for row, of in zip(rows, cells, strict=True):
        before = unescape(of[4].partition("<b>")[0]).replace("⏎", "\n")
        assert TEXTS[row["doc"]].startswith(before.removeprefix("<|endoftext|>").rstrip("\ufffd"))
        assert abs(float(of[1][:-1]) - float(of[2][:-1]) + 100 * row["energy"]) < 0.11


def test_text_is_never_markup(made):
    page = show(made, states=10_000)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert page.count("<tr><td") == len(
        read_table(made.path("energies", "tiny", "/layer=2/shard=0"), ENERGIES)
    )


def test_tokens_that_are_others_are_refused(made, tmp_path):
    with pytest.raises(InputError, match="give a file for each of --energies"):
        show(made, tokens=[])
    path = made.path("tokens", "tiny", "/shard=0")
    table = read_table(path, TOKENS)
    other = tmp_path / "shard=0.parquet"
    turned = [[first, *rest[::-1]] for first, *rest in table["tokens"].to_pylist()]
    turned = table_of({"doc": table["doc"].to_pylist(), "tokens": turned}, TOKENS)
    write_table(other, turned, provenance_of(table.schema))
    with pytest.raises(InputError, match="is of other tokens than those that are there; delete"):
        show(made, tokens=[other])
