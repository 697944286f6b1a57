"""The JSON form of a result: a stable contract of decimals, ISO dates and nulls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from market_reaction.reaction_result import MarketReaction, Measured, ReactionResult

SCHEMA_VERSION = 1


def number(value: float | None) -> float | None:
    """A finite float, or None."""
    return None if value is None or not math.isfinite(value) else float(value)


def day(value: pd.Timestamp | None) -> str | None:
    """ISO date of a session label, or None."""
    return None if value is None or pd.isna(value) else f"{value:%Y-%m-%d}"


def instant(value: pd.Timestamp | None) -> str | None:
    """ISO instant in UTC, or None."""
    return None if value is None or pd.isna(value) else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def reaction_dict(result: ReactionResult) -> dict[str, Any]:
    """Turn a result into plain dictionaries and lists.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.

    Returns
    -------
    dict
        Moves and their statistics are decimals in the unit named by ``unit``: ``"return"`` (0.01 is one per cent),
        ``"points"``
        or ``"percentage points"``. ``change`` is the simple return or the difference; ``abnormal``, z and CAR use the
        market's return kind. An infinite minimum detectable effect is null.
    """
    event = result.event
    joint = result.placebo.joint.get(str(event.name))
    return {
        "schema_version": SCHEMA_VERSION,
        "announcement": {
            "text": str(event.name),
            "title": str(event["title"]),
            "utc": instant(event["announced_utc"]),
            "utc_earliest": instant(event["utc_earliest"]),
            "utc_latest": instant(event["utc_latest"]),
            "event_id": result.event_id,
            "clock_known": event["precision"] != "date",
            "notes": list(result.notes),
        },
        "parameters": dict(result.parameters),
        "unavailable": result.prices.unavailable.to_dict("records"),
        "joint": {
            name: {
                "statistic": number(rank.statistic),
                "placebo_p": number(rank.p_value),
                "placebo_p_floor": number(rank.floor),
                "placebo_n": rank.n_placebo,
            }
            for name, rank in (joint.ranks.items() if joint else ())
        },
        "reactions": [_reaction(row) for row in result.reactions],
    } | ({} if result.battery is None else {"tests": [_test(row) for row in result.battery.to_dict("records")]})


def _test(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One test; NaN and infinity are null."""
    return {name: number(value) if isinstance(value, float) else value for name, value in row.items()}


def _reaction(row: MarketReaction) -> dict[str, Any]:
    series = row.series
    measured = _measured(row.headline)
    return {
        "market": row.market,
        "source": series.source,
        "vintage": str(series.vintage),
        "price_basis": series.price_basis,
        "unit": series.instrument.change_unit,
        "quote_note": series.instrument.quote_note,
        "session": measured.pop("session"),
        "ambiguous": row.ambiguous,
        "candidates": [_measured(candidate) for candidate in row.candidates],
        "phase": row.where.phase,
        "minutes_to_first_trade": number(row.where.minutes_to_first_trade),
        **measured,
        "placebo_n": row.headline.placebo.scaled.n_placebo,
        "placebo_p_plain": number(row.headline.placebo.plain.p_value),
        "other_news": [
            {"id": news.id, "utc": instant(news.utc), "title": news.title, "side": news.side} for news in row.other_news
        ],
        "notes": list(row.notes),
    }


def _measured(found: Measured) -> dict[str, Any]:
    record, chance = found.record, found.rank_chance
    return {
        "session": day(found.session),
        "previous_close": number(found.previous_close),
        "close": number(found.close),
        "change": number(found.change),
        "abnormal": number(found.abnormal),
        "z": number(found.z),
        "z_mad": number(found.z_mad),
        "z_ewma": number(found.z_ewma),
        "placebo_p": number(found.placebo.scaled.p_value),
        "placebo_p_floor": number(found.placebo.scaled.floor),
        "mde": number(found.placebo.mde),
        "days_as_large": found.as_large.days,
        "days_compared": found.as_large.sessions,
        "windows": [
            {
                "start": w.start,
                "end": w.end,
                "car": number(w.car),
                "std_error": number(w.std_error),
                "complete_on": day(w.complete_on),
            }
            for w in found.windows
        ],
        "rank": None
        if record is None
        else {
            "direction": record.direction,
            "since": day(record.since),
            "sessions": record.sessions,
            "chance": record.chance,
            "pool_share": number(chance.own) if chance else None,
            "pool_share_any_market": number(chance.any_market) if chance else None,
            "text": record.text,
        },
    }
