"""Rules on one price series; each is a small function that gives what it found.

A rule never changes the series. Bounds come from the series itself where they can: robust standard deviations are
1.4826 times the median absolute return of the 250 sessions before, or of the 21 sessions around where that is larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.prices import PriceSeries

JUMP_SD = 8.0  # robust standard deviations that make a jump
REVERTS = 0.25  # a spike gives back all but this share of its jump on the next session
STALE = 5  # equal closes in a row that are reported, where the series does not often repeat its close
LONG_GAP = 4  # days without a row that are usual (Easter), where no calendar exists

# Smallest robust standard deviation by unit of the move: rounding alone must not make a jump.
SMALLEST_SD = {"return": 5e-4, "points": 0.1, "percentage points": 0.01}


@dataclass(frozen=True, slots=True)
class Found:
    """What one rule found in one series.

    Attributes
    ----------
    rule : str
        Name of the rule.
    sessions : pandas.DatetimeIndex
        Session of each finding; of a run, its first.
    figures, bounds : sequence of str
        What was found and the bound it breaks, one each.
    what_to_do : str
        Next step.
    until : pandas.DatetimeIndex or None
        Last session of each run; None where each finding is one session.
    sums_up : bool
        Whether more than three findings are shown as one line.
    """

    rule: str
    sessions: pd.DatetimeIndex
    figures: Sequence[str]
    bounds: Sequence[str]
    what_to_do: str
    until: pd.DatetimeIndex | None = None
    sums_up: bool = False


def found(
    rule: str,
    sessions: pd.DatetimeIndex,
    values: Sequence[str],
    bound: str | Sequence[str],
    what_to_do: str,
    *,
    until: pd.DatetimeIndex | None = None,
    sums_up: bool = False,
) -> list[Found]:
    """Make a list of one ``Found``, or an empty list where nothing was found."""
    if not len(sessions):
        return []
    bounds = [bound] * len(sessions) if isinstance(bound, str) else bound
    return [Found(rule, sessions, values, bounds, what_to_do, until, sums_up)]


def days(sessions: pd.DatetimeIndex) -> list[str]:
    """ISO dates."""
    return [f"{day:%Y-%m-%d}" for day in sessions]


def size(move: float, unit: str) -> str:
    """A move with its sign and unit."""
    return f"{move:+.2%}" if unit == "return" else f"{move:+.2f} {unit}"


def robust_sd(series: PriceSeries) -> np.ndarray:
    """Robust standard deviation of the return at each session.

    Returns
    -------
    numpy.ndarray
        1.4826 x the larger of two medians of absolute returns: of the 250 sessions before (the first ones take the
        earliest there is) and of the 21 sessions around, so that a day amid turmoil is measured by the turmoil.
        Sessions without a move do not count: where closes often repeat, the moves there are set the scale.
    """
    moves = pd.Series(np.abs(series.returns()))
    moves = moves.where(moves > 0)
    before = moves.rolling(250, min_periods=40).median().shift(1).bfill()
    around = moves.rolling(21, min_periods=11, center=True).median()
    scale = 1.4826 * np.fmax(before.to_numpy(), around.to_numpy())
    return np.fmax(scale, SMALLEST_SD[series.instrument.change_unit])


# ---- rows: which sessions are there -------------------------------------------------------------------------------


def missing_sessions(series: PriceSeries) -> list[Found]:
    """Sessions of the calendar without a row; without a calendar, more than four days without a row."""
    if not series.instrument.calendar:
        return _long_gaps(series)
    code, empty = series.instrument.calendar, _empty_rows(series)
    held, first = series.sessions, series.sessions[0]
    last = max([held[-1], *empty[-1:]])
    expected = _between(calendars.hours(code).sessions, first, last)
    absent = expected[~expected.isin(held)]
    findings = []
    if series.instrument.asset_class == "future":
        holiday = ~calendars.hours("XNYS").is_session(absent)
        findings = found(
            "no settlement on a US holiday",
            absent[holiday],
            days(absent[holiday]),
            f"{code} trades, New York is closed",
            "Nothing to do: the day's trade is in the row of the next session.",
            sums_up=True,
        )
        absent = absent[~holiday]
    without = absent.isin(empty)
    values = [
        f"{day}{' (row without a close)' if bare else ''}" for day, bare in zip(days(absent), without, strict=True)
    ]
    advice = "The session is never day 0. If the market traded, take another source; if it was shut, nothing is lost."
    return findings + found("missing session", absent, values, f"{code} has a session", advice)


def _long_gaps(series: PriceSeries) -> list[Found]:
    sessions = series.sessions
    absent = np.diff(sessions.to_numpy()).astype("timedelta64[D]").astype(np.int64) - 1
    at = np.flatnonzero(absent > LONG_GAP)
    since = zip(absent[at], days(sessions[at]), strict=True)
    values = [f"{count} days without a row since {day}" for count, day in since]
    advice = "Check whether the market was closed; the return of this session spans the gap."
    return found("long gap", sessions[at + 1], values, f"{LONG_GAP} days", advice)


def _empty_rows(series: PriceSeries) -> pd.DatetimeIndex:
    excluded = series.excluded
    if not len(excluded):
        return pd.DatetimeIndex([])
    return pd.DatetimeIndex(excluded.loc[excluded["reason"].str.startswith("no close"), "session"])


def _between(sessions: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    return sessions[sessions.searchsorted(first) : sessions.searchsorted(last, side="right")]


_LEFT_OUT = {  # start of the reason in PriceSeries.excluded -> rule, what to do
    "no close": ("row without a close", "It was left out. Nothing to do unless the market traded that day."),
    "date given twice": ("date given twice", "The last row was kept. Check the file: one of the rows is wrong."),
    "closed day": ("row on a closed day", "It was left out, so that no return is counted on a day without trade."),
    "weekend row": (
        "weekend row",
        "It was left out. Many such rows mean that the source dates its bars by another clock: compare it with a "
        "sibling by row_offset before use.",
    ),
    "its close": ("unfinished bar", "It was left out. Fetch the series again after the close."),
}


def rows_left_out(series: PriceSeries) -> list[Found]:
    """Rows that were taken out when the series was made, by reason; empty rows on sessions are missing sessions."""
    excluded = series.excluded
    if not len(excluded):
        return []
    findings = []
    for reason, rows in excluded.groupby("reason", sort=False)["session"]:
        sessions = pd.DatetimeIndex(rows)
        start = next((start for start in _LEFT_OUT if str(reason).startswith(start)), "")
        rule, advice = _LEFT_OUT.get(start, ("row left out", "It was left out; see the reason."))
        if start == "no close" and series.instrument.calendar:
            sessions = sessions[~calendars.hours(series.instrument.calendar).is_session(sessions)]
        findings += found(rule, sessions, days(sessions), str(reason), advice, sums_up=True)
    return findings


# ---- levels and returns -------------------------------------------------------------------------------------------


def closes_not_positive(series: PriceSeries) -> list[Found]:
    """Closes at or below zero, which have no return."""
    if series.instrument.is_difference:
        return []
    bad = series.closes <= 0
    advice = "Returns into and out of the session are empty. Use a series without it, such as the spot price or a fund."
    return found(
        "close not positive", series.sessions[bad], [f"{value:g}" for value in series.closes[bad]], "above 0", advice
    )


def spikes(series: PriceSeries) -> list[Found]:
    """Jumps beyond eight robust standard deviations that the next session takes back."""
    moves, unit = series.returns(), series.instrument.change_unit
    scale = robust_sd(series)
    following = np.append(moves[1:], np.nan)
    with np.errstate(invalid="ignore"):
        at = np.flatnonzero((np.abs(moves) > JUMP_SD * scale) & (np.abs(moves + following) <= REVERTS * np.abs(moves)))
    values = [f"{size(moves[i], unit)}, then {size(following[i], unit)}" for i in at]
    bounds = [f"{JUMP_SD:g} robust sd = {size(JUMP_SD * scale[i], unit)[1:]}" for i in at]
    advice = "The close looks wrong: it is taken back at once. Compare it with another source; leave the session out."
    return found("spike", series.sessions[at], values, bounds, advice)


def unit_changes(series: PriceSeries) -> list[Found]:
    """Levels that jump by a factor near 10, 100 or 1,000 and stay."""
    closes = series.closes
    levels = np.log10(np.where(closes > 0, closes, np.nan))
    steps = np.diff(levels, prepend=np.nan)
    candidates = np.flatnonzero(np.abs(steps) > 0.9)
    if len(candidates):  # a yield near zero may rise tenfold by a hundredth
        candidates = candidates[np.abs(series.returns()[candidates]) > JUMP_SD * robust_sd(series)[candidates]]
    at = []
    for i in candidates:
        power = round(steps[i])
        stays = np.nanmedian(levels[i : i + 5]) - np.nanmedian(levels[max(0, i - 5) : i])
        if 1 <= abs(power) <= 3 and abs(steps[i] - power) < 0.1 and abs(stays - power) < 0.1:
            at.append(int(i))
    values = [f"{closes[i - 1]:g} to {closes[i]:g}" for i in at]
    advice = "The unit changed (cents, per cent, a redenomination). Put both parts in one unit before use."
    return found("unit change", series.sessions[at], values, "a factor near 10, 100 or 1,000", advice)


def stale_runs(series: PriceSeries) -> list[Found]:
    """Runs of equal closes that are longer than the series' own habit explains.

    The bound of a run is the length that one series in a hundred would show by chance if each close repeated the one
    before with probability p: the share of repeats in the whole series or in the 500 sessions around, whichever is
    larger. It is five where repeats are rare, and long while a currency is pegged.
    """
    same = np.diff(series.closes, prepend=np.nan) == 0
    edges = np.diff(np.concatenate(([0], same.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    lengths = ends - starts + 2
    long = lengths >= STALE
    starts, ends, lengths = starts[long], ends[long], lengths[long]
    if not len(starts):
        return []
    around = pd.Series(same.astype(float)).rolling(500, min_periods=1, center=True).mean().to_numpy()
    share = np.clip(np.maximum(around[(starts + ends) // 2], same.mean()), 1e-6, 0.999)
    bounds = np.maximum(STALE, np.ceil(1 + np.log(0.01 / len(same)) / np.log(share))).astype(int)
    stale = lengths >= bounds
    starts, ends, lengths, bounds = starts[stale], ends[stale], lengths[stale], bounds[stale]
    closes, sessions = series.closes, series.sessions
    values = [
        f"{n} equal closes of {closes[i]:g} to {sessions[j]:%Y-%m-%d}"
        for n, i, j in zip(lengths, starts, ends, strict=True)
    ]
    advice = "The source may repeat an old price. Compare with another source; do not test on these sessions."
    return found(
        "stale run", sessions[starts], values, [f"fewer than {b}" for b in bounds], advice, until=sessions[ends]
    )


# ---- bars ---------------------------------------------------------------------------------------------------------


def bars_out_of_range(series: PriceSeries) -> list[Found]:
    """High below low, and a close or an open outside high and low."""
    bars = series.bars
    if not {"high", "low"} <= set(bars.columns):
        return []
    high, low, close = (bars[column].to_numpy(dtype=float) for column in ("high", "low", "close"))
    slack = 1e-6 * np.abs(close)
    crossed = high < low - slack
    advice = "One price of the bar is wrong. Compare the close with another source; do not use the bar's range."
    findings = _outside(
        "high below low", series, crossed, high, low, advice, "high at or above low", "high {:g}, low {:g}"
    )
    for rule, bad, edge, bound in (
        ("close above high", (close > high + slack) & ~crossed, high, "at or below the high"),
        ("close below low", (close < low - slack) & ~crossed, low, "at or above the low"),
    ):
        findings += _outside(rule, series, bad, close, edge, advice, bound, "close {:g}, " + rule.split()[-1] + " {:g}")
    if "open" in bars:
        start = bars["open"].to_numpy(dtype=float)
        above = start > high + slack
        outside = (above | (start < low - slack)) & ~crossed
        edge = np.where(above, high, low)
        findings += _outside(
            "open outside the range", series, outside, start, edge, "Do not use the open or the range of this bar; the "
            "close is not concerned.", "between low and high", "open {:g}, edge {:g}", sums_up=True,
        )  # fmt: skip
    return findings


def _outside(
    rule: str, series: PriceSeries, bad: np.ndarray, value: np.ndarray, edge: np.ndarray, advice: str, bound: str,
    form: str, sums_up: bool = False,
) -> list[Found]:  # fmt: skip
    values = [form.format(a, b) for a, b in zip(value[bad], edge[bad], strict=True)]
    return found(rule, series.sessions[bad], values, bound, advice, sums_up=sums_up)


def bars_without_range(series: PriceSeries) -> list[Found]:
    """Bars with high = low where that is not the rule, and columns that only repeat the close."""
    bars, whole = series.bars, series.sessions[[0]]
    findings = []
    if {"high", "low"} <= set(bars.columns):
        flat = (bars["high"] == bars["low"]).to_numpy(dtype=bool)
        advice = "Few or no trades that day: use the close, not the range."
        if flat.mean() <= 0.5:
            values = [f"high = low = {value:g}" for value in bars["high"].to_numpy()[flat]]
            usual = f"{flat.mean():.1%} of the bars"
            findings += found("high equals low", series.sessions[flat], values, usual, advice, sums_up=True)
        else:
            findings += found("high equals low", whole, [f"in {flat.mean():.0%} of the bars"], "half", advice)
    if "open" in bars and len(bars) >= 20:
        share = float((bars["open"] == bars["close"]).mean())
        advice = "The open only repeats the close: use the close, and check its dates with row_offset."
        if share > 0.5:
            findings += found("open repeats the close", whole, [f"in {share:.0%} of the bars"], "half", advice)
    return findings
