"""How fast and how exact the batched engine is, beside loops over events and a floor, in one run.

``python benchmarks/engine.py`` prints the figures and writes benchmarks/results/engine.json; ``--quick`` takes fewer
events and rounds and writes nothing. Each figure is the best of several rounds in which ours and the others alternate.
Loops are timed on some thousand events and scaled. Every time of ours has the check of the panel and the building of
the sums in it, unless it says that the sums were kept.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import engine_baselines as baselines
from market_reaction.engine import AbnormalReturns, Panel, abnormal_returns

ASSETS, SESSIONS = 1000, 2500
ESTIMATION, WINDOWS = (-260, -11), ((-10, 10),)
TARGETS = {100_000: (30, 4), 1_000_000: (50, 2)}  # events: times the loop at least, times the floor at most
SHORT = 0.5  # seconds that a comparison of short actions goes on for
OWNED_ELSEWHERE = ("engine_battery", "engine_placebo", "engine_specifications", "engine_stream")
RESULTS = Path(__file__).parent / "results" / "engine.json"
Events = tuple[np.ndarray, np.ndarray]
Figures = dict[str, object]


def make_returns(seed: int = 0, factors: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns of a panel with a market or several factors, in decimals a session."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(0, 0.01, (SESSIONS, factors))
    slopes = rng.normal(1.0, 0.3, (ASSETS, factors))
    returns = slopes @ columns.T + rng.normal(0, 0.02, (ASSETS, SESSIONS))
    return returns, columns[:, 0] if factors == 1 else columns


def make_events(count: int, first: int = 260, seed: int = 1) -> Events:
    """Securities and sessions at random, all with full windows."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, ASSETS, count), rng.integers(first, SESSIONS - 11, count)


def best(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Smallest number of seconds of each action over rounds in which they take turns; short ones get more rounds."""
    taken = dict.fromkeys(actions, np.inf)
    began = time.perf_counter()
    done = 0
    while done < rounds or (time.perf_counter() - began < SHORT and done < 20 * rounds):
        for name, action in actions.items():
            started = time.perf_counter()
            kept = action()
            taken[name] = min(taken[name], time.perf_counter() - started)
            del kept
        done += 1
    return {name: float(seconds) for name, seconds in taken.items()}


def ours(returns: np.ndarray, factors: np.ndarray, events: Events, **options: object) -> AbnormalReturns:
    """The engine on a panel that is new."""
    settings = {"estimation": ESTIMATION, "windows": WINDOWS, **options}
    return abnormal_returns(Panel(returns, factors), *events, **settings)


def against_baselines(sizes: list[int], rounds: int) -> Figures:
    """Ours, the loops and the floor by number of events."""
    returns, market = make_returns()
    events = make_events(max(sizes))
    some = tuple(part[:2000] for part in events)
    few = tuple(part[:200] for part in events)
    loops = {
        "statsmodels loop": (lambda: baselines.statsmodels_loop(returns, market, *few), 200),
        "lstsq loop": (lambda: baselines.lstsq_loop(returns, market, *some), 2000),
        "chunked gather": (lambda: baselines.chunked_gather(returns, market, *some), 2000),
    }
    package = baselines.eventstudy_package()
    if package is not None:
        loops["eventstudy package"] = (lambda: package(returns, market, *few), 200)
    an_event = {name: seconds / loops[name][1] for name, seconds in _timed(loops, rounds).items()}
    figures: Figures = {f"{name}, events/s": 1 / seconds for name, seconds in an_event.items()}
    if package is None:
        figures["eventstudy package, events/s"] = "not installed"
    for count in sizes:
        part = tuple(values[:count] for values in events)
        kept = Panel(returns, market)
        abnormal_returns(kept, *part, estimation=ESTIMATION, windows=WINDOWS, kernel="sums")
        seconds = best(
            {
                "floor": lambda part=part: baselines.floor(returns, market, *part),
                "lstsq": lambda: baselines.lstsq_loop(returns, market, *some),
                "ours": lambda part=part: ours(returns, market, part),
                "one thread": lambda part=part: ours(returns, market, part, threads=1),
                "CAR only": lambda part=part: ours(returns, market, part, paths=False),
                "sums kept": lambda part=part, kept=kept: abnormal_returns(
                    kept, *part, estimation=ESTIMATION, windows=WINDOWS, kernel="sums"
                ),
                "CAR only, sums kept": lambda part=part, kept=kept: abnormal_returns(
                    kept, *part, estimation=ESTIMATION, windows=WINDOWS, kernel="sums", paths=False
                ),
            },
            rounds,
        )
        loop = seconds.pop("lstsq") / len(some[0])
        figures[f"{count} events"] = {
            **{f"{name}, ms": 1000 * value for name, value in seconds.items()},
            "events/s": count / seconds["ours"],
            "times the lstsq loop": loop * count / seconds["ours"],
            "times the floor": seconds["ours"] / seconds["floor"],
            "times the floor, one thread": seconds["one thread"] / seconds["floor"],
        }
    return figures


def _timed(loops: Mapping[str, tuple[Callable[[], object], int]], rounds: int) -> dict[str, float]:
    return best({name: action for name, (action, _) in loops.items()}, rounds)


def choice_of_kernel(sizes: list[int], rounds: int) -> Figures:
    """What ``auto`` takes and its time over that of the better kernel, for a new panel and one whose sums are kept."""
    returns, market = make_returns()
    figures: Figures = {}
    worst = 0.0
    for count in sizes:
        events = make_events(count)
        kernels = ("gather", "sums", "auto") if count <= 100_000 else ("sums", "auto")
        kept = Panel(returns, market)
        abnormal_returns(kept, *make_events(20_000), estimation=ESTIMATION, windows=WINDOWS, kernel="sums")
        panels: dict[str, Callable[[], Panel]] = {"new": lambda: Panel(returns, market), "kept": lambda kept=kept: kept}
        row = {}
        for name, panel in panels.items():
            seconds = best(
                {
                    kernel: lambda panel=panel, events=events, kernel=kernel: abnormal_returns(
                        panel(), *events, estimation=ESTIMATION, windows=WINDOWS, kernel=kernel
                    )
                    for kernel in kernels
                },
                rounds,
            )
            chosen = abnormal_returns(panel(), *events, estimation=ESTIMATION, windows=WINDOWS).kernel
            auto = min(seconds.pop("auto"), seconds[chosen])  # the same work: whichever was disturbed less
            ratio = auto / min(seconds.values())
            worst = max(worst, ratio)
            row |= {f"{name}: {kernel}, ms": 1000 * value for kernel, value in seconds.items()}
            row |= {f"{name}: auto takes": chosen, f"{name}: auto over the better": ratio}
        figures[f"{count} events"] = row
    return figures | {"worst ratio": worst}


def length_of_windows(count: int, rounds: int) -> Figures:
    """Time of the sums kernel by length of the estimation window."""
    returns, market = make_returns()
    events = make_events(count, first=1010)
    kept = Panel(returns, market)
    abnormal_returns(kept, *events, estimation=ESTIMATION, windows=WINDOWS, kernel="sums")
    seconds = best(
        {
            str(length): lambda length=length: abnormal_returns(
                kept, *events, estimation=(-10 - length, -11), windows=WINDOWS, kernel="sums"
            )
            for length in (60, 120, 250, 500, 1000)
        },
        2 * rounds,
    )
    figures: Figures = {f"L={length}, ms": 1000 * value for length, value in seconds.items()}
    return figures | {"slowest over fastest": max(seconds.values()) / min(seconds.values())}


def other_panels(count: int, rounds: int) -> Figures:
    """Panels with missing returns, and with three factors."""
    returns, market = make_returns()
    events = make_events(count)
    holes = returns.copy()
    holes[np.random.default_rng(2).random(returns.shape) < 0.05] = np.nan
    several, factors = make_returns(factors=3)
    seconds = best(
        {
            "full, one factor": lambda: ours(returns, market, events, kernel="sums"),
            "5% missing": lambda: ours(holes, market, events, kernel="sums"),
            "three factors": lambda: ours(several, factors, events, kernel="sums", model="factors"),
            "constant mean": lambda: ours(returns, market, events, kernel="sums", model="constant_mean"),
        },
        rounds,
    )
    spoilt = returns.copy()
    spoilt[::20, 1000] = 1e4
    fell = ours(spoilt, market, events, kernel="sums").fell_back.mean()
    seconds |= best({"outlier in one security of 20": lambda: ours(spoilt, market, events, kernel="sums")}, rounds)
    figures: Figures = {f"{name}, ms": 1000 * value for name, value in seconds.items()}
    return figures | {
        "5% missing over full": seconds["5% missing"] / seconds["full, one factor"],
        "share that fell back with those outliers": float(fell),
    }


def accuracy() -> Figures:
    """Largest differences to a centred least-squares loop, and to extended precision at levels of a million."""
    returns, market = make_returns()
    events = make_events(2000)
    loop = baselines.lstsq_loop(returns, market, *events)
    figures: Figures = {}
    for kernel in ("gather", "sums"):
        found = ours(returns, market, events, kernel=kernel)
        figures |= {
            f"{kernel}: largest |dCAR| in standard errors": float(
                (np.abs(found.car[:, 0] - loop.car) / loop.std_error).max()
            ),
            f"{kernel}: largest relative error of a standard error": float(
                np.abs(found.car_std_error[:, 0] / loop.std_error - 1).max()
            ),
        }
        lifted = ours(returns + 1e6, market, events, kernel=kernel)
        figures[f"{kernel}: the same at levels of a million, against extended precision"] = _against_extended(
            returns + 1e6, market, events, lifted.car[:, 0], loop.std_error
        )
    plain = baselines.lstsq_loop(returns + 1e6, market, *events)
    figures["lstsq loop at levels of a million"] = _against_extended(
        returns + 1e6, market, events, plain.car, loop.std_error
    )
    return figures


def _against_extended(
    returns: np.ndarray, market: np.ndarray, events: Events, car: np.ndarray, std_error: np.ndarray
) -> float:
    """Largest |dCAR| in standard errors against sums in extended precision, over the first 300 events."""
    worst = 0.0
    for asset, day, value, error in zip(*(part[:300] for part in (*events, car, std_error)), strict=True):
        before = slice(day + baselines.FIRST - baselines.LENGTH, day + baselines.FIRST)
        around = slice(day + baselines.FIRST, day + baselines.LAST + 1)
        x, y = market[before].astype(np.longdouble), returns[asset, before].astype(np.longdouble)
        mean, level = x.mean(), y.mean()
        slope = (x - mean) @ (y - level) / ((x - mean) @ (x - mean))
        exact = (returns[asset, around] - level - slope * (market[around] - mean)).sum()
        worst = max(worst, float(abs(value - exact) / error))
    return worst


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
    for count, (loops, floors) in TARGETS.items():
        row = speed.get(f"{count} events")
        if isinstance(row, Mapping):
            figures[f"{count} events: at least {loops} times the lstsq loop"] = row["times the lstsq loop"] >= loops
            figures[f"{count} events: at most {floors} times the floor"] = row["times the floor"] <= floors
    figures["auto within 20% of the better kernel"] = choice["worst ratio"] <= 1.2
    figures["cost flat in L within 20%"] = length["slowest over fastest"] <= 1.2
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
