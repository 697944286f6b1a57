"""Two one-sided tests against statsmodels, intervals, simulation and the figures of the methods brief."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from market_reaction import events
from market_reaction.errors import WindowError
from market_reaction.inference.equivalence import margin_factor, no_reaction
from market_reaction.instruments import find_instrument
from market_reaction.prices import PriceData
from market_reaction.sources.bundled import BundledSource
from market_reaction.study import event_study

SHOWN, NOT_SHOWN = "no reaction larger than the margin", "not shown"


@pytest.mark.parametrize("margin", [0.1, 0.35, 0.8])
def test_p_is_that_of_two_one_sided_tests_in_statsmodels(margin: float) -> None:
    values = np.random.default_rng(4).normal(0.1, 0.8, 25)
    outside = ttost_paired(values, np.zeros(25), -margin, margin)[0]
    found = no_reaction(values.mean(), values.std(ddof=1) / 5, 24, margin)
    assert found.p_value == pytest.approx(outside, rel=1e-10)
    assert found.verdict == (SHOWN if outside < 0.05 else NOT_SHOWN)


def test_the_csi_300_cannot_show_that_the_london_framework_moved_it_by_less_than_2_5_per_cent() -> None:
    """methods.md 0: +0.75% is 0.70 standard deviations of the 120 sessions before, so that s is 0.0075 / 0.70."""
    ends = (pd.Timestamp("2022-01-01"), pd.Timestamp("2025-12-01"))
    prices = PriceData({"CSI 300": BundledSource().fetch(find_instrument("CSI 300"), *ends)})
    row = event_study(prices, events.load_events("2025-06-10-jt")).car((0, 0)).iloc[0]
    found = no_reaction(row["estimate"], row["std_error"], row["df"])
    assert found.smallest_margin == pytest.approx(0.0075 + 1.66 * 0.0075 / 0.70, abs=0.0002)
    assert found.margin_for_power > found.smallest_margin


def test_the_figures_of_the_methods_brief() -> None:
    """methods.md 8.8: |CAR| + 1.66 sigma_T, 2.7% for +0.75% at s = 1.2%; power four fifths from 2.93 sigma_T, 3.5%."""
    found = no_reaction(0.0, 1.0, 118)
    assert found.smallest_margin == pytest.approx(1.66, abs=0.005)
    assert margin_factor(np.inf) == pytest.approx(stats.norm.ppf(0.95) + stats.norm.ppf(0.9), rel=1e-10)  # 2.93
    assert margin_factor(10**6) == pytest.approx(margin_factor(np.inf), abs=1e-4)
    index = no_reaction(0.0075, 0.012 * np.sqrt(1 + 1 / 120), 119)
    assert index.smallest_margin == pytest.approx(0.027, abs=0.0005)
    assert index.margin_for_power == pytest.approx(0.035, abs=0.0006)


@pytest.mark.parametrize(("df", "level", "power"), [(4, 0.95, 0.8), (30, 0.9, 0.5), (119, 0.95, 0.9)])
def test_the_margin_for_power_has_that_power_in_simulation(df: int, level: float, power: float) -> None:
    rng = np.random.default_rng(9)
    cars = rng.normal(size=300_000)
    errors = np.sqrt(rng.chisquare(df, len(cars)) / df)
    smallest = np.abs(cars) + stats.t.ppf(level, df) * errors
    assert np.mean(smallest < margin_factor(df, level, power)) == pytest.approx(power, abs=0.004)


@settings(max_examples=50, deadline=None)
@given(st.floats(-0.1, 0.1), st.floats(0.001, 0.05), st.integers(2, 300), st.floats(0.001, 0.3), st.floats(0.6, 0.99))
def test_the_verdict_says_whether_the_interval_lies_within_the_margin(car, error, df, margin, level) -> None:
    found = no_reaction(car, error, df, margin, level)
    low, high = stats.t.interval(2 * level - 1, df, car, error)
    assert found.smallest_margin == pytest.approx(max(abs(low), abs(high)), rel=1e-9)
    if abs(found.smallest_margin - margin) > 1e-9:
        assert found.verdict == (SHOWN if -margin < low and high < margin else NOT_SHOWN)
        assert (found.p_value < 1 - level) == (found.verdict == SHOWN)
    mirrored = no_reaction(-3 * car, 3 * error, df, 3 * margin, level)
    assert mirrored.p_value == pytest.approx(found.p_value, rel=1e-9)
    assert mirrored.margin_for_power == pytest.approx(3 * found.margin_for_power, rel=1e-9)


def test_without_a_margin_given_beforehand_there_is_no_verdict() -> None:
    found = no_reaction(0.0075, 0.0118, 119)
    assert found.verdict == "no margin given beforehand"
    assert np.isnan(found.p_value) and np.isnan(found.margin)
    assert "day's own shock" in found.note


@pytest.mark.parametrize(("car", "error"), [(np.nan, 0.01), (0.01, np.nan), (0.01, 0.0)])
def test_it_does_not_apply_without_a_standard_error(car: float, error: float) -> None:
    found = no_reaction(car, error, 119, 0.03)
    assert found.verdict == "not applicable" and "no standard error" in found.note
    assert np.isnan([found.p_value, found.smallest_margin, found.margin_for_power]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0.0}, "margin=0.0 is no margin; give a positive number"),
        ({"margin": -0.02}, "margin=-0.02 is no margin"),
        ({"margin": np.inf}, "margin=inf is no margin"),
        ({"level": 95}, "level=95 is no share"),
        ({"power": 0}, "power=0 is no share"),
    ],
)
def test_wrong_arguments_are_refused(options: dict, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        no_reaction(0.01, 0.01, 119, **options)
