"""Figures of the results for the sentences of the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulation.cells import TERCILES


@dataclass(frozen=True)
class Lookup:
    """Figures in per cent, each by study, test and a query for its cells."""

    results: pd.DataFrame

    def values(
        self,
        study: str,
        test: str,
        query: str,
        group: str = "all",
        level: float = 0.05,
        measure: str = "rejection",
        effect: float = 0.0,
    ) -> np.ndarray:
        """Figures of the cells; asking for cells that are not there is an error."""
        found = self.results
        found = found[(found["study"] == study) & (found["test"] == test) & (found["measure"] == measure)]
        found = found[(found["group"] == group) & (found["effect"] == effect) & found["value"].notna()].query(query)
        if level:
            found = found[np.isclose(found["level"], level)]
        if found.empty:
            raise LookupError(f"no {measure} of {test!r} in {study!r} where {query}.")
        return found["value"].to_numpy()

    def rate(self, study: str, test: str, query: str, **options: str | float) -> str:
        """The figure of the one cell asked for."""
        values = self.values(study, test, query, **options)  # type: ignore[arg-type]
        if len(values) > 1:
            raise LookupError(f"{len(values)} cells of {test!r} in {study!r} where {query}.")
        return f"{100 * values[0]:.1f}"

    def thirds(self, study: str, test: str, query: str, **options: str | float) -> str:
        """Figures after calm, middling and volatile weeks."""
        calm, middle, volatile = (self.rate(study, test, query, group=group, **options) for group in TERCILES)
        return f"{calm}, {middle} and {volatile}%"

    def span(self, study: str, test: str, query: str, **options: str | float) -> str:
        """Smallest and largest figure of the cells."""
        values = 100 * self.values(study, test, query, **options)  # type: ignore[arg-type]
        low, high = f"{values.min():.1f}", f"{values.max():.1f}"
        return f"{low}%" if low == high else f"{low} to {high}%"

    def medians(self, test: str, larger: str) -> str:
        """Smallest and largest median of an estimator of the response to news."""
        values = self.values("news", test, f"larger == '{larger}'", level=0, measure="median")
        low, high = f"{values.min():.2f}", f"{values.max():.2f}"
        return low if low == high else f"{low} to {high}"


@dataclass(frozen=True)
class RealLookup:
    """Figures of the real returns at 5%."""

    rates: pd.DataFrame

    def values(self, test: str, groups: tuple[str, ...]) -> pd.Series:
        """Rates in per cent by market."""
        found = self.rates[(self.rates["test"] == test) & (self.rates["level"] == 0.05)]
        return 100 * found[found["group"].isin(groups)].set_index("market")["value"]

    def markets(self, test: str) -> str:
        """Smallest and largest rate over the markets, with their names."""
        values = self.values(test, ("all",))
        return f"{values.min():.1f}% ({values.idxmin()}) to {values.max():.1f}% ({values.idxmax()})"

    def third(self, test: str, group: str) -> str:
        """Smallest and largest rate over the markets in one third of their volatility."""
        values = self.values(test, (group,))
        return f"{values.min():.1f} to {values.max():.1f}%"

    def one(self, test: str) -> str:
        """Rate of a joint test."""
        return f"{self.values(test, ('all',)).iloc[0]:.1f}"
