"""Several counterfactuals of several shares side by side, on bundled shares and the rare-earth shares of June 2025."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction.errors import MarketReactionError, WindowError

EVENT = "2019-08-01-us"
SHARES = ["Apple", "AMD", "Best Buy"]
DONORS = ["Johnson & Johnson", "Pfizer", "Coca-Cola", "PepsiCo", "JPMorgan Chase", "ExxonMobil"]
FACTORS = ["US 10y", "Broad dollar"]
MODELS = ["constant_mean", "market", "factors", "synthetic_control"]


@pytest.fixture(scope="module")
def found() -> mr.CounterfactualComparison:
    return mr.compare_counterfactuals(
        EVENT, shares=SHARES, factors=FACTORS, donors=DONORS, windows=[(0, 1), (1, 1)], source="bundled", history=200
    )


def test_every_model_is_that_of_an_event_study_with_its_own_placebo(found: mr.CounterfactualComparison) -> None:
    events = mr.load_events().loc[[EVENT]]
    prices = mr.load_prices([*SHARES, *DONORS, *FACTORS, "S&P 500"], events=events, source="bundled")
    inputs = {
        "constant_mean": {},
        "market": {},
        "factors": {"factors": ["S&P 500", *FACTORS]},
        "synthetic_control": {"donors": DONORS},
    }
    assert found.models == MODELS
    for model, given in inputs.items():
        study = mr.event_study(prices, events, markets=SHARES, normal_model=model, **given)
        test = mr.placebo_test(study, prices, history=200).summary().droplevel("event_id")
        rows = found.headline(model)
        np.testing.assert_allclose(rows["abnormal"], study.car((0, 0))["estimate"], rtol=1e-12)
        np.testing.assert_allclose(rows["placebo_p"], test["placebo_p"])
        np.testing.assert_allclose(rows["mde"], test["mde"])
        np.testing.assert_allclose(rows["car[0,1]"], study.car((0, 1))["estimate"], rtol=1e-12)
        if model == "market":
            joint = mr.placebo_test(study, prices, history=200).joint[EVENT]
            assert found.joint["maximum"].p_value == joint["maximum"].p_value


def test_the_answer_goes_by_the_market_model_and_names_the_other_counterfactuals(
    found: mr.CounterfactualComparison,
) -> None:
    answer = found.answer()
    assert answer.startswith("Beyond S&P 500: Best Buy −10.44% (placebo p 0.010) was unusual; the other 2 are not")
    assert "(joint p over 3 shares " in answer
    assert "Best Buy against other counterfactuals: own mean (−11.65%, p " in answer and "synthetic control (" in answer
    assert repr(found) == f"<CounterfactualComparison: {answer}>"
    assert max(map(len, found.answer(width=60).splitlines())) <= 60


def test_changes_are_those_of_the_closes(found: mr.CounterfactualComparison) -> None:
    closes = found.prices["Best Buy"].bars["close"]
    at = closes.index.get_loc("2019-08-01")
    row = found.headline().loc["Best Buy"]
    assert row["change"] == pytest.approx(closes.iloc[at] / closes.iloc[at - 1] - 1)
    assert row["change[1,1]"] == pytest.approx(closes.iloc[at + 1] / closes.iloc[at] - 1)
    assert row["change[0,1]"] == pytest.approx(closes.iloc[at + 1] / closes.iloc[at - 1] - 1)


def test_what_the_benchmark_did_itself_is_said(found: mr.CounterfactualComparison) -> None:
    row = found.benchmarks.loc["S&P 500"]
    assert row["change"] == pytest.approx(-0.0090, abs=5e-5) and row["shares"] == "Apple, AMD, Best Buy"
    page = found._repr_html_()
    assert "What the benchmarks did" in page and "Relative effect" in page


def test_weights_sum_to_one_over_the_donors(found: mr.CounterfactualComparison) -> None:
    weights = found.weights()
    assert weights.index.tolist() == DONORS and weights.columns.tolist() == SHARES
    np.testing.assert_allclose(weights.sum(), 1.0)


def test_tables_charts_and_provenance(found: mr.CounterfactualComparison) -> None:
    assert list(found.tables()) == ["Shares by model", "Summary", "Benchmarks", "Weights of donors", "Left out"]
    assert len(found.to_frame()) == 12 and len(found.summary()) == 3
    assert found.provenance().parameters["donors"] == DONORS
    figure = found.plot(theme="light")
    names = [trace.name for trace in figure.data]
    assert names == ["95% of ordinary days, market model", "own mean", "market", "factors", "synthetic control"]
    np.testing.assert_allclose(figure.data[2].x, found.headline("market")["abnormal"])
    assert "Unusual beyond the market: Best Buy −10.44%" in figure.layout.title.text
    assert "Apple" in found.plot(kind="car", share="Apple").layout.title.text
    with pytest.raises(MarketReactionError, match="kind='bars' is not known; choose one of models, car"):
        found.plot(kind="bars")
    with pytest.raises(MarketReactionError, match=r"share='Aple' was not measured\. Did you mean 'Apple'"):
        found.plot(kind="car", share="Aple")
    with pytest.raises(MarketReactionError, match="model='garch' measured no share; choose one of constant_mean"):
        found.plot(kind="car", model="garch")


def test_printed_tables_are_those_of_the_page(found: mr.CounterfactualComparison) -> None:
    models, windows, benchmarks = found.printed().values()
    assert models.columns.tolist() == [
        "Share", "Session", "Change", "Counterfactual", "CAR[0,0]", "Placebo p (floor)", "Smallest detectable",
    ]  # fmt: skip
    row = models[models["CAR[0,0]"].eq("−10.44%")].iloc[0]
    assert row["Counterfactual"] == "market" and row["Placebo p (floor)"] == "0.010 (0.005)"
    assert windows.columns.tolist()[:4] == ["Share", "Session", "Change [0,1]", "CAR[0,1] ± std. error"]
    assert benchmarks.iloc[0].tolist()[:3] == ["S&P 500", "2019-08-01", "−0.90%"]
    text, page = found.to_latex(), found._repr_html_()
    assert r"Best Buy & 2019-08-01 & $-$10.79\% & own mean" in text and "placebo_p" not in text
    assert all(f">{name}</th>" in page for name in models.columns)
    assert page.count('<span class="mr-mark">unusual</span>') == found.rows["placebo_p"].le(0.05).sum() > 0


def test_the_basket_leads_with_its_rank_in_time(found: mr.CounterfactualComparison) -> None:
    basket = found.basket(["Apple", "Best Buy", "Lynas"], history=120)
    row = basket.frame.iloc[0]
    weights, cars = basket.members["weight"], basket.members["abnormal"]
    assert weights.sum() == pytest.approx(1) and row["estimate"] == pytest.approx((weights * cars).sum())
    assert row["n_placebo"] == 120 and row["time_p"] >= row["time_p_floor"] == pytest.approx(1 / 121)
    assert basket.answer().startswith("The basket of Apple and Best Buy moved −")
    assert "among 120 earlier days" in basket.answer() and "among groups of donors" in basket.answer()
    assert basket.excluded.to_dict("records") == [{"share": "Lynas", "reason": "it is not among the shares compared"}]
    assert "Lynas" in basket._repr_html_() and next(iter(basket.tables())) == "Basket"
    assert basket.provenance().parameters["basket"] == ["Apple", "Best Buy"]


def test_the_printed_basket_stands_below_its_shares(found: mr.CounterfactualComparison) -> None:
    basket = found.basket(["Apple", "Best Buy"], history=120)
    ((caption, lines),) = basket.printed().items()
    assert caption == "The basket against its synthetic controls in the reaction session"
    assert lines.columns.tolist() == [
        "Share", "Weight", "CAR[0,0]", "Placebo p (floor)", "Compared days", "Smallest detectable",
        "p among donors (floor)",
    ]  # fmt: skip
    assert lines["Share"].tolist() == ["Apple", "Best Buy", "basket"]
    mean = float((basket.members["weight"] * basket.members["abnormal"]).sum())
    assert lines["CAR[0,0]"].iloc[2] == f"{100 * mean:+.2f}%".replace("-", "−")
    assert lines["Placebo p (floor)"].tolist()[:2] == ["", ""] and lines["Compared days"].iloc[2] == "120"
    assert lines["Placebo p (floor)"].iloc[2].endswith("(0.008)")  # 1 of 121


def test_without_factors_and_donors_two_models_are_left_and_there_is_no_basket() -> None:
    result = mr.compare_counterfactuals(EVENT, shares=["Apple"], source="bundled", history=120)
    assert result.models == ["constant_mean", "market"] and result.joint is None
    assert result.answer().startswith(
        "Beyond S&P 500: Apple −0.85% (placebo p 0.22) is not distinguishable from an ordinary day; smallest "
    )
    (left,) = result.basket().printed().values()
    assert left["Share"].tolist() == ["basket"] and left["Reason"].iloc[0].startswith("none of its shares has a syn")
    assert result.basket().answer() == (
        "No basket effect: none of its shares has a synthetic control; name donors that trade in the same hours."
    )
    assert result.weights().empty


def test_two_possible_sessions_are_both_shown_and_the_joint_p_is_the_larger() -> None:
    """Of 15 June 2018 only the day is known: the sessions of 15 and 18 June are possible."""
    result = mr.compare_counterfactuals(
        "2018-06-15-us", shares=["Apple", "AMD"], donors=DONORS, source="bundled", history=150
    )
    rows = result.to_frame()
    sessions = (
        rows[rows["model"].eq("market")]
        .groupby("share")["session"]
        .apply(lambda days: {f"{day:%m-%d}" for day in days})
    )
    assert sessions["Apple"] == sessions["AMD"] == {"06-15", "06-18"}
    assert rows["headline"].sum() == 6 and len(rows) == 12
    study = result.studies["market"]
    headline = mr.placebo_test(study, result.prices, history=150).joint["2018-06-15-us"]["maximum"]
    assert result.joint["maximum"].p_value >= headline.p_value and "choices of session" in result.joint.note
    assert any("another session is possible for Apple, AMD" in note for note in result.notes)
    assert 'or <span class="mr-fixed">2018-06-1' in result._repr_html_()


def test_shares_that_could_not_be_had_are_named_and_nothing_stops() -> None:
    part = mr.compare_counterfactuals(EVENT, shares=["Apple", "Lynas"], source="bundled", history=120)
    assert part.answer().endswith("Not measured: Lynas.") and part.excluded["share"].tolist() == ["Lynas"]
    none = mr.compare_counterfactuals("2025-06-10-jt", shares=["MP Materials"], donors=["Boeing"], source="bundled")
    assert none.answer().startswith(
        "Whether these shares reacted beyond the market cannot be said: none could be measured. MP Materials: "
    )
    assert none.summary().empty and "could be measured" in none.plot().layout.title.text and none._repr_html_()


def test_a_share_among_its_own_factors_or_benchmarks_is_left_out_and_named() -> None:
    result = mr.compare_counterfactuals(
        EVENT, shares=["Apple", "AMD", "S&P 500"], factors=["Apple", "Broad dollar"], source="bundled", history=120
    )
    lost = result.excluded.set_index(["share", "model"])["reason"]
    assert lost["Apple", "factors"].startswith("'Apple' is among its own factors")
    assert lost["S&P 500", "market"].startswith("'S&P 500' has no default benchmark")
    assert result.headline("factors").index.tolist() == ["AMD", "S&P 500"]
    assert "none of 2 shares is distinguishable from an ordinary day; smallest p: " in result.answer()
    assert result.notes[0] == (  # its noon fixing comes before 17:26 UTC
        "Closed before the news on day 0: Broad dollar. What these did after it is in no counterfactual."
    )
    alone = mr.compare_counterfactuals(EVENT, shares=["Apple"], factors=["Gold"], source="bundled", history=120)
    assert alone.models == ["constant_mean", "market"]  # with no factor at hand it would be the market model again
    assert ("Apple", "factors", "no factor could be had") in list(alone.excluded.itertuples(index=False, name=None))


def test_a_treated_share_is_no_donor() -> None:
    with pytest.raises(WindowError, match=r"donors= and shares= both name Apple: a share that the news is about is no"):
        mr.compare_counterfactuals(EVENT, shares=["AAPL"], donors=["Apple", "Pfizer"], source="bundled")


def test_hostile_titles_are_shown_as_text() -> None:
    result = mr.compare_counterfactuals(EVENT, shares=["Apple"], source="bundled", history=120)
    result.event["title"] = "<script>alert(1)</script>"
    assert "<script>" not in result._repr_html_() and "&lt;script&gt;" in result._repr_html_()


@pytest.mark.reference
def test_rare_earth_shares_on_11_june_2025_against_their_own_markets(reference: Path) -> None:
    shares = ["China Northern Rare Earth", "Shenghe Resources", "MP Materials", "Energy Fuels", "Lynas"]
    result = mr.compare_counterfactuals(
        "2025-06-10-jt", shares=shares, donors=["Apple", "Boeing", "Caterpillar"], windows=[(0, 0), (1, 1)],
        source="files", folder=reference / "data" / "series", history=200,
    )  # fmt: skip
    rows = result.headline()
    assert rows.at["China Northern Rare Earth", "change"] == pytest.approx(0.0345, abs=5e-5)
    assert rows.at["MP Materials", "change"] == pytest.approx(-0.0584, abs=5e-5)
    assert rows.at["MP Materials", "change[1,1]"] == pytest.approx(0.1388, abs=5e-5)
    assert (rows["session"] == pd.Timestamp("2025-06-11")).all()
    assert rows["inputs"].to_dict() == {
        "China Northern Rare Earth": "CSI 300", "Shenghe Resources": "CSI 300",
        "MP Materials": "S&P 500", "Energy Fuels": "S&P 500",
    }  # fmt: skip
    assert result.answer().startswith("Beyond CSI 300 and S&P 500: ")
    lost = result.excluded.set_index(["share", "model"])["reason"]
    assert lost["Shenghe Resources", "synthetic_control"] == "0 donors trade on its calendar; a mix needs at least 2"
    assert ("Lynas", "all") in lost.index
    assert set(result.headline("synthetic_control").index) == {"MP Materials", "Energy Fuels"}
