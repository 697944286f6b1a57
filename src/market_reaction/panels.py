"""Charts with a panel for each market: headings, axes, and what they say of their series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from market_reaction import wording
from market_reaction.car_chart import axis_scale
from market_reaction.theme import GREY, label, shortened

if TYPE_CHECKING:
    from market_reaction.prices import PriceData

PANEL = 170  # pixels of a panel of paths
HEADING = 42  # characters of its heading
TITLE = 27  # characters of the title of an announcement beside its row
ZERO_LINE = {"zeroline": True, "zerolinecolor": GREY, "zerolinewidth": 1}


def panels(
    prices: PriceData, markets: tuple[str, ...], columns: int, horizontal: float = 0.12
) -> tuple[go.Figure, int]:
    """Figure with a panel for each market, headed by its name and what "up" means there; and its number of rows."""
    lines = -(-len(markets) // columns)
    figure = make_subplots(
        rows=lines, cols=columns, subplot_titles=[_heading(prices, name) for name in markets],
        vertical_spacing=0.30 / lines if lines > 1 else 0.0, horizontal_spacing=horizontal,
    )  # fmt: skip
    figure.update_annotations(font={"size": 11})
    return figure, lines


def _heading(prices: PriceData, market: str) -> str:
    """Name of a market and what "up" means there, as far as a panel has room."""
    note = shortened(wording.direction_note(prices[market].instrument), max(HEADING - len(market), 16))
    return f"<b>{label(market)}</b>{f', {label(note)}' if note else ''}"


def event_name(announced: pd.Timestamp, title: str) -> str:
    """Day and first words of an announcement, as the name of a row."""
    return label(f"{wording.day(announced)} {shortened(title, TITLE)}")


def sources(prices: PriceData, markets: tuple[str, ...]) -> str:
    """Source and last sessions of the series drawn, in few words."""
    vintage = prices.vintage.loc[list(markets)]
    names = wording.listed(list(dict.fromkeys(vintage["source"])))
    first, last = wording.day(vintage["last"].min()), wording.day(vintage["last"].max())
    return f"Source: {names}, series end {first if first == last else f'between {first} and {last}'}."


def up_means(prices: PriceData, markets: tuple[str, ...]) -> str:
    """What "up" means in the markets drawn."""
    notes = [(market, wording.direction_note(prices[market].instrument)) for market in markets]
    said = "; ".join(f"{market} {text}" for market, text in notes if text)
    return f"{said}. " if said else ""


def path_axes(figure: go.Figure, unit: str, place: dict[str, int], last: bool) -> None:
    """Axes of a panel that shows paths by session: zero, day 0, the unit; the axis title in the last row alone."""
    _, form, suffix = axis_scale(unit)
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"}, **place)
    figure.update_xaxes(title="sessions from day 0" if last else None, nticks=8, tickformat="d", **place)
    figure.update_yaxes(tickformat=form, ticksuffix=suffix, nticks=5, **ZERO_LINE, **place)
