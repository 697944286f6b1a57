"""Abnormal returns of many events on many securities at once: arrays in, arrays out; no dates, sources or frames here.

Two kernels give the same numbers. ``gather`` copies the estimation window of every event and suits few events; ``sums``
takes differences of cumulative sums, so that an event costs the same whatever the length of its window. Where
cancellation could spoil such a difference the event is computed by ``gather`` instead.
"""

from __future__ import annotations

from market_reaction.engine.buy_and_hold import BuyAndHold, buy_and_hold_returns
from market_reaction.engine.cross_section import CrossSectionTests, battery
from market_reaction.engine.kernels import KERNELS, abnormal_returns, choose_kernel
from market_reaction.engine.panel import Panel
from market_reaction.engine.results import AbnormalReturns

__all__ = [
    "KERNELS",
    "AbnormalReturns",
    "BuyAndHold",
    "CrossSectionTests",
    "Panel",
    "abnormal_returns",
    "battery",
    "buy_and_hold_returns",
    "choose_kernel",
]
