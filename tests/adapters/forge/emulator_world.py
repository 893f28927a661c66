"""Emulators of GitHub with persons around them, who have the emulator's own API and nothing else."""

from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol
from urllib.parse import quote

from tests.adapters.forge.world import REGULAR, Bot, File, Files
from tests.lab.emulators.emulate import Emulate
from tests.lab.emulators.myworld import Fault, MyWorld
from tests.lab.emulators.rest import BOT, OWNER, PERSON, Rest


class MakeBot(Protocol):
    """Makes the adapter as a process that just started has it, for all repositories or for those that are named."""

    def __call__(self, token: str, *include: str) -> Bot: ...


class Impossible(Exception):
    """Something that a person cannot do at an emulator."""


class RestWorld(ABC):
    """What persons do by the REST API in the same way everywhere: implements most of `World`."""

    def __init__(self, make_bot: MakeBot) -> None:
        self._make_bot = make_bot

    @property
    @abstractmethod
    def tokens(self) -> Mapping[str, str]:
        """The tokens, by login."""

    @abstractmethod
    def rest(self, login: str) -> Rest:
        """The emulator as somebody sees it, without the bridge."""

    @property
    def person(self) -> Rest:
        return self.rest(PERSON)

    def bot(self, *include: str) -> Bot:
        return self._make_bot(self.tokens[BOT], *include)

    def merge(self, name: str, number: int) -> None:
        self.person.do("PUT", f"/repos/{name}/pulls/{number}/merge", {})

    def merge_with_git(self, name: str, branch: str) -> None:
        """Let a person push a merge that is none: the default branch moves forward."""
        default = self.person.get(f"/repos/{name}")["default_branch"]
        self.move(name, default, self.branches(name)[branch])

    def move(self, name: str, branch: str, commit: str, *, force: bool = False) -> None:
        """Let a person move a branch."""
        self.person.do("PATCH", f"/repos/{name}/git/refs/heads/{quote(branch)}", {"sha": commit, "force": force})

    def close(self, name: str, number: int) -> None:
        self.person.do("PATCH", f"/repos/{name}/pulls/{number}", {"state": "closed"})

    def create_branch(self, name: str, branch: str, commit: str) -> None:
        """Let a person create a branch."""
        self.person.do("POST", f"/repos/{name}/git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})

    def delete_branch(self, name: str, branch: str) -> None:
        self.person.do("DELETE", f"/repos/{name}/git/refs/heads/{quote(branch)}")

    def forget_pull_request(self, name: str, number: int) -> NoReturn:
        raise Impossible(f"{name}#{number}: a pull request cannot be deleted, at GitHub neither")

    def add_reviewer(self, name: str, login: str) -> None:
        self.person.do("PUT", f"/repos/{name}/collaborators/{login}", {"permission": "push"})

    def label(self, name: str, number: int, labels: Sequence[str]) -> None:
        place = f"/repos/{name}/issues/{number}"
        for label in self.person.get(f"/repos/{name}/pulls/{number}")["labels"]:
            self.person.do("DELETE", f"{place}/labels/{quote(label['name'], safe='')}")
        if labels:
            self.person.do("POST", f"{place}/labels", {"labels": [*labels]})

    def reviewers(self, name: str, number: int) -> Sequence[str]:
        found = self.person.get(f"/repos/{name}/pulls/{number}")["requested_reviewers"]
        return [person["login"] for person in found]

    def comments(self, name: str, number: int) -> Sequence[str]:
        return [one["body"] for one in self.person.get(f"/repos/{name}/issues/{number}/comments?per_page=100")]

    def is_draft(self, name: str, number: int) -> bool:
        return bool(self.person.get(f"/repos/{name}/pulls/{number}")["draft"])

    def message(self, name: str, commit: str) -> str:
        return str(self.person.get(f"/repos/{name}/commits/{commit}")["commit"]["message"]).strip()

    def branches(self, name: str) -> Mapping[str, str]:
        return {one["name"]: one["commit"]["sha"] for one in self.person.get(f"/repos/{name}/branches?per_page=100")}

    def parents(self, name: str, commit: str) -> list[str]:
        return [parent["sha"] for parent in self.person.get(f"/repos/{name}/commits/{commit}")["parents"]]


class EmulateWorld(RestWorld):
    """The world of `emulate`: one organisation for all tests, so a world takes its repositories away when it ends."""

    def __init__(self, emulator: Emulate, make_bot: MakeBot) -> None:
        super().__init__(make_bot)
        self._emulator, self._tokens = emulator, emulator.tokens()
        self._made: list[str] = []

    @property
    def tokens(self) -> Mapping[str, str]:
        return self._tokens

    def rest(self, login: str) -> Rest:
        return self._emulator.rest(self._tokens[login])

    def end(self) -> None:
        """Delete all repositories."""
        for name in self._made:
            self.person.do("DELETE", f"/repos/{name}")

    def create_repository(self, name: str, files: Files, *, branch: str = "main") -> str:
        self.person.do("POST", f"/orgs/{OWNER}/repos", {"name": name.removeprefix(f"{OWNER}/")})
        self._made.append(name)
        self.person.do("PATCH", f"/repos/{name}", {"default_branch": branch})
        return self.push(name, branch, files) if files else ""

    def push(self, name: str, branch: str, files: Files) -> str:
        branches = self.branches(name)
        parent = branches.get(branch) or branches.get(str(self.person.get(f"/repos/{name}")["default_branch"]))
        commit = self._commit(name, files, [parent] if parent else [])
        if branch in branches:
            self.move(name, branch, commit)
        else:
            self.create_branch(name, branch, commit)
        return commit

    def rename_default_branch(self, name: str, new: str) -> None:
        old = str(self.person.get(f"/repos/{name}")["default_branch"])
        self.create_branch(name, new, self.branches(name)[old])
        self.person.do("PATCH", f"/repos/{name}", {"default_branch": new})
        self.delete_branch(name, old)

    def files(self, name: str, commit: str) -> Files:
        entries = self.person.get(f"/repos/{name}/git/trees/{commit}?recursive=1")["tree"]
        blobs = [entry for entry in entries if entry["type"] == "blob"]
        return {entry["path"]: File(self._content(name, entry["sha"]), entry["mode"]) for entry in blobs}

    def _content(self, name: str, oid: str) -> bytes:
        return b64decode(self.person.get(f"/repos/{name}/git/blobs/{oid}")["content"])

    def _commit(self, name: str, files: Files, parents: Sequence[str]) -> str:
        path = f"/repos/{name}/git"
        tree: dict[str, object] = {"tree": [self._entry(path, place, file) for place, file in files.items()]}
        if parents:
            tree["base_tree"] = self.person.get(f"{path}/commits/{parents[0]}")["tree"]["sha"]
        made = self.person.do("POST", f"{path}/trees", tree)["sha"]
        commit = {"message": "A person's work", "tree": made, "parents": parents}
        return str(self.person.do("POST", f"{path}/commits", commit)["sha"])

    def _entry(self, path: str, place: str, file: File) -> Mapping[str, str]:
        blob = self.person.do("POST", f"{path}/blobs", {"content": _base64(file.content), "encoding": "base64"})
        return {"path": place, "mode": file.mode, "type": "blob", "sha": blob["sha"]}


class MyWorldWorld(RestWorld):
    """The world of `myworld`: a life of its own, in which files are texts and have no modes.

    Repositories are there from the beginning of a life, so with each further one another life begins.
    """

    def __init__(self, emulator: MyWorld, make_bot: MakeBot) -> None:
        super().__init__(make_bot)
        self._emulator, self._seeds = emulator, list[Mapping[str, object]]()
        self._life = emulator.begin([])

    @property
    def tokens(self) -> Mapping[str, str]:
        return self._life.tokens

    def rest(self, login: str) -> Rest:
        return self._emulator.rest(self.tokens[login])

    def end(self) -> None:
        """End this life."""
        self._emulator.end(self._life)

    def go_wrong(self, *faults: Fault) -> None:
        """Let these things go wrong from now on, and no others."""
        self._emulator.go_wrong(self._life, *faults)

    def create_repository(self, name: str, files: Files, *, branch: str = "main") -> str:
        texts = {path: _text(file.content) for path, file in files.items()}
        self._seeds.append({"name": name, "default_branch": branch, "files": texts, "author": PERSON})
        self._life = self._emulator.begin(self._seeds, instead=self._life)
        return self.branches(name)[branch] if files else ""

    def push(self, name: str, branch: str, files: Files) -> str:
        branches = self.branches(name)
        if branch not in branches:
            self.create_branch(name, branch, branches[str(self.person.get(f"/repos/{name}")["default_branch"])])
        for path, file in files.items():
            place = f"/repos/{name}/contents/{quote(path)}"
            now = self.person.find(f"{place}?ref={quote(branch)}")
            body = {"message": "A person's work", "branch": branch, "content": _base64(file.content)}
            self.person.do("PUT", place, body | ({"sha": now["sha"]} if now else {}))
        return self.branches(name)[branch]

    def add_reviewer(self, name: str, login: str) -> None:
        """Whoever is a user may be asked."""

    def reviewers(self, name: str, number: int) -> NoReturn:
        raise Impossible(f"{name}#{number}: it takes who is asked to review, and tells it nobody")

    def rename_default_branch(self, name: str, new: str) -> NoReturn:
        raise Impossible(f"{name}: no branch can be renamed to {new}, and none can become the default")

    def files(self, name: str, commit: str) -> Files:
        return {path: File(content, REGULAR) for path, content in self._walk(name, commit, "%2F")}

    def _walk(self, name: str, commit: str, folder: str) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for one in self.person.get(f"/repos/{name}/contents/{folder}?ref={commit}"):
            place = quote(one["path"])
            if one["type"] == "dir":
                found += self._walk(name, commit, place)
            else:
                content = self.person.get(f"/repos/{name}/contents/{place}?ref={commit}")["content"]
                found.append((one["path"], b64decode(content)))
        return found


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Impossible("a file can be nothing but a text") from None
