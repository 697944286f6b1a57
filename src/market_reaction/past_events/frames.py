"""Frames of ``Analogues``: paths, their spread by session, where the announcement stands among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from market_reaction.inference.overlap import cluster_means
from market_reaction.pair_study import PairStudy

if TYPE_CHECKING:
    from market_reaction.past_events.result import Analogues

LEVEL = 0.95


def past_pairs(result: Analogues, market: str) -> dict[str, PairStudy]:
    """Past events of a market, the nearest first."""
    return {name: pair for (name, found), pair in result.past.pairs.items() if found == market}


def paths_of(result: Analogues, market: str) -> tuple[np.ndarray, np.ndarray]:
    """CAR paths of the past events of a market, (K, m), and their cluster labels, (K,)."""
    pairs = past_pairs(result, market)
    paths = np.array([_path(result, pair) for pair in pairs.values()]).reshape(len(pairs), len(taus_of(result)))
    labels = result.past.clusters(market, result.horizon).to_numpy() if pairs else np.empty(0, dtype=int)
    return paths, labels


def separate_paths(result: Analogues, market: str) -> np.ndarray:
    """Mean path of each cluster of overlapping past events, shape (C, m)."""
    paths, labels = paths_of(result, market)
    return np.column_stack([cluster_means(session, labels) for session in paths.T])


def taus_of(result: Analogues) -> np.ndarray:
    """Session offsets of the paths, shape (m,)."""
    return np.arange(result.horizon[0], result.horizon[1] + 1)


def _path(result: Analogues, pair: PairStudy) -> np.ndarray:
    """CAR from the first session of the horizon on, (m,)."""
    return np.cumsum(pair.abnormal[pair.rows(result.horizon)])


def today_path(result: Analogues, market: str) -> np.ndarray:
    """CAR path of the announcement itself, NaN where it is not complete, shape (m,)."""
    pair = result.today.pairs.get((str(result.event.name), market))
    return np.full(len(taus_of(result)), np.nan) if pair is None else _path(result, pair)


def path_frame(result: Analogues) -> pd.DataFrame:
    """Rows of ``Analogues.to_frame``."""
    frames = []
    for market in result.markets:
        paths, labels = paths_of(result, market)
        for name, path, label in zip(past_pairs(result, market), paths, labels, strict=True):
            frames.append(_path_rows(result, market, name, "past", path, int(label)))
        own = today_path(result, market)
        if np.isfinite(own).any():
            frames.append(_path_rows(result, market, str(result.event.name), "announcement", own, -1))
    return pd.concat(frames, ignore_index=True)


def _path_rows(result: Analogues, market: str, name: str, kind: str, path: np.ndarray, cluster: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "event_id": name, "market": market, "unit": result.units[market], "kind": kind, "cluster": cluster,
            "tau": taus_of(result), "car": path,
        }
    )  # fmt: skip


def spread_frame(result: Analogues) -> pd.DataFrame:
    """Rows of ``Analogues.distribution``."""
    frames = []
    for market in result.markets:
        paths = separate_paths(result, market)
        quarter, middle, three = np.quantile(paths, [0.25, 0.5, 0.75], axis=0)
        frames.append(
            pd.DataFrame(
                {
                    "market": market, "unit": result.units[market], "tau": taus_of(result), "median": middle,
                    "q25": quarter, "q75": three, "low": paths.min(axis=0), "high": paths.max(axis=0),
                    "announcement": today_path(result, market), "n_events": len(past_pairs(result, market)),
                    "n_clusters": len(paths),
                }
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def summary_frame(result: Analogues, at: int | None, level: float) -> pd.DataFrame:
    """Rows of ``Analogues.summary``."""
    return pd.DataFrame([_standing(result, market, at, level) for market in result.markets]).set_index("market")


def _standing(result: Analogues, market: str, at: int | None, level: float) -> dict[str, Any]:
    """Where the announcement stands among the separate past events of a market at one session."""
    own, taus = today_path(result, market), taus_of(result)
    known = np.flatnonzero(np.isfinite(own))
    row = int(known[-1]) if at is None and len(known) else len(taus) - 1 if at is None else at - int(taus[0])
    values, today = separate_paths(result, market)[:, row], float(own[row])
    count, rose = len(values), int((values > 0).sum())
    same = rose if today > 0 else int((values < 0).sum()) if today < 0 else 0
    finite = np.isfinite(today) and today != 0
    low, high = share_interval(same if finite else rose, count, level)
    pair = result.today.pairs.get((str(result.event.name), market))
    return {
        "market": market, "unit": result.units[market], "tau": int(taus[row]), "announcement": today,
        "median": float(np.median(values)), "q25": float(np.quantile(values, 0.25)),
        "q75": float(np.quantile(values, 0.75)), "low": float(values.min()), "high": float(values.max()),
        "rank": 1 + int((values > today).sum()) if np.isfinite(today) else np.nan, "of": count + 1,
        "n_rose": rose, "n_same_sign": same if finite else np.nan,
        "share": (same if finite else rose) / count, "share_of": "same sign" if finite else "rose",
        "conf_low": low, "conf_high": high,
        "usual": np.nan if pair is None or not np.isfinite(today) else pair.car((int(taus[0]), int(taus[row])))[1],
        "n_events": len(past_pairs(result, market)), "n_clusters": count,
        "note": "" if np.isfinite(today) else "the announcement itself has no return there",
    }  # fmt: skip


def share_interval(count: int, total: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval for a share of independent cases.

    References
    ----------
    Wilson (1927), JASA 22:209.

    Examples
    --------
    >>> low, high = share_interval(3, 4)
    >>> f"{low:.3f} {high:.3f}"
    '0.301 0.954'
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, total, alpha=1 - level, method="wilson")
    return float(low), float(high)


def reaction_frame(result: Analogues) -> pd.DataFrame:
    """Rows of ``Analogues.reactions``."""
    rows = []
    for market in result.markets:
        labels = result.past.clusters(market, result.horizon)
        sizes = labels.map(labels.value_counts())
        for name, pair in past_pairs(result, market).items():
            rows.append(_reaction(result, market, name, pair) | {"cluster": labels[name], "n_merged": sizes[name]})
        own = result.today.pairs.get((str(result.event.name), market))
        if own is not None:
            rows.append(_reaction(result, market, str(result.event.name), own) | {"cluster": -1, "n_merged": 1})
    return pd.DataFrame(rows).set_index(["event_id", "market"])


def standing_frame(result: Analogues) -> pd.DataFrame:
    """CAR over the horizon of each separate past event and of the announcement, in usual sizes of its market.

    Returns
    -------
    pandas.DataFrame
        Columns market, unit, own (whether it is the announcement), events (ids), car, scaled (the car over the median
        standard error of the market, so that the order within a market is that of ``summary``).
    """
    rows = []
    for (market, cluster), members in result.reactions().reset_index().groupby(["market", "cluster"], sort=False):
        rows.append(
            {
                "market": market, "unit": members["unit"].iloc[0], "own": cluster == -1,
                "events": ", ".join(members["event_id"]), "car": members["car"].mean(),
            }
        )  # fmt: skip
    usual = result.reactions()["std_error"].groupby(level="market").median()
    frame = pd.DataFrame(rows)
    return frame.assign(scaled=frame["car"] / frame["market"].map(usual))


def _reaction(result: Analogues, market: str, name: str, pair: PairStudy) -> dict[str, Any]:
    """Day 0 and CAR of one event in one market."""
    car, error = pair.car(result.horizon)
    series = result.past.prices[market]
    return {
        "event_id": name, "market": market, "unit": result.units[market],
        "session": series.sessions[pair.position], "change": float(series.returns("simple")[pair.position]),
        "abnormal": pair.day_zero, "car": car, "std_error": error,
    }  # fmt: skip
