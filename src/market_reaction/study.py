"""Event studies: every event in every market, with normal returns, abnormal returns and their forecast error."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import special

from market_reaction.design import Design
from market_reaction.errors import (
    AmbiguousSessionWarning,
    DataQualityWarning,
    EstimationError,
    OverlappingEventsWarning,
    WindowError,
)
from market_reaction.inference.power import t_mde_factor
from market_reaction.instruments import ReturnKind
from market_reaction.normal_models import NormalModel
from market_reaction.pair_study import PairStudy, study_pair
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.regressors import check_choices, find_regressors
from market_reaction.sessions import reaction_sessions
from market_reaction.windows import EventWindows, Window

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.battery import TestChoice


@dataclass(frozen=True, slots=True, repr=False)
class EventStudyResult:
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

    def to_frame(self) -> pd.DataFrame:
        """Tidy frame, one row an event, market and session offset, unrounded.

        Returns
        -------
        pandas.DataFrame
            Columns event_id, market, unit, tau, actual_return, normal_return, abnormal_return, forecast_std, car
            (running sum from the first offset of the windows), car_std_error, conf_low, conf_high (95% t interval of
            each session's car alone).
        """
        frames = []
        for (event_id, market), pair in self.pairs.items():
            car = np.cumsum(pair.abnormal)
            errors = np.sqrt(np.diag(pair.forecast_cov.cumsum(axis=0).cumsum(axis=1)))
            reach = special.stdtrit(pair.fit.df_resid, 0.975) * errors
            frames.append(
                pd.DataFrame(
                    {
                        "event_id": event_id,
                        "market": market,
                        "unit": self.design.units[market],
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
            )
        return pd.concat(frames, ignore_index=True)

    def fits(self) -> pd.DataFrame:
        """Fitted models by (event_id, market).

        Returns
        -------
        pandas.DataFrame
            Parameters, residual_std, mad_std, ewma_std, df_resid, nobs, n_skipped (sessions that other events took
            from the estimation window) and exact (whether the forecast error is).
        """
        rows = []
        for (event_id, market), pair in self.pairs.items():
            rows.append(
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
            )
        return pd.DataFrame(rows).set_index(["event_id", "market"])

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
            rows.append({"event_id": event_id, "market": market} | _t_row(estimate, error, pair.fit.df_resid, level))
        return pd.DataFrame(rows).set_index(["event_id", "market"])

    def caar(self, window: Window | None = None, level: float = 0.95) -> pd.DataFrame:
        """Mean CAR over events of each market, with a t test over the K event values.

        Returns
        -------
        pandas.DataFrame
            Indexed by market: estimate, std_error, statistic, df (K - 1), p_value, conf_low, conf_high, mde, n_events.
            NaN with one event.

        References
        ----------
        Ibragimov and Muller (2010), Journal of Business and Economic Statistics 28:453.
        """
        cars = self.car(window, level)["estimate"].dropna()
        rows = []
        for market, values in cars.groupby(level="market", sort=False):
            count = len(values)
            error = float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
            rows.append(
                {"market": market} | _t_row(float(values.mean()), error, count - 1, level) | {"n_events": count}
            )
        columns = ["market", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "mde"]
        columns += ["n_events"]
        return pd.DataFrame(rows, columns=columns).set_index("market")

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

        markets = list(self.design.units)
        options = BatteryOptions.checked(
            markets,
            window=None if window is None else self._window(window),
            history=history,
            exclude=exclude,
            signs=signs,
            margin=margin,
            primary=primary,
            selected_because_it_moved=selected_because_it_moved,
        )
        return study_tests(self, tests, options)

    def bands(self, level: float = 0.95) -> pd.DataFrame:
        """CAR path with a pointwise and a simultaneous band: of the only event, or of the mean over events.

        Parameters
        ----------
        level : float
            Coverage of each band.

        Returns
        -------
        pandas.DataFrame
            Columns event_id, market, unit, tau, car, conf_low, conf_high (each session alone), simultaneous_low,
            simultaneous_high (the whole path at once) and critical, the factor on the standard error. Sessions after
            the first without a return are left out.

        Notes
        -----
        Sup-t band from the covariance of the forecast errors, with the degrees of freedom of the fit; over K events
        from the covariance of their paths, K - 1 degrees of freedom, events with a complete path only.

        References
        ----------
        Montiel Olea and Plagborg-Moller (2019), Journal of Applied Econometrics 34:1.
        """
        from market_reaction.study_frames import band_frame

        return band_frame(self, level)

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

        single = len({event_id for event_id, _ in self.pairs}) == 1
        return plots.car_paths(self.bands() if single else self.to_frame(), market=market, theme=theme)

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


def _t_row(estimate: float, error: float, df: int, level: float) -> dict[str, float]:
    usable = np.isfinite(error) and error > 0 and df > 0
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


def event_study(
    prices: PriceData,
    events: pd.DataFrame,
    *,
    markets: Sequence[str] | None = None,
    windows: EventWindows | None = None,
    normal_model: NormalModel = "constant_mean",
    returns: ReturnKind | None = None,
    benchmark: str | None = None,
    factors: Sequence[str] = (),
    donors: Sequence[str] = (),
    skip: pd.DataFrame | None = None,
    dimson: tuple[int, int] = (1, 0),
    on_bad_event: Literal["raise", "exclude"] = "raise",
) -> EventStudyResult:
    """Measure the reaction to every event in every loaded market.

    Parameters
    ----------
    prices : PriceData
        Loaded series; each keeps its own sessions.
    events : pandas.DataFrame
        As ``load_events`` gives it.
    markets : sequence of str, optional
        Loaded markets to study; all but the factors and donors when left out. Those, and a benchmark, need to be
        loaded, not studied.
    windows : EventWindows, optional
        Estimation window (-130, -11) and event windows (0, 1) and (0, 5) when left out.
    normal_model : str
        Counterfactual: a name of ``market_reaction.normal_models.NORMAL_MODELS``, which says a sentence on each. Those
        with a benchmark, factors or donors suppose that the event did not move these: if it did, the result is the
        effect relative to them.
    returns : {"log", "simple"}, optional
        Each instrument's own kind when left out (log for prices). Yields and VIX are always differences.
    benchmark : str, optional
        Market to use as benchmark for all; each instrument's default when left out. It must be loaded. The GARCH models
        take one only if it is named here.
    factors : sequence of str
        Loaded markets that ``normal_model="factors"`` regresses on.
    donors : sequence of str
        Loaded markets that ``normal_model="synthetic_control"`` mixes; they must be open in the same hours as the
        market studied.
    skip : pandas.DataFrame, optional
        Event table, such as ``mr.load_events()``: sessions of an estimation window that lie in the event window of one
        of these are left out of it. ``PairStudy.n_skipped`` counts them.
    dimson : tuple of int
        Sessions of the benchmark before and after each session that ``normal_model="dimson"`` takes.
    on_bad_event : {"raise", "exclude"}
        Whether events that cannot be measured stop the study (all are listed) or are moved to ``excluded``.

    Returns
    -------
    EventStudyResult

    Raises
    ------
    WindowError
        Events whose windows reach beyond the data or lose too many sessions to ``skip``; all are listed at once.
        Factors or donors that do not belong to the model, or donors open in other hours.
    EstimationError
        Events on whose estimation window the model cannot be fitted: a constant series, collinear factors, a GARCH that
        does not converge. It is a ``WindowError`` too.
    UnknownInstrumentError
        A benchmark, factor or donor that is not loaded.

    Warns
    -----
    AmbiguousSessionWarning
        The bounds of an event straddle a close, so that another session than the one used is possible.
    DataQualityWarning
        A row inside an event window breaks a quality rule.
    OverlappingEventsWarning
        Two events share sessions of one market.

    Notes
    -----
    AR_t = R_t - E[R_t]; CAR(t1, t2) is the sum of AR over the window; Var(CAR) = s^2 [m + x_W'(X'X)^-1 x_W] with L - k
    degrees of freedom, exact for the models whose ``NORMAL_MODELS`` entry says so and approximate for the others.

    References
    ----------
    Brown and Warner (1985), Journal of Financial Economics 14:3; MacKinlay (1997), Journal of Economic Literature
    35:13.
    """
    windows = windows or EventWindows()
    check_choices(normal_model, factors, donors)
    if returns not in (None, "log", "simple"):
        raise WindowError(
            f"returns={returns!r} is not known; choose 'log' or 'simple', or leave it out for each market's own kind."
        )
    inputs = {prices[name].name for name in (*factors, *donors)}
    studied = [series for series in prices if series.name not in inputs]
    if markets is not None:
        studied = [prices[name] for name in markets]
    sessions = reaction_sessions(events, PriceData({series.name: series for series in studied}))
    pairs: dict[tuple[str, str], PairStudy] = {}
    excluded: list[dict[str, object]] = []
    bad: list[WindowError] = []
    regressors = {
        series.name: find_regressors(prices, series, normal_model, benchmark, factors, donors) for series in studied
    }
    design = Design(
        normal_model=normal_model,
        returns=returns,
        regressors={market: tuple(item.name for item in items) for market, items in regressors.items()},
        units={series.name: series.instrument.change_unit for series in studied},
        skip=skip,
        dimson=dimson,
    )
    for series in studied:
        counterfactual = design.counterfactual(series, prices, windows)
        for event_id in events.index:
            session = sessions.at[(event_id, series.name), "session"]
            position = int(series.sessions.get_indexer(pd.DatetimeIndex([session]))[0])
            position = len(series.sessions) if position < 0 else position
            try:
                pair = study_pair(event_id, series, position, windows, counterfactual)
            except WindowError as error:
                bad.append(error)
                excluded.append(_left_out(event_id, series.name, session, str(error)))
                continue
            pairs[event_id, series.name] = pair
            excluded += _nan_returns(event_id, series, pair, windows)
            _warn_quality(event_id, series, position, windows)
        _warn_overlap(series.name, pairs, windows)
    _warn_ambiguous(sessions)
    if bad and (on_bad_event == "raise" or not pairs):
        advice = [] if on_bad_event == "exclude" else ["Or leave such events out with on_bad_event='exclude'."]
        kind = EstimationError if all(isinstance(error, EstimationError) for error in bad) else WindowError
        raise kind("\n".join([*dict.fromkeys(map(str, bad)), *advice]))
    return EventStudyResult(
        pairs=pairs,
        events=events,
        sessions=sessions,
        windows=windows,
        design=design,
        excluded=pd.DataFrame(excluded, columns=["event_id", "market", "session", "reason"]),
        prices=prices,
    )


def _left_out(event_id: object, market: str, session: object, reason: str) -> dict[str, object]:
    return {"event_id": event_id, "market": market, "session": session, "reason": reason}


def _nan_returns(event_id: str, series: PriceSeries, pair: PairStudy, windows: EventWindows) -> list[dict[str, object]]:
    """Sessions of the windows that have no return although the series has rows for them."""
    if series.instrument.is_difference:
        return []
    start = pair.position + windows.estimation[0]
    stop = min(pair.position + windows.span_offsets[1], len(series.sessions) - 1) + 1
    levels = series.closes
    bad = start + np.flatnonzero(np.isnan(series.returns("log")[start:stop]))
    return [
        _left_out(
            event_id,
            series.name,
            series.sessions[at],
            f"no return: the level went from {levels[at - 1]:g} to {levels[at]:g}, and a return needs both above zero",
        )
        for at in bad.tolist()
    ]


def findings_inside(series: PriceSeries, position: int, windows: EventWindows) -> pd.DataFrame:
    """Quality findings from the session before day 0 to the end of the largest event window."""
    first, last = windows.span_offsets
    sessions = series.sessions
    start, stop = max(position + first - 1, 0), min(position + last, len(sessions) - 1)
    return series.quality.between(sessions[start], sessions[stop], information=False)


def _warn_quality(event_id: str, series: PriceSeries, position: int, windows: EventWindows) -> None:
    for found in findings_inside(series, position, windows).itertuples():
        warnings.warn(
            f"event {event_id!r} uses {series.name!r} on {found.session:%Y-%m-%d}: {found.rule} ({found.value}, bound "
            f"{found.bound}). {found.what_to_do}",
            DataQualityWarning,
            stacklevel=3,
        )


def _warn_ambiguous(sessions: pd.DataFrame) -> None:
    said = []
    for row in sessions[sessions["ambiguous"]].reset_index().to_dict("records"):
        days = [f"{day:%Y-%m-%d}" for day in row["candidates"]]
        possible = " and ".join(days if len(days) > 1 else [*days, "the session after the data end"])
        said.append(
            f"the bounds of event {row['event_id']!r} straddle a close of {row['market']!r}: {possible} are possible. "
            f"Using {row['session']:%Y-%m-%d}; react() measures each of them."
        )
    _warn_once(said, AmbiguousSessionWarning)


def _warn_once(said: list[str], kind: type[Warning]) -> None:
    """One warning for several cases of a kind: the first, and how many more there are."""
    if said:
        more = f" ({len(said) - 1} more such cases.)" if len(said) > 1 else ""
        warnings.warn(f"{said[0]}{more}", kind, stacklevel=4)


def _warn_overlap(market: str, pairs: Mapping[tuple[str, str], PairStudy], windows: EventWindows) -> None:
    low, high = windows.span_offsets
    said = []
    placed = sorted((pair.position, event_id) for (event_id, name), pair in pairs.items() if name == market)
    for (before, first), (after, second) in pairwise(placed):
        if after + low <= before + high:
            said.append(
                f"events {first!r} and {second!r} share sessions of {market!r}: their day 0 lie "
                f"{after - before} sessions "
                f"apart and the windows reach from {low} to {high}. Merge them or shorten the windows."
            )
    _warn_once(said, OverlappingEventsWarning)
