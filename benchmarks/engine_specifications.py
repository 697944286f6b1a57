"""How fast a specification curve runs: 800 and more specifications x 500 pseudo-announcements x 5 markets.

``python benchmarks/engine_specifications.py`` prints the figures; the bound is 5 s on two cores. With ``--size`` it
prints instead how often the placebo p of ordinary days is at most 5%, by the volatility of the day (three minutes).
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

import market_reaction as mr
from market_reaction.errors import MarketReactionWarning
from market_reaction.inference.scales import ewma_volatility

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


def size(days: int = 250) -> pd.DataFrame:
    """Share of random days with a p of at most 5%, by terciles of the volatility before within their last 500 sessions.

    Parameters
    ----------
    days : int
        Random days of each of three bundled series.
    """
    rng = np.random.default_rng(11)
    prices = mr.load_prices(["CSI 300", "S&P 500", "WTI spot"], "2000-01-01", "2022-06-01", source="bundled")
    found = []
    for series in prices:
        alone, sigma = mr.PriceData({series.name: series}), ewma_volatility(series.returns("log"))
        for at in rng.choice(np.arange(1100, len(series.sessions) - 10), days, replace=False):
            curve = mr.specification_curve(
                f"{series.sessions[at]:%Y-%m-%d} 05:00 UTC", prices=alone,
                grid={"gap": 10, "returns": "log", "contaminated": "in"},
            )  # fmt: skip
            rank = float((sigma[at - 520 : at - 20] < sigma[at]).mean())
            found.append(curve.summary().iloc[0].filter(regex="_p_(median|share|mean_z)").to_dict() | {"rank": rank})
    frame = pd.DataFrame(found).astype(float)
    kind = pd.cut(frame.pop("rank"), [-1, 1 / 3, 2 / 3, 2], labels=["calm", "middle", "wild"])
    by_kind = frame.le(0.05).groupby(kind, observed=True).mean().assign(days=kind.value_counts())
    return pd.concat([by_kind, frame.le(0.05).mean().to_frame("all").T.assign(days=len(frame))]).round(3)


if __name__ == "__main__":
    print(size().to_string() if "--size" in sys.argv else json.dumps(measure(), indent=1))
