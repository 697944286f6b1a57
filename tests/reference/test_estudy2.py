"""Daily and CAR tests of R estudy2: reproduced where it is right, and not reproduced where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from market_reaction.inference import parametric, rank
from market_reaction.inference.results import StatisticalTest
from market_reaction.normal_models import fit_normal_model
from reference.comparison import Comparison
from reference.studies import COVID_ASSETS, COVID_DAYS, ESTUDY2_MODELS, Panel, covid, forest

pytestmark = pytest.mark.reference

DAILY = "estudy2/output_daily_tests.csv"
CAR = "estudy2/output_car_tests.csv"
FOREST_DAILY = "estudy2/forest14_output_daily_tests.csv"
FOREST_CAR = "estudy2/forest14_output_car_tests.csv"

# One test on one day: our function, with the code estudy2 gives it.
DAY_TESTS: dict[str, Callable[[Panel, int], StatisticalTest]] = {
    "t_test": lambda panel, day: parametric.cross_section_t(panel.abnormal[:, day]),
    "pt": lambda panel, day: parametric.patell_z(panel.scar(slice(day, day + 1)), panel.df_resid),
    "bh": lambda panel, day: parametric.bmp_t(panel.scar(slice(day, day + 1)), minimum=2),
    "sign": lambda panel, day: rank.sign_test(panel.abnormal[:, day]),
    "gsign": lambda panel, day: rank.generalized_sign_z(panel.abnormal[:, day], panel.residuals),
    "csign": lambda panel, day: rank.corrado_zivney_sign(panel.all_days, panel.length + day),
    "rank": lambda panel, day: rank.corrado_rank(panel.all_days, panel.length + day),
    "mrank": lambda panel, day: rank.corrado_zivney_rank(panel.all_days, panel.length + day),
    "wlcx": lambda panel, day: rank.wilcoxon(panel.abnormal[:, day]),
}
# Their stars come from the distribution our p comes from; not so for the sign test (ours is exact) and Wilcoxon's.
SAME_DISTRIBUTION = ("t_test", "bh", "gsign", "csign", "rank", "mrank")
# Sums of n present assets are rebuilt as mean times N: harmless only while every asset has every day.
COMPLETE = ("bw_1980", "bw_1985", "t_test", "bh", "lmb", "sign", "gsign", "csign", "rank", "mrank", "wlcx")
RIGHT = {
    "complete5": COMPLETE,
    "full7": ("bw_1980", "bw_1985", "t_test", "sign", "wlcx"),  # two assets start late
    "missing7": ("bw_1985", "t_test"),  # days of the event window are absent too
}


def portfolio(panel: Panel, days: list[int]) -> float:
    """Sum of the mean abnormal returns over sd sqrt(m), from our t, which has the forecast error m^2 / L as well."""
    car = np.nanmean(panel.abnormal[:, days], axis=0).sum()
    test = parametric.portfolio_t(car, np.nanmean(panel.residuals, axis=0), len(days))
    return test.statistic * np.sqrt(1 + len(days) / panel.length)


def lamb(panel: Panel, day: int) -> float:
    """Lamb (1995): the forecast t of the portfolio's own market model, with their spread, divisor L - 1."""
    case = panel.cases[0]
    mean_return = np.mean([one.estimation for one in panel.cases], axis=0)
    fit = fit_normal_model("market", mean_return, case.benchmark)
    std_error = np.sqrt(fit.forecast_covariance(len(panel.days), case.benchmark_event)[day, day])
    test = parametric.forecast_t(panel.abnormal[:, day].mean(), std_error, fit.df_resid)
    return test.statistic * np.sqrt((panel.length - 1) / fit.df_resid)


def day_statistic(panel: Panel, day: int, code: str) -> float:
    """Our value of a daily statistic of estudy2."""
    if code == "bw_1980":
        return panel.abnormal[:, day].sum() / np.sqrt((panel.sample_std**2).sum())
    if code == "bw_1985":
        return portfolio(panel, [day])
    return lamb(panel, day) if code == "lmb" else DAY_TESTS[code](panel, day).statistic


def compare_days(compare: Comparison, file: str, panel: Panel, theirs: pd.DataFrame, days: pd.Series) -> None:
    """Statistics, and stars as 0 to 3, of the rows of one panel."""
    ours = [day_statistic(panel, day, code) for day, code in zip(days, theirs.test, strict=True)]
    compare(file, ours, theirs.statistic)
    starred = theirs.test.isin(SAME_DISTRIBUTION)
    p_values = [
        DAY_TESTS[code](panel, day).p_value for day, code in zip(days[starred], theirs.test[starred], strict=True)
    ]
    stars = (np.array(p_values)[:, None] < [0.10, 0.05, 0.01]).sum(axis=1)
    compare(file, stars, theirs.stars[starred].fillna("").str.len())


def panel_rows(outside: Path, file: str, dataset: str, model: str) -> pd.DataFrame:
    return pd.read_csv(outside / file).query("dataset == @dataset and model == @model")


@pytest.mark.parametrize("dataset", COVID_ASSETS)
@pytest.mark.parametrize("model", ESTUDY2_MODELS)
def test_daily_statistics_and_stars(outside: Path, compare: Comparison, dataset: str, model: str) -> None:
    theirs = panel_rows(outside, DAILY, dataset, model)
    theirs = theirs[theirs.test.isin(RIGHT[dataset])]
    panel = covid(outside, dataset, ESTUDY2_MODELS[model])
    compare_days(compare, DAILY, panel, theirs, theirs.date.map(COVID_DAYS.index))


@pytest.mark.parametrize(("date", "length"), [(19990505, 250), (19900622, 110)])
@pytest.mark.parametrize("model", ESTUDY2_MODELS)
def test_forest_daily_statistics_and_stars(
    outside: Path, compare: Comparison, date: int, length: int, model: str
) -> None:
    theirs = pd.read_csv(outside / FOREST_DAILY).query("est_len == @length and model == @model and test != 'pt'")
    panel = forest(outside, ESTUDY2_MODELS[model], date, 3, length)
    compare_days(compare, FOREST_DAILY, panel, theirs, theirs.day + 3)


def car_statistic(panel: Panel, days: list[int], name: str) -> float:
    """Our value of a CAR statistic of estudy2."""
    if name == "car_brown_warner_1985":
        return portfolio(panel, days)
    if name == "car_lamb":
        return sum(lamb(panel, day) for day in days) / np.sqrt(len(days))
    # Their ranking pool is the estimation window and this window, not the whole event window.
    pool = np.hstack([panel.residuals, panel.abnormal[:, days]])
    return rank.corrado_rank(pool, slice(panel.length, None)).statistic


@pytest.mark.parametrize("dataset", COVID_ASSETS)
@pytest.mark.parametrize("model", ESTUDY2_MODELS)
def test_car_statistics(outside: Path, compare: Comparison, dataset: str, model: str) -> None:
    theirs = panel_rows(outside, CAR, dataset, model)
    if dataset != "complete5":  # the others scale ranks by N / n, average raw ranks, and use days without returns
        theirs = theirs[theirs.name == "car_brown_warner_1985"]
    panel = covid(outside, dataset, ESTUDY2_MODELS[model])
    share = 100 * np.isfinite(panel.abnormal).mean(axis=0)
    ours, counts = [], []
    for row in theirs.itertuples():
        window = panel.position(row.car_start, row.car_end)
        days = [day for day in range(window.start, window.stop) if share[day] > row.percentage_threshold]
        ours.append(car_statistic(panel, days, row.name))
        counts.append(len(days))
    compare(CAR, ours, theirs.statistic)
    compare(CAR, counts, theirs.number_of_days)


@pytest.mark.parametrize(("date", "length"), [(19990505, 250), (19900622, 110)])
@pytest.mark.parametrize("model", ESTUDY2_MODELS)
def test_forest_car_statistics(outside: Path, compare: Comparison, date: int, length: int, model: str) -> None:
    theirs = pd.read_csv(outside / FOREST_CAR).query("est_len == @length and model == @model")
    panel = forest(outside, ESTUDY2_MODELS[model], date, 3, length)
    compare(FOREST_CAR, [car_statistic(panel, list(range(7)), name) for name in theirs.name], theirs.statistic)


WRONG = {
    "sums_rebuilt_with_absent_assets": (
        "missing7",
        ("sign", "gsign", "csign", "rank", "mrank", "wlcx"),
        COVID_DAYS[3:],
    ),
    "early_days_scaled_by_absent_assets": ("full7", ("csign", "rank", "mrank"), COVID_DAYS),
    "sign_share_pooled_over_asset_days": ("full7", ("gsign",), COVID_DAYS),
    "leverage_from_days_without_a_return": ("full7", ("bh",), COVID_DAYS),
}
CROSSCHECK = {
    "sign": "sign",
    "gsign": "generalized_sign_cowan_1992",
    "csign": "corrado_sign_1992",
    "rank": "corrado_rank_1989_raw_ranks",
    "mrank": "corrado_zivney_1992_rank",
    "wlcx": "wilcoxon_W_plus",
    "bh": "bmp",
}


@pytest.mark.parametrize("reason", WRONG)
def test_wrong_value_is_not_reproduced_because(outside: Path, reason: str) -> None:
    dataset, codes, days = WRONG[reason]
    panel = covid(outside, dataset, "market")
    theirs = panel_rows(outside, DAILY, dataset, "sim").set_index(["test", "date"]).statistic
    table = pd.read_csv(outside / "_crosscheck/paper_formulas_numpy.csv")
    right = table[(table.dataset == f"covid_{dataset}:mm") & (table.level == "day")]
    right = right.set_index(["test", "day_or_window"]).value
    for code in codes:
        for day in days:
            ours = day_statistic(panel, COVID_DAYS.index(day), code)
            assert ours == pytest.approx(right[CROSSCHECK[code], day], rel=1e-10)
            assert abs(ours - theirs[code, day]) > 1e-4 * abs(ours), (code, day)


@pytest.mark.parametrize(
    ("file", "date", "length"), [(DAILY, 0, 240), (FOREST_DAILY, 19990505, 250), (FOREST_DAILY, 19900622, 110)]
)
def test_patell_is_not_reproduced_because_its_spread_has_divisor_l_minus_1(
    outside: Path, compare: Comparison, file: str, date: int, length: int
) -> None:
    theirs = pd.read_csv(outside / file).query("test == 'pt'")
    if date:
        theirs, panel = theirs.query("est_len == @length"), forest(outside, "market", date, 3, length)
    else:
        theirs, panel = theirs.query("dataset == 'complete5'"), covid(outside, "complete5", "market")
    ours = np.array([DAY_TESTS["pt"](panel, day).statistic for day in range(len(panel.days))])
    assert (np.abs(ours / theirs.statistic - 1) > 1e-3).all()
    compare(file, ours * np.sqrt((length - 1) / (length - 2)), theirs.statistic)


@pytest.mark.parametrize(("day", "statistic", "p_value", "stars"), [(0, 23, 0.15625, "*"), (3, 27, 0.03125, "***")])
def test_wilcoxon_stars_are_not_reproduced_because_the_upper_tail_is_one_sided(
    outside: Path, day: int, statistic: float, p_value: float, stars: str
) -> None:
    """W+ = 23 of 7 has an exact two-sided p of 20/128: 10 sign patterns reach 23 or more. Theirs prints a star."""
    panel = covid(outside, "full7", "market")
    theirs = panel_rows(outside, DAILY, "full7", "sim").query("test == 'wlcx'").iloc[day]
    test = DAY_TESTS["wlcx"](panel, day)
    assert (test.statistic, test.p_value) == (statistic, p_value)
    assert theirs.stars == stars
    assert (np.array([0.10, 0.05, 0.01]) > test.p_value).sum() < len(stars)
