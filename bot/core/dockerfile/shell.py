"""Word expansion by BuildKit's rules (frontend/dockerfile/shell): quotes, escapes, `$NAME` and `${NAME...}`.

Beyond BuildKit, every character of a result knows where it stands in the file, and an argument without a value leaves
a hole instead of nothing, so that a reader can say what is not known.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Final, NamedTuple

from bot.core.dockerfile.patterns import PatternError, occurrences, trimmed_prefix, trimmed_suffix
from bot.core.dockerfile.source import NOWHERE, SPACE, Traced

_DEEPEST: Final = 100
_LONGEST: Final = 65_536
_MOST_ARGUMENTS: Final = 1_000
_MOST_WORK: Final = 10_000_000
_WHITE: Final = re.compile(f"[{SPACE}]+")
_SPECIAL_PARAMETERS: Final = frozenset("@*#?-$!0")
_HOLE: Final = "\0"
_UNSET: Final = "it has no value"


class WordError(ValueError):
    """A word that BuildKit rejects."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Something unknown in an expanded text. BuildKit sees nothing there if `blank`, else a value of the build."""

    reason: str
    blank: bool = True


class Supplied(NamedTuple):
    """A part of an expanded text that is the value of one argument.

    `default` numbers the default that gave the value, `end` is where the `$NAME` ends in the file.
    """

    start: int
    stop: int
    default: int
    end: int


class _Part(NamedTuple):
    """A run of characters; where it is `hard`, because it was quoted or escaped, no word ends in it."""

    text: str
    places: Sequence[int]
    hard: bool


@dataclass(slots=True)
class Expansion:
    """A text after expansion; a hole stands in it as one NUL character.

    `default` numbers the default whose value this is; `defaults` are all that gave a part of it.
    """

    parts: list[_Part] = field(default_factory=list)
    holes: dict[int, Hole] = field(default_factory=dict)
    supplied: list[Supplied] = field(default_factory=list)
    size: int = 0
    default: int = NOWHERE
    defaults: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(part.text for part in self.parts)

    @property
    def places(self) -> Sequence[int]:
        """The place of each character."""
        return tuple(chain.from_iterable(part.places for part in self.parts))

    @property
    def plain(self) -> str:
        """What a plain build sees, as far as it is known: holes count as nothing."""
        return "".join(c for i, c in enumerate(self.text) if i not in self.holes) if self.holes else self.text

    @property
    def is_empty(self) -> bool:
        """Whether a plain build sees nothing at all."""
        return self.size == len(self.holes) and all(hole.blank for hole in self.holes.values())

    def add(self, text: str, places: Sequence[int], *, hard: bool) -> None:
        """Append characters of the file."""
        self.parts.append(_Part(text, places, hard))
        self.size += len(text)

    def add_hole(self, hole: Hole) -> None:
        """Append something unknown."""
        self.holes[self.size] = hole
        self.add(_HOLE, (NOWHERE,), hard=False)

    def extend(self, other: "Expansion", *, hard: bool) -> None:
        """Append another expansion; a `WordError` says that values which use each other grow without bound."""
        shift = self.size
        self.defaults |= other.defaults
        if shift + other.size > _LONGEST or len(self.supplied) + len(other.supplied) > _MOST_ARGUMENTS:
            raise WordError(f"it expands to more than {_LONGEST} characters or {_MOST_ARGUMENTS} arguments; shorten it")
        self.holes.update({shift + index: hole for index, hole in other.holes.items()})
        self.supplied += [s._replace(start=shift + s.start, stop=shift + s.stop) for s in other.supplied]
        self.parts += [_Part(part.text, part.places, hard) for part in other.parts]
        self.size = shift + other.size

    def cut(self, start: int, stop: int) -> "Expansion":
        """Return a part of a text without holes."""
        part = _verbatim(self.text[start:stop], self.places[start:stop])
        part.defaults = self.defaults | {self.default} - {NOWHERE}
        return part

    def words(self) -> list[str]:
        """Split the text at its soft white space, as BuildKit's ProcessWords does."""
        found: list[list[str]] = [[]]
        for part in self.parts:
            first, *others = (part.text,) if part.hard else _WHITE.split(part.text)
            found[-1].append(first)
            found += [[other] for other in others]
        return [word for pieces in found if (word := "".join(pieces))]


@dataclass(slots=True, kw_only=True)
class Expander:
    """Expands words. `matched` and `unmatched` collect the names that had a value and those that had none.

    `raw_quotes` and `raw_escapes` keep quotes and escapes, `keep_unset` keeps what names an argument without a value.
    `undeclared` says, after its name, what is wrong with an argument that `why_unset` does not explain.
    """

    values: Mapping[str, Expansion] = field(default_factory=dict)
    why_unset: Mapping[str, str] = field(default_factory=dict)
    undeclared: str = "is not declared before the first FROM"
    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False
    matched: set[str] = field(default_factory=set)
    unmatched: set[str] = field(default_factory=set)
    _spent: int = 0

    def expand(self, word: Traced) -> Expansion:
        """Expand one word; a `WordError` says what BuildKit would reject."""
        if not special(self.escape).search(word.text):
            return _verbatim(word.text, word.places)
        return _Walk(self, word).run()

    def value(self, name: str) -> Expansion | None:
        """Look up an argument."""
        value = self.values.get(name)
        (self.unmatched if value is None else self.matched).add(name)
        return value

    def spend(self, value: Expansion) -> None:
        """Count the work of using a value; a `WordError` says that a file makes too much of it."""
        self._spent += value.size + len(value.supplied)
        if self._spent > _MOST_WORK:
            raise WordError("the arguments of this file use each other too often; write them flatter")

    def unset(self, name: str) -> Expansion:
        """Stand in for the value of an argument that has none."""
        expansion = Expansion()
        expansion.add_hole(Hole(self.why_unset.get(name) or f"{name} {self.undeclared}"))
        return expansion


class _Walk:
    """One pass over one word."""

    __slots__ = ("depth", "expander", "places", "position", "raw_escapes", "special", "text")

    def __init__(self, expander: Expander, word: Traced) -> None:
        self.expander = expander
        self.text = word.text
        self.places = word.places
        self.special = special(expander.escape)
        self.position = 0
        self.depth = 0
        self.raw_escapes = expander.raw_escapes

    def run(self) -> Expansion:
        return self._until("", raw_escapes=self.raw_escapes)

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _next(self) -> str:
        character = self._peek()
        self.position += 1
        return character

    def _until(self, stop: str, *, raw_escapes: bool) -> Expansion:
        """Expand up to a closing character, or to the end of the word if `stop` is empty."""
        outer, self.raw_escapes = self.raw_escapes, raw_escapes
        result = Expansion()
        while character := self._peek():
            if character == stop:
                self.position += 1
                self.raw_escapes = outer
                return result
            self._one(character, stop, result)
        if stop:
            raise WordError(f"unexpected end of statement while looking for matching {stop}")
        self.raw_escapes = outer
        return result

    def _one(self, character: str, stop: str, result: Expansion) -> None:
        if character == "$":
            result.extend(self._dollar(), hard=False)
        elif character == "'":
            self._single_quoted(result)
        elif character == '"':
            self._double_quoted(result)
        elif character == "<":
            self._possible_heredoc(result)
        elif character == self.expander.escape:
            self._escaped(result)
        else:
            self._ordinary(stop, result)

    def _ordinary(self, stop: str, result: Expansion) -> None:
        """Take all characters up to the next one that means something."""
        start = self.position
        found = self.special.search(self.text, start)
        end = found.start() if found else len(self.text)
        if stop and (closing := self.text.find(stop, start, end)) >= 0:
            end = closing
        result.add(self.text[start:end], self.places[start:end], hard=False)
        self.position = end

    def _keep(self, result: Expansion) -> None:
        """Take one character as it is."""
        result.add(self._peek(), (self.places[self.position],), hard=True)
        self.position += 1

    def _escaped(self, result: Expansion) -> None:
        if self.raw_escapes:
            self._keep(result)
        else:
            self.position += 1
        if self._peek():
            self._keep(result)

    def _possible_heredoc(self, result: Expansion) -> None:
        """`<<` or `<<-` and the white space after it stay with the word that follows."""
        self._keep(result)
        if self._peek() != "<":
            return
        self._keep(result)
        if self._peek() == "-":
            self._keep(result)
        while self._peek() and self._peek() in SPACE:
            self._keep(result)

    def _single_quoted(self, result: Expansion) -> None:
        start = self.position
        end = self.text.find("'", start + 1)
        if end < 0:
            raise WordError("unexpected end of statement while looking for matching single-quote")
        first, last = (start, end + 1) if self.expander.raw_quotes else (start + 1, end)
        result.add(self.text[first:last], self.places[first:last], hard=True)
        self.position = end + 1

    def _double_quoted(self, result: Expansion) -> None:
        self._quote(result)
        while character := self._peek():
            if character == '"':
                self._quote(result)
                return
            if character == "$":
                result.extend(self._dollar(), hard=True)
            elif character == self.expander.escape:
                self._escaped_in_quotes(result)
            else:
                self._keep(result)
        raise WordError("unexpected end of statement while looking for matching double-quote")

    def _quote(self, result: Expansion) -> None:
        if self.expander.raw_quotes:
            self._keep(result)
        else:
            self.position += 1

    def _escaped_in_quotes(self, result: Expansion) -> None:
        """Only a quote, a dollar sign and the escape itself can be escaped here."""
        following = self.text[self.position + 1 : self.position + 2]
        special = following in ('"', "$", self.expander.escape) and following
        if self.raw_escapes:
            self._keep(result)
        elif special or not following:
            self.position += 1
        if special or (following and not self.raw_escapes):
            self._keep(result)

    def _dollar(self) -> Expansion:
        start = self.position
        self.position += 1
        if self._peek() == "{":
            self.position += 1
            return self._braces(start)
        name = self._name()
        if not name:
            return _verbatim("$", (self.places[start],))
        return self._value_of(name, start)

    def _value_of(self, name: str, start: int) -> Expansion:
        """The value that `$NAME` or `${NAME}` stands for."""
        value = self.expander.value(name)
        if value is None:
            return self._kept(start) if self.expander.keep_unset else self.expander.unset(name)
        self.expander.spend(value)
        expansion = Expansion()
        expansion.extend(value, hard=False)
        expansion.defaults |= {value.default} - {NOWHERE}
        expansion.supplied.insert(0, Supplied(0, value.size, value.default, self.places[self.position - 1] + 1))
        return expansion

    def _kept(self, start: int) -> Expansion:
        return _verbatim(self.text[start : self.position], self.places[start : self.position])

    def _name(self) -> str:
        """Read letters, digits and `_`; a number or a special parameter stands alone."""
        start = self.position
        character = self._peek()
        if character.isdecimal():
            while self._peek().isdecimal():
                self.position += 1
        elif character in _SPECIAL_PARAMETERS:
            self.position += 1
        else:
            while (character := self._peek()) == "_" or character.isalpha() or character.isdecimal():
                self.position += 1
        return self.text[start : self.position]

    def _braces(self, start: int) -> Expansion:
        """Read what follows `${`."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise WordError(f"${{ is nested more than {_DEEPEST} deep; write it flatter")
        if not self._peek():
            raise WordError("missing '}'")
        if self._peek() in "{}:":
            raise WordError("bad substitution")
        name = self._name()
        modifier = self._next()
        expansion = self._value_of(name, start) if modifier == "}" else self._modified(name, modifier, start)
        self.depth -= 1
        return expansion

    def _modified(self, name: str, modifier: str, start: int) -> Expansion:
        blank_is_unset = modifier == ":"
        operator = self._next() if blank_is_unset else modifier
        if modifier == "/":
            return self._replaced(name, start)
        if modifier not in tuple(":+-?#%"):
            raise WordError(f"unsupported modifier ({modifier}) in substitution")
        word = self._until("}", raw_escapes=operator in ("#", "%"))
        value = self.expander.value(name)
        if value is None and self.expander.keep_unset:
            return self._kept(start)
        if blank_is_unset and operator not in "+-?":
            raise WordError(f"unsupported modifier (:{operator}) in substitution")
        if operator in ("#", "%"):
            return self._trimmed(name, value, operator, word)
        return self._chosen(name, value, operator, word, start, blank_is_unset=blank_is_unset)

    def _chosen(
        self, name: str, value: Expansion | None, operator: str, word: Expansion, start: int, *, blank_is_unset: bool
    ) -> Expansion:
        """Choose between the value and the word of `-`, `+` and `?`."""
        missing = value is None or (blank_is_unset and value.is_empty)
        match operator:
            case "-" if missing:
                return word
            case "+":
                return Expansion() if missing else word
            case "?" if missing:
                expansion = Expansion()
                expansion.add_hole(Hole(f"{name} is required: {word.plain or _UNSET}"))
                return expansion
            case _:
                return self._value_of(name, start)

    def _trimmed(self, name: str, value: Expansion | None, operator: str, word: Expansion) -> Expansion:
        """Take a pattern away at the front (`#`) or at the end (`%`)."""
        if value is None:
            return self.expander.unset(name)
        if value.holes or word.holes:
            return _unknown(value, word)
        longest = word.text.startswith(operator)
        pattern = word.text[1:] if longest else word.text
        try:
            if operator == "#":
                return value.cut(trimmed_prefix(pattern, value.text, longest=longest), len(value.text))
            return value.cut(0, len(value.text) - trimmed_suffix(pattern, value.text, longest=longest))
        except PatternError as fault:
            raise WordError(str(fault)) from fault

    def _replaced(self, name: str, start: int) -> Expansion:
        """Replace the first match of a pattern (`/`), or all (`//`)."""
        every = self._peek() == "/"
        self.position += every
        pattern = self._until("/", raw_escapes=True)
        replacement = self._until("}", raw_escapes=True)
        value = self.expander.value(name)
        if value is None:
            return self._kept(start) if self.expander.keep_unset else self.expander.unset(name)
        if value.holes or pattern.holes or replacement.holes:
            return _unknown(value, pattern, replacement)
        try:
            found = occurrences(pattern.text, value.text, every=every)
        except PatternError as fault:
            raise WordError(str(fault)) from fault
        result, last = Expansion(), 0
        for first, end in found:
            result.extend(value.cut(last, first), hard=False)
            result.extend(replacement, hard=False)
            last = end
        result.extend(value.cut(last, len(value.text)), hard=False)
        return result


def _verbatim(text: str, places: Sequence[int]) -> Expansion:
    expansion = Expansion()
    expansion.add(text, places, hard=False)
    return expansion


def _unknown(*parts: Expansion) -> Expansion:
    """Stand in for a text that cannot be known because a part of it is not."""
    expansion = Expansion()
    expansion.add_hole(next(hole for part in parts for hole in part.holes.values()))
    return expansion


@cache
def special(escape: str) -> re.Pattern[str]:
    """Match the characters that mean something in a word; one without them expands to itself."""
    return re.compile(rf"""[$'"<{re.escape(escape)}]""")
