"""Shocks of the events of a study: their direction, the move of a market, or numbers of the user's own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from market_reaction.errors import WindowError
from market_reaction.responses.pairs import event_pairs, two_markets
from market_reaction.study_result import EventStudyResult
from market_reaction.wording import unit_step

DIRECTIONS = {"escalation": 1.0, "de-escalation": -1.0, "mixed": 0.0}


class Shocks(NamedTuple):
    """Shocks by event.

    Attributes
    ----------
    events : pandas.DataFrame
        Indexed by event_id: session (of the market studied), row, shock, reason (why it is left out, or empty).
    words : str
        The shock shown, such as ``"an escalation"``.
    step : float
        Its size.
    note : str
        How to read it.
    markets : tuple of str
        Markets whose sessions it is made of.
    """

    events: pd.DataFrame
    words: str
    step: float
    note: str
    markets: tuple[str, ...]


def event_shocks(study: EventStudyResult, market: str, shock: str | pd.Series) -> Shocks:
    """Shock of every event and where it falls in one market.

    Raises
    ------
    WindowError
        No event with a shock other than zero, no column ``direction``, or numbers for events that are not studied.
    UnknownInstrumentError
        ``shock`` names a market that is not studied.
    """
    names: tuple[str, ...] = (market,)
    if isinstance(shock, pd.Series):
        values, reasons = _own_numbers(study, shock)
        words, step, note = "a shock of 1", 1.0, ""
    elif shock == "direction":
        values, reasons = _directions(study)
        words, step = "an escalation", 1.0
        note = "A de-escalation counts as an escalation the other way round."
    else:
        names = two_markets(study, ("market", market), ("shock", shock))
        pairs = event_pairs(study, names).loc[study.events.index]
        reasons, values = pairs["reason"], pairs["to_move"].where(pairs["reason"].eq(""))
        step, size = unit_step(study.design.units[names[1]])
        words = f"a rise of {names[1]} by {size}"
        note = f"The move of {names[1]} stands for the news; it holds whatever else moved it in the same session."
    rows = pd.Series({key: pair.position for (key, name), pair in study.pairs.items() if name == market}, dtype=float)
    rows = rows.reindex(study.events.index)
    reasons = reasons.mask(rows.isna(), f"not measured in {market}")
    sessions = [pd.NaT if pd.isna(row) else study.prices[market].sessions[int(row)] for row in rows]
    events = pd.DataFrame({"session": sessions, "row": rows, "shock": values, "reason": reasons})
    if not events.loc[events["reason"].eq(""), "shock"].any():
        found = "; ".join(dict.fromkeys(text for text in reasons if text)) or "there is none"
        raise WindowError(f"no event has a shock other than zero in {market!r}: {found}. Name another shock=.")
    return Shocks(events.rename_axis("event_id"), words, step, note, names)


def _own_numbers(study: EventStudyResult, shock: pd.Series) -> tuple[pd.Series, pd.Series]:
    unknown = shock.index.difference(study.events.index)
    if len(unknown) or shock.index.has_duplicates:
        wrong = f"{unknown[0]!r}, which is no event of the study" if len(unknown) else "one event twice"
        raise WindowError(f"shock is a series that names {wrong}; index it by the event_ids of the study, each once.")
    values = shock.astype(float).reindex(study.events.index)
    return values, _reasons(values, "shock gives no number for it", "its shock is 0")


def _directions(study: EventStudyResult) -> tuple[pd.Series, pd.Series]:
    if "direction" not in study.events:
        raise WindowError(
            "shock='direction' needs a column direction in the event table, with 'escalation', 'de-escalation' or "
            "'mixed'; add it, name a market, or give a series of numbers by event_id."
        )
    values = study.events["direction"].map(DIRECTIONS).astype(float)
    return values, _reasons(values, "its direction is none of " + ", ".join(DIRECTIONS), "its direction is mixed")


def _reasons(values: pd.Series, unknown: str, zero: str) -> pd.Series:
    """Why each event is left out; empty where it has a shock."""
    return pd.Series(np.select([values.isna(), values.eq(0)], [unknown, zero], ""), index=values.index)
