"""Central's part of the job. NVFlare runs it in a process of its own."""

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.controller import Controller
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from .failures import failure_of, record
from .kit import CENTRAL, Kit
from .paths import KIT_DIR
from .results import write_result
from .tasks import FAILURE, PUBLISH, RESULT, SUMMARISE, SUMMARY
from .values import Summary, combine

CHECK_PERIOD_SECONDS = 0.1


class AverageController(Controller):
    """Asks every site for its part, and tells every site the whole."""

    def __init__(self) -> None:
        super().__init__(task_check_period=CHECK_PERIOD_SECONDS)
        self._kit = Kit.read(KIT_DIR)
        self._answers: dict[str, Shareable] = {}

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Nothing to prepare."""

    def stop_controller(self, fl_ctx: FLContext) -> None:
        """Nothing to clean up."""

    def process_result_of_unknown_task(
        self, client: Client, task_name: str, client_task_id: str, result: Shareable, fl_ctx: FLContext
    ) -> None:
        """An answer that nobody waits for any more."""

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """The whole job; a problem ends it everywhere."""
        try:
            answers = self._ask(SUMMARISE, Shareable(), abort_signal, fl_ctx)
            if answers is None:
                return
            summaries = {site: Summary(**answers[site][SUMMARY]) for site in self._kit.sites}
            whole = combine(list(summaries.values()))
            result = {"mean": whole.mean, "n": whole.n}
            published = self._ask(PUBLISH, Shareable({RESULT: result}), abort_signal, fl_ctx)
            if published is not None and not self._kit.parameters.silent(CENTRAL):
                write_result({**result, "sites": {site: part.n for site, part in summaries.items()}})
        except Exception as error:
            record(failure_of(error, CENTRAL, "aggregation"))
            self.system_panic(str(error), fl_ctx)

    def _ask(self, name: str, data: Shareable, abort_signal: Signal, fl_ctx: FLContext) -> dict[str, Shareable] | None:
        """Every site's answer; nothing if a site failed, and then the job is ending already."""
        self._answers = {}
        task = Task(name=name, data=data, result_received_cb=self._keep)
        self.broadcast_and_wait(
            task=task, fl_ctx=fl_ctx, targets=list(self._kit.sites), min_responses=0, abort_signal=abort_signal
        )
        if abort_signal.triggered:
            return None
        silent = [site for site in self._kit.sites if site not in self._answers]
        if silent:
            raise RuntimeError(f"There is no answer from {', '.join(silent)}")
        return self._answers

    def _keep(self, client_task: ClientTask, fl_ctx: FLContext) -> None:
        site, answer = client_task.client.name, client_task.result
        if answer.get_return_code() == ReturnCode.OK:
            self._answers[site] = answer
            return
        failure = answer.get(FAILURE)
        if failure is not None:
            record(failure)
        self.system_panic(f"{site} failed: {failure and failure['message']}", fl_ctx)
