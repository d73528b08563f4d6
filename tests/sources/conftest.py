"""What tests of the sources share: a model to take in, its snapshot, and a registry of packages."""

import shutil
import tarfile
import zipfile

import pytest

from tests.sources.fetching import make_wheel
from tests.tiny import BLOCKS, save_tiny_model
from workflow_scripts.sources.copy_local_model import copy_local_model

EVIL = "evil-of-semantic-statistics.txt"
OUTSIDE = [f"../../{EVIL}", f"/tmp/{EVIL}"]  # noqa: S108
LINK = "carrier/links/passwd.txt"
MEMBERS = {
    "carrier/__init__.py": "raise RuntimeError('a wheel must not be imported')",
    "carrier/texts/": "",
    "carrier/texts/folder.txt/": "",
    "carrier/texts/b.txt": "second",
    "carrier/texts/a.txt": "first",
} | dict.fromkeys(OUTSIDE, "outside")


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def local(saved, tmp_path):
    """A local model, to do with as one likes."""
    return shutil.copytree(saved, tmp_path / "local")


@pytest.fixture(scope="session")
def snapshot(saved, tmp_path_factory):
    out = tmp_path_factory.mktemp("snapshots") / "tiny"
    copy_local_model(name="tiny", path=saved, blocks=BLOCKS, out=out)
    return out


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A folder of packages, and the digest of the wheel there."""
    folder = tmp_path_factory.mktemp("registry")
    link = zipfile.ZipInfo(LINK)
    link.external_attr = 0o120777 << 16  # a symbolic link, as tools that unpack read it
    digest = make_wheel(folder, "carrier", MEMBERS | {link: "/etc/passwd"})
    setup = folder / "setup.py"
    setup.write_text(f"open({str(folder / 'it ran')!r}, 'w')\n")
    with tarfile.open(folder / "source-1.0.tar.gz", "w:gz") as archive:
        archive.add(setup, "source-1.0/setup.py")
    return folder, digest


@pytest.fixture
def registry(packages, monkeypatch):
    """The same, which pip takes for the only registry there is."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages[0]))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return packages
