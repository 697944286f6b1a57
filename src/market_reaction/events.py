"""Announcements: when each became public, how well that is known, and what else was announced around it.

An event table is a frame indexed by ``event_id``. Four columns place an event in time: ``announced_utc`` and its hard
bounds ``utc_earliest`` and ``utc_latest`` (UTC), and ``precision``:

- ``"minute"``: the bounds lie one minute either side;
- ``"hour"``: a documented bracket;
- ``"day"``: the whole local day; ``announced_utc`` is then its end, because the headline takes the latest;
- ``"date"``: the clock is unknown and not asked for; ``session_date`` names the session to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path

import pandas as pd

from market_reaction import paths, times
from market_reaction.errors import AnnouncementTimeError, EventTableError, did_you_mean
from market_reaction.event_filters import EventSelection, Wanted, check_not_empty, select

PRECISIONS = ("minute", "hour", "day", "date")
TABLES = ("us_china", "macro_releases", "other_news")
TIME_COLUMNS = ("announced_utc", "utc_earliest", "utc_latest")
CORE_COLUMNS = ("title", *TIME_COLUMNS, "precision", "local_tz", "session_date")
_NEEDED = "Needed are event_id (or id) and announced_utc, a time stamp with a zone, and one row an event."
ONE_MINUTE = pd.Timedelta(minutes=1)

EventsLike = Mapping[str, "str | datetime"] | pd.DataFrame | str | Path


def load_events(events: EventsLike | None = None) -> pd.DataFrame:
    """Read announcements into one form.

    Parameters
    ----------
    events : mapping, DataFrame, str, Path or None
        A mapping of label to time stamp or catalogue id; a frame or the path of a CSV file with the columns below; one
        time stamp or catalogue id; or None for the shipped US-China catalogue.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``event_id``: title, announced_utc, utc_earliest, utc_latest (UTC), precision, local_tz, session_date
        and whatever other columns the table has.

    Raises
    ------
    EventTableError
        Rows that break a rule, all listed at once with their line numbers.
    EventTableError
        A table without a row, or a CSV file separated by something else than commas.
    AnnouncementTimeError
        A time stamp without a zone, or with one of several meanings.

    Notes
    -----
    A table of your own needs two columns:

    - ``event_id`` (or ``id``; in a frame also the name of its index), each given once;
    - ``announced_utc``, a time stamp with its zone (``2025-06-10 22:50 UTC``, ``2025-06-11 06:50 Asia/Shanghai``); or a
      bare date with ``local_tz`` and precision ``day``.

    These may be left out:

    - ``precision``: ``minute`` (the default with a clock time), ``hour``, ``day`` (the default of a bare date), or
      ``date``, where ``session_date`` names the day and ``announced_utc`` is empty;
    - ``utc_earliest`` and ``utc_latest``: hard bounds; those of the precision when empty;
    - ``title``: the id when left out;
    - ``direction``: ``escalation``, ``de-escalation`` or ``mixed``, for ``by_class`` and what compares good and bad
      news.

    Examples
    --------
    >>> import market_reaction as mr
    >>> own = {"id": ["talks"], "announced_utc": ["2025-06-11 06:50 Asia/Shanghai"], "direction": ["de-escalation"]}
    >>> mr.load_events(pd.DataFrame(own))[["announced_utc", "precision", "direction"]].iloc[0].astype(str).tolist()
    ['2025-06-10 22:50:00+00:00', 'minute', 'de-escalation']
    """
    if events is None:
        return catalogue("us_china").copy()
    if isinstance(events, pd.DataFrame):
        check_not_empty(events)
        return _validated(_with_id(events), "the event table")
    if isinstance(events, Path) or (isinstance(events, str) and events.casefold().endswith(".csv")):
        path = Path(events).expanduser()
        if not path.is_file():
            raise EventTableError(f"event table {str(path)!r} does not exist; give the path of a CSV file.")
        return _validated(_read(path), path.name)
    if isinstance(events, Mapping):
        if not events:
            raise EventTableError("no event was given; give at least one label and time stamp.")
        return pd.concat([announcement(value, label=str(label)) for label, value in events.items()])
    return announcement(events)


def announcement(value: str | datetime, *, label: str | None = None) -> pd.DataFrame:
    """One-row event table for a time stamp with a zone, or for an id of the shipped catalogue.

    Parameters
    ----------
    value : str or datetime
        ``"2025-06-10 22:50 UTC"`` or ``"2025-06-10-jt"``. A time stamp has bounds of one minute either side.
    label : str, optional
        Event id to use instead of the time stamp or catalogue id.

    Raises
    ------
    AnnouncementTimeError
        Neither a time stamp with a zone nor an id; the message names the nearest ids.
    """
    text = value.strip() if isinstance(value, str) else f"{value:%Y-%m-%d %H:%M %Z}"
    if isinstance(value, str) and ":" not in text and text in all_news().index:
        row = all_news().loc[[text]].copy()
        row["catalogue_id"] = text
        return row.rename(index={text: label or text})
    try:
        instant, zone_text = times.parse_instant(value)
    except AnnouncementTimeError as error:
        near = did_you_mean(text, all_news().index) if len(text) > len("2025-06-11") and ":" not in text else ""
        if not near:
            raise
        raise AnnouncementTimeError(f"{text!r} is no event id of the catalogue. {near}{error}") from None
    return _frame(
        label or text,
        title=label or text,
        announced_utc=instant,
        utc_earliest=instant - ONE_MINUTE,
        utc_latest=instant + ONE_MINUTE,
        precision="minute",
        local_tz=zone_text,
        session_date=pd.NaT,
    )


def dated(day: str | date, *, label: str | None = None) -> pd.DataFrame:
    """One-row event table for a bare date whose clock is unknown: day 0 is each market's session of it, or the next.

    Raises
    ------
    AnnouncementTimeError
        ``day`` is no ISO date.
    """
    session = times.parse_date(day)
    times.check_year(session.year, f"{session:%Y-%m-%d}")
    text = f"{session:%Y-%m-%d}"
    return _frame(
        label or text,
        title=f"{text} (clock unknown)",
        announced_utc=pd.NaT,
        utc_earliest=pd.NaT,
        utc_latest=pd.NaT,
        precision="date",
        local_tz="UTC",
        session_date=session,
    )


def _frame(event_id: str, **values: object) -> pd.DataFrame:
    return _typed(pd.DataFrame([values], index=pd.Index([event_id], name="event_id")))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    for column in TIME_COLUMNS:
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.as_unit("ns")
    frame["session_date"] = pd.to_datetime(frame["session_date"]).dt.as_unit("ns")
    return frame


@cache
def catalogue(table: str) -> pd.DataFrame:
    """Shipped table ``"us_china"``, ``"macro_releases"`` or ``"other_news"``; do not change it in place."""
    path = paths.data_dir() / "events" / f"{table}.csv"
    return _validated(pd.read_csv(path, dtype=str, keep_default_na=False), path.name)


@cache
def all_news() -> pd.DataFrame:
    """The three shipped tables together, with the column ``table``; do not change it in place."""
    return pd.concat([catalogue(table).assign(table=table) for table in TABLES])


def filter_events(
    events: EventsLike | None = None,
    *,
    text: str = "",
    since: str | None = None,
    until: str | None = None,
    direction: Wanted = None,
    side: Wanted = None,
    instrument: Wanted = None,
    evidence: Wanted = None,
    surprise: Wanted = None,
    precision: Wanted = None,
) -> EventSelection:
    """Choose announcements by column, words and dates, and keep count of what each filter leaves out.

    Parameters
    ----------
    events : mapping, DataFrame, str, Path or None
        As in ``load_events``; the shipped US-China catalogue when left out.
    text : str
        Words that must all occur, case-insensitive, in id, title, description, instrument, side or place.
    since, until : str, optional
        Inclusive UTC dates ``YYYY-MM-DD``; an event whose bounds touch them is in.
    direction, side, instrument, evidence, surprise, precision : str or sequence of str, optional
        Values of that column, one of which must fit: ``"tariff"`` (which "tariff + export control" has as well),
        ``"documented_*"`` for all that begin so, ``"not expected (implementation)"`` for all others. Those with "not"
        must all hold.

    Returns
    -------
    EventSelection
        ``events`` for a study, and ``excluded`` with the reason of each of the others.

    Raises
    ------
    EventTableError
        A column the table lacks, or a value that no event of it has.

    Examples
    --------
    >>> import market_reaction as mr
    >>> chosen = mr.filter_events(evidence="documented_exact", direction="escalation", until="2025-12-31")
    >>> print(chosen.answer())
    5 of 131 announcements are taken: until leaves out 10, direction leaves out 49, evidence leaves out 67.
    """
    columns = {"direction": direction, "side": side, "instrument": instrument, "evidence": evidence}
    columns |= {"surprise": surprise, "precision": precision}
    return select(load_events(events), text=text, since=since, until=until, columns=columns)


def search_events(
    text: str = "",
    *,
    since: str | None = None,
    until: str | None = None,
    direction: Wanted = None,
    side: Wanted = None,
    instrument: Wanted = None,
    evidence: Wanted = None,
    surprise: Wanted = None,
    precision: Wanted = None,
    table: str | None = "us_china",
) -> pd.DataFrame:
    """Rows of the shipped tables that hold every word of ``text`` and pass the filters.

    Parameters
    ----------
    text, since, until, direction, side, instrument, evidence, surprise, precision
        As in ``filter_events``, which also says what is left out.
    table : str or None
        ``"us_china"`` (the default), ``"macro_releases"``, ``"other_news"``, or None for all three.
    """
    if table is not None and table not in TABLES:
        raise EventTableError(f"table={table!r} is not known; choose one of {', '.join(TABLES)}, or leave it out.")
    columns = {"direction": direction, "side": side, "instrument": instrument, "evidence": evidence}
    columns |= {"surprise": surprise, "precision": precision}
    rows = all_news() if table is None else catalogue(table)
    return select(rows, text=text, since=since, until=until, columns=columns).events


def suggest_event(instant: pd.Timestamp) -> str | None:
    """Id of the shipped row whose minute or hour bounds hold the instant; the nearest of the narrowest."""
    rows = all_news()
    inside = (rows["utc_earliest"] <= instant) & (instant <= rows["utc_latest"]) & (rows["precision"] != "day")
    if not inside.any():
        return None
    near = rows[inside]
    order = pd.DataFrame(
        {"width": near["utc_latest"] - near["utc_earliest"], "away": (near["announced_utc"] - instant).abs()}
    )
    return str(order.sort_values(["width", "away"], kind="stable").index[0])


def _read(path: Path) -> pd.DataFrame:
    """Rows of a CSV file of one's own as text."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except pd.errors.EmptyDataError:
        raise EventTableError(f"{path.name} is empty. {_NEEDED}") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise EventTableError(
            f"{path.name} cannot be read as CSV in UTF-8 with commas: {why}. Save it so, with texts that hold commas "
            "in quotes; or read it with pandas and give the frame to mr.load_events."
        ) from None
    heading = "".join(map(str, table.columns))
    for mark, word in (";", "semicolons"), ("\t", "tabs"):
        if "announced_utc" not in table.columns and mark in heading:
            raise EventTableError(
                f"{path.name} seems to be separated by {word}; save it with commas, or give "
                f"mr.load_events(pd.read_csv({str(path)!r}, sep={mark!r}))."
            )
    if table.empty and "announced_utc" in table.columns:
        raise EventTableError(f"no event is left: {path.name} has headings and no row. {_NEEDED}")
    return table


def _with_id(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its ids as a column, from its index where no column has them."""
    if "id" in frame.columns or "event_id" in frame.columns:
        return frame
    if frame.index.nlevels == 1 and frame.index.name not in ("id", "event_id"):
        raise EventTableError(
            f"the event table lacks the column event_id; it has {', '.join(map(str, frame.columns))}. If its index "
            f"holds the ids, name it: mr.load_events(events.rename_axis('event_id')). {_NEEDED}"
        )
    return frame.reset_index()


def _validated(table: pd.DataFrame, where: str) -> pd.DataFrame:
    frame = table.rename(columns={"id": "event_id"})
    missing = [column for column in ("event_id", "announced_utc") if column not in frame.columns]
    if missing:
        raise EventTableError(
            f"{where} lacks the column {' and '.join(missing)}; it has {', '.join(map(str, frame.columns))}. {_NEEDED}"
        )
    problems: list[str] = []
    placed = []
    for number, row in enumerate(frame.to_dict("records"), start=2):
        try:
            placed.append(_placed({str(key): "" if pd.isna(value) else value for key, value in row.items()}))
        except (AnnouncementTimeError, EventTableError) as error:
            problems.append(f"line {number} ({row['event_id']!r}): {error}")
    ids = frame["event_id"].astype(str).str.strip()
    problems += [f"event_id {name!r} is given twice; make ids unique" for name in ids[ids.duplicated()].unique()]
    if problems:
        count = f"{len(problems)} bad row{'s' if len(problems) > 1 else ''}"
        raise EventTableError(f"{where} has {count}.\n  " + "\n  ".join(problems))
    for column in ("announced_utc", "utc_earliest", "utc_latest", "precision", "local_tz", "session_date"):
        frame[column] = pd.Series([row[column] for row in placed], index=frame.index, dtype=object)
    if "title" not in frame:
        frame["title"] = ids
    frame = _typed(frame.assign(event_id=ids).set_index("event_id"))
    return frame[[*CORE_COLUMNS, *(c for c in frame.columns if c not in CORE_COLUMNS)]]


def _placed(row: dict[str, object]) -> dict[str, object]:
    """Instant, bounds, precision and zone of one table row."""
    if not str(row["event_id"]).strip():
        raise EventTableError("the event_id is empty; give one")
    stamp = row["announced_utc"]
    text = "" if isinstance(stamp, datetime) else str(stamp).strip()
    bare = len(text) == len("2025-06-11")
    precision = str(row.get("precision") or ("day" if bare else "minute"))
    if precision not in PRECISIONS:
        raise EventTableError(f"precision is {precision!r}; allowed are {', '.join(PRECISIONS)}")
    if precision == "date":
        session = times.parse_date(_date_text(row.get("session_date")), "session_date")
        return dict.fromkeys(TIME_COLUMNS, pd.NaT) | {
            "precision": precision, "local_tz": "UTC", "session_date": session,
        }  # fmt: skip
    zone_text = str(row.get("local_tz") or "")
    if bare:
        bounded = all(str(row.get(bound) or "").strip() for bound in ("utc_earliest", "utc_latest"))
        if precision != "day" or not (zone_text or bounded):
            raise EventTableError(f"announced_utc {text!r} is a bare date; give local_tz and precision day, or a time")
        instant, day = None, times.parse_date(text, "announced_utc")
        zone_text = zone_text or "UTC"
    else:
        instant, typed = times.parse_instant(stamp if isinstance(stamp, datetime) else text)
        zone_text = zone_text or typed
        day = instant.tz_convert(times.zone(zone_text, "local_tz")).tz_localize(None).normalize()
    where = times.zone(zone_text, "local_tz")
    if precision == "day":
        earliest = day.tz_localize(where).tz_convert("UTC")
        latest = (day + pd.Timedelta(days=1)).tz_localize(where).tz_convert("UTC")
    else:
        assert instant is not None
        margin = ONE_MINUTE if precision == "minute" else pd.Timedelta(minutes=60)
        earliest, latest = instant - margin, instant + margin
    earliest = _bound(row.get("utc_earliest"), earliest)
    latest = _bound(row.get("utc_latest"), latest)
    instant = latest if instant is None else instant
    if not earliest <= instant <= latest:
        raise EventTableError(
            f"announced_utc {instant:%Y-%m-%d %H:%M} lies outside utc_earliest {earliest:%Y-%m-%d %H:%M} "
            f"to utc_latest {latest:%Y-%m-%d %H:%M}; mend the bounds"
        )
    return {
        "announced_utc": instant, "utc_earliest": earliest, "utc_latest": latest, "precision": precision,
        "local_tz": zone_text, "session_date": pd.NaT,
    }  # fmt: skip


def _date_text(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value or "")


def _bound(given: object, otherwise: pd.Timestamp) -> pd.Timestamp:
    if given is None or not str(given).strip():
        return otherwise
    return times.parse_instant(given if isinstance(given, datetime) else str(given))[0]
