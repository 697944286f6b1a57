"""Excel: a sheet for each table and one that says where the figures come from; no text is ever a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import wording
from market_reaction.errors import ExportError
from market_reaction.exports.files import target_file, unique, write_whole
from market_reaction.exports.plain import FORMULA_STARTS, Kind, cell, flat, kind_in, units_of
from market_reaction.progress import progress

if TYPE_CHECKING:
    from market_reaction.exports import Exportable, Provenance

ABOUT = "About"
ROWS, TEXT, SHEET_NAME = 1_048_576, 32_767, 31  # limits of a sheet, a cell and a name
_WIDEST = 60
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_PLAIN = {
    "p": '[<0.001]"<0.001";0.000',
    "share": "0.0%",
    "statistic": "0.00",
    "level": "#,##0.00##",
    "move": "0.0000",
    "size": "0.0000",
}
_BY_UNIT = {"return": "0.00%", "percentage points": '0.000" pp"', "points": "0.00"}
DATE, TIME = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"


def write_workbook(result: Exportable, path: str | Path) -> Path:
    """Write the tables of a result to an Excel file, as ``Exportable.to_excel`` describes it."""
    try:
        from openpyxl import Workbook
    except ImportError:
        raise ExportError(
            "openpyxl is not installed, and Excel files need it. Run pip install 'market-reaction[export]', or "
            "conda install -c conda-forge openpyxl; to_parquet() works without."
        ) from None
    target = target_file(path, (".xlsx",), "workbook")
    tables = result.tables()
    book = Workbook()
    book.remove(book.active)
    named = list(zip(sheet_names(tables), tables.items(), strict=True))
    for name, (title, frame) in progress(named, "writing sheets"):
        _add_table(book.create_sheet(name), title, frame)
    _add_about(book.create_sheet(ABOUT), result.provenance(), sheet_names(tables), tables)
    return write_whole(target, book.save)


def sheet_names(titles: Iterable[str]) -> list[str]:
    """Names of sheets: no character that Excel refuses, at most 31 long, each once, and none is taken by Excel."""
    names = []
    for title in titles:
        name = " ".join(_NOT_IN_NAMES.sub(" ", wording.clean(title)).split()).strip("' ")[:SHEET_NAME].strip("' ")
        names.append(f"{name} table" if name.casefold() in ("history", ABOUT.casefold()) else name or "Table")
    return unique(names, " ({})", SHEET_NAME)


def _add_table(sheet: Any, title: str, frame: pd.DataFrame) -> None:
    """One table: headings that stay in sight, numbers with their format, text that stays text."""
    if len(frame) >= ROWS:
        raise ExportError(
            f"the table {title!r} has {len(frame):,} rows, and a sheet of Excel holds {ROWS - 1:,} below the headings. "
            "Use to_parquet(), or fewer events."
        )
    table = flat(frame)
    _put_row(sheet, 1, [_heading(name, table[name]) for name in table.columns], bold=True)
    units = units_of(table)
    for at, name in enumerate(table.columns, start=1):
        kind = kind_in(table, name)
        for row, (value, unit) in enumerate(zip(table[name], units, strict=True), start=2):
            put(sheet, row, at, cell(value), _format(value, kind, unit))
    sheet.freeze_panes = "B2"
    if len(table):
        sheet.auto_filter.ref = sheet.dimensions
    _set_widths(sheet)


def _heading(name: str, column: pd.Series) -> str:
    zoned = isinstance(column.dtype, pd.DatetimeTZDtype)
    return f"{name} (UTC)" if zoned and "utc" not in name.casefold() else name


def _format(value: object, kind: Kind, unit: str) -> str | None:
    """Number format of a cell; None for text and plain numbers."""
    if isinstance(value, pd.Timestamp):
        return DATE if value.tzinfo is None and value == value.normalize() else TIME
    if kind in ("move", "size"):
        return _BY_UNIT.get(unit, _PLAIN[kind])
    return _PLAIN.get(kind)


def put(sheet: Any, row: int, column: int, value: Any, form: str | None = None) -> Any:
    """Fill a cell; text is stored as text whatever it begins with, and marked so that editing keeps it text."""
    place = sheet.cell(row=row, column=column)
    if value == "":
        return place
    if isinstance(value, str):
        text = _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", value)
        place.value = text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"
        place.data_type = "s"
        if text.startswith(FORMULA_STARTS):
            place.quotePrefix = True
    elif value is not None:
        place.value = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
        if form is not None:
            place.number_format = form
    return place


def _put_row(sheet: Any, row: int, values: Sequence[Any], *, bold: bool = False) -> None:
    from openpyxl.styles import Alignment, Font

    for column, value in enumerate(values, start=1):
        place = put(sheet, row, column, value)
        if bold:
            place.font, place.alignment = Font(bold=True), Alignment(vertical="top", wrap_text=True)


def _set_widths(sheet: Any, shown: int = 200) -> None:
    """Widths that fit the first rows."""
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(sheet.iter_cols(max_row=shown), start=1):
        lengths = [len(_seen(place)) for place in column if place.value is not None]
        sheet.column_dimensions[get_column_letter(number)].width = min(_WIDEST, 2 + max(lengths, default=6))


def _seen(place: Any) -> str:
    """About as much text as a cell shows."""
    if isinstance(place.value, float):
        return "0" * 9
    return place.number_format if place.is_date else str(place.value)


def _add_about(sheet: Any, provenance: Provenance, names: Sequence[str], tables: Iterable[str]) -> None:
    """Where the figures come from: package, parameters, what the sheets are, every series."""
    rows: list[tuple[str, ...]] = [
        *provenance.facts(),
        (
            "numbers",
            "Unrounded decimals: 0.01 is one per cent of a return. Times are UTC; blank is missing.",
        ),
        *((f"sheet {name}", title) for name, title in zip(names, tables, strict=True) if name != title),
    ]
    for number, row in enumerate(rows, start=1):
        _put_row(sheet, number, row)
    vintage, top = flat(provenance.vintage), len(rows) + 2
    _put_row(sheet, top, [_heading(name, vintage[name]) for name in vintage.columns], bold=True)
    for at, name in enumerate(vintage.columns, start=1):
        for number, value in enumerate(vintage[name], start=top + 1):
            put(sheet, number, at, cell(value), _format(value, "other", ""))
    _set_widths(sheet)
