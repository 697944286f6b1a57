"""Names of the normal-return models: the one list of them, with a sentence on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

NormalModel = Literal[
    "constant_mean", "zero_mean", "market_adjusted", "market", "factors", "scholes_williams", "dimson", "garch",
    "gjr_garch", "rolling_mean", "synthetic_control",
]  # fmt: skip
Regressors = Literal["none", "benchmark", "benchmark if named", "factors", "donors"]


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One normal-return model.

    Attributes
    ----------
    description : str
        What the market would have done without the news, in a sentence.
    regressors : {"none", "benchmark", "benchmark if named", "factors", "donors"}
        Which other markets it takes.
    exact : bool
        Whether the forecast-error covariance is exact under independent normal errors of one variance. Elsewhere it is
        approximate, and p should come from the placebo test.
    """

    description: str
    regressors: Regressors
    exact: bool


NORMAL_MODELS: Mapping[str, RegisteredModel] = {
    "constant_mean": RegisteredModel("The mean return of the estimation window.", "none", True),
    "zero_mean": RegisteredModel("No move at all.", "none", True),
    "market_adjusted": RegisteredModel("The benchmark's return.", "benchmark", True),
    "market": RegisteredModel("Intercept and slope on one benchmark, by least squares.", "benchmark", True),
    "factors": RegisteredModel(
        "Intercept and slopes on any number of other markets, by least squares.", "factors", True
    ),
    "scholes_williams": RegisteredModel(
        "One benchmark, its slope corrected for trading at other times (Scholes and Williams 1977).", "benchmark", False
    ),
    "dimson": RegisteredModel(
        "One benchmark with its return of the session before, by least squares (Dimson 1979).", "benchmark", False
    ),
    "garch": RegisteredModel(
        "Mean or market model whose variance follows a GARCH(1,1) with Student-t errors.", "benchmark if named", False
    ),
    "gjr_garch": RegisteredModel(
        "The same with a variance that rises more after falls (GJR).", "benchmark if named", False
    ),
    "rolling_mean": RegisteredModel(
        "The mean return of a window of the same length that moves along with each session.", "none", False
    ),
    "synthetic_control": RegisteredModel(
        "A mix of donor markets with weights that are not negative and sum to one.", "donors", False
    ),
}
