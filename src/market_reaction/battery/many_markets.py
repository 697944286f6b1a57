"""Tests of one event over several markets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from market_reaction.battery.cases import Cases, cases_of_markets
from market_reaction.battery.one_event import OneEvent, as_test
from market_reaction.battery.options import PRIMARY
from market_reaction.inference import parametric, rank, resampling
from market_reaction.inference.common_dates import with_correlation
from market_reaction.inference.multiple import benjamini_yekutieli, holm, romano_wolf
from market_reaction.inference.placebo import MINIMUM_POOL
from market_reaction.inference.results import StatisticalTest, Validity, not_applicable
from market_reaction.placebo_result import JointPlacebo, MarketPlacebo

JOINT_NULL = "The vector of markets is drawn like the pool days' vectors."
MEAN_NULL = "The mean CAR over markets is zero."
NO_JOINT_POOL = "no joint pool: fewer than two markets have a placebo test"
_METHODS = {"holm": holm, "benjamini_yekutieli": benjamini_yekutieli}


@dataclass(frozen=True)
class AcrossMarkets:
    """One event over its markets.

    Attributes
    ----------
    one : OneEvent
        The event in each market.
    own : mapping of str to MarketPlacebo
        Headline placebo test of each market.
    joint : JointPlacebo or None
        Joint tests over the markets that have a test.
    """

    one: OneEvent
    own: Mapping[str, MarketPlacebo]
    joint: JointPlacebo | None

    @cached_property
    def cases(self) -> Cases:
        """The markets as arrays."""
        return cases_of_markets(self.one.study, self.one.pairs, self.one.window)

    @cached_property
    def adjusted_over(self) -> tuple[str, ...]:
        """Markets that are adjusted for having been looked at: all with a test but the primary one."""
        primary = self.one.options.primary
        return tuple(name for name in (self.joint.markets if self.joint else ()) if name != primary)


def across_tests(over: AcrossMarkets, names: tuple[str, ...]) -> list[StatisticalTest]:
    """Tests over all markets of one event among ``names``."""
    return [_TESTS[name](over) for name in names if name in _TESTS]


def adjusted_tests(over: AcrossMarkets, names: tuple[str, ...]) -> dict[str, list[StatisticalTest]]:
    """Adjusted p of each market, by market: Romano-Wolf from the joint draws, Holm and Benjamini-Yekutieli."""
    chosen = [name for name in ("romano_wolf", "holm", "benjamini_yekutieli") if name in names]
    found: dict[str, list[StatisticalTest]] = {market: [] for market in over.own}
    for name in chosen:
        stepped = name == "romano_wolf"
        values = _step_down(over) if stepped else _from_p_values(over, name)
        floor = _smallest_stepped(over) if stepped else _smallest_adjusted(over, name)
        for market, tests in found.items():
            tests.append(_adjusted(over, name, market, values, floor))
    return found


def _step_down(over: AcrossMarkets) -> dict[str, float]:
    joint, markets = over.joint, over.adjusted_over
    if joint is None or not markets or len(joint.pool) < MINIMUM_POOL:
        return {}
    columns = [joint.markets.index(name) for name in markets]
    values = romano_wolf(joint.event[columns], joint.pool[:, columns])
    return dict(zip(markets, np.asarray(values, dtype=float).tolist(), strict=True))


def _from_p_values(over: AcrossMarkets, name: str) -> dict[str, float]:
    markets = over.adjusted_over
    raw = np.array([over.own[market].scaled.p_value for market in markets])
    values = _METHODS[name](raw) if len(raw) else raw
    return dict(zip(markets, values.tolist(), strict=True))


def _adjusted(
    over: AcrossMarkets, name: str, market: str, values: Mapping[str, float], floor: float
) -> StatisticalTest:
    null = "This market's day is drawn like its pool days; p is adjusted for all markets looked at."
    if market == over.one.options.primary:
        return not_applicable(name, null, 1, PRIMARY)
    if not np.isfinite(values.get(market, float("nan"))):
        short = (
            f"{len(over.joint.pool)} joint pool days; at least {MINIMUM_POOL} are needed"
            if over.joint
            else NO_JOINT_POOL
        )
        reason = over.own[market].scaled.note or short
        return not_applicable(name, null, len(values), reason)
    size = len(over.joint.pool) if over.joint is not None and name == "romano_wolf" else 0
    source = f"{size} joint pool days" if size else f"placebo p of {len(values)} markets"
    note = f"adjusted over {len(values)} markets"
    validity: Validity = "approximate" if name == "romano_wolf" else "conservative"
    return StatisticalTest(
        name, over.own[market].statistic, values[market], float("nan"), null, source, len(values), validity, note, floor
    )


def _smallest_adjusted(over: AcrossMarkets, name: str) -> float:
    """Smallest p that Holm or Benjamini-Yekutieli can give: every market's own p at its floor."""
    floors = np.array([over.own[market].scaled.floor for market in over.adjusted_over])
    return float(_METHODS[name](floors).min()) if len(floors) else float("nan")


def _smallest_stepped(over: AcrossMarkets) -> float:
    """Smallest p of the step-down from the joint draws."""
    return 1 / (1 + len(over.joint.pool)) if over.joint is not None else float("nan")


def _joint(statistic: str) -> Callable[[AcrossMarkets], StatisticalTest]:
    name = f"joint_{statistic}"

    def run(over: AcrossMarkets) -> StatisticalTest:
        if over.joint is None:
            return not_applicable(name, JOINT_NULL, len(over.own), NO_JOINT_POOL)
        if statistic not in over.joint.ranks:
            reason = "needs the direction expected of each market, fixed before looking: signs={'CSI 300': +1, ...}"
            return not_applicable(name, JOINT_NULL, len(over.joint.markets), reason)
        ranked = over.joint.ranks[statistic]
        found = as_test(name, ranked, ranked.statistic, JOINT_NULL, over.joint.note)
        return replace(found, n=len(over.joint.markets)) if found.applies else found

    return run


def _on_cases(
    name: str, run: Callable[[Cases], StatisticalTest], *, one_unit: bool = False
) -> Callable[[AcrossMarkets], StatisticalTest]:
    """Run a classical test on the markets; with ``one_unit`` only where their CARs can be averaged."""

    def checked(over: AcrossMarkets) -> StatisticalTest:
        cases = over.cases
        if len(cases.names) < 2:
            return not_applicable(name, MEAN_NULL, len(cases.names), f"needs several markets; {len(cases.names)} given")
        if one_unit and not cases.unit:
            units = ", ".join(dict.fromkeys(over.one.study.design.units[market] for market in cases.names))
            reason = f"the markets have moves in different units ({units}), so that their CARs have no common mean"
            return not_applicable(name, MEAN_NULL, len(cases.names), reason)
        return run(cases)

    return checked


def _adjusted_for_correlation(run: Callable[[Cases, float], StatisticalTest]) -> Callable[[Cases], StatisticalTest]:
    """Adjust for the mean correlation between the markets."""
    return lambda cases: with_correlation(lambda rho: run(cases, rho), cases.correlation)


def _portfolio_t(cases: Cases) -> StatisticalTest:
    together = cases.residuals[:, np.isfinite(cases.residuals).all(axis=0)]
    found = parametric.portfolio_t(float(cases.car.mean()), together.mean(axis=0), cases.abnormal.shape[1])
    return found if cases.constant_mean or not found.applies else replace(found, validity="approximate")


_TESTS: Mapping[str, Callable[[AcrossMarkets], StatisticalTest]] = {
    "joint_maximum": _joint("maximum"),
    "joint_quadratic": _joint("quadratic"),
    "joint_signed_mean": _joint("signed_mean"),
    "portfolio_t": _on_cases("portfolio_t", _portfolio_t, one_unit=True),
    "kolari_pynnonen_t": _on_cases(
        "kolari_pynnonen_t", _adjusted_for_correlation(lambda cases, rho: parametric.kolari_pynnonen_t(cases.scar, rho))
    ),
    "adjusted_patell_z": _on_cases(
        "adjusted_patell_z",
        _adjusted_for_correlation(lambda cases, rho: parametric.adjusted_patell_z(cases.scar, cases.df_resid, rho)),
    ),
    "patell_z": _on_cases("patell_z", lambda cases: parametric.patell_z(cases.scar, cases.df_resid)),
    "bmp_t": _on_cases("bmp_t", lambda cases: parametric.bmp_t(cases.scar)),
    "cross_section_t": _on_cases("cross_section_t", lambda cases: parametric.cross_section_t(cases.car), one_unit=True),
    "skewness_adjusted_t": _on_cases(
        "skewness_adjusted_t", lambda cases: parametric.skewness_adjusted_t(cases.car), one_unit=True
    ),
    "corrado_rank": _on_cases("corrado_rank", lambda cases: rank.corrado_rank(cases.with_window, cases.window_columns)),
    "corrado_zivney_rank": _on_cases(
        "corrado_zivney_rank", lambda cases: rank.corrado_zivney_rank(cases.with_window, cases.window_columns)
    ),
    "corrado_zivney_sign": _on_cases(
        "corrado_zivney_sign", lambda cases: rank.corrado_zivney_sign(cases.with_window, cases.window_columns)
    ),
    "sign_test": _on_cases("sign_test", lambda cases: rank.sign_test(cases.car)),
    "generalized_sign_z": _on_cases(
        "generalized_sign_z", lambda cases: rank.generalized_sign_z(cases.car, cases.residuals)
    ),
    "wilcoxon": _on_cases("wilcoxon", lambda cases: rank.wilcoxon(cases.scar)),
    "grank_t": _on_cases("grank_t", lambda cases: rank.grank_t(cases.scar, cases.standardized, cases.correlation)),
    "grank_z": _on_cases("grank_z", lambda cases: rank.grank_z(cases.scar, cases.standardized)),
    "block_bootstrap": _on_cases(
        "block_bootstrap", lambda cases: resampling.block_bootstrap(cases.residuals.T, cases.abnormal.T)
    ),
}
