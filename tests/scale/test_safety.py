"""What a crash, a second process, a moved panel or a foreign file may not do to a panel and to results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import scale
from market_reaction.errors import DataUnavailableError, EventTableError, ScaleError
from market_reaction.scale.dataset import PanelDataset

DAYS = pd.bdate_range("2020-01-01", periods=6)


def make(folder: Path, **options: object) -> PanelDataset:
    return scale.random_panel(folder, 12, 400, **({"block": 4} | options))


def one(panel: PanelDataset, at: int = 300) -> pd.DataFrame:
    return pd.DataFrame({"event_id": ["e"], "session": panel.sessions[[at]]})


def frame(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"A": values, "B": values}, index=DAYS[: len(values)])


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_panel_written_again_is_another_one_also_for_who_has_it_open(tmp_path: Path) -> None:
    panel = make(tmp_path / "panel")
    events = one(panel)
    make(tmp_path / "panel", seed=2, overwrite=True)
    with pytest.raises(ScaleError, match=r"is missing, or is not the file that was written. Open the panel again"):
        scale.run(panel, events, tmp_path / "out")
    with pytest.raises(ScaleError, match=r"it was written again. Open it again"):
        scale.run(panel, events, tmp_path / "other", kernel="sums")


def test_a_source_that_fails_leaves_the_old_panel_as_it_is(tmp_path: Path) -> None:
    before = scale.write_panel(frame([1, 2, 3]), tmp_path)
    for source, factors in (([("A", frame([1, 2])["A"])] * 2, None), (frame([1, 2]), frame([1]).set_axis(DAYS[5:]))):
        with pytest.raises(ScaleError, match=r"given twice|have no return on any session"):
            scale.write_panel(source, tmp_path, factors=factors, overwrite=True)
    assert np.array_equal(scale.open_panel(tmp_path).returns(0), before.returns(0), equal_nan=True)
    assert sorted(path.name for path in tmp_path.glob("[!.]*") if path.is_file()) == [
        "assets.parquet", "excluded.parquet", "panel.json", "sessions.parquet",
    ]  # fmt: skip


def test_files_of_others_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "factors.parquet").write_text("mine")
    with pytest.raises(ScaleError, match=r"holds factors\.parquet and no panel. Give another folder"):
        scale.write_panel(frame([1, 2, 3]), tmp_path)
    assert (tmp_path / "factors.parquet").read_text() == "mine"


def test_a_moved_panel_is_the_same_one(tmp_path: Path) -> None:
    panel = make(tmp_path / "panel")
    before = scale.run(panel, one(panel), tmp_path / "out").to_frame()
    shutil.move(tmp_path / "panel", tmp_path / "moved")
    (tmp_path / "out" / "parts" / "part-00001.parquet").unlink()
    after = scale.run(tmp_path / "moved", one(panel), tmp_path / "out")
    assert after.to_frame().equals(before) and after.manifest["panel"]["folder"] == str(tmp_path / "moved")


@pytest.mark.parametrize("name", ["events.parquet", "masks.parquet", "excluded.parquet"])
def test_a_rerun_mends_what_a_crash_left_of_the_job(tmp_path: Path, name: str) -> None:
    panel = make(tmp_path / "panel")
    before = scale.run(panel, one(panel), tmp_path / "out").to_frame()
    (tmp_path / "out" / name).write_bytes(b"")
    (tmp_path / "out" / "parts" / "part-00002.parquet").unlink()
    assert scale.run(panel, one(panel), tmp_path / "out").to_frame().equals(before)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is damaged"), ("[]", "is damaged .it holds no object"), ('{"format": 1}', "is damaged .it lacks kind")],
)
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str, message: str) -> None:
    panel = make(tmp_path / "panel")
    scale.run(panel, one(panel), tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text(text)
    for again in (scale.open_results, lambda out: scale.run(panel, one(panel), out)):
        with pytest.raises(ScaleError, match=message):
            again(tmp_path / "out")


def test_a_partition_lost_while_results_are_open_is_named(tmp_path: Path) -> None:
    panel = make(tmp_path / "panel")
    rows = scale.run(panel, one(panel), tmp_path / "out", windows=[(0, 1)])
    pools = scale.run_placebo(panel, one(panel), tmp_path / "pools", windows=[(0, 1)], count=100)
    for folder in ("out", "pools"):
        (tmp_path / folder / "parts" / "part-00002.parquet").unlink()
    for read in (rows.to_frame, rows.tests, rows.dataset, pools.to_frame):
        with pytest.raises(ScaleError, match=r"has lost 1 of its 3 partitions.*part-00002\.parquet. Run the same job"):
            read()
    assert "3 partitions" in repr(rows)


@pytest.mark.parametrize("harm", ["unlink", "cut"])
def test_lost_partitions_are_named_when_results_are_opened(tmp_path: Path, harm: str) -> None:
    panel = make(tmp_path / "panel")
    scale.run(panel, one(panel), tmp_path / "out")
    part = tmp_path / "out" / "parts" / "part-00001.parquet"
    if harm == "unlink":
        part.unlink()
    else:
        part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(ScaleError, match=r"has lost 1 of its 3 partitions.*first part-00001\.parquet. Run the same"):
        scale.open_results(tmp_path / "out")


def test_partitions_of_another_job_are_not_taken(tmp_path: Path) -> None:
    """Two jobs that raced for one folder: a partition of the other one is whole, and it is done anew."""
    panel = make(tmp_path / "panel")
    mine = scale.run(panel, one(panel), tmp_path / "mine").to_frame()
    scale.run(panel, one(panel, 310), tmp_path / "theirs")
    for name in ("part-00001.parquet", "part-00001.json"):
        shutil.copy(tmp_path / "theirs" / "parts" / name, tmp_path / "mine" / "parts" / name)
    assert scale.run(panel, one(panel), tmp_path / "mine").to_frame().equals(mine)


@pytest.mark.skipif(os.name != "posix", reason="folders are locked on POSIX systems")
def test_a_folder_is_worked_in_by_one_process_and_free_when_that_is_killed(tmp_path: Path) -> None:
    panel = make(tmp_path / "panel")
    code = (
        "import sys, time; from pathlib import Path; from market_reaction.scale import layout\n"
        "with layout.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    (tmp_path / "out").mkdir()
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(ScaleError, match=r"another process works in .*. Wait until it is done"):
            scale.run(panel, one(panel), tmp_path / "out")
        with pytest.raises(ScaleError, match="another process works in"):
            scale.write_panel(frame([1, 2, 3]), tmp_path / "out")
    finally:
        holder.kill()
        holder.communicate()
    assert len(scale.run(panel, one(panel), tmp_path / "out").to_frame()) == 12


def test_names_in_a_panel_lead_nowhere_else(tmp_path: Path) -> None:
    panel = make(tmp_path / "panel")
    path = tmp_path / "panel" / "panel.json"
    known = path.read_text()
    blocks = json.loads(known)["blocks"]
    edit(path, blocks=[blocks[0] | {"file": "../../other.parquet"}, *blocks[1:]])
    with pytest.raises(ScaleError, match=r"names '\.\./\.\./other\.parquet', which is no file of a panel"):
        scale.open_panel(tmp_path / "panel")
    path.write_text(known)
    edit(path, tables=json.loads(known)["tables"] | {"/etc/hosts": "0"})
    with pytest.raises(ScaleError, match="names '/etc/hosts', which is no file of a panel"):
        scale.open_panel(tmp_path / "panel")
    assert panel.names(0)[0] == "generated 00001"


def test_hostile_names_of_securities_stay_names(tmp_path: Path) -> None:
    names = ["../../up", "/etc/passwd", "<script>alert(1)</script>", "=cmd()", "万科A\n", "a" * 5000]
    source = scale.random_panel(tmp_path / "source", len(names), 400)
    wide = pd.DataFrame(dict(zip(names, source.returns(0), strict=True)), index=source.sessions)
    panel = scale.write_panel(wide, tmp_path / "panel", values="return", block=2)
    result = scale.cross_section(panel, one(panel), tmp_path / "out", history=120)
    assert list(result.rows.per_security().index) == names
    assert {path.name for path in tmp_path.iterdir()} == {"source", "panel", "out"}
    assert "<script>" not in result._repr_html_() + result.plot(kind="securities").to_json().replace("\\u003c", "<")


def test_rows_that_cannot_be_used_are_counted_or_named(tmp_path: Path) -> None:
    long = pd.DataFrame(
        {"permno": [1, 1, 1, None], "date": [20200102, 20200103, 20200106, 20200102], "ret": [0.1, -66.0, 0.2, 0.3]}
    )
    panel = scale.write_panel(long, tmp_path / "codes", values="return", returns="simple")
    assert [f"{day:%Y-%m-%d}" for day in panel.sessions] == ["2020-01-02", "2020-01-03", "2020-01-06"]
    assert panel.excluded.set_index("reason")["n_rows"].to_dict() == {
        "rows that name no security": 1, "no return: a simple return below -100%": 1,
    }  # fmt: skip
    for change, message in (
        ({"ret": ["0.1", "C", "0.2", "0.3"]}, "column 'ret' holds what is no number .*'C'.*pd.to_numeric"),
        ({"date": ["2020-01-02", "soon", "", ""]}, "column 'date' holds what is no date"),
    ):
        with pytest.raises(ScaleError, match=message):
            scale.write_panel(long.assign(**change), tmp_path / "x", values="return")
    odd = [("A", pd.Series([1.0, 2.0], index=np.array(["2020-01-02", "9999-12-31"], dtype="datetime64[s]")))]
    with pytest.raises(ScaleError, match="reach from 2020-01-02 to 9999-12-31; a panel holds the years 1800 to 2209"):
        scale.write_panel(odd, tmp_path / "far")
    old = pd.Series([1.0, 2.0, 4.0], index=np.array(["1885-02-16", "1969-12-31", "2150-01-02"], dtype="datetime64[s]"))
    assert [day.year for day in scale.write_panel([("A", old)], tmp_path / "old").sessions] == [1885, 1969, 2150]


def test_arguments_that_would_give_wrong_numbers_are_refused(tmp_path: Path) -> None:
    closes = frame([1.0, 2.0, 3.0])
    for options, message in (
        ({"values": "closes"}, "values='closes' is not known; choose 'close' or 'return'"),
        ({"returns": "pct"}, "returns='pct' is not known; choose 'log' or 'simple'"),
        ({"block": 0}, "block=0: a file holds at least 1 security"),
    ):
        with pytest.raises(ScaleError, match=message):
            scale.write_panel(closes, tmp_path / "x", **options)
    with pytest.raises(ScaleError, match="security 'A' is given twice"):
        scale.write_panel(closes.set_axis(["A", "A"], axis=1), tmp_path / "x")
    with pytest.raises(ScaleError, match="column 'A' holds what is no number"):
        scale.write_panel(closes.astype(object).replace(3.0, "x"), tmp_path / "x")
    panel = make(tmp_path / "panel")
    for session in ("soon", panel.sessions[300].tz_localize("UTC")):
        with pytest.raises(EventTableError, match="the column session holds what is no date without a time zone"):
            scale.run(panel, one(panel).assign(session=session), tmp_path / "out")
    with pytest.raises(EventTableError, match="the events to leave out lack session; they have when"):
        scale.run(panel, one(panel), tmp_path / "out", skip=pd.DataFrame({"when": [1]}))
    rows = scale.run(panel, one(panel), tmp_path / "out")
    for options, message in (
        ({"columns": ["car"]}, r"no column 'car'"),
        ({"assets": ["generated 0001"]}, "no security 'generated 0001'. Did you mean"),
        ({"events": ["f"]}, "the rows have no event 'f'"),
    ):
        with pytest.raises(ScaleError, match=message):
            rows.to_frame(**options)


def test_a_closed_day_is_no_session_of_all(tmp_path: Path) -> None:
    """One security with a row on Independence Day 2019 would shift the windows of every other one."""
    days = pd.DatetimeIndex(["2019-07-03", "2019-07-04", "2019-07-05"])
    wide = pd.DataFrame({"A": [1.0, 9.0, 2.0], "B": [1.0, np.nan, 2.0]}, index=days)
    panel = scale.write_panel(wide, tmp_path, market="S&P 500", returns="simple")
    assert list(panel.sessions) == [days[0], days[2]]
    assert panel.returns(0)[:, 1].tolist() == [1.0, 1.0]
    assert "closed day of XNYS" in set(panel.excluded["reason"])


def test_pools_larger_than_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make(tmp_path / "panel")
    own = pd.DataFrame({"event_id": ["a", "b"], "asset": list(panel.assets.index[:2]), "session": panel.sessions[300]})
    monkeypatch.setattr("market_reaction.scale.runs.POOL_BYTES", 100_000)
    with pytest.raises(ScaleError, match=r"the pools of 2 events that securities do not share.*at most 1 events at a"):
        scale.run_placebo(panel, own, tmp_path / "out")
    assert len(scale.run_placebo(panel, own, tmp_path / "few", count=20, windows=[(0, 0)]).to_frame()) == 2


def test_what_no_model_takes_is_refused_and_no_scheduler_is_named(tmp_path: Path) -> None:
    panel = make(tmp_path / "panel")
    with pytest.raises(ScaleError, match=r"model='constant_mean' takes no factors, and factors=.'generated market'."):
        scale.run(panel, one(panel), tmp_path / "out", factors=["generated market"])
    import dask
    import distributed  # noqa: F401 (it brings the settings that are changed here)

    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        with pytest.raises(ScaleError, match=r"no Dask scheduler answers there.*'local' for processes"):
            scale.run(panel, one(panel), tmp_path / "out", client="tcp://127.0.0.1:9")
        with pytest.raises(
            ScaleError, match="client='lokal' is no address; give 'local' or an address such as tcp://host:8786"
        ):
            scale.run(panel, one(panel), tmp_path / "out", client="lokal")
    with pytest.raises(DataUnavailableError, match="no folder was named"):
        scale.cross_section(" ", one(panel))


def test_all_sessions_an_ambiguous_announcement_may_belong_to_are_barred(tmp_path: Path) -> None:
    """A minute about the New York close of 5 March 2020: the 5th and the 6th may hold it."""
    panel = make(tmp_path / "panel", market="S&P 500", block=12)
    panel = scale.random_panel(tmp_path / "long", 12, pd.bdate_range("2018-01-02", "2020-12-30"))
    near = mr.load_events({"near": "2020-03-05 21:00 UTC"})
    found = scale.event_days(near, panel)
    assert found["ambiguous"].tolist() == [True]
    later = pd.DataFrame({"event_id": ["x"], "session": pd.DatetimeIndex(["2020-09-01"])})
    run = scale.run_placebo(panel, later, tmp_path / "out", exclude=near, skip=near, windows=[(0, 0)], count=200)
    barred = panel.sessions[~run.job.usable]
    assert [f"{day:%m-%d}" for day in barred] == ["03-05", "03-06"]
    assert list(panel.sessions[run.job.skip]) == list(barred)
