/**
 * The site gateway: the only way from a site to Temporal. It passes an activity worker's calls for the site's own queue
 * and tasks, opens and seals the payloads for it, and refuses the rest. It keeps nothing between calls, so there may be
 * as many of it as wanted.
 */
import type { AddressInfo } from 'node:net';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { siteQueue } from '../../workflows/contract';
import type { Call } from './call';
import { PASSED_CALLS, type CallKind, type CheckedRequest, type PassedCall, type Scope } from './calls';
import {
  Connections,
  expel,
  notAdmitted,
  type Connection,
  type ConnectionsOptions,
  type ServerCertificate,
} from './connections';
import type { Answer } from './grpc';
import { DEFAULT_LIMITS, SiteUse, type Limits } from './limits';
import { changePayloads, type SitePayloads } from './payloads';
import { CallFailure, Refusal, type RefusalReason } from './refusal';
import type { Temporal } from './temporal';
import type { Task, TokenHolder, TokenKeys } from './tokens';
import { MalformedMessage } from './wire';

export interface GatewayOptions extends Pick<
  ConnectionsOptions,
  'certificate' | 'siteCa' | 'identityOf' | 'admissions'
> {
  temporal: Temporal;
  namespace: string;
  keys: TokenKeys;
  log: Logger;
  payloads: SitePayloads;
  limits?: Partial<Limits> | undefined;
}

/** Since the gateway started, but for `connections` and `polls`: those are open now. */
export interface Counters {
  connections: number;
  polls: number;
  calls: Record<CallKind, number>;
  tasks: number;
  outcomes: number;
  refused: Partial<Record<RefusalReason, number>>;
}

export interface Gateway {
  listen(host: string, port: number): Promise<AddressInfo>;
  counters(): Counters;
  /** Shows another certificate from now on. */
  setCertificate(certificate: ServerCertificate): void;
  /** Ends the polls, lets other calls come to their end for so long, and closes. */
  close(graceMs: number): Promise<void>;
}

const FORGET_MS = 10_000;
/** What of a worker's metadata Temporal gets: who is calling. */
const PASSED_HEADERS = ['client-name', 'client-version', 'supported-server-versions', 'supported-features'];

export function createGateway(options: GatewayOptions): Gateway {
  return new SiteGateway(options);
}

class SiteGateway implements Gateway {
  private readonly limits: Limits;
  private readonly connections: Connections;
  private readonly uses = new Map<string, SiteUse>();
  private readonly polls = new Set<Call>();
  private readonly forgetting: NodeJS.Timeout;
  private readonly counts: Omit<Counters, 'connections' | 'polls'> = {
    calls: { about: 0, poll: 0, heartbeat: 0, outcome: 0, worker: 0 },
    tasks: 0,
    outcomes: 0,
    refused: {},
  };
  private draining = false;

  constructor(private readonly options: GatewayOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.connections = new Connections({
      ...options,
      limits: this.limits,
      welcome: (connection) => this.welcome(connection),
      onCall: (call, connection) => {
        this.take(call, connection).catch((err: unknown) =>
          options.log.error({ err }, 'a call was not answered'),
        );
      },
      onRefusal: (reason, about) => this.count(reason, about),
      onClose: ({ identity }) => this.useOf(identity.siteId).connections--,
    });
    this.forgetting = setInterval(() => this.forgetIdle(), FORGET_MS);
  }

  listen(host: string, port: number): Promise<AddressInfo> {
    return this.connections.listen(host, port);
  }

  counters(): Counters {
    return structuredClone({ connections: this.connections.size, polls: this.polls.size, ...this.counts });
  }

  setCertificate(certificate: ServerCertificate): void {
    this.connections.setCertificate(certificate);
  }

  async close(graceMs: number): Promise<void> {
    this.draining = true;
    this.connections.drain();
    for (const poll of this.polls) poll.end(leaving());
    const patience = setTimeout(() => this.connections.destroy(), graceMs);
    await this.connections.closed();
    clearTimeout(patience);
    this.connections.destroy();
    clearInterval(this.forgetting);
    this.options.temporal.close();
  }

  // -------------------------------------------------------------- what a site may use

  private welcome({ identity: { siteId } }: Connection): void {
    const use = this.useOf(siteId);
    if (use.connections >= this.limits.connections || !use.connects.take(performance.now())) {
      const refusal = new Refusal('too-many-connections', 'the site has too many connections');
      this.count(refusal.reason, { site: siteId });
      throw refusal;
    }
    use.connections++;
  }

  private useOf(siteId: string): SiteUse {
    let use = this.uses.get(siteId);
    if (!use) this.uses.set(siteId, (use = new SiteUse(this.limits, performance.now())));
    return use;
  }

  private forgetIdle(): void {
    const now = performance.now();
    for (const [siteId, use] of this.uses) if (use.isIdle(now)) this.uses.delete(siteId);
  }

  /** Every refusal is counted; whoever is refused without end does not fill the log. */
  private count(reason: RefusalReason, about: { site?: string; call?: string; why?: string }): void {
    this.counts.refused[reason] = (this.counts.refused[reason] ?? 0) + 1;
    // Those of whom it is not known who they are count as one.
    const logged = this.useOf(about.site ?? '').lines.take(performance.now());
    this.options.log[logged ? 'warn' : 'trace']({ reason, ...about }, 'refused');
  }

  // -------------------------------------------------------------- one call

  private async take(call: Call, connection: Connection): Promise<void> {
    const { siteId } = connection.identity;
    const use = this.useOf(siteId);
    let held = 0;
    const hold = (bytes: number) => {
      held += bytes;
      use.openBytes += bytes;
      if (use.openBytes > this.limits.openBytes)
        throw new Refusal('too-many-calls', 'the site sends too much at a time');
    };
    use.openCalls++;
    try {
      this.mayCall(call, connection, use);
      call.answer(await this.pass(call, { siteId, use, hold }));
    } catch (error) {
      call.answer(this.failed(error, { site: siteId, call: call.path.slice(0, 200) }));
    } finally {
      use.openCalls--;
      use.openBytes -= held;
    }
  }

  private mayCall(call: Call, connection: Connection, use: SiteUse): void {
    if (this.draining) throw leaving();
    if (!this.connections.admits(connection)) throw notAdmitted(connection.identity);
    const now = performance.now();
    if (use.openCalls > this.limits.openCalls || !use.calls.take(now)) {
      if (!use.excessCalls.take(now)) expel(connection);
      throw new Refusal('too-many-calls', 'the site makes too many calls');
    }
    call.mustBeGrpc();
  }

  private async pass(
    call: Call,
    { siteId, use, hold }: { siteId: string; use: SiteUse; hold: (bytes: number) => void },
  ): Promise<Answer> {
    const passed = PASSED_CALLS.get(call.path);
    if (!passed) throw new Refusal('unknown-call', 'sites have no access to this call');
    const { kind } = passed;
    const deadline = call.limitTo(kind === 'poll' ? this.limits.pollMs : this.limits.callMs);
    const request = await call.request(this.limits.requestBytes[kind], hold);
    if (kind !== 'poll') return this.forward(call, passed, { siteId, request, deadline });
    if (use.polls >= this.limits.polls)
      throw new Refusal('too-many-polls', 'the site polls too often at a time');
    use.polls++;
    this.polls.add(call);
    try {
      return await this.forward(call, passed, { siteId, request, deadline });
    } finally {
      use.polls--;
      this.polls.delete(call);
    }
  }

  private async forward(
    call: Call,
    passed: PassedCall,
    { siteId, request, deadline }: { siteId: string; request: Buffer; deadline: number },
  ): Promise<Answer> {
    const { temporal, namespace } = this.options;
    const scope = this.scopeOf(siteId);
    this.counts.calls[passed.kind]++;
    const { body, task } = await this.checked(passed, request, scope);
    const toTemporal = {
      path: call.path,
      body,
      headers: { ...passedHeaders(call), 'temporal-namespace': namespace },
      deadline,
      signal: call.signal,
    };
    let ended = status.UNKNOWN;
    try {
      const answer = await temporal.call(toTemporal);
      ended = answer.code;
      return 'body' in answer ? { ...answer, body: await this.shown(passed, answer.body, scope) } : answer;
    } catch (error) {
      if (error instanceof CallFailure) ended = error.code;
      throw error;
    } finally {
      if (passed.kind === 'outcome') this.audit(passed, scope, { task, ended, bytes: request.length });
    }
  }

  /** What Temporal is sent. */
  private async checked(passed: PassedCall, request: Buffer, scope: Scope): Promise<CheckedRequest> {
    const { payloads } = this.options;
    try {
      const checked = passed.check(request, scope);
      if (!passed.sent) return checked;
      const seal = (sent: Buffer[]) => payloads.sealFromSite(sent, scope.siteId);
      return { ...checked, body: await changePayloads(checked.body, passed.sent, seal) };
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      throw new Refusal('malformed', `the request cannot be read: ${error.message}`);
    }
  }

  /** What the site is answered. */
  private async shown(passed: PassedCall, answer: Buffer, scope: Scope): Promise<Buffer> {
    const { payloads } = this.options;
    const shown = passed.answer(answer, scope);
    if (passed.kind === 'poll' && shown !== answer) this.counts.tasks++;
    if (!passed.received) return shown;
    const open = (received: Buffer[]) => payloads.openForSite(received, scope.siteId);
    return changePayloads(shown, passed.received, open);
  }

  private scopeOf(siteId: string): Scope {
    const { keys, namespace } = this.options;
    const holder: TokenHolder = { siteId, namespace };
    return {
      siteId,
      namespace,
      queue: siteQueue(siteId),
      sealTask: (task) => keys.seal(task, holder),
      openTask: (sealed) => {
        const task = keys.open(sealed, holder);
        if (!task) throw new Refusal('task-token', 'this is not a task token of this site');
        return task;
      },
    };
  }

  /** A task that has ended, or would have: the status says whether Temporal has taken it. */
  private audit(
    { name }: PassedCall,
    { siteId, namespace, queue }: Scope,
    { task, ended, bytes }: { task: Task | undefined; ended: status; bytes: number },
  ): void {
    this.counts.outcomes++;
    const { workflowId, executionId, activity, activityId, attempt } = task ?? {};
    const about = { workflowId, executionId, activity, activityId, attempt };
    const said = { site: siteId, namespace, queue, call: name, ...about, bytes, status: status[ended] };
    this.options.log.info(said, 'task ended');
  }

  private failed(error: unknown, about: { site: string; call: string }): Answer {
    if (error instanceof Refusal) this.count(error.reason, { ...about, why: error.message });
    if (error instanceof CallFailure) return { code: error.code, message: error.message };
    this.options.log.error({ err: error, ...about }, 'a call failed in the gateway');
    return { code: status.INTERNAL, message: 'the gateway could not do this' };
  }
}

const leaving = () =>
  new CallFailure(status.UNAVAILABLE, 'the gateway is about to end; another one may be there');

function passedHeaders(call: Call): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED_HEADERS) {
    const value = call.header(name);
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}
