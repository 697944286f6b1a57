"""Map of every event in every market, in usual days of each market. Nothing is computed here."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from market_reaction import wording
from market_reaction.panels import event_name, sources, up_means
from market_reaction.theme import BLUE, ORANGE, Theme, faded, finish, label

if TYPE_CHECKING:
    from market_reaction.event_classes.result import ClassStudies

ROW, GAP = 15, 30  # pixels of an event, and between two classes
REACH = 4.0  # usual days at which the colours end
_ABSENT = "rgba(128, 128, 128, 0.38)"
# Nearly opaque from two usual days on, so that the numbers can be read on any page.
_SCALE = [
    [0.0, BLUE], [0.25, faded(BLUE, 0.85)], [0.5, "rgba(128, 128, 128, 0.04)"], [0.75, faded(ORANGE, 0.85)],
    [1.0, ORANGE],
]  # fmt: skip
_HOVER_CHARS = 60


def heat_map(result: ClassStudies, markets: tuple[str, ...], *, theme: Theme = "auto") -> go.Figure:
    """Draw day 0 of every event in every market: rows by class and time, colour in usual days of the market.

    Parameters
    ----------
    result : ClassStudies
        As ``by_class`` gives it.
    markets : tuple of str
        Columns.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.

    Notes
    -----
    A number stands where the placebo p is at most 0.05: the move in usual days. Grey cells could not be measured; the
    reason is in the hover text.
    """
    frame = result.to_frame()
    frame = frame[frame["market"].isin(markets)]
    counts = [frame.loc[frame["class"].eq(name), "event_id"].nunique() for name in result.classes]
    total = sum(counts)
    body = ROW * total + GAP * (len(counts) - 1) + 20
    figure = make_subplots(
        rows=len(counts), cols=1, shared_xaxes=True, row_heights=[count / total for count in counts],
        vertical_spacing=GAP / body if len(counts) > 1 else 0.0,
        subplot_titles=[label(name) for name in result.classes],
    )  # fmt: skip
    figure.update_annotations(font={"size": 12}, x=0, xanchor="left", yshift=-2)
    for line, name in enumerate(result.classes, start=1):
        rows = frame[frame["class"].eq(name)]
        _panel(figure, rows, markets, line, scale=line == 1)
    figure.update_xaxes(showgrid=False, tickangle=-40, ticks="")
    figure.update_yaxes(showgrid=False, autorange="reversed", tickfont={"size": 10})
    method = (
        "Abnormal return of day 0 over the market's usual day (EWMA 0.97): orange up, blue down, full colour from "
        f"{REACH:g} usual days on. Cells with placebo p of at most 0.05 show their multiple. Grey: not measured. "
        f"{up_means(result.study.prices, markets)}{sources(result.study.prices, markets)}"
    )
    finish(figure, finding=heat_finding(frame), method=method, body=body, theme=theme, legend=0, bottom=86)
    return figure


def _panel(figure: go.Figure, rows: pd.DataFrame, markets: tuple[str, ...], line: int, *, scale: bool) -> None:
    """One class: grey ground where nothing was measured, colours above it."""
    events = rows.drop_duplicates("event_id")
    shape = (len(events), len(markets))
    order = pd.MultiIndex.from_product([events["event_id"], markets])
    cells = rows.set_index(["event_id", "market"]).loc[order]
    values = cells["z_ewma"].to_numpy(dtype=float).reshape(shape)
    unusual = cells["placebo_p"].le(wording.UNUSUAL).to_numpy()
    numbers = [wording.signed(value, 1) if mark else "" for value, mark in zip(values.ravel(), unusual, strict=True)]
    hover = [_hover(row) for row in cells.reset_index(names=["event_id", "market"]).to_dict("records")]
    place = {"row": line, "col": 1}
    grid = {
        "x": [label(name) for name in markets], "y": list(range(len(events))), "xgap": 1, "ygap": 1,
        "hovertext": np.array(hover, dtype=object).reshape(shape), "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    absent = np.where(np.isfinite(values), np.nan, 0.0)
    figure.add_trace(
        go.Heatmap(z=absent, colorscale=[[0, _ABSENT], [1, _ABSENT]], showscale=False, name="not measured", **grid),
        **place,
    )
    figure.add_trace(
        go.Heatmap(
            z=values, zmid=0, zmin=-REACH, zmax=REACH, colorscale=_SCALE, showscale=scale, name="usual days",
            text=np.array(numbers, dtype=object).reshape(shape), texttemplate="%{text}", textfont={"size": 9},
            colorbar=_BAR, **grid,
        ),
        **place,
    )  # fmt: skip
    figure.update_yaxes(tickvals=grid["y"], ticktext=[_event(row) for row in events.to_dict("records")], **place)


_BAR = {
    "orientation": "v", "thickness": 10, "len": 180, "lenmode": "pixels", "y": 1, "yanchor": "top", "x": 1.01,
    "title": {"text": "usual<br>days", "font": {"size": 11}}, "tickfont": {"size": 10},
    "tickvals": [-REACH, -REACH / 2, 0, REACH / 2, REACH],
    "ticktext": [f"≤ −{REACH:g}", f"−{REACH / 2:g}", "0", f"+{REACH / 2:g}", f"≥ +{REACH:g}"],
}  # fmt: skip


def _event(row: Mapping[Any, Any]) -> str:
    return event_name(row["announced_utc"], row["title"])


def _hover(row: Mapping[Any, Any]) -> str:
    """Event, move, placebo p and what is missing, for one cell."""
    lines = textwrap.wrap(wording.clean(row["title"]), _HOVER_CHARS)
    lines.append(f"{row['market']}, {wording.day(row['session'])}")
    if np.isfinite(row["z_ewma"]):
        moved = f"{wording.amount(row['change'], row['unit'])}, {wording.signed(row['z_ewma'], 1)} usual days"
        lines.append(f"{moved}; placebo p {wording.p_value(row['placebo_p'])}")
        lines += ["another session is possible"] if row["ambiguous"] else []
    else:
        lines += textwrap.wrap(wording.clean(row["reason"] or "no return on day 0"), _HOVER_CHARS)
    return "<br>".join(label(line) for line in lines)


def heat_finding(frame: pd.DataFrame) -> str:
    """How many cells are unusual, and how many chance alone makes so."""
    tested = frame["placebo_p"].dropna()
    count = int(tested.le(wording.UNUSUAL).sum())
    if not len(tested):
        return f"{frame['event_id'].nunique()} events in {frame['market'].nunique()} markets; no placebo test was made"
    return wording.unusual_against_chance(count, len(tested), "reaction")
