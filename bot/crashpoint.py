"""Named places at which a test may kill the process, to show that nothing is lost there."""

import os
import signal
from itertools import count

ENVIRONMENT = "PILOTHOUSE_CRASH"

_passages = count(1)


def crashpoint(name: str) -> None:
    """Kill this process at the n-th passage when `PILOTHOUSE_CRASH` is `name:n`; else nothing."""
    wish = os.environ.get(ENVIRONMENT)
    if not wish:
        return
    wanted, _, number = wish.rpartition(":")
    if wanted == name and next(_passages) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
