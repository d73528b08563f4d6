"""docs/library.md: its code runs, and what it says comes out does."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.runs import REPO
from tests.tiny import save_tiny_model
from workflow_scripts.semstat.figures import Figure

PAGE = (REPO / "docs/library.md").read_text()
EXAMPLE = re.compile(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", re.DOTALL)
"""Code, and what it gives if that is shown."""


def run(code: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does, and return the value of its last line."""
    *body, last = ast.parse(code.replace("from semstat", "from workflow_scripts.semstat")).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(body, []), "cell", "exec"), names)  # noqa: S102 -- the page's own
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a model and a corpus lie as the page has them, but tiny."""
    place = tmp_path_factory.mktemp("page")
    save_tiny_model(place / "results/models/smollm2-135m")
    corpus = place / "results/corpora/sotu.parquet"
    corpus.parent.mkdir()
    texts = [f"speech {doc}: we the people, the people of the union" for doc in range(30)]
    pq.write_table(pa.table({"text": texts}), corpus)
    return place


def of_tiny(code: str) -> str:
    return code.replace("[0, 10, 20, 30]", "[0, 1, 2, 3]").replace("curves[30]", "curves[3]")


def test_the_page_runs(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    names: dict[str, Any] = {}
    values = [run(of_tiny(code), names) for code, _ in EXAMPLE.findall(PAGE)]
    assert sum(isinstance(value, Figure) for value in values) == PAGE.count("![") + 1
    links = re.findall(r"\]\(([^)#]+)", PAGE)
    assert links and all((REPO / "docs" / link).exists() for link in links)
    assert set(names["curves"]) == {0, 1, 2, 3}


def test_what_the_page_shows_comes_out(smollm2, monkeypatch, capsys):
    """Of the examples that need a sentence and the model, or neither."""
    monkeypatch.chdir(smollm2.parent.parent.parent)
    names: dict[str, Any] = {}
    shown = 0
    for code, output in EXAMPLE.findall(PAGE):
        if "corpora" not in code and "curves[30]" not in code:
            run(code, names)
            assert capsys.readouterr().out == output
            shown += bool(output)
    assert shown == PAGE.count("```text")
