/**
 * What an adapter's session is about: the run, its source, and the stop where it stands. Tells the editor what happens in the run;
 * everything that is asked goes through here to know whether there is a run, and whether it stands still.
 */
import type { DebugEvent, Stop } from '../protocol/debug-requests.ts';
import type { RunMessage } from '../protocol/run-messages.ts';
import { Debuggee, type Go } from './debuggee.ts';
import { AdapterError } from './errors.ts';
import { Handles } from './handles.ts';
import { InsideSources } from './inside-sources.ts';
import { AlgorithmSource } from './listing.ts';
import type { InsideFrame, Node } from './node.ts';
import type { Client } from './request.ts';
import type { ReachedRun } from './start-run.ts';
import { Waits } from './waits.ts';

/** The one thread that a run has here. */
export const threadId = 1;

export class Target {
  readonly client: Client;
  /** What the numbers of variables stand for at this stop. */
  readonly nodes = new Handles<Node>(
    (reference) => new AdapterError('unknownReference', { reference: `${reference}` }),
  );
  /** Frames inside the stage, the innermost last; [] on a line of the algorithm. */
  inside: readonly InsideFrame[] = [];
  readonly waits = new Waits();
  readonly sources = new InsideSources(1000);
  #reached: ReachedRun | undefined;
  #debuggee: Debuggee | undefined;
  #source: AlgorithmSource | undefined;
  #stop: Stop | undefined;
  /** What to do where a run waits for its debugger: nothing until the breakpoints are set. */
  #entry: 'wait' | 'go' | 'tell' = 'wait';
  #failed = false;
  #problem: (event: DebugEvent & { type: 'problem' }) => void = () => {};

  constructor(client: Client) {
    this.client = client;
  }

  /** Throws where there is no run yet, or no more. */
  get debuggee(): Debuggee {
    if (!this.#debuggee) throw new AdapterError('noRun');
    return this.#debuggee;
  }

  get source(): AlgorithmSource {
    if (!this.#source) throw new AdapterError('noRun');
    return this.#source;
  }

  /** Whether ending the session ends the run. */
  get launched(): boolean {
    return this.#reached?.pid !== undefined;
  }

  get begun(): boolean {
    return this.#reached !== undefined;
  }

  /** Throws while the run computes. */
  get stop(): Stop {
    if (!this.#debuggee) throw new AdapterError('noRun');
    if (!this.#stop) throw new AdapterError('notStopped');
    return this.#stop;
  }

  get stopped(): boolean {
    return this.#stop !== undefined;
  }

  /** Takes the run over. @param stop before its next iteration; null: it only runs */
  async begin(reached: ReachedRun, stop: boolean | null, signal: AbortSignal): Promise<void> {
    this.#reached = reached;
    const { link, config, pid } = reached;
    const { folder } = link.greeting.opened;
    const debuggee = new Debuggee(link, {
      onEvent: (event) => this.#happened(event),
      onMessage: (message) => this.#said(message),
      onEnd: (reason) => this.#ended(reason),
    });
    this.#debuggee = debuggee;
    this.client.tell('process', {
      ...{ name: folder, isLocalProcess: true, startMethod: pid === undefined ? 'attach' : 'launch' },
      ...(pid === undefined ? {} : { systemProcessId: pid }),
    });
    const listing = stop === null ? [] : (await debuggee.attach(stop, signal)).listing;
    this.#source = new AlgorithmSource(config, listing);
    this.client.tell('dmdOpened', { folder, listing: this.#source.uri });
  }

  onProblem(listener: (event: DebugEvent & { type: 'problem' }) => void): void {
    this.#problem = listener;
  }

  get alive(): boolean {
    return this.#debuggee !== undefined;
  }

  /** Breakpoints are set. @param go whether a run that waits for that goes at once, instead of being shown where it waits */
  async configured(go: boolean): Promise<void> {
    this.#entry = go ? 'go' : 'tell';
    if (this.#stop?.reason !== 'entry') return;
    if (go) await this.go({ to: 'continue' });
    else this.#tellStop(this.#stop);
  }

  /** Ends the session; the run goes on. */
  async leave(): Promise<void> {
    const debuggee = this.#debuggee;
    this.#debuggee = undefined;
    await debuggee?.detach();
  }

  /** Makes a stopped run go. Throws while it computes. */
  async go(how: Go): Promise<void> {
    const before = this.stop;
    this.#goOn();
    try {
      await this.debuggee.go(how);
    } catch (error) {
      this.#stop = before;
      throw error;
    }
  }

  /** A step that did not leave the stop: inside of a stage. Told after the answer to whoever asked for it. */
  stepped(): void {
    this.nodes.clear();
    setImmediate(() => this.#tellStop({ reason: 'step', text: '', hits: [] }));
  }

  say(category: 'console' | 'important' | 'stderr', text: string): void {
    this.client.tell('output', { category, output: `${text}\n` });
  }

  /** Values are others now; told after the answer to whoever changed them. */
  changed(memory?: { memoryReference: string; offset: number; count: number }): void {
    setImmediate(() => {
      if (memory) this.client.tell('memory', memory);
      this.client.tell('invalidated', { areas: ['variables'] });
    });
  }

  #goOn(): void {
    this.#stop = undefined;
    this.inside = [];
    this.nodes.clear();
  }

  #happened(event: DebugEvent): void {
    switch (event.type) {
      case 'stopped':
        this.#stoppedAt(event);
        break;
      case 'continued':
        if (this.#stop) this.client.tell('continued', { threadId, allThreadsContinued: true });
        this.#goOn();
        break;
      case 'log':
        this.client.tell('output', {
          ...{ category: 'console', output: `${event.text}\n` },
          ...{
            source: this.source.asSource(this.client),
            line: this.client.line(this.source.lineOf(event.place.stage)),
          },
        });
        break;
      case 'problem':
        this.#problem(event);
        break;
      case 'note':
        this.say(event.level === 'warning' ? 'important' : 'console', event.text);
    }
  }

  #stoppedAt(stop: Stop): void {
    this.#goOn();
    this.#stop = stop;
    this.client.progress.endWorks();
    if (stop.reason !== 'entry' || this.#entry === 'tell') this.#tellStop(stop);
    else if (this.#entry === 'go') void this.go({ to: 'continue' }).catch(() => this.#tellStop(stop));
  }

  #tellStop({ reason, text, hits: hitBreakpointIds }: Pick<Stop, 'reason' | 'text' | 'hits'>): void {
    this.client.tell('stopped', {
      ...{ reason, threadId, allThreadsStopped: true },
      ...(text === '' ? {} : { description: text, text }),
      ...(hitBreakpointIds.length === 0 ? {} : { hitBreakpointIds }),
    });
  }

  #said(message: RunMessage): void {
    switch (message.type) {
      case 'step':
        this.client.progress.endWorks();
        break;
      case 'work':
        this.client.progress.report(message.label, message.done, message.total, message.unit);
        break;
      case 'note':
        this.say(message.level === 'warning' ? 'important' : 'console', message.text);
        break;
      case 'checkpoint':
        this.say('console', `checkpoint of step ${message.step}`);
        break;
      case 'ended':
        this.say('console', `${message.state} at step ${message.step} of ${message.iterations}`);
        break;
      case 'failed':
        this.#failed = true;
        this.say('stderr', [message.error.message, message.error.hint].filter(Boolean).join(' '));
    }
  }

  #ended(reason: string): void {
    this.#goOn();
    this.client.progress.endWorks();
    if (reason !== '') this.say('stderr', reason);
    this.client.tell('exited', { exitCode: this.#failed || reason !== '' ? 1 : 0 });
    this.client.tell('terminated');
    this.#debuggee?.link.close();
    this.#debuggee = undefined;
  }
}
