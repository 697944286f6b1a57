"""What results have in common: the folder of a finished job, its manifest, events and windows."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from market_reaction.errors import ScaleError
from market_reaction.scale import layout
from market_reaction.scale.job import Job, open_job
from market_reaction.windows import Window


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
        """Files of the results in order."""
        return [self.folder / layout.part_name(at) for at in range(len(self.manifest["partitions"]))]

    def __repr__(self) -> str:
        panel = self.job.panel
        rows = sum(part["rows"] for part in self.manifest["partitions"])
        return (
            f"<{type(self).__name__}: {self.manifest['events']['n']:,} events, {len(panel.assets):,} securities, "
            f"{rows:,} rows in {len(self.partitions)} partitions, {self.job.options.model}, kernel {self.job.kernel}>"
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
    sizes = [part.get("bytes") for part in job.manifest["partitions"]]
    parts = [job.out / layout.part_name(number) for number in range(len(sizes))]
    lost = [path.name for path, size in zip(parts, sizes, strict=True) if not _has_size(path, size)]
    if lost:
        raise ScaleError(
            f"{str(out)!r} has lost {len(lost)} of its {len(parts)} partitions, or they were cut short: first "
            f"{lost[0]}. Run the same job again, and it does them anew."
        )
    return job


def _has_size(path: Path, size: int | None) -> bool:
    return path.is_file() and path.stat().st_size == size
