"""The JSON schema of refrom.yaml, for editors: `python -m bot.settings.schema > config/refrom.schema.json`."""

import json
import sys

from bot.settings.models import SettingsModel


def schema_json() -> str:
    """Write the schema (JSON Schema 2020-12) as it lies in `config/`."""
    schema = SettingsModel.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "refrom.yaml"}
    return json.dumps({**schema, **head}, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_json())
