"""Normal-return models whose variance changes from session to session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from market_reaction.errors import EstimationError
from market_reaction.normal_models.fits import NormalFit, VarianceForecast
from market_reaction.normal_models.regression import fit_least_squares

MINIMUM_SESSIONS = 100  # below, the likelihood has no clear maximum
STABLE_SESSIONS = 500  # below, the parameters differ much from window to window


def fit_garch_model(model: str, returns: np.ndarray, benchmark: np.ndarray | None) -> NormalFit:
    """Fit a mean or market model by least squares, and a GARCH(1,1) or GJR with Student-t errors to its residuals.

    Parameters
    ----------
    model : {"garch", "gjr_garch"}
        Symmetric, or with a variance that rises more after falls.
    returns : numpy.ndarray
        Returns of the estimation window, shape (L,).
    benchmark : numpy.ndarray or None
        Benchmark returns of the same rows, shape (L, 1); the mean model without.

    Returns
    -------
    NormalFit
        Abnormal returns are those of the constant-mean or market model. The forecast variance starts at the session
        after the window; ``NormalFit.through`` takes it to the event.

    Raises
    ------
    EstimationError
        Fewer than 100 returns, or a likelihood that was not maximised.

    Notes
    -----
    h_{t+1} = omega + (arch + asymmetry 1[e_t < 0]) e_t^2 + garch h_t. Two steps are consistent, and the mean being that
    of least squares, pseudo-announcements are measured exactly as the event without fitting a GARCH for each of them.

    References
    ----------
    Bollerslev (1986), Journal of Econometrics 31:307; Glosten, Jagannathan and Runkle (1993), Journal of Finance
    48:1779; Savickas (2003), Journal of Financial Research 26:165, for event studies.
    """
    from market_reaction.inference.volatility import fit_garch

    labels = () if benchmark is None else ("the benchmark",)
    mean = fit_least_squares(model, returns, benchmark, labels)
    if mean.nobs < MINIMUM_SESSIONS:
        raise EstimationError(
            f"{mean.nobs} returns in the estimation window; {model!r} needs at least {MINIMUM_SESSIONS}, and "
            f"{STABLE_SESSIONS} for stable parameters. Lengthen estimation=, or use 'constant_mean'."
        )
    fit = fit_garch(mean.residuals, asymmetric=model == "gjr_garch")
    if not fit.converged:
        raise EstimationError(
            f"{model!r} on {mean.nobs} returns: {fit.note}. Lengthen estimation= to {STABLE_SESSIONS} sessions or "
            "more, or use 'constant_mean': the placebo test scales by current volatility without a GARCH fit."
        )
    values = {"omega": fit.params["omega"], "arch": fit.params["arch"]}
    values |= {"asymmetry": fit.params["asymmetry"]} if model == "gjr_garch" else {}
    values |= {"garch": fit.params["garch"], "degrees_of_freedom": fit.degrees_of_freedom}
    few = (
        f"GARCH on {mean.nobs} sessions; {STABLE_SESSIONS} give stable parameters"
        if mean.nobs < STABLE_SESSIONS
        else ""
    )
    return replace(
        mean,
        names=(*mean.names, *values),
        params=np.concatenate([mean.params, list(values.values())]),
        variance=VarianceForecast(
            first=fit.next_std**2,
            constant=fit.params["omega"],
            arch=fit.params["arch"],
            asymmetry=fit.params["asymmetry"],
            garch=fit.params["garch"],
            centre=fit.params["mean"],
        ),
        note=few,
    )
