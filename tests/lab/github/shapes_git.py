"""What the REST API answers about objects and references of git."""

import base64
from dataclasses import dataclass
from typing import Any

from tests.lab.github.bare_git import Commit, Entry, Identity
from tests.lab.github.links import iso, node_id
from tests.lab.github.repository import Pull, Repository

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitShapes:
    """Builds answers for callers who reach the API at `api` and the site at `site`."""

    api: str
    site: str

    def url(self, repository: Repository) -> str:
        """Return the address of a repository in the API."""
        return f"{self.api}/repos/{repository.full_name}"

    def pull_html(self, repository: Repository, pull: Pull) -> str:
        """Return the page of a pull request."""
        return f"{self.site}/{repository.full_name}/pull/{pull.number}"

    def commit(self, repository: Repository, commit: Commit) -> Json:
        """Build a commit of the git database."""
        unsigned = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
        return {
            **self._commit_links(repository, commit.oid),
            "node_id": node_id("C", commit.oid),
            "author": _identity(commit.author),
            "committer": _identity(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{self.url(repository)}/git/trees/{commit.tree}"},
            "parents": [self._commit_links(repository, parent) for parent in commit.parents],
            "verification": unsigned,
        }

    def tree(self, repository: Repository, oid: str, entries: list[Entry], *, truncated: bool) -> Json:
        """Build a tree of the git database."""
        lines = [self._entry(repository, entry) for entry in entries]
        return {"sha": oid, "url": f"{self.url(repository)}/git/trees/{oid}", "tree": lines, "truncated": truncated}

    def blob(self, repository: Repository, oid: str, content: bytes) -> Json:
        """Build a blob of the git database."""
        return {
            "sha": oid,
            "node_id": node_id("B", oid),
            "size": len(content),
            "url": f"{self.url(repository)}/git/blobs/{oid}",
            "content": base64.encodebytes(content).decode(),
            "encoding": "base64",
        }

    def reference(self, repository: Repository, name: str, oid: str, kind: str) -> Json:
        """Build a reference of the git database."""
        url = self.url(repository)
        return {
            "ref": name,
            "node_id": node_id("REF", f"{repository.id}:{name}"),
            "url": f"{url}/git/{name}",
            "object": {"sha": oid, "type": kind, "url": f"{url}/git/{kind}s/{oid}"},
        }

    def _commit_links(self, repository: Repository, oid: str) -> Json:
        return {
            "sha": oid,
            "url": f"{self.url(repository)}/git/commits/{oid}",
            "html_url": f"{self.site}/{repository.full_name}/commit/{oid}",
        }

    def _entry(self, repository: Repository, entry: Entry) -> Json:
        line: Json = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.oid}
        if entry.kind != "commit":
            line["url"] = f"{self.url(repository)}/git/{entry.kind}s/{entry.oid}"
        return line if entry.size is None else {**line, "size": entry.size}


def _identity(identity: Identity) -> Json:
    return {"name": identity.name, "email": identity.email, "date": iso(identity.at)}
