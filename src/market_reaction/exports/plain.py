"""Values as other programs can hold them: plain columns, plain cells, and numbers rounded for reading."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from market_reaction import wording

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
Kind = Literal["move", "size", "p", "share", "statistic", "level", "other"]

# What a column of numbers holds, by its name; the first that matches.
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("other", r"(df|n|nobs|rows|tau|horizon|start|end|days_\w+|n_\w+|\w+_n|minutes\w*|critical|sessions|exact)"),
    ("p", r"(p|p_value|\w*floor|\w*_p|placebo_p_\w+|p_\w+|\w+_p_value)"),
    ("share", r"(\w*share\w*|\w*chance\w*|power\w*|wrong_sign|coverage|rate)"),
    ("size", r"((\w*_)?(std|std_error|mde|usual|usual_day|margin|smallest_margin)|car_std_error\W.*)"),
    (
        "move",
        r"(change|abnormal|estimate|difference|reaction|fitted|residual|median|mean|q25|q75|coefficient|\w*return"
        r"|(mean|move|abnormal)_\w+|(\w*_)?(car|caar|aar|move)|\w+_(low|high))(\W.*)?",
    ),
    ("level", r"(\w*close|open|high|low|level)"),
    ("statistic", r"(z|z_\w+|statistic|value|t|\w+_f|ratio|\w*ratio|exaggeration)"),
)


def kind_of(column: str) -> Kind:
    """What the numbers of a column are, by its name; ``"other"`` where the name does not tell."""
    return next((kind for kind, pattern in _KINDS if re.fullmatch(pattern, column)), "other")


def kind_in(table: pd.DataFrame, column: str) -> Kind:
    """What a column of a table holds; ``"other"`` unless it holds decimals."""
    return kind_of(column) if pd.api.types.is_float_dtype(table[column]) else "other"


def units_of(table: pd.DataFrame) -> list[str]:
    """Unit of the moves of each row; none where ``to_unit`` says that the row is a move for a move."""
    if "unit" not in table or "to_unit" in table:
        return [""] * len(table)
    return table["unit"].astype(str).tolist()


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet would run the text when it reads it from CSV; numbers and lone signs are none."""
    if not text.startswith(FORMULA_STARTS):
        return False
    try:
        float(text.replace("%", "").replace(",", ""))
    except ValueError:
        return len(text.strip()) > 1
    return False


def harmless(value: object) -> object:
    """A cell for CSV: text that a spreadsheet would run gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and starts_formula(value) else value


def with_rows(tables: Mapping[str, pd.DataFrame | None]) -> dict[str, pd.DataFrame]:
    """The main table, which is the first, and those of the others that hold a row."""
    kept = {name: frame for name, frame in tables.items() if frame is not None}
    return {name: frame for at, (name, frame) in enumerate(kept.items()) if at == 0 or len(frame)}


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its index as columns, and column names that are texts, each given once."""
    from market_reaction.exports.files import unique

    named = any(name is not None for name in frame.index.names) or not isinstance(frame.index, pd.RangeIndex)
    names = [*_index_names(frame), *map(column_name, frame.columns)] if named else list(map(column_name, frame))
    levels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)] if named else []
    parts = [*levels, *(frame.iloc[:, at] for at in range(frame.shape[1]))]
    columns = {
        name: pd.Series(part.array, copy=True) for name, part in zip(unique(names, " ({})", 255), parts, strict=True)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def _index_names(frame: pd.DataFrame) -> list[str]:
    return [f"index {at}" if name is None else column_name(name) for at, name in enumerate(frame.index.names)]


def column_name(name: object) -> str:
    """Name of a column as text without control characters; levels are joined."""
    return wording.clean(" / ".join(map(str, name)) if isinstance(name, tuple) else name)


def said(value: object) -> str:
    """A parameter as text: ``none``, ``yes``, ``[0,1]``, lists with commas, pairs as ``name value``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said(item)}" for key, item in value.items()) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in value):
            return f"[{','.join(map(said, value))}]"
        return ", ".join(map(said, value)) or "none"
    if isinstance(value, pd.Timestamp):
        return moment(value)
    return str(value)


def moment(value: Any) -> str:
    """A time as text: an instant in UTC, a session as a date."""
    if pd.isna(value):
        return ""
    if value.tzinfo is not None:
        return f"{value.tz_convert('UTC'):%Y-%m-%d %H:%M:%S} UTC"
    return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M:%S}"


def vintage_sentence(row: Mapping[Any, Any]) -> str:
    """Where one series comes from, in words."""

    def day(name: str) -> str:
        value = row.get(name)
        return wording.day(value) if isinstance(value, pd.Timestamp) else wording.NOT_AVAILABLE

    symbol = f" ({row['symbol']})" if row.get("symbol") else ""
    checksum = f", SHA-256 {str(row['sha256'])[:12]}" if row.get("sha256") else ""
    return wording.clean(
        f"{row.get('market', 'series')}: {row.get('source', 'source unknown')}{symbol}, {day('first')} to "
        f"{day('last')}, retrieved {day('retrieved_utc')}{checksum}"
    )


def as_json(value: Any) -> Any:
    """A value as JSON can hold it: dates as ISO text, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray, pd.Index)):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def cell(value: Any) -> str | bool | int | float | pd.Timestamp | None:
    """A cell as a spreadsheet can hold it: text, number, naive UTC time, or None where there is none."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, pd.Timestamp):
        return value.tz_convert("UTC").tz_localize(None) if value.tzinfo else value
    if isinstance(value, (list, tuple, np.ndarray, pd.Index)):
        return said(list(value))
    return json.dumps(as_json(value), ensure_ascii=False) if isinstance(value, Mapping) else str(value)


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as text for reading: moves in the unit of their row, p values, dates; its index as columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        Unrounded decimals; a column ``unit`` names the unit of each row's moves.
    """
    table = flat(frame)
    units = units_of(table)
    columns = {}
    for name in table.columns:
        kind = kind_in(table, name)
        columns[name] = [_text(value, kind, unit) for value, unit in zip(table[name], units, strict=True)]
    return pd.DataFrame(columns, columns=table.columns, dtype=object)


def _text(value: Any, kind: Kind, unit: str) -> str:
    if isinstance(value, float) and math.isnan(value):
        return wording.NOT_AVAILABLE if kind != "other" else ""
    if not isinstance(value, float):
        found = cell(value)
        if isinstance(value, pd.Timestamp) or found is None:
            return moment(value) if found is not None else ""
        text = wording.clean(said(found))
        return text if isinstance(found, str) else text.replace("-", wording.MINUS)
    if kind in ("move", "size") and unit:
        return wording.move(value, unit) if kind == "move" else wording.size(value, unit)
    if kind == "p":
        return wording.p_value(value)
    if kind == "share":
        return wording.share(value)
    if kind == "statistic":
        return wording.signed(value)
    text = f"{value:.4g}" if math.isfinite(value) and kind != "level" else f"{value:,.2f}"
    return text.replace("-", wording.MINUS)
