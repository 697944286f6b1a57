"""What ``event_study`` found: fits, abnormal returns and forecast errors, and the frames made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import special

from market_reaction import wording
from market_reaction.design import Design
from market_reaction.errors import WindowError
from market_reaction.exports import Provenance, Reportable
from market_reaction.inference.arrays import ROUNDING
from market_reaction.inference.overlap import cluster_means, merge_overlapping
from market_reaction.inference.power import t_mde_factor
from market_reaction.pair_study import PairStudy
from market_reaction.prices import PriceData
from market_reaction.windows import EventWindows, Window

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.battery import TestChoice

T_COLUMNS = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "mde"]  # of ``t_row``


@dataclass(frozen=True, slots=True, repr=False)
class EventStudyResult(Reportable):
    """What ``event_study`` found; everything else is computed from these.

    Attributes
    ----------
    pairs : mapping of (event_id, market) to PairStudy
        Fits, abnormal returns and forecast covariances.
    events : pandas.DataFrame
        The event table.
    sessions : pandas.DataFrame
        As ``reaction_sessions`` gives it.
    windows : EventWindows
        Estimation and event windows.
    design : Design
        Normal-return model, return kind and benchmarks.
    excluded : pandas.DataFrame
        Columns event_id, market, session, reason: what was left out and why.
    prices : PriceData
        The series the study was made of, with their vintage.
    """

    pairs: Mapping[tuple[str, str], PairStudy]
    events: pd.DataFrame
    sessions: pd.DataFrame
    windows: EventWindows
    design: Design
    excluded: pd.DataFrame
    prices: PriceData

    @property
    def vintage(self) -> pd.DataFrame:
        """Provenance of every series, as ``PriceData.vintage`` gives it."""
        return self.prices.vintage

    @property
    def studied_events(self) -> tuple[str, ...]:
        """Events that were measured in at least one market, in order."""
        return tuple(dict.fromkeys(event_id for event_id, _ in self.pairs))

    def to_frame(self) -> pd.DataFrame:
        """Tidy frame, one row an event, market and session offset, unrounded.

        Returns
        -------
        pandas.DataFrame
            Columns event_id, market, unit, tau, actual_return, normal_return, abnormal_return, forecast_std, car
            (running sum from the first offset of the windows), car_std_error, conf_low, conf_high (95% t interval of
            each session's car alone).
        """
        from market_reaction.study_frames import session_frame

        return session_frame(self)

    def fits(self) -> pd.DataFrame:
        """Fitted models by (event_id, market).

        Returns
        -------
        pandas.DataFrame
            Parameters, residual_std, mad_std, ewma_std, df_resid, nobs, n_skipped (sessions that other events took
            from the estimation window) and exact (whether the forecast error is).
        """
        from market_reaction.study_frames import fit_frame

        return fit_frame(self)

    def car(self, window: Window | None = None, level: float = 0.95) -> pd.DataFrame:
        """Cumulative abnormal return of each event and market.

        Parameters
        ----------
        window : tuple of int, optional
            Inclusive offsets inside the study's windows; the first event window when left out.
        level : float
            Coverage of the interval.

        Returns
        -------
        pandas.DataFrame
            Indexed by (event_id, market): estimate, std_error, statistic, df, p_value, conf_low, conf_high, mde. The t
            test holds for normal errors of constant variance; for one event the placebo p leads.
        """
        if not 0 < level < 1:
            raise WindowError(f"level={level} is no coverage; give a share between 0 and 1, such as 0.95.")
        chosen = self._window(window)
        rows = []
        for (event_id, market), pair in self.pairs.items():
            estimate, error = pair.car(chosen)
            rows.append({"event_id": event_id, "market": market} | t_row(estimate, error, pair.fit.df_resid, level))
        return pd.DataFrame(rows, columns=["event_id", "market", *T_COLUMNS]).set_index(["event_id", "market"])

    def caar(self, window: Window | None = None, level: float = 0.95) -> pd.DataFrame:
        """Mean CAR over events of each market, with a t test over the K event values.

        Returns
        -------
        pandas.DataFrame
            Indexed by market: estimate, std_error, statistic, df (K - 1), p_value, conf_low, conf_high, mde, n_events
            and n_clusters. Events whose windows overlap are one cluster and count as one value, their mean: K is the
            number of clusters. NaN with one.

        References
        ----------
        Ibragimov and Muller (2010), Journal of Business and Economic Statistics 28:453.
        """
        cars = self.car(window, level)["estimate"].dropna()
        rows = []
        for market, values in cars.groupby(level="market", sort=False):
            clusters = self.clusters(str(market), window)[values.index.get_level_values("event_id")]
            merged = cluster_means(values.to_numpy(), clusters.to_numpy())
            count = len(merged)
            error = float(merged.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
            counts = {"n_events": len(values), "n_clusters": count}
            rows.append({"market": market} | t_row(float(merged.mean()), error, count - 1, level) | counts)
        columns = ["market", *T_COLUMNS, "n_events", "n_clusters"]
        return pd.DataFrame(rows, columns=columns).set_index("market")

    def clusters(self, market: str, window: Window | None = None) -> pd.Series:
        """Label of each event of a market; events whose windows overlap share one.

        Parameters
        ----------
        market : str
            A market studied.
        window : tuple of int, optional
            Inclusive offsets; the first event window when left out.
        """
        first, last = self._window(window)
        day_zero = {event_id: pair.position for (event_id, name), pair in self.pairs.items() if name == market}
        labels = merge_overlapping(np.array(list(day_zero.values())), last - first + 1)
        return pd.Series(labels, index=list(day_zero), name="cluster")

    def summary(self, window: Window | None = None, level: float = 0.95) -> pd.DataFrame:
        """One row a market: the CAR of the only event, or the mean over events, with n_events and n_excluded."""
        single = len(self.events) == 1
        frame = self.car(window, level).droplevel("event_id") if single else self.caar(window, level)
        unstudied = [
            key not in self.pairs for key in zip(self.excluded["event_id"], self.excluded["market"], strict=True)
        ]
        counts = self.excluded[np.array(unstudied, dtype=bool)].groupby("market")["event_id"].nunique()
        return frame.assign(
            n_events=1 if single else frame["n_events"],
            n_excluded=counts.reindex(frame.index).fillna(0).astype(int),
        )

    def tests(
        self,
        tests: TestChoice = "all",
        *,
        window: Window | None = None,
        history: int = 500,
        exclude: pd.DataFrame | None = None,
        signs: Mapping[str, float] | None = None,
        margin: float | Mapping[str, float] | None = None,
        primary: str | None = None,
        selected_because_it_moved: bool = False,
    ) -> pd.DataFrame:
        """Every test that belongs to this case: its p, its domain, or the reason why it does not apply.

        Parameters
        ----------
        tests : {"headline", "all"} or sequence of str
            Names as in ``market_reaction.battery.TESTS``.
        window : tuple of int, optional
            Window tested; day 0 of a single event, the first event window of several when left out.
        history : int
            Pool size of the placebo tests.
        exclude : pandas.DataFrame, optional
            Events kept out of every placebo pool.
        signs : mapping of str to float, optional
            Direction expected of each market, +1 or -1, fixed before looking.
        margin : float or mapping of str to float, optional
            Largest move that counts as no reaction, in the unit of the market, fixed before looking.
        primary : str, optional
            The market the question is about: its p stands, the others are adjusted for having been looked at.
        selected_because_it_moved : bool
            Whether the dates were chosen because the market moved: every p is then void.

        Returns
        -------
        pandas.DataFrame
            One row a test, event and market: event_id, market, test, setting, role, window, statistic, p_value, floor,
            mde, conf_low, conf_high, smallest_margin, unit, df, distribution, n, validity, null, p_is_of, note.

        Raises
        ------
        WindowError
            Unknown test, a window beyond the study's, a sign that is not +1 or -1, a margin not above zero.
        UnknownInstrumentError
            ``signs``, ``margin`` or ``primary`` name a market that is not studied.
        """
        from market_reaction.battery import BatteryOptions
        from market_reaction.battery.frame import study_tests

        options = BatteryOptions.checked(
            self.design.units,
            window=None if window is None else self._window(window),
            history=history,
            exclude=exclude,
            signs=signs,
            margin=margin,
            primary=primary,
            selected_because_it_moved=selected_because_it_moved,
        )
        return study_tests(self, tests, options)

    def bands(self, level: float = 0.95, *, market: str | None = None) -> pd.DataFrame:
        """CAR path with a pointwise and a simultaneous band: of the only event, or of the mean over events.

        Parameters
        ----------
        level : float
            Coverage of each band.
        market : str, optional
            The only market to work it out for; all when left out.

        Returns
        -------
        pandas.DataFrame
            Columns event_id, market, unit, tau, car, conf_low, conf_high (each session alone), simultaneous_low,
            simultaneous_high (the whole path at once) and critical, the factor on the standard error. Sessions after
            the first without a return are left out.

        Notes
        -----
        Sup-t band from the covariance of the forecast errors, with the degrees of freedom of the fit; over K events
        from the covariance of their paths, K - 1 degrees of freedom; events with a complete path only, those that
        overlap merged to one.

        References
        ----------
        Montiel Olea and Plagborg-Moller (2019), Journal of Applied Econometrics 34:1.
        """
        from market_reaction.study_frames import band_frame

        return band_frame(self, level, market)

    def diagnostics(self) -> pd.DataFrame:
        """What the residuals of the estimation windows look like.

        Returns
        -------
        pandas.DataFrame
            Indexed by (event_id, market, diagnostic): value, p_value, null, note. Normality (Jarque-Bera),
            autocorrelation (Ljung-Box), ARCH effects (Engle), a break in variance (Inclan-Tiao), the largest residual
            (Grubbs), the influence of the three largest on s, and the share of sessions without a move.
        """
        from market_reaction.study_frames import diagnostic_frame

        return diagnostic_frame(self)

    def power(self, effects: Sequence[float] | None = None, level: float = 0.95) -> pd.DataFrame:
        """Chance to find effects of several sizes: on day 0 of a single event, in the mean CAR over several.

        Parameters
        ----------
        effects : sequence of float, optional
            Effects in the unit of the market's moves; quarters of the standard error up to four when left out.
        level : float
            One minus the size of the two-sided tests.

        Returns
        -------
        pandas.DataFrame
            Indexed by (market, effect): unit, power_t, exaggeration (expected size of a significant estimate over the
            true effect), wrong_sign (its chance of the wrong sign) and, for one event, power_placebo.

        Raises
        ------
        WindowError
            No market has a standard error.

        References
        ----------
        Gelman and Carlin (2014), Perspectives on Psychological Science 9:641.
        """
        from market_reaction.study_frames import power_frame

        return power_frame(self, effects, level)

    def __repr__(self) -> str:
        """Count what was studied; ``summary()`` has the figures."""
        markets = list(dict.fromkeys(market for _, market in self.pairs))
        return (
            f"<EventStudyResult: {len(self.events)} event(s), {', '.join(markets)}; see summary(), car(), to_frame()>"
        )

    def plot(self, *, market: str | None = None, theme: Literal["auto", "light", "dark"] = "auto") -> go.Figure:
        """CAR paths, those of one event with a pointwise and a simultaneous band: one market, or a panel for each."""
        from market_reaction import plots
        from market_reaction.panels import sources

        frame = self.bands() if len(self.studied_events) == 1 else self.to_frame()
        known = tuple(dict.fromkeys(frame["market"]))
        drawn = (market,) if market in known else known  # car_paths refuses what is not known
        return plots.car_paths(frame, market=market, source=sources(self.prices, drawn), theme=theme)

    def answer(self, width: int | None = None) -> str:
        """Say in a sentence or two what the mean did and whether it can be told from zero, on lines of ``width``."""
        from market_reaction.study_words import study_answer

        return wording.filled(study_answer(self), width)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        from market_reaction.exports import study_tables

        return study_tables.study_tables(self)

    def provenance(self) -> Provenance:
        """What was asked for, the series used with their vintage, and the package version."""
        from market_reaction.exports import study_tables

        return study_tables.study_provenance(self)

    def printed(self) -> dict[str, pd.DataFrame]:
        """The summary of every event window as it is read."""
        from market_reaction.exports import study_tables

        return study_tables.printed_study(self)

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Every chart by name: the path of each market with its bands, and of several events one by one."""
        from market_reaction.exports import study_tables

        return study_tables.study_figures(self, theme)

    def _window(self, window: Window | None) -> Window:
        low, high = self.windows.span_offsets
        chosen = self.windows.event[0] if window is None else (int(window[0]), int(window[1]))
        if not low <= chosen[0] <= chosen[1] <= high:
            raise WindowError(
                f"window={chosen} reaches beyond the offsets {low} to {high} of this study. "
                "Run event_study with a larger event window."
            )
        return chosen

    def _repr_html_(self) -> str:
        from market_reaction import tables

        return tables.study_html(self)


def t_row(estimate: float, error: float, df: int, level: float) -> dict[str, float]:
    """Estimate with its t test, interval and smallest detectable effect; NaN without a standard error."""
    usable = np.isfinite(error) and error > ROUNDING * abs(estimate) and df > 0
    statistic = estimate / error if usable else float("nan")
    reach = special.stdtrit(df, 0.5 + level / 2) * error if usable else float("nan")
    return {
        "estimate": estimate,
        "std_error": error,
        "statistic": statistic,
        "df": df,
        "p_value": float(2 * special.stdtr(df, -abs(statistic))) if usable else float("nan"),
        "conf_low": estimate - reach,
        "conf_high": estimate + reach,
        "mde": t_mde_factor(df) * error if usable else float("nan"),
    }
