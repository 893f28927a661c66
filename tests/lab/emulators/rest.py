"""GitHub's REST API as somebody who has a token speaks it, without any of the product's code."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from tests.lab.forward import send
from tests.lab.web import Answer

OWNER: Final = "acme"
"""The organisation that each emulator has."""
BOT: Final = "bot"
PERSON: Final = "ada"
"""Its members."""


class Refused(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, asked: str, answer: Answer) -> None:
        super().__init__(f"{asked}: {answer.status} {answer.body[:300].decode(errors='replace')}")
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """One person at one server; all paths come after `before`."""

    host: str
    authorization: str = field(repr=False)
    before: str = ""

    def send(self, method: str, path: str, body: object = None, *, accept: str = "application/json") -> Answer:
        """Send a request and return the answer, whatever it is."""
        headers = {"Authorization": self.authorization, "Accept": accept, "User-Agent": "lab"}
        content = b"" if body is None else json.dumps(body).encode()
        if content:
            headers["Content-Type"] = "application/json"
        return send(self.host, method, self.before + path, headers, content)

    def do(self, method: str, path: str, body: object = None) -> Any:
        """Send a request and return the document of its answer; raises `Refused`."""
        answer = self.send(method, path, body)
        if not 200 <= answer.status < 300:
            raise Refused(f"{method} {path}", answer)
        return json.loads(answer.body or b"null")

    def get(self, path: str) -> Any:
        """Return what is at a path; raises `Refused`."""
        return self.do("GET", path)

    def find(self, path: str) -> Any:
        """Return what is at a path, and None where nothing is; raises `Refused`."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.answer.status != 404:
                raise
            return None
