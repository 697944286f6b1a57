"""Charts of a specification curve: sorted estimates over the matrix of choices, and the placebo of the median."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.car_chart import axis_scale
from market_reaction.fragility.curves import same_sign
from market_reaction.fragility.frames import choice_frame, levels_present, varied
from market_reaction.fragility.grid import NAMES, level_text
from market_reaction.fragility.words import part, significant
from market_reaction.inference.placebo import as_large
from market_reaction.theme import BLUE, GREEN, GREY, PALE, VERMILLION, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.fragility.result import MarketCurve, SpecificationCurve

_CURVE, _ROW, _SPACE = 210, 17, 26  # pixels of the curve, of a level, and between the two
_APART = 0.45  # levels between choices
_COLUMNS = 120  # columns of the matrix: more specifications than these are shown in bins
_INK = [[0.0, "rgba(10, 127, 196, 0)"], [1.0, "rgba(10, 127, 196, 1)"]]


def curve_chart(result: SpecificationCurve, curve: MarketCurve, theme: Theme = "auto") -> go.Figure:
    """Sorted estimates with the placebo band above, and below which choices they come from.

    Parameters
    ----------
    result : SpecificationCurve
        As ``specification_curve`` gives it.
    curve : MarketCurve
        One of its markets.
    theme : {"auto", "light", "dark"}
        Ink for the page.
    """
    lines = _matrix_lines(result, curve)
    rows = sum(len(levels) for _, levels in lines)
    low = round(_ROW * (rows + _APART * max(len(lines) - 1, 0))) if lines else 0
    body = _CURVE + (low + _SPACE if lines else 0)
    figure = make_subplots(
        rows=2 if lines else 1, cols=1, shared_xaxes=True, vertical_spacing=_SPACE / body if lines else 0.0,
        row_heights=[_CURVE, low] if lines else None,
    )  # fmt: skip
    _estimates(figure, curve)
    if lines:
        _matrix(figure, curve, lines)
    count = len(curve.specifications)
    figure.update_xaxes(range=[0.5, count + 0.5], showgrid=False)
    last = {"row": 2 if lines else 1, "col": 1}
    if count == 1:
        figure.update_xaxes(title="one specification", showticklabels=False, **last)
    else:
        figure.update_xaxes(title=f"{count:,} specifications, sorted by estimate", tickformat=",d", **last)
    figure.update_xaxes(dtick=1 if count < 12 else None)
    figure.update_layout(legend={"itemsizing": "constant"})
    return finish(figure, finding=_finding(curve), method=_method(result, curve), body=body, theme=theme, legend=2)


def _estimates(figure: go.Figure, curve: MarketCurve) -> None:
    """Placebo band, estimates, median."""
    factor, form, suffix = axis_scale(curve.unit)
    rows = curve.specifications
    place = np.arange(1, len(rows) + 1)
    values = factor * rows["estimate"].to_numpy()
    if len(band := curve.placebo.band):
        low, high = factor * band.T
        x, y = np.concatenate([place, place[::-1]]), np.concatenate([high, low[::-1]])
        if len(place) == 1:
            x, y = np.array([0.5, 1.5, 1.5, 0.5]), np.array([high[0], high[0], low[0], low[0]])
        figure.add_trace(
            go.Scatter(
                x=x, y=y, fill="toself", mode="lines", fillcolor=PALE, line={"width": 0}, hoverinfo="skip",
                name="90% of placebo days, pointwise",
            ),
            row=1, col=1,
        )  # fmt: skip
    size = 9 if len(rows) < 40 else 5 if len(rows) < 300 else 3.5
    marks = ((False, "not significant", BLUE, "circle"), (True, "significant (p ≤ 0.05)", VERMILLION, "diamond"))
    choices = varied(curve)
    for verdict, name, colour, symbol in marks:
        chosen = rows["significant"].to_numpy() == verdict
        texts = [_hover(curve.unit, row, choices) for row in rows[chosen].to_dict("records")]
        figure.add_trace(
            go.Scatter(
                x=place[chosen], y=values[chosen], mode="markers", name=name, hovertext=texts,
                hovertemplate="%{hovertext}<extra></extra>",
                marker={"color": colour, "size": size + verdict, "symbol": symbol, "line": {"width": 0}},
            ),
            row=1, col=1,
        )  # fmt: skip
    middle = factor * curve.placebo.event["median"]
    figure.add_hline(y=0, line={"color": GREY, "width": 1}, row=1, col=1)
    figure.add_trace(
        go.Scatter(
            x=[0.5, len(rows) + 0.5], y=[middle, middle], mode="lines", hoverinfo="skip",
            name=f"median {wording.amount(curve.placebo.event['median'], curve.unit)}",
            line={"color": GREEN, "width": 2, "dash": "dash"},
        ),
        row=1, col=1,
    )  # fmt: skip
    figure.update_yaxes(tickformat=form, ticksuffix=suffix, nticks=6, row=1, col=1)


def _hover(unit: str, row: Mapping[Any, Any], choices: list[str]) -> str:
    """One specification in a few lines."""
    chosen = [label(f"{NAMES[name]}: {level_text(name, row[name])}") for name in choices]
    return "<br>".join([f"{wording.amount(row['estimate'], unit)}, p {wording.p_value(row['p_value'])}", *chosen])


def _matrix_lines(result: SpecificationCurve, curve: MarketCurve) -> list[tuple[str, list[object]]]:
    """Choices of several levels, the one that matters most first, with their levels in the order of the grid."""
    shares = choice_frame(result)["estimate_share"].loc[curve.market]
    choices = sorted(varied(curve), key=lambda name: -np.nan_to_num(shares[name]))
    return [(name, levels_present(result, curve, name)) for name in choices]


def _matrix(figure: go.Figure, curve: MarketCurve, lines: list[tuple[str, list[object]]]) -> None:
    """Share of the specifications at each place of the order that take a level; one each where there are few."""
    rows = curve.specifications
    count = len(rows)
    bins = min(count, _COLUMNS)
    edges = np.round(np.linspace(0, count, bins + 1)).astype(int)
    centres, values, ticks, texts = [], [], [], []
    top = 0.0
    for name, levels in lines:
        for number, level in enumerate(levels):
            taken = np.array([found == level for found in rows[name]], dtype=float)
            values.append(np.add.reduceat(taken, edges[:-1]) / np.diff(edges))
            head = f"<b>{label(NAMES[name])}</b>  " if number == 0 else ""
            centres.append((top, top + 1.0))
            ticks.append(top + 0.5)
            texts.append(f"{head}{label(level_text(name, level))}")
            top += 1.0
        values.append(np.full(bins, np.nan))
        centres.append((top, top + _APART))
        top += _APART
    bounds = [low for low, _ in centres] + [centres[-1][1]]
    figure.add_trace(
        go.Heatmap(
            x=edges + 0.5, y=bounds, z=np.array(values), zmin=0, zmax=1, colorscale=_INK, showscale=False, ygap=2,
            hovertemplate="specifications around %{x:.0f}: share %{z:.0%}<extra></extra>", hoverongaps=False,
        ),
        row=2, col=1,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=ticks, ticktext=texts, range=[top - _APART, 0], showgrid=False, tickfont={"size": 11}, row=2, col=1
    )


def _finding(curve: MarketCurve) -> str:
    placebo, rows = curve.placebo, curve.specifications
    rank = placebo.scaled["median"]
    p = f"placebo p {wording.p_value(rank.p_value)}" if not rank.note else "no placebo p"
    if len(rows) == 1:
        return f"{curve.market}: one specification gives {wording.amount(placebo.event['median'], curve.unit)}; {p}"
    sign = same_sign(rows["estimate"].to_numpy())
    mark = "+" if placebo.event["median"] > 0 else wording.MINUS
    holds = f"{len(rows):,} specifications, median zero"
    if np.isfinite(sign):
        holds = f"the sign ({mark}) holds in {'all' if sign == 1 else f'{part(sign)} of'} {len(rows):,} specifications"
    return f"{curve.market}: {holds}, {significant(curve)}; {p}{'' if rank.note else ' (median)'}"


def _method(result: SpecificationCurve, curve: MarketCurve) -> str:
    count = len(curve.specifications)
    bins = "Below, fuller colour: more of the specifications there take the level. " if count > _COLUMNS else ""
    alone = [name for name in ("session", "returns") if name not in varied(curve)]
    session = f"{curve.specifications['session_date'].iloc[0]:%Y-%m-%d}" if "session" in alone else "several sessions"
    shaded = (
        f"Shaded: sorted curves of {curve.placebo.scaled['median'].n_placebo} placebo days at the event's volatility. "
        if len(curve.placebo.band) else ""
    )  # fmt: skip
    return (
        f"Abnormal moves from day 0 ({session}). {_direction(curve)}{shaded}{bins}"
        f"Source: {wording.vintage(curve.series.vintage)}."
    )


def _direction(curve: MarketCurve) -> str:
    """What up means, where it is not plain."""
    note = wording.direction_note(curve.series.instrument)
    return f"{note[:1].upper()}{note[1:]}. " if note else ""


def placebo_chart(result: SpecificationCurve, curve: MarketCurve, theme: Theme = "auto") -> go.Figure:
    """Median estimate of the event among those of the placebo days.

    Parameters
    ----------
    result, curve, theme
        As in ``curve_chart``.
    """
    factor, form, suffix = axis_scale(curve.unit)
    pool, value = factor * curve.placebo.pool["median"], factor * curve.placebo.event["median"]
    figure = go.Figure()
    large = as_large(pool, value)
    reach = float(np.max(np.abs(np.append(pool, value)))) or 1.0
    bins = {"start": -1.025 * reach, "end": 1.1 * reach, "size": reach / 20}
    for chosen, name, colour in ((~large, "smaller", BLUE), (large, "at least as large", VERMILLION)):
        marker = themes.hatched(colour) if colour == VERMILLION else {"color": colour, "line": {"width": 0}}
        days = int(chosen.sum())
        count = f"{days} placebo day{'s' * (days != 1)} with a median {name}"
        figure.add_trace(go.Histogram(x=pool[chosen], name=count, xbins=bins, marker=marker))
    figure.add_vline(x=value, line={"color": GREY, "width": 2.5})
    figure.add_annotation(
        x=value, y=1, yref="paper", yanchor="bottom", showarrow=False, xanchor="right" if value > 0 else "left",
        text=f"<b>announcement {wording.amount(curve.placebo.event['median'], curve.unit)}</b>",
    )  # fmt: skip
    figure.update_xaxes(
        title="median estimate of the grid", tickformat=form, ticksuffix=suffix, range=[-1.1 * reach, 1.1 * reach]
    )
    figure.update_yaxes(title="days", rangemode="tozero")
    figure.update_layout(barmode="stack", bargap=0.06)
    rank = curve.placebo.scaled["median"]
    found = (
        f"placebo p {wording.p_value(rank.p_value)}, floor {wording.p_value(rank.floor)}" if not rank.note
        else f"no placebo p: {rank.note}"
    )  # fmt: skip
    size = len(curve.specifications)
    method = (
        f"{f'Median over {size:,} specifications' if size > 1 else 'One specification'} on days at the same local "
        f"clock time, each brought to the event's volatility. {_direction(curve)}"
        f"Source: {wording.vintage(curve.series.vintage)}."
    )
    finding = (
        f"{curve.market}: {int(large.sum())} of {len(pool)} placebo days gave a median at least as large, up or down "
        f"({found})"
    )
    return finish(figure, finding=finding, method=method, body=230, theme=theme, legend=2, bottom=56)
