"""Sentences to claims: the table of patterns, markets by name, and what is refused or reported."""

from __future__ import annotations

import pandas as pd
import pytest

from market_reaction.claims.claim import Claim, ClaimError, Figure, Period
from market_reaction.claims.markets import _table, find_market, mentions
from market_reaction.claims.parse import BACKGROUND, NO_MARKET, NO_PATTERN, parse_claims
from market_reaction.errors import UnknownInstrumentError
from market_reaction.instruments import find_instrument

ARTICLE = (
    "US futures dropped lower, the offshore yuan remained stable, the CSI 300 won almost 1%, its best day in weeks"
)
JUNE = pd.Timestamp("2025-06-11")


def read(sentence: str) -> list[tuple[str, str, str]]:
    """Market, kind and figure or period of each claim."""
    return [(c.market, c.kind, c.figure or c.period) for c in parse_claims(sentence).claims]


def reasons(sentence: str) -> dict[str, str]:
    return {item.part: item.reason for item in parse_claims(sentence).not_understood}


def test_the_article_is_read_whole() -> None:
    assert read(ARTICLE) == [
        ("US futures", "fell", ""), ("offshore yuan", "stable", ""), ("CSI 300", "rose", ""),
        ("CSI 300", "almost", "1%"), ("CSI 300", "best since", "weeks"),
    ]  # fmt: skip
    assert reasons(ARTICLE) == {}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The Hang Seng gained more than 0.5%", [("rose", ""), ("more than", "0.5%")]),
        ("The Hang Seng slipped by at least 0.50 per cent", [("fell", ""), ("at least", "0.50%")]),
        ("The Hang Seng lost less than one percent", [("fell", ""), ("less than", "1%")]),
        ("The Hang Seng was about half a percent higher", [("rose", ""), ("about", "0.5%")]),
        ("The Hang Seng closed 0.84% up", [("rose", ""), ("exactly", "0.84%")]),
        ("Hang Seng: -0.3%", [("exactly", "0.3%")]),
        ("The US 10-year yield fell 10 basis points to 4.05%", [("fell", ""), ("exactly", "10 bp"), ("level", "4.05")]),
        ("The VIX jumped 5.48 points", [("rose", ""), ("exactly", "5.48 points")]),
        ("The CSI 300 closed at 3,894.63", [("level", "3,894.63")]),
        ("The CSI 300 posted its biggest one-day fall since March 2020", [("worst since", "since 2020-03")]),
        ("The CSI 300 rose, its largest gain since May 14", [("rose", ""), ("best since", "since last 05-14")]),
        ("The CSI 300 rose, its biggest move in nearly a month", [("rose", ""), ("best since", "nearly 1 month")]),
        ("The CSI 300 had its worst day this year", [("worst since", "this year")]),
        ("The CSI 300 closed at its highest level in three months", [("highest since", "3 months")]),
        ("The S&P 500 ended at a record high", [("highest since", "ever")]),
        ("The CSI 300 fell 3% or more", [("fell", ""), ("at least", "3%")]),
        ("The CSI 300 stayed within 1%", [("at most", "1%")]),
        ("The CSI 300 rose three quarters of a percent", [("rose", ""), ("exactly", "0.75%")]),
        ("The CSI 300 rose two and a half percent", [("rose", ""), ("exactly", "2.5%")]),
        ("The CSI 300 rose to 3,894.63 points", [("rose", ""), ("level", "3,894.63")]),
        ("The CSI 300 fell the most in a month", [("fell", ""), ("worst since", "1 month")]),
        ("The yuan weakened to 7.19 per dollar", [("fell", ""), ("level", "7.19")]),
        ("The yuan hit its weakest since May", [("lowest since", "since last 05")]),
        ("The yuan closed at its strongest level since November", [("highest since", "since last 11")]),
        ("The CSI 300 ended at a three-week high", [("highest since", "3 weeks")]),
        ("The S&P 500 ended at its lowest since Feb. 20", [("lowest since", "since last 02-20")]),
        ("Gold was little changed", [("stable", "")]),
        ("Gold did not react", [("stable", "")]),
        ("Gold barely moved", [("stable", "")]),
    ],
)  # fmt: skip
def test_kinds(sentence: str, expected: list[tuple[str, str]]) -> None:
    assert [claim[1:] for claim in read(sentence)] == expected
    assert reasons(sentence) == {}


def test_direction_comes_from_verb_sign_or_the_clause_before() -> None:
    claims = parse_claims("The Hang Seng rose 1% and the CSI 300 0.5%; Dow -0.3%").claims
    assert [(c.market, c.direction) for c in claims if c.kind == "exactly"] == [
        ("Hang Seng", "up"), ("CSI 300", "up"), ("Dow", "down"),
    ]  # fmt: skip


def test_a_verb_after_several_markets_is_said_of_each() -> None:
    assert read("The CSI 300, the Hang Seng and the Nikkei rose") == [
        ("CSI 300", "rose", ""), ("Hang Seng", "rose", ""), ("Nikkei", "rose", ""),
    ]  # fmt: skip
    assert read("The CSI 300, China's benchmark, rose") == [("CSI 300", "rose", "")]


@pytest.mark.parametrize(
    ("sentence", "measure"),
    [
        ("The CSI 300 rose as much as 1.2%", "high"),
        ("The CSI 300 fell as much as 1.2%", "low"),
        ("The CSI 300 was up 1.2% at its high", "high"),
        ("The CSI 300 fell 1.2% at its intraday low", "low"),
        ("The CSI 300 rose 1% at midday", "intraday"),
        ("The CSI 300 rose 1% in early trade", "intraday"),
        ("The CSI 300 rose 1% by 10:30", "intraday"),
        ("The CSI 300 opened 1% higher", "intraday"),
        ("The CSI 300 rose 1% at 10am", "intraday"),
        ("The CSI 300 rose 1%", "close"),
    ],
)
def test_where_the_move_ends(sentence: str, measure: str) -> None:
    assert {claim.measure for claim in parse_claims(sentence).claims} == {measure}


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("The CSI 300 did not rise", "denied"),
        ("The CSI 300 could fall 2%", "denied or only possible"),
        ("The CSI 300 pared gains", "taken back"),
        ("The CSI 300 fell 2% this week", "another window"),
        ("The CSI 300 rose for a second straight day", "another window"),
        ("The CSI 300 rose 2% in two days", "window="),
        ("The CSI 300 outperformed the Hang Seng", "several markets"),
        ("The CSI 300 rose 0.3-0.4%", "range"),
        ("The CSI 300 fell between 0.3% and 0.4%", "range"),
        ("The CSI 300 rose after it fell and gained lower losses", "nothing"),
        ("Gold miners rose 2%", "'Gold miners' may be another market"),
        ("The CSI 300 index futures rose 2%", "may be another market"),
        ("The CSI 300 added to losses", "both directions"),
        ("The CSI 300 posted no gain", "denied"),
        ("The yuan may weaken", "only possible"),
        ("The CSI 300 rose 1% in June", "another window"),
        ("The CSI 300 has risen 5% since May", "another window"),
        ("The CSI 300 is 5% below its peak", "distance to a level"),
        ("The CSI 300 and the Hang Seng rose 0.75% and 0.84%", "several figures"),
        ("The CSI 300 was adrift 0.3%", "no verb"),
        ("Futures on the S&P 500 fell 0.3%", "'Futures on the S&P 500' is another market than S&P 500"),
        ("The Canadian dollar rose", "'Canadian dollar' may be another market"),
    ],
)
def test_clauses_that_say_something_else_are_refused_whole(sentence: str, reason: str) -> None:
    if reason == "nothing":  # the aside goes, the main verb stays
        assert read(sentence) == [("CSI 300", "rose", "")]
        assert list(reasons(sentence).values()) == [BACKGROUND]
        return
    assert read(sentence) == []
    assert reason in "; ".join(reasons(sentence).values())


def test_nothing_is_dropped() -> None:
    assert reasons("The CSI 300 rose sharply on hopes of a deal") == {"sharply on hopes of a deal": NO_PATTERN}
    assert reasons("The CSI 300 rose after the London talks") == {"after the London talks": BACKGROUND}
    assert reasons("The Nasdaq rose 1%") == {"The Nasdaq rose 1%": f"{NO_MARKET} (did you mean 'Nasdaq 100'?)"}
    assert reasons("Hello world") == {"Hello world": NO_PATTERN}
    assert reasons("The CSI 300 rose 0,75%") == {"0,75%": NO_PATTERN}  # no decimal comma is guessed
    assert reasons("The CSI 300 rose 3/4%") == {"3/4%": NO_PATTERN}
    assert reasons("  ") == {"": "the sentence is empty"}
    assert reasons("The CSI 300") == {"CSI 300": "nothing is claimed of it"}


def test_days_of_a_sentence() -> None:
    (wednesday,) = parse_claims("On Wednesday, the CSI 300 rose").claims
    (dated,) = parse_claims("The CSI 300 rose on June 11, 2025").claims
    (partly,) = parse_claims("The CSI 300 rose on 11 June").claims
    (headline,) = parse_claims("The CSI 300 rose Wednesday, June 11").claims
    assert headline.on == "11 June"
    assert (wednesday.on, dated.date, partly.on) == ("Wednesday", "2025-06-11", "11 June")


def test_hostile_text_is_only_text() -> None:
    found = parse_claims("The CSI 300 rose <script>alert(1)</script>\x1b[31m =HYPERLINK(1)")
    assert [claim.kind for claim in found.claims] == ["rose"]
    assert any("<script>" in item.part for item in found.not_understood)


def test_a_long_text_is_read_quickly() -> None:
    assert len(parse_claims("The CSI 300 rose almost 1%. " * 200).claims) == 400


@pytest.mark.parametrize(
    ("words", "instrument", "sign"),
    [
        ("offshore yuan", "USD/CNH", -1), ("USD/CNH", "USD/CNH", 1), ("Yuan", "USD/CNY", -1), ("yen", "USD/JPY", -1),
        ("euro", "EUR/USD", 1), ("US futures", "E-mini S&P 500", 1), ("S&P 500 futures", "E-mini S&P 500", 1),
        ("S&P 500", "S&P 500", 1), ("HSI", "Hang Seng", 1), ("yahoo:TSLA", "TSLA", 1),
    ],
)  # fmt: skip
def test_markets_by_name(words: str, instrument: str, sign: int) -> None:
    found = find_market(words)
    assert (found.instrument.name, found.sign) == (instrument, sign)


def test_every_name_of_the_table_is_an_instrument_and_is_found_in_a_text() -> None:
    for words, (instrument, sign) in _table().items():
        assert find_instrument(instrument).name == instrument and sign in (-1, 1)
        assert [mention.words.casefold() for mention in mentions(f"and {words} rose")] == [words]


def test_a_turned_sign_is_a_pair_quoted_per_dollar() -> None:
    assert {name[:3] for name, sign in _table().values() if sign < 0} == {"USD"}


def test_unknown_market_names_the_next_step() -> None:
    with pytest.raises(UnknownInstrumentError, match=r"'Hang Sengg' is no market.*Did you mean 'Hang Seng'"):
        find_market("Hang Sengg")


@pytest.mark.parametrize(
    ("period", "sessions", "after"),
    [
        ("weeks", 10, None), ("3 weeks", 15, None), ("1 month", 21, None), ("almost 1 month", 16, None),
        ("months", 42, None), ("more than 1 year", 251, None), ("5 sessions", 5, None), ("ever", None, None),
        ("since 2025-05-14", None, "2025-05-14"), ("since 2025-05", None, "2025-05-31"),
        ("since 2024", None, "2024-12-31"), ("this year", None, "2024-12-31"), ("since last 05", None, "2025-05-31"),
        ("since last 06-12", None, "2024-06-12"), ("since last 02-29", None, "2024-02-29"),
    ],
)  # fmt: skip
def test_periods(period: str, sessions: int | None, after: str | None) -> None:
    found = Period.of(period, JUNE)
    assert found.sessions == sessions
    assert found.after == (None if after is None else pd.Timestamp(after))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "roze"}, "kind='roze' is not known. Did you mean 'rose'"),
        ({"kind": "almost"}, "figure='' cannot be read; write '1%'"),
        ({"kind": "almost", "figure": "3,894"}, "does not go with kind='almost'"),
        ({"kind": "best since", "period": "soon"}, "period='soon' cannot be read; write 'weeks'"),
        ({"kind": "best since", "period": "since 2025-02-30"}, "names a date that does not exist"),
        ({"kind": "rose", "direction": "sideways"}, "direction='sideways'"),
        ({"kind": "rose", "date": "2025-06-11", "event": "x"}, "both set day 0"),
        ({"kind": "rose", "window": (-1, 0)}, r"window=\(-1, 0\) is no window"),
    ],
)
def test_claims_that_cannot_be_judged(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ClaimError, match=message):
        Claim("CSI 300", **fields)  # type: ignore[arg-type]


def test_figures_keep_their_digits() -> None:
    assert Figure.of("0.50%") == Figure(0.5, 2, "%")
    assert Figure.of("3,894.63") == Figure(3894.63, 2, "level")
    assert Figure.of("10 bp").scale == 0.01
