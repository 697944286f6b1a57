"""CAR paths: cumulated abnormal returns from the close before day 0, a panel for each market."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from market_reaction import wording
from market_reaction.theme import BLUE, BLUE_BAND, GREY, LINES, PALE_BLUE_BAND, Theme, finish, label


def car_paths(
    frame: pd.DataFrame,
    *,
    market: str | None = None,
    source: str = "",
    theme: Theme = "auto",
) -> go.Figure:
    """Draw cumulated abnormal returns from the first session of the windows, with the bands the frame holds.

    Parameters
    ----------
    frame : pandas.DataFrame
        As ``EventStudyResult.bands`` or ``to_frame`` gives it; the second has no band of the whole path.
    market : str, optional
        One market; a panel for each when left out.
    source : str
        Source and vintage for the subtitle.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.

    Notes
    -----
    The inner band holds each session's CAR alone, the dotted outer one the whole path at once. With several events the
    paths are drawn without bands.
    """
    known = list(dict.fromkeys(frame["market"]))
    if market is not None and market not in known:
        raise ValueError(f"market={market!r} is not in the study; it has {', '.join(known)}.")
    shown = known if market is None else [market]
    columns = 1 if len(shown) == 1 else 2
    lines = -(-len(shown) // columns)
    heads = [label(name) for name in shown] if len(shown) > 1 else None
    figure = make_subplots(
        rows=lines, cols=columns, subplot_titles=heads, vertical_spacing=0.36 / lines if lines > 1 else 0.0
    )
    for number, name in enumerate(shown):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        _car_panel(figure, frame[frame["market"] == name], place, several=len(shown) > 1)
    events = frame["event_id"].nunique()
    bands = f"{events} events, no bands. " if events > 1 else ""
    figure.update_annotations(font={"size": 12})
    finding = _car_finding(frame[frame["market"].isin(shown)], shown)
    method = f"Cumulated abnormal return (CAR) from the close before day 0. {bands}{source}"
    body = 250 if len(shown) == 1 else 165 * lines
    return finish(figure, finding=finding, method=method, body=body, theme=theme, legend=1 if events < 7 else 0)


_BANDS = (
    ("simultaneous_low", "simultaneous_high", "95%, whole path (simultaneous)"),
    ("conf_low", "conf_high", "95%, each session (pointwise)"),
)


def axis_scale(unit: str) -> tuple[float, str, str]:
    """Factor, tick format and tick suffix for a unit of moves."""
    if unit == "return":
        return 1.0, "+.1%", ""
    return (100.0, "+.3~f", " bp") if unit == "percentage points" else (1.0, "+.3~f", " pts")


def band(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, name: str, *, legend: bool = False, outer: bool = False
) -> go.Scatter:
    """Trace that fills the space between two paths; the outer of two bands is paler, with a dotted edge."""
    edge = {"color": BLUE, "width": 1, "dash": "dot"} if outer else {"width": 0}
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
        fillcolor=PALE_BLUE_BAND if outer else BLUE_BAND, line=edge, name=name, hoverinfo="skip", showlegend=legend,
    )  # fmt: skip


def _car_panel(figure: go.Figure, rows: pd.DataFrame, place: dict[str, int], several: bool) -> None:
    factor, form, suffix = axis_scale(rows["unit"].iloc[0])
    alone = len(set(rows["event_id"])) == 1
    for number, (event_id, path) in enumerate(rows.groupby("event_id", sort=False)):
        # The path starts from zero at the close before its first session.
        taus = np.append(path["tau"].iloc[0] - 1, path["tau"])
        cars = factor * np.append(0.0, path["car"])
        first = place == {"row": 1, "col": 1}
        for low, high, name in _BANDS:
            if not alone or low not in path:
                continue
            low_edge, high_edge = (factor * np.append(0.0, path[bound]) for bound in (low, high))
            figure.add_trace(
                band(taus, low_edge, high_edge, name, legend=first, outer=low == "simultaneous_low"), **place
            )
        colour = BLUE if alone else LINES[number % len(LINES)]
        figure.add_trace(
            go.Scatter(
                x=taus, y=cars, mode="lines+markers", name="CAR" if alone else label(event_id),
                legendgroup=label(event_id), legendrank=999, showlegend=first,
                line={"color": colour, "width": 2}, marker={"size": 6},
                hovertemplate=f"session %{{x}}: %{{y:{form}}}{suffix}<extra></extra>",
            ),
            **place,
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1}, **place)
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"}, **place)
    figure.update_xaxes(
        title=None if several else "sessions from day 0", dtick=1 if rows["tau"].max() < 15 else None, **place
    )
    figure.update_yaxes(tickformat=form, ticksuffix=suffix, nticks=6, **place)


def _outside_the_whole(path: pd.DataFrame) -> str:
    """Sessions at which zero lies outside the band of the whole path; empty where there is none."""
    if "simultaneous_low" not in path:
        return ""
    beyond = path[path["simultaneous_low"].gt(0) | path["simultaneous_high"].lt(0)]
    sessions = ", ".join(f"{tau:+d}" if tau else "0" for tau in beyond["tau"])
    return f", and outside that of the path at {sessions}" if sessions else ""


def _car_finding(frame: pd.DataFrame, shown: list[str]) -> str:
    paths = [path.dropna(subset="car") for _, path in frame.groupby(["event_id", "market"], sort=False)]
    ends = [path.iloc[-1] for path in paths if len(path)]
    outside = [end for end in ends if end["conf_low"] > 0 or end["conf_high"] < 0]
    if len(ends) == 1:
        end, name = ends[0], shown[0]
        where = "outside" if outside else "inside"
        text = wording.move(end["car"], end["unit"])
        whole = _outside_the_whole(paths[0])
        return f"{name}: {text} by session {int(end['tau']):+d}; zero lies {where} the 95% band{whole}"
    verb = "ends" if len(outside) == 1 else "end"
    return f"{len(outside)} of {len(ends)} paths {verb} with zero outside the 95% band"
