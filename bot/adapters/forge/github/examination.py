"""What a token reaches and may on a GitHub, as far as GitHub tells it without being written to.

It tells an App's permissions with each of its tokens, and a classic token's scopes in a header (docs.github.com,
"Scopes for OAuth apps"). Of other tokens it tells nothing: the `permissions` of a repository are those of the user
whose token it is, and a workflow's token has no user.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from bot.adapters.forge.github import queries
from bot.adapters.forge.github.budget import is_for_others
from bot.adapters.forge.github.fetching import reach
from bot.adapters.forge.github.forge import GitHubForge
from bot.adapters.forge.github.sender import Errand, Sender
from bot.adapters.forge.github.tokens import FixedToken, Tokens
from bot.adapters.forge.github.wire import Graph, Rest, User, parse
from bot.adapters.transport import Response
from bot.adapters.transport.skew import check_clock
from bot.core.errors import ForgeError, RefromError
from bot.ports.clock import Clock
from bot.ports.examination import ACCESS, Check, checked, failed, passed, skipped

NEEDED: Final = {"contents": "write", "pull_requests": "write"}
"""What a token must be allowed, and all that it must be (metadata: read comes by itself)."""
FOR_TEAMS: Final = {"members": "read"}
"""What it must be beside that, of an organisation, where teams are asked to review."""
FOR_BUILDS: Final = {"actions": "write"}
"""What it must be beside that where a workflow builds images."""
_LEVELS: Final = ("read", "write", "admin")
_SCOPES: Final = "X-OAuth-Scopes"
_WITHOUT_USER: Final = "ghs_"
_CLASSIC: Final = ("ghp_", "gho_")
"""How tokens begin that are no user's, and those with scopes (docs.github.com, "About authentication to GitHub")."""
_OF_A_WORKFLOW: Final = "github-actions[bot]"
_LIMITS_OF_A_WORKFLOW: Final = (
    "GITHUB_TOKEN has 1,000 requests an hour for its repository, and reaches no other; "
    "what it does starts no workflows; "
    "it may create pull requests only where Settings, Actions, General allows it"
)
"""docs.github.com, "Rate limits for the REST API" and "Use GITHUB_TOKEN for authentication in workflows"."""
_MOST: Final = 25
"""Repositories that are asked for their permissions, with one request each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubExamination:
    """Looks at one GitHub with the tokens of the forge that the settings name.

    `asks_teams` says that teams are among the reviewers: who asks one must be allowed to see it.
    """

    forge: GitHubForge
    sender: Sender
    tokens: Tokens
    include: Sequence[str]
    clock: Clock
    reserve: float = 0
    """The share of each quota that a run leaves to others."""
    asks_teams: bool = False
    workflow: str = ""
    """The workflow that builds images, if one does, and the source repositories that it builds."""
    built: Sequence[str] = ()

    @property
    def subject(self) -> str:
        """The API's address."""
        return f"GitHub {self.sender.site.rest}"

    def examine(self) -> Iterator[Check]:
        """Look at the token, or at the App's installation for each owner; then at the server, repositories and git."""
        let_in: dict[str, Response] = {}
        for owner in self._owners():
            yield from self._look_in(owner, let_in)
        for owner, answer in list(let_in.items())[:1]:
            yield check_clock(self.subject, answer.headers.get("Date"), self.clock.now())
            yield checked(self.subject, "rate limit", partial(self._quota, owner))
            yield from self._repositories()
            for name in self.built[:_MOST]:
                yield checked(name, "workflow", partial(self.forge.jobs(self.workflow).reach, name))

    def _owners(self) -> list[str]:
        """Whom to ask for: every owner grants an App its own token, while any other token is the same for all."""
        owners = list(dict.fromkeys(pattern.partition("/")[0] for pattern in self.include))
        return owners[:1] if isinstance(self.tokens, FixedToken) else owners

    def _look_in(self, owner: str, let_in: dict[str, Response]) -> Iterator[Check]:
        """Ask who we are; an owner that lets us in is noted with GitHub's answer."""
        try:
            errand = self._errand(owner, "say who we are")
            granted = self.tokens.permissions(owner)
            reply = self.sender.query(queries.SELF, {}, errand)
            known = parse(_Self, reply.whole(errand), owner)
        except RefromError as fault:
            yield failed(self.subject, ACCESS, fault)
            return
        where = "" if granted is None else f" for {owner}"
        yield passed(self.subject, ACCESS, f"knows us as {known.viewer.login}{where}")
        if known.viewer.login == _OF_A_WORKFLOW:
            yield skipped(self.subject, "workflow", _LIMITS_OF_A_WORKFLOW)
        if not let_in:
            yield checked(self.subject, "version", partial(_require_mutations, known))
        if granted is not None:
            yield checked(owner, "write", partial(self._require_granted, owner, granted))
        let_in[owner] = reply.answer

    def _require_granted(self, owner: str, granted: Mapping[str, str]) -> str:
        needed = {**NEEDED, **(FOR_TEAMS if self.asks_teams else {}), **(FOR_BUILDS if self.workflow else {})}
        lacking = [f"{name}: {level}" for name, level in needed.items() if not _covers(granted.get(name), level)]
        if lacking:
            cure = "let it ask for them in the App's settings, under Permissions, and accept them at the installation"
            raise ForgeError(f"{owner} does not grant the App {' and '.join(lacking)}; {cure}")
        also = ", and see teams" if self.asks_teams else ""
        also += ", and start workflows" if self.workflow else ""
        return f"the App may write contents and pull requests{also}"

    def _repositories(self) -> Iterator[Check]:
        """Ask for permissions where the App's are not known already, and let git reach the first repository."""
        try:
            names = [found.name for found in self.forge.repositories() if not found.fault]
        except RefromError:
            return  # whoever lists them says so
        if isinstance(self.tokens, FixedToken):
            for name in names[:_MOST]:
                yield self._may_write(name)
            if len(names) > _MOST:
                yield skipped(
                    self.subject, "write", f"{len(names) - _MOST} of {len(names)} repositories were not asked"
                )
        for name in names[:1]:
            yield checked(name, "git", partial(self._git, name))

    def _quota(self, owner: str) -> str:
        found = self.sender.find("/rate_limit", self._errand(owner, "see its rate limit"))
        if found is None:
            return "has none"  # an Enterprise Server may be without
        left = parse(_RateLimit, found.body, owner).resources
        told = f"{left.core} requests and {left.graphql} points of GraphQL are left for this hour"
        if self.reserve:
            told += f", of which {self.reserve:.0%} is kept for others"
        used_up = [quota for quota in (left.core, left.graphql) if quota.is_used_up(self.reserve)]
        if used_up:
            until = datetime.fromtimestamp(max(quota.reset for quota in used_up), UTC)
            cure = "wait for that" + (", or lower reserve under forges" if self.reserve else "")
            raise ForgeError(f"{told}: a run would wait until {until:%Y-%m-%d %H:%M:%S} UTC; {cure}")
        return told

    def _may_write(self, name: str) -> Check:
        try:
            errand = self._errand(name, "look at it")
            answer = self.sender.read(f"/repos/{name}", errand)
            found = parse(_Permitted, answer.body, name)
            scopes = answer.headers.get(_SCOPES) if errand.token.startswith(_CLASSIC) else None
            return _judge_user(name, found, scopes, has_user=not errand.token.startswith(_WITHOUT_USER))
        except RefromError as fault:
            return failed(name, "write", fault)

    def _git(self, name: str) -> str:
        url = self.sender.site.clone_url(name)
        reach(name, url, self.tokens.token(name.partition("/")[0]))
        return f"reads {url}"

    def _errand(self, what: str, verb: str) -> Errand:
        owner = what.partition("/")[0]
        return Errand(what, verb, self.tokens.token(owner), self.tokens.identity(owner))


class _Self(Graph):
    """Who we are, and the types of the mutations that an older Enterprise Server lacks."""

    viewer: User
    create_commit_on_branch: Mapping[str, str] | None = None
    update_refs: Mapping[str, str] | None = None


class _Quota(Rest):
    limit: int
    remaining: int
    reset: int

    def is_used_up(self, reserve: float) -> bool:
        return not self.remaining or is_for_others(self.remaining, self.limit, reserve)

    def __str__(self) -> str:
        return f"{self.remaining} of {self.limit}"


class _Resources(Rest):
    core: _Quota
    graphql: _Quota


class _RateLimit(Rest):
    resources: _Resources


class _Permitted(Rest):
    """A repository, with what its user may."""

    private: bool = True
    permissions: Mapping[str, bool] = {}


def _require_mutations(known: _Self) -> str:
    types = {"createCommitOnBranch": known.create_commit_on_branch, "updateRefs": known.update_refs}
    lacking = [name for name, found in types.items() if found is None]
    if lacking:
        raise ForgeError(f"this server does not know {' and '.join(lacking)}, with which refrom commits; upgrade it")
    return f"knows {' and '.join(types)}"


def _covers(held: str | None, level: str) -> bool:
    """Whether a permission is at least of a level; GitHub may have ones that are not known here."""
    return held in _LEVELS[_LEVELS.index(level) :]


def _judge_user(name: str, found: _Permitted, scopes: str | None, *, has_user: bool) -> Check:
    """Say what is known of a token that is no App's."""
    if not has_user:
        needed = "it needs contents: write and pull-requests: write, in a workflow under permissions"
        return skipped(name, "write", f"GitHub does not tell what this token may; {needed}")
    if found.permissions.get("push") is False:
        fault = ForgeError(f"the user of the token may only read {name}; give that user the role Write there")
        return failed(name, "write", fault)
    if scopes is None:
        needed = "it needs Contents and Pull requests: read and write"
        return skipped(name, "write", f"its user may write, but GitHub does not tell what this token may; {needed}")
    held = {scope.strip() for scope in scopes.split(",")}
    if "repo" not in held and (found.private or "public_repo" not in held):
        return failed(name, "write", ForgeError(f"the token has the scopes {scopes or '(none)'}; make one with repo"))
    return passed(name, "write", "the token and its user may write")
