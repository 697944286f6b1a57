"""Placebo tests and responses over events as tables and parameters for the exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction.exports import Provenance
from market_reaction.exports.plain import with_rows

if TYPE_CHECKING:
    from market_reaction.placebo_result import PlaceboResult
    from market_reaction.responses.results import EventProjections, NewsResponse


def placebo_tables(result: PlaceboResult) -> dict[str, pd.DataFrame]:
    """Tables of placebo tests: each market's own, the joint ones, and every comparison day."""
    pools = [
        pd.DataFrame({"event_id": event_id, "market": market, "session": found.pool_sessions, "statistic": found.pool})
        for (event_id, market), found in result.markets.items()
    ]
    whole = {
        "Placebo": _with_units(result.summary(), result.units),
        "Joint placebo": result.joint_summary(),
        "Comparison days": pd.concat(pools, ignore_index=True) if pools else pd.DataFrame(),
    }
    return with_rows(whole)


def _with_units(frame: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """The summary with the unit of each market's moves."""
    return frame.assign(unit=[units.get(market, "") for market in frame.index.get_level_values("market")])


def placebo_provenance(result: PlaceboResult) -> Provenance:
    """Which events and markets, the size of the pools, and every series."""
    events, markets = (list(dict.fromkeys(key[at] for key in result.markets)) for at in (0, 1))
    return Provenance({"events": events, "markets": markets, "history": result.history}, result.vintage)


def response_tables(result: NewsResponse) -> dict[str, pd.DataFrame]:
    """Tables of a response to news: both estimates, the days, the events left out."""
    whole = {
        "Response": result.summary(),
        "Days": result.days,
        "Left out": result.excluded,
        "Notes": _notes(result.notes),
    }
    return with_rows(whole)


def projection_tables(result: EventProjections) -> dict[str, pd.DataFrame]:
    """Tables of event projections: the path, the events, and the path without each of them."""
    whole = {
        "Path": result.to_frame(),
        "Events": result.events,
        "Without one event": result.paths_without,
        "Notes": _notes(result.notes),
    }
    return with_rows(whole)


def _notes(notes: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({"note": list(notes)})


def response_provenance(result: NewsResponse) -> Provenance:
    """Which market responds to which, the events, and both series."""
    events = result.days["event_id"].replace("", None).dropna().unique().tolist()
    return Provenance({"market": result.market, "to": result.to, "events": events}, result.vintage)


def projection_provenance(result: EventProjections) -> Provenance:
    """Which market after which shock, the events, and the series."""
    asked = {"market": result.market, "shock": result.shock, "step": result.step, "level": result.fit.level}
    return Provenance(asked | {"events": list(map(str, result.events.index))}, result.vintage)
