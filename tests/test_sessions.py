"""The clock cases: which session of which market saw the news first."""

import pandas as pd
import pytest

from market_reaction import calendars, events
from market_reaction.clocks import BarClose, bar_close_rules, close_instants, parse_bar_close
from market_reaction.errors import InstrumentTableError, WindowError
from market_reaction.instruments import find_instrument
from market_reaction.prices import PriceData
from market_reaction.sessions import SessionClock, locate, reaction_sessions
from market_reaction.sources.bundled import BundledSource


def session_of(when: str, market: str) -> str:
    table = reaction_sessions(events.load_events({"e": when}), [market])
    return f"{table['session'].iloc[0]:%Y-%m-%d}"


def observed(reference, *files: str) -> PriceData:
    """Closes of the reference folder as price data, each named as an instrument."""
    frames = {}
    for spec in files:
        file, name = spec.split(":")
        frames[name] = pd.read_csv(reference / "data" / "series" / file, index_col=0, parse_dates=True)["close"]
    return PriceData.from_frame(pd.DataFrame(frames))


@pytest.mark.parametrize(
    ("when", "market", "session"),
    [
        ("2025-05-12 07:00 UTC", "CSI 300", "2025-05-13"),
        ("2025-05-12 07:00 UTC", "Hang Seng", "2025-05-12"),
        ("2025-05-12 07:00 UTC", "S&P 500", "2025-05-12"),
        ("2025-06-10 22:50 UTC", "CSI 300", "2025-06-11"),
        ("2025-06-10 22:50 UTC", "Hang Seng", "2025-06-11"),
        ("2025-06-10 22:50 UTC", "S&P 500", "2025-06-11"),
        ("2025-04-04-cn", "S&P 500", "2025-04-04"),
        ("2025-04-04-cn", "CSI 300", "2025-04-07"),
        ("2025-04-04-cn", "Hang Seng", "2025-04-07"),
        ("2026-02-20 15:00 UTC", "CSI 300", "2026-02-24"),
        ("2025-06-07 12:00 UTC", "CSI 300", "2025-06-09"),  # a Saturday
        ("2019-11-29 17:59 UTC", "S&P 500", "2019-11-29"),  # half day: 13:00 New York
        ("2019-11-29 18:01 UTC", "S&P 500", "2019-12-02"),
        ("2019-11-29 18:01 UTC", "VIX", "2019-11-29"),  # 13:15
        ("2024-11-04 06:10 UTC", "Nikkei 225", "2024-11-05"),  # 4 November 2024 was a holiday
        ("2024-11-01 06:10 UTC", "Nikkei 225", "2024-11-05"),  # close still 15:00
        ("2024-11-06 06:10 UTC", "Nikkei 225", "2024-11-06"),  # close now 15:30
        ("2025-04-02 20:10 UTC", "E-mini S&P 500", "2025-04-03"),  # settled at 16:00, not 17:00
        ("2020-10-23 20:10 UTC", "E-mini S&P 500", "2020-10-23"),  # settled at 16:15 then
        ("2020-10-26 20:10 UTC", "E-mini S&P 500", "2020-10-27"),
    ],
)
def test_the_first_session_that_closes_after_the_news(when: str, market: str, session: str) -> None:
    assert session_of(when, market) == session


def test_geneva_is_ambiguous_for_a_shares_only() -> None:
    table = reaction_sessions(events.load_events({"geneva": "2025-05-12-jt"}), ["CSI 300", "Hang Seng", "S&P 500"])
    assert table["ambiguous"].tolist() == [True, False, False]
    first, second = table.loc[("geneva", "CSI 300"), "candidates"]
    assert (f"{first:%m-%d}", f"{second:%m-%d}") == ("05-12", "05-13")


def test_day_precision_takes_the_latest_and_gives_all_candidates() -> None:
    table = events.load_events(
        pd.DataFrame({"event_id": ["d"], "announced_utc": ["2025-06-11"], "local_tz": ["America/New_York"]})
    )
    row = reaction_sessions(table, ["S&P 500"]).iloc[0]
    assert f"{row['session']:%Y-%m-%d}" == "2025-06-12"
    assert [f"{day:%Y-%m-%d}" for day in row["candidates"]] == ["2025-06-11", "2025-06-12"]
    assert row["ambiguous"]


def test_typhoon_days_never_become_day_zero_and_are_reported(reference) -> None:
    prices = observed(reference, "hsi.csv:Hang Seng")
    for storm, reopened in (("2023-09-01", "2023-09-04"), ("2023-09-08", "2023-09-11")):
        row = reaction_sessions(events.load_events({"e": f"{storm} 01:00 UTC"}), prices).iloc[0]
        assert f"{row['session']:%Y-%m-%d}" == reopened
        assert [f"{day:%Y-%m-%d}" for day in row["without_row"]] == [storm]


def test_the_tariff_speech_moves_the_emini_on_the_third_of_april(reference) -> None:
    prices = observed(reference, "es_f.csv:E-mini S&P 500")
    row = reaction_sessions(events.load_events({"e": "2025-04-02 20:10 UTC"}), prices).iloc[0]
    series = prices["E-mini S&P 500"]
    at = series.sessions.get_loc(row["session"])
    assert f"{row['session']:%Y-%m-%d}" == "2025-04-03"
    assert series.returns("simple")[at] == pytest.approx(-0.0489, abs=5e-5)
    assert series.returns("simple")[at - 1] == pytest.approx(0.0067, abs=5e-5)


def test_the_ecb_fixing_closes_at_a_quarter_past_two_in_frankfurt() -> None:
    series = BundledSource().fetch(find_instrument("USD/CNY"), pd.Timestamp("2025-06-01"), pd.Timestamp("2025-06-30"))
    clock = SessionClock.of(series)
    for when, session in (("12:14", "2025-06-11"), ("12:15", "2025-06-12"), ("12:16", "2025-06-12")):
        found = locate(clock, events.load_events({"e": f"2025-06-11 {when} UTC"}).iloc[0])
        assert f"{series.sessions[found.position]:%Y-%m-%d}" == session
    assert found.phase is None and found.minutes_to_first_trade is None


def test_an_uncertain_close_makes_the_row_ambiguous_and_the_headline_takes_its_end() -> None:
    series = BundledSource().fetch(find_instrument("US 10y"), pd.Timestamp("2025-06-01"), pd.Timestamp("2025-06-30"))
    found = locate(SessionClock.of(series), events.load_events({"e": "2025-06-11 19:30 UTC"}).iloc[0])  # 15:30 New York
    assert len(found.candidates) == 2
    assert f"{series.sessions[found.position]:%Y-%m-%d}" == "2025-06-11"


@pytest.mark.parametrize(
    ("when", "market", "phase", "minutes"),
    [
        ("2025-06-10 22:50 UTC", "CSI 300", "before open", 160),
        ("2025-06-11 02:00 UTC", "CSI 300", "in session", 0),
        ("2025-06-11 04:00 UTC", "CSI 300", "lunch", 60),
        ("2025-06-11 08:00 UTC", "CSI 300", "after close", 1050),
        ("2025-06-14 08:00 UTC", "CSI 300", "closed day", 2490),
        ("2025-06-10 22:50 UTC", "E-mini S&P 500", "in session", 0),
        ("2025-06-10 22:50 UTC", "USD/CNH", "in session", 0),
        ("2025-06-14 12:00 UTC", "USD/CNH", "closed day", 33 * 60),
        ("2025-06-13 21:00 UTC", "USD/CNH", "closed day", 48 * 60),
        ("2025-06-10 22:50 UTC", "US 10y", None, None),
    ],
)
def test_phase_and_minutes_to_the_first_tradable_moment(when, market, phase, minutes) -> None:
    row = reaction_sessions(events.load_events({"e": when}), [market]).iloc[0]
    got = row["minutes_to_first_trade"]
    assert (row["phase"] if isinstance(row["phase"], str) else None) == phase
    assert (None if got is None or pd.isna(got) else got) == minutes


def test_a_bare_date_takes_that_session_or_the_next() -> None:
    for day, session in (("2025-06-11", "2025-06-11"), ("2025-10-01", "2025-10-09")):
        row = reaction_sessions(events.dated(day), ["CSI 300"]).iloc[0]
        assert f"{row['session']:%Y-%m-%d}" == session
        assert row["phase"] is None


def test_news_after_the_data_has_no_session() -> None:
    series = BundledSource().fetch(find_instrument("S&P 500"), pd.Timestamp("2022-01-01"), pd.Timestamp("2022-12-28"))
    table = reaction_sessions(events.load_events({"e": "2025-06-10 22:50 UTC"}), PriceData({"S&P 500": series}))
    assert pd.isna(table["session"].iloc[0])


def test_a_date_beyond_the_published_calendar_is_refused() -> None:
    with pytest.raises(WindowError, match=r"lies beyond 2026-12-31, the last session published for 'CSI 300'"):
        reaction_sessions(events.load_events({"e": "2027-03-01 02:00 UTC"}), ["CSI 300"])


def test_bar_close_rules_and_their_errors() -> None:
    rule = parse_bar_close("15:00-16:00 America/New_York")
    assert (rule.minute_from, rule.minute_to, str(rule)) == (900, 960, "15:00-16:00 America/New_York")
    for text, says in (
        ("15:00", "write a local time and an IANA zone"),
        ("15:00 CST", "no IANA name"),
        ("25:00 Asia/Tokyo", "between 00:00 and 24:00"),
        ("16:00-15:00 Asia/Tokyo", "swap them"),
    ):
        with pytest.raises(InstrumentTableError, match=says):
            parse_bar_close(text)
    with pytest.raises(InstrumentTableError, match="no bar close is known for 'X'"):
        bar_close_rules("X", "index", "XPAR", "yahoo")
    with pytest.raises(InstrumentTableError, match="leave out 2020-01-02"):
        close_instants(
            pd.DatetimeIndex(["2020-01-02"]), (BarClose(960, 960, "UTC", valid_from=pd.Timestamp("2021-01-01").date()),)
        )


def test_yahoo_fx_bars_end_at_midnight_in_london() -> None:
    rules = find_instrument("USD/CNH").bar_closes("yahoo")
    _, closes = close_instants(pd.DatetimeIndex(["2025-01-10", "2025-06-10"]), rules)
    assert [f"{close:%Y-%m-%d %H:%M}" for close in closes] == ["2025-01-11 00:00", "2025-06-10 23:00"]


def test_futures_trade_to_the_pause_for_maintenance_and_short_days_are_counted_from_there() -> None:
    hours = calendars.hours("CMES")
    at = [hours.sessions.get_loc(pd.Timestamp(day)) for day in ("2025-06-10", "2024-11-29")]
    assert [f"{close:%H:%M}" for close in hours.closes[at].tz_convert("America/Chicago")] == ["16:00", "12:00"]
    assert hours.early["2024-11-29"] == pd.Timedelta(hours=4)
    assert calendars.hours("XNYS").early["2024-11-29"] == pd.Timedelta(hours=3)  # 13:00 for 16:00 New York
