"""Placebo tests of events: each market's own, the joint ones over markets, and the result that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance
from market_reaction.inference.placebo import PlaceboRank
from market_reaction.judged import PlaceboPair
from market_reaction.prices import PriceData

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.study_result import EventStudyResult

PlaceboChart = Literal["markets", "events", "placebo"]


@dataclass(frozen=True, slots=True)
class MarketPlacebo:
    """Placebo of one event in one market.

    Attributes
    ----------
    scaled, plain : PlaceboRank
        Ranks of |AR| / sigma, sigma the EWMA(0.97) volatility known the session before (the headline), and of |AR|.
    pool : numpy.ndarray
        Signed scaled statistics of the pool, shape (S,), latest first.
    pool_sessions : pandas.DatetimeIndex
        Sessions of the pool, latest first.
    statistic : float
        Signed scaled statistic at the event.
    mde : float
        Minimum detectable effect of the headline test on day 0, in the unit of the market's moves.
    critical : float
        Absolute statistic to exceed for a p of at most 0.05; infinite when the pool is too small.
    n_left_out : int
        Pool sessions dropped because an excluded event fell into their return.
    """

    scaled: PlaceboRank
    plain: PlaceboRank
    pool: np.ndarray
    pool_sessions: pd.DatetimeIndex
    statistic: float
    mde: float
    critical: float
    n_left_out: int

    def void(self, reason: str) -> MarketPlacebo:
        """The same without its p, and the reason."""
        return replace(self, scaled=self.scaled.void(reason), plain=self.plain.void(reason))


@dataclass(frozen=True, slots=True)
class JointPlacebo:
    """Joint placebo tests of one event over the markets that have a test of their own.

    Attributes
    ----------
    markets : tuple of str
        Markets, N of them.
    event : numpy.ndarray
        Signed scaled statistic of each at the event, divided by the standard deviation of its own pool, shape (N,).
    pool : numpy.ndarray
        The same at the joint pseudo-announcements, latest first, shape (S, N).
    positions : numpy.ndarray
        Row of each market's session at those pseudo-announcements, shape (S, N).
    ranks : mapping of str to PlaceboRank
        ``"maximum"``, ``"quadratic"`` and, where signs were given, ``"signed_mean"``.
    note : str
        Which sessions of ambiguous markets the ranks are for; empty when all are certain.
    """

    markets: tuple[str, ...]
    event: np.ndarray
    pool: np.ndarray
    positions: np.ndarray
    ranks: Mapping[str, PlaceboRank]
    note: str = ""

    def __getitem__(self, statistic: str) -> PlaceboRank:
        """Rank of one statistic."""
        return self.ranks[statistic]

    def void(self, reason: str) -> JointPlacebo:
        """The same without its p, and the reason."""
        return replace(self, ranks={name: rank.void(reason) for name, rank in self.ranks.items()})

    def cautious(self, others: Sequence[JointPlacebo]) -> JointPlacebo:
        """The same with the largest p of each statistic over this and other possible sessions of ambiguous markets."""
        alternatives = [other for other in others if other.markets == self.markets]
        if not alternatives:
            return self
        ranks = {
            name: max([rank, *(other.ranks[name] for other in alternatives)], key=lambda found: found.p_value)
            for name, rank in self.ranks.items()
        }
        note = f"the largest p over {1 + len(alternatives)} choices of session for the ambiguous markets"
        return replace(self, ranks=ranks, note=note)


@dataclass(frozen=True, slots=True, repr=False)
class PlaceboResult(Exportable):
    """Placebo tests of one or more events.

    Attributes
    ----------
    markets : mapping of (event_id, market) to MarketPlacebo
        Each market's own test.
    joint : mapping of event_id to JointPlacebo
        Joint tests over the markets. No entry where fewer than two markets have a test.
    history : int
        Pool size aimed at.
    study : EventStudyResult
        The study whose day 0 is tested: its events, sessions and units, and what it left out.
    prices : PriceData
        The series the pools were taken from.
    """

    markets: Mapping[tuple[str, str], MarketPlacebo]
    joint: Mapping[str, JointPlacebo]
    history: int
    study: EventStudyResult
    prices: PriceData

    @property
    def vintage(self) -> pd.DataFrame:
        """Provenance of the series, as ``PriceData.vintage`` gives it."""
        return self.prices.vintage

    @property
    def units(self) -> Mapping[str, str]:
        """Unit of the moves of each market, which is that of its minimum detectable effect."""
        return self.study.design.units

    @property
    def events(self) -> tuple[str, ...]:
        """Events that were tested in at least one market, in order."""
        return tuple(dict.fromkeys(event_id for event_id, _ in self.markets))

    @property
    def excluded(self) -> pd.DataFrame:
        """What has no placebo p: columns event_id, market, session, reason.

        First what the study left out, then pairs without a p of their own, such as those with too short a history.
        """
        left = self.study.excluded
        keys = zip(left["event_id"], left["market"], strict=True)
        left = left[np.array([key not in self.markets for key in keys], dtype=bool)]
        void = [
            {"event_id": pair.event_id, "market": pair.market, "session": pair.session, "reason": rank.note}
            for pair in self.pairs()
            if not np.isfinite((rank := pair.placebo.scaled).p_value)
        ]
        return pd.concat([left, pd.DataFrame(void)], ignore_index=True) if void else left.reset_index(drop=True)

    def pairs(self, event: str | None = None) -> tuple[PlaceboPair, ...]:
        """Every event in every market with its move and its test, or those of one event.

        Parameters
        ----------
        event : str, optional
            An event_id; all events when left out.
        """
        keys = [key for key in self.markets if event is None or key[0] == event]
        return tuple(self._pair(event_id, market) for event_id, market in keys)

    def _pair(self, event_id: str, market: str) -> PlaceboPair:
        series, at = self.prices[market], self.study.pairs[event_id, market].position
        unsure = bool(self.study.sessions.loc[(event_id, market), "ambiguous"])
        change = float(series.returns("simple")[at])
        return PlaceboPair(event_id, series, series.sessions[at], change, unsure, self.markets[event_id, market])

    def summary(self) -> pd.DataFrame:
        """One row an event and market.

        Returns
        -------
        pandas.DataFrame
            Indexed by (event_id, market): statistic, placebo_p, placebo_p_floor, n_placebo, placebo_p_plain, mde
            (unit of the market's moves), n_left_out, note.
        """
        rows = [
            {
                "event_id": event_id,
                "market": market,
                "statistic": found.statistic,
                "placebo_p": found.scaled.p_value,
                "placebo_p_floor": found.scaled.floor,
                "n_placebo": found.scaled.n_placebo,
                "placebo_p_plain": found.plain.p_value,
                "mde": found.mde,
                "n_left_out": found.n_left_out,
                "note": found.scaled.note,
            }
            for (event_id, market), found in self.markets.items()
        ]
        columns = ["event_id", "market", "statistic", "placebo_p", "placebo_p_floor", "n_placebo", "placebo_p_plain"]
        columns += ["mde", "n_left_out", "note"]
        return pd.DataFrame(rows, columns=columns).set_index(["event_id", "market"])

    def joint_summary(self) -> pd.DataFrame:
        """Joint tests, one row an event and statistic: value, placebo_p, placebo_p_floor, n_placebo, note."""
        rows = [
            {
                "event_id": event_id,
                "statistic": name,
                "value": rank.statistic,
                "placebo_p": rank.p_value,
                "placebo_p_floor": rank.floor,
                "n_placebo": rank.n_placebo,
                "note": rank.note,
            }
            for event_id, joint in self.joint.items()
            for name, rank in joint.ranks.items()
        ]
        columns = ["event_id", "statistic", "value", "placebo_p", "placebo_p_floor", "n_placebo", "note"]
        return pd.DataFrame(rows, columns=columns).set_index(["event_id", "statistic"])

    def __repr__(self) -> str:
        """Say the answer; ``summary()`` has the figures."""
        return f"<PlaceboResult: {self.answer()}>"

    def answer(self, width: int | None = None) -> str:
        """Say which moves were unusual among the placebo days, on lines of ``width`` characters if given.

        Returns
        -------
        str
            Of one event: which markets moved unusually and which did not, each with its p, the joint p over markets and
            the smallest p there can be. Of several: how many reactions are unusual against how many chance alone makes
            so, and the foremost of them. What has no p is named with the reason.

        Examples
        --------
        >>> import market_reaction as mr
        >>> event = mr.load_events("2025-06-10-jt")
        >>> prices = mr.load_prices(["CSI 300"], events=event, source="bundled")
        >>> print(mr.placebo_test(mr.event_study(prices, event), prices).answer(width=88))
        CSI 300 rose 0.75% in its session of 2025-06-11 (placebo p 0.36), which is not
        distinguishable from an ordinary day. With 500 earlier days no p can be below 0.002.
        """
        from market_reaction.placebo_words import placebo_answer

        return wording.filled(placebo_answer(self), width)

    def plot(
        self,
        *,
        kind: PlaceboChart | None = None,
        event: str | None = None,
        market: str | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the tests.

        Parameters
        ----------
        kind : {"markets", "events", "placebo"}, optional
            Where one event stands among the placebo days of each market; p of every event in every market; or the
            placebo days of one event in one market. When left out: ``"events"`` for several events, ``"markets"`` for
            one event, ``"placebo"`` for one event in one market.
        event : str, optional
            Event of ``"markets"`` and ``"placebo"``; the first when left out.
        market : str, optional
            Market of ``"placebo"``; the first of the event when left out.
        theme : {"auto", "light", "dark"}
            Ink for a light page, a dark one, or one that may be either.

        Raises
        ------
        ValueError
            ``kind`` is another word, or nothing was tested for ``event`` or ``market``.
        """
        from market_reaction.placebo_chart import placebo_figure

        return placebo_figure(self, kind=kind, event=event, market=market, theme=theme)

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Every chart by name: all events, or the markets of the only one and the placebo days of each."""
        from market_reaction.placebo_chart import placebo_figures

        return placebo_figures(self, theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        from market_reaction.exports import response_tables

        return response_tables.placebo_tables(self)

    def printed(self) -> dict[str, pd.DataFrame]:
        """Every reaction and the joint tests as they are read, by caption."""
        from market_reaction.placebo_words import printed_placebo

        return printed_placebo(self)

    def provenance(self) -> Provenance:
        """What was asked for, the series used with their vintage, and the package version."""
        from market_reaction.exports import response_tables

        return response_tables.placebo_provenance(self)

    def _repr_html_(self) -> str:
        from market_reaction.placebo_words import placebo_html

        return placebo_html(self)
