"""The command line, ``market-reaction``: results go to stdout, everything said about them to stderr.

One module for each group of commands; the order of the imports below is the order of the help. Modules that load pandas
are imported inside the commands, so that help and mistakes are answered at once.
"""

from market_reaction.cli import react, report, claims, events, data, notebooks, gallery  # noqa: F401, I001
from market_reaction.cli.app import main

__all__ = ["main"]
