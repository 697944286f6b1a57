"""Names of all tests, the setting each belongs to, its role there, and when it is valid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from market_reaction.errors import WindowError, did_you_mean
from market_reaction.windows import Window

Setting = Literal["one event, one market", "one event, several markets", "several events"]
Role = Literal["headline", "secondary", "cross-check", "baseline", "contrast"]
TestChoice = Literal["headline", "all"] | Sequence[str]

ONE_MARKET: Setting = "one event, one market"
MARKETS: Setting = "one event, several markets"
EVENTS: Setting = "several events"
DAY_ZERO: Window = (0, 0)


@dataclass(frozen=True, slots=True)
class RegisteredTest:
    """One test of the battery.

    Attributes
    ----------
    roles : mapping of Setting to Role
        Settings in which it is run, and what it is there.
    valid_when : str
        Conditions under which its p holds.
    reference : str
        Paper, author and year.
    window : tuple of int or None
        The window it is about whatever is asked; None where it takes any.
    """

    roles: dict[Setting, Role]
    valid_when: str
    reference: str
    window: Window | None = None


TESTS: dict[str, RegisteredTest] = {
    "placebo": RegisteredTest(
        {ONE_MARKET: "headline"},
        "the day is exchangeable with its pool days once each is divided by its own EWMA volatility; 100 days or more",
        "Abadie, Diamond and Hainmueller (2010)",
        window=DAY_ZERO,
    ),
    "placebo_clean": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "as placebo; the pool leaves out catalogue events and releases of high importance: the null is a quiet day",
        "Abadie, Diamond and Hainmueller (2010)",
        window=DAY_ZERO,
    ),
    "placebo_same_release": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "as placebo, when the return holds a scheduled release: its pool days hold one of the same kind; 19 or more",
        "Abadie, Diamond and Hainmueller (2010)",
        window=DAY_ZERO,
    ),
    "garch_rank": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "stable GARCH parameters over 500 sessions or more, and a fit that converges",
        "Savickas (2003)",
        window=DAY_ZERO,
    ),
    "placebo_plain": RegisteredTest(
        {ONE_MARKET: "contrast"},
        "constant volatility only: it rejects too often after volatile weeks and too seldom after calm ones",
        "Brown and Warner (1985)",
        window=DAY_ZERO,
    ),
    "conformal_car": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "stationary, weakly dependent abnormal returns; cyclic shifts keep their order",
        "Chernozhukov, Wuthrich and Zhu (2021)",
    ),
    "conformal_car_iid": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "exchangeable abnormal returns: exact then, and wrong under changing volatility",
        "Chernozhukov, Wuthrich and Zhu (2021)",
    ),
    "conformal_path": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "as conformal_car, for an effect on any session of the window, whatever the sum",
        "Chernozhukov, Wuthrich and Zhu (2021)",
    ),
    "conformal_path_iid": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "as conformal_car_iid, for an effect on any session of the window, whatever the sum",
        "Chernozhukov, Wuthrich and Zhu (2021)",
    ),
    "forecast_t": RegisteredTest(
        {ONE_MARKET: "cross-check"},
        "normal errors of constant variance, and an OLS model, whose forecast error is exact",
        "MacKinlay (1997)",
    ),
    "drift_before": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "as placebo, for the five sessions before the announcement: a leak, or news before it",
        "Keown and Pinkerton (1981)",
        window=(-5, -1),
    ),
    "no_reaction": RegisteredTest(
        {ONE_MARKET: "secondary"},
        "a margin fixed beforehand; without one only the smallest margin that the day can exclude",
        "Schuirmann (1987)",
    ),
    "joint_maximum": RegisteredTest(
        {MARKETS: "headline"},
        "the vector of markets is exchangeable with its pool days; keeps every cross-correlation",
        "Romano and Wolf (2005)",
        window=DAY_ZERO,
    ),
    "joint_quadratic": RegisteredTest(
        {MARKETS: "secondary"},
        "as joint_maximum; sees many moderate moves better than one large",
        "Abadie, Diamond and Hainmueller (2010)",
        window=DAY_ZERO,
    ),
    "joint_signed_mean": RegisteredTest(
        {MARKETS: "secondary"},
        "as joint_maximum, with the direction of each market fixed beforehand",
        "Abadie, Diamond and Hainmueller (2010)",
        window=DAY_ZERO,
    ),
    "romano_wolf": RegisteredTest(
        {MARKETS: "headline", EVENTS: "headline"},
        "as joint_maximum: p of each market, adjusted for having looked at all of them",
        "Romano and Wolf (2005)",
    ),
    "holm": RegisteredTest({MARKETS: "cross-check"}, "any dependence between markets", "Holm (1979)", window=DAY_ZERO),
    "benjamini_yekutieli": RegisteredTest(
        {MARKETS: "cross-check"},
        "any dependence; controls the share of false findings",
        "Benjamini, Yekutieli (2001)",
        window=DAY_ZERO,
    ),
    "portfolio_t": RegisteredTest(
        {MARKETS: "cross-check"}, "normal errors of constant variance, markets of one unit", "Brown and Warner (1980)"
    ),
    "kolari_pynnonen_t": RegisteredTest(
        {MARKETS: "cross-check", EVENTS: "cross-check"},
        "three markets or more, and an event that scales all shocks alike: 12 to 24% instead of 5% where only the "
        "common factor's variance grows",
        "Kolari and Pynnonen (2010)",
    ),
    "adjusted_patell_z": RegisteredTest(
        {MARKETS: "baseline"}, "unchanged variance on the event day", "Kolari and Pynnonen (2010)"
    ),
    "patell_z": RegisteredTest(
        {MARKETS: "baseline", EVENTS: "baseline"},
        "independent cases and unchanged variance: never several markets on one day",
        "Patell (1976)",
    ),
    "bmp_t": RegisteredTest(
        {MARKETS: "baseline", EVENTS: "cross-check"},
        "ten independent cases or more; any variance common to them",
        "Boehmer, Musumeci and Poulsen (1991)",
    ),
    "cross_section_t": RegisteredTest(
        {MARKETS: "baseline"}, "independent cases of one unit", "Charest (1978); Brown and Warner (1985)"
    ),
    "skewness_adjusted_t": RegisteredTest(
        {MARKETS: "baseline", EVENTS: "cross-check"}, "ten independent cases or more, of one unit", "Hall (1992)"
    ),
    "corrado_rank": RegisteredTest(
        {MARKETS: "cross-check", EVENTS: "cross-check"}, "no growth of variance on the event day", "Corrado (1989)"
    ),
    "corrado_zivney_rank": RegisteredTest(
        {MARKETS: "cross-check", EVENTS: "cross-check"},
        "as corrado_rank; missing days allowed",
        "Corrado, Zivney (1992)",
    ),
    "corrado_zivney_sign": RegisteredTest(
        {MARKETS: "cross-check", EVENTS: "cross-check"}, "any symmetric variance; weak power", "Corrado, Zivney (1992)"
    ),
    "sign_test": RegisteredTest(
        {MARKETS: "baseline", EVENTS: "cross-check"}, "independent cases with median zero", "Brown and Warner (1980)"
    ),
    "generalized_sign_z": RegisteredTest(
        {MARKETS: "baseline", EVENTS: "cross-check"}, "independent cases; any skewness", "Cowan (1992)"
    ),
    "wilcoxon": RegisteredTest(
        {MARKETS: "baseline", EVENTS: "cross-check"}, "independent cases, symmetric about zero", "Wilcoxon (1945)"
    ),
    "grank_t": RegisteredTest(
        {MARKETS: "cross-check", EVENTS: "cross-check"},
        "30 cases or more of small correlation",
        "Kolari and Pynnonen (2011)",
    ),
    "grank_z": RegisteredTest(
        {MARKETS: "baseline", EVENTS: "cross-check"}, "30 independent cases or more", "Kolari and Pynnonen (2011)"
    ),
    "block_bootstrap": RegisteredTest(
        {MARKETS: "cross-check"},
        "stationary, weakly dependent residuals; learns the noise only, as the placebo does",
        "Politis and Romano (1994)",
    ),
    "event_level_t": RegisteredTest(
        {EVENTS: "headline"},
        "independent events, each normal or a mixture of normals; at most 5% for any number of events",
        "Ibragimov and Muller (2010)",
    ),
    "sign_flip": RegisteredTest(
        {EVENTS: "headline"},
        "six events or more, each symmetric about zero under the null; any variance of each",
        "Canay, Romano and Shaikh (2017)",
    ),
    "studentised_permutation": RegisteredTest(
        {EVENTS: "secondary"},
        "five events or more against the days without one",
        "Chung and Romano (2013)",
        window=DAY_ZERO,
    ),
    "wild_bootstrap": RegisteredTest(
        {EVENTS: "cross-check"}, "independent events; fails with very few", "Cameron, Gelbach and Miller (2008)"
    ),
    "group_difference": RegisteredTest(
        {EVENTS: "secondary"},
        "four events or more of each direction: escalation against de-escalation",
        "Chung and Romano (2013)",
    ),
    "calendar_time_portfolio": RegisteredTest(
        {EVENTS: "cross-check"}, "long or overlapping windows", "Jaffe (1974); Mandelker (1974)"
    ),
    "joint_dummy_regression": RegisteredTest(
        {EVENTS: "cross-check"},
        "normal errors of constant variance; overlapping events of one market",
        "Binder (1985)",
    ),
}
HEADLINE_TESTS = tuple(name for name, entry in TESTS.items() if "headline" in entry.roles.values())


def chosen_tests(tests: TestChoice) -> tuple[str, ...]:
    """Names of the tests asked for, in the order of ``TESTS``.

    Parameters
    ----------
    tests : {"headline", "all"} or sequence of str
        Names as in ``TESTS``.

    Raises
    ------
    WindowError
        A name that is not in ``TESTS``; the message names the nearest.

    Examples
    --------
    >>> chosen_tests(["forecast_t", "placebo"])
    ('placebo', 'forecast_t')
    """
    if tests == "all":
        return tuple(TESTS)
    if tests == "headline":
        return HEADLINE_TESTS
    asked = [tests] if isinstance(tests, str) else list(tests)
    for name in asked:
        if name not in TESTS:
            raise WindowError(
                f"tests={name!r} is not known. {did_you_mean(name, TESTS)}Give 'headline', 'all', or names among "
                f"{', '.join(TESTS)}."
            )
    return tuple(name for name in TESTS if name in asked)
