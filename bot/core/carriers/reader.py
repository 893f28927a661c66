"""One way to read every kind of carrier: words that are references, and Dockerfiles inside."""

import posixpath
from bisect import bisect_right
from collections.abc import Sequence

from bot.core.carriers.code import read_code
from bot.core.carriers.documents import command_builds, read_documents
from bot.core.carriers.embedded import read_embedded
from bot.core.carriers.hcl import read_hcl
from bot.core.carriers.kinds import Kind
from bot.core.carriers.pieces import CarrierError, Pieces
from bot.core.carriers.shell import read_shell
from bot.core.carriers.words import recognise
from bot.core.carriers.yaml import read_yaml
from bot.core.dockerfile.found import Findings
from bot.core.dockerfile.reading import read as read_dockerfile
from bot.core.dockerfile.source import Traced, line_starts
from bot.core.dockerfile.uses import Unread
from bot.core.errors import DockerfileError


def read_pieces(kind: Kind, path: str, text: str) -> Pieces:
    """Take a file apart; raises `CarrierError` if it does not follow the grammar of its kind."""
    match kind:
        case Kind.CDK:
            return read_code(path, text)
        case Kind.MAKEFILE:
            pieces = read_shell(Traced(text, range(len(text))))
            pieces.builds += command_builds(posixpath.dirname(path), pieces.commands)
            return pieces
        case Kind.SHELL:
            # Nobody knows in which folder a script runs, so the builds in it say nothing.
            return read_shell(Traced(text, range(len(text))))
        case Kind.TERRAFORM:
            return read_documents(kind, path, [read_hcl(text)])
        case Kind.BAKE if path.endswith(".hcl"):
            return read_documents(kind, path, [read_hcl(text)])
        case _:
            return read_documents(kind, path, read_yaml(text))


def read_findings(kind: Kind, path: str, text: str, mirrors: Sequence[str]) -> Findings:
    """Read a file of any kind so that it can be edited; raises `DockerfileError`."""
    if kind is Kind.DOCKERFILE:
        return read_dockerfile(text, mirrors=mirrors)
    try:
        return find(read_pieces(kind, path, text), text, mirrors)
    except CarrierError as fault:
        raise DockerfileError(str(fault), line=fault.line) from fault


def find(pieces: Pieces, text: str, mirrors: Sequence[str]) -> Findings:
    """Find the uses among the pieces, in the order in which they stand in the file."""
    starts = line_starts(text)
    findings = Findings()
    for word in pieces.words:
        found = recognise(word, bisect_right(starts, word.places[0]), mirrors) if word else None
        if found:
            findings.found.append(found)
    for block in filter(None, pieces.dockerfiles):  # an empty one stands nowhere
        line = bisect_right(starts, block.places[0])
        try:
            inner = read_embedded(block, mirrors, line)
        except DockerfileError as fault:
            reason = str(fault).removeprefix(f"line {fault.line}: ")
            findings.skipped.append(Unread(line=fault.line + line - 1, raw="", reason=f"the Dockerfile here: {reason}"))
        else:
            findings.found += inner.found
            findings.skipped += inner.skipped
    findings.found.sort(key=lambda found: (found.use.line, found.named.places[0]))
    return findings
