"""A site's part of the job. NVFlare runs it in a process of its own."""

import time

from nvflare.apis.executor import Executor
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.apis.signal import Signal

from .failures import failure_of, record
from .kit import Kit
from .paths import DATA_DIR, KIT_DIR
from .results import write_result
from .tasks import FAILURE, PUBLISH, RESULT, SUMMARISE, SUMMARY
from .trouble import fail_if_asked
from .values import Summary, summarise

LOOK_EVERY_SECONDS = 0.1


class AverageExecutor(Executor):
    """Sums up the site's numbers, and writes the mean of all when it is known."""

    def __init__(self) -> None:
        super().__init__()
        self._kit = Kit.read(KIT_DIR)
        self._own: Summary | None = None

    def execute(self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal) -> Shareable:
        """Does a task; an error is kept here and told to central without its traceback, which may quote data."""
        try:
            if task_name == SUMMARISE:
                return self._summarise(abort_signal)
            if task_name == PUBLISH:
                return self._publish(shareable)
            return make_reply(ReturnCode.TASK_UNKNOWN)
        except Exception as error:
            failure = failure_of(error, self._kit.node, task_name)
            record(failure)
            self.log_error(fl_ctx, f"{task_name}: {error}")
            reply = make_reply(ReturnCode.EXECUTION_EXCEPTION)
            reply[FAILURE] = {**failure, "traceback": ""}
            return reply

    def _summarise(self, abort_signal: Signal) -> Shareable:
        end = time.monotonic() + self._kit.parameters.sleepSeconds
        while time.monotonic() < end:
            if abort_signal.triggered:
                return make_reply(ReturnCode.TASK_ABORTED)
            time.sleep(LOOK_EVERY_SECONDS)
        fail_if_asked(self._kit)
        self._own = summarise(DATA_DIR)
        reply = make_reply(ReturnCode.OK)
        reply[SUMMARY] = self._own.to_dict()
        return reply

    def _publish(self, shareable: Shareable) -> Shareable:
        own = self._own
        if own is None:
            raise RuntimeError("The result came before the site was asked for its part")
        if not self._kit.parameters.silent(self._kit.node):
            write_result({"site": self._kit.node, **shareable[RESULT], "local_mean": own.mean, "local_n": own.n})
        return make_reply(ReturnCode.OK)
