/** Tells Muster how far this node is, where Muster asks for it. The run does not depend on anyone listening. */
import http from 'node:http';
import https from 'node:https';

export interface Progress {
  phase: string;
  detail?: string;
  /** 0 to 1. */
  progress?: number;
}
export type Report = (progress: Progress) => void;

const PATIENCE_MS = 3000;

/** Sends reports in the order they are made, one connection for all of them; of those made in one breath only the last. */
export function createReporter(env: NodeJS.ProcessEnv): Report {
  const { MUSTER_REPORT_URL: url, MUSTER_REPORT_TOKEN: token } = env;
  if (url === undefined || token === undefined || !URL.canParse(url)) return () => undefined;
  const { request, Agent } = url.startsWith('https:') ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const send = (progress: Progress) => {
    const sent = request(url, { method: 'POST', agent, headers, timeout: PATIENCE_MS });
    sent.on('response', (response) => response.resume());
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => undefined);
    sent.end(JSON.stringify(progress));
  };
  let latest: Progress | undefined;
  return (progress) => {
    if (latest === undefined) {
      setImmediate(() => {
        if (latest !== undefined) send(latest);
        latest = undefined;
      });
    }
    latest = progress;
  };
}
