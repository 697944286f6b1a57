"""Charts as pictures: what is missing is named, and every picture says where it comes from."""

from __future__ import annotations

import json
import struct
import sys
import zlib
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

import market_reaction as mr
from market_reaction.errors import ExportError
from market_reaction.exports import Exportable, Provenance, browser, pictures

BAD = '=HYPERLINK("x")<script>alert(1)</script>'


class Two(Exportable):
    """Two charts, one with a hostile name."""

    __slots__ = ()

    def provenance(self) -> Provenance:
        return Provenance({"title": BAD}, pd.DataFrame({"source": ["files"]}, index=pd.Index(["x"], name="market")))

    def figures(self, *, theme="auto") -> dict[str, go.Figure]:
        bars = go.Figure(go.Bar(y=[1, 2]), go.Layout(height=200, title=BAD.replace("<", "&lt;")))
        return {"bars": bars, f"../{BAD}": go.Figure(bars)}


def chunks(content: bytes) -> dict[bytes, bytes]:
    """Chunks of a PNG by kind; their checksums are checked."""
    found, at = {}, 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        body = content[at + 4 : at + 8 + size]
        assert struct.unpack(">I", content[at + 8 + size : at + 12 + size])[0] == zlib.crc32(body)
        found[body[:4]] = body[4:]
        at += 12 + size
    return found


@pytest.mark.browser
def test_pictures_have_their_size_and_say_where_they_come_from(tmp_path: Path) -> None:
    if browser.find_browser() is None:
        pytest.skip("There is no chromium on the path; install it, for example with apt-get install chromium.")
    paths = Two().save_plots(tmp_path / "new", width=400, scale=2, theme="dark")
    assert [path.suffix for path in paths] == [".png", ".svg"] * 2
    assert all(path.parent == tmp_path / "new" for path in paths)
    png = chunks(paths[0].read_bytes())
    assert struct.unpack(">II", png[b"IHDR"][:8]) == (800, 400)
    about = json.loads(png[b"iTXt"].split(b"\x00" * 3)[-1].lstrip(b"\x00"))
    assert about["package"] == f"market_reaction {mr.__version__}"
    svg = paths[1].read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "<metadata>{&quot;package&quot;" in svg
    assert "<script" not in svg
    assert "#161616" in svg or "rgb(22, 22, 22)" in svg
    beside = json.loads((tmp_path / "new" / "provenance.json").read_text(encoding="utf-8"))
    assert beside["charts"] == [path.name for path in paths]
    assert beside["parameters"]["title"] == BAD


def test_what_is_missing_for_pictures_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pictures, "find_browser", lambda: None)
    with pytest.raises(ExportError, match=r"no browser was found, and kaleido draws with one. Install Chromium"):
        Two().save_plots(tmp_path / "x")
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(ExportError, match=r"kaleido is not installed.*market-reaction\[export\].*python-kaleido"):
        Two().save_plots(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"formats": ("png", "bmp")}, r"formats=\['png', 'bmp'\] is not known; choose some of png, svg, pdf"),
        ({"formats": ()}, r"formats=\[\] is not known"),
        ({"theme": "auto"}, "theme='auto' is not known for pictures; choose one of light, dark"),
    ],
)
def test_unknown_choices_are_refused(options, said, tmp_path) -> None:
    with pytest.raises(ExportError, match=said):
        Two().save_plots(tmp_path, **options)


def test_a_result_without_charts_says_so(tmp_path) -> None:
    class Bare(Two):
        __slots__ = ()

        def figures(self, *, theme="auto") -> dict[str, go.Figure]:
            return {}

    with pytest.raises(ExportError, match="Bare has no charts"):
        Bare().save_plots(tmp_path)


def test_a_picture_that_kaleido_leaves_out_is_named(tmp_path, monkeypatch) -> None:
    import plotly.io as pio

    monkeypatch.setattr(pictures, "find_browser", lambda: "/bin/true")
    monkeypatch.setattr(pio, "write_images", lambda figures, drafts, **sizes: drafts[0].write_bytes(b"x"))
    with pytest.raises(ExportError, match=r"kaleido left out .*script"):
        Two().save_plots(tmp_path, formats="png")
    assert list(tmp_path.iterdir()) == []


def test_every_chart_of_a_result_has_a_name() -> None:
    found = mr.react("2025-06-10-jt", markets=["CSI 300", "VIX"], source="bundled")
    names = ["reactions", "clock", "car CSI 300", "placebo CSI 300", "car VIX", "placebo VIX"]
    assert list(found.figures()) == names
    assert all(isinstance(figure, go.Figure) for figure in found.figures(theme="dark").values())
    assert list(found.study.figures()) == ["car CSI 300", "car VIX"]
