"""A browser without a network, and JupyterLab on loopback with configuration of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
TOKEN = "browser-test"
START_LIMIT = 120  # seconds JupyterLab may take to answer on a busy machine
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; tests are skipped where it, or the library that drives it, is missing.

    It ends with the module: while it lives an event loop runs, and other tests would be asked from inside it.
    """
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("There is no chromium on the path; install it, for example with apt-get install chromium.")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, headless=True, args=_FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Watched:
    """A page, what it asked of other hosts, and what it complained about."""

    page: Any
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def shot(self, name: str, *, full: bool = False) -> None:
        """Keep a screenshot."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full)


def _watched(browser: Any, own: str, **options: Any) -> Watched:
    """Open a page that reaches nothing but addresses that start with ``own``, and note every other request."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(120_000)
    seen = Watched(page)

    def decide(route: Any) -> None:
        url = route.request.url
        if url.startswith((own, own.replace("http", "ws", 1), "data:", "blob:")):
            route.continue_()
        else:
            seen.asked.append(url)
            route.abort()

    page.context.route("**/*", decide)
    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    return seen


@pytest.fixture(scope="module")
def watched(browser: Any) -> Callable[..., Watched]:
    """Function that opens a watched page: ``watched(own, **options)``."""
    return partial(_watched, browser)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address and the folder it shows."""

    address: str
    folder: Path

    def url(self, notebook: str) -> str:
        """Address of a notebook."""
        return f"{self.address}/lab/tree/notebooks/{notebook}?token={TOKEN}&reset"

    def wait_for_kernel(self, page: Any) -> None:
        """Wait until a kernel is idle and JupyterLab is connected to it; the page must go on meanwhile."""
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit:
            with urllib.request.urlopen(f"{self.address}/api/sessions?token={TOKEN}", timeout=10) as answer:
                kernels = [session["kernel"] for session in json.load(answer)]
            if any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels):
                return
            page.wait_for_timeout(200)
        raise RuntimeError(f"no kernel was ready within {START_LIMIT} s: {kernels}")


@pytest.fixture(scope="module")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on copies of the notebooks, offline, with settings of its own; ended with its kernels."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    _write_settings(folder / "settings")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
        f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None",
        "--KernelManager.transport_encryption=auto",
    ]  # fmt: skip
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            command, env=_environment(folder), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={TOKEN}", server, folder / "lab.log")
        yield Lab(f"http://127.0.0.1:{port}", folder)
    finally:
        _end(server)


def _environment(folder: Path) -> dict[str, str]:
    """Environment of JupyterLab: nothing of the user's, and no network."""
    names = ("CONFIG", "DATA", "RUNTIME")
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in names}
    own |= {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MARKET_REACTION_OFFLINE": "1",
        "MARKET_REACTION_SNAPSHOTS": str(folder / "snapshots"),
        "MARKET_REACTION_INSTRUMENTS": str(folder / "no_instruments.csv"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    (folder / "no_instruments.csv").write_text("name,class\n", encoding="utf-8")
    return {name: value for name, value in os.environ.items() if name != "PLOTLY_RENDERER"} | own


def _write_settings(folder: Path) -> None:
    """Let JupyterLab draw every cell, also those that are not on the screen, and not ask about news."""
    settings = {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/notification": {"fetchNews": "false"},
    }
    for name, content in settings.items():
        place = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(content), encoding="utf-8")


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers."""
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and its kernels, which are in its process group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(20)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
