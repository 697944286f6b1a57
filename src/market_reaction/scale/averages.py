"""Averages over the securities of each event and over the events, from one pass over the partitions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.inference.dependence import FEW_CLUSTERS, variance_of_sums
from market_reaction.inference.overlap import cluster_means, merge_overlapping
from market_reaction.inference.parametric import event_level_t
from market_reaction.study_result import t_row
from market_reaction.windows import Window

VALID = {
    "event_level_t": "valid for events on days of their own: one number a date cluster, however many securities",
    "clustered_t": "approximate: clusters are dates whose windows overlap; needs many of them",
    "cross_section_t": "not valid here: the securities share the days, and it takes them as independent",
}
APART = "as event_level_t: no two cases share a session"


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over the rows of all partitions; E events, T sessions, w windows, m sessions of a path.

    Attributes
    ----------
    n, total, squares, positive : numpy.ndarray
        Cases with a CAR, their sum, sum of squares, and how many are above zero, by event, shape (E, w).
    rows : numpy.ndarray
        All cases of each event, shape (E,).
    day_n, day_total, day_squares : numpy.ndarray
        Cases, sum of CAR and of its square by session of day 0, shape (T, w).
    path_n, path_total : numpy.ndarray
        Cases and sum of abnormal returns by session of day 0 and offset, shape (T, m).
    """

    n: np.ndarray
    total: np.ndarray
    squares: np.ndarray
    positive: np.ndarray
    rows: np.ndarray
    day_n: np.ndarray
    day_total: np.ndarray
    day_squares: np.ndarray
    path_n: np.ndarray
    path_total: np.ndarray


def add_up(tables: Iterable[Any], events: int, sessions: int, windows: tuple[Window, ...], taus: list[int]) -> Sums:
    """Go once through tables of rows, in order.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
        Rows as ``run`` writes them.
    events, sessions : int
        Number of events and of sessions of the panel.
    windows : tuple of tuple of int
        Event windows.
    taus : list of int
        Offsets of the abnormal returns that the rows hold; empty where they hold none.
    """
    by_event = np.zeros((4, events, len(windows)))
    by_day = np.zeros((3, sessions, len(windows)))
    paths = np.zeros((2, sessions, len(taus)))
    rows = np.zeros(events, dtype=np.int64)
    for table in tables:
        event, day = table["event"].to_numpy(), table["day"].to_numpy()
        rows += np.bincount(event, minlength=events)
        for at, (first, last) in enumerate(windows):
            car = table[f"car[{first},{last}]"].to_numpy()
            known = np.isfinite(car)
            value, who = car[known], event[known]
            for part, weights in enumerate((None, value, value * value, value > 0)):
                by_event[part, :, at] += np.bincount(who, weights, minlength=events)
            for part, weights in enumerate((None, value, value * value)):
                by_day[part, :, at] += np.bincount(day[known], weights, minlength=sessions)
        for at, tau in enumerate(taus):
            ar = table[f"ar[{tau}]"].to_numpy()
            known = np.isfinite(ar)
            for part, weights in enumerate((None, ar[known])):
                paths[part, :, at] += np.bincount(day[known], weights, minlength=sessions)
    n, total, squares, positive = by_event
    return Sums(n, total, squares, positive, rows, by_day[0], by_day[1], by_day[2], paths[0], paths[1])


def by_security(tables: Iterable[Any], column: str, wanted: np.ndarray) -> pd.DataFrame:
    """Number of cases with a value, without one, and mean of a column by asset, over the events wanted, shape (E,)."""
    parts = []
    for table in tables:
        values, mine = table[column].to_numpy(), wanted[table["event"].to_numpy()]
        names, codes = _codes(table["asset"])
        known = np.isfinite(values) & mine
        parts.append(
            pd.DataFrame(
                {
                    "asset": names,
                    "rows": np.bincount(codes[mine], minlength=len(names)),
                    "n": np.bincount(codes[known], minlength=len(names)),
                    "total": np.bincount(codes[known], values[known], minlength=len(names)),
                }
            )
        )
    found = pd.concat(parts).groupby("asset", sort=False).sum()
    found = found[found["rows"] > 0]
    mean = found["total"] / found["n"].where(found["n"] > 0)
    return pd.DataFrame({"n": found["n"], "n_without": found["rows"] - found["n"], "mean_car": mean})


def _codes(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Distinct names of a column of texts, and which one each row has."""
    combined = column.combine_chunks()
    encoded = combined if hasattr(combined, "indices") else combined.dictionary_encode()
    return encoded.dictionary.to_numpy(zero_copy_only=False), encoded.indices.to_numpy()


def date_clusters(days: np.ndarray, window: Window) -> np.ndarray:
    """Cluster of each session of day 0; those whose windows share a session are one."""
    return merge_overlapping(days, window[1] - window[0] + 1)


def tests_over_dates(
    days: np.ndarray, n: np.ndarray, total: np.ndarray, squares: float, window: Window, level: float
) -> pd.DataFrame:
    """Tests of the mean CAR: over date clusters, over cases clustered by date, and over cases as if independent.

    Parameters
    ----------
    days : numpy.ndarray
        Distinct sessions of day 0 with cases, shape (D,).
    n, total : numpy.ndarray
        Cases and sum of CAR on each, shape (D,).
    squares : float
        Sum of squared CARs over all cases.
    window : tuple of int
        Event window, which says which sessions overlap.
    level : float
        Coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a test: ``event_level_t``, ``clustered_t``, and ``cross_section_t``, which is there to be compared with
        and is no test of securities that share the days.
    """
    clusters = date_clusters(days, window)
    values = cluster_means(total / np.maximum(n, 1), clusters)
    count, cases = len(values), float(n.sum())
    mean = float(total.sum() / cases) if cases else float("nan")
    deviations = np.bincount(clusters, total - n * mean) if count else np.empty(0)
    clustered = variance_of_sums(deviations, int(cases)) if count > 1 else float("nan")
    independent = (squares - cases * mean**2) / (cases - 1) / cases if cases > 1 else float("nan")
    level_error = float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
    few = f"{count} clusters are few: rejects too often" if count < FEW_CLUSTERS else ""
    valid = VALID | ({"cross_section_t": APART} if count == cases else {})
    rows = [
        ("event_level_t", float(values.mean()) if count else mean, level_error, count - 1, count,
         event_level_t(values).note),
        ("clustered_t", mean, np.sqrt(clustered), count - 1, count, few),
        ("cross_section_t", mean, np.sqrt(independent), cases - 1, int(cases),
         "" if count == cases else "assumes independent cases"),
    ]  # fmt: skip
    return pd.DataFrame(
        [
            {"test": name}
            | t_row(estimate, float(error), int(df), level)
            | {"n": n, "valid": valid[name], "note": note}
            for name, estimate, error, df, n, note in rows
        ]
    ).set_index("test")


def mean_path(days: np.ndarray, sums: Sums, taus: list[int], window: Window, level: float) -> pd.DataFrame:
    """Abnormal return of each session and its running sum, averaged over securities and then over date clusters.

    Returns
    -------
    pandas.DataFrame
        Indexed by tau: aar, caar (running sum from the first offset) and its std_error, df, p_value, conf_low,
        conf_high from the values of the clusters; n_clusters.
    """
    clusters = date_clusters(days, window)
    with np.errstate(invalid="ignore"):
        daily = sums.path_total[days] / np.where(sums.path_n[days] > 0, sums.path_n[days], np.nan)
    rows = []
    for at, tau in enumerate(taus):
        aar = cluster_means(daily[:, at], clusters)
        cumulated = cluster_means(daily[:, : at + 1].sum(axis=1), clusters)
        known = cumulated[np.isfinite(cumulated)]
        error = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("nan")
        row = t_row(float(known.mean()) if len(known) else float("nan"), error, len(known) - 1, level)
        rows.append(
            {"tau": tau, "aar": float(np.nanmean(aar)), "caar": row.pop("estimate")} | row | {"n_clusters": len(known)}
        )
    return pd.DataFrame(rows).set_index("tau").drop(columns=["statistic", "mde"], errors="ignore")
