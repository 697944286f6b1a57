"""Rank and sign tests against scipy, full enumeration and plain loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference.rank import (
    corrado_rank,
    corrado_zivney_rank,
    corrado_zivney_sign,
    generalized_sign_z,
    sign_test,
    signed_rank_p,
    wilcoxon,
)

EXACT = 1e-10
NAN = float("nan")
SEEDS = st.integers(0, 10_000)
TIME_SERIES = {
    "corrado_rank": corrado_rank,
    "corrado_zivney_rank": corrado_zivney_rank,
    "corrado_zivney_sign": corrado_zivney_sign,
}


def panel(seed: int = 6, cases: int = 9, days: int = 65, absent: float = 0.1) -> np.ndarray:
    """Abnormal returns whose last five days are the event window; some absent, some tied."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.standard_t(4, (cases, days)) + 0.5 * rng.standard_normal(days), 1)
    return np.where(rng.random(values.shape) < absent, NAN, values)


def slow_scores(name: str, row: np.ndarray) -> dict[int, float]:
    """Score of every present day of one case."""
    here = {day: value for day, value in enumerate(row) if not math.isnan(value)}
    length, ordered, scores = len(here), sorted(here.values()), {}
    middle = (ordered[(length - 1) // 2] + ordered[length // 2]) / 2
    for day, value in here.items():
        below, equal = sum(v < value for v in ordered), sum(v == value for v in ordered)
        rank = below + (equal + 1) / 2
        scores[day] = {
            "corrado_rank": rank - (length + 1) / 2,
            "corrado_zivney_rank": rank / (length + 1) - 0.5,
            "corrado_zivney_sign": float(value > middle) - float(value < middle),
        }[name]
    return scores


def slow_statistic(name: str, values: np.ndarray, event: list[int]) -> float:
    """The definition in loops: sum of the event's day statistics over S times the root of the number of days."""
    scores = [slow_scores(name, row) for row in values]
    days = {}
    for day in range(values.shape[1]):
        here = [score[day] for score in scores if day in score]
        if here:
            days[day] = sum(here) / (len(here) if name == "corrado_rank" else math.sqrt(len(here)))
    spread = math.sqrt(sum(value**2 for value in days.values()) / len(days))
    tested = [days[day] for day in event if day in days]
    return sum(tested) / (spread * math.sqrt(len(tested)))


@pytest.mark.parametrize("name", TIME_SERIES)
@pytest.mark.parametrize("absent", [0.0, 0.15])
def test_each_day_and_window_in_plain_loops(name: str, absent: float) -> None:
    values = panel(absent=absent)
    values[:, 20] = NAN  # a day without any case does not count
    found = [TIME_SERIES[name](values, day) for day in range(60, 65)]
    expected = [slow_statistic(name, values, [day]) for day in range(60, 65)]
    assert [test.statistic for test in found] == pytest.approx(expected, rel=EXACT, abs=1e-14)
    assert len({round(test.statistic, 6) for test in found}) == 5  # not one value for all days
    for test in found:
        assert test.p_value == pytest.approx(2 * stats.norm.sf(abs(test.statistic)), rel=EXACT)
    window = TIME_SERIES[name](values, slice(60, 64))
    assert window.statistic == pytest.approx(slow_statistic(name, values, [60, 61, 62, 63]), rel=EXACT)


@pytest.mark.parametrize("name", TIME_SERIES)
def test_a_window_of_one_day_is_that_day_and_an_empty_day_is_left_out(name: str) -> None:
    values, run = panel(), TIME_SERIES[name]
    assert run(values, slice(62, 63)).statistic == run(values, 62).statistic == run(values, -3).statistic
    values[:, 63] = NAN
    assert run(values, slice(62, 64)).statistic == pytest.approx(run(values, 62).statistic, rel=EXACT)


def test_raw_and_standardised_ranks_agree_with_equal_histories() -> None:
    values = panel(absent=0.0)
    assert corrado_rank(values, 61).statistic == pytest.approx(corrado_zivney_rank(values, 61).statistic, rel=EXACT)


@pytest.mark.parametrize("name", TIME_SERIES)
def test_an_absent_case_counts_nowhere(name: str) -> None:
    values = panel(absent=0.0)
    with_absent = np.vstack([values, np.full(65, NAN)])
    found, other = TIME_SERIES[name](values, 61), TIME_SERIES[name](with_absent, 61)
    assert (other.statistic, other.n, other.floor) == (found.statistic, 9, found.floor)
    values[:4, 61] = NAN
    assert TIME_SERIES[name](values, 61).n == 5


@pytest.mark.parametrize("name", TIME_SERIES)
def test_nothing_is_said_where_ranks_cannot_speak(name: str) -> None:
    run = TIME_SERIES[name]
    assert run(np.full((3, 30), NAN), 29).note == "no case is present at the event"
    assert run(np.empty((0, 30)), 29).note == "no case is present at the event"
    assert "so there is no spread" in run(np.ones((3, 30)), 29).note
    alone = run(np.arange(240.0)[None], 239)
    assert "needs at least 2 values at the event; with 1 the statistic cannot exceed 1." in alone.note
    assert not alone.applies
    assert run(panel(), slice(60, 65)).n == 9


def test_the_rank_statistic_of_one_case_is_bounded_by_the_root_of_three() -> None:
    alone = corrado_rank(np.arange(2001.0)[None], 2000)
    assert alone.note.endswith("cannot exceed 1.73")
    two = np.vstack([np.random.default_rng(seed).permutation(501) for seed in (1, 2)])
    two[:, 500] = 1000  # both largest on the event day: the most two cases can say
    found = corrado_zivney_rank(two, 500)
    assert found.p_value == pytest.approx(found.floor, rel=EXACT)
    assert found.statistic == pytest.approx(math.sqrt(6), rel=0.1)


@pytest.mark.parametrize("at", [65, -66, slice(65, 70), slice(3, 3)])
def test_columns_that_do_not_exist_are_refused(at: int | slice) -> None:
    with pytest.raises(WindowError, match="names no column; abnormal has 65"):
        corrado_rank(panel(), at)


@given(SEEDS, st.integers(0, 8), st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_ranks_do_not_know_the_unit_of_a_case_nor_the_order_of_cases(seed: int, which: int, scale: float) -> None:
    values = panel(seed)
    changed = values.copy()
    changed[which] *= scale
    for run in TIME_SERIES.values():
        found = run(values, 60)
        assert run(changed, 60).statistic == pytest.approx(found.statistic, rel=1e-9, abs=1e-12)
        assert run(values[::-1], 60).statistic == pytest.approx(found.statistic, rel=1e-9, abs=1e-12)
        assert run(-values, 60).statistic == pytest.approx(-found.statistic, rel=1e-9, abs=1e-12)
        assert found.p_value >= found.floor * (1 - 1e-12)


VALUES = np.random.default_rng(9).standard_normal(12) + 0.3


def test_sign_test_has_the_exact_binomial_p() -> None:
    positive = int((VALUES > 0).sum())
    found = sign_test(np.append(VALUES, [0.0, NAN]))
    assert found.p_value == pytest.approx(stats.binomtest(positive, 12).pvalue, rel=EXACT)
    assert found.statistic == pytest.approx((positive - 6) / math.sqrt(3), rel=EXACT)
    assert (found.n, found.validity, found.floor) == (12, "exact", 2**-11)


@given(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]), min_size=1, max_size=25))
@settings(max_examples=50, deadline=None)
def test_sign_test_and_wilcoxon_are_symmetric(values: list[float]) -> None:
    array = np.array(values)
    if not array.any():
        assert sign_test(array).note == "the sign test needs at least 1 value other than zero; 0 given"
        assert wilcoxon(array).note == "the Wilcoxon test needs at least 1 value other than zero; 0 given"
        return
    assert sign_test(-array).p_value == sign_test(array).p_value
    assert sign_test(-array).statistic == -sign_test(array).statistic
    n = np.count_nonzero(array)
    assert wilcoxon(-array).p_value == pytest.approx(wilcoxon(array).p_value, rel=EXACT)
    assert wilcoxon(-array).statistic == pytest.approx(n * (n + 1) / 2 - wilcoxon(array).statistic, rel=EXACT)


def test_four_cases_cannot_reach_five_percent_and_say_so() -> None:
    for found in (sign_test([1.0, 2.0, 3.0, 4.0]), wilcoxon([1.0, 2.0, 3.0, 4.0])):
        assert found.p_value == found.floor == 0.125
        assert found.note == "p cannot fall below 0.125 with so few cases"
    assert wilcoxon(np.arange(1.0, 7)).note == ""


@pytest.mark.parametrize("n", [1, 5, 12, 30, 50])
def test_wilcoxon_equals_scipy_exact(n: int) -> None:
    values = np.random.default_rng(n).standard_normal(n) + 0.2
    found, outside = wilcoxon(values), stats.wilcoxon(values, method="exact")
    total = n * (n + 1) / 2
    assert found.p_value == pytest.approx(outside.pvalue, rel=EXACT)
    assert min(found.statistic, total - found.statistic) == outside.statistic  # scipy gives the smaller sum
    assert (found.n, found.validity) == (n, "exact")


def test_wilcoxon_with_ties_by_enumeration_of_all_signs() -> None:
    values = np.array([1.0, -1.0, 2.0, 2.0, 2.0, -3.0, 4.0, 4.0, 5.0])
    ranks = [1.5, 1.5, 4.0, 4.0, 4.0, 6.0, 7.5, 7.5, 9.0]
    observed = sum(rank for rank, value in zip(ranks, values, strict=True) if value > 0)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product([0, 1], repeat=9)]
    upper, lower = sum(s >= observed for s in sums) / 512, sum(s <= observed for s in sums) / 512
    found = wilcoxon(np.append(values, [0.0, 0.0, NAN]))
    assert found.statistic == observed == 37.5
    assert found.p_value == pytest.approx(2 * min(upper, lower), rel=EXACT)
    assert found.n == 9


def test_wilcoxon_published_table() -> None:
    # Wilcoxon's table: n=7, W+ = 23 and 27; exact two-sided p 0.156 and 0.031.
    assert signed_rank_p(23, np.arange(1.0, 8)) == pytest.approx(20 / 128, rel=EXACT)
    assert signed_rank_p(27, np.arange(1.0, 8)) == pytest.approx(4 / 128, rel=EXACT)


def test_wilcoxon_of_very_many_values_is_normal() -> None:
    values = np.random.default_rng(2).standard_normal(600) + 0.05
    found, outside = wilcoxon(values), stats.wilcoxon(values, method="asymptotic", correction=False)
    assert found.p_value == pytest.approx(outside.pvalue, rel=EXACT)
    assert (found.distribution, found.validity) == ("normal", "approximate")
    exact = wilcoxon(values[:500])
    z = (exact.statistic - 500 * 501 / 4) / math.sqrt(500 * 501 * 1001 / 24)
    assert exact.validity == "exact"
    assert exact.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.01)


def test_generalised_sign_z_in_plain_loops() -> None:
    rng = np.random.default_rng(7)
    residuals = np.round(rng.exponential(size=(12, 60)) - 1, 1)
    residuals[rng.random(residuals.shape) < 0.2] = NAN
    residuals[3] = NAN
    values = np.append(VALUES[:10], [0.0, NAN])
    shares = []
    for row in residuals:
        here = [value for value in row if not math.isnan(value)]
        if here:
            shares.append(sum(value > 0 for value in here) / len(here))
    p = sum(shares) / len(shares)
    expected = (sum(value > 0 for value in values) - 11 * p) / math.sqrt(11 * p * (1 - p))
    found = generalized_sign_z(values, residuals)
    assert found.statistic == pytest.approx(expected, rel=EXACT)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(expected)), rel=EXACT)
    assert found.n == 11
    assert generalized_sign_z(values[::-1], residuals[::-1]).statistic == pytest.approx(expected, rel=EXACT)


def test_generalised_sign_z_with_balanced_residuals_is_the_plain_sign_z() -> None:
    residuals = np.tile([-1.0, 1.0], (12, 30))
    assert generalized_sign_z(VALUES, residuals).statistic == pytest.approx(sign_test(VALUES).statistic, rel=EXACT)
    three = generalized_sign_z([1.0, 2.0, 3.0], residuals[:3])
    assert three.floor == pytest.approx(2 * stats.norm.sf(math.sqrt(3)), rel=EXACT)
    assert three.note.startswith("p cannot fall below 0.083")


@pytest.mark.parametrize(
    ("values", "residuals", "reason"),
    [
        ([NAN, NAN], np.ones((2, 5)), "needs at least 1 case with residuals; 0 given"),
        ([1.0], np.full((1, 5), NAN), "needs at least 1 case with residuals"),
        ([1.0], np.ones((1, 5)), "the share of positive residuals is 1; it must lie between 0 and 1"),
    ],
)
def test_where_the_generalised_sign_test_does_not_hold(values: list, residuals: np.ndarray, reason: str) -> None:
    found = generalized_sign_z(values, residuals)
    assert reason in found.note
    assert not found.applies


def test_cases_of_another_number_are_refused() -> None:
    with pytest.raises(WindowError, match="values has 2 rows and residuals has 3"):
        generalized_sign_z([1.0, 2.0], np.ones((3, 9)))
