"""Each test of a cross-section of events on one window, from values of the events and sums over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from market_reaction.engine.ranks import CrossSectionSums
from market_reaction.inference import parametric, rank
from market_reaction.inference.common_dates import with_correlation
from market_reaction.inference.day_scores import DAY_SCORES, time_series_test
from market_reaction.inference.generalized_rank import grank_t_of, grank_z_of
from market_reaction.inference.overlap import cluster_means, merge_overlapping
from market_reaction.inference.results import StatisticalTest, not_applicable

INDEPENDENT = (
    "patell_z", "bmp_t", "cross_section_t", "skewness_adjusted_t", "sign_test", "generalized_sign_z", "wilcoxon",
    "grank_z",
)  # fmt: skip
MEAN_NULL = "The mean CAR over events is zero."


@dataclass(frozen=True, slots=True, eq=False)
class EventWindow:
    """What the tests take of one event window: values of the usable events, (n,), and sums over them."""

    number: int
    car: np.ndarray
    scar: np.ndarray
    df: np.ndarray
    days: np.ndarray
    span: int
    constant_mean: bool
    sums: CrossSectionSums | None
    correlation: float


def _event_level(window: EventWindow) -> StatisticalTest:
    clusters = merge_overlapping(window.days, window.span)
    return parametric.event_level_t(cluster_means(window.car, clusters))


def _on_shared_dates(
    name: str, otherwise: str, run: Callable[[EventWindow, float], StatisticalTest]
) -> Callable[[EventWindow], StatisticalTest]:
    """A test that adjusts for correlation; it needs events that share a date."""

    def checked(window: EventWindow) -> StatisticalTest:
        known = window.days[~np.isnan(window.scar)]
        if len(known) > 1 and len(np.unique(known)) == len(known):
            reason = f"no two events share a date: no correlation to adjust for, and {otherwise} is the same test"
            return not_applicable(name, MEAN_NULL, len(known), reason)
        return with_correlation(lambda rho: run(window, rho), window.correlation)

    return checked


def _portfolio(window: EventWindow) -> StatisticalTest:
    assert window.sums is not None
    shares = window.sums.shares
    count = shares.complete
    if not count:
        return parametric.portfolio_t(float("nan"), shares.residual, window.span)
    found = parametric.portfolio_t(float(shares.car[window.number]) / count, shares.residual / count, window.span)
    found = replace(found, note=f"{count} events with every session")
    return found if window.constant_mean or not found.applies else replace(found, validity="approximate")


def _on_ranks(name: str) -> Callable[[EventWindow], StatisticalTest]:
    def run(window: EventWindow) -> StatisticalTest:
        assert window.sums is not None
        return time_series_test(name, window.sums.scores[window.number][name], window.sums.columns[window.number])

    return run


def _generalized_sign(window: EventWindow) -> StatisticalTest:
    assert window.sums is not None
    shares = window.sums.shares
    share = shares.positive / shares.cases if shares.cases else float("nan")
    return rank.generalized_sign_of(window.car, share)


def _grank(run: Callable[[CrossSectionSums, EventWindow], StatisticalTest]) -> Callable[[EventWindow], StatisticalTest]:
    def checked(window: EventWindow) -> StatisticalTest:
        assert window.sums is not None
        return run(window.sums, window)

    return checked


COVERED: Mapping[str, Callable[[EventWindow], StatisticalTest]] = {
    "event_level_t": _event_level,
    "portfolio_t": _portfolio,
    "kolari_pynnonen_t": _on_shared_dates(
        "kolari_pynnonen_t", "bmp_t", lambda window, rho: parametric.kolari_pynnonen_t(window.scar, rho)
    ),
    "adjusted_patell_z": _on_shared_dates(
        "adjusted_patell_z", "patell_z", lambda window, rho: parametric.adjusted_patell_z(window.scar, window.df, rho)
    ),
    "patell_z": lambda window: parametric.patell_z(window.scar, window.df),
    "bmp_t": lambda window: parametric.bmp_t(window.scar),
    "cross_section_t": lambda window: parametric.cross_section_t(window.car),
    "skewness_adjusted_t": lambda window: parametric.skewness_adjusted_t(window.car),
    **{name: _on_ranks(name) for name in DAY_SCORES},
    "sign_test": lambda window: rank.sign_test(window.car),
    "generalized_sign_z": _generalized_sign,
    "wilcoxon": lambda window: rank.wilcoxon(window.scar),
    "grank_t": _grank(lambda sums, window: grank_t_of(sums.grank[window.number], window.correlation)),
    "grank_z": _grank(lambda sums, window: grank_z_of(sums.grank[window.number])),
}
ON_BUY_AND_HOLD = ("event_level_t", "cross_section_t", "skewness_adjusted_t", "sign_test")
WITHOUT_SUMS = {"event_level_t", "patell_z", "bmp_t", "sign_test", "wilcoxon", *ON_BUY_AND_HOLD}


def tested(name: str, window: EventWindow) -> StatisticalTest:
    """A test on one window; not valid where it takes events as independent that share a date."""
    found = COVERED[name](window)
    days = window.days[~np.isnan(window.car)]
    dates = len(np.unique(days))
    if name not in INDEPENDENT or not found.applies or dates == len(days):
        return found
    reason = (
        f"{len(days)} events share {dates} date{'s' * (dates != 1)} and it takes them as independent; "
        "kolari_pynnonen_t and adjusted_patell_z allow for events of one date"
    )
    return replace(found, validity="not valid", note="; ".join(text for text in (reason, found.note) if text))
