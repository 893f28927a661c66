"""Package databases as bytes: RPM headers, dpkg status files."""
