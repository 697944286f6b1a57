"""Heat map of coverage by market and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.theme import BLUE, Theme, finish, label, shortened

if TYPE_CHECKING:
    from market_reaction.data_check import DataCheck

_PER_ROW = 28  # pixels of a market
_NOTHING, _ALL = "#f3c9a5", BLUE  # opaque, so that the text in a cell can be read on every page


def coverage_chart(check: DataCheck, *, theme: Theme = "auto") -> go.Figure:
    """Draw how many sessions of each year each series holds.

    Parameters
    ----------
    check : DataCheck
        As ``check_data`` gives it.
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or for both.
    """
    grid = check.coverage.pivot_table(index="market", columns="year", values=["share", "absent"], sort=False)
    grid = grid.reindex(list(check.prices.series)).sort_index(axis=1)
    share, absent = pd.DataFrame(grid["share"]), pd.DataFrame(grid["absent"])
    names = [label(shortened(name, 28)) for name in share.index]
    years = [str(year) for year in share.columns]
    figure = go.Figure(
        go.Heatmap(
            z=100 * share.to_numpy(), x=years, y=names, zmin=0, zmax=100, xgap=2, ygap=2,
            text=_cells(share.to_numpy(), absent.to_numpy()), texttemplate="%{text}", textfont={"size": 11},
            colorscale=[[0, _NOTHING], [0.9, "#8fb8d6"], [1, _ALL]],
            colorbar={
                "title": {"text": "% held", "side": "top", "font": {"size": 11}}, "thickness": 12, "outlinewidth": 0,
                "tickvals": [0, 50, 100], "len": 1, "xpad": 4,
            },
            hovertemplate="%{y}, %{x}: %{z:.1f}% of the sessions<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False, title="year; in each cell the sessions it lacks")
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return finish(
        figure, finding=_finding(check), method=_method(check), body=_PER_ROW * len(names) + 12, theme=theme, legend=0
    )  # fmt: skip


def _cells(share: np.ndarray, absent: np.ndarray) -> list[list[str]]:
    """Sessions lacking in each cell; a word where all or none are."""
    return [
        ["" if np.isnan(held) else "all" if not lost else "none" if held == 0 else f"−{lost:.0f}" for held, lost in row]
        for row in (zip(*pair, strict=True) for pair in zip(share, absent, strict=True))
    ]


def _finding(check: DataCheck) -> str:
    """How many series with a calendar lack nothing before they end."""
    ends = check.prices.vintage["last"]
    dated = check.coverage[check.coverage["against"] != "weekdays"]
    names = list(dict.fromkeys(dated["market"]))
    within = dated[dated["year"] < dated["market"].map(ends).dt.year]
    lost = within.groupby("market")["absent"].sum()
    short = lost[lost > 0]
    if not names:
        return f"{len(ends)} series without a calendar, held against weekdays"
    if short.empty:
        return f"{len(names)} of {len(names)} series with a calendar lack no session before their last year"
    worst = f"{short.idxmax()} lacks {short.max():.0f} sessions"
    return f"{len(names) - len(short)} of {len(names)} series with a calendar lack no session; {worst}"


def _method(check: DataCheck) -> str:
    sources = ", ".join(sorted(set(check.prices.vintage["source"])))
    text = f"Rows of each series from {check.start:%Y-%m-%d} to {check.end:%Y-%m-%d} against its exchange calendar."
    plain = check.coverage.loc[check.coverage["against"] == "weekdays", "market"].unique()
    if len(plain):
        text += f" Against weekdays, whose holidays count as lacking: {wording.listed(list(plain))}."
    return f"{text} Source: {sources}."
