"""Who we are to a registry, and who gets to see it."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from bot.adapters.registry import Credentials, Endpoint, HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import to_json
from bot.core.reference import Reference
from tests.lab.clock import WoundClock
from tests.lab.images import ARM64, put_image
from tests.lab.registry import LOGIN, EcrPublicFront, LabRegistry, docker_registry
from tests.lab.web import Answer, Asked, Certificate, self_signed, serve


def login(name: str, password: str) -> Callable[[], Credentials]:
    return lambda: Credentials(username=name, password=password)


def test_an_anonymous_reader_gets_one_token_for_the_whole_registry(
    http: HttpRegistry, front: EcrPublicFront, base: Reference
) -> None:
    http.manifest(base)
    http.manifest(base)
    http.image(base, ARM64)

    asked = front.asked()
    assert asked[:3] == [
        f"GET /v2/{base.repository}/manifests/1",
        "GET /token/?service=public.ecr.aws&scope=aws",
        f"GET /v2/{base.repository}/manifests/1",
    ]
    assert len(asked) == 3 + 1 + 3
    assert front.asked("POST", "PUT", "PATCH", "DELETE") == []


def test_a_token_that_ended_is_renewed_once(http: HttpRegistry, front: EcrPublicFront, base: Reference) -> None:
    http.manifest(base)
    front.expire_tokens()

    http.manifest(base)

    assert sum("/token/" in line for line in front.asked()) == 2


def test_a_login_is_shown_to_the_token_realm_alone(
    transport: Transport, front: EcrPublicFront, base: Reference
) -> None:
    front.logins["AWS"] = "pw"
    http = HttpRegistry(transport, [Endpoint(host=front.host, credentials=login("AWS", "pw"))])

    http.manifest(base)

    shown = {asked.path.split("?")[0]: asked.headers["Authorization"] or "" for asked in front.web.log}
    assert shown["/token/"] == login("AWS", "pw")().basic()
    assert shown[f"/v2/{base.repository}/manifests/1"].startswith("Bearer ")


def test_a_403_with_a_stored_login_is_explained_as_stale(
    transport: Transport, front: EcrPublicFront, base: Reference
) -> None:
    http = HttpRegistry(transport, [Endpoint(host=front.host, credentials=login("AWS", "ended-yesterday"))])

    with pytest.raises(RegistryError, match="DENIED: Your authorization token has expired") as raised:
        http.manifest(base)

    assert raised.value.status == 403
    assert "may be stale (an ECR login ends after 12 hours)" in str(raised.value)
    assert f"renew registries.{front.host}.credentials" in str(raised.value)
    assert "ended-yesterday" not in str(raised.value)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    """A registry that wants a login by Basic."""
    with docker_registry(tmp_path_factory.mktemp("closed"), login=True) as registry:
        yield registry


def test_basic_credentials_open_a_closed_registry(
    transport: Transport, closed: LabRegistry, fresh: Callable[[str], Reference]
) -> None:
    http = HttpRegistry(transport, [Endpoint(host=closed.host, credentials=login(*LOGIN))])
    target = fresh(closed.host)

    stored = put_image(http, target)

    assert http.image(target).digest == stored.digest


def test_credentials_are_asked_for_each_time_so_that_they_can_be_renewed(
    transport: Transport, closed: LabRegistry, fresh: Callable[[str], Reference]
) -> None:
    current = [login(LOGIN[0], "ended")(), login(*LOGIN)()]
    http = HttpRegistry(transport, [Endpoint(host=closed.host, credentials=lambda: current[0])])
    target = fresh(closed.host)
    with pytest.raises(RegistryError, match=f"{closed.host} refuses the credentials .*; renew registries") as raised:
        http.manifest(target)

    del current[0]

    assert raised.value.status == 401
    assert "ended" not in str(raised.value)
    assert put_image(http, target).digest == http.image(target).digest


def test_a_closed_registry_without_credentials_says_which_setting_is_missing(
    http: HttpRegistry, closed: LabRegistry
) -> None:
    message = f"no credentials for {closed.host}; add registries.{closed.host}.credentials"

    with pytest.raises(RegistryError, match=message) as raised:
        http.manifest(Reference(closed.host, "app", "1"))

    assert raised.value.status == 401


def challenge(realm: str) -> Answer:
    return Answer(status=401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",scope="repository:app:pull"'})


def test_credentials_do_not_go_to_a_foreign_token_realm(transport: Transport) -> None:
    with serve(lambda _: Answer(body=b'{"token": "t"}')) as realm, serve(lambda _: challenge(realm.url)) as web:
        http = HttpRegistry(transport, [Endpoint(host=web.host, credentials=login("me", "secret"))])
        message = f"sends its credentials to {realm.host}, .* add it to registries.{web.host}.token_hosts"

        with pytest.raises(RegistryError, match=message):
            http.manifest(Reference(web.host, "app", "1"))

        assert realm.log == []


@pytest.mark.parametrize("named", [True, False], ids=["with credentials, realm named", "anonymous"])
def test_a_foreign_token_realm_serves_who_may_see_it(transport: Transport, *, named: bool) -> None:
    document = to_json({"schemaVersion": 2, "manifests": []})

    def registry(asked: Asked) -> Answer:
        return Answer(body=document) if asked.headers["Authorization"] == "Bearer t" else challenge(realm.url)

    with serve(lambda _: Answer(body=b'{"access_token": "t"}')) as realm, serve(registry) as web:
        endpoint = Endpoint(host=web.host, credentials=login("me", "secret"), token_hosts=(realm.host,))
        http = HttpRegistry(transport, [endpoint] if named else [])

        assert http.manifest(Reference(web.host, "app", "1")).digest == Digest.of(document)

    assert realm.asked() == ["GET /?scope=repository%3Aapp%3Apull"]
    assert realm.log[0].headers["Authorization"] == (endpoint.login().basic() if named else None)  # type: ignore[union-attr]


def test_a_token_serves_only_the_repository_that_it_was_given_for(transport: Transport) -> None:
    document = to_json({"schemaVersion": 2, "manifests": []})

    def registry(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            return Answer(body=b'{"token": "t"}')
        repository = asked.path.split("/")[2]
        realm = f'Bearer realm="{web.url}/token?account=x",service="s",scope="repository:{repository}:pull"'
        known = asked.headers["Authorization"] and f"repository%3A{repository}%3Apull" in str(web.asked())
        return Answer(body=document) if known else Answer(status=401, headers={"WWW-Authenticate": realm})

    with serve(registry) as web:
        http = HttpRegistry(transport)
        for repository in ("one", "two", "one", "two"):
            http.manifest(Reference(web.host, repository, "1"))

    tokens = [line for line in web.asked() if "/token" in line]
    assert tokens == [f"GET /token?account=x&service=s&scope=repository%3A{name}%3Apull" for name in ("one", "two")]
    assert len(web.log) == 2 * 3 + 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(status=401, body=b"no"), "refuses the credentials for .*401 no.*; renew"),
        (Answer(status=404), "gave no token: 404"),
        (Answer(body=b"[]"), "without a usable token"),
        (Answer(body=b'{"token": "a\\r\\nX-Evil: 1"}'), "without a usable token"),
        (Answer(body=b'{"token": 7}'), "without a usable token"),
        (Answer(body=b"<html>"), "answered no JSON"),
        (Answer(body=b" " * (1 << 20) + b"{}"), "sends more than 1048576 bytes"),
    ],
    ids=["refused", "not found", "a list", "a header in it", "a number", "a page", "too long"],
)
def test_a_realm_that_gives_no_token_is_explained(transport: Transport, answer: Answer, message: str) -> None:
    def registry(asked: Asked) -> Answer:
        return answer if asked.path.startswith("/token") else challenge(f"{web.url}/token")

    with serve(registry) as web:
        http = HttpRegistry(transport, [Endpoint(host=web.host, credentials=login("me", "secret"))])
        with pytest.raises(RegistryError, match=message) as raised:
            http.manifest(Reference(web.host, "app", "1"))

    assert "secret" not in str(raised.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(certificate: Certificate, clock: WoundClock) -> Iterator[Transport]:
    with closing(Transport(clock, ca_bundle=certificate.authority)) as transport:
        yield transport


@pytest.mark.parametrize("realm", ["http://127.0.0.1:1/token", "/token", "file:///etc/passwd", ""])
def test_a_registry_with_tls_may_name_only_a_token_realm_with_tls(
    certificate: Certificate, secure: Transport, realm: str
) -> None:
    with serve(lambda _: challenge(realm), certificate=certificate) as web:
        http = HttpRegistry(secure, [Endpoint(host="r.example", url=web.url, credentials=login("me", "secret"))])
        with pytest.raises(RegistryError, match=r"r\.example names (a|the) token realm"):
            http.manifest(Reference("r.example", "app", "1"))


def test_a_registry_with_tls_may_take_uploads_only_with_tls(certificate: Certificate, secure: Transport) -> None:
    begun = Answer(status=202, headers={"Location": "http://127.0.0.1:1/put"})

    with (
        serve(lambda asked: begun if asked.method == "POST" else Answer(status=404), certificate=certificate) as web,
        pytest.raises(RegistryError, match=r"leads to http://127\.0\.0\.1:1/put\?\.\.\., which is not https"),
    ):
        HttpRegistry(secure, [Endpoint(host="r.example", url=web.url)]).put_blob(
            Reference("r.example", "app", "1"), "text/plain", b"layer"
        )


def test_an_upload_to_another_host_goes_without_our_identity(transport: Transport) -> None:
    with serve(lambda _: Answer(status=201)) as storage:

        def registry(asked: Asked) -> Answer:
            if asked.headers["Authorization"] is None:
                return Answer(status=401, headers={"WWW-Authenticate": "Basic"})
            where = {"Location": f"{storage.url}/put"}
            return Answer(status=404) if asked.method == "HEAD" else Answer(status=202, headers=where)

        with serve(registry) as web:
            http = HttpRegistry(transport, [Endpoint(host=web.host, credentials=login("me", "secret"))])
            http.put_blob(Reference(web.host, "app", "1"), "text/plain", b"layer")

    assert [(asked.method, asked.headers["Authorization"], asked.body) for asked in storage.log] == [
        ("PUT", None, b"layer")
    ]
