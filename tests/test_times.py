import pandas as pd
import pytest

from market_reaction import times
from market_reaction.errors import AnnouncementTimeError


@pytest.mark.parametrize(
    "text",
    [
        "2025-06-10 22:50 UTC", "2025-06-10T22:50Z", "2025-06-10 22:50:00 GMT", "2025-06-11 06:50 +08:00",
        "2025-06-11 06:50 Asia/Shanghai", "2025-06-10 18:50 America/New_York", "2025-06-10 23:50 London",
        "2025-06-11 06:50 Beijing", "2025-06-11 06:50 hong kong", "2025-06-11 06:50 UTC+08:00", "2025-06-11T06:50+0800",
    ],
)  # fmt: skip
def test_every_accepted_spelling_is_the_same_instant(text: str) -> None:
    assert times.parse_instant(text)[0] == pd.Timestamp("2025-06-10 22:50", tz="UTC")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2025-06-11", r"no clock time.*--date 2025-06-11"),
        ("2025-06-11 09:00", r"no time zone.*'2025-06-11 09:00 UTC'"),
        ("2025-06-11 09:00 CST", r"'CST', which has more than one meaning.*'Asia/Shanghai' or 'America/Chicago'"),
        ("2025-06-11 09:00 IST", r"Asia/Kolkata.*Europe/Dublin"),
        ("2025-06-11 09:00 EST", r"America/New_York"),
        ("2025-06-11 09:00 Nowhere/Else", r"no zone known here"),
        ("2025-06-11 09:00 ../../etc", r"no zone known here"),
        ("11 June 2025 09:00 UTC", r"is not a time stamp"),
        ("2025-02-30 09:00 UTC", r"no real date and time"),
        ("2025-06-11 25:00 UTC", r"no real date and time"),
        ("2025-06-10 22:50 +25:00", "an offset lies between"),
        ("9999-12-31 10:00 UTC", "lies outside the years 1990 to 2030"),
        ("2025-10-26 01:30 Europe/London", r"clocks of Europe/London change"),
        ("2025-03-30 01:30 Europe/London", r"clocks of Europe/London change"),
    ],
)
def test_a_time_with_no_single_meaning_is_refused_with_the_next_step(text: str, says: str) -> None:
    with pytest.raises(AnnouncementTimeError, match=says):
        times.parse_instant(text)


def test_an_aware_datetime_is_taken_and_a_naive_one_refused() -> None:
    aware = pd.Timestamp("2025-06-10 23:50", tz="Europe/London")
    assert times.parse_instant(aware)[0] == pd.Timestamp("2025-06-10 22:50", tz="UTC")
    with pytest.raises(AnnouncementTimeError, match="no time zone"):
        times.parse_instant(pd.Timestamp("2025-06-10 23:50"))


def test_a_date_must_be_iso() -> None:
    with pytest.raises(AnnouncementTimeError, match="write it as YYYY-MM-DD"):
        times.parse_date("11/06/2025")
