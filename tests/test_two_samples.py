"""Difference of two means: against scipy, by counting, and where it does not apply."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference.two_samples import difference_of_means


def test_welch_is_that_of_scipy() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(0.4, 1.0, 23), rng.normal(0.0, 3.0, 9)
    found, wanted = difference_of_means(one, other), stats.ttest_ind(one, other, equal_var=False)
    assert found.welch.statistic == pytest.approx(wanted.statistic, rel=1e-12)
    assert found.welch.p_value == pytest.approx(wanted.pvalue, rel=1e-10)
    assert found.welch.df == pytest.approx(wanted.df, rel=1e-12)
    interval = wanted.confidence_interval(0.95)
    assert (found.conf_low, found.conf_high) == pytest.approx((interval.low, interval.high), rel=1e-10)


def test_permutation_p_by_counting() -> None:
    one, other = np.array([0.3, -0.1, 0.8]), np.array([1.0, 0.2, 2.5, 1.4])
    values = np.concatenate([one, other])

    def welch(chosen: tuple[int, ...]) -> float:
        rest = [at for at in range(len(values)) if at not in chosen]
        return abs(stats.ttest_ind(values[rest], values[list(chosen)], equal_var=False).statistic)

    observed = welch((3, 4, 5, 6))
    ways = [welch(chosen) for chosen in combinations(range(7), 4)]
    wanted = sum(value >= observed - 1e-12 for value in ways) / len(ways)
    found = difference_of_means(one, other).permutation
    assert found.p_value == pytest.approx(wanted)
    assert found.floor == pytest.approx(1 / 35)
    assert found.distribution == "all 35 ways to hand out the labels"


def test_random_permutations_agree_with_all_of_them() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.normal(0.9, 1, 7), rng.normal(0, 1, 6)
    every, some = difference_of_means(one, other), difference_of_means(one, other, draws=1000, seed=2)
    assert some.permutation.distribution == "1000 permutations of the labels"
    assert some.permutation.p_value == pytest.approx(every.permutation.p_value, abs=0.03)


def test_one_constant_group_is_no_obstacle() -> None:
    found = difference_of_means([1.0, 1.0, 1.0], [0.0, 0.5, -0.4])
    assert np.isfinite(found.welch.p_value)
    assert 0 < found.permutation.p_value <= 1


def test_nan_is_left_out() -> None:
    assert difference_of_means([1.0, np.nan, 3.0], [0.0, 1.0]).estimate == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ([1.0], [2.0, 3.0], "each group needs 2 cases; they have 1 and 2"),
        ([1.0, 1.0], [2.0, 2.0], "the values do not vary within the groups"),
    ],
)
def test_where_it_does_not_apply(one: list[float], other: list[float], reason: str) -> None:
    found = difference_of_means(one, other)
    assert found.welch.note == found.permutation.note == reason
    assert np.isnan([found.std_error, found.welch.p_value, found.permutation.p_value]).all()
    assert np.isfinite(found.estimate)


@pytest.mark.parametrize(
    ("one", "options", "message"),
    [
        ([np.nan], {}, "first holds no value"),
        ([1.0, 2.0], {"level": 1.0}, "level=1.0 is no coverage"),
        ([1.0, 2.0], {"draws": 0}, "draws=0 gives nothing to compare with"),
    ],
)
def test_mistakes(one: list[float], options: dict[str, float], message: str) -> None:
    with pytest.raises(WindowError, match=message):
        difference_of_means(one, [0.0, 1.0, 2.0], **options)
