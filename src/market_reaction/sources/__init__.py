"""Where prices come from. Every source answers one question in one way.

A source is an object with a ``name`` and ``fetch(instrument, start, end)``: it returns a ``PriceSeries`` made by
``build_series`` or raises ``DataUnavailableError`` with a cause a program can read. ``start`` and ``end`` are inclusive
session labels; a source may return more than was asked for, never less than it has.
"""

from __future__ import annotations

from typing import Protocol

import pandas as pd

from market_reaction.instruments import Instrument
from market_reaction.prices import PriceSeries


class Source(Protocol):
    """What every source of daily bars can do."""

    name: str

    def fetch(self, instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp) -> PriceSeries:
        """Daily series of the instrument covering what the source has of ``start`` to ``end``.

        Raises
        ------
        DataUnavailableError
            The source does not have the instrument, or could not be asked.
        """
        ...
