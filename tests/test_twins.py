"""Two quotes of one thing: the paired t of scipy, good news turned round, and markets that cannot be compared."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction.errors import DataUnavailableError, UnknownInstrumentError, WindowError
from market_reaction.unavailable import NotAvailable

DIRECTIONS = ["escalation", "de-escalation", "escalation", "mixed"] * 4


@pytest.fixture(scope="module")
def study() -> mr.EventStudyResult:
    closes = seeded_closes(seed=4, columns=2)
    days = closes.index[150 : 150 + 12 * len(DIRECTIONS) : 12]
    events = mr.load_events({f"e{i:02d}": f"{day:%Y-%m-%d} 12:00 New York" for i, day in enumerate(days)})
    return mr.event_study(
        price_data(closes), events.assign(direction=DIRECTIONS), windows=mr.EventWindows(event=(0, 0))
    )


def test_the_difference_is_a_paired_t_with_good_news_turned_round(study: mr.EventStudyResult) -> None:
    found = mr.twin_moves(study, "m0", "m1")
    cars = study.car((0, 0))["estimate"].unstack("market")
    turn = np.array([{"escalation": 1, "de-escalation": -1, "mixed": 0}[side] for side in DIRECTIONS])
    one, two = ((turn * cars[name].to_numpy())[turn != 0] for name in ("m0", "m1"))
    wanted = stats.ttest_rel(one, two)
    row = found.summary().loc["difference"]
    assert (row["statistic"], row["p_value"], row["df"]) == pytest.approx((wanted.statistic, wanted.pvalue, 11))
    raw = cars.to_numpy()[turn != 0]
    assert found.correlation == pytest.approx(np.corrcoef(raw.T)[0, 1])
    assert found.excluded["reason"].unique().tolist() == ["its direction is mixed or not stated"]
    assert len(found.excluded) == 4
    assert "good news turned round" in found.answer()


def test_the_printed_means_name_the_test_and_what_up_means(study: mr.EventStudyResult) -> None:
    found = mr.twin_moves(study, "m0", "m1")
    ((caption, lines),) = found.printed().items()
    assert lines.columns.tolist() == ["Market", "Mean move", "Std. error", "p (t)", "Smallest detectable", "Events"]
    assert lines["Market"].tolist() == ["m0", "m1", "difference"]
    turn = np.array([{"escalation": 1, "de-escalation": -1, "mixed": 0}[side] for side in DIRECTIONS])
    cars = study.car((0, 0))["estimate"].unstack("market").to_numpy()[turn != 0] * turn[turn != 0, None]
    assert float(lines["p (t)"].iloc[2]) == pytest.approx(stats.ttest_rel(*cars.T).pvalue, abs=0.005)
    assert lines["Mean move"].iloc[0].replace("−", "-") == f"{100 * cars[:, 0].mean():+.2f}%"
    assert caption == "Mean abnormal moves on day 0"
    told = replace(found, notes=("In both, up = yuan weaker.",))
    assert list(told.printed()) == ["Mean abnormal moves on day 0. In both, up = yuan weaker"]


def test_without_directions_nothing_is_turned(study: mr.EventStudyResult) -> None:
    plain = mr.event_study(study.prices, study.events.drop(columns="direction"), windows=study.windows)
    found = mr.twin_moves(plain, "m0", "m1")
    means = study.car((0, 0))["estimate"].groupby(level="market").mean()
    assert found.summary()["estimate"][["m0", "m1"]].to_dict() == pytest.approx(means.to_dict())
    assert not found.turned


@pytest.mark.reference
def test_a_shared_session_counts_for_the_earliest_event_however_the_table_is_sorted() -> None:
    """The tariffs of Friday 23 August 2019 and the calm words of Monday morning fall into one fixing of Monday."""
    events = mr.load_events().loc[["2019-08-01-us", "2019-08-23-us-b", "2019-08-26-us", "2018-12-01-jt"]]
    prices = mr.load_prices(["USD/CNY", "EUR/USD"], events=events, source="bundled")
    for table in (events, events[::-1]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = mr.twin_moves(mr.event_study(prices, table), "USD/CNY", "EUR/USD")
        assert found.excluded["reason"].to_dict() == {"2019-08-26-us": "shares a session with 2019-08-23-us-b"}
        assert found.pairs.loc["2019-08-23-us-b", "turn"] == 1


def test_offshore_and_onshore_yuan(reference) -> None:
    chosen = mr.filter_events(precision="minute", surprise="surprise", until="2019-12-31")
    folder = reference / "data" / "series"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prices = mr.load_prices(["USD/CNH", "USD/CNY"], events=chosen.events, source="files", folder=folder)
        study = mr.event_study(prices, chosen.events, windows=mr.EventWindows(event=(0, 0)))
    found = mr.twin_moves(study, "USD/CNH", "USD/CNY")
    assert found.correlation > 0.5
    assert found.closes == ("17:00 America/New_York", "23:30 Asia/Shanghai")
    assert found.answer().endswith("and at 23:30 Asia/Shanghai: part of a difference may be that.")
    assert found.notes == ("In both, up = yuan weaker.",)
    assert "up = yuan weaker" in found.plot().layout.title.text


def test_markets_that_cannot_be_compared(study: mr.EventStudyResult) -> None:
    with pytest.raises(UnknownInstrumentError, match="'USD/CNH' is not"):
        mr.twin_moves(study, "USD/CNH", "m1")
    events = mr.load_events().loc[["2019-08-01-us"]]
    prices = mr.load_prices(["CSI 300", "VIX"], events=events, source="bundled")
    with pytest.raises(WindowError, match="moves in return and 'VIX' in points"):
        mr.twin_moves(mr.event_study(prices, events), "CSI 300", "VIX")


def test_one_event_has_no_test() -> None:
    events = mr.load_events().loc[["2019-08-01-us"]]
    prices = mr.load_prices(["USD/CNY", "USD/KRW"], events=events, source="bundled")
    found = mr.twin_moves(mr.event_study(prices, events), "USD/CNY", "USD/KRW")
    assert np.isnan(found.summary()["p_value"]).all()
    assert "a test of the difference needs two events" in found.answer()


def test_what_is_missing_is_said_and_other_errors_are_raised(study: mr.EventStudyResult) -> None:
    missing = mr.if_available(mr.twin_moves, study, "USD/CNH", "m1")
    assert isinstance(missing, NotAvailable)
    assert missing.answer().startswith("Not available: 'USD/CNH' is not")
    assert missing.plot(theme="dark").answer().startswith("Not available: a chart, as 'USD/CNH' is not")
    assert "<p>Not available: &#x27;USD/CNH&#x27;" in missing._repr_html_()
    assert mr.if_available(mr.twin_moves, study, "m0", "m1").first == "m0"
    with pytest.raises(WindowError):
        mr.if_available(mr.twin_moves, study, "m0", "m0")

    def gone() -> None:
        raise DataUnavailableError("Yahoo gave no rows for <b>X</b>.", symbol="X", cause="no rows")

    assert "&lt;b&gt;" in mr.if_available(gone)._repr_html_()
