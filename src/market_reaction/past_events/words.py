"""Earlier announcements as sentences and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import tables, wording
from market_reaction.past_events.frames import past_pairs
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.past_events.result import Analogues

FEW = 10  # separate events below which the answer says that they are few


def sessions(result: Analogues, tau: int) -> str:
    """Window from its first session to one of them."""
    return f"[{result.horizon[0]},{tau}]"


def cases(row: Mapping[Any, Any]) -> str:
    """Number of past events, and how many are separate."""
    count, events = row["n_clusters"], row["n_events"]
    merged = f" ({count} separate, because some overlap)" if events > count else ""
    return f"{events} earlier announcement{'s' * (events != 1)} most like it{merged}"


def analogues_answer(result: Analogues) -> str:
    """Spread after the past events in the first market, the announcement among them, and how little that is."""
    market = result.markets[0]
    row = result.summary().to_dict("index")[market]
    unit, count = row["unit"], row["n_clusters"]
    note = wording.direction_note(result.past.prices[market].instrument)
    middle = f"the middle half from {wording.move(row['q25'], unit)} to {wording.move(row['q75'], unit)}"
    text = (
        f"{market}{f' ({note})' if note else ''}, abnormal move over sessions {sessions(result, row['tau'])} after the "
        f"{cases(row)}: median {wording.amount(row['median'], unit)}, {middle}. {_directions(result, market)}"
        f"{_own(result, row, market)}"
    )
    if count < FEW:
        text += (
            f" So few cases describe the past and predict little: if this announcement is like them, each of the "
            f"{row['of']} ranks has the same chance."
        )
    return wording.clean(text)


def _directions(result: Analogues, market: str) -> str:
    """How many of the past events of a market share the direction of the announcement; empty where it has none."""
    own = result.attributes.get("direction") or result.event.get("direction")
    if not isinstance(own, str) or not own or "direction" not in result.nearest:
        return ""
    known = result.nearest.loc[list(past_pairs(result, market)), "direction"]
    same, count = int(known.eq(own).sum()), len(known)
    if count == 1:
        return f"It {'shares' if same else 'does not share'} its direction ({own}). "
    if same == count:
        return f"All {count} share its direction ({own}). "
    share = "shares" if same == 1 else "share"
    others = known[known.ne(own)].replace("", pd.NA).fillna("of unknown direction").value_counts()
    rest = wording.listed([f"{number} {'is' if number == 1 else 'are'} {name}" for name, number in others.items()])
    return f"{same or 'None'} of the {count} {share} its direction ({own}); {rest}. "


def _own(result: Analogues, row: Mapping[Any, Any], market: str) -> str:
    """The announcement among the past events, and the share with its sign."""
    interval = f"{wording.share(row['conf_low'])} to {wording.share(row['conf_high'])}"
    count = row["n_clusters"]
    if not math.isfinite(row["announcement"]):
        return f"{market} rose after {row['n_rose']} of {count} (95% interval of that share {interval})."
    moved = wording.amount(row["announcement"], row["unit"])
    text = f"This time it is {moved}, rank {int(row['rank'])} of {row['of']} from the top"
    if row["share_of"] == "same sign":
        return (
            f"{text}; {int(row['n_same_sign'])} of {count} went the same way (95% interval of that share {interval})."
        )
    return f"{text}."


def analogues_html(result: Analogues) -> str:
    """HTML of the past events: the answer, every market, the announcements chosen, what was left out."""
    rule = " and ".join(f"{name} {value}" for name, value in result.attributes.items())
    legend = (
        "CAR from the close before day 0 over the sessions named. Middle half: between the quartiles of the past; it "
        "is no confidence band. Rank: 1 is the highest. Events whose windows overlap count as one. Same sign: share of "
        "the past with the sign of the announcement (Wilson's 95% interval), or that rose where it has none."
    )
    near = f"Nearness: number of attributes shared ({rule}), then evidence, then recency."
    if "direction" in result.attributes:
        near += " Announcements of the opposite direction are left out."
    parts = [
        f"<h3>{escape(wording.clean(f'After announcements like {result.event.name}'))}</h3>",
        f'<p class="mr-quiet">{cell(result.event["title"])}</p>',
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        _standing_table(result),
        f'<p class="mr-quiet">{escape(legend)}</p>',
        "<h4>The nearest announcements</h4>",
        _nearest_table(result),
        f'<p class="mr-quiet">{cell(near)}</p>',
        tables.folded(f"{len(result.notes)} notes", tables.bullets(result.notes)),
        tables.left_out_of_markets(result.excluded),
        tables.sources(result.past.vintage),
    ]
    return tables.wrapped(parts)


def standing_lines(result: Analogues) -> pd.DataFrame:
    """Standing of the announcement among the past events as it is read, one row a market."""
    rows = []
    for row in result.summary().reset_index().to_dict("records"):
        unit = row["unit"]
        rank = f"{int(row['rank'])} of {row['of']}" if math.isfinite(row["rank"]) else wording.NOT_AVAILABLE
        share = f"{wording.share(row['share'])} ({wording.share(row['conf_low'])} to {wording.share(row['conf_high'])})"
        rows.append([
            row["market"], sessions(result, row["tau"]), wording.move(row["announcement"], unit),
            wording.move(row["median"], unit), f"{wording.move(row['q25'], unit)} to {wording.move(row['q75'], unit)}",
            f"{wording.move(row['low'], unit)} to {wording.move(row['high'], unit)}", rank,
            share + ("" if row["share_of"] == "same sign" else " rose"), row["n_events"], row["n_clusters"],
        ])  # fmt: skip
    headings = ["Market", "Sessions", "This one", "Median", "Middle half", "Range", "Rank", "Same sign", "Events"]
    return pd.DataFrame(rows, columns=[*headings, "Separate"])


def _standing_table(result: Analogues) -> str:
    lines = standing_lines(result)
    rows = [[cell(text) for text in row] for row in lines.itertuples(index=False, name=None)]
    return html_table(list(lines.columns), rows)


def _nearest_table(result: Analogues) -> str:
    rows = [
        [cell(text) for text in (
            name, f"{row['announced_utc']:%Y-%m-%d}", row.get("title", ""), row["score"], row["shared"],
            row["evidence"], row["n_markets"],
        )]
        for name, row in result.nearest.to_dict("index").items()
    ]  # fmt: skip
    return html_table(["Event", "Date", "Title", "Score", "Shares", "Evidence", "Markets"], rows)
