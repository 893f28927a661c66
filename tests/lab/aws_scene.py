"""What the tests of the lab's AWS act with: pushed images, errors taken apart, time that passes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.lab.clock import WoundClock

Push = Callable[..., str]
"""Pushes an image `repository:tag` that holds a text, and returns its URI by digest."""


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    """Give status and code of an error."""
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def text_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    """Give the text of an error."""
    return error.value.response["Error"]["Message"]


def let_pass(clock: WoundClock, seconds: float) -> None:
    """Let time pass."""
    clock.wait_until(clock.now() + timedelta(seconds=seconds))
