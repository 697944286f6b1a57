"""The notebook on who moved first: offline, with futures, FX and other Asian markets, and on other announcements."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import charts, printed, text_of, warned

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "03_across_markets.ipynb"
Execute = Callable[..., dict[str, Any]]


def test_london_offline(execute: Execute) -> None:
    cells = execute(PATH)
    assert warned(cells) == []
    answer = printed(cells["answer"])
    assert "The first close certain to hold it was CSI 300's, 11 Jun 07:00 UTC, 8 h 10 min later (+0.75%" in answer
    assert (
        "overnight gap +0.13%" in answer
        and "CSI 300 moves most closely with S&P 500's return of the date before" in answer
    )
    assert "E-mini S&amp;P 500" in text_of(cells["order"].outputs, "text/html")  # named as not available
    assert "Without a split" in text_of(cells["gaps"].outputs, "text/html")
    assert "True" in text_of(cells["example"].outputs, "text/html")  # Geneva in Shanghai
    assert charts(cells) == 4


def test_another_time_and_a_market_that_is_missing(execute: Execute) -> None:
    cells = execute(PATH, ANNOUNCEMENT=None, DATE="2025-05-12", MARKETS=["CSI 300", "VIX"], LEADER="E-mini S&P 500")
    assert warned(cells) == []
    answer = printed(cells["answer"])
    assert answer.startswith("Clock unknown.")
    assert "No lead or lag of E-mini S&P 500 and CSI 300 is measured" in answer


def test_the_dates_of_the_comparison_change_its_sample(execute: Execute) -> None:
    cells = execute(PATH, MARKETS=["CSI 300"], SINCE="2015-01-01", UNTIL="2019-12-31", HISTORY=60)
    assert warned(cells) == []
    found = re.search(r"Over ([\d,]+) common dates, (\S+) to (\S+), CSI 300 moves", printed(cells["answer"]))
    assert found is not None and found[2] >= "2015-01-01" and found[3] <= "2019-12-31"
    assert 1100 < int(found[1].replace(",", "")) < 1220  # five years; with all of the series there are 4,000


@pytest.mark.reference
def test_geneva_with_futures_and_fx(execute: Execute, reference: Path) -> None:
    folder = str(reference / "data" / "series")
    given = {"SOURCE": "files", "FOLDER": folder, "FOLLOWER": "Hang Seng", "SINCE": "2016-01-01"}
    markets = ["CSI 300", "Hang Seng", "S&P 500", "E-mini S&P 500", "USD/CNH"]
    cells = execute(PATH, ANNOUNCEMENT="2025-05-12-jt", MARKETS=markets, **given)
    assert warned(cells) == []
    answer = printed(cells["answer"])
    assert "The first close certain to hold it was Hang Seng's, 12 May 08:00 UTC, 1 h 00 min later (+2.98%" in answer
    assert "also possible: CSI 300 on 2025-05-12 (+1.16%" in answer
    assert "2025-05-12" in text_of(cells["ambiguous"].outputs, "text/html")
    assert "before the news: no reaction to it" in text_of(cells["gaps"].outputs, "text/html")
    assert charts(cells) == 4
