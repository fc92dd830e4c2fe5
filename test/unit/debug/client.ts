/** A debugger as a test plays it: attaches to a run in this thread, and waits for its stops. */
import assert from 'node:assert/strict';
import type { z } from '../../../backend/protocol/config/zod.ts';
import type { DebugEvent } from '../../../backend/protocol/debug-requests.ts';
import type { RequestDefinition } from '../../../backend/protocol/rpc/define.ts';
import type { RunMessage } from '../../../backend/protocol/run-messages.ts';
import { runRequests } from '../../../backend/protocol/run-requests.ts';
import { RunControl } from '../../../backend/runs/loop/control.ts';
import type { RunRequest } from '../../../backend/runs/loop/open.ts';
import { trainingRun } from '../../../backend/runs/loop/training-run.ts';
import { randomBelow } from '../../random.ts';

export type Stopped = Extract<DebugEvent, { type: 'stopped' }>;
type Definitions = typeof runRequests;
type ParamsOf<M extends keyof Definitions> = z.infer<Definitions[M]['params']>;
type ResultOf<M extends keyof Definitions> = z.infer<Definitions[M]['result']>;
type How = ParamsOf<'debug/go'>['how'];

export class Client {
  readonly session = `session-${randomBelow(2 ** 31)}`;
  readonly events: DebugEvent[] = [];
  /** Aborted: the line is lost. */
  readonly line = new AbortController();
  held: Promise<{ reason: string }> | undefined;
  readonly control: RunControl;
  #seen = 0;

  constructor(control: RunControl) {
    this.control = control;
  }

  /** What the schemas let through is all that either side sees, as on a line. */
  async ask<M extends keyof Definitions>(method: M, params: Omit<ParamsOf<M>, 'session'>): Promise<ResultOf<M>> {
    const definition = runRequests[method] as unknown as RequestDefinition<unknown, unknown>;
    const checked = definition.params.parse({ session: this.session, ...params });
    const result = await this.control.ask(definition, checked, this.line.signal);
    return definition.result.parse(result) as ResultOf<M>;
  }

  async attach(stop: boolean) {
    const standing = await this.ask('debug/attach', { stop });
    this.held = this.ask('debug/hold', {});
    this.held.catch(() => {});
    return standing;
  }

  /** The next event of that type. */
  async next<T extends DebugEvent['type']>(type: T): Promise<Extract<DebugEvent, { type: T }>> {
    for (;;) {
      const found = this.events.slice(this.#seen).find((event) => event.type === type);
      if (found) {
        this.#seen = this.events.indexOf(found) + 1;
        return found as Extract<DebugEvent, { type: T }>;
      }
      const news = await this.ask('debug/events', { after: this.events.at(-1)?.seq ?? 0 });
      assert.ok(news.length > 0, `the session ended before ${type}: ${JSON.stringify(this.events.at(-1))}`);
      this.events.push(...news);
    }
  }

  /** Lets the run go and waits for the next stop. */
  async go(how: How): Promise<Stopped> {
    await this.ask('debug/go', { how });
    return this.next('stopped');
  }

  detach() {
    return this.ask('debug/detach', {});
  }

  async number(expression: string): Promise<number> {
    const { number, text } = await this.ask('debug/evaluate', { expression, assigns: false });
    assert.ok(number !== null, `${expression} is ${text}`);
    return number;
  }

  async tensor(name: string): Promise<Float32Array> {
    return (await this.ask('debug/tensor', { tensor: name, path: [] })).tensor.data;
  }
}

export interface Debugged {
  readonly folder: string;
  readonly messages: readonly RunMessage[];
  readonly last: RunMessage;
}

/** Runs in this thread while `work` debugs it; the run waits for the debugger before its first iteration. */
export async function debugged(
  start: RunRequest['start'],
  work: (client: Client) => Promise<void>,
  { debug = true }: { debug?: boolean } = {},
): Promise<Debugged> {
  const control = new RunControl();
  const client = new Client(control);
  const messages: RunMessage[] = [];
  const running = trainingRun({ start, set: [], half: false, debug }, control, (message) => messages.push(message));
  const working = work(client).catch((error: unknown) => {
    control.stop();
    return Promise.reject(error);
  });
  await Promise.all([running, working]);
  const opened = messages.find((message) => message.type === 'opened');
  return { folder: opened?.folder ?? '', messages, last: messages.at(-1)! };
}
