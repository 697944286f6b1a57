"""Chart of two quotes of one thing: a point an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.car_chart import axis_scale
from market_reaction.theme import BLUE, GREY, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.responses.twins import TwinMoves


def twin_chart(result: TwinMoves, *, theme: Theme = "auto") -> go.Figure:
    """Draw the move of the first market against that of the second, with the line on which they are equal.

    Parameters
    ----------
    result : TwinMoves
        As ``twin_moves`` gives it.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    factor, form, suffix = axis_scale(result.unit)
    x, y = (factor * result.pairs[name].to_numpy(dtype=float) for name in ("to_move", "move"))
    reach = 1.08 * float(np.abs(np.append(x, y)).max(initial=1e-9))
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[-reach, reach], y=[-reach, reach], mode="lines", name="equal moves", hoverinfo="skip",
            line={"color": GREY, "width": 1.5, "dash": "dot"},
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="markers", name="one event", marker={"color": BLUE, "size": 8, "opacity": 0.75},
            customdata=[label(event_id) for event_id in result.pairs.index],
            hovertemplate=f"%{{customdata}}: %{{x:{form}}}{suffix}, %{{y:{form}}}{suffix}<extra></extra>",
        )
    )  # fmt: skip
    for line in (figure.add_hline, figure.add_vline):
        line(0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title=label(result.second), tickformat=form, ticksuffix=suffix, range=[-reach, reach])
    figure.update_yaxes(title=label(result.first), tickformat=form, ticksuffix=suffix, range=[-reach, reach])
    rows = result.summary().to_dict("index")
    means = " against ".join(
        f"{wording.amount(rows[name]['estimate'], result.unit)} for {name}" for name in (result.first, result.second)
    )
    turned = " Means with good news turned round." if result.turned else ""
    sources = "; ".join(f"{row['source']} {row['symbol']}" for row in result.vintage.to_dict("records"))
    method = (
        f"Abnormal moves on each market's own reaction session, {len(x)} events.{turned} {result.notes[0]} "
        f"Source: {sources}."
    )
    finding = f"{means}; correlation {wording.signed(result.correlation)}"
    return finish(figure, finding=finding, method=method, body=330, theme=theme, legend=1)
