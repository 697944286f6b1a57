"""``python -m market_reaction.cli``."""

from market_reaction.cli import main

main()
