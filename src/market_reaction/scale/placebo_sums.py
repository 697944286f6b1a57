"""Sums over the securities of a block on every placebo day: a few numbers a day, however many securities there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.engine import Panel, abnormal_returns
from market_reaction.placebo import clear_windows
from market_reaction.scale.job import Job, Options
from market_reaction.windows import EWMA_START, EventWindows, Window

SECURITIES = 16  # at once; each has an event on every session
SPARE = 250  # sessions before the pool and the start of the volatility, which has forgotten its start by then
PARTS = ("n", "sum", "n_scaled", "squares")  # cases, sum of CAR, cases with a SCAR, sum of its squares
_PAIRS = 1024  # pairs of event and security whose paths back in time are gathered at once


def pool_windows(options: Options) -> tuple[Window, ...]:
    """Windows of a placebo job: day 0 alone, from which the volatility comes, then those asked for."""
    return tuple(dict.fromkeys([(0, 0), *options.windows]))


def reach(options: Options, usable: np.ndarray) -> int:
    """Sessions before day 0 that the pool of an event may need; ``usable`` are those that may be placebo days, (T,)."""
    span = EventWindows(options.estimation, options.windows).span_offsets
    barred = int((~clear_windows(usable, np.arange(len(usable)), span)).sum())
    return options.gap + options.count + barred + EWMA_START + SPARE


def pool_bytes(options: Options, usable: np.ndarray) -> int:
    """Memory of the sums of one event that securities do not share."""
    return 8 * len(PARTS) * (reach(options, usable) + 1) * len(pool_windows(options))


def placebo_tables(job: Job, number: int, threads: int | None) -> Iterator[Any]:
    """Sums of a block: by day where all securities share the events, else by event and sessions before day 0.

    Every security is studied once on every session that some pool needs, however many events share it.
    """
    import pyarrow as pa

    returns, events, first = job.panel.returns(number), job.events(number), job.panel.blocks[number].first
    back = reach(job.options, job.usable)
    if not len(events):
        events = events.assign(day=pd.Series(dtype=int))
        low, high = 0, -1
    else:
        low, high = max(0, int(events["day"].min()) - back), int(events["day"].max())
    days = np.arange(low, high + 1)
    ids = np.unique(events["event"].to_numpy())
    shape = (len(days),) if job.shared else (len(ids), back + 1)
    totals = np.zeros((len(PARTS), *shape, len(pool_windows(job.options))))
    for row in range(0, len(returns) if len(days) else 0, SECURITIES):
        panel = Panel(returns[row : row + SECURITIES], job.factors, job.skip)
        values = _on_every_day(panel, days, job, threads)
        if job.shared:
            totals += values.sum(axis=1)
            continue
        own = events[events["row"].between(first + row, first + row + panel.n_assets - 1)]
        _add_paths(totals, values, own, first + row, low, ids, back)
    keys = (
        {"day": days}
        if job.shared
        else {"event": np.repeat(ids, back + 1), "back": np.tile(np.arange(back + 1), len(ids))}
    )
    columns = {name: pa.array(key.astype(np.int32)) for name, key in keys.items()}
    flat = totals.reshape(len(PARTS), -1, totals.shape[-1])
    for at, (start, end) in enumerate(pool_windows(job.options)):
        columns |= {f"{part}[{start},{end}]": pa.array(flat[k, :, at]) for k, part in enumerate(PARTS)}
    yield pa.table(columns)


def _on_every_day(panel: Panel, days: np.ndarray, job: Job, threads: int | None) -> np.ndarray:
    """Parts of every security on every day, zero where there is none; shape (parts, A, days, windows)."""
    count, windows = panel.n_assets, pool_windows(job.options)
    found = abnormal_returns(
        panel, np.repeat(np.arange(count), len(days)), np.tile(days, count), windows=windows, kernel=job.kernel,
        paths=False, outside="nan", threads=threads, **job.options.engine(),
    )  # fmt: skip
    car = found.car
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = (car / found.car_std_error) ** 2
    values = np.empty((len(PARTS), *car.shape))
    for at, numbers in ((0, car), (2, squares)):
        known = np.isfinite(numbers)
        values[at], values[at + 1] = known, np.where(known, numbers, 0.0)
    return values.reshape(len(PARTS), count, len(days), len(windows))


def _add_paths(
    totals: np.ndarray, values: np.ndarray, events: pd.DataFrame, first: int, low: int, ids: np.ndarray, back: int
) -> None:
    """Add the parts of each pair's security at 0, 1, ... sessions before its day 0 to those of its event."""
    for start in range(0, len(events), _PAIRS):
        own = events.iloc[start : start + _PAIRS].sort_values("event", kind="stable")
        at = own["day"].to_numpy()[:, None] - low - np.arange(back + 1)
        inside = at >= 0
        rows = own["row"].to_numpy()[:, None] - first
        picked = values[:, rows, np.where(inside, at, 0)] * inside[..., None]
        places, begin = np.unique(np.searchsorted(ids, own["event"].to_numpy()), return_index=True)
        totals[:, places] += np.add.reduceat(picked, begin, axis=1)
