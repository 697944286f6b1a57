"""Bars shorter than a day: their clock, their labels, their bad ticks, and where they can be had."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import calendars
from market_reaction.errors import (
    AnnouncementTimeError,
    DataUnavailableError,
    MarketReactionError,
    UnknownInstrumentError,
)
from market_reaction.instruments import Instrument
from market_reaction.intraday.build import bar_lengths
from market_reaction.intraday.clock_check import BarClockWarning, check_clock, volume_steps
from market_reaction.intraday.stamps import read_stamps
from market_reaction.snapshot_store import SnapshotStore
from market_reaction.sources import yahoo_requests
from market_reaction.sources.yahoo import YahooSource
from yahoo_server import LoopbackSession, Row, YahooServer

CFD = Instrument("S&P 500 CFD", "future", calendar="CMES")
CFD_FILE = "data/series/intraday/us500_cfd_h1_2025-06-09_13.csv"
SPOT = Instrument("Spot", "fx")


def write(folder: Path, text: str, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def one(path: Path, instrument: Instrument = SPOT, **options: object) -> mr.BarData:
    return mr.load_bars([instrument], source="files", folder=path, **options)


# ---- the clock ------------------------------------------------------------------------------------------------------


@pytest.mark.reference
def test_a_false_offset_is_noticed_in_the_volume_and_overridden_by_the_zone(reference: Path) -> None:
    path = reference / CFD_FILE
    with pytest.warns(BarClockWarning) as caught:
        wrong = one(path, CFD, time_column="time_as_in_source")
    (warning,) = (found for found in caught if issubclass(found.category, BarClockWarning))
    text = str(warning.message)
    assert text.startswith(
        "us500_cfd_h1_2025-06-09_13.csv (S&P 500 CFD) was read by the clock +00:00, and its bars keep"
    )
    assert "bars keep +03:00" in text and "Set zone='+03:00'" in text and "New York open is 09:30" in text
    assert warning.filename == __file__
    assert text in wrong["S&P 500 CFD"].notes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = one(path, CFD, time_column="time_as_in_source", zone="+03:00")
        true = one(path, CFD)  # the column time_utc of the file
    assert right["S&P 500 CFD"].bars.index.equals(true["S&P 500 CFD"].bars.index)
    assert "states the clock +00:00, which is set aside: its times are read as +03:00" in right["S&P 500 CFD"].notes[0]
    assert wrong["S&P 500 CFD"].end_ns[0] - true["S&P 500 CFD"].end_ns[0] == 3 * 3600 * 10**9


@pytest.mark.reference
def test_a_zone_is_asked_for_where_the_file_has_none(reference: Path) -> None:
    path = reference / "data" / "real" / "USDCNY_intraday.csv.gz"
    bars = one(path)
    assert len(bars) == 0
    assert "'2020-12-21 09:30:00', name no zone. State the clock of the file: zone='Asia/Shanghai'" in str(
        bars.unavailable["reason"][0]
    )
    series = one(path, zone="Asia/Shanghai")["Spot"]
    assert len(series.bars) == 47_086
    assert series.bars["start_utc"].iloc[0] == pd.Timestamp("2020-12-21 01:30", tz="UTC")
    assert series.length_text() == "5- to 30-minute" and series.bar_minutes == 30
    assert series.minutes_at(pd.Timestamp("2023-12-01 02:00", tz="UTC").value) == 5


def test_a_zone_with_several_meanings_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "time,close\n2025-06-11 09:30,1\n2025-06-11 09:31,2\n")
    with pytest.raises(AnnouncementTimeError, match="'CST', which has more than one meaning"):
        one(path, zone="CST")


def test_a_clock_time_that_occurs_twice_is_left_out_with_the_reason(tmp_path: Path) -> None:
    rows = ["2025-11-02 00:30", "2025-11-02 01:30", "2025-11-02 02:30", "2025-11-02 03:30"]
    path = write(tmp_path, "time,close\n" + "".join(f"{row},1.5\n" for row in rows))
    series = one(path, zone="America/New_York", bar_minutes=60)["Spot"]
    assert len(series.bars) == 3
    assert series.excluded["reason"].tolist() == [
        "its clock time occurs twice or not at all in the zone, where summer time begins or ends"
    ]


@pytest.mark.parametrize(
    ("texts", "zone", "says_utc"),
    [
        (["2025-06-11T12:04:00Z", "2025-06-11T12:05:00Z"], None, False),
        (["2025-06-11 20:04+08:00", "2025-06-11 20:05+0800"], None, False),
        (["20250611 080400", "20250611 080500"], "America/New_York", False),
        (["2025.06.11 15:04", "2025.06.11 15:05"], "+03:00", False),
        (["11 Jun 2025 08:04 AM", "11 Jun 2025 08:05 am"], "New York", False),
        (["2025-06-11 12:04", "2025-06-11 12:05"], None, True),
        (["1749643440", "1749643500"], None, False),
        (["1749643440000", "1749643500000"], None, False),
    ],
)
def test_times_are_read_in_every_usual_form(texts: list[str], zone: str | None, says_utc: bool) -> None:
    stamps = read_stamps("f.csv", texts, [2, 3], zone=zone, header_says_utc=says_utc)
    assert stamps.utc.tolist() == [pd.Timestamp("2025-06-11 12:04Z"), pd.Timestamp("2025-06-11 12:05Z")]


def test_noon_and_midnight_on_a_twelve_hour_clock() -> None:
    texts = ["2025-06-11 12:00 AM", "2025-06-11 12:30 PM", "2025-06-11 1:00 PM"]
    stamps = read_stamps("f.csv", texts, [2, 3, 4], zone="UTC")
    assert [f"{stamp:%H:%M}" for stamp in stamps.utc] == ["00:00", "12:30", "13:00"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,close\n2025-06-11,1\n2025-06-12,2\n", "have no time of day: they are daily.*load_prices reads daily"),
        ("time,close\n2025-06-11 09:30Z,1\nsoon,2\n", "line 3 has the time 'soon', which cannot be read"),
        ("time,level\n2025-06-11 09:30Z,1\n", "names a time and a close"),
        ("time,close\n2025-06-11 09:30Z,1\n", "length of a bar cannot be told.*state bar_minutes"),
        ("time,close\n2025-06-11 09:30Z,1\n2025-06-11 09:31Z,one\n", "line 3 has the close 'one'"),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path: Path, text: str, message: str) -> None:
    bars = one(write(tmp_path, text))
    assert len(bars) == 0
    assert bars.unavailable["reason"].str.contains(message, regex=True).all()


def test_a_missing_time_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "time_utc,close\n2025-06-11 09:30,1\n2025-06-11 09:31,2\n")
    assert (
        "no column 'time_utz'. Did you mean 'time_utc'?" in one(path, time_column="time_utz").unavailable["reason"][0]
    )


# ---- rows to bars ---------------------------------------------------------------------------------------------------


def test_labels_at_the_start_and_at_the_end_differ_by_a_bar(tmp_path: Path) -> None:
    path = write(tmp_path, "time,close\n2025-06-11 09:30Z,1\n2025-06-11 09:35Z,2\n2025-06-11 09:40Z,3\n")
    start, end = (one(path, bar_label=label)["Spot"] for label in ("start", "end"))
    assert [f"{t:%H:%M}" for t in start.bars.index] == ["09:35", "09:40", "09:45"]
    assert [f"{t:%H:%M}" for t in end.bars.index] == ["09:30", "09:35", "09:40"]
    assert start.lengths.tolist() == end.lengths.tolist() == [5, 5, 5]
    with pytest.raises(ValueError, match="bar_label='close' is not known; choose 'start' or 'end'"):
        one(path, bar_label="close")


def test_a_metatrader_export_with_ticks_for_volume(tmp_path: Path) -> None:
    text = (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\n"
        "2025.06.11\t15:04:00\t1.1\t1.3\t1.0\t1.2\t7\t0\n2025.06.11\t15:05:00\t1.2\t1.3\t1.1\t1.25\t9\t0\n"
    )
    series = one(write(tmp_path, text, "spot.txt"), zone="+03:00")["Spot"]
    assert series.bars["volume"].tolist() == [7.0, 9.0] and series.volume == "ticks"
    assert series.bars["start_utc"].iloc[0] == pd.Timestamp("2025-06-11 12:04", tz="UTC")


def test_parquet_and_a_folder_with_files_csv(tmp_path: Path) -> None:
    index = pd.date_range("2025-06-11 09:30", periods=3, freq="min", name="time")
    pd.DataFrame({"close": [1.0, 2.0, 3.0]}, index=index).to_parquet(tmp_path / "a.parquet")
    write(tmp_path, "file,instrument,zone,bar_label\na.parquet,USD/CNH,Asia/Shanghai,end\n", "files.csv")
    bars = mr.load_bars(["USD/CNH", "Gold"], source="files", folder=tmp_path)
    assert bars["USD/CNH"].bars.index[0] == pd.Timestamp("2025-06-11 01:30", tz="UTC")
    assert "no file for 'Gold'" in bars.unavailable["reason"][0]
    assert bars.vintage.loc["USD/CNH", "symbol"] == "a.parquet" and len(bars.vintage.loc["USD/CNH", "sha256"]) == 64
    with pytest.raises(UnknownInstrumentError, match=r"there are no bars for 'USD/CNX'\. Did you mean 'USD/CNH'"):
        bars["USD/CNX"]


def test_rows_given_twice_or_without_a_close_are_named() -> None:
    index = pd.DatetimeIndex(["2025-06-11 09:30", "2025-06-11 09:31", "2025-06-11 09:31", "2025-06-11 09:32"], tz="UTC")
    frame = pd.DataFrame({"close": [1.0, 2.0, 2.5, np.nan]}, index=index)
    series = mr.BarData.from_frame({"Spot": frame}, {"Spot": SPOT})["Spot"]
    assert series.closes.tolist() == [1.0, 2.5]
    assert sorted(series.excluded["reason"]) == ["no close", "time given twice; the last row was kept"]


def test_lengths_may_change_from_day_to_day_and_gaps_are_no_lengths() -> None:
    minute = 60 * 10**9
    half_hours = np.arange(0, 300, 30)
    fives = 1440 + np.array([0, 5, 10, 40, 45, 50])
    lengths = bar_lengths(np.concatenate([half_hours, fives, [2 * 1440 + 3]]) * minute)
    assert lengths.tolist() == [30] * 10 + [5] * 6 + [5]


@pytest.mark.reference
def test_the_one_bad_tick_of_the_week_is_named(reference: Path) -> None:
    found = one(reference / CFD_FILE, CFD).quality()
    assert len(found) == 1  # and not the bar of the strike on Iran, whose fall stayed
    row = found.iloc[0]
    assert row["time"] == pd.Timestamp("2025-06-12 22:00", tz="UTC")
    assert row["rule"] == "open taken back" and row["value"].startswith("open 6,089.75 between 6,037.25 and")


# ---- the clock check on its own -------------------------------------------------------------------------------------


def us_day(shift_minutes: int, days: int = 5, bar_minutes: int = 5) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Bars whose volume is ten times as large from 09:30 to 16:00 New York, with a clock that runs ahead."""
    parts = [
        pd.date_range(f"2025-06-{9 + day}", periods=1440 // bar_minutes, freq=f"{bar_minutes}min")
        for day in range(days)
    ]
    local = parts[0].append(parts[1:])
    minute = local.hour * 60 + local.minute
    volume = np.where((minute >= 570) & (minute < 960), 1000.0, 100.0)
    utc = local.tz_localize("America/New_York").tz_convert("UTC") + pd.Timedelta(minutes=shift_minutes)
    return pd.DatetimeIndex(utc), volume


@pytest.mark.parametrize("shift", [0, 60, 180, -240, 330])
def test_the_shift_of_the_clock_is_found(shift: int) -> None:
    starts, volume = us_day(shift)
    check = check_clock(CFD, starts, volume, 5)
    assert check.decided and check.shift_minutes == shift and check.wrong == (shift != 0)


def test_no_verdict_without_volume_days_or_a_step() -> None:
    starts, volume = us_day(180)
    assert not check_clock(CFD, starts, None, 5).decided
    assert not check_clock(CFD, starts, np.ones(len(volume)), 5).decided
    few = starts < pd.Timestamp("2025-06-11", tz="UTC")
    assert not check_clock(CFD, starts[few], volume[few], 5).decided
    assert "no opening hours" in check_clock(SPOT, starts, volume, 5).evidence


def test_an_asian_exchange_is_checked_by_its_opening() -> None:
    csi = Instrument("CSI 300", "index", calendar="XSHG", bar_close="15:00 Asia/Shanghai")
    days = ["2025-06-09", "2025-06-10", "2025-06-11", "2025-06-12"]
    opens = [pd.date_range(f"{day} 01:30", periods=24, freq="5min", tz="UTC") for day in days]
    starts = opens[0].append(opens[1:])
    assert check_clock(csi, starts, None, 5).shift_minutes == 0
    assert check_clock(csi, starts + pd.Timedelta(hours=8), None, 5).shift_minutes == 480


ETF = Instrument("S&P 500 ETF", "etf", calendar="XNYS", bar_close="16:00 America/New_York")


def new_york(first: str, last: str, days: int = 8, minutes: int = 5) -> pd.DatetimeIndex:
    """Bars of each weekday from 2025-06-02 between two times of New York, both begins of a bar."""
    each = [
        pd.date_range(f"{day:%Y-%m-%d} {first}", f"{day:%Y-%m-%d} {last}", freq=f"{minutes}min")
        for day in pd.bdate_range("2025-06-02", periods=days)
    ]
    return each[0].append(each[1:])


def constant_file(folder: Path, volume: int = 100) -> Path:
    rows = "".join(
        f"{at:%Y-%m-%d %H:%M},{100 + n % 7 / 10},{volume}\n" for n, at in enumerate(new_york("09:30", "15:55"))
    )
    return write(folder, "time,close,volume\n" + rows)


@pytest.mark.parametrize("volume", [100, 0])
def test_volume_that_says_nothing_raises_no_alarm(tmp_path: Path, volume: int) -> None:
    path = constant_file(tmp_path, volume)
    with warnings.catch_warnings():
        warnings.simplefilter("error", BarClockWarning)
        for market in (ETF, CFD):
            assert one(path, market, zone="America/New_York")[market.name].notes == ()


def test_a_wrong_clock_is_found_by_the_sessions_where_volume_is_constant(tmp_path: Path) -> None:
    with pytest.warns(
        BarClockWarning, match=r"read by the clock UTC, and its bars keep -04:00: as read 62% of the bars"
    ) as caught:
        one(constant_file(tmp_path), ETF, zone="UTC")
    text = str(next(w for w in caught if issubclass(w.category, BarClockWarning)).message)
    assert "outside the sessions of XNYS (8 days), and 0% if all are 240 minutes later" in text
    assert text.endswith("Every window is 240 minutes off. Set zone='-04:00' (or the IANA zone of the server).")


def test_the_first_bar_of_the_day_and_the_rush_at_the_close_are_no_jump() -> None:
    local = new_york("09:30", "15:55")
    late = np.where(local.hour * 60 + local.minute >= 15 * 60, 900.0, 100.0)
    check = check_clock(ETF, local.tz_localize("America/New_York").tz_convert("UTC"), late, 5)
    assert check.decided and not check.wrong and "0% of the bars begin outside the sessions" in check.evidence


@pytest.mark.parametrize("shift", [-300, -60, 60, 180, 480])
@pytest.mark.parametrize("minutes", [1, 15, 60])
def test_the_sessions_give_the_shift_without_volume(shift: int, minutes: int) -> None:
    first = "09:00" if minutes == 60 else "09:30"
    local = new_york(first, "15:00" if minutes == 60 else f"15:{60 - minutes}", minutes=minutes)
    right = local.tz_localize("America/New_York").tz_convert("UTC")
    if minutes < 60:
        assert check_clock(ETF, right + pd.Timedelta(minutes=shift), None, minutes).shift_minutes == shift
    assert not check_clock(ETF, right, None, minutes).wrong


@pytest.mark.parametrize(
    ("market", "first", "last"), [(ETF, "04:00", "19:55"), (ETF, "07:00", "16:00"), (CFD, "00:00", "23:55")]
)
@pytest.mark.parametrize("flat", [True, False])
def test_extended_hours_are_no_wrong_clock(market: Instrument, first: str, last: str, flat: bool) -> None:
    local = new_york(first, last)
    minute = local.hour * 60 + local.minute
    volume = np.full(len(local), 100.0) if flat else np.where((minute >= 570) & (minute < 960), 1000.0, 100.0)
    check = check_clock(market, local.tz_localize("America/New_York").tz_convert("UTC"), volume, 5)
    assert not check.wrong
    if market is ETF and flat:
        assert "volume is the same in every bar" in check.evidence and "no shift of the clock" in check.evidence


@pytest.mark.parametrize("minutes", [15, 60])
def test_a_rise_of_volume_at_the_end_of_a_session_is_no_wrong_clock(minutes: int) -> None:
    hours = calendars.hours("CMES")
    at = hours.sessions.searchsorted(pd.Timestamp("2025-06-02"))
    each = [pd.date_range(hours.opens[k], hours.closes[k], freq=f"{minutes}min") for k in range(at, at + 10)]
    starts = each[0].append(each[1:])
    volume = np.concatenate([1 + 5 * np.linspace(-1, 1, len(day)) ** 2 for day in each])
    assert check_clock(CFD, starts, volume, minutes).shift_minutes == 0


def test_a_file_over_a_change_of_the_clocks_is_still_found() -> None:
    days = pd.bdate_range("2025-02-17", "2025-03-31")
    each = [pd.date_range(day + pd.Timedelta(hours=9.5), periods=78, freq="5min") for day in days]
    local = each[0].append(each[1:])
    assert check_clock(ETF, local.tz_localize("UTC"), None, 5).shift_minutes in (-240, -300)
    assert not check_clock(ETF, local.tz_localize("America/New_York").tz_convert("UTC"), None, 5).wrong


def test_volume_steps_by_hand() -> None:
    minute = np.tile(np.array([0, 60, 120]), 3)
    day = np.repeat([1, 2, 3], 3)
    steps = volume_steps(minute, day, np.tile([1.0, 4.0, 1.0], 3), 60)
    assert steps[1] == pytest.approx((4 - 1) / 2) and steps[2] == pytest.approx((1 - 4) / 2)
    assert np.isnan(steps[5])


# ---- where bars come from -------------------------------------------------------------------------------------------


def test_source_and_folder_go_together(tmp_path: Path) -> None:
    with pytest.raises(MarketReactionError, match="source='files' and folder=None do not go together"):
        mr.load_bars(["Gold"], source="files")
    with pytest.raises(MarketReactionError, match="source='web' is not known; choose one of auto, yahoo, files"):
        mr.load_bars(["Gold"], source="web")  # type: ignore[arg-type]
    with pytest.raises(MarketReactionError, match="needs the announcement around which"):
        mr.load_bars(["Gold"])
    bars = mr.load_bars(["Gold", "USD/CNH"], source="files", folder=write(tmp_path, "time,close\n"))
    assert bars.unavailable["reason"].str.contains("is one file, and 2 markets are asked for").all()


@pytest.mark.parametrize("name", ["nope", "nope.csv"])
def test_a_folder_that_does_not_exist_is_refused_as_for_daily_prices(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataUnavailableError, match=f"the folder '.*{name}' does not exist"):
        mr.load_bars(["Gold"], source="files", folder=tmp_path / name)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[YahooServer]:
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path / "yfinance"))
    monkeypatch.delenv("MARKET_REACTION_OFFLINE", raising=False)
    yahoo_requests._verdict.clear()
    with YahooServer(rows={"ES=F": minutes("2025-06-11"), "CNH=X": minutes("2025-06-10")}) as running:
        yield running
    yahoo_requests._verdict.clear()


def minutes(day: str) -> list[Row]:
    """A day of minute rows of New York time, one point up a minute."""
    times = pd.date_range(f"{day} 07:00", f"{day} 10:00", freq="min")
    return [
        (f"{at:%Y-%m-%d %H:%M}", 6000.0 + i, 6001.0 + i, 5999.0 + i, 6000.5 + i, 10.0) for i, at in enumerate(times)
    ]


def source(server: YahooServer, tmp_path: Path, now: str) -> YahooSource:
    store = SnapshotStore(tmp_path / "snapshots")
    return YahooSource(store, session=LoopbackSession(server.base), now=lambda: pd.Timestamp(now, tz="UTC"))


def test_minute_bars_of_yahoo(server: YahooServer, tmp_path: Path) -> None:
    asked = source(server, tmp_path, "2025-06-13 22:00")
    bars = mr.load_bars(["E-mini S&P 500", "USD/CNH"], "2025-06-11-us", yahoo=asked, progress=False)
    series = bars["E-mini S&P 500"]
    assert series.bar_minutes == 1 and series.source == "yahoo" and series.volume == "volume"
    assert series.bars["start_utc"].iloc[0] == pd.Timestamp("2025-06-11 11:00", tz="UTC")
    assert bars.vintage.loc["E-mini S&P 500", "detail"] == "1m bars, not stored"
    assert "1-minute bars for announcements from 2025-05-15 on (30 days back)" in bars.notes[0]
    result = mr.react_intraday("2025-06-11 12:04 UTC", bars, windows=[(-10, 20)])
    move = result["E-mini S&P 500"].moves[0]
    # complete by 11:54 is the bar of 11:53 (row 53), by 12:24 that of 12:23 (row 83)
    assert (move.price_before, move.price_after) == (6053.5, 6083.5)
    assert move.change == pytest.approx(6083.5 / 6053.5 - 1)
    assert "no bar" in result["USD/CNH"].moves[0].reason or "bars end at" in result["USD/CNH"].moves[0].reason


@pytest.mark.parametrize(
    ("now", "interval", "reason"),
    [
        ("2025-08-01 00:00", "1m", "1m bars of Yahoo do not reach back to 2025-06-11 12:04 UTC"),
        ("2028-08-01 00:00", None, "no bars of Yahoo reach back to 2025-06-11 12:04 UTC"),
    ],
)
def test_what_yahoo_no_longer_has_is_said_before_asking(
    server: YahooServer, tmp_path: Path, now: str, interval: str | None, reason: str
) -> None:
    asked = source(server, tmp_path, now)
    bars = mr.load_bars(["E-mini S&P 500"], "2025-06-11-us", yahoo=asked, interval=interval)
    assert bars.unavailable["reason"].tolist() == [reason]
    assert server.asked == []


def test_the_finest_interval_that_reaches_back_is_taken(server: YahooServer, tmp_path: Path) -> None:
    from market_reaction.intraday.loading import _finest

    instant = pd.Timestamp("2025-06-11 12:04", tz="UTC")
    ages = {"2025-06-12": "1m", "2025-07-20": "2m", "2025-09-01": "1h", "2027-07-01": None}
    assert {now: _finest(instant, pd.Timestamp(now, tz="UTC")) for now in ages} == ages
    with pytest.raises(MarketReactionError, match="interval='7m' is not known"):
        mr.load_bars(["Gold"], "2025-06-11-us", interval="7m", yahoo=source(server, tmp_path, "2025-06-13"))


def test_a_market_that_yahoo_refuses_is_named(server: YahooServer, tmp_path: Path) -> None:
    server.modes["ES=F"] = "429"
    asked = source(server, tmp_path, "2025-06-13 22:00")
    bars = mr.load_bars(["E-mini S&P 500"], "2025-06-11-us", yahoo=asked, progress=False)
    assert "Cause: rate limit" in bars.unavailable["reason"][0]
    answer = mr.react_intraday("2025-06-11-us", bars).answer()
    assert answer.startswith("No bars shorter than a day are at hand") and "rate limit" in answer
