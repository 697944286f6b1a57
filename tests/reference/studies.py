"""The studies that other programs ran, rebuilt from their inputs: returns by case, and our fits of a normal model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

from market_reaction.engine import linear
from market_reaction.normal_models import NormalFit, fit_normal_model, fits

ESTUDY2_MODELS = {"mean_adj": "constant_mean", "mrkt_adj": "market_adjusted", "sim": "market"}
EVENTSTUDY_MODELS = {
    "ComparisonPeriodMeanAdjustedModel": "constant_mean",
    "MarketAdjustedModel": "market_adjusted",
    "MarketModel": "market",
}
EVENTSTUDY_STUDIES = [
    *(
        f"{study} {model}"
        for study in (
            "sp500additions_w-2_2_L120 log",
            "sp500additions_w-2_2_L120 simple",
            "sp500additions_w-10_10_L120 log",
            "sp500additions_w-10_10_L120 simple",
            "covid5_w0_4_L240 log",
            "forest14_19990505_w-3_3_L250 simple",
            "forest14_19900622_w-3_3_L110 simple",
        )
        for model in EVENTSTUDY_MODELS
    ),
    "terror33_w-10_10_L20 simple ComparisonPeriodMeanAdjustedModel",
]
FORESTS = {"19990505_w-3_3_L250": (19990505, 3, 250), "19900622_w-3_3_L110": (19900622, 3, 110)}
COVID_DAYS = ["2020-03-16", "2020-03-17", "2020-03-18", "2020-03-19", "2020-03-20"]
COVID_ASSETS = {
    "full7": ("AMZN", "ZM", "UBER", "NFLX", "SHOP", "FB", "UPWK"),
    "complete5": ("AMZN", "NFLX", "SHOP", "FB", "UPWK"),
    "missing7": ("AMZN", "ZM", "UBER", "NFLX", "SHOP", "FB", "UPWK"),
}


@dataclass(frozen=True)
class Case:
    """One asset around one event: returns and benchmark returns of the estimation and the event window."""

    name: str
    dates: pd.Index
    estimation: np.ndarray
    event: np.ndarray
    benchmark: np.ndarray
    benchmark_event: np.ndarray


@dataclass(frozen=True)
class Panel:
    """Cases with one normal model fitted to each; absent days and short histories are NaN."""

    model: str
    days: Sequence[object]
    cases: tuple[Case, ...]

    @cached_property
    def fits(self) -> list[NormalFit]:
        return [fit_normal_model(self.model, case.estimation, case.benchmark) for case in self.cases]

    @cached_property
    def abnormal(self) -> np.ndarray:
        """Abnormal returns of the event window, (N, m)."""
        rows = [fit.abnormal(case.event, case.benchmark_event) for fit, case in self._pairs]
        return np.array(rows)

    @cached_property
    def residuals(self) -> np.ndarray:
        """Estimation residuals in the rows of the window, (N, L)."""
        return np.array([fit.abnormal(case.estimation, case.benchmark) for fit, case in self._pairs])

    @cached_property
    def dated_residuals(self) -> np.ndarray:
        """Estimation residuals with one row per calendar date, (dates, N)."""
        columns = {
            i: pd.Series(row, case.dates) for i, (row, case) in enumerate(zip(self.residuals, self.cases, strict=True))
        }
        return pd.DataFrame(columns).to_numpy()

    @cached_property
    def df_resid(self) -> np.ndarray:
        return np.array([fit.df_resid for fit in self.fits])

    @cached_property
    def residual_std(self) -> np.ndarray:
        return np.array([fit.residual_std for fit in self.fits])

    @cached_property
    def sample_std(self) -> np.ndarray:
        """Standard deviation of the residuals with divisor n - 1: what estudy2 and EventStudy divide by at times."""
        return np.array([np.std(fit.residuals, ddof=1) for fit in self.fits])

    @cached_property
    def all_days(self) -> np.ndarray:
        """Residuals and abnormal returns of both windows beside each other, (N, L + m)."""
        return np.hstack([self.residuals, self.abnormal])

    @property
    def length(self) -> int:
        """Rows of the estimation window, L."""
        return self.residuals.shape[1]

    def columns(self, window: slice) -> slice:
        """A window of the event days as columns of ``all_days``."""
        return slice(self.length + window.start, self.length + window.stop)

    def car(self, window: slice) -> np.ndarray:
        """Sum of the abnormal returns of the window, (N,); NaN where a day is absent."""
        return self.abnormal[:, window].sum(axis=1)

    def forecast_std(self, window: slice) -> np.ndarray:
        """Forecast standard error of the CAR of the window, (N,)."""
        return np.sqrt([covariance[window, window].sum() for covariance in self._covariances])

    def scar(self, window: slice) -> np.ndarray:
        """CAR over its forecast standard error, (N,)."""
        return self.car(window) / self.forecast_std(window)

    def position(self, first: object, last: object | None = None) -> slice:
        """Columns of the event window from one day to another, both included."""
        days = [str(day) for day in self.days]
        return slice(days.index(str(first)), days.index(str(first if last is None else last)) + 1)

    @property
    def _pairs(self):
        return zip(self.fits, self.cases, strict=True)

    @cached_property
    def _covariances(self) -> list[np.ndarray]:
        return [fit.forecast_covariance(len(self.days), case.benchmark_event) for fit, case in self._pairs]


def case_at(
    name: str, returns: pd.Series, benchmark: pd.Series, at: int, estimation: tuple[int, int], event: tuple[int, int]
) -> Case:
    """Case whose windows are inclusive offsets from row ``at``; NaN for days of the event window past the last row."""
    before = slice(at + estimation[0], at + estimation[1] + 1)
    around = np.arange(at + event[0], at + event[1] + 1)
    held = around < len(returns)
    rows = np.where(held, around, 0)
    return Case(
        name,
        returns.index[before],
        returns.to_numpy()[before],
        np.where(held, returns.to_numpy()[rows], np.nan),
        benchmark.to_numpy()[before],
        np.where(held, benchmark.to_numpy()[rows], np.nan),
    )


def last_row_at_or_before(index: pd.Index, date: str) -> int:
    """The package's day 0: the event date, or the last observation before it."""
    return int(index.searchsorted(date, side="right")) - 1


@cache
def covid(folder: Path, dataset: str, model: str) -> Panel:
    """estudy2: one common window 16-20 March 2020, estimation 1 April 2019 to 13 March 2020."""
    shipped = pd.read_csv(folder / "estudy2/input_returns.csv", index_col="date")
    missing = pd.read_csv(folder / "estudy2/input_returns_missing7.csv", index_col="date")
    returns = missing if dataset == "missing7" else shipped
    at = returns.index.get_loc(COVID_DAYS[0])
    windows = ((-at, -1), (0, 4))
    cases = (case_at(asset, returns[asset], shipped.SP500, at, *windows) for asset in COVID_ASSETS[dataset])
    return Panel(model, COVID_DAYS, tuple(cases))


@cache
def forest(folder: Path, model: str, date: int, days: int, length: int, scale: float = 0.01) -> Panel:
    """erer: 14 forest firms, ``days`` sessions either side, estimation of ``length`` sessions directly before."""
    returns = pd.read_csv(folder / "erer/input_returns_pct.csv", index_col="date") * scale
    at = returns.index.get_loc(date)
    windows = ((-days - length, -days - 1), (-days, days))
    cases = (case_at(firm, returns[firm], returns.sp500, at, *windows) for firm in returns.columns[2:])
    return Panel(model, range(-days, days + 1), tuple(cases))


@cache
def additions(folder: Path, model: str, days: int, returns: str = "log") -> Panel:
    """EventStudy: 16 additions to the S&P 500 on their own dates, estimation -130 to -11."""
    prices = pd.read_csv(folder / "EventStudy/sp500additions_input_firm_prices.csv", index_col="date")
    index = pd.read_csv(folder / "EventStudy/sp500additions_input_index_level.csv", index_col="date").SP500
    events = pd.read_csv(folder / "EventStudy/sp500additions_input_events.csv").sort_values("event_id")
    cases = []
    for event in events.itertuples():
        own = prices.price[prices.symbol == event.firm_symbol]
        levels = pd.concat([own, index], axis=1, join="inner")
        positive = levels.where(levels > 0)  # one firm has two negative prices, far from every window
        # The logarithm of the ratio, not a difference of logarithms: equal moves then are equal, and tie in ranks.
        both = (np.log(positive / positive.shift()) if returns == "log" else levels.pct_change()).iloc[1:]
        at = both.index.get_loc(event.event_date)
        cases.append(case_at(str(event.event_id), both.price, both.SP500, at, (-130, -11), (-days, days)))
    return Panel(model, range(-days, days + 1), tuple(cases))


@cache
def terror(folder: Path, first: int = -10) -> Panel:
    """eventstudies: 33 stock indices around 11 September 2001, each on its own days; constant mean, -30 to -11."""
    returns = pd.read_csv(folder / "eventstudies/terror_input_index_returns_pct.csv", index_col="date") * 0.01
    events = pd.read_csv(folder / "eventstudies/terror_input_events.csv", index_col="name").when
    cases = []
    for market, date in events.items():
        own = returns[market].dropna()
        cases.append(case_at(market, own, own, own.index.get_loc(date), (-30, -11), (first, 10)))
    panel = Panel("constant_mean", range(first, 11), tuple(cases))
    # The study has 20 returns and so 19 degrees of freedom, one fewer than we accept from a user.
    with mock.patch.object(fits, "MINIMUM_DF", 19), mock.patch.object(linear, "MINIMUM_DF", 19):
        assert len(panel.fits) == 33
    return panel


def eventstudy(folder: Path, study: str) -> Panel:
    """Panel behind one entry of ``EVENTSTUDY_STUDIES``."""
    dataset, returns, name = study.split()
    model, kind = EVENTSTUDY_MODELS[name], dataset.partition("_")[0]
    if kind == "sp500additions":
        return additions(folder, model, 2 if "w-2_2" in dataset else 10, returns)
    if kind == "covid5":
        return replace(covid(folder, "complete5", model), days=range(5))
    if kind == "terror33":
        return terror(folder)
    return forest(folder, model, *FORESTS[dataset.partition("_")[2]])


def rows_of(frame: pd.DataFrame, study: str) -> pd.DataFrame:
    """Rows of an output of R EventStudy that belong to one entry of ``EVENTSTUDY_STUDIES``."""
    dataset, returns, model = study.split()
    return frame[(frame.dataset == dataset) & (frame.returns == returns) & (frame.model == model)]
