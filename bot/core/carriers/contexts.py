"""A whole tree: the uses of each file, and what other files make of a Dockerfile that they build."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.core.carriers.files import scan_file
from bot.core.carriers.located import Context, FileScan, LocatedUse, SourceFile
from bot.core.carriers.pieces import Build
from bot.core.dockerfile import Unread, Use, read_uses


def scan_files(files: Iterable[SourceFile], *, mirrors: Sequence[str] = ()) -> tuple[tuple[str, FileScan], ...]:
    """Scan files in path order; the uses of a Dockerfile get a context for each build that another file describes."""
    ordered = sorted(files, key=lambda file: file.path)
    scans = [(file, _scan(file, mirrors)) for file in ordered]
    builds: dict[str, list[tuple[str, Build]]] = defaultdict(list)
    for file, scan in scans:
        for build in scan.builds:
            builds[build.dockerfile].append((file.path, build))
    return tuple((file.path, _with_contexts(file, scan, builds.get(file.path, ()), mirrors)) for file, scan in scans)


def _scan(file: SourceFile, mirrors: Sequence[str]) -> FileScan:
    if file.fault:
        return FileScan(skipped=(Unread(line=1, raw="", reason=file.fault),))
    return scan_file(file.path, file.content, mirrors=mirrors)


def _with_contexts(
    file: SourceFile, scan: FileScan, builds: Sequence[tuple[str, Build]], mirrors: Sequence[str]
) -> FileScan:
    if not builds or not scan.uses:
        return scan
    text = file.content.decode()
    found: dict[tuple[int, str, str], list[Context]] = defaultdict(list)
    for source, build in builds:
        for use in read_uses(text, build_args=dict(build.args), target=build.target, mirrors=mirrors).uses:
            context = Context(
                source=source, args=build.args, target=build.target, resolved=use.resolved, final=use.final
            )
            found[_key(use)].append(context)
    return replace(scan, uses=tuple(_with(located, found[_key(located.use)]) for located in scan.uses))


def _with(located: LocatedUse, contexts: Sequence[Context]) -> LocatedUse:
    return replace(located, contexts=tuple(dict.fromkeys(contexts)))


def _key(use: Use) -> tuple[int, str, str]:
    return use.line, use.kind, use.raw
