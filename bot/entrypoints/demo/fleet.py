"""The demo's fleet as data: three bases that move in three ways, and the services that stand on them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.layer import Language, Package
from bot.core.platforms import Platform
from bot.entrypoints.demo.images import BaseSpec

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
START = datetime(2026, 11, 1, 15, tzinfo=UTC)
MOVED = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)

_GLIBC = ("glibc", "2.34-196.amzn2023.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One base before and after; `matters` says whether functions should follow by the demo's policy."""

    before: BaseSpec
    after: BaseSpec | None
    what: str
    matters: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One source repository; `{digest}` in its Dockerfile stands for the digest of its base at the start."""

    name: str
    shape: str
    dockerfile: str
    base: str | None = None
    platform: Platform = AMD64
    path: str = "Dockerfile"

    @property
    def repository(self) -> str:
        """The source repository's name."""
        return f"acme/{self.name}"


def _packages(openssl: str, platform: Platform) -> tuple[Package, ...]:
    arch = "x86_64" if platform == AMD64 else "aarch64"
    return tuple(Package(name, arch, evr) for name, evr in (_GLIBC, ("openssl-libs", openssl)))


def _base(name: str, tag: str, language: str, openssl: str, created: datetime) -> BaseSpec:
    return BaseSpec(
        name=name,
        tag=tag,
        platforms=(AMD64, ARM64),
        packages={platform: _packages(openssl, platform) for platform in (AMD64, ARM64)},
        language=Language(name if name != "nodejs" else "node", language),
        created=created,
    )


MOVES = (
    Move(
        before=_base("ruby", "3.4", "3.4.5", "1:3.0.8-1.amzn2023.0.26", START),
        after=None,
        what="stays where it is",
        matters=False,
    ),
    Move(
        before=_base("nodejs", "22", "22.21.1", "1:3.0.8-1.amzn2023.0.24", START),
        after=_base("nodejs", "22", "22.21.1", "1:3.0.8-1.amzn2023.0.24", MOVED),
        what="a new digest, and nothing else: only times differ",
        matters=False,
    ),
    Move(
        before=_base("java", "21", "21.0.8", "1:3.0.8-1.amzn2023.0.24", START),
        after=_base("java", "21", "21.0.8", "1:3.0.8-1.amzn2023.0.26", MOVED),
        what="a package is fixed",
        matters=True,
    ),
    Move(
        before=_base("python", "3.13", "3.13.9", "1:3.0.8-1.amzn2023.0.24", START),
        after=_base("python", "3.13", "3.13.11", "1:3.0.8-1.amzn2023.0.26", MOVED),
        what="the language is patched",
        matters=True,
    ),
)

SERVICES = (
    Service(
        name="orders",
        shape="a tag, as most people write it",
        base="python",
        dockerfile="""\
FROM public.ecr.aws/lambda/python:3.13

COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    ),
    Service(
        name="billing",
        shape="tag and digest",
        base="python",
        dockerfile="""\
# syntax=docker/dockerfile:1
FROM public.ecr.aws/lambda/python:3.13@{digest}
COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    ),
    Service(
        name="search",
        shape="ARG with a default, arm64",
        base="java",
        platform=ARM64,
        dockerfile="""\
ARG BASE=public.ecr.aws/lambda/java:21
FROM --platform=linux/arm64 ${BASE}
COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    ),
    Service(
        name="thumbnails",
        shape="several stages, COPY --from the same base",
        base="python",
        path="services/thumbnails/Dockerfile",
        dockerfile="""\
FROM public.ecr.aws/lambda/python:3.13@{digest} AS build
RUN python -m compileall /var/task

FROM public.ecr.aws/lambda/python:3.13@{digest}
COPY --from=build /var/task /var/task
COPY --from=public.ecr.aws/lambda/python:3.13@{digest} /usr/local/bin/aws-lambda-rie /opt/rie
COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    ),
    Service(
        name="webhooks",
        shape="on a base whose contents do not change",
        base="nodejs",
        dockerfile="""\
FROM public.ecr.aws/lambda/nodejs:22@{digest}
COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    ),
    Service(
        name="mailer",
        shape="already current",
        base="ruby",
        dockerfile="""\
FROM public.ecr.aws/lambda/ruby:3.4@{digest}
COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    ),
    Service(
        name="legacy",
        shape="the base comes from outside",
        dockerfile="""\
ARG BASE
FROM ${BASE}
COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    ),
)
