"""The page in a real browser, from disk: it is quiet, exact, safe, and works without a mouse."""

import duckdb
import numpy as np
import pytest

from tests.explorer.browser import copied
from tests.explorer.made import HOSTILE, PLAIN, Made


def queried(made, low, high, model="tiny", layer=2):
    """The same, as a query of the energies tells them."""
    path = made.path("energies", model, f"/layer={layer}/shard=0")
    query = "SELECT doc, position, energy FROM read_parquet($1) WHERE energy BETWEEN $2 AND $3"
    return duckdb.execute(query, [str(path), low, high]).fetchall()


def agree(rows, query):
    assert {(int(row["doc"]), int(row["position"])) for row in rows} == {
        (doc, position) for doc, position, _ in query
    }
    assert len(rows) == len(query)
    assert [float(row["energy"]) for row in rows] == sorted(energy for *_, energy in query)


def set_range(page, low, high):
    for name, value in (("from", low), ("to", high)):
        page.fill(f"#{name}", str(value))
        page.locator(f"#{name}").blur()


def test_it_opens_from_disk_and_shows_the_lowest_states(opened, made):
    with opened() as page:
        assert page.input_value("#layer") == "2", "the final layer"
        assert page.locator("#list tbody tr").count() == 50
        assert "all that there are" in page.inner_text("#said")
        assert "are in this page" in page.inner_text("#rule")
        shown = page.inner_text("#list tbody tr:first-child button")
        lowest = min(energy for *_, energy in queried(made, -1, 1))
        assert float(shown.replace("−", "-")) == pytest.approx(lowest, rel=1e-2)
        page.click("#more")
        assert page.locator("#list tbody tr").count() == 100


@pytest.mark.parametrize(("low", "high"), [(-1, -0.5), (-0.25, 0.125), (0, 0), (0.9, 1)])
def test_a_range_holds_what_a_query_gives(opened, made, low, high):
    with opened() as page:
        set_range(page, low, high)
        query = queried(made, low, high)
        agree(copied(page), query)
        assert page.inner_text("#said").startswith(f"{len(query)} states")


def test_a_range_that_is_dragged_holds_what_a_query_gives(opened, made):
    with opened() as page:
        page.select_option("#axis", "linear")
        box = page.locator("#curve").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] / 2, steps=4)
        page.mouse.up()
        page.wait_for_timeout(100)  # until it is drawn
        low, high = (float(page.input_value(f"#{name}")) for name in ("from", "to"))
        assert -0.6 < low < -0.4 < high < 0
        query = queried(made, low, high)
        assert 0 < len(query) < len(queried(made, -1, 1))
        agree(copied(page), query)


def test_another_layer_model_and_order(opened, made):
    with opened("#model=other&layer=0&from=-1&to=1&sort=high") as page:
        rows = copied(page)
        assert [float(row["energy"]) for row in rows] == sorted(
            (energy for *_, energy in queried(made, -1, 1, "other", 0)), reverse=True
        )


def test_a_token_is_searched_for(opened):
    with opened("#from=-1&to=1") as page:
        page.fill("#find", "v")
        page.select_option("#where", "last")
        rows = copied(page)
        assert rows and {row["last"] for row in rows} == {"v"}
        assert "\ufffd" not in page.inner_text("body")


def test_the_commonest_triples_are_counted(opened):
    with opened("#from=-1&to=0") as page:
        rows = copied(page)
        count = {}
        for row in rows:
            key = row["last"], row["correct"], row["top"]
            count[key] = count.get(key, 0) + 1
        shown = page.locator("#triples tbody tr td:first-child").all_inner_texts()
        assert [int(text) for text in shown] == sorted(count.values(), reverse=True)[: len(shown)]
        page.click("#triples tbody tr:first-child button >> nth=0")
        assert page.input_value("#where") == "last"
        assert page.input_value("#find") != ""


def test_hostile_text_stays_text(opened):
    with opened("#from=-1&to=1&state=0.0.3") as page:
        text = page.inner_text("#text")
        assert HOSTILE[:60] in text and "€🙂" in text
        assert page.evaluate("document.scripts.length") == 2
        assert page.locator("img, #text script").count() == 0
        assert page.evaluate("typeof window.hacked") == "undefined"
        said = [row["text"] for row in copied(page)]
        assert any("<script>" in text for text in said)


def test_the_policy_stops_another_script(browser, made):
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((made.results / "explorer.html").as_uri())
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.hacked = 1'}))"
    )
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert any("Content Security Policy" in line for line in said)
    page.close()


def test_a_state_is_followed_through_layers_and_beside_another_model(opened, made):
    with opened("#beside=other:2&state=0.1.7") as page:
        cells = page.locator("#by-layer tbody td").all_inner_texts()
        shown = [float(cell.replace("−", "-")) if "·" not in cell else None for cell in cells]
        for at, (layer, model) in enumerate((la, mo) for la in (0, 2) for mo in ("tiny", "other")):
            (energy,) = (
                energy
                for doc, position, energy in queried(made, -1, 1, model, layer)
                if (doc, position) == (1, 7)
            )
            assert shown[at] is None or shown[at] == pytest.approx(energy, rel=0.01)
        assert page.locator("#maps canvas").count() == 2
        assert page.locator("#list thead .other").is_visible()


def test_a_link_brings_back_what_was_chosen(opened):
    with opened() as page:
        page.select_option("#layer", "0")
        page.select_option("#quantity", "density")
        set_range(page, -0.5, -0.125)
        page.click("#list tbody tr:nth-child(2) button")
        fragment = page.evaluate("location.hash")
        told = page.inner_text("#one-said")
    with opened(fragment) as page:
        assert page.inner_text("#one-said") == told
        assert page.input_value("#quantity") == "density"
        assert (page.input_value("#from"), page.input_value("#to")) == ("-0.5", "-0.125")


def test_nonsense_in_a_link_is_passed_over(opened):
    with opened("#model=%3Cb%3E&layer=x&from=abc&to=99&sort=no&state=1.2&beside=:") as page:
        assert page.input_value("#model") == "tiny"
        assert page.locator("#list tbody tr").count() == 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes(opened, scheme):
    light = "getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'"
    with opened(color_scheme=scheme) as page:
        assert page.evaluate(light) == (scheme == "light")
        for name in ("dark", "light"):
            page.select_option("#theme", name)
            assert page.evaluate(light) == (name == "light")


def test_a_narrow_window_holds_all_of_it(opened):
    """What stands beside the text of a state is told where the pointer is."""
    with opened("#beside=other:2&state=0.1.7", viewport={"width": 380, "height": 700}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 380
        assert not page.locator("#list th:has-text('p(last)')").is_visible()
        assert page.locator("#list tbody tr:first-child .said").bounding_box()["width"] > 120


def test_it_is_used_without_a_mouse(opened):
    with opened() as page:
        page.focus("#from")
        page.keyboard.press("Control+A")
        page.keyboard.type("-0.5")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "to"
        assert "from −0.5" in page.inner_text("#said")
        page.focus("#list tbody tr:nth-child(3) button")
        tip = page.inner_text("#tip")
        assert "correct" in tip and "top" in tip and "nats" in tip
        page.keyboard.press("Escape")
        assert page.locator("#tip").is_hidden()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "one"
        before = page.inner_text("#one-said")
        page.focus("#text")
        page.keyboard.press("ArrowRight")
        assert page.inner_text("#one-said") != before
        assert page.evaluate("document.activeElement.id") == "text"
        page.focus("#maps canvas")
        page.keyboard.press("ArrowLeft")
        assert page.inner_text("#one-said") == before
        assert page.evaluate("document.activeElement.tagName") == "CANVAS"


def test_everything_that_can_be_used_has_a_name(opened):
    with opened("#state=0.1.7") as page:
        nameless = page.evaluate(
            """[...document.querySelectorAll('select, input, button, canvas, [tabindex="0"], svg')]
            .filter((one) => !(one.labels && one.labels.length) && !one.getAttribute('aria-label')
              && !one.getAttribute('aria-labelledby') && !one.textContent.trim())
            .map((one) => one.outerHTML.slice(0, 200))"""
        )
        assert nameless == []


def test_a_page_without_room_says_what_is_left_out(opened, tmp_path):
    made = Made(tmp_path, [PLAIN * 8 + str(n) for n in range(30)])
    path = made.page(bytes=150_000, tail=20, neighbours=4)
    with opened("#from=-1&to=1", path) as page:
        assert "drawn at random" in page.inner_text("#rule")
        assert "a sample" in page.inner_text("#said")
        everything = queried(made, -1, 1)
        rows = copied(page)
        assert 40 <= len(rows) < len(everything)
        page.click("text=the lowest")
        cut = sorted(energy for *_, energy in everything)[19]
        set_range(page, -1, cut)
        agree(copied(page), queried(made, -1, cut))
        assert "all that there are" in page.inner_text("#said")


ORDERS = {
    "energy": "energy, doc, position",
    "high": "energy DESC, doc DESC, position DESC",
    "correct": "log_p_correct DESC, energy, doc, position",
    "last": "log_p_last DESC, energy, doc, position",
    "document": "doc, position",
    "apart": "abs(energy - other) DESC",
}


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_is_that_of_a_query(opened, made, name):
    tables = [str(made.path("energies", model, "/layer=2/shard=0")) for model in made.models]
    query = (
        "SELECT doc, position, abs(energy - other) AS apart FROM read_parquet($1) JOIN"  # noqa: S608
        " (SELECT doc, position, energy AS other FROM read_parquet($2)) USING (doc, position)"
        f" ORDER BY {ORDERS[name]}"
    )
    found = duckdb.execute(query, tables).fetchall()
    with opened(f"#from=-1&to=1&beside=other:2&sort={name}") as page:
        rows = [(int(row["doc"]), int(row["position"])) for row in copied(page)]
    assert len(rows) == len(found)
    if name == "apart":  # H of the one beside is kept in halves
        apart = {(doc, position): by for doc, position, by in found}
        assert np.diff([apart[row] for row in rows]).max() < 2e-3
    else:
        assert rows == [(doc, position) for doc, position, _ in found]


def test_as_much_stands_in_the_page_as_is_looked_at(opened, tmp_path):
    """Of 10⁵ states, whatever the range, 50 rows; and going along a document draws nothing anew.

    How long it takes is measured by benchmarks/explorer.py.
    """
    made = Made(tmp_path, [(PLAIN * 80)[n:] for n in range(26)], layers=(2,))
    made.page()
    elements = "document.querySelectorAll('#list *').length"
    with opened("#from=-1&to=-0.5", made.results / "explorer.html") as page:
        few = page.evaluate(elements)
        set_range(page, -1, 1)
        assert page.inner_text("#said").startswith(f"{len(queried(made, -1, 1)):,} states")
        assert page.locator("#list tbody tr").count() == 50
        assert page.evaluate(elements) < 1.2 * few
        page.click("#list tbody tr:first-child button")
        page.select_option("#extent", "whole")
        page.evaluate("[...document.querySelectorAll('#text span')].forEach((one) => one.mine = 1)")
        for _ in range(3):
            page.press("#text", "ArrowRight")
        spans = page.locator("#text span")
        assert page.evaluate(
            "[...document.querySelectorAll('#text span')].every((one) => one.mine)"
        )
        assert spans.count() > 1000
        assert page.locator("#text .last").count() == 1
