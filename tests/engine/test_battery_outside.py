"""The batched battery against other programs, and against ``event_study`` on the bundled series."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction.battery.registry import EVENTS, MARKETS
from market_reaction.engine import CrossSectionTests, Panel, battery, linear
from reference.studies import ESTUDY2_MODELS, EVENTSTUDY_MODELS, FORESTS, covid, eventstudy, forest, rows_of, terror
from reference.studies import Panel as Study

EXACT = 1e-9
SHARES = (
    "AMD", "Apple", "Bank of America", "Best Buy", "Chevron", "General Electric", "Home Depot", "Johnson & Johnson",
    "JPMorgan Chase", "Coca-Cola", "Eli Lilly", "Merck", "Microsoft", "PepsiCo", "Pfizer", "Procter & Gamble",
)  # fmt: skip
ESTIMATION, WINDOWS = (-130, -11), ((0, 1), (0, 5))


def run_on(study: Study, windows: list[tuple[int, int]], *, one_date: bool) -> CrossSectionTests:
    """The battery on the arrays of a study, in sessions of their own for events on different dates."""
    first = -study.length
    width = study.length + len(study.days)
    blocks = 1 if one_date else len(study.cases)
    returns, factor = np.full((len(study.cases), blocks * width), np.nan), np.full(blocks * width, np.nan)
    days = np.empty(len(study.cases), dtype=int)
    for number, case in enumerate(study.cases):
        start = 0 if one_date else number * width
        returns[number, start : start + width] = np.concatenate([case.estimation, case.event])
        factor[start : start + width] = np.concatenate([case.benchmark, case.benchmark_event])
        days[number] = start + study.length
    factors = None if study.model == "constant_mean" else factor
    return battery(
        Panel(returns, factors=factors), np.arange(len(days)), days, model=study.model, estimation=(first, -1),
        windows=windows,
    )  # fmt: skip


def day_windows(study: Study) -> tuple[list[tuple[int, int]], dict[str, int]]:
    """Each event day, the windows from the first day to each, and the place of each by name."""
    count = len(study.days)
    windows = [(day, day) for day in range(count)] + [(0, day) for day in range(count)]
    places = {f"day {day}": at for at, day in enumerate(study.days)}
    return windows, places | {f"cumulative {day}": count + at for at, day in enumerate(study.days)}


@pytest.mark.reference
@pytest.mark.parametrize("model", EVENTSTUDY_MODELS)
@pytest.mark.parametrize(
    "dataset",
    [
        "sp500additions_w-2_2_L120 log",
        "forest14_19990505_w-3_3_L250 simple",
        "forest14_19900622_w-3_3_L110 simple",
        "covid5_w0_4_L240 log",
    ],
)
def test_r_eventstudy(reference: Path, dataset: str, model: str) -> None:
    """Their BMP and KP leave out the forecast error, which cancels only where all events share a date."""
    one_date = not dataset.startswith("sp500")
    label = f"{dataset} {model}"
    study = eventstudy(reference / "reference", label)
    theirs = rows_of(pd.read_csv(reference / "reference/EventStudy/output_multi_event_tests.csv"), label)
    windows, places = day_windows(study)
    found = run_on(study, windows, one_date=one_date)
    names = {"CSectT": "cross_section_t", "SignT": "sign_test", "GSignT": "generalized_sign_z"}
    daily = {"PatellZ": "patell_z"} | ({"BMP": "bmp_t", "KP": "kolari_pynnonen_t"} if one_date else {})
    compared = 0
    for row in theirs.itertuples():
        name = names.get(row.test) or (row.level == "day" and "Adjusted" not in model and daily.get(row.test))
        name = daily.get(row.test) if model.startswith("Comparison") and row.level == "day" and not name else name
        if name and row.n == len(study.cases):
            mine = found[name][places[f"{'day' if row.level == 'day' else 'cumulative'} {row.day}"]]
            if mine.applies:
                assert mine.statistic == pytest.approx(row.statistic, rel=EXACT, abs=1e-12), (row.test, row.day)
                compared += 1
    assert compared >= 6 * len(study.days)


@pytest.mark.reference
@pytest.mark.parametrize(("date", "length"), [(19990505, 250), (19900622, 110)])
@pytest.mark.parametrize("model", ESTUDY2_MODELS)
def test_r_estudy2(reference: Path, date: int, length: int, model: str) -> None:
    study = forest(reference / "reference", ESTUDY2_MODELS[model], date, 3, length)
    windows, places = day_windows(study)
    found = run_on(study, windows, one_date=True)
    daily = pd.read_csv(reference / "reference/estudy2/forest14_output_daily_tests.csv")
    names = {"t_test": "cross_section_t", "bh": "bmp_t", "sign": "sign_test", "gsign": "generalized_sign_z"}
    daily = daily.query("est_len == @length and model == @model and test in @names")
    assert len(daily) == (28 if model == "sim" else 21)  # BMP for the market model alone
    for row in daily.itertuples():
        mine = found[names[row.test]][places[f"day {row.day}"]]
        assert mine.statistic == pytest.approx(row.statistic, rel=EXACT), (row.test, row.day)
    whole = pd.read_csv(reference / "reference/estudy2/forest14_output_car_tests.csv")
    whole = whole.query("est_len == @length and model == @model").set_index("name").statistic
    assert found["corrado_rank"][-1].statistic == pytest.approx(whole["car_rank_test"], rel=EXACT)
    without_forecast_error = found["portfolio_t"][-1].statistic * np.sqrt(1 + 7 / length)
    if model != "mrkt_adj":  # theirs takes the mean of the residuals off there too
        assert without_forecast_error == pytest.approx(whole["car_brown_warner_1985"], rel=EXACT)


@pytest.mark.reference
@pytest.mark.parametrize("label", [*(f"forest14_{name}" for name in FORESTS), "covid_complete5", "covid_missing7"])
@pytest.mark.parametrize("model", ["mm:market", "mean:constant_mean"])
def test_formulas_of_the_papers(reference: Path, label: str, model: str) -> None:
    short, _, long = model.partition(":")
    folder = reference / "reference"
    is_covid = label.startswith("covid")
    study = covid(folder, label[6:], long) if is_covid else forest(folder, long, *FORESTS[label[9:]])
    found = run_on(study, [(0, len(study.days) - 1)], one_date=True)
    table = pd.read_csv(folder / "_crosscheck/paper_formulas_numpy.csv")
    whole = f"[{study.days[0]},{study.days[-1]}]"
    table = table[(table.dataset == f"{label}:{short}") & (table.day_or_window == whole)]
    table = table[table.variant.isin(["paper", "full_cumulative_forecast_error", "gamma=unbiased_G1"])]
    theirs = table.set_index("test").value
    names = {
        "cross_sectional_t": "cross_section_t", "patell": "patell_z", "bmp": "bmp_t", "sign": "sign_test",
        "kolari_pynnonen_2010": "kolari_pynnonen_t", "generalized_sign_cowan_1992": "generalized_sign_z",
        "skewness_adjusted_johnson_hall": "skewness_adjusted_t", "corrado_rank_cowan_window": "corrado_zivney_rank",
    }  # fmt: skip
    if label.endswith("missing7"):  # averages of ranks weigh unequal histories otherwise, and correlations by pairs
        names = {key: name for key, name in names.items() if key[:2] in ("cr", "pa", "si", "ge")}
    compared = 0
    for key, name in names.items():
        if found[name][0].applies and key in theirs.index:
            assert found[name][0].statistic == pytest.approx(theirs[key], rel=EXACT), key
            compared += 1
    assert compared >= 4


@pytest.mark.reference
def test_generalised_ranks_of_33_indices_are_the_papers_formulas(reference: Path, monkeypatch) -> None:
    study = terror(reference / "reference")
    monkeypatch.setattr(linear, "MINIMUM_DF", 19)  # 20 returns, one fewer degree of freedom than we accept
    table = pd.read_csv(reference / "reference/_crosscheck/paper_formulas_numpy.csv")
    table = table[(table.dataset == "terror33_w-10_10_L20:mean") & table.test.str.startswith("grank")]
    bounds = [[int(day) for day in str(row).strip("[]").split(",")] for row in table.day_or_window]
    windows = [(pair[0] + 10, pair[-1] + 10) for pair in bounds]
    found = run_on(study, windows, one_date=False)
    assert len(table) >= 4
    for at, row in enumerate(table.itertuples()):
        name = "grank_t" if row.test.startswith("grank_t") else "grank_z"
        assert found[name][at].statistic == pytest.approx(row.value, rel=EXACT)


@pytest.fixture(scope="module")
def shares() -> mr.PriceData:
    return mr.load_prices([*SHARES, "S&P 500"], source="bundled", start="2018-01-01", end="2022-12-28")


def panel_of(prices: mr.PriceData) -> Panel:
    """Log returns of the shares with the index as factor; all have the sessions of the index."""
    sessions = prices["S&P 500"].sessions
    assert all(prices[name].sessions.equals(sessions) for name in SHARES)
    return Panel([prices[name].returns("log") for name in SHARES], factors=prices["S&P 500"].returns("log"))


def study_of(prices: mr.PriceData, events: dict[str, str], markets: tuple[str, ...], model: str) -> mr.EventStudyResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows of poor quality are no matter here
        return mr.event_study(
            prices, mr.load_events(events), markets=list(markets), normal_model=model, returns="log",
            windows=mr.EventWindows(ESTIMATION, WINDOWS),
            **({"benchmark": "S&P 500"} if model == "market" else {}),
        )  # fmt: skip


def assert_as_study(found: CrossSectionTests, number: int, theirs: pd.DataFrame, leave_out: set[str]) -> None:
    compared = 0
    for row in theirs.itertuples():
        if row.test in found.tests and row.test not in leave_out:
            mine = found[row.test][number]
            pair = (mine.statistic, mine.p_value)
            assert pair == pytest.approx((row.statistic, row.p_value), rel=1e-8, abs=1e-12, nan_ok=True), row.test
            assert mine.n == row.n, row.test
            compared += 1
    assert compared >= 10


@pytest.mark.parametrize("model", ["market", "constant_mean"])
def test_one_announcement_on_many_shares_is_the_battery_of_event_study(shares: mr.PriceData, model: str) -> None:
    study = study_of(shares, {"e": "2019-05-10 14:00 UTC"}, SHARES, model)
    days = np.array([pair.position for pair in study.pairs.values()])
    assert len(set(days)) == 1
    found = battery(panel_of(shares), np.arange(len(SHARES)), days, model=model, estimation=ESTIMATION, windows=WINDOWS)
    for number, window in enumerate(WINDOWS):
        frame = study.tests(tuple(found.tests), window=window)
        assert_as_study(found, number, frame[frame["setting"] == MARKETS], set())


def test_many_announcements_on_one_share_are_the_battery_of_event_study(shares: mr.PriceData) -> None:
    """Forty dates, so that there are generalised ranks too. Signed ranks there are of CARs, and KP is BMP in both."""
    events = {
        f"e{at}": f"{day:%Y-%m-%d} 15:00 UTC"
        for at, day in enumerate(pd.bdate_range("2019-01-16", freq="24B", periods=40))
    }
    study = study_of(shares, events, ("Apple",), "market")
    days = np.array([pair.position for pair in study.pairs.values()])
    asset = np.full(40, SHARES.index("Apple"))
    found = battery(panel_of(shares), asset, days, estimation=ESTIMATION, windows=WINDOWS)
    frame = study.tests(tuple(found.tests), window=(0, 1))
    assert_as_study(found, 0, frame[frame["setting"] == EVENTS], {"wilcoxon"})
    assert found["grank_t"][0].applies
    assert "bmp_t is the same test" in found["kolari_pynnonen_t"][0].note
