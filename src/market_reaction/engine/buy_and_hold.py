"""Buy-and-hold abnormal returns of many events, with approximate standard errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from market_reaction.engine.gather import stretches
from market_reaction.engine.panel import Panel
from market_reaction.engine.results import AbnormalReturns
from market_reaction.errors import WindowError

_BLOCK = 131_072  # values of the event windows of a block


class BuyAndHold(NamedTuple):
    """Buy-and-hold abnormal returns ``bhar`` and their approximate standard errors ``std_error``, both (n, w)."""

    bhar: np.ndarray
    std_error: np.ndarray


def buy_and_hold(actual: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Compounded actual return less compounded normal return along the last axis, from simple returns.

    References
    ----------
    Barber and Lyon (1997), Journal of Financial Economics 43:341.
    """
    return np.prod(1.0 + actual, axis=-1) - np.prod(1.0 + normal, axis=-1)


def buy_and_hold_returns(panel: Panel, assets: np.ndarray, found: AbnormalReturns) -> BuyAndHold:
    """Buy-and-hold abnormal returns over the windows of ``found``.

    Parameters
    ----------
    panel : Panel
        Simple returns; those of yields or other differences do not compound.
    assets : array_like of int
        Security of each event, shape (n,), as given to ``abnormal_returns``.
    found : AbnormalReturns
        With abnormal returns of single sessions (``paths=True``).

    Returns
    -------
    BuyAndHold
        NaN where a session of the window has no abnormal return.

    Raises
    ------
    WindowError
        ``found`` has no abnormal returns of sessions, or a return is below -1, which no simple return is.

    Notes
    -----
    BHAR = prod_t (1 + R_t) - prod_t (1 + N_t), N the normal return; with ``model="market_adjusted"`` N is the factor
    itself. With w_t = prod_s (1 + N_s) / (1 + N_t) the standard error is, to first order,
    s sqrt(sum w_t^2 + x_w'(X'X)^-1 x_w), x_w the sum of w_t times the regressors. BHARs are skewed to the right:
    ``skewness_adjusted_t``, or the placebo of one event.

    References
    ----------
    Barber and Lyon (1997), Journal of Financial Economics 43:341; Lyon, Barber and Tsai (1999), Journal of Finance
    54:165.
    """
    if found.ar is None:
        raise WindowError("found has no abnormal returns of single sessions; call abnormal_returns with paths=True.")
    rows = np.asarray(assets)
    if rows.shape != found.days.shape:
        raise WindowError(f"assets has shape {rows.shape}; the result is of {len(found)} events, so give one for each.")
    shape = len(found), len(found.windows)
    result = BuyAndHold(np.full(shape, np.nan), np.full(shape, np.nan))
    with np.errstate(all="ignore"):  # NaN marks what is absent
        for events in _blocks(found):
            _fill(panel, rows[events], found, events, result)
    return result


def _blocks(found: AbnormalReturns) -> Iterator[np.ndarray]:
    """Positions of the events with a model, some at a time."""
    fitted = np.flatnonzero(found.df > 0)
    size = max(16, _BLOCK // len(found.taus))
    for at in range(0, len(fitted), size):
        yield fitted[at : at + size]


def _fill(panel: Panel, assets: np.ndarray, found: AbnormalReturns, events: np.ndarray, result: BuyAndHold) -> None:
    """Returns and standard errors of some events."""
    assert found.ar is not None
    days, taus = found.days[events], found.taus
    at = days[:, None] + taus
    outside = (at < 0) | (at >= panel.n_sessions)
    actual = panel.returns[assets[:, None], np.clip(at, 0, panel.n_sessions - 1)]
    actual[outside] = np.nan
    low = np.nanmin(actual, initial=0.0)
    if low < -1.0:
        raise WindowError(
            f"a return of {low:g} is below -1, so these are no simple returns and do not compound; give simple ones."
        )
    normal = actual - found.ar[events]
    for number, (first, last) in enumerate(found.windows):
        part = slice(first - int(taus[0]), last - int(taus[0]) + 1)
        result.bhar[events, number] = buy_and_hold(actual[:, part], normal[:, part])
        growth = 1.0 + normal[:, part]
        weights = np.prod(growth, axis=1)[:, None] / growth
        result.std_error[events, number] = found.residual_std[events] * np.sqrt(
            (weights**2).sum(axis=1) + _leverage(found, events, weights, (first, last))
        )


def _leverage(found: AbnormalReturns, events: np.ndarray, weights: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    """x_w'(X'X)^-1 x_w of weighted sums of the regressor rows, shape (b,); 0 for coefficients that are fixed."""
    design = found.design
    if design.fixed:
        return np.zeros(len(events))
    total = weights.sum(axis=1)
    before, after = max(0, -window[0]), max(0, window[1])
    count = window[1] - window[0] + 1
    start = found.days[events] + window[0] + before
    gaps = [
        np.einsum("ij,ij->i", weights, stretches(column, start, count)) - total * mean
        for column, mean in zip(design.padded(before, after), found.means[events].T, strict=True)
    ]
    leverage = total**2 / np.maximum(found.n_used[events], 1)
    for one, left in enumerate(gaps):
        for two, right in enumerate(gaps):
            leverage += left * right * found.inverse[events, one, two]
    return leverage
