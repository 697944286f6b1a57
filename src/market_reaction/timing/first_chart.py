"""Chart of the order in which closes were struck."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, finish, label
from market_reaction.timing import shared
from market_reaction.timing.first_text import direction, first_close, move_and_p, unusual_close

if TYPE_CHECKING:
    from market_reaction.timing.first_result import CloseOrder, StruckClose

_PER_ROW, _TO, _LONGEST = 34, 0.72, 96.0


def order_chart(result: CloseOrder, *, theme: Theme = "auto") -> go.Figure:
    """Draw when each market could first trade on the news and when its close was struck, first close on top.

    Parameters
    ----------
    result : CloseOrder
        As ``order_of_closes`` gives it.
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or a grey for both.
    """
    rows, zero = result.closes, _zero(result)
    hours = [_hours(item.close_utc, zero) for item in rows]
    starts = [_hours(item.close_earliest_utc, zero) for item in rows]
    trades = [math.nan if pd.isna(item.first_trade_utc) else _hours(item.first_trade_utc, zero) for item in rows]
    low = min([0.0, *starts])
    end = min(max([*hours, 6.0]), max(_LONGEST, hours[0] if hours else 0.0)) * 1.04 + 0.4
    figure = go.Figure()
    _lines(figure, "could trade on the news", trades, hours, GREY, 2)
    _lines(figure, "close not known to the minute", starts, hours, "rgba(0, 114, 178, 0.35)", 9)
    _marks(figure, "first trade", rows, trades, [not math.isnan(at) for at in trades], "circle-open", GREY)
    for name, chosen, symbol, colour in (
        ("close on the news", [item.headline for item in rows], "diamond", BLUE),
        ("other possible close", [not item.headline for item in rows], "diamond-open", VERMILLION),
    ):
        _marks(figure, name, rows, hours, chosen, symbol, colour)
    _texts(figure, rows, hours, end)
    figure.add_vline(x=0, line={"color": GREY, "width": 2, "dash": "dash"})
    figure.update_xaxes(
        title=f"hours from {_zero_name(result)}", range=[low - 0.03 * end, end], domain=[0, _TO],
        dtick=6 if end < 40 else 24, showgrid=True,
    )  # fmt: skip
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(rows))), ticktext=[_name(item) for item in rows], showgrid=False,
        range=[len(rows) - 0.4, -0.6],
    )  # fmt: skip
    entries = sum(trace.showlegend is not False for trace in figure.data)
    method = (
        "Circle: first moment the market could be traded on the news. Diamond: the close taken to hold it, with the "
        f"change since the close before. {shared.source_line(result.vintage)}"
    )
    return finish(
        figure, finding=_finding(result), method=method, body=_PER_ROW * len(rows) + 12, theme=theme,
        legend=(entries + 1) // 2,
    )  # fmt: skip


def _zero(result: CloseOrder) -> pd.Timestamp:
    """Hour zero: the announcement, the end of its day, or the start of the day named."""
    event = result.event
    if event["precision"] == "date":
        return event["session_date"].tz_localize("UTC")
    return event["utc_latest"] if event["precision"] == "day" else event["announced_utc"]


def _zero_name(result: CloseOrder) -> str:
    named = {"date": "the start of the day (UTC)", "day": "the end of the day of the news"}
    return named.get(result.event["precision"], f"the news ({_zero(result):%d %b %H:%M} UTC)")


def _hours(instant: pd.Timestamp, zero: pd.Timestamp) -> float:
    return float((instant - zero).total_seconds() / 3600)


def _lines(figure: go.Figure, name: str, starts: list[float], ends: list[float], colour: str, width: int) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if not math.isnan(start) and start < end:
            x += [start, end, None]
            y += [place, place, None]
    if x:
        line = {"color": colour, "width": width}
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", name=name, line=line, hoverinfo="skip"))


def _marks(
    figure: go.Figure,
    name: str,
    rows: tuple[StruckClose, ...],
    x: list[float],
    chosen: list[bool],
    symbol: str,
    colour: str,
) -> None:
    places = [place for place, wanted in enumerate(chosen) if wanted]
    if not places:
        return
    texts = [f"{label(rows[place].market)}<br>{wording.duration(60 * abs(x[place]))}" for place in places]
    figure.add_trace(
        go.Scatter(
            x=[x[place] for place in places], y=places, mode="markers", name=name, hovertext=texts,
            hovertemplate="%{hovertext}<extra></extra>",
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2, "color": colour}},
        )
    )  # fmt: skip


def _texts(figure: go.Figure, rows: tuple[StruckClose, ...], hours: list[float], end: float) -> None:
    """Change and p at the right; an arrow for a close beyond the axis."""
    for heading, at in (("change", 0.845), ("placebo p", 1.0)):
        figure.add_annotation(
            text=heading, x=at, xref="paper", xanchor="right", y=1, yref="paper", yanchor="bottom", showarrow=False,
            font={"size": 11},
        )  # fmt: skip
    for place, item in enumerate(rows):
        for text, at in (
            (_change(item), 0.845),
            (wording.p_value(item.rank.p_value), 1.0),
        ):
            figure.add_annotation(
                text=f"<b>{text}</b>" if unusual_close(item) else text, x=at, xref="paper", xanchor="right", y=place,
                yanchor="middle", showarrow=False,
            )  # fmt: skip
        if hours[place] > end:
            figure.add_annotation(
                text=f"close {item.close_utc:%Y-%m-%d %H:%M} →", x=_TO, xref="paper", xanchor="right", y=place,
                yshift=11, showarrow=False, font={"size": 11},
            )  # fmt: skip


def _change(item: StruckClose) -> str:
    """Change with its unit, short for a column."""
    return wording.move(item.change, item.unit) + (" pts" if item.unit == "points" else "")


def _name(item: StruckClose) -> str:
    name = label(themes.shortened(item.market, 24))
    notes = [direction(item)]
    notes += [f"{'' if item.headline else 'or '}{item.session:%Y-%m-%d}, ambiguous"] if item.ambiguous else []
    note = "; ".join(text for text in notes if text)
    return f'{name}<br><span style="font-size:10px">{label(note)}</span>' if note else name


def _finding(result: CloseOrder) -> str:
    first = result.headlines[0]
    when = f"{first.close_utc:%d %b %H:%M} UTC"
    return f"First close {first_close(result)} the news: {first.market}, {when} ({move_and_p(first)})"
