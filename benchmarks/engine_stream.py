"""A panel that is streamed from Parquet: events a second, and how much memory it takes beside panel and output.

``python benchmarks/engine_stream.py`` measures 20,000 securities of 5,000 sessions and 50 events each in a process of
its own; ``--quick`` takes a tenth of both. ``benchmarks/engine.py`` puts the figures with the others.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

EACH = 50  # events of a security
WINDOWS = ((0, 1), (0, 5))


def measure(quick: bool = False) -> dict[str, object]:
    """Figures of a streamed panel, measured in a process that does nothing else."""
    from market_reaction import scale

    securities, sessions = (2_000, 1_000) if quick else (20_000, 5_000)
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        panel = scale.random_panel(place, securities, sessions, missing=0.02)
        written = time.perf_counter() - began
        command = [sys.executable, __file__, "--child", place]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        disk = sum((panel.folder / block.file).stat().st_size for block in panel.blocks)
    found: dict[str, object] = json.loads(lines[-1])
    return {"securities": securities, "sessions": sessions, "written_seconds": written, "disk_bytes": disk} | found


def stream(folder: str) -> dict[str, object]:
    """Study a panel in files and keep CAR, standard error and counts of every event."""
    from market_reaction import scale
    from market_reaction.engine.stream import stream_abnormal_returns

    panel = scale.open_panel(folder)
    securities, sessions = len(panel.assets), len(panel.sessions)
    source = np.random.default_rng(1)
    assets = np.repeat(np.arange(securities), EACH)
    days = source.integers(130, sessions - 6, len(assets))
    output = {name: np.zeros((len(assets), len(WINDOWS))) for name in ("car", "car_std_error", "n_known")}
    factor = panel.factors.to_numpy() if panel.factors is not None else None
    before = peak_resident()
    began = time.perf_counter()
    kernel = ""
    for which, found in stream_abnormal_returns(
        [panel.folder / block.file for block in panel.blocks], sessions, assets, days, factors=factor, model="market",
        windows=WINDOWS,
    ):  # fmt: skip
        kernel = found.kernel
        for name, values in output.items():
            values[which] = getattr(found, name)
    taken = time.perf_counter() - began
    size = 8 * securities * sessions
    kept = sum(values.nbytes for values in output.values()) + assets.nbytes + days.nbytes
    block = 8 * sessions * max(block.securities for block in panel.blocks)
    return {
        "events": len(assets),
        "kernel": kernel,
        "seconds": taken,
        "events_per_second": len(assets) / taken,
        "processors": len(os.sched_getaffinity(0)),
        "panel_bytes": size,
        "block_bytes": block,
        "output_bytes": kept,
        "peak_rss_bytes": peak_resident(),
        "rss_before_bytes": before,
        "peak_to_panel_and_output": peak_resident() / (size + kept),
        "above_start_to_block_and_output": (peak_resident() - before) / (block + kept),
        "finite": float(np.isfinite(output["car"]).mean()),
    }


def peak_resident() -> int:
    """Largest resident size of this process so far, in bytes; ``getrusage`` counts that of its parent in."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the securities")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(stream(given.child)))
        return
    for name, value in measure(given.quick).items():
        print(f"{name:32} {value:,.3f}" if isinstance(value, float) else f"{name:32} {value}")


if __name__ == "__main__":
    main()
