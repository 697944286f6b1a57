"""Response to news identified by its variance, x = b y + z + news and y = a x + z + other; and local projections."""

from __future__ import annotations

import numpy as np

from market_reaction.inference.identification import rigobon_sack
from market_reaction.inference.projections import local_projections
from market_reaction.inference.results import StatisticalTest
from simulation import panels
from simulation.cells import COVERAGE, Cell, Outcomes

RESPONSE, FEEDBACK = 0.5, 0.3  # a, which is wanted, and b
OTHER_DAYS = 500
HORIZONS, SPELL = 5, 600  # of local projections: longest horizon, and sessions in the sample
PERMUTATIONS = 199


def identified(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Confidence set, estimate and event-study slope; ``larger`` is "factor" (the news alone) or "all" shocks."""
    news_by, rest_by = panels.TWICE[cell.larger]
    total = cell.events + OTHER_DAYS
    news, common, other = panels.shocks(rng, cell.errors, (3, runs, total))
    news[:, : cell.events] *= news_by
    common[:, : cell.events] *= rest_by
    other[:, : cell.events] *= rest_by
    x = (news + (1 + FEEDBACK) * common + FEEDBACK * other) / (1 - RESPONSE * FEEDBACK)
    y = RESPONSE * x + common + other
    outcomes = Outcomes()
    for run in range(runs):
        parts = [series[run, rows] for rows in (slice(cell.events), slice(cell.events, None)) for series in (y, x)]
        for level in COVERAGE:
            found = rigobon_sack(*parts, level=level)
            covered = any(low <= RESPONSE <= high for low, high in found.conf_set)
            length = found.conf_set[0][1] - found.conf_set[0][0] if found.bounded else np.inf
            outcomes.add_interval("rigobon_sack", level, covered, length)
        outcomes.estimates.setdefault("rigobon_sack", []).append(found.estimate)
        outcomes.estimates.setdefault("event-study slope", []).append(found.event_study_ols)
    return outcomes


def projected(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Bands of local projections where events on random dates have no effect, and their permutation p."""
    outcomes = Outcomes()
    for run in range(runs):
        dates = rng.choice(np.arange(10, SPELL - HORIZONS), cell.events, replace=False)
        panel = panels.draw(rng, 1, 1, SPELL, errors=cell.errors, event_rows=dates, larger=cell.larger)
        shock = np.zeros(SPELL)
        shock[dates] = 1.0
        for errors in ("hac", "lag_augmented"):
            for level in COVERAGE:
                found = local_projections(
                    panel.returns[0, 0].cumsum(), shock, HORIZONS,
                    errors=errors, level=level, draws=PERMUTATIONS if errors == "hac" else 1, seed=run,
                )  # fmt: skip
                whole = (found.simultaneous_low <= 0) & (found.simultaneous_high >= 0)
                last = found.conf_low[-1] <= 0 <= found.conf_high[-1]
                width = found.simultaneous_high - found.simultaneous_low, found.conf_high[-1] - found.conf_low[-1]
                outcomes.add_interval(f"{errors}, sup_t band", level, whole.all(), width[0].mean() / panels.DAILY)
                outcomes.add_interval(f"{errors}, last horizon", level, last, width[1] / panels.DAILY)
            if errors == "hac":
                outcomes.add(_permutation(found.permutation_joint_p, cell.events))
    return outcomes


def _permutation(p_value: float, events: int) -> StatisticalTest:
    null, nan = "The dates of the shocks are random.", float("nan")
    return StatisticalTest(
        "permutation of dates", nan, p_value, nan, null, f"{PERMUTATIONS} draws", events, "exact",
        floor=1 / (1 + PERMUTATIONS),
    )  # fmt: skip
