"""Charts of a result. They draw numbers that are computed elsewhere; every title states the finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import plotly.graph_objects as go

from market_reaction import market_rows, wording
from market_reaction import theme as themes
from market_reaction.car_chart import car_paths
from market_reaction.clock_strip import clock_strip
from market_reaction.market_rows import PER_ROW, ROWS_TO, UNUSUAL, USUAL_DAYS, change_text
from market_reaction.placebo_chart import pool_chart
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, finish

if TYPE_CHECKING:
    from market_reaction.reaction_result import MarketReaction, ReactionResult

__all__ = ["car_paths", "clock_strip", "reaction_bars", "reaction_figure"]

Kind = Literal["reactions", "car", "placebo", "clock"]


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
        "placebo": lambda: pool_chart(row, sources_of(result, row), theme=theme),
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
    market_rows.ordinary_range(figure, rows)
    for unusual in (False, True):
        chosen = [at for at in places if wording.is_unusual(rows[at].headline) is unusual]
        figure.add_trace(_bars(result, chosen, values, unusual))
    _other_candidates(figure, result)
    market_rows.row_texts(figure, rows)
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title=USUAL_DAYS, range=_reach(result, values), domain=[0, ROWS_TO])
    market_rows.name_rows(figure, rows)
    method = (
        "Bars: move of day 0 in units of each market's usual day. Pale: range that 95% of comparable days before "
        f"keep to. {sources_of(result)}"
    )
    figure.update_layout(barmode="overlay")
    return finish(figure, finding=_bars_finding(result), method=method, body=PER_ROW * len(rows) + 22, theme=theme)


def _bars_finding(result: ReactionResult) -> str:
    tested = wording.tested(result.reactions)
    if not tested and result.options.selected_because_it_moved:
        return f"{result.reactions[0].market} {change_text(result.reactions[0])}; no p, the day was chosen for its move"
    if not tested:
        return "No market has enough comparable days before for a placebo p"
    return market_rows.finding(result.reactions)


def _reach(result: ReactionResult, values: list[float]) -> list[float]:
    others = [found.placebo.statistic for row in result.reactions for found in row.candidates]
    reach = np.abs(np.array([*values, *market_rows.bounds(result.reactions), *others, 1.0]))
    most = 1.08 * float(np.nanmax(reach))
    return [-most, most]


def _bars(result: ReactionResult, chosen: list[int], values: list[float], unusual: bool) -> go.Bar:
    texts = [market_rows.hover(result.reactions[at]) for at in chosen]
    ordinary = "not unusual" if wording.tested(result.reactions) else "no placebo p"
    return go.Bar(
        y=chosen, x=[values[at] for at in chosen], orientation="h", width=0.42,
        name=f"{UNUSUAL}, up or down" if unusual else ordinary,
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


def _car_of(result: ReactionResult, row: MarketReaction, theme: Theme) -> go.Figure:
    return car_paths(
        result.study.bands(market=row.market), market=row.market, source=sources_of(result, row), theme=theme
    )
