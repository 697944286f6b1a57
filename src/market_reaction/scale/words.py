"""The reaction of a cross-section as sentences and as HTML: rounding and escaping happen here, nothing is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import tables, wording
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.scale.cross_sections import CrossSection
    from market_reaction.scale.dataset import PanelDataset
    from market_reaction.scale.results import StudyRows

NAMED = 3  # unusual sessions that the answer names
LAST = 20  # sessions: a security with a return among the last ones is listed to the end
SHOWN = 12  # events of the table; the rest is folded away
PLURALS = {"escalation": "escalations", "de-escalation": "de-escalations", "mixed": "mixed announcements"}


def cross_section_answer(result: CrossSection) -> str:
    """How the mean security moved after each kind of event, and how many sessions were unusual."""
    first, last = result.windows[0]
    count = int(result.rows.n_cases.gt(0).sum())
    head = "Generated returns, no market: " if result.panel.generated else ""
    what = f"{count:,} {'generated ' if result.panel.generated else ''}securit{'ies' if count != 1 else 'y'}"
    classes = [_class(str(name), row, _beyond(result)) for name, row in result.summary().to_dict("index").items()]
    moves = f"{head}{what} {wording.sessions_of((first, last))} {'; '.join(classes)}"
    return wording.clean(" ".join([f"{moves}. {unusual_sessions(result)}", *not_in_it(result.panel, result.rows)]))


def left_out(panel: PanelDataset) -> pd.DataFrame:
    """Securities of the source that are not in the panel, with their reason, a row each."""
    return panel.excluded[~panel.excluded["asset"].isin([*panel.assets.index, ""])].drop_duplicates("asset")


def not_in_it(panel: PanelDataset, rows: StudyRows) -> list[str]:
    """How many securities do not enter the means, and which: those that could not be read, and those without a case."""
    lost = [str(name) for name in left_out(panel)["asset"]]
    told = []
    if lost:
        every = len(panel.assets) + len(lost)
        told.append(f"{len(lost)} of {every:,} securities left out: {_few(lost)}.")
    without = [str(name) for name in rows.n_cases.index[rows.n_cases.eq(0)]]
    if without:
        told.append(
            f"{len(without):,} securit{'ies have' if len(without) != 1 else 'y has'} no abnormal return over "
            f"[{rows.windows[0][0]},{rows.windows[0][1]}] of any event and {'are' if len(without) != 1 else 'is'} not "
            f"counted: {_few(without)}."
        )
    return told


def _few(names: Sequence[str]) -> str:
    """The first names of a list, and how many more."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def _beyond(result: CrossSection) -> str:
    """What a mean is of: moves beyond the factors of the model, which are relative effects, or abnormal moves."""
    factors = result.rows.job.options.factors
    return f"mean move beyond {wording.listed(factors)}" if factors else "mean abnormal move"


def _class(name: str, row: Mapping[Any, Any], what: str) -> str:
    """Mean move after one kind of event."""
    events, clusters = int(row["n_events"]), int(row["n_clusters"])
    plural = PLURALS.get(name, "events" if name == "all" else f"events ({name})")
    noun = plural if events != 1 else plural.removesuffix("s")
    text = f"after {events} {noun} ({clusters} separate date{'s' * (clusters != 1)}): {what} "
    text += wording.per_cent(row["mean_car"])
    if not math.isfinite(row["p_value"]):
        return f"{text}, no test over dates"
    text += f" (p {wording.p_value(row['p_value'])}"
    if row["p_value"] <= wording.UNUSUAL:
        return f"{text}, unusual for a mean over that many dates)"
    return f"{text}, not distinguishable from none; smallest detectable {wording.size(row['mde'], 'return')})"


def per_session(result: CrossSection) -> pd.DataFrame:
    """Placebo tests of the first window, one row a session: events of one session share it."""
    return result.to_frame().drop_duplicates("session")


def unusual_sessions(result: CrossSection) -> str:
    """How many sessions had an unusual mean, how many chance gives, and the foremost of them."""
    frame = per_session(result)
    tested = frame[frame["placebo_p"].notna()]
    if not len(tested):
        reason = frame["note"].iloc[0] if len(frame) else "no event"
        return f"No session has a placebo p: {reason}."
    unusual = tested[tested["placebo_p"].le(wording.UNUSUAL)].sort_values("placebo_p", kind="stable")
    history = int(tested["n_placebo"].median())
    text = (
        f"Against {history:,} earlier days each, {len(unusual) or 'none'} of {len(tested)} "
        f"session{'s' * (len(tested) != 1)} had an unusual mean (placebo p at most {wording.UNUSUAL}; chance alone "
        f"gives {wording.by_chance(len(tested))})"
    )
    named = [
        f"{wording.day(row['session'])} ({wording.per_cent(row['mean_car'])}, p {wording.p_value(row['placebo_p'])})"
        for row in unusual.head(NAMED).to_dict("records")
    ]
    more = f", first {wording.listed(named)}" if len(unusual) > NAMED else f": {wording.listed(named)}" if named else ""
    return f"{text}{more}."


def event_lines(result: CrossSection) -> pd.DataFrame:
    """One row an event as it is read."""
    rows = []
    for event_id, row in result.to_frame().to_dict("index").items():
        floor = wording.p_value(row["placebo_p_floor"])
        p_value = f"{wording.p_value(row['placebo_p'])} ({floor})" if math.isfinite(row["placebo_p"]) else row["note"]
        rows.append(
            {
                "Event": str(event_id),
                "Title": wording.clean(row.get("title", "") or ""),
                "Session": wording.day(row["session"]),
                "Securities": f"{row['n']:,}",
                "CAR": wording.per_cent(row["mean_car"]),
                "Rose": wording.share(row["share_positive"]),
                tables.PLACEBO: p_value,
                "Smallest detectable": wording.size(row["mde"], "return"),
                "Spread": f"{row['spread']:.2f}",
                "Spread p": wording.p_value(row["spread_p"]),
            }
        )
    return pd.DataFrame(rows)


def cross_section_html(result: CrossSection) -> str:
    """HTML for notebooks: the answer, the events, the classes, what each test is worth, what was left out."""
    first, last = result.windows[0]
    lines = event_lines(result)
    if lines["Title"].eq("").all():
        lines = lines.drop(columns="Title")
    unusual = result.to_frame()["placebo_p"].le(wording.UNUSUAL).tolist()
    order = sorted(range(len(lines)), key=lambda at: not unusual[at])
    rows = [[cell(text) for text in lines.iloc[at]] for at in order]
    marks = ["mr-unusual" if unusual[at] else "" for at in order]
    heads = list(lines.columns)
    excluded = result.excluded.set_index("event_id")["reason"]
    more = html_table(heads, rows[SHOWN:], marks[SHOWN:]) if len(rows) > SHOWN else ""
    parts = [
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        f"<h4>Events, sessions [{first},{last}], unusual ones first</h4>",
        html_table(heads, rows[:SHOWN], marks[:SHOWN]),
        tables.folded(f"{len(rows) - SHOWN} more", more),
        '<p class="mr-quiet">CAR: mean over the securities. Spread: root mean square of CAR over its forecast error, 1 '
        "where securities move as far as before. Placebo p: rank of the mean over its current volatility.</p>",
        "<h4>Tests over all events</h4>",
        _test_table(result),
        tables.left_out(excluded) if len(excluded) else "",
        tables.bullets(result.notes),
    ]
    return tables.wrapped(parts)


def _test_table(result: CrossSection) -> str:
    """The tests with what each is worth."""
    rows = [
        [cell(text) for text in (
            str(name).replace("_", " "), wording.per_cent(row["estimate"]), wording.signed(row["statistic"]),
            wording.p_value(row["p_value"]), f"{row['n']:,}", row["valid"],
        )]
        for name, row in result.rows.tests().to_dict("index").items()
    ]  # fmt: skip
    return html_table(["Test", "CAR", "Statistic", "p", "Clusters or cases", "What it is worth"], rows)


def notes_of(panel: PanelDataset, rows: StudyRows) -> tuple[str, ...]:
    """What was left out, and what is missing."""
    notes = []
    if panel.generated:
        notes.append("The returns are generated and come from no market; no announcement has an effect in them.")
    lost = left_out(panel)
    for row in lost.head(NAMED).to_dict("records"):
        notes.append(f"{row['asset']} was left out: {row['reason']}")
    if len(lost) > NAMED:
        notes.append(f"{len(lost) - NAMED} more were left out; panel.excluded has their reasons.")
    kept = panel.excluded[panel.excluded["asset"].isin(panel.assets.index) & panel.excluded["n_rows"].gt(0)]
    if len(kept):
        reasons = kept.groupby("reason")["n_rows"].sum().sort_values(ascending=False)
        told = "; ".join(f"{reason} ({count:,})" for reason, count in reasons.head(NAMED).items())
        notes.append(
            f"{kept['n_rows'].sum():,} rows of {kept['asset'].nunique():,} securities were left out: {told}. "
            "panel.excluded lists them by security."
        )
    events = rows.events
    unsure = [str(name) for name in events.index[events["ambiguous"]]] if "ambiguous" in events else []
    if unsure:
        named = wording.listed(unsure[:NAMED]) if len(unsure) <= NAMED else f"{', '.join(unsure[:NAMED])} and others"
        notes.append(
            f"{len(unsure)} announcement{'s' * (len(unsure) != 1)} may belong to another session as well ({named}): "
            "that of the stated time is used, or the last possible one where only a day is known. A frame of event_id "
            "and session measures another one."
        )
    without = int((rows.per_event()["n_without"]).sum())
    if without:
        notes.append(
            f"{without:,} cases of event and security have no abnormal return: one is missing in the event window, "
            "or too many are before it. Means are over the others."
        )
    if not panel.generated and _only_survivors(panel):
        notes.append(
            f"All securities have returns at the end of the panel ({wording.day(panel.sessions[-1])}). If others were "
            "delisted before, the means are those of survivors."
        )
    return tuple(notes)


def _only_survivors(panel: PanelDataset) -> bool:
    """Whether no security ends before the last sessions of the panel."""
    return bool((panel.assets["last"] >= panel.sessions[-min(LAST, len(panel.sessions))]).all())
