"""HTML of bars and intraday results for notebooks; everything is escaped, and rounding happens here only."""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from market_reaction import display, wording
from market_reaction.intraday import words
from market_reaction.intraday.bars import BarData
from market_reaction.intraday.measured import WindowMove
from market_reaction.intraday.results import IntradayResult, MarketIntraday
from market_reaction.tables import (
    PLACEBO,
    bullets,
    cell,
    folded,
    html_table,
    lines_table,
    section,
    vintage_table,
    wrapped,
)

LEGEND = (
    "Window: minutes from the announcement to the prices used. Prices are the closes of the last bars complete at the"
    " ends of the window; their age in minutes stands in brackets. Placebo p: share of earlier weekdays on which the "
    "same minutes moved at least as much (the event counted in); its smallest possible value in brackets. From 160 "
    "days on moves are divided by their own past volatility; below they are ranked as they are, and p is too small "
    "where the market was already wilder than on those days, too large where it was calmer. Smallest detectable: the "
    "effect found with 80% power. Volume: from the announcement to the end of the window, against the median of the "
    "same minutes on earlier days."
)
FINDINGS_SHOWN = 8


def bars_html(bars: BarData) -> str:
    """HTML of the bars at hand: span, length, clock, findings, what could not be had."""
    rows = [
        [s.name, s.source, s.length_text(), f"{len(s.bars):,}", wording.instant(s.bars["start_utc"].iloc[0]),
         wording.instant(s.bars.index[-1]), s.clock, s.volume or "none", str(len(s.findings))]
        for s in bars
    ]  # fmt: skip
    headings = ["Market", "Source", "Bars of", "Rows", "From", "To", "Clock of the file", "Volume", "Findings"]
    parts = ["<h3>Bars shorter than a day</h3>"]
    parts.append(_table(headings, rows) if rows else '<p class="mr-answer">No bars are at hand.</p>')
    parts += [section("Notes", bullets([f"{s.name}: {note}" for s in bars for note in s.notes] + list(bars.notes)))]
    parts += [section("Not available", unavailable_html(bars)), section("Findings", _findings(bars))]
    return wrapped(parts)


def unavailable_html(bars: BarData) -> str:
    """HTML of the markets without bars; empty when there is none."""
    rows = bars.unavailable[["market", "reason"]].to_numpy().tolist()
    return _table(["Market", "Reason"], rows) if rows else ""


def _findings(bars: BarData) -> str:
    found = bars.quality()
    rows = [
        [row["market"], wording.instant(row["time"]), row["rule"], row["value"], row["bound"], row["what_to_do"]]
        for row in found.head(FINDINGS_SHOWN).to_dict("records")
    ]
    if not rows:
        return ""
    more = f'<p class="mr-quiet">{len(found) - len(rows)} more in quality().</p>' if len(found) > len(rows) else ""
    return _table(["Market", "Time (UTC)", "Rule", "Value", "Bound", "What to do"], rows) + more


def _table(headings: list[str], rows: list[list[str]], classes: list[str] | None = None) -> str:
    return html_table(headings, [[cell(text) for text in row] for row in rows], classes or [])


def result_html(result: IntradayResult) -> str:
    """HTML of a result: the answer, the windows, the spread of the reaction, other news, notes, provenance."""
    parts = [
        f"<h3>{escape(wording.clean(result.event['title']))}</h3>",
        f'<p class="mr-quiet">{escape(display.when_of(result.event))}</p>',
        f'<p class="mr-answer">{escape(words.answer(result))}</p>',
    ]
    if result.markets:
        parts += [move_table(result), f'<p class="mr-quiet">{escape(LEGEND)}</p>']
        parts += [section("How the reaction spread over the hour", lines_table(spread_lines(result)))]
    parts += [
        section("Other news within two hours", news_table(result)),
        section("Notes", bullets(all_notes(result))),
        section("Not available", unavailable_html(result.bars)),
        folded("Where the figures come from", vintage_table(result.bars.vintage) + bullets([_parameters(result)])),
    ]
    return wrapped(parts)


def move_lines(result: IntradayResult) -> pd.DataFrame:
    """One row a market and window, as it is read; refused windows with the reason."""
    rows = [_move_cells(row, move, first=at == 0) for row in result.markets for at, move in enumerate(row.moves)]
    headings = ["Market", "Window", "Close", "Change", PLACEBO, "Compared days", "Smallest detectable", "Volume",
                "Remark"]  # fmt: skip
    return pd.DataFrame(rows, columns=headings, dtype=str)


def move_table(result: IntradayResult) -> str:
    """HTML of one row a market and window."""
    return lines_table(move_lines(result), list(map(words.unusual, _moves(result))))


def _moves(result: IntradayResult) -> list[WindowMove]:
    return [move for row in result.markets for move in row.moves]


def _move_cells(row: MarketIntraday, move: WindowMove, *, first: bool) -> list[str]:
    instrument = row.series.instrument
    note = wording.direction_note(instrument)
    name = f"{row.market} ({note})" if note else row.market
    remark = "; ".join([*([move.reason] if move.reason else []), *(f"other news: {text}" for text in move.news)])
    if not move.measured or move.placebo is None:
        asked = words.window_text(move.asked)
        return [name if first else "", asked, *[wording.NOT_AVAILABLE] * 6, remark]
    rank = move.placebo.rank
    prices = (
        f"{wording.level(move.price_before, instrument)} ({move.stale_before:.0f}) → "
        f"{wording.level(move.price_after, instrument)} ({move.stale_after:.0f})"
    )
    return [
        name if first else "", words.window_text(move.used), prices,
        wording.amount(move.change, instrument.change_unit),
        wording.placebo_p(rank) if rank.n_placebo else wording.NOT_AVAILABLE,
        str(rank.n_placebo),
        wording.size(move.placebo.mde, instrument.change_unit) if math.isfinite(move.placebo.mde) else "none",
        volume_text(move), remark,
    ]  # fmt: skip


def volume_text(move: WindowMove) -> str:
    """Volume as a multiple of what is usual, with the share of days that had as much."""
    times = _times_usual(move)
    if not times.endswith("usual"):
        return times
    return f"{times} ({wording.share(move.volume_share)} of {words.days(move.n_volume)} had as much)"


def _times_usual(move: WindowMove) -> str:
    """Volume as a multiple of what is usual, or what stands in the way."""
    if not math.isfinite(move.volume):
        return "none in the file"
    if not move.n_volume or not move.usual_volume > 0:
        return f"{move.volume:,.0f}, no day to compare"
    return f"{move.volume / move.usual_volume:.1f} × usual"


def spread_lines(result: IntradayResult) -> pd.DataFrame:
    """Half-time of the hour's move and volatility before and after, as they are read."""
    rows = []
    for row in result.markets:
        spread, unit = row.spread, row.series.instrument.change_unit
        half = f"{spread.half_minutes:.0f} min" if math.isfinite(spread.half_minutes) else wording.NOT_AVAILABLE
        figures = [
            wording.amount(spread.hour_change, unit), half,
            *(_fine(value, unit) for value in (spread.volatility_before, spread.volatility_after, spread.usual_after)),
        ]  # fmt: skip
        held = ", ".join(f"{start:%H:%M}" for start in row.straddling["start_utc"]) or "none"
        rows.append([row.market, row.series.length_text(), *figures, held, spread.reason])
    headings = ["Market", "Bars of", "Move of the hour", "Half of it by", "Volatility per minute before", "after",
                "usual after", "Bars that hold the announcement (UTC)", "Remark"]  # fmt: skip
    return pd.DataFrame(rows, columns=headings, dtype=str)


def printed_intraday(result: IntradayResult) -> dict[str, pd.DataFrame]:
    """Windows and the spread of the reaction for a paper; why there are none where there are none."""
    if not result.markets:
        lost = result.excluded[["market", "reason"]].to_numpy().tolist()
        rows = lost or [[wording.listed([series.name for series in result.bars]) or "all", result.reason]]
        return {"Not measured": pd.DataFrame(rows, columns=["Market", "Reason"], dtype=str)}
    lines = move_lines(result).drop(columns="Close")  # as in the table of daily reactions
    volume = [_times_usual(move) if move.measured else wording.NOT_AVAILABLE for move in _moves(result)]
    lines = lines.assign(Volume=volume)
    bare = {"Volume": not any(row.series.volume for row in result.measured), "Remark": lines["Remark"].eq("").all()}
    tables = {
        f"Moves around {display.caption_time(result.event)}": lines.drop(
            columns=[name for name, empty in bare.items() if empty]
        )
    }
    if any(math.isfinite(row.spread.volatility_after) for row in result.markets):
        tables["How the reaction spread over the hour"] = spread_lines(result).iloc[:, :7]
    return tables


def _fine(value: float, unit: str) -> str:
    """Volatility per minute: returns with three decimals of a per cent."""
    if unit == "return":
        return wording.per_cent(value, 3).removeprefix("+")
    return wording.size(value, unit) if math.isfinite(value) else wording.NOT_AVAILABLE


def news_table(result: IntradayResult) -> str:
    """HTML of the other news; empty when there is none."""
    rows = [
        [f"{row['announced_utc']:%Y-%m-%d %H:%M}", f"{wording.signed(row['minute'], 0)} min", row["title"],
         row["precision"]]
        for row in result.other_news.to_dict("records")
    ]  # fmt: skip
    return _table(["Time (UTC)", "From the announcement", "News", "Known to the"], rows) if rows else ""


def all_notes(result: IntradayResult) -> list[str]:
    """Notes on the loading and on each market."""
    return [*result.notes, *(f"{row.market}: {note}" for row in result.markets for note in row.notes)]


def _parameters(result: IntradayResult) -> str:
    asked = result.parameters
    windows = ", ".join(words.window_text((low, high)) for low, high in asked["windows"])
    parts = [f"windows {windows}", f"oldest price {asked['stale']:g} min", f"at most {asked['history']} earlier days"]
    parts += [f"benchmark {asked['benchmark']}"] if asked["benchmark"] else []
    return "; ".join([*parts, f"events left out of the earlier days {asked['excluded_events']}"])
