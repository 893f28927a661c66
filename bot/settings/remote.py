"""Which forge the address of a git remote leads to, as `forges` in the settings would name it.

The forms are those of git-fetch(1), "GIT URLS". An address may hold a login, so no message shows one whole.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from bot.core.errors import SettingsError
from bot.settings.fields import is_loopback
from bot.settings.values import GitHubForge, LocalForge

GITHUB_COM: Final = "https://api.github.com"

_REPOSITORY: Final = re.compile(r"(?P<owner>(?!\.)[A-Za-z0-9_.-]+)/(?P<name>(?!\.{1,2}\Z)[A-Za-z0-9_.-]+)\Z")
_OWNER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\Z")
_SCP_LIKE: Final = re.compile(r"(?:[^/:@]*@)?(?P<host>[^/:@]+):(?!:)(?P<path>.*)\Z", re.DOTALL)
_SCHEMES: Final = frozenset(("https", "http", "ssh", "git+ssh", "ssh+git", "git"))
_DOT_COM: Final = frozenset(("github.com", "www.github.com", "ssh.github.com"))
_DATA_RESIDENCY: Final = ".ghe.com"
_OTHERS: Final = ("gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com")
_CURE: Final = "run it in a clone from GitHub, or write refrom.yaml by hand (docs/reference/settings.md)"


def forge_of(address: str) -> GitHubForge | LocalForge:
    """Return the forge with the one repository that an address names; raises `SettingsError` if it names none.

    A host that is not github.com is taken for a GitHub Enterprise Server.
    """
    if "://" in address:
        parts = _split(address)
        if parts.scheme == "file":
            return _local(unquote(parts.path))
        if parts.scheme not in _SCHEMES:
            raise _refused(f"speaks {parts.scheme[:20]!a}, which is none of https, http and ssh")
        return _github(parts, parts.path)
    if found := _SCP_LIKE.match(address):
        return _github(_split(f"ssh://{found['host']}"), found["path"])
    return _local(address)


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # is only checked when it is read
    except ValueError:
        raise _refused("is no address") from None
    return parts


def _github(parts: SplitResult, path: str) -> GitHubForge:
    host, repository = parts.hostname or "", path.strip("/").removesuffix(".git")
    if not _HOST.match(host):
        raise _refused("names no host")
    if any(host == other or host.endswith(f".{other}") for other in _OTHERS):
        raise _refused(f"leads to {host}, which is no GitHub")
    found = _REPOSITORY.match(repository)
    if not found or not _OWNER.match(found["owner"]):
        raise _refused(f"names no repository OWNER/NAME on {host}")
    if "." not in host and "ssh" in parts.scheme:
        raise _refused(f"names the host {host}, which is no full name but an alias of ssh's")
    return GitHubForge(url=_api(parts, host), include=(repository,))


def _api(parts: SplitResult, host: str) -> str:
    """Where the REST API of a host is; only loopback is spoken to without TLS."""
    if host in _DOT_COM:
        return GITHUB_COM
    if host.endswith(_DATA_RESIDENCY):
        return f"https://api.{host}"
    if parts.scheme == "http" and is_loopback(host):
        return f"http://{_with_port(host, parts)}/api/v3"
    return f"https://{_with_port(host, parts) if parts.scheme == 'https' else host}/api/v3"


def _with_port(host: str, parts: SplitResult) -> str:
    return f"{host}:{parts.port}" if parts.port else host


def _local(path: str) -> LocalForge:
    """A bare repository in a folder of them."""
    pure = Path(path)
    repository = f"{pure.parent.name}/{pure.name.removesuffix('.git')}"
    if not path.isprintable():
        raise _refused("is a path with a control character, which settings cannot hold")
    if not pure.is_absolute() or pure.suffix != ".git" or not _REPOSITORY.match(repository):
        raise _refused("is no address, and no path to a bare repository OWNER/NAME.git")
    return LocalForge(root=pure.parent.parent, include=(repository,))


def _refused(what: str) -> SettingsError:
    return SettingsError([f"the remote origin {what}; {_CURE}"])
