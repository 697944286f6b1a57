"""A reaction as tables, parameters and charts for the exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction import display
from market_reaction.exports import Provenance
from market_reaction.exports.plain import said, with_rows

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.reaction_result import MarketReaction, Measured, ReactionResult


def reaction_tables(result: ReactionResult) -> dict[str, pd.DataFrame]:
    """Tables of a reaction by name: markets, possible sessions, windows, tests, other news, what is missing."""
    whole = {
        "Reactions": result.to_frame(),
        "Possible sessions": _sessions(result),
        "Windows": _windows(result),
        "Joint tests": result.placebo.joint_summary(),
        "Tests": result.battery,
        "Announcement": _announcement(result),
        "Other news": _news(result),
        "Not available": result.prices.unavailable,
        "Rows left out": result.prices.excluded,
        "Notes": _notes(result),
    }
    return with_rows(whole)


def _every(result: ReactionResult) -> list[tuple[MarketReaction, Measured]]:
    return [(row, found) for row in result.reactions for found in row.candidates]


def _sessions(result: ReactionResult) -> pd.DataFrame:
    """One row a market and possible session; empty where all sessions are certain."""
    rows = [
        {
            "market": row.market,
            "session": found.session,
            "headline": found is row.headline,
            "previous_close": found.previous_close,
            "close": found.close,
            "change": found.change,
            "unit": row.series.instrument.change_unit,
            "abnormal": found.abnormal,
            "z_ewma": found.z_ewma,
            "placebo_p": found.placebo.scaled.p_value,
            "placebo_p_floor": found.placebo.scaled.floor,
            "mde": found.placebo.mde,
        }
        for row, found in _every(result)
        if row.ambiguous
    ]
    return pd.DataFrame(rows)


def _windows(result: ReactionResult) -> pd.DataFrame:
    """One row a market, possible session and event window."""
    rows = [
        {
            "market": row.market,
            "session": found.session,
            "headline": found is row.headline,
            "start": window.start,
            "end": window.end,
            "car": window.car,
            "std_error": window.std_error,
            "unit": row.series.instrument.change_unit,
            "complete": window.complete,
            "complete_on": window.complete_on if window.complete_on is not None else pd.NaT,
        }
        for row, found in _every(result)
        for window in found.windows
    ]
    return pd.DataFrame(rows).astype({"complete_on": "datetime64[ns]"})


def _announcement(result: ReactionResult) -> pd.DataFrame:
    """What the table of events says, one row a field."""
    event = result.event.dropna()
    rows = [("event_id", result.event.name), *((name, value) for name, value in event.items() if str(value))]
    return pd.DataFrame([(str(name), said(value)) for name, value in rows], columns=["field", "value"])


def _news(result: ReactionResult) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "news_id": line.news.id,
            "time_utc": line.news.utc,
            "precision": line.news.precision,
            "title": line.news.title,
            "importance": line.news.importance,
            "side": line.news.side,
            "inside_the_return_of": display.shared_by(line, result),
        }
        for line in display.news_lines(result)
    ]
    return pd.DataFrame(rows)


def _notes(result: ReactionResult) -> pd.DataFrame:
    rows = [("", note) for note in result.notes] + display.row_notes(result)
    return pd.DataFrame(rows, columns=["market", "note"])


def reaction_provenance(result: ReactionResult) -> Provenance:
    """What was asked for, and every series it was answered with."""
    asked = {
        "announcement": str(result.event.name),
        "title": display.title(result),
        "time": display.when(result),
        "markets": [row.market for row in result.reactions],
    }
    given = dict(result.parameters)
    given["returns"] = given["returns"] or "of each market"
    return Provenance(asked | given, result.prices.vintage)


def printed_reaction(result: ReactionResult) -> dict[str, pd.DataFrame]:
    """The two tables of a reaction as they are read."""
    lines = display.lines(result)
    moves = tuple(column for column in display.MOVE_COLUMNS if column[0] != "Close")  # a page has no room for all
    columns = {"Reaction": moves, "Clock, z values and windows": display.detail_columns(result)}
    return {
        name: pd.DataFrame([[text(line) for _, text in shown] for line in lines], columns=[head for head, _ in shown])
        for name, shown in columns.items()
    }


def reaction_figures(result: ReactionResult, theme: Literal["auto", "light", "dark"]) -> dict[str, go.Figure]:
    """Every chart of a reaction: bars, clock, and the path and the comparison days of each market."""
    own = {
        f"{kind} {row.market}": result.plot(kind=kind, market=row.market, theme=theme)
        for row in result.reactions
        for kind in ("car", "placebo")
    }
    return {
        "reactions": result.plot(kind="reactions", theme=theme),
        "clock": result.plot(kind="clock", theme=theme),
        **own,
    }
