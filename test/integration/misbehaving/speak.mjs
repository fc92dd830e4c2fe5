// What the misbehaving backends do right: JSON-RPC over the channel they were forked with, and the greeting.
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';

/** Starts to listen; `handlers`: method -> what answers its params. They replace the usual ones. */
export function speak(handlers = {}) {
  const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process));
  const usual = {
    initialize: () => ({ protocolVersion: 2, version: '0.0.0', node: process.versions.node, pid: process.pid }),
    ping: () => null,
    shutdown: () => {
      setImmediate(() => process.exit(0));
      return null;
    },
  };
  for (const [method, handler] of Object.entries({ ...usual, ...handlers })) {
    connection.onRequest(method, (params, token) => handler(params, token));
  }
  process.on('disconnect', () => process.exit(0));
  connection.listen();
  return connection;
}

/** A promise that nothing keeps. */
export const never = new Promise(() => {});
