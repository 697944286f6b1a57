"""Ranks over what is present, against scipy row by row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from market_reaction.inference import arrays
from market_reaction.inference.arrays import ranked_rows, ranked_with, row_ranks


def values_of(seed: int, rows: int, columns: int, digits: int, absent: float) -> np.ndarray:
    """Values of which some tie (the fewer digits the more) and some are absent."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.standard_t(3, (rows, columns)), digits)
    return np.where(rng.random(values.shape) < absent, np.nan, values)


def slow_ranks(values: np.ndarray) -> np.ndarray:
    ranks = np.full(values.shape, np.nan)
    for row, own in zip(ranks, values, strict=True):
        known = ~np.isnan(own)
        row[known] = rankdata(own[known])
    return ranks


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(0, 5), st.integers(1, 40), st.sampled_from([0, 1, 15]),
    st.sampled_from([0.0, 0.2, 1.0]),
)  # fmt: skip
def test_ranks_equal_scipy_to_the_last_bit(seed: int, rows: int, columns: int, digits: int, absent: float) -> None:
    values = values_of(seed, rows, columns, digits, absent)
    ranks, days = row_ranks(values)
    assert np.array_equal(ranks, slow_ranks(values), equal_nan=True)
    assert days.tolist() == (~np.isnan(values)).sum(axis=1).tolist()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 8), st.sampled_from([0, 1, 15]),
    st.sampled_from([0.0, 0.2, 1.0]),
)  # fmt: skip
def test_columns_added_later_give_the_ranks_of_all(
    seed: int, columns: int, added: int, digits: int, absent: float
) -> None:
    values = values_of(seed, 4, columns + added, digits, absent)
    found = ranked_with(ranked_rows(values[:, :columns]), values[:, columns:])
    whole = ranked_rows(values)
    for mine, other in zip(found, whole, strict=True):
        assert np.array_equal(mine, other, equal_nan=True)


@pytest.mark.parametrize("added", [63, 64, 300])
def test_many_added_columns_do_not_overflow(added: int) -> None:
    values = values_of(1, 3, 20 + added, 1, 0.0)
    found = ranked_with(ranked_rows(values[:, :20]), values[:, 20:])
    assert np.array_equal(found.ranks, slow_ranks(values))


def test_rows_too_long_for_packed_places() -> None:
    values = np.random.default_rng(0).normal(size=(1, (1 << 16) + 3))
    assert np.array_equal(row_ranks(values)[0], slow_ranks(values))
    assert np.array_equal(row_ranks(values[:, :-3])[0], slow_ranks(values[:, :-3]))


def test_zeros_of_either_sign_tie() -> None:
    assert arrays.row_ranks(np.array([[0.0, -0.0, 1.0]]))[0].tolist() == [[1.5, 1.5, 3.0]]
