from pathlib import Path

import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import events
from market_reaction.errors import AnnouncementTimeError, EventTableError


def test_a_time_stamp_has_bounds_of_one_minute() -> None:
    row = events.load_events({"london": "2025-06-10 22:50 UTC"}).loc["london"]
    assert row["announced_utc"] == pd.Timestamp("2025-06-10 22:50", tz="UTC")
    assert row["utc_latest"] - row["announced_utc"] == pd.Timedelta(minutes=1)
    assert row["announced_utc"] - row["utc_earliest"] == pd.Timedelta(minutes=1)


def test_a_catalogue_id_works_wherever_a_time_stamp_does() -> None:
    row = events.load_events({"london": "2025-06-10-jt"}).loc["london"]
    assert row["utc_earliest"] == pd.Timestamp("2025-06-10 22:15", tz="UTC")
    assert row["utc_latest"] == pd.Timestamp("2025-06-10 23:00", tz="UTC")
    assert row["catalogue_id"] == "2025-06-10-jt"
    assert events.load_events("2025-06-10-jt").index.tolist() == ["2025-06-10-jt"]


def test_the_catalogue_has_the_documented_counts() -> None:
    table = events.load_events()
    assert len(table) == 131
    assert table["precision"].value_counts().to_dict() == {"day": 65, "hour": 40, "minute": 26}
    assert table["direction"].value_counts().to_dict() == {"escalation": 74, "de-escalation": 49, "mixed": 8}


def test_a_table_of_precision_day_takes_the_whole_local_day(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("event_id,announced_utc,local_tz\nx,2025-06-11,Asia/Shanghai\ny,2025-06-11 09:00 Asia/Shanghai,\n")
    table = events.load_events(path)
    assert table.loc["x", "utc_earliest"] == pd.Timestamp("2025-06-10 16:00", tz="UTC")
    assert table.loc["x", "announced_utc"] == table.loc["x", "utc_latest"] == pd.Timestamp("2025-06-11 16:00", tz="UTC")
    assert table.loc["y", "precision"] == "minute"


def test_a_frame_is_read_like_a_file_and_not_changed() -> None:
    frame = pd.DataFrame(
        {"event_id": ["a"], "announced_utc": [pd.Timestamp("2025-06-10 22:50", tz="UTC")], "note": ["n"]}
    )
    before = frame.copy()
    table = events.load_events(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert table.loc["a", "note"] == "n"
    again = events.load_events(table)
    assert again.loc["a", "utc_latest"] == table.loc["a", "utc_latest"]


def test_all_bad_rows_are_listed_at_once(tmp_path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(
        "event_id,announced_utc,utc_latest,precision\n"
        "a,2025-06-11 09:00,,\nb,2025-06-11 09:00 UTC,2025-06-11 08:00 UTC,\nc,2025-06-11 09:00 UTC,,week\n"
        "d,2025-06-11 09:00 UTC,,\nd,2025-06-11 09:00 UTC,,\n"
    )
    with pytest.raises(EventTableError) as caught:
        events.load_events(path)
    text = str(caught.value)
    for part in (
        "4 bad rows",
        "line 2 ('a')",
        "no time zone",
        "line 3 ('b')",
        "outside",
        "line 4",
        "'week'",
        "'d' is given twice",
    ):
        assert part in text


def test_missing_columns_and_files_are_named(tmp_path) -> None:
    (tmp_path / "x.csv").write_text("when\n2025\n")
    with pytest.raises(EventTableError, match="lacks the column event_id and announced_utc; it has when"):
        events.load_events(tmp_path / "x.csv")
    with pytest.raises(EventTableError, match="does not exist"):
        events.load_events(tmp_path / "nowhere.csv")
    with pytest.raises(EventTableError, match="at least one label"):
        events.load_events({})


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(AnnouncementTimeError, match="2025-06-10-jt"):
        events.load_events("2025-06-10-jtt")


def test_search_finds_words_dates_and_directions() -> None:
    assert "2025-06-11-us" in events.search_events("rare").index
    june = events.search_events(since="2025-06-01", until="2025-06-30")
    assert {"2025-06-10-jt", "2025-06-11-us"} <= set(june.index)
    assert not {"2025-05-12-jt"} & set(june.index)
    assert set(events.search_events(direction="mixed")["direction"]) == {"mixed"}
    assert "2025-06-11-us-cpi" in events.search_events("consumer price", table=None).index


def test_a_typed_time_inside_an_event_suggests_the_narrow_row_not_the_day_row() -> None:
    assert events.suggest_event(pd.Timestamp("2025-06-10 22:50", tz="UTC")) == "2025-06-10-jt"
    assert events.suggest_event(pd.Timestamp("2025-06-10 12:00", tz="UTC")) is None


def test_the_zone_typed_in_a_table_is_kept_like_in_a_mapping() -> None:
    frame = pd.DataFrame({"event_id": ["a"], "announced_utc": ["2025-03-19 16:30 America/New_York"]})
    assert events.load_events(frame).loc["a", "local_tz"] == "America/New_York"
    assert events.load_events({"a": "2025-03-19 16:30 America/New_York"}).loc["a", "local_tz"] == "America/New_York"


def test_tables_of_bare_dates_need_a_zone_and_dated_events_can_be_read_again() -> None:
    with pytest.raises(EventTableError, match="is a bare date; give local_tz"):
        events.load_events(pd.DataFrame({"event_id": ["a"], "announced_utc": ["2025-06-11"]}))
    again = events.load_events(events.dated("2025-06-11"))
    assert again.loc["2025-06-11", "session_date"] == pd.Timestamp("2025-06-11")


def test_search_refuses_what_it_does_not_know() -> None:
    with pytest.raises(EventTableError, match="direction='up' is not known"):
        events.search_events(direction="up")
    with pytest.raises(EventTableError, match="table='foo' is not known"):
        events.search_events(table="foo")


def test_a_table_without_an_event_is_refused_and_says_what_to_widen(tmp_path) -> None:
    table = mr.load_events()
    prices = mr.load_prices(["VIX"], events=table.loc[["2019-05-05-us"]], source="bundled")
    nothing = mr.filter_events(since="2021-01-01", until="2021-12-31", side="US").events
    assert nothing.empty
    widen = r"no event is left.*Of 131 events each filter alone leaves out: since \d+, until \d+, side \d+\. Widen "
    widen += r"until \(2021-12-31\) first"
    for call in (
        lambda: mr.load_prices(["VIX"], events=nothing),
        lambda: mr.event_study(prices, nothing),
        lambda: mr.by_class(prices, nothing),
        lambda: mr.load_events(nothing),
    ):
        with pytest.raises(EventTableError, match=widen):
            call()
    with pytest.raises(EventTableError, match=r"no event is left: the event table has no row\. Widen the dates"):
        mr.event_study(prices, table.iloc[:0])
    path = tmp_path / "own.csv"
    path.write_text("event_id,announced_utc\n")
    with pytest.raises(EventTableError, match=r"no event is left: own\.csv has headings and no row"):
        mr.load_events(path)
    path.write_text("")
    with pytest.raises(EventTableError, match=r"own\.csv is empty\. Needed are event_id"):
        mr.load_events(path)


def test_a_table_that_was_not_read_is_sent_to_load_events(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("event_id,announced_utc,direction\na,2019-05-05 16:08 UTC,escalation\n")
    prices = mr.load_prices(["VIX"], events=mr.load_events(path), source="bundled")
    raw = pd.read_csv(path)
    for call in (mr.event_study, mr.by_class):
        with pytest.raises(EventTableError, match=r"lacks utc_earliest.*pass it through mr\.load_events"):
            call(prices, raw)
        with pytest.raises(EventTableError, match=r"events is of type str.*mr\.load_events\('"):
            call(prices, str(path))
    with pytest.raises(EventTableError, match=r"EventSelection.*give its \.events"):
        mr.load_prices(["VIX"], events=mr.filter_events(side="US"))


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(tmp_path, mark: str, word: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"event_id{mark}announced_utc\na{mark}2025-06-10 22:50 UTC\n")
    with pytest.raises(EventTableError, match=f"separated by {word}; save it with commas, or give .*sep="):
        mr.load_events(path)
    assert mr.load_events(pd.read_csv(path, sep=mark)).index.tolist() == ["a"]


def test_a_file_that_is_no_csv_is_refused(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("event_id,announced_utc\na,2025-06-10 22:50 UTC\nb,2025-06-10 22:50 UTC,x,y\n")
    with pytest.raises(EventTableError, match=r"own\.csv cannot be read as CSV.*line 3.*in quotes"):
        mr.load_events(path)


def test_ids_may_be_the_index_when_it_has_their_name() -> None:
    rows = {"announced_utc": ["2025-06-10 22:50 UTC"], "title": ["t"]}
    for name in ("id", "event_id"):
        assert mr.load_events(pd.DataFrame(rows, index=pd.Index(["a"], name=name))).index.tolist() == ["a"]
    with pytest.raises(EventTableError, match=r"it has announced_utc, title\. .*rename_axis\('event_id'\)"):
        mr.load_events(pd.DataFrame(rows, index=["a"]))


def test_one_bad_row_is_one_row() -> None:
    with pytest.raises(EventTableError, match=r"has 1 bad row\.\n"):
        mr.load_events(pd.DataFrame({"id": ["a"], "announced_utc": ["2025-06-10 22:50"]}))


def test_the_example_of_the_readme_is_an_event_table(tmp_path) -> None:
    page = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "own.csv"
    path.write_text("event_id,announced_utc" + page.split("```\nevent_id,announced_utc")[1].split("```")[0])
    table = mr.load_events(path)
    assert table["direction"].tolist() == ["de-escalation", "escalation"]
    assert table.loc["tariff", "announced_utc"] == pd.Timestamp("2019-08-01 17:26", tz="UTC")
