/** JSON-RPC over the channel of a forked process. No `vscode` in here. */
import type { ChildProcess } from 'node:child_process';
import { inspect } from 'node:util';
import {
  AbstractMessageReader,
  createMessageConnection,
  type DataCallback,
  type Disposable,
  IPCMessageWriter,
  type Message,
  type MessageConnection,
} from 'vscode-jsonrpc/node';

/**
 * A connection that hands on messages only. Anything else on the channel means that an answer may have been lost, so
 * `onGarbage` is called and no request can be trusted to end by itself.
 */
export function openChannel(
  child: ChildProcess,
  onGarbage: (what: string) => void,
  onProblem: (text: string) => void,
): MessageConnection {
  const reader = new CheckedReader(child, onGarbage);
  const quiet = () => {};
  return createMessageConnection(reader, new IPCMessageWriter(child), {
    error: onProblem,
    warn: onProblem,
    info: quiet,
    log: quiet,
  });
}

class CheckedReader extends AbstractMessageReader {
  readonly #child: ChildProcess;
  readonly #onGarbage: (what: string) => void;

  constructor(child: ChildProcess, onGarbage: (what: string) => void) {
    super();
    this.#child = child;
    this.#onGarbage = onGarbage;
  }

  override listen(callback: DataCallback): Disposable {
    const take = (message: unknown) => {
      if (isMessage(message)) callback(message);
      else this.#onGarbage(describe(message));
    };
    this.#child.on('message', take);
    return { dispose: () => this.#child.off('message', take) };
  }
}

function isMessage(message: unknown): message is Message {
  if (typeof message !== 'object' || message === null) return false;
  const { jsonrpc, method, id, result, error } = message as Record<string, unknown>;
  if (jsonrpc !== '2.0') return false;
  if (typeof method === 'string') return true;
  return typeof id === 'number' && (result !== undefined || typeof error === 'object');
}

function describe(message: unknown): string {
  return inspect(message, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 80, maxArrayLength: 3 });
}
