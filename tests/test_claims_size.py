"""Words of size, levels to one side, close calls, margins of several units, and parts that were not checked."""

from __future__ import annotations

import math

import numpy as np
import pytest
from typer.testing import CliRunner

import market_reaction as mr
from market_reaction.claims.markets import find_market
from market_reaction.claims.parse import parse_claims
from market_reaction.claims.patterns import STRONG_DOWN, STRONG_UP
from market_reaction.claims.result import ClaimsResult
from market_reaction.claims.rules import CLOSE_RULE, is_close_call
from market_reaction.errors import WindowError

FLAT, FALL = "2018-06-15", "2020-03-09"  # S&P 500 -0.10% and -7.60%


def check(claims: object, date: str, **options: object) -> ClaimsResult:
    return mr.check_claims(claims, date=date, source="bundled", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sentence", "date", "expected"),
    [
        ("The S&P 500 crashed", FALL, ["true"]),
        ("The S&P 500 surged", FALL, ["false"]),
        ("The S&P 500 crashed", FLAT, ["not decidable"]),
        ("The S&P 500 tumbled lower", FLAT, ["not decidable"]),
        ("The S&P 500 rallied", FLAT, ["false"]),
        ("The S&P 500 fell", FLAT, ["true"]),
        ("The S&P 500 crashed 0.10%", FLAT, ["true", "true"]),  # the figure is judged
        ("The S&P 500 plunged 3%", FLAT, ["true", "false"]),
    ],
)
def test_words_of_size(sentence: str, date: str, expected: list[str]) -> None:
    assert [verdict.truth for verdict in check(sentence, date)] == expected


def test_the_usual_day_is_the_ewma_of_the_reaction_and_is_named() -> None:
    (verdict,) = check("The S&P 500 crashed", FLAT)
    assert verdict.finding.reason == (
        "S&P 500 fell 0.10%, less than a usual day of 0.83%; 'crashed' gives no figure, and counts as true from one "
        "usual day on."
    )
    assert verdict.row is not None and verdict.finding.threshold is not None
    assert verdict.finding.threshold.high == -verdict.row.headline.usual_day
    moves = np.log(verdict.row.series.bars["close"]).diff().dropna()[:FLAT].iloc[:-1]
    weights = 0.97 ** np.arange(len(moves))[::-1]
    by_hand = math.sqrt(float(np.average(moves**2, weights=weights)))
    assert verdict.row.headline.usual_day == pytest.approx(by_hand, rel=0.05)
    assert any("other words of size without a figure: down by at least one usual day" in rule for rule in
               check("The S&P 500 crashed", FLAT).rules())  # fmt: skip


def test_the_usual_day_of_a_window_grows_with_its_root() -> None:
    (one,) = check(mr.Claim("S&P 500", "plunged", window=(0, 3)), FLAT)
    assert one.row is not None and one.finding.threshold is not None
    assert one.finding.threshold.high == pytest.approx(-2 * one.row.headline.usual_day)
    assert "times the root of the sessions" in one.finding.reason


@pytest.mark.parametrize("verb", [*STRONG_UP, *STRONG_DOWN])
def test_every_word_of_size_is_one(verb: str) -> None:
    (claim,) = parse_claims(f"Gold {verb}").claims
    assert claim.kind == ("surged" if verb in STRONG_UP else "plunged")


@pytest.mark.parametrize(
    ("sentence", "kind", "figure"),
    [
        ("the VIX rose above 45", "above", "45"),
        ("The VIX closed just below 20.5", "below", "20.5"),
        ("The VIX surged past 45", "above", "45"),
        ("yuan weaker than 7.30 per dollar", "above", "7.30"),
        ("the yuan fell below 7.30", "above", "7.30"),  # as the press has it: a weak yuan
        ("the yuan strengthened past 7.10 to the dollar", "below", "7.10"),
        ("USD/CNY fell below 7.10", "below", "7.10"),
        ("the euro was stronger than 1.10", "above", "1.10"),
        ("oil below 60", "below", "60"),
        ("oil fell below $60 a barrel", "below", "60"),
        ("The CSI 300 closed above the 4,000 mark", "above", "4,000"),
        ("The S&P 500 topped 5,000", "above", "5,000"),
        ("The US 10-year yield jumped above 4.5%", "above", "4.5"),
    ],
)
def test_levels_to_one_side(sentence: str, kind: str, figure: str) -> None:
    reading = parse_claims(sentence)
    assert reading.not_understood == ()
    assert [(claim.kind, claim.figure) for claim in reading.claims][-1] == (kind, figure)


@pytest.mark.parametrize(
    ("sentence", "part"),
    [
        ("the yuan is below 7.30", "below 7.30"),
        ("The VIX rose above 4 million", "above 4 million"),
        ("Gold rose above its average", "above its average"),
        ("Gold rose over 5", "over 5"),  # points or a price
    ],
)
def test_levels_that_cannot_be_read_are_not_checked(sentence: str, part: str) -> None:
    assert part in [item.part for item in parse_claims(sentence).not_understood]


@pytest.mark.parametrize(
    ("sentence", "date", "truth", "said"),
    [
        ("The VIX above 45", FALL, "true", "VIX was at 54.46, which is above 45; the close before, 41.94, was not."),
        ("The VIX above 40", FALL, "true", "the close before, 41.94, was too."),
        ("The VIX above 60", FALL, "false", "which is not above 60; the close before was 41.94."),
        ("WTI spot below 32", FALL, "true", "WTI spot was at"),
        ("yuan weaker than 7.10", "2025-06-11", "true", "USD/CNY (ECB) was at 7.1873, which is above 7.10"),
        ("yuan stronger than 7.10", "2025-06-11", "false", "which is not below 7.10"),
        ("oil below 60", FALL, "not decidable", "The nearest bundled market is 'WTI spot'"),
    ],
)
def test_levels_are_judged_on_closes(sentence: str, date: str, truth: str, said: str) -> None:
    (verdict,) = check(sentence, date)
    assert verdict.truth == truth and said in verdict.finding.reason


@pytest.mark.parametrize(
    ("kind", "gap", "figure", "usual", "close"),
    [
        ("almost", 0.0199, 1.0, math.nan, True), ("almost", 0.02, 1.0, math.nan, False),
        ("exactly", 0.0, 1.0, 1.0, False), ("level", 0.0, 1.0, 1.0, False), ("rose", 0.0, 1.0, 1.0, False),
        ("above", 0.09, math.nan, 1.0, True), ("above", 0.1, math.nan, 1.0, False),
        ("plunged", 0.09, math.nan, 1.0, True), ("surged", 0.2, math.nan, 1.0, False),
    ],
)  # fmt: skip
def test_one_rule_of_close_calls(kind: str, gap: float, figure: float, usual: float, close: bool) -> None:
    assert is_close_call(kind, gap, figure, usual) is close  # type: ignore[arg-type]


def test_a_close_call_is_shown_alike_everywhere() -> None:
    from market_reaction.cli.app import app

    said = "The CSI 300 rose almost 1%"
    found = check(said, "2025-06-11")
    assert "Close call: 'almost 1%' (CSI 300)." in found.answer()
    assert found.to_frame()["close_call"].tolist() == [False, True]
    assert found.printed()["Claims"]["Verdict"].tolist() == ["true", "true (close call)"]
    assert '<span class="mr-mark">true (close call)</span>' in found._repr_html_()
    assert "<b>true (close call)</b>" in found.plot().layout.yaxis.ticktext[1]
    assert found.rules()[-1] == CLOSE_RULE and CLOSE_RULE not in check("The CSI 300 rose", "2025-06-11").rules()
    shown = CliRunner().invoke(app, ["claims", said, "--date", "2025-06-11", "--source", "bundled"]).stdout
    assert "true (close call)" in shown and "close call: nearer to its bound" in " ".join(shown.split())
    (level,) = check("The VIX above 54.4", FALL)
    assert level.label == "true (close call)" and "above 54.4 (a close call)" in level.finding.reason


def test_parts_that_were_not_checked_lead_the_answer() -> None:
    found = check("The CSI 300 rose 0.75%, traders cheered, the CSI 300 fell", "2025-06-11")
    assert found.answer().startswith("2 true, 1 false, 1 part not checked: 'traders cheered'. False: 'fell' (CSI 300).")
    aside = check("The CSI 300 rose 0.75% after the London talks", "2025-06-11")
    assert aside.answer().startswith("2 true, 1 part not checked: 'after the London talks'.")
    assert "2 true, 1 part not checked" in aside.plot().layout.title.text.replace("<br>", " ")
    assert "Not checked" in aside._repr_html_()


def test_a_margin_is_used_and_checked_for_stable_claims_only() -> None:
    day = "2025-06-11"
    moved = check("The CSI 300 rose, the US 10-year yield fell, the yuan weakened", day, margin=0.003)
    assert [verdict.truth for verdict in moved] == ["true"] * 3 and moved.parameters["margin"] == {}
    mixed = check("The CSI 300 was stable, the US 10-year yield was stable", day, margin=0.003)
    assert mixed.parameters["margin"] == {"CSI 300": 0.003}
    assert mixed.notes[0].startswith("margin=0.003 is one number, which holds for markets in returns; US 10y moves in")
    assert "No margin was fixed beforehand for US 10y" in mixed.verdicts[1].finding.reason
    each = check("The CSI 300 was stable, the 10-year yield was stable", day, margin={"CSI 300": 0.02, "US 10y": 0.3})
    assert each.parameters["margin"] == {"CSI 300": 0.02, "US 10y": 0.3}
    assert [verdict.truth for verdict in each] == ["not decidable", "true"]
    with pytest.raises(WindowError, match="margin=-1 for 'US 10y' is no margin"):
        check("The CSI 300 rose, the 10-year yield was stable", day, margin={"US 10y": -1})


@pytest.mark.parametrize(
    ("words", "instrument"),
    [
        ("oil", "WTI"), ("crude", "WTI"), ("Brent crude", "Brent"), ("Chinese stocks", "CSI 300"),
        ("Chinese shares", "CSI 300"), ("mainland shares", "CSI 300"), ("US stocks", "S&P 500"),
        ("Wall Street", "S&P 500"), ("dollar", "Dollar index"), ("gold", "Gold"), ("Treasury yields", "US 10y"),
        ("yield on the 10-year Treasury", "US 10y"), ("Shanghai shares", "Shanghai Composite"),
    ],
)  # fmt: skip
def test_everyday_names(words: str, instrument: str) -> None:
    assert find_market(words).instrument.name == instrument
    (claim,) = parse_claims(f"On Wednesday the {words} rose").claims
    assert find_market(claim.market).instrument.name == instrument


def test_a_mainland_market_after_and_is_a_clause_of_its_own() -> None:
    read = parse_claims("The Hang Seng fell and mainland shares rose").claims
    assert [(claim.market, claim.kind) for claim in read] == [("Hang Seng", "fell"), ("mainland shares", "rose")]


def test_the_dollar_index_names_the_bundled_dollar() -> None:
    (dollar,) = check("the dollar rose", "2025-06-11")
    assert "The nearest bundled market is 'Broad dollar'" in dollar.finding.reason
