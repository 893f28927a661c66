"""What all parts of the settings share: unknown keys are faults, and a secret stands elsewhere."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from bot.settings.surroundings import Surroundings


class Model(BaseModel):
    """What all parts share: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Model):
    """A secret's place: exactly one of an environment variable and a file."""

    env: str | None = Field(None, description="The environment variable that holds it.")
    file: str | None = Field(None, description="The file that holds it, relative to the settings.")

    @model_validator(mode="before")
    @classmethod
    def _not_itself(cls, value: object) -> object:
        """Refuse the secret in the place of its place; keys that are not known are not shown, for they may be it."""
        if not isinstance(value, Mapping) or not value.keys() <= cls.model_fields.keys():
            raise ValueError("is never written here; give env: NAME or file: PATH")
        return value

    @model_validator(mode="after")
    def _one_place(self, info: ValidationInfo) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("names no place, or two; give env: NAME or file: PATH")
        if isinstance(info.context, Surroundings):
            info.context.secret(self.env, self.file)
        return self


def all_keys(schema: dict[str, Any]) -> set[str]:
    """Every key that a schema knows, for hints."""
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}
