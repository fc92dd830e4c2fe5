/** The editor's side of the channel, for tests: forks the backend, or plays both sides in one process. */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type CancellationToken,
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
  ResponseError,
} from 'vscode-jsonrpc/node';
import { UserError } from '../../../backend/protocol/errors.ts';
import {
  errorDataSchema,
  initialize,
  type NotificationDefinition,
  protocolVersion,
  type RequestDefinition,
} from '../../../backend/protocol/rpc/index.ts';
import { RpcServer } from '../../../backend/server/server.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What another process says, checked; errors are UserErrors again, a bug is a plain Error. */
export class Client {
  readonly connection: MessageConnection;

  constructor(connection: MessageConnection) {
    this.connection = connection;
    connection.onError(() => {});
    connection.listen();
  }

  async request<P, R>(definition: RequestDefinition<P, R>, params: P, token?: CancellationToken): Promise<R> {
    try {
      // A token that is undefined would count as a second parameter.
      const answer = this.connection.sendRequest(definition.method, params, ...(token ? [token] : []));
      return definition.result.parse(await answer);
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error;
      const { kind, hint, stack } = errorDataSchema.parse(error.data);
      if (kind !== 'bug') throw new UserError(kind, error.message, hint);
      throw Object.assign(new Error(error.message), { stack });
    }
  }

  /** Calls back for every notification of a kind; the returned function ends that. */
  on<P>({ method, params }: NotificationDefinition<P>, listener: (params: P) => void): () => void {
    const subscription = this.connection.onNotification(method, (value: unknown) => listener(params.parse(value)));
    return () => subscription.dispose();
  }

  /** The first notification of a kind from now on that `wanted` takes. */
  next<P>(definition: NotificationDefinition<P>, wanted: (params: P) => boolean = () => true): Promise<P> {
    return new Promise((resolve) => {
      this.connection.onNotification(definition.method, (value: unknown) => {
        const params = definition.params.parse(value);
        if (wanted(params)) resolve(params);
      });
    });
  }
}

export interface Backend extends Client {
  readonly child: ChildProcess;
}

/** Starts dist/server.js (or the sources) as the editor does; it is up when this returns. */
export async function startBackend(
  script = 'dist/server.js',
  execArgv: string[] = [],
): Promise<{
  client: Client;
  child: ChildProcess;
  exited: Promise<[number | null, string | null]>;
  stderr: () => string;
}> {
  const child = fork(`${root}/${script}`, {
    execArgv,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const client = new Client(createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child)));
  await client.request(initialize, { protocolVersion });
  return { client, child, exited, stderr: () => stderr };
}

/** A server and its client in this process; messages are cloned as between processes. */
export function playBoth(): { server: RpcServer; client: Client; raw: (message: unknown) => void } {
  const [toServer, toClient] = [new EventEmitter(), new EventEmitter()];
  const port = (from: EventEmitter, to: EventEmitter) =>
    Object.assign(from, {
      send(message: unknown, _handle: undefined, _options: undefined, done: (error: Error | null) => void) {
        const copy: unknown = structuredClone(message);
        setImmediate(() => {
          to.emit('message', copy);
          done(null);
        });
        return true;
      },
    });
  const server = new RpcServer(port(toServer, toClient));
  const other = port(toClient, toServer) as unknown as ChildProcess;
  const client = new Client(createMessageConnection(new IPCMessageReader(other), new IPCMessageWriter(other)));
  return { server, client, raw: (message) => toServer.emit('message', message) };
}
