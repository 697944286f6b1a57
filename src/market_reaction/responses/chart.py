"""Chart of a projected path: response by horizon with its bands, and what random dates do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.car_chart import axis_scale, band
from market_reaction.responses.tables import path_in_words
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, finish

if TYPE_CHECKING:
    from market_reaction.responses.results import EventProjections


def projection_chart(result: EventProjections, *, theme: Theme = "auto") -> go.Figure:
    """Draw the response by horizon.

    Parameters
    ----------
    result : EventProjections
        As ``event_projections`` gives it.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.

    Notes
    -----
    Paths start from zero at the close before the reaction session. The dashed lines are a band around no effect: where
    the path lies outside them, the p of that session against random dates is below one minus the level.
    """
    fit = result.fit
    factor, form, suffix = axis_scale(result.unit)
    sessions = np.append(-1, fit.horizons)
    level = f"{100 * fit.level:g}%"

    def path(values: np.ndarray) -> np.ndarray:
        return factor * result.step * np.append(0.0, values)

    figure = go.Figure()
    banded = bool(np.isfinite(fit.conf_low).all())
    if banded:
        bounds = (
            (fit.simultaneous_low, fit.simultaneous_high, f"{level}, whole path (simultaneous)", True),
            (fit.conf_low, fit.conf_high, f"{level}, each session (pointwise)", False),
        )
        for low, high, name, outer in bounds:
            figure.add_trace(band(sessions, path(low), path(high), name, legend=True, outer=outer))
    for number, bound in enumerate((fit.permutation_low, fit.permutation_high)):
        figure.add_trace(
            go.Scatter(
                x=sessions, y=path(bound), mode="lines", name=f"range of {level} of random dates",
                line={"color": VERMILLION, "width": 1.5, "dash": "dash"}, showlegend=number == 0, hoverinfo="skip",
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=sessions, y=path(fit.coefficients), mode="lines+markers", name="response",
            line={"color": BLUE, "width": 2}, marker={"size": 6},
            hovertemplate=f"session %{{x}}: %{{y:{form}}}{suffix}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"})
    figure.update_xaxes(title="sessions from day 0", dtick=1 if len(sessions) < 16 else None)
    figure.update_yaxes(tickformat=form, ticksuffix=suffix, nticks=6)
    return finish(figure, finding=_finding(result), method=_method(result, banded), body=250, theme=theme, legend=2)


def _finding(result: EventProjections) -> str:
    return f"{path_in_words(result)}; p {wording.p_value(result.fit.permutation_joint_p)} against random dates"


def _method(result: EventProjections, banded: bool) -> str:
    level = f"{100 * result.fit.level:g}%"
    inner_and_outer = f"{level} bands: inner for each session alone, outer for the whole path."
    vintage = result.vintage.iloc[0]
    return (
        f"Local projections from the close before day 0, {result.n_events} sessions with a shock. "
        f"{inner_and_outer if banded else result.fit.note} Source: {vintage['source']} {vintage['symbol']}, sha256 "
        f"{vintage['sha256'][:8]}."
    )
