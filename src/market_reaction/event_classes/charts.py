"""Mean paths of classes of events with their bands. Nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.car_chart import axis_scale
from market_reaction.panels import PANEL, panels, path_axes, sources
from market_reaction.theme import BLUE, GREEN, LINES, PURPLE, VERMILLION, Theme, faded, finish, label

if TYPE_CHECKING:
    from market_reaction.event_classes.result import ClassStudies

LEAST_FOR_BAND = 6  # clusters below which a band is wider than the chart is worth
_COLOURS = {"escalation": VERMILLION, "de-escalation": BLUE, "mixed": PURPLE}
_DASHES = ("solid", "dash", "dot", "dashdot")


def colours(classes: tuple[str, ...]) -> dict[str, str]:
    """Colour of each class; escalation and de-escalation keep theirs, in whatever wave."""
    found = {name: _COLOURS.get(name.split(", ")[0], "") for name in classes}
    free = [colour for colour in (GREEN, *LINES) if colour not in found.values()]
    for at, name in enumerate(name for name, colour in found.items() if not colour):
        found[name] = free[at % len(free)]
    return found


def path_chart(
    result: ClassStudies, markets: tuple[str, ...], *, cumulated: bool = True, theme: Theme = "auto"
) -> go.Figure:
    """Draw the mean path of each class with its simultaneous band, a panel for each market.

    Parameters
    ----------
    result : ClassStudies
        As ``by_class`` gives it.
    markets : tuple of str
        Markets to draw.
    cumulated : bool
        CAR paths, else abnormal returns by session.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    frame = result.caar() if cumulated else result.aar()
    columns = 1 if len(markets) == 1 else 2
    figure, lines = panels(result.study.prices, markets, columns)
    inks = colours(result.classes)
    named: set[str] = set()
    for at, market in enumerate(markets):
        place = {"row": at // columns + 1, "col": at % columns + 1}
        for number, name in enumerate(result.classes):
            rows = frame[frame["class"].eq(name) & frame["market"].eq(market)]
            if len(rows):
                _path(figure, rows, inks[name], _DASHES[number % len(_DASHES)], place, cumulated, name not in named)
                named.add(name)
        path_axes(figure, result.study.design.units[market], place, at >= len(markets) - columns)
    missing = [name for name in result.classes if name not in named]
    finish(
        figure,
        finding=_path_finding(frame, markets, result.classes, cumulated),
        method=_path_method(result, markets, cumulated, missing),
        body=PANEL * lines if lines > 1 else 260,
        theme=theme,
    )
    return figure


def _path(
    figure: go.Figure, rows: pd.DataFrame, ink: str, dash: str, place: dict[str, int], start: bool, legend: bool
) -> None:
    """Path of one class; the band only where it rests on enough events."""
    factor, form, suffix = axis_scale(rows["unit"].iloc[0])
    name = str(rows["class"].iloc[0])

    def values(column: str) -> np.ndarray:
        found = factor * rows[column].to_numpy(dtype=float)
        return np.append(0.0, found) if start else found

    taus = np.append(rows["tau"].iloc[0] - 1, rows["tau"]) if start else rows["tau"].to_numpy()
    if rows["n_clusters"].iloc[0] >= LEAST_FOR_BAND:
        low, high = values("simultaneous_low"), values("simultaneous_high")
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([taus, taus[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
                fillcolor=faded(ink, 0.16), line={"width": 0}, hoverinfo="skip", showlegend=False, legendgroup=name,
            ),
            **place,
        )  # fmt: skip
    counts = f"{rows['n_clusters'].iloc[0]} separate events ({rows['n_events'].iloc[0]} in all)"
    figure.add_trace(
        go.Scatter(
            x=taus, y=values("estimate"), mode="lines+markers", name=label(name), legendgroup=name, showlegend=legend,
            line={"color": ink, "width": 2, "dash": dash}, marker={"size": 5},
            hovertemplate=f"{label(name)}, session %{{x}}: %{{y:{form}}}{suffix}<br>{counts}<extra></extra>",
        ),
        **place,
    )  # fmt: skip


def _path_finding(frame: pd.DataFrame, markets: tuple[str, ...], classes: tuple[str, ...], cumulated: bool) -> str:
    """How many of the paths with a band leave zero outside it anywhere."""
    shown = frame[frame["market"].isin(markets) & frame["n_clusters"].ge(LEAST_FOR_BAND)]
    beyond = shown["simultaneous_low"].gt(0) | shown["simultaneous_high"].lt(0)
    outside = shown[beyond].groupby(["class", "market"], sort=False).size().index
    count = shown.groupby(["class", "market"]).ngroups
    kind = "mean paths" if cumulated else "mean returns by session"
    if not count:
        return f"No class has {LEAST_FOR_BAND} separate events with a complete path"
    where = [
        f"{name} ({wording.listed([market for found, market in outside if found == name])})"
        for name in classes
        if any(found == name for found, _ in outside)
    ]
    said = f": {'; '.join(where)}" if where else ""
    chance = f"about {wording.UNUSUAL * count:.1f} would by chance"
    return f"{len(outside)} of {count} {kind} leave zero outside their band ({chance}){said}"


def _path_method(result: ClassStudies, markets: tuple[str, ...], cumulated: bool, missing: list[str]) -> str:
    low, high = result.study.windows.span_offsets
    what = "Mean CAR from the close before," if cumulated else "Mean abnormal return,"
    absent = f"No path: {wording.listed(missing)}. " if missing else ""
    return (
        f"{what} sessions {low} to {high}. Overlapping events merged; events that share sessions with another class "
        f"left out. Shaded: 95% band of one whole path (sup-t), from {LEAST_FOR_BAND} separate events on. "
        f"{absent}{sources(result.study.prices, markets)}"
    )
