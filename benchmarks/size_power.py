"""Size, power and coverage of every test, by simulation and on real returns.

``python benchmarks/size_power.py`` runs all cells, keeps each in benchmarks/results/size_power.parquet when it is done
(run it again to go on where it stopped) and writes docs/size_and_power.md with its charts.
``python benchmarks/size_power.py --quick`` takes a twenty-fifth of the runs, prints the table and writes no page.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from simulation.cells import Cell, rows
from simulation.grid import grid

RESULTS = Path(__file__).parent / "results"
IDENTITY = [*Cell.__dataclass_fields__, "seed"]
QUICK = 25  # the quick setting takes one run in this many


def simulate(cell: Cell, seed: int) -> pd.DataFrame:
    """Run one cell in chunks and summarise it."""
    from simulation.studies import STUDIES

    first, *others = (STUDIES[cell.study](cell, rng, runs) for rng, runs in cell.generators(seed))
    for outcomes in others:
        first.extend(outcomes)
    return pd.DataFrame(rows(cell, first)).assign(seed=seed)


def finished(path: Path) -> pd.DataFrame:
    """Rows of the cells that were kept, empty at first."""
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=IDENTITY)


def remaining(cells: Iterable[Cell], seed: int, kept: pd.DataFrame) -> list[Cell]:
    """Cells that are not among the kept ones with the same settings, runs and seed."""
    done = set(kept[IDENTITY].itertuples(index=False, name=None))
    return [cell for cell in cells if (*(getattr(cell, name) for name in IDENTITY[:-1]), seed) not in done]


def run(cells: list[Cell], path: Path, *, seed: int = 1, workers: int = 1) -> pd.DataFrame:
    """Run the cells that are not there yet, write the file after each, and return all that were asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = finished(path)
    todo = remaining(cells, seed, kept)
    task = partial(simulate, seed=seed)
    with tqdm(total=sum(cell.runs for cell in cells), unit="run", unit_scale=True, desc="size and power") as bar:
        bar.update(sum(cell.runs for cell in cells) - sum(cell.runs for cell in todo))
        for found in _mapped(task, todo, workers):
            kept = pd.concat([kept, found], ignore_index=True) if len(kept) else found
            beside = path.with_suffix(".writing")
            kept.to_parquet(beside, index=False, compression="zstd")
            beside.replace(path)
            bar.update(int(found["runs"].iloc[0]))
    asked = {(*(getattr(cell, name) for name in IDENTITY[:-1]), seed) for cell in cells}
    return kept[[key in asked for key in kept[IDENTITY].itertuples(index=False, name=None)]]


def _mapped(task: partial[pd.DataFrame], cells: list[Cell], workers: int) -> Iterable[pd.DataFrame]:
    """Results as they come, from this process or from fresh ones with one thread each."""
    if workers == 1:
        yield from map(task, cells)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(task, cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"one run in {QUICK}, print the table, write no page")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes (default 2)")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (default 1)")
    parser.add_argument("--study", action="append", help="only this study of the grid; may be repeated")
    asked = parser.parse_args()
    cells = [cell for cell in grid(QUICK if asked.quick else 1) if not asked.study or cell.study in asked.study]
    path = RESULTS / ("quick.parquet" if asked.quick else "size_power.parquet")
    results = run(cells, path, seed=asked.seed, workers=asked.workers)

    from simulation import page, real_returns

    print(page.printed(results))
    if not asked.quick and not asked.study:
        page.write(results, real_returns.results(RESULTS / "real_returns.parquet"))


if __name__ == "__main__":
    main()
