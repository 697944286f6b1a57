"""How long the panel takes to follow a new announcement, as ratios to ``react`` alone in the same run.

``python benchmarks/explore.py`` sets the event, time, market, model and chart of a panel from Python, with prices,
calendars and modules loaded, and prints the median and the slowest. The work of the browser comes on top; its part is
measured in ``tests/browser``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

import market_reaction as mr
from market_reaction.explorer.panel import Explorer

EVENTS = (
    "2025-06-11-us", "2025-05-12-jt", "2025-04-09-us", "2025-04-04-cn", "2025-04-02-us", "2019-08-01-us",
    "2019-05-05-us", "2018-07-06-us", "2018-03-22-us", "2025-06-04-us",
)  # fmt: skip
TIMES = (
    "2025-03-04 14:10 UTC",
    "2025-03-18 14:10 UTC",
    "2025-05-06",
    "2019-06-12 09:00 London",
    "2018-10-04 12:00 UTC",
)
BOUND = 0.3  # seconds from the change of a control to the last chart


class Taken(NamedTuple):
    """Seconds on the clock and of the processor; on a busy machine the second tells more."""

    clock: float
    processor: float


def seconds(action: Callable[[], object]) -> Taken:
    began, busy = time.perf_counter(), time.process_time()
    action()
    return Taken(time.perf_counter() - began, time.process_time() - busy)


def changes(panel: Explorer) -> Iterator[tuple[str, Callable[[], None]]]:
    """Changes of controls by kind; each asks what was not asked before."""
    controls = panel.controls

    def put(widget: object, value: object) -> Callable[[], None]:
        return lambda: setattr(widget, "value", value)

    for event in EVENTS:
        yield "another event", put(controls.event, event)
    for text in TIMES:
        yield "a time or a date", put(controls.time, text)
    for name in ("EUR/USD", "USD/JPY", "AUD/USD"):
        yield "one market more", put(controls.ticks[name], True)
    for name in ("EUR/USD", "USD/JPY", "AUD/USD"):
        controls.ticks[name].value = False
    for model in ("zero_mean", "rolling_mean", "constant_mean"):
        yield "another model", put(controls.model, model)
    for text in ("0:2", "-1:3", "0:1, 0:5"):
        yield "other windows", put(controls.windows, text)
    for kind in ("car", "reactions", "car"):
        yield "bars or path", put(panel.kind, kind)
    for market in ("USD/CNY (ECB)", "VIX", "CSI 300"):
        yield "market of the charts", put(panel.market, market)


def row(name: str, taken: Sequence[Taken], alone: float) -> str:
    processor = median(item.processor for item in taken)
    clock = [item.clock for item in taken]
    return f"{name:24}{median(clock):10.3f}{max(clock):10.3f}{processor:12.3f}{processor / alone:17.2f}"


def main() -> None:
    opening = seconds(lambda: mr.explore(source="bundled"))
    panel = mr.explore(source="bundled")
    for event in ("2025-10-30-us", "2018-06-15-us"):
        panel.controls.event.value = event
    names = [row.market for row in panel.result.reactions] if panel.result else []
    markets = [name.removesuffix(" (ECB)") for name in names]
    react = [
        seconds(lambda day=day: mr.react(f"2025-05-{day:02d} 14:10 UTC", markets=markets, source="bundled"))
        for day in range(5, 24, 2)
    ]
    taken: dict[str, list[Taken]] = {}
    for kind, change in changes(panel):
        taken.setdefault(kind, []).append(seconds(change))
        assert not panel.error.value, panel.error.value
    alone = median(item.processor for item in react)
    print(f"{'':24}{'median s':>10}{'slowest':>10}{'processor s':>12}{'ratio to react':>17}")
    print(row("react alone", react, alone))
    for kind, values in taken.items():
        print(row(kind, values, alone))
    print(f"opening the first panel: {opening.clock:.1f} s; bound for a change: {BOUND} s")


if __name__ == "__main__":
    main()
