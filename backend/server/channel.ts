/**
 * The channel to the process that forked this one, as vscode-jsonrpc reads and writes it.
 *
 * What arrives and is no JSON-RPC message goes no further: it is answered with an error when it has an id, and told to
 * `onGarbage`. Writing never throws, and `flushed` says when all of it has left the process.
 */

import { AbstractMessageReader, AbstractMessageWriter, type Message } from 'vscode-jsonrpc/node';
import { safeParse } from '../protocol/config/safe-parse.ts';
import { z } from '../protocol/config/zod.ts';

/** The part of `process` that is used; typed so that tests can play it. */
export interface Port {
  send?(message: unknown, handle: undefined, options: undefined, done: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
}

const id = z.union([z.string().max(100), z.int()]);
const version = z.literal('2.0');
const params = z.record(z.string(), z.unknown()).optional();
const method = z.string().min(1).max(200);

/** Params are always by name: an object or nothing. The editor asks, the backend does not, so that no answers come in. */
const messageSchema = z.union([
  z.strictObject({ jsonrpc: version, method: z.literal('$/cancelRequest'), params: z.object({ id }) }),
  z.strictObject({
    jsonrpc: version,
    method: method.refine((name) => !name.startsWith('$/')),
    id: id.optional(),
    params,
  }),
]);

const idSchema = z.object({ id });

export class ChannelReader extends AbstractMessageReader {
  readonly #port: Port;
  readonly #onGarbage: (what: string, id: string | number | null) => void;

  constructor(port: Port, onGarbage: (what: string, id: string | number | null) => void) {
    super();
    this.#port = port;
    this.#onGarbage = onGarbage;
  }

  listen(callback: (message: Message) => void) {
    const listener = (value: unknown) => {
      // Checked as it is: parsing would copy, and params are checked again by their own schema.
      if (safeParse(messageSchema, value).success) return callback(value as Message);
      const { data } = safeParse(idSchema, value);
      this.#onGarbage(describe(value), data?.id ?? null);
    };
    this.#port.on('message', listener);
    return { dispose: () => this.#port.off('message', listener) };
  }
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${value === null ? 'null' : typeof value}`;
  return `an object with the keys ${Object.keys(value).slice(0, 10).join(', ').slice(0, 200)}`;
}

export class ChannelWriter extends AbstractMessageWriter {
  readonly #port: Port;
  #last: Promise<void> = Promise.resolve();

  constructor(port: Port) {
    super();
    this.#port = port;
  }

  /** Ends when the message is with the operating system, or when nobody is there to read it. */
  write(message: Message): Promise<void> {
    const written = new Promise<void>((resolve) => {
      try {
        // Errors here mean that the reader has gone, which the channel's end tells by itself.
        if (this.#port.send) this.#port.send(message, undefined, undefined, () => resolve());
        else resolve();
      } catch {
        resolve();
      }
    });
    this.#last = Promise.all([this.#last, written]).then(() => {});
    return written;
  }

  flushed(): Promise<void> {
    return this.#last;
  }

  end(): void {}
}
