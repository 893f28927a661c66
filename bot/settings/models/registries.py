"""The settings about registries, runtimes and advisories."""

from typing import Literal

from pydantic import Field, model_validator

from bot.settings.fields import Address, Host, Mirror, MirrorList, RuntimeIdentifier, SystemName
from bot.settings.models.model import Model, Secret
from bot.settings.values import AMAZON_FEEDS


class Login(Model):
    """How to log in to a registry: a user name and a password, ECR's own tokens, or as the docker command does."""

    username: str | None = Field(None, description="The user name; AWS for ECR.")
    password: Secret | None = Field(None, description="Where the password is.")
    ecr: str | None = Field(
        None,
        description="The Region of a private ECR, us-east-1 for public.ecr.aws; AWS credentials give the login.",
    )
    docker: Literal[True] | None = Field(
        None, description="Take what docker login left: in docker's config.json, or with the helper that it names."
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Login":
        basic = [self.username is not None, self.password is not None]
        if [all(basic), self.ecr is not None, self.docker is not None].count(True) != 1 or any(basic) != all(basic):
            raise ValueError("is no login; give username and password, or ecr: REGION, or docker: true")
        return self


class RegistryModel(Model):
    """One registry, by the host that stands in references."""

    url: Address | None = Field(
        None, description="Where it is reached; https://HOST by default. oci:DIR is a folder of OCI image layouts."
    )
    credentials: Login | None = Field(None, description="The login; none means anonymous.")
    pace: float | None = Field(None, strict=True, gt=0, le=1000, description="Requests a second at most.")
    token_hosts: list[Host] = Field([], description="Other hosts that may see the login to give a token for it.")


class Runtimes(Model):
    """Which runtimes are watched, and what is known of them."""

    watch: list[RuntimeIdentifier] = Field(
        [], description="Runtime identifiers to watch although nothing may use them."
    )
    read_from: Mirror | None = Field(
        None,
        description="A full copy of public.ecr.aws/lambda that is read in its place, such as a pull-through cache.",
    )
    catalogue: str | None = Field(None, description="A file that adds or replaces rows of the runtime catalogue.")


class AdvisoriesModel(Model):
    """Where the advisories of the base images' operating systems are read."""

    feeds: dict[SystemName, MirrorList] = Field(
        dict(AMAZON_FEEDS),
        description="The mirror list of each operating system's packages; one that is left out is not read.",
    )
