"""Build data/events/*.csv from a folder with the researched tables.

``python tools/build_event_tables.py FOLDER`` reads ``us_china_events.csv``, ``macro_releases.csv`` and
``other_news.csv`` and writes tables that one loader reads: all three have id, title, announced_utc, precision,
utc_earliest and utc_latest. Scheduled releases get the name of their official publisher and what is known of their
date as source, and bounds: one minute either side, or an hour where the clock time is approximate. Names of copies
in code repositories are left out of the sources. Two runs give identical bytes.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "data" / "events"
MACRO_COLUMNS = (
    "id", "title", "announced_utc", "precision", "utc_earliest", "utc_latest", "local_time", "local_tz", "kind",
    "importance", "evidence", "source",
)  # fmt: skip
PUBLISHERS = {
    "cn_cpi": "National Bureau of Statistics of China (NBS)",
    "cn_gdp_activity": "National Bureau of Statistics of China (NBS)",
    "cn_lpr": "People's Bank of China (PBoC)",
    "cn_pmi_nbs": "National Bureau of Statistics of China (NBS)",
    "cn_trade": "General Administration of Customs of China",
    "ecb_decision": "European Central Bank (ECB)",
    "us_cpi": "US Bureau of Labor Statistics (BLS)",
    "us_fomc": "Federal Reserve",
    "us_gdp_advance": "US Bureau of Economic Analysis (BEA)",
    "us_ism_mfg": "Institute for Supply Management (ISM)",
    "us_jobs": "US Bureau of Labor Statistics (BLS)",
    "us_ppi": "US Bureau of Labor Statistics (BLS)",
    "us_retail": "US Census Bureau",
}
EVIDENCE = {
    "documented": "date documented",
    "rule": "date by rule (last calendar day of the month), not checked one by one",
    "scheduled": "announced in advance, not verified as happened",
}
# Kinds whose listed clock time moves about although the release has no minute of its own, or has another one.
APPROXIMATE = {"cn_trade", "cn_lpr"}
STAMP = "%Y-%m-%dT%H:%MZ"

# What the sources call a copy, and what the project's table says instead.
REWORDED = (
    (r"Tweet archive 20 Jan-1 Oct 2019 \(GitHub [^)]*\)", "Tweet archive, 20 Jan-1 Oct 2019"),
    (r"Truth Social archive \(GitHub [^)]*post text read\)", "Truth Social archive (post text read)"),
    (r"Truth Social post index \(GitHub [^)]*text blank\)", "Truth Social post index (time and ID only, text blank)"),
    (r"Truth Social archive backfill file (25-31 Oct 2025) \(GitHub [^)]*\)", r"Truth Social archive (posts of \1)"),
    (r"GitHub yiorgosynkl/\S+ \S+", "Great financial events (yiorgosynkl.github.io), 2025-01-10"),
    (r"; GitHub [^;]*", ""),
    (r"\. THE SEED EVENT", ""),
    (r"us_china_events\.csv", "us_china.csv"),
)  # fmt: skip

Row = dict[str, str]


class BuildError(Exception):
    """An input row that the rules here do not cover."""


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        raise BuildError(f"{path} does not exist. Give the folder that holds it.")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _csv_text(columns: Iterable[str], rows: Iterable[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def reworded(text: str) -> str:
    """Text of a cell with the names of copies replaced."""
    for pattern, words in REWORDED:
        text = re.sub(pattern, words, text)
    if "GitHub" in text:
        raise BuildError(f"the text {text!r} still names a code repository. Add it to REWORDED.")
    return text


def news(rows: list[Row]) -> str:
    """Table of news rows: all columns and ids as they are, sources reworded, in order of the earliest time."""
    kept = [{column: reworded(value) for column, value in row.items()} for row in rows]
    return _csv_text(rows[0], sorted(kept, key=lambda row: row["utc_earliest"]))


def macro(row: Row) -> Row:
    """One scheduled release with bounds and its official publisher."""
    if row["kind"] not in PUBLISHERS or row["evidence"] not in EVIDENCE:
        raise BuildError(
            f"release {row['id']!r} has kind {row['kind']!r} and evidence {row['evidence']!r}; known are "
            f"{', '.join(PUBLISHERS)} and {', '.join(EVIDENCE)}. Add it to the tables of this script."
        )
    exact = row["kind"] not in APPROXIMATE and row["evidence"] != "rule"
    instant = datetime.fromisoformat(row["released_utc"])
    margin = timedelta(minutes=1 if exact else 60)
    source = f"{PUBLISHERS[row['kind']]}; {EVIDENCE[row['evidence']]}"
    return {column: row.get(column, "") for column in MACRO_COLUMNS} | {
        "announced_utc": instant.strftime(STAMP),
        "precision": "minute" if exact else "hour",
        "utc_earliest": (instant - margin).strftime(STAMP),
        "utc_latest": (instant + margin).strftime(STAMP),
        "source": source if exact else f"{source}; clock time approximate",
    }


def build(folder: Path) -> dict[str, str]:
    """Text of each table by file name."""
    releases = [macro(row) for row in _read(folder / "macro_releases.csv")]
    releases.sort(key=lambda row: (row["utc_earliest"], row["id"]))
    return {
        "us_china.csv": news(_read(folder / "us_china_events.csv")),
        "macro_releases.csv": _csv_text(MACRO_COLUMNS, releases),
        "other_news.csv": news(_read(folder / "other_news.csv")),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with the three researched tables")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to (default: data/events)")
    given = parser.parse_args(arguments)
    try:
        tables = build(given.folder)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    given.out.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (given.out / name).write_bytes(text.encode())
        print(f"{given.out / name}: {text.count(chr(10)) - 1} rows.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
