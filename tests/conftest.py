"""What every test gets: no network, an empty snapshot folder, and the reference folder where it exists."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import shared_work

ROOT = Path(__file__).resolve().parents[1]
FROM_EXCHANGE_CALENDARS = (  # as in pyproject.toml; the second comes from the calendar of Hong Kong
    "ignore:Series.values returning an:DeprecationWarning,ignore:DatetimeIndex.weekday is:DeprecationWarning"
)
CELL_LIMIT = 240.0  # seconds after which a cell is taken to hang; how long notebooks take is printed by make notebooks


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out work by what tests share; the marks of xdist 3.8 group nothing under pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatIsShared(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return shared_work(nodeid)

    return ByWhatIsShared(config, log)


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


@pytest.fixture(scope="session")
def executed_before() -> dict[str, dict[str, Any]]:
    """Cells of the notebooks this process has executed, by path and changed parameters."""
    return {}


@pytest.fixture
def execute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, executed_before: dict[str, dict[str, Any]]
) -> Callable[..., Any]:
    """Run a notebook offline with some of its parameters changed, and give its cells by id.

    The same notebook with the same parameters runs once in a process; see ``helpers.shared_work``.
    """
    monkeypatch.setenv("PYTHONWARNINGS", f"default,{FROM_EXCHANGE_CALENDARS}")
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")

    def run(path: Path, **changes: object) -> dict[str, Any]:
        key = f"{path.resolve()} {sorted(changes.items())}"
        if key not in executed_before:
            executed_before[key] = _executed(path, changes, tmp_path)
        return copy.deepcopy(executed_before[key])

    return run


def _executed(path: Path, changes: dict[str, object], folder: Path) -> dict[str, Any]:
    """Cells by id of a notebook executed in a folder."""
    import nbformat
    from nbclient import NotebookClient

    from market_reaction.notebooks import kernel_settings

    notebook = nbformat.read(path, as_version=4)
    given = "\n".join(f"{name} = {value!r}" for name, value in changes.items())
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    cell.source += f"\n{given}"
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook, timeout=CELL_LIMIT, kernel_name="python3", resources=place, config=kernel_settings()
    )
    client.execute()
    return {cell.id: cell for cell in notebook.cells}
