"""Claims against documented press reports, and the article's sentences on their own series."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import market_reaction as mr

pytestmark = pytest.mark.reference

NAMES = {
    "SPX": "S&P 500", "CSI300": "CSI 300", "HSI": "Hang Seng", "DJIA": "Dow Jones", "VIX": "VIX",
    "Shanghai Composite": "Shanghai Composite", "MP Materials": "MP Materials", "USA Rare Earth": "USA Rare Earth",
    "China Northern Rare Earth (A)": "China Northern Rare Earth", "S&P 500 futures": "S&P 500 futures",
    "USDCNY": "USD/CNY", "USDCNH": "USD/CNH", "DXY": "DXY", "UST 10y yield": "US 10-year yield",
}  # fmt: skip


def sentence(row: pd.Series) -> str:
    """The report as a sentence, its figure with the digits it was printed with."""
    unit = " basis points" if row["measure"].startswith("bp") else "%"
    closes = row["measure"] in ("close_to_close", "level change pct")
    where = "" if closes else " at its high" if row["measure"] == "intraday high" else " intraday"
    verb = "fell" if row["value_pct"].startswith("-") else "rose"
    return f"The {NAMES[row['series']]} {verb} {row['value_pct'].lstrip('-')}{unit}{where}"


def test_documented_press_reports_get_the_verdict_of_their_check(reference: Path) -> None:
    path = reference / "published" / "press_reported_moves.csv"
    if not path.is_file():
        path = reference / "reference" / "published" / "press_reported_moves.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = rows[rows["confidence"].eq("found in document") & rows["series"].isin(NAMES)]
    counts: Counter[tuple[str, str]] = Counter()
    for (day, check), group in rows.groupby(["date_local", "check"]):
        found = mr.check_claims(
            [sentence(row) for _, row in group.iterrows()], date=day, history=60, source="files",
            folder=reference / "data" / "series", progress=False,
        )  # fmt: skip
        assert found.not_understood == ()
        counts.update((check, verdict.truth) for verdict in found if verdict.claim.figure)
    assert {truth for (check, truth) in counts if check == "match"} == {"true"}
    assert {truth for (check, truth) in counts if check == "differs"} == {"false"}
    assert counts == {("match", "true"): 25, ("differs", "false"): 1, ("", "true"): 15, ("", "not decidable"): 27}


def test_the_article_on_its_own_series(reference: Path) -> None:
    article = [
        "US futures dropped lower",
        "the offshore yuan remained stable",
        "the CSI 300 won almost 1%, its best day in weeks",
    ]
    found = mr.check_claims(
        article, date="2025-06-11", source="files", folder=reference / "data" / "series", margin=0.007
    )
    frame = found.to_frame()
    assert frame["verdict"].tolist() == ["true"] * 5
    assert frame["market"].tolist() == ["E-mini S&P 500", "USD/CNH", *["CSI 300"] * 3]
    assert frame["change"].tolist() == pytest.approx([-0.00265, 0.00131, *[0.00754] * 3], abs=5e-6)
    assert frame.loc[5, "record_since"] == pd.Timestamp("2025-05-14") and frame.loc[5, "record_sessions"] == 19
    assert not frame["stands_in"].any()
    assert found.answer().startswith(
        "All 5 claims are true. Close call: 'almost 1%' (CSI 300). Does it matter? None of these moves"
    )


def test_a_file_with_its_own_bar_close_serves_its_market(reference: Path) -> None:
    found = mr.check_claims(
        "The Hang Seng rose 0.84%", date="2025-06-11", source="files", folder=reference / "data" / "series"
    )
    assert [verdict.truth for verdict in found] == ["true", "true"]
