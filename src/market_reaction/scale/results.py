"""Results of a finished job, and the rows of events and securities with their averages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.errors import ScaleError, did_you_mean
from market_reaction.scale import layout
from market_reaction.scale.averages import Sums, add_up, by_security, mean_path, tests_over_dates
from market_reaction.scale.job import Job, open_job
from market_reaction.windows import EventWindows, Window


class Results:
    """A finished job."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @property
    def folder(self) -> Path:
        """Where the results are."""
        return self.job.out

    @property
    def manifest(self) -> dict[str, Any]:
        """What ``manifest.json`` says: options, kernel, versions, checksums, partitions."""
        return self.job.manifest

    @property
    def windows(self) -> tuple[Window, ...]:
        """Event windows."""
        return self.job.options.windows

    @cached_property
    def events(self) -> pd.DataFrame:
        """Events by event_id: session of day 0 (the first, where securities have their own), n_securities asked for.

        Title, direction and what else the event table told are kept.
        """
        table = self.job.events()
        by_event = table.groupby("event_id", sort=False)
        first = by_event.first().drop(columns=["event", "row", "asset"], errors="ignore")
        each = len(self.job.panel.assets) if self.job.shared else 1
        order = by_event["event"].first().sort_values(kind="stable").index
        return first.assign(session=by_event["session"].min(), n_securities=by_event.size() * each).loc[order]

    @cached_property
    def excluded(self) -> pd.DataFrame:
        """Events left out: columns event_id, asset, session, reason."""
        return pd.read_parquet(self.folder / layout.EXCLUDED_FILE)

    @property
    def partitions(self) -> list[Path]:
        """Files of the results in order.

        Raises
        ------
        ScaleError
            One is gone, or was cut short.
        """
        return whole_partitions(self.job)

    def __repr__(self) -> str:
        panel = self.job.panel
        parts = self.manifest["partitions"]
        rows = sum(part["rows"] for part in parts)
        return (
            f"<{type(self).__name__}: {self.manifest['events']['n']:,} events, {len(panel.assets):,} securities, "
            f"{rows:,} rows in {len(parts)} partitions, {self.job.options.model}, kernel {self.job.kernel}>"
        )

    def _window(self, window: Window | None) -> int:
        """Place of a window among those studied."""
        chosen = self.windows[0] if window is None else (int(window[0]), int(window[1]))
        if chosen not in self.windows:
            known = ", ".join(map(str, self.windows))
            raise ScaleError(f"window={window} was not studied; it has {known}. Run again with it, in another folder.")
        return self.windows.index(chosen)


def finished(out: str | Path, kind: str, other: str) -> Job:
    """Job of a folder, if it is done."""
    job = open_job(out)
    if job.kind != kind:
        raise ScaleError(f"{str(out)!r} holds a {job.kind}; open it with scale.{other}.")
    if job.manifest["status"] != "complete":
        done = len(list((job.out / layout.PARTS).glob("part-*.json")))
        raise ScaleError(
            f"{str(out)!r} is not complete: {done} of {len(job.panel.blocks)} blocks are done. Run the same job again, "
            "and it does the rest."
        )
    whole_partitions(job)
    return job


def whole_partitions(job: Job) -> list[Path]:
    """Files of a finished job in order; refused where one is gone or was cut short."""
    sizes = [part.get("bytes") for part in job.manifest["partitions"]]
    parts = [job.out / layout.part_name(number) for number in range(len(sizes))]
    lost = [path.name for path, size in zip(parts, sizes, strict=True) if not _has_size(path, size)]
    if lost:
        raise ScaleError(
            f"{str(job.out)!r} has lost {len(lost)} of its {len(parts)} partitions, or they were cut short: first "
            f"{lost[0]}. Run the same job again, and it does them anew."
        )
    return parts


def _has_size(path: Path, size: int | None) -> bool:
    return path.is_file() and path.stat().st_size == size


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

        Raises
        ------
        ScaleError
            A column, a security or an event is not there.
        """
        from pyarrow import compute

        names = {
            "column": self.dataset().schema.names,
            "security": self.job.panel.assets.index,
            "event": self.events.index,
        }
        for (what, there), asked in zip(names.items(), (columns, assets, events), strict=True):
            lacking = [name for name in asked or () if name not in there]
            if lacking:
                raise ScaleError(f"the rows have no {what} {lacking[0]!r}. {did_you_mean(lacking[0], there)}".rstrip())
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
        columns = ["event", "day", *(f"ar[{tau}]" for tau in self.taus)]
        tables = self._tables([*columns, *(f"car[{first},{last}]" for first, last in self.windows)])
        return add_up(tables, len(self.events), len(self.job.panel.sessions), options.windows, self.taus)

    @property
    def taus(self) -> list[int]:
        """Offsets of the sessions of which abnormal returns are kept; none without ``paths``."""
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

    @cached_property
    def n_cases(self) -> pd.Series:
        """Events with an abnormal return over the first window, by asset; 0 where a security has none."""
        return self.per_security()["n"]

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
        at = self._window(window)
        days = self._days(at, events)
        n, total, squares = (part[days] for part in self._by_day(at, events))
        return tests_over_dates(days, n, total, float(squares.sum()), self.windows[at], level)

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
        if not self.taus:
            raise ScaleError("the rows hold no abnormal returns of single sessions; run again with paths=True.")
        return mean_path(self._days(0, events), self.sums, self.taus, (self.taus[0], self.taus[-1]), level)

    def _chosen(self, events: Sequence[str] | None) -> np.ndarray:
        """Which events are wanted, shape (E,)."""
        if events is None:
            return np.ones(len(self.events), dtype=bool)
        unknown = [name for name in events if name not in self.events.index]
        if unknown:
            raise ScaleError(f"event {unknown[0]!r} was not studied; events lists those that were.")
        return np.asarray(self.events.index.isin(list(events)))

    def _by_day(self, window: int, events: Sequence[str] | None) -> list[np.ndarray]:
        """Cases, their sum and sum of squares by session of day 0, (T,) each; only of the events wanted."""
        sums = self.sums
        if events is None:
            return [part[:, window] for part in (sums.day_n, sums.day_total, sums.day_squares)]
        wanted, count = self._chosen(events), len(sums.day_n)
        own = self.events["day"].to_numpy()[wanted]
        return [np.bincount(own, part[wanted, window], count) for part in (sums.n, sums.total, sums.squares)]

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
