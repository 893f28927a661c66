"""What the REST API answers, as GitHub's description wants it: every field that is required is there and is true."""

from dataclasses import dataclass
from typing import Final

from tests.lab.github.accounts import Account, App, Installation
from tests.lab.github.hub import Hub
from tests.lab.github.links import REPOSITORY_LINKS, USER_LINKS, iso, node_id
from tests.lab.github.repository import Comment, Label, Pull, Repository, Team
from tests.lab.github.shapes_git import GitShapes, Json

_COUNTS: Final = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes(GitShapes):
    """Builds answers about accounts, repositories and pull requests, and those of the git database."""

    hub: Hub

    def user(self, account: Account) -> Json:
        """Build a simple user."""
        url = f"{self.api}/users/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id("U", account.id),
            "avatar_url": f"{self.site}/avatars/{account.id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.site}/{account.login}",
            "type": account.kind,
            "site_admin": False,
            **{name: url + suffix for name, suffix in USER_LINKS.items()},
        }

    def public_user(self, account: Account) -> Json:
        """Build the answer to who the caller is."""
        nothing = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"))
        counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        times = dict.fromkeys(("created_at", "updated_at"), iso(self.hub.now()))
        return {**self.user(account), **nothing, **counts, **times, "blog": "", "user_view_type": "public"}

    def minimal_repository(self, repository: Repository) -> Json:
        """Build a repository as part of something else."""
        url = self.url(repository)
        return {
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "owner": self.user(repository.owner),
            "html_url": f"{self.site}/{repository.full_name}",
            "description": None,
            "fork": False,
            "url": url,
            **{name: url + suffix for name, suffix in REPOSITORY_LINKS.items()},
        }

    def repository(self, repository: Repository) -> Json:
        """Build a repository."""
        html = f"{self.site}/{repository.full_name}"
        moment = iso(repository.created)
        still_open = sum(pull.is_open for pull in repository.pulls.values())
        return {
            **self.minimal_repository(repository),
            **dict.fromkeys(_COUNTS, 0),
            **dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_downloads"), True),
            **dict.fromkeys(("has_pages", "has_discussions", "disabled", "is_template"), False),
            **dict.fromkeys(("open_issues", "open_issues_count"), still_open),
            **dict.fromkeys(("created_at", "updated_at", "pushed_at"), moment),
            **dict.fromkeys(("homepage", "language", "mirror_url", "license")),
            "clone_url": f"{html}.git",
            "svn_url": html,
            "git_url": f"git:{html.partition(':')[2]}.git",
            "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
            "default_branch": repository.default_branch,
            "archived": repository.archived,
            "visibility": "private" if repository.private else "public",
            "allow_auto_merge": repository.allows_auto_merge,
            "topics": [],
        }

    def full_repository(self, repository: Repository) -> Json:
        """Build a repository as it answers for itself."""
        return {**self.repository(repository), "network_count": 0, "subscribers_count": 0}

    def pull(self, repository: Repository, pull: Pull) -> Json:
        """Build a pull request as it stands in a list."""
        url, html = f"{self.url(repository)}/pulls/{pull.number}", self.pull_html(repository, pull)
        issue = f"{self.url(repository)}/issues/{pull.number}"
        links = {
            "self": url,
            "html": html,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{self.url(repository)}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{self.url(repository)}/statuses/{pull.head}",
        }
        return {
            "url": url,
            "id": pull.id,
            "node_id": node_id("PR", pull.id),
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "issue_url": issue,
            **{f"{name}_url": link for name, link in links.items() if name not in ("self", "html", "issue")},
            "number": pull.number,
            "state": "open" if pull.is_open else "closed",
            "locked": False,
            "title": pull.title,
            "user": self.user(pull.author),
            "body": pull.body,
            "created_at": iso(pull.created),
            "updated_at": iso(pull.updated),
            "closed_at": pull.closed and iso(pull.closed),
            "merged_at": pull.merged and iso(pull.merged),
            "merge_commit_sha": pull.merge_commit,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [self.user(account) for account in pull.reviewers],
            "requested_teams": [{**self.team(repository, team), "parent": None} for team in pull.teams],
            "labels": [self.label(repository, repository.labels[name.lower()]) for name in pull.labels],
            "milestone": None,
            "draft": pull.draft,
            "head": self._side(repository, pull.branch, pull.head),
            "base": self._side(repository, pull.base, pull.base_sha),
            "_links": {name: {"href": link} for name, link in links.items()},
            "author_association": "CONTRIBUTOR",
            "auto_merge": self._auto_merge(pull),
        }

    def full_pull(self, repository: Repository, pull: Pull) -> Json:
        """Build a pull request as it answers for itself."""
        changes, mergeable = repository.git.changes(pull.fork_point, pull.head), repository.mergeable(pull)
        return {
            **self.pull(repository, pull),
            "requested_teams": [self.team(repository, team) for team in pull.teams],
            "merged": pull.merged is not None,
            "mergeable": mergeable,
            "mergeable_state": {None: "unknown", True: "clean", False: "dirty"}[mergeable],
            "merged_by": self.user(pull.merged_by) if pull.merged_by else None,
            "comments": len(pull.comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": len(repository.git.commits(pull.fork_point, pull.head)),
            "additions": sum(added for added, _ in changes),
            "deletions": sum(gone for _, gone in changes),
            "changed_files": len(changes),
        }

    def label(self, repository: Repository, label: Label) -> Json:
        """Build a label."""
        return {
            "id": label.id,
            "node_id": node_id("LA", label.id),
            "url": f"{self.url(repository)}/labels/{label.name}",
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": "",  # null at GitHub, which its description of a pull request forbids
        }

    def team(self, repository: Repository, team: Team) -> Json:
        """Build a team."""
        url = f"{self.api}/organizations/{repository.owner.id}/team/{team.id}"
        return {
            "id": team.id,
            "node_id": node_id("T", team.id),
            "url": url,
            "members_url": f"{url}/members{{/member}}",
            "name": team.slug,
            "description": None,
            "permission": "pull",
            "html_url": f"{self.site}/orgs/{repository.owner.login}/teams/{team.slug}",
            "repositories_url": f"{url}/repos",
            "slug": team.slug,
            "type": "organization",
            "organization_id": repository.owner.id,
        }

    def comment(self, repository: Repository, pull: Pull, comment: Comment) -> Json:
        """Build a comment."""
        return {
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "url": f"{self.url(repository)}/issues/comments/{comment.id}",
            "html_url": f"{self.pull_html(repository, pull)}#issuecomment-{comment.id}",
            "issue_url": f"{self.url(repository)}/issues/{pull.number}",
            "user": self.user(comment.author),
            "body": comment.body,
            "created_at": iso(comment.created),
            "updated_at": iso(comment.created),
            "author_association": "CONTRIBUTOR",
        }

    def installation(self, app: App, installation: Installation) -> Json:
        """Build an installation of an App."""
        moment = iso(self.hub.now())
        return {
            "id": installation.id,
            "account": self.user(installation.account),
            "repository_selection": "all",
            "access_tokens_url": f"{self.api}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.site}/organizations/{installation.account.login}/settings/installations",
            "app_id": app.id,
            "app_slug": app.slug,
            "target_id": installation.account.id,
            "target_type": installation.account.kind,
            "permissions": dict(installation.permissions),
            "events": [],
            "single_file_name": None,
            "created_at": moment,
            "updated_at": moment,
            "suspended_by": None,
            "suspended_at": None,
        }

    def app(self, account: Account) -> Json:
        """Build the App behind a bot."""
        found = next((app for app in self.hub.accounts.apps.values() if app.bot == account), None)
        slug = found.slug if found else account.login.removesuffix("[bot]")
        moment = iso(self.hub.now())
        return {
            "id": found.id if found else account.id,
            "slug": slug,
            "node_id": node_id("A", account.id),
            "owner": self.user(found.owner if found else account),
            "name": slug,
            "description": None,
            "external_url": f"{self.site}/apps/{slug}",
            "html_url": f"{self.site}/apps/{slug}",
            "created_at": moment,
            "updated_at": moment,
            "permissions": {"checks": "write"},
            "events": [],
        }

    def _side(self, repository: Repository, branch: str, oid: str) -> Json:
        return {
            "label": f"{repository.owner.login}:{branch}",
            "ref": branch,
            "sha": oid,
            "user": self.user(repository.owner),
            "repo": self.repository(repository),
        }

    def _auto_merge(self, pull: Pull) -> Json | None:
        if pull.auto_merge is None:
            return None
        by, method = pull.auto_merge
        title = f"Merge pull request #{pull.number}"
        return {
            "enabled_by": self.user(by),
            "merge_method": method.lower(),
            "commit_title": title,
            "commit_message": pull.title,
        }
