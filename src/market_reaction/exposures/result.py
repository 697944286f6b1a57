"""What ``exposure_regression`` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance
from market_reaction.exposures.measures import Exposure
from market_reaction.exposures.pool import SlopePlacebo
from market_reaction.prices import PriceData
from market_reaction.windows import Window

if TYPE_CHECKING:
    import plotly.graph_objects as go

NOT_VALID = "not valid here: shares move together"


@dataclass(frozen=True, slots=True, repr=False)
class ExposureRegression(Exportable):
    """Reactions of several shares to one announcement, regressed on their exposure.

    Attributes
    ----------
    event : pandas.Series
        The announcement.
    exposure : Exposure or None
        Exposure by share, and where it comes from; None where no share has a reaction.
    window : tuple of int
        Inclusive session offsets of the reaction.
    shares : pandas.DataFrame
        Indexed by share: session (day 0), exposure, reaction (CAR, decimal), fitted, residual, leverage; without this
        share: slope_without, per_std_without (for one standard deviation of the exposure of the others, decimal),
        placebo_p_without, and change of the response for one standard deviation.
    test : SlopePlacebo or None
        Slope, ranks, minimum detectable slope; None where there is no slope.
    pool : pandas.DataFrame
        Indexed by session of the first share, latest first: slope and statistic of each placebo day.
    hc3_std_error : float
        Robust standard error of the slope; it supposes independent shares.
    hc3_rejects : float
        Share of the placebo days on which the HC3 t test rejects at 5%.
    correlation : float
        Mean pairwise correlation of the estimation residuals.
    excluded : pandas.DataFrame
        Columns share, reason.
    notes : tuple of str
        What to bear in mind.
    prices : PriceData
        Series used.
    parameters : mapping
        What was asked for.
    why_not : str
        Why there is no slope; empty where there is one.
    """

    event: pd.Series
    exposure: Exposure | None
    window: Window
    shares: pd.DataFrame
    test: SlopePlacebo | None
    pool: pd.DataFrame
    hc3_std_error: float
    hc3_rejects: float
    correlation: float
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    prices: PriceData
    parameters: Mapping[str, object]
    why_not: str = ""

    @property
    def step(self) -> float:
        """Standard deviation of the exposure over the shares, for which slopes are shown; NaN without a slope."""
        return float(self.shares["exposure"].std()) if self.test is not None else float("nan")

    @property
    def r_squared(self) -> float:
        """Share of the variance of the reactions that the line takes; NaN without a slope."""
        if self.test is None:
            return float("nan")
        return float(1 - self.shares["residual"].var() / self.shares["reaction"].var())

    def to_frame(self) -> pd.DataFrame:
        """One row a share, unrounded: what ``shares`` holds, and n, first and last of an estimated exposure."""
        if self.exposure is None or not self.exposure.details.size:
            return self.shares.copy()
        return self.shares.join(self.exposure.details.add_prefix("exposure_"))

    def summary(self) -> pd.DataFrame:
        """The slope with its inference, one row.

        Returns
        -------
        pandas.DataFrame
            Indexed by exposure: n_shares, slope (decimal return per unit of exposure), intercept, per_std (slope times
            the standard deviation of the exposure), r_squared, sigma, statistic, placebo_p, placebo_p_floor, n_placebo,
            placebo_p_plain, pool_std (spread of the slopes of the pool), mde and mde_per_std, hc3_std_error,
            hc3_validity, hc3_rejects (its rejection rate at 5% on the placebo days), correlation, note.
        """
        label = self.exposure.label if self.exposure is not None else str(self.parameters["exposure"])
        return pd.DataFrame([self._row()], index=pd.Index([label], name="exposure"))

    def _row(self) -> dict[str, object]:
        test, nan = self.test, float("nan")
        if test is None:
            names = ("slope", "intercept", "per_std", "r_squared", "placebo_p", "placebo_p_floor", "mde", "mde_per_std")
            return {"n_shares": len(self.shares), **dict.fromkeys(names, nan), "note": self.why_not}
        return {
            "n_shares": len(self.shares),
            "slope": test.slope,
            "intercept": test.intercept,
            "per_std": test.slope * self.step,
            "r_squared": self.r_squared,
            "sigma": test.sigma,
            "statistic": test.slope / test.sigma,
            "placebo_p": test.scaled.p_value,
            "placebo_p_floor": test.scaled.floor,
            "n_placebo": test.scaled.n_placebo,
            "placebo_p_plain": test.plain.p_value,
            "pool_std": float(np.std(test.slopes, ddof=1)) if len(test.slopes) > 1 else nan,
            "mde": test.mde,
            "mde_per_std": test.mde * self.step,
            "hc3_std_error": self.hc3_std_error,
            "hc3_validity": NOT_VALID,
            "hc3_rejects": self.hc3_rejects,
            "correlation": self.correlation,
            "note": test.scaled.note,
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Shares, slope, placebo days and what was left out, by name."""
        found = {
            "Shares": self.to_frame(),
            "Slope": self.summary(),
            "Placebo days": self.pool,
            "Left out": self.excluded,
        }
        if self.exposure is not None and len(self.exposure.excluded):
            found["Earlier announcements left out"] = self.exposure.excluded
        return found

    def printed(self) -> dict[str, pd.DataFrame]:
        """The slope, or why there is none, then the shares, as they are read."""
        from market_reaction.exposures.tables import printed_regression

        return printed_regression(self)

    def provenance(self) -> Provenance:
        """Parameters, and source and checksum of every series."""
        return Provenance(self.parameters, self.prices.vintage)

    def answer(self, width: int | None = None) -> str:
        """Say in a sentence or two whether more exposed shares reacted differently, and what limits the finding."""
        from market_reaction.exposures.tables import answer

        return wording.filled(answer(self), width)

    def plot(
        self,
        *,
        kind: Literal["shares", "placebo", "influence"] = "shares",
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the result.

        Parameters
        ----------
        kind : {"shares", "placebo", "influence"}
            Reaction of each share against its exposure, the slope among those of the placebo days, or the slope without
            each share.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.exposures.chart import exposure_chart

        return exposure_chart(self, kind=kind, theme=theme)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<ExposureRegression: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.exposures.tables import regression_html

        return regression_html(self)
