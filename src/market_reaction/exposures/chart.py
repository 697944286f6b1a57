"""Charts of an exposure regression. They draw numbers that are computed elsewhere; the title states the finding."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import plotly.graph_objects as go

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.errors import MarketReactionError
from market_reaction.exposures.tables import most_influential, per_step
from market_reaction.inference.placebo import as_large
from market_reaction.placebo_chart import bins_around
from market_reaction.theme import BLUE, GREY, PALE, VERMILLION, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.exposures.result import ExposureRegression

Kind = Literal["shares", "placebo", "influence"]
_NAMED = 8  # shares whose names stand in the chart of reactions: the farthest from the crowd
_PER_ROW = 26


def exposure_chart(result: ExposureRegression, *, kind: Kind = "shares", theme: Theme = "auto") -> go.Figure:
    """Draw one chart of an exposure regression.

    Parameters
    ----------
    result : ExposureRegression
        As ``exposure_regression`` gives it.
    kind : {"shares", "placebo", "influence"}
        Reaction of each share against its exposure, the slope among those of the placebo days, or the slope without
        each share.
    theme : {"auto", "light", "dark"}
        As in ``theme.template``.

    Raises
    ------
    MarketReactionError
        A kind that is not known.
    """
    if kind not in get_args(Kind):
        raise MarketReactionError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(Kind))}.")
    if result.test is None:
        return finish(
            go.Figure(), finding="No slope on the exposure", method=f"{result.why_not}.", body=40, theme=theme, legend=0
        )
    draw = {"shares": _shares, "placebo": _placebo, "influence": _influence}[kind]
    return draw(result, theme)


def _axis(result: ExposureRegression) -> dict[str, object]:
    """Form of the exposure axis."""
    assert result.exposure is not None
    form = {"tickformat": "+.2~%"} if result.exposure.unit == "return" else {"tickformat": ".3~g"}
    return {"title": "<br>".join(themes.wrapped(result.exposure.label, 80)), **form}


def _shares(result: ExposureRegression, theme: Theme) -> go.Figure:
    assert result.test is not None
    frame, test = result.shares, result.test
    ends = np.array([frame["exposure"].min(), frame["exposure"].max()])
    middle, level = float(frame["exposure"].mean()), float(frame["reaction"].mean())
    figure = go.Figure()
    if math.isfinite(test.critical):
        reach = test.critical * test.sigma * (ends - middle)
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([ends, ends[::-1]]), y=np.concatenate([level + reach, (level - reach)[::-1]]),
                fill="toself", mode="lines", fillcolor=PALE, line={"width": 0}, hoverinfo="skip",
                name="slopes of 95% of ordinary days",
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=ends, y=test.intercept + test.slope * ends, mode="lines", name="fitted line",
            line={"color": VERMILLION, "width": 2}, hoverinfo="skip",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=frame["exposure"], y=frame["reaction"], mode="markers", name="a share",
            marker={"color": BLUE, "size": 8}, hovertext=[label(name) for name in frame.index],
            hovertemplate="%{hovertext}<br>reaction %{y:+.2%}<extra></extra>",
        )
    )  # fmt: skip
    _names(figure, result, ends, middle)
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(**_axis(result))
    figure.update_yaxes(tickformat="+.1%", nticks=6, title="abnormal return")
    return finish(
        figure, finding=_finding(result), method=_method(result, "Abnormal return "), body=290, theme=theme, bottom=72
    )


def _names(figure: go.Figure, result: ExposureRegression, ends: np.ndarray, middle: float) -> None:
    """Name the shares far from the crowd, on the side where there is room; the others on hover."""
    frame = result.shares
    values = frame[["exposure", "reaction"]]
    away = (((values - values.median()) / values.std()) ** 2).sum(axis=1).sort_values(ascending=False)
    width, height = float(np.ptp(ends)) or 1.0, float(np.ptp(values["reaction"])) or 1.0
    placed: list[tuple[float, float]] = []

    def room(x: float, y: float, side: int) -> bool:
        """Whether no other share lies where the name would stand."""
        ahead = side * (values["exposure"] - x)
        return not ((ahead > 0) & (ahead < 0.2 * width) & ((values["reaction"] - y).abs() < 0.03 * height)).any()

    for share, (exposure, reaction) in values.loc[away.index].iterrows():
        at = (float(exposure), float(reaction))
        close = [one for one in placed if abs(one[0] - at[0]) < 0.22 * width and abs(one[1] - at[1]) < 0.07 * height]
        if close or len(placed) == _NAMED:
            continue
        right = at[0] < middle + 0.2 * width
        if not room(*at, 1 if right else -1):
            continue
        placed.append(at)
        figure.add_annotation(
            x=at[0], y=at[1], text=label(share), showarrow=False, xanchor="left" if right else "right",
            xshift=7 if right else -7, font={"size": 11},
        )  # fmt: skip


def _placebo(result: ExposureRegression, theme: Theme) -> go.Figure:
    assert result.test is not None
    pool, value = result.test.statistics, result.test.slope / result.test.sigma
    figure = go.Figure()
    large = as_large(pool, value)
    reach = 1.05 * float(np.max(np.abs(np.append(pool, value)), initial=1.0))
    for chosen, name, marker in (
        (pool[~large], "with a smaller slope", {"color": BLUE, "line": {"width": 0}}),
        (pool[large], "with a slope at least as large", themes.hatched(VERMILLION)),
    ):
        figure.add_trace(
            go.Histogram(
                x=chosen, name=f"{len(chosen)} days {name}", xbins=bins_around(reach, value), marker=marker,
                hovertemplate="%{y} days at %{x}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_vline(x=value, line={"color": GREY, "width": 2.5})
    figure.add_vline(x=-value, line={"color": GREY, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=value, y=1, yref="paper", yanchor="bottom", xanchor="right" if value > 0 else "left", showarrow=False,
        text=f"<b>the announcement: {per_step(result, result.test.slope)}</b>",
    )  # fmt: skip
    figure.update_xaxes(title="slope over its usual size that day (EWMA volatility)", range=[-reach, reach])
    figure.update_yaxes(title="days", rangemode="tozero")
    figure.update_layout(barmode="stack", bargap=0.06)
    method = _method(
        result,
        "The same regression on earlier days at the same local clock time, all shares kept together. Abnormal return ",
    )
    return finish(figure, finding=_finding(result), method=method, body=230, theme=theme)


def _influence(result: ExposureRegression, theme: Theme) -> go.Figure:
    assert result.test is not None
    frame = result.shares.dropna(subset="per_std_without").sort_values("change", key=np.abs)
    unusual = frame["placebo_p_without"] <= wording.UNUSUAL
    figure = go.Figure()
    for chosen, name, marker in (
        (frame[~unusual], "p above 0.05 without it", {"color": BLUE, "size": 9}),
        (frame[unusual], "p of at most 0.05 without it", {"color": VERMILLION, "size": 10, "symbol": "diamond"}),
    ):
        figure.add_trace(
            go.Scatter(
                x=chosen["per_std_without"], y=[label(share) for share in chosen.index], mode="markers",
                marker=marker, name=name, hovertemplate="without %{y}: %{x:+.2%}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_vline(x=result.test.slope * result.step, line={"color": GREY, "width": 2})
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        title="response without the share, to one standard deviation of exposure of the others", tickformat="+.1%"
    )
    figure.update_yaxes(categoryorder="array", categoryarray=[label(share) for share in frame.index])
    share = most_influential(result)
    finding = "No share can be left out: too few" if share is None else _influence_finding(result, share)
    method = _method(result, "Each dot leaves one share out. Solid line: none left out. Response ")
    return finish(figure, finding=finding, method=method, body=max(120, _PER_ROW * len(frame)), theme=theme)


def _influence_finding(result: ExposureRegression, share: str) -> str:
    assert result.test is not None
    without = wording.move(float(result.shares["per_std_without"].loc[share]), "return")
    return f"The response depends most on {share}: {per_step(result, result.test.slope)} with it, {without} without"


def _finding(result: ExposureRegression) -> str:
    assert result.test is not None
    rank = result.test.scaled
    p = f"placebo p {wording.p_value(rank.p_value)}" if math.isfinite(rank.p_value) else "no placebo p"
    linked = "Reaction goes with exposure" if rank.p_value <= wording.UNUSUAL else "No link with exposure beyond chance"
    return f"{linked}: {per_step(result, result.test.slope)} for one standard deviation more ({p})"


def _method(result: ExposureRegression, opening: str) -> str:
    """Subtitle: what is drawn, how many shares, source and vintage."""
    sources = sorted({wording.vintage(one.vintage) for one in result.prices if one.name in result.shares.index})
    days = wording.listed([wording.day(day) for day in sorted(set(result.shares["session"]))])
    model = f"{result.parameters['normal_model']} model, {len(result.shares)} shares"
    what = f"{opening}{wording.sessions_of(result.window)} of {days}, {model}"
    rank = result.test.scaled if result.test is not None else None
    compared = f"; {rank.n_placebo} placebo days" if rank is not None else ""
    return f"{what}{compared}. Source: {', '.join(sources)}."
