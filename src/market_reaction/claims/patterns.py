"""The table of sentence patterns: verbs, records, figures, and what makes a clause one that cannot be judged.

Every pattern is a regular expression over a clause whose spelling was made uniform by ``uniform``. No language model:
what no pattern covers is reported as not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Verbs and nouns that speak of the size of a move, and those that speak of its direction only.
STRONG_UP = _words(
    """jumped jump jumps jumping surged surge surges surging soared soar soars soaring rallied rally rallies rallying
    leapt leaped leaps spiked spike spikes rocketed rockets skyrocketed skyrockets vaulted zoomed"""
)
STRONG_DOWN = _words(
    """tumbled tumble tumbles tumbling plunged plunge plunges plunging slumped slump slumps slumping sank sink sinks
    sunk crashed crash crashes crashing plummeted plummet plummets plummeting dived dives nosedived nosedives collapsed
    collapse collapses collapsing cratered tanked tanks sell-off selloff"""
)
STRONG = frozenset((*STRONG_UP, *STRONG_DOWN))
UP = STRONG_UP + _words(
    """rose rise rises rising risen gained gain gains gaining won win wins added adds climbed climb climbs climbing
    advanced advance advances advancing rebounded rebound rebounds increased increase increases up higher strengthened
    strengthens appreciated appreciates firmed firms firmer stronger"""
)
DOWN = STRONG_DOWN + _words(
    """fell fall falls falling fallen dropped drop drops dropping lost lose loses losing loss losses slid slide slides
    sliding slipped slip slips slipping declined decline declines declining decreased decrease decreases retreated
    retreat retreats eased eases dipped dip dips shed sheds weakened weakens depreciated depreciates softened softens
    softer weaker down lower"""
)
# Nouns that a market may be called by after its name.
SUBJECT_WORDS = frozenset(
    _words("index indexes benchmark shares stocks stock gauge currency pair contract prices price")
)
# Words that carry no claim.
FILLERS = SUBJECT_WORDS | frozenset(
    _words(
        """a an the and but while whereas as it its it's their they on at of to by for with into in was were is are had
        has have been be that which who also then there too both respectively meanwhile however still again when
        blue-chip equities rate market markets trading trade traded closed close closing ended ending end finished
        finish settled settling went moved edged inched ticked posted posting recorded recording marked marking hit
        hitting reached reaching notched notching registered registering made making saw seeing remained remains remain
        stayed stays stay held hold holding kept turned day day's session news announcement china's chinese us america's
        american japan's japanese mainland hong kong's europe's percent today move one or so"""
    )
)
NUMBER_WORDS = {
    "a": "1", "an": "1", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "twelve": "12",
}  # fmt: skip
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT_MONTHS = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
_MONTH = rf"(?:{'|'.join(MONTHS)}|{_SHORT_MONTHS})\.?"
_NUMBER = "|".join(NUMBER_WORDS)
_COUNT = rf"(?:\d+|{_NUMBER})"


class Row(NamedTuple):
    """One pattern: what it stands for, and the expression."""

    meaning: str
    expression: re.Pattern[str]


def _row(meaning: str, expression: str) -> Row:
    return Row(meaning, re.compile(expression, re.IGNORECASE))


_DATE = (
    rf"(?P<iso>\d{{4}}-\d{{2}}(?:-\d{{2}})?)|(?P<day>\d{{1,2}}) (?P<month>{_MONTH})(?:,? (?P<year>\d{{4}}))?"
    rf"|(?P<month2>{_MONTH})(?: (?P<day2>\d{{1,2}})(?!\d))?(?:,? (?P<year2>\d{{4}}))?|(?P<year3>(?:19|20)\d{{2}})"
)
_PERIOD = (
    r"(?:in|for) (?P<how>almost |nearly |more than |over |at least |about )?(?:the (?:last|past) )?"
    rf"(?P<count>{_COUNT} |several |many )?(?:trading )?(?P<word>day|session|week|month|quarter|year)(?P<several>s?)"
    rf"|since (?P<since>{_DATE})|(?:of|so far|this) (?:the |this )?(?P<this>year)(?: so far)?|(?P<ever>on record|ever)"
)
_NOUN = (
    r"(?P<noun>day|session|performance|showing|move|gain|rise|rally|jump|advance|increase|rebound|surge|climb|fall|drop|"
    r"decline|loss|slide|slump|plunge|decrease|sell-?off|tumble|retreat|dip)s?"
)

# A record: "its best day in weeks", "the biggest one-day fall since March 2020", "highest close this year".
RECORDS = (
    _row(
        "level", rf"(?P<rank>highest|lowest|strongest|weakest)(?: (?:close|level|closing level|finish))? (?:{_PERIOD})"
    ),
    _row(
        "move",
        r"(?P<rank>best|strongest|worst|weakest|biggest|largest|sharpest|steepest|greatest|most) "
        rf"(?:(?:one-day|single-day|one day|daily|trading|percentage) )*(?:{_NOUN} )?(?:{_PERIOD})",
    ),
    _row(
        "level",
        rf"(?<!near )(?<!near a )(?P<count>{_COUNT}|multi)-(?P<word>day|session|week|month|year) (?P<rank>high|low)"
        r"(?: close)?",
    ),
    _row("record", r"(?:a |an )?(?:record|all-time) (?P<rank>high|low)(?: close)?"),
)
# Where the move ends, if not at the close.
MEASURES = (
    _row("high", r"\bat (?:its|the|their) (?:intraday |session |day's )?(?:high|peak)\b"),
    _row("low", r"\bat (?:its|the|their) (?:intraday |session |day's )?(?:low|lows|trough)\b"),
    _row("extreme", r"\b(?:as much as|up to|at one point)\b"),
    _row(
        "intraday",
        r"\b(?:intraday|midday|at noon|by noon|open(?:ed|s|ing)?|at the open|touched|pre-?open|pre-?market|"
        r"after[- ]hours|overnight"
        r"|in (?:early|late|morning|afternoon|evening|Asian|European|US) (?:trade|trading|deals|dealings)"
        r"|(?:early|late)(?: in the (?:day|session))?|in the (?:morning|afternoon|evening)|by (?:the )?lunch(?:time)?"
        r"|(?:around |by |at )?(?:\d{1,2}:\d{2}(?: ?(?:am|pm|ET|GMT|UTC|CET))?|\d{1,2} ?(?:am|pm)))\b",
    ),
)
_HOW = {
    "almost": "almost|nearly|close to|just under|just below|just shy of|not quite",
    "more than": "more than|over|above|in excess of|just over|exceeding",
    "at least": "at least|no less than",
    "less than": "less than|under|below",
    "at most": "at most|no more than|within",
    "about": "about|around|roughly|some|approximately|circa",
    "exactly": "exactly|precisely|by",
}
HOW = {words: kind for kind, listed in reversed(_HOW.items()) for words in listed.split("|")}
_HOWS = "|".join(sorted(HOW, key=len, reverse=True))
FIGURE = _row(
    "figure",
    rf"(?:\b(?P<by>by )?(?P<how>{_HOWS}) )?(?<![\d.,%/–-])(?P<sign>[+\-−]?)"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)"
    r"(?P<unit> ?%| ?(?:bps?|basis points?)\b| ?percentage points?\b| ?(?:points?|pts)\b)",
)
LEVEL = _row(
    "level",
    r"(?<!close )(?<!up )\b(?:to|at) (?:(?P<yield>\d+(?:\.\d+)?)%|"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d{3,})"
    r"(?! ?(?:%|bp|basis|percentage|am\b|pm\b|GMT|UTC|[:\d]|[.,]\d))(?: points)?)",
)
# "rose above 45", "weaker than 7.30", "below $60 a barrel"; not "above 4 million" or "above 200-day averages".
SIDE = _row(
    "side",
    r"(?:\b(?:just|well|back) )?\b(?P<side>above|below|(?:weaker|stronger|higher|lower) than|past|beyond|through|"
    r"topped|surpassed|exceeded) (?:the )?(?:psychological(?:ly important)? )?[$€£]?"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?: ?(?:points?|dollars|mark|level|threshold))*"
    r"(?:(?: an? | per |/)(?:barrel|ounce|bushel))?"
    r"(?= *(?:$|[\0);,]|(?:on|at|and|for|in|by|as|to|with|but|again|today)\b))",
)
STABLE = _row(
    "stable",
    r"\b(?:stable|steady|steadily|little[- ]changed|unchanged|flat|barely (?:moved|changed|budged|reacted)"
    r"|hardly (?:moved|changed|budged|reacted)|(?:did not|didn't) (?:move|react|budge)|(?:no|without|showed no) "
    r"(?:reaction|change)|calm|muted|shrugged (?:it )?off)\b",
)
DIRECTIONS = (_row("up", rf"\b(?:{'|'.join(UP)})\b"), _row("down", rf"\b(?:{'|'.join(DOWN)})\b"))
ON = _row(
    "on",
    rf"\b(?:on )?(?P<weekday>{'|'.join(WEEKDAYS)})\b|(?<!since )(?<!from )(?<!to )\b(?:on )?"
    rf"(?:(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})|(?P<day>\d{{1,2}}) "
    rf"(?P<month>{_MONTH})|(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}})\b)(?:,? (?P<year>\d{{4}}))?",
)
# The quote is against the dollar anyway.
AGAINST_DOLLAR = _row(
    "against", r"(?:\b(?:against|versus|vs\.?|to|per)|(?<=\d )a) (?:the )?(?:US )?(?:dollar|greenback)\b(?! index)"
)
ASIDE = _row("aside", r"\b(?:after|following|before|despite|ahead of|amid|because|compared with|versus|from|when)\b.*$")
A_RANGE = "it gives a range of figures"
A_DISTANCE = "it gives a distance to a level, not a move"
# A clause with one of these says something else than that the market moved.
REFUSED = (
    _row("it is denied or only possible",
         r"\b(?:not?|n't|never|without|failed|neither|nor|hardly|barely|anything but|could|(?-i:may)|might|would|"
         r"will|should|expected|forecast|likely|poised|set to|if|unless|whether|"
         r"to (?:rise|fall|gain|drop|climb|jump|slide))\b|n't\b"),
    _row("a move is taken back",
         r"\b(?:pared|paring|trimmed|erased|reversed|recouped|gave up|wiped out|narrowed|limited|capped)\b"),
    _row("it speaks of another window than a day or a number of sessions",
         r"\b(?:this|last|past|previous|over the|on the|for the|in the|a|per) (?:\w+ )?(?:week|month|quarter|year)\b"
         r"|\b(?:weekly|monthly|quarterly|annual(?:ly)?|year[- ]to[- ]date|so far|yesterday|tomorrow|straight|"
         rf"consecutive|since|(?:in|during|over) (?:{_MONTH}|(?:19|20)\d{{2}})|"
         rf"{_COUNT}-(?:week|month|year)(?! [Tyb]))\b"),
    _row("it speaks of several sessions; give a Claim with window=(0, 1) or the like",
         rf"\b(?:over|in|within) (?:the )?(?:last |past )?{_COUNT} (?:trading )?(?:days|sessions)\b"
         rf"|\b(?!1-|one-)(?:{_COUNT})-(?:day|session)\b"),
    _row(A_DISTANCE, r"\bwithin [\d.]+ ?% of\b|% (?:below|above|short|off|away|from)\b"),
    _row("it compares two markets", r"\b(?:outperform\w*|underperform\w*|lagged|outpaced|beat|than)\b"),
    _row(A_RANGE, r"\d ?%? ?(?:–|-|to) ?[+\-−]?\d[\d.,]* ?%|\bbetween [\d.,]+ ?%? and [\d.,]+ ?%"),
)  # fmt: skip


def _spelt(found: re.Match[str]) -> str:
    return f"{NUMBER_WORDS[found[1].casefold()]}%"


def _and_a_half(found: re.Match[str]) -> str:
    return f"{NUMBER_WORDS.get(found[1].casefold(), found[1])}.5%"


_SPELLING: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"[\u2018\u2019]", "'"), (r"[\u201c\u201d\"]", ""), (r"[\u00a0\u202f\t\n\r]+", " "), (r"\bU\.S\.(?:A\.)?", "US"),
    (r"(?:(?<=\d)|(?<=\d ))-?(?:per ?cent|percent|pct)\b", "%"), (r"(?<=\d) %", "%"),
    (rf"\b({_NUMBER}|\d+) and a half (?:per ?cent|percent|percentage points?)\b", _and_a_half),
    (r"\b(?:one[- ]|a )?half (?:a |of a |of one )?(?:per ?cent|percent|percentage point)\b", "0.5%"),
    (r"\bthree[- ]quarters of (?:a|one) (?:per ?cent|percent|percentage point)\b", "0.75%"),
    (r"\b(?:a |one )?quarter of (?:a|one) (?:per ?cent|percent|percentage point)\b", "0.25%"),
    (rf"(?<!of )(?<!and )\b({_NUMBER}) (?:per ?cent|percent)\b", _spelt),
    (r"((?:\d[\d,]*(?:\.\d+)?)(?:%| ?(?:bps?|basis points?|points?)\b)) or (?:more|higher)\b", r"at least \1"),
    (r"((?:\d[\d,]*(?:\.\d+)?)(?:%| ?(?:bps?|basis points?|points?)\b)) or less\b", r"at most \1"),
    (r"(?<=\d)(?:bps|bp)\b", " bp"), (rf"\b({_SHORT_MONTHS})\.(?= \d)", r"\1"),
    (rf"({_MONTH} \d{{1,2}}), (?=\d{{4}})", r"\1 "), (rf"\b({'|'.join(WEEKDAYS)}), (?={_MONTH} \d)", r"\1 "),
    (r"\s+", " "),
)  # fmt: skip


def uniform(text: str) -> str:
    """Text in one spelling: ``US``, ``%``, plain quotes and blanks."""
    for pattern, replacement in _SPELLING:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    return text.strip()
