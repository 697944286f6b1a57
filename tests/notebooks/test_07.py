"""The notebook on press sentences: the article's three offline and on their own series, other sentences, no market."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import charts, printed, text_of, warned

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "07_press_claims.ipynb"
Execute = Callable[..., dict[str, Any]]


def test_the_article_offline(execute: Execute) -> None:
    cells = execute(PATH)
    assert warned(cells) == []
    answer = printed(cells["answer"])
    assert answer.startswith("Of 5 claims, 3 are true and 2 are not decidable.")
    assert "'dropped lower' (US futures)" in answer and "CSI 300 +0.75% (placebo p 0.36)" in answer
    table = text_of(cells["table"].outputs, "text/html")
    assert "USD/CNY (ECB) stands in for USD/CNH" in table and "E-mini S&amp;P 500 is not available" in table
    assert "0.05" in text_of(cells["rank"].outputs, "text/plain")  # 5% of days earn a record as long
    assert "almost x: below x" in printed(cells["rules"])
    assert charts(cells) == 2


def test_sentences_without_a_series_or_a_pattern_end_without_error(execute: Execute) -> None:
    cells = execute(PATH, SENTENCES=["US futures might fall", "US futures fell"], MARGIN=None)
    assert warned(cells) == []
    assert printed(cells["answer"]).startswith(
        "1 not decidable, 1 part not checked: 'US futures might fall'. E-mini S&P 500 is not available"
    )
    assert "it is denied or only possible" in text_of(cells["table"].outputs, "text/html")
    assert charts(cells) == 2  # each says that there is nothing to draw


def test_markets_of_different_units_do_not_stop_on_the_margin(execute: Execute) -> None:
    said = ["the CSI 300 rose almost 1%, the US 10-year yield fell, the onshore yuan was stable"]
    cells = execute(PATH, SENTENCES=said)
    assert warned(cells) == []
    assert printed(cells["answer"]).startswith("Of 4 claims, 3 are true and 1 is not decidable.")
    assert "Close call: 'almost 1%' (CSI 300)." in printed(cells["answer"])
    assert "true (close call)" in text_of(cells["table"].outputs, "text/html")
    assert "close call: nearer to its bound than 2% of the figure" in printed(cells["rules"])
    one = execute(PATH, SENTENCES=["the CSI 300 and the US 10-year yield were stable"], MARGIN=0.003)
    assert "US 10y moves in percentage points and has none" in text_of(one["table"].outputs, "text/html")


@pytest.mark.reference
def test_the_article_on_its_own_series(execute: Execute, reference: Path) -> None:
    cells = execute(PATH, ANNOUNCEMENT="2025-06-10-jt", SOURCE="files", FOLDER=str(reference / "data" / "series"))
    assert warned(cells) == []
    answer = printed(cells["answer"])
    assert answer.startswith("Of 5 claims, 4 are true and 1 is not decidable. Not decidable: 'stable' (offshore yuan).")
    assert "E-mini S&P 500 −0.26% (placebo p 0.84)" in answer and "USD/CNH +0.13%" in answer
