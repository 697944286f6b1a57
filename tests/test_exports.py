"""Excel, LaTeX and Parquet: figures come back unrounded, text stays text, and every file says where it comes from."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

import market_reaction as mr
from market_reaction.errors import ExportError
from market_reaction.exports import Exportable, Provenance, latex, plain
from market_reaction.exports.files import file_name, file_names, write_text
from market_reaction.exports.latex import escaped, latex_text
from market_reaction.exports.parquet import read_provenance
from market_reaction.exports.workbook import sheet_names

BAD = '=HYPERLINK("x")<script>alert(1)</script>'
MARKETS = ["CSI 300", "VIX", "US 10y"]


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    """The London announcement with a hostile title."""
    found = mr.react("2025-06-10-jt", markets=MARKETS, source="bundled")
    event = found.event.copy()
    event["title"] = BAD
    return replace(found, event=event, notes=(BAD,))


@pytest.fixture(scope="module")
def study() -> mr.EventStudyResult:
    events = mr.search_events("tariff", since="2018-06-01", until="2019-06-01")
    prices = mr.load_prices(MARKETS, events=events, source="bundled")
    with pytest.warns(UserWarning):
        return mr.event_study(prices, events, on_bad_event="exclude")


@dataclass(frozen=True, slots=True)
class Small(Exportable):
    """A result of one table."""

    frame: pd.DataFrame
    name: str = "Main"

    def tables(self) -> dict[str, pd.DataFrame]:
        return {self.name: self.frame}

    def provenance(self) -> Provenance:
        return Provenance({"title": BAD}, pd.DataFrame({"source": ["files"]}, index=pd.Index(["+1"], name="market")))


def rows_of(sheet) -> dict[str, list]:
    """Cells of a sheet by heading."""
    columns = {column[0].value: list(column[1:]) for column in sheet.iter_cols()}
    return columns


# Excel


def test_a_workbook_has_a_sheet_for_each_table_with_the_figures_of_the_result(london, tmp_path) -> None:
    path = london.to_excel(tmp_path / "new" / "london.xlsx")
    assert [item.name for item in path.parent.iterdir()] == ["london.xlsx"]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [*london.tables(), "About"]
    cells = rows_of(book["Reactions"])
    assert [place.value for place in cells["market"]] == MARKETS
    # China Securities Index: 3,865.47 to 3,894.63
    assert cells["change"][0].value == pytest.approx(3894.63 / 3865.47 - 1, abs=1e-6)
    assert cells["change"][0].number_format == "0.00%"
    assert cells["change"][2].number_format == '0.000" pp"'
    assert cells["placebo_p"][0].number_format == '[<0.001]"<0.001";0.000'
    assert f"{cells['session'][0].value:%Y-%m-%d}" == "2025-06-11"
    assert cells["session"][0].number_format == "yyyy-mm-dd"
    assert book["Reactions"].freeze_panes == "B2"
    assert book["Windows"].column_dimensions["A"].width > 6


def test_no_text_is_a_formula(london, tmp_path) -> None:
    book = openpyxl.load_workbook(london.to_excel(tmp_path / "x.xlsx"))
    places = [place for sheet in book for row in sheet.iter_rows() for place in row]
    assert {place.data_type for place in places} <= {"s", "n", "d", "b"}
    titles = [place for place in places if place.value == BAD]
    assert len(titles) >= 3  # announcement, note, parameter
    assert all(place.data_type == "s" and place.quotePrefix for place in titles)
    assert not any(place.hyperlink for place in places)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_begins_like_a_formula_stays_text_in_cells_headings_and_index(start, tmp_path) -> None:
    text = f"{start}1+1"
    frame = pd.DataFrame({text: [text, "#N/A"]}, index=pd.Index([text, "b"], name=text))
    book = openpyxl.load_workbook(Small(frame).to_excel(tmp_path / "x.xlsx"))
    places = [place for row in book["Main"].iter_rows() for place in row if place.value is not None]
    assert len(places) == 6
    assert all(place.data_type == "s" for place in places)
    assert places[0].quotePrefix or start in "\t\r"  # headings lose control characters
    assert places[2].quotePrefix


def test_what_a_sheet_cannot_hold_is_replaced_not_lost(tmp_path) -> None:
    frame = pd.DataFrame(
        {
            "text": ["a\x00b\x1bc", "x" * 40_000, ""],
            "number": [np.nan, np.inf, -np.inf],
            "when": pd.to_datetime(["2025-06-10 22:50", None, "2025-06-11 00:00"]).tz_localize("America/New_York"),
            "list": [[1, 2], (pd.Timestamp("2025-06-11"),), {"a": 1.5}],
            "flag": [True, False, True],
        }
    )
    cells = rows_of(openpyxl.load_workbook(Small(frame).to_excel(tmp_path / "x.xlsx"))["Main"])
    assert cells["text"][0].value == "a\ufffdb\ufffdc"
    assert len(cells["text"][1].value) == 32_767
    assert [place.value for place in cells["number"]] == [None, "inf", "-inf"]
    assert f"{cells['when (UTC)'][0].value}" == "2025-06-11 02:50:00"
    assert cells["when (UTC)"][1].value is None
    assert [place.value for place in cells["list"]] == ["[1,2]", "2025-06-11", '{"a": 1.5}']
    assert [place.value for place in cells["flag"]] == [True, False, True]


def test_about_says_where_the_figures_come_from(london, tmp_path) -> None:
    sheet = openpyxl.load_workbook(london.to_excel(tmp_path / "x.xlsx"))["About"]
    words = [str(place.value) for row in sheet.iter_rows() for place in row if place.value is not None]
    for part in (f"market_reaction {mr.__version__}", "estimation", "[-130,-11]", "constant_mean", "bundled",
                 london.prices.vintage["sha256"]["CSI 300"], "retrieved_utc"):  # fmt: skip
        assert part in words


def test_sheet_names_are_short_plain_and_unique() -> None:
    names = sheet_names(["a[b]:c*d?e/f\\g", "x" * 40, "X" * 40, "History", "about", "'q'", "", "=1+1"])
    assert names == ["a b c d e f g", "x" * 31, f"{'X' * 27} (2)", "History table", "about table", "q", "Table", "=1+1"]
    assert all(0 < len(name) <= 31 for name in names)


def test_a_table_too_long_for_a_sheet_names_the_limit(tmp_path) -> None:
    long = Small(pd.DataFrame({"x": np.zeros(1_048_576)}))
    with pytest.raises(ExportError, match=r"'Main' has 1,048,576 rows, and a sheet of Excel holds 1,048,575"):
        long.to_excel(tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_excel_without_openpyxl_or_with_another_ending_says_what_to_do(london, tmp_path, monkeypatch) -> None:
    with pytest.raises(ExportError, match=r"'x.xls' does not end in .xlsx, and a workbook does. Write 'x.xlsx'"):
        london.to_excel(tmp_path / "x.xls")
    with pytest.raises(IsADirectoryError, match="is a folder; give a file name in it"):
        london.to_excel(tmp_path)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ExportError, match=r"openpyxl is not installed.*pip install 'market-reaction\[export\]'"):
        london.to_excel(tmp_path / "x.xlsx")


# LaTeX


def check_latex(text: str) -> None:
    """Environments close, braces balance, and every row has as many cells as the table has columns."""
    bare = re.sub(r"\\[\\{}$&#%_]", "", text)
    bare = "\n".join(line for line in bare.splitlines() if not line.startswith("%")).replace("{!}{%", "{!}{")
    assert "%" not in bare
    assert "#" not in bare
    depth = 0
    for mark in bare:
        depth += {"{": 1, "}": -1}.get(mark, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    opened: list[str] = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if what == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    for columns, body in re.findall(r"\\begin\{tabular\}\{@\{\}(.*?)@\{\}\}\n(.*?)\\end\{tabular\}", text, re.DOTALL):
        count = len(re.sub(r"(>\{[^}]*\})?p\{[^}]*\}", "p", columns))
        rows = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert [rule in body for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [True] * 3
        assert len(rows) > 1
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {count}


def test_latex_is_whole_says_the_finding_and_its_sources(london, study, tmp_path) -> None:
    text = london.to_latex(tmp_path / "london.tex")
    assert (tmp_path / "london.tex").read_text(encoding="utf-8") == text
    check_latex(text)
    assert r"\caption{Reaction. CSI 300 rose 0.75\% in its session of 2025-06-11 (placebo p 0.36).}" in text
    assert text.count("Finding: CSI 300 rose") == 1  # the whole answer, under the first table
    for part in (r"+0.75\%", "retrieved 2026-02-27", "SHA-256 9a90c5c1b0ca", r"normal\_model constant\_mean",
                 rf"market\_reaction {mr.__version__}"):  # fmt: skip
        assert part in text
    check_latex(study.to_latex())
    assert text.count(r"\begin{table}") == 2


@pytest.mark.parametrize(
    ("finding", "short"),
    [
        ("Up 1.5%. More follows.", "Up 1.5%"),
        ("A fell −2% on the day; " + "word " * 30, "A fell −2% on the day"),
        ("A, in brackets (two: +1%; " + "word " * 30 + ").", ""),  # no clause ends inside brackets
        ("A, mean move; " + "word " * 30 + "+1%.", ""),  # a clause without the move says nothing
        ("word " * 30, ""),
        ("", ""),
    ],
)
def test_a_caption_takes_a_short_finding_or_none(finding: str, short: str) -> None:
    assert latex._short(finding) == short


def test_parameters_that_were_not_given_are_left_out_of_the_notes(london, study) -> None:
    told = {"returns": None, "benchmark": None, "as_of": None, "margin": {}, "history": 0, "skip": False}
    about = Provenance(told, study.provenance().vintage)
    assert about.facts()[1:] == [("returns", "of each market"), ("history", "0"), ("skip", "no")]
    assert about.to_dict()["parameters"] == told  # JSON keeps null
    many = Provenance({"events": [f"day {n}" for n in range(30)]}, about.vintage)
    assert many.facts(29)[1:] == [("events", "30 (day 0 to day 29)")]
    assert many.facts(30)[1:] == many.facts()[1:] == [("events", ", ".join(f"day {n}" for n in range(30)))]
    for text in (london.to_latex(), study.to_latex()):
        assert "returns of each market" in text
        assert not re.search(r"\w none[;.]", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("50% & #1 _ $x$ ~ ^", r"50\% \& \#1 \_ \$x\$ \textasciitilde{} \textasciicircum{}"),
        ("−7 bp → 3, a--b", r"$-$7 bp $\rightarrow$ 3, a-{}-b"),
        ("a\nb\x1b", "a b "),
        ("[1] *", "{[}1{]} {*}"),
        ("'almost 1%' (the 'day') of the bank's", r"`almost 1\%' (the `day') of the bank's"),
    ],
)
def test_latex_reads_no_command_in_text(text, expected) -> None:
    assert escaped(text) == expected


def test_hostile_text_in_latex_is_printed_and_foreign_letters_are_announced(london) -> None:
    hostile = Small(pd.DataFrame({BAD: [BAD, r"\write18{rm}", "%x", "[2pt]"], "量": ["人民币", "&", "#", "\\\\"]}), BAD)
    text = latex_text(hostile)
    check_latex(text)
    assert r"\write18" not in text.replace(r"\textbackslash{}write18", "")
    assert text.startswith("% Needs XeLaTeX or LuaLaTeX and a font with 人 币 民 量.")
    assert r"\textless{}script\textgreater{}" in latex_text(london)


def test_a_table_too_wide_for_a_page_is_turned_where_that_is_narrower() -> None:
    wide = pd.DataFrame({"Market": ["CSI 300"], **{f"a measure with a long name {n}": [f"+{n}%"] for n in range(9)}})
    text = latex_text(Small(wide, "wide"))
    check_latex(text)
    assert "Market & CSI 300 \\\\\n\\midrule\na measure with a long name 0 & +0\\% \\\\\n" in text
    long = pd.concat([wide] * 30, ignore_index=True).assign(Market=[f"market {n}" for n in range(30)])
    kept = r"Market & \shortstack[r]{a measure with\\a long name 0} & \shortstack[r]"
    assert kept in latex_text(Small(long, "turned it would be wider"))
    twice = pd.concat([wide, wide], ignore_index=True)
    assert kept in latex_text(Small(twice, "its rows have no names of their own"))
    blank = twice.assign(Market=["CSI 300", ""])
    assert kept in latex_text(Small(blank, "a blank stands for the name above it"))
    empty = latex_text(Small(wide.iloc[:0], "no row"))
    assert r"Market & \shortstack[r]{a measure with\\a long name 0} &" in empty


def test_headings_take_two_lines_only_where_a_page_is_too_narrow_and_a_column_gets_narrower() -> None:
    texts = {"Market": ["CSI 300"], "Smallest detectable": ["0.52%"], "Placebo p (floor)": ["0.36 (0.002)"]}
    narrow = pd.DataFrame(texts)
    assert "Market & Smallest detectable & Placebo p (floor) \\\\" in latex_text(Small(narrow))
    text = latex_text(Small(narrow.assign(Remark="x" * 26, Session="or 2025-05-12", p=["0.36"], Reason="y" * 20)))
    check_latex(text)
    heads = (
        r"Market & \shortstack[r]{Smallest\\detectable} & \shortstack[l]{Placebo\\p (floor)} & Remark & Session & p & R"
    )
    assert heads in text


def test_latex_wants_its_ending(london, tmp_path) -> None:
    with pytest.raises(ExportError, match=r"'x.txt' does not end in .tex"):
        london.to_latex(tmp_path / "x.txt")


# Parquet


def test_every_table_comes_back_from_parquet_as_it_was(london, study, tmp_path) -> None:
    for number, result in enumerate((london, study)):
        tables = result.tables()
        paths = result.to_parquet(tmp_path / str(number))
        assert len(paths) == len(tables) == len(set(paths))
        for path, frame in zip(paths, tables.values(), strict=True):
            back = pd.read_parquet(path)
            nested = [name for name in frame if not frame[name].map(np.isscalar).all() and frame[name].dtype == object]
            kept = frame.drop(columns=nested)
            text = {name: "str" for name in kept if kept[name].dtype == object}
            pd.testing.assert_frame_equal(back[kept.columns].astype(text), kept.astype(text), check_freq=False)


def test_nested_cells_are_json_in_parquet(study, tmp_path) -> None:
    paths = {path.stem: path for path in study.to_parquet(tmp_path)}
    candidates = pd.read_parquet(paths["Sessions"])["candidates"]
    assert [pd.Timestamp(text) for text in json.loads(candidates.iloc[0])] == list(study.sessions["candidates"].iloc[0])


def test_a_parquet_file_carries_its_provenance(london, tmp_path) -> None:
    paths = london.to_parquet(tmp_path / "london.parquet")
    assert paths[0].name == "london.parquet"
    assert all(path.name.startswith("london-") for path in paths[1:])
    about = read_provenance(paths[1])
    assert about["table"] == "Windows"
    assert about["package"] == f"market_reaction {mr.__version__}"
    assert about["parameters"]["estimation"] == [-130, -11]
    assert about["parameters"]["title"] == BAD
    csi = about["vintage"][0]
    assert (csi["market"], csi["sha256"]) == ("CSI 300", london.prices.vintage["sha256"]["CSI 300"])
    assert b"pandas" in pq.read_schema(paths[0]).metadata


def test_parquet_refuses_a_file_as_folder_and_foreign_files_have_no_provenance(london, tmp_path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file; give a folder"):
        london.to_parquet(tmp_path / "taken")
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ExportError, match="carries no provenance"):
        read_provenance(tmp_path / "other.parquet")


def test_hostile_names_stay_in_the_folder(tmp_path) -> None:
    for name in ("../../x", BAD, "..", "CON", "/etc/passwd", "a\x00b"):
        (path,) = Small(pd.DataFrame({"x": [1]}), name).to_parquet(tmp_path)
        assert path.parent == tmp_path
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.parquet", path.name)


# What they share


def test_every_result_names_its_tables_and_its_provenance(london, study) -> None:
    placebo = mr.placebo_test(study, study.prices)
    for result in (london, study, placebo, london.placebo):
        tables, about = result.tables(), result.provenance()
        assert tables
        assert all(isinstance(frame, pd.DataFrame) for frame in tables.values())
        assert set(about.vintage.index) >= set(MARKETS)
        assert json.loads(json.dumps(about.to_dict(), allow_nan=False))["package"] == about.package
        assert any(text.startswith("CSI 300: bundled (csi300), 2006-01-06 to") for text in about.series())
    assert len(placebo.tables()["Comparison days"]) == sum(len(found.pool) for found in placebo.markets.values())
    assert placebo.tables()["Placebo"]["unit"].unique().tolist() == ["return", "points", "percentage points"]
    assert london.placebo.units == placebo.units
    assert london.provenance().parameters["returns"] == "of each market"
    means = study.tables()["Summary"]
    assert means["estimate"].iloc[0] == study.summary()["estimate"].iloc[0]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("change", "move"), ("car[0,1]", "move"), ("conf_low", "move"), ("car_std_error[0,1]", "size"), ("mde", "size"),
        ("placebo_p", "p"), ("placebo_p_floor", "p"), ("permutation_p", "p"), ("n_placebo", "other"),
        ("permutation_floor", "p"), ("difference", "move"), ("mean_first", "move"), ("usual", "size"),
        ("close", "level"), ("low", "level"), ("z_ewma", "statistic"), ("chance", "share"), ("tau", "other"),
    ],
)  # fmt: skip
def test_columns_are_known_by_name(column, kind) -> None:
    assert plain.kind_of(column) == kind


def test_rounded_tables_show_each_row_in_its_unit() -> None:
    frame = pd.DataFrame(
        {"car": [0.0075, -0.06, 0.31], "std_error": [0.01, 0.05, np.nan], "placebo_p": [0.36, 0.0001, np.nan],
         "unit": ["return", "percentage points", "points"], "n": [1, 2, 3]},
        index=pd.Index(MARKETS, name="market"),
    )  # fmt: skip
    shown = plain.rounded(frame)
    assert shown["car"].tolist() == ["+0.75%", "−6 bp", "+0.31"]
    assert shown["std_error"].tolist() == ["1.00%", "5 bp", "n/a"]
    assert shown["placebo_p"].tolist() == ["0.36", "<0.001", "n/a"]
    assert shown["n"].tolist() == ["1", "2", "3"]
    assert shown["market"].tolist() == MARKETS


def test_a_move_for_a_move_is_never_shown_in_the_unit_of_one(tmp_path) -> None:
    frame = pd.DataFrame({"estimate": [-3.78], "unit": ["return"], "to_unit": ["return"], "lag": [-1]})
    shown = plain.rounded(frame)
    assert shown["estimate"].tolist() == ["−3.78"]
    assert shown["lag"].tolist() == ["−1"]
    cells = rows_of(openpyxl.load_workbook(Small(frame).to_excel(tmp_path / "x.xlsx"))["Main"])
    assert cells["estimate"][0].number_format == "0.0000"


def test_pairs_of_numbers_keep_their_brackets() -> None:
    assert plain.said([(-10.0, 20.0), (0, 1)]) == "[-10,20], [0,1]"
    assert plain.said({"USD/CNH": 0.003}) == "USD/CNH 0.003"
    assert plain.said((True, None)) == "yes, none"


def test_csv_text_is_harmless_and_numbers_are_left_alone() -> None:
    cases = {"=1+1": "'=1+1", "+cmd|x": "'+cmd|x", "-0.5": "-0.5", "+0.75%": "+0.75%", "-": "-", "@x": "'@x", "a": "a"}
    assert {text: plain.harmless(text) for text in cases} == cases
    assert plain.harmless(-0.5) == -0.5


def test_file_names_are_safe_and_each_once() -> None:
    assert file_name("2018-03-22 16:45 UTC") == "2018-03-22_16_45_UTC"
    assert file_name("...") == "table"
    assert file_name("com1.txt") == "table_com1.txt"
    assert file_names(["a/b", "A b", "a_b"]) == ["a_b", "A_b_2", "a_b_3"]


def test_a_failure_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.tex"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["x.tex"]
