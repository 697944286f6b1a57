"""Yahoo, played by a server on the loopback interface through the real yfinance."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest

from market_reaction.errors import DataUnavailableError, SnapshotError
from market_reaction.instruments import Instrument, find_instrument
from market_reaction.snapshot_store import SnapshotStore
from market_reaction.sources import Source, yahoo_requests
from market_reaction.sources.yahoo import YahooSource
from market_reaction.sources.yahoo_rows import final_instants
from yahoo_server import LISTINGS, LoopbackSession, Row, YahooServer

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(os.environ.get("MARKET_REACTION_REFERENCE", ROOT.parent / "shared")) / "data" / "series"
NOW = "2025-06-13 22:00"
DAYS = pd.Timestamp("2025-06-09"), pd.Timestamp("2025-06-12")
CSI, CNH, ES = (find_instrument(name) for name in ("CSI 300", "USD/CNH", "E-mini S&P 500"))

# The sessions around the London announcement as vendors give them.
ROWS: dict[str, list[Row]] = {
    "000300.SS": [
        ("2025-06-10", 3887.55, 3897.46, 3850.47, 3865.47, 0),
        ("2025-06-11", 3870.67, 3911.61, 3870.67, 3894.63, 0),
        ("2025-06-12", 3885.52, 3900.04, 3870.38, 3892.2, 0),
    ],
    "CNH=X": [
        ("2025-06-10", 7.1823, 7.1949, 7.1774, 7.1889, 0),
        ("2025-06-11", 7.1888, 7.2004, 7.1819, 7.1983, 0),
        ("2025-06-12", 7.1985, 7.1993, 7.1695, 7.1732, 0),
    ],
    "ES=F": [
        ("2025-06-10", 6012.25, 6049.5, 5991.25, 6045.0, 0),
        ("2025-06-11", 6038.75, 6074.75, 6006.25, 6029.0, 0),
        ("2025-06-12", 6022.25, 6051.25, 5987.75, 6049.5, 0),
    ],
}


@pytest.fixture(scope="session", autouse=True)
def yfinance_caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path_factory.mktemp("yfinance")))


@pytest.fixture(autouse=True)
def no_verdict() -> Iterator[None]:
    yahoo_requests._verdict.clear()
    yield
    yahoo_requests._verdict.clear()


@pytest.fixture
def server() -> Iterator[YahooServer]:
    with YahooServer(rows=dict(ROWS)) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots")


def source(server: YahooServer, store: SnapshotStore, now: str = NOW, timeout: float = 5.0) -> YahooSource:
    return YahooSource(
        store, session=LoopbackSession(server.base), timeout=timeout, now=lambda: pd.Timestamp(now, tz="UTC")
    )


def snapshots(store: SnapshotStore) -> int:
    return len(store.list())


def labels(index: pd.Index) -> list[str]:
    return [f"{label:%Y-%m-%d}" for label in index]


# --- what arrives -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "closes", "basis", "close_utc"),
    [
        (CSI, [3865.47, 3894.63, 3892.2], "close", "2025-06-11 07:00"),
        (CNH, [7.1889, 7.1983, 7.1732], "close", "2025-06-11 23:00"),
        (ES, [6045.0, 6029.0, 6049.5], "settlement", "2025-06-11 20:00"),
    ],
    ids=lambda value: getattr(value, "yahoo", None),
)
def test_sessions_and_closes(
    server: YahooServer, store: SnapshotStore, instrument: Instrument, closes: list[float], basis: str, close_utc: str
) -> None:
    asked: Source = source(server, store)
    series = asked.fetch(instrument, *DAYS)
    assert labels(series.sessions) == ["2025-06-10", "2025-06-11", "2025-06-12"]
    assert series.sessions.tz is None
    assert series.sessions.unit == "ns"
    assert series.closes.tolist() == pytest.approx(closes, rel=1e-12)
    assert (series.price_basis, series.source) == (basis, "yahoo")
    assert series.close_utc[1] == pd.Timestamp(close_utc, tz="UTC")
    assert list(series.bars.columns) == ["open", "high", "low", "close", "volume"]
    assert set(map(str, series.bars.dtypes)) == {"float64"}
    assert series.excluded.empty


def test_vintage_and_snapshot(server: YahooServer, store: SnapshotStore) -> None:
    asked = source(server, store)
    series = asked.fetch(CSI, *DAYS)
    (snapshot,) = store.list()
    vintage = series.vintage
    assert vintage.sha256 == snapshot.sha256
    assert vintage.retrieved_utc == pd.Timestamp(NOW, tz="UTC")
    assert vintage.detail.startswith("yfinance 1.")
    assert (vintage.source, vintage.symbol, vintage.rows) == ("yahoo", "000300.SS", 3)
    assert labels(pd.Index([vintage.first, vintage.last])) == ["2025-06-10", "2025-06-12"]
    assert labels(pd.Index([snapshot.start, snapshot.end])) == ["2025-06-09", "2025-06-12"]
    assert snapshot.meta["exchangeTimezoneName"] == "Asia/Shanghai"
    assert snapshot.meta["currency"] == "CNY"


def test_stored_gives_the_same_without_asking(server: YahooServer, store: SnapshotStore) -> None:
    asked = source(server, store)
    assert asked.stored(CSI, *DAYS) is None
    fetched = asked.fetch(CSI, *DAYS)
    requests = len(server.asked)
    again = asked.stored(CSI, *DAYS)
    assert again is not None
    assert len(server.asked) == requests
    assert again.vintage == fetched.vintage
    pd.testing.assert_frame_equal(again.bars, fetched.bars)
    assert again.close_utc.equals(fetched.close_utc)
    assert asked.stored(CSI, *DAYS, as_of="2025-06-12") is None
    assert asked.stored(CSI, DAYS[0] - pd.Timedelta(days=30), DAYS[1]) is None
    assert asked.stored(CSI, DAYS[0] - pd.Timedelta(days=30), DAYS[1], covering=False) is not None
    assert asked.stored(Instrument("Nowhere", "index"), *DAYS) is None


def test_a_changed_snapshot_is_named(server: YahooServer, store: SnapshotStore) -> None:
    asked = source(server, store)
    asked.fetch(CSI, *DAYS)
    store.list()[0].path.write_bytes(b"PAR1")
    with pytest.raises(SnapshotError, match=r"its sha256 is .* or load again with refresh=True"):
        asked.stored(CSI, *DAYS)
    assert asked.fetch(CSI, *DAYS).vintage.rows == 3
    assert asked.stored(CSI, *DAYS) is not None


def test_every_fetch_asks_again(server: YahooServer, store: SnapshotStore) -> None:
    """The cache yfinance keeps in the process must not pass for a new retrieval."""
    asked = source(server, store)
    asked.fetch(CSI, *DAYS)
    server.rows["000300.SS"] = [*ROWS["000300.SS"][:2], ("2025-06-12", 1.0, 1.0, 1.0, 3900.0, 0)]
    assert asked.fetch(CSI, *DAYS).closes[-1] == 3900.0
    assert snapshots(store) == 2


def test_shares_are_adjusted(server: YahooServer, store: SnapshotStore) -> None:
    server.rows["MP"] = [("2025-06-10", 26.0, 27.0, 25.0, 26.0, 100), ("2025-06-11", 25.0, 26.0, 24.0, 25.0, 100)]
    server.adjusted["MP"] = [13.0, 12.5]
    series = source(server, store).fetch(find_instrument("MP"), *DAYS)
    assert series.closes.tolist() == [13.0, 12.5]
    assert series.bars["open"].tolist() == [13.0, 12.5]
    assert series.price_basis == "adjusted close"


def test_a_yield(server: YahooServer, store: SnapshotStore) -> None:
    server.rows["^TNX"] = [("2025-06-11", 4.49, 4.5, 4.4, 4.41, 0)]
    assert source(server, store).fetch(find_instrument("^TNX"), *DAYS).price_basis == "yield"


def test_clock_change(server: YahooServer, store: SnapshotStore) -> None:
    """Rows of London days on both sides of the change to summer time keep their dates."""
    days = pd.bdate_range("2025-03-24", "2025-04-04")
    server.rows["CNH=X"] = [(f"{day:%Y-%m-%d}", *[7.2 + day.day / 1000] * 4, 0) for day in days]
    series = source(server, store).fetch(CNH, days[0], days[-1])
    assert series.sessions.equals(days.as_unit("ns"))
    assert series.closes[0] == pytest.approx(7.224)


@pytest.mark.parametrize(
    ("symbol", "name", "zone"),
    [
        ("000300.SS", "csi300.csv", "Asia/Shanghai"),
        ("CNH=X", "usdcnh.csv", "Europe/London"),
        ("ES=F", "es_f.csv", "America/New_York"),
    ],
)
def test_years_of_real_rows(server: YahooServer, store: SnapshotStore, symbol: str, name: str, zone: str) -> None:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"The reference folder has no {name}; set MARKET_REACTION_REFERENCE.")
    real = pd.read_csv(path, parse_dates=["date"], index_col="date").loc["2021-03-11":"2025-06-12"]
    server.rows[symbol] = [
        (f"{row.Index:%Y-%m-%d}", row.open, row.high, row.low, row.close, 0) for row in real.itertuples()
    ]
    assert LISTINGS[symbol].zone == zone
    series = source(server, store).fetch(find_instrument(symbol), real.index[0], real.index[-1])
    expected = real["close"].drop(series.excluded["session"])
    assert series.sessions.equals(expected.index.as_unit("ns"))
    assert series.closes == pytest.approx(expected.to_numpy(), rel=1e-12)
    assert len(series.excluded) <= 3
    move = series.bars["close"].pct_change().loc["2025-06-11"] * 100
    assert move == pytest.approx({"000300.SS": 0.754, "CNH=X": 0.131, "ES=F": -0.265}[symbol], abs=0.001)


# --- rows that are no session -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "closes_at", "final_at"),
    [
        (CSI, "2025-06-12 07:00", "2025-06-12 07:30"),
        (CNH, "2025-06-12 23:00", "2025-06-12 23:30"),
        (ES, "2025-06-12 20:00", "2025-06-12 21:30"),
    ],
    ids=lambda value: getattr(value, "yahoo", None),
)
def test_a_bar_is_not_stored_before_its_close_is_final(
    server: YahooServer, store: SnapshotStore, instrument: Instrument, closes_at: str, final_at: str
) -> None:
    final = pd.Timestamp(final_at, tz="UTC")
    assert final_instants(instrument, pd.DatetimeIndex([DAYS[1]]))[0] == final
    for now in (pd.Timestamp(closes_at, tz="UTC") - pd.Timedelta(minutes=1), final - pd.Timedelta(minutes=1)):
        series = source(server, store, now=f"{now:%Y-%m-%d %H:%M}").fetch(instrument, *DAYS)
        assert labels(series.sessions) == ["2025-06-10", "2025-06-11"]
        assert labels(pd.Index(series.excluded["session"])) == ["2025-06-12"]
        assert series.excluded["reason"].tolist() == ["its close was not final when it was retrieved"]
    assert {item.last for item in store.list()} == {pd.Timestamp("2025-06-11")}
    assert all("2025-06-12" not in labels(store.read(item).index) for item in store.list())
    late = source(server, store, now=final_at)
    assert late.stored(instrument, *DAYS) is None
    assert labels(late.fetch(instrument, *DAYS).sessions)[-1] == "2025-06-12"


def test_only_bars_that_are_not_final(server: YahooServer, store: SnapshotStore) -> None:
    with pytest.raises(DataUnavailableError, match=r"None of 3 rows has a final close"):
        source(server, store, now="2025-06-10 03:00").fetch(CSI, *DAYS)
    assert snapshots(store) == 0


def test_empty_rows_and_weekends_are_named(server: YahooServer, store: SnapshotStore) -> None:
    server.rows["CNH=X"] = [
        ("2025-06-08", 7.18, 7.18, 7.18, 7.18, 0),
        ("2025-06-09", None, None, None, None, None),
        ("2025-06-10", 0.0, 0.0, 0.0, 0.0, 0),
        *ROWS["CNH=X"][1:],
    ]
    asked = source(server, store)
    series = asked.fetch(CNH, pd.Timestamp("2025-06-08"), DAYS[1])
    assert labels(series.sessions) == ["2025-06-11", "2025-06-12"]
    assert dict(zip(labels(pd.Index(series.excluded["session"])), series.excluded["reason"], strict=True)) == {
        "2025-06-08": "weekend row",
        "2025-06-09": "no close in the source's row",
        "2025-06-10": "no close in the source's row",
    }
    again = asked.stored(CNH, *DAYS)
    assert again is not None
    pd.testing.assert_frame_equal(again.excluded, series.excluded)


def test_a_negative_settlement_is_kept(server: YahooServer, store: SnapshotStore) -> None:
    server.rows["CL=F"] = [
        ("2020-04-20", 17.73, 17.85, -40.32, -37.63, 1), ("2020-04-21", -14.0, 13.86, -16.74, 10.01, 1),
    ]  # fmt: skip
    days = pd.Timestamp("2020-04-20"), pd.Timestamp("2020-04-21")
    assert source(server, store).fetch(find_instrument("CL=F"), *days).closes.tolist() == [-37.63, 10.01]


def test_a_negative_price_is_refused(server: YahooServer, store: SnapshotStore) -> None:
    server.rows["CNH=X"] = [*ROWS["CNH=X"][:2], ("2025-06-12", 7.0, 7.0, 7.0, -7.1, 0)]
    with pytest.raises(DataUnavailableError, match=r"The close of 2025-06-12 is -7\.1, and a price lies above 0") as no:
        source(server, store).fetch(CNH, *DAYS)
    assert no.value.cause == "malformed answer"
    assert snapshots(store) == 0


# --- failures -----------------------------------------------------------------------------------------------

FAILURES = {
    "429": "rate limit", "empty": "no rows", "no timestamps": "no rows", "malformed": "malformed answer",
    "cut": "malformed answer", "html": "malformed answer", "down": "server error", "delisted": "no rows",
    "422": "no rows", "500": "server error", "hang": "timeout", "hang body": "timeout",
}  # fmt: skip


@pytest.mark.parametrize("mode", FAILURES)
@pytest.mark.parametrize("known", [False, True], ids=["new symbol", "known symbol"])
def test_a_failure_is_named_and_poisons_nothing(
    server: YahooServer, store: SnapshotStore, mode: str, known: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    import yfinance

    symbol = "ES=F"
    yfinance.cache.get_tz_cache().store(symbol, "America/New_York" if known else None)
    server.modes[symbol] = mode
    asked = source(server, store, timeout=0.3 if "hang" in mode else 5.0)
    begun = time.monotonic()
    for _ in range(2):
        with pytest.raises(DataUnavailableError, match=r"no usable rows for 'E-mini S&P 500' \(ES=F\)") as caught:
            asked.fetch(ES, *DAYS)
        assert caught.value.cause == FAILURES[mode]
        assert f"2025-06-09 to 2025-06-12. Cause: {FAILURES[mode]}." in str(caught.value)
        assert "delisted" not in str(caught.value)
        assert (caught.value.symbol, caught.value.retryable) == (symbol, True)
    assert time.monotonic() - begun < 8
    assert snapshots(store) == 0
    server.modes.clear()
    assert source(server, store).fetch(ES, *DAYS).closes.tolist() == [6045.0, 6029.0, 6049.5]
    assert capfd.readouterr() == ("", "")


def test_someone_elses_failure_is_forgotten(
    server: YahooServer, store: SnapshotStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A download outside this package leaves its failure in yfinance's cache."""
    import yfinance

    caplog.set_level(logging.CRITICAL, logger="yfinance")
    server.modes["ES=F"] = "delisted"
    yfinance.cache.get_tz_cache().store("ES=F", "America/New_York")
    ticker = yfinance.Ticker("ES=F", session=LoopbackSession(server.base))
    assert ticker.history(start="2025-06-09", end="2025-06-13").empty
    server.modes.clear()
    assert ticker.history(start="2025-06-09", end="2025-06-13").empty  # what the cache does
    assert source(server, store).fetch(ES, *DAYS).vintage.rows == 3


@pytest.mark.parametrize("mode", ["429", "hang"])
@pytest.mark.parametrize("helper", ["crumb", "cookie"])
def test_cookie_and_crumb_are_not_needed(server: YahooServer, store: SnapshotStore, helper: str, mode: str) -> None:
    from yfinance.data import YfData

    data = YfData(session=LoopbackSession(server.base))
    data._cookie = data._crumb = None
    server.modes[helper] = mode
    begun = time.monotonic()
    assert source(server, store, timeout=2.0).fetch(ES, *DAYS).vintage.rows == 3
    assert time.monotonic() - begun < 6
    data._cookie = data._crumb = None


def test_a_partial_answer_keeps_what_came(server: YahooServer, store: SnapshotStore) -> None:
    server.modes["000300.SS"] = "partial"
    series = source(server, store).fetch(CSI, *DAYS)
    assert labels(series.sessions) == ["2025-06-10"]
    assert series.excluded["reason"].tolist() == ["no close in the source's row"]
    server.modes.clear()
    later = source(server, store, now="2025-06-16 12:00")
    assert later.stored(CSI, *DAYS) is None
    assert later.stored(CSI, *DAYS, covering=False) is not None
    assert later.fetch(CSI, *DAYS).vintage.rows == 3


def test_settings_of_yfinance_are_put_back(server: YahooServer, store: SnapshotStore) -> None:
    import yfinance

    asked = source(server, store)
    server.modes["ES=F"] = "500"
    before = yfinance.config.debug.hide_exceptions, logging.getLogger("yfinance").level
    with pytest.raises(DataUnavailableError):
        asked.fetch(ES, *DAYS)
    assert (yfinance.config.debug.hide_exceptions, logging.getLogger("yfinance").level) == before
    assert "request" not in vars(asked._session)


def test_no_symbol(server: YahooServer, store: SnapshotStore) -> None:
    with pytest.raises(DataUnavailableError, match=r"'Nowhere' \(no symbol\).*has no Yahoo symbol") as caught:
        source(server, store).fetch(Instrument("Nowhere", "index"), *DAYS)
    assert (caught.value.cause, caught.value.retryable) == ("not offered", False)
    assert server.asked == []


# --- several symbols ----------------------------------------------------------------------------------------


def test_partial_failure_keeps_what_arrived(server: YahooServer, store: SnapshotStore) -> None:
    server.modes["CNH=X"] = "500"
    asked = source(server, store)
    series, errors = asked.fetch_many([CSI, CNH, ES, Instrument("Nowhere", "index")], *DAYS, progress=False)
    assert [item.name for item in series] == ["CSI 300", "E-mini S&P 500"]
    assert [(error.symbol, error.cause) for error in errors] == [("CNH=X", "server error"), ("Nowhere", "not offered")]
    assert snapshots(store) == 2
    server.modes.clear()
    series, errors = asked.fetch_many([CNH], *DAYS)
    assert (series[0].vintage.rows, errors) == (3, [])


def test_two_rate_limits_in_a_row_end_the_asking(server: YahooServer, store: SnapshotStore) -> None:
    server.modes["*"] = "429"
    server.modes["000300.SS"] = "ok"
    several = [CSI, ES, CNH, find_instrument("MP"), find_instrument("CL=F")]
    series, errors = source(server, store).fetch_many(several, *DAYS, progress=False)
    assert [item.name for item in series] == ["CSI 300"]
    assert [error.cause for error in errors] == ["rate limit"] * 4
    assert all(error.retryable for error in errors)
    assert "Not asked for after two failures in a row" in str(errors[-1])
    assert server.charts("MP") == server.charts("CL=F") == 0


def test_two_hanging_symbols_end_the_asking(server: YahooServer, store: SnapshotStore) -> None:
    server.modes["*"] = "hang"
    begun = time.monotonic()
    _, errors = source(server, store, timeout=0.5).fetch_many([CSI, ES, CNH, find_instrument("MP")], *DAYS)
    assert [error.cause for error in errors] == ["timeout"] * 4
    assert time.monotonic() - begun < 5


def test_an_overall_deadline(server: YahooServer, store: SnapshotStore) -> None:
    server.modes["000300.SS"] = "hang"
    begun = time.monotonic()
    series, errors = source(server, store).fetch_many([CSI, ES], *DAYS, progress=False, deadline=0.5)
    assert time.monotonic() - begun < 4
    assert series == []
    assert [error.cause for error in errors] == ["timeout"] * 2
    assert "the 0 seconds" in str(errors[1]) or "the 1 seconds" in str(errors[1])


def test_progress_goes_to_stderr(server: YahooServer, store: SnapshotStore, capfd: pytest.CaptureFixture[str]) -> None:
    asked = source(server, store)
    asked.fetch_many([CSI], *DAYS)
    asked.fetch_many([CSI, ES], *DAYS, progress=False)
    assert capfd.readouterr() == ("", "")
    asked.fetch_many([CSI, ES], *DAYS)
    out, err = capfd.readouterr()
    assert out == ""
    assert "2/2" in err


# --- whether Yahoo can be reached ---------------------------------------------------------------------------


def test_reachable_asks_once(server: YahooServer, store: SnapshotStore) -> None:
    assert all(source(server, store).reachable() for _ in range(3))
    assert len(server.asked) == 1


@pytest.mark.parametrize("mode", ["429", "ok"])
def test_any_answer_counts(server: YahooServer, store: SnapshotStore, mode: str) -> None:
    server.modes["crumb"] = mode
    assert source(server, store).reachable()


def test_a_closed_port_is_unreachable_at_once(store: SnapshotStore) -> None:
    with socket.socket() as taken:  # bound, not listening
        taken.bind(("127.0.0.1", 0))
        asked = YahooSource(store, session=LoopbackSession(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        begun = time.monotonic()
        assert not asked.reachable()
        assert time.monotonic() - begun < 2.5
        with pytest.raises(DataUnavailableError, match=r"Cause: no network.*bundled series") as caught:
            asked.fetch(ES, *DAYS)
    assert caught.value.retryable


class _SlowNames:
    """A session whose name look-up never ends, which no time limit of the request covers."""

    def __init__(self) -> None:
        self.asked = 0
        self.end = threading.Event()

    def get(self, *_: object, **__: object) -> None:
        self.asked += 1
        self.end.wait(30)


def test_a_name_lookup_that_hangs_is_unreachable_within_three_seconds(store: SnapshotStore) -> None:
    session = _SlowNames()
    begun = time.monotonic()
    asked = [YahooSource(store, session=session), YahooSource(store, session=session)]
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda one=one: answers.append(one.reachable())) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.end.set()
    assert time.monotonic() - begun < 4.5
    assert (answers, session.asked) == ([False, False], 1)


def test_a_download_that_succeeds_makes_it_reachable(server: YahooServer, store: SnapshotStore) -> None:
    yahoo_requests._verdict["reachable"] = False
    asked = source(server, store)
    assert not asked.reachable()
    asked.fetch(ES, *DAYS)
    assert asked.reachable()


# --- intraday -----------------------------------------------------------------------------------------------


def test_intraday(server: YahooServer, store: SnapshotStore) -> None:
    server.rows["ES=F"] = [
        ("2025-06-10 18:00", 6040.0, 6041.0, 6039.0, 6040.5, 10),
        ("2025-06-10 19:00", 6040.5, 6042.0, 6030.0, 6031.0, 20),
        ("2025-06-10 20:00", None, None, None, None, None),
        ("2025-06-10 21:00", 6031.0, 6035.0, 6030.0, 6034.0, 30),
        ("2025-06-10 22:00", 6034.0, 6036.0, 6033.0, 6035.0, 5),
    ]
    span = pd.Timestamp("2025-06-10 22:00", tz="UTC"), pd.Timestamp("2025-06-11 06:00", tz="UTC")
    bars = source(server, store, now="2025-06-11 02:30").fetch_intraday(ES, *span, "1h")
    assert bars.index.tolist() == list(
        pd.DatetimeIndex(["2025-06-10 22:00", "2025-06-10 23:00", "2025-06-11 01:00"], tz="UTC")
    )
    assert bars.index.unit == "ns"
    assert bars["close"].tolist() == [6040.5, 6031.0, 6034.0]


@pytest.mark.parametrize(
    ("interval", "start", "end", "text"),
    [
        ("1m", "2025-05-01", "2025-05-02", "30 days back; the earliest possible start is 2025-05-14 22:00 UTC"),
        (
            "1m",
            "2025-06-01",
            "2025-06-12",
            "8 days of 1m bars per request; .* earliest possible start is 2025-06-04 00:00",
        ),
        ("15m", "2025-04-02", "2025-04-04", "60 days back; the earliest possible start is 2025-04-14 22:00 UTC"),
        ("1h", "2018-03-22", "2018-03-24", "730 days back; the earliest possible start is 2023-06-14 22:00 UTC"),
        ("7m", "2025-06-10", "2025-06-11", "no interval '7m'; it has 1m, 2m, 5m"),
    ],
)
def test_intraday_limits_are_named_before_asking(
    server: YahooServer, store: SnapshotStore, interval: str, start: str, end: str, text: str
) -> None:
    with pytest.raises(DataUnavailableError, match=text) as caught:
        source(server, store).fetch_intraday(ES, pd.Timestamp(start), pd.Timestamp(end), interval)
    assert (caught.value.cause, caught.value.retryable) == ("not offered", False)
    assert server.asked == []


# --- several processes --------------------------------------------------------------------------------------

FETCHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import pandas as pd
import yfinance
from yahoo_server import LoopbackSession
from market_reaction.instruments import find_instrument
from market_reaction.snapshot_store import SnapshotStore
from market_reaction.sources.yahoo import YahooSource

base, folder = sys.argv[2:]
yfinance.set_tz_cache_location(folder + "/yfinance")
source = YahooSource(
    SnapshotStore(Path(folder, "snapshots")), session=LoopbackSession(base),
    now=lambda: pd.Timestamp("2025-06-13 22:00", tz="UTC"),
)
print("ready", flush=True)
sys.stdin.readline()
print(source.fetch(find_instrument("ES=F"), pd.Timestamp("2025-06-09"), pd.Timestamp("2025-06-12")).vintage.sha256)
"""


def test_a_cache_that_another_process_holds_is_waited_for(
    server: YahooServer, store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from peewee import OperationalError
    from yfinance.cache import get_tz_cache

    cache, tries = type(get_tz_cache()), []
    lookup = cache.lookup

    def held(self: object, key: str) -> object:
        tries.append(key)
        if len(tries) <= 2:
            raise OperationalError("database is locked")
        return lookup(self, key)

    monkeypatch.setattr(cache, "lookup", held)
    series = source(server, store).fetch(ES, *DAYS)
    assert series.closes.tolist() == [6045.0, 6029.0, 6049.5] and len(tries) > 2
    monkeypatch.setattr(cache, "lookup", Mock(side_effect=OperationalError("database is locked")))
    with pytest.raises(DataUnavailableError, match=r"Cause: timeout\. Another process held yfinance's cache") as caught:
        source(server, store, timeout=0.2).fetch(ES, *DAYS)
    assert caught.value.retryable


def test_two_processes_fetching_at_once_leave_one_snapshot(
    server: YahooServer, store: SnapshotStore, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", FETCHER, str(Path(__file__).parent), server.base, str(tmp_path)]
    fetchers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for fetcher in fetchers:
        assert fetcher.stdout
        assert fetcher.stdout.readline() == "ready\n"
    answers = []
    for fetcher in fetchers:
        assert fetcher.stdin
        fetcher.stdin.write("go\n")
        fetcher.stdin.flush()
    for fetcher in fetchers:
        out, errors = fetcher.communicate(timeout=60)
        assert fetcher.returncode == 0, errors
        assert errors == ""
        answers.append(out.strip())
    (snapshot,) = store.list()
    assert answers == [snapshot.sha256] * 2
    assert store.read(snapshot)["close"].tolist() == [6045.0, 6029.0, 6049.5]
    assert len(list(snapshot.path.parent.iterdir())) == 2
