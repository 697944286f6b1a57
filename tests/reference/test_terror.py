"""The 33 indices around 11 September 2001: what a correction for correlation does, and how to get it wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from market_reaction.inference import parametric, rank
from reference.comparison import Comparison
from reference.studies import Panel, terror

pytestmark = pytest.mark.reference

DAY_0 = slice(10, 11)


@pytest.fixture
def panel(outside: Path) -> Panel:
    return terror(outside)


def test_patell_bmp_and_kp_on_common_dates(outside: Path, compare: Comparison, panel: Panel) -> None:
    """Figures of the README of methods.md 3.4: ignoring the correlation makes -3.6 into -31."""
    scar, correlation = panel.scar(DAY_0), parametric.mean_correlation(panel.dated_residuals)
    adjusted = parametric.kolari_pynnonen_t(scar, correlation)
    assert parametric.patell_z(scar, panel.df_resid).statistic == pytest.approx(-31.31758, abs=5e-6)
    assert parametric.bmp_t(scar).statistic == pytest.approx(-14.88309, abs=5e-6)
    assert correlation == pytest.approx(0.32307, abs=5e-6)
    assert adjusted.statistic == pytest.approx(-3.63660, abs=5e-6)
    assert (adjusted.n, adjusted.df) == (33, 32)


def test_kp_minus_3_89_is_not_reproduced_because_it_pairs_residuals_by_position(outside: Path, panel: Panel) -> None:
    theirs = pd.read_csv(outside / "EventStudy/output_multi_event_tests.csv")
    theirs = theirs.query("dataset == 'terror33_w-10_10_L20' and test == 'KP' and level == 'day' and day == 0")
    by_place = parametric.mean_correlation(panel.residuals.T)
    assert by_place == pytest.approx(0.29249, abs=5e-6)
    wrong = parametric.kolari_pynnonen_t(panel.scar(DAY_0), by_place).statistic
    assert wrong == pytest.approx(theirs.statistic.item(), rel=1e-10)
    assert wrong == pytest.approx(-3.88945, abs=6e-6)
    right = parametric.kolari_pynnonen_t(panel.scar(DAY_0), parametric.mean_correlation(panel.dated_residuals))
    assert abs(right.statistic - wrong) > 0.25


def test_correlation_on_common_dates_by_pandas(panel: Panel) -> None:
    """The mean over the 528 pairs, each over the dates on which both have a residual."""
    matrix = pd.DataFrame(panel.dated_residuals).corr(min_periods=3).to_numpy()
    pairs = matrix[np.triu_indices(33, 1)]
    assert np.isfinite(pairs).all()
    assert parametric.mean_correlation(panel.dated_residuals) == pytest.approx(pairs.mean(), rel=1e-12)


def test_the_windows_of_twenty_days_span_26_dates(panel: Panel) -> None:
    """So the n-th day of one market is another date than the n-th day of the next."""
    assert len({case.dates[0] for case in panel.cases}) == 3
    assert len(panel.dated_residuals) == 26


@pytest.mark.parametrize("last", [10, 15, 20])
def test_patell_over_a_window_is_not_the_sum_of_sars_because_the_mean_is_estimated_once(
    outside: Path, panel: Panel, last: int
) -> None:
    """With L = 20 the sum of SARs is up to 40% too large: its variance is m + m^2 / L, not m (1 + 1 / L)."""
    table = pd.read_csv(outside / "_crosscheck/disagreements_estudy2_vs_EventStudy.csv")
    row = table[(table.id == "D08") & (table.day_or_window == f"[-10,{last - 10}]")].iloc[0]
    count, window = last + 1, slice(0, last + 1)
    ours = parametric.patell_z(panel.scar(window), panel.df_resid).statistic
    assert ours == pytest.approx(row.independent_numpy, rel=1e-9)
    assert ours * np.sqrt((1 + count / 20) / (1 + 1 / 20)) == pytest.approx(row.EventStudy, rel=1e-9)


def test_grank_holds_at_33_cases_and_warns_of_the_correlation(panel: Panel) -> None:
    standardized = panel.residuals / panel.residual_std[:, None]
    test = rank.grank_t(panel.scar(DAY_0), standardized, parametric.mean_correlation(panel.dated_residuals))
    assert test.statistic == pytest.approx(-3.046755, abs=5e-7)
    assert "correlation" in test.note
