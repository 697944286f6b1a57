"""Asking Yahoo: requests through ``yfinance`` that take bounded time, and what it means when they fail.

yfinance keeps its session, settings and caches once per process, and hides failures unless told not to. Here it is led
through a session that keeps time and remembers the answer of the chart service. What went wrong is judged from that
answer: an empty one can be throttling, an outage or a wrong symbol, and the word "delisted" is never passed on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pandas as pd

from market_reaction.errors import DataUnavailableError
from market_reaction.instruments import Instrument

# Causes that the next symbol will meet as well.
SHARED_CAUSES = ("rate limit", "timeout", "no network")
LOCK_WAIT = 0.1  # seconds until asking again while another process has yfinance's cache open

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

_CHART = "/v8/finance/chart/"
_PROBE_URL = "https://query2.finance.yahoo.com/v1/test/getcrumb"
_PROBE_SECONDS = 3.0

_verdict: dict[str, bool] = {}
_probing = threading.Lock()
_asking = threading.RLock()  # yfinance keeps its session, settings and caches once per process


@dataclass(slots=True)
class Answer:
    """Last answer of the chart service.

    Attributes
    ----------
    status : int or None
        HTTP status; None where none came.
    text : str
        Body of the answer.
    """

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

    @property
    def meta(self) -> dict[str, str]:
        """Currency, time zone and kind of the series, each empty where the answer does not state it."""
        meta = (self.chart or {}).get("meta", {})
        return {key: str(meta.get(key, "")) for key in ("currency", "exchangeTimezoneName", "instrumentType")}


def import_yfinance() -> ModuleType:
    """Import yfinance, which forces its deprecation warnings to be shown, and silence those about pandas.

    Returns
    -------
    module
    """
    import yfinance

    warnings.filterwarnings("ignore", category=pd.errors.Pandas4Warning, module="^yfinance")
    return yfinance


@contextmanager
def bounded_requests(session: Any, answer: Answer, deadline: float, timeout: float) -> Iterator[ModuleType]:
    """Give yfinance with exceptions on, empty caches and a session that keeps time and remembers the chart answer.

    yfinance keeps answers of past ranges in the process, failures included: they are forgotten before and after. Its
    requests for cookie and crumb, which the chart service can do without, get a quarter of the time.

    Parameters
    ----------
    session : curl_cffi.requests.Session
        Session that yfinance is given to ask with; as before afterwards.
    answer : Answer
        Gets the last answer of the chart service.
    deadline : float
        Time of ``time.monotonic`` after which no request is begun.
    timeout : float
        Seconds for one answer.

    Yields
    ------
    module
        yfinance, which nobody else asks with meanwhile.
    """
    yfinance = import_yfinance()
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


def is_reachable(session: Any) -> bool:
    """Whether Yahoo answers at all, asked once per process and within 3 seconds.

    Parameters
    ----------
    session : curl_cffi.requests.Session
        Session to ask with.

    Returns
    -------
    bool
        The verdict of the process: that of the first call, or True after ``mark_reachable``.
    """
    with _probing:
        if "reachable" not in _verdict:
            _verdict["reachable"] = _probe(session)
        return _verdict["reachable"]


def mark_reachable() -> None:
    """Set the verdict of ``is_reachable`` to True, a download having come."""
    _verdict["reachable"] = True


def _probe(session: Any) -> bool:
    """Whether any HTTP answer comes in time; in a thread of its own, since a name look-up has no time limit."""
    answered = threading.Event()

    def ask() -> None:
        try:
            session.get(_PROBE_URL, timeout=_PROBE_SECONDS, allow_redirects=False)
        except Exception:  # whatever it is, nothing came
            return
        answered.set()

    thread = threading.Thread(target=ask, name="yahoo-probe", daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    return answered.is_set()


def unavailable(
    instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, cause: str, detail: str
) -> DataUnavailableError:
    """Error for a series that did not come: what was asked for, why it did not come and what to do next.

    Parameters
    ----------
    instrument : Instrument
        What is priced.
    start, end : pandas.Timestamp
        The span asked for.
    cause : str
        ``"no network"``, ``"rate limit"``, ``"no rows"``, ``"malformed answer"``, ``"timeout"``, ``"server error"`` or
        ``"not offered"``; asking again helps after all but the last.
    detail : str
        A sentence on this case.

    Returns
    -------
    DataUnavailableError
    """
    return DataUnavailableError(
        f"Yahoo gave no usable rows for {instrument.name!r} ({instrument.yahoo or 'no symbol'}), "
        f"{start:%Y-%m-%d} to {end:%Y-%m-%d}. Cause: {cause}. {detail} {_NEXT_STEPS[cause]}",
        symbol=instrument.yahoo or instrument.name,
        cause=cause,
        retryable=cause != "not offered",
    )


def is_cache_locked(error: Exception) -> bool:
    """Whether another process has yfinance's cache of time zones and cookies open, which lasts a moment.

    Parameters
    ----------
    error : Exception
        What asking raised.
    """
    return type(error).__name__ == "OperationalError" and "locked" in str(error)


def cause_of(error: Exception, answer: Answer) -> tuple[str, str]:
    """Cause of a failure and a sentence about it, from the answer where there is one, else from the exception.

    Parameters
    ----------
    error : Exception
        What asking raised.
    answer : Answer
        What came before that.

    Returns
    -------
    tuple of str
        Cause and detail for ``unavailable``.
    """
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
        if is_cache_locked(error):
            return "timeout", "Another process held yfinance's cache all that time."
        return "malformed answer", f"yfinance raised {type(error).__name__} before an answer came."
    if "Will be right back" in answer.text:
        return "server error", "Yahoo says that it is down."
    if answer.status >= 500 or answer.status in (401, 403):
        return "server error", f"Yahoo answered with HTTP {answer.status}."
    chart = answer.chart
    if answer.status >= 400 or (chart is not None and not chart.get("timestamp")):
        return "no rows", f"The answer has no rows (HTTP {answer.status})."
    return "malformed answer", f"Reading the answer raised {type(error).__name__}."
