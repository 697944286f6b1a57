"""The notebooks keep the house rules, and each rule catches a violation planted in a sound notebook."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import check_notebooks
from helpers import printed, shared_work, text_of, warned
from market_reaction.instruments import DEFAULT_MARKETS
from market_reaction.notebook_pages import charts_of, prove_charts
from market_reaction.notebooks import NotebookError, notebook_parameters, run_notebook

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str, *tags: str) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": [], "execution_count": None}


SOUND: dict[str, Any] = {
    "cells": [
        markdown("# What did the CSI 300 do?"),
        code('EVENT = "2025-06-10-jt"', "parameters"),
        markdown("## The answer\n\n```\n# not a heading\n```"),
        code("import market_reaction as mr\n\n[name for name in (EVENT,)]"),
        markdown("## What this does not show\n\nOther news of the day."),
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def problems(folder: Path, cells: list[dict[str, Any]], name: str = "01_one_announcement.ipynb") -> list[str]:
    path = folder / name
    path.write_text(json.dumps({**SOUND, "cells": cells}), encoding="utf-8")
    return check_notebooks.problems(path)


@pytest.fixture
def cells() -> list[dict[str, Any]]:
    return copy.deepcopy(SOUND["cells"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path: Path) -> None:
    assert check_notebooks.problems(path) == []


def test_sound_notebook_has_no_problem(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    assert problems(tmp_path, cells) == []


def test_source_may_be_a_list_of_lines(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)
    assert problems(tmp_path, cells) == []


@pytest.mark.parametrize("name", ["1_one.ipynb", "one.ipynb", "01-one.ipynb", "01_One.ipynb", "01_.ipynb"])
def test_file_name(tmp_path: Path, cells: list[dict[str, Any]], name: str) -> None:
    (problem,) = problems(tmp_path, cells, name)
    assert problem.startswith(f"{name}: the file name is not two digits")


def test_outputs(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[3]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    (problem,) = problems(tmp_path, cells)
    assert problem.startswith("01_one_announcement.ipynb: cell 4: it holds 1 outputs and must hold 0.")


def test_execution_count(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[3]["execution_count"] = 7
    (problem,) = problems(tmp_path, cells)
    assert "cell 4: its execution count is 7 and must be empty" in problem


def test_parameters_cell_is_missing(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[1]["metadata"] = {}
    (problem,) = problems(tmp_path, cells)
    assert "the tag 'parameters' is on no cell, and belongs on the first code cell only (cell 2)" in problem


def test_parameters_cell_is_not_first(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[1], cells[3] = cells[3], cells[1]
    (problem,) = problems(tmp_path, cells)
    assert "the tag 'parameters' is on cell 4, and belongs on the first code cell only (cell 2)" in problem


def test_second_parameters_cell(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[3]["metadata"] = {"tags": ["parameters"]}
    (problem,) = problems(tmp_path, cells)
    assert "the tag 'parameters' is on cell 2, 4" in problem


def test_second_title(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[2]["source"] = "# The answer"
    (problem,) = problems(tmp_path, cells)
    assert "it has 2 headings of level 1 and must have 1" in problem


def test_no_title(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[0]["source"] = "What did the CSI 300 do?"
    (problem,) = problems(tmp_path, cells)
    assert "it has 0 headings of level 1" in problem


def test_last_section(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells.append(markdown("## Next steps"))
    (problem,) = problems(tmp_path, cells)
    assert "its last section is 'Next steps' and must be 'What this does not show'" in problem


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def f():\n    return 1", "def"),
        ("class A:\n    pass", "class"),
        ("for x in (1, 2):\n    print(x)", "for loop"),
        ("while False:\n    pass", "while loop"),
        ("import sys\nsys.path.append('.')", "sys.path"),
        ("from sys import path", "sys.path"),
        ("import warnings\nwarnings.filterwarnings('ignore')", "warnings.filterwarnings"),
        ("from warnings import filterwarnings", "warnings.filterwarnings"),
        ("import subprocess\nsubprocess.run(['pip', 'install', 'x'])", "pip"),
        ("import pip", "pip"),
    ],
)
def test_forbidden_code(tmp_path: Path, cells: list[dict[str, Any]], source: str, name: str) -> None:
    cells[3]["source"] = source
    (problem,) = problems(tmp_path, cells)
    assert f"cell 4: it contains {name}, which the rules keep out of cells" in problem


@pytest.mark.parametrize("source", ["!pip install x", "%pip install x", "x = 1\n  !python -m pip install x"])
def test_pip_line(tmp_path: Path, cells: list[dict[str, Any]], source: str) -> None:
    cells[3]["source"] = source
    (problem,) = problems(tmp_path, cells)
    assert "cell 4: it calls pip" in problem


def test_code_that_is_not_python(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[3]["source"] = "x = 1\ny = ("
    (problem,) = problems(tmp_path, cells)
    assert "cell 4: line 2 is not Python" in problem


def test_long_cell(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[3]["source"] = "\n".join(f"x{i} = {i}" for i in range(15))
    assert problems(tmp_path, cells) == []
    cells[3]["source"] += "\ny = 0"
    (problem,) = problems(tmp_path, cells)
    assert "cell 4: it has 16 lines, and the limit is 15" in problem


def test_too_many_code_cells(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    cells[3:3] = [code("EVENT")] * 13
    assert problems(tmp_path, cells) == []
    cells[3:3] = [code("EVENT")]
    (problem,) = problems(tmp_path, cells)
    assert "it has 16 code cells, and the limit is 15" in problem


def test_file_that_is_no_notebook(tmp_path: Path) -> None:
    path = tmp_path / "01_broken.ipynb"
    path.write_text("{", encoding="utf-8")
    (problem,) = check_notebooks.problems(path)
    assert problem.startswith("01_broken.ipynb: it cannot be read as a notebook")


def test_main_counts_problems(tmp_path: Path, cells: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    problems(tmp_path, cells)
    problems(tmp_path, cells, "wrong.ipynb")
    assert check_notebooks.main([str(tmp_path / "01_one_announcement.ipynb")]) == 0
    assert check_notebooks.main([str(tmp_path / "wrong.ipynb")]) == 1
    assert "wrong.ipynb: the file name" in capsys.readouterr().err


# Running the notebooks.

NOTHING = "Nothing to draw"  # title of a chart that says what is missing


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_offline(path: Path, execute: Callable[..., Any]) -> None:
    cells = execute(path)
    assert warned(cells) == []
    answer = text_of(cells["answer"].outputs, "text/plain") or printed(cells["answer"])
    assert re.match(r"\S.{20,}\.", " ".join(answer.split())), f"no sentence: {answer!r}"
    for figure in charts_of({"cells": list(cells.values())}):
        title = figure["layout"]["title"]["text"]
        assert re.search(r"<b>\S", title), f"a chart without a finding: {title!r}"
        assert [trace for trace in figure["data"] if len(trace) > 1] or NOTHING in title, f"no data: {title!r}"
    if path.stem == "01_one_announcement":
        assert answer.startswith("CSI 300 rose 0.75% in its session of 2025-06-11")
        assert "3,894.63" in text_of(cells["table"].outputs, "text/html")
        assert len(charts_of({"cells": list(cells.values())})) == 4


def test_tests_that_read_one_outcome_are_one_piece_of_work() -> None:
    here, there = "tests/test_notebooks.py::test_notebook", "tests/notebooks/test_02.py::test_it"
    assert shared_work(f"{here}_runs_offline[02_many_announcements]") == shared_work(there) == "notebook 02"
    assert shared_work(f"{here}_runs_offline[03_across_markets]") != shared_work(there)
    assert shared_work(f"{here}_keeps_the_rules[02_many_announcements]") != shared_work(there)
    assert shared_work("tests/browser/test_lab.py::test_x") == shared_work("tests/browser/test_pages.py::test_y[a]")


def test_a_folder_of_files_is_checked_the_same_way(execute: Callable[..., Any], reference: Path) -> None:
    """The E-mini and its rolls come from the folder: 24 December 2018 follows the last trade of the Z contract."""
    path = ROOT / "notebooks" / "00_check_data.ipynb"
    cells = execute(
        path, SOURCE="files", FOLDER=str(reference / "data" / "series"), MARKETS=["E-mini S&P 500", "CSI 300"]
    )
    assert warned(cells) == []
    assert printed(cells["answer"]).startswith("All 2 markets can be had.")
    assert "E-mini S&P 500 on 2018-12-24, −5.24%" in printed(cells["rolls"])
    assert "CMES" in text_of(cells["table"].outputs, "text/html")


def test_another_announcement_is_a_change_of_one_cell(execute: Callable[..., Any]) -> None:
    path = ROOT / "notebooks" / "01_one_announcement.ipynb"
    cells = execute(path, ANNOUNCEMENT="2018-03-22 16:45 UTC", MARKETS=["S&P 500", "VIX", "CSI 300"], WINDOWS=[(0, 1)])
    table = text_of(cells["table"].outputs, "text/html")
    assert "2018-03-22" in table
    assert "2018-03-23" in table
    assert "2,643.69" in table


def test_run_writes_notebook_and_offline_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = ROOT / "notebooks" / "01_one_announcement.ipynb"
    settings = {"DATE": "2025-06-11", "MARKETS": ["CSI 300", "VIX"], "WINDOWS": [(0, 1)], "SOURCE": "bundled"}
    executed = run_notebook(path, settings, tmp_path / "june.ipynb")
    assert "unknown parameter" not in caplog.text  # SOURCE is set in an assignment of three names
    assert executed.notebook == tmp_path / "june.ipynb"
    page = executed.html.read_text(encoding="utf-8")
    assert "clock unknown" in page.casefold()
    prove_charts(page, 4)
    loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?!data:)([^\"]*)\"", page)
    assert loaded == []


def test_a_failing_cell_is_named(tmp_path: Path) -> None:
    path = ROOT / "notebooks" / "01_one_announcement.ipynb"
    (tmp_path / "bad.html").write_text("the page of an earlier run", encoding="utf-8")
    with pytest.raises(NotebookError, match=r"01_one_announcement stopped at code cell \d+ with AnnouncementTimeError"):
        run_notebook(path, {"ANNOUNCEMENT": "2025-06-11 09:00 CST"}, tmp_path / "bad.ipynb")
    assert (tmp_path / "bad.ipynb").is_file()
    assert not (tmp_path / "bad.html").exists()


def test_run_does_not_overwrite_the_notebook() -> None:
    path = ROOT / "notebooks" / "01_one_announcement.ipynb"
    with pytest.raises(NotebookError, match="would overwrite"):
        run_notebook(path, {}, path)


def test_notebook_without_parameters_cell(tmp_path: Path) -> None:
    path = tmp_path / "01_bare.ipynb"
    path.write_text(json.dumps({**SOUND, "cells": []}), encoding="utf-8")
    with pytest.raises(NotebookError, match="no cell tagged 'parameters'"):
        notebook_parameters(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(NotebookError, match="cannot be read as a notebook"):
        notebook_parameters(path)


def test_parameters_are_read_from_the_cell() -> None:
    known = notebook_parameters(ROOT / "notebooks" / "01_one_announcement.ipynb")
    assert list(known)[:4] == ["ANNOUNCEMENT", "DATE", "MARKETS", "WINDOWS"]
    assert known["WINDOWS"] == [(0, 1), (0, 5)]
    assert known["MARKETS"] == list(DEFAULT_MARKETS)
