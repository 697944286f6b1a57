"""All cells of the simulation, with as many runs as each can afford."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from simulation.cells import Cell

LEAST_RUNS = 40
RHOS = (0.0, 0.3, 0.5, 0.7)
EVENTS = (5, 8, 20)


def grid(divisor: int = 1) -> list[Cell]:
    """All cells, with one run in ``divisor`` of the full number and at least 40."""
    parts = (_one_market(), _joint(), _across(), _events(), _intervals(), _news(), _power())
    cells = [cell for part in parts for cell in part]
    return [replace(cell, runs=max(cell.runs // divisor, LEAST_RUNS)) for cell in cells]


def _one_market() -> Iterator[Cell]:
    yield Cell("one market", runs=20_000)
    for errors, larger in (("garch_t", "all"), ("normal", "none"), ("skewed", "none")):
        yield Cell("one market", errors=errors, larger=larger)
    for window, errors in product((6, 11), ("garch_t", "normal")):
        yield Cell("one market", window=window, errors=errors)
    yield Cell("garch", runs=2_000)
    for errors in ("garch_t", "normal"):
        yield Cell("drift", errors=errors, runs=5_000)
        yield Cell("no reaction", errors=errors)
    yield Cell("small pool")
    yield Cell("thirds by estimate")


def _joint() -> Iterator[Cell]:
    for rho in RHOS:
        yield Cell("joint", markets=6, rho=rho, runs=10_000 if rho in (0.0, 0.7) else 4_000)
        yield Cell("joint", markets=30, rho=rho, runs=1_500)
    for errors, larger in (("garch_t", "all"), ("garch_t", "factor"), ("normal", "none")):
        yield Cell("joint", markets=6, rho=0.7, errors=errors, larger=larger, runs=4_000)
    for rho in (0.0, 0.7):
        yield Cell("bootstrap", markets=6, rho=rho, runs=600)


def _across() -> Iterator[Cell]:
    for markets, rho, larger in product((6, 30), RHOS, ("none", "all", "factor")):
        if rho or larger != "factor":
            yield Cell("across markets", markets=markets, rho=rho, larger=larger, runs=_runs(markets, rho))
    for larger in ("none", "all", "factor"):
        yield Cell("across markets", markets=3, rho=0.5, larger=larger, runs=4_000)
    for markets, errors, rho in product((6, 30), ("normal", "skewed"), (0.0, 0.7)):
        yield Cell("across markets", markets=markets, errors=errors, rho=rho, runs=4_000)


def _runs(markets: int, rho: float) -> int:
    """More where a rate was fixed beforehand."""
    return 10_000 if rho in (0.0, 0.5) or (markets, rho) == (6, 0.7) else 4_000


def _events() -> Iterator[Cell]:
    settings = [
        {},
        {"larger": "all"},
        {"dates": "clustered"},
        {"dates": "clustered", "larger": "all"},
        {"errors": "normal"},
        {"errors": "skewed"},
    ]
    for setting, events in product(settings, EVENTS):
        yield Cell("events", events=events, runs=4_000 if setting else 10_000, **setting)
        yield Cell("resampled events", events=events, runs=10_000 if setting == settings[1] else 4_000, **setting)
    for markets, events, rho in ((6, 8, 0.0), (6, 8, 0.7), (6, 20, 0.7), (30, 8, 0.5)):
        yield Cell("events", markets=markets, events=events, rho=rho, runs=2_000 if markets == 6 else 500)


def _intervals() -> Iterator[Cell]:
    for window, errors in product((1, 6), ("garch_t", "normal")):
        yield Cell("intervals", window=window, errors=errors, runs=10_000 if window == 1 else 5_000)
    for errors in ("garch_t", "normal"):
        yield Cell("path intervals", window=6, errors=errors, runs=500)


def _news() -> Iterator[Cell]:
    for errors, events, larger in product(("normal", "t"), (20, 60), ("factor", "all")):
        yield Cell("news", errors=errors, events=events, larger=larger, runs=5_000)
    for events, larger in product((10, 20), ("none", "all")):
        yield Cell("projections", events=events, larger=larger, runs=1_200)


def _power() -> Iterator[Cell]:
    for effect in (0.5, 1.0, 1.5):
        for errors in ("normal", "garch_t"):
            yield Cell("power of one event", errors=errors, effect=effect)
        for events in EVENTS:
            yield Cell("power of several events", errors="normal", events=events, effect=effect)
        yield Cell("power of several markets", markets=6, rho=0.7, effect=effect, runs=2_000)
