"""Registries: over HTTP, in a folder, and a switch that tells them apart by the reference's host."""

from bot.adapters.registry.docker_login import DockerLogin
from bot.adapters.registry.ecr import EcrLogin, ecr_region
from bot.adapters.registry.endpoint import Credentials, Endpoint
from bot.adapters.registry.http import HttpRegistry
from bot.adapters.registry.images import Store
from bot.adapters.registry.layout import LayoutRegistry, single_layout
from bot.adapters.registry.routes import Readers, Registries

__all__ = [
    "Credentials",
    "DockerLogin",
    "EcrLogin",
    "Endpoint",
    "HttpRegistry",
    "LayoutRegistry",
    "Readers",
    "Registries",
    "Store",
    "ecr_region",
    "single_layout",
]
