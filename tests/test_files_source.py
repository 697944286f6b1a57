"""The folder source: each vendor's format, refusals, files.csv, clocks, and the reference folder as a whole."""

from __future__ import annotations

import dataclasses
import gzip
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction.errors import DataUnavailableError, InstrumentTableError
from market_reaction.instruments import Instrument, catalogue
from market_reaction.prices import PriceSeries
from market_reaction.sources.files import FilesSource
from market_reaction.sources.formats import read_bars

START, END = pd.Timestamp("2025-06-01"), pd.Timestamp("2025-06-30")
DAYS = ["2025-06-10", "2025-06-11", "2025-06-12", "2025-06-13"]
CLOSES = [3865.47, 3894.63, 3892.20, 3864.18]
PLAIN = "date,close\n" + "\n".join(f"{d},{c}" for d, c in zip(DAYS, CLOSES, strict=True)) + "\n"


def reference() -> Path:
    folder = Path(os.environ.get("MARKET_REACTION_REFERENCE") or Path(__file__).resolve().parents[2] / "shared")
    if not (folder / "data" / "series").is_dir():
        pytest.skip(f"no reference folder at {folder}; set MARKET_REACTION_REFERENCE to have this tested")
    return folder / "data"


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def fetch(folder: Path, name: str = "CSI 300") -> PriceSeries:
    return FilesSource(folder).fetch(catalogue()[name], START, END)


YAHOO = """Date,Open,High,Low,Close,Adj Close,Volume
2025-06-10,3889.12,3895.61,3841.97,3865.47,1932.735,198600
2025-06-11,3869.99,3911.61,3866.31,3894.63,1947.315,181300
2025-06-12,3886.50,3897.44,3880.21,3892.20,1946.10,162100
2025-06-13,3880.00,3886.12,3853.46,3864.18,1932.09,190400
"""
YFINANCE = """,Open,High,Low,Close,Volume
2025-06-10 00:00:00+08:00,3889.12,3895.61,3841.97,3865.47,198600
2025-06-11 00:00:00+08:00,3869.99,3911.61,3866.31,3894.63,181300
2025-06-12 00:00:00+08:00,3886.50,3897.44,3880.21,3892.20,162100
2025-06-13 00:00:00+08:00,3880.00,3886.12,3853.46,3864.18,190400
"""
BLOOMBERG = """Security,SHSZ300 Index
Start Date,6/10/2025
End Date,6/13/2025
Period,D
Currency,CNY

Date,PX_LAST,PX_OPEN,PX_HIGH,PX_LOW,PX_VOLUME
6/10/2025,3865.47,3889.12,3895.61,3841.97,198600
6/11/2025,3894.63,3869.99,3911.61,3866.31,181300
6/12/2025,3892.20,3886.50,3897.44,3880.21,#N/A N/A
6/13/2025,3864.18,3880.00,3886.12,3853.46,190400
"""
WIND_CHINESE = """代码,名称,日期,开盘价(元),最高价(元),最低价(元),收盘价(元),成交量(股)
000300.SH,沪深300,20250610,3889.12,3895.61,3841.97,3865.47,"19,860,000,000"
000300.SH,沪深300,20250611,3869.99,3911.61,3866.31,3894.63,"18,130,000,000"
000300.SH,沪深300,20250612,3886.50,3897.44,3880.21,3892.20,"16,210,000,000"
000300.SH,沪深300,20250613,3880.00,3886.12,3853.46,3864.18,"19,040,000,000"
数据来源:Wind
"""
WIND_ENGLISH = """Code\tName\tDate\tOpen Price\tHigh Price\tLow Price\tClose Price\tVolume
000300.SH\tCSI 300\t2025-06-10\t3889.12\t3895.61\t3841.97\t3865.47\t198600
000300.SH\tCSI 300\t2025-06-11\t3869.99\t3911.61\t3866.31\t3894.63\t181300
000300.SH\tCSI 300\t2025-06-12\t3886.50\t3897.44\t3880.21\t3892.20\t162100
000300.SH\tCSI 300\t2025-06-13\t3880.00\t3886.12\t3853.46\t3864.18\t190400
Source: Wind
"""
INVESTING = """"Date","Price","Open","High","Low","Vol.","Change %"
"06/13/2025","3,864.18","3,880.00","3,886.12","3,853.46","19.04B","-0.72%"
"06/12/2025","3,892.20","3,886.50","3,897.44","3,880.21","16.21B","-0.06%"
"06/11/2025","3,894.63","3,869.99","3,911.61","3,866.31","18.13B","0.75%"
"06/10/2025","3,865.47","3,889.12","3,895.61","3,841.97","1.2M","-0.51%"
"""
STOOQ = """<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>
^SHBS,D,20250610,000000,3889.12,3895.61,3841.97,3865.47,198600,0
^SHBS,D,20250611,000000,3869.99,3911.61,3866.31,3894.63,181300,0
^SHBS,D,20250612,000000,3886.50,3897.44,3880.21,3892.20,162100,0
^SHBS,D,20250613,000000,3880.00,3886.12,3853.46,3864.18,190400,0
"""
FORMATS = {
    "yahoo": YAHOO,
    "yfinance": YFINANCE,
    "bloomberg": BLOOMBERG,
    "wind-chinese": WIND_CHINESE,
    "wind-english": WIND_ENGLISH,
    "investing": INVESTING,
    "investing-words": re.sub(r"06/(\d\d)/2025", r"Jun \1, 2025", INVESTING),
    "stooq": STOOQ,
    "stooq-plain": YAHOO.replace("Adj Close,", "").replace("1932.735,", "").replace("1947.315,", "")
    .replace("1946.10,", "").replace("1932.09,", ""),
}  # fmt: skip


@pytest.mark.parametrize("vendor", FORMATS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_each_vendor_format_gives_the_same_bars(tmp_path: Path, vendor: str, encoding: str) -> None:
    write(tmp_path, "csi300.csv", FORMATS[vendor], encoding)
    series = fetch(tmp_path)
    assert [f"{day:%Y-%m-%d}" for day in series.sessions] == DAYS
    np.testing.assert_allclose(series.closes, CLOSES)
    np.testing.assert_allclose(series.bars.loc["2025-06-11", ["open", "high", "low"]], [3869.99, 3911.61, 3866.31])
    assert series.price_basis == "close"
    assert (series.source, series.vintage.retrieved_utc, series.vintage.rows) == ("files", None, 4)


def test_volumes_with_units_and_empty_cells_are_read(tmp_path: Path) -> None:
    investing = read_bars(write(tmp_path, "a.csv", INVESTING))
    assert investing["volume"].tolist() == [19.04e9, 16.21e9, 18.13e9, 1.2e6]
    bloomberg = read_bars(write(tmp_path, "b.csv", BLOOMBERG))
    assert np.isnan(bloomberg["volume"].iloc[2])


def test_gzip_and_parquet_are_read(tmp_path: Path) -> None:
    (tmp_path / "csi300.csv.gz").write_bytes(gzip.compress(YAHOO.encode()))
    frame = pd.DataFrame({"Close": CLOSES}, index=pd.DatetimeIndex(DAYS, tz="America/New_York", name="Date"))
    frame.to_parquet(tmp_path / "^GSPC.parquet")
    np.testing.assert_allclose(fetch(tmp_path).closes, CLOSES)
    series = fetch(tmp_path, "S&P 500")
    assert [f"{day:%Y-%m-%d}" for day in series.sessions] == DAYS
    np.testing.assert_allclose(series.closes, CLOSES)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "csi300.csv.gz").write_bytes(gzip.compress(YAHOO.encode())[:60])
    with pytest.raises(DataUnavailableError, match=r"csi300\.csv\.gz: the gzip archive is damaged or cut off"):
        fetch(tmp_path)


def test_the_adjusted_close_is_taken_when_the_note_says_so(tmp_path: Path) -> None:
    write(tmp_path, "csi300.csv", YAHOO)
    write(tmp_path, "files.csv", "file,instrument,bar_close,note\ncsi300.csv,CSI 300,,adjusted for dividends\n")
    series = fetch(tmp_path)
    np.testing.assert_allclose(series.closes, np.array(CLOSES) / 2)
    np.testing.assert_allclose(series.bars["high"].iloc[1], 3911.61 / 2)
    assert (series.price_basis, series.vintage.detail) == ("adjusted close", "adjusted for dividends")


@pytest.mark.parametrize(
    ("note", "market", "basis"),
    [
        ("close = settlement; some bars thin", "WTI", "settlement"),
        ("not adjusted", "SPY", "close"),
        ("", "US 10y", "yield"),
        ("daily fixing", "USD/CNY", "fixing"),
    ],
)
def test_the_price_basis_follows_the_note_and_the_class(tmp_path: Path, note: str, market: str, basis: str) -> None:
    write(tmp_path, "x.csv", PLAIN)
    write(tmp_path, "files.csv", f"file,instrument,bar_close,note\nx.csv,{market},,{note}\n")
    assert fetch(tmp_path, market).price_basis == basis


@pytest.mark.parametrize(
    ("dates", "day_one"),
    [
        (["11/06/2025", "12/06/2025", "13/06/2025"], "2025-06-11"),
        (["06/11/2025", "06/12/2025", "06/13/2025"], "2025-06-11"),
        (["11.06.2025", "12.06.2025", "13.06.2025"], "2025-06-11"),
        (["2025/6/11", "2025/6/12", "2025/6/13"], "2025-06-11"),
        (["2025年6月11日", "2025年6月12日", "2025年6月13日"], "2025-06-11"),
        (["11-Jun-2025", "12-Jun-2025", "13-Jun-2025"], "2025-06-11"),
        (["June 11 2025", "June 12 2025", "June 13 2025"], "2025-06-11"),
        (["2025-06-11T00:00:00Z", "2025-06-12T00:00:00Z", "2025-06-13T00:00:00Z"], "2025-06-11"),
    ],
)
def test_dates_are_read_where_the_data_settle_their_form(tmp_path: Path, dates: list[str], day_one: str) -> None:
    text = "Date,Close\n" + "".join(f'"{day}",100.5\n' for day in dates)
    bars = read_bars(write(tmp_path, "a.csv", text))
    assert bars.index.tolist() == list(pd.date_range(day_one, periods=3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Date,Close\n06/11/2025,1.5\n06/12/2025,1.6\n", "so '06/11/2025' may be day/month or month/day. Write ISO"),
        ("Date,Close\n06/13/2025,1.5\n13/06/2025,1.6\n", "line 3 can only be day/month and line 2 only month/day"),
        ("Date,Close\n06/11/25,1.5\n", "line 2 has the date '06/11/25'.*four digits for the year"),
        ("Date,Close\n2025-06-11,1.5\n12 June,1.6\n", "line 3 has the date '12 June'.*The first row has '2025-06-11'"),
        ("Date,Close\n2025-02-28,1.5\n2025-02-30,1.6\n", "line 3 has the date '2025-02-30'.*There is no such day"),
        ("Date,Close\n45819,1.5\n", "line 2 has the date '45819'"),
        ("Date,Close\n2025-06-11,1.5\n2025-06-12,abc\n", "line 3 has the close 'abc', which cannot be read"),
        ("Date,Open,Close\n2025-06-11,1.5,1.6\n2025-06-12,1.5\n", "line 3 has 2 cells where the header has 3"),
        ("Date,Close\n2025-06-11,3,894.63\n", "line 2 has 3 cells where the header has 2.*without quotes"),
        ("Date;Close\n2025-06-11;3,894\n", "the price '3,894' may be 3894 or 3.894"),
        ("Date;Open;Close\n2025-06-11;38,94;38.95\n", "a decimal comma .'38,94'. and with a decimal point .'38.95'."),
        ("Date,Close\n2025-06-11 09:30:00,1.5\n2025-06-11 10:30:00,1.6\n", "intraday rows .a time of day '09:30:00'"),
        ("Date,Time,Close\n2025-06-11,09:30,1.5\n", "holds intraday rows .a time of day '09:30'"),
        ("Date,Ticker,Close\n2025-06-11,A,1.5\n2025-06-11,B,1.6\n", "holds 2 instruments .A, B.. Write one file"),
        ("Date,Level,Change\n2025-06-11,A,1.5\n", "no line .* names a date and a close .the first is 'Date,Level,Ch"),
        ("Date,Close\n", "no rows below the header on line 1"),
        ("", "no line among the first 60 names a date"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_or_not_at_all_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, "csi300.csv", text)
    with pytest.raises(DataUnavailableError, match=rf"csi300\.csv: .*{message}") as caught:
        fetch(tmp_path)
    assert (caught.value.symbol, caught.value.cause) == ("csi300.csv", "malformed answer")


def test_a_decimal_comma_is_read_right(tmp_path: Path) -> None:
    text = "Date;Open;Close;Volume\n10.06.2025;3.889,12;3.865,47;1.986\n13.06.2025;3.880,00;3.864;190.400\n"
    bars = read_bars(write(tmp_path, "a.csv", text))
    assert bars["close"].tolist() == [3865.47, 3864.0]
    assert bars["volume"].tolist() == [1986.0, 190400.0]


def test_duplicates_weekends_and_empty_rows_are_left_out_and_named(tmp_path: Path) -> None:
    text = "date,close\n2025-06-10,1\n2025-06-11,2\n2025-06-11,3\n2025-06-12,.\n2025-06-14,4\n"
    write(tmp_path, "usdcnh.csv", text)
    series = fetch(tmp_path, "USD/CNH")
    assert series.closes.tolist() == [1.0, 3.0]
    assert dict(zip(series.excluded["reason"], series.excluded["session"].dt.strftime("%m-%d"), strict=True)) == {
        "no close in the source's row": "06-12",
        "date given twice; the last row is kept": "06-11",
        "weekend row": "06-14",
    }


@pytest.mark.parametrize(
    ("file", "market"),
    [
        ("csi300.csv", "CSI 300"),
        ("CSI 300.csv", "CSI 300"),
        ("CSI 300 Historical Data (1).csv", "CSI 300"),
        ("000300.SS.csv", "CSI 300"),
        ("000300.SH.csv", "CSI 300"),
        ("es_f.csv", "E-mini S&P 500"),
        ("ES=F.tsv", "E-mini S&P 500"),
        ("usdcnh.csv", "USD/CNH"),
        ("USD_CNH Historical Data.csv", "USD/CNH"),
        ("CNH=X.csv", "USD/CNH"),
        ("^HSI.txt", "Hang Seng"),
    ],
)
def test_files_are_matched_by_name_or_symbol(tmp_path: Path, file: str, market: str) -> None:
    write(tmp_path, file, PLAIN)
    source = FilesSource(tmp_path)
    assert {name: path.name for name, path in source.matched.items()} == {market: file}
    assert source.unmatched == ()
    assert fetch(tmp_path, market).vintage.symbol == file


def test_two_files_for_one_instrument_are_refused_unless_listed(tmp_path: Path) -> None:
    write(tmp_path, "csi300.csv", PLAIN)
    write(tmp_path, "000300.SS.csv", PLAIN)
    with pytest.raises(
        DataUnavailableError, match=r"2 files of .* are 'CSI 300': 000300\.SS\.csv and csi300\.csv\. Say which"
    ):
        fetch(tmp_path)
    assert [item.split(": ")[0] for item in FilesSource(tmp_path).unmatched] == ["000300.SS.csv", "csi300.csv"]
    write(tmp_path, "files.csv", "file,instrument\ncsi300.csv,CSI 300\n")
    assert fetch(tmp_path).vintage.symbol == "csi300.csv"
    assert FilesSource(tmp_path).unmatched[0] == "000300.SS.csv: files.csv gives 'CSI 300' the file csi300.csv"


def test_what_fits_nothing_is_unmatched_with_the_reason(tmp_path: Path) -> None:
    for file in ("mine.csv", "csi30.csv", "usdcny_ecb.csv"):
        write(tmp_path, file, PLAIN)
    listed = "file,instrument,bar_close,note\nmine.csv,SP 500,,\ngone.csv,VIX,,\n../out.csv,Gold,,\n"
    write(tmp_path, "files.csv", listed)
    reasons = dict(item.split(": ", 1) for item in FilesSource(tmp_path).unmatched)
    assert (
        "line 2 has the instrument 'SP 500', which is not in the catalogue. Did you mean 'S&P 500'"
        in reasons["mine.csv"]
    )
    assert reasons["gone.csv"] == "files.csv line 3 names it, but the folder does not have it"
    assert reasons["../out.csv"] == "files.csv line 4 names no file inside the folder"
    assert "Is it 'CSI 300'?" in reasons["csi30.csv"]
    assert "'USD/CNY (ECB)' is another quote than 'USD/CNY' with another clock" in reasons["usdcny_ecb.csv"]


def test_another_quote_is_used_under_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "rates.csv", PLAIN)
    write(tmp_path, "files.csv", "file,instrument,bar_close\nrates.csv,USD/CNY (ECB),14:15 Europe/Berlin\n")
    series = fetch(tmp_path, "USD/CNY")
    assert series.name == "USD/CNY (ECB)"
    assert f"{series.close_utc[0]:%H:%M}" == "12:15"


def test_an_instrument_outside_the_catalogue_finds_its_file(tmp_path: Path) -> None:
    own = Instrument("CAC 40", "index", yahoo="^FCHI", calendar="XPAR", bar_close="17:30 Europe/Paris")
    write(tmp_path, "cac40.csv", PLAIN)
    source = FilesSource(tmp_path)
    assert source.fetch(own, START, END).closes.tolist() == CLOSES
    write(tmp_path, "files.csv", "file,instrument\ncac40.csv,cac 40\n")
    assert FilesSource(tmp_path).fetch(own, START, END).closes.tolist() == CLOSES


def test_a_missing_folder_and_a_missing_instrument_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    with pytest.raises(DataUnavailableError, match=r"prics' does not exist. Did you mean 'prices'") as caught:
        FilesSource(tmp_path / "prics")
    assert caught.value.cause == "not offered"
    write(tmp_path / "prices", "csi_300_idx.csv", PLAIN)
    match = r"has no file for 'CSI 300'; the nearest names are: csi_300_idx\.csv\. Name the file .*csi300\.csv"
    with pytest.raises(DataUnavailableError, match=match) as caught:
        fetch(tmp_path / "prices")
    assert (caught.value.symbol, caught.value.cause) == ("CSI 300", "not offered")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,instrument\na.csv,CSI 300\n", r"lacks the columns \['file'\]"),
        ("file,instrument,bar_close\ncsi300.csv,CSI 300,3pm\n", r"files.csv line 2: bar_close is '3pm'"),
        ("file,instrument,bar_close\ncsi300.csv,CSI 300,15:00 CST\n", r"zone 'CST', which is no IANA name"),
    ],
)
def test_a_files_csv_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, "csi300.csv", PLAIN)
    write(tmp_path, "files.csv", text)
    with pytest.raises(InstrumentTableError, match=message):
        FilesSource(tmp_path)


def closes_of(folder: Path, market: str, days: list[str], bar_close: str) -> list[str]:
    write(folder, "x.csv", "date,close\n" + "".join(f"{day},100\n" for day in days))
    write(folder, "files.csv", f"file,instrument,bar_close\nx.csv,{market},{bar_close}\n")
    return [f"{close:%H:%M}" for close in fetch(folder, market).close_utc]


def test_a_stated_close_holds_for_all_dates_unless_dated_rows_end_in_it(tmp_path: Path) -> None:
    days = ["2020-10-23", "2020-10-26"]  # both in New York's summer time, settlement moved from 16:15 to 16:00
    assert closes_of(tmp_path, "E-mini S&P 500", days, "16:00 America/New_York") == ["20:15", "20:00"]
    assert closes_of(tmp_path, "E-mini S&P 500", days, "16:15 America/New_York") == ["20:15", "20:15"]
    assert closes_of(tmp_path, "E-mini S&P 500", days, "") == ["20:15", "20:00"]
    assert closes_of(tmp_path, "Nikkei 225", ["2024-11-01", "2024-11-05"], "15:30 Asia/Tokyo") == ["06:00", "06:30"]
    assert closes_of(tmp_path, "USD/CNH", ["2025-06-11"], "23:30 Asia/Shanghai") == ["15:30"]


def test_half_days_keep_their_early_close(tmp_path: Path) -> None:
    days = ["2024-11-27", "2024-11-29"]
    assert closes_of(tmp_path, "S&P 500", days, "16:00 America/New_York") == ["21:00", "18:00"]


def test_a_second_fetch_gives_the_same_object_until_the_file_changes(tmp_path: Path) -> None:
    path = write(tmp_path, "csi300.csv", PLAIN)
    source = FilesSource(tmp_path)
    first = source.fetch(catalogue()["CSI 300"], START, END)
    assert source.fetch(catalogue()["CSI 300"], END, END) is first
    assert fetch(tmp_path) is first
    write(tmp_path, "csi300.csv", PLAIN.replace("3864.18", "3864.99"))
    os.utime(path, (1, 1))
    second = fetch(tmp_path)
    assert second.closes[-1] == 3864.99
    assert second.vintage.sha256 != first.vintage.sha256


def test_the_unfinished_bar_of_a_file_written_during_the_session_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "csi300.csv", PLAIN)
    before_close = pd.Timestamp("2025-06-13 06:30", tz="UTC").timestamp()
    os.utime(path, (before_close, before_close))
    series = fetch(tmp_path)
    assert f"{series.sessions[-1]:%Y-%m-%d}" == "2025-06-12"
    assert series.excluded["reason"].tolist() == ["its close had not passed when it was retrieved"]


def test_a_parquet_file_without_dates_or_with_times_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"close": CLOSES}).to_parquet(tmp_path / "csi300.parquet")
    with pytest.raises(DataUnavailableError, match=r"its columns \['close'\] name no date or no close"):
        fetch(tmp_path)
    hourly = pd.date_range("2025-06-11 09:30", periods=4, freq="h")
    pd.DataFrame({"date": hourly, "close": CLOSES}).to_parquet(tmp_path / "csi300.parquet")
    with pytest.raises(DataUnavailableError, match=r"holds intraday rows .a time of day '09:30'"):
        fetch(tmp_path)


def test_the_reference_folder_loads_whole() -> None:
    folder = reference() / "series"
    source = FilesSource(folder)
    listed = pd.read_csv(folder / "files.csv")
    assert dict(zip(listed["instrument"], listed["file"], strict=True)) == {
        k: p.name for k, p in source.matched.items()
    }
    # Other quotes of USD/CNY have their own clocks and no row in files.csv; the other two hold no prices.
    assert {item.split(": ")[0] for item in source.unmatched} == {
        "manifest.csv", "usmpd_monetary_events.csv", "usdcny_ecb.csv", "usdcny_pboc_fixing.csv",
    }  # fmt: skip
    manifest = pd.read_csv(folder / "manifest.csv").set_index("file")
    for name, path in source.matched.items():
        series = source.fetch(catalogue()[name], START, END)
        assert len(series.sessions) + len(series.excluded) == manifest.loc[path.name, "rows"], name
        assert series.vintage.sha256.startswith(str(manifest.loc[path.name, "sha256"])[:12]), name
    csi300 = source.fetch(catalogue()["CSI 300"], START, END).bars["close"]
    assert (csi300["2025-06-10"], csi300["2025-06-11"]) == (3865.47, 3894.63)


def test_the_reference_hour_file_is_refused_as_intraday(tmp_path: Path) -> None:
    text = (reference() / "series" / "intraday" / "us500_cfd_h1_2025-06-09_13.csv").read_text()
    write(tmp_path, "sp500.csv", text)
    with pytest.raises(DataUnavailableError, match="holds intraday rows"):
        fetch(tmp_path, "S&P 500")


def test_entries_are_frozen(tmp_path: Path) -> None:
    write(tmp_path, "csi300.csv", PLAIN)
    source = FilesSource(tmp_path)
    with pytest.raises(TypeError):
        source.matched["VIX"] = tmp_path  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        fetch(tmp_path).name = "other"  # type: ignore[misc]


def test_a_stated_close_is_that_of_the_instrument_too(tmp_path: Path) -> None:
    (tmp_path / "cny.csv").write_text("date,close\n2025-06-10,7.18\n2025-06-11,7.19\n", encoding="utf-8")
    (tmp_path / "files.csv").write_text("file,instrument,bar_close\ncny.csv,USD/CNY,23:30 Asia/Shanghai\n", "utf-8")
    prices = mr.load_prices(["USD/CNY"], "2025-06-10", "2025-06-11", source="files", folder=tmp_path)
    (rule,) = prices["USD/CNY"].instrument.bar_closes("files")
    assert str(rule) == "23:30 Asia/Shanghai"
