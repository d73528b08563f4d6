"""Debian's chromium, as Playwright drives it: no window, no network."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"

QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
QUIET += " --disable-component-update --disable-sync"


def obstacle() -> str | None:
    """Why there can be no browser here, if there can be none."""
    if shutil.which(CHROMIUM):
        return None
    if os.getuid() != 0:
        return "installing chromium takes root"
    if shutil.which("apt-get") is None:
        return "chromium is installed from Debian's packages, and this is no Debian"
    return None


def install() -> None:
    """Install chromium, unless it is there."""
    if shutil.which(CHROMIUM):
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    words = ["-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
    for command in (["update", "-qq"], ["install", *words]):
        done = subprocess.run(
            ["apt-get", *command], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def started() -> Iterator[Browser]:
    """A browser that runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        try:
            yield browser
        finally:
            browser.close()


def copied(page: Page) -> list[dict[str, str]]:
    """Places and energies of the states that the page copies."""
    page.click("#copy")
    expect(page.locator("#copied")).not_to_be_empty()
    text = page.evaluate("navigator.clipboard.readText()")
    return list(csv.DictReader(io.StringIO(text)))
