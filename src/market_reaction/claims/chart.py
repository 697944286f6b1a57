"""Chart of claims: each move against the range claimed and against ordinary days. It draws, and computes no test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import plotly.graph_objects as go

from market_reaction import wording
from market_reaction.claims import words
from market_reaction.claims.moves import window_moves
from market_reaction.theme import BLUE, BLUE_BAND, GREY, ORANGE, VERMILLION, Theme, finish, label, shortened

if TYPE_CHECKING:
    from market_reaction.claims.result import ClaimsResult
    from market_reaction.claims.verdicts import Verdict

Kind = Literal["claims", "placebo"]
_PER_ROW = 58  # pixels of a claim's row
_HALF = 0.34  # half the height of a range, in rows
_SHOWN = 0.98  # share of the ordinary days within the axis


def draw(result: ClaimsResult, *, kind: Kind = "claims", market: str | None = None, theme: Theme = "auto") -> go.Figure:
    """Draw one chart of a result.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    kind : {"claims", "placebo"}
        Every claim against its range and ordinary days; or the placebo distribution of one market.
    market : str, optional
        Market of the placebo chart; the first when left out.
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or a grey for both.

    Raises
    ------
    ValueError
        ``kind`` is not known.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(Kind))}.")
    if not result.reactions:
        reason = "; ".join(f"{market}: {reason}" for market, reason in result.excluded.to_numpy().tolist())
        return _nothing("Nothing to draw: no claim could be measured", reason or "No claim was read.", theme)
    if kind == "placebo":
        return _placebo(result, market, theme)
    return _claims(result, theme)


def _nothing(finding: str, reason: str, theme: Theme) -> go.Figure:
    """An empty chart that says why it is empty."""
    picture = go.Figure().update_xaxes(visible=False).update_yaxes(visible=False)
    return finish(picture, finding=finding, method=reason, body=20, theme=theme, legend=0, bottom=10)


def _placebo(result: ClaimsResult, market: str | None, theme: Theme) -> go.Figure:
    wanted = market or result.rows[0].market
    reaction = next((one for one in result.reactions if any(row.market == wanted for row in one.reactions)), None)
    return (reaction or result.reactions[0]).plot(kind="placebo", market=wanted, theme=theme)


def _drawn(result: ClaimsResult) -> list[Verdict]:
    """Claims with a move that can stand on one axis: the unit of the first of them."""
    moves = [verdict for verdict in result if _can_be_drawn(verdict)]
    return [verdict for verdict in moves if verdict.finding.unit == moves[0].finding.unit]


def _can_be_drawn(verdict: Verdict) -> bool:
    found = verdict.finding
    of_closes = found.unit == "level" or verdict.claim.kind in ("highest since", "lowest since")
    return verdict.row is not None and not found.other_day and not of_closes and math.isfinite(found.figure)


def _scale(unit: str) -> tuple[float, str, str]:
    """Factor, axis title and tick suffix of a unit."""
    return {
        "return": (100.0, "move from the close before", "%"),
        "percentage points": (100.0, "change, basis points", ""),
    }.get(unit, (1.0, "change, points", ""))  # fmt: skip


def _claims(result: ClaimsResult, theme: Theme) -> go.Figure:
    shown = _drawn(result)
    if not shown:
        return _nothing(
            _finding(result), "No claim is of a move that was measured, so there is nothing to draw.", theme
        )
    picture = go.Figure()
    scale, title, suffix = _scale(shown[0].finding.unit)
    pools = [scale * _pool(verdict) for verdict in shown]
    reach = _reach(shown, pools, scale)
    for at, (verdict, pool) in enumerate(zip(shown, pools, strict=True)):
        _row(picture, verdict, pool, at, scale, reach)
    picture.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dash"})
    names = [_row_name(verdict) for verdict in shown]
    picture.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=names, range=[len(shown) - 0.45, -0.55], showgrid=False
    )
    picture.update_xaxes(title=title, range=[-reach, reach], ticksuffix=suffix, tickformat="+.2~f")
    method = _method(result, shown, pools, reach)
    return finish(picture, finding=_finding(result), method=method, body=_PER_ROW * len(shown), theme=theme, legend=2)


def _pool(verdict: Verdict) -> np.ndarray:
    """Moves of the comparable earlier days, in the sense of what the sentence names."""
    assert verdict.row is not None
    series, found = verdict.row.series, verdict.row.headline
    rows = series.sessions.get_indexer(found.placebo.pool_sessions)
    moves = verdict.sign * window_moves(series, verdict.claim.window)[rows]
    if verdict.finding.unit == "return" and series.instrument.is_difference:
        moves = moves / series.closes[rows - 1]
    return moves[np.isfinite(moves)]


def _reach(shown: list[Verdict], pools: list[np.ndarray], scale: float) -> float:
    """Half width of the axis: every claim and nearly every ordinary day."""
    sizes = [abs(scale * verdict.finding.figure) for verdict in shown]
    sizes += [float(np.quantile(np.abs(pool), _SHOWN)) for pool in pools if len(pool)]
    for verdict in shown:
        limits, test = verdict.finding.threshold, verdict.finding.equivalence
        bounds = [] if limits is None else [limits.low, limits.high]
        bounds += [] if test is None else [test.smallest_margin]
        sizes += [abs(scale * bound) for bound in bounds if math.isfinite(bound)]
    return 1.08 * max(sizes)


def _row(picture: go.Figure, verdict: Verdict, pool: np.ndarray, at: int, scale: float, reach: float) -> None:
    """One claim: ordinary days, the range that makes it true, the margin the day excludes, the move."""
    limits, test = verdict.finding.threshold, verdict.finding.equivalence
    first = at == 0
    inside = pool[np.abs(pool) <= reach]
    picture.add_scatter(
        x=inside, y=np.full(len(inside), at), mode="markers", name="comparable earlier days", legendgroup="days",
        showlegend=first, hoverinfo="skip",
        marker={"symbol": "line-ns-open", "size": 16, "color": GREY, "opacity": 0.35, "line": {"width": 1}},
    )  # fmt: skip
    if limits is not None:
        low, high = (max(min(scale * bound, reach), -reach) for bound in (limits.low, limits.high))
        picture.add_scatter(
            x=[low, high, high, low, low], y=[at - _HALF, at - _HALF, at + _HALF, at + _HALF, at - _HALF],
            mode="lines", fill="toself", fillcolor=BLUE_BAND, line={"color": BLUE, "width": 1}, hoverinfo="skip",
            name="moves that make it true", legendgroup="range",
            showlegend=not any(trace.legendgroup == "range" for trace in picture.data),
        )  # fmt: skip
    if test is not None and math.isfinite(test.smallest_margin):
        bound = scale * test.smallest_margin
        picture.add_scatter(
            x=[-bound, bound], y=[at, at], mode="markers", name="smallest margin the day excludes",
            legendgroup="margin", showlegend=not any(trace.legendgroup == "margin" for trace in picture.data),
            marker={"symbol": "line-ns-open", "size": 30, "color": ORANGE, "line": {"width": 3}},
            hovertemplate=f"{label(wording.size(test.smallest_margin, verdict.finding.unit))}<extra></extra>",
        )  # fmt: skip
    text = f"{verdict.market}: {wording.amount(verdict.sign * verdict.finding.figure, verdict.finding.unit)}"
    picture.add_scatter(
        x=[scale * verdict.finding.figure], y=[at], mode="markers", name="the move", legendgroup="move",
        showlegend=first, hovertemplate=f"{label(text)}<extra></extra>",
        marker={"symbol": "diamond", "size": 13, "color": VERMILLION, "line": {"width": 1, "color": "#ffffff"}},
    )  # fmt: skip


def _row_name(verdict: Verdict) -> str:
    """Market, claim and verdict in two lines."""
    quoted = label(shortened(f"“{verdict.claim.quoted}”", 26))
    return f"{label(shortened(verdict.market, 26))}<br>{quoted}<br><b>{verdict.label}</b>"


def _finding(result: ClaimsResult) -> str:
    counts = words.counted([verdict.truth for verdict in result], len(result.not_understood))
    tested = words.tested(result)
    unusual = [row.market for row in tested if wording.is_unusual(row.headline)]
    if not tested:
        return f"{counts}"
    if unusual:
        return f"{counts}; {wording.listed(unusual)} moved unusually"
    return f"{counts}; {'no move is' if len(tested) > 1 else 'the move is not'} distinguishable from an ordinary day"


def _method(result: ClaimsResult, shown: list[Verdict], pools: list[np.ndarray], reach: float) -> str:
    """What is drawn, what is not, and where it comes from."""
    by_market = {verdict.market: pool for verdict, pool in zip(shown, pools, strict=True)}
    cut = sum(int((np.abs(pool) > reach).sum()) for pool in by_market.values())
    left = len(result) - len(shown)
    turned = [verdict.market for verdict in shown if verdict.sign < 0]
    parts = ["Each claim's move, the range that makes it true, and the moves of comparable earlier days."]
    parts += [f"{cut} days lie beyond the axis."] if cut else []
    if turned:
        parts.append(f"Right: what the sentence names rose ({wording.listed(sorted(set(turned)))} turned round).")
    parts += [f"{left} claim{'s are' if left > 1 else ' is'} not drawn: no move, or another unit."] if left else []
    parts.append("; ".join(dict.fromkeys(f"{row.market}: {row.series.vintage}" for row in result.rows)) + ".")
    return " ".join(parts)
