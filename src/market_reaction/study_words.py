"""An event study in words: what the mean did in the first market, and in how many markets zero is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from market_reaction import wording

if TYPE_CHECKING:
    from market_reaction.study_result import EventStudyResult

_EXPECTED = 0.05  # share of 95% intervals that leave out a true zero


def study_title(result: EventStudyResult) -> str:
    """Heading: the title of the only announcement, or how many there are and from when to when."""
    events = result.events
    if len(events) == 1:
        return wording.clean(events["title"].iloc[0])
    days = [wording.day(day) for day in (first_day(result), last_day(result))]
    return f"{len(events)} announcements, {days[0]} to {days[1]}"


def first_day(result: EventStudyResult) -> Any:
    """Earliest date of the announcements."""
    return result.events["announced_utc"].dt.tz_localize(None).fillna(result.events["session_date"]).min()


def last_day(result: EventStudyResult) -> Any:
    """Latest date of the announcements."""
    return result.events["announced_utc"].dt.tz_localize(None).fillna(result.events["session_date"]).max()


def study_answer(result: EventStudyResult) -> str:
    """What a study found, in a sentence or two.

    Parameters
    ----------
    result : EventStudyResult
        As ``event_study`` gives it.

    Returns
    -------
    str
        The CAR or mean CAR of the first market with its interval, whether it can be told from zero, and how many of
        all markets leave out zero against how many would by chance.
    """
    summary, window = result.summary(), "[{},{}]".format(*result.windows.event[0])
    rows = summary.reset_index().to_dict("records")
    if not rows:
        return f"No market could be measured over sessions {window}."
    first = rows[0]
    market = str(first["market"])
    instrument = result.prices[market].instrument
    unit = result.design.units[market]
    single = len(result.events) == 1
    what = "CAR" if single else f"mean CAR of {_counted(first)}"
    note = wording.direction_note(instrument)
    note = f"; {note}" if note else ""
    sentences = [
        f"{market}, sessions {window}: {what} {wording.amount(first['estimate'], unit)}{_interval(first, unit)}{note}. "
        f"{_verdict(first, unit)}"
    ]
    sentences += _mixed(result, market)
    if len(rows) > 1:
        sentences.append(_over_markets(rows))
    if single:
        sentences.append("For one event the placebo p leads: see placebo_test() or react().")
    return wording.clean(" ".join(sentences))


def _mixed(result: EventStudyResult, market: str) -> list[str]:
    """Whether the events of a market hold news of opposite directions, which a mean sets against each other."""
    if "direction" not in result.events:
        return []
    found = result.events.loc[[event_id for event_id, name in result.pairs if name == market], "direction"]
    bad, good = (int(found.eq(name).sum()) for name in ("escalation", "de-escalation"))
    if not bad or not good:
        return []
    return [
        f"The mean mixes {bad} escalation{'s' * (bad != 1)} with {good} de-escalation{'s' * (good != 1)}; mr.by_class "
        "or notebook 02 takes them apart."
    ]


def _counted(row: Mapping[Any, Any]) -> str:
    """``44 events (30 after merging those that overlap)``."""
    events, clusters = int(row["n_events"]), int(row["n_clusters"])
    merged = f" ({clusters} after merging those that overlap)" if clusters < events else ""
    return f"{events} event{'s' * (events != 1)}{merged}"


def _interval(row: Mapping[Any, Any], unit: str) -> str:
    if not math.isfinite(row["conf_low"]):
        return ""
    low, high = wording.move(row["conf_low"], unit), wording.move(row["conf_high"], unit)
    return f" (95% interval {low} to {high}, t p {wording.p_value(row['p_value'])})"


def _leaves_out_zero(row: Mapping[Any, Any]) -> bool:
    return bool(row["conf_low"] > 0 or row["conf_high"] < 0)


def _verdict(row: Mapping[Any, Any], unit: str) -> str:
    if not math.isfinite(row["conf_low"]):
        return "There is no interval: it needs two events whose windows do not overlap."
    if _leaves_out_zero(row):
        return "The interval leaves out zero."
    return (
        "This cannot be told from zero; an effect would be found four times in five from "
        f"{wording.size(row['mde'], unit)} on."
    )


def _over_markets(rows: list[dict[Any, Any]]) -> str:
    known = [row for row in rows if math.isfinite(row["conf_low"])]
    if not known:
        return "No market has an interval."
    names = [str(row["market"]) for row in known if _leaves_out_zero(row)]
    which = f" ({wording.listed(names)})" if 0 < len(names) < 5 else ""
    return (
        f"Zero lies outside the interval in {len(names)} of {len(known)} markets{which}; "
        f"by chance alone it would in {wording.signed(_EXPECTED * len(known), 1).removeprefix('+')}."
    )
