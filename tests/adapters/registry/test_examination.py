"""Registries are asked whether they answer and take the login, and nothing else."""

from collections.abc import Callable

import pytest

from bot.adapters.registry import Credentials, Endpoint
from bot.adapters.registry.examination import RegistriesExamination
from bot.adapters.transport import Transport
from bot.core.errors import RegistryError
from bot.ports.examination import Check, State
from tests.lab.registry import LOGIN, EcrPublicFront, LabRegistry, docker_registry
from tests.lab.web import Answer, serve

Examine = Callable[..., list[Check]]


@pytest.fixture
def examine(transport: Transport) -> Examine:
    def examine(*endpoints: Endpoint, paces: dict[str, float] | None = None) -> list[Check]:
        made = RegistriesExamination(transport=transport, endpoints=endpoints, paces=paces or {})
        return list(made.examine())

    return examine


def login(password: str) -> Callable[[], Credentials]:
    return lambda: Credentials(username=LOGIN[0], password=password)


def test_a_login_that_is_taken_and_one_that_is_not(examine: Examine, tmp_path_factory: pytest.TempPathFactory) -> None:
    with docker_registry(tmp_path_factory.mktemp("private"), login=True) as private:
        good, bad = examine(
            Endpoint(host=private.host, credentials=login(LOGIN[1])),
            Endpoint(host="other.example", url=private.url, credentials=login("wrong")),
        )
        asked = set(private.asked("GET", "HEAD", "POST", "PUT"))

    assert (good.subject, good.name, good.state) == (private.host, "access", State.OK)
    assert good.message == "takes the login of lab"
    assert (bad.subject, bad.state) == ("other.example", State.FAILED)
    assert bad.cure == "renew registries.other.example.credentials"
    assert asked == {"GET /v2/"}


def test_a_token_service_is_asked_with_the_login(examine: Examine, front: EcrPublicFront) -> None:
    front.logins = {LOGIN[0]: LOGIN[1]}

    good, bad = examine(
        Endpoint(host=front.host, credentials=login(LOGIN[1])),
        Endpoint(host="stale.example", url=front.web.url, credentials=login("stale"), token_hosts=(front.host,)),
    )

    assert good.state is State.OK
    assert bad.state is State.FAILED
    assert "they may be stale" in bad.message + bad.cure


def test_a_registry_without_a_login_only_has_to_answer(
    examine: Examine, plain: LabRegistry, front: EcrPublicFront
) -> None:
    """Whoever wants to know who we are answers, too."""
    found = examine(Endpoint(host=plain.host), Endpoint(host=front.host))

    assert [check.message for check in found] == [
        f"answers 200 at {plain.url}",
        f"answers 401 at {front.web.url}",
    ]


def test_a_registry_that_is_not_there_is_told_and_the_next_is_asked(examine: Examine, plain: LabRegistry) -> None:
    gone, there = examine(Endpoint(host="127.0.0.1:1"), Endpoint(host=plain.host))

    assert (gone.subject, gone.state) == ("127.0.0.1:1", State.FAILED)
    assert gone.message.endswith("GET http://127.0.0.1:1/v2/ failed: Connection refused")
    assert gone.cure == "check the network, the proxy and registries.127.0.0.1:1.url"
    assert there.state is State.OK


def test_a_login_that_cannot_be_had_is_told(examine: Examine, plain: LabRegistry) -> None:
    def none() -> Credentials:
        raise RegistryError("no ECR login in eu-west-1 (NoCredentialsError); check the AWS credentials")

    (check,) = examine(Endpoint(host=plain.host, credentials=none))

    assert (check.state, check.cure) == (State.FAILED, "check the AWS credentials")


def test_the_address_of_the_settings_is_asked_below_its_path(examine: Examine) -> None:
    with serve(lambda _: Answer()) as web:
        examine(
            Endpoint(host="a.example", url=f"{web.url}/proxy/"),
            Endpoint(host="b.example", url=f"{web.url}/proxy/", credentials=login("any")),
        )

        assert web.asked() == ["GET /proxy/v2/", "GET /proxy/v2/"]


def test_paces_are_told(examine: Examine) -> None:
    (check,) = examine(paces={"public.ecr.aws": 0.5})

    assert (check.subject, check.name, check.message) == ("public.ecr.aws", "pace", "is sent at most 0.5 a second")
