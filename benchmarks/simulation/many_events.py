"""Several events: tests over one number an event, over all cases, and of event days against other days.

Spread events are 131 sessions apart, so that no estimation window holds another event; clustered ones are three apart,
in one spell of volatility. With several markets each event's value is the mean over the markets.
"""

from __future__ import annotations

import numpy as np

from market_reaction.inference import dependence, multiple, overlap, parametric, rank, resampling
from market_reaction.inference.permutations import random_subsets, share_as_large, sign_vectors
from market_reaction.inference.results import StatisticalTest, t_test
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import rolling_abnormal
from market_reaction.windows import EWMA_START
from simulation import cases, panels
from simulation.cells import Cell, Outcomes
from simulation.many_markets import over_cases

APART = {"spread": cases.BEFORE + 1, "clustered": 3}
DRAWS = 999
NULL = "The events have no effect."


def events(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Tests that need no resampling."""
    panel, rows = _panel(cell, rng, runs)
    fitted, mean = _cases(panel.returns, rows), _cases(panel.returns.mean(axis=1), rows)
    outcomes = Outcomes()
    for run in range(runs):
        values = mean.only(run)
        outcomes.add(parametric.event_level_t(values.car))
        outcomes.add(rank.wilcoxon(values.car))
        outcomes.add(parametric.skewness_adjusted_t(values.car))
        if cell.events < parametric.SKEWNESS_MINIMUM:
            outcomes.add(parametric.skewness_adjusted_t(values.car, minimum=3), "skewness_adjusted_t, any N")
        outcomes.add(resampling.sign_flip(values.car, draws=DRAWS, seed=run))
        average = panel.returns[run].mean(axis=0)
        outcomes.add(joint_dummies(average, rows))
        outcomes.add(calendar_time(average, rows))
        for name, test in _all_cases(fitted.only(run), cell).items():
            outcomes.add(test, name)
        if cell.markets > 1:
            outcomes.add(step_down(fitted.car[run].T))
    return outcomes


def resampled(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Permutations and bootstraps, which take longer: fewer runs."""
    panel, rows = _panel(cell, rng, runs, history=cases.BEFORE)
    returns = panel.returns.mean(axis=1)
    values, half = _cases(returns, rows).car, cell.events // 2
    outcomes = Outcomes()
    for run in range(runs):
        scaled = scaled_abnormal(returns[run])
        event, other = scaled[rows], np.delete(scaled, rows)[cases.BEFORE :]
        outcomes.add(resampling.studentised_permutation(event, other, draws=DRAWS, seed=run))
        outcomes.add(plain_permutation(event, other, run), "plain permutation")
        outcomes.add(resampling.wild_bootstrap(values[run], draws=DRAWS, seed=run))
        outcomes.add(resampling.group_difference(values[run, :half], values[run, half:], draws=DRAWS, seed=run))
    return outcomes


def scaled_abnormal(moves: np.ndarray) -> np.ndarray:
    """Abnormal return of every session by the volatility before it, which is what the package compares."""
    abnormal = rolling_abnormal("constant_mean", moves, None, np.arange(len(moves)), cases.ESTIMATION)
    return abnormal / ewma_volatility(moves, start=EWMA_START)


def event_values(cell: Cell, rng: np.random.Generator, runs: int) -> np.ndarray:
    """CAR of each event, the mean over the markets where there are several: (runs, K)."""
    panel, rows = _panel(cell, rng, runs)
    return _cases(panel.returns.mean(axis=1), rows).car


def plain_permutation(event: np.ndarray, other: np.ndarray, seed: int) -> StatisticalTest:
    """Permutation of the labels with the plain difference in means, the contrast to the studentised one."""
    pooled = np.concatenate([event, other])
    drawn = random_subsets(len(pooled), len(event), DRAWS, seed)
    members = np.concatenate([np.arange(len(event))[None, :], drawn])
    p_value = share_as_large(np.abs(pooled[members].mean(axis=1) - pooled.mean()))
    text, nan = f"{DRAWS} random permutations", float("nan")
    return StatisticalTest(
        "plain permutation", nan, p_value, nan, NULL, text, len(event), "approximate", floor=1 / (1 + DRAWS)
    )


def joint_dummies(returns: np.ndarray, rows: np.ndarray) -> StatisticalTest:
    """Total effect from one regression with a dummy an event session, by its classical covariance."""
    fit = overlap.joint_dummy_regression(returns, np.ones((len(returns), 1)), [rows])
    return t_test("joint_dummy_regression", fit.car[0] / fit.std_error[0], fit.df, NULL, len(rows), "exact")


def calendar_time(returns: np.ndarray, rows: np.ndarray) -> StatisticalTest:
    """Calendar-time portfolio of one market: abnormal returns around the mean of the other sessions."""
    active = np.zeros(len(returns), dtype=bool)
    active[rows] = True
    return overlap.calendar_time_portfolio(returns - returns[~active].mean(), active, ~active)


def step_down(values: np.ndarray) -> StatisticalTest:
    """Smallest Romano-Wolf p over the markets from sign flips of whole events (K, N)."""
    signs, _ = sign_vectors(len(values), DRAWS, 0)
    scale = np.sqrt(np.square(values).mean(axis=0) / len(values))
    draws = signs[1:] @ values / len(values) / scale
    smallest, nan = float(multiple.romano_wolf(values.mean(axis=0) / scale, draws).min()), float("nan")
    return StatisticalTest(
        "romano_wolf", nan, smallest, nan, NULL, f"{len(draws)} draws", len(values), "conservative",
        floor=1 / (1 + len(draws)),
    )  # fmt: skip


def _all_cases(fitted: cases.Cases, cell: Cell) -> dict[str, StatisticalTest]:
    """Tests over the K x N cases as if they were one cross-section; with one market these are the events."""
    flat = cases.Cases(
        fitted.abnormal.reshape(-1, 1), fitted.residuals.reshape(-1, panels.LENGTH), fitted.residual_std.ravel()
    )
    same_days = fitted.residuals.reshape(cell.markets, cell.events, -1).transpose(1, 2, 0)
    correlation = dependence.mean_correlation(np.concatenate(same_days)) if cell.markets > 1 else 0.0
    found = over_cases(flat, correlation)
    if cell.markets == 1:
        done = ("cross_section_t", "skewness_adjusted_t", "wilcoxon", "kolari_pynnonen_t", "adjusted_patell_z")
        return {name: test for name, test in found.items() if name not in done}
    clusters = np.tile(np.arange(cell.events), cell.markets)
    pooled = {f"{name}, pooled cases": test for name, test in found.items()}
    return pooled | {"clustered_t, pooled cases": dependence.clustered_t(flat.car, clusters)}


def _panel(cell: Cell, rng: np.random.Generator, runs: int, history: int = 0) -> tuple[panels.Panel, np.ndarray]:
    """Panels that end with the last event, and the rows of the events; ``history`` sessions are added in front."""
    rows = history + cases.BEFORE + APART[cell.dates] * np.arange(cell.events)
    panel = panels.draw(
        rng, runs, cell.markets, int(rows[-1]) + 1,
        rho=cell.rho, errors=cell.errors, event_rows=rows, larger=cell.larger,
    )  # fmt: skip
    return panel, rows


def _cases(returns: np.ndarray, rows: np.ndarray) -> cases.Cases:
    """Cases of every event, each with its own estimation window: (runs, [N,] K, ...)."""
    found = [cases.study(returns, int(row)) for row in rows]
    return cases.Cases(
        np.stack([one.abnormal for one in found], axis=-2),
        np.stack([one.residuals for one in found], axis=-2),
        np.stack([one.residual_std for one in found], axis=-1),
    )
