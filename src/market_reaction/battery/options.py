"""What a run of the battery was asked for, checked once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from market_reaction.errors import UnknownInstrumentError, WindowError, did_you_mean
from market_reaction.placebo import HISTORY
from market_reaction.windows import Window, check_history


@dataclass(frozen=True, slots=True)
class BatteryOptions:
    """What was fixed before looking, and the size of the pools.

    Attributes
    ----------
    window : tuple of int or None
        Window tested; None for day 0 of a single event, and for the first event window of several.
    history : int
        Pool size aimed at.
    exclude : pandas.DataFrame or None
        Events kept out of every pool.
    signs : mapping of str to float
        Direction expected of each market, +1 or -1.
    margins : mapping of str to float
        Margin of no reaction by market, in the unit of its moves.
    primary : str or None
        The one market that the question is about; the others are adjusted for having been looked at.
    selected_because_it_moved : bool
        Whether the date was chosen because the market moved, which voids every p.
    """

    window: Window | None = None
    history: int = HISTORY
    exclude: pd.DataFrame | None = None
    signs: Mapping[str, float] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    primary: str | None = None
    selected_because_it_moved: bool = False

    @classmethod
    def checked(
        cls,
        units: Mapping[str, str],
        *,
        window: Window | None = None,
        history: int = HISTORY,
        exclude: pd.DataFrame | None = None,
        signs: Mapping[str, float] | None = None,
        margin: float | Mapping[str, float] | None = None,
        primary: str | None = None,
        selected_because_it_moved: bool = False,
    ) -> BatteryOptions:
        """Options whose markets, signs and margins were checked against the markets studied, with their units."""
        check_history(history)
        markets = list(units)
        return cls(
            window=window,
            history=history,
            exclude=exclude,
            signs=checked_signs(signs, markets),
            margins=checked_margins(margin, units),
            primary=None if primary is None else one_market("primary", primary, markets),
            selected_because_it_moved=selected_because_it_moved,
        )

    @property
    def tests(self) -> tuple[str, ...]:
        """Tests that answer what was fixed beforehand."""
        asked = {"joint_signed_mean": self.signs, "romano_wolf": self.primary, "no_reaction": self.margins}
        return tuple(name for name, given in asked.items() if given)


PRIMARY = "declared as the primary market: its own p stands unadjusted"
CHOSEN = "the date was chosen because the market moved, which voids p"


def by_market(argument: str, given: Mapping[str, float] | None, markets: Iterable[str]) -> dict[str, float]:
    """Check the keys of a mapping from market to number against the markets studied.

    Raises
    ------
    UnknownInstrumentError
        A key is none of the markets.
    """
    if given is not None and not isinstance(given, Mapping):
        raise WindowError(f"{argument}={given!r} names no market; give a mapping such as {{'CSI 300': 1}}.")
    names = {name.casefold(): name for name in markets}
    checked = {}
    for key, value in (given or {}).items():
        checked[names[one_market(argument, key, names.values()).casefold()]] = float(value)
    return checked


def one_market(argument: str, name: str, markets: Iterable[str]) -> str:
    """Name of one of the markets studied, whatever its case.

    Raises
    ------
    UnknownInstrumentError
        It is none of them.
    """
    known = {market.casefold(): market for market in markets}
    if not isinstance(name, str):
        raise WindowError(f"{argument}={name!r} is no name of a market; give one of {', '.join(known.values())}.")
    if name.casefold() not in known:
        raise UnknownInstrumentError(
            f"{argument} names {name!r}, which is not among the markets of this study: {', '.join(known.values())}. "
            f"{did_you_mean(name, known.values())}Use the names shown."
        )
    return known[name.casefold()]


def checked_signs(signs: Mapping[str, float] | None, markets: Iterable[str]) -> dict[str, float]:
    """Directions by market, each +1 or -1.

    Raises
    ------
    WindowError
        A direction is another number.
    """
    checked = by_market("signs", signs, markets)
    for market, sign in checked.items():
        if sign not in (1.0, -1.0):
            raise WindowError(f"signs[{market!r}]={sign:g} is no direction; give +1 (expected up) or -1 (down).")
    return checked


def checked_margins(margin: float | Mapping[str, float] | None, units: Mapping[str, str]) -> dict[str, float]:
    """Margins of no reaction by market; a single number holds for every market, where all have one unit.

    Raises
    ------
    WindowError
        A margin is not above zero, or one number is given for markets in different units.
    """
    if isinstance(margin, int | float) and len(set(units.values())) > 1:
        each = ", ".join(f"{market!r} ({unit})" for market, unit in units.items())
        raise WindowError(
            f"margin={margin:g} is one number for markets in different units: {each}. Give a mapping from market to "
            f"margin, such as {{{next(iter(units))!r}: {margin:g}}}."
        )
    given = dict.fromkeys(units, margin) if isinstance(margin, int | float) else margin
    checked = by_market("margin", given, units)
    for market, value in checked.items():
        if not (math.isfinite(value) and value > 0):
            raise WindowError(
                f"margin={value:g} for {market!r} is no margin; give a positive move in the unit of the market, such "
                "as 0.02 for 2%."
            )
    return checked
