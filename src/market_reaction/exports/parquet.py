"""Parquet: a file for each table, with the provenance in the metadata of its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction.errors import ExportError
from market_reaction.exports.files import file_names, target_file, target_folder, write_whole
from market_reaction.exports.plain import as_json, column_name

if TYPE_CHECKING:
    from market_reaction.exports import Exportable

KEY = b"market_reaction"
SUFFIX = ".parquet"


def write_parquet(result: Exportable, path: str | Path) -> list[Path]:
    """Write the tables of a result, as ``Exportable.to_parquet`` describes it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables, provenance = result.tables(), result.provenance().to_dict()
    written = []
    for (title, frame), target in zip(tables.items(), _targets(Path(path), list(tables)), strict=True):
        table = pa.Table.from_pandas(_storable(frame))
        about = json.dumps({"table": title, **provenance}, ensure_ascii=False).encode()
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: about})
        written.append(write_whole(target, lambda draft, table=table: pq.write_table(table, draft)))  # type: ignore[misc]
    return written


def _targets(path: Path, titles: list[str]) -> list[Path]:
    """A file for each table: in the folder given, or the file given and others beside it."""
    names = file_names(titles)
    if path.suffix.casefold() == SUFFIX:
        main = target_file(path, (SUFFIX,), "Parquet file")
        return [main, *(main.with_name(f"{main.stem}-{name}{SUFFIX}") for name in names[1:])]
    folder = target_folder(path)
    return [folder / f"{name}{SUFFIX}" for name in names]


def _storable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with column names that are texts, and mixed or nested cells as JSON."""
    table = frame.set_axis([column_name(name) for name in frame.columns], axis=1)
    mixed = {
        name: cells.map(_as_text)
        for name, cells in table.items()
        if pd.api.types.is_object_dtype(cells) and not cells.dropna().map(lambda value: isinstance(value, str)).all()
    }
    return table.assign(**mixed)  # type: ignore[arg-type]


def _as_text(value: Any) -> str | None:
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, str):
        return value
    return json.dumps(as_json(value), ensure_ascii=False)


def read_provenance(path: str | Path) -> dict[str, Any]:
    """Provenance of a Parquet file that ``to_parquet`` wrote: table, package, parameters, vintage.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    ExportError
        The file carries none.
    """
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    if KEY not in metadata:
        raise ExportError(f"{str(path)!r} carries no provenance of market_reaction; it was written by something else.")
    return dict(json.loads(metadata[KEY]))
