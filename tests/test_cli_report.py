"""``market-reaction report``: which files one event, several and a table of events give."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from market_reaction import report
from market_reaction.cli.app import app
from market_reaction.exports import pdf

RUNNER = CliRunner()
MARKETS = ("-m", "CSI 300, VIX", "--source", "bundled")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command writes by default lands in the test's own folder."""
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, code: int = 0) -> Result:
    result = RUNNER.invoke(app, ["report", *arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def written(*arguments: str) -> list[str]:
    """Files a call writes, by path relative to the folder it runs in."""
    paths = [Path(line) for line in run(*arguments, *MARKETS).stdout.splitlines()]
    assert all(path.is_absolute() and path.is_file() for path in paths)
    return [str(path.relative_to(Path.cwd())) for path in paths]


def test_one_event_gives_the_report_of_its_reaction() -> None:
    assert written("2025-06-10-jt") == ["build/2025-06-10-jt.html"]
    text = Path("build/2025-06-10-jt.html").read_text(encoding="utf-8")
    assert "CSI 300 rose 0.75%" in text
    assert len(report.charts_in(text)) == 6


def test_formats_go_to_a_folder_under_one_name() -> None:
    found = written("2025-06-10 22:50 UTC", "-f", "xlsx,latex", "--format", "parquet", "--to", "out")
    assert found[:3] == [
        "out/2025-06-10_22_50_UTC.xlsx", "out/2025-06-10_22_50_UTC.tex",
        "out/2025-06-10_22_50_UTC_tables/Reactions.parquet",
    ]  # fmt: skip


def test_several_events_give_one_report_and_each_its_own_on_request() -> None:
    events = ("2018-06-15-us", "2019-05-05-us", "2018-03-22 16:45 UTC")
    assert written(*events) == ["build/3_events_2018-03-22_2019-05-05.html"]
    text = Path("build/3_events_2018-03-22_2019-05-05.html").read_text(encoding="utf-8")
    assert "<h1>3 announcements, 2018-03-22 to 2019-05-05</h1>" in text
    found = written(*events, "--each", "--to", "out", "-f", "html")
    assert found == [
        "out/3_events_2018-03-22_2019-05-05.html", "out/2018-06-15-us.html", "out/2019-05-05-us.html",
        "out/2018-03-22_16_45_UTC.html",
    ]  # fmt: skip


def test_a_table_of_events_is_a_study_named_after_its_file() -> None:
    bad = '=HYPERLINK("x")<script>alert(1)</script>'
    rows = ["event_id,announced_utc,title,local_tz", f'a,2019-05-05 16:07 UTC,"{bad.replace(chr(34), chr(34) * 2)}",']
    Path("mine.csv").write_text("\n".join([*rows, "b,2018-06-15,b,Asia/Shanghai"]), encoding="utf-8")
    result = run("mine.csv", "--each", "-f", "html,xlsx", *MARKETS)
    names = [Path(line).name for line in result.stdout.splitlines()]
    assert names == ["mine.html", "mine.xlsx", "2019-05-05_16_07_UTC.html", "2019-05-05_16_07_UTC.xlsx"]
    assert "no report of 'b' alone: it is known to the day" in result.stderr
    assert "<script>alert" not in Path("build/mine.html").read_text(encoding="utf-8")
    cells = [cell for row in openpyxl.load_workbook("build/mine.xlsx")["Events"].iter_rows() for cell in row]
    assert [cell.data_type for cell in cells if cell.value == bad] == ["s"]


def test_the_ending_of_a_file_is_its_format(monkeypatch) -> None:
    assert written("2025-06-10-jt", "--to", "x/london.xlsx") == ["x/london.xlsx"]
    monkeypatch.setattr(pdf, "find_browser", lambda: None)
    result = run("2025-06-10-jt", "--format", "pdf,html", "--to", "out", *MARKETS, code=2)
    assert Path(result.stdout.strip()).name == "2025-06-10-jt.html"
    assert "Error: pdf: no browser was found" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2025-06-10-jt", "-f", "htlm"), "'htlm' is not known. Did you mean 'html'? Choose some of html, pdf"),
        (("2025-06-10-jt", "--to", "x.docx"), "'x.docx' cannot hold one of"),
        (("2025-06-10-jt", "--to", "x.pdf", "-f", "xlsx"), "'x.pdf' cannot hold xlsx; name a folder"),
        (("2025-06-10-jt", "2025-06-10-jt"), "'2025-06-10-jt' is given twice; name it once"),
        (("2025-06-10-jt", "mine.csv"), "'mine.csv' is a file, and stands alone"),
        (("2025-06-10",), "date"),
        (("none.csv",), "does not exist"),
    ],
)
def test_mistakes_are_answered_in_one_paragraph(arguments, said) -> None:
    result = run(*arguments, code=2)
    assert result.stdout == ""
    assert said in result.stderr
    assert "\n\n" not in result.stderr


def test_each_needs_a_folder() -> None:
    events = ("2018-06-15-us", "2019-05-05-us")
    assert "--each writes several; name a folder" in run(*events, "--each", "--to", "x.html", *MARKETS, code=2).stderr
