# refrom as a long-lived container; docs/how-to/container.md shows how to build and run it.
#
# The base is an argument, to be given with its digest; docs/decisions/0005-container-base.md says why none stands here.
# It must be of Debian's kind and have Python 3.11 or newer with the module venv.
ARG BASE=docker.io/library/python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
# Two environments: one builds, with pip and the build backend; the other one runs, has neither, and is what is kept.
RUN python3 -m venv /build && python3 -m venv --without-pip /opt/refrom
COPY requirements-build.lock requirements-runtime.lock ./
RUN /build/bin/pip install --no-cache-dir --require-hashes --requirement requirements-build.lock \
 && /build/bin/pip --python /opt/refrom/bin/python install --no-cache-dir --require-hashes --only-binary :all: \
      --requirement requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && /build/bin/pip --python /opt/refrom/bin/python install --no-cache-dir --no-deps --no-index dist/*.whl

FROM ${BASE}
ARG BASE
LABEL org.opencontainers.image.title="refrom" \
      org.opencontainers.image.description="Keeps AWS Lambda container images on a patched base" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}"
# git is not pinned: Debian keeps only the newest version of a package, so that a pinned one cannot be had after a fix.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/* \
 && install --directory /etc/refrom \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/refrom
COPY --from=build /opt/refrom /opt/refrom
# What must outlive the container is here; everything else may be read-only, with a tmpfs on /tmp.
VOLUME /var/lib/refrom
WORKDIR /var/lib/refrom
USER 10001:10001
ENV HOME=/var/lib/refrom \
    PYTHONUNBUFFERED=1 \
    REFROM_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/opt/refrom/bin/python", "-I", "-m", "bot.entrypoints.service.probe"]
# Isolated: neither the working directory nor PYTHONPATH nor a user's site-packages can put another `bot` in its place.
ENTRYPOINT ["/opt/refrom/bin/python", "-I", "/opt/refrom/bin/refrom"]
CMD ["serve", "--config", "/etc/refrom/refrom.yaml"]
