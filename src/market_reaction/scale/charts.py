"""Charts of a cross-section: events against their usual range, mean paths, securities. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.event_classes.charts import colours
from market_reaction.scale.words import PLURALS
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, faded, finish, label

if TYPE_CHECKING:
    from market_reaction.scale.cross_sections import CrossSection
    from market_reaction.windows import Window

CLEAR = "rgba(0, 0, 0, 0)"
NAMED = 40  # securities that have a line of their own; more are counted in bars
LEAST_FOR_BAND = 6  # date clusters below which a band is wider than the chart is worth


def _source(result: CrossSection) -> str:
    """Where the returns come from, in few words."""
    panel = result.panel
    name = panel.about["source"] or panel.folder.name
    return f"Source: {name}, to {wording.day(panel.sessions[-1])}."


def _what(result: CrossSection) -> str:
    """The securities in few words; generated ones are called so."""
    return f"{int(result.rows.n_cases.gt(0).sum()):,} {'generated ' if result.panel.generated else ''}securities"


def _model(result: CrossSection) -> str:
    return str(result.rows.job.options.model).replace("_", " ")


def event_chart(result: CrossSection, window: Window, *, theme: Theme = "auto") -> go.Figure:
    """Draw the mean over securities of every session with its usual range; unusual ones are filled.

    Parameters
    ----------
    result : CrossSection
        As ``cross_section`` gives it.
    window : tuple of int
        Event window.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    frame = result.to_frame(window).drop_duplicates("session")
    tested = frame["placebo_p"].notna()
    unusual = frame["placebo_p"].le(wording.UNUSUAL)
    figure = go.Figure()
    x, y = _ranges(frame[tested])
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines", line={"color": faded(GREY, 0.45), "width": 4}, hoverinfo="skip",
            name="95% of earlier days, in the volatility of the day",
        )
    )  # fmt: skip
    for rows, name, marker in (
        (
            frame[tested & ~unusual],
            "within its usual range",
            {"color": CLEAR, "size": 8, "line": {"color": BLUE, "width": 1.6}},
        ),
        (
            frame[unusual],
            "beyond it",
            {"color": VERMILLION, "size": 9, "symbol": "diamond-open", "line": {"width": 2.2}},
        ),
        (frame[~tested], "too few earlier days", {"color": GREY, "size": 7, "symbol": "x-thin-open"}),
    ):
        if rows.empty and name != "within its usual range":
            continue
        figure.add_trace(
            go.Scatter(
                x=rows["session"], y=rows["mean_car"], mode="markers", name=f"mean of the securities, {name}",
                marker=marker, hovertext=[_said(row) for row in rows.reset_index().to_dict("records")],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.update_yaxes(tickformat="+.0%", title="mean CAR")
    figure.update_xaxes(type="date")
    return finish(
        figure,
        finding=_unusual(int(unusual.sum()), int(tested.sum()), _what(result)),
        method=f"CAR ({_model(result)}) over sessions [{window[0]},{window[1]}], mean over securities; "
        f"placebo of {int(frame['n_placebo'].median())} earlier days. {_source(result)}",
        body=300, theme=theme, legend=2,
    )  # fmt: skip


def _unusual(count: int, tested: int, what: str) -> str:
    """On how many sessions the mean was unusual, and how many chance gives."""
    if not tested:
        return f"No session of {what} has enough earlier days for a placebo"
    return (
        f"On {count} of {tested} session{'s' * (tested != 1)} the mean of {what} lay beyond its usual range; "
        f"chance gives {wording.by_chance(tested)}"
    )


def _ranges(frame: pd.DataFrame) -> tuple[list[object], list[float | None]]:
    """Vertical lines from minus to plus the largest usual mean, with gaps between."""
    x: list[object] = []
    y: list[float | None] = []
    for session, usual in zip(frame["session"], frame["usual"], strict=True):
        if np.isfinite(usual):
            x += [session, session, None]
            y += [-usual, usual, None]
    return x, y


def _said(row: Mapping[Any, Any]) -> str:
    """What an event's mark tells."""
    title = label(row.get("title", "") or row["event_id"])
    p_value = float(row["placebo_p"])
    mean = wording.per_cent(float(row["mean_car"]))
    return f"{title}<br>{row['session']:%Y-%m-%d}: {mean}, placebo p {wording.p_value(p_value)}"


def path_chart(result: CrossSection, window: Window, *, theme: Theme = "auto") -> go.Figure:
    """Draw the mean path of each class of events with the band of each session alone.

    Parameters
    ----------
    result, window, theme
        As in ``event_chart``; the path reaches over all windows.
    """
    classes = result.classes()
    inks = colours(tuple(classes)) if "all" not in classes else {"all": BLUE}
    figure = go.Figure()
    ends: list[tuple[str, pd.Series]] = []
    for number, (name, events) in enumerate(classes.items()):
        path = result.rows.path(events=events if result.rows.job.shared else None)
        if path["n_clusters"].iloc[-1] < 2:
            continue
        ends.append((name, path.iloc[-1]))
        _path(figure, path, name, inks[name], ("solid", "dash", "dot")[number % 3])
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"})
    figure.update_xaxes(title="sessions from day 0", tickformat="d", dtick=1)
    figure.update_yaxes(tickformat="+.1%", zeroline=True, zerolinecolor=GREY)
    low, last = result.rows.taus[0], result.rows.taus[-1]
    told = [
        f"{wording.per_cent(row['caar'])} after {_of(name)} (p {wording.p_value(row['p_value'])})" for name, row in ends
    ]
    finding = f"{_what(result)} by session {last:+d}: {', '.join(told)}" if told else "no class has two separate dates"
    wide = (low, last) != tuple(window)
    merged = f"Sessions [{low},{last}], so that more dates merge than over [{window[0]},{window[1]}]. " if wide else ""
    few = f"no band below {LEAST_FOR_BAND} separate dates. "
    return finish(
        figure,
        finding=finding[0].upper() + finding[1:],
        method=f"Mean CAR ({_model(result)}) over securities, then over dates whose windows do not overlap; bands: 95% "
        f"of each session alone, {few}{merged}{_source(result)}",
        body=280, theme=theme,
    )  # fmt: skip


def _of(name: str) -> str:
    """Class of events in the plural."""
    return "events" if name == "all" else PLURALS.get(name, name)


def _path(figure: go.Figure, path: pd.DataFrame, name: str, ink: str, dash: str) -> None:
    """Path of one class from the close before its first session."""
    taus = np.append(path.index[0] - 1, path.index)
    low, high = (np.append(0.0, path[column]) for column in ("conf_low", "conf_high"))
    count = int(path["n_clusters"].iloc[-1])
    if count >= LEAST_FOR_BAND:
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([taus, taus[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
                fillcolor=faded(ink, 0.16), line={"width": 0}, hoverinfo="skip", showlegend=False, legendgroup=name,
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=taus, y=np.append(0.0, path["caar"]), mode="lines+markers", legendgroup=name,
            name=label(f"{_of(name)}, {count} separate dates"), line={"color": ink, "width": 2, "dash": dash},
            hovertemplate=f"{label(name)}, session %{{x}}: %{{y:+.2%}}<extra></extra>",
        )
    )  # fmt: skip


def security_chart(result: CrossSection, window: Window, *, theme: Theme = "auto") -> go.Figure:
    """Draw the mean over the events of the largest class for every security, or their distribution.

    Parameters
    ----------
    result, window, theme
        As in ``event_chart``.
    """
    name, events = next(iter(result.classes().items()))
    means = result.rows.per_security(window, events=events)["mean_car"].dropna().sort_values()
    figure = go.Figure()
    if len(means) <= NAMED:
        figure.add_trace(
            go.Scatter(
                x=means, y=[label(asset) for asset in means.index], mode="markers", showlegend=False,
                marker={"color": BLUE, "size": 9}, hovertemplate="%{y}: %{x:+.2%}<extra></extra>",
            )
        )  # fmt: skip
        body = max(200, 18 * len(means))
    else:
        figure.add_trace(
            go.Histogram(x=means, nbinsx=60, marker={"color": BLUE, "line": {"width": 0}}, showlegend=False)
        )
        figure.update_yaxes(title="securities")
        body = 260
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    if len(means):
        figure.add_vline(x=float(means.mean()), line={"color": VERMILLION, "width": 2, "dash": "dot"})
    figure.update_xaxes(tickformat="+.1%", title="mean CAR (dotted: mean of all)")
    fell = int(means.lt(0).sum())
    return finish(
        figure,
        finding=f"{fell:,} of {len(means):,} {'generated ' if result.panel.generated else ''}securities fell on "
        f"average after {len(events)} {_of(name)}",
        method=f"Mean CAR ({_model(result)}) over sessions [{window[0]},{window[1]}] of each security, every event "
        f"once. Securities share the dates, so that their number says nothing of chance. {_source(result)}",
        body=body, theme=theme, legend=0,
    )  # fmt: skip
