"""Rows of events and securities, read back from their partitions, and their averages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.errors import ScaleError
from market_reaction.scale.averages import VALID, Sums, add_up, date_clusters, mean_path, tests_over_dates
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
        return add_up(
            self._tables(), self.manifest["events"]["n"], len(self.job.panel.sessions), options.windows, self._taus
        )

    @property
    def _taus(self) -> list[int]:
        options = self.job.options
        low, high = EventWindows(options.estimation, options.windows).span_offsets
        return list(range(low, high + 1)) if options.paths else []

    def _tables(self) -> Iterator[Any]:
        """Row groups of all partitions, only the columns that are added up."""
        from pyarrow import parquet

        columns = ["asset", "event", "day", *(f"ar[{tau}]" for tau in self._taus)]
        columns += [f"car[{first},{last}]" for first, last in self.windows]
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

    def per_security(self, window: Window | None = None) -> pd.DataFrame:
        """Mean over the events of each security that has any: n, n_without, mean_car, by asset."""
        at, table = self._window(window), self.sums.securities
        n = table[f"n{at}"]
        mean = table[f"total{at}"] / n.where(n > 0)
        return pd.DataFrame({"n": n.astype(int), "n_without": (table["rows"] - n).astype(int), "mean_car": mean})

    def tests(self, window: Window | None = None) -> pd.DataFrame:
        """Tests of the mean CAR over all events, with what each is worth where securities share their days.

        Returns
        -------
        pandas.DataFrame
            Indexed by test (event_level_t, clustered_t, cross_section_t): mean_car, statistic, df, p_value, n
            (clusters, or cases), valid (in words), note.

        References
        ----------
        Ibragimov and Muller (2010), Journal of Business & Economic Statistics 28:453; Cameron, Gelbach and Miller
        (2011), Journal of Business & Economic Statistics 29:238.
        """
        at, sums = self._window(window), self.sums
        days = np.flatnonzero(sums.day_n[:, at] > 0)
        n, total = sums.day_n[days, at], sums.day_total[days, at]
        found = tests_over_dates(days, n, total, float(sums.squares[:, at].sum()), self.windows[at])
        mean = float(total.sum() / n.sum()) if len(days) else float("nan")
        rows = [
            {"test": test.name, "mean_car": mean, "statistic": test.statistic, "df": test.df, "p_value": test.p_value}
            | {"n": test.n, "valid": VALID[test.name], "note": test.note}
            for test in found
        ]
        return pd.DataFrame(rows).set_index("test")

    def path(self, level: float = 0.95) -> pd.DataFrame:
        """Mean abnormal return by session over securities and then date clusters, and its running sum with an interval.

        Returns
        -------
        pandas.DataFrame
            Indexed by tau: aar, caar, std_error, df, p_value, conf_low, conf_high (of each caar alone, from the
            values of the date clusters), n_clusters.
        """
        if not self._taus:
            raise ScaleError("the rows hold no abnormal returns of single sessions; run again with paths=True.")
        days = np.flatnonzero(self.sums.day_n.sum(axis=1) > 0)
        return mean_path(days, self.sums, self._taus, (self._taus[0], self._taus[-1]), level)

    def clusters(self, window: Window | None = None) -> int:
        """Number of date clusters: sessions of day 0 whose windows overlap are one."""
        at = self._window(window)
        days = np.flatnonzero(self.sums.day_n[:, at] > 0)
        return len(np.unique(date_clusters(days, self.windows[at])))


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
