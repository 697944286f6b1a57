"""Small pieces several tests share: seeded panels and series built by hand."""

import re
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.instruments import Instrument
from market_reaction.prices import PriceData

PLOTLY = "application/vnd.plotly.v1+json"  # kind of output in which a notebook holds a chart


def seeded_closes(seed: int = 1, rows: int = 900, columns: int = 1) -> pd.DataFrame:
    """Closes of a random walk on weekdays from 2020-01-01."""
    moves = np.random.default_rng(seed).standard_t(5, size=(rows, columns)) * 0.01
    days = pd.bdate_range("2020-01-01", periods=rows)
    return pd.DataFrame(100 * np.exp(moves.cumsum(axis=0)), index=days, columns=[f"m{i}" for i in range(columns)])


def price_data(closes: pd.DataFrame, **changes: object) -> PriceData:
    """Price data of instruments that have no calendar and close at 16:00 New York."""
    values = {"asset_class": "index", "bar_close": "16:00 America/New_York"} | changes
    return PriceData.from_frame(closes, {name: Instrument(name, **values) for name in closes.columns})


def text_of(outputs: list[dict[str, Any]], kind: str) -> str:
    return "".join(str(output.get("data", {}).get(kind, "")) for output in outputs)


def printed(cell: Any) -> str:
    """What a cell wrote to stdout, on one line."""
    return " ".join("".join(output["text"] for output in cell.outputs if output.get("name") == "stdout").split())


def charts(cells: dict[str, Any]) -> int:
    """How many charts the cells drew."""
    return sum(PLOTLY in output.get("data", {}) for cell in cells.values() for output in cell.get("outputs", []))


def warned(cells: dict[str, Any]) -> list[str]:
    """What the cells wrote to stderr."""
    outputs = [output for cell in cells.values() for output in cell.get("outputs", [])]
    return [output["text"] for output in outputs if output.get("name") == "stderr"]


def shared_work(nodeid: str) -> str:
    """Name of the piece of work a test belongs to; one worker does all of it, so that its tests share what they made.

    Tests in a browser share JupyterLab, those of a Dask cluster its workers; tests of a notebook share the notebook as
    executed.
    """
    if "tests/browser/" in nodeid:
        return "browser"
    if "tests/scale/test_cluster.py" in nodeid:
        return "cluster"
    notebook = re.search(r"tests/notebooks/test_(\d\d)\.py::|::test_notebook_runs_offline\[(\d\d)_", nodeid)
    return f"notebook {notebook[1] or notebook[2]}" if notebook else nodeid
