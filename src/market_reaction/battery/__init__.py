"""The battery of tests: every test by name, where each is valid, and all of them run on a study."""

from market_reaction.battery.frame import study_tests, which_test
from market_reaction.battery.options import BatteryOptions
from market_reaction.battery.registry import HEADLINE_TESTS, TESTS, TestChoice, chosen_tests

__all__ = ["HEADLINE_TESTS", "TESTS", "BatteryOptions", "TestChoice", "chosen_tests", "study_tests", "which_test"]
