"""What one worker does with one block: read it, compute, write one partition and its checksum."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from market_reaction.engine import AbnormalReturns, Panel, abnormal_returns
from market_reaction.engine.stream import AT_ONCE
from market_reaction.exports.files import write_text, write_whole
from market_reaction.scale import layout
from market_reaction.scale.job import Job, open_job
from market_reaction.scale.placebo_sums import placebo_tables


def run_block(out: str, wanted: str, number: int, threads: int | None = 1) -> dict[str, Any]:
    """Compute one block and write its partition; what a task of the scheduler does.

    Parameters
    ----------
    out : str
        Folder of the results, which holds the job.
    wanted : str
        ``identity`` of the job.
    number : int
        Block.
    threads : int, optional
        Threads of the engine.

    Returns
    -------
    dict
        job (``wanted``), block, rows, bytes, sha256; written beside the partition too, after it.
    """
    from pyarrow import parquet

    job = open_job(out, wanted)
    target = job.out / layout.part_name(number)
    tables = study_tables(job, number, threads) if job.kind == "study" else placebo_tables(job, number, threads)

    def write(draft: Path) -> int:
        rows, writer = 0, None
        try:
            for table in tables:
                if writer is None:
                    writer = parquet.ParquetWriter(draft, table.schema, **_stored(table.schema))
                writer.write_table(table)
                rows += table.num_rows
        finally:
            if writer is not None:
                writer.close()
        layout.settle(draft)
        return rows

    counted: list[int] = []
    write_whole(target, lambda draft: counted.append(write(draft)))
    about = {"job": wanted, "block": number, "rows": counted[0], "bytes": target.stat().st_size}
    about |= {"sha256": layout.digest(target)}
    write_text(side_file(target), json.dumps(about) + "\n")
    return about


def _stored(schema: Any) -> dict[str, Any]:
    """How columns are stored: returns as they are, because they do not shrink; names and counts compressed."""
    kinds = {field.name: str(field.type) for field in schema}
    numbers = [name for name, kind in kinds.items() if kind == "double"]
    return {
        "use_dictionary": [name for name in kinds if name in ("asset", "event_id")],
        "compression": {name: "none" if name in numbers else "lz4" for name in kinds},
        "write_statistics": [name for name in kinds if name not in numbers],
    }


def side_file(part: Path) -> Path:
    """File beside a partition with its rows and checksum."""
    return part.with_suffix(".json")


def known_part(out: Path, wanted: str, number: int, *, check: bool) -> dict[str, Any] | None:
    """What is known of a finished partition of a job; None where it is missing, of another job or damaged.

    Its checksum is compared if that is asked for, else its size.
    """
    part = out / layout.part_name(number)
    try:
        about = dict(json.loads(side_file(part).read_text(encoding="utf-8")))
        same = about["job"] == wanted and about["bytes"] == part.stat().st_size and about["rows"] >= 0
        same = same and (not check or about["sha256"] == layout.digest(part))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return about if same else None


def study_tables(job: Job, number: int, threads: int | None) -> Iterator[Any]:
    """Rows of a block by security and event, some securities at a time."""
    returns, names = job.panel.returns(number), job.panel.names(number)
    events = job.events(number)
    first = job.panel.blocks[number].first
    for row in range(0, len(returns), AT_ONCE):
        panel = Panel(returns[row : row + AT_ONCE], job.factors, job.skip)
        own, assets = _events_of(events, job.shared, first + row, panel.n_assets)
        found = abnormal_returns(
            panel, assets, own["day"].to_numpy(), windows=job.options.windows, kernel=job.kernel,
            paths=job.options.paths, outside="nan", threads=threads, **job.options.engine(),
        )  # fmt: skip
        yield _table(own, assets, names[row : row + AT_ONCE], found, job.options.factors)


def _events_of(events: pd.DataFrame, shared: bool, first: int, count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Events of some securities by security, and the security of each, counted from the first."""
    if not shared:
        own = events[events["row"].between(first, first + count - 1)]
        return own, own["row"].to_numpy() - first
    every = np.tile(np.arange(len(events)), count)
    return events.iloc[every], np.repeat(np.arange(count), len(events))


def _table(
    events: pd.DataFrame, assets: np.ndarray, names: list[str], found: AbnormalReturns, factors: tuple[str, ...]
) -> Any:
    """Results as a pyarrow table, one row an event and security."""
    import pyarrow as pa

    codes, ids = pd.factorize(events["event_id"])
    columns: dict[str, Any] = {
        "asset": pa.DictionaryArray.from_arrays(pa.array(assets.astype(np.int32)), pa.array(names, pa.string())),
        "event_id": pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(ids, pa.string())),
        "event": events["event"].to_numpy(np.int32),
        "session": events["session"].to_numpy().astype("datetime64[D]"),
        "day": events["day"].to_numpy(np.int32),
        "n_used": found.n_used.astype(np.int32),
        "df": found.df.astype(np.int32),
        "residual_std": found.residual_std,
    }
    for at, name in enumerate(("intercept", *(f"slope {factor}" for factor in factors))):
        if at < found.coefficients.shape[1]:
            columns[name] = found.coefficients[:, at]
    for at, (first, last) in enumerate(found.windows):
        columns[f"car[{first},{last}]"] = found.car[:, at]
        columns[f"car_std_error[{first},{last}]"] = found.car_std_error[:, at]
        columns[f"n_known[{first},{last}]"] = found.n_known[:, at].astype(np.int32)
    if found.ar is not None:
        columns |= {f"ar[{tau}]": np.ascontiguousarray(found.ar[:, at]) for at, tau in enumerate(found.taus)}
    return pa.table({name: pa.array(column) for name, column in columns.items()})
