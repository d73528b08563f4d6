"""Which code a command is made of, and its digest, without what the code merely says.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock

PACKAGE = Path(__file__).parents[1]

SPEECH = ("running/command.py", "semstat/errors.py")
"""Files left out of digests: how a command reads its options, shows its progress and complains."""

LOGGING = ("debug", "info", "warning", "error")
"""Methods of `log` whose calls only speak."""

PARSING = Lock()
"""Held while a file is parsed: Python 3.11 fails at times where two threads do so (gh-106905)."""

Import = tuple[int, str, tuple[str, ...]]
"""Of an import statement: dots before the module, the module, and what is taken from it."""

STATEMENT_LISTS = ("body", "orelse", "finalbody", "handlers", "cases")


@cache
def digest_of_code(command: str) -> str:
    """One digest of a command's source files, which each rule has in its shell command.

    So an edit reruns what depends on it, and one that is reverted, or that changes comments,
    docstrings and messages only, reruns nothing. Inputs would do so too, but a dozen of them a job
    take a quarter of the time in which a large graph is made.
    """
    lines = [f"{found}  {name}\n" for name, found in code_of(command).items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def code_of(*modules: str) -> dict[str, str]:
    """Source files of a command: its own, and what it imports from this package, transitively.

    Read off the import statements, so that no list can go stale; `SPEECH` is left out.

    Parameters
    ----------
    modules : room and module in this package, such as "thermodynamics.count_states"; with those
        that it loads by name.

    Returns
    -------
    the files by their places in the checkout, sorted, each with its digest.

    Raises
    ------
    ModuleNotFoundError
        If there is no such command, or one of the files imports what is not there.
    """
    waiting = [file for name in modules for file in _run(PACKAGE, tuple(name.split(".")), name)]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _read(path)[1]
    spoken = {PACKAGE / name for name in SPEECH}
    return {
        str(path.relative_to(PACKAGE.parent)): digest_of(path) for path in sorted(found - spoken)
    }


def digest_of(path: Path) -> str:
    """Digest of what a source file does: without comments, docstrings, messages and layout."""
    return _read(path)[0]


@cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Digest of one file, and the files of this package that it imports, anywhere in it."""
    digest, imports = _parsed(path)
    found = {file for statement in imports for file in _imported(path, *statement)}
    return digest, tuple(sorted(found))


def _parsed(path: Path) -> tuple[str, list[Import]]:
    """Digest of one file, and its import statements: of the cache, if it was parsed before."""
    source = path.read_bytes()
    kept = _cache() / hashlib.sha256(_parser() + source).hexdigest()
    with suppress(OSError, ValueError):
        digest, imports = json.loads(kept.read_bytes())
        return digest, imports
    with PARSING:
        tree = ast.parse(source)
    imports = list(_imports(tree))
    _silence(tree)
    digest = hashlib.sha256(ast.unparse(tree).encode()).hexdigest()
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        written = kept.with_suffix(f".{os.getpid()}.tmp")
        written.write_text(json.dumps([digest, imports]), encoding="utf-8")
        written.replace(kept)
    return digest, imports


def _cache() -> Path:
    """Folder of what was found in source files, by their content; it may be deleted at any time.

    To parse all of them takes a fifth of the time in which Snakemake starts, on a cluster each job.
    """
    home = os.path.expanduser("~/.cache")  # noqa: PTH111 (pathlib's fails where there is no home)
    return Path(os.environ.get("XDG_CACHE_HOME") or home, "semantic-statistics", "code")


@cache
def _parser() -> bytes:
    """What parses them: Python, and this file."""
    return sys.version.encode() + Path(__file__).read_bytes()


def _imports(tree: ast.AST) -> Iterator[Import]:
    """The import statements of a file, anywhere in it."""
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", tuple(alias.name for alias in node.names)


def _blocks(node: ast.AST) -> Iterator[tuple[str, list[ast.AST]]]:
    """The lists of statements in a statement; expressions, most of a file, are not looked into."""
    for name in STATEMENT_LISTS:
        block = getattr(node, name, None)
        if isinstance(block, list):  # the body of a lambda or of `x if y else z` is none
            yield name, block


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    for _, block in _blocks(node):
        for child in block:
            yield child
            yield from _statements(child)


def _silence(node: ast.AST) -> None:
    """Take out of a program what it merely says."""
    for name, block in _blocks(node):
        kept = [child for child in block if not _speaks(child)]
        setattr(node, name, kept)
        for child in kept:
            if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
                child.exc = child.exc.func
            for item in getattr(child, "items", []):
                if isinstance(item.context_expr, ast.Call) and _calls_blamed_on(item.context_expr):
                    item.context_expr.args[:2] = []  # key and remedy
            _silence(child)


def _speaks(node: ast.AST) -> bool:
    """Whether a statement is a docstring, writes to the log or words a remedy."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=method))):
            return method in LOGGING
        case ast.Assign(targets=[ast.Name(id="remedy")]):
            return True
    return False


def _calls_blamed_on(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "blamed_on"


def _imported(path: Path, level: int, module: str, names: tuple[str, ...]) -> Iterator[Path]:
    """Files of this package that an import statement runs."""
    parts = tuple(module.split(".")) if module else ()
    if level:
        base = path.parents[level - 1]
    elif parts[:1] == (PACKAGE.name,):
        base, parts = PACKAGE, parts[1:]
    else:
        return
    if names and base.joinpath(*parts).is_dir():  # its __init__.py binds no names: they are modules
        for name in names:
            yield from _run(base, (*parts, name), path)
    else:
        yield from _run(base, parts, path)


def _run(base: Path, parts: tuple[str, ...], importer: object) -> Iterator[Path]:
    """A module, and the packages that are run on the way to it."""
    module = base.joinpath(*parts)
    yield _file_of(module, importer)
    yield from (
        folder / "__init__.py"
        for folder in module.parents
        if folder == PACKAGE or PACKAGE in folder.parents
    )


def _file_of(module: Path, importer: object) -> Path:
    for file in (module.with_suffix(".py"), module / "__init__.py"):
        if file.is_file():
            return file
    raise ModuleNotFoundError(f"{importer}: there is no module {module}")
