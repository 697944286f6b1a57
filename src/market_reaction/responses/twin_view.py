"""Two quotes of one thing as sentence, table and chart; rounding happens here."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from market_reaction import tables, wording
from market_reaction.car_chart import axis_scale
from market_reaction.responses.tables import quiet
from market_reaction.tables import cell, lines_table
from market_reaction.theme import BLUE, GREY, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.responses.twins import TwinMoves


def twin_answer(result: TwinMoves) -> str:
    """Both means, whether they differ, how closely the two move together, and what their clocks may do."""
    gap: Any = result.summary().loc["difference"]
    after = "after bad news, good news turned round" if result.turned else "on average"
    means = f"{_means(result)} {after}, over {gap['n_events']:.0f} announcements"
    if not math.isfinite(gap["p_value"]):
        return f"{means}; a test of the difference needs two events whose differences vary."
    found = "is" if gap["p_value"] <= wording.UNUSUAL else "is not"
    return (
        f"{means}. The difference, {wording.amount(gap['estimate'], result.unit)} (standard error "
        f"{wording.size(gap['std_error'], result.unit)}), {found} distinguishable from zero (p "
        f"{wording.p_value(gap['p_value'])}, paired t; smallest detectable {wording.size(gap['mde'], result.unit)}). "
        f"Their moves have a correlation of {wording.signed(result.correlation)}.{_clocks(result)}"
    )


def _means(result: TwinMoves) -> str:
    rows = result.summary()["estimate"]
    return " and ".join(f"{name} {wording.amount(rows[name], result.unit)}" for name in (result.first, result.second))


def _clocks(result: TwinMoves) -> str:
    """That closes struck at different hours are part of any difference; empty where they are struck together."""
    one, other = result.closes
    if one == other:
        return ""
    return f" Closes are struck at {one} and at {other}: part of a difference may be that."


def mean_lines(result: TwinMoves) -> pd.DataFrame:
    """Both means and their difference as they are read."""
    rows = [
        [name, wording.amount(row["estimate"], result.unit), wording.size(row["std_error"], result.unit),
         wording.p_value(row["p_value"]), wording.size(row["mde"], result.unit), f"{row['n_events']:.0f}"]
        for name, row in result.summary().to_dict("index").items()
    ]  # fmt: skip
    headings = ["Market", "Mean move", "Std. error", "p (t)", "Smallest detectable", "Events"]
    return pd.DataFrame(rows, columns=headings, dtype=str)


def printed_twins(result: TwinMoves) -> dict[str, pd.DataFrame]:
    """The means for a paper; the caption says what "up" means."""
    return {" ".join(["Mean abnormal moves on day 0.", *result.notes]).rstrip("."): mean_lines(result)}


def twin_html(result: TwinMoves) -> str:
    """HTML of the comparison: the answer, the means, what was left out."""
    parts = [
        f"<h3>{escape(wording.clean(f'{result.first} and {result.second}'))}</h3>",
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        lines_table(mean_lines(result)),
        *quiet(result.notes),
        tables.left_out(result.excluded["reason"]),
        tables.sources(result.vintage),
    ]
    return tables.wrapped(parts)


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
            x=x, y=y, mode="markers", name="one announcement", marker={"color": BLUE, "size": 8, "opacity": 0.75},
            customdata=[label(event_id) for event_id in result.pairs.index],
            hovertemplate=f"%{{customdata}}: %{{x:{form}}}{suffix}, %{{y:{form}}}{suffix}<extra></extra>",
        )
    )  # fmt: skip
    for line in (figure.add_hline, figure.add_vline):
        line(0, line={"color": GREY, "width": 1})
    figure.update_xaxes(
        title=label(f"move of {result.second}"), tickformat=form, ticksuffix=suffix, range=[-reach, reach], nticks=9
    )
    figure.update_yaxes(
        title=label(f"move of {result.first}"), tickformat=form, ticksuffix=suffix, range=[-reach, reach], nticks=9
    )
    up, clocks = "".join(f" {note}" for note in result.notes), _clocks(result)
    turned = " Means with good news turned round." if result.turned else ""
    series = ", ".join(str(symbol) for symbol in result.vintage["symbol"])
    origin = f"Source: {' and '.join(dict.fromkeys(result.vintage['source']))} {series}."
    method = f"Abnormal moves on each market's own day 0, {len(x)} announcements.{turned}{up}{clocks} {origin}"
    after = "after bad news" if result.turned else "on average"
    finding = f"{_means(result)} {after}; correlation {wording.signed(result.correlation)}"
    return finish(figure, finding=finding, method=method, body=330, theme=theme, legend=1)
