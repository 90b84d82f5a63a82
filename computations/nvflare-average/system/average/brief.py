"""
Runs a program of NVFlare with a shorter goodbye. By itself it waits three seconds for what may be pending before it
closes its connections, and a node that was told to end after its job has nothing pending.

    python -m average.brief nvflare.private.fed.app.client.client_train ...
"""

import runpy
import sys
from functools import partial

from nvflare.fuel.f3.mpm import MainProcessMonitor

GRACE_SECONDS = 0.2

if __name__ == "__main__":
    MainProcessMonitor.run = partial(MainProcessMonitor.run, shutdown_grace_time=GRACE_SECONDS)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
