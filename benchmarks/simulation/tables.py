"""Tables of the page as Markdown; figures in per cent unless the header says otherwise."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from simulation.cells import LEVELS, TERCILES
from simulation.criteria import CLAIMS, in_bounds, judged, wanted
from simulation.labels import ERRORS, INTERVALS, LARGER, SETTINGS, test_name

BASKETS = ((6, 8, 0.0), (6, 8, 0.7), (6, 20, 0.7), (30, 8, 0.5))  # N, K, rho
SPELLS = ((10, "none"), (10, "all"), (20, "none"), (20, "all"))  # K and variance of local projections
# Tests shown at all three levels, with the cells they are shown for.
AT_LEVELS = (
    ("placebo", "study == 'one market' and window == 1"),
    ("garch_rank", "study == 'garch'"),
    ("drift_before", "study == 'drift'"),
    ("forecast_t", "study == 'one market' and window == 1"),
    *((test, "study == 'joint' and markets == 6 and rho == 0.7") for test in ("joint_maximum", "romano_wolf")),
    ("kolari_pynnonen_t", "study == 'across markets' and markets == 6 and rho == 0.7"),
    ("portfolio_t", "study == 'across markets' and markets == 6 and rho == 0.7"),
    *((test, f"study == 'events' and markets == 1 and events == {events}") for events in (8, 20)
      for test in ("event_level_t", "sign_flip", "wilcoxon")),
    *((test, "study == 'resampled events' and events == 20") for test in ("wild_bootstrap", "studentised_permutation")),
)  # fmt: skip


def percent(value: float, digits: int = 1) -> str:
    """A share in per cent, a dash where there is none."""
    return f"{100 * value:.{digits}f}" if np.isfinite(value) else "–"


def with_error(row: pd.Series) -> str:
    """A share in per cent, with its Monte Carlo standard error."""
    return f"{percent(row['value'])} ({percent(row['mc_se'], 2)})"


def markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    """Table of text cells."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows])


def rejections(results: pd.DataFrame, level: float | None = 0.05) -> pd.DataFrame:
    """Rejection rates over all volatilities, at one level or all."""
    found = results[(results["measure"] == "rejection") & (results["group"] == "all")]
    return found if level is None else found[found["level"] == level]


def cell_words(row: pd.Series) -> str:
    """A cell in words."""
    parts = [
        f"N = {row['markets']}" if row["markets"] > 1 else "",
        f"K = {row['events']}" if row["events"] > 1 else "",
        f"m = {row['window']}" if row["window"] > 1 else "",
        f"ρ = {row['rho']:g}" if row["markets"] > 1 else "",
        ERRORS[row["errors"]],
        LARGER[row["larger"]] if row["larger"] != "none" else "",
        "clustered" if row["dates"] == "clustered" else "",
    ]
    return ", ".join(part for part in parts if part)


def fixed_beforehand(results: pd.DataFrame) -> str:
    """Rates fixed before the simulation, and whether they came out."""
    rates = results[(results["measure"] == "rejection") & (results["level"] == 0.05)]
    rows = []
    for item in wanted():
        found = rates[(rates["test"] == item.test) & (rates["group"] == item.group)].query(item.query)
        for _, row in found.iterrows():
            bounds = f"{percent(item.low)} to {percent(item.high)}"
            if item.high == 1:
                bounds = f"above {percent(item.low)}"
            elif item.low == 0:
                bounds = f"at most {percent(item.high)}"
            outcome = in_bounds(row["value"], item.low, item.high, row["count"])
            rows.append([item.words, with_error(row), bounds, outcome])
    return markdown(["", "simulated", "wanted", ""], rows)


def claims(results: pd.DataFrame) -> str:
    """Where each test is said to hold, its rates there and elsewhere."""
    cells = judged(results)
    rows = []
    for claim in CLAIMS:
        own = cells[(cells["test"] == claim.test) & (cells["study"] == claim.study)]
        inside, outside = own[own["inside"]], own[~own["inside"]]
        if inside.empty:
            continue
        met = int(inside["verdict"].isin(["met", "within error"]).sum())
        elsewhere = ["–", "–"]
        if len(outside):
            elsewhere = [_span(outside), cell_words(outside.loc[outside["value"].idxmax()])]
        name = f"{test_name(claim.test)}, {SETTINGS[claim.study]}"
        rows.append([name, claim.words, claim.kind, _span(inside), f"{met} of {len(inside)}", *elsewhere])
    return markdown(["test", "holds where", "kind", "inside", "cells met", "outside", "largest outside"], rows)


def shortfalls(results: pd.DataFrame) -> str:
    """Cells inside a domain whose rate misses the criterion."""
    cells = judged(results).query("verdict == 'not met'")
    rows = [
        [f"{test_name(row['test'])}, {SETTINGS[row['study']]}", row["kind"], cell_words(row), with_error(row)]
        for _, row in cells.iterrows()
    ]
    return markdown(["test", "kind", "cell", "5%"], rows)


def _span(cells: pd.DataFrame) -> str:
    low, high = percent(cells["value"].min()), percent(cells["value"].max())
    return low if low == high else f"{low} to {high}"


def heat_table(table: pd.DataFrame) -> str:
    """A heat map as a table; its values are in per cent already."""
    header = ["test", *(f"{group}: {column}" for group, column in table.columns)]
    rows = ([test_name(str(test)), *(percent(rate / 100) for rate in rates)] for test, *rates in table.itertuples())
    return markdown(header, rows)


def at_all_levels(results: pd.DataFrame) -> str:
    """The main tests at 1, 5 and 10%."""
    rates = rejections(results, None).query("larger == 'none' and dates == 'spread' and effect == 0")
    rows = []
    for test, query in AT_LEVELS:
        for errors in ("garch_t", "normal"):
            cell = rates[(rates["test"] == test) & (rates["errors"] == errors)].query(query).sort_values("level")
            if len(cell):
                attainable = " / ".join(percent(value, 2) for value in cell["attainable"])
                shown = [with_error(row) for _, row in cell.iterrows()]
                first = cell.iloc[0]
                rows.append([test_name(test), cell_words(first), *shown, attainable, f"{first['count']:,}"])
    return markdown(["test", "cell", *(f"{level:.0%}" for level in LEVELS), "attainable", "runs"], rows)


def longer_windows(results: pd.DataFrame) -> str:
    """One-event tests over 1, 6 and 11 sessions."""
    rates = rejections(results).query("study == 'one market' and larger == 'none' and errors != 'skewed'")
    table = rates.pivot_table(index=["test", "errors"], columns="window", values="value", sort=False)
    rows = [
        [test_name(test), ERRORS[errors], *(percent(row[window]) for window in (1, 6, 11))]
        for (test, errors), row in table.iterrows()
        if np.isfinite(row[11])
    ]
    return markdown(["test", "errors", "m = 1", "m = 6", "m = 11"], rows)


def baskets(results: pd.DataFrame) -> str:
    """Several events in several markets."""
    rates = rejections(results).query("study == 'events' and markets > 1")
    table = rates.pivot_table(index="test", columns=["markets", "events", "rho"], values="value", sort=False)
    rows = [[test_name(str(test)), *(percent(row[key]) for key in BASKETS)] for test, row in table.iterrows()]
    return markdown(["test", *(f"N {markets}, K {events}, ρ {rho:g}" for markets, events, rho in BASKETS)], rows)


def coverage(results: pd.DataFrame) -> str:
    """Coverage and length of intervals and bands."""
    cells = results[results["study"].isin(["intervals", "path intervals"]) & results["test"].isin(INTERVALS)]
    rows = []
    for (test, window, errors), cell in cells.groupby(["test", "window", "errors"], sort=False):
        at = cell.set_index(["measure", "group", "level"])
        thirds = " / ".join(
            percent(at.at[("coverage", group, 0.95), "value"])
            for group in TERCILES
            if ("coverage", group, 0.95) in at.index
        )
        covered = [with_error(at.loc[("coverage", "all", level)]) for level in (0.90, 0.95)]
        lengths = [f"{at.at[('length', 'all', level), 'value']:.2f}" for level in (0.90, 0.95)]
        rows.append([INTERVALS[test], str(window), ERRORS[errors], *covered, thirds or "–", *lengths])
    rows.sort(key=lambda row: list(INTERVALS.values()).index(row[0]))
    thirds = "95%: calm / middle / volatile"
    return markdown(["interval or band", "m", "errors", "90%", "95%", thirds, "length, 90%", "length, 95%"], rows)


def power(results: pd.DataFrame) -> str:
    """Power by multiple of the minimum detectable effect."""
    rates = rejections(results)
    keys = ["study", "markets", "events", "rho", "errors", "test"]
    rates = rates[rates["study"].str.startswith("power")]
    table = rates.pivot_table(index=keys, columns="effect", values="value", sort=False)
    rows = []
    for (_, markets, events, rho, errors, test), row in table.iterrows():
        case = [f"N = {markets}, ρ = {rho:g}" if markets > 1 else "", f"K = {events}" if events > 1 else ""]
        words = ", ".join(part for part in (*case, ERRORS[errors]) if part)
        rows.append([test_name(test), words, *(percent(row[effect]) for effect in (0.5, 1.0, 1.5))])
    return markdown(["test", "case", "½ MDE", "MDE", "1½ MDE"], rows)


def news(results: pd.DataFrame) -> str:
    """Rigobon-Sack: coverage and length of the set, and the two estimates."""
    rows = []
    for (errors, events, larger), cell in results.query("study == 'news'").groupby(
        ["errors", "events", "larger"], sort=False
    ):
        at = cell[cell["measure"] == "median"].set_index("test")["value"]
        sets = cell[cell["test"] == "rigobon_sack"].set_index(["measure", "level"])
        what = "the news alone" if larger == "factor" else "all shocks"
        covered = [with_error(sets.loc[("coverage", level)]) for level in (0.90, 0.95)]
        bounded = percent(sets.at[("coverage", 0.95), "applied"], 0)
        length = f"{sets.at[('median length', 0.95), 'value']:.2f}"
        medians = [f"{at[name]:.2f}" for name in ("rigobon_sack", "event-study slope")]
        rows.append([ERRORS[errors], str(events), what, *covered, bounded, length, *medians])
    return markdown(["shocks", "n", "what varies", "90%", "95%", "bounded", "length", "estimate", "slope"], rows)


def projections(results: pd.DataFrame) -> str:
    """Local projections: coverage of their bands, and rejections of the permutation of dates."""
    cells = results.query(
        "study == 'projections' and measure in ('coverage', 'rejection') and level in (0.05, 0.9, 0.95)"
    )
    table = cells.pivot_table(index=["test", "level"], columns=["events", "larger"], values="value", sort=False)
    kinds = {"hac": "HAC errors", "lag_augmented": "lag-augmented errors"}
    rows = []
    for (test, level), row in table.iterrows():
        kind, _, what = test.partition(", ")
        words = (
            f"{kinds[kind]}, {what.replace('_', '-')}: coverage at {level:.0%}" if what else f"{test}: rejected at 5%"
        )
        rows.append([words, *(percent(row[key]) for key in SPELLS)])
    return markdown(["", *(f"K = {events}" + (", ×4" if larger == "all" else "") for events, larger in SPELLS)], rows)


def real_returns(real: pd.DataFrame) -> str:
    """Rejection rates on real returns."""
    rows = []
    for (market, test), cell in real.groupby(["market", "test"], sort=False):
        at = cell.set_index(["group", "level"])
        thirds = [percent(at.at[(group, 0.05), "value"]) for group in TERCILES if (group, 0.05) in at.index]
        shown = [with_error(at.loc[("all", level)]) for level in (0.05, 0.10)]
        days = f"{at.at[('all', 0.05), 'count']:,}"
        rows.append([str(market), test_name(str(test)), days, *shown, " / ".join(thirds) or "–"])
    return markdown(["market", "test", "instants", "5%", "10%", "5%: calm / middle / volatile"], rows)


OF_RESULTS = {
    "wanted": fixed_beforehand,
    "claims": claims,
    "shortfalls": shortfalls,
    "windows": longer_windows,
    "levels": at_all_levels,
    "baskets": baskets,
    "coverage": coverage,
    "power": power,
    "news": news,
    "projections": projections,
}
