"""The intraday notebook: what it says without bars, and with half-hour bars of the yuan around a US CPI."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import PLOTLY, printed, text_of, warned

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "08_intraday.ipynb"


def test_offline_it_says_that_no_bars_are_at_hand_and_how_to_supply_them(execute: Callable[..., Any]) -> None:
    cells = execute(PATH)
    answer = printed(cells["answer"])
    assert answer.startswith("No bars shorter than a day are at hand around the announcement.")
    assert "E-mini S&P 500, USD/CNH, CSI 300 and 1 more:" in answer
    assert "source='files'" in answer and "zone='UTC', '+03:00' or 'Asia/Shanghai'" in answer
    assert "No bars shorter than a day are at hand" in text_of(cells["table"].outputs, "text/html")
    assert all(any(PLOTLY in out["data"] for out in cells[name].outputs) for name in ("path", "placebo", "volume"))
    assert warned(cells) == []


@pytest.mark.reference
def test_with_a_file_every_section_has_figures(execute: Callable[..., Any], reference: Path) -> None:
    file = reference / "data" / "real" / "USDCNY_intraday.csv.gz"
    cells = execute(
        PATH, ANNOUNCEMENT="2022-10-13-us-cpi", MARKETS=["USD/CNY"], SOURCE="files", FOLDER=str(file),
        ZONE="Asia/Shanghai", WINDOWS=[(-30, 30), (-10, 20)],
    )  # fmt: skip
    answer = printed(cells["answer"])
    assert answer.startswith("USD/CNY rose 0.47% over −30/+30 min (7.1819 to 7.2157; up = yuan weaker), which was un")
    table = text_of(cells["table"].outputs, "text/html")
    assert "bars of 30 minutes cannot show −10/+20 min" in table
    assert "Asia/Shanghai" in text_of(cells["bars"].outputs, "text/html")
    assert "0.47%" in str(cells["path"].outputs[0]["data"][PLOTLY]["layout"]["title"])
    assert warned(cells) == []
