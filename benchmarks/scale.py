"""What a million events cost on two workers, how much memory a worker takes, and what follows for a large job.

``python benchmarks/scale.py`` measures on a local Dask cluster and writes benchmarks/results/scale.json; it takes a few
minutes. ``--plan`` prints the table of docs/scale.md from that file, for other sizes too:
``--plan --securities 5000 --years 20 --events 200 --placebo 500``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results" / "scale.json"
WORKERS = 2
A_YEAR = 252
MODEL = "market"
WINDOWS = [(0, 1), (0, 5)]


def peak_of_worker() -> int:
    """Largest resident size of the process it runs in, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return 1024 * int(line.split()[1])
    raise OSError("/proc/self/status does not tell the memory of a process")


def size_of(paths: list[Path]) -> int:
    """Bytes of files."""
    return sum(path.stat().st_size for path in paths)


def measure(quick: bool, times: int = 1) -> dict[str, Any]:
    """Time and memory of a study and of its placebo on a local cluster; of a panel some times as large."""
    from distributed import Client

    from market_reaction import scale

    load = os.getloadavg()[0]
    securities, sessions, count = (400, 1_500, 100) if quick else (4_000, 30 * A_YEAR, 250)
    securities *= times
    found: dict[str, Any] = {"securities": securities, "sessions": sessions, "events": count, "workers": WORKERS}
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        panel = scale.random_panel(Path(place) / "panel", securities, sessions, missing=0.02)
        found["write_seconds"] = time.perf_counter() - began
        found["panel_bytes_on_disk"] = size_of([panel.folder / block.file for block in panel.blocks])
        found["blocks"], found["block_bytes"] = len(panel.blocks), 8 * sessions * panel.blocks[0].securities
        days = np.linspace(800, sessions - 10, count).astype(int)
        events = pd.DataFrame({"event_id": [f"event {at}" for at in range(count)], "session": panel.sessions[days]})
        options: dict[str, Any] = {"model": MODEL, "windows": WINDOWS}
        began = time.perf_counter()
        with scale.local_cluster(WORKERS) as cluster, Client(cluster) as client:
            scale.run(panel, events.head(1), Path(place) / "warm", client=client, **options)  # imports
            found["start_seconds"] = time.perf_counter() - began
            found["worker_bytes_at_rest"] = max(client.run(peak_of_worker).values())
            began, cpu = time.perf_counter(), sum(client.run(time.process_time).values())
            rows = scale.run(panel, events, Path(place) / "rows", client=client, **options)
            found["study_seconds"] = time.perf_counter() - began
            found["study_cpu_seconds"] = sum(client.run(time.process_time).values()) - cpu
            found["worker_bytes_in_study"] = max(client.run(peak_of_worker).values())
            began, cpu = time.perf_counter(), sum(client.run(time.process_time).values())
            pools = scale.run_placebo(panel, events, Path(place) / "pools", client=client, count=500, **options)
            found["placebo_seconds"] = time.perf_counter() - began
            found["placebo_cpu_seconds"] = sum(client.run(time.process_time).values()) - cpu
            found["worker_bytes_in_placebo"] = max(client.run(peak_of_worker).values())
        found |= {"study_rows": securities * count, "kernel": rows.job.kernel, "placebo_kernel": pools.job.kernel}
        found["row_bytes"] = size_of(rows.partitions) / (securities * count)
        found["pool_bytes"] = size_of(pools.partitions)
        began = time.perf_counter()
        rows.tests()
        found["average_seconds"] = time.perf_counter() - began
        studied = int(pd.read_parquet(pools.partitions[0])["day"].nunique())
    found["placebo_studies"] = securities * studied
    found["worker_seconds_per_million_events"] = found["study_seconds"] * WORKERS / (found["study_rows"] / 1e6)
    found["worker_seconds_per_million_placebo_studies"] = (
        found["placebo_seconds"] * WORKERS / (found["placebo_studies"] / 1e6)
    )
    found["cpu_seconds_per_million_events"] = found["study_cpu_seconds"] / (found["study_rows"] / 1e6)
    found["cpu_seconds_per_million_placebo_studies"] = found["placebo_cpu_seconds"] / (found["placebo_studies"] / 1e6)
    found["average_seconds_per_million_events"] = found["average_seconds"] / (found["study_rows"] / 1e6)
    found["processors"], found["load_before"] = len(os.sched_getaffinity(0)), load
    return found


def check(found: dict[str, Any]) -> dict[str, float]:
    """Whether three times the securities take three times as long, which a plan rests on."""
    larger = measure(quick=False, times=3)
    slower = [name for name in found if name.startswith("worker_seconds_per_million") and larger[name] > found[name]]
    found |= {name: larger[name] for name in slower}  # a plan goes by the slower of the two
    return {
        "securities": larger["securities"],
        "study_seconds": larger["study_seconds"],
        "study_seconds_to_three_times": larger["study_seconds"] / (3 * found["study_seconds"]),
        "placebo_seconds": larger["placebo_seconds"],
        "placebo_seconds_to_three_times": larger["placebo_seconds"] / (3 * found["placebo_seconds"]),
        "worker_bytes": max(larger["worker_bytes_in_study"], larger["worker_bytes_in_placebo"]),
    }


def table(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What was measured, as docs/scale.md has it: the study beside the placebo."""
    larger = found["check"]
    panel = f"{found['securities']:,} securities, {found['sessions']:,} sessions"
    ratios = [larger[f"{name}_seconds_to_three_times"] for name in ("study", "placebo")]
    return [
        (
            panel,
            f"{found['study_rows'] / 1e6:.1f} million rows",
            f"{found['placebo_studies'] / 1e6:.1f} million studies",
        ),
        ("seconds on the clock", f"{found['study_seconds']:.1f}", f"{found['placebo_seconds']:.1f}"),
        ("three times the securities take", *(f"{3 * ratio:.1f} times as long" for ratio in ratios)),
        (
            "processor seconds a million",
            f"{found['cpu_seconds_per_million_events']:.1f}",
            f"{found['cpu_seconds_per_million_placebo_studies']:.2f}",
        ),
        (
            "worker seconds a million, the slower of both panels",
            f"{found['worker_seconds_per_million_events']:.1f}",
            f"{found['worker_seconds_per_million_placebo_studies']:.2f}",
        ),
        (
            "memory of a worker, peak",
            f"{found['worker_bytes_in_study'] / 1e9:.2f} GB",
            f"{found['worker_bytes_in_placebo'] / 1e9:.2f} GB",
        ),
        ("memory of a worker before", *2 * (f"{found['worker_bytes_at_rest'] / 1e9:.2f} GB",)),
        ("results", f"{found['row_bytes']:.0f} bytes a row", f"{found['pool_bytes'] / 1e6:.1f} MB in all"),
    ]


def told(hours: float) -> str:
    """Hours to one decimal, or to two digits where that would say little."""
    return f"{hours:.1f}" if hours >= 1 else f"{hours:.2g}"


def plan(found: dict[str, Any], securities: int, years: int, events: int, placebo: int) -> list[tuple[str, str]]:
    """What a large job takes, from the figures measured: work is in proportion, and blocks are of the size measured."""
    sessions = years * A_YEAR
    rows, studies = securities * events, securities * sessions
    naive = securities * events * placebo
    row_hours = rows / 1e6 * found["worker_seconds_per_million_events"] / 3600
    placebo_hours = studies / 1e6 * found["worker_seconds_per_million_placebo_studies"] / 3600
    naive_hours = naive / 1e6 * found["worker_seconds_per_million_placebo_studies"] / 3600
    blocks = math.ceil(8 * securities * sessions / found["block_bytes"])
    memory = max(found["worker_bytes_in_study"], found["worker_bytes_in_placebo"])
    disk = found["panel_bytes_on_disk"] / (found["securities"] * found["sessions"]) * securities * sessions
    total = row_hours + placebo_hours
    lines = [
        (
            "partition",
            f"{blocks:,} blocks of {math.ceil(securities / blocks):,} securities, {sessions:,} sessions",
        ),
        ("panel on disk", f"{disk / 1e9:.1f} GB"),
        ("rows of the study", f"{rows / 1e6:,.0f} million, {rows * found['row_bytes'] / 1e9:.1f} GB"),
        (
            "placebo studies",
            f"{studies / 1e6:,.0f} million, a session once (one by one: {naive / 1e6:,.0f} million)",
        ),
        ("work for the rows", f"{told(row_hours)} worker hours"),
        ("work for the placebo", f"{told(placebo_hours)} worker hours (one by one: {told(naive_hours)})"),
        ("memory a worker", f"{memory / 1e9:.2f} GB at its peak; give {math.ceil(2 * memory / 1e9)} GB"),
    ]
    for workers in (1, 2, 8, 32):
        hours = math.ceil(blocks / workers) / blocks * total + found["start_seconds"] / 3600
        lines.append((f"{workers} worker{'s' * (workers > 1)}", f"{told(hours)} hours ({60 * hours:.1f} minutes)"))
    lines.append(("averages, one process", f"{rows / 1e6 * found['average_seconds_per_million_events']:.0f} seconds"))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small panel; writes nothing and plans nothing")
    parser.add_argument("--plan", action="store_true", help="print a plan from the figures measured last")
    for name, value in (("securities", 50_000), ("years", 30), ("events", 1_000), ("placebo", 500)):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"of the plan (default {value:,})")
    given = parser.parse_args()
    if given.plan:
        found = json.loads(RESULTS.read_text(encoding="utf-8"))
    else:
        found = measure(given.quick)
        for name, value in found.items():
            print(f"{name:44} {value:,.3f}" if isinstance(value, float) else f"{name:44} {value}")
        if not given.quick:
            found["check"] = check(found)
            print("of a panel three times as large:", found["check"])
            RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if given.quick:
        print("no plan: a panel this small says little of a large one; --plan takes the figures of a full run")
        return
    for name, text in plan(found, given.securities, given.years, given.events, given.placebo):
        print(f"| {name} | {text} |")


if __name__ == "__main__":
    main()
