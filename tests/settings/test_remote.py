"""The address of a remote tells the forge, in all of git's forms, and a login in it is shown nowhere."""

from pathlib import Path

import pytest

from bot.core.errors import SettingsError
from bot.settings.remote import GITHUB_COM, forge_of
from bot.settings.values import GitHubForge, LocalForge

ORDERS = ("acme/orders",)
ENTERPRISE = "https://git.acme.example/api/v3"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/orders.git",
        "https://github.com/acme/orders",
        "https://github.com/acme/orders/",
        "https://GitHub.com/acme/orders.git",
        "https://www.github.com/acme/orders.git",
        "https://x-access-token:s3cret@github.com/acme/orders.git",
        "http://github.com/acme/orders.git",
        "git://github.com/acme/orders.git",
        "ssh://git@github.com/acme/orders.git",
        "ssh://git@ssh.github.com:443/acme/orders.git",
        "git@github.com:acme/orders.git",
        "git@github.com:/acme/orders.git",
        "org-1234@github.com:acme/orders",
        "github.com:acme/orders.git",
    ],
)
def test_every_form_of_github_com_is_one_forge(address: str) -> None:
    assert forge_of(address) == GitHubForge(url=GITHUB_COM, include=ORDERS)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://git.acme.example/acme/orders.git", ENTERPRISE),
        ("https://git.acme.example:8443/acme/orders.git", "https://git.acme.example:8443/api/v3"),
        ("https://github/acme/orders.git", "https://github/api/v3"),
        ("git@git.acme.example:acme/orders.git", ENTERPRISE),
        ("ssh://git@git.acme.example:2222/acme/orders.git", ENTERPRISE),
        ("http://git.acme.example:8080/acme/orders.git", ENTERPRISE),
        ("http://127.0.0.1:4711/acme/orders.git", "http://127.0.0.1:4711/api/v3"),
        ("http://localhost:4711/acme/orders.git", "http://localhost:4711/api/v3"),
        ("git@octocorp.ghe.com:acme/orders.git", "https://api.octocorp.ghe.com"),
        ("https://octocorp.ghe.com/acme/orders.git", "https://api.octocorp.ghe.com"),
    ],
)
def test_another_host_is_an_enterprise_server_spoken_to_without_tls_on_loopback_alone(address: str, url: str) -> None:
    assert forge_of(address) == GitHubForge(url=url, include=ORDERS)


def test_names_keep_what_github_lets_them_hold() -> None:
    assert forge_of("https://github.com/octo_corp/my.Site-2_x.git.git").include == ("octo_corp/my.Site-2_x.git",)


@pytest.mark.parametrize("address", ["/srv/git/acme/orders.git", "file:///srv/git/acme/orders.git"])
def test_a_path_to_a_bare_repository_is_a_local_forge_with_that_one_repository(address: str) -> None:
    assert forge_of(address) == LocalForge(root=Path("/srv/git"), include=ORDERS)


def test_a_path_may_hold_what_paths_hold() -> None:
    assert forge_of("file:///srv/a%20b/acme/orders.git") == LocalForge(root=Path("/srv/a b"), include=ORDERS)


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("https://gitlab.com/acme/orders.git", "leads to gitlab.com, which is no GitHub"),
        ("git@ssh.dev.azure.com:v3/acme/shop/orders", "leads to ssh.dev.azure.com, which is no GitHub"),
        ("https://github.com/acme", "names no repository OWNER/NAME on github.com"),
        ("https://github.com/acme/shop/orders.git", "names no repository OWNER/NAME on github.com"),
        ("https://github.com/acme/*", "names no repository OWNER/NAME on github.com"),
        ("https://github.com/acme/..", "names no repository OWNER/NAME on github.com"),
        ('https://github.com/acme/a"]\nforges: [', "names no repository OWNER/NAME on github.com"),
        ("https://github.com/acme/orders?token=s3cret", None),
        ('https://git.acme.example"/acme/orders.git', "names no host"),
        ("https:///acme/orders.git", "names no host"),
        ("https://git.acme.example:99999/acme/orders.git", "is no address"),
        ("https://[::1/acme/orders.git", "is no address"),
        ("ftp://s3cret@github.com/acme/orders.git", "speaks 'ftp', which is none of https, http and ssh"),
        ("ext::sh -c touch% /tmp/pwned", "is no address, and no path to a bare repository OWNER/NAME.git"),
        ("work:acme/orders.git", "names the host work, which is no full name but an alias of ssh's"),
        ("orders.git", "is no address, and no path to a bare repository OWNER/NAME.git"),
        ("../acme/orders.git", "is no address, and no path to a bare repository OWNER/NAME.git"),
        ("/home/a/orders", "is no address, and no path to a bare repository OWNER/NAME.git"),
        ("/home/a/orders/.git", "is no address, and no path to a bare repository OWNER/NAME.git"),
        ("/srv/a\nb/acme/orders.git", "is a path with a control character, which settings cannot hold"),
        ("", "is no address, and no path to a bare repository OWNER/NAME.git"),
    ],
)  # fmt: skip
def test_what_names_no_repository_of_a_forge_is_refused_with_the_cure(address: str, what: str | None) -> None:
    if what is None:
        assert forge_of(address).include == ORDERS  # a query is none of the name
        return
    with pytest.raises(SettingsError) as refused:
        forge_of(address)

    assert str(refused.value).startswith(f"the remote origin {what}; run it in a clone from GitHub, or write")
    assert "s3cret" not in str(refused.value)
