"""The functions of whole accounts in the audit: those that no target names, and what is told of several at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.consistency import Serving, inconsistencies
from bot.core.deployment import Alias
from bot.core.errors import RefromError
from bot.core.managed import judge_managed
from bot.core.management import Management
from bot.core.modes import Mode, UpdateMode, effective, manual_of, of_tags, unread
from bot.core.proposals import groups_of
from bot.core.responsibility import Evidence, Finding, Verdict, judge_served
from bot.core.runtimes import Runtime
from bot.core.target import Target
from bot.ports.deployer import Function
from bot.ports.fleet import SeenFunction
from bot.ports.forge import PullRequestState
from bot.steps.compare import compare
from bot.steps.fleet import LATEST
from bot.steps.inquire import Inquiry
from bot.steps.serving import shares_of
from bot.steps.urgency import freshness_for


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding, and from what its image is built: functions of the same source should serve the same image."""

    source: tuple[str, ...]
    finding: Finding


def judge_seen(inquiry: Inquiry, seen: SeenFunction, now: datetime) -> Iterator[Judged]:
    """Judge all that one function serves and no target names."""
    if seen.listed.is_image:
        yield from _images(inquiry, seen, now)
    else:
        yield from (Judged((), finding) for finding in _managed(inquiry, seen, now))


def source_of(target: Target) -> tuple[str, ...]:
    """From what the image of a target is built: two targets of one source should serve one image."""
    arguments = (f"{name}={value}" for name, value in sorted(target.build_args.items()))
    return (target.repository, target.dockerfile, target.stage or "", *arguments)


def with_consistency(judged: Sequence[Judged]) -> Iterator[Finding]:
    """Add to each finding what other places of its source serve, where that differs."""
    servings = [
        Serving(
            source=(*one.source, str(one.finding.evidence.platform)),
            where=_where(one.finding),
            images=frozenset(served.image for served in one.finding.serves if served.image),
        )
        for one in judged
        if one.source
    ]
    told = inconsistencies(servings)
    for one in judged:
        text = told.get(_where(one.finding), "") if one.source else ""
        yield replace(one.finding, evidence=replace(one.finding.evidence, consistency=text))


def with_pull_requests(
    inquiry: Inquiry, findings: Iterable[Finding], skipped: frozenset[str] = frozenset()
) -> tuple[Sequence[Finding], Sequence[tuple[str, str]]]:
    """Add the open pull request of ours to each finding that is not current; a forge's faults are returned.

    `skipped` are repositories that are not asked.
    """
    urls: dict[tuple[str, str], str | None] = {}
    faults: dict[str, str] = {}
    found = []
    for finding in findings:
        place = None if finding.verdict is Verdict.CURRENT else _branch(inquiry, finding.evidence)
        place = None if place and place[0] in skipped else place
        if place and place not in urls:
            try:
                urls[place] = _open(inquiry, *place)
            except RefromError as fault:
                urls[place] = None
                faults[place[0]] = str(fault)
        url = urls[place] if place else None
        found.append(replace(finding, evidence=replace(finding.evidence, pull_request=url)))
    return found, tuple(faults.items())


def _branch(inquiry: Inquiry, evidence: Evidence) -> tuple[str, str] | None:
    """Where our pull request for what a function is built from would be."""
    decisions = inquiry.decisions.get(evidence.repository or "", ())
    for group in groups_of(decisions, inquiry.rules.pull_requests):
        if any(decision.use.located.path == evidence.path for decision in group.decisions):
            return decisions[0].use.repository, group.branch
    return None


def _open(inquiry: Inquiry, repository: str, branch: str) -> str | None:
    listed = inquiry.world.forge.pull_requests(repository, branch)
    return next((pull.url for pull in listed if pull.state is PullRequestState.OPEN), None)


def _where(finding: Finding) -> str:
    return f"{finding.evidence.function}:{finding.evidence.alias or LATEST}"


def _images(inquiry: Inquiry, seen: SeenFunction, now: datetime) -> Iterator[Judged]:
    """Judge each alias, else `$LATEST`; what a target names is judged there."""
    targets = [target for target in inquiry.rules.targets if target.function in seen.listed.names]
    named = {target.alias for target in targets}
    freshness = freshness_for(inquiry)
    aliases: Sequence[Alias | None] = seen.aliases or ([] if named else [None])
    for alias in aliases:
        if (alias.name if alias else None) not in named:
            shares = _shares(inquiry, seen, alias, now)
            if targets:
                source, repository, path = source_of(targets[0]), targets[0].repository, targets[0].dockerfile
                shares = [(weight, replace(one, repository=repository, path=path)) for weight, one in shares]
            else:
                image = shares[0][1].image
                source = (image.repository if image else "", seen.listed.arn.rpartition(":")[2])
            yield Judged(source, judge_served(shares, freshness, now))


def _shares(inquiry: Inquiry, seen: SeenFunction, alias: Alias | None, now: datetime) -> list[tuple[float, Evidence]]:
    """Collect what is known of each version that serves; what cannot be read is told in the function's row."""
    blank = _declared(inquiry, seen, now)
    blank = replace(blank, alias=alias.name if alias else None, redeployed=seen.listed.modified)
    if seen.aliases_unread:
        return [(1.0, replace(blank, fault=seen.aliases_unread))]
    try:
        shares = shares_of(seen.listed.arn, alias, inquiry.world.functions)
        return [(share.weight, _image(inquiry, blank, share.function, now)) for share in shares]
    except RefromError as fault:
        return [(1.0, replace(blank, fault=str(fault)))]


def _image(inquiry: Inquiry, blank: Evidence, serving: Function, now: datetime) -> Evidence:
    evidence = replace(
        blank, version=serving.version, redeployed=serving.modified, image=serving.image, platform=serving.platform
    )
    if serving.image is None:
        return evidence
    proven = inquiry.lineage(serving.image, serving.platform)
    evidence = replace(evidence, lineage=proven)
    return compare(inquiry, evidence, proven.base, now) if proven.base else evidence


def _managed(inquiry: Inquiry, seen: SeenFunction, now: datetime) -> Iterator[Finding]:
    """Judge `$LATEST`, and each version that an alias serves: update modes are per version."""
    serving = [(None, LATEST), *((alias.name, number) for alias in seen.aliases for number in _numbers(alias))]
    blank = _declared(inquiry, seen, now)
    for alias, number in serving:
        version = seen.versions.get(number)
        fault = seen.unread.get(number, "") or (seen.aliases_unread if alias is None else "")
        evidence = replace(
            blank,
            alias=alias,
            version=number,
            runtime=version.runtime if version else seen.listed.runtime,
            redeployed=version.function.modified if version else seen.listed.modified,
            fault=fault,
        )
        management = version.management if version and version.management else Management(mode_unread=fault)
        catalogued = replace(management, runtime=_catalogued(inquiry, evidence.runtime or ""))
        yield judge_managed(evidence, catalogued, freshness_for(inquiry).any, now)


def _numbers(alias: Alias) -> tuple[str, ...]:
    return (alias.version, *(version for version, _ in alias.weights))


def _catalogued(inquiry: Inquiry, runtime: str) -> Runtime | None:
    catalogue = inquiry.rules.catalogue
    return catalogue.get(runtime) if runtime in catalogue else None


def _declared(inquiry: Inquiry, seen: SeenFunction, now: datetime) -> Evidence:
    """What people declared for a function, in its tags and under any of its names."""
    names, declared, today = seen.listed.names, inquiry.rules.declared, now.date()
    holds = (declared.hold_for(function=name, today=today) for name in names)
    hold = next((hold for hold in holds if hold), None)
    said = (*_tagged(seen), *(mode for name in names for mode in declared.modes_of(name)))
    mode = effective(said, today)
    return Evidence(
        function=seen.listed.arn,
        repository=None,
        held=hold.reason if hold else str(mode) if mode.mode is Mode.MANUAL else "",
        held_until=hold.until if hold else mode.until,
        manual=manual_of(said, today),
        mode=str(mode.mode),
    )


def _tagged(seen: SeenFunction) -> tuple[UpdateMode, ...]:
    """The mode that its tags say; what is wrong with them matters where a mode of ours does, which is for images."""
    if LATEST not in seen.versions:
        return ()
    latest = seen.versions[LATEST].function
    mode = unread(latest.tags_fault) if latest.tags_fault else of_tags(latest.tags)
    return (mode,) if mode and (seen.listed.is_image or not mode.fault) else ()
