"""Chart of overnight gaps and session moves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from market_reaction import theme as themes
from market_reaction import wording
from market_reaction.theme import BLUE, GREY, ORANGE, PALE, Theme, finish, hatched, label
from market_reaction.timing import shared
from market_reaction.timing.gap_text import NAMES, NEWS, early, unusual_part

if TYPE_CHECKING:
    from market_reaction.timing.gap_result import GapPart, OvernightGaps

_PER_ROW, _BARS_TO = 24, 0.72
_COLOURS = {"gap": BLUE, "session": ORANGE}


def gap_chart(result: OvernightGaps, *, theme: Theme = "auto") -> go.Figure:
    """Draw both parts of every session that could be split, one bar a part.

    Parameters
    ----------
    result : OvernightGaps
        As ``overnight_gaps`` gives it.
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or a grey for both.

    Notes
    -----
    A bar is the part less its mean over the estimation window; it leaves the pale range exactly when its placebo p is
    at most 0.05.
    """
    figure = go.Figure()
    pieces = result.parts
    places = [0.5 * (at // 2) + at for at in range(len(pieces))]
    _ranges(figure, pieces, places)
    for part in ("gap", "session"):
        for ended in (False, True):
            kind = (part, ended)
            chosen = [at for at, piece in enumerate(pieces) if (piece.part, piece.news == "before it") == kind]
            if chosen:
                _bars(figure, pieces, places, chosen, ended)
    _texts(figure, pieces, places)
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    reach = 108 * max([abs(piece.test.abnormal) for piece in pieces] + [_bound(piece) for piece in pieces] + [0.001])
    figure.update_xaxes(
        title="change less its usual mean, log per cent", range=[-reach, reach], domain=[0, _BARS_TO],
        tickformat="+.2~f", ticksuffix="%",
    )  # fmt: skip
    figure.update_yaxes(
        tickmode="array", tickvals=[place + 0.5 for place in places[::2]], showgrid=False,
        ticktext=[_row_name(piece) for piece in pieces[::2]], range=[(places or [0])[-1] + 0.8, -0.8],
    )  # fmt: skip
    figure.update_layout(barmode="overlay")
    method = (
        "Bars: change from the close before to the open, and from the open to the close, less its usual mean. Pale: "
        f"range that 95% of comparable days keep to in that part. {shared.source_line(result.vintage)}"
    )
    height = round(_PER_ROW * ((places or [0])[-1] + 1.6))
    return finish(figure, finding=_finding(result), method=method, body=height, theme=theme, legend=2)


def _bound(piece: GapPart) -> float:
    """Abnormal part to exceed for a p of at most 0.05, as a decimal; 0 without a test."""
    bound = piece.test.critical * piece.test.usual
    return bound if math.isfinite(bound) else 0.0


def _ranges(figure: go.Figure, pieces: tuple[GapPart, ...], places: list[float]) -> None:
    bounds = [100 * _bound(piece) for piece in pieces]
    if any(bounds):
        figure.add_trace(
            go.Bar(
                y=places, x=[2 * bound for bound in bounds], base=[-bound for bound in bounds], orientation="h",
                width=0.86, name="ordinary range", marker={"color": PALE, "line": {"width": 0}}, hoverinfo="skip",
            )
        )  # fmt: skip


def _bars(figure: go.Figure, pieces: tuple[GapPart, ...], places: list[float], chosen: list[int], ended: bool) -> None:
    part = pieces[chosen[0]].part
    marker: dict[str, Any] = hatched(_COLOURS[part]) if ended else {"color": _COLOURS[part], "line": {"width": 0}}
    texts = [
        f"{label(pieces[at].market)}, {pieces[at].session:%Y-%m-%d}<br>{NAMES[part]} {_change(pieces[at])}, "
        f"{NEWS[pieces[at].news]}<br>{shared.span(*pieces[at].span)} UTC"
        for at in chosen
    ]
    figure.add_trace(
        go.Bar(
            y=[places[at] for at in chosen], x=[100 * pieces[at].test.abnormal for at in chosen], orientation="h",
            width=0.6, name=NAMES[part] + (", before the news" if ended else ""), marker=marker, hovertext=texts,
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )  # fmt: skip


def _texts(figure: go.Figure, pieces: tuple[GapPart, ...], places: list[float]) -> None:
    """Change and p beside each bar, in bold where unusual."""
    for heading, at in (("change", 0.845), ("placebo p", 1.0)):
        figure.add_annotation(
            text=heading, x=at, xref="paper", xanchor="right", y=1, yref="paper", yanchor="bottom", showarrow=False,
            font={"size": 11},
        )  # fmt: skip
    for piece, place in zip(pieces, places, strict=True):
        for text, at in ((_change(piece), 0.845), (wording.p_value(piece.test.rank.p_value), 1.0)):
            figure.add_annotation(
                text=f"<b>{text}</b>" if unusual_part(piece) else text, x=at, xref="paper", xanchor="right", y=place,
                yanchor="middle", showarrow=False,
            )  # fmt: skip


def _change(piece: GapPart) -> str:
    return wording.move(piece.move, piece.unit)


def _row_name(piece: GapPart) -> str:
    name = label(themes.shortened(piece.market, 24))
    day = f"{'' if piece.headline else 'or '}{piece.session:%Y-%m-%d}{', ambiguous' if piece.ambiguous else ''}"
    return f'{name}<br><span style="font-size:10px">{day}</span>'


def _finding(result: OvernightGaps) -> str:
    headline = [piece for piece in result.parts if piece.headline]
    if not headline:
        return "No market here has an open whose clock is known"
    unusual = [
        f"{piece.market}'s {NAMES[piece.part]} {_change(piece)}{' before the news' if early(piece) else ''}"
        for piece in headline
        if unusual_part(piece)
    ]
    gap, session = headline[:2]
    if not unusual:
        none = "neither unusual" if len(headline) == 2 else "no part of any market unusual"
        return f"{gap.market}: {_change(gap)} overnight, {_change(session)} in the session; {none}"
    shown = wording.listed(unusual if len(unusual) < 4 else [*unusual[:2], f"{len(unusual) - 2} more"])
    return f"Unusual: {shown} ({len(unusual)} of {len(headline)} parts, p ≤ 0.05)"
