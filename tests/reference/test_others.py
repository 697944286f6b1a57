"""erer's change in risk, crseEventStudy's clustered t, and the printed figures of the EventStudyTools engine."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from market_reaction.inference import parametric, rank
from market_reaction.normal_models import fit_normal_model
from reference.comparison import Comparison

pytestmark = pytest.mark.reference


# erer


def test_erer_change_in_risk_by_the_factor_model(outside: Path, compare: Comparison) -> None:
    """Excess returns of 201 sessions on the market and the market after the event."""
    file = "erer/output_risk_change_m100_19990505.csv"
    theirs = pd.read_csv(outside / file)
    returns = pd.read_csv(outside / "erer/input_returns_pct.csv", index_col="date")
    at = returns.index.get_loc(19990505)
    window = returns.iloc[at - 100 : at + 101]
    market = (window.sp500 - window.tb3m).to_numpy()
    after = np.arange(-100, 101) > 0
    for row in theirs.to_dict("records"):
        excess = (window[row["firm"]] - window.tb3m).to_numpy()
        fit = fit_normal_model("factors", excess, np.column_stack([market, after * market]))
        errors = np.sqrt(np.diag(fit.coefficient_cov))
        statistics = fit.coefficients / errors
        p_values = 2 * stats.t.sf(np.abs(statistics), fit.df_resid)
        ours = np.array([fit.coefficients, errors, statistics, p_values]).T
        compare(file, ours, [[row[f"{name}.{part}"] for part in "cetp"] for name in ("alpha", "beta", "gama")])


# crseEventStudy


def test_crse_clustered_t(outside: Path, compare: Comparison) -> None:
    """Theirs refers t to M degrees of freedom, M clusters; ours to M - 1, as is usual."""
    file = "crseEventStudy/output_clustered_t.csv"
    data = pd.read_csv(outside / "crseEventStudy/input_share_repurchases_ars.csv")
    theirs = pd.read_csv(outside / file).query("call == 'cluster_date_and_code'").set_index("quantity").value
    plain = parametric.cross_section_t(data.ars)
    month = parametric.clustered_t(data.ars, data.date)
    firm = parametric.clustered_t(data.ars, data.code)
    both = parametric.clustered_t(data.ars, data.date, data.code)
    compare(file, [plain.n, data.ars.mean()], theirs[["N", "mean.abnormal.ret"]])
    names = ["t.val.nonclustered", "p.val.nonclustered", "t.val.one.clustered", "tcl2", "tcl12"]
    ours = [plain.statistic, plain.p_value, month.statistic, firm.statistic, both.statistic]
    compare(file, ours, theirs[names])
    variances = [(data.ars.mean() / test.statistic) ** 2 for test in (month, firm, both)]
    compare(file, variances, theirs[["var.cl1", "var.cl2", "var.cl12"]])
    compare(file, [month.df + 1, firm.df + 1], theirs[["unique.cl1", "unique.cl2"]])
    for test, name in ((month, "p.val.one.clustered"), (firm, "pcl2"), (both, "pcl12")):
        compare(file, [2 * stats.t.sf(abs(test.statistic), test.df + 1)], [theirs[name]])
        assert test.p_value > theirs[name]


def test_crse_standardised_returns(outside: Path, compare: Comparison) -> None:
    """SAR from market-adjusted residuals, ASR from each return over its own spread; spreads with divisor n - 1."""
    file = "crseEventStudy/output_sar_asr.csv"
    theirs = pd.read_csv(outside / file)
    simple = pd.read_csv(outside / "crseEventStudy/input_demo_returns.csv")[["EON", "RWE"]]
    # "_log" takes the returns as they are; "_simple" takes them for simple ones and goes to logarithms first.
    for label, returns in (("log", simple.to_numpy()), ("simple", np.log1p(simple.to_numpy()))):
        event, control = returns.T
        gap = fit_normal_model("market_adjusted", event, control).residuals
        compare(file, gap / gap.std(ddof=1), theirs[f"sar_{label}"])
        means = [fit_normal_model("constant_mean", one) for one in (event, control)]
        ours = event / means[0].residual_std - control / means[1].residual_std
        compare(file, ours, theirs[f"asr_{label}"])


# EventStudyTools: four decimals, and the rounded figures were tested

DIGIT = 1e-4
TOOLS_AR, TOOLS_CAR, TOOLS_AAR, TOOLS_CAAR = (
    f"EventStudyTools_engine/output_{name}.csv" for name in ("ar", "car", "aar_tests", "caar_tests")
)
GROUPS = {"VW Group": [1, 2, 3], "Other": [4, 5]}


def with_mean(values: pd.Series, mean: float) -> np.ndarray:
    """Values moved to the printed mean: by day the engine's t divides the rounded mean by the spread."""
    return (values - values.mean() + mean).to_numpy()


@pytest.fixture
def printed(outside: Path) -> pd.DataFrame:
    """Printed abnormal returns, one row per event and one column per day."""
    return pd.read_csv(outside / TOOLS_AR).pivot_table(index="event_id", columns="day", values="ar")


def test_eventstudytools_t_of_one_event_from_rounded_figures(
    outside: Path, compare: Comparison, printed: pd.DataFrame
) -> None:
    """AR / sigma and CAR / (sigma sqrt 5): no forecast error, and both numbers rounded to four decimals first."""
    sigma = pd.read_csv(outside / "EventStudyTools_engine/output_models.csv").residual_sd.to_numpy()
    daily = pd.read_csv(outside / TOOLS_AR)
    ours = [parametric.forecast_t(row.ar, sigma[row.event_id - 1], 248).statistic for row in daily.itertuples()]
    compare.printed(TOOLS_AR, ours, daily.t_value, DIGIT)
    whole = pd.read_csv(outside / TOOLS_CAR)
    ours = [parametric.forecast_t(car, s * np.sqrt(5), 248).statistic for car, s in zip(whole.car, sigma, strict=True)]
    compare.printed(TOOLS_CAR, ours, whole.car_t, DIGIT)


def by_day(outside: Path, group: str) -> dict[str, pd.Series]:
    """Their texts by quantity, each a column of the days."""
    table = pd.read_csv(outside / TOOLS_AAR).query("group == @group")
    return {
        name.replace("\xa0", " "): own.set_index("day").value.sort_index() for name, own in table.groupby("quantity")
    }


@pytest.mark.parametrize("group", GROUPS)
def test_eventstudytools_tests_over_cases_by_day(
    outside: Path, compare: Comparison, printed: pd.DataFrame, group: str
) -> None:
    theirs = by_day(outside, group)
    columns = printed.loc[GROUPS[group]]
    mean = theirs["AAR"].astype(float)
    ours = [parametric.cross_section_t(with_mean(columns[day], mean[day])).statistic for day in columns]
    compare.printed(TOOLS_AAR, ours, theirs["Csect T"].astype(float), DIGIT)
    skewed = [parametric.skewness_adjusted_t(columns[day], minimum=3) for day in columns]
    if len(columns) > 2:
        ours = [test.statistic for test in skewed]
        compare.printed(TOOLS_AAR, ours, theirs["Skewness Corrected T"].astype(float), DIGIT)
    else:  # the engine prints nothing, or -Inf
        assert not any(test.applies for test in skewed)
    signs = [f"{(columns[day] > 0).sum()}:{(columns[day] < 0).sum()}" for day in columns]
    assert signs == theirs["pos:neg"].tolist()
    compare.within(TOOLS_AAR, columns.mean().to_numpy(), mean, DIGIT, "of rounded figures")


@pytest.mark.parametrize(("group", "rho"), [("VW Group", 0.0480), ("Other", 0.620)])
def test_eventstudytools_corrections_for_correlation_by_day(
    outside: Path, compare: Comparison, group: str, rho: float
) -> None:
    """Their r is not printed: read off one day's Patell ratio, it must serve Patell and BMP on all days."""
    theirs = by_day(outside, group)
    wanted = ["Patell Z", "Adjusted Patell Z", "StdCSect Z", "Adjusted StdCSect Z"]
    patell, adjusted_patell, bmp, adjusted_bmp = (theirs[name].astype(float).to_numpy() for name in wanted)
    n = len(GROUPS[group])
    largest = np.argmax(np.abs(patell))
    found = ((patell[largest] / adjusted_patell[largest]) ** 2 - 1) / (n - 1)
    assert found == pytest.approx(rho, abs=2e-3)
    df = np.full(n, 248.0)
    base = np.linspace(-1.0, 1.0, n)
    for day in range(5):
        level = patell[day] * np.sqrt(n * 248 / 246) / n
        ours = parametric.adjusted_patell_z(np.full(n, level), df, found).statistic
        compare.within(TOOLS_AAR, [ours], [adjusted_patell[day]], 3e-4, "of rounded figures")
        # Cases with the t that they print: any spread around mean t sd / sqrt n.
        scar = base + bmp[day] * base.std(ddof=1) / np.sqrt(n)
        ours = parametric.kolari_pynnonen_t(scar, found, minimum=2).statistic
        compare.within(TOOLS_AAR, [ours], [adjusted_bmp[day]], 6e-4 * max(1, abs(bmp[day])), "of rounded figures")


@pytest.mark.parametrize("group", GROUPS)
def test_eventstudytools_tests_over_cases_of_the_car(outside: Path, compare: Comparison, group: str) -> None:
    theirs = pd.read_csv(outside / TOOLS_CAAR).query("group == @group").set_index("quantity").value
    cars = pd.read_csv(outside / TOOLS_CAR).set_index("event_id").loc[GROUPS[group]]
    names = ["Csect T", "Skewness Corrected T"]
    compare.printed(TOOLS_CAAR, statistics_over(cars.car.to_numpy()), theirs[names].astype(float), DIGIT)
    # The tests on BHARs had more digits than are printed: any numbers that print as these may be behind them.
    ours, corners = statistics_over(cars.bhar.to_numpy()), np.array([-0.5, 0.5]) * DIGIT
    moved = [statistics_over(cars.bhar.to_numpy() + step) for step in product(corners, repeat=len(cars))]
    margin = np.abs(np.array(moved) - ours).max(axis=0)
    theirs_bhar = theirs[[f"ABHAR {name}" for name in names]].astype(float)
    compare.within(TOOLS_CAAR, ours, theirs_bhar, np.nan_to_num(margin)[np.isfinite(ours)], "of rounded figures")
    means = [cars.car.mean(), cars.bhar.mean()]
    compare.within(TOOLS_CAAR, means, theirs[["CAAR Value", "ABHAR"]].astype(float), DIGIT, "of rounded figures")


def statistics_over(values: np.ndarray) -> np.ndarray:
    """Cross-section t and skewness-adjusted t."""
    return np.array(
        [parametric.cross_section_t(values).statistic, parametric.skewness_adjusted_t(values, minimum=3).statistic]
    )


def test_eventstudytools_signs_of_the_car(outside: Path) -> None:
    cars = pd.read_csv(outside / TOOLS_CAR).set_index("event_id").car
    assert rank.sign_test(cars.loc[[1, 2, 3]]).statistic == pytest.approx(-np.sqrt(3))
