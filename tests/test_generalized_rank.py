"""GRANK against its definition in plain loops, its bound, and its domain."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference.generalized_rank import grank_statistic, grank_t, grank_z, grank_z_statistic

EXACT = 1e-10
NAN = float("nan")


def sample(seed: int = 3, cases: int = 34, days: int = 50, absent: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    before = np.round(rng.standard_t(5, (cases, days)), 2)
    before[rng.random(before.shape) < absent] = NAN
    return rng.standard_t(5, cases) + 0.3, before


def slow_scores(scar: np.ndarray, before: np.ndarray) -> list[dict[int, float]]:
    """U of every present day of each present case; day -1 is the event."""
    here = [i for i in range(len(scar)) if not math.isnan(scar[i])]
    mean = sum(scar[i] for i in here) / len(here)
    spread = math.sqrt(sum((scar[i] - mean) ** 2 for i in here) / (len(here) - 1))
    scores = []
    for i in here:
        days = {day: value for day, value in enumerate(before[i]) if not math.isnan(value)}
        days[-1] = scar[i] / spread
        rank = {
            day: sum(v < value for v in days.values()) + (sum(v == value for v in days.values()) + 1) / 2
            for day, value in days.items()
        }
        scores.append({day: rank[day] / (len(days) + 1) - 0.5 for day in days})
    return scores


def slow_grank(scar: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    """GRANK-T and GRANK-Z."""
    scores = slow_scores(scar, before)
    n, squares, number = len(scores), 0.0, 0
    for day in range(-1, before.shape[1]):
        here = [score[day] for score in scores if day in score]
        if here:
            number += 1
            squares += len(here) / n * (sum(here) / len(here)) ** 2
    event = sum(score[-1] for score in scores) / n
    z = event / math.sqrt(squares / number)
    variance = sum((len(score) - 1) / (12 * (len(score) + 1)) for score in scores) / n**2
    return z * math.sqrt((number - 2) / (number - 1 - z**2)), event / math.sqrt(variance)


@pytest.mark.parametrize("absent", [0.0, 0.2])
def test_both_in_plain_loops(absent: float) -> None:
    scar, before = sample(absent=absent)
    scar[[2, 7]] = NAN
    before[:, 10] = NAN
    t, z = slow_grank(scar, before)
    found, other = grank_t(scar, before, 0.02), grank_z(scar, before)
    assert found.statistic == pytest.approx(t, rel=EXACT)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), 48), rel=EXACT)
    assert (found.df, found.n, found.note) == (48, 32, "")
    assert other.statistic == pytest.approx(z, rel=EXACT)
    assert other.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=EXACT)


def test_below_thirty_cases_the_reason_gives_the_bound() -> None:
    scar, before = sample(cases=6)
    found = grank_t(scar, before, 0.7)
    assert found.note == "GRANK-T needs at least 30 cases; 6 given; with 6 its |Z| cannot exceed about 2.00"
    assert not found.applies
    scar, before = sample()
    scar[29:] = NAN
    assert "30 cases; 29 given" in grank_t(scar, before, 0.0).note
    assert "GRANK-Z needs at least 30 cases; 29 given" in grank_z(scar, before).note
    assert grank_t([], np.empty((0, 9)), 0.0).note == "GRANK-T needs at least 30 cases; 0 given"


def test_two_cases_stay_below_their_bound() -> None:
    scar, before = np.array([50.0, 51.0]), np.random.default_rng(1).standard_normal((2, 400))
    statistic, df = grank_statistic(scar, before)
    z = statistic * math.sqrt((df + 1) / (df + statistic**2))
    assert z == pytest.approx(math.sqrt(3 * 2), rel=0.1)


def test_larger_correlation_is_noted_and_equal_scars_refused() -> None:
    scar, before = sample()
    assert "meant for a correlation up to 0.1; here 0.50" in grank_t(scar, before, 0.5).note
    assert grank_t(np.ones(34), before, 0.0).note == "GRANK-T needs SCARs that differ and estimation days with ranks"
    assert grank_z(np.ones(34), before).note == "GRANK-Z needs SCARs that differ and estimation days with ranks"
    assert math.isnan(grank_statistic(np.ones(34), before)[0])
    assert math.isnan(grank_z_statistic(np.ones(34), before))


def test_cases_of_another_number_are_refused() -> None:
    with pytest.raises(WindowError, match="scar has 2 rows and standardized has 3"):
        grank_t([1.0, 2.0], np.ones((3, 9)), 0.0)


@given(st.integers(0, 10_000), st.integers(0, 11), st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_unit_of_a_market_order_and_sign(seed: int, which: int, scale: float) -> None:
    returns = np.random.default_rng(seed).standard_t(5, (12, 41)) * 0.01

    def standardised(panel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        before = panel[:, :40] - panel[:, :40].mean(axis=1, keepdims=True)
        spread = before.std(axis=1, ddof=1, keepdims=True)
        return (panel[:, 40] - panel[:, :40].mean(axis=1)) / (spread[:, 0] * math.sqrt(1 + 1 / 40)), before / spread

    rescaled = returns.copy()
    rescaled[which] *= scale
    scar, before = standardised(returns)
    order = np.random.default_rng(seed).permutation(12)
    for run in (lambda *both: grank_statistic(*both)[0], grank_z_statistic):
        found = run(scar, before)
        assert run(*standardised(rescaled)) == pytest.approx(found, rel=1e-9, abs=1e-12)
        assert run(scar[order], before[order]) == pytest.approx(found, rel=1e-9, abs=1e-12)
        assert run(-scar, -before) == pytest.approx(-found, rel=1e-9, abs=1e-12)
