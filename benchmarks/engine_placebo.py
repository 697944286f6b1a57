"""How fast the joint placebo runs: 10 markets x 4,000 pseudo-announcements x 6 windows.

``python benchmarks/engine_placebo.py`` prints the figures; the bound is 0.3 s.
"""

from __future__ import annotations

import json
import time
from statistics import median

import numpy as np

from market_reaction.engine import Panel
from market_reaction.engine.placebo import joint_placebo
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import rolling_paths

WINDOWS = ((0, 0), (0, 1), (0, 2), (0, 5), (-1, 1), (0, 10))
BOUND = 0.3


def measure(quick: bool = False) -> dict[str, object]:
    """Seconds of the joint placebo, sums built anew each time, beside a loop over markets and windows.

    Parameters
    ----------
    quick : bool
        800 pseudo-announcements in place of 4,000.
    """
    markets, count = 10, 800 if quick else 4000
    sessions = count + 700
    rng = np.random.default_rng(7)
    moves = [rng.standard_t(5, sessions) * 0.01 for _ in range(markets)]
    scales = [ewma_volatility(row) for row in moves]
    day_zero = np.full(markets, sessions - 30)
    # every fifth market is closed on some days, so that several pseudo-announcements share a session there
    back = np.arange(11, 11 + count)[:, None] - (np.arange(markets) % 5 == 0) * (np.arange(count)[:, None] // 25)
    positions = day_zero - back

    def batched() -> object:
        panels = [Panel(row[None]) for row in moves]
        return joint_placebo(panels, day_zero, positions, scales, windows=WINDOWS, count=count)

    def looped() -> object:
        return [
            rolling_paths(
                "constant_mean", row, None, positions[:, at], (-130, -11), taus=np.arange(first, last + 1)
            ).sum(axis=1)
            for at, row in enumerate(moves)
            for first, last in WINDOWS
        ]

    spent = _median_seconds(batched, 3 if quick else 7)
    beside = _median_seconds(looped, 1)
    return {
        "markets": markets,
        "pseudo_announcements": count,
        "windows": len(WINDOWS),
        "seconds": round(spent, 4),
        "seconds_of_models_by_window": round(beside, 3),
        "ratio": round(beside / spent, 1),
        "bound_seconds": BOUND,
        "within_bound": spent <= BOUND,
    }


def _median_seconds(action: object, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()  # type: ignore[operator]
        taken.append(time.perf_counter() - began)
    return median(taken)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
