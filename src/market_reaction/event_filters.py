"""Which rows of an event table are taken: by column, words and dates, with a count of what each filter leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import escape
from typing import Any

import pandas as pd

from market_reaction import times, wording
from market_reaction.errors import EventTableError, did_you_mean

COLUMNS = ("direction", "side", "instrument", "evidence", "surprise", "precision")
SEARCHED = ("title", "description", "instrument", "side", "place", "kind", "region")
# The grades whose day rests on a document that was read.
DOCUMENTED = ("documented_exact", "documented_approx", "documented_day")
NO_IMPLEMENTATION = "not expected (implementation)"
ONE_DAY = pd.Timedelta(days=1)
_NOT = "not "
PLACED = ("announced_utc", "utc_earliest", "utc_latest", "precision", "session_date")  # place an event in time
_EMPTIED = "left_out_most"  # of the attrs of a table of which nothing is left

Wanted = str | Sequence[str] | None


@dataclass(frozen=True, slots=True, repr=False)
class EventSelection:
    """Rows of an event table that pass filters, and the others.

    Attributes
    ----------
    events : pandas.DataFrame
        Rows that pass all filters, as ``load_events`` gives them.
    excluded : pandas.DataFrame
        Indexed by event_id, the other rows: title, filter (the first one it does not pass), reason.
    filters : mapping of str to object
        What was asked for, by the name of the argument.
    steps : pandas.DataFrame
        Indexed by filter, in the order they are applied: asked, n_before, n_left_out (of those before), n_alone (what
        it would leave out by itself).
    """

    events: pd.DataFrame
    excluded: pd.DataFrame
    filters: Mapping[str, object]
    steps: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """What each filter leaves out, as ``steps``."""
        return self.steps.copy()

    def to_frame(self) -> pd.DataFrame:
        """The rows that pass."""
        return self.events.copy()

    def answer(self, width: int | None = None) -> str:
        """Say how many rows pass, and what each filter leaves out, on lines of ``width`` characters if given."""
        total = len(self.events) + len(self.excluded)
        parts = [f"{name} leaves out {row['n_left_out']}" for name, row in self.steps.iterrows()]
        text = f"{len(self.events)} of {total} announcements are taken" + (f": {', '.join(parts)}." if parts else ".")
        return wording.filled(text, width)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<EventSelection: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction import tables

        rows = [
            [tables.cell(text) for text in (name, row["asked"], row["n_before"], row["n_left_out"], row["n_alone"])]
            for name, row in self.steps.iterrows()
        ]
        headings = ["Filter", "Takes", "Rows before", "Left out", "Left out by it alone"]
        left = [
            [tables.cell(text) for text in (event_id, row["title"], row["reason"])]
            for event_id, row in self.excluded.iterrows()
        ]
        parts = [
            f'<p class="mr-answer">{escape(wording.clean(self.answer()))}</p>',
            tables.html_table(headings, rows) if rows else "",
            tables.folded(f"{len(left)} left out", tables.html_table(["Event", "Title", "Reason"], left))
            if left
            else "",
        ]
        return tables.wrapped(parts)


def select(
    rows: pd.DataFrame,
    *,
    text: str = "",
    since: str | None = None,
    until: str | None = None,
    columns: Mapping[str, Wanted] | None = None,
) -> EventSelection:
    """Filter an event table; the arguments are those of ``filter_events``, the columns by name."""
    masks: dict[str, tuple[object, pd.Series]] = {}
    if text.strip():
        masks["text"] = (text, _holding(rows, text))
    if since:
        last = rows["utc_latest"].fillna(_dated(rows) + ONE_DAY)
        masks["since"] = (since, last >= times.parse_date(since, "since").tz_localize("UTC"))
    if until:
        first = rows["utc_earliest"].fillna(_dated(rows))
        masks["until"] = (until, first < times.parse_date(until, "until").tz_localize("UTC") + ONE_DAY)
    for name, wanted in (columns or {}).items():
        if wanted is not None:
            masks[name] = (wanted, _matching(rows, name, wanted))
    return _applied(rows, masks)


def check_events(events: object) -> None:
    """Refuse what is no event table as ``load_events`` gives it, and one without a row.

    Raises
    ------
    EventTableError
        The message says how to get a table, or what to widen.
    """
    if not isinstance(events, pd.DataFrame):
        inner = isinstance(events, EventSelection)
        step = "give its .events" if inner else f"pass it through mr.load_events: events=mr.load_events({events!r:.80})"
        raise EventTableError(f"events is of type {type(events).__name__}, where an event table is needed; {step}.")
    lacking = [name for name in PLACED if name not in events]
    if lacking:
        raise EventTableError(
            f"the event table lacks {', '.join(lacking)}; pass it through mr.load_events, which works them out: "
            "events=mr.load_events(events)."
        )
    check_not_empty(events)


def check_not_empty(events: pd.DataFrame) -> None:
    """Refuse an event table without a row, and say which filter took most of them if one did."""
    if not len(events):
        widen = events.attrs.get(_EMPTIED, "Widen the dates or filters it was chosen with.")
        raise EventTableError(f"no event is left: the event table has no row. {widen}")


def _emptied(steps: pd.DataFrame, total: int) -> str:
    """Which filter leaves out most, for a table of which nothing is left."""
    if not total or not len(steps):
        return "It had none before it was filtered: give another table."
    counts = ", ".join(f"{name} {row['n_alone']}" for name, row in steps.iterrows())
    most = steps.sort_values("n_alone", ascending=False, kind="stable").reset_index().to_dict("records")[0]
    return f"Of {total} events each filter alone leaves out: {counts}. Widen {most['filter']} ({most['asked']}) first."


def parts_of(value: Any) -> tuple[str, ...]:
    """Parts of a value of the catalogue, which joins several by " + ", without regard to case.

    Examples
    --------
    >>> parts_of("tariff + export control")
    ('tariff', 'export control')
    """
    return () if pd.isna(value) else tuple(part.strip() for part in str(value).casefold().split(" + ") if part.strip())


def _dated(rows: pd.DataFrame) -> pd.Series:
    """Start of the session date, for events whose clock is unknown."""
    return rows["session_date"].dt.tz_localize("UTC")


def announced(events: pd.DataFrame) -> pd.Series:
    """Instant of each event, or the start of its session date where the clock is unknown."""
    return events["announced_utc"].fillna(_dated(events))


def _holding(rows: pd.DataFrame, text: str) -> pd.Series:
    """Whether a row holds every word."""
    searched = [column for column in SEARCHED if column in rows]
    haystack = rows[searched].fillna("").agg(" ".join, axis=1).str.casefold() + " " + rows.index.str.casefold()
    keep = pd.Series(True, index=rows.index)
    for word in text.casefold().split():
        keep &= haystack.str.contains(word, regex=False)
    return keep


def _matching(rows: pd.DataFrame, name: str, wanted: str | Sequence[str]) -> pd.Series:
    """Whether the value of a row, or a part of it, is among what is wanted and not among what is not."""
    if name not in rows:
        raise EventTableError(
            f"{name}={wanted!r} cannot be looked for: the event table has no column {name!r}; it has "
            f"{', '.join(map(str, rows.columns))}. Add the column, or leave {name} out."
        )
    patterns = [wanted] if isinstance(wanted, str) else list(wanted)
    negative = [pattern[len(_NOT) :] for pattern in patterns if pattern.startswith(_NOT)]
    positive = [pattern for pattern in patterns if not pattern.startswith(_NOT)]
    for pattern in (*positive, *negative):
        _check_pattern(rows[name], name, pattern)

    def passes(value: Any) -> bool:
        fits = any(_fits(value, pattern) for pattern in positive) if positive else True
        return fits and not any(_fits(value, pattern) for pattern in negative)

    return rows[name].map(passes).astype(bool)


def _fits(value: Any, pattern: str) -> bool:
    """Whether a value, or one of its parts, is the pattern."""
    whole = () if pd.isna(value) else (str(value).casefold().strip(),)
    return any(fnmatchcase(part, pattern.casefold().strip()) for part in (*whole, *parts_of(value)))


def _check_pattern(values: pd.Series, name: str, pattern: str) -> None:
    """Refuse a pattern that no row has: it would leave out everything, or nothing, in silence."""
    if not len(values) or values.map(lambda value: _fits(value, pattern)).any():
        return
    known = list(dict.fromkeys(str(value) for value in values if not pd.isna(value) and str(value).strip()))
    raise EventTableError(
        f"{name}={pattern!r} is not known: no event of the table has it. {did_you_mean(pattern, known)}"
        f"Known are {', '.join(known)}; 'documented_*' stands for all that begin so, 'not ...' for all others."
    )


def _applied(rows: pd.DataFrame, masks: Mapping[str, tuple[object, pd.Series]]) -> EventSelection:
    """Apply the filters one after the other."""
    keep = pd.Series(True, index=rows.index)
    first = pd.Series("", index=rows.index)
    steps = []
    for name, (wanted, mask) in masks.items():
        lost = keep & ~mask
        first[lost] = name
        asked = wanted if isinstance(wanted, str) else ", ".join(map(str, wanted))  # type: ignore[call-overload]
        counts = {"n_before": int(keep.sum()), "n_left_out": int(lost.sum()), "n_alone": int((~mask).sum())}
        steps.append({"filter": name, "asked": asked} | counts)
        keep &= mask
    gone = rows[~keep]
    excluded = pd.DataFrame(
        {
            "title": gone["title"],
            "filter": first[~keep],
            "reason": [
                _reason(row.get(name, ""), name, masks[name][0])
                for row, name in zip(gone.to_dict("records"), first[~keep], strict=True)
            ],
        },
        index=gone.index,
    )
    columns = ["filter", "asked", "n_before", "n_left_out", "n_alone"]
    table = pd.DataFrame(steps, columns=columns).set_index("filter")
    taken = rows[keep]
    if taken.empty:
        taken.attrs[_EMPTIED] = _emptied(table, len(rows))
    return EventSelection(taken, excluded, {name: wanted for name, (wanted, _) in masks.items()}, table)


def _reason(value: Any, name: str, wanted: object) -> str:
    """Why a row is left out."""
    if name == "text":
        return f"does not hold the words {wanted!r}"
    if name in ("since", "until"):
        return f"announced {'before' if name == 'since' else 'after'} {wanted}"
    return f"{name} is {value!r}" if not pd.isna(value) and str(value) else f"{name} is not stated"
