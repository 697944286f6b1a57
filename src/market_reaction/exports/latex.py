"""LaTeX tables for papers: booktabs, every text escaped, a short finding in the caption, the provenance as notes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import wording
from market_reaction.exports.files import file_name, target_file, write_text

if TYPE_CHECKING:
    from market_reaction.exports import Exportable

_MARKS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\char34{}", "[": "{[}", "]": "{]}", "*": "{*}",
    "−": "$-$", "±": r"$\pm$", "→": r"$\rightarrow$", "≤": r"$\leq$", "≥": r"$\geq$", "×": r"$\times$", "–": "--",
    "—": "---", "…": r"\ldots{}", "’": "'", "“": "``", "”": "''",
    **{letter: rf"$\{name}$" for letter, name in {
        "α": "alpha", "β": "beta", "γ": "gamma", "ν": "nu", "ρ": "rho", "σ": "sigma", "τ": "tau"}.items()},
}  # fmt: skip
_LAST_LATIN = "\u017f"  # pdfLaTeX knows the letters up to here
_LONG = 26  # characters from which a column wraps
_WRAPPED = r">{\raggedright\arraybackslash}p{3.2cm}"
_FITS = 115  # characters of a row above which the table would be scaled below about seven tenths
_LISTED = 20  # items that a note lists one by one
_PAGE = 80  # characters of a row above which it would be scaled at all
_CAPTION = 22  # words of a caption at most, after the name of the table
_NUMBER = re.compile(r"[+−-]?[\d,.]+(%| bp| points)?|n/a|")


def escaped(text: object) -> str:
    """Text that LaTeX prints as it is: no command, no comment, no maths, no column."""
    clean = "".join(mark if mark.isprintable() else " " for mark in str(text))
    quoted = re.sub(r"(?<![^\s(\[])'(?=\S)", "`", clean)  # the mark that opens
    guarded = re.sub("-(?=-)", "-\0", quoted)  # two hyphens are no dash
    return "".join("{}" if mark == "\0" else _MARKS.get(mark, mark) for mark in guarded)


def latex_text(result: Exportable) -> str:
    """LaTeX of the printed tables of a result."""
    tables = list(result.printed().items())
    provenance = result.provenance()
    answer = getattr(result, "answer", None)
    finding = "" if answer is None else str(answer())
    series, facts = provenance.series(), provenance.facts(_LISTED)
    notes = (
        f"Sources: {'; '.join(series) or 'none'}.",
        f"Parameters: {'; '.join(f'{name} {value}' for name, value in facts[1:]) or 'none'}.",
        f"Computed with {provenance.package}.",
    )
    parts = [r"% Needs \usepackage{array,booktabs,graphicx}, and UTF-8 input: the default of LaTeX since 2018."]
    for number, (name, frame) in enumerate(tables):
        short = _short(finding) if number == 0 else ""
        own = (f"Finding: {finding}", *notes) if number == 0 and finding.rstrip(".") != short else notes
        parts.append(_table(f"{name}. {short}." if short else name, file_name(name), frame, own))
    text = "\n\n".join(parts) + "\n"
    foreign = sorted({mark for mark in text if mark > _LAST_LATIN})
    return f"% Needs XeLaTeX or LuaLaTeX and a font with {' '.join(foreign[:20])}.\n{text}" if foreign else text


def _short(finding: str) -> str:
    """First sentence of a finding, or its first clause with a move, without the stop; empty where that is long too."""
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9])", finding, maxsplit=1)[0].rstrip(".")
    if len(sentence.split()) > _CAPTION:
        sentence = re.split(r";(?![^(]*\))", sentence, maxsplit=1)[0]  # not inside parentheses
    return sentence if len(sentence.split()) <= _CAPTION and re.search(r"[%+−]", sentence) else ""


def _table(caption: str, label: str, frame: pd.DataFrame, notes: tuple[str, ...]) -> str:
    """One table environment."""
    frame = _turned(frame)
    kinds = _columns(frame)
    body = [_head(frame, kinds)]
    body += [_line(row) for row in frame.astype(str).itertuples(index=False, name=None)]
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            r"\setlength{\belowcaptionskip}{6pt}",
            rf"\caption{{{escaped(caption)}}}",
            rf"\label{{tab:{label}}}",
            r"\footnotesize",
            r"\setlength{\tabcolsep}{4pt}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}",
            r"\toprule",
            body[0],
            r"\midrule",
            *body[1:],
            r"\bottomrule",
            r"\end{tabular}}",
            "",
            r"\smallskip",
            r"\begin{minipage}{\linewidth}",
            r"\footnotesize\raggedright",
            *(rf"{escaped(note)}\par" for note in notes),
            r"\end{minipage}",
            r"\end{table}",
        ]
    )


def _turned(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with a column for each of its rows, where it is too wide for a page and narrower that way."""
    first = frame.columns[0]
    named = frame[first].is_unique and frame[first].ne("").all()  # a blank stands for the name above it
    if _width(frame) <= _FITS or frame.empty or not named:
        return frame
    turned = frame.set_index(first).T.rename_axis(columns=None).reset_index(names=first)
    return turned if _width(turned) < _width(frame) else frame


def _width(frame: pd.DataFrame) -> int:
    """Characters of a row, long texts wrapped, headings on two lines where that helps."""
    heads = _headings(frame)
    longest = [
        max([*map(len, head), *(min(len(text), _LONG) for text in frame[name].astype(str))])
        for name, head in zip(frame.columns, heads, strict=True)
    ]
    return sum(longest) + 2 * len(longest)


def _headings(frame: pd.DataFrame) -> list[list[str]]:
    """Lines of each heading: two where cells are narrower than it is on one, and the row is wider than a page."""
    names = [wording.clean(name) for name in frame.columns]
    cells = [min(_LONG, int(frame[name].astype(str).str.len().max() or 0)) if len(frame) else 0 for name in frame]
    if sum(map(max, zip(map(len, names), cells, strict=True))) + 2 * len(names) <= _PAGE:
        return [[name] for name in names]
    return [_halves(name) if len(name) > longest + 2 else [name] for name, longest in zip(names, cells, strict=True)]


def _halves(name: str) -> list[str]:
    """A heading on two lines, the longer of them as short as can be; on one where it is one word."""
    words = name.split(" ")
    breaks = [[" ".join(words[:at]), " ".join(words[at:])] for at in range(1, len(words))]
    return min(breaks, key=lambda lines: max(map(len, lines)), default=[name])


def _head(frame: pd.DataFrame, kinds: list[str]) -> str:
    """The row of headings, those on two lines set to the side of their column."""
    parts = []
    for lines, kind in zip(_headings(frame), kinds, strict=True):
        text = r"\\".join(map(escaped, lines))
        parts.append(rf"\shortstack[{'r' if kind == 'r' else 'l'}]{{{text}}}" if len(lines) > 1 else text)
    return " & ".join(parts) + r" \\"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def _columns(frame: pd.DataFrame) -> list[str]:
    """Numbers to the right, text to the left, long text in a column that wraps."""
    kinds = []
    for name in frame.columns:
        texts = frame[name].astype(str)
        if texts.map(lambda text: _NUMBER.fullmatch(text) is not None).all():
            kinds.append("r")
        else:
            kinds.append(_WRAPPED if texts.str.len().max() > _LONG else "l")
    return kinds


def write_latex(text: str, path: str | Path) -> Path:
    """Write LaTeX to a file ending in ``.tex``."""
    return write_text(target_file(path, (".tex",), "LaTeX file"), text)
