"""Conformal test and interval: the event sessions among the permuted sessions of the whole period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import present, vary
from market_reaction.inference.permutations import (
    check_draws,
    share_as_large,
    subsets,
)
from market_reaction.inference.power import check_share
from market_reaction.inference.results import StatisticalTest, Validity, not_applicable

Statistic = Literal["path", "car"]
Permutations = Literal["cyclic", "iid"]
GRID = 400  # steps of the search for the outermost effects that are not rejected
HALVINGS = 60


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """Interval of effects that a test does not reject.

    Attributes
    ----------
    conf_low, conf_high : float
        Bounds, in the unit of the returns; infinite where the test rejects nothing, NaN where there is no interval.
    level : float
        Coverage asked for.
    note : str
        Why a bound is infinite or NaN, or what to bear in mind; empty when there is nothing to say.
    """

    conf_low: float
    conf_high: float
    level: float
    note: str = ""


def all_period_residuals(
    returns_estimation: np.ndarray, returns_event: np.ndarray, effect: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals of the constant mean estimated on all periods, after an assumed effect is taken out of the event.

    Parameters
    ----------
    returns_estimation : numpy.ndarray
        Returns, or residuals of a mean, in the estimation window, shape (L,); NaN is left out of the mean.
    returns_event : numpy.ndarray
        The same in the event window, shape (m,).
    effect : float
        Total effect under the null; every event session holds ``effect`` / m of it.

    Returns
    -------
    tuple of numpy.ndarray
        Residuals of the estimation window, shape (L,), and of the event window, shape (m,).

    Examples
    --------
    >>> all_period_residuals(np.array([1.0, 2.0, 3.0]), np.array([6.0]), effect=4.0)
    (array([-1.,  0.,  1.]), array([0.]))
    """
    untouched = np.asarray(returns_event, dtype=float) - effect / len(returns_event)
    mean = np.nanmean(np.concatenate([returns_estimation, untouched]))
    return np.asarray(returns_estimation, dtype=float) - mean, untouched - mean


def _check(statistic: str, permutations: str, order: float, draws: int) -> None:
    """Raise ``WindowError`` for an option that is not offered."""
    if statistic not in ("path", "car"):
        raise WindowError(f"statistic={statistic!r} is not offered. Choose 'path' or 'car'.")
    if permutations not in ("cyclic", "iid"):
        raise WindowError(f"permutations={permutations!r} is not offered. Choose 'cyclic' or 'iid'.")
    if not 1 <= order < np.inf:
        raise WindowError(f"order={order} is no power of a norm; the bound is 1. Use 1 for absolute values.")
    check_draws(draws)


def _event_rows(total: int, sessions: int, permutations: str, draws: int, seed: int) -> tuple[np.ndarray, str]:
    """Rows that stand in the event window under each permutation, shape (P, m), the observed ones first; in words."""
    if permutations == "cyclic":
        shifted = np.arange(total)[:, None] + np.arange(total - sessions, total)
        return shifted % total, f"all {total} cyclic shifts"
    rows, complete = subsets(total, sessions, draws, seed)
    every = f"all {total} sessions" if sessions == 1 else f"all {len(rows)} sets of {sessions} sessions"
    return rows, every if complete else f"{draws} random permutations"


def _statistics(in_window: np.ndarray, statistic: str, order: float) -> np.ndarray:
    """S of every permutation from the residuals that stand in its event window, shape (P, m)."""
    scale = np.sqrt(in_window.shape[1])
    if statistic == "car":
        return np.abs(in_window.sum(axis=1)) / scale
    return ((np.abs(in_window) ** order).sum(axis=1) / scale) ** (1.0 / order)


def conformal_test(
    residuals: np.ndarray,
    abnormal: np.ndarray,
    statistic: Statistic = "car",
    permutations: Permutations = "cyclic",
    order: float = 1.0,
    draws: int = 5000,
    seed: int = 0,
) -> StatisticalTest:
    """Conformal test that the event had no effect.

    Parameters
    ----------
    residuals : numpy.ndarray
        Residuals of the estimation window from a model fitted to **all** periods with the null imposed
        (``all_period_residuals`` for the constant mean), shape (L,), in time order; NaN sessions are left out.
    abnormal : numpy.ndarray
        Residuals of the same model in the event window, shape (m,).
    statistic : {"car", "path"}
        What is compared: the cumulated abnormal return, or the size of the path.
    permutations : {"cyclic", "iid"}
        All shifts of the whole series, which keep the dependence in time; or permutations of single sessions.
    order : float
        Power q of the path statistic, at least 1.
    draws : int
        Random permutations for ``"iid"``; all sets of m sessions are used where there are no more than that, so that
        m = 1 is enumerated.
    seed : int
        Seed of the random permutations.

    Returns
    -------
    StatisticalTest
        ``"conformal"``, two-sided; n is T = L + m. The floor is 1/T for cyclic shifts, and one over the number of
        permutations, the identity included, for single sessions.

    Raises
    ------
    WindowError
        When an array is not one-dimensional or not finite, or an option is not offered.

    Notes
    -----
    With sums over the event, ``"path"``: S(u) = (m^(-1/2) sum |u_t|^q)^(1/q); ``"car"``: S(u) = |sum u_t| / sqrt(m).
    p is the share of permutations with S(u_pi) >= S(u), the identity included. Exact when the residuals are
    exchangeable; approximate for cyclic shifts of weakly dependent residuals. For m = 1 both kinds give the rank of
    |u| among all T sessions. Neighbouring shifts share m - 1 sessions, so that for m > 1 a p near the floor is rare.

    Simulated at 5% for one session of GARCH-t returns: 5.6% on average, 3.9, 4.7 and 8.2% after calm, middling and
    volatile weeks; over 11 sessions the CAR statistic by cyclic shifts 5.2%, the path statistic 7.9%, and by single
    sessions 12.5%.

    References
    ----------
    Chernozhukov, Wuthrich and Zhu (2021), JASA 116:1849, equations 2-4 and theorem 1.
    """
    _check(statistic, permutations, order, draws)
    name = "conformal"
    before, event = present("residuals", residuals), present("abnormal", abnormal)
    null = "The event had no effect, and its sessions are exchangeable with the estimation sessions."
    if permutations == "cyclic":
        null = "The event had no effect, and the residuals of all sessions are stationary."
    total, sessions, given = len(before) + len(event), len(event), len(np.asarray(abnormal))
    if sessions < given or not sessions:
        reason = f"{given - sessions} of {given} event sessions have no residual; all are needed"
        return not_applicable(name, null, total, reason if given else "there is no event session; at least 1 is needed")
    if not len(before) or not vary(np.concatenate([before, event])):
        reason = f"the residuals of all {total} sessions are equal" if len(before) else "there is no estimation session"
        return not_applicable(name, null, total, f"{reason}, so that there is nothing to compare the event with")
    rows, drawn_from = _event_rows(total, sessions, permutations, draws, seed)
    values = _statistics(np.concatenate([before, event])[rows], statistic, order)
    validity: Validity = "approximate" if permutations == "cyclic" else "exact"
    nan = float("nan")
    return StatisticalTest(
        name, float(values[0]), share_as_large(values), nan, null, drawn_from, total, validity, "", 1.0 / len(values)
    )


def conformal_interval(
    returns_estimation: np.ndarray,
    returns_event: np.ndarray,
    level: float = 0.95,
    statistic: Statistic = "car",
    permutations: Permutations = "cyclic",
    order: float = 1.0,
    draws: int = 5000,
    seed: int = 0,
) -> ConfidenceInterval:
    """Total effects that the conformal test does not reject, under the constant mean.

    Parameters
    ----------
    returns_estimation : numpy.ndarray
        Returns, or residuals of a model with a constant, in the estimation window, shape (L,); NaN is left out.
    returns_event : numpy.ndarray
        The same in the event window, shape (m,).
    level : float
        Coverage, between 0 and 1.
    statistic, permutations, order, draws, seed
        As in ``conformal_test``.

    Returns
    -------
    ConfidenceInterval
        Bounds of the total effect over the m sessions, in the unit of the returns. Infinite where the floor of the test
        is above 1 - ``level`` or L is no more than m; NaN, with the reason, where the returns do not vary, an event
        session is absent, or the path statistic rejects every effect.

    Raises
    ------
    WindowError
        When an array is not one-dimensional or not finite, or an option is not offered.

    Notes
    -----
    An effect theta is spread evenly, theta / m in each event session; it is taken out, the mean is estimated anew on
    all T periods, and theta is kept when p > 1 - ``level``. For the cumulated abnormal return, and for m = 1, each
    permutation reaches the statistic on one interval of theta around the estimate, whose ends are known in closed
    form; so p falls on both sides of the estimate, and the bounds are exact order statistics of those ends. For a path
    of several sessions the effects that are kept need not be connected: the bounds are the outermost ones, found on a
    grid over all effects that can be kept and refined by bisection. The interval holds the effect together with the
    event sessions' own shock, as any interval from one event does.

    References
    ----------
    Chernozhukov, Wuthrich and Zhu (2021), JASA 116:1849, section 2.3.
    """
    _check(statistic, permutations, order, draws)
    check_share("level", level)
    before = present("returns_estimation", returns_estimation)
    event = present("returns_event", returns_event)
    sessions, given, total = len(event), len(np.asarray(returns_event)), len(before) + len(event)
    nan = float("nan")
    if sessions < given or not sessions:
        return ConfidenceInterval(nan, nan, level, f"{sessions} of {given} event sessions have a return")
    if len(before) <= sessions:
        note = f"{len(before)} estimation sessions for {sessions} event sessions; more than {sessions} are needed"
        return ConfidenceInterval(-np.inf, np.inf, level, note)
    estimate = sessions * (event.mean() - before.mean())
    centred = np.concatenate(all_period_residuals(before, event, estimate))
    if not vary(before) and not vary(event):
        return ConfidenceInterval(nan, nan, level, "the returns do not vary, so that there is no noise to compare with")
    rows, _ = _event_rows(total, sessions, permutations, draws, seed)
    needed = int(np.floor((1.0 - level) * len(rows) + 1e-9)) + 1  # permutations that must reach the statistic
    if needed == 1:
        note = f"the floor of p, 1/{len(rows)}, exceeds {1.0 - level:.4g}: no effect is rejected"
        return ConfidenceInterval(-np.inf, np.inf, level, note)
    if statistic == "car" or sessions == 1:
        low, high = _car_bounds(centred, rows, needed)
        note = ""
    else:
        low, high = _path_bounds(centred, rows, needed, order)
        note = "outermost effects, each spread evenly over the event sessions, that the path statistic does not reject"
        if np.isnan(low):
            note = "the path statistic rejects every effect that is spread evenly over the event sessions"
    return ConfidenceInterval(float(estimate + low), float(estimate + high), level, note)


def _car_bounds(centred: np.ndarray, rows: np.ndarray, needed: int) -> tuple[float, float]:
    """Bounds of the distance from the estimate, at which the event's own sum of ``centred`` is zero.

    At distance d the event sums to -(1 - m/T) d and the rows of another permutation to v + (m/T - k/m) d, with k the
    number of event sessions among them; each bound is where the two are equally large.
    """
    total, sessions = len(centred), rows.shape[1]
    slope = sessions / total - (rows >= total - sessions).sum(axis=1) / sessions
    own = 1.0 - sessions / total
    value = centred[rows].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = np.maximum(value / (own - slope), -value / (own + slope))
        low = -np.maximum(value / (own + slope), -value / (own - slope))
    same = own + slope < 0.5 / sessions  # the event sessions themselves, in any order
    high[same], low[same] = np.inf, -np.inf
    return float(np.sort(low)[needed - 1]), float(np.sort(-high)[needed - 1] * -1.0)


def _path_bounds(centred: np.ndarray, rows: np.ndarray, needed: int, order: float) -> tuple[float, float]:
    """Outermost distances from the estimate that the path statistic does not reject; NaN where it rejects all."""
    total, sessions = len(centred), rows.shape[1]
    slope = np.full(total, 1.0 / total)
    slope[-sessions:] -= 1.0 / sessions

    def kept(distance: float) -> bool:
        values = _statistics((centred + slope * distance)[rows], "path", order)
        return share_as_large(values) * len(rows) > needed - 0.5

    # Beyond this distance every event session is larger than any other session could be.
    reach = 2.0 * np.abs(centred).max() / (1.0 / sessions - 2.0 / total)
    grid = np.linspace(-reach, reach, GRID + 1)
    inside = [at for at, distance in enumerate(grid) if kept(distance)]
    if not inside:
        return float("nan"), float("nan")
    step = grid[1] - grid[0]
    return (
        _bisect(kept, grid[inside[0]], grid[inside[0]] - step),
        _bisect(kept, grid[inside[-1]], grid[inside[-1]] + step),
    )


def _bisect(kept: Callable[[float], bool], inner: float, outer: float) -> float:
    """Last distance from ``inner``, which is kept, towards ``outer``, which is not."""
    for _ in range(HALVINGS):
        middle = (inner + outer) / 2.0
        inner, outer = (middle, outer) if kept(middle) else (inner, middle)
    return float(inner)
