"""Moves over minutes: prices, windows, placebo, volume and the spread of a reaction, against figures from elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction.errors import AnnouncementTimeError, UnknownInstrumentError, WindowError
from market_reaction.instruments import Instrument
from market_reaction.intraday import moves as numbers

CFD = Instrument("S&P 500 CFD", "future", calendar="CMES")
SPOT = Instrument("Spot", "fx")
MINUTE = 60 * 10**9
T0 = pd.Timestamp("2025-06-11 12:04", tz="UTC")


def spot(minutes: range | list[int], closes: list[float] | np.ndarray, **columns: object) -> mr.BarData:
    """Minute bars of one market: ``minutes`` are the ends of the bars from the announcement of 12:04 UTC."""
    index = T0 + pd.to_timedelta(list(minutes), unit="min")
    frame = pd.DataFrame({"close": closes, **columns}, index=index)
    return mr.BarData.from_frame({"Spot": frame}, {"Spot": SPOT}, bar_label="end")


def many_days(days: int, jump: float, seed: int = 3) -> mr.BarData:
    """Minute bars of weekdays to 11 June 2025 around 12:04 UTC, with a jump at the announcement of the last day."""
    generator = np.random.default_rng(seed)
    dates = pd.bdate_range(end="2025-06-11", periods=days)
    parts = []
    for date in dates:
        index = date.tz_localize("UTC") + pd.to_timedelta(np.arange(11 * 60, 14 * 60), unit="min")
        path = 0.0001 * generator.standard_normal(len(index)).cumsum()
        path += jump * ((index >= T0 + pd.Timedelta(minutes=2)) & (date == dates[-1]))
        parts.append(pd.DataFrame({"close": 100 * np.exp(path), "volume": 10.0}, index=index))
    return mr.BarData.from_frame({"Spot": pd.concat(parts)}, {"Spot": SPOT}, bar_label="end")


@pytest.fixture(scope="module")
def cfd(request: pytest.FixtureRequest) -> mr.BarData:
    folder = request.getfixturevalue("reference") / "data" / "series" / "intraday"
    return mr.load_bars([CFD], source="files", folder=folder / "us500_cfd_h1_2025-06-09_13.csv")


@pytest.fixture(scope="module")
def yuan(request: pytest.FixtureRequest) -> mr.BarData:
    path = request.getfixturevalue("reference") / "data" / "real" / "USDCNY_intraday.csv.gz"
    return mr.load_bars(["USD/CNY"], source="files", folder=path, zone="Asia/Shanghai")


# ---- real announcements ---------------------------------------------------------------------------------------------


@pytest.mark.reference
def test_us_futures_dropped_lower_in_the_night_after_london(cfd: mr.BarData) -> None:
    result = mr.react_intraday("2025-06-10 22:50 UTC", cfd, windows=[(-170, 250)])
    move = result["S&P 500 CFD"].moves[0]
    assert (move.price_before, move.price_after) == (6037.25, 6019.40)  # 20:00 and 03:00 UTC
    assert (f"{move.before_utc:%H:%M}", f"{move.after_utc:%H:%M}") == ("20:00", "03:00")
    assert move.change == pytest.approx(-17.85 / 6037.25, rel=1e-12)
    assert (move.kind, move.stale_before, move.stale_after) == ("as asked", 0.0, 0.0)
    assert move.placebo is not None and move.placebo.rank.floor == 0.5 and move.placebo.rank.n_placebo == 1
    assert result.answer() == (
        "S&P 500 CFD fell 0.30% over −170/+250 min (6,037.25 to 6,019.40); whether that is unusual cannot be told: "
        "with 1 earlier day no p can lie below 0.50 (placebo p 1.00, floor 0.50, 1 earlier day at the same clock time)."
    )
    assert "1 hour bar from 22:00 to 23:00 UTC straddles the announcement" in result["S&P 500 CFD"].notes


@pytest.mark.reference
def test_hour_bars_cannot_show_a_half_hour(cfd: mr.BarData) -> None:
    result = mr.react_intraday("2025-06-11-us", cfd, windows=[(-10, 20)])
    move = result["S&P 500 CFD"].moves[0]
    assert move.kind == "nearest"
    assert (f"{move.before_utc:%H:%M}", f"{move.after_utc:%H:%M}") == ("11:00", "13:00")
    assert "bars of 60 minutes cannot show −10/+20 min" in move.reason and "at most 5 minutes" in move.reason
    assert any("US consumer price index" in text for text in move.news)  # 12:30 UTC lies inside what hour bars allow
    assert "15 minutes is the bound" in result["S&P 500 CFD"].spread.reason
    assert result.excluded["window"].tolist() == ["−10/+20 min"]


@pytest.mark.reference
def test_a_time_known_to_the_hour_is_not_given_a_narrow_window(cfd: mr.BarData) -> None:
    result = mr.react_intraday("2025-06-10-jt", cfd, windows=[(-10, 20), (-170, 250)])
    narrow, wide = result["S&P 500 CFD"].moves
    assert "is known to 22:15 to 23:00 UTC only (−35 to +10 min), which −10/+20 min does not hold" in narrow.reason
    assert narrow.used[0] <= -45 and narrow.used[1] >= 30
    assert wide.kind == "as asked"  # it holds the bounds, whatever the minute was


@pytest.mark.reference
def test_the_yuan_on_a_us_cpi(yuan: mr.BarData) -> None:
    result = mr.react_intraday("2022-10-13-us-cpi", yuan, windows=[(-30, 30), (-10, 20)])
    move, nearest = result["USD/CNY"].moves
    assert (move.price_before, move.price_after) == (7.1819, 7.2157)
    assert move.placebo is not None and move.placebo.scaled
    assert move.placebo.rank.p_value == move.placebo.rank.floor == 1 / (1 + move.placebo.rank.n_placebo)
    assert "(7.1819 to 7.2157; up = yuan weaker), which was unusual" in result.answer()
    assert nearest.kind == "nearest" and nearest.used == (-30.0, 30.0)
    assert nearest.change == move.change


@pytest.mark.reference
def test_the_pool_is_what_plain_pandas_gives(yuan: mr.BarData, reference: Path) -> None:
    result = mr.react_intraday("2022-10-13-us-cpi", yuan, windows=[(-30, 30)], history=5000)
    found = result["USD/CNY"].moves[0].placebo
    rows = pd.read_csv(reference / "data" / "real" / "USDCNY_intraday.csv.gz", index_col="date", parse_dates=True)
    starts = rows["close"].tz_localize("Asia/Shanghai").tz_convert("America/New_York")
    by_end = starts.set_axis(starts.index + pd.Timedelta(minutes=30))  # all bars are half hours before 2023
    expected = {}
    for day in pd.bdate_range("2020-12-21", "2022-10-12")[::-1]:
        at = (day + pd.Timedelta(hours=8, minutes=30)).tz_localize("America/New_York")
        before, after = (by_end.get(at + pd.Timedelta(minutes=shift)) for shift in (-30, 30))
        if before is not None and after is not None:
            expected[at.tz_convert("UTC")] = after / before - 1
    assert found is not None
    got = pd.Series(found.pool, index=found.pool_utc)
    assert list(got.index) == list(expected)[:-60]  # the oldest 60 days start the volatility
    np.testing.assert_allclose(got, list(expected.values())[:-60], rtol=1e-12, atol=1e-15)
    variance = float(np.mean(np.square(list(expected.values())[:-61:-1])))
    for move in list(expected.values())[:-60][::-1]:
        variance = 0.97 * variance + 0.03 * move**2
    assert found.rank.statistic == pytest.approx((7.2157 / 7.1819 - 1) / variance**0.5, rel=1e-9)


def rate_cuts(reference: Path) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame, pd.Series]:
    folder = reference / "reference" / "eventstudies"
    stocks = pd.read_csv(folder / "ratecut_input_stock_minute_returns.csv", parse_dates=["timestamp_utc"])
    index = pd.read_csv(folder / "ratecut_input_index_minute_returns.csv", parse_dates=["timestamp_utc"])
    events = pd.read_csv(folder / "ratecut_input_events.csv", parse_dates=["when"]).set_index("name")["when"]
    return (
        stocks, index.set_index("timestamp_utc")["ret"], pd.read_csv(folder / "ratecut_output_abnormal_returns.csv"),
        events,
    )  # fmt: skip


@pytest.mark.reference
def test_abnormal_minutes_equal_those_of_eventstudies_on_all_52_bank_events(reference: Path) -> None:
    stocks, index, expected, events = rate_cuts(reference)
    checked = 0
    for unit, rows in expected.groupby("unit"):
        own = stocks[stocks["unit"] == unit].set_index("timestamp_utc")["ret"]
        both = own.to_frame("own").join(index.rename("market"), how="inner").dropna()
        # The package counts rows, not minutes: its minute 0 is the last row at or before the event.
        zero = int(both.index.searchsorted(events[unit], side="right")) - 1
        estimation = np.arange(len(both)) < zero - 34
        abnormal, _ = numbers.abnormal_moves(both["own"].to_numpy(), both["market"].to_numpy(), estimation)
        np.testing.assert_allclose(abnormal[zero - 34 : zero + 36], rows["abnormal_return"], atol=1e-15)
        checked += 1
    assert checked == 52


@pytest.mark.reference
def test_moves_beyond_the_market_on_a_rate_cut(reference: Path) -> None:
    stocks, index, expected, events = rate_cuts(reference)

    def bars(returns: pd.Series) -> pd.DataFrame:
        start = pd.Series([0.0], index=[returns.index[0] - pd.Timedelta(minutes=1)])
        return (100 * (1 + pd.concat([start, returns])).cumprod()).to_frame("close")

    day = index[index.index.date == events["SBIN6"].date()]
    names = [unit for unit in expected["unit"].unique() if unit.endswith("6")]
    own = {unit: stocks[stocks["unit"] == unit].set_index("timestamp_utc")["ret"] for unit in names}
    frames = {"Nifty": bars(day)} | {unit: bars(returns) for unit, returns in own.items()}
    kinds = {name: Instrument(name, "equity", bar_close="15:30 Asia/Kolkata") for name in frames}
    data = mr.BarData.from_frame(frames, kinds, bar_label="end")
    result = mr.react_intraday("2012-04-17 11:00 Asia/Kolkata", data, windows=[(-35, 35)], benchmark="Nifty")
    assert len(names) == 8
    for unit in names:
        sums = expected.loc[expected["unit"] == unit, "abnormal_return"].sum()
        assert result[unit].moves[0].abnormal == pytest.approx(sums, abs=1e-12)
        inside = own[unit][(own[unit].index > events[unit] - pd.Timedelta(minutes=35))
                           & (own[unit].index <= events[unit] + pd.Timedelta(minutes=35))]  # fmt: skip
        assert result[unit].moves[0].change == pytest.approx((1 + inside).prod() - 1, rel=1e-10)
    assert np.isnan(result["Nifty"].moves[0].abnormal)


# ---- prices and windows ---------------------------------------------------------------------------------------------


def test_last_bar_complete_at_or_before() -> None:
    ends = np.array([10, 20, 30]) * MINUTE
    found = numbers.last_complete(ends, np.array([9, 10, 19, 45]) * MINUTE)
    assert found.position.tolist() == [-1, 0, 0, 2]
    assert np.isnan(found.stale[0]) and found.stale[1:].tolist() == [0.0, 9.0, 15.0]
    assert numbers.first_complete(ends, np.array([11, 31]) * MINUTE).position.tolist() == [1, 3]


def test_price_before_and_after_with_their_age() -> None:
    minutes = [*range(-30, -12), *range(-11, 61)]  # no bar ends at -12; -10 is there, 20 is not
    minutes.remove(-10)
    minutes.remove(20)
    result = mr.react_intraday(T0.to_pydatetime(), spot(minutes, [100.0 + m for m in minutes]), windows=[(-10, 20)])
    move = result["Spot"].moves[0]
    assert (move.price_before, move.stale_before) == (89.0, 1.0)
    assert (move.price_after, move.stale_after) == (119.0, 1.0)
    assert move.change == pytest.approx(119 / 89 - 1)


def test_prices_are_not_carried_beyond_their_age() -> None:
    minutes = [*range(-60, -18), *range(-5, 61)]
    bars = spot(minutes, np.linspace(100, 101, len(minutes)))
    refused = mr.react_intraday(T0.to_pydatetime(), bars, windows=[(-10, 20)])
    reason = refused["Spot"].moves[0].reason
    assert "price before is missing: the nearest bar lies 9 minutes from -10 min, and 5 is the bound" in reason
    assert refused.reason == "No window could be measured." and refused.answer().startswith("No window could be")
    assert mr.react_intraday(T0.to_pydatetime(), bars, windows=[(-10, 20)], stale=9)["Spot"].moves[0].measured


def test_a_price_after_must_be_from_after_the_announcement() -> None:
    minutes = [*range(-30, 1), *range(8, 61)]
    bars = spot(minutes, np.linspace(100, 101, len(minutes)))
    move = mr.react_intraday(T0.to_pydatetime(), bars, windows=[(-10, 4)])["Spot"].moves[0]
    assert "no bar that ends after the announcement is complete by +4 minutes" in move.reason


def test_bars_that_end_before_or_begin_after_the_window_are_refused() -> None:
    early = spot(range(-60, 5), np.linspace(100, 101, 65))
    late = spot(range(5, 90), np.linspace(100, 101, 85))
    assert (
        "the bars end at 2025-06-11 12:08 UTC" in mr.react_intraday(T0.to_pydatetime(), early)["Spot"].moves[0].reason
    )
    assert (
        "the bars begin at 2025-06-11 12:08 UTC" in mr.react_intraday(T0.to_pydatetime(), late)["Spot"].moves[0].reason
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"windows": [(5, 20)]}, r"window \(5, 20\) must begin before the announcement"),
        ({"windows": [(-10, 2000)]}, "at most a day of 1440 minutes"),
        ({"windows": []}, "no window is named"),
        ({"stale": -1}, "stale=-1 is no age"),
        ({"path": (5, 20)}, r"path=\(5, 20\) must begin before"),
        ({"history": 0}, "history=0 is no number of days"),
    ],
)
def test_windows_that_make_no_sense_are_refused(change: dict, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        mr.react_intraday(T0.to_pydatetime(), spot(range(-60, 90), np.linspace(100, 101, 150)), **change)


def test_announcements_without_a_documented_minute_are_refused() -> None:
    bars = spot(range(-60, 90), np.linspace(100, 101, 150))
    for name, text in (("2025-06-10-us", "is known to the day only"), ("memory_time", "rests on 'memory_time'")):
        events = mr.load_events()
        event_id = name if name in events.index else events.index[events["evidence"] == name][0]
        result = mr.react_intraday(event_id, bars)
        assert result.markets == () and text in result.reason and text in result.answer()
    with pytest.raises(AnnouncementTimeError, match="has no clock time"):
        mr.react_intraday("2025-06-11", bars)


def test_a_benchmark_without_bars_or_history_is_refused() -> None:
    bars = spot(range(-20, 90), np.linspace(100, 101, 110))
    with pytest.raises(UnknownInstrumentError, match="benchmark='Nifty' has no bars; loaded are Spot"):
        mr.react_intraday(T0.to_pydatetime(), bars, benchmark="Nifty")
    frame = bars["Spot"].bars[["close"]]
    both = mr.BarData.from_frame(
        {"Spot": frame, "Other": frame},
        {"Spot": SPOT, "Other": Instrument("Other", "fx")},
        bar_label="end",
    )
    with pytest.raises(WindowError, match=r"has 10 common bars before the windows, and needs 20"):
        mr.react_intraday(T0.to_pydatetime(), both, benchmark="Other", windows=[(-10, 20)])


# ---- placebo, volume, spread ----------------------------------------------------------------------------------------


def test_few_days_give_a_floor_and_no_verdict_and_more_days_give_one() -> None:
    few = mr.react_intraday(T0.to_pydatetime(), many_days(5, 0.02), windows=[(-10, 20)])
    rank = few["Spot"].moves[0].placebo.rank
    assert (rank.n_placebo, rank.floor, rank.p_value) == (4, 0.2, 0.2)
    assert "with 4 earlier days no p can lie below 0.20" in few.answer()
    assert few["Spot"].moves[0].placebo.mde == float("inf")
    many = mr.react_intraday(T0.to_pydatetime(), many_days(31, 0.02), windows=[(-10, 20)])
    assert many["Spot"].moves[0].placebo.rank.p_value == pytest.approx(1 / 31)
    assert ", which was unusual (placebo p 0.032, floor 0.032, 30 earlier days" in many.answer()
    none = mr.react_intraday(T0.to_pydatetime(), many_days(31, 0.0), windows=[(-10, 20)])
    assert "not distinguishable from an ordinary day" in none.answer()
    assert 0 < none["Spot"].moves[0].placebo.mde < 0.01


def test_days_of_excluded_events_leave_the_pool() -> None:
    events = mr.load_events({"a": "2025-06-10 12:10 UTC", "b": "2025-06-09 18:00 UTC", "c": "2025-06-06 12:24 UTC"})
    bars = many_days(31, 0.02)
    result = mr.react_intraday(T0.to_pydatetime(), bars, windows=[(-10, 20)], exclude=events)
    placebo = result["Spot"].moves[0].placebo
    assert placebo.n_left_out == 2 and placebo.rank.n_placebo == 28
    assert "2025-06-10" not in {f"{day:%Y-%m-%d}" for day in placebo.pool_utc}


def test_the_same_clock_time_follows_the_clock_of_the_announcement() -> None:
    index = pd.DatetimeIndex(["2025-03-06 13:30", "2025-03-07 13:30", "2025-03-10 12:30", "2025-03-11 12:30"], tz="UTC")
    parts = [pd.date_range(at - pd.Timedelta(hours=1), at + pd.Timedelta(hours=2), freq="min") for at in index]
    frame = pd.DataFrame({"close": 100.0}, index=parts[0].append(parts[1:]))
    bars = mr.BarData.from_frame({"Spot": frame}, {"Spot": SPOT}, bar_label="end")
    result = mr.react_intraday("2025-03-11 08:30 America/New_York", bars, windows=[(-10, 20)])
    assert result["Spot"].moves[0].placebo.pool_utc.tolist() == index[[2, 1, 0]].tolist()


def test_volume_is_compared_with_the_same_minutes_of_earlier_days() -> None:
    frame = many_days(21, 0.0)["Spot"].bars[["close", "volume"]].copy()
    inside = (frame.index > T0) & (frame.index <= T0 + pd.Timedelta(minutes=20))
    frame.loc[inside, "volume"] = 35.0
    bars = mr.BarData.from_frame({"Spot": frame}, {"Spot": SPOT}, bar_label="end")
    move = mr.react_intraday(T0.to_pydatetime(), bars, windows=[(-10, 20)])["Spot"].moves[0]
    assert (move.volume, move.usual_volume, move.volume_share, move.n_volume) == (700.0, 200.0, 0.0, 20)


def test_half_time_and_volatility_by_hand() -> None:
    assert numbers.half_time(np.array([1.0, 2, 3, 4]), np.array([0.1, 0.6, 0.4, 1.0])) == 2.0
    assert numbers.half_time(np.array([1.0, 2]), np.array([-0.4, -1.0])) == 2.0
    assert np.isnan(numbers.half_time(np.array([1.0]), np.array([0.0])))
    ends = np.arange(1, 7) * 2 * MINUTE
    moves = np.array([np.nan, 0.01, -0.01, 0.01, -0.01, 0.01])
    found = numbers.volatility_per_minute(ends, moves, np.full(6, 2), np.array([0]), (2, 12))
    assert found[0] == pytest.approx(0.01 / np.sqrt(2))
    assert np.isnan(numbers.volatility_per_minute(ends, moves, np.full(6, 2), np.array([0]), (0, 8)))[0]


def test_the_spread_of_a_reaction() -> None:
    minutes = np.arange(-70, 75)
    path = np.where(minutes >= 10, 1.0, 0.0) + 0.25 * ((minutes >= 3) & (minutes < 10))
    spread = mr.react_intraday(T0.to_pydatetime(), spot(list(minutes), 100 + path))["Spot"].spread
    assert spread.half_minutes == 10.0 and spread.hour_change == pytest.approx(0.01)
    assert spread.volatility_before == 0.0
    expected = np.sqrt(0.0025**2 + (101 / 100.25 - 1) ** 2) / np.sqrt(62)  # 12:03 to 13:05
    assert spread.volatility_after == pytest.approx(expected, rel=1e-9)


def test_the_path_breaks_where_bars_are_missing_and_thin_bars_are_named() -> None:
    minutes = [*range(-60, 15), *range(60, 121, 4)]
    row = mr.react_intraday(T0.to_pydatetime(), spot(minutes, np.linspace(100, 101, len(minutes))), windows=[(-10, 10)])
    assert any(note.startswith("thin bars:") for note in row["Spot"].notes)
    line = next(trace for trace in row.plot().data if trace.name == "close of each bar")
    assert sum(value is None or np.isnan(value) for value in line.y) > 0


def test_yields_move_by_differences() -> None:
    frame = pd.DataFrame({"close": [4.40] * 30 + [4.46] * 60}, index=T0 + pd.to_timedelta(range(-29, 61), unit="min"))
    bond = Instrument("Bond", "yield", return_kind="difference", bar_close="16:00 America/New_York")
    result = mr.react_intraday(
        T0.to_pydatetime(), mr.BarData.from_frame({"Bond": frame}, {"Bond": bond}, bar_label="end")
    )
    assert result["Bond"].moves[0].change == pytest.approx(0.06)
    assert "Bond rose 6 bp" in result.answer()


# ---- what is shown --------------------------------------------------------------------------------------------------


def test_an_empty_result_says_why_everywhere() -> None:
    result = mr.react_intraday("2025-06-11-us", mr.load_bars(["USD/CNH"], "2025-06-11-us"))
    assert result.markets == () and result.to_frame().empty and result.paths().empty and result.spread().empty
    assert result.excluded[["market", "reason"]].to_numpy().tolist() == [["USD/CNH", result.excluded["reason"][0]]]
    assert "Supply bars as files" in result.answer() and "Supply bars as files" in result._repr_html_()
    for kind in ("path", "placebo", "volume"):
        assert "Nothing to draw" in result.plot(kind=kind).layout.title.text
    assert result.figures() == {}
    assert set(result.provenance().parameters) >= {"announcement", "windows", "stale", "history"}


def test_the_printed_tables_have_a_column_only_where_it_says_something() -> None:
    result = mr.react_intraday(T0.to_pydatetime(), many_days(31, 0.02), windows=[(-10, 20)])
    moves, spread = result.printed().values()
    assert next(iter(result.printed())) == "Moves around 2025-06-11 12:04 UTC"
    headings = ["Market", "Window", "Change", "Placebo p (floor)", "Compared days", "Smallest detectable", "Volume"]
    assert moves.columns.tolist() == headings
    change = 100 * result["Spot"].moves[0].change
    assert moves.iloc[0].tolist()[:5] == ["Spot", "−10/+20 min", f"{change:+.2f}%", "0.032 (0.032)", "30"]  # 1 of 31
    assert moves["Volume"].tolist() == ["1.0 × usual"]
    assert spread.columns.tolist()[:4] == ["Market", "Bars of", "Move of the hour", "Half of it by"]
    page = result._repr_html_()
    assert all(f">{name}</th>" in page for name in headings) and "(100% of 30 earlier days had as much)" in page


def test_what_stands_in_the_way_is_printed() -> None:
    minutes = [*range(-60, -18), *range(-5, 61)]
    refused = mr.react_intraday(T0.to_pydatetime(), spot(minutes, np.linspace(100, 101, len(minutes))))
    lines = refused.printed()["Moves around 2025-06-11 12:04 UTC"]
    assert lines["Change"].eq("n/a").any() and lines["Remark"].str.contains("price before is missing").any()
    assert "Volume" not in lines
    missing = mr.react_intraday("2025-06-11-us", mr.load_bars(["USD/CNH"], "2025-06-11-us"))
    (left,) = missing.printed().values()
    assert left.columns.tolist() == ["Market", "Reason"] and left["Market"].tolist() == ["USD/CNH"]
    day = mr.react_intraday("2025-06-10-us", spot(range(-60, 90), np.linspace(100, 101, 150)))
    (left,) = day.printed().values()
    assert left["Market"].tolist() == ["Spot"] and "is known to the day only" in left["Reason"].iloc[0]


def test_the_path_chart_marks_the_announcement_its_bounds_and_the_band() -> None:
    result = mr.react_intraday(T0.to_pydatetime(), many_days(31, 0.02), windows=[(-10, 20)])
    figure = result.plot(kind="path")
    dashed = [shape for shape in figure.layout.shapes if shape.line.dash == "dash"]
    assert dashed[0].x0 == dashed[0].x1 == 0
    shade = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (shade[0].x0, shade[0].x1) == (-1.0, 1.0)
    assert "90% of earlier days, pointwise" in {trace.name for trace in figure.data}
    assert "was unusual: placebo p 0.032" in figure.layout.title.text
    assert len(result.plot(kind="placebo").data[1].x) == 0  # no day moved as much
    assert "1.0 × usual" in result.plot(kind="volume").layout.title.text
    with pytest.raises(ValueError, match="kind='bars' is not known; choose one of path, placebo, volume"):
        result.plot(kind="bars")  # type: ignore[arg-type]


def test_the_band_is_the_quantile_of_earlier_days() -> None:
    bars = many_days(31, 0.02)
    path = mr.react_intraday(T0.to_pydatetime(), bars, windows=[(-10, 20)])["Spot"].path
    closes = bars["Spot"].bars["close"]
    moves = []
    for day in pd.bdate_range("2025-04-30", "2025-06-10"):
        at = day.tz_localize("UTC") + pd.Timedelta(hours=12, minutes=4)
        moves.append(closes[at + pd.Timedelta(minutes=30)] / closes[at - pd.Timedelta(minutes=10)] - 1)
    row = path[path["minute"] == 30].iloc[0]
    assert row["n_days"] == 30
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(moves, [0.05, 0.95]), rel=1e-9)


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    hostile = Instrument('<script>alert(1)</script>=HYPERLINK("x")', "fx")
    frame = many_days(25, 0.02)["Spot"].bars
    bars = mr.BarData.from_frame({hostile.name: frame}, {hostile.name: hostile}, bar_label="end")
    result = mr.react_intraday(T0.to_pydatetime(), bars)
    assert "<script>alert" not in result._repr_html_() + bars._repr_html_()
    assert "<script>" not in result.plot().to_json().replace("\\u003c", "<")
    tables = result.tables()
    assert next(iter(tables)) == "Moves" and len(tables["Moves"]) == 3
    assert result.to_excel(tmp_path / "x.xlsx").is_file()


def test_inputs_are_not_changed_and_the_numbers_do_not_depend_on_the_path() -> None:
    bars = many_days(12, 0.01)
    before = bars["Spot"].bars.copy()
    first = mr.react_intraday(T0.to_pydatetime(), bars).to_frame()
    second = mr.react_intraday(T0.to_pydatetime(), bars, path=(-30, 30)).to_frame()
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(bars["Spot"].bars, before)
