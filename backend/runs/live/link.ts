/**
 * A watcher's end of the connection to a run in another process: requests go to it, answers and what happens in it come back.
 * Everything that arrives is checked; what is not as it should be closes the link, with the reason.
 */

import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { errorCode } from '../../files/disk.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import { type Greeting, linkProtocol, runFrameSchema, type WatcherFrame } from '../../protocol/run-link.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import type { AskRun } from '../../protocol/run-requests.ts';
import { Asker } from '../asking/asker.ts';
import { readLock } from '../folder/lock.ts';
import { checkContact } from './contact.ts';
import { encodeFrame, FrameError, FrameReader, headerBytes } from './frames.ts';
import { largestRequest, requestTooLarge } from './request-limit.ts';

export interface RunLink {
  /** How the run stood when the link was made; `onMessage` tells everything from then on, nothing twice or left out. */
  readonly greeting: Greeting;
  readonly ask: AskRun;
  /** Messages that came before the first listener are kept for it. @returns takes the listener off again */
  onMessage(listener: (message: RunMessage) => void): () => void;
  /**
   * Called once, at once if the link is closed already. `reason` is '' after `close` and after the run's last message
   * (`ended` or `failed`); else it says what went wrong: the process died, or this watcher was too slow. Link anew then.
   */
  onClose(listener: (reason: string) => void): () => void;
  /** Leaves; the run goes on. */
  close(): void;
}

export interface LinkOptions {
  /** How long the run may take to greet. */
  readonly timeoutSeconds?: number;
}

const defaultTimeoutSeconds = 10;

/**
 * Links to the run that works in a folder now, found through its lock.
 * @throws UserError('io') when no process works there, or it cannot be reached; UserError('usage') when it is of another version
 */
export async function connectRunIn(folder: string, options: LinkOptions = {}): Promise<RunLink> {
  const owner = readLock(folder);
  if (!owner) throw new UserError('io', `no process works in ${folder}`, 'Resume the run.');
  if (owner.contact === '') {
    const hint = 'Stop it where it was started.';
    throw new UserError('io', `process ${owner.pid}, which works in ${folder}, takes no commands`, hint);
  }
  const link = await connectRun(owner.contact, options);
  if (realPath(link.greeting.opened.folder) === realPath(folder)) return link;
  link.close();
  throw new UserError('io', `the lock of ${folder} names a process that works elsewhere`, 'Try again.');
}

/**
 * Links to the run at a contact, as its lock names it. A contact that is not a socket of the user's own runs is refused:
 * a lock file may come with somebody else's folder.
 * @throws UserError('io') when it is refused or nobody listens there, UserError('usage') when the run is of another version
 */
export async function connectRun(contact: string, options: LinkOptions = {}): Promise<RunLink> {
  checkContact(contact);
  const { timeoutSeconds = defaultTimeoutSeconds } = options;
  const link = new Link(contact, timeoutSeconds * 1000);
  await link.greeted;
  return link;
}

class Link implements RunLink {
  greeting!: Greeting;
  readonly ask: AskRun;
  /** Settles with the greeting. */
  readonly greeted: Promise<void>;
  readonly #socket: net.Socket;
  readonly #contact: string;
  readonly #reader = new FrameReader();
  readonly #asker: Asker;
  #greeted!: () => void;
  #refused!: (error: Error) => void;
  readonly #messageListeners = new Set<(message: RunMessage) => void>();
  readonly #closeListeners = new Set<(reason: string) => void>();
  /** Messages that nobody has listened to yet. */
  #early: RunMessage[] = [];
  #over = false;
  #closed: string | undefined;

  constructor(contact: string, timeout: number) {
    this.#contact = contact;
    this.#socket = net.connect(contact);
    this.#asker = new Asker((frame) => this.#send(frame));
    this.ask = this.#asker.ask;
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#end(wordsFor(error)));
    this.#socket.on('close', () => this.#end(this.#over ? '' : 'the process of the run has gone'));
    const late = setTimeout(() => this.#end(`no answer within ${timeout / 1000} s`), timeout);
    this.greeted = new Promise<void>((resolve, reject) => {
      this.#greeted = resolve;
      this.#refused = reject;
    }).finally(() => clearTimeout(late));
    this.#send({ type: 'hello', protocol: linkProtocol });
  }

  onMessage(listener: (message: RunMessage) => void): () => void {
    this.#messageListeners.add(listener);
    for (const message of this.#early.splice(0)) listener(message);
    return () => this.#messageListeners.delete(listener);
  }

  onClose(listener: (reason: string) => void): () => void {
    if (this.#closed !== undefined) listener(this.#closed);
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  close(): void {
    this.#end('');
  }

  /** Throws UserError('usage') for what a run would not take. */
  #send(frame: WatcherFrame): void {
    if (this.#closed !== undefined) return;
    const bytes = encodeFrame(frame);
    if (bytes.length - headerBytes > largestRequest) throw requestTooLarge(bytes.length - headerBytes);
    this.#socket.write(bytes);
  }

  #take(chunk: Buffer): void {
    try {
      for (const value of this.#reader.read(chunk)) {
        if (this.#closed !== undefined) return;
        this.#frame(value);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#end(`what it sent makes no sense (${error.message})`);
    }
  }

  #frame(value: unknown): void {
    const { success, data: frame, error } = safeParse(runFrameSchema, value);
    if (!success) throw new FrameError(`${error.issues[0].path.join('.')}: ${error.issues[0].message}`);
    switch (frame.type) {
      case 'greeting':
        this.greeting = frame;
        this.#greeted();
        break;
      case 'done':
        this.#refused(ofAnotherVersion(frame.error.message));
        this.close();
        break;
      case 'answer':
      case 'error':
        this.#asker.take(frame);
        break;
      case 'message':
        this.#over ||= frame.message.type === 'ended' || frame.message.type === 'failed';
        if (this.#messageListeners.size === 0) this.#early.push(frame.message);
        for (const listener of this.#messageListeners) listener(frame.message);
    }
  }

  #end(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#socket.destroy();
    const why = `the run cannot be reached at ${this.#contact}: ${reason || 'the connection was closed'}`;
    const error = new UserError('io', why, 'See its run.log.');
    this.#refused(error);
    this.#asker.close(error);
    for (const listener of this.#closeListeners) listener(reason);
    this.#closeListeners.clear();
  }
}

function ofAnotherVersion(words: string): UserError {
  const hint =
    'It goes on, and its files are read as ever. To command it from here, stop it where it was started or with kill and the pid in its run.lock, then resume it.';
  return new UserError('usage', `another version of DMD Workbench works on this run: ${words}`, hint);
}

function wordsFor(error: Error): string {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'nobody listens there any more';
  return error.message;
}

function realPath(folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch {
    return path.resolve(folder);
  }
}
