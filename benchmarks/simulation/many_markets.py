"""Several markets on one day: every test over the cross-section."""

from __future__ import annotations

import numpy as np

from market_reaction.inference import dependence, generalized_rank, parametric, rank, resampling
from market_reaction.inference.results import StatisticalTest, normal_test, t_test
from simulation import cases, panels
from simulation.cells import Cell, Outcomes

DRAWS = 199  # samples of a bootstrap


def across(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Tests over the markets on one day, and the t of their mean."""
    panel = panels.ending_with_event(cell, rng, runs, cases.BEFORE)
    fitted = cases.study(panel.returns, cases.BEFORE)
    mean = cases.study(panel.returns.mean(axis=1), cases.BEFORE)
    outcomes = Outcomes()
    for run in range(runs):
        outcomes.add(parametric.portfolio_t(float(mean.car[run]), mean.residuals[run], 1))
        correlation = dependence.mean_correlation(fitted.residuals[run].T)
        own = fitted.only(run)
        for name, test in (over_cases(own, correlation) | outside_domain(own)).items():
            outcomes.add(test, name)
    return outcomes


def bootstrapped(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Stationary bootstrap of the estimation days, which takes long: few runs."""
    panel = panels.ending_with_event(cell, rng, runs, cases.BEFORE)
    fitted = cases.study(panel.returns, cases.BEFORE)
    outcomes = Outcomes(volatility=np.sqrt((panel.volatility[:, :, cases.BEFORE] ** 2).mean(axis=1)).tolist())
    for run in range(runs):
        before, inside = fitted.residuals[run].T, fitted.abnormal[run].T
        outcomes.add(resampling.block_bootstrap(before, inside, draws=DRAWS, seed=run))
    return outcomes


def over_cases(fitted: cases.Cases, correlation: float) -> dict[str, StatisticalTest]:
    """Every test over cases (N,), by its name."""
    car, scar, df = fitted.car, fitted.scar, np.full(len(fitted.car), cases.DF)
    tests = [
        parametric.cross_section_t(car),
        parametric.patell_z(scar, df),
        parametric.adjusted_patell_z(scar, df, correlation),
        parametric.bmp_t(scar),
        parametric.kolari_pynnonen_t(scar, correlation),
        parametric.skewness_adjusted_t(car),
        rank.sign_test(car),
        rank.generalized_sign_z(car, fitted.residuals),
        rank.wilcoxon(car),
        rank.corrado_rank(fitted.both, panels.LENGTH),
        rank.corrado_zivney_rank(fitted.both, panels.LENGTH),
        rank.corrado_zivney_sign(fitted.both, panels.LENGTH),
        generalized_rank.grank_t(scar, fitted.standardised, correlation),
        generalized_rank.grank_z(scar, fitted.standardised),
    ]
    return {test.name: test for test in tests}


def outside_domain(fitted: cases.Cases) -> dict[str, StatisticalTest]:
    """Formulas that are not offered for so few cases, to show why."""
    scar, standardised, n = fitted.scar, fitted.standardised, len(fitted.scar)
    if n >= generalized_rank.GRANK_MINIMUM:  # the largest of the least numbers
        return {}
    null = "The cases have no effect."
    grank, degrees = generalized_rank.grank_statistic(scar, standardised)
    z = generalized_rank.grank_z_statistic(scar, standardised)
    return {
        "bmp_t, any N": parametric.bmp_t(scar, minimum=2),
        "skewness_adjusted_t, any N": parametric.skewness_adjusted_t(fitted.car, minimum=3),
        "grank_t, any N": t_test("grank_t", grank, degrees, null, n, "approximate"),
        "grank_z, any N": normal_test("grank_z", z, null, n, "approximate"),
    }
