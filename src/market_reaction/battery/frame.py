"""All tests of a study as one tidy frame, and the map of what is valid for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from market_reaction.battery.many_events import ManyEvents, basket_tests, event_tests, step_down_tests
from market_reaction.battery.many_markets import AcrossMarkets, across_tests, adjusted_tests
from market_reaction.battery.one_event import OneEvent, bounds_of, market_tests
from market_reaction.battery.options import CHOSEN, BatteryOptions
from market_reaction.battery.registry import (
    DAY_ZERO,
    EVENTS,
    MARKETS,
    ONE_MARKET,
    TESTS,
    Setting,
    TestChoice,
    chosen_tests,
)
from market_reaction.inference.results import StatisticalTest, not_applicable
from market_reaction.placebo import placebo_test
from market_reaction.placebo_result import PlaceboResult
from market_reaction.records import DaysAsLarge
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

BOUNDS = ("mde", "conf_low", "conf_high", "smallest_margin")
COLUMNS = (
    "event_id", "market", "test", "setting", "role", "window", "statistic", "p_value", "floor", *BOUNDS, "unit", "df",
    "distribution", "n", "validity", "null", "p_is_of", "note",
)  # fmt: skip
ANNOUNCEMENT, JOINT_NEWS = "the announcement", "joint reaction to all listed news"
BEFORE = "the sessions before the announcement"
THESE_EVENTS = "the events with all other news of their windows"


@dataclass(frozen=True, slots=True)
class Row:
    """One test with its place: event and market are empty where it runs over all of them."""

    found: StatisticalTest
    setting: Setting
    window: Window
    event_id: str = ""
    market: str = ""
    unit: str = ""
    p_is_of: str = ANNOUNCEMENT
    bounds: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Values of ``COLUMNS``."""
        found = self.found
        return {
            "event_id": self.event_id,
            "market": self.market,
            "test": found.name,
            "setting": self.setting,
            "role": TESTS[found.name].roles[self.setting],
            "window": "[{},{}]".format(*(TESTS[found.name].window or self.window)),
            "statistic": found.statistic,
            "p_value": found.p_value,
            "floor": found.floor,
            **{name: self.bounds.get(name, float("nan")) for name in BOUNDS},
            "unit": self.unit,
            "df": found.df,
            "distribution": found.distribution,
            "n": found.n,
            "validity": found.validity,
            "null": found.null,
            "p_is_of": self.p_is_of,
            "note": found.note,
        }


def study_tests(
    study: EventStudyResult,
    tests: TestChoice = "all",
    options: BatteryOptions | None = None,
    placebo: PlaceboResult | None = None,
) -> pd.DataFrame:
    """Run the tests of a study.

    Parameters
    ----------
    study : EventStudyResult
        One event or several, one market or several.
    tests : {"headline", "all"} or sequence of str
        Names as in ``TESTS``.
    options : BatteryOptions, optional
        Window, pools, and what was fixed before looking.
    placebo : PlaceboResult, optional
        Headline placebo tests that are there already.

    Returns
    -------
    pandas.DataFrame
        One row a test, event and market. ``market`` is ``"all N markets"`` for a test over markets, ``event_id``
        ``"all K events"`` for one over events. ``p_value`` is NaN with the reason in ``note`` where a test does not
        apply. ``mde``, the 95% interval ``conf_low`` to ``conf_high`` and ``smallest_margin`` are in the ``unit`` of
        the market's moves, NaN for tests that have none.
    """
    names, asked = chosen_tests(tests), options or BatteryOptions()
    events = study.studied_events
    if len(events) == 1:
        rows = _of_one_event(study, events[0], names, asked, placebo)
    else:
        rows = _of_many_events(study, names, asked, len(events))
    if asked.selected_because_it_moved:
        rows = (_voided(row, _as_large(study, row)) for row in rows)
    return pd.DataFrame([row.as_dict() for row in rows], columns=list(COLUMNS))


def _of_one_event(
    study: EventStudyResult,
    event_id: str,
    names: tuple[str, ...],
    options: BatteryOptions,
    placebo: PlaceboResult | None,
) -> Iterator[Row]:
    one = OneEvent(study, study.events.loc[[event_id]].iloc[0], options)
    done = placebo or placebo_test(
        study, study.prices, history=options.history, exclude=options.exclude, signs=options.signs
    )
    own = {market: done.markets[event_id, market] for market in one.pairs}
    over = AcrossMarkets(one, own, done.joint.get(event_id))
    adjusted = adjusted_tests(over, names)
    for market, full in own.items():
        unit = study.design.units[market]
        relative = _relative_to(study, market)
        for found in market_tests(one, market, full, names):
            of = _p_is_of(one, [market], found.name) + relative
            yield Row(found, ONE_MARKET, one.window, event_id, market, unit, of, bounds_of(one, market, full, found))
        for found in adjusted[market]:
            of = _p_is_of(one, [market], found.name, DAY_ZERO) + relative
            yield Row(found, MARKETS, DAY_ZERO, event_id, market, unit, of)
    label = _all_of(len(own), "market")
    for found in across_tests(over, names):
        yield Row(found, MARKETS, one.window, event_id, label, p_is_of=_p_is_of(one, own, found.name))
    yield from _elsewhere(names, EVENTS, "a test over several events; 1 given", one.window, event_id, label)


def _of_many_events(
    study: EventStudyResult, names: tuple[str, ...], options: BatteryOptions, count: int
) -> Iterator[Row]:
    markets = [ManyEvents(study, market, options) for market in dict.fromkeys(market for _, market in study.pairs)]
    label = _all_of(count, "event")
    adjusted = step_down_tests(markets) if "romano_wolf" in names and len(markets) > 1 else {}
    for many in markets:
        unit = study.design.units[many.market]
        found = [*event_tests(many, names), *([adjusted[many.market]] if adjusted else [])]
        of = THESE_EVENTS + _relative_to(study, many.market)
        for test in found:
            yield Row(test, EVENTS, many.window, label, many.market, unit, of, _event_bounds(many, test))
    if len(markets) > 1:
        for test in basket_tests(markets, names):
            yield Row(test, EVENTS, markets[0].window, label, _all_of(len(markets), "market"), p_is_of=THESE_EVENTS)
    reason = f"a test of one event; {count} given: placebo_test(result, prices) has each event's own"
    for setting in (ONE_MARKET, MARKETS):
        yield from _elsewhere(names, setting, reason, markets[0].window, label, _all_of(len(markets), "market"))


def _elsewhere(
    names: tuple[str, ...], setting: Setting, reason: str, window: Window, event_id: str, market: str
) -> Iterator[Row]:
    """Tests that belong to another setting than the case at hand, and to that one alone."""
    for name in names:
        if set(TESTS[name].roles) == {setting}:
            null = "Does not arise here."
            yield Row(not_applicable(name, null, 0, reason), setting, window, event_id, market)


def _event_bounds(many: ManyEvents, found: StatisticalTest) -> dict[str, float]:
    """Minimum detectable mean CAR and its 95% interval, of the t test over events."""
    if found.name != "event_level_t" or not found.applies:
        return {}
    mean = many.study.caar(many.window)
    return {bound: float(mean[bound][many.market]) for bound in ("mde", "conf_low", "conf_high")}


def _all_of(count: int, noun: str) -> str:
    return f"all {count} {noun}{'s' if count > 1 else ''}"


def _relative_to(study: EventStudyResult, market: str) -> str:
    """What the normal return of a market takes off: the effect is then relative to it."""
    others = study.design.regressors.get(market, ())
    return f", relative to {', '.join(others)}" if others else ""


def _p_is_of(one: OneEvent, markets: Iterable[str], test: str, window: Window | None = None) -> str:
    """What the return tested holds: other news may share any session of the window."""
    if test == "drift_before":
        return BEFORE
    tested = window or TESTS[test].window or one.window
    return JOINT_NEWS if any(one.shares_news(market, tested) for market in markets) else ANNOUNCEMENT


def _as_large(study: EventStudyResult, row: Row) -> str:
    """What may be said in place of p: how many days moved as much; empty over several markets or events."""
    pair = study.pairs.get((row.event_id, row.market))
    if pair is None:
        return ""
    return DaysAsLarge.of(study.prices[row.market].returns("simple"), pair.position).text


def _voided(row: Row, instead: str) -> Row:
    """The row without p and without what inverts a test, for a date that was chosen because the market moved."""
    bounds = {name: value for name, value in row.bounds.items() if name == "mde"}
    if not row.found.applies:
        return replace(row, bounds=bounds)
    reason = "; ".join(text for text in (CHOSEN, instead) if text)
    nan = float("nan")
    void = replace(row.found, p_value=nan, floor=nan, validity="not applicable", note=reason)
    return replace(row, found=void, bounds=bounds)
