"""The numbers of an event do not depend, to the last bit, on what else is computed or how the work is split."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.panels import MODELS, make_case
from market_reaction.engine import AbnormalReturns, Panel, abnormal_returns
from market_reaction.engine import job as engine_job
from market_reaction.engine import kernels as engine_kernels

FIELDS = (
    "coefficients", "residual_std", "df", "n_used", "ar", "car", "car_std_error", "n_known", "fell_back",
    "ar_std_error",
)  # fmt: skip
WINDOWS = ((-3, 5), (0, 1), (0, 0))
CASES = pytest.mark.parametrize(
    ("model", "factors"), [*((model, 1) for model in MODELS), ("factors", 3), ("factors", 9)]
)
BOTH = pytest.mark.parametrize("kernel", ["gather", "sums"])
PATHS = pytest.mark.parametrize("paths", [True, False])


def assert_same_bits(one: AbnormalReturns, two: AbnormalReturns, at: object = slice(None)) -> None:
    for name in FIELDS:
        left, right = getattr(one, name), getattr(two, name)
        assert (left is None) == (right is None)
        if left is not None:
            np.testing.assert_array_equal(left, right[at], err_msg=name)


def spoilt_case(factors):
    """A case with outliers, so that some events fall back."""
    case = make_case(factors=factors, events=300)
    returns = case.panel.returns.copy()
    returns[0, 60] = returns[1, 200] = 1e4
    return case._replace(panel=Panel(returns, factors=case.panel.factors))


@BOTH
@PATHS
@CASES
def test_one_event_alone(model, factors, paths, kernel):
    case = spoilt_case(factors)
    options = {"model": model, "windows": WINDOWS, "kernel": kernel, "paths": paths}
    whole = abnormal_returns(case.panel, case.assets, case.days, **options)
    if kernel == "sums":
        assert whole.fell_back.any() and not whole.fell_back.all()
    for at in range(0, 300, 7):
        alone = abnormal_returns(case.panel, case.assets[at : at + 1], case.days[at : at + 1], **options)
        assert_same_bits(alone, whole, slice(at, at + 1))


@BOTH
@PATHS
@CASES
def test_blocks_of_securities_and_order(model, factors, paths, kernel):
    case = spoilt_case(factors)
    options = {"model": model, "windows": WINDOWS, "kernel": kernel, "paths": paths}
    whole = abnormal_returns(case.panel, case.assets, case.days, **options)
    for rows in ([0], [3, 1], [2, 4, 5]):
        at = np.flatnonzero(np.isin(case.assets, rows))[::-1]
        part = Panel(case.panel.returns[rows], factors=case.panel.factors)
        mine = np.array([rows.index(asset) for asset in case.assets[at]])
        assert_same_bits(abnormal_returns(part, mine, case.days[at], **options), whole, at)


@BOTH
@PATHS
@CASES
def test_threads_and_sizes_of_blocks(model, factors, paths, kernel, monkeypatch):
    case = spoilt_case(factors)
    options = {"model": model, "windows": WINDOWS, "kernel": kernel, "paths": paths}
    whole = abnormal_returns(case.panel, case.assets, case.days, threads=1, **options)
    monkeypatch.setattr(engine_kernels, "_BLOCK", 13)
    monkeypatch.setattr(engine_kernels, "GATHERED", 17 * 120)
    monkeypatch.setattr(engine_job, "GATHERED", 17 * 120)
    case.panel.release()
    assert_same_bits(abnormal_returns(case.panel, case.assets, case.days, threads=3, **options), whole)


def read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


@BOTH
@PATHS
@pytest.mark.parametrize(
    "laid_out",
    [
        np.asfortranarray,
        lambda values: values.astype(">f8"),
        lambda values: np.repeat(values, 2, -1)[..., ::2],
        read_only,
    ],
    ids=["by columns", "big-endian", "every other", "read-only"],
)
def test_layout_of_the_inputs_in_memory(laid_out, paths, kernel):
    case = spoilt_case(1)
    factors, skip = case.panel.factors[:, 0], np.arange(case.panel.n_sessions) % 17 == 0
    options = {"windows": WINDOWS, "kernel": kernel, "paths": paths}
    whole = abnormal_returns(Panel(case.panel.returns, factors, skip), case.assets, case.days, **options)
    panel = Panel(laid_out(case.panel.returns), laid_out(factors), read_only(skip))
    days = case.days.astype(">i4")
    assert_same_bits(abnormal_returns(panel, read_only(case.assets), days, **options), whole)


@BOTH
@PATHS
def test_a_result_does_not_change_with_the_arrays_it_came_from(paths, kernel):
    case = make_case()
    found = abnormal_returns(case.panel, case.assets, case.days, windows=WINDOWS, kernel=kernel, paths=paths)
    errors, days = found.ar_std_error, case.days.copy()
    case.days[:] = 0
    np.testing.assert_array_equal(found.ar_std_error, errors)
    np.testing.assert_array_equal(found.days, days)


def test_several_threads_may_ask_one_panel():
    case = spoilt_case(1)
    options = {"windows": WINDOWS, "kernel": "sums", "threads": 2}
    expected = {model: abnormal_returns(case.panel, case.assets, case.days, model=model, **options) for model in MODELS}
    panel = Panel(case.panel.returns, case.panel.factors)

    def ask(number: int) -> None:
        model, at = MODELS[number % len(MODELS)], slice(number, None, 7)
        if number % 11 == 0:
            panel.release()
        found = abnormal_returns(panel, case.assets[at], case.days[at], model=model, **options)
        assert panel.sums_bytes >= 0
        assert_same_bits(found, expected[model], at)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(150)))


@BOTH
def test_other_events_do_not_matter_on_a_large_panel(kernel):
    rng = np.random.default_rng(5)
    market = rng.normal(0, 0.01, 2500)
    panel = Panel(market + rng.normal(0, 0.02, (40, 2500)), factors=market)
    assets, days = rng.integers(0, 40, 9000), rng.integers(250, 2500, 9000)
    options = {"estimation": (-260, -11), "windows": ((-10, 10), (0, 1)), "kernel": kernel}
    whole = abnormal_returns(panel, assets, days, **options)
    at = rng.permutation(9000)[:2777]
    assert_same_bits(abnormal_returns(panel, assets[at], days[at], threads=2, **options), whole, at)
