"""Mean correlation against pandas and a loop; clustered means against statsmodels and a loop."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference.dependence import clustered_t, mean_correlation

EXACT = 1e-10
NAN = float("nan")
SEEDS = st.integers(0, 10_000)


def panel(seed: int = 3, dates: int = 60, markets: int = 7, absent: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = 0.01 * (rng.standard_normal((dates, 1)) + rng.standard_normal((dates, markets)))
    return np.where(rng.random(values.shape) < absent, NAN, values)


def slow_correlation(values: np.ndarray) -> float:
    found = []
    for i in range(values.shape[1]):
        for j in range(i):
            rows = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
            if rows.sum() >= 3:
                found.append(np.corrcoef(values[rows, i], values[rows, j])[0, 1])
    return float(np.mean(found))


def grouped(seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    dates, markets = rng.integers(0, 40, 300), rng.integers(0, 9, 300)
    return rng.standard_normal(300) + rng.standard_normal(40)[dates] + 0.2, dates, markets


def slow_cluster_variance(values: np.ndarray, labels: list) -> float:
    total, names = 0.0, set(labels)
    for name in names:
        total += sum(value - values.mean() for value, label in zip(values, labels, strict=True) if label == name) ** 2
    return len(names) / (len(names) - 1) * total / len(values) ** 2


def test_mean_correlation_is_pairwise_on_common_dates() -> None:
    values = panel()
    matrix = pd.DataFrame(values).corr(min_periods=3).to_numpy()
    assert mean_correlation(values) == pytest.approx(matrix[np.triu_indices(7, 1)].mean(), rel=EXACT)
    assert mean_correlation(values) == pytest.approx(slow_correlation(values), rel=EXACT)


def test_pairs_without_three_common_dates_or_without_spread_are_left_out() -> None:
    values = panel(absent=0.0)
    values[:30, 0], values[28:, 1] = NAN, NAN  # no common date
    values[:, 2] = 0.001  # does not vary
    usable = np.delete(values, 2, axis=1)
    assert mean_correlation(values) == pytest.approx(slow_correlation(usable), rel=EXACT)
    usable[28:30, :2] = [[0.1, 0.2], [0.1, 0.3]]  # two common dates: a correlation of 1 that means nothing
    assert mean_correlation(usable) == pytest.approx(slow_correlation(usable), rel=EXACT)
    assert np.isnan(mean_correlation(usable[28:30]))


@pytest.mark.parametrize("values", [np.empty((0, 3)), np.full((9, 3), NAN), np.ones((9, 3)), panel(markets=1)])
def test_no_pair_no_correlation(values: np.ndarray) -> None:
    assert np.isnan(mean_correlation(values))


@given(SEEDS, st.floats(1e-3, 1e3), st.floats(-1, 1))
@settings(max_examples=30, deadline=None)
def test_unit_level_and_order_do_not_matter(seed: int, scale: float, shift: float) -> None:
    values = panel(seed)
    changed = np.random.default_rng(seed).permutation(values, axis=1)
    changed[:, 0] = scale * changed[:, 0] + shift
    assert mean_correlation(changed) == pytest.approx(mean_correlation(values), rel=1e-8, abs=1e-10)


def test_one_way_clustering_equals_statsmodels() -> None:
    values, dates, _ = grouped()
    outside = sm.OLS(values, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": dates})
    found, clusters = clustered_t(values, dates), len(np.unique(dates))
    assert found.statistic == pytest.approx(outside.tvalues[0], rel=EXACT)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(outside.tvalues[0]), clusters - 1), rel=EXACT)
    assert (found.df, found.n, found.note) == (clusters - 1, clusters, "")


def test_two_way_clustering_equals_statsmodels_and_a_loop() -> None:
    values, dates, markets = grouped()
    groups = pd.DataFrame({"dates": dates, "markets": markets}).astype(int)
    outside = sm.OLS(values, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": groups.to_numpy()})
    variance = (
        slow_cluster_variance(values, dates.tolist())
        + slow_cluster_variance(values, markets.tolist())
        - slow_cluster_variance(values, list(zip(dates.tolist(), markets.tolist(), strict=True)))
    )
    found = clustered_t(values, dates, markets)
    assert found.statistic == pytest.approx(values.mean() / variance**0.5, rel=EXACT)
    assert found.statistic == pytest.approx(outside.tvalues[0], rel=EXACT)
    assert (found.df, found.note) == (8, "9 clusters are few: rejects too often")


def test_every_observation_its_own_cluster_is_the_plain_t() -> None:
    values, _, _ = grouped()
    outside = stats.ttest_1samp(values, 0).statistic
    assert clustered_t(values, np.arange(300)).statistic == pytest.approx(outside, rel=EXACT)


def test_text_labels_and_absent_observations() -> None:
    values, dates, markets = grouped()
    names = np.array([f"market {number}" for number in markets])
    holes = values.copy()
    holes[::7] = NAN
    kept = np.isfinite(holes)
    assert clustered_t(holes, dates, names) == clustered_t(values[kept], dates[kept], markets[kept])


@pytest.mark.parametrize(
    ("values", "clusters", "reason"),
    [
        ([1.0, 2.0, NAN], [1, 1, 2], "needs at least 2 clusters; 1 given"),
        ([NAN], [1], "needs at least 2 clusters; 0 given"),
        ([1.0, 1.0, 1.0], [1, 2, 3], "needs values that differ; all 3 are 1"),
        ([0.1 + 0.2, 0.3, 0.3], [1, 2, 3], "needs values that differ; all 3 are 0.3"),
    ],
)
def test_where_clustering_does_not_hold(values: list, clusters: list, reason: str) -> None:
    found = clustered_t(values, clusters)
    assert found.note == reason
    assert not found.applies


def test_a_negative_two_way_variance_is_said() -> None:
    values = np.array([1.0, -1.0, -1.0, 1.0]) + 0.1  # sums over rows and over columns of a 2 x 2 table are equal
    found = clustered_t(values, [0, 0, 1, 1], [0, 1, 0, 1])
    assert "the clustered variance is -" in found.note


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(WindowError, match="values has 3 rows and clusters has 2"):
        clustered_t([1.0, 2.0, 3.0], [1, 2])
    with pytest.raises(WindowError, match="values has 3 rows and second has 2"):
        clustered_t([1.0, 2.0, 3.0], [1, 2, 3], [1, 2])


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_names_and_order_of_clusters_do_not_matter(seed: int) -> None:
    values, dates, markets = grouped(seed)
    order = np.random.default_rng(seed).permutation(300)
    found, changed = clustered_t(values, dates, markets), clustered_t(values[order], -7 * dates[order], markets[order])
    assert changed.statistic == pytest.approx(found.statistic, rel=1e-9)
    assert clustered_t(-values, dates, markets).statistic == pytest.approx(-found.statistic, rel=1e-9)
