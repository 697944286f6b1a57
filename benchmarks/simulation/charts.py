"""Heat maps of rejection rates at 5%, in per cent; a frame marks the cells in which a test is said to hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from market_reaction.theme import BLUE, INK, VERMILLION
from simulation.criteria import NOMINAL, judged
from simulation.labels import ERRORS, LARGER, TERCILES, test_name

# Blue below 5%, white at it, orange to dark above: told apart by colour-blind readers, and by lightness in print.
LOWEST, HIGHEST = -2.0, 4.0  # powers of two around 5%: 1.25% and 80%
MIDDLE = -LOWEST / (HIGHEST - LOWEST)
SCALE = [
    [0, BLUE],
    [MIDDLE - 0.06, "#f2f6fa"],
    [MIDDLE + 0.06, "#fff8f0"],
    [0.62, "#f5b16d"],
    [0.8, VERMILLION],
    [1, "#6b2300"],
]
TICKS = (1.25, 2.5, 5, 10, 20, 40, 80)
CELL_WIDTH, CELL_HEIGHT, LEFT, GAP = 50, 24, 190, 100  # pixels
ONE_MARKET = ("placebo", "garch_rank", "drift_before", "placebo_plain", "conformal_car", "forecast_t")
EVENT_SETTINGS = (
    "GARCH-t, spread", "GARCH-t, spread, ×4", "GARCH-t, clustered", "GARCH-t, clustered, ×4", "normal, spread",
    "skewed, spread",
)  # fmt: skip
BY_VOLATILITY = ("placebo", "garch_rank", "drift_before")  # said to hold in each third, not only on average
JOINT = ("placebo", "joint_maximum", "joint_quadratic", "joint_signed_mean", "romano_wolf", "holm")
MARKETS = (
    "kolari_pynnonen_t", "portfolio_t", "adjusted_patell_z", "corrado_rank", "corrado_zivney_rank",
    "corrado_zivney_sign", "bmp_t", "bmp_t, any N", "cross_section_t", "skewness_adjusted_t",
    "skewness_adjusted_t, any N", "patell_z", "sign_test",
    "generalized_sign_z", "wilcoxon", "grank_t", "grank_t, any N", "grank_z", "grank_z, any N",
)  # fmt: skip
EVENTS = (
    "event_level_t", "sign_flip", "wild_bootstrap", "studentised_permutation", "group_difference", "wilcoxon",
    "sign_test", "generalized_sign_z", "skewness_adjusted_t", "skewness_adjusted_t, any N", "calendar_time_portfolio",
    "bmp_t",
    "corrado_rank", "corrado_zivney_rank", "corrado_zivney_sign", "patell_z", "joint_dummy_regression",
    "plain permutation",
)  # fmt: skip


def heat_tables(results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rates in per cent of each heat map: rows are tests, columns are cells; NaN where a test does not apply."""
    return {
        name: table.map(lambda found: found[0] if isinstance(found, tuple) else np.nan)
        for name, table in _tables(results).items()
    }


def _tables(results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The same with (rate, whether it is inside the domain)."""
    rates = results[(results["measure"] == "rejection") & (results["level"] == NOMINAL) & (results["effect"] == 0)]
    claimed = judged(results)
    keys = ["study", "test", "markets", "events", "window", "rho", "errors", "larger", "dates"]
    inside = set(claimed.loc[claimed["inside"], keys].itertuples(index=False, name=None))
    rates = rates.assign(
        shown=[
            (100 * row.value, row.test_key in inside and (row.group == "all" or row.test in BY_VOLATILITY))
            if np.isfinite(row.value)
            else np.nan
            for row in rates.assign(test_key=list(rates[keys].itertuples(index=False, name=None))).itertuples()
        ]
    )
    everyone = rates[rates["group"] == "all"]
    return {
        "one": _one_market(rates),
        "six": _across(everyone, 6),
        "thirty": _across(everyone, 30),
        "events": _events(everyone),
    }


def _one_market(rates: pd.DataFrame) -> pd.DataFrame:
    cells = rates[rates["study"].isin(["one market", "garch", "drift"]) & (rates["window"] == 1)]
    garch = cells[(cells["errors"] == "garch_t") & ~((cells["study"] == "garch") & (cells["test"] == "placebo"))]
    columns = [garch["larger"].map(LARGER).rename("day"), garch["group"].map(TERCILES).rename("group")]
    order = pd.MultiIndex.from_product([[LARGER["none"], LARGER["all"]], TERCILES.values()])
    return _pivot(garch, columns, order, ONE_MARKET)


def _across(rates: pd.DataFrame, markets: int) -> pd.DataFrame:
    cells = rates[rates["study"].isin(["across markets", "joint"]) & (rates["markets"] == markets)]
    garch = cells[cells["errors"] == "garch_t"]
    columns = [garch["larger"].map(LARGER).rename("day"), garch["rho"].map("ρ {:g}".format).rename("rho")]
    order = pd.MultiIndex.from_tuples(
        [
            (words, f"ρ {rho:g}")
            for name, words in LARGER.items()
            for rho in (0, 0.3, 0.5, 0.7)
            if rho or name != "factor"
        ]
    )
    return _pivot(garch, columns, order, JOINT + MARKETS)


def _events(rates: pd.DataFrame) -> pd.DataFrame:
    cells = rates[rates["study"].isin(["events", "resampled events"]) & (rates["markets"] == 1)]
    setting = [
        f"{ERRORS[row.errors]}, {row.dates}" + ("" if row.larger == "none" else ", ×4") for row in cells.itertuples()
    ]
    columns = [pd.Series(setting, cells.index, name="setting"), cells["events"].map("K {}".format).rename("events")]
    order = pd.MultiIndex.from_product([EVENT_SETTINGS, ["K 5", "K 8", "K 20"]])
    return _pivot(cells, columns, order, EVENTS)


def _pivot(cells: pd.DataFrame, columns: list[pd.Series], order: pd.MultiIndex, tests: tuple[str, ...]) -> pd.DataFrame:
    table = cells.pivot_table(index="test", columns=columns, values="shown", aggfunc="first")
    return table.reindex(index=[test for test in tests if test in table.index], columns=order)


def write(results: pd.DataFrame, folder: Path) -> None:
    """Write the heat maps as PNG."""
    tables = _tables(results)
    for name, parts in {
        "size_one_event": {"One market, one event: by volatility before the event": tables["one"]},
        "size_markets": {"Six markets on one day": tables["six"], "Thirty markets on one day": tables["thirty"]},
        "size_events": {"Several events in one market": tables["events"]},
    }.items():
        figure = heat_maps(parts)
        figure.write_image(folder / f"{name}.png", scale=1.5)


def heat_maps(parts: dict[str, pd.DataFrame]) -> go.Figure:
    """Heat maps below one another."""
    counts = [len(table) for table in parts.values()]
    height = CELL_HEIGHT * sum(counts) + GAP * len(parts)
    figure = make_subplots(
        rows=len(parts), cols=1, row_heights=counts, vertical_spacing=GAP / height if len(parts) > 1 else 0,
        subplot_titles=[f"<b>{title}</b>" for title in parts],
    )  # fmt: skip
    for row, table in enumerate(parts.values(), start=1):
        _add(figure, row, table)
    figure.update_layout(
        width=LEFT + CELL_WIDTH * max(table.shape[1] for table in parts.values()) + 120, height=height,
        margin={"l": LEFT, "r": 20, "t": 40, "b": 50}, paper_bgcolor="white", plot_bgcolor="#e8e8e8",
        font={"family": "Arial, sans-serif", "size": 12, "color": INK["light"]},
        coloraxis={"colorscale": SCALE, "cmin": LOWEST, "cmax": HIGHEST, "colorbar": {
            "title": {"text": "rejected at 5%", "side": "right"}, "tickvals": [np.log2(tick / 5) for tick in TICKS],
            "ticktext": [f"{tick:g}%" for tick in TICKS], "thickness": 14, "lenmode": "pixels",
            "len": min(300, height - 60), "y": 1, "yanchor": "top"}},
    )  # fmt: skip
    return figure


def _add(figure: go.Figure, row: int, table: pd.DataFrame) -> None:
    rates = table.map(lambda found: found[0] if isinstance(found, tuple) else np.nan).astype(float)
    colours = np.clip(np.log2(np.maximum(rates, 0.01) / (100 * NOMINAL)), LOWEST, HIGHEST)
    axis = [[str(part) for part in table.columns.get_level_values(level)] for level in (0, 1)]
    names = [test_name(test) for test in table.index]
    heat = go.Heatmap(z=colours, x=axis, y=names, coloraxis="coloraxis", xgap=1, ygap=1, hoverinfo="skip")
    figure.add_trace(heat, row=row, col=1)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", row=row, col=1)
    figure.update_xaxes(showgrid=False, ticks="", tickangle=0, row=row, col=1, showdividers=True, dividercolor="white")
    suffix = "" if row == 1 else str(row)
    for (down, across), found in np.ndenumerate(table.to_numpy(dtype=object)):
        if not isinstance(found, tuple):
            continue
        rate, inside = found
        dark = not -1.3 < colours.iloc[down, across] < 2.2
        figure.add_annotation(
            x=across, y=down, xref=f"x{suffix}", yref=f"y{suffix}", showarrow=False, text=_printed(rate),
            font={"size": 11, "color": "white" if dark else "#222222"},
        )  # fmt: skip
        if inside:
            figure.add_shape(
                type="rect", x0=across - 0.47, x1=across + 0.47, y0=down - 0.45, y1=down + 0.45,
                xref=f"x{suffix}", yref=f"y{suffix}", line={"color": "#222222", "width": 1.4},
            )  # fmt: skip


def _printed(rate: float) -> str:
    return f"{rate:.1f}" if rate < 9.95 else f"{rate:.0f}"
