"""Charts with a row for each market: names, ordinary range, change and p, and what they found. Nothing is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.theme import PALE, label

if TYPE_CHECKING:
    from market_reaction.judged import JudgedMarket

UNUSUAL = "unusual (p ≤ 0.05)"
PER_ROW = 38  # pixels of a market's row
ROWS_TO = 0.74  # share of the width for the rows; change and p stand right of them
USUAL_DAYS = "usual days (abnormal return / EWMA volatility)"


def change_text(row: JudgedMarket) -> str:
    """Change of a market in its unit."""
    return wording.move(row.headline.change, row.series.instrument.change_unit)


def row_name(row: JudgedMarket) -> str:
    """Name of a market, and below it what "up" means and whether its session is ambiguous."""
    notes = [wording.direction_note(row.series.instrument), "session ambiguous" if row.ambiguous else ""]
    note = "; ".join(text for text in notes if text)
    name = label(themes.shortened(row.market, 28))
    return f'{name}<br><span style="font-size:10px">{label(note)}</span>' if note else name


def name_rows(figure: go.Figure, rows: Sequence[JudgedMarket]) -> None:
    """Names of the markets as ticks, the first on top."""
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(rows))), ticktext=[row_name(row) for row in rows], showgrid=False,
        range=[len(rows) - 0.45, -0.55],
    )  # fmt: skip


def bounds(rows: Sequence[JudgedMarket]) -> list[float]:
    """Statistic each market must exceed for p of at most 0.05; NaN without a test."""
    found = [row.headline.placebo.critical for row in rows]
    return [bound if math.isfinite(bound) else math.nan for bound in found]


def ordinary_range(figure: go.Figure, rows: Sequence[JudgedMarket]) -> None:
    """Pale bar of the statistics that leave p above 0.05 in each market."""
    limits = np.array(bounds(rows))
    figure.add_trace(
        go.Bar(
            y=list(range(len(rows))), x=2 * limits, base=-limits, orientation="h", width=0.78, name="ordinary range",
            marker={"color": PALE, "line": {"width": 0}}, hoverinfo="skip",
        )
    )  # fmt: skip


def hover(row: JudgedMarket) -> str:
    """Market, session, change and p, for a reader who points at a row."""
    return (
        f"{label(row.market)}, {wording.day(row.headline.session)}<br>{change_text(row)}, placebo p "
        f"{wording.p_value(row.headline.placebo.scaled.p_value)}"
    )


def row_texts(figure: go.Figure, rows: Sequence[JudgedMarket]) -> None:
    """Change and placebo p of every market in two columns at the right."""
    texts: list[dict[str, object]] = []  # set at once: plotly checks every annotation again whenever one is added

    def put(text: str, shift: int, **place: object) -> None:
        texts.append(
            {"text": text, "x": 1, "xref": "paper", "xanchor": "right", "xshift": shift, "showarrow": False}
            | {"align": "right"}
            | place
        )

    for text, shift in (("change", -56), ("p", 0)):
        put(text, shift, y=1, yref="paper", yanchor="bottom", font={"size": 11})
    for at, row in enumerate(rows):
        strong = wording.is_unusual(row.headline)
        p = wording.p_value(row.headline.placebo.scaled.p_value)
        for text, shift in ((change_text(row), -56), (p, 0)):
            put(f"<b>{text}</b>" if strong else text, shift, y=at, yref="y", yanchor="middle")
    figure.update_layout(annotations=texts)


def finding(rows: Sequence[JudgedMarket]) -> str:
    """Which of the markets that have a p moved unusually; at least one must have one."""
    unusual = [row for row in rows if wording.is_unusual(row.headline)]
    tested = wording.tested(rows)
    if unusual:
        names = [f"{row.market} {change_text(row)}" for row in unusual]
        shown = wording.listed(names if len(names) < 5 else [*names[:3], f"{len(names) - 3} more"])
        return f"Unusual: {shown} ({len(unusual)} of {len(tested)}, p ≤ 0.05)"
    first = rows[0]
    p = wording.p_value(first.headline.placebo.scaled.p_value)
    if len(tested) > 1:
        return f"None of {len(tested)} markets moved unusually; {first.market} {change_text(first)}, placebo p {p}"
    only = tested[0]
    p = wording.p_value(only.headline.placebo.scaled.p_value)
    return f"{only.market} {change_text(only)} was not unusual: placebo p {p}"
