"""Gaps and session moves as sentences and as HTML: rounding happens here, no statistic is computed."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import tables, wording
from market_reaction.timing import shared
from market_reaction.wording import UNUSUAL

if TYPE_CHECKING:
    from market_reaction.timing.gap_result import GapPart, OvernightGaps

NAMES = {"gap": "overnight gap", "session": "session move"}
AT_THE_CLOSE = 0.005  # share of a gap's hours up to which news counts as that of the close before it
NEWS = {
    "holds it": "holds the news",
    "before it": "before the news: no reaction to it",
    "after it": "after the news",
    "may hold it": "may hold the news",
}


def gap_answer(result: OvernightGaps) -> str:
    """How the first market's move splits, which parts were unusual, and which came before the news."""
    headline = [piece for piece in result.parts if piece.headline]
    if not headline:
        reasons = "; ".join(f"{row.market}: {row.reason}" for row in result.excluded.itertuples())
        return wording.clean(f"No market here can be split into overnight gap and session move ({reasons}).")
    gap, session = headline[:2]
    sentences = [_split(gap, session), _place(gap, result.event["precision"] == "day")]
    if gap.ambiguous:
        sentences.append(f"The session of {gap.market} is ambiguous; the table splits the other possible one too.")
    others = headline[2:]
    unusual = [piece for piece in others if unusual_part(piece)]
    if others:
        found = wording.listed(
            [f"{piece.market}'s {NAMES[piece.part]} ({_move_and_p(piece)}{early(piece)})" for piece in unusual]
        )
        count = len(others) // 2
        of = "the other market" if count == 1 else f"the {count} other markets"
        verb = "was" if len(unusual) == 1 else "were"
        sentences.append(f"Of {of}, {found} {verb} unusual." if unusual else f"No part of {of} was unusual.")
        if unusual:
            sentences.append(
                f"Of {len(headline)} parts, about {UNUSUAL * len(headline):.1f} would be unusual by chance."
            )
    return wording.clean(" ".join(sentences))


def unusual_part(piece: GapPart) -> bool:
    """Whether the placebo p of a part is at most 0.05."""
    return bool(piece.test.rank.p_value <= UNUSUAL)


def early(piece: GapPart) -> str:
    """Remark on a part that ended before the news."""
    return ", before the news" if piece.news == "before it" else ""


def _move_and_p(piece: GapPart) -> str:
    rank = piece.test.rank
    p_value = f"placebo p {wording.p_value(rank.p_value)}" if math.isfinite(rank.p_value) else f"no p: {rank.note}"
    return f"{wording.move(piece.move, piece.unit)}, {p_value}"


def _split(gap: GapPart, session: GapPart) -> str:
    whole = wording.moved(gap.change, gap.unit)
    which = [NAMES[piece.part] for piece in (gap, session) if unusual_part(piece)]
    verdict = f"; its {wording.listed(which)} {'was' if len(which) == 1 else 'were'} unusual" if which else (
        "; neither part was unusual" if math.isfinite(gap.test.rank.p_value) else ""
    )  # fmt: skip
    return (
        f"{gap.market} {whole} in its session of {wording.day(gap.session)}: overnight gap {_move_and_p(gap)}, then "
        f"session move {_move_and_p(session)}{verdict}."
    )


def _place(gap: GapPart, whole_day: bool) -> str:
    """Where the news fell, and what that means for the two parts."""
    if gap.news == "before it":
        return "The news came inside the session, so the gap was there before it and is no reaction to it."
    if gap.news == "holds it" and gap.share_before < AT_THE_CLOSE:
        return "The news came at the close before, so the gap is the first move that can hold it."
    if gap.news == "holds it":
        when = "at the latest when" if whole_day else "when"
        return (
            f"The news came before the open, {when} {wording.share(gap.share_before)} of the hours since the close "
            "before had passed: the gap is the first move that can hold it, and also holds what came earlier."
        )
    return "The hour of the news, or of the open, is not certain enough to say which part holds it."


def part_lines(result: OvernightGaps) -> pd.DataFrame:
    """Both parts of every possible session, as they are read."""
    rows = []
    for piece in result.parts:
        test, first = piece.test, piece.part == "gap"
        session = wording.day(piece.session) if piece.headline else f"or {wording.day(piece.session)}"
        ambiguous = " (ambiguous)" if piece.ambiguous and piece.headline else ""
        rows.append([
            piece.market if piece.headline and first else "", session + ambiguous if first else "",
            NAMES[piece.part], shared.span(*piece.span), wording.amount(piece.move, piece.unit),
            wording.size(test.usual, piece.unit), wording.placebo_p(test.rank), wording.size(test.mde, piece.unit),
            NEWS[piece.news] + shared.share_note(piece, result.event["precision"] == "day"),
        ])  # fmt: skip
    headings = ["Market", "Session", "Part", "From, to (UTC)", "Change", "Usual day", tables.PLACEBO,
                "Smallest detectable", "To the news"]  # fmt: skip
    return pd.DataFrame(rows, columns=headings, dtype=str)


def left_lines(result: OvernightGaps) -> pd.DataFrame:
    """Markets and sessions without a split, as they are read."""
    rows = [
        [market, wording.day(session) if session == session else "every one", reason]
        for market, session, reason in zip(*(result.excluded[name] for name in result.excluded.columns), strict=True)
    ]
    return pd.DataFrame(rows, columns=["Market", "Session", "Reason"], dtype=str)


def printed_gaps(result: OvernightGaps) -> dict[str, pd.DataFrame]:
    """The parts for a paper; what is left out and why where there is none."""
    if not result.parts:
        return {"Without a split": left_lines(result)}
    caption = "Overnight gap (close before to open) and session move (open to close), log returns"
    return {caption: part_lines(result).drop(columns=["From, to (UTC)", "Usual day"])}


def gap_html(result: OvernightGaps) -> str:
    """HTML of the split: the answer, one line a part, what is left out and why."""
    legend = (
        "Changes are log returns, so that gap and session move add up. Usual day: standard deviation of that part as "
        "known the session before (EWMA 0.97). Placebo p: share of comparable days whose same part was at least as "
        "large for its time."
    )
    parts = [
        f"<h3>{escape('Overnight gap and session move')}</h3>",
        f'<p class="mr-answer">{tables.cell(result.answer())}</p>',
        tables.lines_table(part_lines(result), [unusual_part(piece) for piece in result.parts]),
        f'<p class="mr-quiet">{escape(legend)}</p>' if result.parts else "",
        tables.bullets(result.notes),
        tables.section("Without a split", tables.lines_table(left_lines(result))),
        tables.sources(result.vintage),
    ]
    return tables.wrapped(parts)
