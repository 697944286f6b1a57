"""The notebook on many securities: bundled shares, generated ones, and a user's folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from helpers import charts, printed, text_of, warned
from market_reaction import scale
from market_reaction.paths import data_dir

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "09_many_securities.ipynb"
Execute = Callable[..., dict[str, Any]]


def test_bundled_shares_around_every_announcement_of_2018_to_2022(execute: Execute) -> None:
    cells = execute(PATH)
    assert warned(cells) == []
    answer = printed(cells["answer"])
    assert answer.startswith("20 securities over sessions [0,1] after 40 escalations (29 separate dates): mean")
    assert "3 of 52 sessions had an unusual mean (placebo p at most 0.05; chance alone gives about 3)" in answer
    assert "2018-03-22 (−4.27%" in answer
    table = text_of(cells["events"].outputs, "text/html")
    assert "Section 301 memorandum signed against China" in table
    assert "not valid here: the securities share the days" in table
    assert printed(cells["generated"]).startswith("Generated returns, no market: 200 generated securities")
    assert printed(cells["folder"]).startswith("Not available: no folder was named.")
    assert charts(cells) == 4


def test_a_folder_of_own_files_and_own_events(execute: Execute, tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    for symbol in ("us_aapl", "us_amd", "us_xom"):
        frame = pd.read_csv(data_dir() / "bundled" / f"{symbol}.csv").tail(2200)
        frame.to_csv(folder / f"{symbol}.csv", index=False)
    (folder / "broken.csv").write_text("no,prices\nhere,at all\n")
    (folder / "nothing.csv").write_text("")
    cells = execute(
        PATH, EVENTS={"memorandum": "2018-03-22 16:30 UTC", "threat": "2019-08-01 17:26 UTC"}, HISTORY=120,
        GENERATED=(20, 1400), FOLDER=str(folder), MODEL="constant_mean", OUT=str(tmp_path / "kept"),
    )  # fmt: skip
    assert warned(cells) == []
    assert printed(cells["folder"]).startswith("3 securities over sessions [0,1] after 2 events (2 separate dates)")
    assert printed(cells["folder"]).endswith("2 of 5 securities left out: broken, nothing.")
    table = text_of(cells["folder-table"].outputs, "text/html")
    assert "nothing was left out: nothing.csv: the file is empty." in table and "broken was left out:" in table
    assert (tmp_path / "kept" / "own" / "study" / "manifest.json").is_file()
    assert charts(cells) == 5


def test_a_second_process_goes_on_with_what_the_first_one_kept(tmp_path: Path) -> None:
    """The calls of the notebook twice in two processes; a temporary panel of the first is gone in the second."""
    cells = {cell["id"]: cell["source"] for cell in nbformat.read(PATH, as_version=4).cells}
    given = f'SINCE, UNTIL, HISTORY, OUT = "2018-03-01", "2018-06-30", 120, {str(tmp_path / "kept")!r}'
    code = "\n".join([cells["parameters"], given, cells["measure"], cells["answer"]])
    answers = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout)
        parts = sorted((tmp_path / "kept").glob("*/parts/part-*.parquet"))
        answers.append(str([part.stat().st_mtime_ns for part in parts]))
    assert answers[:2] == answers[2:] and answers[0].startswith("20 securities")
    rows = scale.open_results(tmp_path / "kept" / "study")
    assert len(rows.to_frame()) == 20 * len(rows.events)
