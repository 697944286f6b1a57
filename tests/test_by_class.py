"""Classes of events: against published moves, statsmodels and hand counts; overlaps, gaps and mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import events as event_tables
from market_reaction.errors import EventTableError, WindowError
from market_reaction.event_classes import ClassStudies
from market_reaction.event_classes.words import over_markets
from market_reaction.inference.two_samples import welch_difference

GRADES = ["documented_exact", "documented_approx", "documented_day"]
MARKETS = ["CSI 300", "S&P 500", "USD/CNY"]


@pytest.fixture(scope="module")
def catalogue() -> ClassStudies:
    chosen = mr.filter_events(evidence=GRADES, surprise="not expected (implementation)")
    prices = mr.load_prices(MARKETS, events=chosen.events, source="bundled")
    return mr.by_class(prices, chosen.events, history=200)


def events_at(days: list[str], classes: list[str]) -> pd.DataFrame:
    """One event a day at 14:00 UTC, named a, b, c, ..."""
    names = [chr(ord("a") + at) for at in range(len(days))]
    frame = pd.DataFrame({"event_id": names, "announced_utc": [f"{day} 14:00 UTC" for day in days]})
    return mr.load_events(frame.assign(direction=classes, title=names))


@pytest.fixture(scope="module")
def small() -> ClassStudies:
    """Twelve events a month apart, and two pairs that overlap: c and d of one class, e and f of two."""
    days = [f"2021-{month:02d}-10" for month in range(1, 13)]
    days[3], days[5] = "2021-03-11", "2021-05-11"
    kinds = ["up", "down", "up", "up", "up", "down", "down", "up", "down", "up", "down", "down"]
    return mr.by_class(price_data(seeded_closes(3, columns=2)), events_at(days, kinds), windows=[(0, 1)], history=None)


def test_a_class_of_which_nothing_is_measured_has_a_row_that_says_so() -> None:
    days = [f"2021-{month:02d}-10" for month in range(1, 9)] + ["2030-01-10"]
    prices = price_data(seeded_closes(3, columns=2))
    found = mr.by_class(prices, events_at(days, ["up", "down"] * 4 + ["late"]), windows=[(0, 1)], history=None)
    row = found.summary().xs("late", level="class")
    assert row[["n_events", "n_clusters"]].eq(0).all(axis=None)
    assert row[["estimate", "std_error", "p_value", "p_holm"]].isna().all(axis=None)
    assert row["note"].str.startswith("0 separate events").all()
    whole = found.summary().drop("late", level="class")
    without = mr.by_class(prices, events_at(days[:8], ["up", "down"] * 4), windows=[(0, 1)], history=None).summary()
    pd.testing.assert_frame_equal(whole, without, check_dtype=False)
    assert found.answer() and found._repr_html_() and found.tables()


def test_day_zero_is_the_published_move(catalogue: ClassStudies) -> None:
    moves = catalogue.to_frame().set_index(["event_id", "market"])["change"]
    assert round(100 * moves["2018-03-22-us", "S&P 500"], 2) == -2.52
    assert round(100 * moves["2025-06-10-jt", "CSI 300"], 2) == 0.75
    assert round(100 * moves["2025-04-04-cn", "CSI 300"], 2) == -7.05


@pytest.mark.reference
def test_day_zero_is_the_computed_move_of_every_certain_event(catalogue: ClassStudies, reference: Path) -> None:
    table = pd.read_csv(reference / "reference" / "published" / "computed_event_session_moves.csv")
    table = table[table["ambiguous"].eq(0)].assign(market=table["series"].map({"SPX": "S&P 500", "CSI300": "CSI 300"}))
    table = table.dropna(subset="market").set_index(["event_id", "market"])["move_pct"]
    found = 100 * catalogue.to_frame().set_index(["event_id", "market"])["change"].dropna()
    both = pd.concat([found, table], axis=1, join="inner")
    assert len(both) > 40
    assert (both["change"] - both["move_pct"]).abs().max() < 0.011


def test_escalation_lowers_shares_and_weakens_the_yuan_as_studies_find(catalogue: ClassStudies) -> None:
    found = catalogue.difference()
    assert found.loc["CSI 300", "difference"] < 0 < found.loc["USD/CNY (ECB)", "difference"]
    assert found["p_holm"].ge(found["permutation_p"]).all()


def test_means_are_those_of_separate_events_by_hand(small: ClassStudies) -> None:
    cars = small.study.car((0, 1))["estimate"].xs("m0", level="market")
    up = np.array([cars["a"], (cars["c"] + cars["d"]) / 2, cars["h"], cars["j"]])  # e shares sessions with f
    row = small.summary().loc[("up", "m0")]
    assert row["estimate"] == pytest.approx(up.mean(), rel=1e-12)
    assert row["std_error"] == pytest.approx(up.std(ddof=1) / 2, rel=1e-12)
    assert (row["n_events"], row["n_clusters"], row["n_shared"]) == (5, 4, 1)
    alone = small.separate()["up"]
    assert "e" not in {event_id for event_id, _ in alone.pairs}
    assert alone.caar().loc["m0", "estimate"] == row["estimate"]


def test_difference_is_welch_of_statsmodels(small: ClassStudies) -> None:
    cars = small.study.car((0, 1))["estimate"].xs("m0", level="market")
    up = np.array([cars["a"], (cars["c"] + cars["d"]) / 2, cars["h"], cars["j"]])
    down = cars[["b", "g", "i", "k", "l"]].to_numpy()
    compared = CompareMeans(DescrStatsW(up), DescrStatsW(down))
    statistic, p_value, df = compared.ttest_ind(usevar="unequal")
    row = small.difference(first="up", second="down").loc["m0"]
    assert [row["statistic"], row["welch_p"], row["df"]] == pytest.approx([statistic, p_value, df], rel=1e-10)
    low, high = compared.tconfint_diff(usevar="unequal")
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([low, high], rel=1e-10)
    assert row["difference"] == pytest.approx(up.mean() - down.mean())
    assert row["permutation_floor"] == pytest.approx(1 / 126)  # one of the 9-over-4 ways to label


def test_the_bands_of_a_path_of_one_session_are_the_interval_of_the_mean() -> None:
    days = [f"2021-{month:02d}-10" for month in range(1, 9)]
    events = events_at(days, ["up"] * 8)
    found = mr.by_class(price_data(seeded_closes(4)), events, windows=[(0, 0)], history=None)
    mean, path = found.summary().loc[("up", "m0")], found.caar().iloc[0]
    for bound in ("conf_low", "conf_high"):
        assert path[bound] == pytest.approx(mean[bound])
        assert path[f"simultaneous_{bound.removeprefix('conf_')}"] == pytest.approx(mean[bound])
    pd.testing.assert_frame_equal(found.aar(), found.caar())


def test_simultaneous_bands_are_wider_and_aar_adds_up_to_caar(catalogue: ClassStudies) -> None:
    caar, aar = catalogue.caar(), catalogue.aar()
    assert (caar["simultaneous_high"] > caar["conf_high"]).all()
    added = aar.groupby(["class", "market"], sort=False)["estimate"].cumsum()
    np.testing.assert_allclose(added, caar["estimate"], atol=1e-12)


def test_merged_events_are_named_with_what_they_count_as(small: ClassStudies) -> None:
    merged = small.merged().set_index("events")
    assert merged.loc["c, d", "counted_as"] == "up"
    assert merged.loc["e, f", "counted_as"] == "left out: holds several classes"
    assert merged.loc["e, f", "markets"] == "m0, m1"


def test_classes_may_be_any_column_and_waves_come_from_the_date(catalogue: ClassStudies) -> None:
    waves = catalogue.regroup("wave")
    assert waves.classes == ("2018-19", "2020-24", "2025-26")
    assert {name: len(study.events) for name, study in waves.studies.items()} == {
        "2018-19": 30, "2020-24": 5, "2025-26": 40,
    }  # fmt: skip
    coverage = waves.coverage()
    assert coverage.loc[("2025-26", "S&P 500"), "n_measured"] == 0
    assert coverage.loc[("2018-19", "S&P 500"), "n_measured"] == 30
    both = catalogue.regroup(["direction", "wave"], least=7)
    assert both.classes == (
        "escalation, 2018-19", "escalation, 2025-26", "de-escalation, 2018-19", "de-escalation, 2025-26",
    )  # fmt: skip
    assert "in no class shown" in " ".join(both.excluded["reason"])
    assert catalogue.regroup("side").classes[0] == "US"


def test_an_event_is_left_out_in_turn_within_its_class(small: ClassStudies) -> None:
    cars = small.study.car((0, 1))["estimate"].xs("m1", level="market")
    row = small.leave_one_out("m1").loc[("down", "b")]
    assert row["mean_without"] == pytest.approx(cars[["g", "i", "k", "l"]].mean())


def test_missing_reactions_stay_with_their_reason(catalogue: ClassStudies) -> None:
    frame = catalogue.to_frame().set_index(["event_id", "market"])
    row = frame.loc[("2025-06-10-jt", "S&P 500")]
    assert np.isnan(row["z_ewma"]) and "2022-12-28" in row["reason"]
    assert len(frame) == 75 * 3


def test_the_answer_says_what_many_markets_do_to_it(catalogue: ClassStudies) -> None:
    text = catalogue.answer()
    assert text.startswith(
        "CSI 300, mean abnormal move over sessions [0,1]: −1.03% after escalation (24 separate events; 95% interval"
    )
    assert "With all 3 markets counted (Holm), the difference stands in" in text
    assert "chosen because something was announced" in " ".join(catalogue.notes)


def few_events_in(markets: int) -> ClassStudies:
    """Four events of each of two classes."""
    days = [f"2021-{month:02d}-10" for month in range(1, 9)]
    prices = price_data(seeded_closes(4, columns=markets))
    return mr.by_class(prices, events_at(days, ["up", "down"] * 4), windows=[(0, 1)], history=None)


def test_four_events_each_cannot_stand_in_five_markets_and_the_answer_says_so() -> None:
    found = few_events_in(5)
    assert found.difference()["permutation_floor"].tolist() == pytest.approx([2 / 70] * 5)
    assert (
        "With all 5 markets counted (Holm), the difference cannot stand in any, whatever the moves: with so few events "
        "(4 and 4) no p by permuted labels is below 0.029, and with so many markets none is below 0.14."
    ) in found.answer()  # 5 * 2/70 = 0.143
    assert "stands in none" not in found.answer()
    assert over_markets(found.difference().iloc[:1]) == ""  # one market: 0.029 can be reached


def test_a_difference_that_could_stand_and_does_not_is_said_to_stand_in_none(small: ClassStudies) -> None:
    table = small.difference().assign(permutation_p=0.4, p_holm=0.8)
    assert over_markets(table) == "With all 2 markets counted (Holm), the difference stands in none."


def test_the_smallest_detectable_is_that_of_welch(small: ClassStudies) -> None:
    row = small.difference().iloc[0]
    assert row["permutation_p"] > 0.05
    said = f"Welch's t, which supposes normal means, would find a true one of {100 * row['mde']:.2f}% four times"
    assert said in small.answer()


def test_latex_prints_means_and_differences_as_they_are_read(catalogue: ClassStudies) -> None:
    means, differences = catalogue.printed().values()
    assert list(means) == [
        "Class", "Market", "CAR", "95% interval", "t p", "Holm p", "Smallest detectable", "Events", "Separate",
        "Left out",
    ]  # fmt: skip
    row = catalogue.difference().loc["CSI 300"]
    line = differences.set_index("Market").loc["CSI 300"]
    assert line["escalation minus de-escalation"] == f"{100 * row['difference']:+.2f}%".replace("-", "−")
    assert line["Separate"] == f"{row['n_first']} and {row['n_second']}"
    text = catalogue.to_latex()
    assert text.count(r"\begin{tabular}") == 2 and "Differences between classes" in text
    for raw in ("std\\_error", "p\\_holm", "conf\\_low", "percentage points", "n\\_clusters"):
        assert raw not in text
    html = catalogue._repr_html_()
    assert all(str(value) in html for value in means["CAR"]) and line["Holm p"] in html


def test_moves_in_points_and_basis_points_carry_their_unit() -> None:
    chosen = mr.filter_events(precision="minute", surprise="surprise", until="2022-12-31").events
    prices = mr.load_prices(["VIX", "US 10y"], events=chosen, source="bundled")
    means = mr.by_class(prices, chosen, windows=[(0, 1)], history=None).printed()["Mean reactions, sessions [0,1]"]
    for market, unit in (("VIX", " points"), ("US 10y", " bp")):
        rows = means[means["Market"].eq(market)]
        for column in ("CAR", "95% interval", "Smallest detectable"):
            known = rows.loc[rows[column].ne("n/a"), column]
            assert len(known) and known.str.endswith(unit).all()


@pytest.mark.parametrize("kind", ["caar", "aar", "means", "heat"])
def test_charts_state_direction_and_band(catalogue: ClassStudies, kind: str) -> None:
    figure = catalogue.plot(kind=kind)
    text = str(figure.layout.title.text) + " ".join(str(item.text) for item in figure.layout.annotations)
    assert "up = yuan weaker" in text
    if kind in ("caar", "aar"):
        assert "whole path (sup-t)" in text.replace("<br>", " ").replace('<span style="font-size:12px">', "").replace(
            "</span>", ""
        )


def test_the_map_is_centred_and_counts_what_chance_would_do(catalogue: ClassStudies) -> None:
    figure = catalogue.plot(kind="heat")
    coloured = [trace for trace in figure.data if trace.zmid is not None]
    assert len(coloured) == 3 and all(trace.zmid == 0 and trace.zmin == -trace.zmax for trace in coloured)
    frame = catalogue.to_frame()
    unusual, tested = int(frame["placebo_p"].le(0.05).sum()), int(frame["placebo_p"].notna().sum())
    shown = str(figure.layout.title.text).replace("<br>", " ").replace('<span style="font-size:12px">', "")
    assert "Cells with placebo p of at most 0.05 show their multiple" in shown.replace("</span>", "")
    assert f"{unusual} of {tested} reactions are unusual" in figure.layout.title.text.replace("</b><br><b>", " ")


def test_hostile_titles_are_text(small: ClassStudies) -> None:
    days = [f"2021-{month:02d}-10" for month in range(1, 9)]
    events = events_at(days, ["<b>x</b>", "y"] * 4).assign(title="<script>alert(1)</script>")
    found = mr.by_class(price_data(seeded_closes(5)), events, windows=[(0, 1)], history=None)
    assert "<script>" not in found._repr_html_() and "<b>x</b>" not in found._repr_html_()
    assert "<script>" not in found.plot(kind="heat").to_json()


def test_exports_have_every_table(small: ClassStudies) -> None:
    tables = small.tables()
    assert next(iter(tables)) == "Mean reactions"
    assert tables["Left out"].columns.tolist() == ["event_id", "market", "session", "reason"]
    assert small.provenance().parameters["by"] == ["direction"]


def test_mistakes_are_named(small: ClassStudies) -> None:
    prices, events = small.study.prices, small.study.events
    with pytest.raises(EventTableError, match=r"by='directon' is no column.*Did you mean 'direction'"):
        mr.by_class(prices, events, by="directon")
    with pytest.raises(EventTableError, match=r"classes='upp' is the direction of no event. Did you mean 'up'"):
        mr.by_class(prices, events, classes=["upp"])
    with pytest.raises(EventTableError, match="least=99 leaves no class"):
        small.regroup("direction", least=99)
    with pytest.raises(EventTableError, match=r"'x' is no class\. There are up, down"):
        small.difference(first="x")
    with pytest.raises(EventTableError, match="one class, 'up'; a difference needs two"):
        small.regroup("direction", ["up"]).difference()
    with pytest.raises(WindowError, match="reaches beyond the offsets"):
        small.summary((0, 9))
    with pytest.raises(ValueError, match="kind='pie' is not known"):
        small.plot(kind="pie")  # type: ignore[arg-type]


def test_events_without_a_class_are_left_out_by_name() -> None:
    days = [f"2021-{month:02d}-10" for month in range(1, 9)]
    found = mr.by_class(
        price_data(seeded_closes(6)), events_at(days, ["up", ""] + ["down", "up"] * 3), windows=[(0, 1)], history=None
    )
    assert found.excluded.loc[found.excluded["event_id"].eq("b"), "reason"].item() == (
        "its direction is not stated, or in no class shown"
    )


def test_welch_without_enough_values_says_so() -> None:
    found = welch_difference(np.array([1.0]), np.array([2.0, 3.0]))
    assert found.estimate == -1.5 and np.isnan(found.p_value) and found.note.endswith("1 and 2 given")
    flat = welch_difference(np.ones(3), np.ones(3))
    assert np.isnan(flat.p_value) and "do not vary" in flat.note
    with pytest.raises(WindowError, match="level"):
        welch_difference(np.ones(3), np.arange(3.0), level=1.5)


def test_filters_count_what_they_leave_out() -> None:
    chosen = mr.filter_events(evidence=GRADES, surprise="not expected (implementation)")
    assert (len(chosen.events), len(chosen.excluded)) == (75, 56)
    assert chosen.steps.loc["evidence"].tolist() == ["documented_exact, documented_approx, documented_day", 131, 55, 55]
    assert chosen.steps.loc["surprise", ["n_left_out", "n_alone"]].tolist() == [1, 4]
    assert chosen.excluded.loc["2018-01-22-us", "reason"] == "evidence is 'memory_day'"
    assert "75 of 131" in chosen._repr_html_()


def test_filters_know_parts_patterns_and_negation() -> None:
    assert len(mr.filter_events(evidence="documented_*").events) == 96  # the counts of the table's own description
    tariff = mr.filter_events(instrument="tariff").events["instrument"]
    assert set(tariff) == {"tariff", "tariff + export control"} and len(tariff) == 54
    assert not mr.filter_events(side="not US").events["side"].eq("US").any()
    both = mr.filter_events(side=["China", "joint"], direction="not mixed")
    assert set(both.events["side"]) == {"China", "joint"} and "mixed" not in set(both.events["direction"])
    assert len(mr.filter_events().events) == 131


def test_search_and_filter_are_one() -> None:
    kept = event_tables.search_events("rare", since="2025-01-01", side="China")
    again = mr.filter_events(text="rare", since="2025-01-01", side="China").events
    assert kept.index.tolist() == again.index.tolist() and len(kept)


def test_filters_that_can_match_nothing_are_refused() -> None:
    with pytest.raises(EventTableError, match=r"evidence='exact' is not known.*'documented_\*' stands for all"):
        mr.filter_events(evidence="exact")
    own = pd.DataFrame({"event_id": ["a"], "announced_utc": ["2025-06-10 22:50 UTC"]})
    with pytest.raises(EventTableError, match="has no column 'side'"):
        mr.filter_events(own, side="US")
    assert (
        mr.filter_events(event_tables.dated("2025-06-11"), since="2025-06-11", until="2025-06-11").events.shape[0] == 1
    )
