"""REST: GitHub Apps and their installations, and who the caller is."""

from tests.lab.github.accounts import App, Installation, covers
from tests.lab.github.calls import Call, Reply, endpoint
from tests.lab.github.links import iso
from tests.lab.github.refusals import Refusal, invalid


@endpoint("users/get-authenticated")
def get_authenticated(call: Call) -> Reply:
    """The caller, unless it is a bot: an installation is no user."""
    account = call.account
    if account.kind == "Bot":
        raise Refusal(403, "Resource not accessible by integration")
    return Reply(body=call.shapes.public_user(account))


@endpoint("rate-limit/get")
def get_rate_limit(call: Call) -> Reply:
    """What is left of the quotas; asking costs nothing."""
    core, graphql = (call.hub.limits.quota(call.token, resource).shape for resource in ("core", "graphql"))
    return Reply(body={"resources": {"core": core, "graphql": graphql, "search": core}, "rate": core})


@endpoint("apps/get-org-installation")
def get_organization_installation(call: Call) -> Reply:
    """The installation of the App on an organization."""
    return _get_installation(call, call.values["org"], "Organization")


@endpoint("apps/get-user-installation")
def get_user_installation(call: Call) -> Reply:
    """The installation of the App on a user, or on an organization by its name."""
    return _get_installation(call, call.values["username"], "")


@endpoint("apps/create-installation-access-token")
def create_token(call: Call) -> Reply:
    """A token of an installation, for all that it may or for less."""
    app = _app(call)
    number = call.values["installation_id"]
    found = [one for one in app.installations.values() if str(one.id) == number]
    if not found:
        raise Refusal(404, "Not Found")
    (installation,) = found
    permissions = call.body.get("permissions", installation.permissions)
    repositories = _named_repositories(call, installation)
    if not all(covers(installation.permissions, f"{name}={level}") for name, level in permissions.items()):
        raise Refusal(422, "The permissions requested are not granted to this installation.")
    token = call.hub.accounts.issue(app.bot, permissions, repositories, installation)
    shape = {
        "token": token.value,
        "expires_at": iso(token.expires) if token.expires else "",
        "permissions": dict(permissions),
        "repository_selection": "all" if repositories is None else "selected",
    }
    return Reply(status=201, body=shape)


def _app(call: Call) -> App:
    return call.hub.accounts.app(call.headers.get("authorization", ""))


def _get_installation(call: Call, login: str, kind: str) -> Reply:
    app = _app(call)
    installation = app.installations.get(login.lower())
    if installation is None or (kind and installation.account.kind != kind):
        raise Refusal(404, "Not Found")
    return Reply(body=call.shapes.installation(app, installation))


def _named_repositories(call: Call, installation: Installation) -> frozenset[str] | None:
    owner, names = installation.account.login, call.body.get("repositories")
    if names is None and "repository_ids" not in call.body:
        return None
    by_id = [call.hub.by_id(number) for number in call.body.get("repository_ids", ())]
    by_name = [call.hub.repository(f"{owner}/{name}") for name in names or ()]
    found = [one for one in (*by_id, *by_name) if one and one.owner == installation.account]
    if len(found) < len(by_id) + len(by_name):
        message = (
            "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
        raise invalid("Installation", message=message)
    return frozenset(one.full_name for one in found)
