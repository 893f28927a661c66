"""Which kind of carrier a file is, by its path."""

from pathlib import PurePosixPath

DOCKERFILE = "dockerfile"


def kind_of(path: str) -> str | None:
    """Name the kind of carrier that a path may be, None if none; the path has forward slashes."""
    name = PurePosixPath(path).name
    if name.endswith(".dockerignore"):
        return None
    if name in ("Dockerfile", "dockerfile", "Containerfile") or name.endswith(".Dockerfile"):
        return DOCKERFILE
    return DOCKERFILE if name.startswith(("Dockerfile.", "Dockerfile-")) else None
