"""Charts of a result. They draw numbers that are computed elsewhere; every title states the finding."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import plotly.graph_objects as go

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.car_chart import car_paths
from market_reaction.clock_strip import clock_strip
from market_reaction.theme import BLUE, GREY, PALE, VERMILLION, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.reaction_result import MarketReaction, ReactionResult

__all__ = ["car_paths", "clock_strip", "placebo_chart", "reaction_bars", "reaction_figure"]

Kind = Literal["reactions", "car", "placebo", "clock"]
UNUSUAL = "unusual (p ≤ 0.05)"
_PER_ROW = 38  # pixels of a market's row
_BARS_TO = 0.74  # share of the width for the bars; change and p stand right of them


def reaction_figure(
    result: ReactionResult, *, kind: Kind = "reactions", market: str | None = None, theme: Theme = "auto"
) -> go.Figure:
    """Draw one chart of a result.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    kind : {"reactions", "car", "placebo", "clock"}
        Reaction bars across markets, CAR path, placebo distribution, or the clock strip.
    market : str, optional
        Market of the CAR path or placebo chart; the first when left out.
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or a grey for both.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    row = result[market] if market is not None else result.reactions[0]
    draw: dict[str, Callable[[], go.Figure]] = {
        "reactions": lambda: reaction_bars(result, theme=theme),
        "car": lambda: _car_of(result, row, theme),
        "placebo": lambda: placebo_chart(result, market=row.market, theme=theme),
        "clock": lambda: clock_strip(result, theme=theme),
    }
    if kind not in draw:
        raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(Kind))}.")
    return draw[kind]()


def sources_of(result: ReactionResult, row: MarketReaction | None = None) -> str:
    """Source and vintage for a subtitle: of one market, or of all by source."""
    if row is not None:
        return str(row.series.vintage)
    names = sorted({reaction.series.source for reaction in result.reactions})
    ends = [reaction.series.vintage.last for reaction in result.reactions]
    span = f"{min(ends):%Y-%m-%d}" + (f" to {max(ends):%Y-%m-%d}" if min(ends) < max(ends) else "")
    return f"Source: {', '.join(names)}; series end {span}."


def reaction_bars(result: ReactionResult, *, theme: Theme = "auto") -> go.Figure:
    """Draw the day-0 move of every market in units of its own usual day.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.

    Notes
    -----
    A bar is the abnormal return over the EWMA volatility, the statistic of the placebo test. The pale range is what it
    must leave for a placebo p of at most 0.05, so that both tell the same.
    """
    rows = result.reactions
    places = list(range(len(rows)))
    values = [row.headline.placebo.statistic for row in rows]
    figure = go.Figure()
    _ordinary_range(figure, result, places)
    for unusual in (False, True):
        chosen = [at for at in places if wording.is_unusual(rows[at].headline) is unusual]
        figure.add_trace(_bars(result, chosen, values, unusual))
    _other_candidates(figure, result)
    _row_texts(figure, result)
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(
        title="usual days (abnormal return / EWMA volatility)", range=_reach(result, values), domain=[0, _BARS_TO]
    )
    figure.update_yaxes(
        tickmode="array", tickvals=places, ticktext=[_row_name(row) for row in rows], showgrid=False,
        range=[len(rows) - 0.45, -0.55],
    )  # fmt: skip
    method = (
        "Bars: move of day 0 in units of each market's usual day. Pale: range that 95% of comparable days before "
        f"keep to. {sources_of(result)}"
    )
    figure.update_layout(barmode="overlay")
    return finish(figure, finding=_bars_finding(result), method=method, body=_PER_ROW * len(rows) + 22, theme=theme)


def _bars_finding(result: ReactionResult) -> str:
    unusual = [row for row in result.reactions if wording.is_unusual(row.headline)]
    tested = wording.tested(result)
    if not tested and result.options.selected_because_it_moved:
        return f"{result.reactions[0].market} {_change(result.reactions[0])}; no p, the day was chosen for its move"
    if not tested:
        return "No market has enough comparable days before for a placebo p"
    if unusual:
        names = [f"{row.market} {_change(row)}" for row in unusual]
        shown = wording.listed(names if len(names) < 5 else [*names[:3], f"{len(names) - 3} more"])
        return f"Unusual: {shown} ({len(unusual)} of {len(tested)}, p ≤ 0.05)"
    first = result.reactions[0]
    p = wording.p_value(first.headline.placebo.scaled.p_value)
    if len(tested) > 1:
        return f"None of {len(tested)} markets moved unusually; {first.market} {_change(first)}, placebo p {p}"
    only = tested[0]
    p = wording.p_value(only.headline.placebo.scaled.p_value)
    return f"{only.market} {_change(only)} was not unusual: placebo p {p}"


def _change(row: MarketReaction) -> str:
    return wording.move(row.headline.change, row.series.instrument.change_unit)


def _row_name(row: MarketReaction) -> str:
    notes = [wording.direction_note(row.series.instrument), "session ambiguous" if row.ambiguous else ""]
    note = "; ".join(text for text in notes if text)
    name = label(themes.shortened(row.market, 28))
    return f'{name}<br><span style="font-size:10px">{label(note)}</span>' if note else name


def _bounds(result: ReactionResult) -> list[float]:
    """Statistic each market must exceed for p of at most 0.05; NaN without a test."""
    bounds = []
    for row in result.reactions:
        bound = row.headline.placebo.critical
        bounds.append(bound if math.isfinite(bound) else math.nan)
    return bounds


def _reach(result: ReactionResult, values: list[float]) -> list[float]:
    others = [found.placebo.statistic for row in result.reactions for found in row.candidates]
    reach = np.abs(np.array([*values, *_bounds(result), *others, 1.0]))
    most = 1.08 * float(np.nanmax(reach))
    return [-most, most]


def _ordinary_range(figure: go.Figure, result: ReactionResult, places: list[int]) -> None:
    bounds = np.array(_bounds(result))
    figure.add_trace(
        go.Bar(
            y=places, x=2 * bounds, base=-bounds, orientation="h", width=0.78, name="ordinary range",
            marker={"color": PALE, "line": {"width": 0}}, hoverinfo="skip",
        )
    )  # fmt: skip


def _bars(result: ReactionResult, chosen: list[int], values: list[float], unusual: bool) -> go.Bar:
    rows = [result.reactions[at] for at in chosen]
    texts = [
        f"{label(row.market)}, {row.headline.session:%Y-%m-%d}<br>{_change(row)}, placebo p "
        f"{wording.p_value(row.headline.placebo.scaled.p_value)}"
        for row in rows
    ]
    return go.Bar(
        y=chosen, x=[values[at] for at in chosen], orientation="h", width=0.42,
        name=f"{UNUSUAL}, up or down" if unusual else "not unusual" if wording.tested(result) else "no placebo p",
        marker=themes.hatched(VERMILLION) if unusual else {"color": BLUE, "line": {"width": 0}},
        hovertext=texts, hovertemplate="%{hovertext}<br>%{x:.2f} usual days<extra></extra>",
    )  # fmt: skip


def _other_candidates(figure: go.Figure, result: ReactionResult) -> None:
    """Mark the other possible sessions of ambiguous rows."""
    found = [
        (at, other) for at, row in enumerate(result.reactions) for other in row.candidates if other is not row.headline
    ]
    if not found:
        return
    texts = [f"if {other.session:%Y-%m-%d}: p {wording.p_value(other.placebo.scaled.p_value)}" for _, other in found]
    figure.add_trace(
        go.Scatter(
            y=[at for at, _ in found], x=[other.placebo.statistic for _, other in found], mode="markers",
            name="other possible session", hovertext=texts, hovertemplate="%{hovertext}<extra></extra>",
            marker={"symbol": "diamond-open", "size": 10, "color": VERMILLION, "line": {"width": 2}},
        )
    )  # fmt: skip


def _row_texts(figure: go.Figure, result: ReactionResult) -> None:
    """Change and placebo p of every market in two columns at the right."""
    texts: list[dict[str, object]] = []  # set at once: plotly checks every annotation again whenever one is added

    def put(text: str, shift: int, **place: object) -> None:
        texts.append(
            {"text": text, "x": 1, "xref": "paper", "xanchor": "right", "xshift": shift, "showarrow": False}
            | {"align": "right"}
            | place
        )

    for text, shift in (("change", -56), ("p", 0)):
        put(text, shift, y=1, yref="paper", yanchor="bottom", font={"size": 11})
    for at, row in enumerate(result.reactions):
        strong = wording.is_unusual(row.headline)
        p = wording.p_value(row.headline.placebo.scaled.p_value)
        for text, shift in ((_change(row), -56), (p, 0)):
            put(f"<b>{text}</b>" if strong else text, shift, y=at, yref="y", yanchor="middle")
    figure.update_layout(annotations=texts)


def placebo_chart(result: ReactionResult, *, market: str | None = None, theme: Theme = "auto") -> go.Figure:
    """Draw where the event stands among comparable days before it.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    market : str, optional
        The first when left out.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    row = result[market] if market is not None else result.reactions[0]
    placebo = row.headline.placebo
    value, pool = placebo.statistic, placebo.pool
    figure = go.Figure()
    reach = max(1.0, float(np.nanmax(np.abs(np.append(pool, value)), initial=0.0)))
    as_large = np.abs(pool) >= abs(value)
    for chosen, name, marker in (
        (pool[~as_large], "with a smaller move", {"color": BLUE, "line": {"width": 0}}),
        (pool[as_large], "with a move at least as large", themes.hatched(VERMILLION)),
    ):
        figure.add_trace(
            go.Histogram(
                x=chosen, name=f"{len(chosen)} days {name}", xbins=bins_around(reach, value), marker=marker,
                hovertemplate="%{y} days at %{x} usual days<extra></extra>",
            )
        )  # fmt: skip
    _mark_event(figure, row, reach)
    figure.update_xaxes(title="usual days (abnormal return / EWMA volatility)", range=[-1.07 * reach, 1.07 * reach])
    figure.update_yaxes(title="days", rangemode="tozero")
    figure.update_layout(barmode="stack", bargap=0.06)
    return finish(figure, finding=_placebo_finding(row), method=_placebo_method(result, row), body=230, theme=theme)


def bins_around(reach: float, value: float) -> dict[str, float]:
    """Bins of a histogram with an edge at the event and at its mirror, unless that made them much narrower."""
    width = reach / 20
    if abs(value) > width / 2:
        width = abs(value) / math.ceil(abs(value) / width)
    count = math.ceil(reach / width) + 1
    return {"start": -count * width, "end": count * width, "size": width}


def _placebo_finding(row: MarketReaction) -> str:
    rank = row.headline.placebo.scaled
    if not math.isfinite(rank.p_value):
        return f"{row.market}: no placebo p, because {rank.note}"
    larger = round(rank.p_value * (rank.n_placebo + 1)) - 1
    return (
        f"{row.market}: placebo p {wording.p_value(rank.p_value)} (floor {wording.p_value(rank.floor)}), "
        f"{larger} of {rank.n_placebo} days moved as much"
    )


def _placebo_method(result: ReactionResult, row: MarketReaction) -> str:
    sessions = row.headline.placebo.pool_sessions
    span = f", {sessions.min():%Y-%m-%d} to {sessions.max():%Y-%m-%d}" if len(sessions) else ""
    return (
        f"Pseudo-announcements at the same local clock time{span}; a day's move over the volatility known the evening "
        f"before. {sources_of(result, row)}"
    )


def _mark_event(figure: go.Figure, row: MarketReaction, reach: float) -> None:
    """Line at the event, and its mirror: the test is two-sided."""
    value = row.headline.placebo.statistic
    if not math.isfinite(value):
        return
    figure.add_vline(x=value, line={"color": GREY, "width": 2.5})
    figure.add_vline(x=-value, line={"color": GREY, "width": 1.5, "dash": "dot"})
    # Labels point outwards, so that they cannot meet; inwards where the edge is near.
    outwards = abs(value) < 0.5 * reach
    sides = ("left", "right") if (value >= 0) == outwards else ("right", "left")
    for x, side, text in (
        (value, sides[0], f"<b>{row.headline.session:%Y-%m-%d}: {_change(row)}</b>"),
        (-value, sides[1], "same size, other way"),
    ):
        figure.add_annotation(x=x, y=1, yref="paper", yanchor="bottom", xanchor=side, showarrow=False, text=text)


def _car_of(result: ReactionResult, row: MarketReaction, theme: Theme) -> go.Figure:
    return car_paths(
        result.study.bands(market=row.market), market=row.market, source=sources_of(result, row), theme=theme
    )
