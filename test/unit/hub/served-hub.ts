/** A hub in memory at an address of this machine, for what finds it by the environment: HF_ENDPOINT and HF_HUB_CACHE. */
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FakeFile, FakeHub } from './fake-hub.ts';

export interface ServedHub {
  /** host:port */
  readonly host: string;
  readonly endpoint: string;
  hub: FakeHub;
  /** Awaited before every answer. */
  before: (path: string) => Promise<void> | void;
  close(): Promise<void>;
}

export async function serveHub(hub: FakeHub): Promise<ServedHub> {
  const server = createServer((request, response) => {
    const headers = Object.entries(request.headers).filter(([, value]) => typeof value === 'string');
    const asked = new Request(`${served.endpoint}${request.url}`, { headers: headers as [string, string][] });
    answer(asked).then(
      ({ status, headers, body }) => {
        response.writeHead(status, Object.fromEntries(headers));
        if (!body) return response.end();
        // A stream that breaks takes the connection with it, as a real one does.
        const stream = Readable.fromWeb(body as ReadableStream);
        return stream.on('error', () => response.destroy()).pipe(response);
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const served: ServedHub = {
    ...{ host, endpoint: `http://${host}`, hub, before: () => {} },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return served;

  async function answer(asked: Request): Promise<Response> {
    await served.before(new URL(asked.url).pathname);
    return served.hub.fetch(asked);
  }
}

/** A model folder as a repository. */
export function filesOf(folder: string): Map<string, FakeFile> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  return new Map(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, { content: readFileSync(join(folder, name)), large: name.endsWith('.safetensors') }]),
  );
}
