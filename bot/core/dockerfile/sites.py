"""Where the text stands that an update of a reference replaces, and what else would change with it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from bot.core.dockerfile.names import Named
from bot.core.dockerfile.scope import Default, Scope, declared_names
from bot.core.dockerfile.shell import Expansion
from bot.core.dockerfile.source import NOWHERE
from bot.core.dockerfile.stages import Source, Stage
from bot.core.dockerfile.uses import ArgDefault, Literal, Unresolvable


class Sites:
    """Finds the sites of a file's references."""

    def __init__(self, text: str, scope: Scope, stages: Sequence[Stage], escape: str) -> None:
        self._text = text
        self._defaults = scope.defaults
        self._stages = stages
        self._escape = escape
        self._line_starts: list[int] | None = None

    def edit(self, source: Source, name: Named) -> Literal | ArgDefault | Unresolvable:
        """Say where the tag stands, or the digest alone, or else the end of the reference."""
        if name.tag is None and name.digest is None:
            return self._site_of_end(source, name)
        first = name.tag or name.digest or (0, 0)
        hole = source.expansion.holes.get(first[0])
        if hole:
            return Unresolvable(reason=hole.reason)
        if first[0] >= len(name.places) or name.places[first[0]] == NOWHERE:
            return Unresolvable(reason="it is given from outside the file")
        site = self._site(name.places[first[0]])
        if name.tag and name.digest:
            return replace(site, also=self._site_of_digest(site, source, name))
        if name.tag:
            return replace(site, obstacle=self._obstacle(site, source, name))
        return site

    def default_at(self, place: int) -> Default | None:
        """Return the default that holds a character of the file."""
        return next((default for default in self._defaults if default.holds(place)), None)

    def end_of(self, source: Source, name: Named) -> int:
        """Return where text is added at the end of a reference, `NOWHERE` if that is not in this file."""
        last = len(name.text) - 1
        if name.tag is None and name.digest is None:
            covering = self._covering(source.expansion)
            if covering is not None:
                return covering.end
            for supplied in source.expansion.supplied:
                if supplied.stop == len(name.text):
                    return supplied.end
        return NOWHERE if name.places[last] == NOWHERE else name.places[last] + 1

    def _line(self, place: int) -> int:
        """Return the physical line of a place."""
        if self._line_starts is None:
            self._line_starts = [0]
            self._line_starts += [index + 1 for index, character in enumerate(self._text) if character == "\n"]
        return bisect_right(self._line_starts, place)

    def _site(self, place: int) -> Literal | ArgDefault:
        default = self.default_at(place)
        if default is None:
            return Literal(line=self._line(place))
        return ArgDefault(line=self._line(place), arg=default.name)

    def _site_of_digest(
        self, site: Literal | ArgDefault, source: Source, name: Named
    ) -> tuple[Literal | ArgDefault, ...]:
        """Name the site of a digest that stands elsewhere than its tag."""
        place = name.places[name.digest[0]] if name.digest and name.digest[0] < len(name.places) else NOWHERE
        if place == NOWHERE or name.digest is None or name.digest[0] in source.expansion.holes:
            return ()
        other = self._site(place)
        return () if _same(other, site) else (other,)

    def _site_of_end(self, source: Source, name: Named) -> Literal | ArgDefault | Unresolvable:
        """Where a reference without tag and digest ends: in the `ARG` that holds all of it, else in the instruction."""
        covering = self._covering(source.expansion)
        if covering is not None:
            site = ArgDefault(line=self._line(covering.end - 1), arg=covering.name)
            return replace(site, obstacle=self._shared(covering, source))
        end = self.end_of(source, name)
        hole = source.expansion.holes.get(len(name.text) - 1)
        if hole:
            return Unresolvable(reason=hole.reason)
        return Literal(line=self._line(end - 1), obstacle=self._goes_on(end, source.written_end, source.raw))

    def _covering(self, expansion: Expansion) -> Default | None:
        """Return the innermost default that gives the whole text."""
        whole = [s for s in expansion.supplied if s.start == 0 and s.stop == expansion.size and s.default != NOWHERE]
        return self._defaults[whole[-1].default] if whole else None

    def _obstacle(self, site: Literal | ArgDefault, source: Source, name: Named) -> str:
        """Say why no digest can be added after the tag without changing something else, "" if one can."""
        if name.tag is None:
            return ""
        for index in range(*name.tag):
            hole = source.expansion.holes.get(index)
            if hole:
                return f"a digest would overrule a part of the tag that is not known: {hole.reason}"
            other = self.default_at(name.places[index])
            if (other.name if other else None) != (site.arg if isinstance(site, ArgDefault) else None):
                arg = other.name if other else site.arg if isinstance(site, ArgDefault) else ""
                return (
                    f"a digest would overrule ARG {arg}, which gives a part of the tag; put the whole tag in one place"
                )
        default = self.default_at(name.places[name.tag[0]])
        last = default.end if default else source.written_end
        going_on = self._goes_on(
            name.places[name.tag[1] - 1] + 1, last, f"ARG {default.name}" if default else source.raw
        )
        return going_on or (self._shared(default, source) if default else "")

    def _goes_on(self, end: int, last: int, what: str) -> str:
        """Say that something other than closing braces follows the place where a digest would be added."""
        rest = self._text[end:last].strip("}\"'")
        return f"{what[:80]} goes on after the tag with {rest[:80]!r}; write a tag that stands alone" if rest else ""

    def _shared(self, default: Default, source: Source) -> str:
        """Say who else uses a default."""
        number = self._defaults.index(default)
        for stage in self._stages:
            for other in (stage.base, *stage.sources):
                if number in other.expansion.defaults and other.expansion.text != source.expansion.text:
                    return f"ARG {default.name} also gives {other.raw[:80]} on line {other.instruction.first}"
            if number in stage.platform_defaults:
                return f"ARG {default.name} also gives a platform on line {stage.base.instruction.first}"
        names = {each.name for i, each in enumerate(self._defaults) if i == number or number in each.defaults}
        for stage in self._stages:
            for instruction in stage.instructions:
                if instruction.key == "arg" and not names.isdisjoint(declared_names(instruction, self._escape)):
                    return f"ARG {default.name} is used again inside a stage on line {instruction.first}"
        return ""


def _same(one: Literal | ArgDefault, other: Literal | ArgDefault) -> bool:
    return (one.line, getattr(one, "arg", None)) == (other.line, getattr(other, "arg", None))
