"""STS of the lab: who asks, and roles of other accounts to be assumed (STS API 2011-06-15).

The access key that comes with a role says in which account it acts, so that nothing has to be remembered.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.lab.aws_lambda import ACCOUNT, only
from tests.lab.aws_protocols import AwsError, Call, Unmodelled

_TEMPORARY: Final = re.compile(r"ASIALAB0(\d{12})\Z")
_ROLE: Final = re.compile(r"arn:aws:iam::(?P<account>\d{12}):role/(?P<name>[\w+=,.@/-]+)\Z")


def account_of(access_key: str) -> str:
    """Say whose account a request is made in."""
    found = _TEMPORARY.match(access_key)
    return found[1] if found else ACCOUNT


class StsService:
    """Lets those roles be assumed that `trusting` names."""

    def __init__(self) -> None:
        self.trusting: set[str] = set()

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        if call.operation == "AssumeRole":
            return self._assume_role(call)
        if call.operation != "GetCallerIdentity":
            raise Unmodelled(f"the lab's STS does not speak {call.operation} yet")
        account = account_of(call.access_key)
        role = f"arn:aws:sts::{account}:assumed-role/refrom/lab"
        return {"UserId": "AROALABLABLABLABLABLA:lab", "Account": account, "Arn": role}

    def _assume_role(self, call: Call) -> dict[str, Any]:
        p = only(call, "RoleArn RoleSessionName")
        role = _ROLE.match(p["RoleArn"])
        caller = f"arn:aws:sts::{account_of(call.access_key)}:assumed-role/refrom/lab"
        if role is None or p["RoleArn"] not in self.trusting:
            text = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {p['RoleArn']}"
            raise AwsError("AccessDenied", text)
        session = f"arn:aws:sts::{role['account']}:assumed-role/{role['name']}/{p['RoleSessionName']}"
        return {
            "Credentials": {
                "AccessKeyId": f"ASIALAB0{role['account']}",
                "SecretAccessKey": "lab",
                "SessionToken": "lab",
                "Expiration": datetime.now(UTC) + timedelta(hours=1),  # botocore has no clock but the machine's
            },
            "AssumedRoleUser": {"AssumedRoleId": f"AROALABLABLABLABLABLA:{p['RoleSessionName']}", "Arn": session},
        }
