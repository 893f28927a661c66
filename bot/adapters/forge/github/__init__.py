"""GitHub.com and GitHub Enterprise Server: source repositories and pull requests through REST and GraphQL."""

from bot.adapters.forge.github.calls import GitHub
from bot.adapters.forge.github.examination import GitHubExamination
from bot.adapters.forge.github.forge import GitHubForge
from bot.adapters.forge.github.gate import Gate, Limits
from bot.adapters.forge.github.listing import Filters
from bot.adapters.forge.github.sender import Sender
from bot.adapters.forge.github.site import Site
from bot.adapters.forge.github.tokens import AppTokens, FixedToken, Tokens

__all__ = [
    "AppTokens",
    "Filters",
    "FixedToken",
    "Gate",
    "GitHub",
    "GitHubExamination",
    "GitHubForge",
    "Limits",
    "Sender",
    "Site",
    "Tokens",
]
