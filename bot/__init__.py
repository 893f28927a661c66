"""refrom re-points `FROM`: it keeps AWS Lambda container images on a patched base."""

__version__ = "0.1.0"
