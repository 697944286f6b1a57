"""How fast and how exact the batched engine is, beside loops over events and a floor, in one run.

``python benchmarks/engine.py`` prints the figures and writes benchmarks/results/engine.json; ``--quick`` takes fewer
events and rounds and writes nothing. Each figure is the best of several rounds in which ours and the others alternate.
Loops are timed in pieces of a hundred events, which another process on the machine is less likely to interrupt than
ours in one piece, and scaled. Every time of ours has the check of the panel and the building of the sums in it, unless
it says that the sums were kept.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import engine_baselines as baselines
from engine_accuracy import accuracy
from engine_timing import (
    ASSETS,
    ESTIMATION,
    SESSIONS,
    WINDOWS,
    Events,
    Figures,
    Spent,
    best,
    make_events,
    make_returns,
    ours,
)
from market_reaction.engine import Panel, abnormal_returns

PIECE = 100  # events of a loop at a time
TARGETS = {100_000: (30, 4), 1_000_000: (50, 2)}  # events: times the loop at least, times copying at most
OWNED_ELSEWHERE = ("engine_battery", "engine_placebo", "engine_specifications", "engine_stream")
RESULTS = Path(__file__).parent / "results" / "engine.json"


def loops(returns: np.ndarray, market: np.ndarray, rounds: int) -> dict[str, Spent]:
    """Time of an event in each loop."""
    few, batch = make_events(PIECE), make_events(4096)
    package = baselines.eventstudy_package()
    actions: dict[str, Callable[[], object]] = {
        "statsmodels loop": lambda: baselines.statsmodels_loop(returns, market, *few),
        "lstsq loop": lambda: baselines.lstsq_loop(returns, market, *few),
        "chunked gather": lambda: baselines.chunked_gather(returns, market, *batch),
    }
    if package is not None:
        actions["eventstudy package"] = lambda: package(returns, market, *few)
    sizes = {"chunked gather": len(batch[0])}
    return {
        name: Spent(*(seconds / sizes.get(name, PIECE) for seconds in spent))
        for name, spent in best(actions, rounds).items()
    }


def of_size(returns: np.ndarray, market: np.ndarray, events: Events, rounds: int) -> Figures:
    """Ours beside the loop and what copying alone takes, for some events."""
    kept = Panel(returns, market)
    settings = {"estimation": ESTIMATION, "windows": WINDOWS, "kernel": "sums"}
    abnormal_returns(kept, *events, **settings)
    few, count = make_events(PIECE), len(events[0])
    spent = best(
        {
            "floor": lambda: baselines.floor(returns, market, *events),
            "copy by index arrays": lambda: baselines.copy_by_index(returns, market, *events),
            "lstsq": lambda: baselines.lstsq_loop(returns, market, *few),
            "ours": lambda: ours(returns, market, events),
            "one thread": lambda: ours(returns, market, events, threads=1),
            "CAR only": lambda: ours(returns, market, events, paths=False),
            "sums kept": lambda: abnormal_returns(kept, *events, **settings),
            "CAR only, sums kept": lambda: abnormal_returns(kept, *events, paths=False, **settings),
        },
        rounds,
    )
    loop, alone = (Spent(*(value * count / PIECE for value in spent.pop("lstsq"))), spent["one thread"])
    return {
        **{f"{name}, ms": 1000 * value.clock for name, value in spent.items()},
        "events/s": count / spent["ours"].clock,
        "times the lstsq loop": loop.clock / spent["ours"].clock,
        "times the lstsq loop, one thread, by processor time": loop.processors / alone.processors,
        "times copying by index arrays": spent["ours"].clock / spent["copy by index arrays"].clock,
        "times the floor": spent["ours"].clock / spent["floor"].clock,
        "times the floor, one thread, by processor time": alone.processors / spent["floor"].processors,
    }


def against_baselines(sizes: list[int], rounds: int) -> Figures:
    """Events a second of the loops, and ours beside them by number of events."""
    returns, market = make_returns()
    figures: Figures = {"eventstudy package, events/s": "not installed"}
    for name, spent in loops(returns, market, rounds).items():
        figures |= {f"{name}, events/s": 1 / spent.clock, f"{name}, events/s of processor time": 1 / spent.processors}
    return figures | {f"{count} events": of_size(returns, market, make_events(count), rounds) for count in sizes}


def choice_of_kernel(sizes: list[int], rounds: int) -> Figures:
    """What ``auto`` takes and its time over that of the better kernel, for a new panel and one whose sums are kept.

    Above 100,000 events ``gather`` is left out: it takes some seconds, and is never the better one there.
    """
    returns, market = make_returns()
    settings = {"estimation": ESTIMATION, "windows": WINDOWS}
    figures: Figures = {}
    worst = Spent(0.0, 0.0)
    for count in sizes:
        events = make_events(count)
        kernels = ("gather", "sums", "auto") if count <= 100_000 else ("sums", "auto")
        kept = Panel(returns, market)
        abnormal_returns(kept, *make_events(20_000), kernel="sums", **settings)
        panels: dict[str, Callable[[], Panel]] = {"new": lambda: Panel(returns, market), "kept": lambda kept=kept: kept}
        row: Figures = {}
        for name, panel in panels.items():
            spent = best(
                {
                    kernel: lambda panel=panel, events=events, kernel=kernel: abnormal_returns(
                        panel(), *events, kernel=kernel, **settings
                    )
                    for kernel in kernels
                },
                rounds,
            )
            row |= {f"{name}: {kernel}, ms": 1000 * value.clock for kernel, value in spent.items()}
            row[f"{name}: auto takes"] = abnormal_returns(panel(), *events, **settings).kernel
            auto = spent.pop("auto")
            ratio = Spent(
                *(mine / min(others) for mine, others in zip(auto, zip(*spent.values(), strict=True), strict=True))
            )
            worst = Spent(max(worst.clock, ratio.clock), max(worst.processors, ratio.processors))
            row[f"{name}: auto over the better"] = ratio.clock
            row[f"{name}: auto over the better, by processor time"] = ratio.processors
        figures[f"{count} events"] = row
    return figures | {"worst ratio": worst.clock, "worst ratio by processor time": worst.processors}


def length_of_windows(count: int, rounds: int) -> Figures:
    """Time of the sums kernel by length of the estimation window."""
    returns, market = make_returns()
    events = make_events(count, first=1010)
    kept = Panel(returns, market)
    abnormal_returns(kept, *events, estimation=ESTIMATION, windows=WINDOWS, kernel="sums")
    spent = best(
        {
            str(length): lambda length=length: abnormal_returns(
                kept, *events, estimation=(-10 - length, -11), windows=WINDOWS, kernel="sums"
            )
            for length in (60, 120, 250, 500, 1000)
        },
        2 * rounds,
    )
    figures: Figures = {f"L={length}, ms": 1000 * value.clock for length, value in spent.items()}
    figures |= {f"L={length}, ms of processor time": 1000 * value.processors for length, value in spent.items()}
    for how, times in zip(("", " by processor time"), zip(*spent.values(), strict=True), strict=True):
        figures[f"slowest over fastest{how}"] = max(times) / min(times)
    return figures


def other_panels(count: int, rounds: int) -> Figures:
    """Panels with missing returns, and with three factors."""
    returns, market = make_returns()
    events = make_events(count)
    holes = returns.copy()
    holes[np.random.default_rng(2).random(returns.shape) < 0.05] = np.nan
    spoilt = returns.copy()
    spoilt[::20, 1000] = 1e4
    several, factors = make_returns(factors=3)
    spent = best(
        {
            "full, one factor": lambda: ours(returns, market, events, kernel="sums"),
            "5% missing": lambda: ours(holes, market, events, kernel="sums"),
            "three factors": lambda: ours(several, factors, events, kernel="sums", model="factors"),
            "constant mean": lambda: ours(returns, market, events, kernel="sums", model="constant_mean"),
            "outlier in one security of 20": lambda: ours(spoilt, market, events, kernel="sums"),
        },
        rounds,
    )
    fell = ours(spoilt, market, events, kernel="sums").fell_back.mean()
    figures: Figures = {f"{name}, ms": 1000 * value.clock for name, value in spent.items()}
    return figures | {
        "5% missing over full": spent["5% missing"].clock / spent["full, one factor"].clock,
        "share that fell back with those outliers": float(fell),
    }


def memory(count: int) -> Figures:
    """Bytes of kept sums, and the peak while they are built and asked, over the bytes of the panel."""
    returns, market = make_returns()
    events = make_events(count)
    figures: Figures = {"panel, MB": returns.nbytes / 1e6}
    for kernel in ("gather", "sums"):
        panel = Panel(returns, market)
        tracemalloc.start()
        found = abnormal_returns(panel, *events, estimation=ESTIMATION, windows=WINDOWS, kernel=kernel)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        parts = (found.ar, found.car, found.car_std_error, found.coefficients, found.residual_std, found.df)
        output = sum(part.nbytes for part in (*parts, found.n_used, found.n_known, found.means, found.inverse))
        figures |= {
            f"{kernel}: kept sums over panel": panel.sums_bytes / returns.nbytes,
            f"{kernel}: peak beside panel and output, over panel": (peak - output) / returns.nbytes,
        }
    return figures


def of_others() -> Figures:
    """Figures that modules beside this one measure."""
    figures: Figures = {}
    for name in OWNED_ELSEWHERE:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as missing:
            if missing.name != name:
                raise
            figures[name.removeprefix("engine_")] = "not measured"
            continue
        figures[name.removeprefix("engine_")] = module.measure()
    return figures


def table(figures: Mapping[str, object], indent: int = 0) -> str:
    """Figures as lines, those of a group under its name."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [" " * indent + str(name), table(value, indent + 2)]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            lines.append(f"{' ' * indent + str(name):70}{value:>14,.4g}")
        else:
            lines.append(f"{' ' * indent + str(name):70}{value!s:>14}")
    return "\n".join(lines)


def verdicts(speed: Mapping[str, object], choice: Mapping[str, object], length: Mapping[str, object]) -> Figures:
    """Whether each bound is kept."""
    figures: Figures = {}
    for count, (loop, copies) in TARGETS.items():
        row = speed.get(f"{count} events")
        if isinstance(row, Mapping):
            figures[f"{count} events: at least {loop} times the lstsq loop"] = row["times the lstsq loop"] >= loop
            for name in ("copying by index arrays", "the floor"):
                figures[f"{count} events: at most {copies} times {name}"] = row[f"times {name}"] <= copies
    for how in ("", " by processor time"):
        figures[f"auto within 20% of the better kernel{how}"] = choice[f"worst ratio{how}"] <= 1.2
        figures[f"cost flat in L within 20%{how}"] = length[f"slowest over fastest{how}"] <= 1.2
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds; writes nothing")
    quick = parser.parse_args().quick
    rounds = 3 if quick else 7
    sizes = [1000, 10_000, 100_000] if quick else [1000, 10_000, 100_000, 1_000_000]
    figures: dict[str, Figures] = {
        "machine": {
            "processors": os.cpu_count(),
            "processor": platform.processor() or platform.machine(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "panel": f"{ASSETS} x {SESSIONS}, L=250, 21-day window, market model",
        },
        "accuracy": accuracy(),
        "speed": against_baselines(sizes, rounds),
        "kernel": choice_of_kernel([1, 10, 100, 1000, 5000, 10_000, 15_000, 20_000, 30_000, *sizes[2:]], rounds),
        "length of the estimation window": length_of_windows(20_000 if quick else 100_000, rounds),
        "other panels": other_panels(20_000 if quick else 100_000, rounds),
        "memory": memory(100_000),
        "other modules": {} if quick else of_others(),
    }
    figures["bounds"] = verdicts(figures["speed"], figures["kernel"], figures["length of the estimation window"])
    print(table(figures))
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
