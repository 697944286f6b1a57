"""The choices of a specification curve, fixed before looking."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from numbers import Integral

import pandas as pd

from market_reaction.engine.design import MODELS
from market_reaction.errors import WindowError, did_you_mean
from market_reaction.windows import Window

CHOICES = ("counterfactual", "length", "gap", "window", "scaling", "returns", "session", "contaminated")
NAMES = {
    "counterfactual": "normal return", "length": "estimation sessions", "gap": "gap before day 0",
    "window": "event window", "scaling": "scale", "returns": "returns", "session": "reaction session",
    "contaminated": "sessions with other events",
}  # fmt: skip
LEVELS: Mapping[str, Mapping[str, str]] = {
    "counterfactual": {model: model.replace("_", " ") for model in MODELS},
    "scaling": {"residual": "residual sd", "mad": "robust (MAD)", "ewma": "current (EWMA)"},
    "returns": {"log": "log", "simple": "simple", "difference": "difference"},
    "session": {
        "headline": "headline", "earlier": "possible one before", "later": "possible one after",
        "next open": "first to open after",
    },
    "contaminated": {"in": "kept", "out": "left out"},
}  # fmt: skip
_SHORTEST, _NUMBERS = 30, ("length", "gap")
_MOST = 50_000  # combinations; 500 placebo days of these take over a gigabyte in one market


@dataclass(frozen=True, slots=True)
class Grid:
    """Choices whose combinations are the specifications; each field holds the levels to try, one alone is accepted too.

    Attributes
    ----------
    counterfactual : tuple of str
        Normal-return models: ``"constant_mean"``, ``"zero_mean"``, ``"market_adjusted"``, ``"market"``, ``"factors"``,
        ``"dimson"``. Those that a market has no benchmark or factors for are left out there.
    length : tuple of int
        Sessions L of the estimation window, at least 30.
    gap : tuple of int
        Full sessions between the estimation window and day 0.
    window : tuple of tuple of int
        Event windows, inclusive session offsets, over which abnormal returns are summed.
    scaling : tuple of str
        What the estimate is divided by: ``"residual"`` (residual standard deviation with the exact forecast error),
        ``"mad"`` (robust spread of the residuals with the same forecast error), ``"ewma"`` (EWMA(0.97) volatility of
        the moves known at the close before day 0, times the root of the sessions).
    returns : tuple of str
        ``"log"``, ``"simple"``; yields and volatility indexes have differences only.
    session : tuple of str
        Day 0: ``"headline"`` (first session to close after the announcement), ``"earlier"`` and ``"later"`` (another
        possible one of an ambiguous market; the session after a bare date), ``"next open"`` (first to open after it,
        where it came in a session).
    contaminated : tuple of str
        Sessions of the estimation window that hold other announcements: kept (``"in"``) or left out (``"out"``).

    Raises
    ------
    WindowError
        A choice without a level, a level that is not known or named twice, or more than 50,000 combinations.

    Notes
    -----
    Decide the grid before looking, and keep what you would defend alone: a specification that nobody would report says
    nothing about whether the answer depends on the choices that are open.

    Examples
    --------
    >>> Grid(length=(60, 120), window=(0, 1)).size
    576
    """

    counterfactual: tuple[str, ...] = ("constant_mean", "zero_mean", "market_adjusted", "market")
    length: tuple[int, ...] = (60, 120, 250)
    gap: tuple[int, ...] = (10, 20)
    window: tuple[Window, ...] = ((0, 0), (0, 1), (0, 5))
    scaling: tuple[str, ...] = ("residual", "mad", "ewma")
    returns: tuple[str, ...] = ("log", "simple")
    session: tuple[str, ...] = ("headline", "earlier", "later")
    contaminated: tuple[str, ...] = ("in", "out")

    def __post_init__(self) -> None:
        """Bring every field to a tuple of distinct, known levels."""
        for name in CHOICES:
            levels = _levels(name, getattr(self, name))
            object.__setattr__(self, name, levels)
            if not levels:
                raise WindowError(
                    f"the grid has no level of {name!r}, so there is no specification; give at least one."
                )
            if len(set(levels)) < len(levels):
                raise WindowError(f"the grid names a level of {name!r} twice: {levels}. Name each once.")
        if self.size > _MOST:
            longest = max(CHOICES, key=lambda name: len(getattr(self, name)))
            raise WindowError(
                f"the grid has {self.size:,} combinations; at most {_MOST:,} fit into memory with their placebo days. "
                f"Name fewer levels, of {longest!r} ({len(getattr(self, longest))}) for instance."
            )

    @classmethod
    def of(cls, choices: Grid | Mapping[str, object] | None, factors: Sequence[str] = ()) -> Grid:
        """Grid of a mapping from choices to levels; the default one, with ``"factors"`` where some are named, for None.

        Raises
        ------
        WindowError
            A choice that is not known, or a mapping without one.
        """
        if isinstance(choices, Grid):
            return choices
        if choices is not None and not choices:
            raise WindowError(
                "grid={} names no choice; leave grid out for the default one, or name a choice to change."
            )
        given = dict(choices or {})
        for name in given:
            if name not in CHOICES:
                near = did_you_mean(str(name), CHOICES)
                raise WindowError(f"{name!r} is no choice of a grid. {near}Choices are {', '.join(CHOICES)}.")
        if factors and "counterfactual" not in given:
            given["counterfactual"] = (*cls().counterfactual, "factors")
        return cls(**given)  # type: ignore[arg-type]

    @property
    def size(self) -> int:
        """Number of combinations, before those that cannot exist are left out."""
        return math.prod(len(getattr(self, name)) for name in CHOICES)

    @property
    def span(self) -> Window:
        """First and last offset that any event window or day 0 touches, from the session that is day 0."""
        return min(0, *(low for low, _ in self.window)), max(0, *(high for _, high in self.window))

    def table(self) -> pd.DataFrame:
        """Every combination, one row each: the choices as columns."""
        rows = list(product(*(getattr(self, name) for name in CHOICES)))
        return pd.DataFrame(rows, columns=list(CHOICES)).astype({"window": object})

    def to_frame(self) -> pd.DataFrame:
        """Choices and their levels as text, one row a choice."""
        rows = [(name, ", ".join(level_text(name, level) for level in getattr(self, name))) for name in CHOICES]
        return pd.DataFrame(rows, columns=["choice", "levels"]).set_index("choice")

    def to_dict(self) -> dict[str, list[object]]:
        """Choices and their levels as plain lists."""
        return {field.name: list(getattr(self, field.name)) for field in fields(self)}


def level_text(choice: str, level: object) -> str:
    """A level as people read it."""
    if choice == "window":
        return "[{},{}]".format(*level)  # type: ignore[misc]
    return LEVELS[choice].get(str(level), str(level)) if choice in LEVELS else str(level)


def _levels(name: str, given: object) -> tuple[object, ...]:
    """Levels of one choice, checked one by one."""
    if name == "window":
        return _windows(given)
    alone = isinstance(given, str | int) or not isinstance(given, Iterable)
    levels = [given] if alone else list(given)  # type: ignore[call-overload]
    if name in _NUMBERS:
        return tuple(_number(name, level) for level in levels)
    known = LEVELS[name]
    allowed = [level for level in known if level != "difference"]
    for level in levels:
        if level not in allowed:
            near = did_you_mean(str(level), allowed)
            raise WindowError(f"{name}={level!r} is not known. {near}Choose among {', '.join(allowed)}.")
    return tuple(levels)


def _number(name: str, level: object) -> int:
    least = _SHORTEST if name == "length" else 0
    if isinstance(level, bool) or not isinstance(level, Integral) or level < least:
        raise WindowError(f"{name}={level!r} is no number of sessions; give whole numbers of at least {least}.")
    return int(level)


def _windows(given: object) -> tuple[Window, ...]:
    """Event windows; one pair is accepted too."""
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise WindowError(f"window={given!r} is no event window; give pairs such as (0, 1).")
    pairs = list(given)
    if len(pairs) == 2 and all(isinstance(bound, Integral) for bound in pairs):
        pairs = [tuple(pairs)]
    for pair in pairs:
        whole = isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(bound, Integral) for bound in pair)
        if not whole or pair[0] > pair[1]:
            raise WindowError(f"window={pair!r} is no event window; give (first, last) with first <= last.")
    return tuple((int(low), int(high)) for low, high in pairs)
