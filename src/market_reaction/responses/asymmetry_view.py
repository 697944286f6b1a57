"""Good and bad news as sentence, table and chart; rounding happens here."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from market_reaction import tables, wording
from market_reaction.car_chart import axis_scale
from market_reaction.responses.asymmetry import BAD, GOOD
from market_reaction.tables import cell, html_table
from market_reaction.theme import BLUE, GREY, ORANGE, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.responses.asymmetry import NewsAsymmetry


_PLACES = {BAD: 1.0, GOOD: 0.0}
_LOOKS = {BAD: (ORANGE, "diamond"), GOOD: (BLUE, "circle")}


def window_words(result: NewsAsymmetry) -> str:
    """The window as it stands in sentences: ``CAR[0,1]``."""
    return f"CAR[{result.window[0]},{result.window[1]}]"


def asymmetry_answer(result: NewsAsymmetry, width: int | None = None) -> str:
    """Both means with their standard errors, and whether they mirror each other."""
    rows = result.summary().to_dict("index")
    means = " and ".join(
        f"{wording.amount(row['estimate'], result.unit)} after {row['n_clusters']:.0f} {side}s"
        + (f" (± {wording.size(row['std_error'], result.unit)})" if math.isfinite(row["std_error"]) else "")
        for side, row in ((side, rows[side]) for side in _PLACES)
    )
    text = f"{result.market}, {window_words(result)}: {means}. {_verdict(result)}"
    return wording.filled(text, width)


def _verdict(result: NewsAsymmetry) -> str:
    excess, permuted = result.excess, result.permutation
    if not math.isfinite(excess.p_value):
        return f"Whether one is the mirror image of the other is not tested: {excess.note}."
    p = f"p {wording.p_value(permuted.p_value)} by permuted labels, {wording.p_value(excess.p_value)} by Welch's t"
    sums = f"their sum is {wording.amount(excess.estimate, result.unit)}"
    if permuted.p_value > wording.UNUSUAL:
        missed = wording.size(excess.mde, result.unit)
        return f"That one is the mirror image of the other is not rejected: {sums} ({p}; smallest detectable {missed})."
    return f"They are no mirror images: {sums} ({p})."


def asymmetry_html(result: NewsAsymmetry) -> str:
    """HTML of the comparison: the answer, the means, the clusters, what was left out."""
    rows = []
    for side, row in result.summary().iterrows():
        interval = (
            f"{wording.move(row['conf_low'], result.unit)} to {wording.move(row['conf_high'], result.unit)}"
            if math.isfinite(row["conf_low"])
            else wording.NOT_AVAILABLE
        )
        cells = [
            str(side), wording.move(row["estimate"], result.unit), wording.size(row["std_error"], result.unit),
            interval, wording.p_value(row["p_value"]), f"{row['n_clusters']:.0f}", f"{row['n_events']:.0f}",
        ]  # fmt: skip
        rows.append([cell(text) for text in cells])
    headings = ["", f"Mean {window_words(result)}", "Std. error", f"{100 * result.level:g}% interval", "p (t)"]
    headings += ["Clusters", "Events"]
    clusters = [
        [cell(row["direction"]), cell(wording.day(row["session"])), cell(row["events"]),
         cell(wording.move(row["car"], result.unit))]
        for row in result.cases.to_dict("records")
    ]  # fmt: skip
    left_out = [[cell(event_id), cell(reason)] for event_id, reason in result.excluded["reason"].items()]
    legend = (
        "Events whose windows overlap count once. Sum: zero where good news undoes what bad news does; its p by "
        f"permuted labels is {wording.p_value(result.permutation.p_value)}. A sum that differs from zero may also come "
        "from bad news that is larger, or less expected, than the good."
    )
    parts = [
        f"<h3>{escape(wording.clean(f'{result.market} after good and bad news'))}</h3>",
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        html_table(headings, rows),
        *(f'<p class="mr-quiet">{cell(text)}</p>' for text in (legend, *result.notes)),
        tables.folded("Every cluster", html_table(["Direction", "Session", "Events", window_words(result)], clusters)),
        tables.folded(f"{len(left_out)} left out", html_table(["Event", "Reason"], left_out)) if left_out else "",
        tables.folded("Where the figures come from", tables.vintage_table(result.vintage)),
    ]
    return tables.wrapped(parts)


def asymmetry_chart(result: NewsAsymmetry, *, theme: Theme = "auto") -> go.Figure:
    """Draw every cluster's CAR by direction, with the mean of each direction and its interval.

    Parameters
    ----------
    result : NewsAsymmetry
        As ``good_and_bad_news`` gives it.
    theme : {"auto", "light", "dark"}
        As in ``reaction_figure``.
    """
    factor, form, suffix = axis_scale(result.unit)
    rows = result.summary().to_dict("index")
    figure = go.Figure()
    for side, place in _PLACES.items():
        cases, row = result.cases[result.cases["direction"].eq(side)], rows[side]
        colour, symbol = _LOOKS[side]
        spread = np.linspace(-0.22, 0.22, len(cases)) if len(cases) > 1 else np.zeros(1)
        figure.add_trace(
            go.Scatter(
                x=factor * cases["car"], y=place + spread, mode="markers", name=f"one {side} (or cluster)",
                marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.7},
                customdata=[label(text) for text in cases["events"]],
                hovertemplate=f"%{{customdata}}: %{{x:{form}}}{suffix}<extra></extra>",
            )
        )  # fmt: skip
        reach = factor * (row["conf_high"] - row["estimate"])
        bar = [reach if math.isfinite(reach) else 0.0]
        figure.add_trace(
            go.Scatter(
                x=[factor * row["estimate"]], y=[place - 0.36], mode="markers", showlegend=place == _PLACES[BAD],
                name=f"mean with {100 * result.level:g}% interval",
                marker={"color": GREY, "symbol": "line-ns-open", "size": 14, "line": {"width": 3}},
                error_x={"array": bar, "color": GREY, "thickness": 2.5, "width": 6},
                hovertemplate=f"mean: %{{x:{form}}}{suffix}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"})
    names = [f"{side} ({rows[side]['n_clusters']:.0f})" for side in _PLACES]
    figure.update_yaxes(
        tickvals=list(_PLACES.values()), ticktext=names, range=[-0.6, 1.4], showgrid=False, ticklabelstandoff=8
    )
    direction = f", {result.notes[0]}" if result.notes else ""
    figure.update_xaxes(
        tickformat=form, ticksuffix=suffix, title=label(f"{window_words(result)} of {result.market}{direction}")
    )
    vintage = result.vintage.iloc[0]
    method = (
        f"Events whose windows overlap count once; p by permuted labels. Colour and shape tell the direction of the "
        f"news, not of the market. Source: {vintage['source']} {vintage['symbol']}, sha256 {vintage['sha256'][:8]}."
    )
    return finish(figure, finding=_finding(result), method=method, body=260, theme=theme, legend=2)


def _finding(result: NewsAsymmetry) -> str:
    rows = result.summary().to_dict("index")
    bad, good = (wording.amount(rows[side]["estimate"], result.unit) for side in _PLACES)
    p = wording.p_value(result.permutation.p_value)
    return f"{result.market}: {bad} after escalation, {good} after de-escalation; p {p} that one mirrors the other"
