"""Placebo tests of events: each market's own, the joint ones over markets, and the result that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from market_reaction.exports import Exportable, Provenance
from market_reaction.inference.placebo import PlaceboRank


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
    vintage : pandas.DataFrame
        Provenance of the series, as ``PriceData.vintage`` gives it.
    units : mapping of str to str
        Unit of the moves of each market, which is that of its minimum detectable effect.
    """

    markets: Mapping[tuple[str, str], MarketPlacebo]
    joint: Mapping[str, JointPlacebo]
    history: int
    vintage: pd.DataFrame = field(default_factory=pd.DataFrame)
    units: Mapping[str, str] = field(default_factory=dict)

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
        return pd.DataFrame(rows).set_index(["event_id", "market"])

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
        """Show the summary."""
        return f"<PlaceboResult>\n{self.summary()}"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        from market_reaction.exports import response_tables

        return response_tables.placebo_tables(self)

    def provenance(self) -> Provenance:
        """What was asked for, the series used with their vintage, and the package version."""
        from market_reaction.exports import response_tables

        return response_tables.placebo_provenance(self)

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(float_format=lambda value: f"{value:.3g}"))
