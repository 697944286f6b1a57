"""The command line: what goes where, exit codes, and the figures a user must see."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner, Result

from market_reaction import events, loading, normal_models, notebooks
from market_reaction.cli import events as event_options
from market_reaction.cli import options
from market_reaction.cli.app import app
from market_reaction.sources.yahoo import YahooSource

RUNNER = CliRunner()
REACTION_KEYS = {
    "market", "source", "vintage", "price_basis", "unit", "quote_note", "session", "ambiguous", "candidates", "phase",
    "minutes_to_first_trade", "previous_close", "close", "change", "abnormal", "z", "z_mad", "z_ewma", "placebo_p",
    "placebo_p_floor", "placebo_n", "placebo_p_plain", "mde", "days_as_large", "days_compared", "windows", "rank",
    "other_news", "notes",
}  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command writes by default lands in the test's own folder."""
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, code: int = 0) -> Result:
    result = RUNNER.invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def reactions(*arguments: str) -> dict[str, dict[str, Any]]:
    """Reactions by market of a `react` call."""
    answer = json.loads(run("react", *arguments, "--format", "json").stdout)
    return {row["market"]: row for row in answer["reactions"]}


def refused(*arguments: str) -> str:
    """The one paragraph a refused command says."""
    result = run(*arguments, code=2)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "\n\n" not in result.stderr
    return result.stderr


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "market_reaction.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


# react: sessions and figures


def test_announcement_at_the_close_is_ambiguous() -> None:
    row = reactions("2025-05-12 07:00 UTC", "--markets", "CSI 300")["CSI 300"]
    assert row["session"] == "2025-05-13"
    assert row["ambiguous"] is True
    assert [candidate["session"] for candidate in row["candidates"]] == ["2025-05-12", "2025-05-13"]
    (note,) = [note for note in row["notes"] if note.startswith("ambiguous")]
    assert "straddle the close of 2025-05-12 at 07:00 UTC" in note
    table = run("react", "2025-05-12 07:00 UTC", "--markets", "CSI 300").stdout
    assert "straddle the close of 2025-05-12" in " ".join(table.split())


def test_one_announcement_in_several_markets() -> None:
    rows = reactions("2018-03-22 16:45 UTC", "--markets", "S&P 500, VIX, CSI 300, Apple")
    assert list(rows) == ["S&P 500", "VIX", "CSI 300", "Apple"]
    assert rows["S&P 500"]["session"] == "2018-03-22"
    assert round(rows["S&P 500"]["change"], 4) == -0.0252
    assert rows["VIX"]["session"] == "2018-03-22"
    assert (rows["VIX"]["previous_close"], rows["VIX"]["close"], rows["VIX"]["unit"]) == (17.86, 23.34, "points")
    assert rows["CSI 300"]["session"] == "2018-03-23"
    assert rows["Apple"]["session"] == "2018-03-22"


def test_closed_market_takes_its_next_session() -> None:
    row = reactions("2025-10-03 02:00 UTC", "--markets", "CSI 300")["CSI 300"]
    assert row["session"] == "2025-10-09"
    assert "the market was closed when the news came; its next session is 2025-10-09." in row["notes"]


def test_date_without_clock() -> None:
    result = run("react", "--date", "2025-06-11", "--markets", "CSI 300")
    assert "clock unknown" in result.stdout
    row = reactions("--date", "2025-06-11", "--markets", "CSI 300")["CSI 300"]
    assert row["session"] == "2025-06-11"
    assert round(row["change"], 4) == 0.0075


def test_default_markets_name_what_could_not_be_had() -> None:
    result = run("react", "2025-06-10-jt", "--format", "json")
    answer = json.loads(result.stdout)
    assert {row["market"] for row in answer["unavailable"]} >= {"E-mini S&P 500", "USD/CNH", "Hang Seng"}
    assert {row["market"] for row in answer["reactions"]} >= {"CSI 300", "VIX", "USD/CNY (ECB)"}
    assert any("no network" in note for note in answer["announcement"]["notes"])


def test_windows_model_and_benchmark() -> None:
    rows = reactions(
        "2018-03-22 16:45 UTC", "-m", "Apple", "-w", "0:0,-1:2", "--model", "market", "--benchmark", "S&P 500",
        "--returns", "simple",
    )  # fmt: skip
    assert [(w["start"], w["end"]) for w in rows["Apple"]["windows"]] == [(0, 0), (-1, 2)]
    assert rows["Apple"]["abnormal"] > 0 > rows["Apple"]["change"]  # Apple fell less than the market


def test_factors_and_donors_are_lists_of_markets() -> None:
    on = ("2018-03-22 16:45 UTC", "-m", "Apple", "--model")
    row = reactions(*on, "factors", "--factors", "S&P 500, VIX")["Apple"]
    assert any("beyond what S&P 500 and VIX explain (factors)" in note for note in row["notes"])
    row = reactions(*on, "synthetic_control", "--donors", "Microsoft", "--donors", "Coca-Cola")["Apple"]
    assert any(note.startswith("approximate: synthetic_control") for note in row["notes"])
    refused = run("react", *on, "market", "--factors", "VIX", code=2)
    assert "factors= names VIX, but normal_model='market' takes no factors" in refused.stderr


def test_markets_may_be_repeated_or_separated_by_commas() -> None:
    joined = reactions("2018-03-22 16:45 UTC", "-m", "VIX, CSI 300")
    assert reactions("2018-03-22 16:45 UTC", "-m", "VIX", "-m", "CSI 300") == joined


def test_clean_pool_says_what_it_leaves_out() -> None:
    result = run("react", "2025-06-10-jt", "-m", "CSI 300", "--clean-pool", "--format", "json")
    (row,) = json.loads(result.stdout)["reactions"]
    found = re.search(r"Sessions left out of the placebo pools: CSI 300 (\d+)", result.stderr)
    assert found
    assert int(found[1]) > 50
    assert row["session"] == "2025-06-11"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2025-06-11"], "has no clock time"),
        (["2025-06-11 09:00 CST"], "more than one meaning"),
        (["2025-06-10-jt", "--markets", "NOPE"], "'NOPE' is not in the catalogue"),
        (["2026-11-01 12:00 UTC", "--markets", "CSI 300"], "CSI 300: bundled data run from 2006-01-06 to 2025-12-31"),
        (["2025-06-10-jt", "--windows", "0-1"], "is not of the form first:last"),
        (["2025-06-10-jt", "--markets", " , "], "no market is named"),
        (["2025-06-10-jt", "--source", "bloomberg"], "'bloomberg' is not one of"),
        (["2025-06-10-jt", "--history", "0"], "'--history'"),
        (["2025-06-10-jt", "--date", "2025-06-11"], "got both"),
        (["2025-06-10-jt", "--folder", "nowhere"], "does not exist"),
        ([], "got neither"),
        (["2025-06-10-jt", "--marktes", "VIX"], "No such option: --marktes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusals_are_one_paragraph(arguments: list[str], message: str) -> None:
    assert message in " ".join(refused("react", *arguments).split())


def test_hostile_text_reaches_the_terminal_as_text() -> None:
    assert "[bold]x[/bold]" in refused("react", "[bold]x[/bold]")
    assert "\x1b" not in refused("react", "2025-06-10-jt", "-m", "\x1b[31mred")


def test_choices_are_those_of_the_library() -> None:
    assert {item.value for item in options.Source} == set(get_args(loading.SourceName))
    assert {item.value for item in options.Model} == set(get_args(normal_models.NormalModel))
    assert {item.value for item in event_options.Direction} == set(events.catalogue("us_china")["direction"])
    assert {item.value for item in event_options.EventTable} - {"all"} == set(events.all_news()["table"])


# react: forms of output


def test_json_has_the_keys_of_the_contract() -> None:
    answer = json.loads(run("react", "2025-06-10-jt", "-m", "CSI 300, VIX", "-f", "json").stdout)
    assert set(answer) == {"schema_version", "announcement", "parameters", "unavailable", "joint", "reactions"}
    assert answer["schema_version"] == 1
    for row in answer["reactions"]:
        assert set(row) == REACTION_KEYS


def test_csv_is_the_frame_and_notes_go_to_stderr() -> None:
    result = run("react", "2025-05-12 07:00 UTC", "-m", "CSI 300, USD/CNH", "-f", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert (row["market"], row["session"], row["ambiguous"]) == ("CSI 300", "2025-05-13", "True")
    assert "straddle the close" in result.stderr
    assert "USD/CNH is not available" in result.stderr


def test_piped_table_has_no_trailing_blanks_and_no_colours() -> None:
    lines = run("react", "2025-06-10-jt", "-m", "CSI 300").stdout.splitlines()
    assert any("3,865.47" in line and "+0.75%" in line for line in lines)
    assert all(line == line.rstrip() for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_report_says_where_everything_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def executed(path: Path, parameters: dict[str, object]) -> notebooks.Executed:
        given.update(parameters)
        return notebooks.Executed(tmp_path / "build" / path.name, tmp_path / "build" / f"{path.stem}.html")

    monkeypatch.setattr(notebooks, "run_notebook", executed)
    options = ("--returns", "simple", "--margin", "CSI 300=0.02", "--skip-events", "--tests", "placebo,conformal_car")
    result = run("react", "2025-06-10-jt", "-m", "CSI 300", "-w", "0:1", "--report", *options)
    report = tmp_path / "build" / "2025-06-10-jt.html"
    assert "London framework" in report.read_text(encoding="utf-8")
    assert str(report) in result.stderr
    assert "01_one_announcement.html" in result.stderr
    assert "market-reaction lab" in result.stderr
    assert given["RETURNS"] == "simple"
    assert given["MARGIN"] == {"CSI 300": 0.02}
    assert (given["SKIP_EVENTS"], given["CLEAN_POOL"]) == (True, False)
    assert given["TESTS"] == ["placebo", "conformal_car"]
    assert given["ANNOUNCEMENT"] == "2025-06-10-jt"
    assert given["MARKETS"] == ["CSI 300"]
    assert given["WINDOWS"] == ((0, 1),)
    known = notebooks.notebook_parameters(notebooks.find_notebook("01"))
    assert set(given) <= set(known)


# react: series that cannot be shipped


@pytest.fixture
def series(reference: Path) -> list[str]:
    return ["--source", "files", "--folder", str(reference / "data" / "series")]


@pytest.mark.reference
def test_the_sentences_of_the_article(series: list[str]) -> None:
    names = "E-mini S&P 500, USD/CNH, CSI 300, Hang Seng, China Northern Rare Earth, MP Materials"
    rows = reactions("2025-06-10-jt", *series, "--markets", names)
    assert (rows["E-mini S&P 500"]["previous_close"], rows["E-mini S&P 500"]["close"]) == (6045.00, 6029.00)
    assert (rows["USD/CNH"]["previous_close"], rows["USD/CNH"]["close"]) == (7.1889, 7.1983)
    changes = {name: f"{row['change']:+.2%}" for name, row in rows.items()}
    assert changes == {
        "E-mini S&P 500": "-0.26%", "USD/CNH": "+0.13%", "CSI 300": "+0.75%", "Hang Seng": "+0.84%",
        "China Northern Rare Earth": "+3.45%", "MP Materials": "-5.84%",
    }  # fmt: skip


@pytest.mark.reference
def test_futures_settle_before_the_day_ends(series: list[str]) -> None:
    row = reactions("2025-04-02 20:10 UTC", *series, "--markets", "E-mini S&P 500")["E-mini S&P 500"]
    assert row["session"] == "2025-04-03"
    assert f"{row['change']:+.2%}" == "-4.89%"


@pytest.mark.reference
def test_final_settlement_inside_a_window_is_noted(series: list[str]) -> None:
    row = reactions("2025-06-10-jt", *series, "--markets", "E-mini S&P 500", "--windows", "0:7")["E-mini S&P 500"]
    assert any("2025-06-20" in note for note in row["notes"])


# fetch


def test_fetch_without_network_fails() -> None:
    result = run("fetch", "CSI 300", code=1)
    assert result.stdout == ""
    assert "Yahoo cannot be reached" in result.stderr
    assert "0 of 1 series were downloaded" in result.stderr


def test_fetch_states_what_did_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    from market_reaction.errors import DataUnavailableError
    from market_reaction.sources.bundled import BundledSource

    def fetch_many(self: YahooSource, instruments: list[Any], start: Any, end: Any, progress: bool = True) -> Any:
        assert (f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}") == ("2020-01-01", "2025-06-30")
        failed = DataUnavailableError("ES=F: the answer has no rows.", symbol="ES=F", cause="no rows")
        return [BundledSource().fetch(instruments[0], start, end)], [failed]

    monkeypatch.setattr(YahooSource, "reachable", lambda self: True)
    monkeypatch.setattr(YahooSource, "fetch_many", fetch_many)
    result = run("fetch", "CSI 300", "E-mini S&P 500", "--start", "2020-01-01", "--end", "2025-06-30")
    assert "CSI 300" in result.stdout
    assert "Not downloaded: ES=F: the answer has no rows." in result.stderr
    assert "1 of 2 series were downloaded" in result.stderr


def test_fetch_refuses_reversed_dates() -> None:
    assert "swap them" in refused("fetch", "VIX", "--start", "2025-01-01", "--end", "2024-01-01")


# events and instruments


def test_events_search() -> None:
    rows = json.loads(run("events", "--search", "rare", "--format", "json").stdout)
    assert len(rows) >= 3
    assert all("rare" in json.dumps(row).casefold() for row in rows)
    assert set(rows[0]) >= {"event_id", "announced_utc", "direction", "title"}
    shown = run("events", "--search", "London framework").stdout
    assert "2025-06-10-jt" in shown


@pytest.mark.parametrize("table", ["us_china", "macro_releases", "other_news", "all"])
def test_events_tables(table: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("events", "--table", table, "--format", "csv").stdout)))
    count = len(events.all_news() if table == "all" else events.catalogue(table))
    assert len(rows) == count


def test_events_between_dates_and_by_direction() -> None:
    arguments = ["--since", "2025-04-01", "--until", "2025-04-30", "--direction", "escalation", "--format", "json"]
    rows = json.loads(run("events", *arguments).stdout)
    assert rows
    assert all("2025-03-31" <= row["announced_utc"][:10] <= "2025-05-01" for row in rows)
    assert {row["direction"] for row in rows} == {"escalation"}


def test_events_by_kind_and_evidence() -> None:
    chosen = ["--side", "China", "--side", "joint", "--instrument", "talks", "--evidence", "documented_*"]
    rows = json.loads(run("events", *chosen, "--surprise", "not expected*", "--format", "json").stdout)
    assert rows
    assert {row["side"] for row in rows} == {"China", "joint"}
    assert all("talks" in row["instrument"] and row["evidence"].startswith("documented_") for row in rows)
    assert not any(row["surprise"].startswith("expected") for row in rows)
    assert len(rows) < len(json.loads(run("events", *chosen[:-2], "--format", "json").stdout))
    assert "Did you mean 'tariff'" in refused("events", "--instrument", "tarif")
    assert "has no column 'side'" in refused("events", "--table", "other_news", "--side", "US")


def test_no_event_is_no_error() -> None:
    result = run("events", "--search", "zeppelin")
    assert result.stdout == ""
    assert "No event matches" in result.stderr
    assert json.loads(run("events", "--search", "zeppelin", "--format", "json").stdout) == []


def test_instruments_by_word_and_class() -> None:
    rows = json.loads(run("instruments", "--search", "csi", "--class", "index", "--format", "json").stdout)
    assert "CSI 300" in {row["name"] for row in rows}
    assert {row["class"] for row in rows} == {"index"}
    assert "CSI 300" in run("instruments", "--search", "csi 300").stdout
    assert "choose one of index, future" in refused("instruments", "--class", "bond")


def test_csv_text_is_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.csv"
    own.write_text("name,class\n=cmd(),index\n", encoding="utf-8")
    monkeypatch.setenv("MARKET_REACTION_INSTRUMENTS", str(own))
    assert "\n'=cmd()," in run("instruments", "--format", "csv").stdout


# run and lab


def test_run_refuses_unknown_parameters() -> None:
    message = refused("run", "01", "-p", "MARKTES", "VIX")
    assert "has no parameter 'MARKTES'. Did you mean 'MARKETS'?" in message
    assert "ANNOUNCEMENT, DATE, MARKETS" in message
    assert "has no value" in refused("run", "01", "-p", "MARKETS")
    assert "there is no notebook '77'" in refused("run", "77")


def test_run_reads_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[str, dict[str, object], Path | None]] = []

    def executed(path: Path, values: dict[str, object], to: Path | None) -> notebooks.Executed:
        calls.append((path.stem, values, to))
        return notebooks.Executed(tmp_path / "a.ipynb", tmp_path / "a.html")

    monkeypatch.setattr(notebooks, "run_notebook", executed)
    result = run(
        "run", "1", "-p", "ANNOUNCEMENT", "2025-10-10 20:50 UTC", "-p", "MARKETS", "S&P 500, VIX",
        "-p", "WINDOWS", "-1:1,0:5", "-p", "DATE", "None", "-p", "HISTORY=250", "--to", "x.ipynb",
    )  # fmt: skip
    assert result.stdout.splitlines() == [str(tmp_path / "a.ipynb"), str(tmp_path / "a.html")]
    values = {
        "ANNOUNCEMENT": "2025-10-10 20:50 UTC", "MARKETS": ["S&P 500", "VIX"], "WINDOWS": [[-1, 1], [0, 5]],
        "DATE": None, "HISTORY": 250,
    }  # fmt: skip
    assert calls == [("01_one_announcement", values, Path("x.ipynb"))]


@pytest.mark.parametrize("text", ["2025-10-10", "2025-12-12", "2025-06-10-jt"])
def test_dates_stay_text(text: str) -> None:
    path = notebooks.find_notebook("01")
    assert notebooks.read_parameters(path, {"DATE": text}) == {"DATE": text}


def test_lab_opens_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, Path, list[str]]] = []
    monkeypatch.setattr(notebooks, "open_lab", lambda path, root, rest: opened.append((path.stem, root, rest)) or 0)
    run("lab")
    run("lab", "00", "--no-browser", "--port", "8890")
    checkout = notebooks.paths.checkout()
    assert opened == [
        ("01_one_announcement", checkout, []),
        ("00_check_data", checkout, ["--no-browser", "--port", "8890"]),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="There is no SIGINT to send there.")
def test_interrupt_lets_jupyterlab_end_by_itself(tmp_path: Path) -> None:
    (tmp_path / "jupyterlab.py").write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (time.sleep(1), print('ended in order', flush=True), sys.exit(7)))\n"
        "time.sleep(0.5)\n"  # on a busy machine the parent is still starting
        "print('ready', flush=True)\n"
        "time.sleep(30)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "market_reaction.cli", "lab"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, process_group=0) as lab:
        assert lab.stdout is not None
        assert lab.stdout.readline() == "ready\n"
        os.killpg(lab.pid, signal.SIGINT)
        out, _ = lab.communicate(timeout=30)
    assert out == "ended in order\n"
    assert lab.returncode == 7


def test_installed_package_copies_the_notebooks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = notebooks.paths.notebooks_dir()
    monkeypatch.setattr(notebooks.paths, "checkout", lambda: None)
    monkeypatch.setattr(notebooks.paths, "notebooks_dir", lambda: shipped)
    path, root = notebooks.working_copy("01")
    assert (path, root) == (tmp_path / "notebooks" / "01_one_announcement.ipynb", tmp_path)
    path.write_text("mine", encoding="utf-8")
    notebooks.working_copy("01")
    assert path.read_text(encoding="utf-8") == "mine"


# Whole processes


def test_help_and_version() -> None:
    assert re.fullmatch(r"market-reaction \d+\.\d+\.\d+\S*\n", run("--version").stdout)
    for command in ("react", "fetch", "events", "instruments", "run", "lab", "doctor"):
        assert command in run("--help").stdout
        assert "Usage: " in run(command, "--help").stdout
    assert "Examples:" in run().stdout
    assert "Did you mean 'react'?" in refused("reakt")


def test_start_up_loads_nothing_heavy() -> None:
    code = "import sys, market_reaction.cli; print({'pandas', 'numpy', 'plotly', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_process_separates_result_and_diagnostics() -> None:
    done = process("react", "2025-06-10-jt", "--markets", "CSI 300", "--format", "json", "--clean-pool")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["reactions"]
    assert set(row) == REACTION_KEYS
    assert row["session"] == "2025-06-11"
    assert done.stderr.startswith("Clean pool: ")


def test_process_fails_with_one_paragraph() -> None:
    done = process("react", "2025-06-11", "--markets", "CSI 300")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: announcement '2025-06-11' has no clock time")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="A closed pipe is no signal there.")
def test_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m market_reaction.cli events --table all --format csv | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.startswith("event_id,")
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="There is no SIGINT to send there.")
def test_interrupt_exits_with_130() -> None:
    code = (
        "import os, signal, market_reaction.doctor as d, market_reaction.cli as c;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # a shell may have started the tests deaf to it
        "d.examine = lambda: os.kill(os.getpid(), signal.SIGINT) or __import__('time').sleep(5);"
        "import sys; sys.argv = ['market-reaction', 'doctor']; c.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_margins_and_signs_by_market() -> None:
    arguments = ("react", "2025-06-10-jt", "-m", "CSI 300,VIX", "--source", "bundled", "--format", "json")
    given = run(*arguments, "--margin", "CSI 300=0.04,VIX=9", "--signs", "CSI 300=+1,VIX=-1")
    asked = json.loads(given.stdout)["parameters"]
    assert (asked["margin"], asked["signs"]) == ({"CSI 300": 0.04, "VIX": 9.0}, {"CSI 300": 1.0, "VIX": -1.0})
    refused = run(*arguments, "--margin", "3%", code=2)
    assert "'3%' is neither a number nor NAME=NUMBER" in refused.stderr
