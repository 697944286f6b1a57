"""One event: the tests of one market, and the joint placebo over several."""

from __future__ import annotations

import numpy as np

from market_reaction.inference import conformal, multiple, parametric, placebo
from market_reaction.inference.equivalence import no_reaction
from market_reaction.inference.placebo import MINIMUM_POOL
from market_reaction.inference.results import StatisticalTest
from market_reaction.inference.scales import ewma_volatility
from market_reaction.inference.selection import scaled_drifts
from market_reaction.inference.volatility import garch_rank
from market_reaction.normal_models import rolling_abnormal
from market_reaction.windows import EWMA_START
from simulation import cases, panels, placebos
from simulation.cells import Cell, Outcomes

DRIFT_LENGTH = 5
SMALL_POOLS = (19, MINIMUM_POOL)
MARGIN = 4.0  # in standard deviations of a day
DRAWS = 999  # random permutations of a conformal test


def one_market(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Tests of one market on one event; the placebo and its contrast are for day 0 alone."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    fitted = cases.study(panel.returns[:, 0], placebos.DAY_ZERO, cell.window)
    outcomes = Outcomes(volatility=panel.volatility[:, 0, placebos.DAY_ZERO].tolist())
    for run in range(runs):
        if cell.window == 1:
            own = placebos.statistics(panel.returns[run, 0])
            outcomes.add(placebos.ranked("placebo", own.scaled))
            outcomes.add(placebos.ranked("placebo_plain", own.plain))
        for name, test in _one_market(fitted, run).items():
            outcomes.add(test, name)
    return outcomes


def _one_market(fitted: cases.Cases, run: int) -> dict[str, StatisticalTest]:
    """Conformal tests, and the t with forecast error. With one session both kinds of permutation are the same."""
    both = fitted.both[run]
    before, inside = conformal.all_period_residuals(both[: panels.LENGTH], both[panels.LENGTH :])
    found = {"forecast_t": parametric.forecast_t(fitted.car[run], fitted.std_error[run], cases.DF)}
    for statistic in ("car", "path") if len(inside) > 1 else ("car",):
        found[f"conformal_{statistic}"] = conformal.conformal_test(before, inside, statistic, "cyclic")
        if len(inside) > 1:
            found[f"conformal_{statistic}_iid"] = conformal.conformal_test(
                before, inside, statistic, "iid", draws=DRAWS, seed=run
            )
    return found


def garch(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Rank by fitted GARCH-t beside the EWMA-scaled placebo on the same paths, in the first market."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    outcomes = Outcomes(volatility=panel.volatility[:, 0, placebos.DAY_ZERO].tolist())
    for moves in panel.returns[:, 0]:
        outcomes.add(placebos.ranked("placebo", placebos.statistics(moves).scaled))
        before, at_event = moves[: placebos.DAY_ZERO], float(moves[placebos.DAY_ZERO])
        outcomes.add(garch_rank(before, at_event, placebos.ROWS[1:]))
    return outcomes


def drift(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Drift over the five sessions before the announcement, ranked among those before the pool days."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    outcomes = Outcomes(volatility=panel.volatility[:, 0, placebos.DAY_ZERO - DRIFT_LENGTH].tolist())
    for moves in panel.returns[:, 0]:
        abnormal = rolling_abnormal("constant_mean", moves, None, np.arange(len(moves)), cases.ESTIMATION)
        sigma = ewma_volatility(moves, start=EWMA_START)
        drifts = scaled_drifts(abnormal, sigma, placebos.ROWS, DRIFT_LENGTH)
        outcomes.add(placebos.ranked("drift_before", drifts))
    return outcomes


def by_estimate(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """The placebo in thirds of the EWMA volatility, as real returns must be cut, instead of the true one."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    outcomes = Outcomes()
    for moves in panel.returns[:, 0]:
        own = placebos.statistics(moves)
        outcomes.volatility.append(own.sigma)
        outcomes.add(placebos.ranked("placebo", own.scaled))
        outcomes.add(placebos.ranked("placebo_plain", own.plain))
    return outcomes


def small_pool(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """The placebo with the fewest pool days that a same-release pool and the headline may have."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    outcomes = Outcomes(volatility=panel.volatility[:, 0, placebos.DAY_ZERO].tolist())
    for moves in panel.returns[:, 0]:
        own = placebos.statistics(moves).scaled
        for days in SMALL_POOLS:
            outcomes.add(placebos.ranked("placebo", own[: 1 + days]), f"placebo, {days} days")
    return outcomes


def at_margin(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Two one-sided tests of no reaction where the effect is as large as the margin."""
    panel = panels.ending_with_event(cell, rng, runs, cases.BEFORE)
    fitted = cases.study(panel.returns[:, 0], cases.BEFORE)
    outcomes, margin = Outcomes(), MARGIN * panels.DAILY
    for car, std_error in zip(fitted.car + margin, fitted.std_error, strict=True):
        found = no_reaction(car, std_error, cases.DF, margin)
        null, text = "The reaction is as large as the margin.", f"t({cases.DF})"
        outcomes.add(StatisticalTest("no_reaction", car, found.p_value, cases.DF, null, text, 1, "exact"))
    return outcomes


def joint(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Joint placebo over the markets, the first market's own, and Romano-Wolf over all of them."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    spread = np.sqrt((panel.volatility[:, :, placebos.DAY_ZERO] ** 2).mean(axis=1))
    outcomes = Outcomes(volatility=spread.tolist())
    for moves in panel.returns:
        scaled = np.column_stack([placebos.statistics(one).scaled for one in moves])
        own = [placebos.ranked("placebo", values) for values in scaled.T]
        outcomes.add(own[0])
        event, pool, scale = scaled[0], scaled[1:], scaled[1:].std(axis=0, ddof=1)
        for name, (value, values) in placebo.joint_statistics(event, pool, scale, np.ones(cell.markets)).items():
            outcomes.add(placebos.ranked(f"joint_{name}", np.concatenate([[value], values])))
        smallest = float(multiple.romano_wolf(event / scale, pool / scale).min())
        outcomes.add(placebos.outcome("romano_wolf", smallest, placebos.POOL))
        smallest = float(multiple.holm(np.array([test.p_value for test in own])).min())
        outcomes.add(placebos.outcome("holm", smallest, placebos.POOL))
    return outcomes
