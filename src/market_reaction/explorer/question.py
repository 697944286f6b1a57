"""What is asked in the panel, as typed and as arguments of ``react``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from market_reaction.errors import AnnouncementTimeError, UnknownInstrumentError, WindowError
from market_reaction.instruments import Instrument
from market_reaction.loading import SourceName
from market_reaction.normal_models import NORMAL_MODELS, NormalModel
from market_reaction.windows import EventWindows

DEFAULT = EventWindows()
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def windows_text(windows: Sequence[tuple[int, int]]) -> str:
    """Windows as they are typed: ``"0:1, 0:5"``."""
    return ", ".join(f"{first}:{last}" for first, last in windows)


@dataclass(frozen=True, slots=True)
class Question:
    """One question to ``react``.

    Attributes
    ----------
    when : str
        A time with its zone, a bare date, or an id of the catalogue, as typed.
    markets : tuple of str or Instrument
        Markets ticked, in order.
    windows : str
        Event windows as typed, such as ``"0:1, 0:5"``.
    estimation : tuple of int
        First and last session of the estimation window.
    normal_model : str
        A name of ``NORMAL_MODELS``.
    benchmark : str or None
        Benchmark of the models that take one; each market's own when None.
    others : tuple of str
        Factors or donors of the models that take some.
    selected_because_it_moved : bool
        Whether the date was chosen because the market moved.
    source, folder : str and str or None
        Where prices come from.
    """

    when: str
    markets: tuple[str | Instrument, ...]
    windows: str = windows_text(DEFAULT.event)
    estimation: tuple[int, int] = DEFAULT.estimation
    normal_model: NormalModel = "constant_mean"
    benchmark: str | None = None
    others: tuple[str, ...] = ()
    selected_because_it_moved: bool = False
    source: SourceName = "auto"
    folder: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of ``react`` that ask this question; those at their default are left out.

        Raises
        ------
        MarketReactionError
            Nothing was given for the time, no market is ticked, or windows that cannot be read.
        """
        text = " ".join(self.when.split())
        if not text:
            raise AnnouncementTimeError(
                "no announcement is chosen; pick one of the list, or type a time with its zone, such as "
                "'2025-06-10 22:50 UTC', or a date."
            )
        if not self.markets:
            raise UnknownInstrumentError("no market is ticked; tick at least one.")
        asked: dict[str, Any] = {"date" if _DATE.fullmatch(text) else "announcement": text}
        asked["markets"] = list(self.markets)
        windows = self._windows()
        if windows.estimation != DEFAULT.estimation:
            asked["windows"] = windows
        elif windows != DEFAULT:
            asked["windows"] = list(windows.event)
        return asked | self._model_arguments() | self._rest()

    def _windows(self) -> EventWindows:
        if not self.windows.strip():
            raise WindowError("no event window is given; type at least one, such as 0:1.")
        return EventWindows.parse(self.windows, estimation=self.estimation)

    def _model_arguments(self) -> dict[str, Any]:
        """Model with the regressors it takes; those chosen for another model are left out."""
        asked: dict[str, Any] = {} if self.normal_model == "constant_mean" else {"normal_model": self.normal_model}
        takes = NORMAL_MODELS[self.normal_model].regressors
        if takes in ("factors", "donors"):
            asked[takes] = list(self.others)
        elif takes != "none" and self.benchmark:
            asked["benchmark"] = self.benchmark
        return asked

    def _rest(self) -> dict[str, Any]:
        asked: dict[str, Any] = {}
        if self.selected_because_it_moved:
            asked["selected_because_it_moved"] = True
        if self.source != "auto":
            asked["source"] = self.source
        if self.folder is not None:
            asked["folder"] = self.folder
        return asked
