"""The JSON schemas in `config/`, for editors: `python -m bot.settings.schema` prints that of the settings.

With the argument `own` it is that of a source repository's own file.
"""

import json
import sys

from pydantic import BaseModel

from bot.core.policy import OWN_FILE
from bot.settings.models import OwnModel, SettingsModel


def schema_json() -> str:
    """Write the schema of the settings (JSON Schema 2020-12) as it lies in `config/`."""
    return _schema(SettingsModel, "refrom.yaml")


def own_schema_json() -> str:
    """Write the schema of a source repository's own file."""
    return _schema(OwnModel, OWN_FILE)


def _schema(model: type[BaseModel], title: str) -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps({**model.model_json_schema(), **head}, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(own_schema_json() if sys.argv[1:] == ["own"] else schema_json())
