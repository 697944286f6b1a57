"""The form every test returns: p against scipy, and a null hypothesis that reads as a sentence."""

import re

import numpy as np
import pytest
from scipy import stats

from market_reaction.inference import conformal, dependence, parametric, rank, resampling
from market_reaction.inference.results import StatisticalTest, normal_test, not_applicable, rank_test, t_test

RNG = np.random.default_rng(2)
CASES, BEFORE, DAYS = RNG.standard_normal(32), RNG.standard_normal((32, 60)), np.full(32, 100.0)
OUTCOMES = (
    parametric.forecast_t(0.02, 0.01, 118),
    parametric.event_level_t(CASES),
    parametric.cross_section_t(CASES),
    parametric.portfolio_t(0.02, BEFORE[0], 2),
    parametric.patell_z(CASES, DAYS),
    parametric.adjusted_patell_z(CASES, DAYS, 0.1),
    parametric.bmp_t(CASES),
    parametric.kolari_pynnonen_t(CASES, 0.1),
    parametric.skewness_adjusted_t(CASES),
    dependence.clustered_t(CASES, np.arange(32) // 4),
    rank.sign_test(CASES),
    rank.generalized_sign_z(CASES, BEFORE),
    rank.wilcoxon(CASES),
    rank.corrado_rank(BEFORE, -1),
    rank.corrado_zivney_rank(BEFORE, -1),
    rank.corrado_zivney_sign(BEFORE, -1),
    rank.grank_t(CASES, BEFORE, 0.0),
    rank.grank_z(CASES, BEFORE),
    conformal.conformal_test(BEFORE[0], BEFORE[1, :2]),
    conformal.conformal_test(BEFORE[0], BEFORE[1, :2], permutations="iid"),
    resampling.sign_flip(CASES[:8]),
    resampling.studentised_permutation(CASES[:8], BEFORE[0]),
    resampling.group_difference(CASES[:8], CASES[8:]),
    resampling.wild_bootstrap(CASES[:8]),
    resampling.block_bootstrap(BEFORE[:2].T, BEFORE[2:3, :2], draws=19),
)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
def test_the_null_is_a_sentence_and_p_lies_between_its_floor_and_one(outcome: StatisticalTest) -> None:
    assert re.fullmatch(r"[A-Z].+[^.]\.", outcome.null)
    assert outcome.applies and outcome.floor <= outcome.p_value <= 1


def test_p_is_two_sided_and_that_of_scipy() -> None:
    assert t_test("t", -2.1, 7, "", 8, "exact").p_value == pytest.approx(2 * stats.t.sf(2.1, 7), rel=1e-12)
    assert normal_test("z", -2.1, "", 8, "exact").p_value == pytest.approx(2 * stats.norm.sf(2.1), rel=1e-12)
    counted = rank_test("rank", 2.1, 4, 99, "", 99, "exact")
    assert (counted.p_value, counted.floor) == (0.05, 0.01)


def test_what_does_not_apply_has_no_number_and_a_reason() -> None:
    nothing = not_applicable("bmp_t", "A null.", 1, "BMP needs at least 10 cases; 1 given")
    assert not nothing.applies and nothing.note == "BMP needs at least 10 cases; 1 given"
    assert np.isnan([nothing.statistic, nothing.p_value, nothing.df, nothing.floor]).all()
