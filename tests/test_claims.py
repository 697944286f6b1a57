"""Claims judged on bundled series: verdict, figure, threshold and reason, and every way a claim is not decidable."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import market_reaction as mr
from helpers import price_data
from market_reaction.claims.claim import ClaimError, Figure
from market_reaction.claims.judging import Case, finding
from market_reaction.claims.moves import FigureMove, measured_move, window_moves
from market_reaction.claims.result import ClaimsResult
from market_reaction.claims.rules import figure_range
from market_reaction.errors import AnnouncementTimeError, UnknownInstrumentError, WindowError

DAY = "2025-06-11"
ARTICLE = (
    "US futures dropped lower", "the offshore yuan remained stable", "the CSI 300 won almost 1%, its best day in weeks",
)  # fmt: skip


def check(claims: object, **options: object) -> ClaimsResult:
    settings = {"date": DAY, "source": "bundled"} | options
    if "event" in options:
        settings.pop("date")
    return mr.check_claims(claims, **settings)  # type: ignore[arg-type]


def truths(claims: object, **options: object) -> list[str]:
    return [verdict.truth for verdict in check(claims, **options)]


@pytest.fixture(scope="module")
def article() -> ClaimsResult:
    return check(ARTICLE, margin=0.003)


def test_two_sessions_of_a_yield_that_end_alike_moved_alike() -> None:
    """US 2-year: 3.95 to 4.09 and 4.02 to 4.16 are 14 basis points each."""
    closes = pd.DataFrame({"m": [3.95, 4.02, 4.09, 4.16]}, index=pd.bdate_range("2025-06-02", periods=4))
    series = price_data(closes, asset_class="yield", return_kind="difference")["m"]
    assert window_moves(series, (0, 1))[1:3].tolist() == [0.14, 0.14]


def test_a_share_that_hit_its_daily_limit_twice_has_no_best_day() -> None:
    """14.50 to 15.95 and 10.00 to 11.00 are 10% each, though no binary number is."""
    closes = pd.DataFrame({"m": [14.5, 15.95, 10.0, 11.0]}, index=pd.bdate_range("2025-06-02", periods=4))
    series = price_data(closes)["m"]
    best = mr.Claim("CSI 300", "best since", period="2 sessions")
    case = Case(best, 1, series, SimpleNamespace(session=series.sessions[3]), 100.0, None)  # type: ignore[arg-type]
    found = finding(case)
    assert (found.truth, found.record_since) == ("false", series.sessions[1])


def test_points_of_a_large_index_are_those_on_paper() -> None:
    """Hang Seng, 8 April 2022: 21,808.98 to 21,872.01 is 63.03 points, though the binary difference is less."""
    closes = pd.DataFrame({"m": [21808.98, 21872.01]}, index=pd.bdate_range("2022-04-07", periods=2))
    assert 21872.01 - 21808.98 < 63.03 - 1e-12
    for kind, truth in (("at least", True), ("at most", True), ("more than", False), ("less than", False)):
        claim = mr.Claim("Hang Seng", kind, figure="63.03 points", direction="up")  # type: ignore[arg-type]
        moved = measured_move(claim, price_data(closes)["m"], 1, 1)
        assert isinstance(moved, FigureMove)
        assert figure_range(claim.kind, Figure.of(claim.figure), "up").holds(moved.value) is truth


def test_the_csi_300_of_the_article(article: ClaimsResult) -> None:
    won, almost, best = article.verdicts[2:]
    assert {verdict.truth for verdict in (won, almost, best)} == {"true"}
    assert won.finding.figure == pytest.approx(3894.6252 / 3865.4652 - 1)
    assert almost.finding.threshold is not None and almost.finding.threshold.low == pytest.approx(0.0075)
    assert "inside by 0.0044 percentage points (a close call)" in almost.finding.reason
    assert best.finding.record_since == pd.Timestamp("2025-05-14") and best.finding.record_sessions == 19
    assert "best since 2025-05-14, 19 sessions" in best.finding.reason
    row = article.to_frame().loc[5]
    assert row["rank_chance"] == pytest.approx(0.05) and row["placebo_p"] == pytest.approx(0.363, abs=0.001)
    assert row["session"] == pd.Timestamp(DAY) and row["source"] == "bundled" and "csi300" in row["vintage"]


def test_a_market_without_a_series_is_not_decidable_and_says_why(article: ClaimsResult) -> None:
    futures = article.verdicts[0]
    assert futures.truth == "not decidable" and futures.row is None
    assert futures.finding.reason.startswith("E-mini S&P 500 is not available: no bundled series.")
    assert article.excluded["market"].tolist() == ["E-mini S&P 500", "USD/CNH"]
    assert math.isnan(article.to_frame().loc[1, "figure"])


def test_the_ecb_pair_stands_in_for_the_offshore_yuan_under_its_own_name(article: ClaimsResult) -> None:
    yuan = article.verdicts[1]
    assert yuan.stands_in and yuan.market == "USD/CNY (ECB)" and yuan.instrument == "USD/CNH"
    assert yuan.finding.reason.startswith("USD/CNY (ECB) stands in for USD/CNH.")
    assert "equivalence p 0.093; smallest margin excluded 0.36%" in yuan.finding.reason
    assert yuan.finding.figure == pytest.approx(-(7.1873 / 7.1848 - 1), abs=1e-5)  # the yuan fell as the pair rose


def test_stable_is_the_equivalence_test_on_one_day(article: ClaimsResult) -> None:
    test = article.verdicts[1].finding.equivalence
    assert test is not None
    prices = mr.load_prices(["USD/CNY"], "2024-11-01", "2025-06-30", source="bundled")["USD/CNY"]
    moves = np.log(prices.bars["close"]).diff()
    at = moves.index.get_loc(pd.Timestamp(DAY))
    estimation = moves.iloc[at - 130 : at - 10]
    error = estimation.std(ddof=1) * math.sqrt(1 + 1 / 120)
    car = abs(moves.iloc[at] - estimation.mean())
    assert test.smallest_margin == pytest.approx(car + stats.t.ppf(0.95, 119) * error)
    assert test.p_value == pytest.approx(stats.t.cdf((car - 0.003) / error, 119))


@pytest.mark.parametrize(
    ("margin", "truth", "said"),
    [
        (None, "not decidable", "No margin was fixed beforehand"),
        (0.0001, "false", "beyond the margin of 0.01%"),
        (0.003, "not decidable", "observed within the margin of 0.30%, but a larger reaction"),
        (0.004, "true", "observed within the margin of 0.40%, and a larger reaction is excluded"),
        ({"offshore yuan": 0.004}, "true", "0.40%"),
        ({"USD/CNH": 0.004}, "true", "0.40%"),
    ],
)
def test_stable_needs_a_margin_and_the_test(margin: object, truth: str, said: str) -> None:
    (yuan,) = check("the offshore yuan was stable", margin=margin)
    assert yuan.truth == truth and said in yuan.finding.reason
    assert "smallest margin" in yuan.finding.reason


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The CSI 300 fell", ["false"]),
        ("The CSI 300 rose 0.75%", ["true", "true"]),
        ("The CSI 300 rose 0.8%", ["true", "true"]),
        ("The CSI 300 rose 0.7%", ["true", "false"]),  # 0.754 rounds to 0.8
        ("The CSI 300 rose more than 0.75%", ["true", "true"]),
        ("The CSI 300 rose at least 0.76%", ["true", "false"]),
        ("The CSI 300 rose less than 1%", ["true", "true"]),
        ("The CSI 300 fell 0.75%", ["false", "false"]),
        ("The CSI 300 closed at 3,894.63", ["true"]),
        ("The CSI 300 closed at 3,895", ["true"]),
        ("The CSI 300 closed at 3,896", ["false"]),
        ("The CSI 300 rose 29.16 points", ["true", "true"]),
        ("The CSI 300 rose as much as 1.2%", ["true", "true"]),
        ("The CSI 300 had its best day since May", ["true"]),
        ("The CSI 300 had its best day since 13 May", ["false"]),
        ("The CSI 300 had its best day in 4 weeks", ["false"]),  # 20 sessions; the larger gain is 19 back
        ("The CSI 300 had its best day in 18 sessions", ["true"]),
        ("The CSI 300 had its best day in nearly a month", ["true"]),
        ("The CSI 300 had its best day this year", ["false"]),
        ("The CSI 300 had its worst day in weeks", ["false"]),
        ("The CSI 300 closed at its highest level in weeks", ["true"]),
        ("The CSI 300 closed at a record high", ["false"]),
        ("The VIX rose 2%, or 0.31 points", ["true", "true", "true"]),
        ("The US 10-year yield fell 6 basis points to 4.41%", ["true", "true", "true"]),
        ("The yen weakened 0.5%", ["true", "true"]),
        ("The yen strengthened", ["false"]),
    ],
)
def test_verdicts_of_one_day(sentence: str, expected: list[str]) -> None:
    assert truths(sentence) == expected


def test_a_turned_sign_is_said_beside_the_quote() -> None:
    rose, figure = check("The yen weakened 0.5%")
    assert rose.finding.reason == "USD/JPY (ECB) rose 0.53% (up = yen weaker), which is −0.53% for the yen."
    assert "for the yen; '0.5%' holds from −0.550% to −0.450%" in figure.finding.reason
    (weakest,) = check("The yen closed at its weakest since May")
    closes = weakest.row.series.bars["close"]  # type: ignore[union-attr]
    assert weakest.truth == ("true" if closes["2025-06-11"] > closes["2025-06-01":"2025-06-10"].max() else "false")


def test_the_rank_of_a_pair_turns_with_its_sign() -> None:
    (best,) = check("The yen had its worst day in a week")
    series = best.row.series.returns("simple")  # type: ignore[union-attr]
    at = best.row.where.position  # type: ignore[union-attr]
    assert best.truth == ("true" if series[at] > series[at - 5 : at].max() else "false")


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("The CSI 300 rose 1% at midday", "which daily closes cannot decide. That day's low was"),
        ("The US 10-year yield fell 2%", "state it in basis points"),
        ("The CSI 300 rose 10 basis points", "a unit of yields"),
        ("On Tuesday the CSI 300 rose", "The sentence speaks of Tuesday; the session is 2025-06-11, Wednesday."),
        ("On 12 June the CSI 300 rose", "The sentence speaks of 12 June; the session is 2025-06-11, 11 June."),
    ],
)  # fmt: skip
def test_what_closes_cannot_decide(sentence: str, said: str) -> None:
    last = check(sentence).verdicts[-1]
    assert last.truth == "not decidable" and said in last.finding.reason


def test_a_day_without_a_session_is_not_moved() -> None:
    found = check("The CSI 300 rose", date="2025-06-14")
    assert found.verdicts[0].truth == "not decidable"
    assert "CSI 300 has no session on 2025-06-14; the next is 2025-06-16. There: CSI 300 rose" in found.answer()
    assert "Does it matter" not in found.answer()


def test_an_ambiguous_session_is_decided_only_where_its_candidates_agree() -> None:
    rose, figure = check("The CSI 300 rose 1.16%", event="2025-05-12 07:00 UTC")
    assert rose.truth == "true" and "every possible one agrees" in rose.finding.reason
    assert figure.truth == "not decidable"
    assert "2025-05-12 +1.16% true; 2025-05-13 +0.15% false" in figure.finding.reason
    assert check("The CSI 300 rose").to_frame()["ambiguous"].tolist() == [False]


def test_a_record_that_reaches_before_the_series_is_not_decidable() -> None:
    series = mr.load_prices(["USD/KRW"], "2005-01-01", "2009-01-01", source="bundled")["USD/KRW"]
    moves = pd.Series(series.returns("simple"), index=series.sessions)
    largest = str(moves.iloc[300:].idxmin().date())
    (long,) = check(mr.Claim("USD/KRW", "worst since", period="100 years"), date=largest)
    (short,) = check(mr.Claim("USD/KRW", "worst since", period="1 year"), date=largest)
    assert long.truth == "not decidable" and "What came before the series is not known" in long.finding.reason
    assert short.truth == "true"


def test_windows_of_several_sessions() -> None:
    both = [mr.Claim("CSI 300", "exactly", figure="0.69%", direction="up", window=(0, 1)), mr.Claim("CSI 300", "rose")]
    two, one = check(both)
    closes = one.row.series.closes  # type: ignore[union-attr]
    at = one.row.where.position  # type: ignore[union-attr]
    assert two.finding.figure == pytest.approx(closes[at + 1] / closes[at - 1] - 1) and two.truth == "true"
    (beyond,) = check(mr.Claim("CSI 300", "rose", window=(0, 5)), date="2025-12-31")
    assert beyond.truth == "not decidable" and "reaches beyond the series" in beyond.finding.reason


def test_dates_in_sentences_go_first_and_each_has_its_reaction() -> None:
    found = check("The CSI 300 rose on June 11, 2025; the CSI 300 fell on June 12, 2025", date=None)
    assert [verdict.truth for verdict in found] == ["true", "true"] and len(found.reactions) == 2
    assert found.to_frame()["session"].astype(str).tolist() == ["2025-06-11", "2025-06-12"]


def test_what_is_not_understood_is_in_the_answer_and_the_tables() -> None:
    found = check("The CSI 300 rose, traders cheered")
    assert found.answer().startswith("1 true, 1 part not checked: 'traders cheered'. CSI 300 rose 0.75%.")
    assert found.tables()["Not checked"]["part"].tolist() == ["traders cheered"]
    nothing = check("Hello")
    assert nothing.answer() == "No claim read, 1 part not checked: 'Hello'."
    assert len(nothing.to_frame()) == 0 and nothing.summary().empty
    assert "Nothing to draw" in nothing.plot().layout.title.text


def test_result_object(article: ClaimsResult) -> None:
    assert article.answer().startswith("Of 5 claims, 3 are true and 2 are not decidable.")
    assert repr(article).startswith("<ClaimsResult: Of 5 claims")
    assert article.summary().sum().to_dict() == {"true": 3, "false": 0, "not decidable": 2}
    assert list(article.tables())[:3] == ["Claims", "Not checked", "Not available"]
    provenance = article.provenance()
    assert provenance.parameters["margin"] == {"USD/CNH": 0.003}
    assert provenance.vintage.index.tolist() == ["USD/CNY (ECB)", "CSI 300"]
    content = json.loads(article.to_json())
    assert content["claims"][4]["record_since"] == "2025-05-14" and content["claims"][0]["figure"] is None
    assert max(len(line) for line in article.answer(width=80).splitlines()) <= 80


def test_html_is_escaped_and_marks_the_verdict() -> None:
    html = check("The CSI 300 rose <script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert '<span class="mr-mark">true</span>' in html and "Does it matter?" in html


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_chart_of_claims(article: ClaimsResult, theme: str) -> None:
    figure = article.plot(theme=theme)  # type: ignore[arg-type]
    moves = [trace for trace in figure.data if trace.legendgroup == "move"]
    assert [trace.x[0] for trace in moves] == pytest.approx([-0.0344, 0.7544, 0.7544, 0.7544], abs=1e-4)
    assert "3 are true and 2 are not decidable; no move is distinguishable" in figure.layout.title.text.replace(
        "<br>", " "
    ).replace("</b> <b>", " ")
    (margin,) = (trace for trace in figure.data if trace.legendgroup == "margin")
    assert list(margin.x) == pytest.approx([-0.3638, 0.3638], abs=1e-4)
    assert "days lie beyond the axis" in figure.layout.title.text.replace("</span><br>", " ").replace(
        '<span style="font-size:12px">', ""
    )


def test_other_charts(article: ClaimsResult) -> None:
    assert "CSI 300: placebo p 0.36" in article.plot(kind="placebo", market="CSI 300").layout.title.text
    with pytest.raises(ValueError, match="kind='pie' is not known; choose one of claims, placebo"):
        article.plot(kind="pie")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("claims", "options", "error", "message"),
    [
        ("The CSI 300 rose", {"date": None}, AnnouncementTimeError, "'The CSI 300 rose' does not say when. Give date="),
        ("The CSI 300 rose", {"date": "11 June"}, AnnouncementTimeError, "date='11 June' is no date"),
        ([], {}, ClaimError, "got nothing. Give at least one sentence"),
        ([3], {}, ClaimError, "got 3"),
        ("The CSI 300 was stable", {"margin": -1}, WindowError, "margin=-1 for 'CSI 300' is no margin"),
        ("The CSI 300 was stable", {"margin": {"Foo": 1}}, UnknownInstrumentError, "'Foo' is no market"),
        (mr.Claim("Foo", "rose"), {}, UnknownInstrumentError, "'Foo' is no market that a claim can name"),
    ],
)  # fmt: skip
def test_mistakes(claims: object, options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check(claims, **options)


def test_date_and_event_do_not_go_together() -> None:
    with pytest.raises(AnnouncementTimeError, match="both set day 0; give one of them"):
        mr.check_claims("The CSI 300 rose", date=DAY, event="2025-06-10-jt")


def test_paper_table_has_the_words_of_the_claims(article: ClaimsResult) -> None:
    (frame,) = article.printed().values()
    assert frame["Claim"].tolist() == ["dropped lower", "stable", "won", "almost 1%", "best day in weeks"]
    assert frame["Measured"].tolist() == ["n/a", "+0.03%", "+0.75%", "+0.75%", "+0.75%"]  # of the quote shown
    assert article.to_latex().count("Of 5 claims") == 1


# ---- what a newcomer types ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("margin", [1, {"CSI 300": 0.51}])
def test_a_margin_in_per_cent_is_refused_for_returns(margin: object) -> None:
    with pytest.raises(WindowError, match=r"above the bound of 0\.5 for returns: margins are decimals: 0\.01 is 1%"):
        check("The CSI 300 was stable", margin=margin)


def test_the_bound_of_margins_is_for_returns_only() -> None:
    assert check("The CSI 300 was stable", margin=0.5).parameters["margin"] == {"CSI 300": 0.5}
    assert check("VIX was stable", margin=1).parameters["margin"] == {"VIX": 1.0}


@pytest.mark.parametrize("name", ["USD/CNY", "USD/CNY (ECB)", "usd/cnh"])
def test_a_margin_may_name_the_market_standing_in(name: str) -> None:
    (yuan,) = check("the offshore yuan was stable", margin={name: 0.004})
    assert yuan.truth == "true" and "margin of 0.40%" in yuan.finding.reason


def test_a_margin_of_the_market_itself_goes_before_that_of_its_stand_in() -> None:
    found = check("the offshore yuan was stable", margin={"USD/CNY": 0.001, "USD/CNH": 0.004})
    assert found.parameters["margin"] == {"USD/CNH": 0.004}
    other = check("The CSI 300 was stable", margin={"USD/CNY": 0.004})
    assert other.parameters["margin"] == {} and "The margin of USD/CNY is not used" in other.notes[0]


def test_over_a_window_the_placebo_is_said_to_be_of_day_zero() -> None:
    found = check(mr.Claim("CSI 300", "rose", window=(0, 4)))
    over = found.answer()
    assert "day 0 alone: 0.36 (0.002)" in found.printed()["Claims"]["Placebo p (floor)"][0]
    assert "rose 0.13% over sessions [0,4]" in over
    assert "Does it matter? Day 0 alone, not the claim's window [0,4]: CSI 300 +0.75% (placebo p 0.36)" in over
    assert "Day 0 alone" not in check("The CSI 300 rose").answer()


@pytest.mark.parametrize(("figure", "write"), [(0.01, "1%"), (0.0075, "0.75%"), (1, "1%"), (None, "1%")])
def test_a_figure_that_is_a_number_is_told_how_to_be_written(figure: object, write: str) -> None:
    with pytest.raises(ClaimError, match=f"figure={figure!r} is no text. Write '{write}'"):
        mr.Claim("CSI 300", "almost", figure=figure)  # type: ignore[arg-type]


def test_the_nearest_bundled_market_is_named() -> None:
    (oil,) = check("WTI rose")
    assert oil.truth == "not decidable" and "WTI is not available: no bundled series" in oil.finding.reason
    assert "The nearest bundled market is 'WTI spot' (Cushing spot; another instrument" in oil.finding.reason
    (gold,) = check("gold rose")
    assert "nearest bundled market" not in gold.finding.reason
    assert check("WTI spot rose").verdicts[0].truth in ("true", "false")


@pytest.mark.parametrize("name", ["S&P500", "SP500", "S&P 500", "sp500"])
def test_the_names_of_the_s_and_p_500(name: str) -> None:
    for claim in (f"{name} rose", mr.Claim(name, "rose")):
        (verdict,) = check(claim, date="2018-06-11")
        assert verdict.market == "S&P 500" and verdict.truth in ("true", "false")
