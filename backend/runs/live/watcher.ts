/** One watcher as the run's process sees it. Whatever it sends, at worst its own connection is closed. */

import type net from 'node:net';
import { describeError } from '../../files/describe-error.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Interests } from '../../protocol/rpc/runs.ts';
import { type Greeting, linkProtocol, type RunFrame, watcherFrameSchema } from '../../protocol/run-link.ts';
import { type AskRun, runRequests } from '../../protocol/run-requests.ts';
import { Answerer } from '../asking/answerer.ts';
import { encodeFrame, FrameError, FrameReader } from './frames.ts';
import { Outbox } from './outbox.ts';
import { largestRequest, requestTooLarge } from './request-limit.ts';

/** What is read to its end: a request that is larger than it may be is answered with that. */
const largestHeard = 2 ** 20;
/** For the hello, and for the rest of a frame that has begun. */
const patienceSeconds = 10;

export interface WatcherHandlers {
  /** It has said hello. */
  onHello(): void;
  /** Throws UserError when it cannot have that. */
  onSubscribe(wants: Interests): void;
  /** Answers everything else. */
  readonly ask: AskRun;
  onClose(): void;
  onNote(text: string): void;
}

export interface WatcherLimits {
  /** Bytes that may wait for it before it is given up. */
  readonly waitingBytes?: number;
  readonly patienceSeconds?: number;
}

/** What a watcher is told before it says what it wants. */
export const atFirst: Interests = { steps: true, records: true, probe: false, notes: true };

export class Watcher {
  wants = atFirst;
  #stage: 'new' | 'waiting' | 'greeted' = 'new';
  readonly #socket: net.Socket;
  readonly #handlers: WatcherHandlers;
  readonly #outbox: Outbox;
  readonly #answerer: Answerer;
  readonly #reader = new FrameReader(largestHeard);
  readonly #patience: number;
  #deadline: NodeJS.Timeout | undefined;

  constructor(socket: net.Socket, handlers: WatcherHandlers, limits: WatcherLimits = {}) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#patience = 1000 * (limits.patienceSeconds ?? patienceSeconds);
    this.#outbox = new Outbox(socket, () => this.#drop('it does not read what the run sends'), limits.waitingBytes);
    this.#answerer = new Answerer(
      async (definition, params, signal) => {
        if (definition.method !== runRequests.subscribe.method) return handlers.ask(definition, params, signal);
        handlers.onSubscribe(params as Interests);
        return definition.result.parse(null);
      },
      (frame) => this.#outbox.push(encodeFrame(frame), 'answer'),
    );
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('end', () => {
      if (this.#reader.partial) this.#drop('it left in the middle of a frame');
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(this.#deadline);
      this.#answerer.close();
      handlers.onClose();
    });
    this.#watchClock();
  }

  /** It has said hello and was not greeted. */
  get waiting(): boolean {
    return this.#stage === 'waiting';
  }

  get greeted(): boolean {
    return this.#stage === 'greeted';
  }

  greet(greeting: Greeting): void {
    this.#stage = 'greeted';
    this.#send(greeting);
  }

  /** @param passing may be left out when a newer one comes before it could be sent */
  push(frame: Buffer, passing = false): void {
    this.#outbox.push(frame, passing ? 'passing' : 'news');
  }

  /** Closes after everything that waits was sent, or at once when `now`. */
  close(now = false): void {
    if (now) this.#socket.destroy();
    else this.#outbox.end();
  }

  #send(frame: RunFrame): void {
    this.#outbox.push(encodeFrame(frame), 'news');
  }

  #take(chunk: Buffer): void {
    try {
      for (const value of this.#reader.read(chunk)) {
        if (this.#socket.destroyed) return;
        this.#frame(value);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#drop(`it sent ${error.message}`);
    }
    this.#watchClock();
  }

  #frame(value: unknown): void {
    const { success, data: frame } = safeParse(watcherFrameSchema, value);
    const bytes = this.#reader.length;
    const isLarge = bytes > largestRequest;
    if (isLarge && frame?.type !== 'request') {
      throw new FrameError(`a frame of ${bytes} bytes, more than the ${largestRequest} allowed`);
    }
    if (!success) throw new FrameError('a frame that makes no sense');
    if (frame.type === 'hello') this.#hello(frame.protocol);
    else if (!this.greeted) throw new FrameError('a request before the greeting');
    else if (isLarge) this.#send({ type: 'error', id: frame.id, error: describeError(requestTooLarge(bytes)) });
    else this.#answerer.take(frame);
  }

  #hello(protocol: number): void {
    if (this.#stage !== 'new') throw new FrameError('a second hello');
    if (protocol !== linkProtocol) {
      const message = `this run speaks version ${linkProtocol} of the protocol, not ${protocol}`;
      const hint = 'Watch it with the version of DMD Workbench that started it.';
      this.#send({ type: 'done', id: null, error: describeError(new UserError('usage', message, hint)) });
      this.close();
    } else {
      this.#stage = 'waiting';
      this.#handlers.onHello();
    }
  }

  /** A hello or a frame that does not come (whole) would hold the connection for ever. */
  #watchClock(): void {
    if (this.#socket.destroyed) return;
    const late = this.#stage === 'new' || this.#reader.partial;
    if (!late) {
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
    } else {
      this.#deadline ??= setTimeout(() => this.#drop('it began something and did not go on'), this.#patience).unref();
    }
  }

  #drop(why: string): void {
    if (this.#socket.destroyed) return;
    this.#handlers.onNote(`a watcher was disconnected: ${why}`);
    this.#socket.destroy();
  }
}
