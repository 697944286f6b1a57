"""How long imports take and how fast a new announcement is measured, as ratios to ``import pandas`` in the same run.

``python benchmarks/speed.py`` prints the medians. Seconds differ from machine to machine; the ratios much less.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median

IMPORTS = {
    "nothing": "pass",
    "import pandas": "import pandas",
    "import market_reaction": "import market_reaction",
    "import market_reaction, use react": "import market_reaction; market_reaction.react",
    "market-reaction --version": "import sys; sys.argv[1:] = ['--version']; import market_reaction.cli as c; c.main()",
}
# Each rerun is a new announcement, so that nothing but the loaded series is there already.
ANNOUNCEMENTS = tuple(f"2025-{month:02d}-{day:02d} 14:10 UTC" for month in (3, 4, 5, 6) for day in (4, 10, 18, 25))


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def import_times(rounds: int) -> dict[str, float]:
    """Median seconds of each snippet in fresh interpreters, taken in turns so that a busy spell hits all of them."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def start(code: str) -> Callable[[], object]:
            command = [sys.executable, "-c", code]
            return lambda: subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)

        taken: dict[str, list[float]] = {name: [] for name in IMPORTS}
        for number in range(rounds + 1):
            for name, code in IMPORTS.items():
                spent = seconds(start(code))
                if number:  # the first round compiles
                    taken[name].append(spent)
    return {name: median(values) for name, values in taken.items()}


def react_times() -> list[float]:
    """Seconds of each rerun on a new date: default markets, bundled data, series and calendars already loaded."""
    import market_reaction as mr

    mr.react("2025-06-10-jt", source="bundled")
    return [seconds(lambda text=text: mr.react(text, source="bundled")) for text in ANNOUNCEMENTS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="fresh interpreters for each import (default 7)")
    times = import_times(parser.parse_args().rounds)
    empty = times.pop("nothing")
    unit = times["import pandas"] - empty
    print(f"{'':36}{'seconds':>9}{'ratio to import pandas':>24}")
    for name, value in times.items():
        print(f"{name:36}{value - empty:9.3f}{(value - empty) / unit:24.2f}")
    spent = median(react_times())
    print(f"{'react on a new date, warm':36}{spent:9.3f}{spent / unit:24.2f}")


if __name__ == "__main__":
    main()
