"""Path of a market after shocks: local projections, and how much one event makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import checked_array
from market_reaction.inference.multiple import SimultaneousBand, simultaneous_band
from market_reaction.inference.permutations import check_draws, random_subsets, share_as_large
from market_reaction.inference.power import check_share
from market_reaction.inference.projection_fits import Errors, Projection, Sample, lagged, projection_sample, projections

MINIMUM_EVENTS = 10


@dataclass(frozen=True, slots=True)
class LocalProjections:
    """Responses to a unit shock, by horizon; arrays have shape (H + 1,).

    Attributes
    ----------
    horizons : numpy.ndarray
        0, 1, ..., H sessions after the shock.
    coefficients : numpy.ndarray
        b_h: change of the level from t - 1 to t + h for a unit shock at t.
    std_errors : numpy.ndarray
        Standard errors; NaN with fewer than 10 events, as are the two bands and the p-values that use them.
    conf_low, conf_high : numpy.ndarray
        Pointwise band, each horizon on its own.
    simultaneous_low, simultaneous_high : numpy.ndarray
        Band that holds the whole path.
    p_values : numpy.ndarray
        Two-sided, pointwise.
    permutation_low, permutation_high : numpy.ndarray
        Pointwise bounds of the coefficient when the same shocks fall on random dates: a band around no effect, not
        around the coefficient. NaN with fewer allowed dates than events, as are the two p-values below.
    permutation_p_values : numpy.ndarray
        Two-sided, pointwise, (1 + draws at least as large) / (1 + draws).
    permutation_joint_p : float
        The same for the largest |b_h| over the horizons, each divided by its root mean square.
    n_events : numpy.ndarray
        Sessions in the regression with a shock other than zero.
    nobs : numpy.ndarray
        Sessions in the regression.
    level : float
        Coverage of the bands.
    note : str
        Why something is NaN; else empty.
    """

    horizons: np.ndarray
    coefficients: np.ndarray
    std_errors: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    simultaneous_low: np.ndarray
    simultaneous_high: np.ndarray
    p_values: np.ndarray
    permutation_low: np.ndarray
    permutation_high: np.ndarray
    permutation_p_values: np.ndarray
    permutation_joint_p: float
    n_events: np.ndarray
    nobs: np.ndarray
    level: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class LeaveOneEventOut:
    """Responses without each event.

    Attributes
    ----------
    rows : numpy.ndarray
        Row of each event, shape (K,).
    coefficients : numpy.ndarray
        Responses with all events, shape (H + 1,).
    paths : numpy.ndarray
        Responses with the session of one event left out of the regressions, shape (K, H + 1); NaN where no shock would
        remain.
    most_influential : int
        Index of the event whose absence moves the path furthest at any horizon.
    largest_change : float
        How far.
    """

    rows: np.ndarray
    coefficients: np.ndarray
    paths: np.ndarray
    most_influential: int
    largest_change: float


def local_projections(
    levels: np.ndarray,
    shock: np.ndarray,
    horizons: int,
    controls: np.ndarray | None = None,
    *,
    errors: Errors = "hac",
    lags: int = 1,
    level: float = 0.95,
    allowed: np.ndarray | None = None,
    draws: int = 999,
    seed: int = 0,
) -> LocalProjections:
    """Responses of a level to a unit shock, by horizon.

    Parameters
    ----------
    levels : numpy.ndarray
        Log price, rate or spread at each close, shape (T,); NaN where there is none.
    shock : numpy.ndarray
        Shock of each session, shape (T,): 0 on other sessions, 1 or a size on event sessions, NaN where unknown.
    horizons : int
        Longest horizon H, in sessions.
    controls : numpy.ndarray, optional
        Variables known before session t, in row t, shape (T, p).
    errors : {"hac", "lag_augmented"}
        ``"hac"``: Newey-West with h + 1 lags. ``"lag_augmented"``: ``lags`` lags of the shock and of the change of the
        level join the controls, and errors are robust to heteroskedasticity only (HC3).
    lags : int
        Lags that ``"lag_augmented"`` adds; at least 1.
    level : float
        Coverage of the bands.
    allowed : numpy.ndarray, optional
        Sessions on which a random date may fall, boolean, shape (T,). The sessions without a shock by default.
    draws, seed : int
        Number of random dates, and their seed.

    Returns
    -------
    LocalProjections

    Raises
    ------
    WindowError
        Shapes that differ; a shock without variation or collinear with the controls; too few sessions; or an option
        outside its bounds.

    Notes
    -----
    For every h, y_{t+h} - y_{t-1} = a_h + b_h s_t + c_h' X_t + u, by least squares on the sessions that have all of it.
    With d_t the change of b_h when session t is left out, the squared error of b_h is the sum of d_t^2 for
    "lag_augmented", which is HC3, and for "hac" that sum plus the products of d_t up to h + 1 sessions apart, weighted
    by 1 - l / (h + 2). (d_t times one less its leverage would give HC0 and the usual Newey-West errors, which are too
    small here, because few sessions carry b_h.) The simultaneous band takes the correlation over horizons from the
    same sums, with H + 1 lags.

    p, pointwise and simultaneous bands use Student's t with K - 1 degrees of freedom, K the fewest sessions with a
    shock at any horizon, and are given from K = 10. They are approximate. The permutation moves the shocks, in random
    order, to random sessions among their own and the allowed ones, all else unchanged; shocks that lack a horizon, such
    as those near the end, stay. Its p is exact, up to the random draw of dates, if every choice of dates was as likely
    as the one that happened. Dates chosen because times were turbulent are not.

    Simulated at 5% with 500 sessions, H = 10, K = 10 to 40, normal and GARCH-t returns (800 runs): equal shocks give
    pointwise sizes of 2.5 to 6.2% and a simultaneous band that covers 94 to 97%; shocks of normal size 4.4 to 7.6% and
    89 to 93%. Permutation p of 3.5 to 6.8%. When the shocks come in pairs three sessions apart, sizes at h = 10 are 7%
    ("hac"), 14% ("lag_augmented") and 11 to 13% (permutation): merge such events first (``merge_overlapping``).

    References
    ----------
    Jorda (2005), American Economic Review 95:161; Montiel Olea and Plagborg-Moller (2021), Econometrica 89:1789, for
    lag augmentation; MacKinnon and White (1985), Journal of Econometrics 29:305, for HC3.
    """
    check_share("level", level)
    check_draws(draws)
    sample = projection_sample(levels, shock, controls, errors, lags)
    fits = projections(sample, horizons)
    coefficients = np.array([fit.coefficient for fit in fits])
    n_events = np.array([np.count_nonzero(sample.shock[fit.rows]) for fit in fits])
    std_errors, band = _errors_and_band(coefficients, fits, int(n_events.min()), errors, level)
    permuted, reason = _permuted(sample, fits, allowed, draws, seed)
    random_dates, permutation_p_values, joint_p = _against_random_dates(coefficients, permuted, level)
    few = ""
    if n_events.min() < MINIMUM_EVENTS:
        few = f"Standard errors need at least {MINIMUM_EVENTS} events at every horizon; {n_events.min()} given."
    return LocalProjections(
        horizons=np.arange(horizons + 1),
        coefficients=coefficients,
        std_errors=std_errors,
        conf_low=band.pointwise_low,
        conf_high=band.pointwise_high,
        simultaneous_low=band.conf_low,
        simultaneous_high=band.conf_high,
        p_values=2.0 * special.stdtr(max(int(n_events.min()) - 1, 1), -np.abs(coefficients / std_errors)),
        permutation_low=random_dates.pointwise_low,
        permutation_high=random_dates.pointwise_high,
        permutation_p_values=permutation_p_values,
        permutation_joint_p=joint_p,
        n_events=n_events,
        nobs=np.array([len(fit.rows) for fit in fits]),
        level=level,
        note=" ".join(filter(None, (few, reason))),
    )


def leave_one_event_out(
    levels: np.ndarray,
    shock: np.ndarray,
    horizons: int,
    controls: np.ndarray | None = None,
    *,
    errors: Errors = "hac",
    lags: int = 1,
) -> LeaveOneEventOut:
    """Responses without each event in turn, and the event that makes most of them.

    Parameters
    ----------
    levels, shock, horizons, controls, errors, lags
        As in ``local_projections``.

    Returns
    -------
    LeaveOneEventOut

    Raises
    ------
    WindowError
        As ``local_projections``.

    Notes
    -----
    The session of the event is left out; earlier sessions whose path runs into it stay. Without session i, b changes
    by w_i u_i / (1 - l_i), with w_i its row of (X'X)^-1 X', u_i its residual and l_i its leverage. A horizon that the
    event does not enter keeps b.

    References
    ----------
    Belsley, Kuh and Welsch (1980), Regression Diagnostics, section 2.1.
    """
    sample = projection_sample(levels, shock, controls, errors, lags)
    fits = projections(sample, horizons)
    used = np.unique(np.concatenate([fit.rows for fit in fits]))
    events = used[sample.shock[used] != 0]
    coefficients = np.array([fit.coefficient for fit in fits])
    paths = np.tile(coefficients, (len(events), 1))
    for horizon, fit in enumerate(fits):
        _, at, place = np.intersect1d(events, fit.rows, return_indices=True)
        paths[at, horizon] -= fit.changes[place]
    changes = np.nan_to_num(np.abs(paths - coefficients)).max(axis=1)
    most = int(changes.argmax())
    return LeaveOneEventOut(events, coefficients, paths, most, float(changes[most]))


def leave_one_out(values: np.ndarray) -> np.ndarray:
    """Mean of the other events, for each event.

    Parameters
    ----------
    values : numpy.ndarray
        One value per event, shape (K,); NaN marks an absent event.

    Returns
    -------
    numpy.ndarray
        Mean of the present values without each one, shape (K,); NaN for an absent event or an only one.

    Examples
    --------
    >>> leave_one_out(np.array([1.0, 2.0, 6.0])).tolist()
    [4.0, 3.5, 1.5]
    """
    events = checked_array("values", values, 1)
    others = np.count_nonzero(~np.isnan(events)) - 1
    if others < 1:
        return np.full(len(events), np.nan)
    return (np.nansum(events) - events) / others


def _no_band(horizons: int, level: float) -> SimultaneousBand:
    """Band of NaN."""
    nothing = np.full(horizons, np.nan)
    return SimultaneousBand(nothing, nothing, float("nan"), nothing, nothing, level)


def _errors_and_band(
    coefficients: np.ndarray, fits: list[Projection], events: int, errors: Errors, level: float
) -> tuple[np.ndarray, SimultaneousBand]:
    """Standard errors and band; NaN with too few events."""
    if events < MINIMUM_EVENTS:
        return np.full(len(fits), np.nan), _no_band(len(fits), level)
    changes = np.zeros((max(int(fit.rows[-1]) for fit in fits) + 1, len(fits)))
    for horizon, fit in enumerate(fits):
        changes[fit.rows, horizon] = np.nan_to_num(fit.changes)
    longest = len(fits) if errors == "hac" else 0
    singles = [_long_run(changes[:, [at]], min(at + 1, longest))[0, 0] for at in range(len(fits))]
    std_errors = np.sqrt(np.array(singles))
    joint = _long_run(changes, longest)
    scale = std_errors / np.sqrt(np.diag(joint))
    covariance = joint * np.outer(scale, scale)
    return std_errors, simultaneous_band(coefficients, covariance=covariance, level=level, df=events - 1)


def _long_run(changes: np.ndarray, lags: int) -> np.ndarray:
    """Sum of outer products of the rows, and of rows up to ``lags`` apart with Bartlett weights."""
    total = changes.T @ changes
    for lag in range(1, lags + 1):
        cross = changes[lag:].T @ changes[:-lag]
        total += (1 - lag / (lags + 1)) * (cross + cross.T)
    return total


def _permuted(
    sample: Sample, fits: list[Projection], allowed: np.ndarray | None, draws: int, seed: int
) -> tuple[np.ndarray, str]:
    """Coefficients with the shocks on random dates, shape (draws, H + 1); or none, and why."""
    shock = sample.shock
    free = np.ones(len(shock), dtype=bool) if allowed is None else allowed
    if free.shape != shock.shape or free.dtype != bool:
        raise WindowError(f"allowed has shape {free.shape} and type {free.dtype}; give ({len(shock)},) booleans.")
    complete = reduce(np.intersect1d, [fit.rows for fit in fits])
    events = complete[shock[complete] != 0]
    others = complete[(shock[complete] == 0) & free[complete]]
    if not 0 < len(events) <= len(others):
        return np.empty((0, len(fits))), f"{len(others)} allowed dates for {len(events)} events: no permutation band."
    pool = np.concatenate([others, events])
    dates = pool[random_subsets(len(pool), len(events), draws, seed)]
    sizes = np.random.default_rng(seed).permuted(np.tile(shock[events], (draws, 1)), axis=1)
    moved = np.tile(shock[:, None], (1, draws))
    moved[events] = 0.0
    np.put_along_axis(moved, dates.T, sizes.T, axis=0)
    shocks = lagged(moved, sample.shock_lags)
    return np.column_stack([_coefficients(fit, shocks[fit.rows], sample.controls[fit.rows]) for fit in fits]), ""


def _coefficients(fit: Projection, shocks: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """Coefficient of the first of the shock columns (n, 1 + lags, D), for each of the D draws."""
    basis = np.linalg.qr(controls)[0]
    rest = shocks - np.tensordot(basis, np.tensordot(basis, shocks, axes=(0, 0)), axes=(1, 0))
    target = fit.target - basis @ (basis.T @ fit.target)
    gram = np.einsum("nid,njd->dij", rest, rest)
    cross = np.einsum("nid,n->di", rest, target)
    # a shock moved to the last complete session leaves no trace in its lags, so the matrix may be singular
    return np.einsum("dj,dj->d", np.linalg.pinv(gram, hermitian=True)[:, 0], cross)


def _against_random_dates(
    coefficients: np.ndarray, permuted: np.ndarray, level: float
) -> tuple[SimultaneousBand, np.ndarray, float]:
    """Band around no effect, p by horizon, and one p for the path."""
    if not len(permuted):
        return _no_band(len(coefficients), level), np.full(len(coefficients), np.nan), float("nan")
    band = simultaneous_band(np.zeros(len(coefficients)), draws=permuted, level=level)
    sizes = np.abs(np.vstack([coefficients, permuted]))
    largest = (sizes / np.sqrt(np.square(sizes).mean(axis=0))).max(axis=1)
    return band, np.array([share_as_large(column) for column in sizes.T]), share_as_large(largest)
