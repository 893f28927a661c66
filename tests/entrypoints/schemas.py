"""The command line's documents as JSON schemas, written by hand from the contract: keys may come, none may go."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
DIGEST: Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
PLATFORM: Schema = {"type": "string", "pattern": "^linux/(amd64|arm64)$"}
SEVERITY: Schema = {"enum": ["low", "medium", "important", "critical", "unrated"]}
SIGNIFICANCE: Schema = {"enum": ["none", "metadata", "files", "packages", "language", "security"]}


def null_or(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, schema]}


def objects(**properties: Schema) -> Schema:
    """An object with at least these keys."""
    return {"type": "object", "required": list(properties), "properties": properties}


def document(name: str, **properties: Schema) -> Schema:
    return objects(schema={"const": f"refrom.{name}/1"}, **properties)


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


SKIPPED = objects(path=TEXT, line=null_or(COUNT), reason=TEXT)

SCAN = document(
    "scan",
    uses=array(
        {
            **objects(
                path=TEXT,
                carrier=TEXT,
                kind={"enum": ["from", "copy-from", "mount-from", "literal"]},
                line={"type": "integer", "minimum": 1},
                raw=TEXT,
                resolved=null_or(TEXT),
                stage=null_or(TEXT),
                final=FLAG,
                platform=null_or(TEXT),
                runtime=null_or(TEXT),
                edit=objects(site={"enum": ["literal", "arg-default", "unresolvable"]}),
            ),
        }
    ),
    skipped=array(SKIPPED),
)
SCAN["properties"]["uses"]["items"]["required"].append("lambda")

WATCH = document(
    "watch",
    observations=array(
        objects(
            runtime=TEXT,
            reference=TEXT,
            digest=DIGEST,
            platforms={"type": "object", "additionalProperties": DIGEST, "minProperties": 1},
            created=null_or(TIME),
            first_seen=TIME,
            first_seen_by={"enum": ["watch", "created", "stamp"]},
        )
    ),
    waiting=array(objects(runtime=TEXT, reason=TEXT)),
    errors=array(objects(runtime=TEXT, reason=TEXT)),
)

DAY: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
CATALOGUE = document(
    "catalogue",
    runtimes=array(
        objects(
            runtime=TEXT,
            reference=TEXT,
            repository=TEXT,
            tag=TEXT,
            mirrors=array(TEXT),
            os=TEXT,
            platforms={**array(PLATFORM), "minItems": 1},
            preview=FLAG,
            deprecation=null_or(DAY),
            deprecated=FLAG,
            block_create=null_or(DAY),
            block_update=null_or(DAY),
            watched=FLAG,
        )
    ),
)

MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$"}
LEDGER = document(
    "ledger",
    observations={
        **array(
            objects(
                runtime=TEXT,
                reference=TEXT,
                digest=DIGEST,
                first_seen=MOMENT,
                first_seen_by={"enum": ["watch", "created", "stamp"]},
                last_seen=MOMENT,
                bases=array(
                    objects(
                        platform=PLATFORM,
                        digest=DIGEST,
                        created=null_or(MOMENT),
                        layers=array(DIGEST),
                        diff_ids=array(DIGEST),
                    )
                ),
            )
        ),
        "minItems": 1,
    },
)

FILES = objects(added=COUNT, removed=COUNT, changed=COUNT)
STRING = null_or({"type": "string"})
VERSIONS = {"old": null_or(TEXT), "new": null_or(TEXT)}
DIFF = document(
    "diff",
    old=objects(digest=DIGEST),
    new=objects(digest=DIGEST),
    significance=SIGNIFICANCE,
    severity=null_or(SEVERITY),
    reasons=array(objects(significance=SIGNIFICANCE, severity=null_or(SEVERITY), what=TEXT)),
    platforms=array(
        objects(
            platform=PLATFORM,
            identical=FLAG,
            packages=array(objects(name=TEXT, arch=TEXT, **VERSIONS)),
            language=null_or(objects(name=TEXT, **VERSIONS)),
            files=FILES,
            groups={
                "type": "object",
                "propertyNames": {
                    "enum": ["runtime", "language", "package database", "logs and caches", "system", "other"]
                },
                "additionalProperties": FILES,
            },
            components=array(objects(name=TEXT, **VERSIONS)),
            metadata=array(TEXT),
            settings=array(objects(part=TEXT, name={"type": "string"}, old=STRING, new=STRING)),
            unread=array(TEXT),
            advisories=array(
                objects(
                    id=TEXT,
                    severity=SEVERITY,
                    cves=array({"type": "string", "pattern": "^CVE-[0-9]{4}-[0-9]{4,}$"}),
                    packages={**array(TEXT), "minItems": 1},
                    page=null_or({"type": "string", "pattern": "^https://alas.aws.amazon.com/"}),
                )
            ),
            advisories_unknown=null_or(TEXT),
            uncovered=array(TEXT),
        )
    ),
)

BASE = objects(reference=TEXT, digest=DIGEST, runtime=null_or(TEXT), platform=PLATFORM)
LINEAGE = document(
    "lineage",
    image=objects(digest=DIGEST),
    verdict={"enum": ["proven", "unknown"]},
    by=null_or(TEXT),
    base=null_or(BASE),
    is_base=FLAG,
    siblings=array(BASE),
    layers=objects(matched=COUNT, image=COUNT),
    tried=array(TEXT),
    leads=array(objects(source={"enum": ["label", "buildinfo", "provenance", "date"]}, what=TEXT, outcome=TEXT)),
    errors=array(objects(runtime=TEXT, reason=TEXT)),
)

DECISION = {
    **objects(
        repository=TEXT,
        path=TEXT,
        line=COUNT,
        runtime=null_or(TEXT),
        decision={"enum": ["update", "current", "waiting", "held", "skip"]},
        action={"enum": [None, "bump", "pin", "rebuild"]},
        reason=TEXT,
        to=null_or(DIGEST),
    )
}
DECISION["required"].append("from")

RUN = document(
    "run",
    dry_run=FLAG,
    decisions=array(DECISION),
    outcomes=array(
        {
            **objects(step=TEXT, result=TEXT),
            "anyOf": [{"required": [subject]} for subject in ("repository", "function", "runtime", "place")],
        }
    ),
)

OUTCOMES = RUN["properties"]["outcomes"]
WAITING = array(objects(key=TEXT, until=TIME, reason=TEXT))
REDEPLOY = document("redeploy", dry_run=FLAG, function=TEXT, outcomes=OUTCOMES, waiting=WAITING)
ROLLBACK = document(
    "rollback",
    dry_run=FLAG,
    function=TEXT,
    alias=null_or(TEXT),
    to=objects(version=null_or(TEXT), image=TEXT),
    mode=objects(mode={"const": "manual"}, reason=TEXT, until=DAY),
    outcomes=OUTCOMES,
    waiting=WAITING,
)
ROLLBACK["required"].append("from")

_SAID = {"reason": TEXT, "until": null_or(DAY), "by": null_or(TEXT)}
_PLACE: dict[str, Schema] = {"dry_run": FLAG, "file": TEXT, "result": {"enum": ["declared", "unchanged", "withdrawn"]}}
HELD = objects(repository=null_or(TEXT), path=null_or(TEXT), runtime=null_or(TEXT), function=null_or(TEXT), **_SAID)
HOLD, RELEASE = (document(name, hold=HELD, **_PLACE) for name in ("hold", "release"))
BLOCK, UNBLOCK = (
    document(name, block=objects(digest=DIGEST, **_SAID), runtimes=array(TEXT), **_PLACE)
    for name in ("block", "unblock")
)

_MODE = {"enum": ["auto", "function-update", "manual"]}
_MODES: dict[str, Schema] = {
    "mode": _MODE,
    "modes": array(objects(mode=_MODE, said_by=TEXT, reason=null_or(TEXT), until=null_or(DAY), state=TEXT)),
}
EXPLAIN = document(
    "explain",
    repository=TEXT,
    path=TEXT,
    function=null_or(objects(function=TEXT, held=null_or(TEXT), outcomes=OUTCOMES, waiting=WAITING, **_MODES)),
    uses=array(
        {
            "allOf": [
                DECISION,
                objects(
                    policy=objects(
                        update_on=TEXT, min_severity=SEVERITY, max_age=TEXT, soak=TEXT, style=TEXT, on_unknown=TEXT
                    ),
                    rollout=null_or(objects(opens=null_or(TIME), reason=TEXT)),
                    **_MODES,
                ),
            ]
        }
    ),
)

VERDICT: Schema = {"enum": ["unknown", "drifted", "behind", "current"]}
ROLLOUTS = array(
    objects(
        runtime=TEXT,
        base=TEXT,
        began=TEXT,
        phase={"enum": ["one", "soak", "waves", "done", "halted"]},
        wave={"type": "integer", "minimum": 0},
        waves={"type": "integer", "minimum": 1},
        next=null_or(TEXT),
        reason=null_or(TEXT),
        uses=objects(taken={"type": "integer", "minimum": 0}, waiting={"type": "integer", "minimum": 0}),
    )
)
ROLLOUT = document("rollout", rollouts=ROLLOUTS, errors=array({"type": "object"}))
DUTY = objects(duty=TEXT, state={"enum": ["met", "due", "overdue", "excepted", "unknown"]}, days=null_or(COUNT))
DUTY["properties"] |= {"reason": TEXT, "until": DAY}
FUNCTION = objects(
    function=TEXT,
    account=null_or({"type": "string", "pattern": "^[0-9]{12}$"}),
    region=null_or(TEXT),
    repository=null_or(TEXT),
    path=null_or(TEXT),
    row=TEXT,
    runtime=null_or(TEXT),
    alias=null_or(TEXT),
    version=null_or(TEXT),
    verdict=VERDICT,
    serves=array(objects(version=null_or(TEXT), weight={"type": "number"}, verdict=VERDICT, base=null_or(TEXT))),
    base=null_or(TEXT),
    base_age_days=null_or(COUNT),
    mode=null_or({"enum": ["auto", "function-update", "manual"]}),
    redeployed=null_or(TIME),
    duties={**array(DUTY), "minItems": 1},
    reason=null_or(TEXT),
)
IMAGE = objects(
    row={"const": "container-image"},
    pull_request=null_or(TEXT),
    missing=null_or(objects(significance=SIGNIFICANCE, severity=null_or(SEVERITY), advisories=array(TEXT))),
    consistency=null_or(TEXT),
)
MANAGED = objects(
    row={"enum": ["managed-auto", "managed-function-update", "managed-manual", "managed-unknown"]},
    repository={"type": "null"},
    runtime_version=objects(
        version=null_or(TEXT),
        arn=null_or(TEXT),
        newest_seen=null_or(TEXT),
        reason=null_or(TEXT),
        **{"from": {"enum": [None, "log", "configuration", "management-config"]}},
    ),
    runtime_management=FLAG,
    deprecation=objects(deprecated=null_or(DAY), block_create=null_or(DAY), block_update=null_or(DAY)),
)
STATES = dict.fromkeys(DUTY["properties"]["state"]["enum"], COUNT)
AUDIT = document(
    "audit",
    rollouts=ROLLOUTS,
    functions=array({**FUNCTION, "oneOf": [IMAGE, MANAGED]}),
    repositories=array(objects(repository=TEXT, uses=array(DECISION))),
    gaps=array(objects(function=TEXT, gap={"enum": ["unmapped", "unreadable", "ambiguous", "strange"]}, reason=TEXT)),
    responsibility={**array(objects(row=TEXT, aws=TEXT, customer=TEXT, functions=COUNT, **STATES)), "minItems": 4},
    slo=objects(kept=FLAG, findings=COUNT),
)

DOCTOR = document(
    "doctor",
    checks=array(
        {
            **objects(
                subject=TEXT,
                check=TEXT,
                state={"enum": ["ok", "failed", "skipped"]},
                message=TEXT,
                cure=null_or(TEXT),
            ),
        }
    ),
)
