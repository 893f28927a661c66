"""Audits as documents: one with something of everything that an audit can say, written by hand from its contract."""

from datetime import date, timedelta
from typing import Any

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"
DIGEST = "sha256:" + "5" * 64
REDEPLOY = "redeploy on the latest base"
UPDATE = "update the function regularly"
RETURN = "return to Auto or Function update"
MOVE = "move off a deprecated runtime"
ROLL_BACK = "roll back a runtime version that is incompatible"

Document = dict[str, Any]


def duty(name: str, state: str, days: int | None = None, **more: Any) -> Document:
    return {"duty": name, "state": state, "days": days, **more}


def image(name: str, *duties: Document, **parts: Any) -> Document:
    """An image function behind its base, whose Dockerfile is in a repository of its name."""
    base = "public.ecr.aws/lambda/python:3.13.2026.11.01.15"
    known = {
        "function": f"{ARN}{name}",
        "repository": f"acme/{name}",
        "row": "container-image",
        "runtime": "python3.13",
        "alias": "live",
        "version": "41",
        "verdict": "behind",
        "serves": [],
        "base": f"{base}@{DIGEST}",
        "base_age_days": 23,
        "mode": "auto",
        "duties": list(duties),
        "reason": None,
        "account": "123456789012",
        "region": "eu-west-1",
        "path": "Dockerfile",
        "pull_request": None,
        "missing": {"significance": "security", "severity": "important", "advisories": ["ALAS2023-2026-001"]},
        "redeployed": "2026-11-02T08:00:00Z",
        "consistency": None,
    }
    return {**known, **parts}


def managed(name: str, row: str, *duties: Document, **parts: Any) -> Document:
    """A function on a runtime that AWS manages."""
    known = {
        "function": f"{ARN}{name}",
        "repository": None,
        "row": row,
        "runtime": "python3.13",
        "alias": None,
        "version": "$LATEST",
        "verdict": "current",
        "serves": [],
        "base": None,
        "base_age_days": None,
        "mode": row.removeprefix("managed-"),
        "duties": list(duties),
        "reason": None,
        "account": "123456789012",
        "region": "eu-west-1",
        "runtime_version": {
            "version": "python:3.13.v68",
            "arn": "arn:aws:lambda:eu-west-1::runtime:" + "a" * 64,
            "from": "log",
            "newest_seen": "python:3.13.v70",
            "reason": None,
        },
        "runtime_management": True,
        "path": None,
        "redeployed": "2026-10-02T08:00:00Z",
        "deprecation": {"deprecated": "2029-10-31", "block_create": None, "block_update": None},
    }
    return {**known, **parts}


def use(repository: str, decision: str = "update", **parts: Any) -> Document:
    known = {
        "repository": repository,
        "path": "Dockerfile",
        "line": 3,
        "runtime": "python3.13",
        "decision": decision,
        "reference": "public.ecr.aws/lambda/python:3.13",
        "action": "bump" if decision == "update" else None,
        "reason": "security: important",
        "from": DIGEST,
        "to": DIGEST if decision == "update" else None,
        "tag": None,
    }
    return {**known, **parts}


def repository(name: str, *uses: Document, skipped: tuple[Document, ...] = ()) -> Document:
    return {"repository": name, "commit": "0" * 40, "uses": list(uses), "skipped": list(skipped)}


def row(name: str, functions: int, **states: int) -> Document:
    counts = {state: states.get(state, 0) for state in ("met", "due", "overdue", "excepted", "unknown")}
    return {
        "row": name,
        "aws": f"AWS's part of {name}",
        "customer": f"The part of {name}",
        "functions": functions,
        **counts,
    }


def rollout(phase: str = "waves", **parts: Any) -> Document:
    known = {
        "runtime": "python3.13",
        "base": DIGEST,
        "began": "2026-11-20T14:02:00Z",
        "phase": phase,
        "wave": 1,
        "waves": 4,
        "next": "2026-11-25T08:00:00Z",
        "reason": "",
        "uses": {"taken": 12, "waiting": 28},
    }
    return {**known, **parts}


def sampled(days: int, gap: int = 11) -> list[Document]:
    """Samples of some days, of which one is missing."""
    start = date(2026, 9, 1)
    return [
        {
            "day": (start + timedelta(days=day)).isoformat(),
            "functions": 40 + day // 10,
            "within": 36 - day % 7,
            "overdue": 2 + day % 4,
        }
        for day in range(days)
        if day != gap
    ]


def whole() -> Document:
    """An audit in which each row, state, verdict, decision and phase stands at least once."""
    late = duty(REDEPLOY, "overdue", 5, reason="something else was deployed: acme/search names another base")
    unread = {"base": None, "base_age_days": None, "missing": None, "runtime": None, "version": None}
    functions = [
        image("orders", late, verdict="drifted"),
        image("billing", duty(REDEPLOY, "due", 1), pull_request="https://github.example/acme/billing/pull/7"),
        image("search", duty(REDEPLOY, "excepted", reason="freeze", until="2026-12-31"), mode="manual"),
        image("lost", duty(REDEPLOY, "unknown", reason="denied"), verdict="unknown", reason="denied", **unread),
        image(
            "mailer", duty(REDEPLOY, "met"), verdict="current", missing=None, consistency="eu-west-1 has another image"
        ),
        managed("tick", "managed-auto", duty(ROLL_BACK, "met")),
        managed("report", "managed-function-update", duty(UPDATE, "due", 12), verdict="behind"),
        managed("legacy", "managed-manual", duty(RETURN, "overdue", 40), duty(MOVE, "overdue", 9), verdict="behind"),
    ]
    weights = [("41", 0.9, "behind"), ("42", 0.1, "current")]
    functions[1]["serves"] = [
        {"version": version, "weight": weight, "verdict": verdict, "base": None} for version, weight, verdict in weights
    ]
    return {
        "schema": "refrom.audit/1",
        "functions": functions,
        "repositories": [
            repository("acme/orders", use("acme/orders"), use("acme/orders", "current", line=9)),
            repository("acme/billing", use("acme/billing", "waiting", until="2026-11-30T00:00:00Z")),
            repository("acme/search", use("acme/search", "held", reason="freeze")),
            repository(
                "acme/mailer", use("acme/mailer", "skip", reason="the reference names no version", runtime=None)
            ),
            repository(
                "acme/a b#c",
                use("acme/a b#c", path="ünder %20/Dockerfile", line=1),
                skipped=(
                    {"repository": "acme/a b#c", "path": "x/Dockerfile", "line": None, "reason": "no UTF-8"},
                    {
                        "repository": "acme/a b#c",
                        "path": "y/Dockerfile",
                        "line": 4,
                        "reason": "ARG BASE has no default",
                    },
                ),
            ),
        ],
        "errors": [
            {"repository": "acme/gone", "reason": "not found; check the token"},
            {"runtime": "ruby3.4", "reason": "no answer"},
            {"place": "123456789012 us-east-1", "reason": "denied"},
        ],
        "gaps": [{"function": f"{ARN}stray", "gap": "unmapped", "reason": "no rule names its source"}],
        "responsibility": [
            row("managed-auto", 1, met=1),
            row("managed-function-update", 1, due=1),
            row("managed-manual", 1, overdue=2),
            row("container-image", 5, met=1, due=1, overdue=1, excepted=1, unknown=1),
        ],
        "slo": {
            "kept": False,
            "findings": 3,
            "freshness": {"security_critical": 3.0, "security_important": 7.0, "any": 30.0},
            "broken": [
                {"function": f"{ARN}orders", "rule": "security_important", "days_over": 5},
                {"function": f"{ARN}lost", "rule": "any", "days_over": None},
                {"function": f"{ARN}legacy", "rule": "any", "days_over": 40},
            ],
        },
        "burn": sampled(84),
        "rollouts": [
            rollout(),
            rollout("one", runtime="nodejs22.x", wave=0, uses={"taken": 0, "waiting": 9}),
            rollout("soak", runtime="java21", wave=0),
            rollout("halted", runtime="ruby3.4", next=None, reason="2 of 5 builds failed"),
            rollout("done", runtime="provided.al2023", wave=4, next=None, uses={"taken": 40, "waiting": 0}),
        ],
    }
