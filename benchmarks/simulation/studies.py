"""The studies of the grid by name: what each takes is a cell, a generator and a number of runs."""

from simulation import detection, intervals, many_events, many_markets, news, one_event

STUDIES = {
    "one market": one_event.one_market,
    "garch": one_event.garch,
    "drift": one_event.drift,
    "thirds by estimate": one_event.by_estimate,
    "small pool": one_event.small_pool,
    "no reaction": one_event.at_margin,
    "joint": one_event.joint,
    "across markets": many_markets.across,
    "bootstrap": many_markets.bootstrapped,
    "events": many_events.events,
    "resampled events": many_events.resampled,
    "intervals": intervals.covering,
    "path intervals": intervals.by_path,
    "news": news.identified,
    "projections": news.projected,
    "power of one event": detection.one_event,
    "power of several events": detection.several_events,
    "power of several markets": detection.several_markets,
}
