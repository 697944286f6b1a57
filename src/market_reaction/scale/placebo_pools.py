"""Placebo pools of every event, read back from the sums of the blocks."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction.errors import ScaleError
from market_reaction.placebo import clear_windows
from market_reaction.scale.finished import Results, finished
from market_reaction.scale.placebo_sums import PARTS, pool_windows, reach
from market_reaction.scale.pools import Pool, Series, pool_of
from market_reaction.windows import Window


class PlaceboPools(Results):
    """Placebo pools of every event; as ``run_placebo`` or ``open_placebo`` gives it."""

    @cached_property
    def _totals(self) -> np.ndarray:
        """Sums over all blocks, in their order: (4, T, windows), or (4, events, sessions back, windows)."""
        panel, windows = self.job.panel, pool_windows(self.job.options)
        back = reach(self.job.options, self.job.usable)
        shape = (len(panel.sessions),) if self.job.shared else (self.manifest["events"]["n"], back + 1)
        totals = np.zeros((len(PARTS), *shape, len(windows)))
        for path in self.partitions:
            table = pd.read_parquet(path)
            where = (table["day"],) if self.job.shared else (table["event"], table["back"])
            for at, (first, last) in enumerate(windows):
                for part, name in enumerate(PARTS):
                    totals[(part, *where, at)] += table[f"{name}[{first},{last}]"].to_numpy()
        return totals

    @cached_property
    def _pools(self) -> dict[tuple[str, Window], Pool]:
        windows, options = pool_windows(self.job.options), self.job.options
        shared = Series.of(self._totals) if self.job.shared else None
        rows = np.arange(max(len(self.job.usable), self._totals.shape[-2]))
        usable = self.job.usable if shared is not None else np.ones(len(rows), dtype=bool)
        clear = {window: clear_windows(usable, rows, window) for window in options.windows}
        pools = {}
        for number, event_id in enumerate(self.events.index):
            if shared is not None:
                series, at = shared, int(self.events["day"].iloc[number])
            else:
                series = Series.of(self._totals[:, number, ::-1])
                at = len(series.n) - 1
            for window in options.windows:
                found = pool_of(series, at, windows.index(window), clear[window], options.gap, options.count)
                pools[str(event_id), window] = found
        return pools

    def pool(self, event_id: str, window: Window | None = None) -> Pool:
        """Pool of one event."""
        key = (event_id, self.windows[self._window(window)])
        if key not in self._pools:
            raise ScaleError(f"event {event_id!r} was not studied; events lists those that were.")
        return self._pools[key]

    def to_frame(self, window: Window | None = None) -> pd.DataFrame:
        """One row an event.

        Returns
        -------
        pandas.DataFrame
            Indexed by event_id: session, title and direction where known, n (securities), mean_car, placebo_p,
            placebo_p_floor, n_placebo, placebo_p_plain, usual (largest absolute mean that is not unusual in the
            volatility of that day), mde, spread (root mean square SCAR), spread_p, note.
        """
        rows = []
        for event_id in self.events.index:
            found = self.pool(str(event_id), window)
            rows.append(
                {
                    "n": found.n_securities,
                    "mean_car": found.mean_car,
                    "placebo_p": found.scaled.p_value,
                    "placebo_p_floor": found.scaled.floor,
                    "n_placebo": found.scaled.n_placebo,
                    "placebo_p_plain": found.plain.p_value,
                    "usual": found.usual,
                    "mde": found.mde,
                    "spread": found.spread,
                    "spread_p": found.spread_rank.p_value,
                    "note": found.scaled.note,
                }
            )
        known = [name for name in ("session", "title", "direction") if name in self.events]
        return pd.concat([self.events[known], pd.DataFrame(rows, index=self.events.index)], axis=1)


def open_placebo(out: str | Path) -> PlaceboPools:
    """Open what ``run_placebo`` wrote; raises as ``open_results`` does."""
    return PlaceboPools(finished(out, "placebo", "open_results"))
