"""Rules on bars shorter than a day: ticks that the next trade takes back, bars outside their own range, long gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from market_reaction.inference.scales import MAD_TO_STD
from market_reaction.quality_rules import JUMP_SD, REVERTS

_COLUMNS = ["time", "rule", "value", "bound", "what_to_do"]
_SMALLEST = 2e-5  # smallest robust sd of a bar: the tick of a quiet market must not make a jump
_OPEN_SD = 3.0  # and by so many robust sd of a whole bar's move a bad open leaves the last close
_AROUND = 60  # bars on either side that tell how large a usual move is at that time


def check_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """Findings on the bars of one market.

    Parameters
    ----------
    bars : pandas.DataFrame
        As ``BarSeries.bars``.

    Returns
    -------
    pandas.DataFrame
        Columns time (begin of the bar, UTC), rule, value, bound, what_to_do; in order of time.
    """
    start = pd.DatetimeIndex(bars["start_utc"])
    close = bars["close"].to_numpy(dtype=float)
    found = [_not_positive(start, close), *_ticks(bars, start, close), *_ranges(bars, start, close)]
    found = [frame for frame in found if len(frame)]
    return pd.concat(found).sort_values("time", ignore_index=True) if found else pd.DataFrame(columns=_COLUMNS)


def _frame(
    start: pd.DatetimeIndex, at: np.ndarray, rule: str, values: list[str], bounds: list[str], do: str
) -> pd.DataFrame:
    if not len(at):
        return pd.DataFrame(columns=_COLUMNS)
    return pd.DataFrame({"time": start[at], "rule": rule, "value": values, "bound": bounds, "what_to_do": do})


def _not_positive(start: pd.DatetimeIndex, close: np.ndarray) -> pd.DataFrame:
    at = np.flatnonzero(close <= 0)
    values = [f"{close[i]:g}" for i in at]
    return _frame(start, at, "close not positive", values, ["above 0"] * len(at), "Leave the bar out.")


def robust_scale(moves: np.ndarray) -> np.ndarray:
    """Usual size of a move around each bar: 1.4826 x the median absolute move, of the 121 bars around or of all."""
    absolute = pd.Series(np.abs(moves))
    absolute = absolute.where(absolute > 0)  # a price that rests does not make the next move a jump
    local = absolute.rolling(2 * _AROUND + 1, min_periods=11, center=True).median()
    whole = float(absolute.median()) if absolute.notna().any() else 0.0
    return np.fmax(MAD_TO_STD * np.fmax(local.fillna(whole).to_numpy(), whole), _SMALLEST)


def _ticks(bars: pd.DataFrame, start: pd.DatetimeIndex, close: np.ndarray) -> list[pd.DataFrame]:
    """Opens and closes far from the trades on both sides of them."""
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = np.append(np.nan, close[1:] / close[:-1] - 1)
        bound = JUMP_SD * robust_scale(moves)
        back = np.append(moves[1:], np.nan)
        spikes = np.flatnonzero((np.abs(moves) > bound) & (np.abs(moves + back) <= REVERTS * np.abs(moves)))
        found = [
            _frame(
                start, spikes, "close taken back",
                [f"{moves[i]:+.2%}, then {back[i]:+.2%}" for i in spikes], [f"{bound[i]:.2%}" for i in spikes],
                "The close looks wrong: the next bar takes it back. Do not use it as a price before or after the news.",
            )
        ]  # fmt: skip
        if "open" not in bars:
            return found
        opened = bars["open"].to_numpy(dtype=float)
        jump = np.append(np.nan, opened[1:] / close[:-1] - 1)
        rest = close / opened - 1
        bound = np.fmax(JUMP_SD * robust_scale(jump), _OPEN_SD * robust_scale(moves))
        bad = np.flatnonzero((np.abs(jump) > bound) & (np.abs(jump + rest) <= REVERTS * np.abs(jump)))
    values = [f"open {opened[i]:,.6g} between {close[i - 1]:,.6g} and {close[i]:,.6g}" for i in bad]
    advice = "A bad tick at the open: use the close of the bar, not its open or range."
    return [*found, _frame(start, bad, "open taken back", values, [f"{bound[i]:.2%}" for i in bad], advice)]


def _ranges(bars: pd.DataFrame, start: pd.DatetimeIndex, close: np.ndarray) -> list[pd.DataFrame]:
    """Closes outside the range of their own bar."""
    if not {"high", "low"} <= set(bars.columns):
        return []
    high, low = (bars[column].to_numpy(dtype=float) for column in ("high", "low"))
    slack = 1e-6 * np.abs(close)
    at = np.flatnonzero((high < low - slack) | (close > high + slack) | (close < low - slack))
    values = [f"close {close[i]:g}, low {low[i]:g}, high {high[i]:g}" for i in at]
    advice = "One price of the bar is wrong. Compare with another source; do not use the bar's range."
    return [_frame(start, at, "close outside the range", values, ["low to high"] * len(at), advice)]
