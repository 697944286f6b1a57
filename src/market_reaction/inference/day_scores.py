"""Tests of the event days' mean rank or sign against that of all days, from sums that add up over blocks of cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import special

from market_reaction.inference.arrays import Ranked
from market_reaction.inference.results import StatisticalTest, normal_test, not_applicable

RANK_NULL = "Ranks at the event are like those of other days."
SIGN_NULL = "Signs at the event are like those of other days."


class DayScores(NamedTuple):
    """Scores of the days, summed over cases; those of two blocks of cases add up field by field.

    ``total`` is the sum of the scores of each day, ``known`` its present cases, ``largest`` the sum of the largest
    scores these could have, all of shape (T,); ``cases`` is the number of cases with a value at the event.
    """

    total: np.ndarray
    known: np.ndarray
    largest: np.ndarray
    cases: int


class Scoring(NamedTuple):
    """Scores (N, T) and the largest of each case (N,), from the ranked values.

    The statistic of a day is the sum over its cases divided by their number to the ``power``.
    """

    scores: Callable[[Ranked], tuple[np.ndarray, np.ndarray]]
    power: float
    null: str


def _centred_ranks(ranked: Ranked) -> tuple[np.ndarray, np.ndarray]:
    return ranked.ranks - (ranked.days[:, None] + 1) / 2, (ranked.days - 1) / 2


def _standardized_ranks(ranked: Ranked) -> tuple[np.ndarray, np.ndarray]:
    scores = ranked.ranks / (ranked.days[:, None] + 1)
    scores -= 0.5
    return scores, ranked.days / (ranked.days + 1) - 0.5


def _signs_around_median(ranked: Ranked) -> tuple[np.ndarray, np.ndarray]:
    row, last = np.arange(len(ranked.days)), np.maximum(ranked.days, 1)
    ordered = np.sort(ranked.values, axis=1)  # absent values come last
    median = (ordered[row, (last - 1) // 2] + ordered[row, np.minimum(last // 2, ordered.shape[1] - 1)]) / 2
    return np.sign(ranked.values - median[:, None]), np.ones(len(row))


DAY_SCORES: Mapping[str, Scoring] = {
    "corrado_rank": Scoring(_centred_ranks, 1.0, RANK_NULL),
    "corrado_zivney_rank": Scoring(_standardized_ranks, 0.5, RANK_NULL),
    "corrado_zivney_sign": Scoring(_signs_around_median, 0.5, SIGN_NULL),
}


def day_scores(ranked: Ranked, columns: np.ndarray, names: Sequence[str]) -> dict[str, DayScores]:
    """Scores of the days, from ranks that serve all tests asked for.

    Parameters
    ----------
    ranked : Ranked
        Abnormal returns of estimation and event window, shape (N, T), NaN where absent, with their ranks.
    columns : numpy.ndarray
        Columns of the event window.
    names : sequence of str
        Names in ``DAY_SCORES``.
    """
    known = ~np.isnan(ranked.values)
    count, dense = known.sum(axis=0), bool(known.all())
    cases = int(known[:, columns].any(axis=1).sum())
    found = {}
    for name in names:
        scores, largest = DAY_SCORES[name].scores(ranked)
        if dense:
            reach = np.full(len(count), largest.sum())
        else:
            scores = np.where(known, scores, 0.0)
            reach = np.where(known, largest[:, None], 0.0).sum(axis=0)
        found[name] = DayScores(scores.sum(axis=0), count, reach, cases)
    return found


def time_series_test(name: str, days: DayScores, columns: np.ndarray) -> StatisticalTest:
    """Day statistic over its root mean square over all days; ``floor`` is the p of the largest that scores allow."""
    scoring = DAY_SCORES[name]
    divisor = np.maximum(days.known, 1) ** scoring.power
    statistics = days.total / divisor
    tested = columns[days.known[columns] > 0]
    if not len(tested):
        return not_applicable(name, scoring.null, 0, "no case is present at the event")
    scale = np.sqrt((statistics**2).sum() / (days.known > 0).sum() * len(tested))
    if not scale > 0:
        reason = "all days have the same mean rank or sign, so there is no spread"
        return not_applicable(name, scoring.null, days.cases, reason)
    bound = (days.largest / divisor)[tested].sum() / scale
    if days.known[tested].sum() == 1:
        reason = f"needs at least 2 values at the event; with 1 the statistic cannot exceed {bound:.2f}"
        return not_applicable(name, scoring.null, days.cases, reason)
    floor = 2.0 * float(special.ndtr(-bound))
    test = normal_test(name, statistics[tested].sum() / scale, scoring.null, days.cases, "approximate")
    return replace(test, floor=floor, note=floor_note(floor))


def floor_note(floor: float) -> str:
    """What to bear in mind where the smallest attainable p is above 5%."""
    return f"p cannot fall below {floor:.3g} with so few cases" if floor > 0.05 else ""
