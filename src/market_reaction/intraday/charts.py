"""Charts of intraday results; they draw numbers computed elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.car_chart import axis_scale, band
from market_reaction.inference.placebo import as_large
from market_reaction.intraday import words
from market_reaction.intraday.results import IntradayResult, MarketIntraday
from market_reaction.intraday.windows import bounds
from market_reaction.theme import BLUE, GREY, ORANGE, VERMILLION, Theme, finish, label

Kind = Literal["path", "placebo", "volume"]
_SHADE = "rgba(230, 159, 0, 0.30)"  # bounds of the announcement
_ROUNDED = 30  # earlier days below which each is a mark of its own


def intraday_figure(
    result: IntradayResult, *, kind: Kind = "path", market: str | None = None, theme: Theme = "auto"
) -> go.Figure:
    """Draw one chart of a result.

    Parameters
    ----------
    result : IntradayResult
        As ``react_intraday`` gives it.
    kind : {"path", "placebo", "volume"}
        Cumulated moves, the first window among earlier days, or volume.
    market : str, optional
        One market; a panel for each (path) or the first when left out.
    theme : {"auto", "light", "dark"}
        Ink for the page.

    Raises
    ------
    ValueError
        ``kind`` is another word.
    """
    charts: dict[str, Callable[[IntradayResult, list[MarketIntraday], Theme], go.Figure]] = {
        "path": _paths, "placebo": _placebo, "volume": _volume,
    }  # fmt: skip
    if kind not in charts:
        raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(Kind))}.")
    rows = [result[market]] if market is not None else list(result.measured)
    rows = [row for row in rows if row.headline is not None]
    if not rows:
        return _nothing(result, theme)
    return charts[kind](result, rows, theme)


def _nothing(result: IntradayResult, theme: Theme) -> go.Figure:
    """A chart without data that says why."""
    figure = go.Figure()
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    reasons = dict.fromkeys([result.reason, *result.excluded["reason"]])
    why = " ".join(text.rstrip(".") + "." for text in reasons if text)
    return finish(
        figure, finding="Nothing to draw", method=themes.shortened(why, 280), body=20, theme=theme, legend=0, bottom=8
    )


def _source(rows: list[MarketIntraday]) -> str:
    """Sources, lengths of the bars and vintage of what is drawn."""
    series = [row.series for row in rows]
    if len(series) == 1:
        return f"Source: {series[0].source} ({series[0].vintage.symbol}, {series[0].length_text()} bars)."
    kinds = dict.fromkeys(f"{each.source}, {each.length_text()} bars" for each in series)
    return f"Source: {'; '.join(kinds)}."


def _around(figure: go.Figure, result: IntradayResult, place: dict[str, int]) -> None:
    """Dashed line at the announcement and its bounds as a shade."""
    low, high = bounds(result.event)
    if high > low:
        figure.add_vrect(x0=low, x1=high, fillcolor=_SHADE, line_width=0, layer="below", **place)
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"}, **place)


def _paths(result: IntradayResult, rows: list[MarketIntraday], theme: Theme) -> go.Figure:
    several = len(rows) > 1
    columns = 2 if several else 1
    lines = -(-len(rows) // columns)
    figure = make_subplots(
        rows=lines, cols=columns, subplot_titles=[_panel_title(row) for row in rows] if several else None,
        vertical_spacing=0.36 / lines if lines > 1 else 0.0, horizontal_spacing=0.14,
    )  # fmt: skip
    for number, row in enumerate(rows):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        _path_panel(figure, row, place, legend=number == 0)
        _around(figure, result, place)
        last = number + columns >= len(rows)
        figure.update_xaxes(title="minutes from the announcement" if last else None, **place)
    figure.update_annotations(font={"size": 12})
    banded = any(np.isfinite(row.path["low"].astype(float)).any() for row in rows)
    low, high = bounds(result.event)
    method = (
        f"Move from the last price before the window; announcement {wording.instant(result.event['announced_utc'])}, "
        f"shaded its bounds ({wording.signed(low, 0)} to {wording.signed(high, 0)} min). "
        f"{'Band: 5% to 95% of earlier days at the same clock time, each minute alone. ' if banded else ''}"
        f"{_source(rows)}"
    )
    body = 250 if not several else 170 * lines + 40 * (lines - 1)
    return finish(figure, finding=words.finding(rows[0]), method=method, body=body, theme=theme, legend=1, bottom=64)


def _panel_title(row: MarketIntraday) -> str:
    move = row.headline
    assert move is not None
    change = wording.move(move.change, row.series.instrument.change_unit)
    return f"{label(themes.shortened(row.market, 26))} {change}"


def _path_panel(figure: go.Figure, row: MarketIntraday, place: dict[str, int], *, legend: bool) -> None:
    factor, form, suffix = axis_scale(row.series.instrument.change_unit)
    path = _with_gaps(row)
    usual = row.path[np.isfinite(row.path["low"].astype(float))]
    if len(usual):
        low, high = (factor * usual[name].to_numpy(dtype=float) for name in ("low", "high"))
        figure.add_trace(
            band(usual["minute"].to_numpy(), low, high, "90% of earlier days, pointwise", legend=legend), **place
        )
    move = row.headline
    assert move is not None
    change = factor * path["change"].to_numpy(dtype=float)
    figure.add_trace(
        go.Scatter(
            x=path["minute"], y=change, mode="lines+markers" if len(path) < 40 else "lines",
            name="close of each bar", showlegend=legend, line={"color": BLUE, "width": 2}, marker={"size": 5},
            hovertemplate=f"%{{x:.0f}} min: %{{y:{form}}}{suffix}<extra></extra>",
        ),
        **place,
    )  # fmt: skip
    ends = [move.used[0] - move.stale_before, move.used[1] - move.stale_after]
    figure.add_trace(
        go.Scatter(
            x=ends, y=[0.0, factor * move.change], mode="markers", name=f"prices of {words.window_text(move.used)}",
            marker={"symbol": "diamond", "size": 9, "color": VERMILLION}, showlegend=legend,
            hovertemplate=f"%{{x:.0f}} min: %{{y:{form}}}{suffix}<extra></extra>",
        ),
        **place,
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1}, **place)
    wide = float(np.nanmax(np.abs(change), initial=0.0)) < 0.005 * factor and form == "+.1%"
    figure.update_yaxes(tickformat="+.2%" if wide else form, ticksuffix=suffix, nticks=6, **place)


def _with_gaps(row: MarketIntraday) -> pd.DataFrame:
    """Path with an empty row wherever bars are missing, so that the line breaks there."""
    path = row.path[["minute", "change"]].astype(float)
    step = 1.5 * row.series.bar_minutes
    gaps = path["minute"].diff() > step
    empty = pd.DataFrame({"minute": path.loc[gaps, "minute"] - 0.5 * step, "change": np.nan})
    return pd.concat([path, empty]).sort_values("minute", ignore_index=True) if len(empty) else path


def _placebo(result: IntradayResult, rows: list[MarketIntraday], theme: Theme) -> go.Figure:
    row = rows[0]
    move = row.headline
    assert move is not None and move.placebo is not None
    factor, form, suffix = axis_scale(row.series.instrument.change_unit)
    pool, value = factor * move.placebo.pool, factor * move.change
    figure = go.Figure()
    large = as_large(pool, value)
    groups = ((~large, "moved less", BLUE), (large, "moved at least as much", VERMILLION))
    for chosen, name, colour in groups:
        count = f"{int(chosen.sum())} earlier days {name}"
        if len(pool) >= _ROUNDED:
            reach = float(np.max(np.abs(np.append(pool, value)))) or 1.0
            marker = themes.hatched(colour) if colour == VERMILLION else {"color": colour, "line": {"width": 0}}
            bins = {"start": -1.025 * reach, "end": 1.1 * reach, "size": reach / 20}
            figure.add_trace(go.Histogram(x=pool[chosen], name=count, xbins=bins, marker=marker))
        else:
            mark = {"color": colour, "size": 11, "symbol": "circle" if colour == BLUE else "diamond"}
            level = [0] * int(chosen.sum())
            figure.add_trace(go.Scatter(x=pool[chosen], y=level, mode="markers", name=count, marker=mark))
    figure.add_vline(x=value, line={"color": GREY, "width": 2.5})
    change = wording.move(move.change, row.series.instrument.change_unit)
    figure.add_annotation(
        x=value, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"<b>announcement {change}</b>",
        xanchor="right" if value > 0 else "left",
    )  # fmt: skip
    most = 1.15 * float(np.max(np.abs(np.append(pool, value)), initial=0.0)) or 0.001
    figure.update_xaxes(
        title=f"move over {words.window_text(move.used)}", tickformat="+.2%" if form == "+.1%" else form,
        ticksuffix=suffix, range=[-most, most],
    )  # fmt: skip
    if len(pool) >= _ROUNDED:
        figure.update_yaxes(title="days", rangemode="tozero")
        figure.update_layout(barmode="stack", bargap=0.06)
    else:
        figure.update_yaxes(visible=False, range=[-1, 1])
    return finish(
        figure, finding=_placebo_finding(row), method=_placebo_method(row), body=200 if len(pool) >= _ROUNDED else 90,
        theme=theme,
    )  # fmt: skip


def _placebo_finding(row: MarketIntraday) -> str:
    assert row.headline is not None
    return f"{row.market}: {words.p_text(row.headline)}"


def _placebo_method(row: MarketIntraday) -> str:
    move = row.headline
    assert move is not None and move.placebo is not None
    days = move.placebo.pool_utc
    span = f", {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else ""
    scale = (
        " p ranks each move over the volatility of the same minutes before it (EWMA 0.97)."
        if move.placebo.scaled
        else " Moves ranked as they are: volatility is taken to be that of those days."
    )
    return f"The same minutes of earlier weekdays by the clock of the announcement{span}.{scale} {_source([row])}"


def _volume(result: IntradayResult, rows: list[MarketIntraday], theme: Theme) -> go.Figure:
    row = next((row for row in rows if row.series.volume), None)
    if row is None:
        text = f"{wording.listed([row.market for row in rows])}: the source has no volume."
        figure = go.Figure()
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False)
        return finish(figure, finding="No volume to draw", method=text, body=20, theme=theme, legend=0, bottom=8)
    path = row.path
    figure = go.Figure()
    length = row.series.bar_minutes
    figure.add_trace(
        go.Bar(
            x=path["minute"] - length / 2, y=path["volume"], width=0.9 * length, name="volume of each bar",
            marker={"color": BLUE, "line": {"width": 0}}, hovertemplate="%{y:,.0f}<extra></extra>",
        )
    )  # fmt: skip
    if np.isfinite(path["usual_volume"].astype(float)).any():
        figure.add_trace(
            go.Scatter(
                x=path["minute"] - length / 2, y=path["usual_volume"], mode="lines+markers",
                name="median of earlier days at the same clock time", line={"color": ORANGE, "width": 2},
                marker={"size": 5, "symbol": "square"}, hovertemplate="usual %{y:,.0f}<extra></extra>",
            )
        )  # fmt: skip
    _around(figure, result, {})
    figure.update_xaxes(title="minutes from the announcement")
    figure.update_yaxes(title="ticks" if row.series.volume == "ticks" else "volume", rangemode="tozero")
    move = row.headline
    assert move is not None
    from market_reaction.intraday.html import volume_text

    finding = f"{row.market}: volume to {wording.signed(move.used[1], 0)} min {volume_text(move)}"
    method = f"Each bar at its middle. {_source([row])}"
    return finish(figure, finding=finding, method=method, body=220, theme=theme, legend=1)
