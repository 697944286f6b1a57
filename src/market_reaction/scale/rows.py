"""Rows of events and securities, read back from their partitions, and their averages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.errors import ScaleError
from market_reaction.scale.averages import Sums, add_up, by_security, mean_path, tests_over_dates
from market_reaction.scale.finished import Results, finished
from market_reaction.windows import EventWindows, Window


class StudyRows(Results):
    """One row an event and security, in Parquet partitions; as ``run`` or ``open_results`` gives it.

    Columns of the rows: asset, event_id, event, session, day (places of both), n_used, df, residual_std, intercept and
    slopes; for each window car, car_std_error and n_known (sessions that have an abnormal return); the abnormal return
    ar of each session if ``paths``. Returns are decimals; NaN with df 0 where a security has too few returns before.
    """

    def dataset(self) -> Any:
        """The partitions as a ``pyarrow.dataset.Dataset``, for filters and for more than memory holds."""
        from pyarrow import dataset

        return dataset.dataset([str(path) for path in self.partitions])

    def to_frame(
        self,
        columns: Sequence[str] | None = None,
        *,
        assets: Sequence[str] | None = None,
        events: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Rows as a frame, by block, security and event.

        Parameters
        ----------
        columns : sequence of str, optional
            Columns to read; all when left out.
        assets, events : sequence of str, optional
            Securities and event ids to read; all when left out.
        """
        from pyarrow import compute

        wanted = None
        for name, chosen in (("asset", assets), ("event_id", events)):
            if chosen is not None:
                mask = compute.field(name).cast("string").isin(list(chosen))
                wanted = mask if wanted is None else wanted & mask
        table = self.dataset().to_table(columns=None if columns is None else list(columns), filter=wanted)
        return table.to_pandas(strings_to_categorical=False)

    @cached_property
    def sums(self) -> Sums:
        """Sums over all rows, from one pass over the partitions."""
        options = self.job.options
        columns = ["event", "day", *(f"ar[{tau}]" for tau in self._taus)]
        tables = self._tables([*columns, *(f"car[{first},{last}]" for first, last in self.windows)])
        return add_up(tables, len(self.events), len(self.job.panel.sessions), options.windows, self._taus)

    @property
    def _taus(self) -> list[int]:
        options = self.job.options
        low, high = EventWindows(options.estimation, options.windows).span_offsets
        return list(range(low, high + 1)) if options.paths else []

    def _tables(self, columns: list[str]) -> Iterator[Any]:
        """Row groups of all partitions in order, some columns of them."""
        from pyarrow import parquet

        for path in self.partitions:
            with parquet.ParquetFile(path, memory_map=True) as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, columns=columns)

    def per_event(self, window: Window | None = None) -> pd.DataFrame:
        """Mean over the securities of each event.

        Returns
        -------
        pandas.DataFrame
            Indexed by event_id: session, title and direction where known, n (securities with a CAR), n_without,
            mean_car, std (over securities), share_positive. No test: the securities share the day, so that one event is
            judged by ``run_placebo``.
        """
        at, sums = self._window(window), self.sums
        n = sums.n[:, at]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = sums.total[:, at] / n
            variance = (sums.squares[:, at] - n * mean**2) / (n - 1)
            share = sums.positive[:, at] / n
        known = [name for name in ("session", "title", "direction") if name in self.events]
        return self.events[known].assign(
            n=n.astype(int), n_without=sums.rows - n.astype(int), mean_car=mean,
            std=np.sqrt(np.maximum(variance, 0.0)), share_positive=share,
        )  # fmt: skip

    def per_security(self, window: Window | None = None, *, events: Sequence[str] | None = None) -> pd.DataFrame:
        """Mean over the events of each security that has any: n, n_without, mean_car, by asset.

        Parameters
        ----------
        window : tuple of int, optional
            An event window; the first when left out.
        events : sequence of str, optional
            Event ids to take; all when left out.
        """
        first, last = self.windows[self._window(window)]
        column = f"car[{first},{last}]"
        return by_security(self._tables(["asset", "event", column]), column, self._chosen(events))

    def tests(
        self, window: Window | None = None, *, events: Sequence[str] | None = None, level: float = 0.95
    ) -> pd.DataFrame:
        """Tests of the mean CAR over events, with what each is worth where securities share their days.

        Parameters
        ----------
        window : tuple of int, optional
            An event window; the first when left out.
        events : sequence of str, optional
            Event ids to take; all when left out. Only where all securities share the events.
        level : float
            Coverage of the intervals.

        Returns
        -------
        pandas.DataFrame
            Indexed by test (event_level_t, clustered_t, cross_section_t): estimate (mean over date clusters, else over
            cases), std_error, statistic, df, p_value, conf_low, conf_high, mde, n (clusters, or cases), valid (in
            words), note.

        References
        ----------
        Ibragimov and Muller (2010), Journal of Business & Economic Statistics 28:453; Cameron, Gelbach and Miller
        (2011), Journal of Business & Economic Statistics 29:238.
        """
        at, sums = self._window(window), self.sums
        days = self._days(at, events)
        squares = float(sums.day_squares[days, at].sum())
        return tests_over_dates(days, sums.day_n[days, at], sums.day_total[days, at], squares, self.windows[at], level)

    def path(self, *, events: Sequence[str] | None = None, level: float = 0.95) -> pd.DataFrame:
        """Mean abnormal return by session over securities and then date clusters, and its running sum with an interval.

        Parameters
        ----------
        events : sequence of str, optional
            Event ids to take; all when left out. Only where all securities share the events.
        level : float
            Coverage of the interval of each session alone.

        Returns
        -------
        pandas.DataFrame
            Indexed by tau: aar, caar, std_error, df, p_value, conf_low, conf_high (of each caar alone, from the
            values of the date clusters), n_clusters.
        """
        if not self._taus:
            raise ScaleError("the rows hold no abnormal returns of single sessions; run again with paths=True.")
        return mean_path(self._days(0, events), self.sums, self._taus, (self._taus[0], self._taus[-1]), level)

    def _chosen(self, events: Sequence[str] | None) -> np.ndarray:
        """Which events are wanted, shape (E,)."""
        if events is None:
            return np.ones(len(self.events), dtype=bool)
        unknown = [name for name in events if name not in self.events.index]
        if unknown:
            raise ScaleError(f"event {unknown[0]!r} was not studied; events lists those that were.")
        return np.asarray(self.events.index.isin(list(events)))

    def _days(self, window: int, events: Sequence[str] | None) -> np.ndarray:
        """Distinct sessions of day 0 with a case; of some events only where an event has one session."""
        has = self.sums.day_n[:, window] > 0
        if events is not None:
            if not self.job.shared:
                raise ScaleError("events= takes events that all securities share; run those you want by themselves.")
            own = np.zeros(len(has), dtype=bool)
            own[self.events["day"].to_numpy()[self._chosen(events)]] = True
            has = has & own
        return np.flatnonzero(has)


def open_results(out: str | Path) -> StudyRows:
    """Open what ``run`` wrote.

    Parameters
    ----------
    out : str or Path
        Folder with ``manifest.json``.

    Raises
    ------
    ScaleError
        There are no results, they are not complete, or they are placebo pools.
    """
    return StudyRows(finished(out, "study", "open_placebo"))
