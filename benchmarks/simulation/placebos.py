"""The headline placebo on a simulated path, through the package's own functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market_reaction.inference.placebo import placebo_rank
from market_reaction.inference.results import StatisticalTest
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import rolling_abnormal
from market_reaction.windows import EWMA_START
from simulation.cases import BEFORE, ESTIMATION

POOL = 500
DAY_ZERO = EWMA_START + BEFORE + POOL + -ESTIMATION[1] - 1  # what a user loads before the event: 700 sessions
SESSIONS = DAY_ZERO + 1
ROWS = DAY_ZERO + np.concatenate([[0], ESTIMATION[1] - np.arange(POOL)])  # the event, then the pool, latest first


@dataclass(frozen=True, slots=True)
class Statistics:
    """Scaled and plain day-0 statistic of one market at the event (first) and in the pool, and its volatility."""

    scaled: np.ndarray
    plain: np.ndarray
    sigma: float


def statistics(moves: np.ndarray) -> Statistics:
    """AR / sigma and AR of one market, shape (1 + S,), each from its own estimation window."""
    sigma = ewma_volatility(moves, start=EWMA_START)
    abnormal = rolling_abnormal("constant_mean", moves, None, ROWS, ESTIMATION)
    return Statistics(abnormal / sigma[ROWS], abnormal, float(sigma[DAY_ZERO]))


def ranked(name: str, values: np.ndarray) -> StatisticalTest:
    """Rank of the first value among the others, by its absolute size, under a name of its own."""
    return outcome(name, placebo_rank(float(values[0]), values[1:], minimum=1).p_value, len(values) - 1)


def outcome(name: str, p_value: float, pool: int) -> StatisticalTest:
    """Outcome with a placebo p."""
    null, nan = "The event day is drawn like the pool days.", float("nan")
    return StatisticalTest(
        name, nan, p_value, nan, null, f"{pool} pool days", pool, "approximate", floor=1 / (1 + pool)
    )
