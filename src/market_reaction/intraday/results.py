"""What ``react_intraday`` gives: frozen results that may be empty, and then say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance
from market_reaction.inference.placebo import PlaceboRank
from market_reaction.intraday.bars import BarData, BarSeries
from market_reaction.intraday.measured import NAN, Spread, Window, WindowMove

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, repr=False)
class MarketIntraday:
    """One market around the announcement.

    Attributes
    ----------
    series : BarSeries
        Its bars.
    moves : tuple of WindowMove
        One for each window asked for.
    path : pandas.DataFrame
        Cumulated move: minute, end_utc, close, change, volume, usual_volume, low, high, n_days (the last three the
        pointwise 5% and 95% quantiles over earlier days and their number); empty without a price before.
    straddling : pandas.DataFrame
        Bars that hold the announcement or its bounds: start_utc, end_utc.
    spread : Spread
        How the reaction spread over the hour.
    notes : tuple of str
        What a reader should know: thin bars, bad ticks near the announcement, a clock set aside.
    """

    series: BarSeries
    moves: tuple[WindowMove, ...]
    path: pd.DataFrame
    straddling: pd.DataFrame
    spread: Spread
    notes: tuple[str, ...]

    @property
    def market(self) -> str:
        """Name of the market."""
        return self.series.name

    @property
    def headline(self) -> WindowMove | None:
        """First window that was measured; None where all were refused."""
        return next((move for move in self.moves if move.measured), None)


@dataclass(frozen=True, slots=True, repr=False)
class IntradayResult(Exportable):
    """Moves of several markets in the minutes around one announcement; built only by ``react_intraday``.

    Attributes
    ----------
    event : pandas.Series
        The announcement as a row of an event table.
    markets : tuple of MarketIntraday
        In the order asked for; empty where no bars are at hand, and ``reason`` says why.
    bars : BarData
        The bars, with what could not be had.
    other_news : pandas.DataFrame
        Other news within two hours before and after: id, title, announced_utc, minute, precision.
    parameters : mapping of str to object
        What was asked for.
    notes : tuple of str
        What a reader should know.
    reason : str
        Why there is no market or no window; empty where something was measured.
    """

    event: pd.Series
    markets: tuple[MarketIntraday, ...]
    bars: BarData
    other_news: pd.DataFrame
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    reason: str = ""

    def __getitem__(self, market: str) -> MarketIntraday:
        """One market by its name."""
        name = self.bars[market].name
        return next(row for row in self.markets if row.market == name)

    def __repr__(self) -> str:
        """The answer."""
        return f"<IntradayResult: {self.answer()}>"

    @property
    def measured(self) -> tuple[MarketIntraday, ...]:
        """Markets with at least one window."""
        return tuple(row for row in self.markets if row.headline is not None)

    @property
    def excluded(self) -> pd.DataFrame:
        """Windows that could not be measured as asked, and markets without bars: columns market, window, reason."""
        moves = [(row.market, move) for row in self.markets for move in row.moves if move.kind != "as asked"]
        rows = [{"market": name, "window": _window(move.asked), "reason": move.reason} for name, move in moves]
        lost = self.bars.unavailable.assign(window="").to_dict("records")
        return pd.DataFrame([*rows, *lost], columns=["market", "window", "reason"], dtype=str)

    def to_frame(self) -> pd.DataFrame:
        """One row a market and window, unrounded decimals.

        Returns
        -------
        pandas.DataFrame
            Columns market, asked_from, asked_to, used_from, used_to (minutes), kind, before_utc, price_before,
            stale_before, after_utc, price_after, stale_after (minutes), change, unit, placebo_p, placebo_p_floor,
            n_placebo, scaled, mde, volume, usual_volume, volume_share, n_volume, abnormal, beta, other_news, reason.
        """
        rows = [_frame_row(row.series, move) for row in self.markets for move in row.moves]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def paths(self) -> pd.DataFrame:
        """Cumulated moves of all markets: market and the columns of ``MarketIntraday.path``."""
        parts = [row.path.assign(market=row.market) for row in self.markets if len(row.path)]
        columns = ["market", *PATH_COLUMNS]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)

    def spread(self) -> pd.DataFrame:
        """How the reaction spread, one row a market: the fields of ``Spread``."""
        fields = Spread.__dataclass_fields__
        rows = [{"market": row.market} | {name: getattr(row.spread, name) for name in fields} for row in self.markets]
        return pd.DataFrame(rows, columns=["market", *fields]).set_index("market")

    def answer(self, width: int | None = None) -> str:
        """Say in a sentence or two what moved and whether it was unusual, or why that cannot be told."""
        from market_reaction.intraday import words

        return wording.filled(words.answer(self), width)

    def plot(
        self,
        *,
        kind: Literal["path", "placebo", "volume"] = "path",
        market: str | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the result; an empty one that says the reason where there is nothing to draw.

        Parameters
        ----------
        kind : {"path", "placebo", "volume"}
            Cumulated moves, the first window among earlier days, or volume against the same minutes of earlier days.
        market : str, optional
            One market; for ``"path"`` a panel for each when left out, else the first.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.intraday import charts

        return charts.intraday_figure(self, kind=kind, market=market, theme=theme)

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Charts by name; none where nothing was measured."""
        if not self.measured:
            return {}
        found = {"path": self.plot(theme=theme), "placebo": self.plot(kind="placebo", theme=theme)}
        if any(row.series.volume for row in self.measured):
            found["volume"] = self.plot(kind="volume", theme=theme)
        return found

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by name: moves, paths, spread, other news, what was left out, findings on the bars."""
        return {
            "Moves": self.to_frame(),
            "Paths": self.paths(),
            "Spread of the reaction": self.spread(),
            "Other news": self.other_news,
            "Excluded": self.excluded,
            "Findings on bars": self.bars.quality(),
        }

    def printed(self) -> dict[str, pd.DataFrame]:
        """Windows and the spread of the reaction as they stand in a paper; why there are none where there are none."""
        from market_reaction.intraday.html import printed_intraday

        return printed_intraday(self)

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        return Provenance(self.parameters, self.bars.vintage)

    def _repr_html_(self) -> str:
        from market_reaction.intraday.html import result_html

        return result_html(self)


_COLUMNS = (
    "market", "asked_from", "asked_to", "used_from", "used_to", "kind", "before_utc", "price_before",
    "stale_before", "after_utc", "price_after", "stale_after", "change", "unit", "placebo_p", "placebo_p_floor",
    "n_placebo", "scaled", "mde", "volume", "usual_volume", "volume_share", "n_volume", "abnormal", "beta",
    "other_news", "reason",
)  # fmt: skip
PATH_COLUMNS = ("minute", "end_utc", "close", "change", "volume", "usual_volume", "low", "high", "n_days")


def _window(window: Window) -> str:
    from market_reaction.intraday.words import window_text

    return window_text(window)


def _frame_row(series: BarSeries, move: WindowMove) -> dict[str, Any]:
    placebo = move.placebo
    rank = placebo.rank if placebo is not None else PlaceboRank(NAN, NAN, NAN, 0, move.reason)
    plain = {name: getattr(move, name) for name in _COLUMNS if name in WindowMove.__dataclass_fields__}
    return plain | {
        "market": series.name,
        "asked_from": move.asked[0],
        "asked_to": move.asked[1],
        "used_from": move.used[0],
        "used_to": move.used[1],
        "unit": series.instrument.change_unit,
        "placebo_p": rank.p_value,
        "placebo_p_floor": rank.floor,
        "n_placebo": rank.n_placebo,
        "scaled": placebo.scaled if placebo is not None else False,
        "mde": placebo.mde if placebo is not None else NAN,
        "other_news": "; ".join(move.news),
    }
