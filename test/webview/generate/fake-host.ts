/** A host for the generate panel's page: answers from memory as the real one does, and notes what it was asked. */

import { encodePng } from '../../../backend/data/png.ts';
import { tensorData } from '../../../backend/graph/tensor-data.ts';
import type { Entry, Side, View } from '../../../backend/protocol/panels/generate.ts';
import type { ModelInfo } from '../../../backend/protocol/rpc/images.ts';
import { launchBrowser, openPanel, type PanelOptions, type PanelPage } from '../harness.ts';
import { panelHtml } from '../panel-html.ts';
import { generateTexts } from './texts.ts';

export { generateTexts, launchBrowser };

const classes = ['disc', 'ring', 'square', 'triangle', 'star', 'cross', 'crescent', 'heart', 'bar', 'half-disc'];

export function model(changes: Partial<ModelInfo> = {}): ModelInfo {
  return {
    ...{ model: 'builtin:scenes', title: 'Scenes, one-step generator', origin: 'builtin', role: 'generator' },
    ...{ imageShape: [3, 32, 32], classes, prompt: false, guidance: null, steps: 1, bytes: 2e6, run: null },
    ...{ samplers: [], sizeStep: null },
    ...{ teacher: 'builtin:scenes/teacher', problem: '' },
    ...changes,
  };
}

export const teacher = model({
  ...{ model: 'builtin:scenes/teacher', title: 'Scenes, teacher', role: 'teacher', steps: 18, teacher: null },
});

export function side(count: number, changes: Partial<Side> = {}, seed = 42): Side {
  const seeds = Array.from({ length: count }, (_, i) => seed + i);
  return {
    settings: { model: 'builtin:scenes', seeds, classes: null, prompt: null, steps: 1, device: 'auto' },
    ...{ title: 'Scenes, one-step generator', role: 'generator', device: 'cpu', why: 'it was asked for' },
    ...{ width: 32, height: 32, millisecondsPerImage: 12.34, startupMilliseconds: 0, modelSha256: 'ab', notes: [] },
    images: seeds.map((own, i) => ({ seed: own, class: i % 10, className: classes[i % 10]! })),
    ...changes,
  };
}

export function besideEntry(id: string, count: number): Entry {
  const settings = { ...side(count).settings, model: 'builtin:scenes/teacher', steps: 18 };
  const slow = side(count, { settings, title: 'Scenes, teacher', role: 'teacher', millisecondsPerImage: 259 });
  return entryOf(id, [side(count), slow]);
}

export function entryOf(id: string, sides: Side[], changes: Partial<Entry> = {}): Entry {
  return { id, createdAt: '2026-01-02T03:04:05.000Z', sides, grid: null, favourite: false, ...changes };
}

/** A picture that tells images apart: a disc whose colour and place come from the number. */
export function picture(number: number, size = 32): Uint8Array {
  const data = new Float32Array(3 * size * size);
  const hue = (number * 0.61803) % 1;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const inside = Math.hypot(x - size * (0.35 + 0.3 * hue), y - size * 0.5) < size * 0.28;
      for (let c = 0; c < 3; c++) {
        data[(c * size + y) * size + x] = inside
          ? Math.cos(6.28 * (hue + c / 3))
          : -0.6 + 0.5 * ((y / size + c * 0.2) % 1);
      }
    }
  }
  return Uint8Array.from(encodePng(tensorData([3, size, size], data)));
}

export function view(changes: Partial<View> = {}): View {
  return {
    form: {
      ...{ model: 'builtin:scenes', class: 'seed', prompt: '', seed: 42, locked: false, count: 4, steps: null },
      ...{ device: 'auto', beside: false, other: '', negative: '', guidance: null, live: false, restored: false },
      ...{
        sampler: null,
        size: null,
        decoder: '',
        asGrid: false,
        grid: { x: { setting: 'steps', values: [] }, y: null },
      },
    },
    ...{
      formVersion: 0,
      formHeard: 0,
      models: [model(), teacher],
      state: 'ready',
      problem: '',
      history: [],
      document: '',
    },
    devices: [
      { name: 'cpu', detail: '260 GFLOP/s in 3x3 convolutions', available: true },
      { name: 'cuda', detail: 'no CUDA here', available: false },
    ],
    ...{ jobs: [], show: '', prompts: [] },
    ...changes,
  };
}

interface Request {
  readonly type: string;
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

export class FakeHost {
  current: View;
  readonly asked: Request[] = [];
  /** Answers of its own by method; what they throw is the answer too. */
  readonly answers: Record<string, (params: Record<string, unknown>) => unknown> = {};
  panel!: PanelPage;
  readonly #waiting = new Set<() => void>();

  constructor(current: View) {
    this.current = current;
  }

  async open(browser: Awaited<ReturnType<typeof launchBrowser>>, options: Partial<PanelOptions> = {}): Promise<void> {
    const html = await panelHtml('generate', { texts: await generateTexts() }, 'Generate Images');
    // The page may ask before it is known here: the answer waits for it.
    let ready: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const onMessage = (message: unknown) => {
      this.asked.push(message as Request);
      for (const look of [...this.#waiting]) look();
      void opened.then(() => this.#answer(message as Request));
    };
    this.panel = await openPanel(browser, { html, onMessage, ...options });
    ready();
  }

  notify(method: string, params: unknown): Promise<void> {
    return this.panel.post({ type: 'notification', method, params });
  }

  async change(changes: Partial<View>): Promise<void> {
    this.current = { ...this.current, ...changes };
    await this.notify('generate/viewChanged', this.current);
  }

  /** The first message of the method that fits, now or when it comes. */
  async saw(method: string, fits: (params: Record<string, unknown>) => boolean = () => true): Promise<Request> {
    for (;;) {
      const found = this.asked.find((request) => request.method === method && fits(request.params));
      if (found) return found;
      await new Promise<void>((resolve) => {
        const look = () => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }

  async #answer({ type, id, method, params }: Request): Promise<void> {
    if (type !== 'request') return;
    const answer = this.answers[method] ?? ((given) => this.#own(method, given));
    const reply = await Promise.resolve(params)
      .then(answer)
      .then(
        (result) => ({ type: 'result', id, result }),
        ({ kind = 'bug', message, hint = '' }) => ({ type: 'error', id, error: { kind, message, hint } }),
      );
    await this.panel.post(reply);
  }

  #own(method: string, params: Record<string, unknown>): unknown {
    const entry = this.current.history.find(({ id }) => id === params.entry);
    if (method === 'generate/view') return this.current;
    if (method === 'generate/images') {
      return { sides: entry!.sides.map(({ images }) => images.map(({ seed }) => picture(Number(seed)))) };
    }
    if (method === 'generate/restore') return { lost: [] };
    if (method === 'generate/thumbnail') return { png: picture(Number(entry!.sides[0]!.images[0]!.seed)) };
    return null;
  }
}
