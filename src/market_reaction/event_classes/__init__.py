"""Several events by class: how markets reacted to each, and whether the classes differ."""

from market_reaction.event_classes.build import by_class
from market_reaction.event_classes.result import ClassStudies

__all__ = ["ClassStudies", "by_class"]
