"""Which source serves a market: the rules of choice, with a stand-in for Yahoo that holds real figures."""

import pandas as pd
import pytest

from market_reaction import events
from market_reaction.errors import DataUnavailableError, MarketReactionError, UnknownInstrumentError
from market_reaction.instruments import Instrument, find_instrument
from market_reaction.loading import load_prices
from market_reaction.prices import PriceSeries, Vintage, build_series
from market_reaction.sources.bundled import BundledSource
from market_reaction.windows import EventWindows

LONDON = events.load_events("2025-06-10-jt")
WINDOWS = EventWindows(event=(0, 5))


def cut(market: str, first: str, last: str, shift: int = 0) -> PriceSeries:
    """Bundled rows between two dates under the name of Yahoo, their dates moved by whole rows."""
    whole = BundledSource().fetch(find_instrument(market), pd.Timestamp(first), pd.Timestamp(last))
    bars = whole.bars.set_axis(whole.sessions).shift(shift).loc[first:last].dropna(subset="close")
    symbol = whole.instrument.yahoo
    vintage = Vintage(
        "yahoo", symbol, pd.Timestamp("2025-12-01", tz="UTC"), bars.index[0], bars.index[-1], len(bars), "0" * 64
    )
    return build_series(whole.instrument, bars, source="yahoo", price_basis="close", vintage=vintage)


class FakeYahoo:
    """Answers like the Yahoo source from series given beforehand, and counts what it is asked."""

    def __init__(self, *, stored=None, older=None, fetched=None, network=True) -> None:
        self.snapshots, self.older, self.series, self.network = stored or {}, older or {}, fetched or {}, network
        self.asked: list[str] = []

    def reachable(self) -> bool:
        return self.network

    def stored(self, instrument: Instrument, start, end, *, as_of=None, covering=True) -> PriceSeries | None:
        return (self.snapshots if covering else self.snapshots | self.older).get(instrument.name)

    def fetch_many(self, instruments, start, end, progress=True):
        self.asked += [instrument.name for instrument in instruments]
        errors = [
            DataUnavailableError(
                f"Yahoo returned no rows for {i.name!r}.", symbol=i.yahoo, cause="rate limit", retryable=True
            )
            for i in instruments
            if i.name not in self.series
        ]
        return [self.series[i.name] for i in instruments if i.name in self.series], errors


def load(markets: list[str], yahoo: FakeYahoo, **options):
    return load_prices(markets, events=LONDON, windows=WINDOWS, yahoo=yahoo, **options)


def test_a_snapshot_that_serves_wins_and_nobody_is_asked() -> None:
    yahoo = FakeYahoo(stored={"CSI 300": cut("CSI 300", "2022-01-04", "2025-06-30")})
    assert load(["CSI 300"], yahoo)["CSI 300"].source == "yahoo"
    assert yahoo.asked == []


def test_yahoo_is_asked_next_and_bundled_data_come_last() -> None:
    yahoo = FakeYahoo(fetched={"CSI 300": cut("CSI 300", "2022-01-04", "2025-06-30")})
    prices = load(["CSI 300", "VIX"], yahoo)
    assert [series.source for series in prices] == ["yahoo", "bundled"]
    assert yahoo.asked == ["CSI 300", "VIX"]


def test_without_the_largest_window_the_series_reaching_furthest_is_taken() -> None:
    short = FakeYahoo(fetched={"CSI 300": cut("CSI 300", "2022-01-04", "2025-06-13")})
    assert load(["CSI 300"], short)["CSI 300"].source == "bundled"
    young = FakeYahoo(fetched={"CSI 300": cut("CSI 300", "2025-03-03", "2025-06-30")})
    assert load(["CSI 300"], young)["CSI 300"].source == "bundled"


def test_a_series_whose_dates_are_off_by_a_row_is_skipped_with_the_reason() -> None:
    yahoo = FakeYahoo(fetched={"USD/CNY": cut("USD/CNY", "2022-01-04", "2025-06-30", shift=1)})
    prices = load(["USD/CNY"], yahoo)
    assert prices["USD/CNY"].source == "bundled"
    assert any("dates are off by a row" in note and "USD/CNY" in note for note in prices.notes)
    right = FakeYahoo(fetched={"VIX": cut("VIX", "2022-01-04", "2025-06-30")})
    assert load(["VIX"], right)["VIX"].source == "yahoo"


def test_no_network_is_said_once_and_every_missing_market_is_named() -> None:
    prices = load(["CSI 300", "USD/CNH", "S&P 500", "Gold"], FakeYahoo(network=False))
    assert list(prices.series) == ["CSI 300"]
    assert sum("no network" in note for note in prices.notes) == 1
    reasons = prices.unavailable.set_index("market")["reason"]
    assert list(reasons.index) == ["USD/CNH", "S&P 500", "Gold"]
    assert "CNH=X" in reasons["USD/CNH"] and "folder" in reasons["USD/CNH"]
    assert "2022-12-28" in reasons["S&P 500"]


def test_a_time_in_the_future_is_said_first_and_no_network_is_advised(monkeypatch) -> None:
    monkeypatch.setattr("market_reaction.loading.utc_now", lambda: pd.Timestamp("2029-12-01 08:00", tz="UTC"))
    for given, when in ((events.announcement("2030-01-15 12:00 UTC"), "2030-01-15 12:00 UTC"),
                        (events.dated("2030-01-15"), "2030-01-15")):  # fmt: skip
        prices = load_prices(["CSI 300", "Gold"], events=given, windows=WINDOWS, yahoo=FakeYahoo(network=False))
        for reason in prices.unavailable["reason"]:
            assert reason.startswith(f"{when} lies in the future (now it is 2029-12-01 08:00 UTC); ")
            assert reason.endswith("Run it again when the session has closed.") and "Rerun" not in reason
    monkeypatch.setattr("market_reaction.loading.utc_now", lambda: pd.Timestamp("2030-01-15 12:01", tz="UTC"))
    past = load_prices(
        ["CSI 300"], events=events.announcement("2030-01-15 12:00 UTC"), windows=WINDOWS, yahoo=FakeYahoo(network=False)
    )
    assert past.unavailable["reason"][0].startswith("bundled data run")
    assert past.unavailable["reason"][0].endswith(
        "Rerun with a network, or with source='files' and a folder that holds it."
    )
    monkeypatch.setattr("market_reaction.loading.utc_now", lambda: pd.Timestamp("2029-12-01 08:00", tz="UTC"))
    two = pd.concat([events.announcement("2030-01-15 12:00 UTC"), events.announcement("2030-02-15 12:00 UTC")])
    prices = load_prices(["CSI 300"], events=two, windows=WINDOWS, yahoo=FakeYahoo(network=False))
    assert prices.unavailable["reason"][0].startswith("all 2 announcements, from 2030-01-15 12:00 UTC on, lie in the")


def test_a_window_that_no_series_holds_advises_a_shorter_one() -> None:
    long = EventWindows((-9999, -11))
    offline = load_prices(["CSI 300"], events=LONDON, windows=long, yahoo=FakeYahoo(network=False))
    assert "Shorten the estimation window, or rerun with a network" in offline.unavailable["reason"][0]
    asked = FakeYahoo(fetched={"CSI 300": cut("CSI 300", "2022-01-04", "2025-06-30")})
    online = load_prices(["CSI 300"], events=LONDON, windows=long, yahoo=asked)
    assert "network" not in online.unavailable["reason"][0]
    assert online.unavailable["reason"][0].endswith(
        "or rerun with source='files' and a folder that reaches further back."
    )


def test_an_older_snapshot_serves_when_yahoo_cannot_be_had() -> None:
    older = {"CSI 300": cut("CSI 300", "2022-01-04", "2025-06-30")}
    offline = load(["CSI 300"], FakeYahoo(older=older, network=False))
    limited = load(["CSI 300"], FakeYahoo(older=older))
    pinned = FakeYahoo(older=older)
    assert [data["CSI 300"].source for data in (offline, limited)] == ["yahoo", "yahoo"]
    assert load(["CSI 300"], pinned, as_of="2025-12-31")["CSI 300"].source == "yahoo"
    assert pinned.asked == []


def test_refresh_asks_again() -> None:
    series = cut("CSI 300", "2022-01-04", "2025-06-30")
    yahoo = FakeYahoo(stored={"CSI 300": series}, fetched={"CSI 300": series})
    load(["CSI 300"], yahoo, refresh=True)
    assert yahoo.asked == ["CSI 300"]


def test_one_source_alone() -> None:
    assert [s.source for s in load_prices(["VIX"], events=LONDON, source="bundled")] == ["bundled"]
    prices = load(["VIX"], FakeYahoo(network=False), source="yahoo")
    assert len(prices) == 0 and prices.unavailable["market"].tolist() == ["VIX"]


def test_what_cannot_be_asked_for_is_refused() -> None:
    for options, says in (
        ({"source": "stooq"}, "source='stooq' is not known"),
        ({"source": "files"}, "folder=None do not go together"),
        ({"source": "auto", "folder": "x"}, "do not go together"),
    ):
        with pytest.raises(MarketReactionError, match=says):
            load(["VIX"], FakeYahoo(), **options)
    with pytest.raises(MarketReactionError, match="needs start and end"):
        load_prices(["VIX"], source="bundled")
    with pytest.raises(MarketReactionError, match="lies after end"):
        load_prices(["VIX"], "2025-01-02", "2024-01-02", source="bundled")
    with pytest.raises(UnknownInstrumentError, match=r"'SP500X' is not in the catalogue\. Did you mean 'S&P 500'"):
        load(["SP500X"], FakeYahoo())


def test_an_instrument_outside_the_catalogue_loads_like_any_other() -> None:
    own = Instrument("My share", "equity", yahoo="ZZTOP", calendar="XNYS")
    rows = BundledSource().fetch(find_instrument("Apple"), pd.Timestamp("2015-01-02"), pd.Timestamp("2022-12-28")).bars
    vintage = Vintage("yahoo", "ZZTOP", None, rows.index[0], rows.index[-1], len(rows), "1" * 64)
    series = build_series(own, rows, source="yahoo", price_basis="adjusted close", vintage=vintage)
    march = events.load_events("2018-03-22-us")
    prices = load_prices([own], events=march, windows=WINDOWS, yahoo=FakeYahoo(stored={"My share": series}))
    assert list(prices.series) == ["My share"]


def test_arguments_that_make_no_sense_are_refused() -> None:
    for options, error, says in (
        ({"as_of": "yesterday"}, MarketReactionError, "as_of='yesterday' is no date"),
        ({"history": -5}, MarketReactionError, "history=-5 is no pool size"),
    ):
        with pytest.raises(error, match=says):
            load(["VIX"], FakeYahoo(), **options)
    with pytest.raises(UnknownInstrumentError, match="no market is named"):
        load([], FakeYahoo())
    twin = Instrument("CSI 300", "index", calendar="XSHG", return_kind="simple")
    with pytest.raises(UnknownInstrumentError, match="two different instruments have the name 'CSI 300'"):
        load(["CSI 300", twin], FakeYahoo())
    for ticker in ("yahoo:BTC-USD", "yahoo:^FCHI"):
        with pytest.raises(UnknownInstrumentError, match="cannot be told from its ticker"):
            load([ticker], FakeYahoo())
