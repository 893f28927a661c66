"""Builders: a Docker Engine that runs the Dockerfile, and a rebase that swaps base layers without running it."""
