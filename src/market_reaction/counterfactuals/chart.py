"""Charts of a comparison of counterfactuals. They draw numbers that are computed elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import plotly.graph_objects as go

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.car_chart import car_paths
from market_reaction.counterfactuals.result import LEADING
from market_reaction.counterfactuals.tables import NAMES
from market_reaction.errors import MarketReactionError, did_you_mean
from market_reaction.theme import BLUE, GREEN, GREY, ORANGE, PALE, VERMILLION, Theme, finish, label

if TYPE_CHECKING:
    from market_reaction.counterfactuals.result import CounterfactualComparison

Kind = Literal["models", "car"]
_PER_SHARE = 46
_MARKS = {
    "constant_mean": ("circle-open", GREEN),
    "market": ("diamond", VERMILLION),
    "factors": ("square-open", BLUE),
    "synthetic_control": ("triangle-up-open", ORANGE),
}


def comparison_chart(
    result: CounterfactualComparison,
    *,
    kind: Kind = "models",
    share: str | None = None,
    model: str = LEADING,
    theme: Theme = "auto",
) -> go.Figure:
    """Draw one chart of a comparison.

    Parameters
    ----------
    result : CounterfactualComparison
        As ``compare_counterfactuals`` gives it.
    kind : {"models", "car"}
        Abnormal return of every share under every model, or CAR paths.
    share : str, optional
        Share of the CAR path; all when left out.
    model : str
        Model of the CAR paths.
    theme : {"auto", "light", "dark"}
        As in ``theme.template``.

    Raises
    ------
    MarketReactionError
        A kind, share or model that is not there.
    """
    if kind not in get_args(Kind):
        raise MarketReactionError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(Kind))}.")
    if not result.studies:
        return finish(go.Figure(), finding="No share could be measured", method="", body=40, theme=theme, legend=0)
    if kind == "models":
        return _models(result, theme)
    if model not in result.studies:
        raise MarketReactionError(f"model={model!r} measured no share; choose one of {', '.join(result.models)}.")
    study = result.studies[model]
    known = list(dict.fromkeys(name for _, name in study.pairs))
    if share is not None and share not in known:
        raise MarketReactionError(
            f"share={share!r} was not measured. {did_you_mean(share, known)}Measured: {', '.join(known)}."
        )
    return car_paths(
        study.bands(), market=share, source=f"Counterfactual: {NAMES[model]}. {_source(result)}", theme=theme
    )


def _models(result: CounterfactualComparison, theme: Theme) -> go.Figure:
    shares = result.shares
    places = {name: len(shares) - 1 - number for number, name in enumerate(shares)}
    leading = result.headline(LEADING).reindex(shares)
    reach = (leading["critical"] * leading["usual_day"]).replace(np.inf, np.nan).to_numpy(dtype=float)
    figure = go.Figure(
        go.Bar(
            y=list(places.values()), x=2 * reach, base=-reach, orientation="h", width=0.8, hoverinfo="skip",
            name="95% of ordinary days, market model", marker={"color": PALE, "line": {"width": 0}},
        )
    )  # fmt: skip
    for number, model in enumerate(result.models):
        rows = result.headline(model)
        symbol, colour = _MARKS[model]
        shift = 0.2 * (number - (len(result.models) - 1) / 2)
        texts = [
            f"{label(name)}, {NAMES[model]}<br>{wording.move(row['abnormal'], 'return')}, placebo p "
            f"{wording.p_value(row['placebo_p'])}"
            for name, row in rows.iterrows()
        ]
        figure.add_trace(
            go.Scatter(
                y=[places[str(name)] - shift for name in rows.index], x=rows["abnormal"], mode="markers",
                name=NAMES[model], hovertext=texts, hovertemplate="%{hovertext}<extra></extra>",
                marker={"symbol": symbol, "color": colour, "size": 10, "line": {"width": 2, "color": colour}},
            )
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title="abnormal return of day 0", tickformat="+.0%", nticks=8)
    figure.update_yaxes(
        tickvals=list(places.values()), ticktext=[label(themes.shortened(name, 28)) for name in places],
        range=[-0.6, len(shares) - 0.4], showgrid=False,
    )  # fmt: skip
    figure.update_layout(barmode="overlay")
    return finish(
        figure, finding=_finding(result), method=_method(result), body=max(130, _PER_SHARE * len(shares)), theme=theme,
        legend=2,
    )  # fmt: skip


def _finding(result: CounterfactualComparison) -> str:
    tested = result.headline(LEADING).dropna(subset="placebo_p")
    unusual = tested[tested["placebo_p"] <= wording.UNUSUAL]
    if tested.empty:
        return "No share has a placebo p under the market model"
    if unusual.empty:
        return f"Beyond the market, none of {len(tested)} shares stands out (p ≤ 0.05)"
    names = [f"{name} {wording.move(row['abnormal'], 'return')}" for name, row in unusual.head(3).iterrows()]
    more = f" and {len(unusual) - 3} more" if len(unusual) > 3 else ""
    alone = result.joint is not None and result.joint["maximum"].p_value > wording.UNUSUAL
    opening = "Unusual beyond the market" + (", each taken alone" if alone and len(unusual) > 1 else "")
    return f"{opening}: {wording.listed(names)}{more} ({len(unusual)} of {len(tested)}, p ≤ 0.05)"


def _method(result: CounterfactualComparison) -> str:
    days = sorted({wording.day(day) for day in result.rows.loc[result.rows["headline"].astype(bool), "session"]})
    joint = result.joint["maximum"] if result.joint is not None else None
    together = f" Joint p over the shares {wording.p_value(joint.p_value)}." if joint is not None else ""
    return f"Move of {' or '.join(days)} beyond each counterfactual.{together} {_source(result)}"


def _source(result: CounterfactualComparison) -> str:
    sources = sorted({wording.vintage(one.vintage) for one in result.prices if one.name in result.shares})
    return f"Source: {'; '.join(sources)}."
