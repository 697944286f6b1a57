"""Charts of past events with the announcement among them. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.car_chart import axis_scale
from market_reaction.panels import PANEL, panels, path_axes, sources, up_means
from market_reaction.past_events.frames import standing_frame
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, faded, finish, label

if TYPE_CHECKING:
    from market_reaction.past_events.result import Analogues

MIDDLE = "middle half of past paths, not a confidence band"
STRIP = 34  # pixels of a market in the chart of ranks


def path_chart(result: Analogues, markets: tuple[str, ...], *, theme: Theme = "auto") -> go.Figure:
    """Draw the past paths, their median and middle half, and the announcement, a panel for each market.

    Parameters
    ----------
    result : Analogues
        As ``analogues`` gives it.
    markets : tuple of str
        Markets to draw.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    columns = 1 if len(markets) == 1 else 2
    figure, lines = panels(result.past.prices, markets, columns)
    spread, paths = result.distribution(), result.to_frame()
    for at, market in enumerate(markets):
        place = {"row": at // columns + 1, "col": at % columns + 1}
        own = paths[paths["market"].eq(market)]
        _panel(figure, spread[spread["market"].eq(market)], own, place, legend=at == 0)
        path_axes(figure, result.units[market], place, at >= len(markets) - columns)
    finish(
        figure, finding=_path_finding(result, markets[0]), method=_path_method(result, markets),
        body=PANEL * lines if lines > 1 else 280, theme=theme, legend=2,
    )  # fmt: skip
    return figure


def _panel(
    figure: go.Figure, spread: pd.DataFrame, paths: pd.DataFrame, place: dict[str, int], *, legend: bool
) -> None:
    factor, form, suffix = axis_scale(spread["unit"].iloc[0])
    taus = np.append(spread["tau"].iloc[0] - 1, spread["tau"])

    def values(path: pd.Series) -> np.ndarray:
        return factor * np.append(0.0, path)

    low, high = values(spread["q25"]), values(spread["q75"])
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([taus, taus[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
            fillcolor=faded(BLUE, 0.2), line={"width": 0}, name=MIDDLE, legendgroup="middle", showlegend=legend,
            hoverinfo="skip",
        ),
        **place,
    )  # fmt: skip
    past = paths[paths["kind"].eq("past")]
    for number, (name, path) in enumerate(past.groupby("event_id", sort=False)):
        _line(figure, taus, values(path["car"]), place, form + "}" + suffix, {
            "name": "past announcements", "legendgroup": "past", "showlegend": legend and number == 0,
            "line": {"color": faded(GREY, 0.6), "width": 1},
        }, str(name))  # fmt: skip
    _line(figure, taus, values(spread["median"]), place, form + "}" + suffix, {
        "name": "their median", "legendgroup": "median", "showlegend": legend,
        "line": {"color": BLUE, "width": 2, "dash": "dash"},
    }, "median")  # fmt: skip
    _line(figure, taus, values(spread["announcement"]), place, form + "}" + suffix, {
        "name": "this announcement", "legendgroup": "own", "showlegend": legend,
        "line": {"color": VERMILLION, "width": 3},
    }, "this announcement")  # fmt: skip


def _line(
    figure: go.Figure,
    x: np.ndarray,
    y: np.ndarray,
    place: dict[str, int],
    form: str,
    look: dict[str, object],
    name: str,
) -> None:
    hover = f"{label(name)}, session %{{x}}: %{{y:{form}<extra></extra>"
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", hovertemplate=hover, **look), **place)


def _path_finding(result: Analogues, market: str) -> str:
    row = result.summary().to_dict("index")[market]
    text = (
        f"{market}: median {wording.amount(row['median'], row['unit'])} by session {row['tau']:+d} after "
        f"{row['n_clusters']} separate events like this"
    )
    if not np.isfinite(row["announcement"]):
        return text
    return f"{text}; this one {wording.amount(row['announcement'], row['unit'])}, rank {row['rank']:.0f} of {row['of']}"


def _path_method(result: Analogues, markets: tuple[str, ...]) -> str:
    shared = ", ".join(f"{name} {value}" for name, value in result.attributes.items())
    start = f"session {result.horizon[0]:+d}" if result.horizon[0] else "day 0"
    return (
        f"CAR ({result.past.design.normal_model.replace('_', ' ')}) from the close before {start}; the "
        f"{len(result.nearest)} nearest by {shared}. Overlapping ones are merged in median and middle half. "
        f"{sources(result.past.prices, markets)}"
    )


def rank_chart(result: Analogues, markets: tuple[str, ...], *, theme: Theme = "auto") -> go.Figure:
    """Draw the CAR over the horizon of every separate event, markets side by side.

    Parameters
    ----------
    result : Analogues
        As ``analogues`` gives it.
    markets : tuple of str
        Markets to draw.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    frame = standing_frame(result)
    names = markets[::-1]
    places = {name: at for at, name in enumerate(names)}
    frame = frame[frame["market"].isin(markets)].assign(y=frame["market"].map(places))
    figure = go.Figure()
    own = frame["own"]
    for rows, name, marker in (
        (frame[~own], "past announcements", {"color": faded(BLUE, 0.85), "size": 9}),
        (frame[own], "this announcement", {"color": VERMILLION, "size": 12, "symbol": "diamond"}),
    ):
        figure.add_trace(
            go.Scatter(
                x=rows["scaled"], y=rows["y"], mode="markers", name=name, marker=marker,
                hovertext=[_said(row) for row in rows.to_dict("records")],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    summary = result.summary(result.horizon[1])
    for name in names:
        row = summary.to_dict("index")[name]
        known = np.isfinite(row["rank"])
        text = f"{row['rank']:.0f} of {row['of']}" if known else "no rank"
        figure.add_annotation(text=text, x=1, xref="paper", xanchor="left", xshift=6, y=places[name], showarrow=False)
    figure.update_yaxes(tickvals=list(places.values()), ticktext=[label(name) for name in names], showgrid=False)
    figure.update_yaxes(range=[-0.6, len(names) - 0.4])
    figure.update_xaxes(title="CAR in usual sizes of its market")
    low, high = result.horizon
    method = (
        f"CAR over sessions [{low},{high}] over the median standard error of the market, so that markets compare; "
        "overlapping events are one point. At the right: rank of the announcement from the top, itself included, where "
        "its window is complete. "
        f"{up_means(result.past.prices, markets)}{sources(result.past.prices, markets)}"
    )
    finish(
        figure, finding=_rank_finding(summary.loc[list(markets)]), method=method, body=STRIP * len(names) + 20,
        theme=theme, legend=1,
    )  # fmt: skip
    return figure.update_layout(margin_r=78)


def _said(row: Mapping[Any, Any]) -> str:
    return f"{label(row['events'])}<br>{label(row['market'])}: {wording.amount(row['car'], row['unit'])}"


def _rank_finding(summary: pd.DataFrame) -> str:
    """In how many markets the announcement is the highest or lowest, and how many chance makes so."""
    known = summary[summary["rank"].notna()]
    if known.empty:
        return "The window of the announcement is not complete in any market; past events only"
    ends = known["rank"].eq(1) | known["rank"].eq(known["of"])
    chance = float((2 / known["of"]).clip(upper=1).sum())
    return f"Beyond all past events in {int(ends.sum())} of {len(known)} markets; about {chance:.1f} would be by chance"
