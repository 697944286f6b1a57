"""The batched battery against the tests of one cross-section on plain arrays, brute force and what is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from market_reaction.battery import TESTS
from market_reaction.engine import CrossSectionTests, Panel, abnormal_returns, battery, buy_and_hold_returns, ranks
from market_reaction.engine.window_tests import COVERED, ON_BUY_AND_HOLD
from market_reaction.errors import WindowError
from market_reaction.inference import parametric, rank
from market_reaction.inference.common_dates import common_date_correlations
from market_reaction.inference.overlap import cluster_means, merge_overlapping
from market_reaction.inference.results import StatisticalTest

ESTIMATION, WINDOWS = (-130, -11), ((0, 1), (0, 5), (-2, 2))
DAY = 300


def make_panel(
    assets: int = 40, sessions: int = 400, seed: int = 3, missing: float = 0.0, common: float = 0.02
) -> Panel:
    """Returns with a second factor that the market model leaves in the residuals, so that these are correlated."""
    rng = np.random.default_rng(seed)
    market, hidden = rng.normal(0, 0.01, (2, sessions))
    returns = rng.uniform(0.5, 1.5, assets)[:, None] * market + rng.normal(0, common, assets)[:, None] / 0.02 * hidden
    returns = returns + rng.standard_t(5, (assets, sessions)) * 0.01
    returns[rng.random(returns.shape) < missing] = np.nan
    return Panel(returns, factors=market)


def changed(panel: Panel, asset: int, sessions: object, value: float) -> Panel:
    """The panel with some returns of a security changed."""
    returns = panel.returns.copy()
    returns[asset, sessions] = value
    return Panel(returns, panel.factors)


def statistics(found: CrossSectionTests) -> np.ndarray:
    return np.array([row["statistic"] for row in found.rows()])


class Slow:
    """The arrays of one cross-section, by one numpy regression an event."""

    def __init__(self, panel: Panel, assets: np.ndarray, days: np.ndarray, window: tuple[int, int]) -> None:
        first, last = ESTIMATION
        self.days = days
        self.residuals = np.full((len(days), last - first + 1), np.nan)
        self.abnormal = np.full((len(days), window[1] - window[0] + 1), np.nan)
        self.df, self.std, self.error = np.full((3, len(days)), np.nan)
        for row, (asset, day) in enumerate(zip(assets, days, strict=True)):
            y, x = panel.returns[asset], np.column_stack([np.ones(panel.n_sessions), panel.factors])
            inside = np.arange(day + first, day + last + 1)
            known = inside[~np.isnan(y[inside])]
            b = np.linalg.lstsq(x[known], y[known], rcond=None)[0]
            self.residuals[row] = (y - x @ b)[inside]
            around = np.arange(day + window[0], min(day + window[1] + 1, panel.n_sessions))
            self.abnormal[row, : len(around)] = (y - x @ b)[around]
            self.df[row] = len(known) - 2
            self.std[row] = np.sqrt((self.residuals[row][~np.isnan(self.residuals[row])] ** 2).sum() / self.df[row])
            total = x[around].sum(axis=0)
            leverage = total @ np.linalg.inv(x[known].T @ x[known]) @ total
            self.error[row] = self.std[row] * np.sqrt(len(around) + leverage)
        self.car = self.abnormal.sum(axis=1)
        self.scar = self.car / self.error

    def tests(self, rho: float, span: int) -> dict[str, StatisticalTest]:
        """Every covered test by the functions that take one cross-section."""
        around, at = np.hstack([self.residuals, self.abnormal]), slice(self.residuals.shape[1], None)
        standardized = self.residuals / self.std[:, None]
        complete = ~np.isnan(self.residuals.sum(axis=1) + self.car)
        clusters = merge_overlapping(self.days, span)
        return {
            "event_level_t": parametric.event_level_t(cluster_means(self.car, clusters)),
            "portfolio_t": parametric.portfolio_t(
                self.car[complete].mean(), self.residuals[complete].mean(axis=0), span
            ),
            "kolari_pynnonen_t": parametric.kolari_pynnonen_t(self.scar, max(rho, 0)),
            "adjusted_patell_z": parametric.adjusted_patell_z(self.scar, self.df, max(rho, 0)),
            "patell_z": parametric.patell_z(self.scar, self.df),
            "bmp_t": parametric.bmp_t(self.scar),
            "cross_section_t": parametric.cross_section_t(self.car),
            "skewness_adjusted_t": parametric.skewness_adjusted_t(self.car),
            "corrado_rank": rank.corrado_rank(around, at),
            "corrado_zivney_rank": rank.corrado_zivney_rank(around, at),
            "corrado_zivney_sign": rank.corrado_zivney_sign(around, at),
            "sign_test": rank.sign_test(self.car),
            "generalized_sign_z": rank.generalized_sign_z(self.car, self.residuals),
            "wilcoxon": rank.wilcoxon(self.scar),
            "grank_t": rank.grank_t(self.scar, standardized, rho),
            "grank_z": rank.grank_z(self.scar, standardized),
        }


def assert_same(found: CrossSectionTests, slow: dict[str, StatisticalTest], number: int) -> None:
    assert set(slow) == set(found.tests)
    for name, other in slow.items():
        mine = found[name][number]
        assert (mine.statistic, mine.p_value) == pytest.approx(
            (other.statistic, other.p_value), rel=1e-8, abs=1e-12, nan_ok=True
        ), name
        assert (mine.n, mine.distribution) == (other.n, other.distribution), name
        assert mine.floor == pytest.approx(other.floor, rel=1e-9, nan_ok=True), name


def brute_force(residuals: np.ndarray, days: np.ndarray) -> float:
    """Mean of the full matrix of correlations off the diagonal; 0 between different days."""
    matrix = np.corrcoef(residuals)
    matrix[days[:, None] != days] = 0.0
    return float((matrix.sum() - len(days)) / (len(days) * (len(days) - 1)))


@pytest.mark.parametrize("kernel", ["gather", "sums"])
@pytest.mark.parametrize("shared", [True, False])
def test_every_test_equals_its_own_function_on_plain_arrays(monkeypatch, kernel: str, shared: bool) -> None:
    monkeypatch.setattr(ranks, "_BLOCK", 120 * 17)  # several blocks, which break dates
    panel = make_panel()
    rng = np.random.default_rng(1)
    assets = np.tile(np.arange(40), 2)
    days = np.full(80, DAY) if shared else rng.choice([200, 260, 262, 330], 80)
    found = battery(panel, assets, days, estimation=ESTIMATION, windows=WINDOWS, kernel=kernel, threads=2)
    for number, window in enumerate(WINDOWS):
        slow = Slow(panel, assets, days, window)
        rho = brute_force(slow.residuals, days)
        assert found.correlation[number] == pytest.approx(rho, rel=1e-8)
        assert_same(found, slow.tests(rho, window[1] - window[0] + 1), number)


def test_missing_returns_count_nowhere() -> None:
    # one event has no complete window, but one of its sessions is known
    panel = changed(make_panel(missing=0.004, seed=5), 7, DAY + 1, np.nan)
    assets, days = np.arange(40), np.full(40, DAY)
    found = battery(panel, assets, days, estimation=ESTIMATION, windows=WINDOWS)
    for number, window in enumerate(WINDOWS):
        slow = Slow(panel, assets, days, window)
        assert_same(found, slow.tests(found.correlation[number], window[1] - window[0] + 1), number)
        assert found.correlation[number] == pytest.approx(parametric.mean_correlation(slow.residuals.T), abs=2e-3)
    assert np.isnan(found.abnormal.car[7, 0])
    assert found["corrado_rank"][0].n == 40
    assert found["bmp_t"][0].n == np.isfinite(found.abnormal.car[:, 0]).sum() < 40
    assert any("without a complete window and a CAR 1 of 40 events" in note for note in found.notes)


def test_windows_beyond_the_panel_and_before_it() -> None:
    panel = make_panel()
    days = np.full(40, DAY)
    days[:3], days[3:6] = 50, 397  # no estimation window; no session after 399
    found = battery(panel, np.arange(40), days, estimation=ESTIMATION, windows=[(0, 5)])
    assert found.usable.sum() == 37
    assert found["bmp_t"][0].n == 34
    assert "left out for want of a usable estimation window: 3 of 40 events" in found.notes
    slow = Slow(panel, np.arange(3, 40), days[3:], (0, 5))
    assert_same(found, slow.tests(found.correlation[0], 6), 0)


def test_other_models_with_lags_and_skipped_sessions() -> None:
    base = make_panel(seed=9)
    skip = np.zeros(400, dtype=bool)
    skip[[220, 221, 250]] = True
    panel = Panel(base.returns, base.factors, skip=skip)
    assets, days = np.arange(40), np.full(40, DAY)
    found = battery(panel, assets, days, model="dimson", lags=1, leads=1, estimation=ESTIMATION, windows=[(0, 0)])
    rows = np.arange(DAY + ESTIMATION[0] + 1, DAY + ESTIMATION[1])
    known = ~skip[rows]
    x = np.column_stack([np.ones(400), *(np.roll(panel.factors[:, 0], by) for by in (1, 0, -1))])
    residuals = np.full((40, len(rows)), np.nan)
    day = np.empty(40)
    for asset in range(40):
        b = np.linalg.lstsq(x[rows][known], panel.returns[asset, rows][known], rcond=None)[0]
        residuals[asset, known] = (panel.returns[asset] - x @ b)[rows][known]
        day[asset] = panel.returns[asset, DAY] - x[DAY] @ b
    other = rank.corrado_zivney_rank(np.column_stack([residuals, day]), len(rows))
    assert found["corrado_zivney_rank"][0].statistic == pytest.approx(other.statistic, rel=1e-9)
    other = rank.generalized_sign_z(day, residuals)
    assert found["generalized_sign_z"][0].statistic == pytest.approx(other.statistic, rel=1e-9)
    assert found.correlation[0] == pytest.approx(parametric.mean_correlation(residuals.T), rel=1e-8)


@pytest.mark.parametrize("model", ["constant_mean", "zero_mean", "market_adjusted"])
def test_simple_models_with_ties(model: str) -> None:
    """Returns rounded to 0.5% tie in ranks and with the median."""
    base = make_panel(seed=4)
    panel = Panel(np.round(base.returns * 200) / 200, np.round(base.factors * 200) / 200)
    found = battery(panel, np.arange(40), np.full(40, DAY), model=model, estimation=ESTIMATION, windows=[(0, 1)])
    normal = panel.returns[:, 170:290].mean(axis=1)[:, None] if model == "constant_mean" else 0.0
    normal = panel.factors.T if model == "market_adjusted" else normal
    abnormal = panel.returns - normal
    pool = np.column_stack([abnormal[:, 170:290], abnormal[:, 300:302]])
    for name in ("corrado_rank", "corrado_zivney_rank"):
        other = getattr(rank, name)(pool, slice(120, None))
        assert found[name][0].statistic == pytest.approx(other.statistic, rel=1e-9)
    scores = np.sign(pool - np.median(pool, axis=1)[:, None]).sum(axis=0)
    by_hand = scores[-2:].sum() / np.sqrt((scores**2).mean() * 2)
    assert found["corrado_zivney_sign"][0].statistic == pytest.approx(by_hand, rel=1e-9)
    assert stats.rankdata(pool[0]).tolist() != np.argsort(np.argsort(pool[0])).tolist()


def test_one_event() -> None:
    found = battery(make_panel(), [3], [DAY], windows=[(0, 1)])
    slow = Slow(make_panel(), np.array([3]), np.array([DAY]), (0, 1))
    for name in ("bmp_t", "cross_section_t", "event_level_t", "corrado_zivney_sign", "kolari_pynnonen_t", "grank_t"):
        assert np.isnan(found[name][0].p_value) or name.startswith("corrado"), name
        assert found[name][0].note, name
    assert found["patell_z"][0].statistic == pytest.approx(slow.scar[0] / np.sqrt(118 / 116), rel=1e-9)
    assert found.event_p_values[0, 0] == pytest.approx(2 * stats.t.sf(abs(slow.scar[0]), 118), rel=1e-9)
    assert found.rows()[0]["test"] == "event_level_t"


def test_two_events_of_one_date_and_of_two() -> None:
    panel = make_panel(common=0.03)
    same = battery(panel, [3, 4], [DAY, DAY], windows=[(0, 1)])
    slow = Slow(panel, np.array([3, 4]), np.array([DAY, DAY]), (0, 1))
    assert same.correlation[0] == pytest.approx(np.corrcoef(slow.residuals)[0, 1], rel=1e-9)
    assert same["kolari_pynnonen_t"][0].note == "KP needs at least 3 markets; 2 given"
    assert np.isfinite(same["adjusted_patell_z"][0].statistic)
    assert np.isnan(same["event_level_t"][0].p_value)
    apart = battery(panel, [3, 4], [200, DAY], windows=[(0, 1)])
    assert apart.correlation[0] == 0.0
    assert "no two events share a date" in apart["adjusted_patell_z"][0].note
    assert any("2 events share 1 date: patell_z, bmp_t" in note for note in same.notes)
    assert apart.notes == ()
    assert apart["event_level_t"][0].n == 2


def test_tests_of_independent_events_are_not_valid_on_one_date() -> None:
    panel, assets = make_panel(common=0.03), np.arange(40)
    found = battery(panel, assets, np.full(40, DAY), windows=WINDOWS, buy_and_hold=True)
    frame = found.to_frame()
    assert len(frame) == (16 + 4) * len(WINDOWS) and frame["window"].tolist()[: len(WINDOWS)] == list(WINDOWS)
    wrong = frame[frame["validity"].eq("not valid")]
    assert set(wrong["test"]) == {
        "patell_z", "bmp_t", "cross_section_t", "skewness_adjusted_t", "sign_test", "generalized_sign_z", "wilcoxon",
        "grank_z",
    }  # fmt: skip
    assert set(wrong.loc[wrong["outcome"].eq("bhar"), "test"]) == {
        "cross_section_t", "skewness_adjusted_t", "sign_test",
    }  # fmt: skip
    assert wrong["note"].str.startswith("40 events share 1 date and it takes them as independent").all()
    assert wrong["p_value"].notna().all()
    assert found["kolari_pynnonen_t"][0].validity == found["adjusted_patell_z"][0].validity == "approximate"
    apart = battery(panel, assets, np.arange(200, 240), windows=[(0, 0)])
    assert not apart.to_frame()["validity"].eq("not valid").any()


def test_no_event_counts() -> None:
    for assets, days in (([], []), ([1, 2], [3, 4])):
        found = battery(make_panel(), np.array(assets, dtype=int), np.array(days, dtype=int), windows=[(0, 1)])
        assert all(np.isnan(tests[0].p_value) and tests[0].note for tests in found.tests.values())


def test_a_constant_security_is_left_out_and_named() -> None:
    panel = changed(changed(make_panel(), 5, slice(None), 0.0), 6, slice(150, 300), 0.001)
    found = battery(panel, np.arange(40), np.full(40, DAY), windows=[(0, 1)])
    assert found.usable.sum() == 38
    assert "left out because their returns have no spread in the estimation window: 2 of 40 events" in found.notes
    assert np.isfinite(found["bmp_t"][0].p_value)
    assert np.flatnonzero(np.isnan(found.event_p_values[:, 0])).tolist() == [5, 6]


def test_numbers_depend_neither_on_threads_nor_on_the_order_of_events() -> None:
    panel = make_panel(sessions=900)
    rng = np.random.default_rng(8)
    assets, days = rng.integers(0, 40, 3000), rng.integers(200, 880, 3000)
    one = battery(panel, assets, days, kernel="gather", threads=1)
    two = battery(panel, assets, days, kernel="gather", threads=3)
    assert np.array_equal(statistics(one), statistics(two), equal_nan=True)
    order = rng.permutation(3000)
    moved = battery(panel, assets[order], days[order], kernel="gather")
    assert statistics(moved) == pytest.approx(statistics(one), rel=1e-9, nan_ok=True)
    assert any("overlap an earlier one of the same security" in note for note in one.notes)
    assert any("overlap with the window of another date" in note for note in one.notes)


def test_kp_allows_for_correlation_that_bmp_takes_as_evidence() -> None:
    """Simulated under no effect: on one date and correlated, BMP rejects far too often, KP about as stated."""
    rng = np.random.default_rng(0)
    rejected = np.zeros(2)
    for _ in range(300):
        common = rng.normal(0, 0.01, 140)
        panel = Panel(common + rng.normal(0, 0.01, (30, 140)))
        found = battery(
            panel, np.arange(30), np.full(30, 135), model="constant_mean", windows=[(0, 0)],
            tests=["bmp_t", "kolari_pynnonen_t"], threads=1,
        )  # fmt: skip
        rejected += [found[name][0].p_value < 0.05 for name in ("bmp_t", "kolari_pynnonen_t")]
    assert rejected[0] / 300 > 0.5
    assert 0.02 < rejected[1] / 300 < 0.09


def test_correlations_by_date_equal_the_full_matrix() -> None:
    rng = np.random.default_rng(2)
    residuals = rng.normal(size=(60, 80)) + rng.normal(size=80)
    days = rng.integers(0, 7, 60)
    found = common_date_correlations(residuals, days)
    for date, value in zip(found.dates, found.correlation, strict=True):
        matrix = np.corrcoef(residuals[days == date])
        assert value == pytest.approx(matrix[np.triu_indices(len(matrix), 1)].mean(), rel=1e-10)
    assert found.over_pairs(days) == pytest.approx(brute_force(residuals, days), rel=1e-10)


def test_correlations_with_gaps_are_weighted_by_shared_sessions() -> None:
    rng = np.random.default_rng(2)
    residuals = rng.normal(size=(9, 50)) + rng.normal(size=50)
    residuals[rng.random(residuals.shape) < 0.1] = np.nan
    residuals[8] = 0.25  # constant: correlates with nothing
    found = common_date_correlations(residuals, np.zeros(9))
    scaled = (residuals - np.nanmean(residuals, axis=1)[:, None]) / np.nanstd(residuals, axis=1)[:, None].clip(1e-9)
    pairs = [(i, j) for i in range(8) for j in range(i)]
    products = [scaled[i] * scaled[j] for i, j in pairs]
    by_hand = np.nansum(products) / np.isfinite(products).sum()
    assert found.correlation.tolist() == pytest.approx([by_hand], rel=1e-10)
    assert found.correlation[0] == pytest.approx(parametric.mean_correlation(residuals[:8].T), abs=0.01)


def test_correlations_of_no_pairs_and_bad_input() -> None:
    alone = common_date_correlations(np.eye(3), [1, 2, 3])
    assert alone.over_pairs(np.array([1, 2, 3])) == 0.0
    assert np.isnan(alone.over_pairs(np.array([1])))
    apart = common_date_correlations([[1.0, 2, np.nan, np.nan], [np.nan, np.nan, 1, 3]], [5, 5])
    assert np.isnan(apart.over_pairs(np.array([5, 5])))
    with pytest.raises(WindowError, match="residuals has 2 rows and dates has 3"):
        common_date_correlations(np.zeros((2, 4)), [1, 2, 3])
    with pytest.raises(WindowError, match=r"dates holds 1 missing value"):
        common_date_correlations(np.zeros((2, 4)), [1, np.nan])


def test_every_registered_test_is_covered_or_named_as_not() -> None:
    text = battery.__doc__ or ""
    covered, rest = text[text.index("Covered, with") :].split("Not covered:")
    not_covered = rest[: rest.index("The correlation of")]
    words = {name: set(part.replace(",", " ").replace("(", " ").replace(")", " ").replace(".", " ").split())
             for name, part in (("covered", covered), ("not", not_covered))}  # fmt: skip
    assert set(COVERED) <= words["covered"]
    assert words["not"] & set(TESTS) == set(TESTS) - set(COVERED) - {"forecast_t"}


def test_tests_can_be_chosen_and_a_wrong_name_is_refused() -> None:
    found = battery(make_panel(), np.arange(40), np.full(40, DAY), tests=["bmp_t", "corrado_rank"])
    assert list(found.tests) == ["bmp_t", "corrado_rank"]
    every = battery(make_panel(), np.arange(40), np.full(40, DAY))
    assert every["corrado_rank"][1].statistic == found["corrado_rank"][1].statistic
    with pytest.raises(WindowError, match=r"tests='bpm_t' is not among .* Did you mean 'bmp_t'"):
        battery(make_panel(), [0], [DAY], tests=["bpm_t"])
    with pytest.raises(WindowError, match=r"tests='placebo' is not among .* event_study runs the others"):
        battery(make_panel(), [0], [DAY], tests="placebo")
    with pytest.raises(WindowError, match="outside the panel"):
        battery(make_panel(), [40], [DAY])
    with pytest.raises(WindowError, match="threads=0"):
        battery(make_panel(), [0], [DAY], threads=0)


def test_buy_and_hold_by_hand_and_its_standard_error_by_simulation() -> None:
    panel = make_panel(missing=0.002)
    assets, days = np.arange(40), np.full(40, DAY)
    found = battery(panel, assets, days, windows=WINDOWS, buy_and_hold=True)
    held = found.buy_and_hold
    assert held is not None
    for number, window in enumerate(WINDOWS):
        slow = Slow(panel, assets, days, window)
        actual = panel.returns[:, DAY + window[0] : DAY + window[1] + 1]
        by_hand = (1 + actual).prod(axis=1) - (1 + actual - slow.abnormal).prod(axis=1)
        assert held.bhar[:, number] == pytest.approx(by_hand, rel=1e-8, nan_ok=True)
        mine = found.buy_and_hold_tests["skewness_adjusted_t"][number]
        assert mine.statistic == pytest.approx(parametric.skewness_adjusted_t(by_hand).statistic, rel=1e-8)
    assert list(found.buy_and_hold_tests) == list(ON_BUY_AND_HOLD)
    assert {row["outcome"] for row in found.rows()} == {"car", "bhar"}
    # a day compounds nothing, so that its error is that of the CAR
    one = abnormal_returns(panel, assets, days, windows=[(0, 0)])
    assert buy_and_hold_returns(panel, assets, one).std_error == pytest.approx(
        one.car_std_error, rel=1e-10, nan_ok=True
    )


def test_standard_error_of_buy_and_hold_is_the_delta_method_with_the_forecast_covariance() -> None:
    panel = make_panel()
    found = abnormal_returns(panel, [3], [DAY], windows=[(0, 5)])
    x = np.column_stack([np.ones(400), panel.factors])
    before, after = x[DAY - 130 : DAY - 10], x[DAY : DAY + 6]
    covariance = found.residual_std[0] ** 2 * (np.eye(6) + after @ np.linalg.inv(before.T @ before) @ after.T)
    growth = 1 + panel.returns[3, DAY : DAY + 6] - found.ar[0]
    weights = growth.prod() / growth
    held = buy_and_hold_returns(panel, [3], found)
    assert held.std_error[0, 0] == pytest.approx(np.sqrt(weights @ covariance @ weights), rel=1e-10)


def test_buy_and_hold_refuses_what_does_not_compound() -> None:
    panel = changed(make_panel(), 3, DAY + 1, -1.5)
    with pytest.raises(WindowError, match=r"a return of -1\.5 is below -1"):
        battery(panel, [3], [DAY], windows=[(0, 5)], buy_and_hold=True)
    found = abnormal_returns(panel, [3], [DAY], windows=[(0, 5)], paths=False)
    with pytest.raises(WindowError, match="paths=True"):
        buy_and_hold_returns(panel, [3], found)
    found = abnormal_returns(panel, [3], [DAY], windows=[(0, 5)])
    with pytest.raises(WindowError, match=r"assets has shape \(2,\); the result is of 1 events"):
        buy_and_hold_returns(panel, [3, 4], found)
