"""The panel without widgets: a question gives what react gives, an error its sentence, and a cell the same result."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import market_reaction as mr
from market_reaction.errors import (
    AnnouncementTimeError,
    DataQualityWarning,
    DataUnavailableError,
    MarketReactionError,
    UnknownInstrumentError,
    WindowError,
)
from market_reaction.explorer import state
from market_reaction.explorer.choices import event_options, market_choices
from market_reaction.explorer.code import code_of
from market_reaction.explorer.panel import _typed
from market_reaction.explorer.question import Question
from market_reaction.explorer.state import Answers, ask
from market_reaction.instruments import Instrument

LONDON = Question("2025-06-10-jt", ("CSI 300", "VIX"), source="bundled")


def rows(folder: Path, name: str, closes: pd.Series) -> None:
    closes.rename_axis("date").rename("close").to_csv(folder / f"{name}.csv")


QUESTIONS = {
    "an event": (LONDON, {"announcement": "2025-06-10-jt"}),
    "another event": (replace(LONDON, when="2025-05-12-jt"), {"announcement": "2025-05-12-jt"}),
    "a time": (replace(LONDON, when=" 2025-05-12  07:00 UTC "), {"announcement": "2025-05-12 07:00 UTC"}),
    "a date": (replace(LONDON, when="2025-05-12"), {"date": "2025-05-12"}),
    "windows": (
        replace(LONDON, windows="-1:1,0:3"),
        {"announcement": "2025-06-10-jt", "windows": [(-1, 1), (0, 3)]},
    ),
    "estimation": (
        replace(LONDON, estimation=(-90, -20)),
        {"announcement": "2025-06-10-jt", "windows": mr.EventWindows(estimation=(-90, -20))},
    ),
    "model": (
        replace(LONDON, normal_model="zero_mean"),
        {"announcement": "2025-06-10-jt", "normal_model": "zero_mean"},
    ),
    "benchmark": (
        replace(LONDON, normal_model="market", benchmark="Broad dollar"),
        {"announcement": "2025-06-10-jt", "normal_model": "market", "benchmark": "Broad dollar"},
    ),
    "factors": (
        replace(LONDON, normal_model="factors", others=("US 10y",)),
        {"announcement": "2025-06-10-jt", "normal_model": "factors", "factors": ["US 10y"]},
    ),
    "chosen for its move": (
        replace(LONDON, selected_because_it_moved=True),
        {"announcement": "2025-06-10-jt", "selected_because_it_moved": True},
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_and_its_cell_give_what_react_gives(name: str) -> None:
    question, arguments = QUESTIONS[name]
    answer = ask(question)
    assert answer.error == ""
    assert answer.result is not None
    expected = mr.react(**arguments, markets=["CSI 300", "VIX"], source="bundled")
    pd.testing.assert_frame_equal(answer.result.to_frame(), expected.to_frame())
    assert answer.result.parameters == expected.parameters
    space: dict[str, object] = {}
    exec(answer.code, space)
    pd.testing.assert_frame_equal(space["result"].to_frame(), expected.to_frame())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"when": "  "}, AnnouncementTimeError, "no announcement is chosen"),
        ({"when": "2025-05-12 15:00"}, AnnouncementTimeError, "has no time zone"),
        ({"when": "2025-05-12 15:00 CST"}, AnnouncementTimeError, "more than one meaning"),
        ({"when": "2025-06-10-xx"}, AnnouncementTimeError, "is not a time stamp"),
        ({"markets": ()}, UnknownInstrumentError, "no market is ticked"),
        ({"windows": ""}, WindowError, "no event window"),
        ({"windows": "0-1"}, WindowError, "not of the form first:last"),
        ({"estimation": (-20, -11)}, WindowError, "at least 30"),
        ({"estimation": (-130, 0)}, WindowError, "share session"),
        ({"normal_model": "factors"}, WindowError, "needs factors="),
        ({"when": "1999-03-01 10:00 UTC"}, DataUnavailableError, "no market could be had"),
    ],
)
def test_an_error_is_the_sentence_it_is_elsewhere(
    changes: dict[str, object], kind: type[MarketReactionError], words: str
) -> None:
    question = replace(LONDON, **changes)  # type: ignore[arg-type]
    answer = ask(question)
    assert answer.result is None
    assert words in answer.error
    assert "Traceback" not in answer.error
    with pytest.raises(kind) as raised:
        mr.react(**question.arguments())
    assert answer.error == str(raised.value)


def test_an_unforeseen_fault_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(state, "react", broken)
    answer = ask(LONDON)
    assert answer.result is None
    assert "fault of the program (ZeroDivisionError: division by zero)" in answer.error
    assert 'mr.react(\n    "2025-06-10-jt",' in answer.code


def test_answers_are_remembered_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closes = mr.load_prices(["CSI 300"], "2020-01-01", "2025-07-01", source="bundled")["CSI 300"].bars["close"]
    rows(tmp_path, "CSI 300", closes)
    calls = []
    real = mr.react
    monkeypatch.setattr(state, "react", lambda *args, **options: calls.append(1) or real(*args, **options))
    question = Question("2025-06-10-jt", ("CSI 300",), source="files", folder=str(tmp_path))
    answers = Answers()
    first = answers.answer(question)
    assert first.result is not None
    assert answers.answer(question) is first
    assert (len(calls), answers.asked) == (1, 1)
    changed = closes.copy()
    changed.loc["2025-06-11"] *= 1.05
    rows(tmp_path, "CSI 300", changed)
    second = answers.answer(question)
    assert second.result is not None
    assert second.result["CSI 300"].headline.change > first.result["CSI 300"].headline.change + 0.04
    assert answers.asked == 1


def test_the_oldest_answers_are_dropped_and_errors_are_not_kept() -> None:
    answers = Answers(kept=1)
    first = answers.answer(LONDON)
    answers.answer(replace(LONDON, when="2025-05-12-jt"))
    assert answers.answer(LONDON) is not first
    assert answers.asked == 2
    broken = replace(LONDON, when="")
    assert answers.answer(broken) is not answers.answer(broken)
    assert answers.asked == 2


def test_warnings_become_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    real = mr.react

    def warned(*args: object, **options: object) -> object:
        for _ in range(2):
            warnings.warn("the file ends in the middle of a row", DataQualityWarning, stacklevel=1)
        return real(*args, **options)

    monkeypatch.setattr(state, "react", warned)
    answer = ask(LONDON)
    assert answer.result is not None
    assert answer.warnings == ("the file ends in the middle of a row",)


def test_code_is_short_where_it_can_be() -> None:
    assert code_of(LONDON) == (
        "import market_reaction as mr\n\nresult = mr.react(\n"
        '    "2025-06-10-jt",\n    markets=["CSI 300", "VIX"],\n    source="bundled",\n)\nresult'
    )


def test_code_holds_hostile_text_as_text() -> None:
    question = replace(LONDON, when='x"); import os; os.abort()  # \\')
    space: dict[str, object] = {}
    code = code_of(question)
    with pytest.raises(AnnouncementTimeError, match=r"os\.abort"):
        exec(code, space)


def test_code_finds_instruments_of_ones_own_again() -> None:
    own = Instrument("My index", "index", bar_close="16:00 America/New_York")
    code = code_of(replace(LONDON, markets=(own, "CSI 300")))
    space: dict[str, object] = {}
    exec(code.replace("mr.react(", "dict(announcement=").replace('announcement=\n    "', 'announcement="'), space)
    assert space["result"]["markets"] == [own, "CSI 300"]  # type: ignore[index]


def test_events_are_found_by_words_and_by_day() -> None:
    everything = event_options()
    assert len(everything) == 131
    days = [label[:10] for label, _ in everything]
    assert days[0] > days[-1]
    ids = [event_id for _, event_id in event_options("rare earth 2025-06")]
    assert ids
    assert set(ids) <= {event_id for _, event_id in event_options("rare earth")}
    assert all(event_id.startswith("2025-06") for event_id in ids)
    assert event_options("no such words") == []


def test_a_day_is_the_local_one() -> None:
    labels = dict((event_id, label) for label, event_id in event_options())
    row = mr.load_events().loc["2025-06-27-cn"]
    assert row["precision"] == "day"
    assert labels["2025-06-27-cn"].startswith("2025-06-27 ·")
    assert labels["2025-06-10-jt"].startswith("2025-06-10 22:50 UTC ·")


def test_markets_are_grouped_and_only_those_at_hand_are_ticked() -> None:
    groups = market_choices(source="bundled")
    choices = {choice.instrument.name: choice for group in groups.values() for choice in group}
    assert set(choices) == set(mr.list_instruments().index)
    assert [choice.instrument.name for choice in groups["Yields and volatility"]] == ["VIX", "US 2y", "US 10y"]
    ticked = {name for name, choice in choices.items() if choice.ticked}
    expected = {"CSI 300", "S&P 500", "USD/CNY", "VIX", "US 2y", "US 10y", "Broad dollar", "WTI spot", "Brent spot"}
    assert ticked == expected
    assert not choices["USD/CNH"].available
    assert choices["Apple"].available


def test_markets_asked_for_are_ticked_whether_there_is_a_series_or_not() -> None:
    own = Instrument("My index", "index", bar_close="16:00 America/New_York")
    groups = market_choices(["USD/CNH", own], source="bundled")
    ticked = [choice for group in groups.values() for choice in group if choice.ticked]
    assert [(choice.instrument.name, choice.available, choice.listed) for choice in ticked] == [
        ("My index", True, False),
        ("USD/CNH", False, True),
    ]


@pytest.mark.reference
def test_a_folder_offers_its_files(reference: Path) -> None:
    groups = market_choices(source="files", folder=str(reference / "data" / "series"))
    at_hand = {choice.instrument.name for group in groups.values() for choice in group if choice.available}
    assert {"CSI 300", "USD/CNH", "E-mini S&P 500"} <= at_hand


def test_dates_and_times_of_python_are_typed_in() -> None:
    assert _typed(dt.date(2025, 6, 11)) == "2025-06-11"
    aware = dt.datetime(2025, 6, 11, 6, 50, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert _typed(aware) == "2025-06-11 06:50:00 +0800"
    assert mr.load_events(_typed(aware))["announced_utc"].iloc[0] == pd.Timestamp("2025-06-10 22:50", tz="UTC")
