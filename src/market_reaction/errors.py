"""What can go wrong, as a small tree of exceptions and warnings.

::

    MarketReactionError
    |- UnknownInstrumentError   a market name or symbol that is in no table
    |- InstrumentTableError     a row of an instrument or bar-close table that cannot be used
    |- AnnouncementTimeError    a time stamp without a zone, or one that cannot be read (also ValueError)
    |- EventTableError          a row of an event table that cannot be used (also ValueError)
    |- DataUnavailableError     no source could give the series (``symbol``, ``cause``, ``retryable``)
    |- SnapshotError            a stored snapshot that does not match its checksum
    |- ExportError              a file of a result that cannot be made: no browser, another ending, a chart missing
    |- ScaleError               a panel on disk or a folder of results at scale that cannot be used as asked
    `- WindowError              windows that overlap, or reach beyond the series (also ValueError)
       `- EstimationError       a normal-return model that cannot be fitted on the estimation window

Every message names the thing and its value, says what is wrong with it, gives the bound, and ends with the next step.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MarketReactionError(Exception):
    """Base of every error this package raises on purpose."""


class UnknownInstrumentError(MarketReactionError):
    """A market that is neither in the catalogue nor written as ``yahoo:SYMBOL``."""


class InstrumentTableError(MarketReactionError, ValueError):
    """A row of an instrument or bar-close table breaks a rule; the message names file, row and column."""


class AnnouncementTimeError(MarketReactionError, ValueError):
    """A time stamp has no zone, an ambiguous zone, or cannot be read."""


class EventTableError(MarketReactionError, ValueError):
    """Rows of an event table break a rule; all bad rows are listed at once."""


class WindowError(MarketReactionError, ValueError):
    """Windows overlap, or need sessions that the series does not have."""


class EstimationError(WindowError):
    """The estimation window does not let a normal-return model be fitted: too few, constant or collinear returns."""


class SnapshotError(MarketReactionError):
    """A stored snapshot does not match its checksum or cannot be read."""


class ExportError(MarketReactionError):
    """A report, table or picture cannot be made: a program is missing, the file has another ending, a chart is lost."""


class ScaleError(MarketReactionError):
    """A panel on disk, or a folder of results at scale, is damaged, missing, or made with other options."""


class DataUnavailableError(MarketReactionError):
    """No rows could be had for a symbol.

    Attributes
    ----------
    symbol : str
        What was asked for.
    cause : str
        A short word for the reason: ``"no network"``, ``"rate limit"``, ``"no rows"``, ``"malformed answer"``,
        ``"timeout"``, ``"not offered"``, ``"too short"``, ``"misdated"`` or ``"server error"``.
    retryable : bool
        Whether asking again later may help.
    """

    def __init__(self, message: str, *, symbol: str, cause: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.symbol = symbol
        self.cause = cause
        self.retryable = retryable


class MarketReactionWarning(UserWarning):
    """Base of the warnings of this package."""


class AmbiguousSessionWarning(MarketReactionWarning):
    """The bounds of an announcement straddle a close: two sessions are possible."""


class DataQualityWarning(MarketReactionWarning):
    """A row inside a window in use breaks a quality rule."""


class OverlappingEventsWarning(MarketReactionWarning):
    """Two events share sessions of one instrument."""


def did_you_mean(word: str, choices: Iterable[str], count: int = 3) -> str:
    """Give ``"Did you mean 'x' or 'y'? "`` for the nearest choices, or an empty string."""
    by_folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=count, cutoff=0.65)
    if not near:
        return ""
    return "Did you mean " + " or ".join(repr(by_folded[key]) for key in near) + "? "
