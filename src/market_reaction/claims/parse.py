"""From a sentence to claims: split into clauses, match the table of patterns, report what nothing covers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from market_reaction.claims import patterns as table
from market_reaction.claims.build import Pieces, Setting, build, month_number
from market_reaction.claims.claim import Claim, Direction
from market_reaction.claims.markets import Mention, mentions, near_names

NO_MARKET = "no market is named that the table of names or the catalogue has"
NO_PATTERN = "no pattern covers it"
BACKGROUND = "background, which is not judged"
_CONJUNCTION = re.compile(
    r"\b(?:and|but|while|whereas|though|as)\s+(?P<skipped>(?:(?:the|its|China's|mainland)\s+)*)", re.IGNORECASE
)


_DERIVED = re.compile(
    r"\b(?:futures|options|contracts?|derivatives|yields?|volatility|miners|funds?|ETFs?)\b[^\0]*"
    r"\b(?:on|in|of|to|for|tracking)(?: the| its)? *$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Words of a sentence that no claim was read from.

    Attributes
    ----------
    sentence, part : str
        The sentence, and the words in it.
    reason : str
        Why.
    """

    sentence: str
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a sentence.

    Attributes
    ----------
    sentence : str
        As it was given.
    claims : tuple of Claim
        In the order of the sentence.
    not_understood : tuple of NotUnderstood
        Every other part that carries meaning.
    """

    sentence: str
    claims: tuple[Claim, ...]
    not_understood: tuple[NotUnderstood, ...]


@dataclass(slots=True)
class _Clause:
    """A part of a sentence, with what was matched in it blanked out."""

    text: str
    left: str = ""

    def __post_init__(self) -> None:
        self.left = self.text

    def take(self, row: table.Row) -> re.Match[str] | None:
        """Match once and blank the match out."""
        found = row.expression.search(self.left)
        if found:
            self.blank(found.start(), found.end())
        return found

    def blank(self, start: int, end: int) -> None:
        """Replace a stretch with characters that no pattern matches."""
        self.left = self.left[:start] + "\0" * (end - start) + self.left[end:]


@dataclass(slots=True)
class _State:
    """What later clauses inherit."""

    subjects: list[str] = field(default_factory=list)
    direction: Direction = ""
    pending: list[str] = field(default_factory=list)
    on: str = ""
    date: str | None = None


def parse_claims(sentence: str) -> Reading:
    """Read the claims of a plain English sentence with a table of patterns.

    Parameters
    ----------
    sentence : str
        Such as ``"China's CSI 300 rose almost 1%, its best day in weeks"``.

    Returns
    -------
    Reading
        Claims, and every part that no pattern covers.

    Notes
    -----
    A clause ends at a comma, semicolon or full stop, and before "and", "but", "while" where a market follows. Its
    claims are of the market it names, else of the last one named; "the CSI 300 and the Hang Seng rose" is said of
    both. A clause that denies, hopes, compares, or speaks of a week or a month is not judged.

    Examples
    --------
    >>> [claim.words for claim in parse_claims("The CSI 300 rose almost 1%, its best day in weeks").claims]
    ['rose', 'up almost 1%', 'best day in weeks']
    """
    claims: list[Claim] = []
    rest: list[NotUnderstood] = []
    state = _State()
    for part in _clauses(table.uniform(sentence)):
        _read_clause(_Clause(part), state, sentence, claims, rest)
    rest += [NotUnderstood(sentence, name, "nothing is claimed of it") for name in state.pending]
    if not sentence.strip():
        rest.append(NotUnderstood(sentence, "", "the sentence is empty"))
    return Reading(sentence, tuple(claims), tuple(rest))


def _clauses(text: str) -> list[str]:
    """Parts between punctuation that is not inside a number, cut again at conjunctions before a market."""
    found = []
    for part in re.split(r",(?!\d)|(?<!\d),|[;:\u2013\u2014](?=\s)|[.!?](?=\s|$)", text):
        cuts = [0]
        for word in _CONJUNCTION.finditer(part):
            if any(mention.start <= len(word["skipped"]) for mention in mentions(part[word.start("skipped") :])):
                cuts.append(word.start())
        found += [part[start:end].strip() for start, end in zip(cuts, [*cuts[1:], len(part)], strict=True)]
    return [part for part in found if re.search(r"\w", part)]


def _read_clause(clause: _Clause, state: _State, sentence: str, claims: list[Claim], rest: list[NotUnderstood]) -> None:
    """Add the claims of one clause, and what is left of it."""
    clause.take(table.AGAINST_DOLLAR)
    aside = clause.take(table.ASIDE)
    if aside:
        rest.append(NotUnderstood(sentence, aside[0].strip(), BACKGROUND))
    named = mentions(clause.left)
    for mention in named:
        clause.blank(mention.start, mention.end)
    _when(clause, state)
    why = _several(clause, named) or _refusal(clause, first=True)
    pieces = Pieces() if why else _matched(clause)
    own = [mention.words for mention in named]
    subjects = [*state.pending, *own] if own else state.pending or state.subjects
    why = (
        why or pieces.problem or _refusal(clause) or _other_market(clause, named) or _no_owner(clause, pieces, subjects)
    )
    if why:
        rest.append(NotUnderstood(sentence, clause.text, why))
        state.subjects, state.pending, state.direction = subjects, [], ""
        return
    if named and not pieces.any:  # "the CSI 300 and the Hang Seng rose": the verb is still to come
        state.pending = subjects
        rest += [NotUnderstood(sentence, words, NO_PATTERN) for words in _left_over(clause)]
        return
    if pieces.any and not subjects:
        rest.append(NotUnderstood(sentence, clause.text, f"{NO_MARKET}{near_names(clause.left)}"))
        return
    if pieces.any:
        if pieces.direction:
            state.direction = pieces.direction
        state.subjects, state.pending = subjects, []
        for words in subjects:
            made, lost = build(pieces, Setting(words, sentence, state.direction, state.on, state.date))
            claims += made
            rest += [NotUnderstood(sentence, part, reason) for part, reason in lost]
    rest += [NotUnderstood(sentence, words, NO_PATTERN) for words in _left_over(clause)]


def _matched(clause: _Clause) -> Pieces:
    """Match the table of patterns in its order, blanking out what was matched."""
    pieces = Pieces()
    for row in table.RECORDS:
        while found := clause.take(row):
            pieces.records.append((row.meaning, found))
    for row in table.MEASURES:
        while found := clause.take(row):
            if pieces.measure == "close":
                pieces.measure, pieces.measure_words = row.meaning, found[0].strip()
    for row, into in ((table.SIDE, pieces.sides), (table.LEVEL, pieces.levels), (table.FIGURE, pieces.figures)):
        while found := clause.take(row):
            into.append(found)
    while found := clause.take(table.STABLE):
        pieces.stable.append(found[0])
    if _refusal(clause):
        return pieces
    ways = set()
    for row in table.DIRECTIONS:
        while found := clause.take(row):
            pieces.verbs.append(found[0])
            ways.add(row.meaning)
    ways |= {"up" if found["sign"] == "+" else "down" for found in pieces.figures if found["sign"]}
    if len(ways) > 1:
        pieces.problem = "it names both directions"
    elif ways:
        pieces.direction = ways.pop()  # type: ignore[assignment]
    return pieces


def _several(clause: _Clause, named: Sequence[Mention]) -> str:
    """Why a clause with several markets cannot be read, unless they are joined by "and"; else empty."""
    for one, other in itertools.pairwise(named):
        words = re.findall(r"[\w']+", clause.text[one.end : other.start])
        said = {word.casefold() for word in words}
        if "and" not in said or not said <= {"and", "the", "both", "as", "well"}:
            return "it names several markets, and the patterns cannot tell what is said of which"
    return ""


def _refusal(clause: _Clause, *, first: bool = False) -> str:
    """Why the clause is not one that can be judged; empty where it is. Ranges and distances are looked for first."""
    for row in table.REFUSED:
        if (row.meaning in (table.A_RANGE, table.A_DISTANCE)) == first and row.expression.search(clause.left):
            return row.meaning
    return ""


def _no_owner(clause: _Clause, pieces: Pieces, subjects: Sequence[str]) -> str:
    """Why a figure cannot be given to one market and one move; empty where it can."""
    if len(subjects) > 1 and len(pieces.figures) + len(pieces.levels) + len(pieces.sides) > 1:
        return "it gives several figures for several markets; give each market its own"
    if pieces.figures and not pieces.direction and _left_over(clause):
        return "no verb that the patterns know says what the figure is of"
    return ""


def _other_market(clause: _Clause, named: Sequence[Mention]) -> str:
    """Why the words around a name may make it another market ("gold miners"); empty where they do not."""
    for mention in named:
        head = clause.left[: mention.start]
        before = re.search(r"[\w'-]+ *$", head)
        word = before[0].strip() if before else ""
        if word[:1].isupper() and word.casefold() not in table.FILLERS and not word.endswith("'s"):
            return f"'{word} {mention.words}' may be another market than {mention.words}"
        if derived := _DERIVED.search(head):
            return f"'{derived[0].strip()} {mention.words}' is another market than {mention.words}"
    if not named:
        return ""
    tail = clause.left[named[-1].end :]
    for word in re.findall(r"\0+|[\w'-]+", tail):
        if word.startswith("\0") or word.casefold() in table.FILLERS - table.SUBJECT_WORDS or word.endswith("ly"):
            return ""
        if word.casefold() not in table.SUBJECT_WORDS:
            return f"'{named[-1].words} {word}' may be another market than {named[-1].words}"
    return ""


def _when(clause: _Clause, state: _State) -> None:
    """Take the weekday or date the clause names; it holds for the rest of the sentence."""
    while found := clause.take(table.ON):
        if found["weekday"]:
            state.on = found["weekday"].capitalize()
        elif found["iso"]:
            state.date = found["iso"]
        else:
            day, month = int(found["day"] or found["day2"]), month_number(found["month"] or found["month2"])
            if found["year"]:
                state.date = f"{found['year']}-{month:02d}-{day:02d}"
            else:
                state.on = f"{day} {table.MONTHS[month - 1]}"


def _left_over(clause: _Clause) -> list[str]:
    """Stretches that neither a pattern nor the list of fillers covers, with the fillers inside them."""
    stretches = []
    for stretch in re.split(r"\0+", clause.left):
        words = stretch.split()
        bare = [word.strip("'()[]-").casefold() for word in words]
        telling = [at for at, word in enumerate(bare) if word and word not in table.FILLERS]
        if telling:
            stretches.append(" ".join(words[telling[0] : telling[-1] + 1]))
    return stretches
