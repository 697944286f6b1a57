"""Yahoo Finance through ``yfinance``: asked per symbol, every failure named, every answer kept as a snapshot.

What an answer says is judged here from the answer itself: an empty one can be throttling, an outage or a wrong symbol,
and the word "delisted" is never passed on. A symbol takes bounded time, whatever the network does.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.errors import DataUnavailableError
from market_reaction.instruments import Instrument
from market_reaction.prices import PriceSeries
from market_reaction.snapshots import Snapshot, SnapshotStore
from market_reaction.sources.yahoo_rows import (
    UnusableRowsError,
    daily_rows,
    expected_finals,
    final_instants,
    intraday_rows,
    price_basis,
    series_of_rows,
    with_vintage,
)

PROBE_URL = "https://query2.finance.yahoo.com/v1/test/getcrumb"
PROBE_SECONDS = 3.0
_CHART = "/v8/finance/chart/"
_NOT_FINAL = "its close was not final when it was retrieved"

# Interval: minutes of a bar, days back that Yahoo has, days it gives in one request.
INTRADAY = {
    "1m": (1, 30, 8),
    "2m": (2, 60, 60),
    "5m": (5, 60, 60),
    "15m": (15, 60, 60),
    "30m": (30, 60, 60),
    "90m": (90, 60, 60),
    "60m": (60, 730, 730),
    "1h": (60, 730, 730),
}

_NEXT_STEPS = {
    "no network": "Yahoo cannot be reached; check the connection, or use bundled series or a folder of files.",
    "rate limit": "Yahoo asks for fewer requests; wait some minutes, then run again.",
    "no rows": (
        "An empty answer can be throttling, an outage or a wrong symbol; look the symbol up at finance.yahoo.com, "
        "then run again."
    ),
    "malformed answer": "The answer could not be read; run again, and update yfinance if this stays.",
    "timeout": "Yahoo did not answer in time; run again.",
    "server error": "Yahoo has a fault of its own; run again later.",
    "not offered": "State another symbol, or use another source.",
}
# Causes that the next symbol will meet as well.
_SHARED_CAUSES = ("rate limit", "timeout", "no network")

_verdict: dict[str, bool] = {}
_read_before: dict[tuple[Path, int, Instrument], PriceSeries] = {}  # snapshots are write-once
_probing = threading.Lock()
_asking = threading.RLock()  # yfinance keeps its session, settings and caches once per process


@dataclass(slots=True)
class _Answer:
    """Last answer of the chart service: HTTP status (None for none) and text."""

    status: int | None = None
    text: str = ""

    @property
    def chart(self) -> dict[str, Any] | None:
        """The first result of the answer; empty where Yahoo gave none, None where the text is no such answer."""
        try:
            chart = json.loads(self.text)["chart"]
            return (chart["result"] or [{}])[0] or {}
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return None


def utc_now() -> pd.Timestamp:
    """Present instant in UTC."""
    return pd.Timestamp.now("UTC")


class YahooSource:
    """Daily and intraday bars from Yahoo Finance.

    Parameters
    ----------
    store : SnapshotStore
        Where downloads are kept.
    session : curl_cffi.requests.Session, optional
        Session to ask with; an own one when left out.
    timeout : float
        Seconds for one answer. A symbol takes at most three times as long in all.
    now : callable
        Gives the present instant (UTC).
    """

    name = "yahoo"

    def __init__(
        self,
        store: SnapshotStore,
        *,
        session: Any = None,
        timeout: float = 10.0,
        now: Callable[[], pd.Timestamp] = utc_now,
    ) -> None:
        self.store = store
        self.timeout = timeout
        self._given = session
        self._now = now

    @property
    def present(self) -> pd.Timestamp:
        """The present instant (UTC) as this source sees it."""
        return self._now()

    @property
    def _session(self) -> Any:
        if self._given is None:
            from curl_cffi.requests import Session

            self._given = Session(impersonate="chrome")
        return self._given

    def reachable(self) -> bool:
        """Whether Yahoo answers at all, asked once per process and within 3 seconds.

        A download that succeeds later sets the verdict to True. With ``MARKET_REACTION_OFFLINE=1`` in the environment
        nobody is asked and the answer is no.
        """
        if os.environ.get("MARKET_REACTION_OFFLINE") == "1":
            return False
        session = self._session
        with _probing:
            if "reachable" not in _verdict:
                _verdict["reachable"] = _answers(session)
            return _verdict["reachable"]

    def stored(
        self,
        instrument: Instrument,
        start: pd.Timestamp,
        end: pd.Timestamp,
        *,
        as_of: str | date | datetime | pd.Timestamp | None = None,
        covering: bool = True,
    ) -> PriceSeries | None:
        """Series of the newest snapshot that covers the sessions asked for, without asking Yahoo.

        Parameters
        ----------
        instrument : Instrument
            What is priced.
        start, end : pandas.Timestamp
            Session labels, inclusive.
        as_of : str, datetime.date, datetime.datetime or pandas.Timestamp, optional
            Leave out snapshots retrieved after this UTC instant or day.
        covering : bool
            False gives, where no snapshot covers everything, the newest one that reaches furthest.

        Returns
        -------
        PriceSeries or None

        Raises
        ------
        SnapshotError
            The snapshot was changed on disk.
        """
        snapshot = self._find(instrument, start, end, as_of=as_of, covering=covering)
        if snapshot is None:
            return None
        key = (snapshot.path, snapshot.path.stat().st_mtime_ns if snapshot.path.exists() else 0, instrument)
        if key not in _read_before:
            rows = self.store.read(snapshot)
            _read_before[key] = with_vintage(series_of_rows(instrument, rows, snapshot.retrieved_utc), snapshot)
        return _read_before[key]

    def fetch(self, instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp) -> PriceSeries:
        """Download a daily series, keep it as a snapshot and return it.

        Parameters
        ----------
        instrument : Instrument
            What is priced. Shares and funds come adjusted for dividends and splits.
        start, end : pandas.Timestamp
            Session labels, inclusive.

        Returns
        -------
        PriceSeries
            Bars whose close has passed and is final; the others are named in ``excluded``.

        Raises
        ------
        DataUnavailableError
            Nothing usable came; ``cause`` says why and ``retryable`` whether asking again may help.
        SnapshotError
            The download cannot be written to the store.
        """
        return self._fetch(instrument, start, end, time.monotonic() + 3 * self.timeout)

    def fetch_many(
        self,
        instruments: Sequence[Instrument],
        start: pd.Timestamp,
        end: pd.Timestamp,
        progress: bool = True,
        *,
        deadline: float | None = None,
    ) -> tuple[list[PriceSeries], list[DataUnavailableError]]:
        """Download several daily series; what arrives is kept, whatever happens to the others.

        Parameters
        ----------
        instruments : sequence of Instrument
            What is priced.
        start, end : pandas.Timestamp
            Session labels, inclusive.
        progress : bool
            Show a bar on stderr when there are several.
        deadline : float, optional
            Seconds after which the rest is given up; 60 and 3 more for each instrument when left out.

        Returns
        -------
        tuple of list
            The series that arrived, and one error for each that did not. After two symbols in a row met a rate
            limit, a timeout or no network, the rest is not asked for and gets the same cause.
        """
        from tqdm.auto import tqdm

        allowed = 60.0 + 3.0 * len(instruments) if deadline is None else deadline
        until = time.monotonic() + allowed
        arrived: list[PriceSeries] = []
        failed: list[DataUnavailableError] = []
        in_a_row: list[str] = []
        bar = tqdm(instruments, desc="Yahoo", unit="series", disable=not progress or len(instruments) < 2)
        for instrument in bar:
            symbol = instrument.yahoo
            if len(in_a_row) >= 2:
                failed.append(
                    _unavailable(instrument, start, end, in_a_row[-1], "Not asked for after two failures in a row.")
                )
                continue
            if symbol and time.monotonic() >= until:
                spent = f"Not asked for: the {allowed:.0f} seconds for all symbols were used up."
                failed.append(_unavailable(instrument, start, end, "timeout", spent))
                continue
            try:
                limit = min(until, time.monotonic() + 3 * self.timeout)
                arrived.append(self._fetch(instrument, start, end, limit))
                in_a_row.clear()
            except DataUnavailableError as error:
                failed.append(error)
                if error.cause in _SHARED_CAUSES:
                    in_a_row.append(error.cause)
                elif symbol:
                    in_a_row.clear()
        return arrived, failed

    def fetch_intraday(
        self, instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, interval: str
    ) -> pd.DataFrame:
        """Download bars shorter than a day.

        Parameters
        ----------
        instrument : Instrument
            What is priced.
        start, end : pandas.Timestamp
            UTC instants: bars that begin from ``start`` on and before ``end``.
        interval : str
            ``"1m"``: 30 days back and 8 days per request; ``"2m"``, ``"5m"``, ``"15m"``, ``"30m"``, ``"90m"``: 60
            days back; ``"60m"``, ``"1h"``: 730 days back.

        Returns
        -------
        pandas.DataFrame
            Rows by the UTC instant at which the bar begins; columns open, high, low, close, volume. Regular hours
            only, not adjusted, and only bars that have ended.

        Raises
        ------
        DataUnavailableError
            The range is beyond what Yahoo has, which is said before asking, or nothing usable came.
        """
        now = self._now()
        start, end = _as_utc(start), _as_utc(end)
        minutes = _check_intraday(instrument, start, end, interval, now)
        frame, _ = self._ask(
            instrument,
            start,
            end,
            time.monotonic() + 3 * self.timeout,
            {
                "start": start.to_pydatetime(),
                "end": end.to_pydatetime(),
                "interval": interval,
                "auto_adjust": False,
                "prepost": False,
            },
        )
        try:
            rows = intraday_rows(frame, start, end, minutes=minutes, now=now)
        except UnusableRowsError as error:
            raise _unavailable(instrument, start, end, "malformed answer", str(error)) from error
        if rows.empty:
            raise _unavailable(instrument, start, end, "no rows", f"No {interval} bar has ended in this span.")
        return rows

    def _find(
        self,
        instrument: Instrument,
        start: pd.Timestamp,
        end: pd.Timestamp,
        *,
        as_of: str | date | datetime | pd.Timestamp | None = None,
        covering: bool = True,
    ) -> Snapshot | None:
        if not instrument.yahoo:
            return None
        return self.store.find(
            self.name,
            instrument.yahoo,
            start,
            end,
            now=self._now(),
            close_of=partial(expected_finals, instrument),
            as_of=as_of,
            price_basis=price_basis(instrument),
            covering=covering,
        )

    def _fetch(self, instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, deadline: float) -> PriceSeries:
        retrieved = self._now()
        basis = price_basis(instrument)
        arguments = {
            "start": f"{start:%Y-%m-%d}",
            "end": f"{end + pd.Timedelta(days=1):%Y-%m-%d}",
            "interval": "1d",
            "auto_adjust": basis == "adjusted close",
        }
        frame, answer = self._ask(instrument, start, end, deadline, arguments)
        try:
            rows = daily_rows(instrument, frame)
        except UnusableRowsError as error:
            raise _unavailable(instrument, start, end, "malformed answer", str(error)) from error
        final = np.asarray(final_instants(instrument, pd.DatetimeIndex(rows.index)) <= retrieved)
        kept = rows[final]
        if not kept["close"].notna().any():
            raise _unavailable(instrument, start, end, "no rows", f"None of {len(rows)} rows has a final close.")
        series = series_of_rows(instrument, kept, retrieved)
        meta = (answer.chart or {}).get("meta", {})
        snapshot = self.store.write(
            self.name,
            instrument.yahoo,
            kept,
            start=start,
            end=end,
            retrieved_utc=retrieved,
            detail=f"yfinance {_yfinance().__version__}",
            price_basis=basis,
            meta={key: str(meta.get(key, "")) for key in ("currency", "exchangeTimezoneName", "instrumentType")},
        )
        _verdict["reachable"] = True
        series = with_vintage(series, snapshot)
        if final.all():
            return series
        not_final = pd.DataFrame({"session": rows.index[~final], "reason": _NOT_FINAL})
        return replace(series, excluded=pd.concat([series.excluded, not_final], ignore_index=True))

    def _ask(
        self,
        instrument: Instrument,
        start: pd.Timestamp,
        end: pd.Timestamp,
        deadline: float,
        arguments: dict[str, Any],
    ) -> tuple[pd.DataFrame, _Answer]:
        """Rows as yfinance gives them, and the answer they are from."""
        if not instrument.yahoo:
            raise _unavailable(instrument, start, end, "not offered", "The instrument has no Yahoo symbol.")
        answer = _Answer()
        try:
            with _bounded(self._session, answer, deadline, self.timeout) as yfinance:
                ticker = yfinance.Ticker(instrument.yahoo, session=self._session)
                frame = ticker.history(actions=False, keepna=True, timeout=self.timeout, **arguments)
        except Exception as error:
            cause, detail = _cause(error, answer)
            raise _unavailable(instrument, start, end, cause, detail) from error
        if frame.empty:
            raise _unavailable(instrument, start, end, "no rows", "The answer has no rows.")
        return frame, answer


def _as_utc(instant: pd.Timestamp) -> pd.Timestamp:
    stamp = pd.Timestamp(instant)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def _check_intraday(
    instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, interval: str, now: pd.Timestamp
) -> int:
    """Minutes of a bar, once the span is one that Yahoo has."""
    if interval not in INTRADAY:
        raise _unavailable(
            instrument, start, end, "not offered", f"Yahoo has no interval {interval!r}; it has {', '.join(INTRADAY)}."
        )
    minutes, back, at_once = INTRADAY[interval]
    earliest = now - pd.Timedelta(days=back)
    if start < earliest:
        raise _unavailable(
            instrument, start, end, "not offered",
            f"Yahoo has {interval} bars for {back} days back; "
            f"the earliest possible start is {earliest:%Y-%m-%d %H:%M} UTC.",
        )  # fmt: skip
    if end - start > pd.Timedelta(days=at_once):
        raise _unavailable(
            instrument, start, end, "not offered",
            f"Yahoo gives {at_once} days of {interval} bars per request; for this end the earliest possible start is "
            f"{max(earliest, end - pd.Timedelta(days=at_once)):%Y-%m-%d %H:%M} UTC.",
        )  # fmt: skip
    return minutes


def _unavailable(
    instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, cause: str, detail: str
) -> DataUnavailableError:
    return DataUnavailableError(
        f"Yahoo gave no usable rows for {instrument.name!r} ({instrument.yahoo or 'no symbol'}), "
        f"{start:%Y-%m-%d} to {end:%Y-%m-%d}. Cause: {cause}. {detail} {_NEXT_STEPS[cause]}",
        symbol=instrument.yahoo or instrument.name,
        cause=cause,
        retryable=cause != "not offered",
    )


def _cause(error: Exception, answer: _Answer) -> tuple[str, str]:
    """Cause of a failure and a sentence about it, from the answer where there is one, else from the exception."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if answer.status == 429 or "YFRateLimitError" in kinds:
        return "rate limit", "Yahoo answered 'too many requests' (HTTP 429)."
    if answer.status is None:
        if kinds & {"Timeout", "TimeoutError"}:
            return "timeout", "The time for an answer ran out."
        if kinds & {"IncompleteRead", "ChunkedEncodingError", "ContentDecodingError"}:
            return "malformed answer", f"The answer broke off ({type(error).__name__})."
        if kinds & {"RequestException", "CurlError", "ConnectionError", "gaierror"}:
            return "no network", f"The request failed ({type(error).__name__})."
        return "malformed answer", f"yfinance raised {type(error).__name__} before an answer came."
    if "Will be right back" in answer.text:
        return "server error", "Yahoo says that it is down."
    if answer.status >= 500 or answer.status in (401, 403):
        return "server error", f"Yahoo answered with HTTP {answer.status}."
    chart = answer.chart
    if answer.status >= 400 or (chart is not None and not chart.get("timestamp")):
        return "no rows", f"The answer has no rows (HTTP {answer.status})."
    return "malformed answer", f"Reading the answer raised {type(error).__name__}."


def _answers(session: Any) -> bool:
    """Whether any HTTP answer comes in time; in a thread of its own, since a name look-up has no time limit."""
    answered = threading.Event()

    def ask() -> None:
        try:
            session.get(PROBE_URL, timeout=PROBE_SECONDS, allow_redirects=False)
        except Exception:  # whatever it is, nothing came
            return
        answered.set()

    thread = threading.Thread(target=ask, name="yahoo-probe", daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answered.is_set()


def _yfinance() -> ModuleType:
    """Import yfinance, which forces its deprecation warnings to be shown, and silence those about pandas."""
    import yfinance

    warnings.filterwarnings("ignore", category=pd.errors.Pandas4Warning, module="^yfinance")
    return yfinance


@contextmanager
def _bounded(session: Any, answer: _Answer, deadline: float, timeout: float) -> Iterator[ModuleType]:
    """Give yfinance with exceptions on, empty caches and a session that keeps time and remembers the chart answer.

    yfinance keeps answers of past ranges in the process, failures included: they are forgotten before and after. Its
    requests for cookie and crumb, which the chart service can do without, get a quarter of the time.
    """
    yfinance = _yfinance()
    from yfinance.data import YfData

    def request(method: str, url: str, *args: Any, **options: Any) -> Any:
        chart = _CHART in url
        if chart:
            answer.status, answer.text = None, ""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no time is left to ask {url}")
        options["timeout"] = min(timeout if chart else timeout / 4, left)
        response = ask(method, url, *args, **options)
        if chart:
            answer.status, answer.text = response.status_code, response.text
        return response

    log = logging.getLogger("yfinance")
    debug = yfinance.config.debug
    with _asking:
        hidden, level = debug.hide_exceptions, log.level
        ask = session.request
        YfData.cache_get.cache_clear()
        debug.hide_exceptions = False
        log.setLevel(logging.CRITICAL)
        session.request = request
        try:
            yield yfinance
        finally:
            del session.request
            log.setLevel(level)
            debug.hide_exceptions = hidden
            YfData.cache_get.cache_clear()
