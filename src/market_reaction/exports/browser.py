"""The browser that prints and draws: where it is, and how it is run so that it asks nobody and leaves nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from market_reaction.errors import ExportError

VARIABLE = "MARKET_REACTION_BROWSER"
NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge",
    "brave-browser",
)  # fmt: skip
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
HOW_TO_GET = (
    "Install Chromium or Chrome (Debian, Ubuntu: apt install chromium; or run plotly_get_chrome), or name one in the "
    f"environment variable {VARIABLE}."
)
TIMEOUT = 90.0  # seconds
_FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-breakpad", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def find_browser() -> str | None:
    """Path of a Chromium-like browser, or None.

    Raises
    ------
    ExportError
        ``MARKET_REACTION_BROWSER`` names something that is no program.
    """
    stated = os.environ.get(VARIABLE)
    if stated:
        found = shutil.which(Path(stated).expanduser())
        if found is None:
            raise ExportError(f"{VARIABLE}={stated!r} is no program that can be run; give the path of a browser.")
        return str(found)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or next((place for place in PLACES if os.access(place, os.X_OK)), None) or _downloaded()


def _downloaded() -> str | None:
    """The Chrome that ``plotly_get_chrome`` fetched, if there is one."""
    try:
        from choreographer.browsers.chromium import Chromium
    except ImportError:
        return None
    found = Chromium.find_browser(skip_local=False)
    return str(found) if found else None


def run_browser(browser: str, arguments: Iterable[str], folder: Path, timeout: float = TIMEOUT) -> str:
    """Run the browser without a window and give what it wrote to stdout.

    Parameters
    ----------
    browser : str
        Path of the program.
    arguments : iterable of str
        What to do, and with which page.
    folder : Path
        Folder for its profile; it must be gone afterwards.
    timeout : float
        Seconds after which it is stopped.

    Raises
    ------
    ExportError
        It failed, or took too long.
    """
    own = [f"--user-data-dir={folder / 'profile'}", *(["--no-sandbox"] if _is_root() else [])]
    with subprocess.Popen(
        [browser, *_FLAGS, *own, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise ExportError(
                f"{browser} did not finish within {timeout:g} seconds. Try again, or name another one in {VARIABLE}."
            ) from None
        finally:
            _stop(process)
    if process.returncode:
        last = next((line for line in reversed(err.strip().splitlines()) if "dbus" not in line), "no message")
        raise ExportError(
            f"{browser} ended with exit code {process.returncode}: {last}. Name another browser in {VARIABLE}."
        )
    return out


def _is_root() -> bool:
    """Whether this is the superuser, for whom Chromium has no sandbox."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _stop(process: subprocess.Popen[str]) -> None:
    """End the browser and every process it started."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
