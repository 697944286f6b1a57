"""What the tests ask of an argument: its number of dimensions, and no infinite value; NaN marks an absent case."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from market_reaction.errors import WindowError


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


def same_length(first: str, one: np.ndarray, second: str, other: np.ndarray) -> None:
    """Raise a WindowError unless both arrays have the same number of rows."""
    if len(one) != len(other):
        raise WindowError(f"{first} has {len(one)} rows and {second} has {len(other)}; give one row per case in both.")
