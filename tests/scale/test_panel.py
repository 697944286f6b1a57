"""Panels on disk: what goes in comes out, and what cannot be used is named."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import scale
from market_reaction.errors import ScaleError
from market_reaction.paths import data_dir
from market_reaction.scale.dataset import PanelDataset

DAYS = pd.bdate_range("2020-01-01", periods=6)


def closes() -> pd.DataFrame:
    return pd.DataFrame({"A": [100, 110, 99, 99, 108.9, 100], "B": [50, np.nan, 55, 55, 60.5, 0]}, index=DAYS)


def matrix(panel: PanelDataset) -> np.ndarray:
    return np.concatenate([panel.returns(block.number) for block in panel.blocks])


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> PanelDataset:
    return scale.bundled_panel(tmp_path_factory.mktemp("bundled"))


def test_returns_of_a_wide_frame_by_hand(tmp_path: Path) -> None:
    panel = scale.write_panel(closes(), tmp_path, returns="simple")
    expected = np.array([[np.nan, 0.1, -0.1, 0.0, 0.1, 100 / 108.9 - 1], [np.nan, np.nan, 0.1, 0.0, 0.1, np.nan]])
    np.testing.assert_allclose(matrix(panel), expected, atol=1e-15)
    assert list(panel.assets.index) == ["A", "B"] and panel.assets["n_returns"].tolist() == [5, 3]
    left = panel.excluded.set_index("reason")["n_rows"].to_dict()
    assert left == {"no number in the row": 1, "no return: a level at or below zero": 1}


def test_long_wide_and_pairs_give_one_panel(tmp_path: Path) -> None:
    wide = closes().iloc[:5]
    long = wide.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="close")
    long = long.sample(frac=1, random_state=1)
    panels = [
        scale.write_panel(source, tmp_path / name)
        for name, source in (
            ("wide", wide),
            ("long", long),
            ("pairs", ((name, wide[name].dropna()) for name in wide)),
            ("pieces", [long[long["ticker"] == "B"], long[long["ticker"] == "A"]]),
        )
    ]
    first = matrix(panels[0])
    for panel in panels[1:3]:
        assert np.array_equal(matrix(panel), first, equal_nan=True)
    assert list(panels[3].assets.index) == ["B", "A"]
    assert np.array_equal(matrix(panels[3])[::-1], first, equal_nan=True)


def test_returns_are_taken_as_they_are(tmp_path: Path) -> None:
    frame = pd.DataFrame({"permno": [1, 1, 2], "date": [DAYS[0], DAYS[1], DAYS[1]], "ret": [0.01, 0.02, 0.03]})
    frame = pd.concat([frame, frame.assign(permno=2, date=DAYS[2]).tail(1)])
    panel = scale.write_panel(frame, tmp_path, values="return", returns="simple")
    assert np.array_equal(matrix(panel), [[0.01, 0.02, np.nan], [np.nan, 0.03, 0.03]], equal_nan=True)


def test_the_block_size_changes_the_files_and_not_the_returns(tmp_path: Path) -> None:
    one = scale.random_panel(tmp_path / "one", 25, 120, seed=7)
    many = scale.random_panel(tmp_path / "many", 25, 120, seed=7, block=4)
    assert [block.securities for block in many.blocks] == [4] * 6 + [1] and len(one.blocks) == 1
    assert np.array_equal(matrix(one), matrix(many), equal_nan=True)
    assert many.names(6) == ["generated 00025"] and many.generated


def test_a_block_is_a_long_table_other_programs_can_read(bundled: PanelDataset) -> None:
    frame = pd.read_parquet(bundled.folder / bundled.blocks[0].file)
    assert list(frame.columns) == ["asset", "session", "return"]
    assert len(frame) == len(bundled.assets) * len(bundled.sessions)
    apple = frame[frame["asset"] == "Apple"].set_index("session")["return"]
    prices = mr.load_prices(["Apple"], "1990-01-02", "2022-12-30", source="bundled")["Apple"]
    assert np.array_equal(apple.to_numpy(), prices.returns("log"), equal_nan=True)
    assert list(bundled.factors.columns) == ["S&P 500"]


def test_the_same_data_gives_the_same_bytes(bundled: PanelDataset, tmp_path: Path) -> None:
    again = scale.bundled_panel(tmp_path)
    assert [block.sha256 for block in again.blocks] == [block.sha256 for block in bundled.blocks]
    assert again.checksum == bundled.checksum


def test_a_folder_of_price_files(tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    for symbol in ("us_aapl", "us_amd"):
        pd.read_csv(data_dir() / "bundled" / f"{symbol}.csv").tail(300).to_csv(folder / f"{symbol}.csv", index=False)
    weekend = pd.DataFrame({"Date": ["2022-12-23", "2022-12-24", "2022-12-27"], "Adj Close": [1.0, 2.0, 3.0]})
    weekend.assign(Close=[2.0, 2.0, 2.0]).to_csv(folder / "split.csv", index=False)
    (folder / "broken.csv").write_text("nothing,of,this\nis,a,price\n")
    (folder / "notes.md").write_text("no price file")
    panel = scale.write_panel(folder, tmp_path / "panel", market="S&P 500")
    assert list(panel.assets.index) == ["split", "us_aapl", "us_amd"]
    row = matrix(panel)[0]
    assert row[np.isfinite(row)].tolist() == [pytest.approx(np.log(3))]  # adjusted closes, without the Saturday
    left = panel.excluded.set_index("asset")
    assert left.at["split", "reason"] == "closed day of XNYS"
    assert "no line among the first 60 names a date and a close" in left.at["broken", "reason"]
    plain = scale.write_panel(folder, tmp_path / "plain", market="S&P 500", adjusted=False)
    assert matrix(plain)[0][np.isfinite(matrix(plain)[0])].tolist() == [0.0]


def test_factors_lie_on_the_sessions_of_the_panel(tmp_path: Path) -> None:
    factors = pd.DataFrame({"m": [0.5, 0.1, 0.2]}, index=[DAYS[5], DAYS[1], DAYS[3]])
    panel = scale.write_panel(closes(), tmp_path, factors=factors)
    assert np.array_equal(panel.factors["m"], [np.nan, 0.1, np.nan, 0.2, np.nan, 0.5], equal_nan=True)
    with pytest.raises(ScaleError, match="factors m have no return on any session"):
        scale.write_panel(closes(), tmp_path / "b", factors=factors.set_axis(DAYS[:3] + pd.Timedelta("900D")))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pd.DataFrame({"ticker": ["A"], "price": [1.0]}), "no column for a session"),
        (
            pd.DataFrame({"asset": ["A", "A"], "date": [DAYS[0]] * 2, "close": [1.0, 2.0]}),
            "has 1 sessions twice, first 2020",
        ),
        ([("A", closes()["A"]), ("A", closes()["A"])], "security 'A' is given twice"),
        (closes().iloc[:1], "no security has two sessions"),
        (closes().tz_localize("UTC"), "time zone UTC; give dates"),
        (["A"], "the iterable gave str"),
        (3, "source is of type int"),
        ("/no/such/folder", "does not exist"),
    ],
)
def test_sources_that_cannot_be_used(tmp_path: Path, source: object, message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        scale.write_panel(source, tmp_path)
    assert not (tmp_path / "panel.json").exists()


def test_a_panel_is_not_written_over_by_accident(tmp_path: Path) -> None:
    scale.write_panel(closes(), tmp_path, block=1)
    with pytest.raises(ScaleError, match=r"holds a panel already.*overwrite=True"):
        scale.write_panel(closes(), tmp_path)
    panel = scale.write_panel(closes()[["A"]], tmp_path, overwrite=True)
    assert sorted(path.name for path in (tmp_path / "blocks").iterdir()) == ["block-00000.parquet"]
    assert list(panel.assets.index) == ["A"]


def test_damage_is_found(tmp_path: Path) -> None:
    panel = scale.write_panel(closes(), tmp_path)
    block = tmp_path / panel.blocks[0].file
    whole = block.read_bytes()
    block.write_bytes(whole[:-8] + b"damaged!")
    with pytest.raises(ScaleError, match=r"block-00000.parquet is missing, or is not the file that was written"):
        panel.returns(0)
    block.write_bytes(whole)
    (tmp_path / "sessions.parquet").unlink()
    with pytest.raises(ScaleError, match=r"sessions.parquet is missing"):
        scale.open_panel(tmp_path)
    content = json.loads((tmp_path / "panel.json").read_text())
    (tmp_path / "panel.json").write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(ScaleError, match="has format 99, and this version reads 1"):
        scale.open_panel(tmp_path)
    (tmp_path / "panel.json").write_text("{")
    with pytest.raises(ScaleError, match="is damaged"):
        scale.open_panel(tmp_path)
    with pytest.raises(ScaleError, match="is no panel"):
        scale.open_panel(tmp_path / "nowhere")


def test_a_panel_without_a_market_cannot_place_announcements(tmp_path: Path) -> None:
    panel = scale.write_panel(closes(), tmp_path)
    with pytest.raises(ScaleError, match="does not say when its securities close"):
        scale.event_days(mr.load_events(), panel)


def test_sizes_that_make_no_panel() -> None:
    with pytest.raises(ScaleError, match="securities=0"):
        scale.random_panel(None, 0, 100)


def test_temporary_folders_of_killed_processes_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    here = f"market_reaction_panel_{platform.node()}_"
    kept = {f"{here}{os.getpid()}_mine", f"{here}other_abc", f"market_reaction_panel_elsewhere_{ended.pid}_abc"}
    for name in (f"{here}{ended.pid}_abc", *kept):
        (tmp_path / name).mkdir()
    panel = scale.random_panel(None, 2, 40)
    assert {path.name for path in tmp_path.iterdir()} == {*kept, panel.folder.name}
