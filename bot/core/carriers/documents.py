"""What the YAML, JSON and HCL carriers say: words, Dockerfiles inside, and which Dockerfile is built with what."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from bot.core.carriers.commands import read_builds
from bot.core.carriers.kinds import Kind
from bot.core.carriers.pieces import Build, Pieces
from bot.core.carriers.shell import read_shell
from bot.core.carriers.tree import List, Mapping, Node, Scalar, walk
from bot.core.dockerfile.shell import Expander, WordError
from bot.core.dockerfile.source import Traced

_SHELL_KEYS: Final = frozenset({"run", "commands", "command", "script", "entrypoint", "build-args", "args"})
_DOCKERFILE_KEYS: Final = frozenset({"dockerfile_inline", "dockerfile-inline"})
_OUTPUT_KEYS: Final = frozenset({"tag", "tags", "DockerTag", "cache-to", "cache_to", "output", "outputs"})


def read_documents(kind: Kind, path: str, documents: Iterable[Node]) -> Pieces:
    """Gather the pieces of a file from its documents."""
    pieces = Pieces()
    for document in documents:
        outputs = {id(node) for node in _outputs(kind, document)}
        for keys, scalar in walk(document):
            if id(scalar) not in outputs and not _OUTPUT_KEYS.intersection(keys):
                _read_scalar(keys, scalar, pieces)
        builds = _BUILDS.get(kind)
        if builds and isinstance(document, Mapping):
            pieces.builds += builds(path, document)
    if kind in (Kind.WORKFLOW, Kind.BUILDSPEC):  # their commands run at the root of the repository
        root = path.partition(".github/")[0] if kind is Kind.WORKFLOW else ""
        pieces.builds += command_builds(root, pieces.commands)
    return pieces


def command_builds(root: str, commands: Sequence[Sequence[str]]) -> Iterator[Build]:
    """The builds that commands run in a folder; `-f` names the Dockerfile from there, not from the context."""
    for build in read_builds(commands):
        context = build.context or "-"
        if context == "-":
            continue  # the Dockerfile comes from a pipe, or the command goes on elsewhere
        dockerfile = build.dockerfile or posixpath.join(context, "Dockerfile")
        args = List(items=[Scalar(value=arg) for arg in build.args])
        yield from _build(root, context=".", dockerfile=dockerfile, args=args, target=build.target)


def _read_scalar(keys: Sequence[str], scalar: Scalar, pieces: Pieces) -> None:
    key = keys[-1] if keys else ""
    if scalar.block is not None:
        if key in _DOCKERFILE_KEYS:
            pieces.dockerfiles += [] if scalar.folded else [scalar.block]
        elif key in _SHELL_KEYS:
            inner = read_shell(scalar.block)
            pieces.words += inner.words
            pieces.dockerfiles += inner.dockerfiles
            pieces.commands += inner.commands
    elif scalar.written is not None:
        pieces.words.append(scalar.written)
        if key in _SHELL_KEYS and " " in scalar.value:
            inner = read_shell(scalar.written)
            pieces.words += inner.words
            pieces.commands += inner.commands


def _outputs(kind: Kind, document: Node) -> Iterator[Node]:
    """The images that a file names because it makes them: in Compose, that of a service that is built."""
    services = document.get("services") if isinstance(document, Mapping) and kind is Kind.COMPOSE else None
    for _, service in services.items if isinstance(services, Mapping) else ():
        if isinstance(service, Mapping) and service.get("build") and (image := service.get("image")):
            yield image


def _compose_builds(path: str, document: Mapping) -> Iterator[Build]:
    services = document.get("services")
    for _, service in services.items if isinstance(services, Mapping) else ():
        build = service.get("build") if isinstance(service, Mapping) else None
        if isinstance(build, Mapping):
            yield from _build(
                posixpath.dirname(path),
                context=build.text("context"),
                dockerfile=build.text("dockerfile"),
                args=build.get("args"),
                target=build.text("target"),
            )


def _sam_builds(path: str, document: Mapping) -> Iterator[Build]:
    resources = document.get("Resources")
    for _, resource in resources.items if isinstance(resources, Mapping) else ():
        metadata = resource.get("Metadata") if isinstance(resource, Mapping) else None
        if isinstance(metadata, Mapping) and metadata.get("DockerContext"):
            yield from _build(
                posixpath.dirname(path),
                context=metadata.text("DockerContext"),
                dockerfile=metadata.text("Dockerfile"),
                args=metadata.get("DockerBuildArgs"),
                target=metadata.text("DockerBuildTarget"),
            )


def _serverless_builds(path: str, document: Mapping) -> Iterator[Build]:
    images = _below(document, "provider", "ecr", "images")
    for _, image in images.items if isinstance(images, Mapping) else ():
        if isinstance(image, Mapping) and image.get("path"):
            yield from _build(
                posixpath.dirname(path),
                context=image.text("path"),
                dockerfile=image.text("file"),
                args=image.get("buildArgs"),
                target=None,
            )


def _workflow_builds(path: str, document: Mapping) -> Iterator[Build]:
    """`docker/build-push-action` names the Dockerfile from the root of the repository."""
    root = path.partition(".github/")[0]
    for given in _push_actions(document):
        context = given.text("context") or "."
        dockerfile = given.text("file") or posixpath.join(context, "Dockerfile")
        args, target = given.get("build-args"), given.text("target")
        yield from _build(root, context=".", dockerfile=dockerfile, args=args, target=target)


def _push_actions(document: Mapping) -> Iterator[Mapping]:
    jobs = document.get("jobs")
    for _, job in jobs.items if isinstance(jobs, Mapping) else ():
        steps = job.get("steps") if isinstance(job, Mapping) else None
        for step in steps.items if isinstance(steps, List) else ():
            if isinstance(step, Mapping) and (step.text("uses") or "").startswith("docker/build-push-action@"):
                given = step.get("with")
                yield from (given,) if isinstance(given, Mapping) else ()


def _bake_builds(path: str, document: Mapping) -> Iterator[Build]:
    defaults = {name: block.text("default") or "" for name, block in _blocks(document, "variable")}
    targets = dict(_blocks(document, "target"))
    for target in targets.values():
        args = _inherited(target, targets, "args")
        yield from _build(
            posixpath.dirname(path),
            context=_text(_inherited(target, targets, "context"), defaults) or ".",
            dockerfile=_text(_inherited(target, targets, "dockerfile"), defaults),
            args=_filled_in(args, defaults) if isinstance(args, Mapping) else None,
            target=_text(_inherited(target, targets, "target"), defaults),
        )


def _blocks(document: Mapping, kind: str) -> Iterator[tuple[str, Mapping]]:
    for name, blocks in document.items:
        for label, block in blocks.items if name == kind and isinstance(blocks, Mapping) else ():
            if isinstance(block, Mapping):
                yield label, block


def _inherited(target: Mapping, targets: dict[str, Mapping], key: str) -> Node | None:
    """An attribute of a target, or of the targets it inherits from, the last of which wins."""
    seen: list[Mapping] = []
    waiting = [target]
    while waiting:
        current = waiting.pop()
        if any(current is each for each in seen):
            continue
        seen.append(current)
        if (node := current.get(key)) is not None:
            return node
        parents = current.get("inherits")
        names = [item.value for item in parents.items if isinstance(item, Scalar)] if isinstance(parents, List) else []
        waiting += [targets[name] for name in names if name in targets]
    return None


def _text(node: Node | None, defaults: dict[str, str]) -> str | None:
    """A text in which variables have their defaults."""
    if not isinstance(node, Scalar):
        return None
    text = node.value
    for name, default in defaults.items():
        text = text.replace(f"${{{name}}}", default)
    return text


def _filled_in(args: Mapping, defaults: dict[str, str]) -> Mapping:
    filled = [(name, _text(node, defaults)) for name, node in args.items]
    return Mapping(items=[(name, Scalar(value=text)) for name, text in filled if text is not None])


def _build(
    root: str, *, context: str | None, dockerfile: str | None, args: Node | None, target: str | None
) -> Iterator[Build]:
    """Yield a build whose Dockerfile is in the tree and that says more than a plain build."""
    context, dockerfile = context or ".", dockerfile or "Dockerfile"
    given = tuple(_arguments(args))
    if _is_plain(context, dockerfile) and (given or target):
        joined = posixpath.normpath(posixpath.join(root, context, dockerfile))
        yield Build(dockerfile=joined, args=given, target=target or None)


def _is_plain(*paths: str) -> bool:
    return not any("://" in path or "$" in path or "{" in path for path in paths)


def _arguments(args: Node | None) -> Iterator[tuple[str, str | None]]:
    """Build arguments as a mapping, a list of `NAME=value`, or lines of it; what is put in is not known."""
    match args:
        case Mapping(items=items):
            pairs = [(name, node.value) for name, node in items if isinstance(node, Scalar)]
        case List(items=values):
            pairs = [_pair(node.value) for node in values if isinstance(node, Scalar) and "=" in node.value]
        case Scalar(value=value):
            pairs = [_pair(line.strip()) for line in value.splitlines() if "=" in line]
        case _:
            pairs = []
    yield from ((name, _known(value)) for name, value in pairs)


def _known(value: str) -> str | None:
    """A value with the defaults that it names; Compose writes them as BuildKit does."""
    try:
        expansion = Expander().expand(Traced.from_outside(value)) if "$" in value else None
    except WordError:
        return None
    if expansion is None:
        return value
    return None if expansion.holes else expansion.text


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _below(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


_BUILDS: Final[dict[Kind, Callable[[str, Mapping], Iterator[Build]]]] = {
    Kind.COMPOSE: _compose_builds,
    Kind.SAM: _sam_builds,
    Kind.SERVERLESS: _serverless_builds,
    Kind.WORKFLOW: _workflow_builds,
    Kind.BAKE: _bake_builds,
}
