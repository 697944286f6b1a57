"""The simulation of size and power: its paths, its resuming, its verdicts, and the page made from its results."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from market_reaction.inference import rank, resampling
from market_reaction.inference.results import StatisticalTest
from market_reaction.normal_models import fit_normal_model

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("the benchmarks come with the repository only", allow_module_level=True)
sys.path.insert(0, str(BENCHMARKS))

import size_power  # noqa: E402
from simulation import cases, criteria, page, panels, placebos, real_returns, studies  # noqa: E402
from simulation.cells import Cell, attainable  # noqa: E402
from simulation.grid import grid  # noqa: E402

ONE, SIX = Cell("one market", runs=600), Cell("across markets", markets=6, rho=0.7, runs=300)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    path = tmp_path_factory.mktemp("size") / "results.parquet"
    return size_power.run([ONE, SIX], path, seed=5), path


def rate(results: pd.DataFrame, test: str, level: float = 0.05) -> float:
    found = results.query("test == @test and level == @level and group == 'all' and measure == 'rejection'")
    return float(found["value"].iloc[0])


def test_the_headline_placebo_is_near_its_level_and_patell_far_above(small) -> None:
    results, _ = small
    # 600 runs: three standard errors around 5% are 2.3 to 7.7%.
    assert 0.023 <= rate(results, "placebo") <= 0.077
    assert rate(results, "placebo", 0.10) >= rate(results, "placebo")
    assert rate(results, "patell_z") > 0.2
    assert rate(results, "kolari_pynnonen_t") < 0.1
    assert np.isnan(rate(results, "bmp_t"))  # six cases: refused, with the reason kept
    assert "at least 10 cases" in results.loc[results["test"] == "bmp_t", "note"].iloc[0]


def test_a_rerun_skips_finished_cells_and_runs_the_others(small, monkeypatch) -> None:
    results, path = small

    def fail(*_: object) -> None:
        raise AssertionError("a finished cell was run again")

    monkeypatch.setitem(studies.STUDIES, "one market", fail)
    monkeypatch.setitem(studies.STUDIES, "across markets", fail)
    pd.testing.assert_frame_equal(size_power.run([ONE, SIX], path, seed=5), results)
    assert set(size_power.run([SIX], path, seed=5)["study"]) == {"across markets"}
    for changed, seed in ((replace(ONE, runs=601), 5), (replace(SIX, rho=0.5), 5), (ONE, 6)):
        with pytest.raises(AssertionError, match="run again"):
            size_power.run([changed], path, seed=seed)


def test_a_broken_run_keeps_the_cells_before_it(tmp_path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken off")

    monkeypatch.setitem(studies.STUDIES, "garch", fail)
    small = replace(SIX, runs=2)
    with pytest.raises(RuntimeError, match="broken off"):
        size_power.run([small, Cell("garch", runs=2)], tmp_path / "results.parquet")
    assert set(size_power.finished(tmp_path / "results.parquet")["study"]) == {"across markets"}


def test_a_cell_gives_the_same_rows_whatever_ran_before(small) -> None:
    results, _ = small
    alone = size_power.simulate(SIX, 5)
    kept = results[results["study"] == "across markets"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone[["test", "level", "value"]], kept[["test", "level", "value"]])


def test_the_page_is_made_from_the_results_that_are_kept() -> None:
    results = pd.read_parquet(size_power.RESULTS / "size_power.parquet")
    real = pd.read_parquet(size_power.RESULTS / "real_returns.parquet")
    assert page.text(results, real) == page.PAGE.read_text(encoding="utf-8")
    kept = set(size_power.identities(results))
    assert kept == {(*(getattr(cell, name) for name in size_power.IDENTITY[:-1]), 1) for cell in grid()}
    assert (size_power.RESULTS / "size_power.parquet").stat().st_size < 1_000_000


def test_the_panels_have_the_correlation_and_variance_they_name() -> None:
    rng = np.random.default_rng(1)
    panel = panels.draw(rng, 20_000, 2, 3, rho=0.5, errors="normal", event_rows=np.array([2]), larger="factor")
    day, event = panel.returns[:, :, 0], panel.returns[:, :, 2]
    assert np.corrcoef(day.T)[0, 1] == pytest.approx(0.5, abs=0.02)
    assert event.var() / day.var() == pytest.approx(2.5, rel=0.05)  # 4 * 0.5 + 0.5
    garch = panels.draw(rng, 4_000, 1, 3, errors="garch_t")
    shocks = (garch.returns / garch.volatility)[:, 0]
    assert shocks.var() == pytest.approx(1, rel=0.06)
    variance, moves = garch.volatility[:, 0] ** 2, garch.returns[:, 0]
    np.testing.assert_allclose(variance[:, 1], 1e-4 * 0.03 + 0.07 * moves[:, 0] ** 2 + 0.90 * variance[:, 0])


def test_the_cases_are_those_of_the_normal_model() -> None:
    moves = panels.draw(np.random.default_rng(2), 2, 3, 140).returns
    fitted = cases.study(moves, 132, 6).only(1)
    for market, series in enumerate(moves[1]):
        model = fit_normal_model("constant_mean", series[2:122])
        np.testing.assert_allclose(fitted.residuals[market], model.residuals, atol=1e-15)
        assert fitted.std_error[market] == pytest.approx(np.sqrt(model.forecast_covariance(6, None).sum()))
        assert fitted.car[market] == pytest.approx(series[132:138].sum() - 6 * series[2:122].mean())


def test_the_pool_ends_eleven_sessions_before_the_event() -> None:
    assert placebos.ROWS[1] == placebos.DAY_ZERO - 11
    assert len(placebos.ROWS) == 501
    oldest = placebos.statistics(np.random.default_rng(3).normal(0, 0.01, placebos.SESSIONS)).scaled[-1]
    assert np.isfinite(oldest)


def test_attainable_sizes_are_the_steps_of_the_null_distributions() -> None:
    values = np.arange(1.0, 21.0)
    assert attainable(0.05, resampling.sign_flip(values[:6])) == pytest.approx(2 / 64)
    assert attainable(0.05, resampling.sign_flip(values[:7])) == pytest.approx(6 / 128)
    assert attainable(0.05, placebos.outcome("placebo", 0.5, 500)) == pytest.approx(25 / 501)
    assert attainable(0.05, rank.wilcoxon(values[:8])) == pytest.approx(10 / 256)  # scipy: P(W <= 3) = 5/256
    assert attainable(0.05, rank.sign_test(values[:8])) == pytest.approx(2 / 256)
    assert attainable(0.05, rank.sign_test(values[:5])) == 0.0
    nan = float("nan")
    assert attainable(0.05, StatisticalTest("t", nan, 0.3, 5, "", "t(5)", 6, "exact")) == 0.05


def test_verdicts_follow_the_criteria() -> None:
    error = np.sqrt(0.05 * 0.95 / 10_000)
    assert criteria.verdict("exact", 0.05 + 2.9 * error, 0.05, 10_000) == "met"
    assert criteria.verdict("exact", 0.05 + 3.1 * error, 0.05, 10_000) == "not met"
    assert criteria.verdict("conservative", 0.01, 0.05, 10_000) == "met"
    assert criteria.verdict("conservative", 0.05 + 3.1 * error, 0.05, 10_000) == "not met"
    assert criteria.verdict("approximate", 0.064, 0.05, 10_000) == "met"
    assert criteria.verdict("approximate", 0.068, 0.05, 10_000) == "within error"
    assert criteria.verdict("approximate", 0.075, 0.05, 10_000) == "not met"
    assert criteria.verdict("approximate", 0.03, 0.05, 10_000) == "not met"
    assert criteria.verdict("approximate", 0.03, 0.031, 10_000) == "met"


def test_real_rates_are_counted_by_market_and_volatility() -> None:
    found = pd.DataFrame({"market": "A", "test": "placebo", "volatility": np.arange(9.0)})
    found["p_value"] = [0.01, 1, 1, 0.05, 1, 1, 0.1, 0.02, 1]
    found["instant"] = [f"2020-{month:02d}-01" for month in (1, 1, 2, 2, 3, 3, 4, 4, 4)]
    errors = real_returns.rates(found).set_index(["group", "level"])["mc_se"]
    months = [1 - 2 / 3, 1 - 2 / 3, 0 - 2 / 3, 1 - 3 / 3]  # rejected less a third of the days, by month
    assert errors["all", 0.05] == pytest.approx(np.sqrt(np.square(months).sum()) / 9)
    rates = real_returns.rates(found).set_index(["group", "level"])["value"]
    assert rates["all", 0.05] == pytest.approx(3 / 9)
    assert rates["all", 0.10] == pytest.approx(4 / 9)
    assert [rates[third, 0.05] for third in ("low", "middle", "high")] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    instants = real_returns.random_instants(50, seed=1)
    assert instants == real_returns.random_instants(50, seed=1)
    assert min(instants) >= "2012-01-01" and max(instants) < "2025-12-01"
