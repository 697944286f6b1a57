"""Quality reports on price series: what looks wrong, where, by which bound, and what to do about it.

``check_series`` looks at one series alone, ``check_prices`` at all that are loaded together. The rules are in
``quality_rules``, ``quality_futures`` and ``quality_siblings``; nothing is repaired here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction import quality_futures, quality_rules, quality_siblings
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.quality_rules import Found
from market_reaction.quality_siblings import RowOffset, row_offset

__all__ = ["INFORMATION", "QualityReport", "RowOffset", "check_prices", "check_series", "row_offset"]

RULES: tuple[Callable[[PriceSeries], list[Found]], ...] = (
    quality_rules.missing_sessions,
    quality_rules.rows_left_out,
    quality_rules.closes_not_positive,
    quality_rules.spikes,
    quality_rules.unit_changes,
    quality_rules.stale_runs,
    quality_rules.bars_out_of_range,
    quality_rules.bars_without_range,
    quality_futures.closes_off_grid,
    quality_futures.rolls,
)
COLUMNS = ("session", "rule", "value", "bound", "what_to_do")

# Rules that state a fact a reader should know, without anything being wrong with the close.
INFORMATION = frozenset(
    (
        "no settlement on a US holiday",
        "row without a close",
        "row on a closed day",
        "unfinished bar",
        "open outside the range",
        "high equals low",
        "open repeats the close",
        "expiry settlement cannot be told",
        "front month rolls",
    )
)


@dataclass(frozen=True)
class QualityReport:
    """Findings on one series.

    Attributes
    ----------
    market : str
        Name of the series.
    findings : pandas.DataFrame
        Columns session, rule, value, bound, what_to_do, in order of session. Findings that only inform are one line
        when there are more than three.
    detail : pandas.DataFrame
        The same without any line summed up, and the column until: the last session a finding concerns.
    """

    market: str
    findings: pd.DataFrame
    detail: pd.DataFrame

    def between(self, first: pd.Timestamp, last: pd.Timestamp, *, information: bool = True) -> pd.DataFrame:
        """Findings that concern a session from ``first`` to ``last``, none of them summed up.

        Parameters
        ----------
        first, last : pandas.Timestamp
            Inclusive session labels.
        information : bool
            Whether to include the rules in ``INFORMATION``.

        Returns
        -------
        pandas.DataFrame
            Columns session, rule, value, bound, what_to_do.
        """
        if self.detail.empty:
            return self.findings.iloc[:0]
        starts, ends = (self.detail[name].to_numpy() for name in ("session", "until"))
        held = (starts <= last.to_datetime64()) & (ends >= first.to_datetime64())
        if not held.any():
            return self.findings.iloc[:0]
        if not information:
            held &= ~self.detail["rule"].isin(INFORMATION).to_numpy()
        return self.detail.iloc[np.flatnonzero(held)][list(COLUMNS)].reset_index(drop=True)


def check_series(series: PriceSeries) -> QualityReport:
    """Check one series against its calendar, its own habits and the arithmetic of its bars.

    Parameters
    ----------
    series : PriceSeries
        Any series; it is not changed.

    Returns
    -------
    QualityReport

    Notes
    -----
    A jump alone is no finding, for crashes are real: a jump beyond eight robust standard deviations is one when the
    next session takes it back. ``check_prices`` also asks whether sibling markets moved.
    """
    findings = [item for rule in RULES for item in rule(series)]
    return QualityReport(series.name, _frame(findings, sum_up=True), _frame(findings, sum_up=False))


def check_prices(prices: PriceData) -> pd.DataFrame:
    """Check every loaded series, and siblings against each other.

    Parameters
    ----------
    prices : PriceData
        Markets by name. Two series of one instrument, an index and its future or fund, onshore and offshore yuan are
        siblings (``quality_siblings.FAMILIES``).

    Returns
    -------
    pandas.DataFrame
        Columns market, session, rule, value, bound, what_to_do. A spike that a sibling shows as well is left out, and
        an expiry day that the cash index clears.
    """
    markets = dict(prices.series)
    misdated = quality_siblings.offsets(markets)
    well_dated = {name: series for name, series in markets.items() if name not in misdated}
    parts = []
    for name, series in markets.items():
        kin = {
            key: other for key, other in markets.items() if key != name and quality_siblings.are_siblings(series, other)
        }
        own = _with_siblings(series, series.quality.findings, list(kin.values()))
        found = misdated.get(name, []) + quality_siblings.lone_jumps(series, list(kin.values()))
        if name not in misdated:
            found += quality_siblings.copy_differences(name, well_dated)
        found += quality_siblings.expiry_against_cash(series, list(kin.values())) or []
        rows = pd.concat([own, _frame(found, sum_up=True)], ignore_index=True) if found else own
        parts.append(rows.sort_values("session", kind="stable").assign(market=name))
    empty = _frame([], sum_up=True).assign(market=pd.Series(dtype=str))
    return pd.concat(parts or [empty], ignore_index=True)[["market", *COLUMNS]]


def _with_siblings(series: PriceSeries, own: pd.DataFrame, kin: list[PriceSeries]) -> pd.DataFrame:
    """Findings on a series alone, less those that its siblings explain."""
    drop = (own["rule"] == "expiry settlement cannot be told") & (
        quality_siblings.expiry_against_cash(series, kin) is not None
    )
    spiked = own["rule"] == "spike"
    if spiked.any():
        moved, _ = quality_siblings.counterparts(series, pd.DatetimeIndex(own.loc[spiked, "session"]), kin)
        drop.loc[spiked] = moved
    return own[~drop]


def _frame(findings: list[Found], *, sum_up: bool) -> pd.DataFrame:
    """Findings as rows in order of session."""
    rows = sorted((row for item in findings for row in _rows(item, sum_up)), key=lambda row: (row[0], row[1]))
    names = (*COLUMNS, "until")
    cells = list(zip(*rows, strict=True)) or [()] * len(names)
    data: dict[str, pd.Series | pd.DatetimeIndex] = {}
    for name, column in zip(names, cells, strict=True):
        dated = name in ("session", "until")
        data[name] = pd.DatetimeIndex(column).as_unit("ns") if dated else pd.Series(column, dtype="str")
    return pd.DataFrame({name: data[name] for name in (COLUMNS if sum_up else names)})


def _rows(item: Found, sum_up: bool) -> list[tuple[pd.Timestamp, str, str, str, str, pd.Timestamp]]:
    """Cells of one rule's findings, in one line if it sums up and has more than three."""
    until = item.sessions if item.until is None else item.until
    count, values, bounds = len(item.sessions), list(item.figures), list(item.bounds)
    if sum_up and item.sums_up and count > 3:
        first, last = item.sessions.min(), until.max()
        text = f"{count} sessions, {first:%Y-%m-%d} to {last:%Y-%m-%d}; the first: {values[0]}"
        return [(first, item.rule, text, bounds[0], item.what_to_do, last)]
    return [
        (session, item.rule, value, bound, item.what_to_do, end)
        for session, value, bound, end in zip(item.sessions, values, bounds, until, strict=True)
    ]
