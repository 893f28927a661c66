"""Package databases as bytes, and RPM's order of versions."""

from bot.core.packages.apk import parse_installed
from bot.core.packages.berkeley import berkeley_values
from bot.core.packages.dpkg import parse_status
from bot.core.packages.evr import compare_evr
from bot.core.packages.rpm_header import header_identity, parse_header

__all__ = ["berkeley_values", "compare_evr", "header_identity", "parse_header", "parse_installed", "parse_status"]
