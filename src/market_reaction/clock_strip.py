"""The clock strip: trading hours of every market around an announcement on one UTC axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from market_reaction import display, events, wording
from market_reaction import theme as themes
from market_reaction.theme import BLUE, GREY, PALE, VERMILLION, Theme, finish, label
from market_reaction.timing.hours import Segment, trading_hours
from market_reaction.timing.shared import source_line

if TYPE_CHECKING:
    from market_reaction.reaction_result import MarketReaction, ReactionResult

BEFORE, AFTER = pd.Timedelta(hours=18), pd.Timedelta(hours=30)
LONGEST = pd.Timedelta(days=6)  # a longer wait for day 0 is shown as an arrow
NEWS_SHOWN, NEWS_CHARS = 8, 74
_PER_ROW, _PER_LANE, _PER_LINE = 30, 17, 16  # pixels of a market, of a lane of numbers, of a line of the key
_PIXELS, _NUMBER = 450, 18  # of the time axis in a report, and of a number on it


class NewsTick(NamedTuple):
    """One other piece of news on the strip, by its number in the key; from start to end where its hour is not known."""

    number: int
    start: pd.Timestamp
    end: pd.Timestamp
    when: str
    title: str
    lane: int

    @property
    def middle(self) -> pd.Timestamp:
        """Where its number stands."""
        return self.start + (self.end - self.start) / 2

    @property
    def stretched(self) -> bool:
        """Whether only an interval is known."""
        return self.start < self.end


def clock_strip(result: ReactionResult, *, theme: Theme = "auto") -> go.Figure:
    """Draw which close of each market came first after the announcement, and what else was announced around it.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or a grey for both.
    """
    start, end = _span(result)
    ticks, more = _news_ticks(result, start, end)
    figure = go.Figure()
    _hours(figure, result, start, end)
    _returns(figure, result, start, end)
    _closes(figure, result, start, end)
    _news(figure, ticks, (end - start) / _PIXELS * _NUMBER / 2)
    lines = _key(figure, ticks, more)
    _announcement(figure, result)
    rows = len(result.reactions)
    places, names = list(range(rows)), [label(themes.shortened(row.market, 28)) for row in result.reactions]
    if ticks:
        places, names = [*places, -1], [*names, "<i>other news</i>"]
    top = -0.75 - (1 + max(tick.lane for tick in ticks) * _PER_LANE / _PER_ROW if ticks else 0)
    figure.update_yaxes(tickmode="array", tickvals=places, ticktext=names, showgrid=False, range=[rows - 0.4, top])
    long, wide = end - start > pd.Timedelta(hours=96), end - start > pd.Timedelta(hours=54)
    figure.update_xaxes(
        type="date", range=[_at(start), _at(end)], tickformat="%d %b" if long else "%H:%M<br>%d %b",
        dtick=(24 if long else 12 if wide else 6) * 3_600_000, tick0="2000-01-01", tickangle=0,
    )  # fmt: skip
    method = (
        "Time in UTC. The return measured runs from the close before to that of day 0, the first after the news. "
        f"{source_line(result.prices.vintage)}"
    )
    body = round(_PER_ROW * (rows - 0.4 - top))
    entries = sum(trace.showlegend is not False for trace in figure.data)
    return finish(
        figure, finding=_finding(result), method=method, body=body, theme=theme, legend=(entries + 1) // 2,
        bottom=48 + _PER_LINE * lines,
    )  # fmt: skip


def _at(instant: pd.Timestamp) -> str:
    """UTC clock time without a zone, as a date axis takes it."""
    return f"{instant.tz_convert('UTC').tz_localize(None):%Y-%m-%dT%H:%M:%S}"


def _centre(result: ReactionResult) -> Segment:
    """Bounds of the announcement; the whole UTC day where the clock is unknown."""
    event = result.event
    if event["precision"] == "date":
        day = event["session_date"].tz_localize("UTC")
        return day, day + pd.Timedelta(days=1)
    return event["utc_earliest"], event["utc_latest"]


def _day_zero(row: MarketReaction) -> Segment:
    """Bounds of the close of day 0."""
    at = row.where.position
    return row.series.close_earliest_utc[at], row.series.close_utc[at]


def _span(result: ReactionResult) -> Segment:
    low, high = _centre(result)
    closes = [_day_zero(row)[1] for row in result.reactions]
    limit = high + LONGEST
    reach = [close for close in closes if close <= limit]
    return low - BEFORE, max([high + AFTER, *(close + pd.Timedelta(hours=2) for close in reach)])


def _hours(figure: go.Figure, result: ReactionResult, start: pd.Timestamp, end: pd.Timestamp) -> None:
    x: list[str | None] = []
    y: list[float | None] = []
    for place, row in enumerate(result.reactions):
        for low, high in trading_hours(row.series, start, end):
            x += [_at(low), _at(high), None]
            y += [place, place, None]
    if x:
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="lines", name="trading hours", hoverinfo="skip",
                line={"color": "rgba(128, 128, 128, 0.45)", "width": 13},
            )
        )  # fmt: skip


def _returns(figure: go.Figure, result: ReactionResult, start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Thin line over each return measured, from the close before day 0 to its close."""
    x: list[str | None] = []
    y: list[float | None] = []
    for place, row in enumerate(result.reactions):
        before, after = row.series.close_utc[row.where.position - 1], _day_zero(row)[1]
        if before < end:
            x += [_at(max(before, start)), _at(min(after, end)), None]
            y += [place, place, None]
    figure.add_trace(
        go.Scatter(x=x, y=y, mode="lines", name="return measured", line={"color": BLUE, "width": 2}, hoverinfo="skip")
    )


def _closes(figure: go.Figure, result: ReactionResult, start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Close of day 0 of every market; an interval where it is uncertain, an arrow where it lies beyond the axis."""
    rows = list(enumerate(result.reactions))
    shown = [(place, row) for place, row in rows if _day_zero(row)[1] <= end]
    texts = [
        f"{label(row.market)}<br>day 0 {row.headline.session:%Y-%m-%d} closes {_day_zero(row)[1]:%Y-%m-%d %H:%M} UTC"
        for _, row in shown
    ]
    figure.add_trace(
        go.Scatter(
            x=[_at(_day_zero(row)[1]) for _, row in shown], y=[place for place, _ in shown], mode="markers",
            name="close of day 0", hovertext=texts, hovertemplate="%{hovertext}<extra></extra>",
            marker={"symbol": "diamond", "size": 11, "color": BLUE},
        )
    )  # fmt: skip
    _intervals(figure, result, start, end)
    others = [
        (place, row.series.close_utc[at])
        for place, row in rows
        for at in row.where.candidates
        if at != row.where.position and at < len(row.series.sessions)
    ]
    if others:
        figure.add_trace(
            go.Scatter(
                x=[_at(close) for _, close in others], y=[place for place, _ in others], mode="markers",
                name="other possible day 0", hoverinfo="x",
                marker={"symbol": "diamond-open", "size": 12, "color": VERMILLION, "line": {"width": 2}},
            )
        )  # fmt: skip
    for place, row in rows:
        close = _day_zero(row)[1]
        if close > end:
            figure.add_annotation(
                x=1, xref="paper", xanchor="right", y=place, yshift=11, showarrow=False,
                text=f"day 0 closes {close:%Y-%m-%d %H:%M} →", font={"size": 11},
            )  # fmt: skip


def _intervals(figure: go.Figure, result: ReactionResult, start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Closes whose clock is not known to the minute."""
    x: list[str | None] = []
    y: list[float | None] = []
    for place, row in enumerate(result.reactions):
        near = (row.series.close_utc > start) & (row.series.close_earliest_utc < end)
        for low, high in zip(row.series.close_earliest_utc[near], row.series.close_utc[near], strict=True):
            if low < high:
                x += [_at(low), _at(high), None]
                y += [place, place, None]
    if x:
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="lines", name="close not known to the minute",
                line={"color": "rgba(0, 114, 178, 0.35)", "width": 9}, hoverinfo="skip",
            )
        )  # fmt: skip


def _news_ticks(result: ReactionResult, start: pd.Timestamp, end: pd.Timestamp) -> tuple[list[NewsTick], int]:
    """The most important other news on the axis, numbered by time, and how many are left out.

    Each stands in the first lane where neither its number nor its interval runs into another.
    """
    inside = [(line, *_bounds(line)) for line in display.news_lines(result)]
    inside = [(line, low, high) for line, low, high in inside if high >= start and low <= end]
    room = (end - start) / _PIXELS * _NUMBER
    taken: list[pd.Timestamp] = []
    ticks = []
    shown = sorted(inside[:NEWS_SHOWN], key=lambda found: found[1] + (found[2] - found[1]) / 2)
    for number, (line, low, high) in enumerate(shown, start=1):
        title = themes.shortened(line.title, NEWS_CHARS)
        tick = NewsTick(number, max(low, start), min(high, end), _when(line, low, high), title, 0)
        left, right = (fix(tick.middle + side * room / 2, edge) for fix, side, edge in
                       ((min, -1, tick.start), (max, 1, tick.end)))  # fmt: skip
        lane = next((at for at, last in enumerate(taken) if left >= last), len(taken))
        taken[lane : lane + 1] = [right]
        ticks.append(tick._replace(lane=lane))
    return ticks, len(inside) - len(ticks)


def _bounds(line: display.NewsLine) -> Segment:
    """Bounds of other news of which only the day is known, by its row of the tables; else its instant twice."""
    news = line.news
    known = events.all_news()
    if news.precision != "day" or news.id not in known.index:
        return news.utc, news.utc
    row: Any = known.loc[news.id]
    return row["utc_earliest"], row["utc_latest"]


def _when(line: display.NewsLine, low: pd.Timestamp, high: pd.Timestamp) -> str:
    """Time of other news for the key: the local day where the hour is not known."""
    return f"on {low + (high - low) / 2:%Y-%m-%d}" if low < high else line.time


def _news(figure: go.Figure, ticks: list[NewsTick], half: pd.Timedelta) -> None:
    """Numbered marks; where only the day is known, a dotted line over it with room for the number."""
    if not ticks:
        return
    x: list[str | None] = []
    y: list[float | None] = []
    for tick in ticks:
        if tick.stretched:
            x += [_at(tick.start), _at(tick.middle - half), None, _at(tick.middle + half), _at(tick.end), None]
            y += [_height(tick), _height(tick), None] * 2
    if x:
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="lines", name="news at some time of that day", hoverinfo="skip",
                line={"color": VERMILLION, "width": 3, "dash": "dot"},
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[_at(tick.middle) for tick in ticks], y=[_height(tick) for tick in ticks],
            mode="markers+text", name="other news", showlegend=False, text=[str(tick.number) for tick in ticks],
            textfont={"size": 10},
            hovertext=[f"{_hours_of(tick)}<br>{label(tick.title)}" for tick in ticks],
            hovertemplate="%{hovertext}<extra></extra>",
            marker={"symbol": "circle-open", "size": 15, "color": VERMILLION, "line": {"width": 1.5}},
        )
    )  # fmt: skip


def _height(tick: NewsTick) -> float:
    return -1 - tick.lane * _PER_LANE / _PER_ROW


def _hours_of(tick: NewsTick) -> str:
    if not tick.stretched:
        return f"{tick.when} UTC"
    return f"some time between {tick.start:%Y-%m-%d %H:%M} and {tick.end:%Y-%m-%d %H:%M} UTC"


def _key(figure: go.Figure, ticks: list[NewsTick], more: int) -> int:
    """Titles of the numbered news below the axis; returns the number of lines."""
    texts = [f"{tick.number}  {tick.when}  {label(tick.title)}" for tick in ticks]
    if more:
        texts.append(f"and {more} more of less importance")
    for line, text in enumerate(texts):
        figure.add_annotation(
            text=text, x=0, xref="paper", xanchor="left", y=0, yref="paper", yanchor="top",
            yshift=-42 - _PER_LINE * line, showarrow=False, align="left", font={"size": 11},
        )  # fmt: skip
    return len(texts)


def _announcement(figure: go.Figure, result: ReactionResult) -> None:
    """Line at the announcement with its bounds shaded."""
    low, high = _centre(result)
    figure.add_vrect(x0=_at(low), x1=_at(high), fillcolor=PALE, line_width=0, layer="below")
    unknown = result.event["precision"] == "date"
    if unknown or result.event["precision"] == "day":
        x, text = low + (high - low) / 2, "clock unknown" if unknown else "announced on this day"
    else:
        x = result.event["announced_utc"]
        text = f"announcement {x:%H:%M} UTC"
        figure.add_vline(x=_at(x), line={"color": GREY, "width": 2, "dash": "dash"})
    figure.add_annotation(x=_at(x), y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"<b>{text}</b>")


def _finding(result: ReactionResult) -> str:
    if result.event["precision"] == "date":
        return "Clock unknown: day 0 is each market's session of that date, or its next"
    first = min(result.reactions, key=lambda row: _day_zero(row)[1])
    close = _day_zero(first)[1]
    unclear = [row.market for row in result.reactions if row.ambiguous]
    which = "closed first on" if len(result.reactions) > 1 else "first closed on"
    text = f"{first.market} {which} the news, {close:%d %b %H:%M} UTC"
    if result.event["precision"] != "day":
        text += f", {wording.duration((close - result.event['announced_utc']).total_seconds() / 60)} later"
    return f"{text}; ambiguous: {', '.join(unclear)}" if unclear else text
