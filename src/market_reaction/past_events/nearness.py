"""How near earlier announcements are to one, by a rule stated beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from market_reaction.errors import EventTableError, did_you_mean
from market_reaction.event_filters import DOCUMENTED, parts_of

# Best evidence first; a grade that is not listed comes last.
EVIDENCE = (*DOCUMENTED, "documented_time_text_unread", "documented_undated", "memory_time", "memory_day")
OPPOSITE = {"escalation": "de-escalation", "de-escalation": "escalation"}


def attributes(
    event: pd.Series, by: Sequence[str], like: Mapping[str, str] | None, pool: pd.DataFrame
) -> dict[str, str]:
    """Values of an announcement that earlier ones may share, those stated in ``like`` first.

    Raises
    ------
    EventTableError
        A column the table lacks, a value no event of it has, or an announcement with none of the attributes.
    """
    stated = dict(like or {})
    for name in (*by, *stated):
        if name not in pool:
            raise EventTableError(
                f"{name!r} is no column of the event table, so that nothing can be near by it. "
                f"{did_you_mean(name, map(str, pool.columns))}It has {', '.join(map(str, pool.columns))}."
            )
    found = {name: str(stated.get(name) or event.get(name) or "").strip() for name in dict.fromkeys((*by, *stated))}
    found = {name: value for name, value in found.items() if value and value != "nan"}
    for name in stated:
        known = list(dict.fromkeys(str(value) for value in pool[name].dropna() if str(value)))
        if not any(_shares(value, stated[name]) for value in known):
            raise EventTableError(
                f"like={{{name!r}: {stated[name]!r}}}: no earlier announcement has it. "
                f"{did_you_mean(stated[name], known)}Known are {', '.join(known)}."
            )
    if not found:
        example = ", ".join(f"{name!r}: {_example(pool[name])!r}" for name in by)
        raise EventTableError(
            f"{event.name!r} has no {' or '.join(by)}, so that nothing is near to it; give an id of the catalogue, or "
            f"say what it is like: like={{{example}}}."
        )
    return found


def _example(values: pd.Series) -> str:
    known = values[values.notna() & values.ne("")]
    return str(known.mode().iloc[0]) if len(known) else "..."


def _shares(one: object, other: object) -> bool:
    """Whether two values have a part in common: "tariff" and "tariff + export control" do."""
    return bool(set(parts_of(one)) & set(parts_of(other)))


def opposite(pool: pd.DataFrame, wanted: Mapping[str, str]) -> pd.Series:
    """Which earlier announcements go the other way, where the direction is one of the attributes.

    Parameters
    ----------
    pool : pandas.DataFrame
        Event table.
    wanted : mapping of str to str
        Attributes of the announcement.

    Returns
    -------
    pandas.Series of bool
        Escalations where the announcement is a de-escalation, and the reverse. Mixed ones are neither.
    """
    other = OPPOSITE.get(wanted.get("direction", ""))
    return pool["direction"].eq(other) if other else pd.Series(False, index=pool.index)


def nearness(pool: pd.DataFrame, wanted: Mapping[str, str], instants: pd.Series) -> pd.DataFrame:
    """Earlier announcements, the nearest first.

    Parameters
    ----------
    pool : pandas.DataFrame
        Event table.
    wanted : mapping of str to str
        Attributes of the announcement.
    instants : pandas.Series
        When each event of the pool was announced.

    Returns
    -------
    pandas.DataFrame
        Indexed by event_id: score (number of attributes shared), shared (their names), evidence, announced_utc.
    """
    hits = pd.DataFrame(
        {name: [_shares(value, sought) for value in pool[name]] for name, sought in wanted.items()}, index=pool.index
    )
    evidence = pool["evidence"] if "evidence" in pool else pd.Series("", index=pool.index)
    frame = pd.DataFrame(
        {
            "score": hits.sum(axis=1).astype(int),
            "shared": [", ".join(name for name in wanted if row[name]) for row in hits.to_dict("records")],
            "evidence": evidence,
            "announced_utc": instants,
        }
    )
    grade = evidence.map({name: at for at, name in enumerate(EVIDENCE)}).fillna(len(EVIDENCE))
    order = frame.assign(grade=grade).sort_values(
        ["score", "grade", "announced_utc"], ascending=[False, True, False], kind="stable"
    )
    return frame.loc[order.index]
