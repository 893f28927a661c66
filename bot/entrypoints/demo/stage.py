"""Sets the demo's stage: base images in layouts, bare git repositories, functions in a file, settings."""

from dataclasses import dataclass, replace
from pathlib import Path

from git import Actor, Repo

from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, REVISION_LABEL
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import MOVES, SERVICES, START, Service
from bot.entrypoints.demo.images import BaseSpec, publish_base, publish_function
from bot.wiring import Rehearsal

_BASES = Reference("public.ecr.aws", "lambda")
_IMAGES = "registry.example"
_HANDLER = "def handler(event, context):\n    return {'service': '%s', 'event': event}\n"

SETTINGS = """\
version: 1
registries:
  public.ecr.aws: {url: "oci:registry"}
  registry.example: {url: "oci:registry"}
forges:
  - {kind: local, root: repositories}
advisories: {feeds: {}}
policy:
  update_on: packages
deploy:
  builder: {kind: rebase}
  deployer: {kind: local, state: functions.json}
  targets:
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything lies."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The settings file, as a user would write it."""
        return self.folder / "refrom.yaml"

    def write_settings(self) -> None:
        """Write the settings for the fleet."""
        targets = "".join(_target(service) for service in SERVICES if service.base)
        self.settings.write_text(SETTINGS + targets, encoding="utf-8")

    def publish(self, rehearsal: Rehearsal, spec: BaseSpec) -> Digest:
        """Publish a base under its moving tag."""
        return publish_base(rehearsal.writer, _name(spec), spec)

    def build(self, rehearsal: Rehearsal) -> None:
        """Publish the bases, push the sources, deploy the functions, all as they were on the first day."""
        digests = {move.before.name: self.publish(rehearsal, move.before) for move in MOVES}
        for service in SERVICES:
            digest = str(digests[service.base]) if service.base else ""
            dockerfile = service.dockerfile.replace("{digest}", digest)
            commit = push_source(self.folder, replace(service, dockerfile=dockerfile))
            if service.base:
                self._deploy(rehearsal, service, digests[service.base], commit)

    def _deploy(self, rehearsal: Rehearsal, service: Service, digest: Digest, commit: str) -> None:
        """Build the image as `docker build` would, push it and let a function serve it."""
        move = next(move for move in MOVES if move.before.name == service.base)
        base = _name(move.before).with_tag(move.before.tag).with_digest(digest)
        image = Reference(_IMAGES, service.name, "v1")
        built = publish_function(
            rehearsal.writer,
            rehearsal.registry,
            base,
            service.platform,
            {"var/task/app.py": (_HANDLER % service.name).encode()},
            image,
            {BASE_NAME_LABEL: str(base.with_digest(None)), BASE_DIGEST_LABEL: str(digest), REVISION_LABEL: commit},
        )
        rehearsal.functions.create(
            service.name, image.with_tag(None).with_digest(built), service.platform, aliases=("live",)
        )


def push_source(folder: Path, service: Service) -> str:
    """Make the bare repository of a service, with one commit of a developer's, and return the commit."""
    bare = folder / "repositories" / f"{service.repository}.git"
    Repo.init(bare, bare=True, initial_branch="main", mkdir=True).close()
    work = folder / "work" / service.name
    with Repo.init(work, initial_branch="main", mkdir=True) as repo:
        files = {service.path: service.dockerfile, "app.py": _HANDLER % service.name}
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text, encoding="utf-8")
        repo.index.add(list(files))
        by = Actor("A Developer", "developer@acme.example")
        commit = repo.index.commit("Add the service", author=by, committer=by, author_date=START, commit_date=START)
        repo.git.push(str(bare), "main")
        return commit.hexsha


def _name(spec: BaseSpec) -> Reference:
    return Reference(_BASES.registry, f"{_BASES.repository}/{spec.name}")


def _target(service: Service) -> str:
    return (
        f"    - function: {service.name}\n"
        f"      repository: {service.repository}\n"
        f"      dockerfile: {service.path}\n"
        f"      alias: live\n"
        f"      image: {_IMAGES}/{service.name}\n"
    )
