/** An editor's end of the adapter, in this process: what it says and hears is noted in the order in which it crosses. */
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { createSession } from '../../../backend/adapter/adapter.ts';

export type Message = DebugProtocol.Request | DebugProtocol.Response | DebugProtocol.Event;

/** A client that speaks over streams instead of starting a program. */
class StreamClient extends DebugClient {
  constructor(from: PassThrough, to: PassThrough) {
    super('node', '', 'dmd');
    this.connect(from, to);
  }
}

export interface Editor {
  readonly client: DebugClient;
  /** Everything that crossed, in order. */
  readonly messages: readonly Message[];
  /** The answer to a request; rejects with the words of a refusal. */
  ask(command: string, args?: object): Promise<Record<string, never>>;
  /** What is said of the next event of this name that nobody has waited for. */
  event(name: string): Promise<Record<string, never>>;
  /** As when the editor dies. */
  hangUp(): void;
}

/** @param clientID how the editor calls itself */
export async function openEditor(t: TestContext, clientID = 'vscode'): Promise<Editor> {
  const [to, from] = [new PassThrough(), new PassThrough()];
  const session = createSession();
  session.setRunAsServer(true); // which must not end this process
  t.after(() => session.shutdown());
  const messages: Message[] = [];
  const news = new Set<() => void>();
  for (const stream of [to, from]) {
    const read = framesOf((message) => {
      messages.push(message);
      for (const look of news) look();
    });
    stream.on('data', read);
  }
  session.start(to, from);
  const client = new StreamClient(from, to);
  const seen = new Set<Message>();
  const event = (name: string) =>
    new Promise<Record<string, never>>((resolve) => {
      const look = () => {
        const found = messages.find(
          (one) => one.type === 'event' && 'event' in one && one.event === name && !seen.has(one),
        );
        if (!found) return;
        seen.add(found);
        news.delete(look);
        resolve(((found as DebugProtocol.Event).body ?? {}) as Record<string, never>);
      };
      news.add(look);
      look();
    });
  const ask = async (command: string, args?: object) =>
    (await client.customRequest(command, args)).body as Record<string, never>;
  await ask('initialize', {
    clientID,
    adapterID: 'dmd',
    linesStartAt1: true,
    columnsStartAt1: true,
    pathFormat: 'path',
  });
  return { client, messages, ask, event, hangUp: () => to.destroy() };
}

/** Cuts what crosses into messages. */
function framesOf(take: (message: Message) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const [head] = /^Content-Length: (\d+)\r\n\r\n/.exec(rest.toString('latin1', 0, 64)) ?? [];
      if (!head) return;
      const length = Number(/\d+/.exec(head)![0]);
      if (rest.length < head.length + length) return;
      const text = rest.toString('utf8', head.length, head.length + length);
      rest = rest.subarray(head.length + length);
      take(JSON.parse(text) as Message);
    }
  };
}
