"""The battery of tests: every test by name, where each is valid, and all of them run on a study.

``registry`` lists the tests and ``options`` what a run is asked for; ``frame`` runs them, and loads what they need.
"""

from market_reaction.battery.options import BatteryOptions
from market_reaction.battery.registry import HEADLINE_TESTS, TESTS, TestChoice, chosen_tests

__all__ = ["HEADLINE_TESTS", "TESTS", "BatteryOptions", "TestChoice", "chosen_tests"]
