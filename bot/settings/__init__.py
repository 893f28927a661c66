"""Settings: files and environment in, frozen values out, every fault reported at once."""

from bot.settings.catalogue import load_catalogue
from bot.settings.loading import default_settings, load_declarations, load_narrowing, load_settings
from bot.settings.values import Settings

__all__ = ["Settings", "default_settings", "load_catalogue", "load_declarations", "load_narrowing", "load_settings"]
