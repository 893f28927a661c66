"""Logins as the docker command keeps them: in its config.json, or with a credential helper that it names.

Read for those hosts only whose settings say so (docs.docker.com, `docker login`, "Credential stores").
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from bot.adapters.registry.credential_helper import ask_helper
from bot.adapters.registry.endpoint import Credentials
from bot.core.errors import RegistryError
from bot.core.reference import DEFAULT_REGISTRY
from bot.ports.clock import Clock

_HUB: Final = "https://index.docker.io/v1/"
"""What docker calls Docker Hub in its config.json."""
_LARGEST: Final = 4 << 20
_KEPT: Final = timedelta(minutes=10)
_IDENTITY_TOKEN: Final = "<token>"  # noqa: S105 - how a helper says that its secret is one


class DockerLogin:
    """The docker command's login for one registry, for `Endpoint.credentials`; asked for again after ten minutes."""

    def __init__(self, host: str, folder: Path, clock: Clock) -> None:
        self._host, self._path, self._clock = host, folder / "config.json", clock
        self._lock = Lock()
        self._kept: tuple[Credentials, datetime] | None = None

    def __call__(self) -> Credentials:
        """Return the login; raises `RegistryError` where docker has none, or none that can be used here."""
        with self._lock:
            now = self._clock.now()
            if self._kept is None or self._kept[1] <= now:
                self._kept = self._find(), now + _KEPT
            return self._kept[0]

    def _find(self) -> Credentials:
        """Look where docker looks: the host's own helper, else the store for all hosts, else the file itself."""
        config = self._read()
        helper = self._of_host(_mapping(config, "credHelpers")) or config.get("credsStore")
        if helper:
            return self._from_helper(str(helper))
        entry = self._of_host(_mapping(config, "auths"))
        if not isinstance(entry, Mapping) or not (entry.get("auth") or entry.get("identitytoken")):
            raise self._fault(f"{self._path} has no login for it")
        if entry.get("identitytoken"):
            raise self._identity_token(str(self._path))
        try:
            username, password = b64decode(str(entry["auth"]), validate=True).decode().split(":", 1)
        except ValueError:
            raise self._fault(f"{self._path} has a malformed login for it") from None
        return Credentials(username=username, password=password.rstrip("\0"))

    def _from_helper(self, name: str) -> Credentials:
        answer = ask_helper(name, _HUB if self._host == DEFAULT_REGISTRY else self._host)
        username, secret = answer.get("Username"), answer.get("Secret")
        if not isinstance(username, str) or not isinstance(secret, str) or not secret:
            raise self._fault(f"docker-credential-{name} has no login for it")
        if username == _IDENTITY_TOKEN:
            raise self._identity_token(f"docker-credential-{name}")
        return Credentials(username=username, password=secret)

    def _read(self) -> Mapping[str, Any]:
        try:
            with self._path.open("rb") as file:
                document = json.loads(file.read(_LARGEST))
        except OSError as fault:
            raise self._fault(f"{self._path} cannot be read ({fault.strerror})") from fault
        except (ValueError, RecursionError) as fault:
            raise self._fault(f"{self._path} is no JSON") from fault
        if not isinstance(document, dict):
            raise self._fault(f"{self._path} is no JSON object")
        return document

    def _of_host(self, entries: Mapping[str, Any]) -> object:
        """Find the entry of the host under any name that docker writes for it."""
        names = (self._host, *((_HUB, "index.docker.io") if self._host == DEFAULT_REGISTRY else ()))
        found: Iterator[object] = (entry for key, entry in entries.items() if key in names or _bare(key) in names)
        return next(found, None)

    def _identity_token(self, where: str) -> RegistryError:
        reason = f"{where} has an identity token for it, which refrom does not use"
        return self._fault(reason, "give username and password in the settings")

    def _fault(self, reason: str, cure: str = "") -> RegistryError:
        told = cure or f"run docker login {self._host}"
        return RegistryError(f"no docker login for {self._host}: {reason}; {told}", status=401)


def _mapping(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    entries = config.get(key)
    return entries if isinstance(entries, dict) else {}


def _bare(key: str) -> str:
    """Take the host out of a key such as https://HOST/v1/."""
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]
