"""Arrays in which NaN marks an absent value: checks of arguments, and ranks over what is present."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from market_reaction.errors import WindowError

# Two numbers that are equal on paper may differ in their last digits when their terms are added in another order.
ROUNDING = 1e-12
_DECIMALS = 12  # of moves that are compared


def comparable(moves: np.ndarray) -> np.ndarray:
    """Moves without what binary numbers add to them: those equal on paper are equal numbers, and tie in ranks.

    Parameters
    ----------
    moves : numpy.ndarray
        Decimal returns, percentage points or points.

    Examples
    --------
    >>> tenths = np.array([11 / 10 - 1, 15.95 / 14.5 - 1])
    >>> len(np.unique(tenths)), len(np.unique(comparable(tenths)))
    (2, 1)
    """
    return np.round(moves, _DECIMALS)


def checked_array(name: str, values: ArrayLike, dimensions: int) -> np.ndarray:
    """Values as a float array with the number of dimensions asked for.

    Parameters
    ----------
    name : str
        Argument, for the message.
    values : array_like
        Numbers; NaN where there is none.
    dimensions : int
        1 or 2.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    WindowError
        Another number of dimensions, or an infinite value.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != dimensions:
        raise WindowError(f"{name} has shape {array.shape}; give an array of {dimensions} dimension(s).")
    infinite = int(np.isinf(array).sum())
    if infinite:
        raise WindowError(
            f"{name} holds {infinite} infinite value(s); a price of zero gives one. Mark an absent value by NaN."
        )
    return array


def present(name: str, values: ArrayLike) -> np.ndarray:
    """Values of the present cases, NaN left out, shape (n,); errors as ``checked_array``."""
    array = checked_array(name, values, 1)
    return array[~np.isnan(array)]


def vary(values: np.ndarray) -> bool:
    """Whether finite values differ by more than rounding, relative to the largest."""
    return bool(np.ptp(values) > ROUNDING * np.abs(values).max()) if len(values) else False


def tie_slack(least: ArrayLike, usual: ArrayLike) -> np.ndarray:
    """How far below ``least`` a statistic still ties with it: by rounding, of the larger of it and the usual size.

    Parameters
    ----------
    least, usual : array_like
        Absolute statistic at the event, and the median of those it is compared with; of one shape.
    """
    return ROUNDING * np.maximum(least, usual)


def sum_or_zero(total: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Sums with zero in place of those that only rounding keeps from it: 0.01 + 0.02 - 0.03 is no rise.

    Parameters
    ----------
    total, sizes : numpy.ndarray
        Sums, and the sums of the absolute values of what they are made of; of one shape.

    Examples
    --------
    >>> values = np.array([0.1, 0.2, -0.3])
    >>> float(values.sum()) == 0, float(sum_or_zero(values.sum(), np.abs(values).sum()))
    (False, 0.0)
    """
    return np.where(np.abs(total) <= ROUNDING * sizes, 0.0, total)


def same_length(first: str, one: np.ndarray, second: str, other: np.ndarray) -> None:
    """Raise a WindowError unless both arrays have the same number of rows."""
    if len(one) != len(other):
        raise WindowError(f"{first} has {len(one)} rows and {second} has {len(other)}; give one row per case in both.")


def row_ranks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank every row over its present values; ties share the mean of their ranks.

    Parameters
    ----------
    values : numpy.ndarray
        Values without infinities, shape (N, T).

    Returns
    -------
    tuple of numpy.ndarray
        Ranks 1 to T_i, shape (N, T), NaN where the value is; T_i, the number of present values, shape (N,).
    """
    ranked = ranked_rows(values)
    return ranked.ranks, ranked.days


class Ranked(NamedTuple):
    """Values (N, T) with their ranks in each row, as ``row_ranks`` gives them, and the number of present ones (N,)."""

    values: np.ndarray
    ranks: np.ndarray
    days: np.ndarray

    def rows(self, chosen: np.ndarray) -> Ranked:
        """Some of the rows."""
        return self if chosen.all() else Ranked(*(part[chosen] for part in self))


def ranked_rows(values: np.ndarray) -> Ranked:
    """Values with their ranks, as ``row_ranks`` gives them."""
    ordered = np.sort(values, axis=1)
    ranks = _places(values).astype(float)
    ranks += 1.0
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if tied.any():
        from scipy.stats import rankdata

        # absent values come last and are blanked
        ranks[tied] = rankdata(np.where(np.isnan(values[tied]), np.inf, values[tied]), axis=1)
    absent = np.isnan(values)
    ranks[absent] = np.nan
    return Ranked(values, ranks, values.shape[1] - absent.sum(axis=1))


def ranked_with(ranked: Ranked, added: np.ndarray) -> Ranked:
    """The same with a few more columns (N, m) behind: each is compared with the others, and nothing is sorted again."""
    width, count = ranked.values.shape[1], added.shape[1]
    kind = np.int8 if count < 64 else np.int32
    below = np.zeros(ranked.values.shape, dtype=kind)  # twice the added values below, and once those equal
    pair = np.empty(ranked.values.shape, dtype=kind)
    ranks = np.empty((len(added), width + count))
    for column in range(count):
        own = added[:, column, None]
        np.add((ranked.values > own).view(np.int8), (ranked.values >= own).view(np.int8), out=pair)
        below += pair
        among = (added < own).sum(axis=1) + (added <= own).sum(axis=1)  # itself included
        ranks[:, width + column] = 1 + among + 2 * ranked.days - pair.sum(axis=1, dtype=np.int32)
    ranks[:, :width] = below
    ranks /= 2.0
    ranks[:, :width] += ranked.ranks
    absent = np.isnan(added)
    ranks[:, width:][absent] = np.nan
    return Ranked(np.column_stack([ranked.values, added]), ranks, ranked.days + count - absent.sum(axis=1))


def _places(values: np.ndarray) -> np.ndarray:
    """Place of every value in its row, from 0; the order among ties is arbitrary.

    Sorting words that hold the place above and the column below turns an order into places several times faster than
    writing to the places.
    """
    order = np.argsort(values, axis=1)
    length = values.shape[1]
    if length > 1 << 16:
        return np.argsort(order, axis=1)
    words = order.astype(np.uint32)
    words <<= np.uint32(16)
    words |= np.arange(length, dtype=np.uint32)
    words.sort(axis=1)
    words &= np.uint32(0xFFFF)
    return words
