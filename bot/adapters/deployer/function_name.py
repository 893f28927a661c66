"""How Lambda names a function: `orders`, `123456789012:function:orders` or a full ARN (API reference, FunctionName)."""

import re
from dataclasses import dataclass
from typing import Self

from bot.core.errors import DeployError

_NAME = re.compile(r"(?:(?P<account>\d{12}):function:)?(?P<name>[a-zA-Z0-9_-]{1,64})\Z")
_ARN = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:lambda:(?P<region>[a-z]+(?:-[a-z]+)+-\d+):(?P<account>\d{12}):function:"
    r"(?P<name>[a-zA-Z0-9_-]{1,64}))"
    r"(?P<qualifier>:(?:\$LATEST|[a-zA-Z0-9_-]{1,128}))?\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName:
    """One function without version or alias; `text` is what Lambda is asked for, `account` None where it names none."""

    text: str
    region: str
    account: str | None = None

    @classmethod
    def parse(cls, text: str, *, default_region: str) -> Self:
        """Read a name or an ARN; an ARN brings its own Region. Raises `DeployError` for anything else."""
        if (arn := _ARN.match(text)) and not arn["qualifier"]:
            return cls(text=text, region=arn["region"], account=arn["account"])
        if name := _NAME.match(text):
            return cls(text=text, region=default_region, account=name["account"])
        raise DeployError(
            f"function {text[:160]!r} is no function name; write its name or its ARN, without version or alias"
        )

    @classmethod
    def of_arn(cls, text: str) -> Self:
        """Read the ARN in an answer of Lambda and leave its version or alias out; raises `ValueError`."""
        arn = _ARN.match(text)
        if arn is None:
            raise ValueError(f"{text[:160]!r} is no function ARN")
        return cls(text=arn["arn"], region=arn["region"], account=arn["account"])
