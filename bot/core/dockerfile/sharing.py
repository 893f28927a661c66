"""Who else uses the default of an `ARG`, so that an edit of it would change more than one reference."""

from collections.abc import Iterable, Sequence

from bot.core.dockerfile.scope import Default, declared_names
from bot.core.dockerfile.stages import Source, Stage


class Sharing:
    """An index over a file: for each default, by its number, what it gives."""

    def __init__(self, defaults: Sequence[Default], stages: Sequence[Stage], escape: str) -> None:
        self._references: dict[int, dict[str, Source]] = {}
        self._platforms: dict[int, int] = {}
        self._inside: dict[int, int] = {}
        for stage in stages:
            self._add_references((stage.base, *stage.sources))
            for number in stage.platform_defaults:
                self._platforms.setdefault(number, stage.base.instruction.first)
        self._add_inside(defaults, stages, escape)

    def other_use(self, default: Default, source: Source) -> str:
        """Say who else uses a default than references with the same text, "" if nobody does."""
        number = default.number
        if reference := self.other_reference(default, source):
            return reference
        if number in self._platforms:
            return f"ARG {default.name} also gives a platform on line {self._platforms[number]}"
        if number in self._inside:
            return f"ARG {default.name} is used again inside a stage on line {self._inside[number]}"
        return ""

    def other_reference(self, default: Default, source: Source) -> str:
        """Say which reference with another text uses a default, "" if none does."""
        for text, other in self._references.get(default.number, {}).items():
            if text != source.expansion.text:
                return f"ARG {default.name} also gives {other.raw[:80]} on line {other.instruction.first}"
        return ""

    def _add_references(self, sources: Iterable[Source]) -> None:
        for source in sources:
            for number in source.expansion.defaults:
                texts = self._references.setdefault(number, {})
                if len(texts) < 2:  # two different texts already say all
                    texts.setdefault(source.expansion.text, source)

    def _add_inside(self, defaults: Sequence[Default], stages: Sequence[Stage], escape: str) -> None:
        """A stage that declares an argument again, without a value, sees the default, or one made from it."""
        arguments = [each for stage in stages for each in stage.instructions if each.key == "arg"]
        lines: dict[str, int] = {}
        for instruction in arguments:
            for name in declared_names(instruction, escape):
                lines.setdefault(name, instruction.first)
        for default in defaults:
            if default.name in lines:
                for number in (default.number, *default.defaults):
                    self._inside.setdefault(number, lines[default.name])
