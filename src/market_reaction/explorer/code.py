"""The same question as a cell of a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from market_reaction.errors import MarketReactionError
from market_reaction.explorer.question import Question
from market_reaction.instruments import Instrument, find_instrument
from market_reaction.windows import EventWindows

_WIDTH = 100


def code_of(question: Question) -> str:
    """Code that gives the result of a question.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    str
        A cell that ends with the result.

    Raises
    ------
    MarketReactionError
        The question cannot be read, as ``Question.arguments`` says.
    """
    lines = []
    for name, value in question.arguments().items():
        text = _value(value)
        lines.append(f"    {text}," if name == "announcement" else f"    {name}={text},")
    return "\n".join(["import market_reaction as mr", "", "result = mr.react(", *lines, ")", "result"])


def _value(value: object) -> str:
    """Source text of an argument."""
    if isinstance(value, EventWindows):
        return f"mr.EventWindows(estimation={value.estimation!r}, event={value.event!r})"
    if isinstance(value, Instrument):
        return _market(value)
    if isinstance(value, list):
        return _list([_value(item) for item in value])
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """Literal in double quotes where it needs no escape, as the notebooks write it."""
    plain = text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"' if plain else ascii(text)


def _list(items: Sequence[str]) -> str:
    """Items on one line, or on as many as they need."""
    line = f"[{', '.join(items)}]"
    if len(line) <= _WIDTH - 20:
        return line
    lines, row = [], ""
    for item in items:
        if row and len(row) + len(item) + 2 > _WIDTH - 8:
            lines.append(f"        {row}")
            row = ""
        row += f"{' ' if row else ''}{item},"
    return "\n".join(["[", *lines, f"        {row}", "    ]"])


def _market(instrument: Instrument) -> str:
    """Shortest text that finds this instrument again: its name, its Yahoo ticker, or all it is made of."""
    for text in (instrument.name, f"yahoo:{instrument.yahoo}"):
        try:
            if find_instrument(text) == instrument:
                return _quoted(text)
        except MarketReactionError:
            continue
    return f"mr.{instrument!r}"
