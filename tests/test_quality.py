"""Quality rules: real defective files, planted defects one per rule, and few false alarms on clean series."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from market_reaction import paths
from market_reaction.clocks import parse_bar_close
from market_reaction.instruments import Instrument, catalogue
from market_reaction.prices import PriceData, PriceSeries, Vintage, build_series
from market_reaction.quality import INFORMATION, QualityReport, check_prices, check_series, row_offset
from market_reaction.quality_futures import expiry_sessions, roll_sessions
from market_reaction.sources.formats import read_bars

COLUMNS = ["session", "rule", "value", "bound", "what_to_do"]
DAY = pd.Timestamp("2023-05-16")  # an ordinary Tuesday in all markets used here


@cache
def reference() -> Path:
    folder = Path(os.environ.get("MARKET_REACTION_REFERENCE") or Path(__file__).resolve().parents[2] / "shared")
    if not (folder / "data" / "series").is_dir():
        pytest.skip(f"no reference folder at {folder}; set MARKET_REACTION_REFERENCE to have this tested")
    return folder / "data"


def make(bars: pd.DataFrame, market: str, source: str = "files", clock: str = "") -> PriceSeries:
    vintage = Vintage(source, market, None, bars.index[0], bars.index[-1], len(bars), "0")
    rules = (parse_bar_close(clock),) if clock else None
    instrument = catalogue()[market]
    return build_series(instrument, bars, source=source, price_basis="close", vintage=vintage, bar_close=rules)


@cache
def real(file: str, market: str, source: str = "files", clock: str = "") -> PriceSeries:
    return make(read_bars(reference() / file), market, source, clock)


@cache
def csi300() -> PriceSeries:
    return make(read_bars(paths.data_dir() / "bundled" / "csi300.csv"), "CSI 300", "bundled")


def sp500() -> PriceSeries:
    return real("series/sp500.csv", "S&P 500")


def e_mini() -> PriceSeries:
    return real("series/es_f.csv", "E-mini S&P 500")


def usdcnh() -> PriceSeries:
    return real("series/usdcnh.csv", "USD/CNH")


def ecb() -> PriceSeries:
    return real("series/usdcny_ecb.csv", "USD/CNY", "bundled")


def yahoo_yuan(file: str = "series/alt/usdcny_yahoo_misdated.csv") -> PriceSeries:
    return real(file, "USD/CNY", "yahoo")


def counts(report: QualityReport) -> dict[str, int]:
    """Findings by rule, nothing summed up, without those that only inform."""
    wrong = report.detail[~report.detail["rule"].isin(INFORMATION)]
    return {str(rule): int(count) for rule, count in wrong["rule"].value_counts().items()}


def by_rule(frame: pd.DataFrame, rule: str) -> pd.DataFrame:
    return frame[frame["rule"] == rule].reset_index(drop=True)


def dates(frame: pd.DataFrame) -> list[str]:
    return frame["session"].dt.strftime("%Y-%m-%d").tolist()


# ---- real files with real defects -------------------------------------------------------------------------------


def test_a_filler_row_on_new_years_day_is_reported() -> None:
    report = check_series(real("real/raw/CSI300_with_filler_row.csv", "CSI 300"))
    assert report.findings[["rule", "value"]].to_numpy().tolist() == [["row on a closed day", "2015-01-01"]]


def test_empty_rows_of_yahoo_are_missing_sessions() -> None:
    report = check_series(real("real/raw/CSI_300_yahoo_raw.csv", "CSI 300", "yahoo"))
    missing = by_rule(report.findings, "missing session")
    assert counts(report) == {"missing session": 29}
    assert missing["value"].str.contains("row without a close").sum() == 28
    assert dates(missing)[2] == "2026-06-17"  # the one session without any row
    assert missing["bound"].unique().tolist() == ["XSHG has a session"]


def test_the_wrong_yahoo_close_is_found_against_a_copy() -> None:
    yahoo = real("real/raw/CSI_300_yahoo_raw.csv", "CSI 300", "yahoo")
    found = check_prices(PriceData({"CSI 300": csi300(), "CSI 300 (Yahoo)": yahoo}))
    differs = found[found["rule"].str.startswith("differs from")]
    assert dates(differs) == ["2023-08-25", "2023-08-25"]
    assert differs["value"].tolist() == ["3709.15 against 3730.79 (-0.58%)", "3730.79 against 3709.15 (+0.58%)"]


def test_a_third_copy_tells_which_close_is_wrong() -> None:
    yahoo = real("real/raw/CSI_300_yahoo_raw.csv", "CSI 300", "yahoo")
    third = real("series/alt/csi300_investing.csv", "CSI 300")
    found = check_prices(PriceData({"official": csi300(), "yahoo": yahoo, "investing": third}))
    differs = found[found["rule"].str.startswith("differs from")]
    assert differs["market"].unique().tolist() == ["yahoo"]
    assert differs["rule"].tolist() == ["differs from investing", "differs from official"]


def test_closing_values_of_vix_on_us_holidays_are_reported_in_one_line() -> None:
    report = check_series(real("series/vix.csv", "VIX"))
    assert len(report.findings) == 1
    assert report.findings.loc[0, "rule"] == "row on a closed day"
    assert report.findings.loc[0, "value"] == "32 sessions, 2022-05-30 to 2026-07-03; the first: 2022-05-30"
    assert len(report.detail) == 32


def test_final_settlements_on_expiry_days_are_found() -> None:
    report = check_series(e_mini())
    off = by_rule(report.findings, "expiry settlement")
    assert len(off) == 28
    assert {"2019-03-15", "2020-03-20", "2025-06-20", "2026-06-18"} <= set(dates(off))
    assert off.loc[dates(off).index("2020-03-20"), "value"] == "close 2437.98"
    cannot = by_rule(report.detail, "expiry settlement cannot be told")
    assert "2018-12-21" in dates(cannot)
    assert len(off) + len(cannot) == 40  # quarterly expiries, September 2016 to June 2026


def test_the_cash_index_tells_the_settlement_that_lies_on_the_grid() -> None:
    found = check_prices(PriceData({"E-mini S&P 500": e_mini(), "S&P 500": sp500()}))
    on_grid = found[found["value"].str.contains("from S&P 500")]
    assert dates(on_grid) == ["2018-12-21", "2020-12-18", "2021-06-18"]
    assert by_rule(found, "expiry settlement cannot be told").empty


@pytest.mark.parametrize(
    ("file", "weekend_rows"),
    [("series/alt/usdcny_yahoo_misdated.csv", 357), ("real/raw/USD_CNY_yahoo_raw.csv", 741)],
)
def test_yahoos_yuan_has_weekend_rows_and_dates_off_by_a_row(file: str, weekend_rows: int) -> None:
    report = check_series(yahoo_yuan(file))
    assert by_rule(report.findings, "weekend row").loc[0, "value"].startswith(f"{weekend_rows} sessions")
    assert len(by_rule(report.findings, "open repeats the close")) == 1
    others = {"USD/CNY (ECB)": ecb(), "USD/CNH": usdcnh()}
    found = check_prices(PriceData({"USD/CNY": yahoo_yuan(file), **others}))
    off = by_rule(found, "dates off by a row")
    assert off["market"].tolist() == ["USD/CNY"]
    assert "Take another source" in off.loc[0, "what_to_do"]


def corrected() -> PriceSeries:
    """Yahoo's yuan with the Sunday stamps of London's summer put right: still one row late."""
    bars = read_bars(reference() / "series/alt/usdcny_yahoo_misdated.csv")
    after = bars.index + pd.Timedelta(days=1)
    weeks = after.to_period("W-SUN")
    summer = weeks.isin(weeks[bars.index.day_of_week == 6])
    bars.index = pd.DatetimeIndex(np.where(summer, after, bars.index))
    return make(bars[~bars.index.duplicated()], "USD/CNY", "yahoo")


def test_row_offset_gives_the_measured_correlations() -> None:
    onshore = real("series/usdcny_onshore.csv", "USD/CNY", "files", "23:30 Asia/Shanghai")
    offset = row_offset(corrected(), onshore)
    assert offset.misdated
    assert offset.best_lag == -1
    assert offset.correlations[0] == pytest.approx(0.02, abs=0.05)
    assert offset.correlations[-1] > 0.75
    assert offset.first is not None
    assert offset.first.year == 2015
    assert "at its own date" in str(offset)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ecb, usdcnh),  # 14:15 Frankfurt against 17:00 New York
        (csi300, lambda: real("series/etf_ashr.csv", "ASHR")),  # 15:00 Shanghai against 16:00 New York
        (e_mini, sp500),
        (lambda: real("series/hsi.csv", "Hang Seng"), lambda: real("series/etf_fxi.csv", "FXI")),
        (lambda: real("series/usdcny_pboc_fixing.csv", "USD/CNY", "files", "09:15 Asia/Shanghai"), usdcnh),
        (lambda: real("series/alt/usdcnh_b.csv", "USD/CNH"), usdcnh),
    ],
)
def test_clocks_explain_lags_between_sound_series(
    one: Callable[[], PriceSeries], other: Callable[[], PriceSeries]
) -> None:
    for a, b in ((one(), other()), (other(), one())):
        offset = row_offset(a, b)
        assert not offset.misdated, str(offset)
        assert offset.share_off < 0.05


def test_a_fixing_with_the_wrong_clock_is_off_by_a_row() -> None:
    fixing = real("series/usdcny_pboc_fixing.csv", "USD/CNY")  # as if it closed at 17:00 New York
    assert row_offset(fixing, usdcnh()).misdated


def test_a_few_common_sessions_tell_nothing() -> None:
    offset = row_offset(make(csi300().bars.iloc[:40], "CSI 300"), csi300())
    assert (offset.misdated, offset.n) == (False, 39)
    assert np.isnan(offset.correlations[0])


@pytest.mark.parametrize("rows", [1, -1])
def test_a_shifted_copy_is_named_and_not_the_sound_one(rows: int) -> None:
    bars = sp500().bars.copy()
    bars["close"] = bars["close"].shift(rows)
    shifted = make(bars, "S&P 500")
    found = by_rule(
        check_prices(PriceData({"S&P 500": sp500(), "copy": shifted, "E-mini": e_mini()})), "dates off by a row"
    )
    assert found["market"].tolist() == ["copy"]


# ---- planted defects, one per rule ------------------------------------------------------------------------------


def planted(change: Callable[[pd.DataFrame, int], pd.DataFrame | None], market: str = "CSI 300") -> QualityReport:
    source = {"CSI 300": csi300, "E-mini S&P 500": e_mini, "USD/CNH": usdcnh}[market]()
    bars = source.bars.copy()
    at = int(bars.index.get_loc(DAY))
    changed = change(bars, at)
    return check_series(make(bars if changed is None else changed, market))


def set_close(bars: pd.DataFrame, at: int, factor: float) -> None:
    for column in bars.columns.intersection(["open", "high", "low", "close"]):
        bars.iloc[at, bars.columns.get_loc(column)] *= factor


def test_rare_moves_between_repeated_closes_are_no_spikes() -> None:
    steps = np.zeros(1000)
    steps[::10], steps[1::10] = 0.125, -0.125  # a share that trades between two ticks
    bars = pd.DataFrame({"close": 2 + np.cumsum(steps)}, index=csi300().sessions[:1000])
    assert by_rule(check_series(make(bars, "CSI 300")).findings, "spike").empty


def new_findings(report: QualityReport, market: str = "CSI 300") -> pd.DataFrame:
    clean = {"CSI 300": csi300, "E-mini S&P 500": e_mini, "USD/CNH": usdcnh}[market]().quality.detail
    known = set(zip(clean["session"], clean["rule"], strict=True))
    fresh = [pair not in known for pair in zip(report.detail["session"], report.detail["rule"], strict=True)]
    return report.detail[fresh].reset_index(drop=True)


def test_a_missing_session_is_found() -> None:
    found = new_findings(planted(lambda bars, at: bars.drop(bars.index[at])))
    assert found[["rule", "value"]].to_numpy().tolist() == [["missing session", "2023-05-16"]]


def test_a_long_gap_is_found_where_no_calendar_exists() -> None:
    found = new_findings(planted(lambda bars, at: bars.drop(bars.index[at : at + 5]), "USD/CNH"), "USD/CNH")
    assert found[["rule", "value"]].to_numpy().tolist() == [["long gap", "7 days without a row since 2023-05-15"]]
    assert dates(found) == ["2023-05-23"]


def test_four_days_without_a_row_are_no_gap() -> None:
    assert new_findings(planted(lambda bars, at: bars.drop(bars.index[at + 2 : at + 4]), "USD/CNH"), "USD/CNH").empty


def test_duplicates_and_closed_days_are_reported_singly_or_in_one_line() -> None:
    def add(bars: pd.DataFrame, at: int) -> pd.DataFrame:
        saturdays = pd.date_range("2023-05-20", periods=5, freq="7D")
        extra = pd.DataFrame({"close": 4000.0}, index=saturdays)
        return pd.concat([bars, bars.iloc[[at]], extra])

    report = planted(add)
    assert dates(by_rule(report.findings, "date given twice")) == ["2023-05-16"]
    closed = by_rule(report.findings, "row on a closed day")
    assert closed["value"].tolist() == ["5 sessions, 2023-05-20 to 2023-06-17; the first: 2023-05-20"]
    assert len(report.between(pd.Timestamp("2023-05-20"), pd.Timestamp("2023-05-27"))) == 2


def test_a_close_that_is_not_positive_is_found_and_wti_has_one() -> None:
    found = by_rule(check_series(real("series/wti_cl.csv", "WTI")).findings, "close not positive")
    assert found[["value", "bound"]].to_numpy().tolist() == [["-37.63", "above 0"]]
    assert dates(found) == ["2020-04-20"]


@pytest.mark.parametrize("factor", [1.15, 0.85])
def test_a_spike_is_found(factor: float) -> None:
    found = new_findings(planted(lambda bars, at: set_close(bars, at, factor)))
    assert found["rule"].tolist() == ["spike"]
    assert dates(found) == ["2023-05-16"]
    assert found.loc[0, "bound"].startswith("8 robust sd = ")


def test_a_jump_that_stays_is_no_spike() -> None:
    def jump(bars: pd.DataFrame, at: int) -> None:
        bars.iloc[at:, :4] *= 1.3

    assert new_findings(planted(jump)).empty


@pytest.mark.parametrize("factor", [10.0, 0.01, 1000.0])
def test_a_change_of_unit_is_found(factor: float) -> None:
    def rescale(bars: pd.DataFrame, at: int) -> None:
        bars.iloc[at:, :4] *= factor

    found = new_findings(planted(rescale))
    assert found["rule"].tolist() == ["unit change"]
    assert dates(found) == ["2023-05-16"]


def test_a_stale_run_is_found_and_covers_its_sessions() -> None:
    def repeat(bars: pd.DataFrame, at: int) -> None:
        bars.iloc[at : at + 6, :4] = bars["close"].iloc[at]

    report = planted(repeat)
    found = by_rule(report.findings, "stale run")
    assert len(found) == 1
    assert found.loc[0, "value"].startswith("6 equal closes of")
    assert found.loc[0, "bound"] == "fewer than 5"
    inside = report.between(DAY + pd.Timedelta(days=2), DAY + pd.Timedelta(days=2), information=False)
    assert inside["rule"].tolist() == ["stale run"]
    later = DAY + pd.Timedelta(days=10)
    assert report.between(later, later).empty


def test_a_pegged_series_may_repeat_itself() -> None:
    noise = np.random.default_rng(7)
    close = 7.75 + 0.0001 * np.cumsum(noise.random(1500) < 0.3) % 3
    bars = pd.DataFrame({"close": close}, index=pd.bdate_range("2018-01-01", periods=1500))
    assert by_rule(check_series(make(bars, "USD/HKD")).findings, "stale run").empty
    bars.iloc[700:760] = 7.75
    assert len(by_rule(check_series(make(bars, "USD/HKD")).findings, "stale run")) == 1


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("high", 3900.0, "close above high"),
        ("low", 4100.0, "close below low"),
        ("open", 5000.0, "open outside the range"),
    ],
)
def test_prices_outside_the_bar_are_found(column: str, value: float, rule: str) -> None:
    def spoil(bars: pd.DataFrame, at: int) -> None:
        bars.iloc[at, :4] = [4000.0, 4010.0, 3890.0, 4005.0]
        if column == "low":
            bars.iloc[at, :4] = [4115.0, 4120.0, 3990.0, 4005.0]
        if column == "high":
            bars.iloc[at, :4] = [3895.0, 4010.0, 3890.0, 3960.0]
        bars.iloc[at, bars.columns.get_loc(column)] = value

    found = new_findings(planted(spoil))
    assert found["rule"].tolist() == [rule]
    assert dates(found) == ["2023-05-16"]


def test_high_below_low_is_found() -> None:
    def swap(bars: pd.DataFrame, at: int) -> None:
        bars.iloc[at, [1, 2]] = bars.iloc[at, [2, 1]].to_numpy()

    assert new_findings(planted(swap))["rule"].tolist() == ["high below low"]


def test_a_bar_without_range_is_found_and_gold_has_many() -> None:
    def flatten(bars: pd.DataFrame, at: int) -> None:
        bars.iloc[at, :4] = bars["close"].iloc[at]

    found = new_findings(planted(flatten))
    assert found["rule"].tolist() == ["high equals low"]
    gold = by_rule(check_series(real("series/gold_gc.csv", "Gold")).findings, "high equals low")
    assert gold["value"].str.startswith("145 sessions").all()
    assert len(gold) == 1


def test_a_close_off_the_tick_grid_is_found_on_any_day() -> None:
    found = new_findings(planted(lambda bars, at: set_close(bars, at, 1.00001), "E-mini S&P 500"), "E-mini S&P 500")
    assert found["rule"].tolist() == ["close off the tick grid"]


def test_a_cfd_is_off_the_grid_as_a_whole() -> None:
    report = check_series(real("real/ES_FUT.csv", "E-mini S&P 500"))
    off = by_rule(report.findings, "close off the tick grid")
    assert off["value"].tolist() == ["31% of the closes"]
    assert {"close above high", "close below low"} <= set(report.findings["rule"])


def test_expiries_fall_on_third_fridays_or_the_session_before() -> None:
    days = expiry_sessions(pd.Timestamp("2008-01-01"), pd.Timestamp("2008-12-31"))
    assert [f"{day:%Y-%m-%d}" for day in days] == ["2008-03-20", "2008-06-20", "2008-09-19", "2008-12-19"]
    assert expiry_sessions(pd.Timestamp("2026-06-01"), pd.Timestamp("2026-06-30"))[0] == pd.Timestamp("2026-06-18")


def test_rolls_are_stated_as_information() -> None:
    roll = roll_sessions(e_mini())
    assert pd.Timestamp("2025-06-23") in roll
    assert len(roll) == 40
    oil = roll_sessions(real("series/wti_cl.csv", "WTI"))
    assert pd.Timestamp("2020-04-22") in oil  # the May contract last traded on 21 April 2020
    assert "front month rolls" in INFORMATION
    line = by_rule(check_series(e_mini()).findings, "front month rolls")
    assert line["value"].str.startswith("40 sessions, 2016-09-19 to 2026-06-22").tolist() == [True]


def test_a_jump_without_a_counterpart_is_found_only_with_siblings() -> None:
    bars = sp500().bars.copy()
    at = int(bars.index.get_loc(DAY))
    bars.iloc[at:, bars.columns.get_loc("close")] *= 1.2
    jumped = make(bars, "S&P 500")
    assert counts(check_series(jumped)) == {}
    found = check_prices(PriceData({"S&P 500": jumped, "E-mini S&P 500": e_mini()}))
    lone = by_rule(found, "jump without a counterpart")
    assert lone[["market", "value"]].to_numpy().tolist() == [["S&P 500", "+17.59%"]]
    assert dates(lone) == ["2023-05-16"]


def test_a_crash_that_siblings_share_is_no_finding() -> None:
    hang_seng = real("series/hsi.csv", "Hang Seng")
    crash = hang_seng.returns("simple")[hang_seng.sessions.get_loc(pd.Timestamp("2025-04-07"))]
    assert crash == pytest.approx(-0.132, abs=0.001)
    markets = {
        "Hang Seng": hang_seng,
        "FXI": real("series/etf_fxi.csv", "FXI"),
        "EWH": real("series/etf_ewh.csv", "EWH"),
    }
    found = check_prices(PriceData(markets))
    assert found[["market", "rule", "value"]].to_numpy().tolist() == [
        ["Hang Seng", "missing session", "2023-09-01"],  # typhoon
        ["Hang Seng", "missing session", "2023-09-08"],  # rainstorm
    ]


def test_a_spike_that_a_sibling_shows_is_dropped() -> None:
    markets = {}
    for name, source in (("S&P 500", sp500()), ("E-mini S&P 500", e_mini())):
        bars = source.bars.copy()
        set_close(bars, int(bars.index.get_loc(DAY)), 1.2)
        markets[name] = make(bars.round(2), name)
    assert "spike" in counts(check_series(markets["S&P 500"]))
    assert by_rule(check_prices(PriceData(markets)), "spike").empty


# ---- clean series ------------------------------------------------------------------------------------------------

CLEAN = {
    "csi300": (lambda: real("series/csi300.csv", "CSI 300"), {}),
    "csi300-bundled": (csi300, {}),
    "sp500": (sp500, {}),
    "hsi": (lambda: real("series/hsi.csv", "Hang Seng"), {"missing session": 2}),  # storms of September 2023
    "usdcnh": (usdcnh, {"close below low": 16}),  # real: the source's closes lie 1 to 15 pips below its lows
    "usdcny_ecb": (ecb, {}),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_series_raise_few_alarms(name: str) -> None:
    source, allowed = CLEAN[name]
    found = counts(check_series(source()))
    print(f"{name}: {len(source().sessions)} sessions, findings by rule {found}")
    assert {rule: count for rule, count in found.items() if count > allowed.get(rule, 0)} == {}


@pytest.mark.parametrize(
    ("file", "market", "most"),
    [
        ("real/SP500.csv", "S&P 500", {}),
        ("real/DOW.csv", "Dow Jones", {}),
        ("real/DXY.csv", "Dollar index", {}),
        ("real/VIX.csv", "VIX", {}),
        ("real/UST10Y.csv", "US 10y", {"long gap": 1}),
        ("real/NIKKEI225.csv", "Nikkei 225", {"missing session": 3}),
        ("public/UST2Y.csv", "US 2y", {}),
        ("public/BRENT_SPOT.csv", "Brent spot", {"long gap": 1}),
        ("public/BROAD_DOLLAR.csv", "Broad dollar", {"long gap": 2}),
    ],
)
def test_long_histories_raise_few_alarms(file: str, market: str, most: dict[str, int]) -> None:
    found = counts(check_series(real(file, market)))
    assert {rule: count for rule, count in found.items() if count > most.get(rule, 0)} == {}


def test_siblings_together_raise_few_alarms() -> None:
    markets = {s.instrument.name: s for s in (csi300(), sp500(), e_mini(), usdcnh())} | {"USD/CNY (ECB)": ecb()}
    found = check_prices(PriceData(markets))
    rules = found[~found["rule"].isin(INFORMATION)].groupby(["market", "rule"]).size().to_dict()
    print(rules)
    assert rules.pop(("E-mini S&P 500", "expiry settlement")) == 31
    assert rules.pop(("E-mini S&P 500", "missing session")) == 2
    assert rules.pop(("USD/CNH", "close below low")) == 16
    assert sum(rules.values()) <= 2  # 15 February 2016: the onshore market catches up after the Spring Festival


# ---- the report ---------------------------------------------------------------------------------------------------


def walk(rows: int, market: str = "S&P 500") -> PriceSeries:
    """A series from a seeded random walk on the sessions of the instrument's calendar, newest in 2026."""
    from market_reaction import calendars

    sessions = calendars.hours(catalogue()[market].calendar).sessions
    sessions = sessions[sessions <= pd.Timestamp("2026-06-30")][-rows:]
    close = 100 * np.exp(np.cumsum(np.random.default_rng(1).standard_normal(rows) * 0.01))
    frame = pd.DataFrame({"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}, index=sessions)
    frame["open"] *= 1.001
    return make(frame, market)


def test_the_frames_have_their_columns_and_types_even_when_empty() -> None:
    report = check_series(walk(300))
    assert report.market == "S&P 500"
    assert report.findings.empty
    assert list(report.findings.columns) == COLUMNS
    assert report.findings["session"].dtype == "datetime64[ns]"
    whole = check_prices(PriceData({"S&P 500": walk(300)}))
    assert list(whole.columns) == ["market", *COLUMNS]
    assert list(check_prices(PriceData({})).columns) == ["market", *COLUMNS]


@pytest.mark.parametrize("rows", [1, 2, 5, 59, 61])
def test_short_series_are_checked_without_warnings(rows: int) -> None:
    assert check_series(walk(rows)).findings.empty
    markets = {"a": walk(rows), "b": walk(rows), "E-mini S&P 500": walk(rows, "E-mini S&P 500")}
    check_prices(PriceData(markets))


def test_a_report_does_not_change_the_series_and_is_kept() -> None:
    series = walk(500)
    before = series.bars.copy()
    assert series.quality is series.quality
    pd.testing.assert_frame_equal(series.bars, before)


def test_an_instrument_outside_the_catalogue_is_checked() -> None:
    own = Instrument("Lumber", "future", calendar="CMES", bar_close="16:00 America/New_York")
    bars = walk(300).bars
    vintage = Vintage("files", "lumber.csv", None, bars.index[0], bars.index[-1], 300, "0")
    series = build_series(own, bars, source="files", price_basis="settlement", vintage=vintage)
    assert counts(check_series(series)) == {}


def test_checking_five_thousand_rows_is_fast() -> None:
    series = walk(5000)
    check_series(series)
    spent = []
    for _ in range(9):
        start = time.process_time()
        check_series(series)
        spent.append(time.process_time() - start)
    print(f"5,000 rows in {1e3 * min(spent):.1f} ms")
    assert min(spent) < 0.030
