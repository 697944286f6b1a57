"""Results outside the notebook: Excel, LaTeX, Parquet, pictures, each with where its figures come from.

A result inherits ``Exportable`` and names its ``tables()`` and its ``provenance()``. Every form is in a module of its
own: ``workbook``, ``latex``, ``parquet``, ``pictures``, ``pdf``, ``json_form``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the figures of a result come from.

    Attributes
    ----------
    parameters : mapping of str to object
        What was asked for, by the name of the argument.
    vintage : pandas.DataFrame
        One row a series: source, symbol, retrieval, first and last session, checksum; as ``PriceData.vintage``.
    """

    parameters: Mapping[str, object]
    vintage: pd.DataFrame

    @property
    def package(self) -> str:
        """Name and version of this package."""
        return f"market_reaction {version('market-reaction')}"

    def facts(self, most: int | None = None) -> list[tuple[str, str]]:
        """Package and parameters as pairs of name and text, in order, without those that were left out.

        Parameters
        ----------
        most : int, optional
            Longer lists are told by their length, first and last item; all items are told when left out.
        """
        from market_reaction.exports.plain import said

        given = {str(name): value for name, value in self.parameters.items()}
        if "returns" in given:
            given["returns"] = given["returns"] or "of each market"
        told = {
            name: value
            for name, value in given.items()
            if value is not None and not (isinstance(value, (Mapping, list, tuple)) and not value)
        }
        for name, value in told.items():
            if most is not None and isinstance(value, (list, tuple)) and len(value) > most:
                told[name] = f"{len(value)} ({said(value[0])} to {said(value[-1])})"
        return [("package", self.package), *((name, said(value)) for name, value in told.items())]

    def series(self) -> list[str]:
        """One sentence a series: market, source and symbol, span, retrieval, start of the checksum."""
        from market_reaction.exports.plain import vintage_sentence

        return [vintage_sentence(row) for row in self.vintage.reset_index().to_dict("records")]

    def to_dict(self) -> dict[str, Any]:
        """Package, parameters and vintage as JSON can hold them: texts, numbers, ISO dates and nulls."""
        from market_reaction.exports.plain import as_json

        rows = self.vintage.reset_index().to_dict("records")
        return {
            "package": self.package,
            "parameters": {str(name): as_json(value) for name, value in self.parameters.items()},
            "vintage": [{str(name): as_json(value) for name, value in row.items()} for row in rows],
        }


class Exportable:
    """What every result can do once it names its tables and its provenance."""

    __slots__ = ()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        raise NotImplementedError

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        raise NotImplementedError

    def printed(self) -> dict[str, pd.DataFrame]:
        """Tables as they stand in a paper, by caption: rounded text with units; the main table when not overridden."""
        from market_reaction.exports.plain import rounded

        name, frame = next(iter(self.tables().items()))
        return {name: rounded(frame)}

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Charts of the result by name; the one that ``plot`` draws when not overridden, none without it.

        Parameters
        ----------
        theme : {"auto", "light", "dark"}
            Ink of the charts.
        """
        plot = getattr(self, "plot", None)
        return {} if plot is None else {"chart": plot(theme=theme)}

    def to_excel(self, path: str | Path) -> Path:
        """Write every table to a sheet of its own, and a sheet "About" with source, vintage, parameters and version.

        Parameters
        ----------
        path : str or Path
            File to write, ending in ``.xlsx``; its folder is made, and a file that is there is replaced only when the
            new one is whole.

        Returns
        -------
        pathlib.Path
            Absolute path of the file.

        Raises
        ------
        ExportError
            openpyxl is not installed, another ending, or a table of more rows than a sheet holds.
        IsADirectoryError
            ``path`` is a folder.

        Notes
        -----
        Numbers are unrounded; the format of a cell shows moves in the unit of its row. No text is ever a formula.
        Times are UTC. Missing values are blank, infinite ones are the text ``inf``.
        """
        from market_reaction.exports.workbook import write_workbook

        return write_workbook(self, path)

    def to_latex(self, path: str | Path | None = None) -> str:
        r"""Tables for a paper: ``booktabs``, caption with a short finding, notes with source, vintage and parameters.

        Parameters
        ----------
        path : str or Path, optional
            File to write as well.

        Returns
        -------
        str
            One ``table`` environment for each table of ``printed()``; the document needs array, booktabs
            and graphicx. In a table wider than a page long headings take two lines; one still too wide is turned, with
            a column for each row, where that is narrower.
        """
        from market_reaction.exports.latex import latex_text, write_latex

        text = latex_text(self)
        if path is not None:
            write_latex(text, path)
        return text

    def to_parquet(self, path: str | Path) -> list[Path]:
        """Write every table to a Parquet file that carries the provenance in the metadata of its schema.

        Parameters
        ----------
        path : str or Path
            A folder, which is made; or a name ending in ``.parquet`` for the main table, the others beside it with
            their own name appended.

        Returns
        -------
        list of pathlib.Path
            Absolute paths of the files, the main table first. ``pandas.read_parquet`` gives the table back;
            ``market_reaction.exports.parquet.read_provenance`` the rest.
        """
        from market_reaction.exports.parquet import write_parquet

        return write_parquet(self, path)

    def save_plots(
        self,
        folder: str | Path,
        *,
        formats: Sequence[str] = ("png", "svg"),
        width: int = 660,
        scale: float = 2.0,
        theme: Literal["light", "dark"] = "light",
    ) -> list[Path]:
        """Save every chart as pictures, on a light or a dark ground.

        Parameters
        ----------
        folder : str or Path
            Folder to write to; it is made.
        formats : sequence of str
            Of ``png``, ``svg``, ``pdf``, ``jpg`` and ``webp``.
        width : int
            Width in pixels.
        scale : float
            Physical pixels of a PNG, JPEG or WebP for each of these.
        theme : {"light", "dark"}
            Ground and ink.

        Returns
        -------
        list of pathlib.Path
            Absolute paths. PNG and SVG carry the provenance inside; ``provenance.json`` beside them has it for all.

        Raises
        ------
        ExportError
            kaleido or a browser is missing, an unknown format, or a result without charts.
        """
        from market_reaction.exports.pictures import save_pictures

        return save_pictures(self, folder, formats=formats, width=width, scale=scale, theme=theme)


class Reportable(Exportable):
    """A result that has a report of its own as well."""

    __slots__ = ()

    def report(self, path: str | Path) -> Path:
        """Write a report with every chart and table: one HTML file that needs no other, or PDF, and say where it is.

        Parameters
        ----------
        path : str or Path
            File ending in ``.html``, or in ``.pdf``, which Chromium or Chrome prints.

        Raises
        ------
        ExportError
            No browser for PDF, another ending, or a chart that is not in the report.
        """
        from market_reaction.report import write_report

        return write_report(self, path)
