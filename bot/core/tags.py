"""The tag grammar of Lambda base images, and which runtime identifier a reference belongs to."""
