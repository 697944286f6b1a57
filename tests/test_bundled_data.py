"""The shipped history and announcements are what their manifest and README say; nothing else is accepted."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

import build_bundled_data
import build_event_tables
from market_reaction import calendars, events, paths
from market_reaction.errors import DataUnavailableError, SnapshotError
from market_reaction.instruments import Instrument, catalogue, find_instrument
from market_reaction.prices import PriceBasis
from market_reaction.sources.bundled import BundledSource

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = paths.data_dir() / "bundled"
EVENTS = paths.data_dir() / "events"
START, END = pd.Timestamp("2025-06-10"), pd.Timestamp("2025-06-11")
EVENT_TABLES = ("us_china", "macro_releases", "other_news")

# Figures read elsewhere: the exchanges', Cboe's, the Federal Reserve's and the EIA's own publications.
KNOWN_VALUES = [
    ("csi300", "2025-06-10", 3865.47, 0.005),
    ("csi300", "2025-06-11", 3894.63, 0.005),
    ("vix", "2025-06-10", 16.95, 0),
    ("vix", "2025-06-11", 17.26, 0),
    ("vix", "2018-03-21", 17.86, 0),
    ("vix", "2018-03-22", 23.34, 0),
    ("us_10y", "2025-06-10", 4.47, 0),
    ("us_10y", "2025-06-11", 4.41, 0),
    ("us_2y", "2025-06-10", 4.01, 0),
    ("us_2y", "2025-06-11", 3.94, 0),
    ("wti_spot", "2025-06-10", 65.66, 0),
    ("wti_spot", "2025-06-11", 68.91, 0),
    ("wti_spot", "2020-04-20", -36.98, 0),
    ("broad_dollar", "2025-06-10", 121.4134, 0),
    ("broad_dollar", "2025-06-11", 120.9763, 0),
    ("sp500", "2018-03-22", 2643.69, 0),
]
KNOWN_RETURNS = [
    ("csi300", "2025-06-10", "2025-06-11", 0.0075, 5e-5),
    ("sp500", "2018-03-21", "2018-03-22", -0.0252, 5e-5),
    ("usd_cny_ecb", "2025-06-10", "2025-06-11", 0.0003, 5e-5),
    ("wti_spot", "2025-06-10", "2025-06-11", 0.0495, 5e-5),
]
EVIDENCE = {
    "us_china": {
        "documented_exact",
        "documented_approx",
        "documented_day",
        "documented_undated",
        "documented_time_text_unread",
        "memory_time",
        "memory_day",
    },
    "macro_releases": {"documented", "rule", "scheduled"},
    "other_news": {"documented_exact", "documented_day", "memory_day"},
}


def manifest() -> list[dict[str, str]]:
    with (BUNDLED / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def closes(stem: str) -> pd.Series:
    return pd.read_csv(BUNDLED / f"{stem}.csv", index_col="date", parse_dates=["date"])["close"]


def event_rows(table: str) -> pd.DataFrame:
    return pd.read_csv(EVENTS / f"{table}.csv", dtype=str, keep_default_na=False)


def reference(*parts: str) -> Path:
    """A folder of the reference data, or a skip that says where it was looked for."""
    stated = os.environ.get("MARKET_REACTION_REFERENCE")
    folder = Path(stated) if stated else ROOT.parent / "shared"
    found = folder.joinpath(*parts)
    if not found.is_dir():
        pytest.skip(f"{found} does not exist; MARKET_REACTION_REFERENCE names the folder with the reference data.")
    return found


def needs_packages() -> None:
    for package in (build_bundled_data.HS300, build_bundled_data.SKFOLIO, build_bundled_data.ECB):
        try:
            found = version(package.name)
        except PackageNotFoundError:
            pytest.skip(f"{package.name} is not installed; it is in the extra `data`.")
        if found != package.version:
            pytest.skip(f"{package.name} is installed in version {found}, not {package.version}.")


# --- the files and their manifest ---------------------------------------------------------------------------------


def test_manifest_lists_every_file_and_no_other() -> None:
    listed = sorted(row["file"] for row in manifest())
    assert listed == sorted(path.name for path in BUNDLED.iterdir() if path.name not in ("manifest.csv", "README.md"))


def test_manifest_lists_every_bundled_instrument() -> None:
    named = {item.bundled: item.name for item in catalogue().values() if item.bundled}
    assert {Path(row["file"]).stem: row["instrument"] for row in manifest()} == named


@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["file"])
def test_file_agrees_with_manifest(row: dict[str, str]) -> None:
    content = (BUNDLED / row["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == row["sha256"]
    lines = list(csv.DictReader(content.decode().splitlines()))
    days = [line["date"] for line in lines]
    assert (days[0], days[-1], str(len(days))) == (row["first"], row["last"], row["rows"])
    assert days == sorted(set(days))
    assert all(date.fromisoformat(day).isoformat() == day for day in days)
    assert all(line["close"] and float(line["close"]) == float(line["close"]) for line in lines)
    assert row["price_basis"] in get_args(PriceBasis)
    assert date.fromisoformat(row["retrieved"]) >= date.fromisoformat(row["last"])
    assert row["publisher"] and row["licence"]
    assert re.search(r" \d+\.\d+\.\d+| @ [0-9a-f]{10} ", row["origin"]), "The origin names no version and no commit."


def test_terms_not_verified_are_said() -> None:
    noted = {Path(row["file"]).stem for row in manifest() if row["terms_note"]}
    shares = {item.bundled for item in catalogue().values() if item.asset_class == "equity" and item.bundled}
    assert noted == {"csi300", "sp500", "vix"} | shares
    assert len(shares) == 20


@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["file"])
def test_readme_states_the_reach_of_each_file(row: dict[str, str]) -> None:
    lines = (BUNDLED / "README.md").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith("|") and f"`{row['file']}`" in line]
    assert f"| {row['first']} | {row['last']} |" in line


@pytest.mark.parametrize(("stem", "day", "value", "within"), KNOWN_VALUES)
def test_known_close(stem: str, day: str, value: float, within: float) -> None:
    assert closes(stem)[day] == pytest.approx(value, rel=0, abs=within)


@pytest.mark.parametrize(("stem", "before", "after", "move", "within"), KNOWN_RETURNS)
def test_known_return(stem: str, before: str, after: str, move: float, within: float) -> None:
    series = closes(stem)
    assert series.index.get_loc(after) == series.index.get_loc(before) + 1
    assert series[after] / series[before] - 1 == pytest.approx(move, abs=within)


@pytest.mark.parametrize(("stem", "code"), [("csi300", "XSHG"), ("sp500", "XNYS"), ("us_xom", "XNYS")])
def test_rows_are_the_sessions_of_the_exchange(stem: str, code: str) -> None:
    days = closes(stem).index
    sessions = calendars.hours(code).sessions
    expected = sessions[(sessions >= days[0]) & (sessions <= days[-1])]
    assert list(expected.difference(days)) == []
    assert list(days.difference(expected)) == []


def test_csi300_bars_hold_together() -> None:
    bars = pd.read_csv(BUNDLED / "csi300.csv", index_col="date")
    assert (bars["high"] >= bars[["open", "close", "low"]].max(axis=1)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["volume"] > 0).all()


def test_ecb_pairs_are_quotients_of_the_published_rates() -> None:
    # Published for 30 October 2026: EUR/USD 1.1172, EUR/CNY 7.4326, EUR/GBP 0.8338.
    assert closes("eur_usd_ecb")["2026-10-30"] == 1.1172
    assert closes("usd_cny_ecb")["2026-10-30"] == pytest.approx(7.4326 / 1.1172, abs=5e-7)
    assert closes("gbp_usd_ecb")["2026-10-30"] == pytest.approx(1.1172 / 0.8338, abs=5e-7)


# --- how the files are made ---------------------------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize("name", build_bundled_data.PUBLIC)
def test_public_series_equal_the_reference(name: str) -> None:
    stem = build_bundled_data.PUBLIC[name][0]
    published = pd.read_csv(reference("data", "public") / name)
    shipped = pd.read_csv(BUNDLED / f"{stem}.csv")
    pd.testing.assert_frame_equal(shipped, published.dropna(subset=["close"]).reset_index(drop=True), check_exact=True)


def test_rebuilding_gives_the_same_bytes(tmp_path: Path) -> None:
    needs_packages()
    shutil.copytree(BUNDLED, tmp_path, dirs_exist_ok=True)
    public = {f"{stem}.csv" for stem, _, _ in build_bundled_data.PUBLIC.values()}
    for path in tmp_path.glob("*.csv"):
        if path.name not in public | {"manifest.csv"}:
            path.unlink()
    build_bundled_data.build(tmp_path)
    for row in manifest():
        assert (tmp_path / row["file"]).read_bytes() == (BUNDLED / row["file"]).read_bytes(), row["file"]
    assert (tmp_path / "manifest.csv").read_bytes() == (BUNDLED / "manifest.csv").read_bytes()


@pytest.mark.reference
def test_rebuilding_from_the_reference_gives_the_same_bytes(tmp_path: Path) -> None:
    needs_packages()
    build_bundled_data.build(tmp_path, reference("data", "public"))
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in BUNDLED.glob("*.csv")}


def test_rebuilding_keeps_no_damaged_public_series(tmp_path: Path) -> None:
    needs_packages()
    shutil.copytree(BUNDLED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "vix.csv").write_text("date,close\n2025-06-11,17.26\n", encoding="utf-8")
    with pytest.raises(build_bundled_data.BuildError, match=r"vix\.csv has sha256 .* and the manifest says"):
        build_bundled_data.build(tmp_path)


def test_public_file_must_be_the_one_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs_packages()
    (tmp_path / "VIX.csv").write_text("date,close\n2025-06-11,17.26\n", encoding="utf-8")
    (tmp_path / "SOURCES.md").write_text(
        "| file | official publisher | licence | read from | sha256 (start) |\n| --- | --- | --- | --- | --- |\n"
        "| VIX.csv | Cboe | PDDL | a copy (2026-01-02) | 0123456789ab |\n",
        encoding="utf-8",
    )
    assert build_bundled_data.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "SOURCES.md says 0123456789ab" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_package_version_is_refused() -> None:
    package = build_bundled_data.Package("pandas", "0.0.1", "2026-01-02", "BSD-3-Clause")
    with pytest.raises(build_bundled_data.BuildError, match=r"'pandas' is installed in version .* and 0\.0\.1"):
        package.file("pandas/__init__.py")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"date": "2025-06-11", "close": ""}], "no row with a close"),
        ([{"date": "11/06/2025", "close": "1"}], "cannot be read"),
        ([{"date": "2025-06-11", "close": "n/a"}], "cannot be read"),
        ([{"date": "2025-06-11", "close": "1"}, {"date": "2025-06-11", "close": "2"}], "more than once"),
    ],
)
def test_unusable_rows_are_refused(rows: list[dict[str, str]], message: str) -> None:
    with pytest.raises(build_bundled_data.BuildError, match=message):
        build_bundled_data._usable(rows, "a file")


# --- the source -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["file"])
def test_source_gives_every_series(row: dict[str, str]) -> None:
    instrument = find_instrument(row["instrument"])
    source = BundledSource()
    series = source.fetch(instrument, START, END)
    stored = closes(Path(row["file"]).stem)
    assert series.source == source.name == "bundled"
    assert series.name == instrument.name_from("bundled")
    assert series.price_basis == row["price_basis"]
    assert series.closes.tolist() == stored.loc[series.sessions].tolist()
    assert len(series.sessions) + len(series.excluded) == len(stored)
    vintage = series.vintage
    assert (vintage.first, vintage.last, vintage.rows) == (
        series.sessions[0], series.sessions[-1], len(series.sessions),
    )  # fmt: skip
    assert vintage.retrieved_utc == pd.Timestamp(row["retrieved"], tz="UTC")
    assert vintage.sha256 == row["sha256"]
    assert row["publisher"] in vintage.detail and row["origin"] in vintage.detail
    assert source.fetch(instrument, START, END) is series


def test_closed_days_are_left_out_and_named() -> None:
    excluded = BundledSource().fetch(find_instrument("VIX"), START, END).excluded
    assert excluded["reason"].unique().tolist() == ["closed day of XNYS"]
    # The day of mourning for President Reagan, and US holidays since Cboe began to publish on them.
    days = [f"{day:%Y-%m-%d}" for day in excluded["session"]]
    assert (len(days), days[:2]) == (33, ["2004-06-11", "2022-05-30"])


def test_close_of_the_ecb_fixing() -> None:
    series = BundledSource().fetch(find_instrument("USD/CNY"), START, END)
    assert series.close_utc[series.sessions.get_loc("2025-06-11")] == pd.Timestamp("2025-06-11 12:15", tz="UTC")


def test_market_without_bundled_series() -> None:
    with pytest.raises(DataUnavailableError) as caught:
        BundledSource().fetch(find_instrument("Hang Seng"), START, END)
    assert (caught.value.cause, caught.value.symbol, caught.value.retryable) == ("not offered", "Hang Seng", False)
    for part in ("'Hang Seng'", "2025-06-10 to 2025-06-11", "network for Yahoo's ^HSI", "source='files'"):
        assert part in str(caught.value)


def test_no_network_is_offered_where_yahoo_has_nothing() -> None:
    with pytest.raises(DataUnavailableError) as caught:
        BundledSource().fetch(find_instrument("CSI All Share"), START, END)
    assert "network" not in str(caught.value)
    assert "source='files'" in str(caught.value)


def test_bundled_symbol_that_is_not_there() -> None:
    own = Instrument("Own index", "index", bundled="own_index", calendar="XNYS")
    with pytest.raises(DataUnavailableError, match=r"'own_index', which is not in .*manifest\.csv") as caught:
        BundledSource().fetch(own, START, END)
    assert (caught.value.cause, caught.value.symbol) == ("not offered", "own_index")


def test_altered_file_is_refused(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED, tmp_path, dirs_exist_ok=True)
    source, vix = BundledSource(tmp_path), find_instrument("VIX")
    before = source.fetch(vix, START, END)
    path = tmp_path / "vix.csv"
    original = path.read_bytes()
    altered = original.replace(b",17.26\n", b",17.27\n", 1)
    assert altered != original
    path.write_bytes(altered)
    os.utime(path, ns=(1, 1))
    with pytest.raises(SnapshotError) as caught:
        source.fetch(vix, START, END)
    for content in (altered, original):
        assert hashlib.sha256(content).hexdigest()[:12] in str(caught.value)
    assert "tools/build_bundled_data.py" in str(caught.value)
    path.write_bytes(original)
    os.utime(path, ns=(2, 2))
    assert source.fetch(vix, START, END).bars.equals(before.bars)


@pytest.mark.parametrize("name", ["vix.csv", "manifest.csv"])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    shutil.copytree(BUNDLED, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink()
    with pytest.raises(SnapshotError, match=rf"{re.escape(name)} is missing\. Restore it"):
        BundledSource(tmp_path).fetch(find_instrument("VIX"), START, END)


def test_manifest_without_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,instrument,sha256\nvix.csv,VIX,00\n", encoding="utf-8")
    with pytest.raises(SnapshotError, match=r"lacks the columns publisher, origin, .*retrieved\. Restore"):
        BundledSource(tmp_path).fetch(find_instrument("VIX"), START, END)


# --- the announcements --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", EVENT_TABLES)
def test_event_table_keeps_its_rules(table: str) -> None:
    rows = event_rows(table)
    assert list(rows.columns[:3]) == ["id", "title", "announced_utc"]
    assert not rows["id"].duplicated().any()
    assert (rows[["id", "title", "source", "evidence"]] != "").all(axis=None)
    earliest, latest = (pd.to_datetime(rows[c], utc=True) for c in ("utc_earliest", "utc_latest"))
    assert earliest.is_monotonic_increasing
    assert set(rows["evidence"]) == EVIDENCE[table]
    clocked = rows["precision"] != "day"
    instants = pd.to_datetime(rows["announced_utc"][clocked], utc=True, format="ISO8601")
    assert (earliest[clocked] <= instants).all()
    assert (instants <= latest[clocked]).all()
    minute = rows["precision"] == "minute"
    assert (latest[minute] - earliest[minute] <= pd.Timedelta(minutes=2)).all()
    day = pd.to_datetime(rows["announced_utc"][~clocked], format="%Y-%m-%d", utc=True)
    assert (earliest[~clocked] < day + pd.Timedelta(days=1)).all()
    assert (latest[~clocked] > day - pd.Timedelta(hours=14)).all()


@pytest.mark.parametrize("table", EVENT_TABLES)
def test_event_table_is_read_by_the_loader(table: str) -> None:
    rows, read = event_rows(table), events.catalogue(table)
    assert list(read.index) == list(rows["id"])
    assert (read["precision"].to_numpy() == rows["precision"].to_numpy()).all()
    assert read["announced_utc"].notna().all()


def test_ids_are_unique_across_the_tables() -> None:
    assert not pd.concat([event_rows(table)["id"] for table in EVENT_TABLES]).duplicated().any()


@pytest.mark.parametrize("table", ["us_china", "macro_releases"])
def test_local_time_is_the_same_instant(table: str) -> None:
    rows = event_rows(table)
    rows = rows[rows["precision"] != "day"]
    assert len(rows) > 50
    for row in rows.itertuples():
        local = pd.Timestamp(row.local_time).tz_localize(row.local_tz)
        assert local == pd.Timestamp(row.announced_utc), row.id


def test_local_day_holds_the_bounds() -> None:
    rows = event_rows("us_china")
    for row in rows[rows["precision"] == "day"].itertuples():
        day = pd.Timestamp(row.announced_utc)
        first, last = (d.tz_localize(row.local_tz) for d in (day, day + pd.Timedelta(days=1)))
        assert first == pd.Timestamp(row.utc_earliest), row.id
        assert last == pd.Timestamp(row.utc_latest), row.id


def test_london_framework() -> None:
    row = events.catalogue("us_china").loc["2025-06-10-jt"]
    bounds = [f"{row[c]:%Y-%m-%d %H:%M}" for c in ("utc_earliest", "announced_utc", "utc_latest")]
    assert bounds == ["2025-06-10 22:15", "2025-06-10 22:50", "2025-06-10 23:00"]
    cpi = events.catalogue("macro_releases").loc["2025-06-11-us-cpi"]
    assert f"{cpi['announced_utc']:%H:%M}" == "12:30"


def test_releases_name_their_publisher_and_grade() -> None:
    rows = event_rows("macro_releases")
    for row in rows.itertuples():
        expected = f"{build_event_tables.PUBLISHERS[row.kind]}; {build_event_tables.EVIDENCE[row.evidence]}"
        approximate = row.kind in ("cn_trade", "cn_lpr") or row.evidence == "rule"
        assert row.source == (f"{expected}; clock time approximate" if approximate else expected), row.id
        margin = pd.Timedelta(minutes=60 if approximate else 1)
        instant = pd.Timestamp(row.announced_utc)
        assert pd.Timestamp(row.utc_latest) - instant == instant - pd.Timestamp(row.utc_earliest) == margin, row.id


def test_eight_fomc_statements_a_year() -> None:
    rows = event_rows("macro_releases")
    statements = rows[(rows["kind"] == "us_fomc") & ~rows["title"].str.contains("unscheduled")]
    per_year = statements["announced_utc"].str[:4].value_counts()
    assert per_year.to_dict() == {str(year): 7 if year == 2020 else 8 for year in range(2018, 2027)}


@pytest.mark.parametrize("table", EVENT_TABLES)
def test_sources_name_no_code_list(table: str) -> None:
    text = (EVENTS / f"{table}.csv").read_text(encoding="utf-8")
    assert re.findall(r"GitHub|\blist L\d|https?://|\bcommit\b", text) == []


@pytest.mark.parametrize("table", EVENT_TABLES)
def test_readme_counts_the_rows(table: str) -> None:
    text = (EVENTS / "README.md").read_text(encoding="utf-8")
    rows = event_rows(table)
    section = next(part for part in text.split("\n## ") if part.startswith(f"{table}.csv"))
    assert section.startswith(f"{table}.csv: {len(rows)} ")
    for grade, count in rows["evidence"].value_counts().items():
        assert f"| `{grade}` | {count} |" in section
    for precision, words in (("minute", "known to the minute"), ("hour", "to the hour")):
        count = int((rows["precision"] == precision).sum())
        assert re.search(rf"\b{count} (rows are )?{words}", section), f"{count} rows {words} are not in the README."
    for kind, group in rows.groupby("kind") if table == "macro_releases" else ():
        first, last = group["announced_utc"].min()[:10], group["announced_utc"].max()[:10]
        assert re.search(rf"\| `{kind}` \| [^|]+ \| {len(group)} \| {first} \| {last} \|", section), kind


@pytest.mark.reference
def test_event_tables_are_built_from_the_reference() -> None:
    built = build_event_tables.build(reference("reference", "events"))
    assert built == {f"{table}.csv": (EVENTS / f"{table}.csv").read_bytes().decode() for table in EVENT_TABLES}


def test_source_with_a_repository_left_in_is_refused() -> None:
    assert build_event_tables.reworded("AP 3 Dec 2024; GitHub someone/list file.csv") == "AP 3 Dec 2024"
    with pytest.raises(build_event_tables.BuildError, match="still names a code repository"):
        build_event_tables.reworded("GitHub someone/list file.csv")


def test_release_of_an_unknown_kind_is_refused() -> None:
    row = {"id": "2025-06-11-xx", "kind": "xx", "evidence": "documented", "released_utc": "2025-06-11T12:30Z"}
    with pytest.raises(build_event_tables.BuildError, match="'2025-06-11-xx' has kind 'xx'"):
        build_event_tables.macro(row)
