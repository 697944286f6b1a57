"""The class of every event, and the part of a study that belongs to one class alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from market_reaction.errors import EventTableError, did_you_mean
from market_reaction.event_filters import announced
from market_reaction.study_parts import part_of
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

# First and last year of each wave of the US-China trade conflict; the years between are a class of their own.
WAVES = {"2018-19": (2018, 2019), "2020-24": (2020, 2024), "2025-26": (2025, 2026)}
_ORDER = {"direction": ("escalation", "de-escalation", "mixed"), "wave": tuple(WAVES)}


def columns_of(by: str | Sequence[str]) -> tuple[str, ...]:
    """Columns that make the classes, each once."""
    return (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))


def class_labels(events: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """Class of every event, values of several columns joined by ", "; empty where one is not stated.

    Raises
    ------
    EventTableError
        The table has no such column.
    """
    parts = [_values(events, name) for name in by]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + ", " + part
    stated = np.all([part.ne("") for part in parts], axis=0)
    return joined.where(stated, "").rename("class")


def _values(events: pd.DataFrame, name: str) -> pd.Series:
    if name in events:
        return events[name].fillna("").astype(str).str.strip()
    if name != "wave":
        known = [*map(str, events.columns), "wave"]
        raise EventTableError(
            f"by={name!r} is no column of the event table. {did_you_mean(name, known)}It has {', '.join(known[:-1])}; "
            "'wave' is made from the date."
        )
    years = announced(events).dt.year
    waves = pd.Series("", index=events.index)
    for label, (first, last) in WAVES.items():
        waves = waves.mask(years.between(first, last), label)
    return waves


def class_names(
    events: pd.DataFrame, by: Sequence[str], wanted: Sequence[str] | None, least: int = 1
) -> tuple[str, ...]:
    """Classes in the order they are shown: the ones wanted, or all of enough events, larger ones of a column first.

    Raises
    ------
    EventTableError
        A class that no event has, or no class at all, or none of enough events.
    """
    labels = class_labels(events, by)
    present = [label for label in labels.unique() if label]
    if not present:
        raise EventTableError(f"no event has a value in {' and '.join(by)}; fill the column, or name another by=.")
    if wanted is not None:
        unknown = [name for name in wanted if name not in present]
        if unknown:
            raise EventTableError(
                f"classes={unknown[0]!r} is the {' and '.join(by)} of no event. {did_you_mean(unknown[0], present)}"
                f"Known are {', '.join(present)}."
            )
        return tuple(dict.fromkeys(wanted))
    sizes = labels.value_counts()
    if sizes[present].max() < least:
        raise EventTableError(
            f"least={least} leaves no class by {' and '.join(by)}; the largest, {sizes[present].idxmax()!r}, has "
            f"{sizes[present].max()} events. Lower least=, or take more events."
        )
    present = [label for label in present if sizes[label] >= least]
    ranks = [_ranks(_values(events, name), name) for name in by]
    keys = {labels[at]: tuple(rank[at] for rank in ranks) for at in events.index if labels[at]}
    return tuple(sorted(present, key=lambda label: keys[label]))


def _ranks(values: pd.Series, name: str) -> pd.Series:
    """Place of each value in the order of its column."""
    order = [*_ORDER.get(name, ()), *values.value_counts().index]
    return values.map({value: at for at, value in reversed(list(enumerate(order)))})


def separate_pairs(study: EventStudyResult, labels: pd.Series, window: Window) -> pd.DataFrame:
    """Which events of each market share sessions of a window with an event of another class.

    Returns
    -------
    pandas.DataFrame
        Indexed by (event_id, market): class, cluster (label within the market), n_in_cluster, separate (whether all
        events of the cluster are of one class).
    """
    frames = []
    for market in dict.fromkeys(market for _, market in study.pairs):
        clusters = study.clusters(market, window)
        kinds = labels.reindex(clusters.index)
        grouped = kinds.groupby(clusters.to_numpy())
        frame = pd.DataFrame(
            {
                "class": kinds,
                "cluster": clusters,
                "n_in_cluster": grouped.transform("size"),
                "separate": grouped.transform("nunique").eq(1),
            }
        )
        frames.append(frame.rename_axis("event_id").assign(market=market).set_index("market", append=True))
    return pd.concat(frames)


def studies_of(
    study: EventStudyResult, labels: pd.Series, names: Sequence[str], window: Window | None = None
) -> Mapping[str, EventStudyResult]:
    """Study of each class; with a window, of the events that share no session of it with another class."""
    keys = list(study.pairs)
    if window is not None:
        separate = separate_pairs(study, labels, window)["separate"].to_dict()
        keys = [key for key in keys if separate[key]]
    return {
        name: part_of(study, [key for key in keys if labels[key[0]] == name], labels.index[labels == name])
        for name in names
    }
