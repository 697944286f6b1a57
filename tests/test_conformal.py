"""The conformal test against plain loops over permutations, and its interval against the test it inverts."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from market_reaction.errors import WindowError
from market_reaction.inference.conformal import all_period_residuals, conformal_interval, conformal_test
from market_reaction.inference.placebo import placebo_rank

FEW = settings(max_examples=40, deadline=None)


def returns(seed: int, before: int, sessions: int, effect: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_t(5, size=before), rng.standard_t(5, size=sessions) + effect


def size_of(values: list[float], statistic: str, order: float) -> float:
    """The statistic of the paper, value by value."""
    if statistic == "car":
        return abs(sum(values)) / len(values) ** 0.5
    return (sum(abs(value) ** order for value in values) / len(values) ** 0.5) ** (1 / order)


def slow_p(before: np.ndarray, event: np.ndarray, statistic: str, kind: str, order: float = 1.0) -> float:
    """Share of cyclic shifts, or of all sets of sessions, with a statistic at least as large."""
    series, m = [*before, *event], len(event)
    observed = size_of(series[-m:], statistic, order)
    if kind == "cyclic":
        others = [(series[shift:] + series[:shift])[-m:] for shift in range(len(series))]
    else:
        others = [list(chosen) for chosen in combinations(series, m)]
    return float(np.mean([size_of(other, statistic, order) >= observed - 1e-12 for other in others]))


def slow_p_of_effect(before: np.ndarray, event: np.ndarray, effect: float, statistic: str, kind: str) -> float:
    """p after the effect is taken out evenly and the mean of all periods is estimated anew."""
    untouched = event - effect / len(event)
    mean = (before.sum() + untouched.sum()) / (len(before) + len(event))
    return slow_p(before - mean, untouched - mean, statistic, kind)


@pytest.mark.parametrize("statistic", ["path", "car"])
@pytest.mark.parametrize("kind", ["cyclic", "iid"])
@pytest.mark.parametrize("sessions", [1, 2, 3])
@pytest.mark.parametrize("order", [1.0, 2.0, 3.5])
def test_p_is_the_share_of_permutations_counted_one_by_one(statistic, kind, sessions, order):
    for seed in range(6):
        before, event = all_period_residuals(*returns(seed, 15, sessions, effect=0.3 * seed))
        found = conformal_test(before, event, statistic, kind, order=order)
        assert found.p_value == pytest.approx(slow_p(before, event, statistic, kind, order), abs=1e-12)
        assert found.statistic == pytest.approx(size_of(list(event), statistic, order), rel=1e-12)


def test_random_permutations_agree_with_all_of_them_within_monte_carlo_error():
    before, event = all_period_residuals(*returns(3, 25, 3, effect=1.2))
    exact = slow_p(before, event, "car", "iid")  # 3,276 sets
    drawn = conformal_test(before, event, "car", "iid", draws=3000, seed=5)
    assert drawn.distribution == "3000 random permutations"
    assert abs(drawn.p_value - exact) < 4 * (exact * (1 - exact) / 3000) ** 0.5
    assert drawn.floor == 1 / 3001


@FEW
@given(st.integers(0, 10_000), st.sampled_from(["cyclic", "iid"]), st.sampled_from(["car", "path"]))
def test_for_one_session_p_is_the_rank_p_of_the_placebo(seed, kind, statistic):
    before, event = all_period_residuals(*returns(seed, 40, 1, effect=1.0))
    rank = placebo_rank(float(event[0]), before, minimum=1)
    found = conformal_test(before, event, statistic, kind)
    assert (found.p_value, found.floor) == (rank.p_value, rank.floor)


@FEW
@given(st.integers(0, 10_000), st.floats(0.001, 1000.0), st.sampled_from([1, 4]))
def test_p_keeps_under_a_change_of_unit_or_sign(seed, unit, sessions):
    before, event = all_period_residuals(*returns(seed, 40, sessions))
    for statistic in ("car", "path"):
        p_value = conformal_test(before, event, statistic).p_value
        assert conformal_test(-unit * before, -unit * event, statistic).p_value == p_value


def test_outcome_says_what_it_holds_for():
    before, event = all_period_residuals(*returns(1, 119, 1, effect=40.0))
    cyclic, single = conformal_test(before, event), conformal_test(before, event, permutations="iid")
    assert (cyclic.p_value, cyclic.floor, cyclic.n) == (1 / 120, 1 / 120, 120)
    assert (cyclic.validity, single.validity) == ("approximate", "exact")
    assert (cyclic.distribution, single.distribution) == ("all 120 cyclic shifts", "all 120 sessions")
    assert "exchangeable" in single.null and "stationary" in cyclic.null


def test_residuals_of_all_periods_are_those_of_a_regression_on_a_constant():
    import statsmodels.api as sm

    before, event = returns(4, 30, 3)
    fit = sm.OLS(np.concatenate([before, event - 0.5 / 3]), np.ones(33)).fit()
    found = all_period_residuals(before, event, effect=0.5)
    np.testing.assert_allclose(np.concatenate(found), fit.resid, atol=1e-13)


def test_residuals_of_an_estimation_window_give_the_same_as_returns():
    before, event = returns(4, 30, 3)
    shifted = all_period_residuals(before - before.mean(), event - before.mean())
    np.testing.assert_allclose(np.concatenate(shifted), np.concatenate(all_period_residuals(before, event)), atol=1e-13)


def test_absent_estimation_session_is_left_out():
    before, event = returns(2, 30, 2)
    holes = np.insert(before, [3, 17], np.nan)
    with_holes, without = conformal_test(holes, event), conformal_test(before, event)
    assert (with_holes.p_value, with_holes.n) == (without.p_value, without.n)
    np.testing.assert_array_equal(all_period_residuals(holes, event)[1], all_period_residuals(before, event)[1])
    assert conformal_interval(holes, event) == conformal_interval(before, event)


@pytest.mark.parametrize(
    ("before", "event", "reason"),
    [
        ([0.1, -0.1, 0.2], [0.3, np.nan, np.nan], "2 of 3 event sessions have no residual"),
        ([0.1, -0.1, 0.2], [], "no event session"),
        ([], [0.3], "no estimation session"),
        ([0.2] * 30, [0.2], "all 31 sessions are equal"),
    ],
)
def test_no_p_where_there_is_nothing_to_compare(before, event, reason):
    found = conformal_test(np.array(before), np.array(event))
    assert not found.applies and found.validity == "not applicable"
    assert reason in found.note


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistic": "mean"}, "statistic='mean' is not offered. Choose 'path' or 'car'"),
        ({"permutations": "block"}, "permutations='block' is not offered. Choose 'cyclic' or 'iid'"),
        ({"order": 0.5}, "order=0.5 is no power of a norm; the bound is 1"),
        ({"draws": 0}, "draws=0 gives nothing to compare with"),
    ],
)
def test_options_that_are_not_offered_are_refused_by_test_and_interval(options, message):
    for function in (conformal_test, conformal_interval):
        with pytest.raises(WindowError, match=message):
            function(*returns(1, 30, 2), **options)


def test_wrong_arrays_and_levels_are_refused():
    with pytest.raises(WindowError, match="abnormal has shape"):
        conformal_test(np.zeros(9), np.zeros((2, 2)))
    with pytest.raises(WindowError, match="returns_estimation holds 1 infinite value"):
        conformal_interval(np.array([0.0, np.inf, 1.0]), np.array([1.0]))
    with pytest.raises(WindowError, match="level=95 is no share"):
        conformal_interval(*returns(1, 30, 1), level=95)


def test_interval_worked_out_by_hand():
    # Returns 0, 1, 2, then 5. With w = 4 - theta the residuals are -1 - w/4, -w/4, 1 - w/4 and 3w/4. More than half
    # of the four permutations must reach |3w/4|: both -1 - w/4 and 1 - w/4 do so for |w| <= 1, so theta is in 3 to 5.
    found = conformal_interval(np.array([0.0, 1.0, 2.0]), np.array([5.0]), level=0.5)
    assert (found.conf_low, found.conf_high) == pytest.approx((3.0, 5.0), abs=1e-12)


@pytest.mark.parametrize("kind", ["cyclic", "iid"])
@pytest.mark.parametrize(("sessions", "statistic"), [(1, "path"), (1, "car"), (2, "car"), (3, "car")])
def test_interval_of_a_car_holds_the_effects_with_p_above_one_minus_level(kind, sessions, statistic):
    for seed in range(5):
        before, event = returns(seed, 17, sessions, effect=seed - 2.0)
        found = conformal_interval(before, event, 0.8, statistic, kind)
        width = found.conf_high - found.conf_low
        for bound, outwards in ((found.conf_low, -1e-6), (found.conf_high, 1e-6)):
            assert slow_p_of_effect(before, event, bound - outwards * width, statistic, kind) > 0.2
            assert slow_p_of_effect(before, event, bound + outwards * width, statistic, kind) <= 0.2
        for effect in np.linspace(found.conf_low - width, found.conf_high + width, 41):
            inside = found.conf_low <= effect <= found.conf_high
            assert (slow_p_of_effect(before, event, effect, statistic, kind) > 0.2) == inside


@pytest.mark.parametrize("kind", ["cyclic", "iid"])
def test_interval_of_a_path_reaches_from_the_first_to_the_last_effect_kept(kind):
    for seed in range(3):
        before, event = returns(seed, 15, 2, effect=1.0)
        found = conformal_interval(before, event, 0.8, "path", kind)
        grid = np.linspace(found.conf_low - 8, found.conf_high + 8, 400)
        kept = [effect for effect in grid if slow_p_of_effect(before, event, effect, "path", kind) > 0.2]
        step = grid[1] - grid[0]
        assert found.conf_low - 1e-8 <= min(kept) <= found.conf_low + step
        assert found.conf_high - step <= max(kept) <= found.conf_high + 1e-8
        assert "outermost effects" in found.note


def test_path_that_no_even_effect_explains_has_no_interval():
    before = np.random.default_rng(1).normal(size=60)
    found = conformal_interval(before, np.array([50.0, -50.0]), statistic="path")
    assert np.isnan(found.conf_low) and np.isnan(found.conf_high)
    assert found.note == "the path statistic rejects every effect that is spread evenly over the event sessions"


@FEW
@given(st.integers(0, 10_000), st.floats(-5.0, 5.0), st.floats(0.01, 100.0), st.sampled_from([1, 3]))
def test_interval_moves_with_the_effect_and_the_unit(seed, shift, unit, sessions):
    before, event = returns(seed, 50, sessions)
    found = conformal_interval(before, event)
    moved = conformal_interval(unit * (before + shift), unit * (event + shift + 2.0 / sessions))
    assert (moved.conf_low, moved.conf_high) == pytest.approx(
        (unit * (found.conf_low + 2), unit * (found.conf_high + 2)), rel=1e-9, abs=1e-9 * unit
    )


@FEW
@given(arrays(float, 30, elements=st.floats(-3, 3, width=16)), st.floats(-6, 6, width=16))
def test_interval_leaves_zero_out_only_where_the_test_rejects(before, event):
    if np.ptp(before) < 0.01:
        return
    found = conformal_interval(before, np.array([event]), level=0.9)
    p_value = conformal_test(*all_period_residuals(before, np.array([event]))).p_value
    if not found.conf_low - 1e-9 <= 0 <= found.conf_high + 1e-9:
        assert p_value <= 0.1
    if found.conf_low + 1e-9 < 0 < found.conf_high - 1e-9:
        assert p_value > 0.1


def test_interval_is_unbounded_where_no_effect_can_be_rejected():
    short = conformal_interval(*returns(1, 18, 1), level=0.95)
    assert (short.conf_low, short.conf_high) == (-np.inf, np.inf)
    assert short.note == "the floor of p, 1/19, exceeds 0.05: no effect is rejected"
    assert np.isfinite(conformal_interval(*returns(1, 19, 1), level=0.95).conf_high)
    few = conformal_interval(*returns(1, 5, 5), level=0.5)
    assert few.conf_high == np.inf and few.note.startswith("5 estimation sessions for 5 event sessions")


def test_interval_names_why_there_is_none():
    absent = conformal_interval(np.arange(30.0), np.array([1.0, np.nan]))
    assert np.isnan(absent.conf_low) and absent.note == "1 of 2 event sessions have a return"
    constant = conformal_interval(np.full(30, 0.1), np.array([0.3]))
    assert np.isnan(constant.conf_high) and constant.note.startswith("the returns do not vary")


@pytest.mark.parametrize(("sessions", "kind"), [(1, "cyclic"), (3, "iid")])
def test_interval_covers_exactly_as_often_as_the_test_keeps_the_truth(sessions, kind):
    runs, before = 1500, 41 - sessions
    rng = np.random.default_rng(12)
    covered = 0
    for _ in range(runs):
        noise = rng.standard_t(3, size=41)
        found = conformal_interval(noise[:before], noise[before:] + 1.0, 0.9, "car", kind, draws=199)
        covered += found.conf_low <= sessions <= found.conf_high
    permutations = 41 if sessions == 1 else 200
    exact = 1 - np.floor(0.1 * permutations + 1e-9) / permutations
    assert abs(covered / runs - exact) < 3 * (exact * (1 - exact) / runs) ** 0.5


def test_inputs_are_left_as_they_were():
    before, event = returns(1, 30, 2)
    copies = before.copy(), event.copy()
    conformal_test(before, event)
    conformal_interval(before, event, statistic="path")
    np.testing.assert_array_equal(before, copies[0])
    np.testing.assert_array_equal(event, copies[1])
