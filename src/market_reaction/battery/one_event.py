"""Tests of one event in one market."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from market_reaction.battery.options import BatteryOptions
from market_reaction.inference.conformal import all_period_residuals, conformal_interval, conformal_test
from market_reaction.inference.equivalence import no_reaction
from market_reaction.inference.parametric import forecast_t
from market_reaction.inference.placebo import PlaceboRank, placebo_rank
from market_reaction.inference.power import t_mde_factor
from market_reaction.inference.results import StatisticalTest, not_applicable
from market_reaction.inference.selection import scaled_drifts
from market_reaction.inference.volatility import garch_rank
from market_reaction.other_news import OtherNews, news_inside, notable_news, own_id, same_releases
from market_reaction.pair_study import PairStudy
from market_reaction.placebo import MarketMoves, placebo_at
from market_reaction.placebo_result import MarketPlacebo
from market_reaction.sessions import sessions_holding
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window
from market_reaction.wording import size

SAME_RELEASE_MINIMUM = 19  # the smallest pool whose floor, 1/20, reaches 5%
DRIFT_LENGTH = 5
GARCH_SESSIONS = 1500  # history over which GARCH parameters are taken as stable
NULL = "This day is drawn like the pool days."


@dataclass(frozen=True)
class OneEvent:
    """One event in the markets studied, with everything its tests share.

    Attributes
    ----------
    study : EventStudyResult
        The study.
    event : pandas.Series
        The announcement.
    options : BatteryOptions
        What was asked for.
    """

    study: EventStudyResult
    event: pd.Series
    options: BatteryOptions

    @cached_property
    def pairs(self) -> dict[str, PairStudy]:
        """Study of each market."""
        return {market: pair for (key, market), pair in self.study.pairs.items() if key == self.event.name}

    @cached_property
    def day_zero(self) -> dict[str, int]:
        """Row of day 0 by market."""
        return {market: pair.position for market, pair in self.pairs.items()}

    @cached_property
    def moves(self) -> dict[str, MarketMoves]:
        """Moves of each market, with the pool the options allow."""
        return {
            market: MarketMoves.of(self.study.prices[market], self.study, self.study.prices, self.options.exclude)
            for market in self.pairs
        }

    @cached_property
    def clean(self) -> dict[str, MarketPlacebo]:
        """Placebo tests against days without catalogue events and releases of high importance."""
        quiet = {
            market: replace(moves, usable=moves.usable & ~sessions_holding(moves.clock, notable_news()))
            for market, moves in self.moves.items()
        }
        return placebo_at(self.event, quiet, self.day_zero, self.study, self.options.history)[0]

    def news(self, market: str) -> tuple[OtherNews, ...]:
        """Other news inside the day-0 return of a market."""
        return self._news_at(market, self.day_zero[market])

    @cached_property
    def possible_day_zeros(self) -> dict[str, set[int]]:
        """Rows of every possible day 0 by market."""
        found = {}
        for market, position in self.day_zero.items():
            where = self.study.sessions.loc[[(self.event.name, market)]].iloc[0]
            candidates = self.study.prices[market].sessions.get_indexer(pd.DatetimeIndex(where["candidates"]))
            found[market] = {position, *candidates.tolist()}
        return found

    @cached_property
    def own_id(self) -> str | None:
        """Catalogue row that is the announcement itself."""
        return own_id(self.event)

    def shares_news(self, market: str, window: Window) -> bool:
        """Whether other news lies inside a return of a window around any possible day 0 of a market."""
        taus = range(window[0], window[1] + 1)
        return any(self._news_at(market, at + tau) for at in self.possible_day_zeros[market] for tau in taus)

    def _news_at(self, market: str, position: int) -> tuple[OtherNews, ...]:
        return news_inside(self.study.prices[market], position, self.event, self.own_id)

    def among(self, market: str, news: pd.DataFrame) -> MarketPlacebo:
        """Placebo test of one market against days that hold some of the news given."""
        moves = self.moves[market]
        held = replace(moves, usable=moves.usable & sessions_holding(moves.clock, news))
        own, _ = placebo_at(
            self.event, {market: held}, {market: self.day_zero[market]}, self.study, self.options.history,
            minimum=SAME_RELEASE_MINIMUM,
        )  # fmt: skip
        return own[market]

    @cached_property
    def window(self) -> Window:
        """Window tested: day 0 when none was named, so that every row answers the headline's question."""
        return self.options.window or (0, 0)

    def abnormal_everywhere(self, market: str) -> np.ndarray:
        """Abnormal return of every session of a market, each from its own estimation window."""
        moves = self.moves[market]
        everywhere = np.arange(len(moves.moves))
        return moves.abnormal(self.study, everywhere)


def market_tests(one: OneEvent, market: str, full: MarketPlacebo, names: tuple[str, ...]) -> list[StatisticalTest]:
    """Tests of one market among ``names``, in the order of the registry.

    Parameters
    ----------
    one : OneEvent
        The event.
    market : str
        A market of it.
    full : MarketPlacebo
        Its headline placebo test.
    names : tuple of str
        Tests asked for.
    """
    return [_TESTS[name](one, market, full) for name in names if name in _TESTS]


def as_test(name: str, rank: PlaceboRank, statistic: float, null: str = NULL, note: str = "") -> StatisticalTest:
    """A placebo rank in the form of every test; the statistic keeps its sign."""
    if not np.isfinite(rank.p_value):
        return not_applicable(name, null, rank.n_placebo, rank.note)
    return StatisticalTest(
        name, statistic, rank.p_value, float("nan"), null, f"{rank.n_placebo} pool days", rank.n_placebo,
        "approximate", note, rank.floor,
    )  # fmt: skip


def _placebo(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    note = f"{full.n_left_out} sessions with excluded events were left out" if full.n_left_out else ""
    return as_test("placebo", full.scaled, full.statistic, note=note)


def _placebo_clean(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    found = one.clean[market]
    note = f"{found.n_left_out} sessions with catalogue events or releases of high importance were left out"
    return as_test("placebo_clean", found.scaled, found.statistic, "This day is drawn like a quiet day.", note)


def _placebo_same_release(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    kinds, releases = same_releases(one.news(market))
    null = "This day is drawn like the days with the same release."
    if not kinds:
        return not_applicable("placebo_same_release", null, 0, "no scheduled release lies inside this return")
    found = one.among(market, releases)
    note = f"pool of days with {' or '.join(kinds)}"
    if not np.isfinite(found.scaled.p_value):
        return not_applicable("placebo_same_release", null, found.scaled.n_placebo, f"{note}: {found.scaled.note}")
    return as_test("placebo_same_release", found.scaled, found.statistic, null, note)


def _placebo_plain(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    note = "contrast only: volatility is taken as constant"
    return as_test("placebo_plain", full.plain, one.pairs[market].day_zero, note=note)


def _garch_rank(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    at = one.day_zero[market]
    relative = one.study.design.regressors.get(market)  # else GARCH has a mean of its own
    moves = one.abnormal_everywhere(market) if relative else one.moves[market].moves
    pool = one.moves[market].clock.sessions.get_indexer(full.pool_sessions)
    first = max(1, min([at - GARCH_SESSIONS, *pool.tolist()]))
    return garch_rank(moves[first:at], float(moves[at]), pool - first)


def _conformal(statistic: str, permutations: str) -> Callable[[OneEvent, str, MarketPlacebo], StatisticalTest]:
    name = f"conformal_{statistic}{'_iid' if permutations == 'iid' else ''}"

    def run(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
        pair = one.pairs[market]
        residuals = all_period_residuals(pair.fit.residuals, pair.abnormal[pair.rows(one.window)])
        found = replace(conformal_test(*residuals, statistic, permutations), name=name)  # type: ignore[arg-type]
        if found.validity == "exact" and pair.fit.model not in ("constant_mean", "zero_mean"):
            return replace(found, validity="approximate")  # slopes are those of the estimation window alone
        return found

    return run


def _forecast_t(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    pair = one.pairs[market]
    found = forecast_t(*pair.car(one.window), pair.fit.df_resid)
    if found.applies and not pair.fit.exact:
        return replace(found, validity="approximate", note=pair.fit.note or "the forecast error is approximate")
    return found


def _drift_before(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    moves, at = one.moves[market], one.day_zero[market]
    pool = moves.clock.sessions.get_indexer(full.pool_sessions)
    rows = np.append(pool, at)
    drifts = scaled_drifts(one.abnormal_everywhere(market), moves.sigma, rows, DRIFT_LENGTH)
    before = drifts[:-1][np.isfinite(drifts[:-1])]
    rank = placebo_rank(drifts[-1], before)
    null = f"The {DRIFT_LENGTH} sessions before the announcement are drawn like those before the pool days."
    early = [zero for zero in one.possible_day_zeros[market] if at - DRIFT_LENGTH <= zero < at]
    held = "; these sessions may hold the announcement itself, which is ambiguous" if early else ""
    note = f"pool windows overlap, so that a nominal 5% is 5 to 6%{held}"
    return as_test("drift_before", rank, float(drifts[-1]), null, note)


def _no_reaction(one: OneEvent, market: str, full: MarketPlacebo) -> StatisticalTest:
    pair = one.pairs[market]
    car, std_error = pair.car(one.window)
    found = no_reaction(car, std_error, pair.fit.df_resid, one.options.margins.get(market))
    unit = one.study.design.units[market]
    null = "The reaction is larger than the margin."
    if not np.isfinite(found.p_value):
        return not_applicable("no_reaction", null, pair.fit.nobs, found.verdict)
    note = f"{found.verdict} ({size(found.margin, unit)})"
    return StatisticalTest(
        "no_reaction", car / std_error, found.p_value, found.df, null, f"t({found.df:g})", pair.fit.nobs,
        "approximate", note,
    )  # fmt: skip


_TESTS: Mapping[str, Callable[[OneEvent, str, MarketPlacebo], StatisticalTest]] = {
    "placebo": _placebo,
    "placebo_clean": _placebo_clean,
    "placebo_same_release": _placebo_same_release,
    "garch_rank": _garch_rank,
    "placebo_plain": _placebo_plain,
    "conformal_car": _conformal("car", "cyclic"),
    "conformal_car_iid": _conformal("car", "iid"),
    "conformal_path": _conformal("path", "cyclic"),
    "conformal_path_iid": _conformal("path", "iid"),
    "forecast_t": _forecast_t,
    "drift_before": _drift_before,
    "no_reaction": _no_reaction,
}


def bounds_of(one: OneEvent, market: str, full: MarketPlacebo, found: StatisticalTest) -> dict[str, float]:
    """What a test says beside its p, in the unit of the market's moves.

    Returns
    -------
    dict of str to float
        Among ``mde``, the minimum detectable effect; ``conf_low`` and ``conf_high``, the 95% interval of the CAR; and
        ``smallest_margin``, the smallest margin of no reaction that the window can exclude.
    """
    pair = one.pairs[market]
    car, std_error = pair.car(one.window)
    if found.name == "no_reaction":
        return {"smallest_margin": no_reaction(car, std_error, pair.fit.df_resid).smallest_margin}
    if found.name == "placebo":
        return {"mde": full.mde}  # a day chosen for its move has it too
    if not found.applies:
        return {}
    if found.name == "placebo_clean":
        return {"mde": one.clean[market].mde}
    if found.name == "forecast_t":
        reach = float(special.stdtrit(pair.fit.df_resid, 0.975)) * std_error
        return {"mde": t_mde_factor(pair.fit.df_resid) * std_error, "conf_low": car - reach, "conf_high": car + reach}
    if found.name in ("conformal_car", "conformal_car_iid"):
        permutations: Literal["cyclic", "iid"] = "iid" if found.name.endswith("iid") else "cyclic"
        interval = conformal_interval(
            pair.fit.residuals, pair.abnormal[pair.rows(one.window)], 0.95, "car", permutations
        )
        return {"conf_low": interval.conf_low, "conf_high": interval.conf_high}
    return {}
