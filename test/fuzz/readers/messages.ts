/** What other processes send: frames of runs and their watchers, and requests of the editor. */
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import * as rpc from '../../../backend/protocol/rpc/index.ts';
import { runFrameSchema, watcherFrameSchema } from '../../../backend/protocol/run-link.ts';
import { runRequest } from '../../../backend/protocol/run-requests.ts';
import { FrameError, FrameReader } from '../../../backend/runs/live/frames.ts';
import { answerSchema, orderSchema } from '../../../backend/runs/live/handshake.ts';
import { registerRequests } from '../../../backend/server/requests.ts';
import { RpcServer } from '../../../backend/server/server.ts';
import { damaged } from '../make/bytes.ts';
import { worseJson } from '../make/json.ts';
import { once, type Reader } from '../reader.ts';
import { runFolder } from './runs.ts';

const opened = {
  type: 'opened',
  folder: '/x',
  kind: 'distill',
  device: 'cpu',
  why: 'asked',
  threads: 1,
  step: 0,
  iterations: 10,
  restartAt: null,
  probe: true,
};
const step = { type: 'step', step: 1, iterations: 10, time: 1, scalars: { loss: 0.5 } };
const messages = [
  { type: 'hello', protocol: 2 },
  { type: 'request', id: 1, method: 'tensors/read', params: { name: 'training/x', from: 0, to: 5 } },
  { type: 'request', id: 1, method: 'subscribe', params: { steps: true, records: true, probe: true, notes: true } },
  { type: 'cancel', id: 1 },
  { type: 'greeting', protocol: 2, opened, state: 'running', work: null, step: 0, last: step },
  { type: 'message', message: step },
  {
    type: 'message',
    message: { type: 'probe', step: 1, tensors: [{ name: 'x', shape: [2], data: new Float32Array(2) }], metadata: {} },
  },
  {
    type: 'message',
    message: { type: 'failed', folder: null, error: { kind: 'io', message: 'a', hint: '', stack: '' } },
  },
  { type: 'answer', id: 1, result: { step: 1, tensor: { name: 'x', shape: [1], data: new Float32Array(1) } } },
  { type: 'error', id: 1, error: { kind: 'bug', message: 'a', hint: '', stack: '' } },
  { type: 'done', id: null, error: { kind: 'usage', message: 'a', hint: '', stack: '' } },
];
const schemas = [watcherFrameSchema, runFrameSchema, orderSchema, answerSchema];

export const frames: Reader = {
  name: 'frames',
  isRefusal: (error) => error instanceof FrameError,
  async read(folder) {
    const bytes = fs.readFileSync(`${folder}/frames`);
    const reader = new FrameReader();
    for (let at = 0; at < bytes.length; at += 1000) {
      for (const value of reader.read(bytes.subarray(at, at + 1000))) {
        for (const schema of schemas) schema.safeParse(value);
        const frame = watcherFrameSchema.safeParse(value);
        if (frame.data?.type === 'request') runRequest(frame.data.method)?.params.safeParse(frame.data.params);
      }
    }
  },
  make(dice) {
    const parts = Array.from({ length: 1 + dice.below(4) }, () => {
      const message = dice.of(messages);
      const hasArrays = JSON.stringify(message).includes('"data"');
      const value = hasArrays || dice.chance(0.2) ? message : parsed(worseJson(message, dice));
      const payload = serialized(value);
      const worse = dice.chance(0.5) ? damaged(payload, dice) : payload;
      const head = Buffer.alloc(4);
      head.writeUInt32LE(dice.chance(0.95) ? worse.length : dice.size(2 ** 32 - 1));
      return Buffer.concat([head, worse]);
    });
    return { frames: Buffer.concat(parts) };
  },
};

/** What is nested too deep to be sent cannot come either. */
function serialized(value: unknown): Buffer {
  try {
    return v8.serialize(value);
  } catch {
    return v8.serialize(null);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface Definition {
  readonly method: string;
}

const methods = Object.values(rpc).flatMap((value): string[] =>
  typeof value === 'object' && value !== null && 'method' in value && 'result' in value
    ? [(value as Definition).method]
    : [],
);

/** Those that compute, start processes, ask the network or end the server are tested by themselves. */
const apart = /^(shutdown|devices|images\/generate|models\/export|models\/importUNet|hub\/|runs\/start|runs\/resume)/;
const asked = methods.filter((method) => !apart.test(method));

interface Answer {
  readonly id: number;
  readonly error?: { readonly message: string; readonly data?: { readonly kind?: string; readonly stack?: string } };
}

/** A whole server of this process, spoken to as the editor does. */
class Playing extends EventEmitter {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  send(message: unknown, _handle: undefined, _options: undefined, done: (error: Error | null) => void): boolean {
    const answer = message as Answer;
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
    setImmediate(done, null);
    return true;
  }

  ask(method: string, params: unknown): Promise<Answer> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.emit('message', { jsonrpc: '2.0', id, method, params });
    });
  }
}

const playing = () =>
  once('server', () => {
    const port = new Playing();
    const server = new RpcServer(port);
    registerRequests(server, () => {});
    server.listen();
    return port;
  });

/** Requests about a run folder that came from somewhere, the list of runs and models among them. */
export const requests: Reader = {
  name: 'requests',
  async read(folder) {
    const port = playing();
    const calls = JSON.parse(fs.readFileSync(`${folder}/calls.json`, 'utf8')) as { method: string; params: string }[];
    const run = path.join(folder, 'run');
    for (const { method, params } of calls) {
      const value = parsed(params.replaceAll('/FOLDER', folder).replaceAll('/RUN', run));
      const { error } = await port.ask(method, value);
      if (error?.data?.kind === 'bug')
        throw Object.assign(new Error(`${method}: ${error.message}`), { stack: error.data.stack });
    }
  },
  make(dice) {
    const params = {
      ...{
        folder: '/RUN',
        folders: ['/RUN', '/RUN'],
        roots: ['/FOLDER'],
        files: ['/RUN/fields/probe/step-00000001.safetensors'],
        step: 1,
        kind: 'probe',
        tags: ['loss'],
      },
      ...{
        text: '{"kind":"distill"}',
        file: '/RUN/config.dmd.json',
        root: '/FOLDER',
        set: [],
        params: { name: 'training/x' },
        command: 'stop',
        name: 'n',
      },
      ...{
        id: 'a',
        wants: { steps: true, records: true, notes: true, probe: true },
        model: '/RUN/generator.safetensors',
        protocolVersion: rpc.protocolVersion,
      },
    };
    const calls = Array.from({ length: 3 }, () => {
      const text = dice.chance(0.5) ? JSON.stringify(params) : worseJson(params, dice);
      return { method: dice.of(asked), params: text };
    });
    const files = Object.entries(runFolder(dice)).map(([name, content]) => [`run/${name}`, content] as const);
    return { ...Object.fromEntries(files), 'calls.json': JSON.stringify(calls) };
  },
};
