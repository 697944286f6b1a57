"""Good and bad news as sentence, table and chart; rounding happens here."""

from __future__ import annotations

import math
from collections.abc import Hashable
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from market_reaction import tables, wording
from market_reaction.car_chart import axis_scale
from market_reaction.responses.asymmetry import BAD, GOOD
from market_reaction.responses.tables import quiet
from market_reaction.tables import cell, html_table
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.responses.asymmetry import NewsAsymmetry


_PLACES = {BAD: 1.0, GOOD: 0.0}
_LOOKS = {BAD: (VERMILLION, "diamond"), GOOD: (BLUE, "circle")}


def window_words(result: NewsAsymmetry) -> str:
    """The window as it stands in headings: ``CAR[0,1]``."""
    return f"CAR[{result.window[0]},{result.window[1]}]"


def sessions_words(result: NewsAsymmetry) -> str:
    """The window as it stands in sentences: ``sessions 0 to 1``."""
    first, last = result.window
    return f"session {first}" if first == last else f"sessions {first} to {last}"


def asymmetry_answer(result: NewsAsymmetry, width: int | None = None) -> str:
    """Both means with their standard errors, and whether they mirror each other."""
    rows = result.summary().to_dict("index")
    means = " and ".join(_mean(result, side, rows[side]) for side in _PLACES)
    up = f"; {result.notes[0]}" if result.notes else ""
    text = f"{result.market}, mean abnormal move over {sessions_words(result)}{up}: {means}. {_verdict(result)}"
    return wording.filled(text, width)


def _mean(result: NewsAsymmetry, side: str, row: dict[Hashable, Any]) -> str:
    """Mean after one kind of news with what it rests on."""
    events, clusters = int(row["n_events"]), int(row["n_clusters"])
    counted = f"{events} announcement{'s' if events > 1 else ''}"
    if clusters < events:
        counted += " in one case" if clusters == 1 else f" in {clusters} separate cases"
    error = wording.size(row["std_error"], result.unit)
    tested = f", standard error {error}, p {wording.p_value(row['p_value'])}" if math.isfinite(row["p_value"]) else ""
    return f"{wording.amount(row['estimate'], result.unit)} after {side} ({counted}{tested})"


def _verdict(result: NewsAsymmetry) -> str:
    """Whether good news undoes what bad news does."""
    excess, permuted = result.excess, result.permutation
    if not math.isfinite(permuted.p_value):
        return f"Whether good news undoes what bad news does is not tested: {permuted.note}."
    p = f"p {wording.p_value(permuted.p_value)} by permuted labels, {wording.p_value(excess.p_value)} by Welch's t"
    sums = f"they sum to {wording.amount(excess.estimate, result.unit)}"
    if _mirrored(result):
        missed = wording.size(excess.mde, result.unit)
        return f"The two are not distinguishable from mirror images: {sums} ({p}; smallest detectable {missed})."
    return f"The two are no mirror images: {sums} ({p})."


def _mirrored(result: NewsAsymmetry) -> bool:
    """Whether the test leaves it open that one is the mirror image of the other."""
    return result.permutation.p_value > wording.UNUSUAL


def mean_lines(result: NewsAsymmetry) -> pd.DataFrame:
    """Both means and their sum as they are read; the p of the sum is that of Welch's t."""
    rows = []
    for side, row in result.summary().iterrows():
        interval = (
            f"{wording.move(row['conf_low'], result.unit)} to {wording.amount(row['conf_high'], result.unit)}"
            if math.isfinite(row["conf_low"])
            else wording.NOT_AVAILABLE
        )
        rows.append(
            [
                str(side), wording.amount(row["estimate"], result.unit), wording.size(row["std_error"], result.unit),
                interval, wording.p_value(row["p_value"]), wording.size(row["mde"], result.unit),
                f"{row['n_clusters']:.0f}", f"{row['n_events']:.0f}",
            ]
        )  # fmt: skip
    headings = ["News", f"Mean {window_words(result)}", "Std. error", f"{100 * result.level:g}% interval", "p (t)"]
    return pd.DataFrame(rows, columns=[*headings, "Smallest detectable", "Clusters", "Events"], dtype=object)


def asymmetry_html(result: NewsAsymmetry) -> str:
    """HTML of the comparison: the answer, the means, the clusters, what was left out."""
    lines = mean_lines(result)
    means = [[cell(text) for text in row] for row in lines.itertuples(index=False, name=None)]
    clusters = [
        [cell(row["direction"]), cell(wording.day(row["session"])), cell(row["events"]),
         cell(wording.move(row["car"], result.unit))]
        for row in result.cases.to_dict("records")
    ]  # fmt: skip
    legend = (
        "Events whose windows overlap are one cluster and count once, as their mean. Sum: zero where good news undoes "
        f"what bad news does; its p by permuted labels is {wording.p_value(result.permutation.p_value)}. A sum that "
        "differs from zero may also come from bad news that is larger, or less expected, than the good. Smallest "
        "detectable: found with 80% power by the t test at 5%."
    )
    parts = [
        f"<h3>{escape(wording.clean(f'{result.market} after good and bad news'))}</h3>",
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        html_table(list(lines.columns), means),
        *quiet([legend, *result.notes]),
        tables.folded("Every cluster", html_table(["Direction", "Session", "Events", window_words(result)], clusters)),
        tables.left_out(result.excluded["reason"]),
        tables.sources(result.vintage),
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
                x=factor * cases["car"], y=place + spread, mode="markers", name=f"one case of {side}",
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
    up = f"; {result.notes[0]}" if result.notes else ""
    title = f"abnormal move of {result.market} over {sessions_words(result)}{up}"
    figure.update_xaxes(tickformat=form, ticksuffix=suffix, title=label(title), nticks=7)
    vintage = result.vintage.iloc[0]
    method = (
        "Overlapping announcements count once, as their mean; p by permuted labels. Colour and shape: direction of the "
        f"news, not of the market. Source: {vintage['source']} {vintage['symbol']}, sha256 {vintage['sha256'][:8]}."
    )
    return finish(figure, finding=_finding(result), method=method, body=260, theme=theme, legend=2)


def _finding(result: NewsAsymmetry) -> str:
    rows = result.summary().to_dict("index")
    bad, good = (wording.amount(rows[side]["estimate"], result.unit) for side in _PLACES)
    text = f"{result.market}: {bad} after escalation, {good} after de-escalation"
    if not math.isfinite(result.permutation.p_value):
        return text
    verdict = "not distinguishable from mirror images" if _mirrored(result) else "no mirror images"
    return f"{text}; {verdict} (p {wording.p_value(result.permutation.p_value)})"
