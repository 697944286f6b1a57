"""Charts of placebo tests: an event among the placebo days of each market, and p of every event."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
import plotly.graph_objects as go

from market_reaction import market_rows, wording
from market_reaction import theme as themes
from market_reaction.event_filters import announced
from market_reaction.inference.placebo import as_large
from market_reaction.market_rows import PER_ROW, ROWS_TO, USUAL_DAYS, change_text
from market_reaction.panels import event_name, sources
from market_reaction.placebo_result import PlaceboChart
from market_reaction.responses.pairs import market_of
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, faded, finish, label

if TYPE_CHECKING:
    from market_reaction.judged import JudgedMarket, PlaceboPair
    from market_reaction.placebo_result import PlaceboResult

MOST = 40  # events with a row of their own: those with the smallest p where there are more
_EVENT_ROW = 18  # pixels
_SYMBOLS = ("circle", "square", "triangle-up", "pentagon", "star", "triangle-down", "hexagon", "cross")


def placebo_figure(
    result: PlaceboResult, *, kind: PlaceboChart | None, event: str | None, market: str | None, theme: Theme
) -> go.Figure:
    """Draw one chart of placebo tests, as ``PlaceboResult.plot`` takes it."""
    if kind is not None and kind not in get_args(PlaceboChart):
        raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(PlaceboChart))}.")
    if event is not None and event not in result.events:
        raise ValueError(f"event={event!r} was not tested; the tests are of {_few(result.events)}.")
    if not result.events:
        return _nothing(result, theme)
    rows = result.pairs(event or result.events[0])
    if kind is None:
        several = len(result.events) > 1 and event is None and market is None
        kind = "events" if several else "markets" if len(rows) > 1 and market is None else "placebo"
    if kind == "events":
        return events_chart(result, theme=theme)
    if kind == "markets":
        return markets_chart(rows, _sources(result, rows), theme=theme)
    row = _row_of(result, rows, market)
    return pool_chart(row, str(row.series.vintage), theme=theme)


def placebo_figures(result: PlaceboResult, theme: Theme) -> dict[str, go.Figure]:
    """Every chart by name: of several events one for all, of a single one the markets and the days of each."""
    if len(result.events) != 1:
        return {"events": result.plot(kind="events", theme=theme)}
    rows = result.pairs()
    every = {"markets": result.plot(kind="markets", theme=theme)} if len(rows) > 1 else {}
    return every | {f"placebo {row.market}": pool_chart(row, str(row.series.vintage), theme=theme) for row in rows}


def _row_of(result: PlaceboResult, rows: Sequence[PlaceboPair], market: str | None) -> PlaceboPair:
    """The row of a market by name or symbol; the first when none is named."""
    if market is None:
        return rows[0]
    name = market_of(result.study, "market", market)
    found = [row for row in rows if row.market == name]
    if not found:
        tested = _few([row.market for row in rows])
        raise ValueError(f"market={market!r} was not tested for {rows[0].event_id!r}; it has {tested}.")
    return found[0]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _sources(result: PlaceboResult, rows: Sequence[PlaceboPair]) -> str:
    return sources(result.prices, tuple(dict.fromkeys(row.market for row in rows)))


def _nothing(result: PlaceboResult, theme: Theme) -> go.Figure:
    """A chart without data that says why."""
    figure = go.Figure().update_xaxes(visible=False).update_yaxes(visible=False)
    why = themes.shortened(result.answer(), 280)
    return finish(figure, finding="Nothing to draw", method=why, body=20, theme=theme, legend=0, bottom=8)


def markets_chart(rows: Sequence[PlaceboPair], source: str, *, theme: Theme = "auto") -> go.Figure:
    """Draw where one event stands among the placebo days of each market.

    Parameters
    ----------
    rows : sequence of PlaceboPair
        The markets of the event, the first on top.
    source : str
        Where the series come from.
    theme : {"auto", "light", "dark"}
        As in ``PlaceboResult.plot``.

    Notes
    -----
    Dots are placebo days, spread within the row so that they can be told apart; those that moved at least as much as
    the event, up or down, have another colour: p is their share, the event counted in.
    """
    figure = go.Figure()
    edge = _edge(rows)
    market_rows.ordinary_range(figure, rows)
    figure.update_traces(showlegend=False)  # the subtitle says what is pale
    for larger in (False, True):
        figure.add_trace(_days(rows, larger, edge))
    figure.add_trace(
        go.Scatter(
            x=[row.placebo.statistic for row in rows], y=list(range(len(rows))), mode="markers", name="the event",
            marker={"symbol": "diamond", "size": 13, "color": "#222222", "line": {"width": 1.8, "color": "#ffffff"}},
            hovertext=[market_rows.hover(row) for row in rows],
            hovertemplate="%{hovertext}<br>%{x:.2f} usual days<extra></extra>",
        )
    )  # fmt: skip
    market_rows.row_texts(figure, rows)
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title=USUAL_DAYS, range=[-1.04 * edge, 1.04 * edge], domain=[0, ROWS_TO])
    market_rows.name_rows(figure, rows)
    figure.update_layout(barmode="overlay", legend={"itemsizing": "constant"})
    sizes = sorted({len(row.placebo.pool) for row in rows})
    beyond = sum(int((np.abs(row.placebo.pool) > edge).sum()) for row in rows)
    far = f"; {beyond} beyond the axis stand{'s' * (beyond == 1)} at its edge" if beyond else ""
    pale = "Pale: range that 95% of them keep to. " if wording.tested(rows) else ""
    method = (
        f"{' to '.join(map(str, dict.fromkeys((sizes[0], sizes[-1]))))} earlier days at the same local clock time, "
        f"each move over the volatility known the evening before{far}. {pale}{source}"
    )
    body = PER_ROW * len(rows) + 22
    return finish(figure, finding=_rows_finding(rows), method=method, body=body, theme=theme, legend=1)


def _edge(rows: Sequence[PlaceboPair]) -> float:
    """Where the axis ends: every event, every ordinary range, and nearly all days of every market fit."""
    most = [1.0]
    for row in rows:
        pool = np.abs(row.placebo.pool)
        ends = [abs(row.placebo.statistic), row.placebo.critical, *([np.quantile(pool, 0.99)] if len(pool) else [])]
        most += [float(end) for end in ends if math.isfinite(end)]
    return 1.1 * max(most)


def _rows_finding(rows: Sequence[PlaceboPair]) -> str:
    return market_rows.finding(rows) if wording.tested(rows) else _pool_finding(rows[0])


def _days(rows: Sequence[PlaceboPair], larger: bool, edge: float) -> go.Scatter:
    """Placebo days of every market on one side of the event's size; those beyond the axis at its edge."""
    x, y, texts = [], [], []
    for place, row in enumerate(rows):
        pool = row.placebo.pool
        chosen = np.flatnonzero(as_large(pool, row.placebo.statistic) == larger)
        x.append(pool[chosen])
        y.append(place + 0.62 * (chosen * 0.6180339887 % 1 - 0.5))
        days = zip(row.placebo.pool_sessions[chosen], pool[chosen], strict=True)
        texts += [f"{label(row.market)}, {wording.day(day)}<br>{wording.signed(at)} usual days" for day, at in days]
    marker = {"color": faded(VERMILLION if larger else BLUE, 0.75 if larger else 0.45), "size": 4, "line": {"width": 0}}
    return go.Scatter(
        x=np.clip(np.concatenate(x), -edge, edge), y=np.concatenate(y), mode="markers", marker=marker,
        name="move at least as large" if larger else "smaller move", hovertext=texts,
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def events_chart(result: PlaceboResult, *, theme: Theme = "auto") -> go.Figure:
    """Draw p of every event in every market, a row an event, on a scale of ratios that ends at the floor.

    Parameters
    ----------
    result : PlaceboResult
        As ``placebo_test`` gives it.
    theme : {"auto", "light", "dark"}
        As in ``PlaceboResult.plot``.
    """
    tested = wording.tested(result.pairs())
    if not tested:
        return _nothing(result, theme)
    smallest: dict[str, float] = {}
    for row in tested:
        smallest[row.event_id] = min(row.placebo.scaled.p_value, smallest.get(row.event_id, 1.0))
    when = announced(result.study.events)
    chosen = sorted(smallest, key=lambda event_id: smallest[event_id])[:MOST]
    order = sorted(chosen, key=lambda event_id: when[event_id])
    figure = go.Figure()
    floor = min(row.placebo.scaled.floor for row in tested)
    _unusual_side(figure, floor)
    markets = list(dict.fromkeys(row.market for row in tested))
    for number, market in enumerate(markets):
        rows = [row for row in tested if row.market == market and row.event_id in smallest]
        figure.add_trace(_dots(rows, order, number, len(markets)))
    joint = _joint_column(figure, result, order)
    figure.update_xaxes(
        type="log", range=[math.log10(floor) - 0.12, 0.06], tickvals=[0.002, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1],
        ticktext=["0.002", "0.005", "0.01", "0.05", "0.1", "0.2", "0.5", "1"], title="placebo p (log scale)",
        domain=[0, 0.92 if joint else 1],
    )  # fmt: skip
    titles = result.study.events["title"]
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(order))), range=[len(order) - 0.4, -0.6], tickfont={"size": 10},
        ticktext=[event_name(when[event_id], titles[event_id]) for event_id in order], showgrid=True,
    )  # fmt: skip
    figure.update_layout(legend={"itemsizing": "constant"})
    unusual = sum(map(wording.is_unusual, tested))
    finding = wording.unusual_against_chance(unusual, len(tested), "reaction")
    return finish(
        figure, finding=finding, method=_events_method(result, tested, smallest, order), theme=theme,
        body=_EVENT_ROW * len(order) + 20, legend=(len(markets) + 3) // 4,
    )  # fmt: skip


def _unusual_side(figure: go.Figure, floor: float) -> None:
    """Shade p up to 0.05, and mark the smallest there can be."""
    figure.add_vrect(x0=floor / 2, x1=wording.UNUSUAL, fillcolor=faded(GREY, 0.11), line_width=0, layer="below")
    figure.add_vline(x=floor, line={"color": GREY, "width": 1.5, "dash": "dot"})
    for x, anchor, text in ((floor, "left", f"floor {wording.p_value(floor)}"), (wording.UNUSUAL, "right", "unusual")):
        figure.add_annotation(
            x=math.log10(x), y=1, yref="paper", yanchor="bottom", xanchor=anchor, showarrow=False, text=text,
            font={"size": 11},
        )  # fmt: skip


def _dots(rows: Sequence[PlaceboPair], order: Sequence[str], number: int, markets: int) -> go.Scatter:
    """P of one market by event, a little above or below the other markets; unusual ones filled."""
    shown = [row for row in rows if row.event_id in order]
    colour = themes.LINES[number % len(themes.LINES)]
    symbol = _SYMBOLS[number % len(_SYMBOLS)]
    shift = 0.6 * ((number + 0.5) / markets - 0.5)
    filled = [wording.is_unusual(row) for row in shown]
    return go.Scatter(
        x=[row.placebo.scaled.p_value for row in shown], y=[order.index(row.event_id) + shift for row in shown],
        mode="markers", name=label(rows[0].market), hovertext=[market_rows.hover(row) for row in shown],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "color": colour, "size": [10 if mark else 7 for mark in filled], "line": {"width": 1.5, "color": colour},
            "opacity": 1,
            "symbol": [symbol if mark else f"{symbol}-open" for mark in filled],
        },
    )  # fmt: skip


def _joint_column(figure: go.Figure, result: PlaceboResult, order: Sequence[str]) -> bool:
    """Joint p of each event over its markets at the right; whether there is any."""
    ranks = [wording.joint_rank(result, event_id) for event_id in order]
    if not any(rank is not None for rank in ranks):
        return False
    place = {"x": 1, "xref": "paper", "xanchor": "right", "showarrow": False}
    texts = [place | {"text": "joint p", "y": 1, "yref": "paper", "yanchor": "bottom", "font": {"size": 11}}]
    for at, rank in enumerate(ranks):
        text = wording.NOT_AVAILABLE if rank is None else wording.p_value(rank.p_value)
        strong = rank is not None and rank.p_value <= wording.UNUSUAL
        text = f"<b>{text}</b>" if strong else text
        texts.append(place | {"text": text, "y": at, "yref": "y", "yanchor": "middle", "font": {"size": 10}})
    figure.update_layout(annotations=[*figure.layout.annotations, *texts])
    return True


def _events_method(
    result: PlaceboResult, tested: Sequence[PlaceboPair], smallest: dict[str, float], order: Sequence[str]
) -> str:
    """What a dot is, which events are not drawn, and the source."""
    rest = [p for event_id, p in smallest.items() if event_id not in order]
    more = (
        f"The {len(order)} events of {len(smallest)} with the smallest p; no p of the others is below "
        f"{wording.p_value(min(rest))}. "
        if rest else ""
    )  # fmt: skip
    without = len(result.excluded)
    lost = f"Not drawn: {without} without a p. " if without else ""
    return (
        "A dot: share of earlier days, at the same local clock time, with a move at least as large for their "
        f"volatility. Filled: p of at most {wording.UNUSUAL}. {more}{lost}{_sources(result, tested)}"
    )


def pool_chart(row: JudgedMarket, source: str, *, theme: Theme = "auto") -> go.Figure:
    """Draw where one event stands in one market among comparable days before it.

    Parameters
    ----------
    row : JudgedMarket
        The market with its test.
    source : str
        Where its series comes from.
    theme : {"auto", "light", "dark"}
        As in ``PlaceboResult.plot``.
    """
    placebo = row.headline.placebo
    value, pool = placebo.statistic, placebo.pool
    figure = go.Figure()
    reach = max(1.0, float(np.nanmax(np.abs(np.append(pool, value)), initial=0.0)))
    large = as_large(pool, value)
    for chosen, name, marker in (
        (pool[~large], "with a smaller move", {"color": BLUE, "line": {"width": 0}}),
        (pool[large], "with a move at least as large", themes.hatched(VERMILLION)),
    ):
        figure.add_trace(
            go.Histogram(
                x=chosen, name=f"{len(chosen)} days {name}", xbins=bins_around(reach, value), marker=marker,
                hovertemplate="%{y} days at %{x} usual days<extra></extra>",
            )
        )  # fmt: skip
    _mark_event(figure, row, reach)
    figure.update_xaxes(title=USUAL_DAYS, range=[-1.07 * reach, 1.07 * reach])
    figure.update_yaxes(title="days", rangemode="tozero")
    figure.update_layout(barmode="stack", bargap=0.06)
    return finish(figure, finding=_pool_finding(row), method=_pool_method(row, source), body=230, theme=theme)


def bins_around(reach: float, value: float) -> dict[str, float]:
    """Bins of a histogram with an edge at the event and at its mirror, unless that made them much narrower."""
    width = reach / 20
    if abs(value) > width / 2:
        width = abs(value) / math.ceil(abs(value) / width)
    count = math.ceil(reach / width) + 1
    return {"start": -count * width, "end": count * width, "size": width}


def _pool_finding(row: JudgedMarket) -> str:
    rank = row.headline.placebo.scaled
    if not math.isfinite(rank.p_value):
        return f"{row.market}: no placebo p, because {rank.note}"
    larger = round(rank.p_value * (rank.n_placebo + 1)) - 1
    return (
        f"{row.market}: placebo p {wording.p_value(rank.p_value)} (floor {wording.p_value(rank.floor)}), "
        f"{larger} of {rank.n_placebo} days moved as much"
    )


def _pool_method(row: JudgedMarket, source: str) -> str:
    sessions = row.headline.placebo.pool_sessions
    span = f", {sessions.min():%Y-%m-%d} to {sessions.max():%Y-%m-%d}" if len(sessions) else ""
    return (
        f"Pseudo-announcements at the same local clock time{span}; a day's move over the volatility known the evening "
        f"before. {source}"
    )


def _mark_event(figure: go.Figure, row: JudgedMarket, reach: float) -> None:
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
        (value, sides[0], f"<b>{wording.day(row.headline.session)}: {change_text(row)}</b>"),
        (-value, sides[1], "same size, other way"),
    ):
        figure.add_annotation(x=x, y=1, yref="paper", yanchor="bottom", xanchor=side, showarrow=False, text=text)
