"""Forges: where source repositories and pull requests are."""
