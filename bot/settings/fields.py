"""The single values of the settings that are more than text: what each may be, and the cure where it is not.

The functions raise `ValueError`, which the models turn into a fault at the value's place.
"""

import re
from datetime import date, timedelta
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema

from bot.core.advisories import Severity
from bot.core.deployment import Strategy
from bot.core.digest import Digest
from bot.core.errors import InvalidReference
from bot.core.image_tag import TagTemplate
from bot.core.pull_request import BODY_FIELDS, FIELDS
from bot.core.reference import Reference
from bot.core.templates import Template, is_branch
from bot.core.windows import DAY
from bot.settings.surroundings import Surroundings

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.*?\[\]!-]+\Z")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)\Z")
_REVIEWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,99})?\Z")
_OUR_LINES = "<!-- refrom:"
_LONGEST_LABEL = 50
_TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,49}\Z")
_LONGEST_GLOB = 200
_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+\Z", re.ASCII)
_PATIENCE = re.compile(r"(\d{1,3})([sm])\Z", re.ASCII)
_LAMBDAS_LONGEST = 900
"""Seconds that Lambda lets a function take."""
_DURATION = re.compile(r"(\d{1,5})([dhm])\Z")
_SHARE = re.compile(r"(100|[1-9]\d?)%\Z", re.ASCII)


def parse_duration(value: object) -> timedelta:
    """Read a duration as it stands in the settings, such as 30d."""
    found = _DURATION.match(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("is no duration; write a number with d, h or m, such as 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def parse_hours(text: str) -> tuple[int, int]:
    """Read hours as they stand in the settings, such as 09:00-17:00, as minutes of the day."""
    found = _HOURS.match(text)
    start, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if not found or end > DAY:
        raise ValueError("are no hours; write HH:MM-HH:MM, such as 09:00-17:00")
    if start == end:
        raise ValueError("begin and end at once; leave hours out if all day is meant")
    return start, end


def parse_share(value: object) -> float:
    """Read a share as it stands in the settings, such as 10%."""
    found = _SHARE.match(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("is no share; write 1% to 100%")
    return int(found[1]) / 100


def _hours(text: str) -> str:
    parse_hours(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:80]!r} is no time zone here; write one such as Europe/Berlin or UTC") from None
    return name


def _line(text: str) -> str:
    """Check a template of one line."""
    if "\n" in text or "\r" in text or not text.strip():
        raise ValueError("is empty, or more than one line; write one line")
    return _text(text)


def _text(text: str) -> str:
    """Check a template of a title or a commit message."""
    return _template(text, FIELDS)


def _body(text: str) -> str:
    return _template(text, BODY_FIELDS)


def _template(text: str, fields: tuple[str, ...]) -> str:
    Template.parse(text, fields)
    if not text.strip():
        raise ValueError("is empty; leave it out, or write a text")
    if _OUR_LINES in text:
        raise ValueError(f"holds {_OUR_LINES}, which refrom itself writes; leave it out")
    return text


def _branch(text: str) -> str:
    """Check the template of a branch; by its start the forge lists our branches, so others must not share it."""
    template = Template.parse(text, ("group",))
    if "/" not in template.prefix.lstrip("/"):
        raise ValueError("starts with no folder of its own; write one before the group, such as refrom/{group}")
    if not is_branch(template.render({"group": "python3.13"})):
        raise ValueError("is no branch to git; leave out blanks, and signs such as ~ ^ : ? * [ \\ .. and //")
    return text


def _label(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_LABEL or not name.isprintable():
        raise ValueError(f"is no label; write one line of at most {_LONGEST_LABEL} characters")
    return name


def _reviewer(name: str) -> str:
    if not _REVIEWER.match(name):
        raise ValueError(f"{name[:80]!r} is no reviewer; write a login, or ORG/TEAM")
    return name


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


def _glob(pattern: str) -> str:
    if not 0 < len(pattern) <= _LONGEST_GLOB:
        raise ValueError(f"is no glob of 1 to {_LONGEST_GLOB} characters; write one such as acme/* or legacy/*")
    return pattern


def _topic(text: str) -> str:
    if not _TOPIC.match(text):
        raise ValueError("is no topic of GitHub; write small letters, digits and hyphens")
    return text


def _inside(path: str) -> str:
    """Check a path in a source repository, and write it as git does."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"{path} leads out of the source repository; write a path in it")
    return str(pure)


def _role(arn: str) -> str:
    if not _ROLE.match(arn):
        raise ValueError(f"{arn} is no role; write arn:aws:iam::ACCOUNT:role/NAME")
    return arn


def _secret_id(text: str) -> str:
    if not _SECRET_ID.match(text):
        raise ValueError(f"{text!r} is no id of a secret; write letters, digits, - and _")
    return text


def _environment_name(text: str) -> str:
    if not _VARIABLE.match(text):
        raise ValueError(f"{text!r} is no name of an environment variable; write one such as AWS_PROFILE")
    return text


def _one_star(text: str) -> str:
    if not text or text.count("*") > 1:
        raise ValueError(f"{text!r} has not one * at most; write one where the name varies")
    return text


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


def _strategy(name: str) -> str:
    Strategy.parse(name)
    return name


Day = Annotated[date, BeforeValidator(_day)]
Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,5}[dhm]$"})
]
Patience = Annotated[
    timedelta, BeforeValidator(_patience), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,3}[sm]$"})
]
Share = Annotated[
    float, BeforeValidator(parse_share), WithJsonSchema({"type": "string", "pattern": "^(100|[1-9][0-9]?)%$"})
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
StrategyName = Annotated[str, AfterValidator(_strategy)]
PathInside = Annotated[str, AfterValidator(_inside)]
RepositoryGlob = Annotated[str, AfterValidator(_repository)]
NameGlob = Annotated[str, AfterValidator(_glob)]
PathGlob = Annotated[str, AfterValidator(_glob)]
Topic = Annotated[str, AfterValidator(_topic)]
RuntimeIdentifier = Annotated[str, AfterValidator(_known)]
SecretId = Annotated[str, AfterValidator(_secret_id)]
EnvironmentName = Annotated[str, AfterValidator(_environment_name)]
RoleArn = Annotated[str, AfterValidator(_role)]
OneStar = Annotated[str, AfterValidator(_one_star)]
RuntimeGlob = Annotated[str, AfterValidator(_known_or_glob)]
Hours = Annotated[str, AfterValidator(_hours)]
Zone = Annotated[str, AfterValidator(_zone)]
LineTemplate = Annotated[str, AfterValidator(_line)]
TextTemplate = Annotated[str, AfterValidator(_text)]
BodyTemplate = Annotated[str, AfterValidator(_body)]
BranchTemplate = Annotated[str, AfterValidator(_branch)]
Label = Annotated[str, AfterValidator(_label)]
Reviewer = Annotated[str, AfterValidator(_reviewer)]
