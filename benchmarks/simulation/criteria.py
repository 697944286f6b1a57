"""What each test claims, where, and whether the simulated rate at 5% bears it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["exact", "approximate", "conservative"]
NOMINAL = 0.05
APPROXIMATE = (0.04, 0.065)
POWER = (0.77, 0.83)
ONE_MARKET = "study == 'one market' and window == 1 and errors == 'garch_t' and larger == 'none'"
SYMMETRIC = "errors != 'skewed'"
UNCHANGED = "larger == 'none'"


@dataclass(frozen=True, slots=True)
class Claim:
    """Domain of a test.

    Attributes
    ----------
    test, study : str
        As in the results.
    kind : {"exact", "approximate", "conservative"}
        Exact: within three Monte Carlo standard errors of the attainable size. Approximate: 4 to 6.5%. Conservative:
        at most 5% and three standard errors.
    inside : str
        Query for the cells of the domain.
    words : str
        The domain in words.
    """

    test: str
    study: str
    kind: Kind
    inside: str
    words: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rate that was fixed before the simulation: its cell, and the bounds in which it must lie."""

    words: str
    test: str
    query: str
    low: float
    high: float
    group: str = "all"


def _claims() -> list[Claim]:
    constant, normal = "errors != 'garch_t'", f"errors == 'normal' and {UNCHANGED}"
    independent, symmetric = "rho == 0", f"rho == 0 and {SYMMETRIC}"
    spread = f"dates == 'spread' and {SYMMETRIC} and markets == 1"
    claims = [
        ("placebo", "one market", "approximate", UNCHANGED, "any volatility; the day's own variance unchanged"),
        ("garch_rank", "garch", "approximate", UNCHANGED, "stable GARCH"),
        ("drift_before", "drift", "approximate", UNCHANGED, "any volatility"),
        ("placebo, 19 days", "small pool", "approximate", UNCHANGED, "any volatility"),
        ("placebo, 100 days", "small pool", "approximate", UNCHANGED, "any volatility"),
        ("no_reaction", "no reaction", "exact", normal, "normal errors of one variance"),
        ("placebo_plain", "one market", "approximate", f"{constant} and {UNCHANGED}", "constant volatility"),
        ("conformal_car", "one market", "approximate", UNCHANGED, "stationary returns, on average over volatility"),
        ("conformal_path", "one market", "approximate", UNCHANGED, "stationary returns, on average over volatility"),
        ("conformal_car_iid", "one market", "exact", normal, "exchangeable returns"),
        ("conformal_path_iid", "one market", "exact", normal, "exchangeable returns"),
        ("forecast_t", "one market", "exact", normal, "normal errors of one variance"),
        ("placebo", "joint", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("joint_maximum", "joint", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("joint_quadratic", "joint", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("joint_signed_mean", "joint", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("romano_wolf", "joint", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("holm", "joint", "conservative", UNCHANGED, "any dependence"),
        ("block_bootstrap", "bootstrap", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("portfolio_t", "across markets", "exact", normal, "normal errors of one variance"),
        ("kolari_pynnonen_t", "across markets", "approximate", f"larger != 'factor' and {SYMMETRIC}",
         "all shocks scaled alike"),
        ("adjusted_patell_z", "across markets", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("patell_z", "across markets", "approximate", f"{independent} and {UNCHANGED}",
         "independent cases, variance unchanged"),
        ("cross_section_t", "across markets", "approximate", symmetric, "independent cases"),
        ("bmp_t", "across markets", "approximate", symmetric, "ten independent cases"),
        ("skewness_adjusted_t", "across markets", "approximate", independent, "ten independent cases"),
        ("sign_test", "across markets", "exact", symmetric, "independent cases with median zero"),
        ("generalized_sign_z", "across markets", "approximate", independent, "independent cases"),
        ("wilcoxon", "across markets", "exact", symmetric, "independent symmetric cases"),
        ("corrado_rank", "across markets", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("corrado_zivney_rank", "across markets", "approximate", UNCHANGED, "variance of the day unchanged"),
        ("corrado_zivney_sign", "across markets", "approximate", independent, "independent cases"),
        ("grank_t", "across markets", "approximate", symmetric, "30 independent cases"),
        ("grank_z", "across markets", "approximate", symmetric, "30 independent cases"),
        ("event_level_t", "events", "conservative", SYMMETRIC, "symmetric events"),
        ("sign_flip", "events", "exact", spread, "six symmetric events"),
        ("wilcoxon", "events", "exact", spread, "symmetric events"),
        ("sign_test", "events", "exact", spread, "events with median zero"),
        ("wild_bootstrap", "resampled events", "approximate", SYMMETRIC, "symmetric events"),
        ("studentised_permutation", "resampled events", "approximate", "events >= 5", "five events"),
        ("group_difference", "resampled events", "approximate", "events >= 8", "four events of each kind"),
        ("skewness_adjusted_t", "events", "approximate", "markets == 1", "ten independent events"),
        ("patell_z", "events", "approximate", f"{UNCHANGED} and markets == 1", "variance of the day unchanged"),
        ("bmp_t", "events", "approximate", f"{SYMMETRIC} and markets == 1", "ten independent events"),
        ("corrado_rank", "events", "approximate", f"{UNCHANGED} and markets == 1", "variance of the day unchanged"),
        ("corrado_zivney_rank", "events", "approximate", f"{UNCHANGED} and markets == 1",
         "variance of the day unchanged"),
        ("corrado_zivney_sign", "events", "approximate", "markets == 1", "any variance"),
        ("generalized_sign_z", "events", "approximate", "markets == 1", "independent events"),
        ("calendar_time_portfolio", "events", "approximate", f"{SYMMETRIC} and markets == 1", "symmetric events"),
        ("joint_dummy_regression", "events", "exact", f"{normal} and markets == 1", "normal errors of one variance"),
        ("romano_wolf", "events", "conservative", "events >= 6", "six symmetric events"),
    ]  # fmt: skip
    return [Claim(*claim) for claim in claims]  # type: ignore[arg-type]


CLAIMS = _claims()


def verdict(kind: Kind, rate: float, attainable: float, count: int) -> str:
    """Whether a rate meets its criterion; "within error" when two standard errors would do."""
    if kind == "exact":
        return "met" if abs(rate - attainable) <= 3 * _error(attainable, count) else "not met"
    if kind == "conservative":
        return "met" if rate <= NOMINAL + 3 * _error(NOMINAL, count) else "not met"
    # A discrete test that cannot reach 4% is only asked not to reject too often.
    return in_bounds(rate, APPROXIMATE[0] if attainable >= APPROXIMATE[0] else 0.0, APPROXIMATE[1], count)


def in_bounds(rate: float, low: float, high: float, count: int) -> str:
    """Whether a rate lies in its bounds."""
    if low <= rate <= high:
        return "met"
    slack = 2 * _error(rate, count)
    return "within error" if low - slack <= rate <= high + slack else "not met"


def _error(rate: float, count: int) -> float:
    return float(np.sqrt(rate * (1 - rate) / count))


def judged(results: pd.DataFrame) -> pd.DataFrame:
    """Every cell at 5% with the claim of its test: ``inside`` the domain or not, and the verdict inside."""
    rates = results[(results["measure"] == "rejection") & (results["level"] == NOMINAL) & (results["group"] == "all")]
    made = []
    for claim in CLAIMS:
        cells = rates[(rates["test"] == claim.test) & (rates["study"] == claim.study) & rates["value"].notna()]
        inside = cells.index.isin(cells.query(claim.inside).index)
        made.append(cells.assign(kind=claim.kind, inside=inside, domain=claim.words))
    table = pd.concat(made, ignore_index=True)
    table["verdict"] = [
        verdict(row.kind, row.value, row.attainable, row.count) if row.inside else "outside"
        for row in table.rename(columns={"count": "runs_counted"}).assign(count=table["count"]).itertuples()
    ]
    return table


def wanted() -> list[Wanted]:
    """Rates that were fixed before the simulation."""
    return [Wanted(*item) for part in (_placebo(), _one_event(), _markets(), _events(), _power()) for item in part]


Item = tuple[str, str, str, float, float] | tuple[str, str, str, float, float, str]


def _placebo() -> Iterator[Item]:
    six = "study == 'joint' and markets == 6 and errors == 'garch_t' and larger == 'none'"
    yield from _by_tercile("headline placebo, one market", "placebo", ONE_MARKET)
    for rho in (0.0, 0.7):
        cell = f"{six} and rho == {rho}"
        yield from _by_tercile(f"headline placebo, one of six markets, ρ = {rho:g}", "placebo", cell)
        yield from _by_tercile(f"joint maximum of six markets, ρ = {rho:g}", "joint_maximum", cell)


def _by_tercile(words: str, test: str, cell: str) -> Iterator[Item]:
    yield words, test, cell, 0.04, 0.06
    for group, third in {"low": "calm", "middle": "middle", "high": "volatile"}.items():
        yield f"{words}, {third} third", test, cell, 0.03, 0.08, group


def _one_event() -> Iterator[Item]:
    for window in (1, 6, 11):
        cell = ONE_MARKET.replace("window == 1", f"window == {window}")
        yield f"conformal CAR test, cyclic shifts, m = {window}", "conformal_car", cell, *APPROXIMATE


def _markets() -> Iterator[Item]:
    across = "study == 'across markets' and errors == 'garch_t'"
    for markets in (6, 30):
        cell = f"{across} and rho == 0.5 and markets == {markets} and larger == 'all'"
        yield f"Kolari-Pynnönen, {markets} markets, ρ = 0.5, variances ×4", "kolari_pynnonen_t", cell, 0.04, 0.06
    cell = f"{across} and markets == 30 and rho == 0 and larger == 'none'"
    yield "BMP, 30 independent markets", "bmp_t", cell, *APPROXIMATE
    yield "GRANK-T, 30 independent markets", "grank_t", cell, *APPROXIMATE
    cell = f"{across} and markets == 6 and rho == 0.7 and larger == 'none'"
    yield "Patell, six markets, ρ = 0.7: far too large", "patell_z", cell, 0.2, 1.0
    yield "cross-section t, six markets, ρ = 0.7: far too large", "cross_section_t", cell, 0.2, 1.0


def _events() -> Iterator[Item]:
    for events in (5, 8, 20):
        alone = f"markets == 1 and dates == 'spread' and errors == 'garch_t' and events == {events}"
        cell = f"study == 'events' and {alone} and larger == 'none'"
        yield f"event-level t, K = {events}", "event_level_t", cell, 0.0, NOMINAL + 3 * _error(NOMINAL, 10_000)
        cell = f"study == 'resampled events' and {alone} and larger == 'all'"
        yield f"studentised permutation, K = {events}, sd ×2", "studentised_permutation", cell, 0.04, 0.07
        yield f"plain permutation, K = {events}, sd ×2: far too large", "plain permutation", cell, 0.25, 0.31


def _power() -> Iterator[Item]:
    one = "study == 'power of one event' and effect == 1 and errors =="
    yield "power at the MDE: t of one event, normal errors", "forecast_t", f"{one} 'normal'", *POWER
    yield "power at the simulated MDE: headline placebo, GARCH-t", "placebo", f"{one} 'garch_t'", *POWER
    for events in (5, 8, 20):
        cell = f"study == 'power of several events' and effect == 1 and events == {events}"
        yield f"power at the MDE: event-level t, K = {events}, normal errors", "event_level_t", cell, *POWER
