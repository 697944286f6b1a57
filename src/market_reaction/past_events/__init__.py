"""What markets did after earlier announcements of the same kind."""

from market_reaction.past_events.build import analogues
from market_reaction.past_events.result import Analogues

__all__ = ["Analogues", "analogues"]
