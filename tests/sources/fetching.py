"""What tests of the sources share: their command lines, and wheels as pip would find them."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.runs import Said, command

PIPED = {"HF_HUB_OFFLINE": "0", "http_proxy": "", "https_proxy": ""}
"""Hugging Face's client on line, with nobody at the other end."""


def fetch_model(source: str, folder: Path, *options: str, **environment: str) -> Said:
    """Run the command of a source of models; it must leave nothing behind if it fails."""
    given = ["--name=tiny", *options, "--out", str(folder / "models/tiny")]
    said = command(f"sources.{source}", *given, cwd=folder, **environment)
    if said.code:
        assert [path for path in (folder / "models").rglob("*") if path.is_file()] == []
    return said


def fetch_corpus(source: str, folder: Path, *words: str, **environment: str) -> Said:
    """Run the command of a source of corpora; it must leave nothing behind if it fails."""
    given = [*words, "--name=text", "--out=corpus.parquet"]
    said = command(f"sources.{source}", *given, cwd=folder, **environment)
    assert (folder / "corpus.parquet").exists() == (said.code == 0)
    return said


def make_wheel(folder: Path, package: str, members: Mapping[str | zipfile.ZipInfo, str]) -> str:
    """A wheel of version 1.0 in a local folder; returns its SHA-256."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{package}-1.0-py3-none-any.whl"
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()
