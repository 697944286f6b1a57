"""Snapshots: written once, found by what they cover, refused when changed, safe with two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from market_reaction.errors import SnapshotError
from market_reaction.instruments import find_instrument
from market_reaction.snapshot_files import folder_name
from market_reaction.snapshot_store import SnapshotStore
from market_reaction.snapshots import Snapshot
from market_reaction.sources.yahoo_rows import expected_finals

RETRIEVED = pd.Timestamp("2025-06-12 20:00", tz="UTC")
# CSI 300 closes.
CLOSES = {
    "2025-06-06": 3873.98, "2025-06-09": 3885.25, "2025-06-10": 3865.47, "2025-06-11": 3894.63, "2025-06-12": 3892.2,
}  # fmt: skip


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def bars(first: str = "2025-06-06", last: str = "2025-06-12") -> pd.DataFrame:
    closes = {label: close for label, close in CLOSES.items() if first <= label <= last}
    index = pd.DatetimeIndex(list(closes), name="session").as_unit("ns")
    return pd.DataFrame({"close": list(closes.values())}, index=index)


def close_of(labels: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """15:00 Shanghai."""
    return (labels + pd.Timedelta(hours=7)).tz_localize("UTC")


def keep(
    store: SnapshotStore, rows: pd.DataFrame | None = None, *, start: str = "2025-06-06", end: str = "2025-06-12",
    retrieved: pd.Timestamp = RETRIEVED, symbol: str = "000300.SS", basis: str = "close",
) -> Snapshot:  # fmt: skip
    return store.write(
        "yahoo", symbol, bars() if rows is None else rows, start=day(start), end=day(end), retrieved_utc=retrieved,
        detail="yfinance 1.7.0", price_basis=basis, meta={"currency": "CNY"},
    )  # fmt: skip


def find(
    store: SnapshotStore, start: str, end: str, *, now: str = "2025-06-12 20:05", as_of: object = None,
    covering: bool = True, symbol: str = "000300.SS", basis: str = "close",
) -> Snapshot | None:  # fmt: skip
    return store.find(
        "yahoo", symbol, day(start), day(end), as_of=as_of, now=at(now), close_of=close_of, covering=covering,
        price_basis=basis,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots")


def files(store: SnapshotStore, suffix: str = "") -> list[Path]:
    return sorted(path for path in store.root.rglob("*" + suffix) if path.is_file())


def age(path: Path, hours: float) -> None:
    when = path.stat().st_mtime - hours * 3600
    os.utime(path, (when, when))


def test_round_trip(store: SnapshotStore) -> None:
    written = keep(store)
    found = find(store, "2025-06-06", "2025-06-12")
    assert found == written
    pd.testing.assert_frame_equal(store.read(written), bars(), check_freq=False)
    assert store.read(written).index.unit == "ns"
    assert (written.symbol, written.rows, written.detail) == ("000300.SS", 5, "yfinance 1.7.0")
    assert (written.first, written.last) == (day("2025-06-06"), day("2025-06-12"))
    assert (written.retrieved_utc, written.meta) == (RETRIEVED, {"currency": "CNY"})
    stated = json.loads(written.sidecar.read_text())
    assert stated["retrieved_utc"] == "2025-06-12T20:00:00+00:00"
    assert written.path.parent == store.root / "yahoo" / "000300.SS"
    assert list(store.list()) == [written]


def test_empty_store_has_nothing(store: SnapshotStore) -> None:
    assert find(store, "2025-06-06", "2025-06-12") is None
    assert list(store.list()) == []


def test_the_last_row_is_the_last_with_a_close(store: SnapshotStore) -> None:
    rows = bars()
    rows.loc[day("2025-06-12"), "close"] = float("nan")
    assert keep(store, rows).last == day("2025-06-11")


@pytest.mark.parametrize("rows", [bars().iloc[:0], bars().iloc[::-1], bars().iloc[[0, 0, 1]]])
def test_unusable_rows_are_refused(store: SnapshotStore, rows: pd.DataFrame) -> None:
    with pytest.raises(SnapshotError, match=r"rows of '000300\.SS' from yahoo cannot be kept.*Sort the rows"):
        keep(store, rows)
    assert files(store) == []


def test_a_snapshot_is_never_changed(store: SnapshotStore) -> None:
    first = keep(store)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files(store)}
    again = keep(store, retrieved=RETRIEVED + pd.Timedelta(minutes=4))
    assert again == first
    wider = keep(store, start="2025-01-01", retrieved=RETRIEVED + pd.Timedelta(hours=1))
    assert wider.path != first.path
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before


def test_newest_covering_snapshot_wins(store: SnapshotStore) -> None:
    old = keep(store, start="2025-01-01", retrieved=at("2025-06-12 09:00"))
    new = keep(store, bars("2025-06-09"), start="2025-06-09", retrieved=at("2025-06-12 10:00"))
    assert find(store, "2025-06-09", "2025-06-12") == new
    assert find(store, "2025-03-01", "2025-06-12") == old
    assert find(store, "2024-03-01", "2025-06-12") is None
    assert find(store, "2024-03-01", "2025-06-12", covering=False) == old


def test_bases_and_symbols_are_kept_apart(store: SnapshotStore) -> None:
    plain = keep(store)
    adjusted = keep(store, basis="adjusted close")
    assert plain.path != adjusted.path
    assert find(store, "2025-06-09", "2025-06-12", basis="adjusted close") == adjusted
    assert find(store, "2025-06-09", "2025-06-12") == plain
    assert find(store, "2025-06-09", "2025-06-12", symbol="000300.ss") is None


# --- what a snapshot covers ---------------------------------------------------------------------------------


def test_rows_up_to_the_end_cover_for_ever(store: SnapshotStore) -> None:
    keep(store)
    assert find(store, "2025-06-06", "2025-06-11", now="2031-01-01 00:00")


def test_a_later_end_is_covered_until_the_next_close(store: SnapshotStore) -> None:
    keep(store, end="2025-07-31")
    assert find(store, "2025-06-06", "2025-07-31", now="2025-06-13 06:59")
    assert not find(store, "2025-06-06", "2025-07-31", now="2025-06-13 07:00")


def test_an_end_that_was_not_asked_for_is_not_covered(store: SnapshotStore) -> None:
    keep(store, bars(last="2025-06-11"), end="2025-06-11")
    assert not find(store, "2025-06-06", "2025-06-12")
    assert find(store, "2025-06-06", "2025-06-11")


def test_a_weekend_brings_no_rows(store: SnapshotStore) -> None:
    rows = bars(last="2025-06-06")
    keep(store, rows, end="2025-06-06", retrieved=at("2025-06-06 20:00"))
    assert find(store, "2025-06-06", "2025-06-08", now="2025-06-20 12:00")
    assert not find(store, "2025-06-06", "2025-06-09", now="2025-06-20 12:00")


def test_a_row_missing_shortly_after_its_close_is_asked_for_again(store: SnapshotStore) -> None:
    keep(store, bars(last="2025-06-11"), retrieved=at("2025-06-12 07:05"))
    assert find(store, "2025-06-06", "2025-06-12", now="2025-06-12 07:10")
    assert not find(store, "2025-06-06", "2025-06-12", now="2025-06-12 07:20")


def test_a_row_missing_long_after_its_close_is_asked_for_again_after_the_next(store: SnapshotStore) -> None:
    keep(store, bars(last="2025-06-11"))
    assert find(store, "2025-06-06", "2025-06-12", now="2025-06-13 06:00")
    assert not find(store, "2025-06-06", "2025-06-12", now="2025-06-13 08:00")


def test_a_closed_day_of_the_calendar_is_not_waited_for(store: SnapshotStore) -> None:
    rows = bars(last="2025-06-06").set_axis(pd.DatetimeIndex(["2025-05-30"], name="session"))
    keep(store, rows, start="2025-05-30", end="2025-06-02", retrieved=at("2025-06-02 20:00"))

    def finals(labels: pd.DatetimeIndex) -> pd.DatetimeIndex:
        return expected_finals(find_instrument("CSI 300"), labels)

    days = day("2025-05-30"), day("2025-06-02")  # Dragon Boat festival on Monday 2 June
    now = at("2025-06-20 12:00")
    assert store.find("yahoo", "000300.SS", *days, now=now, close_of=finals)
    assert not store.find("yahoo", "000300.SS", *days, now=now, close_of=close_of)


def test_a_series_that_begins_later_covers_earlier_starts(store: SnapshotStore) -> None:
    keep(store, start="2015-01-01", retrieved=at("2025-06-12 09:00"))
    new = keep(store, start="2025-06-02", retrieved=at("2025-06-12 10:00"))
    assert find(store, "2018-01-01", "2025-06-12") == new
    assert find(store, "2014-01-01", "2025-06-12") is None


@pytest.mark.parametrize(
    ("as_of", "which"),
    [
        ("2025-06-11", 0),
        (date(2025, 6, 11), 0),
        ("2025-06-12 19:59 UTC", 0),
        ("2025-06-13 03:59+08:00", 0),
        (RETRIEVED, 1),
        ("2025-06-12", 1),
        ("2030-01-01", 1),
        ("2025-06-10", None),
    ],
)
def test_as_of(store: SnapshotStore, as_of: object, which: int | None) -> None:
    both = [keep(store, bars(last="2025-06-11"), retrieved=at("2025-06-11 20:00")), keep(store)]
    found = find(store, "2025-06-06", "2025-06-11", as_of=as_of)
    assert found == (None if which is None else both[which])


def test_covering_is_judged_at_as_of(store: SnapshotStore) -> None:
    keep(store, bars(last="2025-06-11"), end="2025-06-20", retrieved=at("2025-06-11 20:00"))
    assert not find(store, "2025-06-06", "2025-06-20", now="2025-06-25 00:00")
    assert find(store, "2025-06-06", "2025-06-20", now="2025-06-25 00:00", as_of="2025-06-12 06:00 UTC")


# --- damage and leftovers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["torn", "changed", "gone"])
def test_a_damaged_file_is_refused(store: SnapshotStore, damage: str) -> None:
    snapshot = keep(store)
    content = snapshot.path.read_bytes()
    match damage:
        case "torn":
            snapshot.path.write_bytes(content[: len(content) // 2])
        case "changed":
            snapshot.path.write_bytes(content[:60] + bytes([content[60] ^ 1]) + content[61:])
        case _:
            snapshot.path.unlink()
    with pytest.raises(SnapshotError, match=r"Delete it and .*\.json, or load again with refresh=True") as caught:
        store.read(snapshot)
    assert str(snapshot.path) in str(caught.value)
    if damage != "gone":
        assert snapshot.sha256 in str(caught.value)
        assert str(caught.value).count("sha256") == 1
    repaired = keep(store)  # what refresh=True does
    pd.testing.assert_frame_equal(store.read(repaired), bars(), check_freq=False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"symbol": "000300.SS"}'])
def test_a_damaged_note_is_refused(store: SnapshotStore, text: str) -> None:
    snapshot = keep(store)
    snapshot.sidecar.write_text(text)
    with pytest.raises(SnapshotError, match=r"the snapshot note .*\.json cannot be read.*Delete it and .*\.parquet"):
        find(store, "2025-06-06", "2025-06-12")


def test_a_file_without_note_is_ignored_and_swept_after_an_hour(store: SnapshotStore) -> None:
    alone = keep(store, start="2025-01-01")
    alone.sidecar.unlink()
    temporary = alone.path.with_name(".1-abc.tmp")
    temporary.write_bytes(b"half")
    assert find(store, "2025-06-06", "2025-06-12") is None
    kept = keep(store)
    assert {alone.path, temporary} <= set(files(store))
    age(alone.path, 1.1)
    age(temporary, 1.1)
    age(kept.path, 100)
    keep(store, start="2025-02-01")
    assert len(files(store)) == 4
    assert not {alone.path, temporary} & set(files(store))


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match=r"cannot be written to .*MARKET_REACTION_SNAPSHOTS"):
        keep(SnapshotStore(tmp_path / "file"))


def test_without_hard_links(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    first = keep(store)
    assert keep(store) == first
    assert len(files(store)) == 2


# --- hostile names ------------------------------------------------------------------------------------------

HOSTILE = (
    "../../x", "..", ".", "/etc/passwd", "a/b", "a\\b", "C:\\x", "CON", "nul.txt", "x.", " ", "\x00", "x" * 300,
    "<script>", "=cmd()", "é" * 100, "%2e%2e", "a:b", "aux.SS",
)  # fmt: skip


@pytest.mark.parametrize("symbol", [symbol for symbol in HOSTILE if symbol.strip()])
def test_a_hostile_symbol_stays_inside(store: SnapshotStore, symbol: str) -> None:
    written = keep(store, symbol=symbol)
    assert find(store, "2025-06-06", "2025-06-12", symbol=symbol) == written
    outside = [path for path in store.root.parent.rglob("*") if not path.is_relative_to(store.root)]
    assert outside == []
    assert all(path.parent.parent.parent == store.root for path in files(store))
    name = written.path.parent.name
    assert not set(name) & set('<>:"/\\|?*')
    assert not name.endswith((".", " "))
    assert len(name) <= 80


def test_hostile_symbols_have_folders_of_their_own() -> None:
    assert len({folder_name(symbol).casefold() for symbol in HOSTILE}) == len(HOSTILE)


def test_an_empty_symbol_is_refused(store: SnapshotStore) -> None:
    with pytest.raises(SnapshotError, match="a snapshot needs a symbol"):
        keep(store, symbol=" ")


def test_a_link_that_leads_out_is_refused(store: SnapshotStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (store.root / "yahoo").mkdir(parents=True)
    try:
        (store.root / "yahoo" / "MP").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("This system does not let links be made.")
    with pytest.raises(SnapshotError, match=r"outside the store .*Remove the link"):
        keep(store, symbol="MP")
    assert list((tmp_path / "elsewhere").iterdir()) == []


# --- two processes ------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
import pandas as pd
from market_reaction.snapshot_store import SnapshotStore

store = SnapshotStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
index = pd.bdate_range("2000-01-03", periods=2000, name="session").as_unit("ns")
for number in range(12):
    rows = pd.DataFrame({"close": [100.0 + number + at / 7 for at in range(2000)]}, index=index)
    written = store.write(
        "yahoo", "ES=F", rows, start=index[0], end=index[-1],
        retrieved_utc=pd.Timestamp("2025-06-12 20:00:0" + sys.argv[2], tz="UTC"), detail=sys.argv[2],
    )
    assert len(store.read(written)) == 2000
    for found in store.list():
        store.read(found)
"""


def test_two_processes_leave_one_snapshot_of_each_series(store: SnapshotStore) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.root), str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    assert len(files(store)) == 24
    assert len({item.sha256 for item in store.list()}) == len(store.list()) == 12
    assert all(len(store.read(item)) == 2000 for item in store.list())
