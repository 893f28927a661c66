"""One commit of a remote repository, fetched by git into a folder of its own.

git is told where to go and who we are by its environment, so that neither stands in a command line; it follows no
redirect, runs nothing of the repository, and speaks no protocol but that of the address.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bot.adapters.forge.bare_repository import BareRepository
from bot.adapters.forge.git_process import GitProcess
from bot.adapters.transport import is_loopback
from bot.core.errors import ForgeError

LONGEST_FAULT = 300


@contextmanager
def fetched(repository: str, url: str, commit: str, token: str) -> Iterator[BareRepository]:
    """Fetch one commit without its history; raises `ForgeError` if git cannot."""
    with TemporaryDirectory(prefix="refrom-") as name:
        git = GitProcess(repository, Path(name))
        git.run("init", "--bare", "--quiet", "--template=")
        fetch = ("fetch", "--quiet", "--depth=1", "--no-tags", url, commit)
        answer = git.run(*fetch, environment=on_the_way(url, token), accept=(0, 1, 128))
        if answer.status != 0:
            why = " ".join(answer.fault.split())[:LONGEST_FAULT]
            cure = "check what the token may read, and the way to that host"
            raise ForgeError(f"{repository}: git cannot fetch {commit} from {url} ({why}); {cure}")
        yield BareRepository(repository, Path(name))


def reach(repository: str, url: str, token: str) -> None:
    """Ask a remote repository for its HEAD, and fetch nothing; raises `ForgeError` if git cannot."""
    with TemporaryDirectory(prefix="refrom-") as name:
        git = GitProcess(repository, Path(name))
        git.run("init", "--bare", "--quiet", "--template=")
        git.run("ls-remote", "--quiet", url, "HEAD", environment=on_the_way(url, token))


def on_the_way(url: str, token: str) -> dict[str, str]:
    """Return the environment in which git speaks to this address alone, and knows the token."""
    login = b64encode(f"x-access-token:{token}".encode()).decode()
    options = {f"http.{url}.extraHeader": f"Authorization: Basic {login}", "http.followRedirects": "false"}
    if is_loopback(url):
        options["http.proxy"] = ""
    told = {"GIT_ALLOW_PROTOCOL": urlsplit(url).scheme, "GIT_CONFIG_COUNT": str(len(options))}
    for number, (key, value) in enumerate(options.items()):
        told |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return told
