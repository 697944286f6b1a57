"""What every test gets: no network, an empty snapshot folder, and the reference folder where it exists."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def offline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let no test ask Yahoo or see the user's own files, in this process or one it starts.

    Tests marked live ask Yahoo; those of the Yahoo source ask a server of their own.
    """
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("MARKET_REACTION_SNAPSHOTS", str(folder / "snapshots"))
    (folder / "no_instruments.csv").write_text("name,class\n", encoding="utf-8")
    monkeypatch.setenv("MARKET_REACTION_INSTRUMENTS", str(folder / "no_instruments.csv"))
    if request.path.stem == "test_yahoo" or request.node.get_closest_marker("live"):
        monkeypatch.delenv("MARKET_REACTION_OFFLINE", raising=False)
    else:
        monkeypatch.setenv("MARKET_REACTION_OFFLINE", "1")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder with the reference results and series; tests that need it are skipped where it is missing."""
    stated = os.environ.get("MARKET_REACTION_REFERENCE")
    folder = Path(stated).expanduser() if stated else ROOT.parent / "shared"
    if not (folder / "data" / "series").is_dir():
        pytest.skip(f"There is no reference folder at {folder}; set MARKET_REACTION_REFERENCE to one.")
    return folder


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let child processes keep compiled modules where the environment forbids it: else each compiles pandas again."""
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
        monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "market_reaction_compiled"))
