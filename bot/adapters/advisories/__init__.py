"""Advisories of Amazon Linux, as the repositories of its packages publish them."""

from bot.adapters.advisories.feeds import AmazonAdvisories

__all__ = ["AmazonAdvisories"]
