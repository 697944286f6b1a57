"""The panel and the events that the benchmarks of the engine share, and how actions are timed beside each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from market_reaction.engine import AbnormalReturns, Panel, abnormal_returns

ASSETS, SESSIONS = 1000, 2500
ESTIMATION, WINDOWS = (-260, -11), ((-10, 10),)
TURN = 0.1  # seconds that a short action is repeated for before it is the turn of the next
Events = tuple[np.ndarray, np.ndarray]
Figures = dict[str, object]


class Spent(NamedTuple):
    """Seconds of an action by the clock, and of all processors together."""

    clock: float
    processors: float


def make_returns(seed: int = 0, factors: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns of a panel with a market or several factors, in decimals a session."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(0, 0.01, (SESSIONS, factors))
    slopes = rng.normal(1.0, 0.3, (ASSETS, factors))
    returns = slopes @ columns.T + rng.normal(0, 0.02, (ASSETS, SESSIONS))
    return returns, columns[:, 0] if factors == 1 else columns


def make_events(count: int, first: int = 260, seed: int = 1) -> Events:
    """Securities and sessions at random, all with full windows."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, ASSETS, count), rng.integers(first, SESSIONS - 11, count)


def best(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Spent]:
    """Least seconds of each action over rounds in which they take turns; a short one is repeated in its turn.

    The least, because what else runs on the machine only ever adds. It does so to whatever lasts longer than a time
    slice of the scheduler, so that a loop is best timed in short pieces; processor time leaves most of it out.
    """
    spent = dict.fromkeys(actions, Spent(np.inf, np.inf))
    for _ in range(rounds):
        for name, action in actions.items():
            until = time.perf_counter() + TURN
            while True:
                clock, processors = time.perf_counter(), time.process_time()
                kept = action()
                now = Spent(time.perf_counter() - clock, time.process_time() - processors)
                del kept
                spent[name] = Spent(min(spent[name].clock, now.clock), min(spent[name].processors, now.processors))
                if time.perf_counter() > until:
                    break
    return spent


def ours(returns: np.ndarray, factors: np.ndarray, events: Events, **options: object) -> AbnormalReturns:
    """The engine on a panel that is new."""
    settings = {"estimation": ESTIMATION, "windows": WINDOWS, **options}
    return abnormal_returns(Panel(returns, factors), *events, **settings)
