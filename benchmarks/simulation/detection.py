"""Power at multiples of the minimum detectable effect."""

from __future__ import annotations

import numpy as np

from market_reaction.inference import dependence, parametric, placebo, power, rank, resampling
from simulation import cases, many_events, panels, placebos
from simulation.cells import Cell, Outcomes
from simulation.many_events import DRAWS


def one_event(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """The t of one event at its analytic effect, and the placebo at its simulated one and at the t formula's."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    moves = panel.returns[:, 0]
    fitted = cases.study(moves, placebos.DAY_ZERO)
    formula = power.mde(panels.DAILY * cases.forecast_factor(1), cases.DF)
    signs = rng.choice([-1.0, 1.0], size=runs)
    outcomes = Outcomes(volatility=panel.volatility[:, 0, placebos.DAY_ZERO].tolist())
    for run in range(runs):
        own, sign = placebos.statistics(moves[run]), signs[run] * cell.effect
        shifted = fitted.car[run] + sign * formula
        outcomes.add(parametric.forecast_t(shifted, fitted.std_error[run], cases.DF))
        detectable = power.placebo_mde(own.scaled[1:], own.sigma)
        today = power.mde(own.sigma * cases.forecast_factor(1), cases.DF)
        for name, effect in (("placebo", detectable), ("placebo, effect by the t formula", today)):
            values = own.scaled.copy()
            values[0] += sign * effect / own.sigma
            outcomes.add(placebos.ranked(name, values))
    return outcomes


def several_events(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Tests over K events at the analytic effect of the event-level t."""
    values = many_events.event_values(cell, rng, runs)
    formula = power.mde(panels.DAILY * cases.forecast_factor(1) / np.sqrt(cell.events), cell.events - 1)
    outcomes = Outcomes()
    for run, shifted in enumerate(values + cell.effect * formula):
        outcomes.add(parametric.event_level_t(shifted))
        outcomes.add(resampling.sign_flip(shifted, draws=DRAWS, seed=run))
        outcomes.add(resampling.wild_bootstrap(shifted, draws=DRAWS, seed=run))
        outcomes.add(rank.wilcoxon(shifted))
    return outcomes


def several_markets(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """All markets move by the detectable effect of their mean, in units of each market's volatility before."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    effect = cell.effect * power.mde(power.mean_std_error(cases.forecast_factor(1), cell.markets, cell.rho), cases.DF)
    outcomes = Outcomes()
    for moves in panel.returns:
        found = [placebos.statistics(one) for one in moves]
        scaled = np.column_stack([one.scaled for one in found])
        scaled[0] += effect
        scale = scaled[1:].std(axis=0, ddof=1)
        statistics = placebo.joint_statistics(scaled[0], scaled[1:], scale, np.ones(cell.markets))
        for name, (value, values) in statistics.items():
            outcomes.add(placebos.ranked(f"joint_{name}", np.concatenate([[value], values])))
        shifted = moves.copy()
        shifted[:, placebos.DAY_ZERO] += effect * np.array([one.sigma for one in found])
        fitted, mean = cases.study(shifted, placebos.DAY_ZERO), cases.study(shifted.mean(axis=0), placebos.DAY_ZERO)
        outcomes.add(parametric.portfolio_t(float(mean.car), mean.residuals, 1))
        correlation = dependence.mean_correlation(fitted.residuals.T)
        outcomes.add(parametric.kolari_pynnonen_t(fitted.scar, correlation))
    return outcomes
