"""A first refrom.yaml: the forge and the policy as they are, redeployment as a comment to fill in.

Names come from somebody's repository, so each stands in double quotes as JSON writes them, which YAML reads the same.
"""

import json
from collections.abc import Sequence
from typing import Final

from bot.settings.values import GitHubForge, LocalForge

TOKEN_VARIABLE: Final = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable, not a secret
SCHEMA_FILE: Final = ".refrom/refrom.schema.json"

_HEAD: Final = """\
# yaml-language-server: $schema={schema}
#
# The settings of refrom for {repository}, written by `refrom init`.
# Lambda bases found: {runtimes}.

version: 1

forges:
"""
_GITHUB: Final = """\
  - kind: github
    url: {url}
    token: {{env: {variable}}}  # or app: {{id: 12345, private_key: {{file: app.pem}}}}
    include: [{repository}]  # OWNER/NAME, where NAME may be a glob
"""
_LOCAL: Final = """\
  - kind: local
    root: {root}
    include: [{repository}]
"""
_POLICY: Final = """
policy:                 # what is written here is also the default
  update_on: language   # security, language, packages or any: less than this waits for max_age
  max_age: 30d          # how long a base in use may be behind, whatever changed
  soak: 0h              # how long a new base is left to others first
  style: digest         # digest: pin it in the file; tag: leave the file, rebuild on the moving tag
  on_unknown: pin       # pin, rebuild or wait, where the base in use or its advisories are not known
"""
_DEPLOY: Final = """
# As it stands, refrom only opens pull requests. To let it also rebuild and redeploy after the merge,
# fill in function, image and Region, and take the "#" and the blank away from all lines that follow.
# registries:
#   123456789012.dkr.ecr.eu-west-1.amazonaws.com: {{credentials: {{ecr: eu-west-1}}}}
# deploy:
#   builder: {{kind: docker}}
#   deployer: {{kind: lambda, region: eu-west-1}}
#   targets:                          # one entry for each function
#     - function: {function}
#       repository: {repository}
#       dockerfile: {dockerfile}
#       alias: live                   # left out: $LATEST is what serves
#       image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/{function}
"""


def starter(forge: GitHubForge | LocalForge, runtimes: Sequence[str], dockerfiles: Sequence[str]) -> str:
    """Write the settings for the one repository of a forge, in which these runtimes and Dockerfiles were found."""
    (repository,) = forge.include
    named = [path for path in dockerfiles if path.isprintable()]
    head = _HEAD.format(schema=SCHEMA_FILE, repository=repository, runtimes=", ".join(runtimes) or "none")
    return (
        head
        + _forge(forge, repository)
        + _POLICY
        + _DEPLOY.format(
            repository=_quoted(repository),
            dockerfile=_quoted(named[0] if named else "Dockerfile"),
            function=_function(repository),
        )
    )


def _forge(forge: GitHubForge | LocalForge, repository: str) -> str:
    if isinstance(forge, LocalForge):
        return _LOCAL.format(root=_quoted(str(forge.root)), repository=_quoted(repository))
    return _GITHUB.format(url=_quoted(forge.url), variable=TOKEN_VARIABLE, repository=_quoted(repository))


def _function(repository: str) -> str:
    """A name to be replaced, of letters that ECR and Lambda both take."""
    name = repository.partition("/")[2].lower()
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-") or "function"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
