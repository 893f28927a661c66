"""Where the text stands that an update of a reference replaces, and why it may not be replaced safely."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from bot.core.dockerfile.names import Named
from bot.core.dockerfile.scope import Default, Scope
from bot.core.dockerfile.sharing import Sharing
from bot.core.dockerfile.shell import Expansion
from bot.core.dockerfile.source import NOWHERE, line_starts
from bot.core.dockerfile.stages import Source, Stage
from bot.core.dockerfile.uses import ArgDefault, Literal, Unresolvable

_CLOSING = "}\"'"


class Sites:
    """Finds the sites of a file's references."""

    def __init__(self, text: str, scope: Scope, stages: Sequence[Stage], escape: str) -> None:
        self._text = text
        self._defaults = scope.defaults
        self._stages = stages
        self._escape = escape

    def edit(self, source: Source, name: Named) -> Literal | ArgDefault | Unresolvable:
        """Say where the tag stands, or the digest alone, or else the end of the reference."""
        anchor = name.tag or name.digest
        if anchor is None:
            return self._site_of_end(source, name)
        reason = _why_not(source.expansion, name, anchor[0])
        if reason:
            return Unresolvable(reason=reason)
        site = self._site(name.places[anchor[0]])
        if name.why_unknown:
            return replace(site, obstacle=f"the name of the image is not known: {name.why_unknown}")
        if name.digest is None:
            return replace(site, obstacle=self._obstacle(source, name, anchor))
        obstacles = (_why_not(source.expansion, name, index) for index in range(*name.digest))
        obstacle = next(filter(None, obstacles), "" if name.digest[0] < name.digest[1] else "the digest is empty")
        if obstacle:
            return replace(site, obstacle=obstacle)
        default, other = self._default_at(name.places[name.digest[0]]), self._site(name.places[name.digest[0]])
        shared = self._sharing.other_reference(default, source) if default else ""
        return replace(site, also=() if other == site else (other,), obstacle=shared)

    def cannot_retag(self, source: Source, name: Named) -> str:
        """Say why the tag before a digest cannot be replaced, "" if it can or if `edit` says all."""
        if name.tag is None or name.digest is None:
            return ""
        default = self._default_at(name.places[name.tag[0]])
        shared = self._sharing.other_use(default, source) if default else ""
        return self._split(source, name, name.tag) or shared

    def end_of(self, source: Source, name: Named) -> int:
        """Return where text is added at the end of a reference, `NOWHERE` if that is not in this file."""
        if name.tag is None and name.digest is None:
            covering = self._covering(source.expansion)
            if covering is not None:
                return covering.end
            for supplied in source.expansion.supplied:
                if supplied.stop == len(name.text):
                    return supplied.end
        return NOWHERE if name.places[-1] == NOWHERE else name.places[-1] + 1

    @cached_property
    def _sharing(self) -> Sharing:
        return Sharing(self._defaults, self._stages, self._escape)

    @cached_property
    def _line_starts(self) -> list[int]:
        return line_starts(self._text)

    @cached_property
    def _default_starts(self) -> list[int]:
        return [default.start for default in self._defaults]

    def _line(self, place: int) -> int:
        """Return the physical line of a place."""
        return bisect_right(self._line_starts, place)

    def _default_at(self, place: int) -> Default | None:
        """Return the default that holds a character of the file."""
        index = bisect_right(self._default_starts, place) - 1
        return self._defaults[index] if index >= 0 and place < self._defaults[index].stop else None

    def _site(self, place: int) -> Literal | ArgDefault:
        default = self._default_at(place)
        if default is None:
            return Literal(line=self._line(place))
        return ArgDefault(line=self._line(place), arg=default.name)

    def _site_of_end(self, source: Source, name: Named) -> Literal | ArgDefault | Unresolvable:
        """Where a reference without tag and digest ends: in the `ARG` that holds all of it, else in the instruction."""
        last = len(name.text) - 1
        if last in source.expansion.holes:
            return Unresolvable(reason=source.expansion.holes[last].reason)
        covering = self._covering(source.expansion)
        if covering is not None:
            line = self._line(covering.end - 1)
            return ArgDefault(line=line, arg=covering.name, obstacle=self._sharing.other_use(covering, source))
        end = self.end_of(source, name)
        if end == NOWHERE:
            return Unresolvable(reason=_why_not(source.expansion, name, last))
        return Literal(line=self._line(end - 1), obstacle=self._goes_on(end, source.written_end, source.raw))

    def _covering(self, expansion: Expansion) -> Default | None:
        """Return the innermost default that gives the whole text."""
        whole = [s for s in expansion.supplied if s.start == 0 and s.stop == expansion.size and s.default != NOWHERE]
        return self._defaults[whole[-1].default] if whole else None

    def _obstacle(self, source: Source, name: Named, tag: tuple[int, int]) -> str:
        """Say why no digest can be added after a tag without changing something else, "" if one can."""
        split = self._split(source, name, tag)
        if split:
            return split
        default = self._default_at(name.places[tag[0]])
        end = name.places[tag[1] - 1] + 1
        if default is None:
            return self._goes_on(end, source.written_end, source.raw)
        goes_on = self._goes_on(end, default.end, f"ARG {default.name}") or self._argument_goes_on(source, tag[1])
        return goes_on or self._sharing.other_use(default, source)

    def _argument_goes_on(self, source: Source, stop: int) -> str:
        """Say where more follows an argument that gives the end of a tag, such as a suffix that is empty by default."""
        for supplied in source.expansion.supplied:
            if supplied.start < stop <= supplied.stop and supplied.end > 0:
                holder = self._default_at(supplied.end - 1)
                last, what = (holder.end, f"ARG {holder.name}") if holder else (source.written_end, source.raw)
                if goes_on := self._goes_on(supplied.end, last, what):
                    return goes_on
        return ""

    def _split(self, source: Source, name: Named, tag: tuple[int, int]) -> str:
        """Say what of a tag is not known or stands apart from the rest, "" if it stands in one place."""
        if not (source.expansion.holes or source.expansion.defaults or NOWHERE in name.places):
            return ""
        default = self._default_at(name.places[tag[0]])
        for index in range(*tag):
            reason = _why_not(source.expansion, name, index)
            if reason:
                return f"an update would overrule a part of the tag that is not known: {reason}"
            other = self._default_at(name.places[index])
            if other != default and (giving := other or default):
                return f"an update would overrule ARG {giving.name}, which gives a part of the tag; put it in one place"
        return ""

    def _goes_on(self, end: int, last: int, what: str) -> str:
        """Say that more than closing braces and quotes follows the place where a digest would be added."""
        rest = self._text[end:last].strip(_CLOSING)
        return f"{what[:80]} goes on after the tag with {rest[:80]!r}; write a tag that stands alone" if rest else ""


def _why_not(expansion: Expansion, name: Named, index: int) -> str:
    """Say why a character stands nowhere in the file, "" if it does."""
    if index in expansion.holes:
        return expansion.holes[index].reason
    return "" if index < len(name.places) and name.places[index] != NOWHERE else "it is given from outside the file"
