"""Regressions behind the local projections, one for each horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import checked_array, same_length
from market_reaction.least_squares import MINIMUM_DF, has_full_rank, least_squares

Errors = Literal["hac", "lag_augmented"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What the regressions at all horizons are made of."""

    levels: np.ndarray  # (T,)
    shock: np.ndarray  # (T,)
    controls: np.ndarray  # (T, q), with the column of ones, and with lagged changes where they are asked for
    shock_lags: int


@dataclass(frozen=True, slots=True)
class Projection:
    """Regression at one horizon."""

    rows: np.ndarray  # (n,) sessions used
    target: np.ndarray  # (n,) y_{t+h} - y_{t-1}
    coefficient: float
    changes: (
        np.ndarray
    )  # (n,) coefficient less the one without the session; NaN where the session has a regressor alone


def projection_sample(
    levels: np.ndarray, shock: np.ndarray, controls: np.ndarray | None, errors: Errors, lags: int
) -> Sample:
    """Checked arrays, with the controls of the kind of errors asked for."""
    path, shocks = checked_array("levels", levels, 1), checked_array("shock", shock, 1)
    same_length("levels", path, "shock", shocks)
    closes = path[~np.isnan(path)]
    if not len(closes) or np.ptp(closes) == 0:
        raise WindowError("levels does not vary; give the log price or the rate at each close.")
    known = shocks[np.isfinite(shocks)]
    if not np.any(known) or np.ptp(known) == 0:
        raise WindowError(
            f"shock is {known[0] if len(known) else 'absent'} on all {len(shocks)} sessions; it must be 0 on ordinary "
            "sessions and differ from 0 on event sessions."
        )
    if errors not in get_args(Errors):
        raise WindowError(f"errors={errors!r} is not known; choose one of {', '.join(get_args(Errors))}.")
    columns = [np.ones((len(path), 1))]
    if controls is not None:
        columns.append(checked_array("controls", controls, 2))
        same_length("levels", path, "controls", columns[-1])
    if errors == "hac":
        return Sample(path, shocks, np.hstack(columns), 0)
    if lags < 1:
        raise WindowError(f"lags={lags} adds nothing; errors='lag_augmented' needs at least 1.")
    changes = np.diff(path, prepend=np.nan)
    return Sample(path, shocks, np.hstack([*columns, lagged(changes[:, None], lags)[:, 1:, 0]]), lags)


def lagged(columns: np.ndarray, lags: int) -> np.ndarray:
    """Each column with its lags 0, 1, ..., shape (T, lags + 1, D); NaN before the first row."""
    shifted = np.full((len(columns), lags + 1, columns.shape[1]), np.nan)
    for lag in range(lags + 1):
        shifted[lag:, lag] = columns[: len(columns) - lag]
    return shifted


def projections(sample: Sample, horizons: int) -> list[Projection]:
    """Regressions at the horizons 0, 1, ..., H."""
    if horizons < 0:
        raise WindowError(f"horizons={horizons} is below 0; give the number of sessions after the shock.")
    return [_project(sample, horizon) for horizon in range(horizons + 1)]


def _project(sample: Sample, horizon: int) -> Projection:
    """Regression at one horizon, on the sessions that have all its variables."""
    total = len(sample.levels)
    target = np.full(total, np.nan)
    ends = max(total - horizon, 1)
    target[1:ends] = sample.levels[1 + horizon :] - sample.levels[: ends - 1]
    shocks = lagged(sample.shock[:, None], sample.shock_lags)[:, :, 0]
    design = np.hstack([shocks, sample.controls])
    rows = np.flatnonzero(np.isfinite(target) & np.isfinite(design).all(axis=1))
    design, outcome = design[rows], target[rows]
    count, parameters = design.shape
    if count - parameters < MINIMUM_DF:
        raise WindowError(
            f"{count} sessions are complete at horizon {horizon}; {parameters} regressors need at least "
            f"{parameters + MINIMUM_DF}. Load a longer series or shorten horizons=."
        )
    if not has_full_rank(design):
        raise WindowError(
            f"shock and controls are collinear over the {count} sessions at horizon {horizon}: one of them is zero "
            "there or a combination of the others. Leave it out, or shorten horizons= so that events remain."
        )
    coefficients, inverse = least_squares(outcome, design)
    weights = design @ inverse
    residuals = outcome - design @ coefficients
    rest = 1.0 - np.einsum("ij,ij->i", weights, design)
    changes = np.divide(weights[:, 0] * residuals, rest, out=np.full(count, np.nan), where=rest > 1e-9)
    return Projection(rows, outcome, float(coefficients[0]), changes)
