"""The order of the closes as sentences and as HTML: rounding happens here, no statistic is computed."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import display, tables, wording
from market_reaction.wording import UNUSUAL

if TYPE_CHECKING:
    from market_reaction.timing.first_result import CloseOrder, StruckClose

LIMIT = (
    "Daily closes do not say who moved first among markets that traded in the same hours, only whose close held the "
    "news first."
)


def order_answer(result: CloseOrder) -> str:
    """Who could trade first, whose close held the news first, which close was unusual first, and the limit."""
    rows = result.headlines
    sentences = [*_tradable(result), _first(result)]
    unusual = [item for item in rows if unusual_close(item)]
    if unusual and unusual[0] is not rows[0]:
        item = unusual[0]
        sentences.append(f"The first unusual one was {item.market}'s, {_struck_at(item)} ({move_and_p(item)}).")
    elif not unusual and any(math.isfinite(item.rank.p_value) for item in rows):
        sentences.append("None of the closes was unusual.")
    sentences += _ambiguous(result)
    unknown = "Clock unknown. " if result.event["precision"] == "date" else ""
    return wording.clean(unknown + " ".join([*sentences, LIMIT]))


def _tradable(result: CloseOrder) -> list[str]:
    """Sentence on the markets that could be traded first; none where no clock is known."""
    waits = {item.market: item.minutes_to_first_trade for item in result.headlines}
    known = {market: wait for market, wait in waits.items() if math.isfinite(wait)}
    if not known:
        return []
    soonest = min(known.values())
    names = wording.listed([market for market, wait in known.items() if wait == soonest])
    when = (
        "were open when the news came" if soonest == 0 else f"could be traded first, {wording.duration(soonest)} later"
    )
    if soonest == 0 and sum(wait == soonest for wait in known.values()) == 1:
        when = "was open when the news came"
    return [f"{names} {when}."]


def _ambiguous(result: CloseOrder) -> list[str]:
    """Sentence on the markets of which another close may be the first on the news; none where there is no such."""
    unsure = list(dict.fromkeys(item.market for item in result.closes if item.ambiguous))
    others = [item for item in result.closes if item.ambiguous and not item.headline]
    where = [f"{item.market} on {wording.day(item.session)} ({move_and_p(item)})" for item in others]
    also = f"; also possible: {wording.listed(where)}" if others else ""
    return [f"The session is ambiguous in {wording.listed(unsure)}{also}."] if unsure else []


def first_close(result: CloseOrder) -> str:
    """What the first headline close is to the news, in words that claim no more than its clock."""
    unsure = result.headlines[0].ambiguous or result.event["precision"] == "date"
    return "taken to hold" if unsure else "certain to hold"


def _first(result: CloseOrder) -> str:
    """Sentence on the first close after the news, and on closes that cannot be put after it."""
    first = result.headlines[0]
    level = [item.market for item in result.headlines[1:] if item.close_earliest_utc <= first.close_utc]
    beside = f", with that of {wording.listed(level)} at the same time or not certainly later" if level else ""
    later = f", {wording.duration(first.minutes_to_close)} later" if math.isfinite(first.minutes_to_close) else ""
    close = f"{_struck_at(first)}{later} ({move_and_p(first)})"
    return f"The first close {first_close(result)} it was {first.market}'s, {close}{beside}."


def _struck_at(item: StruckClose) -> str:
    return f"{item.close_utc:%d %b %H:%M} UTC"


def unusual_close(item: StruckClose) -> bool:
    """Whether the placebo p of a session is at most 0.05."""
    return bool(item.rank.p_value <= UNUSUAL)


def move_and_p(item: StruckClose) -> str:
    """Change and placebo p of a session."""
    p_value = f"placebo p {wording.p_value(item.rank.p_value)}" if math.isfinite(item.rank.p_value) else "no p"
    return f"{wording.amount(item.change, item.unit)}, {p_value}"


def direction(item: StruckClose) -> str:
    """What "up" means in a market, where that is stated."""
    return item.quote_note if item.quote_note.startswith("up ") else ""


def first_trade(item: StruckClose) -> str:
    """When a market could first be traded on the news, with its phase."""
    if not math.isfinite(item.minutes_to_first_trade):
        return wording.NOT_AVAILABLE
    if item.minutes_to_first_trade == 0:
        return "at once (in session)"
    wait = wording.duration(item.minutes_to_first_trade)
    return f"{item.first_trade_utc:%Y-%m-%d %H:%M}, after {wait} ({item.phase})"


def close_bounds(item: StruckClose) -> str:
    """Instant of a close, or its bounds."""
    if item.close_earliest_utc == item.close_utc:
        return f"{item.close_utc:%Y-%m-%d %H:%M}"
    return f"{item.close_earliest_utc:%Y-%m-%d %H:%M} to {item.close_utc:%H:%M}"


HEADINGS = (
    "Market", "Session", "First trade (UTC)", "Close (UTC)", "News to close", "Change", tables.PLACEBO,
    "Closes known at its first trade", "Closes struck since, before its own",
)  # fmt: skip


def order_lines(result: CloseOrder) -> pd.DataFrame:
    """Every possible session in order of its close, as it is read."""
    moves = {item.market: wording.amount(item.change, item.unit) for item in result.headlines}
    rows = []
    for item in result.closes:
        session = wording.day(item.session) + (" (ambiguous)" if item.ambiguous else "")
        seen = ", ".join(f"{market} {moves[market]}" for market in item.closes_before_first_trade)
        earlier = [market for market in item.closes_before if market not in item.closes_before_first_trade]
        since = ", ".join(f"{market} {moves[market]}" for market in earlier)
        waits = pd.notna(item.first_trade_utc)
        rows.append([
            item.market, session if item.headline else f"or {wording.day(item.session)}", first_trade(item),
            close_bounds(item),
            wording.duration(item.minutes_to_close) if math.isfinite(item.minutes_to_close) else wording.NOT_AVAILABLE,
            wording.amount(item.change, item.unit), wording.placebo_p(item.rank),
            seen or ("none" if waits else wording.NOT_AVAILABLE), since or "none",
        ])  # fmt: skip
    return pd.DataFrame(rows, columns=list(HEADINGS), dtype=str)


def printed_order(result: CloseOrder) -> dict[str, pd.DataFrame]:
    """The order for a paper, with what "up" means; which closes came before a market is in its clock already."""
    lines = order_lines(result)
    names = [f"{item.market} ({up})" if (up := direction(item)) else item.market for item in result.closes]
    waits = [_wait(item) for item in result.closes]
    lines = lines.assign(Market=names, **{"News to first trade": waits})
    shown = ["Market", "Session", "News to first trade", "Close (UTC)", "Change", tables.PLACEBO]
    return {f"Closes in the order they were struck after {display.caption_time(result.event)}": lines[shown]}


def _wait(item: StruckClose) -> str:
    """Time from the news to the first moment a market could be traded on it."""
    wait = item.minutes_to_first_trade
    return "at once" if wait == 0 else wording.duration(wait) if math.isfinite(wait) else wording.NOT_AVAILABLE


def order_html(result: CloseOrder) -> str:
    """HTML of the order: the answer, one line a possible session, notes, what could not be had."""
    rows, classes = [], []
    for item, line in zip(result.closes, order_lines(result).to_numpy().tolist(), strict=True):
        mark = ' <span class="mr-mark">unusual</span>' if unusual_close(item) else ""
        texts = [tables.cell(text) for text in line]
        texts[0] += f'<br><span class="mr-quiet">{tables.cell(up)}</span>' if (up := direction(item)) else ""
        texts[6] += mark
        rows.append(texts)
        classes.append("mr-unusual" if mark else "")
    missing = [[tables.cell(row.market), tables.cell(row.reason)] for row in result.excluded.itertuples()]
    parts = [
        f"<h3>{escape('In the order the closes were struck')}</h3>",
        f'<p class="mr-answer">{tables.cell(result.answer())}</p>',
        tables.html_table(HEADINGS, rows, classes),
        tables.bullets(result.notes),
        tables.section("Not available", tables.html_table(["Market", "Reason"], missing) if missing else ""),
        tables.sources(result.vintage),
    ]
    return tables.wrapped(parts)
