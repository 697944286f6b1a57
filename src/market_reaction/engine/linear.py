"""Normal equations of many small regressions at once; events lie along the last axis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from market_reaction.least_squares import MINIMUM_DF

SMALLEST = 1e-12  # share of a column's variance below which it counts as a combination of the others
_SURELY_FREE = 1e-10  # lower bound of the smallest eigenvalue above which nobody need look at the eigenvalues
_SWEPT = 6  # regressors up to which sweeping over events is faster than one inversion an event


class Solved(NamedTuple):
    """Inverse cross products (k, k, b); whether regressors are not collinear, whether that is sure, and a lower bound.

    The bound is of the smallest eigenvalue of the cross products, columns brought to one length. Each (b,).
    """

    inverse: np.ndarray
    free: np.ndarray
    sure: np.ndarray
    smallest: np.ndarray


def enough(n: np.ndarray, length: int, estimated: int) -> np.ndarray:
    """Whether each window has at least half of ``length`` returns, and enough for the coefficients."""
    usable: np.ndarray = (n * 2 >= length) & (n - estimated >= MINIMUM_DF)
    return usable


def solve(gram: np.ndarray, n: np.ndarray, means: np.ndarray) -> Solved:
    """Invert cross products of centred columns, whatever their units.

    Parameters
    ----------
    gram : numpy.ndarray
        Shape (k, k, b).
    n : numpy.ndarray
        Sessions of each window, shape (b,).
    means : numpy.ndarray
        Means of the columns before centring, shape (k, b); a spread below 1e-6 of the mean counts as none.
    """
    count = len(gram)
    squares = gram[np.arange(count), np.arange(count)]
    varied = ((squares > SMALLEST * n * means * means) & (squares > 0)).all(axis=0)
    if count == 1:
        return Solved(1.0 / np.where(varied, gram, 1.0), varied, np.ones(len(n), dtype=bool), np.ones(len(n)))
    lengths = np.sqrt(np.where(squares > 0, squares, np.inf))
    scaled = gram / lengths[:, None] / lengths
    scaled[:, :, ~varied] = np.eye(count)[:, :, None]
    inverse, smallest = _sweep(scaled) if count <= _SWEPT else _invert(scaled)
    sure = smallest > _SURELY_FREE
    return Solved(inverse / lengths[:, None] / lengths, varied, sure | ~varied, smallest)


def free_of_collinearity(gram: np.ndarray) -> np.ndarray:
    """Whether the smallest eigenvalue of the cross products, columns brought to one length, exceeds the bound."""
    count = len(gram)
    lengths = np.sqrt(gram[np.arange(count), np.arange(count)])
    scaled = gram / lengths[:, None] / lengths
    free: np.ndarray = np.linalg.eigvalsh(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[:, 0] > SMALLEST
    return free


def times(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Products of matrices (k, k, b) and vectors (k, b), added up in one order whatever b is."""
    if len(vector) == 1:
        return matrix[0] * vector
    result = np.zeros_like(vector)
    for column, value in zip(matrix.transpose(1, 0, 2), vector, strict=True):
        result += column * value
    return result


def dot(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Products of vectors (k, b), added up in one order whatever b is."""
    if not len(one):
        return np.zeros(one.shape[1])
    result: np.ndarray = one[0] * two[0]
    for left, right in zip(one[1:], two[1:], strict=True):
        result += left * right
    return result


def _sweep(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse by sweeping out one column after the other, and a lower bound of the smallest eigenvalue.

    The determinant is the product of the pivots; with a unit diagonal the other eigenvalues multiply to less than e.
    """
    matrix = gram.copy()
    count = len(matrix)
    determinant = np.ones(matrix.shape[2])
    for pivot in range(count):
        value = matrix[pivot, pivot].copy()
        determinant *= np.maximum(value, 0.0)
        value = np.where(value > 0, value, 1.0)
        row = matrix[pivot] / value
        for other in range(count):
            if other != pivot:
                factor = matrix[other, pivot].copy()
                matrix[other] -= factor * row
                matrix[other, pivot] = -factor / value
        matrix[pivot] = row
        matrix[pivot, pivot] = 1.0 / value
    return matrix, determinant / np.e


def _invert(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for many columns, one inversion an event."""
    stacked = np.ascontiguousarray(gram.transpose(2, 0, 1))
    smallest = np.linalg.eigvalsh(stacked)[:, 0]
    stacked[smallest <= np.finfo(float).eps] = np.eye(len(gram))
    return np.linalg.inv(stacked).transpose(1, 2, 0), smallest
