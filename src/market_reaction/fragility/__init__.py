"""Does the answer depend on my choices? One announcement under every defensible specification, with its own placebo."""

from market_reaction.fragility.build import specification_curve
from market_reaction.fragility.grid import Grid
from market_reaction.fragility.result import SpecificationCurve

__all__ = ["Grid", "SpecificationCurve", "specification_curve"]
