"""Estimation and event windows, in sessions of each series, day 0 being the reaction session."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from market_reaction.errors import WindowError
from market_reaction.event_filters import check_events

Window = tuple[int, int]
EWMA_START = 60  # sessions whose mean square starts the EWMA variance
_EARLIEST = pd.Timestamp("1950-01-02")
_DAYS_PER_SESSION = 1.6  # 365.25 / 243 mainland sessions a year, and room for a long holiday


def check_history(history: int) -> None:
    """Refuse a placebo pool without a day in it."""
    if not isinstance(history, int) or history < 1:
        raise WindowError(f"history={history!r} is no pool size; give the number of earlier days to compare with.")


@dataclass(frozen=True, slots=True)
class EventWindows:
    """Inclusive session offsets from day 0.

    Attributes
    ----------
    estimation : tuple of int
        First and last offset of the estimation window. The default (-130, -11) holds L = 120 sessions and leaves
        10 full sessions before day 0.
    event : tuple of tuple of int
        Windows over which abnormal returns are summed. One pair is accepted too.

    Examples
    --------
    >>> EventWindows(event=(0, 1)).event
    ((0, 1),)
    >>> EventWindows.parse("0:1,0:5").event
    ((0, 1), (0, 5))
    """

    estimation: Window = (-130, -11)
    event: tuple[Window, ...] = ((0, 1), (0, 5))

    def __post_init__(self) -> None:
        """Refuse windows that are reversed, overlap or leave out day 0."""
        event = self.event
        if len(event) == 2 and all(isinstance(bound, int | float) for bound in event):
            event = (event,)  # type: ignore[assignment]
        pairs = tuple(tuple(int(bound) for bound in window) for window in event)
        object.__setattr__(self, "event", pairs)
        object.__setattr__(self, "estimation", tuple(int(bound) for bound in self.estimation))
        if not pairs:
            raise WindowError("event holds no window; give at least one pair such as (0, 1).")
        for name, window in (("estimation", self.estimation), *(("event", pair) for pair in pairs)):
            if len(window) != 2 or window[0] > window[1]:
                raise WindowError(f"{name}={window} is no window; give (first, last) with first <= last.")
        first = min(0, *(window[0] for window in pairs))
        if self.estimation[1] >= first:
            raise WindowError(
                f"estimation={self.estimation} and the event window from {first} share session "
                f"{self.estimation[1]}. End estimation at {first - 1} or earlier."
            )
        if self.length < 30:
            raise WindowError(
                f"estimation={self.estimation} holds {self.length} sessions; a normal return and its spread need at "
                "least 30, and 120 is usual."
            )

    @property
    def length(self) -> int:
        """Number of sessions L in the estimation window."""
        return self.estimation[1] - self.estimation[0] + 1

    @property
    def span_offsets(self) -> Window:
        """First and last offset that any event window or day 0 touches."""
        return min(0, *(w[0] for w in self.event)), max(0, *(w[1] for w in self.event))

    @classmethod
    def parse(cls, text: str | Sequence[str], estimation: Window = (-130, -11)) -> EventWindows:
        """Read windows as the command line gives them, ``"0:1,0:5"``.

        Raises
        ------
        WindowError
            A part has another form than ``first:last``.
        """
        parts = ",".join([text] if isinstance(text, str) else text).split(",")
        pairs = []
        for part in parts:
            match = re.fullmatch(r"\s*([+-]?\d+)\s*:\s*([+-]?\d+)\s*", part)
            if not match:
                raise WindowError(f"window {part.strip()!r} is not of the form first:last, such as 0:1 or -1:5.")
            pairs.append((int(match[1]), int(match[2])))
        return cls(estimation=estimation, event=tuple(pairs))

    def span(self, events: pd.DataFrame, history: int = 500) -> tuple[pd.Timestamp, pd.Timestamp]:
        """First and last date of prices to load for these events.

        Parameters
        ----------
        events : pandas.DataFrame
            As ``load_events`` gives it.
        history : int
            Number of pseudo-announcements before each event that the placebo test will want.

        Returns
        -------
        tuple of pandas.Timestamp
            Two tz-naive dates that leave room for holidays and for the start of the EWMA volatility.
        """
        check_history(history)
        check_events(events)
        first = events["utc_earliest"].dt.tz_localize(None).fillna(events["session_date"]).min().normalize()
        last = events["utc_latest"].dt.tz_localize(None).fillna(events["session_date"]).max().normalize()
        before = -self.estimation[0] + max(history - self.estimation[1], 0) + EWMA_START
        after = self.span_offsets[1]
        return (
            max(first - pd.Timedelta(days=min(int(before * _DAYS_PER_SESSION) + 30, 40_000)), _EARLIEST),
            last + pd.Timedelta(days=int(after * _DAYS_PER_SESSION) + 15),
        )
