"""A network of our own: a namespace in which an engine may make bridges, apart from every network of the machine."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.need import lack, need

_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET (clone(2)); `os.unshare` came with Python 3.12."""


@contextmanager
def own_network() -> Iterator[None]:
    """Move this thread, and what it starts, into a new network that has nothing but loopback, until the block ends."""
    ip = need("ip", "apt-get install iproute2")
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(_NEW_NETWORK):
            lack(f"no network of our own can be made here ({os.strerror(ctypes.get_errno())}); run the tests as root")
        try:
            subprocess.run([ip, "link", "set", "lo", "up"], check=True)
            yield
        finally:
            if libc.setns(before, _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "the thread stays in a network that is going away")
    finally:
        os.close(before)
