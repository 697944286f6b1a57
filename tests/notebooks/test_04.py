"""The notebook on rare-earth and chip shares: bundled US shares, other parameters, and the shares of June 2025."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import charts, printed, text_of, warned

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "04_rare_earths.ipynb"
Execute = Callable[..., dict[str, Any]]


def test_american_shares_on_1_august_2019(execute: Execute) -> None:
    cells = execute(PATH)
    assert warned(cells) == []
    answer = printed(cells["answer"])
    assert answer.startswith("Beyond S&P 500: Best Buy −10.44% (placebo p 0.004) and Microsoft +2.48%")
    assert "(joint p over 7 shares" in answer and "synthetic control (" in answer
    table = text_of(cells["table"].outputs, "text/html")
    assert "−10.79%" in table  # Best Buy fell 10.8% that day
    assert "Relative effect" in table
    assert "The basket of Apple, AMD and Best Buy moved" in printed(cells["basket"])
    assert printed(cells["exposure"]).startswith(
        "Across 19 shares, no link between reaction and exposure (mean abnormal return on earlier escalations) can be"
    )
    assert "not valid here: shares move together" in text_of(cells["exposure-table"].outputs, "text/html")
    assert charts(cells) == 5


def test_shares_that_are_not_at_hand_are_named_and_the_notebook_goes_on(execute: Execute) -> None:
    cells = execute(
        PATH, EVENT="2025-06-10-jt", SHARES=["MP Materials", "China Northern Rare Earth"], BASKET=["MP Materials"],
        DONORS=["Apple", "Boeing"], FACTORS=[], EXPOSURE="beta", HISTORY=120,
    )  # fmt: skip
    assert warned(cells) == []
    assert "cannot be said: none could be measured. MP Materials" in printed(cells["answer"])
    assert printed(cells["basket"]).startswith("No basket effect")
    assert printed(cells["exposure"]).startswith("No slope on the exposure: none of the shares has a reaction.")
    assert charts(cells) == 5  # each says that there is nothing to draw


@pytest.mark.reference
def test_rare_earth_shares_on_11_june_2025(execute: Execute, reference: Path) -> None:
    cells = execute(
        PATH, EVENT="2025-06-10-jt",
        SHARES=["China Northern Rare Earth", "Shenghe Resources", "Zhongke Sanhuan", "MP Materials", "Energy Fuels",
                "Lynas"],
        BASKET=["MP Materials", "Energy Fuels"], DONORS=["Apple", "Boeing", "Caterpillar", "SPY"],
        FACTORS=["USD/CNH"], EXPOSURE="beta", SOURCE="files", FOLDER=str(reference / "data" / "series"), HISTORY=200,
    )  # fmt: skip
    assert warned(cells) == []
    table = text_of(cells["table"].outputs, "text/html")
    for figure in ("+3.45%", "−5.84%", "+13.88%"):  # Northern Rare Earth, MP Materials, and the day after
        assert figure in table
    assert "Not measured: Lynas." in printed(cells["answer"])
    assert printed(cells["answer"]).startswith("Beyond CSI 300 and S&P 500")
