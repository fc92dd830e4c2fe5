/**
 * Connections to the runs that other processes work on, one per run however many parts of the server listen. A link that
 * closes is made anew when the next one asks for it.
 */
import type { Greeting } from '../../protocol/run-link.ts';
import type { RunCommand, RunMessage } from '../../protocol/run-messages.ts';
import { readLock } from '../../runs/folder/lock.ts';
import { connectRunIn, type RunLink } from '../../runs/live/link.ts';
import { standingAfter } from '../../runs/live/standing.ts';

export interface LinkListener {
  /** Also wants the probe after every step. */
  readonly probe: boolean;
  onMessage(message: RunMessage): void;
  /** The link is there, or has gone. */
  onChange(): void;
}

interface Entry {
  readonly listeners: Set<LinkListener>;
  link: RunLink | undefined;
  standing: Greeting | undefined;
  connecting: boolean;
  /** performance.now() before which nobody knocks again. */
  notBefore: number;
  probing: boolean;
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

  /** @returns takes the listener off again; the last one to go closes the link */
  listen(folder: string, listener: LinkListener): () => void {
    const entry = this.#entries.get(folder) ?? newEntry();
    this.#entries.set(folder, entry);
    entry.listeners.add(listener);
    this.#setProbe(entry);
    return () => {
      if (!entry.listeners.delete(listener)) return;
      this.#setProbe(entry);
      if (entry.listeners.size > 0) return;
      this.#entries.delete(folder);
      entry.link?.close();
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
    } catch {
      // It may be on another machine, or just ending; its files tell the rest.
      entry.notBefore = performance.now() + retryMs;
    } finally {
      entry.connecting = false;
    }
  }

  /** Settles when the run has the command. Throws UserError when it cannot be reached or refuses. */
  async send(folder: string, command: RunCommand): Promise<void> {
    const known = this.#entries.get(folder)?.link;
    if (known) return known.send(command);
    const link = await this.#connect(folder);
    try {
      await link.send(command);
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
    link.onMessage((message) => {
      entry.standing = standingAfter(entry.standing, message);
      for (const listener of [...entry.listeners]) listener.onMessage(message);
    });
    link.onClose(() => {
      entry.link = undefined;
      entry.standing = undefined;
      entry.probing = false;
      for (const listener of [...entry.listeners]) listener.onChange();
    });
    this.#setProbe(entry);
    for (const listener of [...entry.listeners]) listener.onChange();
  }

  #setProbe(entry: Entry): void {
    const wanted = [...entry.listeners].some(({ probe }) => probe);
    if (!entry.link || wanted === entry.probing || !entry.link.greeting.opened.probe) return;
    entry.probing = wanted;
    // A run that is ending does not answer; its link closes then.
    entry.link.send({ type: 'probe', on: wanted }).catch(() => {});
  }
}

function newEntry(): Entry {
  const listeners = new Set<LinkListener>();
  return { listeners, link: undefined, standing: undefined, connecting: false, notBefore: 0, probing: false };
}
