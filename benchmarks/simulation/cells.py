"""What one cell simulates, what its runs return, and the rows that are kept of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import comb

import numpy as np

from market_reaction.inference.rank import signed_rank_p
from market_reaction.inference.results import StatisticalTest

LEVELS = (0.01, 0.05, 0.10)
COVERAGE = (0.90, 0.95)
TERCILES = ("low", "middle", "high")
FINE = 30  # signed ranks of more cases come in steps too small to matter
CHUNK = 500  # runs drawn at a time, to keep memory small


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the simulation.

    Attributes
    ----------
    study : str
        Which module of this folder runs it: "one_event", "garch", "markets", "events", "intervals", "identification"
        or "power".
    markets, events, window : int
        N, K and m.
    rho : float
        Correlation of two markets on one day.
    errors, larger : str
        As in ``panels.draw``.
    dates : {"spread", "clustered"}
        Events far apart, or within a few sessions of one another.
    effect : float
        Effect at the event, in minimum detectable effects.
    runs : int
        Number of independent runs.
    """

    study: str
    markets: int = 1
    events: int = 1
    window: int = 1
    rho: float = 0.0
    errors: str = "garch_t"
    larger: str = "none"
    dates: str = "spread"
    effect: float = 0.0
    runs: int = 10_000

    def generators(self, seed: int) -> Iterable[tuple[np.random.Generator, int]]:
        """Generator and number of runs of each chunk; the cell's own settings are part of its seed."""
        settings = {name: value for name, value in asdict(self).items() if name != "runs"}
        sequence = np.random.SeedSequence([seed, zlib.crc32(repr(settings).encode())])
        for number, child in enumerate(sequence.spawn(-(-self.runs // CHUNK))):
            yield np.random.default_rng(child), min(CHUNK, self.runs - number * CHUNK)


@dataclass(slots=True)
class Outcomes:
    """What the runs of a chunk gave, one value a run.

    Attributes
    ----------
    p_values : dict of str to list of float
        By test; NaN where the test did not apply.
    tests : dict of str to StatisticalTest
        The last outcome of each test, for its floor, validity and note.
    intervals : dict of (str, float) to list of (bool, float)
        By interval and level: whether it covered, and its length in standard deviations of one day.
    estimates : dict of str to list of float
        By estimator.
    volatility : list of float
        Volatility before the event, which the terciles are cut by; empty where there are none.
    """

    p_values: dict[str, list[float]] = field(default_factory=dict)
    tests: dict[str, StatisticalTest] = field(default_factory=dict)
    intervals: dict[tuple[str, float], list[tuple[bool, float]]] = field(default_factory=dict)
    estimates: dict[str, list[float]] = field(default_factory=dict)
    volatility: list[float] = field(default_factory=list)

    def add(self, test: StatisticalTest, label: str = "") -> None:
        """Keep the outcome of one run under the test's name, or another label."""
        name = label or test.name
        self.p_values.setdefault(name, []).append(test.p_value)
        if name not in self.tests or test.applies:
            self.tests[name] = test

    def add_interval(self, name: str, level: float, covered: bool, length: float) -> None:
        """Keep whether an interval of one run covered, and its length."""
        self.intervals.setdefault((name, level), []).append((bool(covered), float(length)))

    def extend(self, other: Outcomes) -> None:
        """Append the runs of another chunk."""
        for name, values in other.p_values.items():
            self.p_values.setdefault(name, []).extend(values)
        for key, pairs in other.intervals.items():
            self.intervals.setdefault(key, []).extend(pairs)
        for name, values in other.estimates.items():
            self.estimates.setdefault(name, []).extend(values)
        self.tests |= other.tests
        self.volatility.extend(other.volatility)


def attainable(level: float, test: StatisticalTest) -> float:
    """Largest size not above ``level`` that the null distribution of a test allows; ``level`` where it is continuous.

    Ranks and sign flips have multiples of their floor; sign and signed-rank tests the steps of their distributions.
    """
    continuous = test.distribution in ("normal", "none") or test.distribution.startswith("t(")
    if continuous or (test.distribution.startswith("signed ranks") and test.n > FINE):
        return level
    if test.distribution.startswith("binomial"):
        steps = 2 * np.cumsum([comb(test.n, k) for k in range((test.n + 1) // 2)]) / 2.0**test.n
    elif test.distribution.startswith("signed ranks"):
        ranks = np.arange(1.0, test.n + 1)
        steps = np.array([signed_rank_p(value, ranks) for value in range(int(ranks.sum() / 2) + 1)])
    else:
        return float(np.floor(level / test.floor + 1e-9) * test.floor)
    return float(max(steps[steps <= level + 1e-12], default=0.0))


def rows(cell: Cell, outcomes: Outcomes) -> list[dict[str, object]]:
    """Rejection rates by test, level and tercile, coverage and mean length, with Monte Carlo standard errors."""
    groups = _groups(np.array(outcomes.volatility))
    kept = [
        _rejection(np.array(p_values)[inside], level, outcomes.tests[name]) | {"test": name, "group": group}
        for name, p_values in outcomes.p_values.items()
        for group, inside in groups.items()
        for level in LEVELS
    ]
    kept += [
        part | {"test": name, "group": group, "level": level, "validity": "", "note": ""}
        for (name, level), pairs in outcomes.intervals.items()
        for group, inside in groups.items()
        for part in _coverage(np.array(pairs, dtype=float)[inside], level)
    ]
    kept += [_median(np.array(values)) | {"test": name} for name, values in outcomes.estimates.items()]
    return [asdict(cell) | row for row in kept]


def _groups(volatility: np.ndarray) -> Mapping[str, np.ndarray | slice]:
    if not len(volatility) or np.ptp(volatility) == 0:
        return {"all": slice(None)}
    tercile = np.searchsorted(np.quantile(volatility, [1 / 3, 2 / 3]), volatility)
    return {"all": slice(None)} | {name: tercile == number for number, name in enumerate(TERCILES)}


def _rejection(p_values: np.ndarray, level: float, test: StatisticalTest) -> dict[str, object]:
    """Share of runs rejected among all of them: a test that did not apply did not reject."""
    count = len(p_values)
    applied = np.isfinite(p_values)
    rate = np.count_nonzero(p_values[applied] <= level + 1e-12) / count if applied.any() else float("nan")
    return {
        "measure": "rejection",
        "level": level,
        "value": rate,
        "mc_se": float(np.sqrt(rate * (1 - rate) / count)),
        "attainable": attainable(level, test),
        "applied": float(applied.mean()),
        "count": count,
        "validity": test.validity,
        "note": test.note if not applied.all() else "",
    }


def _coverage(pairs: np.ndarray, level: float) -> list[dict[str, object]]:
    """Coverage, and the mean and median length of the intervals that are bounded; ``applied`` is their share."""
    covered, length = pairs[:, 0], pairs[:, 1]
    count, finite = len(covered), length[np.isfinite(length)]
    rate, bounded = float(covered.mean()), len(finite) / count
    known = {"attainable": float("nan"), "applied": bounded, "count": count}
    error = float(np.sqrt(rate * (1 - rate) / count))
    found = [known | {"measure": "coverage", "value": rate, "mc_se": error, "attainable": level}]
    if len(finite) > 1:
        spread = float(finite.std(ddof=1) / np.sqrt(len(finite)))
        found.append(known | {"measure": "length", "value": float(finite.mean()), "mc_se": spread})
        found.append(known | {"measure": "median length"} | _middle(finite))
    return found


def _median(values: np.ndarray) -> dict[str, object]:
    nan = float("nan")
    return {
        "measure": "median", "group": "all", "level": nan, "attainable": nan, "applied": 1.0, "count": len(values),
        "validity": "", "note": "",
    } | _middle(values)  # fmt: skip


def _middle(values: np.ndarray) -> dict[str, float]:
    """Median with a standard error from the interquartile range (1.25 sd / sqrt(n) for the normal)."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {"value": float(middle), "mc_se": float(1.2533 * (high - low) / 1.349 / np.sqrt(len(values)))}
