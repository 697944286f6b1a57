"""Mean CAR of each class over a window with its interval. Nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.car_chart import axis_scale
from market_reaction.event_classes.charts import LEAST_FOR_BAND, colours
from market_reaction.panels import ZERO_LINE, panels, sources
from market_reaction.theme import Theme, finish, label
from market_reaction.windows import Window

if TYPE_CHECKING:
    import pandas as pd

    from market_reaction.event_classes.result import ClassStudies

LINE, HEAD = 22, 66  # pixels of a class, and of title and axis of a panel


def mean_chart(result: ClassStudies, markets: tuple[str, ...], window: Window, *, theme: Theme = "auto") -> go.Figure:
    """Draw the mean CAR of each class over a window with its 95% interval, a panel for each market.

    Parameters
    ----------
    result : ClassStudies
        As ``by_class`` gives it.
    markets : tuple of str
        Markets to draw.
    window : tuple of int
        Window of the CAR.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    table = result.summary(window)
    columns = 1 if len(markets) == 1 else 2
    figure, lines = panels(result.study.prices, markets, columns, 0.09)
    rows = table.to_dict("index")
    inks, names = colours(result.classes), result.classes[::-1]  # the first class on top
    counts = []
    for at, market in enumerate(markets):
        place = {"row": at // columns + 1, "col": at % columns + 1}
        factor, form, suffix = axis_scale(result.study.design.units[market])
        for height, name in enumerate(names):
            row = rows[name, market] | {"class": name}
            _mean(figure, height, row, inks[name], place)
            counts.append(_count(row["n_clusters"], height, at))
        figure.update_xaxes(
            tickformat=form, ticksuffix=suffix, nticks=5, range=_range(table, market, factor), **ZERO_LINE, **place
        )
        figure.update_yaxes(
            showticklabels=place["col"] == 1, showgrid=False, range=[-0.6, len(names) - 0.4],
            tickvals=list(range(len(names))), ticktext=[label(name) for name in names], **place,
        )  # fmt: skip
    figure.update_layout(annotations=[*figure.layout.annotations, *counts])  # at once: one by one takes seconds
    low, high = window
    method = (
        f"Mean CAR over sessions [{low},{high}] with 95% t interval over separate events, whose number stands at the "
        "right. Overlapping events merged; events that share sessions with another class left out. Intervals of fewer "
        f"than {LEAST_FOR_BAND} separate events may reach beyond the panel. {sources(result.study.prices, markets)}"
    )
    body = (HEAD + LINE * len(names)) * lines
    finish(figure, finding=_finding(table, markets), method=method, body=body, theme=theme, legend=0)
    return figure.update_layout(margin_r=34)


def _count(count: int, height: int, panel: int) -> dict[str, Any]:
    """Number of separate events, at the right of a panel."""
    axis = str(panel + 1) if panel else ""
    return {
        "text": f"{count}", "x": 1, "xref": f"x{axis} domain", "xanchor": "left", "xshift": 5, "y": height,
        "yref": f"y{axis}", "yanchor": "middle", "showarrow": False, "font": {"size": 11},
    }  # fmt: skip


def _mean(figure: go.Figure, height: int, row: Mapping[Any, Any], ink: str, place: dict[str, int]) -> None:
    """Mean of one class in one market with its interval."""
    factor, _, _ = axis_scale(row["unit"])
    count = row["n_clusters"]
    if not math.isfinite(row["estimate"]):
        return
    reach = factor * (row["conf_high"] - row["estimate"])
    known = math.isfinite(reach)
    interval = f"{wording.move(row['conf_low'], row['unit'])} to {wording.move(row['conf_high'], row['unit'])}"
    said = f"95% interval {interval}, p {wording.p_value(row['p_value'])}" if known else row["note"]
    text = (
        f"{label(row['class'])}: {wording.amount(row['estimate'], row['unit'])}<br>{label(said)}<br>"
        f"{count} separate of {row['n_events']} events, {row['n_shared']} left out"
    )
    figure.add_trace(
        go.Scatter(
            x=[factor * row["estimate"]], y=[height], mode="markers", name=label(row["class"]),
            marker={"color": ink, "size": 9, "symbol": "circle" if known else "circle-open"},
            error_x={"type": "data", "array": [reach], "color": ink, "thickness": 2, "width": 4} if known else None,
            hovertext=[text], hovertemplate="%{hovertext}<extra></extra>",
        ),
        **place,
    )  # fmt: skip


def _range(table: pd.DataFrame, market: str, factor: float) -> list[float]:
    """Range of a panel: all means, and the intervals of enough separate events; a margin."""
    rows = table.xs(market, level="market")
    firm = rows[rows["n_clusters"] >= LEAST_FOR_BAND]
    ends = [0.0, *rows["estimate"], *firm["conf_low"], *firm["conf_high"]]
    known = [factor * end for end in ends if math.isfinite(end)]
    low, high = min(known), max(known)
    room = (high - low) or 1.0
    return [low - 0.06 * room, high + 0.06 * room]


def _finding(table: pd.DataFrame, markets: tuple[str, ...]) -> str:
    """How many means have zero outside their interval, alone and after Holm."""
    shown = table[table.index.get_level_values("market").isin(markets)]
    known = shown["p_value"].notna()
    alone = int(shown["p_value"].le(wording.UNUSUAL).sum())
    left = int(shown["p_holm"].le(wording.UNUSUAL).sum())
    return (
        f"{alone} of {int(known.sum())} means have zero outside their 95% interval; counting all markets of a class "
        f"(Holm), {left or 'none'} {'does' if left < 2 else 'do'}"
    )
