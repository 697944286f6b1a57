"""Difference of two means: against statsmodels, by counting, and where it does not apply."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import weightstats

from market_reaction.errors import WindowError
from market_reaction.inference.two_samples import label_permutation, welch_difference


def test_welch_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(0.4, 1.0, 23), rng.normal(0.0, 3.0, 9)
    found = welch_difference(one, other)
    _, p_value, df = weightstats.ttest_ind(one, other, usevar="unequal")
    assert (found.p_value, found.df) == pytest.approx((p_value, df), rel=1e-10)
    bounds = weightstats.CompareMeans.from_data(one, other).tconfint_diff(usevar="unequal")
    assert (found.conf_low, found.conf_high) == pytest.approx(bounds, rel=1e-10)
    assert found.mde == pytest.approx((stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * found.std_error, rel=2e-2)


def test_permutation_p_by_counting() -> None:
    one, other = np.array([0.3, -0.1, 0.8]), np.array([1.0, 0.2, 2.5, 1.4])
    values = np.concatenate([one, other])

    def welch(chosen: tuple[int, ...]) -> float:
        rest = [at for at in range(len(values)) if at not in chosen]
        return abs(stats.ttest_ind(values[rest], values[list(chosen)], equal_var=False).statistic)

    observed = welch((3, 4, 5, 6))
    ways = [welch(chosen) for chosen in combinations(range(7), 4)]
    wanted = sum(value >= observed - 1e-12 for value in ways) / len(ways)
    found = label_permutation(one, other)
    assert found.p_value == pytest.approx(wanted)
    assert found.floor == pytest.approx(1 / 35)
    assert found.distribution == "all 35 ways to hand out the labels"


def test_random_permutations_agree_with_all_of_them() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.normal(0.9, 1, 7), rng.normal(0, 1, 6)
    every, some = label_permutation(one, other), label_permutation(one, other, draws=1000, seed=2)
    assert some.distribution == "1000 permutations of the labels"
    assert some.p_value == pytest.approx(every.p_value, abs=0.03)


def test_one_constant_group_is_no_obstacle() -> None:
    one, other = np.ones(3), np.array([0.0, 0.5, -0.4])
    assert np.isfinite(welch_difference(one, other).p_value)
    assert 0 < label_permutation(one, other).p_value <= 1


def test_nan_is_left_out() -> None:
    one, other = np.array([1.0, np.nan, 3.0]), np.array([0.0, 1.0, 0.4])
    assert welch_difference(one, other).estimate == pytest.approx(2 - 1.4 / 3)
    assert label_permutation(one, other).n == 5


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ([1.0], [2.0, 3.0], "a difference needs 2 values in each group; 1 and 2 given"),
        ([1.0, 1.0], [2.0, 2.0], "the values of both groups do not vary"),
    ],
)
def test_where_it_does_not_apply(one: list[float], other: list[float], reason: str) -> None:
    found, permuted = (
        welch_difference(np.array(one), np.array(other)),
        label_permutation(np.array(one), np.array(other)),
    )
    assert found.note == permuted.note == reason
    assert np.isnan([found.std_error, found.p_value, permuted.p_value]).all()
    assert np.isfinite(found.estimate)


def test_mistakes() -> None:
    values = np.array([0.0, 1.0, 2.0])
    with pytest.raises(WindowError, match=r"level=1.0"):
        welch_difference(values, values, level=1.0)
    with pytest.raises(WindowError, match="draws=0 gives nothing to compare with"):
        label_permutation(values, values + 1, draws=0)
