"""Doctor: every check is made whatever became of the others, and nothing is written anywhere."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.adapters.registry import LayoutRegistry
from bot.core.errors import ForgeError, RegistryError, StoreError
from bot.core.policy import Declarations, Hold
from bot.core.target import Target
from bot.ports.examination import ACCESS, Check, Examined, LeftOut, State, checked, failed, passed
from bot.steps.doctor import DECLARED, Patient, examine
from tests.core.facts import manual
from tests.steps.shop import RUNTIME, UNPINNED, Shop, pinned

FINE = passed("forge", ACCESS, "knows us")
NAME_ONE = "name one with git symbolic-ref HEAD refs/heads/BRANCH"
REFUSED = failed("forge", ACCESS, ForgeError("acme: the token is expired; renew it"))


@dataclass(frozen=True, slots=True)
class Told:
    """Something that tells what it was given, and then raises if it has an error."""

    checks: Sequence[Check] = ()
    error: Exception | None = None
    subject: str = "thing"

    def examine(self) -> Iterator[Check]:
        yield from self.checks
        if self.error:
            raise self.error


def patient(shop: Shop, *, forge: Examined = Told([FINE]), deployer: Examined = Told()) -> Patient:
    return Patient(
        own=[],
        forges=[forge],
        deployers=[deployer],
        forge=shop.forge,
        functions=shop.functions,
        registry=shop.registry,
        rules=shop.rules(),
    )


def told(checks: Iterator[Check]) -> dict[tuple[str, str], tuple[State, str]]:
    """What was told, by subject and check; each is told once."""
    found = list(checks)
    by_key = {(check.subject, check.name): (check.state, check.message) for check in found}
    assert len(by_key) == len(found)
    return by_key


def healthy(shop: Shop) -> Target:
    """A shop in which all is well: one repository, one function behind an alias."""
    base = shop.publish()
    return shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))


def test_a_healthy_world_is_told_thing_by_thing(shop: Shop) -> None:
    healthy(shop)
    image = shop.functions.function("orders").image

    found = told(examine(patient(shop)))

    assert found == {
        ("forge", ACCESS): (State.OK, "knows us"),
        ("acme/orders", "read"): (State.OK, "uses python3.13, on main"),
        ("python3.13", "stream"): (State.OK, f"public.ecr.aws/lambda/python:3.13 is {_digest(shop)}"),
        ("orders", "map"): (State.OK, "built from Dockerfile of acme/orders, by deploy.targets"),
        ("orders", "function"): (State.OK, f"runs {image}; alias live serves version 1"),
    }


def test_what_is_declared_for_no_function_of_the_loop_is_told(shop: Shop) -> None:
    """A function that is discovered goes by its ARN, so a hold on its name alone would hold nothing."""
    healthy(shop)
    until = shop.now.date()
    shop.declared = Declarations(
        holds=(Hold(reason="freeze", function="orders"), Hold(reason="freeze", repository="acme/*")),
        modes=(manual("oders", "it hangs", until),),
    )

    found = told(examine(patient(shop)))

    assert [key for key in found if key[1] == DECLARED] == [("oders", DECLARED)]
    assert found["oders", DECLARED][0] is State.SKIPPED


def test_nothing_is_written(shop: Shop) -> None:
    healthy(shop)
    before = {path: path.read_bytes() for path in shop.folder.rglob("*") if path.is_file()}

    list(examine(patient(shop)))

    assert {path: path.read_bytes() for path in shop.folder.rglob("*") if path.is_file()} == before
    assert not [asked for asked in shop.registry.asked if asked.startswith("blob")]


def test_what_lets_an_error_out_fails_and_the_rest_goes_on(shop: Shop) -> None:
    healthy(shop)
    broken = Told([passed("disk", "write", "fine")], StoreError("store is damaged; move it aside"), "store")

    found = told(examine(replace(patient(shop), own=[broken, Told([passed("later", ACCESS, "fine")])])))

    assert found["disk", "write"] == (State.OK, "fine")
    assert found["store", ACCESS] == (State.FAILED, "store is damaged")
    assert found["later", ACCESS] == (State.OK, "fine")
    assert found["orders", "function"][0] is State.OK


def test_a_forge_that_lets_nobody_in_is_asked_nothing_more(shop: Shop) -> None:
    healthy(shop)
    watching = replace(shop.rules(), watch=(RUNTIME,))

    found = told(examine(replace(patient(shop, forge=Told([REFUSED])), rules=watching)))

    assert found["forge", ACCESS] == (State.FAILED, "acme: the token is expired")
    assert ("acme/orders", "read") not in found
    assert found["python3.13", "stream"][0] is State.OK


def test_a_forge_that_lets_somebody_in_is_asked_on(shop: Shop) -> None:
    """An App may be installed at one owner and not at another."""
    healthy(shop)

    checks = list(examine(patient(shop, forge=Told([REFUSED, FINE]))))

    assert ("acme/orders", "read") in {(check.subject, check.name) for check in checks}


def test_what_the_forge_told_of_an_owner_is_not_told_again_of_its_repositories(shop: Shop) -> None:
    healthy(shop)
    shop.people.create_broken("acme/broken")
    told_already = failed("forge", ACCESS, ForgeError(f"its default branch 'gone' is not there; {NAME_ONE}"))

    checks = list(examine(patient(shop, forge=Told([told_already, FINE]))))

    assert [check.subject for check in checks if check.name == "read"] == ["acme/orders"]


def test_functions_without_credentials_are_not_asked_for(shop: Shop) -> None:
    healthy(shop)
    refused = failed("AWS", ACCESS, ForgeError("AWS: there are no AWS credentials; renew them"))

    found = told(examine(patient(shop, deployer=Told([refused]))))

    assert found["AWS", ACCESS][0] is State.FAILED
    assert ("orders", "function") not in found


def test_what_the_settings_do_not_name_is_skipped(shop: Shop) -> None:
    left_out = LeftOut("functions", "the settings name no deployer")

    found = told(examine(patient(shop, deployer=left_out)))

    assert found["functions", ACCESS] == (State.SKIPPED, "the settings name no deployer")


def test_a_repository_with_a_fault_is_told_with_the_cure_and_the_next_is_read(shop: Shop) -> None:
    shop.people.create_broken("acme/broken")
    healthy(shop)

    checks = {check.subject: check for check in examine(patient(shop))}

    assert (checks["acme/broken"].message, checks["acme/broken"].cure) == (
        "acme/broken: its default branch 'gone' is not there",
        NAME_ONE,
    )
    assert checks["acme/orders"].state is State.OK


def test_no_repository_at_all_is_told(shop: Shop) -> None:
    found = told(examine(patient(shop)))

    assert found["source repositories", "read"] == (State.SKIPPED, "none is there; check include")


def test_a_forge_that_cannot_be_listed_is_told_and_streams_are_asked(shop: Shop) -> None:
    shop.publish()
    (shop.folder / "repositories").rename(shop.folder / "gone")
    watching = replace(shop.rules(), watch=(RUNTIME,))

    found = told(examine(replace(patient(shop), rules=watching)))

    assert found["source repositories", ACCESS][0] is State.FAILED
    assert found["python3.13", "stream"][0] is State.OK


def test_of_many_repositories_some_are_read_and_the_others_counted(shop: Shop) -> None:
    healthy(shop)
    root = shop.folder / "repositories" / "acme"
    for number in range(29):
        shutil.copytree(root / "orders.git", root / f"copy{number}.git")

    found = told(examine(patient(shop)))

    assert len([key for key in found if key[1] == "read"]) == 25 + 1
    message = "5 of 30 were not read, nor the streams that only they use"
    assert found["source repositories", "read"] == (State.SKIPPED, message)


def test_a_stream_that_does_not_answer_is_told_and_the_next_is_asked(shop: Shop) -> None:
    healthy(shop)
    watching = replace(shop.rules(), watch=("nodejs22.x", RUNTIME))

    found = told(examine(replace(patient(shop), rules=watching)))

    assert found["nodejs22.x", "stream"][0] is State.FAILED
    assert found["python3.13", "stream"][0] is State.OK


def test_a_stream_that_lacks_a_platform_of_the_catalogue_is_told(shop: Shop) -> None:
    healthy(shop)
    platform = shop.catalogue.get(RUNTIME).platforms[0]
    one = replace(shop.catalogue.get(RUNTIME), platforms=(platform, replace(platform, architecture="riscv64")))
    rules = replace(shop.rules(), catalogue=shop.catalogue.overlay([one]))

    checks = {check.subject: check for check in examine(replace(patient(shop), rules=rules))}

    assert checks["python3.13"].message == "public.ecr.aws/lambda/python:3.13 has no image for linux/riscv64"
    assert checks["python3.13"].cure.startswith("wait until it has, or correct python3.13 in the file")


def test_a_runtime_that_nobody_knows_has_no_stream(shop: Shop) -> None:
    shop.push("acme/future", UNPINNED.replace("3.13", "3.99"))

    found = told(examine(patient(shop)))

    assert found["acme/future", "read"] == (State.OK, "uses python3.99, on main")
    assert not [key for key in found if key[1] == "stream"]


def test_functions_are_told_one_by_one(shop: Shop) -> None:
    good = healthy(shop)
    shop.targets += [replace(good, function="ghost"), replace(good, function="orders2", alias="stable")]
    running = shop.functions.function("orders")
    assert running.image is not None
    shop.functions.create("orders2", running.image, running.platform, aliases=("live",))

    checks = {check.subject: check for check in examine(patient(shop)) if check.name == "function"}

    assert checks["orders"].state is State.OK
    assert checks["ghost"].state is State.FAILED
    assert checks["orders2"].message == "orders2 has no alias stable"
    assert checks["orders2"].cure == "create it, or take it from the target"


def test_a_function_without_an_alias_is_told_as_such(shop: Shop) -> None:
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders"), alias=None)

    assert told(examine(patient(shop)))["orders", "function"][1].endswith("; no alias is named")


def test_an_image_that_cannot_be_read_fails_its_function(shop: Shop) -> None:
    healthy(shop)
    elsewhere = LayoutRegistry(shop.folder / "nothing")

    checks = {check.subject: check for check in examine(replace(patient(shop), registry=elsewhere))}

    assert checks["orders"].state is State.FAILED
    assert "registry.example/orders" in checks["orders"].message


def test_an_error_without_a_cure_keeps_its_words() -> None:
    def look() -> str:
        raise RegistryError("it broke")

    check = checked("x", "y", look)

    assert (check.message, check.cure, check.is_failed) == ("it broke", "", True)


def _digest(shop: Shop) -> str:
    return shop.registry.manifest(shop.catalogue.get(RUNTIME).reference).digest.short
