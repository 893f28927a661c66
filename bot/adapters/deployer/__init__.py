"""Deployers: where functions are read and pointed at an image."""
