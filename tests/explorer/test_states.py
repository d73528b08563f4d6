"""One state in the page: its probabilities, its scores, its document."""

import re

import duckdb
import numpy as np
import pytest

from tests.explorer.browser import copied
from tests.explorer.made import PLAIN, Made
from workflow_scripts.semstat.explorer.tables import POSITIONS
from workflow_scripts.semstat.tables import read_table
from workflow_scripts.semstat.tokens.replaced import places


def number(text):
    """A number as the page writes it."""
    digits, _, power = text.replace("−", "-").partition("·10")
    return float(digits) * 10.0 ** int(
        power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0
    )


def hovered(page, selector):
    """What is told where the pointer is."""
    page.locator(selector).scroll_into_view_if_needed()
    page.wait_for_timeout(200)  # scrolling, of which the browser tells later, hides it
    page.hover(selector)
    return page.inner_text("#tip")


def test_hovering_tells_the_probabilities_of_last_correct_and_top_token(opened, made):
    path = made.path("energies", "tiny", "/layer=2/shard=0")
    query = (
        "SELECT exp(log_p_last), exp(log_p_correct), exp(log_p_top) FROM read_parquet($1)"
        " ORDER BY energy LIMIT 1"
    )
    [expected] = duckdb.execute(query, [str(path)]).fetchall()
    with opened() as page:
        tip = hovered(page, "#list tbody tr:first-child .said .last")
    for role, probability in zip(("last", "correct", "top"), expected, strict=True):
        [found] = re.findall(rf"^{role} .*: p = (\S+)$", tip, re.M)
        assert number(found) == pytest.approx(probability, rel=0.06), role


def test_of_older_energies_it_tells_what_the_top_tokens_lies_between(opened, tmp_path):
    made = Made(tmp_path, [PLAIN], older=True)
    with opened("#from=-0.2&to=0.2&sort=high", made.page()) as page:
        tip = hovered(page, "#list tbody tr:first-child .said .last")
        [(low, high)] = re.findall(r"^top .*: p from (\S+) to (\S+)$", tip, re.M)
        assert 0 <= number(low) <= number(high) <= 1
        assert {row["log_p_top"] for row in copied(page)} == {""}


SCORES = {
    "surprisal": "-log_p_correct",
    "kinetic": "ln(speed * speed / 2)",
    "kinetic_and_surprisal": "ln(speed * speed / 2) - log_p_correct",
    "normed_kinetic_and_surprisal": "ln(normed_speed * normed_speed / 2) - log_p_correct",
}


def test_scores_of_anomalies_are_orders_where_a_study_has_them(opened, made, tmp_path):
    with opened("#sort=kinetic") as page:
        assert page.input_value("#sort") == "energy", "there are none"
        assert page.locator("#sort option").count() == 7
    scored = Made(tmp_path, [PLAIN * 2, PLAIN])
    path = scored.page(scored=True)
    energies = str(scored.path("energies", "tiny", "/layer=2/shard=0"))
    for name, formula in SCORES.items():
        query = f"SELECT energy FROM read_parquet($1) ORDER BY {formula} DESC NULLS LAST"  # noqa: S608
        expected = [energy for (energy,) in duckdb.execute(query, [energies]).fetchall()]
        with opened(f"#from=-1&to=1&sort={name}", path) as page:
            assert page.locator("#scored").is_visible()
            assert [float(row["energy"]) for row in copied(page)] == expected, name
    with opened("#from=-1&to=1&sort=loop_energy", path) as page:
        assert page.inner_text("#scored") == "loop energy"
        rows = copied(page)
        loops = [float(row["loop_energy"]) for row in rows]
        assert loops == sorted(loops)
        assert sum(row["kinetic"] == "" for row in rows) == 1, "one does not move"


def test_replaced_tokens_are_marked(opened, made, tmp_path):
    recipe = {"ensemble": "replaced", "seed": 3, "spans": 2, "length": 5, "prefix_tokens": 4}
    texts = [PLAIN * 2, PLAIN + "and more"]
    replaced = Made(tmp_path, texts, made_by=recipe)
    begin_s = places(1 + len(texts[1]), 2, 5, 4, np.random.default_rng([3, 1]))
    expected = {begin + i for begin in begin_s.tolist() for i in range(5)}
    with opened("#state=0.1.8&extent=whole", replaced.page()) as page:
        assert page.locator("#replaced").is_visible()
        for _ in range(2):
            spans = page.locator("#text span").all()
            marked = [
                i + 1 for i, span in enumerate(spans) if "replaced" in span.get_attribute("class")
            ]
            assert set(marked) == expected
            page.press("#text", "ArrowRight")
        tip = hovered(page, f"#text span:nth-of-type({min(expected)})")
        assert "put in the place of the text’s own token" in tip
    with opened("#state=0.1.8") as page:
        assert page.locator("#replaced").is_hidden()
        assert page.locator(".replaced:visible").count() == 0


PIXELS = """canvas => {
  const { width, height } = canvas, holes = [];
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const grey = (i) => data[i + 3] && Math.abs(data[i] - 128) < 3 && Math.abs(data[i + 2] - 128) < 3;
  for (let x = 0; x < width; x++) {
    if ([...Array(height).keys()].some((y) => grey(4 * (y * width + x)))) holes.push(x);
  }
  return holes;
}"""
"""Columns of a map in which something is chequered."""


def test_a_document_is_read_whole_where_it_is_in_the_page_and_else_has_holes(opened, tmp_path):
    texts = [PLAIN * 9 + str(n) for n in range(30)]
    made = Made(tmp_path, texts)
    path = made.page(bytes=90_000, tail=20, neighbours=4)
    table = read_table(made.path("explorer/positions", "tiny"), POSITIONS).to_pandas()
    whole = {bool(one) for one in table["whole"]}
    assert whole == {True, False}
    doc, position = table[table["whole"]][["doc", "position"]].iloc[200]
    with opened(f"#state=0.{doc}.{position}&extent=whole", path) as page:
        assert page.inner_text("#text").replace("\n", "") == texts[doc]
        assert page.inner_text("#whole").startswith("All of this document")
        canvas = page.locator("#maps canvas")
        assert canvas.get_attribute("width") == str(len(texts[doc]))
        assert canvas.evaluate(PIXELS) == []
        page.select_option("#extent", "near")
        assert len(page.inner_text("#text").replace("\n", "")) == 160 + 1 + 160
    part = table[~table["whole"]]
    doc = part["doc"].value_counts().index[0]
    positions = part[part["doc"] == doc]["position"].to_numpy()
    with opened(f"#state=0.{doc}.{positions[3]}&extent=whole", path) as page:
        assert "only what stands near" in page.inner_text("#whole")
        holes = set(range(positions[0], positions[-1] + 1)) - set(positions)
        assert holes and "[…]" in page.inner_text("#text")
        shown = page.locator("#maps canvas").evaluate(PIXELS)
        assert {positions[0] + x for x in shown} >= holes
        assert "chequered" in page.inner_text("#maps")


def test_a_map_is_a_slider_that_says_where_it_is(opened):
    with opened("#state=0.1.7") as page:
        canvas = page.get_by_role("slider")
        assert canvas.get_attribute("aria-valuenow") == "7"
        before = canvas.get_attribute("aria-valuetext")
        canvas.focus()
        page.keyboard.press("ArrowRight")
        canvas = page.get_by_role("slider")
        assert canvas.get_attribute("aria-valuenow") == "8"
        assert canvas.get_attribute("aria-valuetext") != before
        assert canvas.evaluate("one => one === document.activeElement")
