"""Placebo pools of cross-section means: how an event's mean compares with the same mean on earlier days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction.errors import ScaleError
from market_reaction.inference.placebo import MINIMUM_POOL, PlaceboRank, placebo_rank
from market_reaction.inference.power import placebo_critical_value, placebo_mde
from market_reaction.inference.scales import ewma_volatility
from market_reaction.placebo import clear_windows
from market_reaction.scale.placebo_sums import PARTS, pool_windows, reach
from market_reaction.scale.results import Results, finished
from market_reaction.windows import EWMA_START, Window


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Pool of one event and window.

    Attributes
    ----------
    n_securities : int
        Securities with a CAR at the event.
    mean_car : float
        Their mean CAR, decimal.
    scaled, plain : PlaceboRank
        Ranks of |mean CAR| / sigma, sigma the EWMA(0.97) volatility of the mean abnormal return known the session
        before (the headline), and of |mean CAR|.
    spread : float
        Root mean square of the SCARs: 1 where the securities move as far as in their estimation windows.
    spread_rank : PlaceboRank
        Rank of spread^2 / its EWMA(0.97) known the session before: whether securities moved more than of late, in
        whatever direction.
    usual : float
        Largest |mean CAR| that is not unusual at 5% in the volatility of the event's day; infinite with a small pool.
    mde : float
        Minimum detectable effect of the headline rank, decimal.
    means : numpy.ndarray
        Mean CAR on the pool days, latest first, shape (S,).
    """

    n_securities: int
    mean_car: float
    scaled: PlaceboRank
    plain: PlaceboRank
    spread: float
    spread_rank: PlaceboRank
    usual: float
    mde: float
    means: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Cross-section mean of CAR, mean square of SCAR, and what scales them, by day or by sessions before day 0.

    Attributes
    ----------
    n, mean, square : numpy.ndarray
        Cases, mean CAR and mean SCAR^2, shape (days, windows); NaN without a case.
    sigma, tau : numpy.ndarray
        EWMA volatility of the mean abnormal return and of the root mean square SAR of day 0, known before each day,
        shape (days,).
    """

    n: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    sigma: np.ndarray
    tau: np.ndarray

    @classmethod
    def of(cls, totals: np.ndarray) -> Series:
        """Series from sums over securities, shape (4, days, windows), in order of time; the first window is day 0."""
        n, total, n_scaled, squares = totals
        mean = total / np.where(n > 0, n, np.nan)
        square = squares / np.where(n_scaled > 0, n_scaled, np.nan)
        scales = [ewma_volatility(values, start=EWMA_START) for values in (mean[:, 0], np.sqrt(square[:, 0]))]
        sigma, tau = (np.where(scale > 0, scale, np.nan) for scale in scales)
        return cls(n, mean, square, sigma, tau)


def pool_of(series: Series, at: int, window: int, usable: np.ndarray, gap: int, count: int) -> Pool:
    """Rank one event in one window.

    Parameters
    ----------
    series : Series
        In order of time.
    at : int
        Row of the event.
    window : int
        Column of the window.
    usable : numpy.ndarray
        Which rows may be placebo days for this window, shape (days,).
    gap, count : int
        Rows from the event back to the latest placebo day, and how many to take.
    """
    scaled = series.mean[:, window] / series.sigma
    spread = series.square[:, window] / series.tau**2
    earlier = np.arange(max(0, at - gap + 1))[::-1]
    days = earlier[usable[earlier] & np.isfinite(scaled[earlier])][:count]
    spread_days = days[np.isfinite(spread[days])]
    pool = scaled[days]
    enough = len(pool) >= MINIMUM_POOL
    return Pool(
        n_securities=int(series.n[at, window]),
        mean_car=float(series.mean[at, window]),
        scaled=placebo_rank(scaled[at], pool),
        plain=placebo_rank(series.mean[at, window], series.mean[days, window]),
        spread=float(np.sqrt(series.square[at, window])),
        spread_rank=placebo_rank(spread[at], spread[spread_days]),
        usual=float(placebo_critical_value(pool) * series.sigma[at]) if enough else float("inf"),
        mde=float(placebo_mde(pool, float(series.sigma[at]))) if enough else float("inf"),
        means=series.mean[days, window],
    )


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
