"""The single values of the settings that are more than text: what each may be, and the cure where it is not.

The functions raise `ValueError`, which the models turn into a fault at the value's place.
"""

import re
from datetime import date, timedelta
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema

from bot.core.advisories import Severity
from bot.core.digest import Digest
from bot.core.errors import InvalidReference
from bot.core.image_tag import TagTemplate
from bot.core.reference import Reference
from bot.settings.surroundings import Surroundings

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.*?\[\]!-]+\Z")
_PATIENCE = re.compile(r"(\d{1,3})([sm])\Z", re.ASCII)
_LAMBDAS_LONGEST = 900
"""Seconds that Lambda lets a function take."""
_DURATION = re.compile(r"(\d{1,5})([dhm])\Z")


def parse_duration(value: object) -> timedelta:
    """Read a duration as it stands in the settings, such as 30d."""
    found = _DURATION.match(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("is no duration; write a number with d, h or m, such as 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _patience(value: object) -> timedelta:
    found = _PATIENCE.match(value) if isinstance(value, str) else None
    seconds = int(found[1]) * (60 if found[2] == "m" else 1) if found else 0
    if not 1 <= seconds <= _LAMBDAS_LONGEST:
        raise ValueError("is no time that an event may take; write 1s to 900s, or 1m to 15m")
    return timedelta(seconds=seconds)


def _day(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("is no date; write year, month and day, such as 2027-01-31") from None


def _address(url: str) -> str:
    if url.startswith("oci:") and url != "oci:":
        return url
    return _web_address(url)


def _web_address(url: str) -> str:
    parts = _split(url)
    host = parts.hostname if parts else None
    if not parts or not host or parts.scheme not in ("http", "https"):
        raise ValueError("is no address; write https://HOST")
    if parts.username or parts.password:
        raise ValueError("holds a login; put it under credentials")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("plain http is read from loopback only; write https://")
    return url


def _mirror_list(url: str) -> str:
    """Check where a mirror list is: `{arch}` is the only thing that is filled in."""
    if set("{}") & set(url.replace("{arch}", "")):
        raise ValueError("has braces; only {arch} may stand in it, for x86_64 or aarch64")
    return _web_address(url.replace("{arch}", "x86_64")) and url


def _rated(severity: Severity) -> Severity:
    if severity is Severity.UNRATED:
        raise ValueError("is no rating; write low, medium, important or critical")
    return severity


def _system(name: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Surroundings):
        info.context.require_system(name)
    return name


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # is only checked when it is read
    except ValueError:
        return None
    return parts


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _host(text: str) -> str:
    """Check a registry's host as it stands in references."""
    try:
        fits = Reference.parse(f"{text}/name").registry == text
    except InvalidReference:
        fits = False
    if not fits:
        raise ValueError("is no registry host; write one such as public.ecr.aws or 127.0.0.1:5000")
    return text


def _mirror(text: str) -> str:
    name = f"{text.rstrip('/')}/name"
    try:
        fits = Reference.parse(name).name == name
    except InvalidReference:
        fits = False
    if not fits:
        raise ValueError("is no name of images; write REGISTRY/PREFIX")
    return text


def _destination(image: str) -> str:
    try:
        reference = Reference.parse(image)
    except InvalidReference as fault:
        raise ValueError(str(fault)) from fault
    if reference.tag or reference.digest:
        raise ValueError(f"{image} has a tag or digest; refrom chooses the tag, so leave it out")
    if reference.name != image:
        raise ValueError(f"{image} names no registry; write {reference.name} if that is meant")
    return image


def _tag_template(text: str) -> str:
    try:
        return TagTemplate.parse(text).text
    except InvalidReference as fault:
        raise ValueError(str(fault)) from fault


def _repository(pattern: str) -> str:
    """Check which repositories of a forge are meant: the owner is literal, because a forge lists by owner."""
    if not _REPOSITORY.match(pattern):
        raise ValueError(f"{pattern!r} names no repository; write OWNER/NAME, where NAME may be a glob such as *")
    return pattern


def _inside(path: str) -> str:
    """Check a path in a source repository, and write it as git does."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"{path} leads out of the source repository; write a path in it")
    return str(pure)


def _digest(text: str) -> str:
    try:
        return str(Digest.parse(text))
    except InvalidReference as fault:
        raise ValueError(str(fault)) from fault


def _known_or_glob(text: str, info: ValidationInfo) -> str:
    return text if set(text) & set("*?[") else _known(text, info)


def _known(identifier: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Surroundings):
        info.context.require_runtime(identifier)
    return identifier


Day = Annotated[date, BeforeValidator(_day)]
Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,5}[dhm]$"})
]
Patience = Annotated[
    timedelta, BeforeValidator(_patience), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,3}[sm]$"})
]
Address = Annotated[str, AfterValidator(_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Host = Annotated[str, AfterValidator(_host)]
Mirror = Annotated[str, AfterValidator(_mirror)]
Destination = Annotated[str, AfterValidator(_destination)]
TagText = Annotated[str, AfterValidator(_tag_template)]
MirrorList = Annotated[str, AfterValidator(_mirror_list)]
SystemName = Annotated[str, AfterValidator(_system)]
RatedSeverity = Annotated[
    Severity,
    AfterValidator(_rated),
    WithJsonSchema({"type": "string", "enum": ["low", "medium", "important", "critical"]}),
]
DigestText = Annotated[str, AfterValidator(_digest)]
PathInside = Annotated[str, AfterValidator(_inside)]
RepositoryGlob = Annotated[str, AfterValidator(_repository)]
RuntimeIdentifier = Annotated[str, AfterValidator(_known)]
RuntimeGlob = Annotated[str, AfterValidator(_known_or_glob)]
