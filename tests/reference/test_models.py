"""Coefficients, spreads, abnormal returns and forecast errors against estudy2, EventStudy, erer and eventstudies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from market_reaction.normal_models import fit_normal_model
from market_reaction.outcomes import buy_and_hold
from reference.comparison import RETURN_FLOOR, Comparison
from reference.studies import (
    COVID_ASSETS,
    ESTUDY2_MODELS,
    EVENTSTUDY_STUDIES,
    Panel,
    case_at,
    covid,
    eventstudy,
    forest,
    last_row_at_or_before,
    rows_of,
    terror,
)

pytestmark = pytest.mark.reference

each_estudy2_model = pytest.mark.parametrize("model", ESTUDY2_MODELS)
each_covid_dataset = pytest.mark.parametrize("dataset", COVID_ASSETS)


def intercept_and_slope(panel: Panel) -> np.ndarray:
    """(N, 2) coefficients; a model without a benchmark has slope 0."""
    rows = [fit.coefficients for fit in panel.fits]
    return np.array([np.append(row, 0.0)[:2] for row in rows])


# estudy2


@each_covid_dataset
@each_estudy2_model
def test_estudy2_coefficients(outside: Path, compare: Comparison, dataset: str, model: str) -> None:
    file = "estudy2/output_coefficients.csv"
    theirs = pd.read_csv(outside / file).query("dataset == @dataset and model == @model")
    panel = covid(outside, dataset, ESTUDY2_MODELS[model])
    assert [case.name for case in panel.cases] == theirs.asset.tolist()
    compare(file, intercept_and_slope(panel), theirs[["alpha", "beta"]], floor=RETURN_FLOOR)
    compare(file, [fit.nobs for fit in panel.fits], theirs.estimation_length)
    compare(file, panel.sample_std, theirs.sd_resid_n_minus_1)


@each_covid_dataset
@each_estudy2_model
def test_estudy2_abnormal_returns(outside: Path, compare: Comparison, dataset: str, model: str) -> None:
    file = "estudy2/output_abnormal_returns.csv"
    theirs = pd.read_csv(outside / file).query("dataset == @dataset and model == @model")
    returns = pd.read_csv(outside / "estudy2/input_returns.csv", index_col="date")
    shown = (
        returns
        if dataset != "missing7"
        else pd.read_csv(outside / "estudy2/input_returns_missing7.csv", index_col="date")
    )
    panel = covid(outside, dataset, ESTUDY2_MODELS[model])
    for case, fit in zip(panel.cases, panel.fits, strict=True):
        ours = pd.Series(fit.abnormal(shown[case.name].to_numpy(), returns.SP500.to_numpy()), returns.index)
        own = theirs[theirs.asset == case.name]
        compare(file, ours[own.date], own.abnormal_return, floor=RETURN_FLOOR)


# EventStudy


@pytest.mark.parametrize("study", EVENTSTUDY_STUDIES)
def test_eventstudy_coefficients_and_sigma(outside: Path, compare: Comparison, study: str) -> None:
    file = "EventStudy/output_models.csv"
    theirs = rows_of(pd.read_csv(outside / file), study)
    panel = eventstudy(outside, study)
    if panel.model == "market":
        compare(file, intercept_and_slope(panel), theirs[["alpha", "beta"]], floor=RETURN_FLOOR)
        total = [np.var(case.estimation) * len(case.estimation) for case in panel.cases]
        compare(file, 1 - [fit.residuals @ fit.residuals for fit in panel.fits] / np.array(total), theirs.r2)
    if panel.model == "market_adjusted":
        # Nothing is estimated, so our s^2 is SSR / L with L degrees of freedom; EventStudy subtracts the mean first.
        compare(file, panel.sample_std, theirs.sigma)
        assert (panel.df_resid == theirs.df + 1).all()
    else:
        compare(file, panel.residual_std, theirs.sigma)
        compare(file, panel.df_resid, theirs.df)
    compare(file, [first_autocorrelation(fit.residuals) for fit in panel.fits], theirs.resid_acf1)


def first_autocorrelation(residuals: np.ndarray) -> float:
    """First autocorrelation as R's acf, to check the order of the residuals too."""
    centred = residuals - residuals.mean()
    return float(centred[1:] @ centred[:-1] / (centred @ centred))


@pytest.mark.parametrize("study", EVENTSTUDY_STUDIES)
def test_eventstudy_single_events(outside: Path, compare: Comparison, study: str) -> None:
    file = "EventStudy/output_single_event.csv"
    theirs = rows_of(pd.read_csv(outside / file), study)
    panel = eventstudy(outside, study)
    present = np.isfinite(panel.abnormal)
    assert len(theirs) == present.sum()
    daily = theirs[["ar", "ar_t", "fec_sigma", "car", "car_t"]].to_numpy().T
    cars, counts = panel.abnormal.cumsum(axis=1), np.arange(1, len(panel.days) + 1)
    # Theirs: the spread of the residuals alone, without the error of the estimated mean or line.
    sigma = (panel.sample_std if panel.model == "market_adjusted" else panel.residual_std)[:, None]
    compare(file, panel.abnormal[present], daily[0], floor=RETURN_FLOOR)
    compare(file, (panel.abnormal / sigma)[present], daily[1])
    compare(file, cars[present], daily[3], floor=RETURN_FLOOR)
    compare(file, (cars / (sigma * np.sqrt(counts)))[present], daily[4])
    ours = np.array([panel.forecast_std(slice(i, i + 1)) for i in range(len(panel.days))]).T
    if panel.model == "market_adjusted":
        # Theirs multiplies by sqrt(1 + 1 / L) although no parameter is estimated.
        length = np.array([fit.nobs for fit in panel.fits])
        compare(file, (sigma * np.sqrt(1 + 1 / length)[:, None] * np.ones_like(ours))[present], daily[2])
        np.testing.assert_allclose(
            ours[present], np.broadcast_to(panel.residual_std[:, None], ours.shape)[present], rtol=1e-12
        )
    else:
        compare(file, ours[present], daily[2])


@pytest.mark.parametrize("study", [study for study in EVENTSTUDY_STUDIES if not study.startswith("terror33")])
def test_eventstudy_buy_and_hold_is_ours_against_the_index_itself(
    outside: Path, compare: Comparison, study: str
) -> None:
    """Theirs ignores the model, and compounds log returns as if they were simple ones; terror33 has no index."""
    file = "EventStudy/output_single_event.csv"
    theirs = rows_of(pd.read_csv(outside / file), study)
    panel = eventstudy(outside, study)
    event = np.array([case.event for case in panel.cases])
    index = np.array([case.benchmark_event for case in panel.cases])
    counts = np.arange(1, len(panel.days) + 1)
    ours = np.column_stack([buy_and_hold(event[:, :count], index[:, :count]) for count in counts])
    sigma = panel.sample_std if panel.model == "market_adjusted" else panel.residual_std
    present = np.isfinite(event)
    compare(file, ours[present], theirs.bhar, floor=RETURN_FLOOR)
    compare(file, (ours / (sigma[:, None] * np.sqrt(counts)))[present], theirs.bhar_t)


# erer

ERER_RUNS = [
    (19990505, 3, 120),
    (19990505, 3, 250),
    (19990505, 5, 120),
    (19990505, 5, 250),
    (19900622, 3, 110),
    (19900622, 5, 110),
    (20010917, 5, 250),
]
each_erer_run = pytest.mark.parametrize("run", ERER_RUNS, ids=lambda run: "-".join(map(str, run)))


def erer_rows(outside: Path, file: str, run: tuple[int, int, int]) -> pd.DataFrame:
    frame = pd.read_csv(outside / file)
    return frame[(frame[["event_date", "event_win", "est_win"]] == list(run)).all(axis=1)]


@each_erer_run
def test_erer_market_model(outside: Path, compare: Comparison, run: tuple[int, int, int]) -> None:
    file = "erer/output_market_model.csv"
    theirs = erer_rows(outside, file, run)
    panel = forest(outside, "market", *run, scale=1.0)
    params = np.array([fit.params for fit in panel.fits])
    errors = np.sqrt([np.diag(fit.coefficient_cov) for fit in panel.fits])
    for i, name in enumerate(("alpha", "beta")):
        statistic = params[:, i] / errors[:, i]
        p_value = 2 * stats.t.sf(np.abs(statistic), panel.df_resid)
        ours = np.column_stack([params[:, i], errors[:, i], statistic, p_value])
        compare(file, ours, theirs[[f"{name}.{column}" for column in "cetp"]])


@each_erer_run
def test_erer_abnormal_returns(outside: Path, compare: Comparison, run: tuple[int, int, int]) -> None:
    file = "erer/output_abnormal_returns.csv"
    theirs = erer_rows(outside, file, run).pivot_table(index="firm", columns="day", values="abnormal_return_pct")
    panel = forest(outside, "market", *run, scale=1.0)
    compare(file, panel.abnormal, theirs.loc[[case.name for case in panel.cases]])
    compare(file, panel.abnormal.mean(axis=0).cumsum(), theirs.loc["HNt_cumulative_average"])


@each_erer_run
def test_erer_car_error_lacks_the_forecast_error(outside: Path, compare: Comparison, run: tuple[int, int, int]) -> None:
    file = "erer/output_car_tests.csv"
    theirs = erer_rows(outside, file, run)
    firms, average = theirs.iloc[:-1], theirs.iloc[-1]
    panel = forest(outside, "market", *run, scale=1.0)
    count, whole = len(panel.days), slice(None)
    error = panel.residual_std * np.sqrt(count)
    car = panel.car(whole)
    compare(file, car, firms.estimate)
    compare(file, error, firms.error)
    compare(file, car / error, firms["t.value"])
    compare(file, 2 * stats.norm.sf(np.abs(car / error)), firms["p.value"])
    # GNT, the average: their error takes the firms for independent.
    joint = np.sqrt((error**2).sum()) / len(error)
    compare(file, [car.mean(), joint, car.mean() / joint], average[["estimate", "error", "t.value"]].astype(float))
    # Our error also has the part of the estimated line: m^2 / L and the sum of the market's deviations.
    factor = panel.forecast_std(whole) / error
    for ratio, case in zip(factor, panel.cases, strict=True):
        shift = case.benchmark_event.sum() - count * case.benchmark.mean()
        spread = ((case.benchmark - case.benchmark.mean()) ** 2).sum()
        assert ratio == pytest.approx(np.sqrt(1 + count / len(case.benchmark) + shift**2 / spread / count), rel=1e-12)
        assert ratio > np.sqrt(1 + count / len(case.benchmark))


# eventstudies


@pytest.mark.parametrize("window", [5, 7, 10])
def test_eventstudies_split_coefficients_and_abnormal_returns(outside: Path, compare: Comparison, window: int) -> None:
    models_file, returns_file = (
        f"eventstudies/split_output_{name}.csv" for name in ("market_model", "abnormal_returns")
    )
    stocks = pd.read_csv(outside / "eventstudies/split_input_stock_returns_pct.csv", index_col="date")
    nifty = pd.read_csv(outside / "eventstudies/split_input_other_returns_pct.csv", index_col="date").NiftyIndex
    models = pd.read_csv(outside / models_file).query("event_window == @window")
    theirs = pd.read_csv(outside / returns_file, keep_default_na=False).query("event_window == @window")
    for event in models.itertuples():
        both = pd.concat([stocks[event.name], nifty], axis=1)
        at = last_row_at_or_before(both.index, event.event_day_used)
        case = case_at(event.name, both.iloc[:, 0], both.iloc[:, 1], at, (-at, -window), (1 - window, window))
        assert case.dates[-1] == event.est_last
        for kind, model in (("marketModel", "market"), ("excessReturn", "market_adjusted")):
            fit = fit_normal_model(model, case.estimation, case.benchmark)
            own = theirs[(theirs.event_no == event.event_no) & (theirs.type == kind)]
            compare(returns_file, fit.abnormal(case.event, case.benchmark_event), own.abnormal_return_pct)
            if model == "market":
                ours = [fit.nobs, *fit.params, fit.residual_std]
                compare(models_file, ours, [event.n_obs_used, event.alpha, event.beta, event.sigma_n_minus_2])


def test_eventstudies_terror_abnormal_returns(outside: Path, compare: Comparison) -> None:
    file = "eventstudies/terror_output_ar_car.csv"
    theirs = pd.read_csv(outside / file)
    panel = terror(outside, first=0)
    table = {name: theirs.pivot_table(index="market", columns="day", values=name) for name in theirs.columns[3:]}
    markets = [case.name for case in panel.cases]
    first = {name: frame.loc[markets, 0] for name, frame in table.items()}
    compare(file, [100 * fit.params[0] for fit in panel.fits], first["est_mean"])
    compare(file, 100 * panel.residual_std, first["est_sd_n_minus_1"])
    compare(file, [fit.nobs for fit in panel.fits], first["n_est"])
    compare(file, 100 * panel.abnormal, table["abnormal_return_pct"].loc[markets])
    compare(file, 100 * panel.abnormal.cumsum(axis=1), table["car_pct"].loc[markets])


def test_eventstudies_rate_cut_abnormal_returns_by_the_minute(outside: Path, compare: Comparison) -> None:
    file = "eventstudies/ratecut_output_abnormal_returns.csv"
    theirs = pd.read_csv(outside / file)
    stocks = pd.read_csv(outside / "eventstudies/ratecut_input_stock_minute_returns.csv", index_col="timestamp_utc")
    index = pd.read_csv(outside / "eventstudies/ratecut_input_index_minute_returns.csv", index_col="timestamp_utc").ret
    events = pd.read_csv(outside / "eventstudies/ratecut_input_events.csv", index_col="name").when
    for unit, own in theirs.groupby("unit"):
        both = pd.concat([stocks.ret[stocks.unit == unit], index], axis=1, join="inner")
        at = last_row_at_or_before(both.index, events[unit])
        case = case_at(unit, both.iloc[:, 0], both.iloc[:, 1], at, (-at, -35), (-34, 35))
        fit = fit_normal_model("market", case.estimation, case.benchmark)
        compare(file, fit.abnormal(case.event, case.benchmark_event), own.abnormal_return, floor=RETURN_FLOOR)


def test_eventstudies_earnings_average_abnormal_returns(outside: Path, compare: Comparison) -> None:
    file = "eventstudies/kg_output_aar_caar.csv"
    stocks = pd.read_csv(outside / "eventstudies/kg_input_stock_returns.csv.gz", index_col="day")
    market = pd.read_csv(outside / "eventstudies/kg_input_market_returns.csv.gz", index_col="day")
    events = pd.read_csv(outside / "eventstudies/kg_input_events.csv")
    for category, theirs in pd.read_csv(outside / file).groupby("category"):
        names = events.company[events.category == category]
        abnormal = np.array([excess_return(stocks[name].to_numpy(), market[name].to_numpy()) for name in names])
        aar = np.nanmean(abnormal, axis=0)
        # The inputs have 10 digits, the averages 15: 1e-9 is what 10 digits allow.
        compare(file, aar, theirs.aar, rtol=1e-8, floor=1e-3)
        compare(file, aar.cumsum(), theirs["caar_from_day_minus30"], rtol=1e-8, floor=1e-2)


def excess_return(stock: np.ndarray, market: np.ndarray) -> np.ndarray:
    """Market-adjusted abnormal returns of all days."""
    return fit_normal_model("market_adjusted", stock, market).abnormal(stock, market)
