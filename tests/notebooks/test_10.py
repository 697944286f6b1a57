"""Notebook 10 as a whole: offline, and for a time that is in no table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import PLOTLY, text_of, warned

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "10_analogues.ipynb"


def test_it_answers_offline(execute: Callable[..., Any]) -> None:
    cells = execute(NOTEBOOK)
    assert warned(cells) == []
    answer = " ".join(cells["answer"].outputs[0]["text"].split())
    assert "CSI 300" in answer and "rank" in answer and "So few cases" in answer
    assert "Geneva weekend talks end" in text_of(cells["table"].outputs, "text/html")
    for name in ("paths", "ranks"):
        assert PLOTLY in cells[name].outputs[0]["data"]


def test_a_time_of_your_own_is_looked_up_by_its_kind(execute: Callable[..., Any]) -> None:
    like = {"direction": "escalation", "instrument": "tariff"}
    cells = execute(NOTEBOOK, ANNOUNCEMENT="2025-11-14 15:00 UTC", LIKE=like, MARKETS=["CSI 300", "VIX"], N=None)
    assert warned(cells) == []
    assert "earlier announcements" in " ".join(cells["answer"].outputs[0]["text"].split())
