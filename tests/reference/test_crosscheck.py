"""Every statistic we offer against the papers' formulas in numpy, and by brute force where no outside value exists.

Not compared: the skewness-adjusted t with Lyon, Barber and Tsai's g (we use the unbiased G1, as EventStudyTools does),
ranks averaged over assets with unequal histories (we offer raw and Corrado-Zivney ranks), and Patell's sum of daily
SARs over assets with unequal histories (weighted otherwise there).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import rankdata, ttest_1samp

from market_reaction.inference import parametric, rank
from reference.comparison import RETURN_FLOOR, Comparison
from reference.studies import COVID_ASSETS, COVID_DAYS, FORESTS, Panel, additions, covid, forest, terror

pytestmark = pytest.mark.reference

FILE = "_crosscheck/paper_formulas_numpy.csv"
MODELS = {"mm": "market", "mean": "constant_mean", "adj": "market_adjusted"}
DATASETS = [
    *(f"covid_{dataset}:{model}" for dataset in COVID_ASSETS for model in MODELS),
    *(f"forest14_{study}:{model}" for study in FORESTS for model in MODELS),
    *(f"sp500additions_w-2_2_L120:{model}" for model in MODELS),
    "terror33_w-10_10_L20:mean",
]
UNEQUAL = ("covid_full7", "covid_missing7")


def panel_of(outside: Path, label: str) -> Panel:
    dataset, _, model = label.partition(":")
    if dataset.startswith("covid"):
        return covid(outside, dataset.partition("_")[2], MODELS[model])
    if dataset.startswith("forest14"):
        return forest(outside, MODELS[model], *FORESTS[dataset.partition("_")[2]])
    return terror(outside) if dataset.startswith("terror33") else additions(outside, MODELS[model], 2)


def spread(panel: Panel) -> np.ndarray:
    """Residual spread; in the market-adjusted rows the mean is taken off first, unlike ours."""
    return panel.sample_std if panel.model == "market_adjusted" else panel.residual_std


def df_resid(panel: Panel) -> np.ndarray:
    return panel.df_resid - (panel.model == "market_adjusted")


def scar(panel: Panel, window: slice) -> np.ndarray:
    """CAR over its forecast standard error, with the spread of the rows."""
    return panel.scar(window) * panel.residual_std / spread(panel)


def summed_sar(panel: Panel, window: slice) -> np.ndarray:
    """The textbooks' cumulation: daily SARs summed, over sqrt(m), which leaves out that they share one fit."""
    days = range(window.start, window.stop)
    return sum(scar(panel, slice(day, day + 1)) for day in days) / np.sqrt(len(days))


def rho(panel: Panel) -> float:
    """Their correlation pairs residuals by place in the window, whatever their dates."""
    return parametric.mean_correlation(panel.residuals.T)


def standardized(panel: Panel) -> np.ndarray:
    return panel.residuals / spread(panel)[:, None]


def crude_dependence(panel: Panel, window: slice) -> float:
    """Brown and Warner (1985): our portfolio t without its forecast error m^2 / L."""
    count = window.stop - window.start
    mean_car, residuals = np.nanmean(panel.car(window)), np.nanmean(panel.residuals, axis=0)
    return parametric.portfolio_t(mean_car, residuals, count).statistic * np.sqrt(1 + count / panel.length)


Statistic = Callable[[Panel, slice], float]
STATISTICS: dict[str, Statistic] = {
    "AAR": lambda p, w: np.nanmean(p.car(w)),
    "CAAR": lambda p, w: np.nanmean(p.car(w)),
    "cross_sectional_t": lambda p, w: parametric.cross_section_t(p.car(w)).statistic,
    "brown_warner_1985_crude_dependence": crude_dependence,
    "patell": lambda p, w: parametric.patell_z(scar(p, w), df_resid(p)).statistic,
    "kp_adjusted_patell": lambda p, w: parametric.adjusted_patell_z(scar(p, w), df_resid(p), rho(p)).statistic,
    "bmp": lambda p, w: parametric.bmp_t(scar(p, w), minimum=2).statistic,
    "kolari_pynnonen_2010": lambda p, w: parametric.kolari_pynnonen_t(scar(p, w), rho(p), minimum=2).statistic,
    "skewness_adjusted_johnson_hall": lambda p, w: parametric.skewness_adjusted_t(p.car(w), minimum=3).statistic,
    "sign": lambda p, w: rank.sign_test(p.car(w)).statistic,
    "generalized_sign_cowan_1992": lambda p, w: rank.generalized_sign_z(p.car(w), p.residuals).statistic,
    "wilcoxon_W_plus": lambda p, w: rank.wilcoxon(p.car(w)).statistic,
    "corrado_rank_1989_raw_ranks": lambda p, w: rank.corrado_rank(p.all_days, p.columns(w)).statistic,
    "corrado_rank_1989_on_standardised_ranks": lambda p, w: rank.corrado_rank(p.all_days, p.columns(w)).statistic,
    "corrado_zivney_1992_rank": lambda p, w: rank.corrado_zivney_rank(p.all_days, p.columns(w)).statistic,
    "corrado_rank_cowan_window": lambda p, w: rank.corrado_zivney_rank(p.all_days, p.columns(w)).statistic,
    "corrado_sign_1992": lambda p, w: rank.corrado_zivney_sign(p.all_days, p.columns(w)).statistic,
    "grank_t_kolari_pynnonen_2011": lambda p, w: rank.grank_statistic(scar(p, w), standardized(p))[0],
    "grank_z_kolari_pynnonen_2011": lambda p, w: rank.grank_z_statistic(scar(p, w), standardized(p)),
    "mean_residual_cross_correlation": lambda p, w: rho(p),
}
TEXTBOOK: dict[str, Statistic] = {
    "patell": lambda p, w: parametric.patell_z(summed_sar(p, w), df_resid(p)).statistic,
    "bmp": lambda p, w: parametric.bmp_t(summed_sar(p, w), minimum=2).statistic,
    "kolari_pynnonen_2010": lambda p, w: parametric.kolari_pynnonen_t(summed_sar(p, w), rho(p), minimum=2).statistic,
}


def compared(label: str, row: pd.Series) -> bool:
    """Whether we offer the statistic of a row."""
    if row.test not in STATISTICS or "LyonBarberTsai" in row.variant:
        return False
    if label.startswith(UNEQUAL):
        averaged = row.test in ("corrado_rank_1989_on_standardised_ranks", "corrado_rank_cowan_window")
        return not averaged and row.variant != "textbook_sum_of_SAR_over_sqrt_m"
    return True


def window_of(panel: Panel, row: pd.Series) -> slice:
    """Event days of a row such as ``0`` or ``[-3,1]``."""
    bounds = str(row.day_or_window).strip("[]").split(",")
    return slice(0, 0) if row.level == "parameter" else panel.position(bounds[0], bounds[-1])


@pytest.mark.parametrize("label", DATASETS)
def test_paper_formulas(outside: Path, compare: Comparison, label: str) -> None:
    panel, table = panel_of(outside, label), pd.read_csv(outside / FILE)
    rows = [row for row in table[table.dataset == label].itertuples() if compared(label, row)]
    choice = [TEXTBOOK if row.variant.startswith("textbook") else STATISTICS for row in rows]
    ours = [known[row.test](panel, window_of(panel, row)) for row, known in zip(rows, choice, strict=True)]
    returns = np.array([row.test in ("AAR", "CAAR") for row in rows])
    ours, theirs = np.array(ours), np.array([row.value for row in rows])
    compare(FILE, ours[returns], theirs[returns], floor=RETURN_FLOOR)
    compare(FILE, ours[~returns], theirs[~returns])


# Not anchored by an outside program: the cumulative forecast error and GRANK, derived here once more.

BRUTE = [
    "covid_full7:mm",
    "forest14_19990505_w-3_3_L250:mm",
    "sp500additions_w-2_2_L120:mm",
    "terror33_w-10_10_L20:mean",
]


def scar_by_dummies(panel: Panel) -> np.ndarray:
    """t of the sum of the coefficients of one dummy per event day, in one regression over both windows."""
    statistics = []
    for case in panel.cases:
        usable = np.isfinite(case.estimation)
        target = np.concatenate([case.estimation[usable], case.event])
        count, total = len(case.event), len(target)
        design = np.zeros((total, count + 1))
        design[:, 0] = 1
        design[total - count :, 1:] = np.eye(count)
        if panel.model == "market":
            design = np.column_stack([design, np.concatenate([case.benchmark[usable], case.benchmark_event])])
        weights = np.concatenate([[0.0], np.ones(count), np.zeros(design.shape[1] - count - 1)])
        statistics.append(float(sm.OLS(target, design).fit().t_test(weights).tvalue.item()))
    return np.array(statistics)


@pytest.mark.parametrize("label", BRUTE)
def test_windowed_patell_and_bmp_not_anchored_outside_by_dummy_regressions(outside: Path, label: str) -> None:
    panel, table = panel_of(outside, label), pd.read_csv(outside / FILE).query("dataset == @label")
    statistics = scar_by_dummies(panel)
    whole = slice(0, len(panel.days))
    np.testing.assert_allclose(panel.scar(whole), statistics, rtol=1e-9)
    variance = panel.df_resid / (panel.df_resid - 2)
    whole_window = table.day_or_window == f"[{panel.days[0]},{panel.days[-1]}]"
    theirs = table[whole_window & (table.variant == "full_cumulative_forecast_error")].set_index("test").value
    patell, bmp = statistics.sum() / np.sqrt(variance.sum()), ttest_1samp(statistics, 0.0).statistic
    assert [patell, bmp] == pytest.approx(theirs[["patell", "bmp"]].tolist(), rel=1e-9)
    test = parametric.bmp_t(panel.scar(whole), minimum=2)
    assert parametric.patell_z(panel.scar(whole), panel.df_resid).statistic == pytest.approx(patell, rel=1e-9)
    assert (test.statistic, test.p_value) == pytest.approx(tuple(ttest_1samp(statistics, 0.0)), rel=1e-9)


def grank_by_loops(scars: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    """GRANK-T and GRANK-Z of Kolari and Pynnonen (2011), asset by asset and day by day."""
    scores = []
    for value, row in zip(scars / np.std(scars, ddof=1), before, strict=True):
        known = row[np.isfinite(row)]
        ranks = rankdata(np.append(known, value)) / (len(known) + 2) - 0.5
        own = np.full(len(row) + 1, np.nan)
        own[np.append(np.isfinite(row), True)] = ranks
        scores.append((own, len(known) + 1))
    days, squares = 0, 0.0
    for day in range(before.shape[1] + 1):
        present = [own[day] for own, _ in scores if np.isfinite(own[day])]
        if present:
            days += 1
            squares += len(present) / len(scores) * (sum(present) / len(present)) ** 2
    event = sum(own[-1] for own, _ in scores)
    z = event / len(scores) / np.sqrt(squares / days)
    # Each standardised rank is uniform on 1..T over T + 1, less a half: variance (T - 1) / (12 (T + 1)).
    variance = sum(np.var(np.arange(1, total + 1) / (total + 1)) for _, total in scores)
    return z * np.sqrt((days - 2) / (days - 1 - z**2)), event / np.sqrt(variance)


@pytest.mark.parametrize("label", BRUTE)
def test_grank_not_anchored_outside_by_loops(outside: Path, label: str) -> None:
    panel, table = panel_of(outside, label), pd.read_csv(outside / FILE).query("dataset == @label")
    whole = slice(0, len(panel.days))
    loops = grank_by_loops(panel.scar(whole), standardized(panel))
    whole_window = table.day_or_window == f"[{panel.days[0]},{panel.days[-1]}]"
    theirs = table[whole_window].set_index("test").value
    names = ["grank_t_kolari_pynnonen_2011", "grank_z_kolari_pynnonen_2011"]
    assert loops == pytest.approx(tuple(theirs[names]), rel=1e-10)
    ours = rank.grank_statistic(panel.scar(whole), standardized(panel))[0]
    assert ours == pytest.approx(loops[0], rel=1e-10)
    assert rank.grank_z_statistic(panel.scar(whole), standardized(panel)) == pytest.approx(loops[1], rel=1e-10)


def test_absent_assets_are_left_out_of_a_window_rather_than_summed_over_fewer_days(outside: Path) -> None:
    panel = covid(outside, "missing7", "market")
    car = panel.car(panel.position(COVID_DAYS[0], COVID_DAYS[-1]))
    assert np.isfinite(car).sum() == 2
    assert rank.sign_test(car).n == 2
