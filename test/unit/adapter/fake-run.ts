/**
 * A run for a debugger without a run: stands at the stages of a small algorithm, holds small tensors whose numbers anybody can work out, and
 * answers as a run does, over a socket. What the real run answers is tested where that is.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { DebugEvent, Statistics, TensorLine } from '../../../backend/protocol/debug-requests.ts';
import { UserError } from '../../../backend/protocol/errors.ts';
import { acquireLock } from '../../../backend/runs/folder/lock.ts';
import { openEndpoint } from '../../../backend/runs/live/endpoint.ts';
import { opened, runtimeFolder } from '../live/endpoint.ts';

/** Without what it is counted by. */
type News = DebugEvent extends infer E ? (E extends unknown ? Omit<E, 'seq'> : never) : never;

export const listing = [
  { text: 'for step in 1..9:', stage: null },
  { text: '    z = draw(2)', stage: 'draw' },
  { text: '    x = G(z)', stage: 'generate' },
  { text: '    grad = muFake - muReal', stage: 'gradient' },
  { text: '  commit G', stage: 'commit' },
];
const stages = listing.flatMap(({ stage }) => (stage === null ? [] : [stage]));

/** x [2, 3], grad [2, 3], and one that is too large to be summed up or listed. */
const shapes: Record<string, number[]> = {
  z: [2, 3],
  x: [2, 3],
  grad: [2, 3],
  lambda: [],
  large: [1_000_000],
  'generator.parameters': [5],
};
const since: Record<string, number> = { z: 0, lambda: 0, large: 0, 'generator.parameters': 0, x: 1, grad: 2 };

/** Inside a stage all tensors are as z is. */
const plain = (tensor: string) => (tensor.startsWith('@') ? 'z' : tensor);
const shapeOf = (tensor: string) => shapes[plain(tensor)]!;

export class FakeRun {
  readonly folder: string;
  /** What was asked, without what is asked over and over. */
  readonly asked: [method: string, params: unknown][] = [];
  /** Numbers by tensor, changeable. */
  readonly numbers = new Map<string, Float32Array>();
  /** What the next requests of a method are refused with. */
  readonly refusals = new Map<string, UserError>();
  /** What takes its time. */
  readonly slow = new Map<string, (signal: AbortSignal) => Promise<unknown>>();
  at = -1;
  step = 4;
  stops = 0;
  #events: DebugEvent[] = [];
  #wake: () => void = () => {};
  #hold: ((reason: string) => void) | undefined;
  readonly #endpoint: Awaited<ReturnType<typeof openEndpoint>>;
  readonly #lock: ReturnType<typeof acquireLock>;

  private constructor(folder: string, make: (run: FakeRun) => Awaited<ReturnType<typeof openEndpoint>>) {
    this.folder = folder;
    this.#endpoint = make(this);
    this.#lock = acquireLock(folder, { contact: this.#endpoint.contact });
    for (const [name, shape] of Object.entries(shapes)) {
      const size = shape.reduce((product, length) => product * length, 1);
      this.numbers.set(
        name,
        Float32Array.from({ length: size }, (_, i) => (name === 'lambda' ? 0.25 : i / 2 - 1)),
      );
    }
    this.#endpoint.publish({ ...opened, folder });
  }

  static async open(t: Pick<TestContext, 'after'>): Promise<FakeRun> {
    runtimeFolder(t);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-fake-run-'));
    let run: FakeRun | undefined;
    const endpoint = await openEndpoint({
      ask: async ({ method }, params, signal) => (await run!.#answer(method, params as object, signal!)) as never,
      onNote() {},
    });
    run = new FakeRun(folder, () => endpoint);
    const made = run;
    t.after(async () => {
      await made.end();
      fs.rmSync(folder, { recursive: true, force: true });
    });
    return made;
  }

  tell(news: News): void {
    this.#events.push({ ...news, seq: this.#events.length + 1 } as DebugEvent);
    this.#wake();
  }

  stopAt(stage: string | null, more: Partial<Extract<News, { type: 'stopped' }>> = {}): void {
    this.at = stage === null ? -1 : stages.indexOf(stage);
    const place = { step: this.step, micro: 0, stage, ordinal: this.at + 1 };
    this.tell({
      type: 'stopped',
      ...place,
      reason: 'step',
      text: '',
      hits: [],
      rule: null,
      stop: ++this.stops,
      ...more,
    });
  }

  publish(message: Parameters<Awaited<ReturnType<typeof openEndpoint>>['publish']>[0]): void {
    this.#endpoint.publish(message);
  }

  /** In order, as a run that has done all its iterations. */
  async finish(): Promise<void> {
    this.#hold?.('the run has ended');
    this.publish({ type: 'ended', state: 'finished', folder: this.folder, step: 9, iterations: 9, files: [] });
    await this.end();
  }

  async end(): Promise<void> {
    await this.#endpoint.close();
    this.#lock.release();
  }

  async #answer(method: string, params: object, signal: AbortSignal): Promise<unknown> {
    if (!['debug/events', 'debug/hold', 'subscribe'].includes(method)) {
      const { session: _, ...rest } = params as { session?: string };
      this.asked.push([method, rest]);
    }
    const refusal = this.refusals.get(method);
    if (refusal) throw refusal;
    const slow = this.slow.get(method);
    if (slow) return slow(signal);
    if ('tensor' in params) this.#of(String(params.tensor)); // refuses what is not there
    const answer = this.#answers[method];
    if (!answer) throw new UserError('usage', `the fake run answers no ${method}`);
    return answer(params as never, signal);
  }

  readonly #answers: Record<string, (params: never, signal: AbortSignal) => unknown> = {
    subscribe: () => null,
    pause: () => ({ step: this.step }),
    stop: () => {
      setImmediate(() => {
        this.publish({ type: 'ended', state: 'stopped', folder: this.folder, step: 3, iterations: 9, files: [] });
        void this.end();
      });
      return { step: 3, path: null };
    },
    'debug/attach': ({ stop }: { stop: boolean }) => {
      if (stop) setImmediate(() => this.stopAt(null, { reason: 'entry' }));
      return { step: 3, iterations: 9, listing, rules: [], networks: ['generator', 'fake'] };
    },
    'debug/hold': (_: object, signal) =>
      new Promise((resolve, reject) => {
        this.#hold = (reason) => resolve({ reason });
        signal.addEventListener('abort', () => reject(new UserError('cancelled', 'cancelled')));
      }),
    'debug/events': async ({ after }: { after: number }, signal) => {
      const later = () => this.#events.filter(({ seq }) => seq > after);
      while (later().length === 0) {
        await new Promise<void>((resolve, reject) => {
          this.#wake = resolve;
          signal.addEventListener('abort', () => reject(new UserError('cancelled', 'cancelled')));
        });
      }
      return later();
    },
    'debug/detach': () => {
      this.#hold?.('detached');
      return null;
    },
    'debug/breakpoints': (lists: Record<string, { id: number; condition?: string; rule?: string }[]>) =>
      ['stages', 'data', 'exceptions'].flatMap((kind) =>
        (lists[kind] ?? []).map(({ id, condition }) => ({
          id,
          problem: condition === 'step >' ? 'condition: expected a value at 6' : null,
        })),
      ),
    'debug/go': ({ how }: { how: { to: string; stage: string; step: number } }) => {
      this.tell({ type: 'continued' });
      if (how.to === 'next') this.stopAt(stages[this.at + 1] ?? null);
      if (how.to === 'back') this.stopAt(stages[this.at - 1] ?? null);
      if (how.to === 'restart') this.stopAt('draw');
      if (how.to === 'stage') this.stopAt(how.stage, { reason: 'goto' });
      if (how.to === 'checkpoint') {
        this.step = how.step + 1;
        this.stopAt(null, { reason: 'entry' });
      }
      return null;
    },
    'debug/pause': () => {
      this.stopAt('draw', { reason: 'pause' });
      return null;
    },
    'debug/skip': () => null,
    'debug/checkpoints': () => [2, 0],
    'debug/tensors': () => this.#lines(),
    'debug/statistics': ({ tensor }: { tensor: string }) => this.#statistics(this.#of(tensor).subarray(0, 10)),
    'debug/numbers': () => ({
      numbers: [{ name: 'loss.fake', value: 0.5, overridden: null, writable: false, step: this.step }],
      settings: [
        { name: 'generator.lr', value: 0.001, overridden: 0.01, writable: true, step: this.step },
        {
          ...{ name: 'matching.weight', value: 2, overridden: 0, writable: true, step: this.step },
          words: ['eq8', 'eq8-alpha', 'sigma/alpha'],
        },
      ],
    }),
    'debug/children': ({ tensor, path: at, start, count }: Children) => {
      const own = shapeOf(tensor);
      const shape = own.slice(at.length + 1);
      const each = shape.reduce((product, length) => product * length, 1);
      const [row = 0] = at;
      return Array.from({ length: count }, (_, i) => {
        const first = (at.length > 0 ? row * (own[1] ?? 0) : 0) + (start + i) * each;
        const part = this.#of(tensor).subarray(first, first + each);
        const single = shape.length === 0;
        return {
          index: start + i,
          shape,
          number: single ? part[0]! : null,
          statistics: single ? null : this.#statistics(part),
        };
      });
    },
    'debug/read': ({ tensor, offset, count }: { tensor: string; offset: number; count: number }) => {
      const all = new Uint8Array(this.#of(tensor).buffer);
      return { bytes: all.slice(offset, offset + count), size: all.length };
    },
    'debug/write': ({ tensor, offset, bytes }: { tensor: string; offset: number; bytes: Uint8Array }) => {
      new Uint8Array(this.#of(tensor).buffer).set(bytes, offset);
      return { written: bytes.length };
    },
    'debug/tensor': ({ tensor: name }: { tensor: string }) => ({
      tensor: { name, shape: shapeOf(name), data: this.#of(name).slice() },
    }),
    'debug/evaluate': ({ expression }: { expression: string }) => {
      const line = this.#lines().find(({ name }) => name === expression);
      if (line) return { text: `a tensor ${expression}`, number: null, tensor: line };
      if (/^[\d.]+$/.test(expression)) return { text: expression, number: Number(expression), tensor: null };
      if (expression === 'loss.fake') return { text: '0.5', number: 0.5, tensor: null };
      throw new UserError('usage', `there is no ${expression} here`, 'Look at the variables.');
    },
    'debug/assign': ({ value }: { value: string }) => ({ text: value, number: Number(value), tensor: null }),
    'debug/complete': ({ text }: { text: string }) => ({
      start: text.search(/\w*$/),
      items: [
        { label: 'grad', kind: 'tensor' },
        { label: 'norm', kind: 'function' },
      ],
    }),
    'debug/inside': ({ scope }: { scope: string }) => {
      if (stages[this.at] !== 'generate') throw new UserError('usage', 'nothing is inside this stage');
      const [input, output] = [
        { ...this.#line('z'), name: '@1', writable: false },
        { ...this.#line('z'), name: '@2', writable: false },
      ];
      const line = (text: string, into: string | null) => ({
        text,
        scope: into,
        operations: 1,
        inputs: [input],
        outputs: [output],
      });
      if (scope === '') return { title: 'generate', lines: [line('h = conv(z)', null), line('x = block(h)', 'block')] };
      return { title: scope, lines: [line('y = silu(h)', null)] };
    },
    'debug/origin': () => ({
      ...{ stage: 'generate', tensor: 'x', note: 'x became NaN in div.' },
      operation: { operation: 'div', scope: 'generate.block', inputs: [this.#line('z')], output: this.#line('z') },
    }),
  };

  #of(tensor: string): Float32Array {
    const found = this.numbers.get(plain(tensor));
    if (!found) throw new UserError('usage', `there is no ${tensor} here`);
    return found;
  }

  #lines(): TensorLine[] {
    return Object.keys(shapes).flatMap((name) => (since[name]! <= this.at ? [this.#line(name)] : []));
  }

  #line(name: string): TensorLine {
    const data = this.#of(name);
    const statistics = data.length > 1000 ? null : this.#statistics(data);
    return { name, shape: shapes[name]!, type: 'float32', bytes: 4 * data.length, statistics, writable: name !== 'z' };
  }

  #statistics(data: Float32Array): Statistics {
    const finite = [...data].filter(Number.isFinite);
    const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
    const square = finite.reduce((sum, value) => sum + value * value, 0);
    return {
      ...{ min: finite.reduce((a, b) => Math.min(a, b)), mean, max: finite.reduce((a, b) => Math.max(a, b)) },
      ...{ std: Math.sqrt(square / finite.length - mean * mean), norm: Math.sqrt(square) },
      nan: data.filter(Number.isNaN).length,
      positiveInfinity: data.filter((value) => value === Number.POSITIVE_INFINITY).length,
      negativeInfinity: data.filter((value) => value === Number.NEGATIVE_INFINITY).length,
      zero: data.filter((value) => value === 0).length,
    };
  }
}

interface Children {
  readonly tensor: string;
  readonly path: number[];
  readonly start: number;
  readonly count: number;
}
