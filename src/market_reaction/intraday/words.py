"""Sentences on intraday results, computed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market_reaction import wording

if TYPE_CHECKING:
    from market_reaction.intraday.measured import Window, WindowMove
    from market_reaction.intraday.results import IntradayResult, MarketIntraday


def window_text(window: Window) -> str:
    """Window as minutes: ``−10/+20 min``."""
    return f"{wording.signed(window[0], 0)}/{wording.signed(window[1], 0)} min"


def p_text(move: WindowMove) -> str:
    """Placebo p with its floor and the number of days, or why there is none."""
    if move.placebo is None:
        return wording.NOT_AVAILABLE
    rank = move.placebo.rank
    if not rank.n_placebo:
        return "no earlier day to compare with"
    against = f"{days(rank.n_placebo)} at the same clock time"
    return f"placebo p {wording.p_value(rank.p_value)}, floor {wording.p_value(rank.floor)}, {against}"


def days(count: int) -> str:
    """Number of earlier days in words."""
    return f"{count} earlier day" if count == 1 else f"{count} earlier days"


def undecided(move: WindowMove) -> str:
    """Why no verdict is possible: no days, or so few that no small p is attainable; else empty."""
    rank = move.placebo.rank if move.placebo is not None else None
    if rank is None or not rank.n_placebo:
        return "no earlier day to compare with"
    if rank.floor > wording.UNUSUAL:
        return f"with {days(rank.n_placebo)} no p can lie below {wording.p_value(rank.floor)}"
    return ""


def verdict(move: WindowMove) -> str:
    """Second half of a sentence: whether a move was unusual, as far as the earlier days can tell."""
    why = undecided(move)
    if why:
        return f"; whether that is unusual cannot be told: {why}"
    return ", which was unusual" if unusual(move) else ", not distinguishable from an ordinary day"


def unusual(move: WindowMove | None) -> bool:
    """Whether the placebo p of a move is at most 0.05."""
    return bool(move is not None and move.placebo is not None and move.placebo.rank.p_value <= wording.UNUSUAL)


def moved(row: MarketIntraday, move: WindowMove) -> str:
    """What a market did over a window: verb, size, prices, minutes."""
    instrument = row.series.instrument
    prices = f"{wording.level(move.price_before, instrument)} to {wording.level(move.price_after, instrument)}"
    note = wording.direction_note(instrument)
    inside = f"{prices}; {note}" if note and move.change else prices
    return f"{row.market} {wording.moved(move.change, instrument.change_unit)} over {window_text(move.used)} ({inside})"


def answer(result: IntradayResult) -> str:
    """What the first measured market did, whether it was unusual, which others were, and what limits the finding."""
    if not result.measured:
        return wording.clean(_nothing(result))
    row = result.measured[0]
    move = row.headline
    assert move is not None
    sentences = [f"{moved(row, move)}{verdict(move)} ({p_text(move)})."]
    if len(result.measured) > 1:
        found = [
            f"{other.market} {wording.move(other.headline.change, other.series.instrument.change_unit)}"
            f"{' (unusual)' if unusual(other.headline) else ''}"
            for other in result.measured[1:]
            if other.headline is not None
        ]
        sentences.append(f"Beside it: {wording.listed(found)}.")
    if move.kind != "as asked":
        sentences.append(f"{move.reason[:1].upper()}{move.reason[1:]}.")
    if move.news:
        sentences.append(f"Other news inside the window: {wording.listed(list(move.news))}.")
    return wording.clean(" ".join(sentences))


def _nothing(result: IntradayResult) -> str:
    """Why there is no figure, and what to do about it."""
    parts = [result.reason[:1].upper() + result.reason[1:]]
    reasons = dict.fromkeys(result.excluded["reason"])
    parts += [f"{_whose(result, reason)}: {reason.rstrip('.')}." for reason in list(reasons)[:3]]
    return " ".join([*parts, *result.notes])


def _whose(result: IntradayResult, reason: str) -> str:
    """Markets that share a reason."""
    markets = list(dict.fromkeys(result.excluded.loc[result.excluded["reason"] == reason, "market"]))
    return wording.listed(markets) if len(markets) < 4 else f"{', '.join(markets[:3])} and {len(markets) - 3} more"


def finding(row: MarketIntraday) -> str:
    """Title of a chart of one market."""
    move = row.headline
    if move is None:
        return f"{row.market}: no window could be measured"
    change = wording.move(move.change, row.series.instrument.change_unit)
    said = f"{row.market} {change} over {window_text(move.used)}"
    if undecided(move) or move.placebo is None:
        return f"{said}; too few earlier days to tell whether that is unusual"
    p = wording.p_value(move.placebo.rank.p_value)
    return f"{said} was {'' if unusual(move) else 'not '}unusual: placebo p {p}"
