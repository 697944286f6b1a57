"""What tables show, as plain strings: the same lines and columns for notebook, report and terminal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market_reaction import wording

if TYPE_CHECKING:
    import pandas as pd

    from market_reaction.other_news import OtherNews
    from market_reaction.reaction_result import MarketReaction, Measured, ReactionResult, WindowReaction


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the reaction table: a market on one of its possible sessions.

    Attributes
    ----------
    row : MarketReaction
        The market.
    found : Measured
        The reaction on this session.
    """

    row: MarketReaction
    found: Measured

    @property
    def headline(self) -> bool:
        """Whether this is the session that leads."""
        return self.found is self.row.headline

    @property
    def unit(self) -> str:
        """Unit of the moves."""
        return self.row.series.instrument.change_unit

    @property
    def unusual(self) -> bool:
        """Whether the placebo p is at most 0.05."""
        return wording.is_unusual(self.found)


def lines(result: ReactionResult) -> list[Line]:
    """Lines of the reaction table: each market's headline session, then its other possible ones."""
    return [
        Line(row, found)
        for row in result.reactions
        for found in (row.headline, *(other for other in row.candidates if other is not row.headline))
    ]


def _session(line: Line) -> str:
    if not line.headline:
        return f"or {wording.day(line.found.session)}"
    return wording.day(line.found.session) + (" (ambiguous)" if line.row.ambiguous else "")


def _market(line: Line) -> str:
    return wording.clean(line.row.market) if line.headline else ""


def _levels(line: Line) -> str:
    instrument = line.row.series.instrument
    return f"{wording.level(line.found.previous_close, instrument)} → {wording.level(line.found.close, instrument)}"


Column = tuple[str, Callable[[Line], str]]

MOVE_COLUMNS: tuple[Column, ...] = (
    ("Market", _market),
    ("Session", _session),
    ("Close", _levels),
    ("Change", lambda line: wording.move(line.found.change, line.unit)),
    ("Usual day", lambda line: wording.size(line.found.usual_day, line.unit)),
    ("Placebo p (floor)", lambda line: wording.placebo_p(line.found.placebo.scaled)),
    ("Smallest detectable", lambda line: wording.size(line.found.placebo.mde, line.unit)),
    ("Rank", lambda line: wording.rank(line.found.record, line.found.rank_chance)),
)


def detail_columns(result: ReactionResult) -> tuple[Column, ...]:
    """Columns of the second table: clock, z values, CARs."""
    cars = tuple((f"CAR[{low},{high}]", _car_column(i)) for i, (low, high) in enumerate(result.study.windows.event))
    return (
        ("Market", _market),
        ("Session", _session),
        ("News to first trade", lambda line: wording.first_trade(line.row) if line.headline else ""),
        ("z", lambda line: wording.signed(line.found.z)),
        ("z robust", lambda line: wording.signed(line.found.z_mad)),
        ("z EWMA", lambda line: wording.signed(line.found.z_ewma)),
        *cars,
        ("Compared days", lambda line: str(line.found.placebo.scaled.n_placebo)),
        ("Source", lambda line: line.row.series.source if line.headline else ""),
    )


def _car_column(at: int) -> Callable[[Line], str]:
    return lambda line: car(line.found.windows[at], line.unit)


def car(window: WindowReaction, unit: str) -> str:
    """CAR with its standard error, or when it will be complete."""
    if math.isfinite(window.car):
        return f"{wording.move(window.car, unit)} ± {wording.size(window.std_error, unit)}"
    due = f", complete {wording.day(window.complete_on)}" if window.complete_on is not None else ""
    return f"{wording.NOT_AVAILABLE}{due}"


LEGEND = (
    "Usual day: standard deviation of a session as known the evening before (EWMA 0.97). "
    "Placebo p: share of comparable days before that moved at least as much for their time; the floor is the smallest "
    "p attainable. Smallest detectable: the effect found with 80% power. Rank: in brackets, how many of those days "
    "earn one as long in this market and direction, and on how many some market shown does, up or down. "
    "z divides the abnormal return by the forecast standard deviation, a robust one, and the EWMA volatility. "
    "CAR: cumulated abnormal return ± standard error."
)


@dataclass(frozen=True, slots=True)
class NewsLine:
    """One other piece of news with the markets whose return it shares."""

    news: OtherNews
    markets: tuple[str, ...]

    @property
    def title(self) -> str:
        """Title without control characters."""
        return wording.clean(self.news.title)

    @property
    def time(self) -> str:
        """When it became public (UTC); "by" where only the day is known, which then ends at that time."""
        return f"{'by ' if self.news.precision == 'day' else ''}{self.news.utc:%Y-%m-%d %H:%M}"


def news_lines(result: ReactionResult) -> list[NewsLine]:
    """Other news of all markets, each once: high importance first, then by time."""
    found: dict[str, NewsLine] = {}
    for row in result.reactions:
        for news in row.other_news:
            known = found.get(news.id)
            found[news.id] = NewsLine(news, (*(known.markets if known else ()), row.market))
    return sorted(found.values(), key=lambda line: (line.news.importance != "high", line.news.utc))


def shared_by(line: NewsLine, result: ReactionResult) -> str:
    """Markets whose return holds the news, or "all"."""
    return "all" if len(line.markets) == len(result.reactions) > 1 else ", ".join(line.markets)


def title(result: ReactionResult) -> str:
    """Heading: the title of the announcement."""
    return wording.clean(result.event["title"])


def when(result: ReactionResult) -> str:
    """When the announcement came, with its bounds."""
    return when_of(result.event)


def when_of(event: pd.Series) -> str:
    """When an announcement came, with its bounds, from its row of an event table."""
    if event["precision"] == "date":
        return f"{wording.day(event['session_date'])}, clock unknown"
    low, high = event["utc_earliest"], event["utc_latest"]
    bounds = f"{low:%Y-%m-%d %H:%M} to {high:%Y-%m-%d %H:%M} UTC"
    if event["precision"] == "day":
        return f"between {bounds}; only the day is known"
    return f"{wording.instant(event['announced_utc'])} (bounds {bounds})"


def caption_time(event: pd.Series) -> str:
    """When an announcement came, in a caption: bounds only where the minute is not known."""
    return wording.instant(event["announced_utc"]) if event["precision"] == "minute" else when_of(event)


def row_notes(result: ReactionResult) -> list[tuple[str, str]]:
    """Notes on the markets: name and note."""
    return [(wording.clean(row.market), wording.clean(note)) for row in result.reactions for note in row.notes]


def parameters(result: ReactionResult) -> str:
    """What was asked for, as one line."""
    asked = result.parameters
    windows = ", ".join(f"[{low},{high}]" for low, high in asked["windows"])
    parts = [
        f"event windows {windows}",
        f"estimation {tuple(asked['estimation'])}",
        f"normal model {asked['normal_model']}",
        f"returns {asked['returns'] or 'of each market'}",
        f"benchmark {asked['benchmark'] or 'none'}",
        *(f"{name} {', '.join(asked[name])}" for name in ("factors", "donors") if asked[name]),
        f"source {asked['source']}",
        f"placebo pool {asked['history']}",
        f"events left out of the pool {asked['excluded_events']}",
        *([f"events left out of the estimation {asked['skipped_events']}"] if asked["skipped_events"] else []),
    ]
    tests, signs = asked["tests"], [f"{market} {sign:+g}" for market, sign in asked["signs"].items()]
    fixed = {
        "tests": tests if isinstance(tests, str) else ", ".join(tests),
        "signs": ", ".join(signs),
        "margin of no reaction": ", ".join(f"{market} {margin:g}" for market, margin in asked["margin"].items()),
        "primary market": asked["primary"],
        "date chosen because the market moved": "yes" if asked["selected_because_it_moved"] else "",
    }
    parts += [f"{name} {value}" for name, value in fixed.items() if value]
    return "; ".join([*parts, f"as of {asked['as_of']}"] if asked["as_of"] else parts)
