/** The page's start: who is here, and which page the address names. */
import { showAccessForm } from './access-form';
import { ApiError, createApi, type Api } from './api';
import { createFrame, type Frame } from './frame';
import { showHome } from './home-page';
import { h } from './render';
import { showRun } from './run-page';
import { currentToken, onNewToken, seemsAdmin } from './session';

const RUN_PATH = /^\/runs\/([^/]+)\/?$/;

function start(): void {
  onNewToken(() => location.reload());
  const frame = createFrame();
  const token = currentToken();
  if (token === undefined) {
    showAccessForm(frame, false);
    return;
  }
  let refused = false;
  const api = createApi(token, () => {
    refused = true;
    showAccessForm(frame, true);
  });
  // Temporal's Web UI, to which the page links, then shows what histories hold. The page goes without.
  if (seemsAdmin(token)) api.passToCodec().catch(() => undefined);
  open(frame, api).catch((error: unknown) => {
    if (!refused) showFailure(frame, error);
  });
}

function open(frame: Frame, api: Api): Promise<never> {
  const [, runId] = RUN_PATH.exec(location.pathname) ?? [];
  return runId === undefined ? showHome(frame, api) : showRun(frame, api, decodeURIComponent(runId));
}

function showFailure(frame: Frame, error: unknown): void {
  const gone = error instanceof ApiError && error.status === 404;
  const message = error instanceof Error ? error.message : String(error);
  document.title = 'Muster';
  frame.showMessage(
    gone ? 'There is no such run' : 'This cannot be shown',
    h('p', { class: 'problem', role: 'alert' }, message),
    h('p', {}, h('a', { href: '/' }, 'All runs')),
  );
}

start();
