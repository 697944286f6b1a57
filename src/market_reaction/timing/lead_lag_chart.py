"""Chart of correlations at leads and lags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.theme import BLUE, GREY, VERMILLION, Theme, finish, label
from market_reaction.timing import shared
from market_reaction.timing.lead_lag_text import lag_name, strongest

if TYPE_CHECKING:
    from market_reaction.timing.lead_lag_result import LeadLag


def lead_lag_chart(result: LeadLag, *, theme: Theme = "auto") -> go.Figure:
    """Draw the correlation at each lag with its interval, and the share of all of it that the clocks give there.

    Parameters
    ----------
    result : LeadLag
        As ``lead_lag`` gives it.
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or a grey for both.
    """
    figure = go.Figure()
    if result.reason:
        finding = f"{result.leader} and {result.follower}: no figures"
        return finish(figure, finding=finding, method=result.reason, body=60, theme=theme, legend=0)
    frame = result.correlations
    figure.add_trace(
        go.Scatter(
            x=frame.index, y=frame["from_the_clock"], mode="markers", name="shared out by the clocks", hoverinfo="skip",
            marker={"symbol": "line-ew-open", "size": 26, "color": GREY, "line": {"width": 3, "color": GREY}},
        )
    )  # fmt: skip
    for name, chosen, colour in (
        ("hours in common", ~frame["beyond_the_clock"], BLUE),
        ("no hours in common", frame["beyond_the_clock"], VERMILLION),
    ):
        rows = frame[chosen]
        if len(rows):
            figure.add_trace(
                go.Scatter(
                    x=rows.index, y=rows["correlation"], mode="markers", name=name, marker={"size": 9, "color": colour},
                    error_y={
                        "type": "data", "array": rows["conf_high"] - rows["correlation"], "thickness": 2, "width": 6,
                    },
                    hovertext=[label(f"{result.leader} {lag_name(int(lag))}") for lag in rows.index],
                    hovertemplate="%{hovertext}<br>correlation %{y:+.2f}<extra></extra>",
                )
            )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"})
    figure.update_xaxes(
        title=label(f"dates by which {result.leader}'s return is older (negative: younger)"), tickmode="array",
        tickvals=frame.index, ticktext=[wording.signed(float(lag), 0) for lag in frame.index],
        range=[frame.index.min() - 0.5, frame.index.max() + 0.5],
    )  # fmt: skip
    figure.update_yaxes(title="correlation", tickformat="+.2f", nticks=7)
    return finish(figure, finding=_finding(result), method=_method(result), body=260, theme=theme, legend=2)


def _finding(result: LeadLag) -> str:
    lag = strongest(result)
    both = float(result.synchronised["correlation"].iloc[0])
    row: Any = result.correlations.loc[lag]
    found = wording.signed(row["correlation"])
    text = f"{result.follower} moves most closely with {result.leader}'s return {lag_name(lag)} ({found})"
    return f"{text}; synchronised {wording.signed(both)}" if both == both else text


def _method(result: LeadLag) -> str:
    level = f"{100 * result.parameters['level']:g}%"
    first, last = result.moves.index[0], result.moves.index[-1]
    return (
        f"Bars: {level} interval of each lag alone (HAC), {len(result.moves):,} returns {first:%Y-%m-%d} to "
        f"{last:%Y-%m-%d}. Grey: the correlations at −1, 0 and +1 together, shared out by hours in common. "
        f"{shared.source_line(result.vintage)}"
    )
