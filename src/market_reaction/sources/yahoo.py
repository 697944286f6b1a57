"""Yahoo Finance through ``yfinance``: asked per symbol, every failure named, every answer kept as a snapshot.

A symbol takes bounded time, whatever the network does. How it is asked and why that fails is in ``yahoo_requests``,
what its rows mean in ``yahoo_rows``, and what it has of bars shorter than a day in ``yahoo_intraday``.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from market_reaction.errors import DataUnavailableError
from market_reaction.instruments import Instrument
from market_reaction.prices import PriceSeries
from market_reaction.snapshot_store import SnapshotStore
from market_reaction.sources.yahoo_intraday import INTRADAY, check_intraday_span, intraday_rows
from market_reaction.sources.yahoo_requests import (
    LOCK_WAIT,
    SHARED_CAUSES,
    Answer,
    bounded_requests,
    cause_of,
    import_yfinance,
    is_cache_locked,
    is_reachable,
    mark_reachable,
    unavailable,
)
from market_reaction.sources.yahoo_rows import (
    UnusableRowsError,
    daily_rows,
    expected_finals,
    price_basis,
    series_of_rows,
    split_final,
    with_not_final,
    with_vintage,
)

_read_before: dict[tuple[Path, int, Instrument], PriceSeries] = {}  # snapshots are write-once


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
        """Session to ask with, made when it is first needed."""
        if self._given is None:
            from curl_cffi.requests import Session

            self._given = Session(impersonate="chrome")
        return self._given

    def reachable(self) -> bool:
        """Whether Yahoo answers at all, asked once per process and within 3 seconds.

        A download that succeeds later sets the verdict to True. With ``MARKET_REACTION_OFFLINE=1`` in the environment
        nobody is asked and the answer is no.
        """
        return os.environ.get("MARKET_REACTION_OFFLINE") != "1" and is_reachable(self._session)

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
        if not instrument.yahoo:
            return None
        snapshot = self.store.find(
            self.name, instrument.yahoo, start, end, now=self._now(), close_of=partial(expected_finals, instrument),
            as_of=as_of, price_basis=price_basis(instrument), covering=covering,
        )  # fmt: skip
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
        return self._fetch(instrument, start, end)

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
            if len(in_a_row) >= 2:
                spared = "Not asked for after two failures in a row."
                failed.append(unavailable(instrument, start, end, in_a_row[-1], spared))
                continue
            if instrument.yahoo and time.monotonic() >= until:
                spent = f"Not asked for: the {allowed:.0f} seconds for all symbols were used up."
                failed.append(unavailable(instrument, start, end, "timeout", spent))
                continue
            try:
                arrived.append(self._fetch(instrument, start, end, until))
                in_a_row.clear()
            except DataUnavailableError as error:
                failed.append(error)
                if error.cause in SHARED_CAUSES:
                    in_a_row.append(error.cause)
                elif instrument.yahoo:
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
        check_intraday_span(instrument, start, end, interval, now)
        arguments = {
            "start": start.to_pydatetime(), "end": end.to_pydatetime(), "interval": interval,
            "auto_adjust": False, "prepost": False,
        }  # fmt: skip
        read = partial(intraday_rows, start=start, end=end, minutes=INTRADAY[interval].minutes, now=now)
        rows, _ = self._ask(instrument, start, end, arguments, read)
        if rows.empty:
            raise unavailable(instrument, start, end, "no rows", f"No {interval} bar has ended in this span.")
        return rows

    def _fetch(
        self, instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, until: float = math.inf
    ) -> PriceSeries:
        """As ``fetch``, given up at the time ``until`` of ``time.monotonic``."""
        retrieved = self._now()
        basis = price_basis(instrument)
        arguments = {
            "start": f"{start:%Y-%m-%d}",
            "end": f"{end + pd.Timedelta(days=1):%Y-%m-%d}",
            "interval": "1d",
            "auto_adjust": basis == "adjusted close",
        }
        rows, answer = self._ask(instrument, start, end, arguments, partial(daily_rows, instrument), until)
        kept, not_final = split_final(instrument, rows, retrieved)
        if not kept["close"].notna().any():
            raise unavailable(instrument, start, end, "no rows", f"None of {len(rows)} rows has a final close.")
        series = series_of_rows(instrument, kept, retrieved)
        snapshot = self.store.write(
            self.name, instrument.yahoo, kept, start=start, end=end, retrieved_utc=retrieved, price_basis=basis,
            detail=f"yfinance {import_yfinance().__version__}", meta=answer.meta,
        )  # fmt: skip
        mark_reachable()
        return with_not_final(with_vintage(series, snapshot), not_final)

    def _ask(
        self,
        instrument: Instrument,
        start: pd.Timestamp,
        end: pd.Timestamp,
        arguments: dict[str, Any],
        read: Callable[[pd.DataFrame], pd.DataFrame],
        until: float = math.inf,
    ) -> tuple[pd.DataFrame, Answer]:
        """What ``read`` makes of the rows yfinance gives, and the answer they are from."""
        if not instrument.yahoo:
            raise unavailable(instrument, start, end, "not offered", "The instrument has no Yahoo symbol.")
        answer = Answer()
        deadline = min(until, time.monotonic() + 3 * self.timeout)
        while True:
            try:
                with bounded_requests(self._session, answer, deadline, self.timeout) as yfinance:
                    ticker = yfinance.Ticker(instrument.yahoo, session=self._session)
                    frame = ticker.history(actions=False, keepna=True, timeout=self.timeout, **arguments)
                break
            except Exception as error:
                if not (is_cache_locked(error) and time.monotonic() < deadline):
                    raise unavailable(instrument, start, end, *cause_of(error, answer)) from error
                time.sleep(LOCK_WAIT)
        if frame.empty:
            raise unavailable(instrument, start, end, "no rows", "The answer has no rows.")
        try:
            return read(frame), answer
        except UnusableRowsError as error:
            raise unavailable(instrument, start, end, "malformed answer", str(error)) from error


def _as_utc(instant: pd.Timestamp) -> pd.Timestamp:
    """The instant in UTC, in which one without a zone is taken to be."""
    stamp = pd.Timestamp(instant)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
