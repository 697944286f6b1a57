"""Notebook 06 as a whole: offline, and with a grid and an announcement of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import PLOTLY, text_of, warned

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "06_how_fragile.ipynb"


def test_it_answers_offline(execute: Callable[..., Any]) -> None:
    cells = execute(NOTEBOOK)
    assert warned(cells) == []
    answer = " ".join(cells["answer"].outputs[0]["text"].split())
    assert answer.startswith("CSI 300: the sign (+) holds in") and "does not depend on these choices" in answer
    table = text_of(cells["table"].outputs, "text/html")
    assert "The grid, fixed before looking" in table and "E-mini S&amp;P 500" in table  # missing offline, and said so
    for name in ("curve", "placebo", "last"):
        assert PLOTLY in cells[name].outputs[0]["data"]
    assert "has no default benchmark" in text_of(cells["excluded"].outputs, "text/html")
    assert "..." not in text_of(cells["excluded"].outputs, "text/html")  # whole reasons


def test_a_benchmark_and_another_announcement(execute: Callable[..., Any]) -> None:
    cells = execute(
        NOTEBOOK, ANNOUNCEMENT="2018-03-22 16:45 UTC", MARKETS=["Apple"], LENGTHS=[60, 120], GAPS=[10], HISTORY=120
    )
    assert warned(cells) == []
    assert "Apple: the sign (−) holds in" in cells["answer"].outputs[0]["text"]
    assert cells["last"].outputs[0]["text"].strip() == "It is Apple, whose chart is above."
    assert cells["joint"].outputs[0]["text"].strip() == "One market only: nothing to join."
    assert "market adjusted" in text_of(cells["levels"].outputs, "text/html")
