"""Wheels are data: fetched by pip without a network here, checked, and never run or unpacked."""

import pytest

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.wheels import wheel


def test_a_password_for_the_registry_is_in_no_message(registry, monkeypatch):
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
