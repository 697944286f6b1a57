"""A server on the loopback interface that answers as Yahoo's chart service does, and a session that is led to it.

The rows are given by the test; the server invents none. Each symbol answers in its own mode, so that every way in which
Yahoo fails can be played. ``MODES`` names them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from curl_cffi.requests import Session

# Local date or date and time, open, high, low, close, volume; None as Yahoo's null.
Row = tuple[str, float | None, float | None, float | None, float | None, float | None]

MODES = (
    "ok", "429", "empty", "no timestamps", "malformed", "cut", "html", "down", "delisted", "422", "500",
    "hang", "hang body", "partial",
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What Yahoo says about a symbol: zone, currency, kind, and the local time its daily rows are stamped with."""

    zone: str
    currency: str
    kind: str
    stamp: tuple[int, int] = (0, 0)


LISTINGS = {
    "000300.SS": Listing("Asia/Shanghai", "CNY", "INDEX", (9, 30)),
    "CNH=X": Listing("Europe/London", "CNH", "CURRENCY"),
    "ES=F": Listing("America/New_York", "USD", "FUTURE"),
    "CL=F": Listing("America/New_York", "USD", "FUTURE"),
    "MP": Listing("America/New_York", "USD", "EQUITY", (9, 30)),
    "^TNX": Listing("America/Chicago", "USD", "INDEX", (7, 20)),
}


@dataclass
class YahooServer:
    """The server; use it as a context manager.

    Attributes
    ----------
    rows : dict of str to sequence of Row
        Rows by symbol; a symbol without any is unknown to the server.
    modes : dict of str to str
        Mode by symbol, or by ``"crumb"``, ``"cookie"`` and ``"*"``; ``"ok"`` when left out.
    adjusted : dict of str to sequence of float
        Adjusted closes by symbol; the closes when left out.
    asked : list of str
        Path of every request.
    """

    rows: dict[str, Sequence[Row]] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    adjusted: dict[str, Sequence[float]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> YahooServer:
        handler = type("Bound", (_Handler,), {"yahoo": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._http.shutdown()
        self._http.server_close()

    def charts(self, symbol: str) -> int:
        """Number of chart requests for a symbol so far."""
        return sum(path.endswith("/chart/" + symbol) for path in self.asked)

    def chart(self, symbol: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The whole answer for the rows between ``period1`` and ``period2``."""
        listing = LISTINGS[symbol]
        interval = query.get("interval", "1d")
        rows = [(_stamp(row[0], listing), *row[1:]) for row in self.rows[symbol]]
        adjusted = list(self.adjusted.get(symbol, [row[4] for row in rows]))
        if "period1" in query:
            span = range(int(query["period1"]), int(query["period2"]))
            inside = [row[0] in span for row in rows]
        else:
            inside = [False] * (len(rows) - 1) + [True]
        rows = [row for row, kept in zip(rows, inside, strict=True) if kept]
        adjusted = [value for value, kept in zip(adjusted, inside, strict=True) if kept]
        if self.mode(symbol) == "partial":
            half = len(rows) // 2
            rows, adjusted = [*rows[:half], (rows[half][0], *[None] * 5)], [*adjusted[:half], None]
        names = ("open", "high", "low", "close", "volume")
        quote = {name: [row[at] for row in rows] for at, name in enumerate(names, start=1)}
        meta = {
            "currency": listing.currency,
            "symbol": symbol,
            "instrumentType": listing.kind,
            "exchangeTimezoneName": listing.zone,
            "timezone": "X",
            "gmtoffset": 0,
            "dataGranularity": interval,
            "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
        }
        indicators: dict[str, Any] = {"quote": [quote]}
        if interval == "1d":
            indicators["adjclose"] = [{"adjclose": adjusted}]
        else:
            meta["tradingPeriods"] = _trading_periods([row[0] for row in rows], listing)
        result = {"meta": meta, "timestamp": [row[0] for row in rows], "indicators": indicators}
        return {"chart": {"result": [result], "error": None}}

    def mode(self, symbol: str) -> str:
        """Mode in force for a symbol."""
        mode = self.modes.get(symbol, self.modes.get("*", "ok"))
        assert mode in MODES, mode
        return mode if symbol in self.rows or mode != "ok" else "delisted"


def _stamp(text: str, listing: Listing) -> int:
    local = datetime.fromisoformat(text)
    if len(text) == len("2025-06-11"):
        local = local.replace(hour=listing.stamp[0], minute=listing.stamp[1])
    return int(local.replace(tzinfo=ZoneInfo(listing.zone)).timestamp())


def _trading_periods(stamps: Sequence[int], listing: Listing) -> list[list[dict[str, Any]]]:
    """Whole local days, as for a market that never closes."""
    zone = ZoneInfo(listing.zone)
    days = sorted({datetime.fromtimestamp(stamp, UTC).astimezone(zone).date() for stamp in stamps})
    starts = [int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) for day in days]
    return [[{"start": at, "end": at + 86_399, "timezone": "X", "gmtoffset": 0}] for at in starts]


class _Handler(BaseHTTPRequestHandler):
    yahoo: ClassVar[YahooServer]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def send(self, status: int, body: str | Mapping[str, Any], cookie: str = "") -> None:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(content)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):  # the client gave up
            self.close_connection = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = unquote(parts.path)
        self.yahoo.asked.append(path)
        if "/v8/finance/chart/" in path:
            self.chart(path.rsplit("/", 1)[1], query)
        elif path.endswith("/getcrumb"):
            self.helper("crumb", "CrUmB123")
        else:
            self.helper("cookie", "<html>fine</html>", "A3=abc; Path=/; Max-Age=31536000")

    def helper(self, name: str, body: str, cookie: str = "") -> None:
        match self.yahoo.modes.get(name, "ok"):
            case "429":
                self.send(429, "Too Many Requests")
            case "hang":
                self.yahoo.stop.wait(60)
            case _:
                self.send(200, body, cookie)

    def chart(self, symbol: str, query: Mapping[str, str]) -> None:
        nothing = {"chart": {"result": [], "error": None}}
        match self.yahoo.mode(symbol):
            case "429":
                self.send(429, "Edge: Too Many Requests")
            case "empty":
                self.send(200, nothing)
            case "no timestamps":
                answer = self.yahoo.chart(symbol, query)
                del answer["chart"]["result"][0]["timestamp"]
                answer["chart"]["result"][0]["indicators"] = {"quote": [{}], "adjclose": [{}]}
                self.send(200, answer)
            case "malformed":
                self.send(200, '{"chart": {"result": [{"meta": ')
            case "cut":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"chart": ')
                self.close_connection = True
            case "html":
                self.send(200, "<html>Please sign in to this network.</html>")
            case "down":
                self.send(200, "<html>Will be right back...</html>")
            case "delisted":
                self.send(404, _refusal("Not Found", "No data found, symbol may be delisted"))
            case "422":
                self.send(422, _refusal("Unprocessable Entity", "The requested range must be within the last 30 days."))
            case "500":
                self.send(500, "Internal Server Error")
            case "hang":
                self.yahoo.stop.wait(60)
            case "hang body":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"chart": ')
                self.wfile.flush()
                self.yahoo.stop.wait(60)
            case _:
                self.send(200, self.yahoo.chart(symbol, query))


def _refusal(code: str, description: str) -> dict[str, Any]:
    return {"chart": {"result": None, "error": {"code": code, "description": description}}}


class LoopbackSession(Session):
    """A session for yfinance that goes to the server instead of Yahoo, and nowhere else."""

    def __init__(self, base: str) -> None:
        super().__init__(trust_env=False)
        self._base = base

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host != "yahoo.com" and not host.endswith(".yahoo.com"):
            raise AssertionError(f"a test asked {url}, which is not Yahoo")
        query = f"?{parts.query}" if parts.query else ""
        return super().request(method, f"{self._base}{parts.path}{query}", *args, **options)
