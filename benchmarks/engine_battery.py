"""How fast the analytic tests of a cross-section run: all of them, on 1,000, 10,000 and 100,000 events.

``python benchmarks/engine_battery.py`` prints the figures; the bound is 200 times the 20 events a second of R
EventStudy.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median

import numpy as np

from market_reaction.engine import CrossSectionTests, Panel, battery

R_EVENTSTUDY = 20.0  # events a second of the R package EventStudy 0.50.0, its own multi-event tests
BOUND = 200.0
ASSETS, SESSIONS, ESTIMATION, WINDOWS = 1000, 2500, (-260, -11), ((0, 1), (0, 5))


def measure(quick: bool = False) -> dict[str, object]:
    """Events a second of the whole battery with a panel that is new each time, and what memory it takes.

    Parameters
    ----------
    quick : bool
        1,000 and 10,000 events once, in place of all sizes several times.

    Returns
    -------
    dict
        Events a second by number of events; the ratio to R EventStudy at 1,000; processor seconds an event at the
        largest size over those at the size before, which is 1 where time is linear; and the peak of memory beside the
        returns at the largest size, of which cumulative sums take a part, with the size of the estimation windows,
        which are never held at once.
    """
    rng = np.random.default_rng(0)
    market = rng.normal(0, 0.01, SESSIONS)
    returns = market + rng.standard_t(4, (ASSETS, SESSIONS)) * 0.01

    def run(events: int) -> tuple[CrossSectionTests, Panel]:
        draw = np.random.default_rng(events)
        days = draw.integers(300, SESSIONS - 30, events)
        panel = Panel(returns, factors=market)
        assets = draw.integers(0, ASSETS, events)
        return battery(panel, assets, days, estimation=ESTIMATION, windows=WINDOWS), panel

    tests = len(run(1000)[0].tests)  # imports what is imported late
    sizes = (1000, 10_000) if quick else (1000, 10_000, 100_000)
    spent = {events: _median_seconds(run, events, 1 if quick else 9 if events < 100_000 else 3) for events in sizes}
    largest, before = sizes[-1], sizes[-2]
    tracemalloc.start()
    panel = run(largest)[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rate = {events: events / seconds for events, (seconds, _) in spent.items()}
    return {
        "tests": tests,
        "windows": len(WINDOWS),
        "estimation_sessions": ESTIMATION[1] - ESTIMATION[0] + 1,
        "events_per_second": {str(events): round(value) for events, value in rate.items()},
        "times_r_eventstudy_at_1000": round(rate[1000] / R_EVENTSTUDY),
        "bound": BOUND,
        "processor_seconds_per_event_ratio": round(spent[largest][1] / largest / (spent[before][1] / before), 2),
        "peak_megabytes": round(peak / 1e6, 1),
        "of_which_sums_megabytes": round(panel.sums_bytes / 1e6, 1),
        "estimation_windows_megabytes": round(largest * (ESTIMATION[1] - ESTIMATION[0] + 1) * 8 / 1e6, 1),
    }


def _median_seconds(run: Callable[[int], object], events: int, rounds: int) -> tuple[float, float]:
    """Median seconds of a few runs, by the clock and of all processors."""
    taken = []
    for _ in range(rounds):
        began, busy = time.perf_counter(), time.process_time()
        run(events)
        taken.append((time.perf_counter() - began, time.process_time() - busy))
    return median(clock for clock, _ in taken), median(processor for _, processor in taken)


if __name__ == "__main__":
    print(json.dumps(measure(quick="--quick" in sys.argv), indent=1))
