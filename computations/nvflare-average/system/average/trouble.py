"""What the parameters ask a node to do wrong before it has begun."""

import signal
import sys
import time

from .kit import Kit

LINE = "x" * 1023 + "\n"
LINES_PER_MEGABYTE = 1024


class RequestedFailure(Exception):
    """A failure that the parameters ask for."""


def misbehave(kit: Kit) -> None:
    """Ignores SIGTERM (as do the processes it starts from now on), fills the log, or never goes on."""
    parameters = kit.parameters
    if parameters.ignoreSigtermAt == kit.node:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(round(parameters.logMegabytes * LINES_PER_MEGABYTE)):
        sys.stdout.write(LINE)
    sys.stdout.flush()
    if parameters.neverStartAt == kit.node:
        print(f"{kit.node} was asked never to start", flush=True)
        while True:
            time.sleep(3600)


def fail_if_asked(kit: Kit) -> None:
    """Fails at the node that was named."""
    if kit.parameters.failAt == kit.node:
        raise RequestedFailure(f"{kit.node} was asked to fail")
