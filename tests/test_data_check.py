"""Data held against calendars: counts by year, roll days from the calendar of contracts, and tables that are inert."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from helpers import price_data
from market_reaction import theme
from market_reaction.data_check import expected_sessions
from market_reaction.data_check_tables import SECTIONS
from market_reaction.errors import WindowError


@pytest.fixture(scope="module")
def bundled() -> mr.PriceData:
    return mr.load_prices(["CSI 300", "S&P 500", "VIX", "WTI spot"], "2021-01-01", "2024-12-31", source="bundled")


def share_of(check, market: str, year: int) -> tuple[int, int]:
    row = check.coverage.set_index(["market", "year"]).loc[(market, year)]
    return int(row["held"]), int(row["expected"])


def test_counts_are_those_of_the_exchanges(bundled) -> None:
    """Shanghai had 243, 242, 242 and 242 trading days in 2021 to 2024, New York 252, 251, 250 and 252."""
    check = mr.check_data(bundled, "2021-01-01", "2024-12-31")
    assert [share_of(check, "CSI 300", year) for year in range(2021, 2025)] == [
        (243, 243), (242, 242), (242, 242), (242, 242),
    ]  # fmt: skip
    assert [share_of(check, "VIX", year)[1] for year in range(2021, 2025)] == [252, 251, 250, 252]
    # The bundled S&P 500 ends on 28 December 2022: 2 sessions of that year are lacking, and every later one.
    assert share_of(check, "S&P 500", 2022) == (249, 251)
    assert share_of(check, "S&P 500", 2023) == (0, 250)
    assert check.coverage.set_index("market").loc["WTI spot", "against"].unique().tolist() == ["weekdays"]
    assert check.coverage["share"].between(0, 1).all()


def test_the_printed_coverage_is_that_of_all_years(bundled) -> None:
    ((caption, lines),) = mr.check_data(bundled, "2021-01-01", "2024-12-31").printed().items()
    assert caption == "Sessions held, 2021-01-01 to 2024-12-31"
    assert lines.columns.tolist() == ["Market", "Calendar", "Sessions held", "First", "Last", "Findings"]
    assert lines.set_index("Market")["Sessions held"][["CSI 300", "S&P 500"]].tolist() == [
        "969 of 969", "501 of 1,005",  # 243 + 3 x 242; 252 + 249 of 252 + 251 + 250 + 252
    ]  # fmt: skip
    assert lines["Last"].iloc[1] == "2022-12-28"


def test_a_missing_session_is_counted_in_its_year() -> None:
    days = pd.DatetimeIndex(["2024-02-05", "2024-02-06", "2024-02-08", "2024-02-19"])  # not the 7th; new year 9 to 18
    prices = mr.PriceData.from_frame(pd.DataFrame({"CSI 300": [1.0, 2.0, 3.0, 4.0]}, index=days))
    check = mr.check_data(prices)
    row = check.coverage.iloc[0]
    assert (row["expected"], row["held"], row["absent"]) == (5, 4, 1)
    figure = check.plot()
    assert figure.data[0].text[0][0] == "−1"
    np.testing.assert_allclose(figure.data[0].z, [[80.0]])


def test_futures_are_not_expected_on_holidays_of_new_york() -> None:
    days = pd.bdate_range("2025-05-20", "2025-06-25")
    prices = mr.PriceData.from_frame(pd.DataFrame({"E-mini S&P 500": np.arange(1.0, len(days) + 1)}, index=days))
    expected = expected_sessions(prices["E-mini S&P 500"], days[0], days[-1])
    assert not expected.isin(pd.DatetimeIndex(["2025-05-26", "2025-06-19"])).any()
    assert len(expected) == len(days) - 2


def test_roll_days_follow_the_last_trade_of_the_contract() -> None:
    """The June 2025 contract expired on Friday the 20th; Monday's return runs into September."""
    days = pd.bdate_range("2025-04-01", "2025-07-31")
    closes = pd.DataFrame({"E-mini S&P 500": 5000 + 5.0 * np.arange(len(days))}, index=days)
    check = mr.check_data(mr.PriceData.from_frame(closes))
    (row,) = check.roll_days.to_dict("records")
    assert (row["last_trade"], row["session"]) == (pd.Timestamp("2025-06-20"), pd.Timestamp("2025-06-23"))
    at = days.get_loc(pd.Timestamp("2025-06-23"))
    level = closes["E-mini S&P 500"].to_numpy()
    assert row["move"] == pytest.approx(np.log(level[at] / level[at - 1]))
    assert check.answer().endswith("and 1 return spans a roll of a future.")


def test_rolls_of_futures_that_could_not_be_had_are_dates_alone() -> None:
    prices = mr.load_prices(["CSI 300", "E-mini S&P 500"], "2024-01-01", "2024-12-31", source="bundled")
    check = mr.check_data(prices, "2024-01-01", "2024-12-31")
    assert [f"{day:%m-%d}" for day in check.roll_days["last_trade"]] == ["03-15", "06-21", "09-20", "12-20"]
    assert check.roll_days["move"].isna().all()
    assert check.rolls_in_words().startswith("No future could be had (E-mini S&P 500);")
    assert check.answer().startswith("1 of 2 markets can be had; 1 cannot. CSI 300 ends on 2025-12-31.")


def test_answer_without_futures_and_with_line_breaks(bundled) -> None:
    check = mr.check_data(bundled)
    assert check.answer().startswith("All 4 markets can be had. The first series to end is S&P 500, on 2022-12-28;")
    assert check.rolls_in_words() == "No future was asked for, so no return spans two contracts."
    assert max(map(len, check.answer(width=60).splitlines())) <= 60


@pytest.mark.parametrize("mode", ["auto", "light", "dark"])
def test_chart_states_its_finding(bundled, mode) -> None:
    figure = mr.check_data(bundled, "2021-01-01", "2024-12-31").plot(theme=mode)
    assert theme.plain_title(figure) == "3 of 3 series with a calendar lack no session before their last year"
    assert [list(row) for row in figure.data[0].text][1] == ["all", "−2", "none", "none"]


def test_every_table_can_be_shown_and_none_is_run() -> None:
    name = "<script>alert(1)</script>"
    closes = pd.DataFrame({name: np.arange(1.0, 60.0)}, index=pd.bdate_range("2024-01-01", periods=59))
    check = mr.check_data(price_data(closes))
    pages = [check._repr_html_(), *(check.section(part)._repr_html_() for part in SECTIONS)]
    assert all("<script>alert" not in page for page in pages)
    assert "&lt;script&gt;" in check.section("coverage")._repr_html_()
    assert "none" in check.section("unavailable")._repr_html_()
    assert repr(check.section("unavailable")) == "none"
    assert next(iter(check.tables())) == "Coverage"
    assert check.provenance().parameters["markets"] == [name]
    assert "<DataCheck:" in repr(check)


def test_mistakes(bundled) -> None:
    with pytest.raises(WindowError, match=r"end=2020-01-01 lies before start=2021-01-01\. Exchange them"):
        mr.check_data(bundled, "2021-01-01", "2020-01-01")
    with pytest.raises(WindowError, match=r"section='rows' is not known; choose one of coverage, vintage"):
        mr.check_data(bundled).section("rows")
    with pytest.raises(WindowError, match="no series is loaded and no start is given"):
        mr.check_data(mr.PriceData({}))


def test_nothing_that_was_given_is_changed(bundled) -> None:
    before = bundled["CSI 300"].bars.copy()
    check = mr.check_data(bundled)
    given = check.to_frame()
    given["market"] = "changed"
    assert check.coverage["market"].iloc[0] == "CSI 300"
    pd.testing.assert_frame_equal(bundled["CSI 300"].bars, before)
