"""The batched engine gives what a least-squares fit of one event after the other gives, by either kernel."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from engine.panels import MODELS, Case, make_case, slow_fit, slow_paths
from market_reaction.engine import KERNELS, Panel, abnormal_returns, battery, choose_kernel
from market_reaction.errors import WindowError

ESTIMATION = (-130, -11)
WINDOWS = ((-3, 5), (0, 1))
BOTH = pytest.mark.parametrize("kernel", ["gather", "sums"])


def shifts(model: str) -> dict[str, int]:
    return {"lags": 1, "leads": 2} if model == "dimson" else {}


def with_gaps(case: Case) -> Case:
    """The same with missing factors, and sessions to skip."""
    factors = case.panel.factors.copy()
    factors[[150, 151, 260, 350]] = np.nan
    skip = np.zeros(case.panel.n_sessions, dtype=bool)
    skip[[140, 200, 201, 300]] = True
    return case._replace(panel=Panel(case.panel.returns, factors=factors, skip=skip))


def with_own_skip(case: Case) -> Case:
    """The same with sessions to skip that differ between securities."""
    skip = np.random.default_rng(9).random(case.panel.returns.shape) < 0.1
    skip[:2] = False
    return case._replace(panel=Panel(case.panel.returns, factors=case.panel.factors, skip=skip))


@BOTH
@pytest.mark.parametrize("change", [lambda case: case, with_gaps, with_own_skip], ids=["plain", "gaps", "own skip"])
@pytest.mark.parametrize("model", MODELS)
def test_paths_are_those_of_one_event(model, change, kernel):
    case = change(make_case())
    found = abnormal_returns(
        case.panel, case.assets, case.days, model=model, windows=WINDOWS, kernel=kernel, **shifts(model)
    )
    slow = slow_paths(case, model, ESTIMATION, found.taus, **shifts(model))
    assert np.isfinite(slow).sum() > 300
    np.testing.assert_allclose(found.ar, slow, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(np.isnan(found.ar), np.isnan(slow))
    assert list(found.taus) == list(range(-3, 6))
    assert not found.fell_back.any()


@BOTH
@pytest.mark.parametrize("change", [lambda case: case, with_gaps, with_own_skip], ids=["plain", "gaps", "own skip"])
@pytest.mark.parametrize("model", MODELS)
def test_fits_and_standard_errors_are_those_of_one_event(model, change, kernel):
    case = change(make_case())
    found = abnormal_returns(
        case.panel, case.assets, case.days, model=model, windows=WINDOWS, kernel=kernel, **shifts(model)
    )
    for at, (asset, day) in enumerate(zip(case.assets, case.days, strict=True)):
        for number, window in enumerate(WINDOWS):
            slow = slow_fit(case.panel, asset, day, model, ESTIMATION, window, **shifts(model))
            if slow is None:
                assert found.df[at] == 0
                assert np.isnan(found.residual_std[at]) and np.isnan(found.coefficients[at]).all()
                assert np.isnan(found.car[at, number]) and np.isnan(found.car_std_error[at, number])
                continue
            whole = np.isfinite(slow["ar"])
            assert (found.df[at], found.n_used[at]) == (slow["df"], slow["n_used"])
            assert found.n_known[at, number] == whole.sum()
            np.testing.assert_allclose(found.coefficients[at], slow["coefficients"], rtol=1e-10, atol=1e-15)
            np.testing.assert_allclose(found.residual_std[at], slow["residual_std"], rtol=1e-12)
            np.testing.assert_allclose(found.car[at, number], slow["car"], rtol=0, atol=1e-15)
            error = slow["car_std_error"] if whole.all() else np.nan
            np.testing.assert_allclose(found.car_std_error[at, number], error, rtol=1e-12)
            if number == 0:
                errors = np.where(whole, slow["ar_std_error"], np.nan)
                np.testing.assert_allclose(found.ar_std_error[at], errors, rtol=1e-12)
                np.testing.assert_allclose(found.sar[at], slow["ar"] / slow["ar_std_error"], rtol=1e-9)


@BOTH
@pytest.mark.parametrize("factors", [2, 3, 8])
def test_several_factors(factors, kernel):
    case = make_case(factors=factors)
    found = abnormal_returns(case.panel, case.assets, case.days, model="factors", windows=WINDOWS, kernel=kernel)
    np.testing.assert_allclose(found.ar, slow_paths(case, "factors", ESTIMATION, found.taus), rtol=0, atol=2e-15)
    for at in range(0, len(case.days), 5):
        slow = slow_fit(case.panel, case.assets[at], case.days[at], "factors", ESTIMATION, WINDOWS[0])
        if slow is not None and np.isfinite(slow["car"]):
            np.testing.assert_allclose(found.car_std_error[at, 0], slow["car_std_error"], rtol=1e-11)
            np.testing.assert_allclose(found.coefficients[at], slow["coefficients"], rtol=1e-9, atol=1e-14)


@BOTH
def test_collinear_and_constant_factors_give_nan(kernel):
    rng = np.random.default_rng(3)
    one = rng.normal(0, 0.01, 400)
    two = 2 * one
    two[300:] += rng.normal(0, 0.01, 100)
    case = Case(Panel(rng.normal(0, 0.02, (2, 400)), factors=np.column_stack([one, two])), np.zeros(390, int),
                np.arange(390))  # fmt: skip
    found = abnormal_returns(case.panel, case.assets, case.days, model="factors", windows=WINDOWS, kernel=kernel)
    slow = slow_paths(case, "factors", ESTIMATION, found.taus)
    np.testing.assert_array_equal(np.isnan(found.ar), np.isnan(slow))
    assert (found.df[130:311] == 0).all() and (found.df[312:] > 0).all()
    flat = Panel(case.panel.returns, factors=np.full(400, 0.003))
    assert np.isnan(abnormal_returns(flat, [0], [200], kernel=kernel).car).all()


@BOTH
def test_too_few_returns_give_nan(kernel):
    returns = np.random.default_rng(0).normal(0, 0.02, (1, 200))
    returns[0, 20:80] = np.nan
    panel = Panel(returns, factors=np.random.default_rng(1).normal(0, 0.01, 200))
    found = abnormal_returns(panel, [0, 0], [140, 141], windows=[(0, 1)], kernel=kernel)  # 60 and 61 of 120 known
    assert list(found.n_used) == [60, 60] and list(found.df) == [58, 58]
    found = abnormal_returns(panel, [0], [140], estimation=(-131, -11), windows=[(0, 1)], kernel=kernel)
    assert found.n_used[0] == 61
    found = abnormal_returns(panel, [0], [100], estimation=(-100, -11), windows=[(0, 1)], kernel=kernel)
    assert found.n_used[0] == 30 and found.df[0] == 0 and np.isnan(found.car).all()
    found = abnormal_returns(panel, [0], [20], estimation=(-20, -1), windows=[(0, 1)], kernel=kernel)
    assert found.n_used[0] == 20 and found.df[0] == 0


@BOTH
@pytest.mark.parametrize("model", MODELS)
def test_sums_alone_give_the_same_cars(model, kernel):
    case = make_case()
    options = {"model": model, "windows": WINDOWS, "kernel": kernel, **shifts(model)}
    whole = abnormal_returns(case.panel, case.assets, case.days, **options)
    found = abnormal_returns(case.panel, case.assets, case.days, paths=False, **options)
    assert found.ar is None and found.sar is None
    np.testing.assert_allclose(found.car, whole.car, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(found.n_known, whole.n_known)
    np.testing.assert_array_equal(found.car_std_error, whole.car_std_error)
    np.testing.assert_allclose(found.scar, whole.scar, rtol=1e-9)
    known = np.isfinite(whole.ar)
    np.testing.assert_array_equal(found.ar_std_error[known], whole.ar_std_error[known])


def test_sums_are_built_for_the_securities_asked_for_and_kept():
    case = make_case()
    abnormal_returns(case.panel, [1], [200], kernel="sums")
    some = case.panel.sums_bytes
    abnormal_returns(case.panel, [1], [250], kernel="sums")
    assert case.panel.sums_bytes == some > 0
    abnormal_returns(case.panel, case.assets, case.days, kernel="sums")
    assert case.panel.sums_bytes > 3 * some
    case.panel.release()
    assert case.panel.sums_bytes == 0


def test_the_kernel_follows_the_number_of_events():
    panel = make_case(assets=50, sessions=1000).panel
    assert choose_kernel(panel, 10) == "gather"
    assert choose_kernel(panel, 10_000) == "sums"
    abnormal_returns(panel, np.arange(50), np.full(50, 500), kernel="sums")
    assert choose_kernel(panel, 200) == "sums"
    assert abnormal_returns(panel, np.arange(50), np.full(50, 500)).kernel == choose_kernel(panel, 50) == "sums"


def test_no_events_and_a_panel_that_is_too_short():
    panel = make_case().panel
    for kernel in KERNELS:
        assert len(abnormal_returns(panel, np.empty(0, int), np.empty(0, int), kernel=kernel)) == 0
        short = abnormal_returns(Panel(np.zeros((2, 50)), factors=np.zeros(50)), [0, 1], [3, 49], kernel=kernel)
        assert np.isnan(short.ar).all() and (short.df == 0).all() and (short.n_known == 0).all()
        assert np.isnan(short.ar_std_error).all()


def test_an_event_at_the_last_session_and_beyond():
    case = make_case(missing=0.0)
    days = np.array([419, 418, 420, 129])
    for kernel in KERNELS[1:]:
        found = abnormal_returns(case.panel, np.zeros(4, int), days, windows=(0, 1), kernel=kernel, outside="nan")
        assert np.isfinite(found.ar[:2, 0]).all() and np.isnan(found.ar[0, 1])
        assert list(found.n_known[:, 0]) == [1, 2, 0, 0]
        assert list(found.df > 0) == [True, True, False, False]


@BOTH
def test_days_at_the_ends_of_the_integers_lie_outside_the_panel(kernel):
    case, ends = make_case(), np.iinfo(np.int64)
    found = abnormal_returns(case.panel, [0, 0, 0], [ends.min, ends.max, 300], kernel=kernel, outside="nan")
    assert list(found.df > 0) == [False, False, True]
    assert list(np.isnan(found.ar_std_error).all(axis=1)) == [True, True, False]


@BOTH
def test_all_securities_on_the_last_session(kernel):
    case = make_case(assets=40)
    days = np.full(40, 419)
    found = abnormal_returns(case.panel, np.arange(40), days, windows=WINDOWS, kernel=kernel)
    slow = slow_paths(case._replace(assets=np.arange(40), days=days), "market", ESTIMATION, found.taus)
    np.testing.assert_allclose(found.ar, slow, rtol=0, atol=1e-15)
    assert np.isnan(found.ar[:, 4:]).all() and np.isfinite(found.ar[:, 3]).sum() > 30


@BOTH
@pytest.mark.parametrize("model", ["constant_mean", "market", "market_adjusted"])
def test_without_a_spread_there_is_no_standardised_return(model, kernel):
    case = make_case(missing=0.0)
    market = case.panel.factors[:, 0]
    returns = case.panel.returns.copy()
    returns[0, 150:310] = 0.0  # did not trade, and its source says zero
    returns[1] = market
    options = {"model": model, "windows": [(0, 15)], "kernel": kernel}
    found = abnormal_returns(Panel(returns, factors=market), [0, 1, 2], [300, 300, 300], **options)
    spread = {"constant_mean": [0, 1, 1], "market": [0, 0, 1], "market_adjusted": [1, 0, 1]}[model]
    assert list(found.residual_std > 0) == list(np.isfinite(found.scar[:, 0])) == spread
    assert list(np.isfinite(found.sar).all(axis=1)) == spread
    assert np.isfinite(found.car).all() and (found.df > 0).all()


@BOTH
@pytest.mark.parametrize("value", [1e100, 1e160, -1e300])
@pytest.mark.parametrize("paths", [True, False])
def test_returns_too_large_to_square(paths, value, kernel):
    case = make_case(missing=0.0)
    returns = case.panel.returns.copy()
    returns[0, 200] = value
    events = np.array([0, 0, 0, 1]), np.array([190, 250, 400, 250])
    found = abnormal_returns(Panel(returns, factors=case.panel.factors), *events, kernel=kernel, paths=paths)
    plain = abnormal_returns(case.panel, *events, kernel="gather")
    others = [0, 2, 3]  # the window of the second alone holds it
    np.testing.assert_allclose(found.scar[others], plain.scar[others], rtol=1e-9)
    assert found.df[1] == (118 if value == 1e100 else 0)
    assert np.isnan(found.scar[1]).all() == (value != 1e100)


@pytest.mark.parametrize("sessions", range(1, 8))
def test_a_panel_of_few_sessions(sessions):
    for kernel in KERNELS:
        panel = Panel(np.full((2, sessions), 0.01), factors=np.zeros(sessions))
        np.testing.assert_array_equal(panel.centre, [0.01, 0.01])
        assert np.isnan(abnormal_returns(panel, [0, 1], [0, sessions - 1], kernel=kernel).car).all()


def test_a_panel_can_be_copied_and_sent():
    case = make_case()
    abnormal_returns(case.panel, case.assets, case.days, kernel="sums")
    sent = pickle.loads(pickle.dumps(case.panel))
    assert sent.sums_bytes == 0
    found, again = (abnormal_returns(panel, case.assets, case.days, kernel="sums") for panel in (case.panel, sent))
    np.testing.assert_array_equal(found.car, again.car)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "garch"}, "model='garch' is not one of the engine's; choose one of constant_mean"),
        ({"kernel": "sum"}, "kernel='sum' is not known; .*'sums'"),
        ({"model": "market", "lags": 1}, "'market' takes no lags or leads; lags=1, leads=0 given. Use 'dimson'"),
        ({"model": "dimson", "lags": -1}, "lags=-1 and leads=0: give 0 or a positive"),
        ({"windows": ()}, "windows holds no window"),
        ({"windows": [(2, 1)]}, r"windows=\(2, 1\) is no window"),
        ({"windows": [(0, 1.5)]}, r"windows=\(0, 1.5\) is not in whole sessions; give two integers"),
        ({"estimation": (-130, 0)}, r"share session 0. End estimation at -1 or earlier"),
        ({"windows": 5}, r"windows=5 holds no pairs; give offsets such as \[\(0, 1\)"),
        ({"windows": [5]}, r"windows=\[5\] holds no pairs"),
        ({"windows": (1, 0)}, r"windows=\(1, 0\) is no window; give \(first, last\)"),
        ({"outside": "NaN"}, "outside='NaN' is not known; .*choose one of"),
        ({"threads": 0}, "threads=0: give 1 or more"),
    ],
)
def test_bad_arguments(change, message):
    case = make_case()
    with pytest.raises(WindowError, match=message):
        abnormal_returns(case.panel, case.assets, case.days, **change)


def test_what_a_masked_array_hides_is_missing():
    values = np.random.default_rng(3).normal(0, 0.01, (2, 300))
    hidden = np.zeros(values.shape, dtype=bool)
    hidden[0, 150:155] = hidden[1, 201] = True
    panel = Panel(np.ma.masked_array(values, hidden))
    np.testing.assert_array_equal(panel.returns, np.where(hidden, np.nan, values))
    found = abnormal_returns(panel, [0, 1], [200, 200], model="constant_mean", windows=[(0, 0), (0, 1)])
    assert found.n_used.tolist() == [115, 120] and np.isnan(found.car).tolist() == [[False, False], [False, True]]
    shared = Panel(values, factors=np.ma.masked_equal([1.0] * 299 + [2.0], 2.0)).factors
    assert shared is not None and np.isnan(shared[-1, 0])


def test_bad_events_and_panels():
    panel = make_case(factors=2).panel
    with pytest.raises(WindowError, match=r"'market' takes one factor; the panel has 2. Use 'factors'"):
        abnormal_returns(panel, [0], [200])
    with pytest.raises(WindowError, match="2 events name securities outside the panel, first 6; it has rows 0 to 5"):
        abnormal_returns(panel, [0, 6, -1], [200, 200, 200], model="factors")
    for day in (420, -5, 10**9):
        with pytest.raises(WindowError, match=f"1 events have a day outside the panel, first {day}; it has sessions 0"):
            abnormal_returns(panel, [0, 1], [200, day], model="factors")
    with pytest.raises(WindowError, match=r"returns is no rectangle of numbers .*frame.to_numpy\(dtype=float\).T"):
        Panel([["a"]])
    with pytest.raises(WindowError, match="returns is no rectangle of numbers"):
        Panel([[0.1, 0.2], [0.1]])
    with pytest.raises(WindowError, match="factors is no rectangle of numbers"):
        Panel([[0.1, 0.2]], factors=["x", "y"])
    with pytest.raises(WindowError, match=r"assets has shape \(1,\) and days \(2,\)"):
        abnormal_returns(panel, [0], [200, 201], model="factors")
    with pytest.raises(WindowError, match="days is of type float64; give integers"):
        abnormal_returns(panel, [0], [200.0], model="factors")
    with pytest.raises(WindowError, match="needs factors; give Panel"):
        abnormal_returns(Panel([[0.1, 0.2]]), [0], [1])
    with pytest.raises(WindowError, match=r"returns has shape \(3,\); give \(securities, sessions\)"):
        Panel([0.1, 0.2, 0.3])
    with pytest.raises(WindowError, match=r"factors has shape \(3, 1\); the returns have 2 sessions"):
        Panel([[0.1, 0.2]], factors=[1.0, 2.0, 3.0])
    with pytest.raises(WindowError, match=r"skip has shape \(2,\) and type int64; give bool of shape"):
        Panel([[0.1, 0.2]], skip=[0, 1])
    with pytest.raises(WindowError, match="returns of security 1 hold 1 infinite values"):
        Panel([[0.1, 0.2], [0.1, np.inf]])
    with pytest.raises(WindowError, match="factors holds 1 infinite values"):
        Panel([[0.1, 0.2]], factors=[np.inf, 0.0])
    assert repr(Panel([[0.1, 0.2]])) == "Panel(1 securities x 2 sessions, 0 factors, 0 bytes of sums)"


def test_a_result_without_a_usable_event_says_why():
    panel = make_case(missing=0.0).panel
    short = abnormal_returns(Panel(panel.returns[:, :50]), [0], [40], model="constant_mean")
    assert "0 usable" in repr(short)
    assert "no estimation window fits: 50 sessions, 130 needed before day 0; is the panel transposed?" in repr(short)
    early = abnormal_returns(panel, [0, 1], [60, 129])
    assert early.none_usable == "no estimation window fits: 129 sessions before the latest day 0, 130 needed"
    late = abnormal_returns(panel, [0], [420], outside="nan")
    assert late.none_usable == "every day lies outside the panel, which has sessions 0 to 419"
    empty = abnormal_returns(Panel(np.full((1, 420), np.nan)), [0], [300], model="constant_mean")
    assert empty.none_usable.startswith("the estimation windows hold too few returns")
    assert abnormal_returns(panel, [0], [300]).none_usable == ""
    assert "is the panel transposed?" in repr(battery(Panel(panel.returns[:, :50]), [0], [40], model="constant_mean"))
