"""Frames computed from a study: sessions, fits, bands of CAR paths, residual diagnostics, power."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import ROUNDING
from market_reaction.inference.diagnostics import THIN_TRADING, diagnose, influence, zero_share
from market_reaction.inference.exaggeration import exaggeration_ratio
from market_reaction.inference.multiple import SimultaneousBand, simultaneous_band
from market_reaction.inference.overlap import cluster_means
from market_reaction.inference.power import placebo_power_curve, power_curve

if TYPE_CHECKING:
    from market_reaction.pair_study import PairStudy
    from market_reaction.study_result import EventStudyResult

LARGEST = 3  # residuals whose influence on s is shown
MULTIPLES = np.arange(0.25, 4.01, 0.25)


def session_frame(study: EventStudyResult) -> pd.DataFrame:
    """Rows of ``EventStudyResult.to_frame``."""
    return pd.concat([_sessions(study, *key) for key in study.pairs], ignore_index=True)


def _sessions(study: EventStudyResult, event_id: str, market: str) -> pd.DataFrame:
    pair = study.pairs[event_id, market]
    car = np.cumsum(pair.abnormal)
    errors = np.sqrt(np.diag(pair.forecast_cov.cumsum(axis=0).cumsum(axis=1)))
    reach = special.stdtrit(pair.fit.df_resid, 0.975) * errors
    return pd.DataFrame(
        {
            "event_id": event_id,
            "market": market,
            "unit": study.design.units[market],
            "tau": pair.taus,
            "actual_return": pair.actual,
            "normal_return": pair.actual - pair.abnormal,
            "abnormal_return": pair.abnormal,
            "forecast_std": np.sqrt(np.diag(pair.forecast_cov)),
            "car": car,
            "car_std_error": errors,
            "conf_low": car - reach,
            "conf_high": car + reach,
        }
    )


def fit_frame(study: EventStudyResult) -> pd.DataFrame:
    """Rows of ``EventStudyResult.fits``."""
    rows = [
        {"event_id": event_id, "market": market}
        | dict(zip(pair.fit.names, pair.fit.params, strict=True))
        | {
            "residual_std": pair.fit.residual_std,
            "mad_std": pair.mad_std,
            "ewma_std": pair.ewma_std,
            "df_resid": pair.fit.df_resid,
            "nobs": pair.fit.nobs,
            "n_skipped": pair.n_skipped,
            "exact": pair.fit.exact,
        }
        for (event_id, market), pair in study.pairs.items()
    ]
    return pd.DataFrame(rows).set_index(["event_id", "market"])


def band_frame(study: EventStudyResult, level: float, only: str | None = None) -> pd.DataFrame:
    """Rows of ``EventStudyResult.bands``."""
    single = len(study.studied_events) == 1
    paths = _single_paths(study) if single else mean_paths(study)
    frames = []
    for found in paths:
        label, market, taus, path, *_ = found
        if not len(path) or only not in (None, market):
            continue
        band = path_band(found, level)
        frames.append(
            pd.DataFrame(
                {
                    "event_id": label,
                    "market": market,
                    "unit": study.design.units[market],
                    "tau": taus,
                    "car": path,
                    "conf_low": band.pointwise_low,
                    "conf_high": band.pointwise_high,
                    "simultaneous_low": band.conf_low,
                    "simultaneous_high": band.conf_high,
                    "critical": band.critical,
                }
            )
        )
    columns = ["event_id", "market", "unit", "tau", "car", "conf_low", "conf_high", "simultaneous_low"]
    columns += ["simultaneous_high", "critical"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


class CarPath(NamedTuple):
    """CAR path of one event, or mean path over clusters of events.

    Attributes
    ----------
    label, market : str
        What it is a path of, and where.
    taus, path : numpy.ndarray
        Session offsets and values, shape (m,).
    covariance : numpy.ndarray
        Covariance of its error, shape (m, m).
    df : float
        Degrees of freedom of that covariance.
    n_events : int
        Events with a complete path.
    """

    label: str
    market: str
    taus: np.ndarray
    path: np.ndarray
    covariance: np.ndarray
    df: float
    n_events: int = 1


def path_band(found: CarPath, level: float) -> SimultaneousBand:
    """Band of a path; NaN on sessions without a spread, where the yields of a few events moved by the same amount."""
    std_error = np.sqrt(np.diag(found.covariance))
    inside = std_error > ROUNDING * max(float(np.abs(found.path).max()), float(std_error.max()))
    edges = np.full((4, len(inside)), np.nan)
    if not inside.any():
        return SimultaneousBand(edges[0], edges[1], float("nan"), edges[2], edges[3], level)
    covariance = found.covariance[np.ix_(inside, inside)]
    band = simultaneous_band(found.path[inside], covariance=covariance, level=level, df=found.df)
    edges[:, inside] = band.conf_low, band.conf_high, band.pointwise_low, band.pointwise_high
    return SimultaneousBand(edges[0], edges[1], band.critical, edges[2], edges[3], level)


def _complete(pair: PairStudy) -> int:
    """Number of sessions from the first offset on that have an abnormal return."""
    absent = np.flatnonzero(~np.isfinite(pair.abnormal))
    return int(absent[0]) if len(absent) else len(pair.abnormal)


def _single_paths(study: EventStudyResult) -> Iterator[CarPath]:
    """CAR path of the one event in each market, with the covariance of its forecast errors."""
    for (event_id, market), pair in study.pairs.items():
        count = _complete(pair)
        covariance = pair.forecast_cov[:count, :count].cumsum(axis=0).cumsum(axis=1)
        path = np.cumsum(pair.abnormal[:count])
        yield CarPath(event_id, market, pair.taus[:count], path, covariance, pair.fit.df_resid)


def mean_paths(study: EventStudyResult, *, cumulated: bool = True) -> Iterator[CarPath]:
    """Mean CAR (or AR) path over the clusters of events that have all sessions, with the covariance over clusters."""
    for market in dict.fromkeys(market for _, market in study.pairs):
        pairs = {event_id: pair for (event_id, name), pair in study.pairs.items() if name == market}
        complete = {event_id: pair for event_id, pair in pairs.items() if np.isfinite(pair.abnormal).all()}
        if not complete:
            continue
        labels = study.clusters(market, study.windows.span_offsets)[list(complete)].to_numpy()
        events = np.array([np.cumsum(pair.abnormal) if cumulated else pair.abnormal for pair in complete.values()])
        paths = np.column_stack([cluster_means(session, labels) for session in events.T])
        count = len(paths)
        if count < 2:
            continue
        covariance = np.atleast_2d(np.cov(paths, rowvar=False, ddof=1)) / count
        taus = next(iter(complete.values())).taus
        label = (
            f"mean of {count} clusters of {len(complete)} events"
            if count < len(complete)
            else f"mean of {count} events"
        )
        yield CarPath(label, market, taus, paths.mean(axis=0), covariance, count - 1.0, len(complete))


def diagnostic_frame(study: EventStudyResult) -> pd.DataFrame:
    """Rows of ``EventStudyResult.diagnostics``."""
    rows = []
    for (event_id, market), pair in study.pairs.items():
        place = {"event_id": event_id, "market": market}
        series = study.prices[market]
        start = pair.position + study.windows.estimation[0]
        sessions = series.sessions[pair.estimation_rows(study.windows.estimation)]
        for found in diagnose(pair.fit.residuals):
            rows.append(
                place
                | {
                    "diagnostic": found.name,
                    "value": found.statistic,
                    "p_value": found.p_value,
                    "null": found.null,
                    "note": _dated(found.note, sessions),
                }
            )
        largest = influence(pair.fit.residuals, LARGEST)
        named = ", ".join(f"{sessions[at]:%Y-%m-%d}" for at in largest.rows.tolist())
        rows.append(
            place
            | {
                "diagnostic": "influence",
                "value": float(largest.stds[-1] / largest.stds[0]),
                "note": f"s without the {LARGEST} largest residuals over s with them: {named}",
            }
        )
        zeros = zero_share(series.returns(study.design.returns)[start : pair.position])
        thin = f"; above {THIN_TRADING:.0%} the series is thinly traded" if zeros > THIN_TRADING else ""
        rows.append(
            place | {"diagnostic": "zero_share", "value": zeros, "note": f"share of sessions without a move{thin}"}
        )
    return pd.DataFrame(rows).set_index(["event_id", "market", "diagnostic"])


def _dated(note: str, sessions: pd.DatetimeIndex) -> str:
    """A note on residuals with the date of the session instead of its row."""
    return re.sub(r"\brow (\d+)", lambda found: f"{sessions[int(found[1])]:%Y-%m-%d}", note)


def power_frame(study: EventStudyResult, effects: Sequence[float] | None, level: float) -> pd.DataFrame:
    """Rows of ``EventStudyResult.power``."""
    from market_reaction.placebo import placebo_test

    single = len(study.studied_events) == 1
    pools = placebo_test(study, study.prices).markets if single else {}
    frames = []
    for market, (std_error, df) in _errors(study, single).items():
        shifts = MULTIPLES * std_error if effects is None else np.asarray(effects, dtype=float)
        exaggerated = [exaggeration_ratio(shift, std_error, df, level) for shift in shifts.tolist()]
        frame = pd.DataFrame(
            {
                "market": market,
                "unit": study.design.units[market],
                "effect": shifts,
                "power_t": power_curve(shifts, std_error, df, level),
                "exaggeration": [found.ratio for found in exaggerated],
                "wrong_sign": [found.wrong_sign for found in exaggerated],
            }
        )
        for (event_id, name), test in pools.items():
            if name == market:
                usual = study.pairs[event_id, name].ewma_std
                frame["power_placebo"] = placebo_power_curve(shifts, test.pool, usual, level=level)
        frames.append(frame)
    if not frames:
        reason = (
            "power() needs a standard error, and no market has one: a mean over events needs two whose windows do "
            "not overlap, a single event a return on day 0. Study more events, or shorten the event windows."
        )
        raise WindowError(reason)
    return pd.concat(frames, ignore_index=True).set_index(["market", "effect"])


def _errors(study: EventStudyResult, single: bool) -> dict[str, tuple[float, float]]:
    """Standard error and degrees of freedom by market: of day 0 of a single event, else of the mean CAR."""
    table = study.car((0, 0)).droplevel("event_id") if single else study.caar()
    usable = table[table["std_error"].gt(0)]
    return {str(market): (float(row["std_error"]), float(row["df"])) for market, row in usable.iterrows()}
