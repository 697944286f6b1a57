"""CARs, classic bands and exposures of R eventstudies.

Not compared: Wilcoxon bands (97.5% intervals labelled 95%), bootstrap bands and extreme events (R's random numbers, and
no such function here), and exposures to a purged market (its residuals are put back on the wrong dates).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from market_reaction.inference.parametric import event_level_t
from market_reaction.normal_models import fit_normal_model
from reference.comparison import Comparison
from reference.studies import case_at, last_row_at_or_before, terror

pytestmark = pytest.mark.reference

MODELS = {"marketModel": "market", "excessReturn": "market_adjusted", "None": "none"}
SETTINGS = [(window, kind) for window in (5, 7, 10) for kind in MODELS]


def split_abnormal(outside: Path, window: int, kind: str) -> tuple[list[int], np.ndarray]:
    """Numbers of the usable split events and their abnormal returns, (K, 2 window)."""
    stocks = pd.read_csv(outside / "eventstudies/split_input_stock_returns_pct.csv", index_col="date")
    nifty = pd.read_csv(outside / "eventstudies/split_input_other_returns_pct.csv", index_col="date").NiftyIndex
    events = pd.read_csv(outside / "eventstudies/split_output_outcomes.csv", keep_default_na=False)
    events = events.query("event_window == @window and type == @kind and outcome == 'success'")
    rows = []
    for event in events.itertuples():
        at = last_row_at_or_before(nifty.index, event.when)
        case = case_at(event.name, stocks[event.name], nifty, at, (-at, -window), (1 - window, window))
        if kind == "None":
            rows.append(case.event)
        else:
            fit = fit_normal_model(MODELS[kind], case.estimation, case.benchmark)
            rows.append(fit.abnormal(case.event, case.benchmark_event))
    return events.event_no.tolist(), np.array(rows)


def t_interval(values: np.ndarray, level: float) -> list[float]:
    """Interval that inverts our event-level t."""
    test = event_level_t(values)
    half = stats.t.ppf((1 + level) / 2, test.df) * abs(values.mean() / test.statistic)
    return [values.mean() - half, values.mean(), values.mean() + half]


@pytest.mark.parametrize(("window", "kind"), SETTINGS)
def test_split_car_is_ours_less_the_first_abnormal_return(
    outside: Path, compare: Comparison, window: int, kind: str
) -> None:
    file = "eventstudies/split_output_car.csv"
    theirs = pd.read_csv(outside / file, keep_default_na=False)
    theirs = theirs.query("event_window == @window and type == @kind and remap == 'cumsum'")
    numbers, abnormal = split_abnormal(outside, window, kind)
    table = theirs.pivot_table(index="event_no", columns="day", values="car").loc[numbers]
    car = abnormal.cumsum(axis=1)
    compare(file, car - abnormal[:, :1], table)
    assert (np.abs(car[:, -1] - table.iloc[:, -1]) > 0.01).any()
    np.testing.assert_allclose(table.iloc[:, 0], 0.0)


@pytest.mark.parametrize(("window", "kind"), SETTINGS)
def test_split_classic_bands(outside: Path, compare: Comparison, window: int, kind: str) -> None:
    file = "eventstudies/split_output_confidence_bands.csv"
    theirs = pd.read_csv(outside / file, na_values=[""], keep_default_na=False)
    theirs = theirs.query("event_window == @window and type == @kind and remap == 'cumsum' and strategy == 'classic'")
    _, abnormal = split_abnormal(outside, window, kind)
    car = (abnormal.cumsum(axis=1) - abnormal[:, :1])[:, 1:]  # all zero on their first day
    compare(file, [t_interval(day, 0.95) for day in car.T], theirs[["lo", "centre", "hi"]].iloc[1:])


def test_terror_classic_bands(outside: Path, compare: Comparison) -> None:
    file = "eventstudies/terror_output_confidence_bands.csv"
    theirs = pd.read_csv(outside / file).query("strategy == 'classic'")
    car = 100 * terror(outside, first=0).abnormal.cumsum(axis=1)
    compare(file, [t_interval(day, 0.95) for day in car.T], theirs[["lo", "centre", "hi"]])


def test_rate_cut_classic_bands_leave_out_the_first_minute(outside: Path, compare: Comparison) -> None:
    file = "eventstudies/ratecut_output_confidence_bands.csv"
    theirs = pd.read_csv(outside / file).query("strategy == 'classic'")
    returns = pd.read_csv(outside / "eventstudies/ratecut_output_abnormal_returns.csv")
    abnormal = returns.pivot_table(index="event_no", columns="minute", values="abnormal_return").to_numpy()
    car = abnormal[:, 1:].cumsum(axis=1)
    compare(file, [t_interval(minute, 0.95) for minute in car.T], theirs[["lo", "centre", "hi"]].iloc[1:], floor=1e-4)


def test_exposures_by_the_factor_model(outside: Path, compare: Comparison) -> None:
    """Market, other and its first lag; their exposure to the other is the sum over its lags."""
    file = "eventstudies/amm_output_exposures.csv"
    stocks = pd.read_csv(outside / "eventstudies/split_input_stock_returns_pct.csv", index_col="date")
    others = pd.read_csv(outside / "eventstudies/split_input_other_returns_pct.csv", index_col="date")
    ours, theirs = [], pd.read_csv(outside / file).query("not market_purged")
    for row in theirs.itertuples():
        factors = np.column_stack([others.NiftyIndex, others[row.other], others[row.other].shift()])
        fit = fit_normal_model("factors", stocks[row.firm].to_numpy(), factors)
        intercept, market, now, before = fit.coefficients
        ours.append([fit.nobs, intercept, market, now + before])
    compare(file, ours, theirs[["n_obs", "intercept", "exposure_market", "exposure_other"]])
