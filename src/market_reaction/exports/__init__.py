"""Results outside the notebook: Excel, LaTeX, Parquet, pictures, each with where its figures come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the figures of a result come from.

    Attributes
    ----------
    parameters : mapping of str to object
        What was asked for, by the name of the argument.
    vintage : pandas.DataFrame
        One row a series: source, symbol, retrieval, first and last session, checksum; as ``PriceData.vintage``.
    """

    parameters: Mapping[str, object]
    vintage: pd.DataFrame

    @property
    def package(self) -> str:
        """Name and version of this package."""
        return f"market_reaction {version('market-reaction')}"


class Exportable:
    """What every result can do once it names its tables and its provenance."""

    __slots__ = ()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        raise NotImplementedError

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        raise NotImplementedError
