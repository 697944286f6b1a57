"""Difference of two means: against statsmodels, and where it does not apply."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import weightstats

from market_reaction.errors import WindowError
from market_reaction.inference.two_samples import welch_difference


def test_welch_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(0.4, 1.0, 23), rng.normal(0.0, 3.0, 9)
    found = welch_difference(one, other)
    _, p_value, df = weightstats.ttest_ind(one, other, usevar="unequal")
    assert (found.p_value, found.df) == pytest.approx((p_value, df), rel=1e-10)
    bounds = weightstats.CompareMeans.from_data(one, other).tconfint_diff(usevar="unequal")
    assert (found.conf_low, found.conf_high) == pytest.approx(bounds, rel=1e-10)
    assert found.mde == pytest.approx((stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * found.std_error, rel=2e-2)


def test_one_constant_group_is_no_obstacle() -> None:
    one, other = np.ones(3), np.array([0.0, 0.5, -0.4])
    assert np.isfinite(welch_difference(one, other).p_value)


def test_nan_is_left_out() -> None:
    one, other = np.array([1.0, np.nan, 3.0]), np.array([0.0, 1.0, 0.4])
    assert welch_difference(one, other).estimate == pytest.approx(2 - 1.4 / 3)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ([1.0], [2.0, 3.0], "a difference needs 2 values in each group; 1 and 2 given"),
        ([1.0, 1.0], [2.0, 2.0], "the values of both groups do not vary"),
    ],
)
def test_where_it_does_not_apply(one: list[float], other: list[float], reason: str) -> None:
    found = welch_difference(np.array(one), np.array(other))
    assert found.note == reason
    assert np.isnan([found.std_error, found.p_value]).all()
    assert np.isfinite(found.estimate)


def test_mistakes() -> None:
    values = np.array([0.0, 1.0, 2.0])
    with pytest.raises(WindowError, match=r"level=1.0"):
        welch_difference(values, values, level=1.0)
