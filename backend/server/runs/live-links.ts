/**
 * Connections to the runs that other processes work on, one per run however many parts of the server listen, each with
 * wishes of its own: the run is asked for what they want together. A link that closes is made anew when the next one asks for it.
 */
import { UserError } from '../../protocol/errors.ts';
import type { RequestDefinition } from '../../protocol/rpc/define.ts';
import type { Interests } from '../../protocol/rpc/index.ts';
import type { Greeting } from '../../protocol/run-link.ts';
import { isFor, type RunMessage, type RunMessageOf } from '../../protocol/run-messages.ts';
import { runRequests } from '../../protocol/run-requests.ts';
import { readLock } from '../../runs/folder/lock.ts';
import { connectRunIn, type RunLink } from '../../runs/live/link.ts';
import { standingAfter } from '../../runs/live/standing.ts';

export interface LinkListener {
  /** Only what it wants. */
  onMessage(message: RunMessage): void;
  /** The link is there, or has gone. */
  onChange(): void;
  /** The run speaks another version of the protocol: in words. */
  onRefused?(words: string): void;
}

export interface Listening {
  /** What it is told from now on. */
  want(wants: Interests): void;
  /** The last one to leave closes the link. */
  leave(): void;
}

interface Entry {
  readonly listeners: Map<LinkListener, Interests>;
  link: RunLink | undefined;
  standing: Greeting | undefined;
  connecting: boolean;
  /** performance.now() before which nobody knocks again. */
  notBefore: number;
  refusal: string;
  /** What the run was last asked for, as JSON. */
  asked: string;
  /** The newest probe, for who comes to want it while others do. */
  probe: RunMessageOf<'probe'> | undefined;
}

const retryMs = 1000;

export class LiveLinks {
  readonly #connect: (folder: string) => Promise<RunLink>;
  readonly #entries = new Map<string, Entry>();

  constructor(connect = (folder: string) => connectRunIn(folder)) {
    this.#connect = connect;
  }

  /** How the run stands; undefined while there is no link to it. */
  standing(folder: string): Greeting | undefined {
    return this.#entries.get(folder)?.standing;
  }

  listen(folder: string, listener: LinkListener, wants: Interests): Listening {
    const entry = this.#entries.get(folder) ?? newEntry();
    this.#entries.set(folder, entry);
    entry.listeners.set(listener, nothingWanted());
    const want = (next: Interests) => {
      const news = next.probe && entry.listeners.get(listener)?.probe === false;
      entry.listeners.set(listener, next);
      subscribe(entry);
      if (news && entry.probe) listener.onMessage(entry.probe);
    };
    want(wants);
    if (entry.refusal) listener.onRefused?.(entry.refusal);
    return {
      want: (next) => entry.listeners.has(listener) && want(next),
      leave: () => {
        if (!entry.listeners.delete(listener)) return;
        if (entry.listeners.size > 0) return subscribe(entry);
        this.#entries.delete(folder);
        entry.link?.close();
      },
    };
  }

  /** Links to a run that is listened to, if a process that can be reached works there. */
  async ensure(folder: string): Promise<void> {
    const entry = this.#entries.get(folder);
    if (!entry || entry.link || entry.connecting || performance.now() < entry.notBefore) return;
    if (!readLock(folder)?.contact) return;
    entry.connecting = true;
    try {
      this.#linked(entry, await this.#connect(folder));
    } catch (error) {
      // It may be on another machine, or just ending; its files tell the rest.
      entry.notBefore = performance.now() + retryMs;
      if (error instanceof UserError && error.kind === 'usage') refused(entry, `${error.message}. ${error.hint}`);
    } finally {
      entry.connecting = false;
    }
  }

  /** Throws UserError: what the run says, or that it cannot be reached. */
  async ask<P, R>(folder: string, definition: RequestDefinition<P, R>, params: P, signal?: AbortSignal): Promise<R> {
    const known = this.#entries.get(folder)?.link;
    if (known) return known.ask(definition, params, signal);
    const link = await this.#connect(folder);
    try {
      return await link.ask(definition, params, signal);
    } finally {
      link.close();
    }
  }

  close(): void {
    for (const entry of this.#entries.values()) entry.link?.close();
    this.#entries.clear();
  }

  #linked(entry: Entry, link: RunLink): void {
    if (entry.listeners.size === 0) {
      link.close();
      return;
    }
    entry.link = link;
    entry.standing = link.greeting;
    entry.refusal = '';
    link.onMessage((message) => {
      entry.standing = standingAfter(entry.standing, message);
      if (message.type === 'probe') entry.probe = message;
      for (const [listener, wants] of [...entry.listeners]) if (isFor(wants, message)) listener.onMessage(message);
    });
    link.onClose(() => {
      entry.link = undefined;
      entry.standing = undefined;
      entry.asked = '';
      entry.probe = undefined;
      for (const listener of [...entry.listeners.keys()]) listener.onChange();
    });
    subscribe(entry);
    for (const listener of [...entry.listeners.keys()]) listener.onChange();
  }
}

/** Asks the run for what somebody wants and it has. */
function subscribe(entry: Entry): void {
  if (!entry.link) return;
  const all = [...entry.listeners.values()];
  const wants = nothingWanted();
  for (const interest of Object.keys(wants) as (keyof Interests)[]) wants[interest] = all.some((one) => one[interest]);
  wants.probe &&= (entry.standing ?? entry.link.greeting).opened.probe;
  if (!wants.probe) entry.probe = undefined;
  const asked = JSON.stringify(wants);
  if (asked === entry.asked) return;
  entry.asked = asked;
  // A run that is ending does not answer; its link closes then.
  entry.link.ask(runRequests.subscribe, wants).catch(() => {});
}

function refused(entry: Entry, words: string): void {
  if (entry.refusal === words) return;
  entry.refusal = words;
  for (const listener of [...entry.listeners.keys()]) listener.onRefused?.(words);
}

function nothingWanted(): Interests {
  return { steps: false, records: false, probe: false, notes: false };
}

function newEntry(): Entry {
  const listeners = new Map<LinkListener, Interests>();
  const fresh = { link: undefined, standing: undefined, connecting: false, notBefore: 0, probe: undefined };
  return { listeners, ...fresh, refusal: '', asked: '' };
}
