"""Rejection rates of the placebo at random instants on the bundled series, through ``mr.react`` as a user runs it.

The idea is Brown and Warner's (1985, Journal of Financial Economics 14:3): where nothing was announced, a test at 5%
should reject about 5% of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

import market_reaction as mr
from simulation.cells import TERCILES

MARKETS = ("CSI 300", "S&P 500", "VIX", "US 10y", "WTI spot", "EUR/USD", "USD/CNY")
FIRST, LAST = "2012-01-01", "2025-11-30"
INSTANTS = 2_000
LEVELS = (0.05, 0.10)
JOINT = "all markets"


def results(path: Path, instants: int = INSTANTS, seed: int = 1) -> pd.DataFrame:
    """Rates that were kept for this number and seed, or new ones."""
    if path.exists():
        kept = pd.read_parquet(path)
        if kept[["instants", "seed"]].drop_duplicates().to_numpy().tolist() == [[instants, seed]]:
            return kept
    found = rates(observe(instants, seed)).assign(instants=instants, seed=seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    found.to_parquet(path, index=False)
    return found


def random_instants(count: int, seed: int) -> list[str]:
    """Minutes drawn evenly from all of the years, weekends included."""
    first, last = (pd.Timestamp(day).value // 60_000_000_000 for day in (FIRST, LAST))
    minutes = np.random.default_rng(seed).integers(first, last, count)
    return [f"{pd.Timestamp(int(minute) * 60_000_000_000):%Y-%m-%d %H:%M} UTC" for minute in minutes]


def observe(instants: int, seed: int) -> pd.DataFrame:
    """One row an instant, market and test: p and the volatility before."""
    bar = tqdm(random_instants(instants, seed), unit="instant", desc="real returns")
    return pd.DataFrame([row for instant in bar for row in _observed(instant)])


def _observed(instant: str) -> Iterator[dict[str, object]]:
    reaction = mr.react(instant, markets=MARKETS, source="bundled", progress=False)
    own = reaction.placebo.summary().droplevel("event_id")
    frame = reaction.to_frame()
    sigma = (frame["abnormal"] / frame["z_ewma"]).abs()
    for market, found in own.iterrows():
        common = {"instant": instant, "market": market, "volatility": float(sigma[market])}
        yield common | {"test": "placebo", "p_value": found["placebo_p"]}
        yield common | {"test": "placebo_plain", "p_value": found["placebo_p_plain"]}
    for (_, statistic), found in reaction.placebo.joint_summary().iterrows():
        common = {"instant": instant, "market": JOINT, "volatility": float("nan")}
        yield common | {"test": f"joint_{statistic}", "p_value": found["placebo_p"]}


def rates(observed: pd.DataFrame) -> pd.DataFrame:
    """Rejection rates by market, test, level and third of the market's own volatility before the session."""
    kept = observed[observed["p_value"].notna()]
    made = []
    for (market, test), cases in kept.groupby(["market", "test"], sort=False):
        groups = {"all": cases}
        if cases["volatility"].notna().all():
            cut = pd.qcut(cases["volatility"], 3, labels=TERCILES)
            groups |= {name: cases[cut == name] for name in TERCILES}
        for (group, inside), level in product(groups.items(), LEVELS):
            made.append({"market": market, "test": test, "group": group, "level": level} | _rate(inside, level))
    return pd.DataFrame(made)


def _rate(cases: pd.DataFrame, level: float) -> dict[str, float]:
    """Share rejected, with a standard error clustered by month: instants of a month share sessions and volatility."""
    rejected = (cases["p_value"] <= level + 1e-12).astype(float)
    by_month = (rejected - rejected.mean()).groupby(cases["instant"].str[:7]).sum()
    error = float(np.sqrt((by_month**2).sum()) / len(rejected))
    return {"value": float(rejected.mean()), "mc_se": error, "count": len(rejected)}
