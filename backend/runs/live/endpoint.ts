/**
 * Where a run is reached by other processes: it listens at a contact (contact.ts), tells every watcher what it subscribed to, and
 * passes on what they ask of the run. Belongs in the main thread, while the training computes in another. Nothing that goes
 * wrong here ends the run.
 */
import fs from 'node:fs';
import net from 'node:net';
import { UserError } from '../../protocol/errors.ts';
import type { Interests } from '../../protocol/rpc/runs.ts';
import { isFor, type RunMessage } from '../../protocol/run-messages.ts';
import { type AskRun, runRequests } from '../../protocol/run-requests.ts';
import { contactsBeside, newContact } from './contact.ts';
import { encodeFrame, FrameError } from './frames.ts';
import { type Standing, standingAfter } from './standing.ts';
import { atFirst, Watcher, type WatcherLimits } from './watcher.ts';

const mostWatchers = 64;
/** How long the end of a run waits for watchers to read its last message. */
const farewellSeconds = 2;
/** A socket file is made a moment before somebody listens at it. */
const staleSeconds = 10;

export interface EndpointHandlers {
  /** Answers for the run. */
  readonly ask: AskRun;
  /** Something about the endpoint itself that a person may want to know. */
  readonly onNote: (text: string) => void;
}

export interface RunEndpoint {
  /** What others connect to; '' when this run cannot be reached. */
  readonly contact: string;
  /** Tells every watcher. */
  publish(message: RunMessage): void;
  /** Says farewell to the watchers and stops listening. */
  close(): Promise<void>;
}

/** Never fails: without a socket the run goes on, and a note says why nobody can reach it. */
export async function openEndpoint(handlers: EndpointHandlers, limits: WatcherLimits = {}): Promise<RunEndpoint> {
  try {
    const contact = newContact();
    const endpoint = new Endpoint(contact, handlers, limits);
    await endpoint.listen();
    return endpoint;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    handlers.onNote(`this run cannot be watched from another window: ${why}`);
    return { contact: '', publish() {}, close: () => Promise.resolve() };
  }
}

class Endpoint implements RunEndpoint {
  readonly contact: string;
  readonly #handlers: EndpointHandlers;
  readonly #server: net.Server;
  readonly #watchers = new Set<Watcher>();
  #standing: Standing;
  #probing = false;
  /** The newest frame of the live probe, for whoever switches it on while it is on already. */
  #probe: Buffer | undefined;

  constructor(contact: string, handlers: EndpointHandlers, limits: WatcherLimits) {
    this.contact = contact;
    this.#handlers = handlers;
    this.#server = net.createServer((socket) => this.#welcome(socket, limits));
    this.#server.maxConnections = mostWatchers;
  }

  async listen(): Promise<void> {
    const listening = new Promise<void>((resolve, reject) => {
      this.#server.once('listening', resolve);
      this.#server.once('error', reject);
    });
    // The socket is made before `listen` returns; its folder lets nobody else in either.
    const mask = process.umask(0o177);
    try {
      this.#server.listen({ path: this.contact, exclusive: true });
    } finally {
      process.umask(mask);
    }
    await listening;
    this.#server.on('error', (error) => this.#handlers.onNote(`watching this run: ${error.message}`));
    process.on('exit', this.#unlink);
    removeStale(this.contact);
  }

  publish(message: RunMessage): void {
    this.#standing = standingAfter(this.#standing, message);
    const listeners = [...this.#watchers].filter(({ greeted }) => greeted);
    try {
      if (listeners.length > 0) this.#tell(listeners, message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#handlers.onNote(`watchers were not told of step ${this.#standing?.step}: ${error.message}`);
    }
    if (message.type === 'opened') for (const watcher of this.#watchers) this.#greet(watcher);
  }

  async close(): Promise<void> {
    process.off('exit', this.#unlink);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const watcher of this.#watchers) watcher.close();
    const timer = setTimeout(() => {
      for (const watcher of this.#watchers) watcher.close(true);
    }, farewellSeconds * 1000);
    await closed;
    clearTimeout(timer);
    this.#unlink();
  }

  #welcome(socket: net.Socket, limits: WatcherLimits): void {
    const watcher: Watcher = new Watcher(
      socket,
      {
        onHello: () => this.#greet(watcher),
        ask: this.#handlers.ask,
        onSubscribe: (wants) => this.#subscribe(watcher, wants),
        onClose: () => {
          this.#watchers.delete(watcher);
          this.#updateProbe();
        },
        onNote: this.#handlers.onNote,
      },
      limits,
    );
    this.#watchers.add(watcher);
  }

  /** Before the run is opened there is nothing to say; then all who wait are greeted. */
  #greet(watcher: Watcher): void {
    if (this.#standing && watcher.waiting) watcher.greet(this.#standing);
  }

  #tell(listeners: readonly Watcher[], message: RunMessage): void {
    const isProbe = message.type === 'probe';
    if (isProbe && !this.#probing) return; // it was on its way when the last one who wanted it left
    const frame = encodeFrame({ type: 'message', message });
    if (isProbe) this.#probe = frame;
    for (const watcher of listeners) if (isFor(watcher.wants, message)) watcher.push(frame, isProbe);
  }

  /** Throws UserError('usage'), and then the wishes are as before. */
  #subscribe(watcher: Watcher, wants: Interests): void {
    if (wants.probe && !this.#standing?.opened.probe) throw noProbe;
    const news = wants.probe && !watcher.wants.probe;
    watcher.wants = wants;
    this.#updateProbe();
    if (news && this.#probe) watcher.push(this.#probe, true);
  }

  /** The run probes while anybody wants it. */
  #updateProbe(): void {
    const probe = [...this.#watchers].some(({ wants }) => wants.probe);
    if (probe === this.#probing) return;
    this.#probing = probe;
    this.#probe = undefined;
    // A run that is ending answers nothing more.
    this.#handlers.ask(runRequests.subscribe, { ...atFirst, probe }).catch(() => {});
  }

  readonly #unlink = () => {
    if (process.platform !== 'win32') fs.rmSync(this.contact, { force: true });
  };
}

const noProbe = new UserError(
  'usage',
  'this run has no scores to compare',
  'It teaches, or its config has matching.enabled set to false.',
);

/** Removes the sockets that killed processes left in the folder: nobody listens there. */
function removeStale(contact: string): void {
  for (const other of contactsBeside(contact)) {
    const status = fs.lstatSync(other, { throwIfNoEntry: false });
    if (!status || Date.now() - status.mtimeMs < staleSeconds * 1000) continue;
    const socket = net.connect(other, () => socket.destroy());
    socket.on('error', (error) => {
      if ('code' in error && error.code === 'ECONNREFUSED') fs.rm(other, { force: true }, () => {});
    });
    socket.unref();
  }
}
