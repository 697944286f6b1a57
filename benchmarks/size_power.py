"""Size, power and coverage of every test, by simulation and on real returns.

``python benchmarks/size_power.py`` runs all cells, keeps each in benchmarks/results/size_power.parquet when it is done
(run it again to go on where it stopped) and writes docs/size_and_power.md with its charts.
``python benchmarks/size_power.py --quick`` takes a twenty-fifth of the runs, prints the table and writes no page.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import multiprocessing
import os
from collections.abc import Iterable
from dataclasses import astuple
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

    importlib.import_module("statsmodels.stats.multitest")
    gc.freeze()  # multipletests collects garbage in every call, which is slow with all that is imported by now
    first, *others = (STUDIES[cell.study](cell, rng, runs) for rng, runs in cell.generators(seed))
    for outcomes in others:
        first.extend(outcomes)
    return pd.DataFrame(rows(cell, first)).assign(seed=seed)


def finished(path: Path) -> pd.DataFrame:
    """Rows of the cells that were kept, empty at first."""
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=IDENTITY)


def identities(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """Cell and seed of each row."""
    return list(frame[IDENTITY].itertuples(index=False, name=None))


def run(cells: list[Cell], path: Path, *, seed: int = 1, workers: int = 1) -> pd.DataFrame:
    """Run the cells that are not there yet, and return the rows of all that were asked for, in their order.

    The file is written after each cell. Cells with other runs or another seed stay in it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    order = {(*astuple(cell), seed): number for number, cell in enumerate(cells)}
    kept = finished(path)
    done = set(identities(kept))
    todo = [cell for cell in cells if (*astuple(cell), seed) not in done]
    with tqdm(total=sum(cell.runs for cell in cells), unit="run", unit_scale=True, desc="size and power") as bar:
        bar.update(sum(cell.runs for cell in cells) - sum(cell.runs for cell in todo))
        for found in _mapped(partial(simulate, seed=seed), todo, workers):
            kept = pd.concat([kept, found], ignore_index=True) if len(kept) else found
            _write(kept, path)
            bar.update(int(found["runs"].iloc[0]))
    place = pd.Series([order.get(key, len(order)) for key in identities(kept)], kept.index).sort_values(kind="stable")
    kept = kept.loc[place.index].reset_index(drop=True)
    if todo:
        _write(kept, path)
    return kept[: int((place < len(order)).sum())]


def _write(rows: pd.DataFrame, path: Path) -> None:
    """Replace the file at once, so that a run broken off leaves the last complete one."""
    beside = path.with_suffix(".writing")
    rows.to_parquet(beside, index=False, compression="zstd")
    beside.replace(path)


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

    from simulation import page, real_returns, tables

    print(tables.fixed_beforehand(results), tables.claims(results), sep="\n\n")
    if not asked.quick and not asked.study:
        _write(results, path)  # without cells that the grid no longer has
        page.write(results, real_returns.results(RESULTS / "real_returns.parquet"))


if __name__ == "__main__":
    main()
