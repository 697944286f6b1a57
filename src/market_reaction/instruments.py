"""What is traded: names, symbols per source, calendar, unit, direction of the quote, default benchmark."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from market_reaction import calendars, paths
from market_reaction.clocks import BarClose, bar_close_rules, parse_bar_close
from market_reaction.errors import InstrumentTableError, UnknownInstrumentError, did_you_mean

AssetClass = Literal["index", "future", "fx", "equity", "etf", "volatility", "yield", "commodity"]
ReturnKind = Literal["log", "simple", "difference"]
ASSET_CLASSES, RETURN_KINDS = get_args(AssetClass), get_args(ReturnKind)
REQUIRED_COLUMNS = (
    "name", "class", "yahoo", "bundled", "bundled_name", "calendar", "unit", "quote_note", "return_kind", "benchmark",
)  # fmt: skip

# Shown when nothing else is asked for; those without a bundled series need the network or a folder of files.
DEFAULT_MARKETS = (
    "CSI 300", "E-mini S&P 500", "USD/CNH", "S&P 500", "Hang Seng", "Gold", "USD/CNY", "VIX", "US 2y", "US 10y",
    "Broad dollar", "WTI spot", "Brent spot",
)  # fmt: skip

_SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9^=.\-]{0,31}")
_SUFFIX_CALENDAR = {
    "SS": ("XSHG", "CNY"), "SZ": ("XSHG", "CNY"), "HK": ("XHKG", "HKD"), "T": ("XTKS", "JPY"), "KS": ("XKRX", "KRW"),
    "TW": ("XTAI", "TWD"), "AX": ("XASX", "AUD"), "DE": ("XETR", "EUR"), "L": ("XLON", "GBp"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instrument:
    """One market.

    Attributes
    ----------
    name : str
        The name used in tables and charts. FX names give the quote: ``"USD/CNH"`` is yuan per dollar.
    asset_class : str
        ``"index"``, ``"future"``, ``"fx"``, ``"equity"``, ``"etf"``, ``"volatility"``, ``"yield"`` or ``"commodity"``.
    yahoo, bundled : str
        Symbol at each source; empty where the source does not have it.
    bundled_name : str
        Name shown when the bundled series is another quote of the same thing, such as ``"USD/CNY (ECB)"``.
    calendar : str
        ``exchange_calendars`` code; empty where no calendar exists.
    unit : str
        Currency or unit of the price.
    quote_note : str
        What "up" means, such as ``"up = yuan weaker"``.
    return_kind : str
        ``"log"`` or ``"simple"`` for prices, ``"difference"`` for yields (percentage points) and VIX (points).
    benchmark : str
        Default benchmark for the market model; empty for none.
    bar_close : str
        Close of the daily bar, such as ``"16:00 America/New_York"``; empty to use ``data/bar_closes.csv``.
    """

    name: str
    asset_class: AssetClass
    yahoo: str = ""
    bundled: str = ""
    bundled_name: str = ""
    calendar: str = ""
    unit: str = ""
    quote_note: str = ""
    return_kind: ReturnKind = "log"
    benchmark: str = ""
    bar_close: str = ""

    def __post_init__(self) -> None:
        """Refuse a row that breaks a rule, naming the column and what it may hold."""
        if not self.name.strip():
            raise InstrumentTableError("an instrument has an empty name; give it one.")
        for column, value, allowed in (
            ("class", self.asset_class, ASSET_CLASSES),
            ("return_kind", self.return_kind, RETURN_KINDS),
        ):
            if value not in allowed:
                raise InstrumentTableError(
                    f"instrument {self.name!r} has {column} {value!r}; allowed are {', '.join(allowed)}."
                )
        if self.is_difference != (self.asset_class in ("volatility", "yield")):
            raise InstrumentTableError(
                f"instrument {self.name!r} is a {self.asset_class} with return_kind {self.return_kind!r}; "
                "yields and volatility indexes take 'difference', everything else 'log' or 'simple'."
            )
        for symbol in (self.yahoo, self.bundled):
            if symbol and not _SYMBOL.fullmatch(symbol.replace("_", "-")):
                raise InstrumentTableError(
                    f"instrument {self.name!r} has the symbol {symbol!r}; "
                    "a symbol has at most 32 letters, digits and the signs ^ = . - only."
                )
        if self.bar_close:
            parse_bar_close(self.bar_close, f"instrument {self.name!r}: bar_close")

    @property
    def is_difference(self) -> bool:
        """Whether moves are differences of levels rather than returns."""
        return self.return_kind == "difference"

    @property
    def change_unit(self) -> Literal["return", "points", "percentage points"]:
        """Unit of a move: a decimal return, points, or percentage points."""
        if not self.is_difference:
            return "return"
        return "percentage points" if self.asset_class == "yield" else "points"

    def kind_of_moves(self, asked: ReturnKind | None) -> ReturnKind:
        """Kind of moves to take when one is asked for: differences stay differences, and None means its own kind."""
        return self.return_kind if asked is None or self.is_difference else asked

    def name_from(self, source: str) -> str:
        """Name to show for the series of this source."""
        return self.bundled_name if source == "bundled" and self.bundled_name else self.name

    def bar_closes(self, source: str) -> tuple[BarClose, ...]:
        """Dated bar-close rules of this instrument's rows from a source."""
        if self.bar_close:
            return (parse_bar_close(self.bar_close),)
        return bar_close_rules(self.name, self.asset_class, self.calendar, source)


def _read_table(path: Path) -> list[Instrument]:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = [column for column in REQUIRED_COLUMNS[:2] if column not in frame.columns]
    unknown = [column for column in frame.columns if column not in (*REQUIRED_COLUMNS, "bar_close")]
    if missing or unknown:
        raise InstrumentTableError(
            f"{path.name} lacks the columns {missing} and has the unknown columns {unknown}; "
            f"the columns are {', '.join(REQUIRED_COLUMNS)}, bar_close, of which name and class are required."
        )
    rows = []
    for number, row in enumerate(frame.rename(columns={"class": "asset_class"}).to_dict("records"), start=2):
        given = {str(key): value.strip() for key, value in row.items() if value.strip()}
        if given.get("asset_class") in ("yield", "volatility"):
            given.setdefault("return_kind", "difference")
        try:
            rows.append(Instrument(**given))
        except (InstrumentTableError, TypeError) as error:
            raise InstrumentTableError(f"{path.name} line {number}: {error}") from None
    return rows


@cache
def _catalogue(user_file: Path, stamp: float) -> dict[str, Instrument]:
    """All rows by name; ``stamp`` is the modification time of the user's file, so that an edit is seen at once."""
    rows = _read_table(paths.data_dir() / "instruments.csv")
    own = _read_table(user_file) if stamp else []
    names = [row.name.casefold() for row in rows]
    if len(set(names)) < len(names):
        raise InstrumentTableError("data/instruments.csv names an instrument twice.")
    if len({row.name.casefold() for row in own}) < len(own):
        raise InstrumentTableError(f"{user_file.name} names an instrument twice; keep one row.")
    by_name = {row.name: row for row in rows}
    folded = {name.casefold(): name for name in by_name}
    for row in own:  # a user's row replaces the catalogue's of the same name
        if row.calendar:
            calendars.hours(row.calendar)
        by_name.pop(folded.get(row.name.casefold(), row.name), None)
        by_name[row.name] = row
    for row in by_name.values():
        if row.benchmark and row.benchmark not in by_name:
            raise InstrumentTableError(
                f"instrument {row.name!r} has the benchmark {row.benchmark!r}, which is not in the catalogue."
            )
    return by_name


def catalogue() -> dict[str, Instrument]:
    """Every instrument by name: the shipped table and the user's own rows."""
    own = paths.user_instruments_file()
    if os.environ.get("MARKET_REACTION_INSTRUMENTS") and not own.is_file():
        raise InstrumentTableError(
            f"MARKET_REACTION_INSTRUMENTS names {str(own)!r}, which does not exist; write the table or unset "
            f"the variable."
        )
    return _catalogue(own, own.stat().st_mtime if own.is_file() else 0.0)


def list_instruments() -> pd.DataFrame:
    """Catalogue as a frame, one row an instrument, indexed by name.

    Returns
    -------
    pandas.DataFrame
        Columns as in ``data/instruments.csv``: class, symbols per source, calendar, unit, quote note, return kind,
        default benchmark.
    """
    rows = [
        {"name": row.name, "class": row.asset_class} | {column: getattr(row, column) for column in REQUIRED_COLUMNS[2:]}
        for row in catalogue().values()
    ]
    return pd.DataFrame(rows).set_index("name")


def find_instrument(market: str | Instrument) -> Instrument:
    """Instrument for a name, a symbol, or an inline Yahoo ticker such as ``"yahoo:TSLA"``; case does not matter.

    Parameters
    ----------
    market : str or Instrument
        An ``Instrument`` is returned as it is.

    Raises
    ------
    UnknownInstrumentError
        Nothing in the catalogue matches; the message names the nearest entries.
    """
    if isinstance(market, Instrument):
        return market
    wanted = str(market).strip()
    if wanted.casefold().startswith("yahoo:"):
        return _inline(wanted[len("yahoo:") :].strip())
    rows = catalogue()
    for key in ("name", "bundled_name", "yahoo", "bundled"):
        for row in rows.values():
            if getattr(row, key).casefold() == wanted.casefold() != "":
                return row
    symbols = [text for row in rows.values() for text in (row.name, row.yahoo) if text]
    raise UnknownInstrumentError(
        f"{wanted!r} is not in the catalogue. {did_you_mean(wanted, symbols)}"
        "list_instruments() and `market-reaction instruments` show all names; tickers of Yahoo work as 'yahoo:TICKER'."
    )


def find_instruments(markets: str | Instrument | Sequence[str | Instrument]) -> list[Instrument]:
    """Instruments for several names, each once; a single name is taken as a list of one.

    Raises
    ------
    UnknownInstrumentError
        A market that is not known, no market at all, or two different instruments of one name.
    """
    asked = [markets] if isinstance(markets, str | Instrument) else list(markets)
    if not asked:
        raise UnknownInstrumentError(
            "no market is named; give at least one, or leave markets out for the default list."
        )
    found = list(dict.fromkeys(find_instrument(market) for market in asked))
    for attribute in ("name", "yahoo"):
        taken: set[str] = set()
        for value in filter(None, (getattr(item, attribute) for item in found)):
            if value in taken:
                raise UnknownInstrumentError(
                    f"two different instruments have the {attribute} {value!r}; ask for one of them, or rename one."
                )
            taken.add(value)
    return found


def _inline(symbol: str) -> Instrument:
    """Instrument for a Yahoo ticker that is not in the catalogue, its calendar read from the ticker's suffix."""
    for row in catalogue().values():
        if row.yahoo.casefold() == symbol.casefold():
            return row
    if not _SYMBOL.fullmatch(symbol):
        raise UnknownInstrumentError(
            f"'yahoo:{symbol}' is no Yahoo ticker: it has at most 32 letters, digits and the signs ^ = . - only."
        )
    name = symbol.upper()
    if name.endswith("=X"):
        return Instrument(name, "fx", yahoo=name, unit="quote as Yahoo gives it", quote_note="up = quote higher")
    if name.endswith("=F"):
        return Instrument(name, "future", yahoo=name, calendar="CMES", quote_note="front month; settlement")
    stem, _, suffix = name.rpartition(".")
    is_pair = re.search(r"-[A-Z]{3,4}$", name)  # BTC-USD trades round the clock
    if not name.startswith("^") and not is_pair and (not stem or suffix in _SUFFIX_CALENDAR):
        calendar, unit = _SUFFIX_CALENDAR[suffix] if stem else ("XNYS", "USD")
        return Instrument(name, "equity", yahoo=name, calendar=calendar, unit=unit)
    raise UnknownInstrumentError(
        f"the exchange of 'yahoo:{symbol}' cannot be told from its ticker. State it: "
        f"mr.Instrument('{name}', 'equity', yahoo='{name}', calendar='CODE', bar_close='HH:MM Area/City') with the "
        "exchange_calendars code and closing time of its exchange (no calendar where there is none), "
        f"or add a row to {paths.user_instruments_file()}."
    )
