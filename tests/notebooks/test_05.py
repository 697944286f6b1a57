"""The yuan notebook: what it says offline, and with the offshore yuan from a folder of files."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import text_of, warned

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "05_yuan.ipynb"


def test_offline_the_onshore_rate_answers_under_its_own_name(execute: Callable[..., Any]) -> None:
    cells = execute(PATH)
    answer = cells["answer"].outputs[0]["text"]
    said = " ".join(answer.split())
    start = r"USD/CNY \(ECB\), mean abnormal move over sessions 0 to 1; up = yuan weaker: \+0\.\d\d% after escalation"
    assert re.match(start, said)  # escalation weakens the yuan
    assert re.search(r"−0\.\d\d% after de-escalation \(\d+ announcements in \d+ separate cases", said)
    offshore = text_of(cells["offshore"].outputs, "text/html")
    assert "&#x27;USD/CNH&#x27; was asked for and could not be had: Yahoo (CNH=X) cannot be reached" in offshore
    chart = text_of(cells["offshore-chart"].outputs, "text/html")
    assert chart == "<p>Not available: a chart, as &#x27;USD/CNH&#x27; was asked for and could not be had.</p>"
    assert "75 of 131 announcements are taken" in cells["filters"].outputs[0]["text"]  # the grades of notebook 02
    assert "Yuan basket after good and bad news" in text_of(cells["basket"].outputs, "text/html")
    assert "USD/CNH" in text_of(cells["unavailable"].outputs, "text/html")
    assert warned(cells) == []


@pytest.mark.reference
def test_with_files_offshore_and_onshore_are_compared(execute: Callable[..., Any], reference: Path) -> None:
    cells = execute(
        PATH, SOURCE="files", FOLDER=str(reference / "data" / "series"), UNTIL="2019-12-31", OTHERS=["CSI 300"]
    )
    twins = text_of(cells["offshore"].outputs, "text/html")
    assert "USD/CNH and USD/CNY" in twins
    assert "paired t" in twins
    assert "Not available" in text_of(cells["basket"].outputs, "text/html")  # the folder has no other pairs
    assert warned(cells) == []
