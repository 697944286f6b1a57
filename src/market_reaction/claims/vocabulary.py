"""Words of the sentence patterns: verbs and nouns of direction, and words that carry no claim."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


UP = _words(
    """rose rise rises rising gained gain gains won added climbed climb jumped jump advanced advance advances surged
    surge soared rallied rally rebounded rebound increased increase leapt spiked up higher strengthened appreciated
    firmed"""
)
DOWN = _words(
    """fell fall falls falling dropped drop lost loses lose loss losses slid slide slides slipped declined decline
    declines decreased decrease sank tumbled tumble plunged plunge slumped slump retreated retreat eased dipped dip
    shed weakened depreciated softened down lower crashed crash plummeted dived sell-off selloff"""
)
# Nouns that a market may be called by after its name.
SUBJECT_WORDS = frozenset(
    _words("index indexes benchmark shares stocks stock gauge currency pair contract prices price")
)
FILLERS = SUBJECT_WORDS | frozenset(
    _words(
        """a an the and but while whereas as it its it's their they on at of to by for with into in was were is are had
        has have been be that which who also then there too both respectively meanwhile however still again when
        blue-chip equities rate market markets trading trade traded closed close closing ended ending end finished
        finish settled settling opened went moved edged inched ticked posted posting recorded recording marked marking
        registered registering made making saw seeing remained remains remain stayed stays stay held hold holding kept
        turned day day's session news announcement china's chinese us america's american japan's japanese mainland hong
        kong's europe's percent today move one or so"""
    )
)
