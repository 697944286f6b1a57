"""How fast a specification curve runs: 800 and more specifications x 500 pseudo-announcements x 5 markets.

``python benchmarks/engine_specifications.py`` prints the figures; the bound is 5 s on two cores.
"""

from __future__ import annotations

import json
import time
import warnings
from statistics import median
from typing import Any

import market_reaction as mr
from market_reaction.errors import MarketReactionWarning

EVENT = "2018-03-22 16:45 UTC"
MARKETS = ("Apple", "Microsoft", "ExxonMobil", "JPMorgan Chase", "Walmart")
GRID = {"window": ((0, 0), (0, 1), (0, 2), (0, 5))}  # the default one, and another window
BOUND = 5.0
_CHECKED = 24  # specifications measured one by one, to know what all of them would take


def measure(quick: bool = False) -> dict[str, object]:
    """Seconds of the grid on loaded series, placebo days included, beside ``event_study`` one by one.

    Parameters
    ----------
    quick : bool
        120 pseudo-announcements in place of 500, and one run in place of three.
    """
    history = 120 if quick else 500
    events = mr.load_events({"announcement": EVENT})
    prices = mr.load_prices(
        [*MARKETS, "S&P 500"], events=events, source="bundled", start="2010-01-04", end="2018-06-29"
    )
    names = [series.name for series in prices if series.name != "S&P 500"][:5]
    taken, curve = [], None
    for _ in range(1 if quick else 3):
        began = time.perf_counter()
        curve = mr.specification_curve(EVENT, markets=names, grid=GRID, prices=prices, history=history)
        taken.append(time.perf_counter() - began)
    assert curve is not None
    counts = curve.summary()["n_specifications"]
    spent, alone = median(taken), _one_by_one(prices, events, names, curve)
    studies = int(counts.sum()) * (history + 1)
    return {
        "markets": len(names),
        "specifications_a_market": int(counts.min()),
        "pseudo_announcements": history,
        "estimates": studies,
        "seconds": round(spent, 3),
        "estimates_a_second": round(studies / spent),
        "seconds_of_one_study_at_a_time": round(alone * studies, 1),
        "ratio": round(alone * studies / spent),
        "bound_seconds": BOUND,
        "within_bound": spent <= BOUND,
    }


def _one_by_one(prices: mr.PriceData, events: Any, names: list[str], curve: mr.SpecificationCurve) -> float:
    """Seconds of one specification at one event through ``event_study``."""
    rows = curve.to_frame().query("contaminated == 'in'").head(_CHECKED)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)
        for row in rows.to_dict("records"):
            estimation = (-row["gap"] - row["length"], -row["gap"] - 1)
            mr.event_study(
                prices, events, markets=[row["market"]], normal_model=row["counterfactual"], returns=row["returns"],
                windows=mr.EventWindows(estimation=estimation, event=(0, 1)),
            )  # fmt: skip
    return (time.perf_counter() - began) / len(rows)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
