"""Question in, answer out: the whole behaviour of the panel without a widget."""

from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from market_reaction.errors import MarketReactionError
from market_reaction.events import load_events
from market_reaction.explorer.code import code_of
from market_reaction.explorer.question import DEFAULT, Question
from market_reaction.instruments import Instrument, find_instruments
from market_reaction.loading import load_prices
from market_reaction.placebo import HISTORY
from market_reaction.reaction import react
from market_reaction.reaction_result import ReactionResult

KEPT = 64  # answers remembered


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What one question gave.

    Attributes
    ----------
    question : Question
        What was asked.
    result : ReactionResult or None
        None where there was an error.
    error : str
        The sentence of the error; empty without one.
    warnings : tuple of str
        Sentences of the warnings, each once.
    code : str
        The question as a cell; empty where it cannot be written.
    """

    question: Question
    result: ReactionResult | None
    error: str = ""
    warnings: tuple[str, ...] = ()
    code: str = ""

    def __repr__(self) -> str:
        """Say what came out."""
        return f"<Answer to {self.question.when!r}: {self.error or self.result!r}>"


def ask(question: Question, *, progress: bool = False) -> Answer:
    """Ask ``react``; an error becomes the sentence it has elsewhere.

    Parameters
    ----------
    question : Question
        What is asked.
    progress : bool
        Show a bar while several symbols are downloaded.

    Returns
    -------
    Answer
        Of whatever happens: no exception is let through.
    """
    code = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            arguments = question.arguments()
            code = code_of(question)
            result, error = react(**arguments, progress=progress), ""
        except MarketReactionError as problem:
            result, error = None, str(problem)
        except Exception as problem:
            result, error = None, fault(problem)
    said = dict.fromkeys(str(item.message) for item in caught if issubclass(item.category, UserWarning))
    return Answer(question, result, error, tuple(said), code)


def fault(problem: Exception) -> str:
    """Sentence for what this package does not raise on purpose.

    Parameters
    ----------
    problem : Exception
        What was raised.
    """
    return (
        f"this question met a fault of the program ({type(problem).__name__}: {problem}). "
        "Run the code below in a cell to see where, and report it with that text."
    )


class Answers:
    """Answers of one panel, those to the same question on the same files given again at once.

    Parameters
    ----------
    kept : int
        How many answers are remembered.

    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._answers: OrderedDict[tuple[Question, int], Answer] = OrderedDict()
        self._loaded: set[Instrument] = set()
        self._different: set[Question] = set()

    @property
    def asked(self) -> int:
        """Number of different questions that were answered with a result."""
        return len(self._different)

    def answer(self, question: Question, *, progress: bool = False) -> Answer:
        """Answer of a question, remembered where it was asked before.

        Parameters
        ----------
        question : Question
            What is asked.
        progress : bool
            Show a bar while several symbols are downloaded.
        """
        key = (question, _stamp(question.folder))
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        self._load(question, progress)
        answer = ask(question, progress=progress)
        if answer.result is None:
            return answer  # asked again, the data may be there
        self._different.add(question)
        self._answers[key] = answer
        while len(self._answers) > self._kept:
            self._answers.popitem(last=False)
        return answer

    def _load(self, question: Question, progress: bool) -> None:
        """Load markets for all of the catalogue at once, so that the next event asks Yahoo for nothing."""
        if question.source not in ("auto", "yahoo"):
            return
        try:
            new = [item for item in find_instruments(question.markets) if item not in self._loaded]
            if new:
                first, last = DEFAULT.span(load_events(), HISTORY)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # react says them again
                    load_prices(new, first, last, source=question.source, progress=progress)
                self._loaded.update(new)
        except MarketReactionError:
            return  # react says why


def _stamp(folder: str | None) -> int:
    """Newest change among the files of a folder, so that an edited file is read again."""
    if folder is None:
        return 0
    try:
        with os.scandir(Path(folder).expanduser()) as found:
            return max((entry.stat().st_mtime_ns for entry in found), default=0)
    except OSError:
        return 0
