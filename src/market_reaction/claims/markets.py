"""Markets as sentences name them: "US futures", "the offshore yuan", with the sign of the quote."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import pandas as pd

from market_reaction import paths
from market_reaction.errors import UnknownInstrumentError, did_you_mean
from market_reaction.instruments import Instrument, catalogue, find_instrument

# What may stand in, under its own name, for a market that no source has.
STAND_INS = {"USD/CNH": "USD/CNY"}
_NEAR = {"Dollar index": "Broad dollar"}
STOOD_IN_FOR = {reserve: market for market, reserve in STAND_INS.items()}


class Named(NamedTuple):
    """What a name in a sentence stands for.

    Attributes
    ----------
    instrument : Instrument
        The market.
    sign : int
        +1 where the quote rises with what is named, -1 where it falls: the offshore yuan and USD/CNH.
    """

    instrument: Instrument
    sign: int


class Mention(NamedTuple):
    """A market found in a text: where, in which words, and what they stand for."""

    start: int
    end: int
    words: str


def _folded(words: str) -> str:
    return re.sub(r"\s+", " ", words.strip()).casefold()


@cache
def _table() -> dict[str, tuple[str, int]]:
    """Instrument and sign by folded words, from ``data/market_names.csv``."""
    rows = pd.read_csv(paths.data_dir() / "market_names.csv", dtype=str, encoding="utf-8")
    columns = (rows[name].tolist() for name in ("words", "instrument", "sign"))
    return {_folded(words): (name, int(sign)) for words, name, sign in zip(*columns, strict=True)}


def find_market(words: str) -> Named:
    """Market for the words of a sentence, a name of the catalogue, a symbol, or ``"yahoo:TICKER"``.

    Parameters
    ----------
    words : str
        Case does not matter.

    Raises
    ------
    UnknownInstrumentError
        Nothing matches; the message names the nearest.

    Examples
    --------
    >>> named = find_market("offshore yuan")
    >>> named.instrument.name, named.sign
    ('USD/CNH', -1)
    """
    known = _table()
    if _folded(words) in known:
        name, sign = known[_folded(words)]
        return Named(find_instrument(name), sign)
    try:
        return Named(find_instrument(words), 1)
    except UnknownInstrumentError:
        near = did_you_mean(words, [*known, *catalogue()])
        raise UnknownInstrumentError(
            f"{words!r} is no market that a claim can name. {near}list_instruments() shows all names; tickers of Yahoo "
            "work as 'yahoo:TICKER'."
        ) from None


def near_names(text: str) -> str:
    """Known names close to the words that a clause begins with, in brackets; empty where there are none."""
    words = re.split(r"\0", text)[0].strip()
    near = did_you_mean(re.sub(r"^(?:the|an?) ", "", words, flags=re.IGNORECASE), [*_table(), *catalogue()])
    return f" ({near[0].lower()}{near[1:].strip()})" if near else ""


def near_market(instrument: Instrument) -> str:
    """Sentence that names a bundled market close to one that no source has; empty where there is none."""
    near = catalogue().get(_NEAR.get(instrument.name, f"{instrument.name} spot"))
    if near is None or not near.bundled or instrument.bundled:
        return ""
    return (
        f" The nearest bundled market is {near.name!r} ({near.quote_note or near.unit}): a claim that names it can be "
        f"judged where its series reaches the day."
    )


@cache
def _pattern(names: tuple[str, ...], symbols: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for every name, longest first; symbols only in their own case."""
    by_length = sorted({*_table(), *map(str.casefold, names)}, key=len, reverse=True)
    words = "|".join(r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", name))) for name in by_length)
    tickers = "|".join(map(re.escape, sorted(symbols, key=len, reverse=True)))
    return re.compile(rf"(?<![\w/^])(?:(?i:yahoo:[\w^=.\-]*\w|{words})|{tickers})(?:['’]s)?(?![\w/])")


def mentions(text: str) -> list[Mention]:
    """Markets named in a text, in order, the longest name at each place.

    Parameters
    ----------
    text : str
        A sentence or a part of one.
    """
    rows = catalogue().values()
    symbols = tuple(row.yahoo for row in rows if len(row.yahoo) > 1)
    found = _pattern(tuple(row.name for row in rows), symbols).finditer(text)
    return [Mention(m.start(), m.end(), re.sub(r"['’]s$", "", m[0])) for m in found]
