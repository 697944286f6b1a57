"""Notebook 02 as a whole: offline, and with another class, other filters and markets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import PLOTLY, text_of, warned

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "02_many_announcements.ipynb"


def test_it_answers_offline_and_says_what_is_missing(execute: Callable[..., Any]) -> None:
    cells = execute(NOTEBOOK)
    assert warned(cells) == []
    answer = " ".join(cells["answer"].outputs[0]["text"].split())
    assert "after escalation" in answer and "after de-escalation" in answer and "Holm" in answer
    assert "75 of 131 announcements are taken" in text_of(cells["events"].outputs, "text/html")
    table = text_of(cells["table"].outputs, "text/html")
    assert "E-mini S&amp;P 500 is missing" in table
    assert "S&amp;P 500: 32 of 75 events; the series ends" in table
    for name in ("paths", "sessions", "map", "waves"):
        assert PLOTLY in cells[name].outputs[0]["data"]
    assert "2018-06-15-cn, 2018-06-15-us, 2018-06-18-us" in text_of(cells["merged"].outputs, "text/html")


def test_another_class_of_your_own_filters(execute: Callable[..., Any]) -> None:
    changes = {
        "BY": "side",
        "SINCE": "2018-01-01",
        "UNTIL": "2019-12-31",
        "MARKETS": ["S&P 500", "VIX"],
        "HISTORY": 120,
    }
    cells = execute(NOTEBOOK, **changes)
    assert warned(cells) == []
    assert "S&P 500, mean abnormal move over sessions [0,1]" in " ".join(cells["answer"].outputs[0]["text"].split())
