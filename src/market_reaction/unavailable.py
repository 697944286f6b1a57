"""What stands in place of a result whose series are missing, so that a notebook says so and goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import ParamSpec, TypeVar

from market_reaction import wording
from market_reaction.errors import DataUnavailableError, UnknownInstrumentError

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, repr=False)
class NotAvailable:
    """In place of a result that cannot be had.

    Attributes
    ----------
    reason : str
        Which series is missing and what would bring it.
    """

    reason: str

    def answer(self, width: int | None = None) -> str:
        """Say what is missing, on lines of ``width`` characters if given."""
        text = f"Not available: {wording.clean(self.reason)}"
        return wording.filled(text, width)

    def plot(self, **_: object) -> NotAvailable:
        """A short line in place of a chart: what is missing, without the reason, which stands where the result is."""
        return NotAvailable(f"a chart, as {self.reason.partition(': ')[0].rstrip('.')}.")

    def __repr__(self) -> str:
        """Say what is missing."""
        return f"<{self.answer()}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer())}</p>"


def if_available(call: Callable[Given, Result], *args: Given.args, **options: Given.kwargs) -> Result | NotAvailable:
    """Result of a call, or what is missing where a series cannot be had.

    Parameters
    ----------
    call : callable
        What to call, such as ``mr.lead_lag``.
    *args, **options
        Its arguments.

    Returns
    -------
    object or NotAvailable
        What the call gives. A ``NotAvailable`` where a market is not among the loaded ones or a source does not have
        it; every other error is raised.

    Examples
    --------
    >>> import market_reaction as mr
    >>> events = mr.load_events().loc[["2019-05-05-us", "2019-08-01-us"]]
    >>> prices = mr.load_prices(["CSI 300", "USD/CNH"], events=events, source="bundled")
    >>> study = mr.event_study(prices, events)
    >>> missing = mr.if_available(mr.good_and_bad_news, study, "USD/CNH")
    >>> print(missing.answer(width=88))
    Not available: 'USD/CNH' was asked for and could not be had: no bundled series. Rerun
    with a network, or with source='files' and a folder that holds it.
    >>> missing.plot()
    <Not available: a chart, as 'USD/CNH' was asked for and could not be had.>
    """
    try:
        return call(*args, **options)
    except (DataUnavailableError, UnknownInstrumentError) as error:
        return NotAvailable(str(error))
