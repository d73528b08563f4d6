"""How long the explorer's page takes to answer, with 10⁵ embedded states, in a real browser.

    python -m benchmarks.explorer

makes a page of 26 documents of some 4,100 tokens, of two models at two layers, opens it in chromium
as tests/explorer does, and prints for each thing that one can do the milliseconds from the event to
a page that is laid out: the first time, and the next ones. Each is the least of a few openings of
the page, as another process may take the time of one.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from tests.explorer.browser import started
from tests.explorer.made import PLAIN, Made

SCRIPT = """(steps) => {
  const set = (id, value) => {
    const input = document.getElementById(id);
    input.value = value;
    input.dispatchEvent(new Event(id === 'find' ? 'input' : 'change'));
  };
  const took = (step) => {
    const begun = performance.now();
    for (const [id, value] of step) set(id, value);
    document.body.offsetHeight;
    return performance.now() - begun;
  };
  return steps.map(took);
}"""
"""Choose, and lay the page out."""

CHOICES = {
    "a range of 100 states": [[("to", -0.99)], [("to", -0.985)], [("to", -0.98)]],
    "a range of all states": [[("to", 0.99)], [("to", 1)], [("to", 0.98)]],
    "a token that is searched for": [[("find", "v")], [("find", "th")], [("find", "e")]],
    "another layer": [[("layer", 0)], [("layer", 2)], [("layer", 0)]],
}
SORTS = ["high", "correct", "last", "entropy", "document", "apart"]
ALL = "#beside=other:2&from=-1&to=1"
CHOICES |= {f"order {sort}": [[("sort", of)] for of in (sort, "energy", sort)] for sort in SORTS}

DOCUMENTS = """() => [...document.querySelectorAll('#list tbody button')].slice(0, 9).map((one) => {
  const begun = performance.now();
  one.click();
  document.body.offsetHeight;
  return performance.now() - begun;
})"""
"""Follow some states, one after the other."""

OPENINGS = 5


def main() -> None:
    """Make the page, and print the table."""
    with tempfile.TemporaryDirectory() as folder, started() as browser:
        texts = [(PLAIN * 80)[n:] for n in range(26)]
        address = Made(Path(folder), texts, models=["tiny", "other"]).page().as_uri()
        page = browser.new_page(viewport={"width": 1280, "height": 900})

        def show(name: str, fragment: str, script: str, steps: object = None) -> None:
            took = []
            for _ in range(OPENINGS):
                page.goto("about:blank")
                page.goto(address + fragment)
                took.append(page.evaluate(script, steps))
            first, *again = map(min, zip(*took, strict=True))
            print(f"{name:32s} {first:8.1f} {statistics.median(again):8.1f}", flush=True)

        print(f"{'milliseconds':32s} {'first':>8s} {'again':>8s}")
        for name, steps in CHOICES.items():
            show(name, ALL, SCRIPT, steps)
        for extent in ("near", "whole"):
            show(f"a document, {extent}", f"#beside=other:2&extent={extent}", DOCUMENTS)


if __name__ == "__main__":
    main()
