"""Tests of several events, in one market or in the mean over markets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from market_reaction.battery.cases import Cases, cases_of_events
from market_reaction.battery.options import PRIMARY, BatteryOptions
from market_reaction.event_filters import announced
from market_reaction.inference import parametric, rank, resampling
from market_reaction.inference.multiple import romano_wolf
from market_reaction.inference.overlap import (
    calendar_time_portfolio,
    cluster_means,
    joint_dummy_regression,
)
from market_reaction.inference.permutations import sign_vectors
from market_reaction.inference.results import StatisticalTest, not_applicable, t_test
from market_reaction.placebo import MarketMoves
from market_reaction.sessions import sessions_holding
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

MEAN_NULL = "The mean CAR over events is zero."
STEPPED_NULL = "The mean CAR over events of this market is zero; p is adjusted for all markets looked at."
INCOMPLETE = "no event has a complete window"
FLIPS = 9999


@dataclass(frozen=True)
class ManyEvents:
    """Several events in one market.

    Attributes
    ----------
    study : EventStudyResult
        The study.
    market : str
        The market.
    options : BatteryOptions
        What was asked for.
    """

    study: EventStudyResult
    market: str
    options: BatteryOptions

    @cached_property
    def window(self) -> Window:
        """Window tested: the first event window of the study when none was named."""
        return self.options.window or self.study.windows.event[0]

    @cached_property
    def cases(self) -> Cases:
        """The events as arrays."""
        return cases_of_events(self.study, self.market, self.window)

    @cached_property
    def positions(self) -> np.ndarray:
        """Row of day 0 of each event, shape (K,)."""
        return np.array([self.study.pairs[name, self.market].position for name in self.cases.names])

    @cached_property
    def clusters(self) -> np.ndarray:
        """Label of each event; events whose windows overlap share one, shape (K,)."""
        return self.study.clusters(self.market, self.window).to_numpy()

    @cached_property
    def cluster_cars(self) -> np.ndarray:
        """Mean CAR of each cluster of events, shape (clusters,)."""
        return cluster_means(self.cases.car, self.clusters)

    @property
    def merged(self) -> int:
        """Number of events that are counted together with another one."""
        return len(self.clusters) - len(self.cluster_cars)

    @cached_property
    def moves(self) -> MarketMoves:
        """Moves of the market."""
        return MarketMoves.of(self.study.prices[self.market], self.study, self.study.prices, self.options.exclude)

    @cached_property
    def event_rows(self) -> list[np.ndarray]:
        """Rows of each event's window, where the series holds all of them."""
        first, last = self.window
        windows = [np.arange(at + first, at + last + 1) for at in self.positions]
        return [rows for rows in windows if rows[-1] < len(self.moves.moves)]

    @cached_property
    def active(self) -> np.ndarray:
        """Whether a session lies in a complete event window, shape (T,)."""
        inside = np.zeros(len(self.moves.moves), dtype=bool)
        for rows in self.event_rows:
            inside[rows] = True
        return inside

    @cached_property
    def other(self) -> np.ndarray:
        """Whether a session of the span lies in no event window and holds no event of the study, shape (T,)."""
        other = np.zeros(len(self.moves.moves), dtype=bool)
        other[self.span] = True
        return other & ~self.active & ~sessions_holding(self.moves.clock, self.study.events)

    @cached_property
    def span(self) -> slice:
        """Rows from the first estimation window to the end of the last event window."""
        first = max(int(self.positions.min()) + self.study.windows.estimation[0], 0)
        last = max(int(self.positions.max()), *(int(rows[-1]) for rows in self.event_rows), 0)
        return slice(first, last + 1)

    @cached_property
    def abnormal(self) -> np.ndarray:
        """Abnormal return of every session, each from its own estimation window, shape (T,)."""
        return self.moves.abnormal(self.study, np.arange(len(self.moves.moves)))


def event_tests(many: ManyEvents, names: tuple[str, ...]) -> list[StatisticalTest]:
    """Tests over the events of one market among ``names``."""
    return [_TESTS[name](many) for name in names if name in _TESTS]


def _with_note(test: StatisticalTest, note: str) -> StatisticalTest:
    return replace(test, note="; ".join(text for text in (test.note, note) if text))


def basket_tests(markets: list[ManyEvents], names: tuple[str, ...]) -> list[StatisticalTest]:
    """Tests of the mean over markets first, then over events; the clusters are those of any market.

    Each market counts with the sign expected of it. Without signs there is no mean of markets whose SCARs move against
    each other over the events: it would cancel.
    """
    chosen: dict[str, Callable[[np.ndarray], StatisticalTest]] = {
        "event_level_t": parametric.event_level_t,
        "sign_flip": resampling.sign_flip,
        "wild_bootstrap": resampling.wild_bootstrap,
        "wilcoxon": rank.wilcoxon,
    }
    scars = pd.concat({many.market: pd.Series(many.cases.scar, many.cases.names) for many in markets}, axis=1)
    scars = _in_time(scars, markets[0].study)
    signs = markets[0].options.signs
    lowest = float(scars.corr().to_numpy().min())
    if not signs and lowest < 0:
        reason = (
            f"the SCARs of these markets move against each other over the events (lowest correlation {lowest:.2f}), so "
            "that their mean cancels; give the direction expected of each, signs={'CSI 300': +1, ...}"
        )
        return [not_applicable(name, MEAN_NULL, len(scars), reason) for name in names if name in chosen]
    counted = scars[list(signs)] * pd.Series(signs) if signs else scars
    values = cluster_means(counted.mean(axis=1).to_numpy(), joint_clusters(markets, scars.index))
    note = f"SCARs are averaged over {counted.shape[1]} markets{' with their signs' if signs else ''}, then over events"
    return [_with_note(chosen[name](values), note) for name in names if name in chosen]


def _in_time(of_events: pd.DataFrame, study: EventStudyResult) -> pd.DataFrame:
    """Rows of events in order of time: drawn signs go by row, and so must not depend on how the table is sorted."""
    when = announced(study.events)
    return of_events.loc[when.loc[of_events.index].sort_values(kind="stable").index]


def joint_clusters(markets: list[ManyEvents], names: pd.Index) -> np.ndarray:
    """Labels of the events; those that any market merges share one, shape (K,)."""
    cluster = pd.Series(np.arange(len(names)), names)
    while True:  # a pass may link clusters of two markets, and those others again
        before = cluster
        for many in markets:
            label = pd.Series(many.clusters, many.cases.names).reindex(names)
            cluster = cluster.groupby(label.fillna(-1 - cluster)).transform("min")
        if cluster.equals(before):
            return cluster.to_numpy()


def step_down_tests(markets: list[ManyEvents]) -> dict[str, StatisticalTest]:
    """Romano-Wolf p of each market but the primary one over the events, from sign flips of whole events."""
    primary = markets[0].options.primary
    adjusted = _stepped_down([many for many in markets if many.market != primary])
    if primary is not None:
        adjusted[primary] = not_applicable("romano_wolf", STEPPED_NULL, 1, PRIMARY)
    return adjusted


def _stepped_down(markets: list[ManyEvents]) -> dict[str, StatisticalTest]:
    table = pd.concat({many.market: pd.Series(many.cases.car, many.cases.names) for many in markets}, axis=1)
    known = _in_time(table.dropna(), markets[0].study)
    values = known.groupby(joint_clusters(markets, known.index)).mean().to_numpy()
    count = len(values)
    if count < resampling.LEAST_FOR_SIGNS:
        reason = f"{count} separate events with a CAR in every market; sign flips need {resampling.LEAST_FOR_SIGNS}"
        return {many.market: not_applicable("romano_wolf", STEPPED_NULL, count, reason) for many in markets}
    signs, _ = sign_vectors(count, FLIPS, 0)
    scale = np.sqrt(np.square(values).mean(axis=0) / count)
    draws = np.asarray(signs)[1:] @ values / count / scale
    statistic = values.mean(axis=0) / scale
    p_values = romano_wolf(statistic, draws)
    lost = len(table) - len(known)
    note = f"adjusted over {len(markets)} markets"
    note += f"; {lost} events without a CAR in every market are left out" if lost else ""
    return {
        many.market: StatisticalTest(
            "romano_wolf", float(value), float(p), float("nan"), STEPPED_NULL,
            f"{len(draws)} sign flips of whole events", count, "conservative", note, 1 / (1 + len(draws)),
        )
        for many, value, p in zip(markets, statistic, p_values, strict=True)
    }  # fmt: skip


def _studentised_permutation(many: ManyEvents) -> StatisticalTest:
    scaled = many.abnormal / many.moves.sigma
    return resampling.studentised_permutation(scaled[np.unique(many.positions)], scaled[many.other & many.moves.usable])


def _group_difference(many: ManyEvents) -> StatisticalTest:
    null = "Escalations and de-escalations have the same mean CAR."
    direction = many.study.events.get("direction")
    if direction is None:
        reason = "the event table has no column direction with 'escalation' and 'de-escalation'"
        return not_applicable("group_difference", null, len(many.cluster_cars), reason)
    of_cluster = direction.reindex(many.cases.names).groupby(many.clusters)
    mixed = of_cluster.nunique(dropna=False).to_numpy() > 1
    kinds = np.where(mixed, "", of_cluster.first().to_numpy())
    found = resampling.group_difference(
        many.cluster_cars[kinds == "escalation"], many.cluster_cars[kinds == "de-escalation"]
    )
    note = f"{mixed.sum()} clusters of overlapping events hold both directions and are left out"
    return _with_note(found, note) if mixed.any() else found


def _calendar_time(many: ManyEvents) -> StatisticalTest:
    return calendar_time_portfolio(many.abnormal, many.active, many.other)


def _joint_dummies(many: ManyEvents) -> StatisticalTest:
    name = "joint_dummy_regression"
    design = many.moves.counterfactual.linear_design()
    if design is None:
        reason = f"normal_model={many.study.design.normal_model!r} is no single regression"
        return not_applicable(name, MEAN_NULL, len(many.cluster_cars), reason)
    if not many.event_rows:
        return not_applicable(name, MEAN_NULL, 0, INCOMPLETE)
    offset, regressors = design
    start = many.span.start
    rows = [window - start for window in many.event_rows]
    fit = joint_dummy_regression((many.moves.moves - offset)[many.span], regressors[many.span], rows)
    known = np.isfinite(fit.car)
    error = float(np.sqrt(fit.car_covariance[np.ix_(known, known)].sum())) / max(int(known.sum()), 1)
    if not known.any() or not error > 0:
        return not_applicable(name, MEAN_NULL, 0, INCOMPLETE)
    note = f"{len(fit.shared)} sessions are shared by events and counted for each" if len(fit.shared) else ""
    return t_test(name, fit.car[known].mean() / error, fit.df, MEAN_NULL, int(known.sum()), "approximate", note)


def _on_cases(run: Callable[[Cases], StatisticalTest]) -> Callable[[ManyEvents], StatisticalTest]:
    """Run a test that takes the events as independent cases: of events that overlap, the earliest."""

    def checked(many: ManyEvents) -> StatisticalTest:
        order = np.argsort(many.positions, kind="stable")
        _, first = np.unique(many.clusters[order], return_index=True)
        found = run(many.cases.chosen(np.sort(order[first])))
        return _with_note(found, "of events that overlap, the earliest is taken") if many.merged else found

    return checked


def _on_values(run: Callable[[np.ndarray], StatisticalTest]) -> Callable[[ManyEvents], StatisticalTest]:
    """Run a test on the values of the clusters of events."""

    def checked(many: ManyEvents) -> StatisticalTest:
        note = f"{many.merged} of {len(many.clusters)} events merged with one whose window they overlap"
        found = run(many.cluster_cars)
        return _with_note(found, note) if many.merged else found

    return checked


def _kolari_pynnonen(many: ManyEvents) -> StatisticalTest:
    reason = "events of one market on separate dates have no cross-correlation to adjust for; bmp_t is the same test"
    return not_applicable("kolari_pynnonen_t", MEAN_NULL, len(many.cluster_cars), reason)


_TESTS: Mapping[str, Callable[[ManyEvents], StatisticalTest]] = {
    "event_level_t": _on_values(parametric.event_level_t),
    "sign_flip": _on_values(resampling.sign_flip),
    "studentised_permutation": _studentised_permutation,
    "group_difference": _group_difference,
    "wild_bootstrap": _on_values(resampling.wild_bootstrap),
    "wilcoxon": _on_values(rank.wilcoxon),
    "sign_test": _on_values(rank.sign_test),
    "skewness_adjusted_t": _on_values(parametric.skewness_adjusted_t),
    "bmp_t": _on_cases(lambda cases: parametric.bmp_t(cases.scar)),
    "kolari_pynnonen_t": _kolari_pynnonen,
    "patell_z": _on_cases(lambda cases: parametric.patell_z(cases.scar, cases.df_resid)),
    "corrado_rank": _on_cases(lambda cases: rank.corrado_rank(cases.with_window, cases.window_columns)),
    "corrado_zivney_rank": _on_cases(lambda cases: rank.corrado_zivney_rank(cases.with_window, cases.window_columns)),
    "corrado_zivney_sign": _on_cases(lambda cases: rank.corrado_zivney_sign(cases.with_window, cases.window_columns)),
    "generalized_sign_z": _on_cases(lambda cases: rank.generalized_sign_z(cases.car, cases.residuals)),
    "grank_t": _on_cases(lambda cases: rank.grank_t(cases.scar, cases.standardized, 0.0)),
    "grank_z": _on_cases(lambda cases: rank.grank_z(cases.scar, cases.standardized)),
    "calendar_time_portfolio": _calendar_time,
    "joint_dummy_regression": _joint_dummies,
}
